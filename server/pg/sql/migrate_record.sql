INSERT INTO public.schema_migrations (version, name, sha256, ms, program)
VALUES ($1::int, $2, $3, (extract(epoch FROM clock_timestamp() - now()) * 1000)::int, $4)
