-- The second wall of every table, said once for all: the cast to int[] stands inside of the sub-select, which is worked out once for a
-- statement; outside of it the text would be read anew for each row.  The cast around it only says that this is an array, not a list
-- of rows.  IS TRUE keeps the policy a filter: as an index condition it would step through the array and lose the index's order.
DO $$
DECLARE
	t regclass;
	said text := '(territory_id = ANY ((SELECT nullif(current_setting(''seve.territories'', true), '''')::int[])::int[])) IS TRUE';
BEGIN
	FOR t IN SELECT polrelid::regclass FROM pg_policy WHERE polname = 'territory' LOOP
		EXECUTE format('ALTER POLICY territory ON %s USING (%s) WITH CHECK (%s)', t, said, said);
	END LOOP;
END $$
