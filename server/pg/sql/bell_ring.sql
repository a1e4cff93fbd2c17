-- A hint that may be lost, so its commit waits for no disk.
SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)
