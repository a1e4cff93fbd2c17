CREATE TABLE IF NOT EXISTS public.schema_migrations (
	version    int PRIMARY KEY,
	name       text NOT NULL,
	sha256     text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now(),
	ms         int NOT NULL,
	program    text NOT NULL
)
