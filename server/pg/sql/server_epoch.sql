-- What makes this run of the database's history itself: cluster, timeline, salt.  On a primary the control file still shows the old
-- timeline for seconds after a promotion, so there the name of the WAL file that is written tells it.  On a standby it shows what was
-- replayed up to the last checkpoint, or, where that is more, to the last page written.
SELECT (SELECT system_identifier::text FROM pg_control_system()),
	CASE WHEN pg_is_in_recovery() THEN (SELECT lpad(to_hex(greatest(timeline_id, min_recovery_end_timeline)), 8, '0')
			FROM pg_control_checkpoint(), pg_control_recovery())
		ELSE lower(left(pg_walfile_name(pg_current_wal_lsn()), 8)) END,
	(SELECT epoch_salt::text FROM instance)
