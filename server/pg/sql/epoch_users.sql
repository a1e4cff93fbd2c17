-- Server processes that use this database now.
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'seved%' AND pid <> pg_backend_pid()
