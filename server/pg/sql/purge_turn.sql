-- One process purges at a time: whoever has this advisory lock ("seve pur") for the transaction; the others' statements find
-- nothing to do.
SELECT set_config('seve.purges', pg_try_advisory_xact_lock(8315182463717504370)::text, true)
