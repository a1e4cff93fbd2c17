/* test_schema.c -- the tables against the messages they stand for, and the second wall: other
 * territories do not exist. */
#include "fixture.h"

#include <libpq-fe.h>
#include <string.h>

#include "field.h"
#include "kind.h"

static PGconn *connect_to(const char *conninfo)
{
	PGconn *db = PQconnectdb(conninfo);
	if (PQstatus(db) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(db));
	return db;
}

/* Mapping rule: see migrations/0002_kinds.sql. */
static const char *column_type(enum field_type t)
{
	switch (t) {
	case FIELD_TEXT:
	case FIELD_ENUM:
		return "text";
	case FIELD_BOOL:
		return "bool";
	case FIELD_INT:
	case FIELD_UINT:
		return "int8";
	case FIELD_DOUBLE:
		return "float8";
	case FIELD_DATE:
		return "date";
	case FIELD_INSTANT:
		return "timestamptz";
	case FIELD_ID:
		return "uuid";
	case FIELD_TEXTS:
		return "_text";
	case FIELD_IDS:
		return "_uuid";
	case FIELD_MESSAGE:
	case FIELD_MESSAGES:
		return "jsonb";
	}
	return "?";
}

static PGresult *columns_of(PGconn *db, const char *table)
{
	const char *const values[] = {table};
	PGresult *r = PQexecParams(db,
				   "SELECT column_name, udt_name, is_nullable "
				   "FROM information_schema.columns WHERE table_schema = 'public' "
				   "AND table_name = $1 ORDER BY ordinal_position",
				   1, NULL, values, NULL, NULL, 0);
	assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
	return r;
}

static void assert_column(const PGresult *r, const struct kind *k, int row, const char *name,
			  const char *type)
{
	if (row >= PQntuples(r))
		fail_msg("table %s lacks column %s %s", k->table, name, type);
	if (strcmp(PQgetvalue(r, row, 0), name) != 0 || strcmp(PQgetvalue(r, row, 1), type) != 0)
		fail_msg("table %s: column %d is %s %s instead of %s %s", k->table, row + 1,
			 PQgetvalue(r, row, 0), PQgetvalue(r, row, 1), name, type);
	/* what a record has to have is the program's to say: only the key is never NULL */
	assert_string_equal(PQgetvalue(r, row, 2), row < 2 ? "NO" : "YES");
}

static void each_kind_has_its_table(void **state)
{
	(void)state;
	PGconn *db = connect_to(fixture_cluster()->conninfo);
	for (size_t i = 0; i < kind_count(); i++) {
		const struct kind *k = kind_at(i);
		PGresult *r = columns_of(db, k->table);
		assert_column(r, k, 0, "territory_id", "int4");
		assert_column(r, k, 1, "id", "uuid");
		for (unsigned f = 0; f < k->desc->n_fields; f++) {
			const field_desc *fd = &k->desc->fields[f];
			assert_column(r, k, (int)f + 2, fd->name, column_type(field_type(fd)));
		}
		if (PQntuples(r) != (int)k->desc->n_fields + 2)
			fail_msg("table %s has column %s, which is no field", k->table,
				 PQgetvalue(r, (int)k->desc->n_fields + 2, 0));
		PQclear(r);
	}
	PQfinish(db);
}

static void each_table_of_a_territory_is_walled(void **state)
{
	(void)state;
	/* heads say only how far a territory has come, grants and reservations are read before one
	 * is known */
	assert_string_equal(
		fixture_text(fixture_cluster()->conninfo,
			     "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) "
			     "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
			     "WHERE c.relkind = 'r' AND a.attname = 'territory_id' "
			     "AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"),
		"account_grant territory_head");
	assert_string_equal(fixture_text(fixture_cluster()->conninfo,
					 "SELECT string_agg(c.relname, ' ') FROM pg_class c "
					 "WHERE c.relrowsecurity AND NOT EXISTS (SELECT FROM "
					 "pg_policy p WHERE p.polrelid = c.oid)"),
			    "");
}

static void the_application_has_no_way_around_the_wall(void **state)
{
	(void)state;
	assert_string_equal(fixture_text(fixture_cluster()->conninfo,
					 "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR "
					 "rolcanlogin FROM pg_roles WHERE rolname = 'seve_app'"),
			    "f");
	assert_string_equal(
		fixture_text(fixture_cluster()->conninfo,
			     "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = "
			     "c.relowner WHERE r.rolname = 'seve_app'"),
		"0");
}

/* Every walled table has a row of territory 1 and one of territory 2, written by the superuser,
 * whom no wall stops. */
static struct fixture_db two_territories(void)
{
	struct fixture_db db = fixture_database();
	for (size_t i = 0; i < kind_count(); i++) {
		char sql[200];
		snprintf(sql, sizeof sql,
			 "INSERT INTO %s (territory_id, id) VALUES (1, gen_random_uuid()), "
			 "(2, gen_random_uuid())",
			 kind_at(i)->table);
		fixture_sql(db.admin, sql);
	}
	fixture_sql(
		db.admin,
		"INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs) "
		"SELECT t, gen_random_uuid(), 13, 1, 1, 0, '' FROM generate_series(1, 2) t");
	fixture_sql(db.admin, "INSERT INTO mutation SELECT t, gen_random_uuid(), 1, '', 0, '', 0 "
			      "FROM generate_series(1, 2) t");
	fixture_sql(db.admin, "INSERT INTO link SELECT t, gen_random_uuid(), 1, gen_random_uuid() "
			      "FROM generate_series(1, 2) t");
	fixture_sql(db.admin, "INSERT INTO record_version SELECT t, gen_random_uuid(), 1, 13, 1, "
			      "false, '', 2, 'test', NULL, NULL, 0 FROM generate_series(1, 2) t");
	fixture_sql(db.admin, "INSERT INTO import_ref SELECT t, 's', 13, 'k', gen_random_uuid(), "
			      "'', '', gen_random_uuid() FROM generate_series(1, 2) t");
	fixture_sql(db.admin,
		    "INSERT INTO import_batch (territory_id, batch, kind, source, account, "
		    "began_at) SELECT t, gen_random_uuid(), 13, 's', 'a', 0 FROM "
		    "generate_series(1, 2) t");
	fixture_sql(db.admin, "INSERT INTO import_note (territory_id, batch, verdict) SELECT t, "
			      "gen_random_uuid(), '' FROM generate_series(1, 2) t");
	return db;
}

/* As seve_app, with the territories set or (NULL) not. */
static PGconn *become_app(const struct fixture_db *db, const char *territories)
{
	char sql[128];
	PGconn *c = connect_to(db->conninfo);
	snprintf(sql, sizeof sql, "SET ROLE seve_app; SET seve.territories TO '%s'", territories);
	PGresult *r = PQexec(c, territories ? sql : "SET ROLE seve_app");
	assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
	PQclear(r);
	return c;
}

static const char *const walled =
	"SELECT c.relname FROM pg_class c WHERE c.relrowsecurity ORDER BY 1";

/* Rows that this connection sees in a walled table. */
static int count_rows(PGconn *c, const char *table)
{
	char sql[128];
	snprintf(sql, sizeof sql, "SELECT territory_id FROM %s", table);
	PGresult *r = PQexec(c, sql);
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", table, PQresultErrorMessage(r));
	int n = PQntuples(r);
	PQclear(r);
	return n;
}

static void assert_sees(const struct fixture_db *db, const char *territories, int rows)
{
	PGconn *c = become_app(db, territories);
	PGresult *tables = PQexec(c, walled);
	assert_true(PQntuples(tables) >= (int)kind_count() + 5);
	for (int i = 0; i < PQntuples(tables); i++) {
		const char *table = PQgetvalue(tables, i, 0);
		int n = count_rows(c, table);
		if (n != rows)
			fail_msg("%s shows %d rows instead of %d", table, n, rows);
	}
	PQclear(tables);
	PQfinish(c);
}

static void rows_of_other_territories_do_not_exist(void **state)
{
	(void)state;
	struct fixture_db db = two_territories();
	assert_sees(&db, "{1}", 1);
	assert_sees(&db, "{1,2}", 2);
	assert_sees(&db, "{3}", 0);
	assert_sees(&db, "{}", 0);
	assert_sees(&db, "", 0);
	assert_sees(&db, NULL, 0);
}

static void the_owner_stands_behind_the_wall_too(void **state)
{
	(void)state;
	struct fixture_db db = two_territories();
	assert_string_equal(fixture_text(db.conninfo, "SELECT count(*) FROM record"), "0");
}

static void other_territories_cannot_be_written(void **state)
{
	(void)state;
	static const char *const attempts[] = {
		("INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs) "
		 "VALUES (2, gen_random_uuid(), 13, 9, 1, 0, '')"),
		"UPDATE record SET territory_id = 2",
		"INSERT INTO action (territory_id, id) VALUES (2, gen_random_uuid())",
		"UPDATE action SET territory_id = 2",
	};
	struct fixture_db db = two_territories();
	PGconn *c = become_app(&db, "{1}");
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		PGresult *r = PQexec(c, attempts[i]);
		if (PQresultStatus(r) != PGRES_FATAL_ERROR)
			fail_msg("%s: went through", attempts[i]);
		assert_string_equal(PQresultErrorField(r, PG_DIAG_SQLSTATE), "42501");
		PQclear(r);
	}
	/* what is not seen is not deleted */
	PQclear(PQexec(c, "DELETE FROM record"));
	PQfinish(c);
	assert_int_equal(fixture_number(db.admin, "SELECT territory_id FROM record"), 2);
}

static void the_application_cannot_change_the_schema(void **state)
{
	(void)state;
	static const char *const attempts[] = {
		"CREATE TABLE x (v int)",
		"ALTER TABLE record DISABLE ROW LEVEL SECURITY",
		"DROP POLICY territory ON record",
		"TRUNCATE record",
		"UPDATE schema_migrations SET name = ''",
		"UPDATE instance SET epoch_salt = gen_random_uuid()",
	};
	struct fixture_db db = fixture_database();
	PGconn *c = become_app(&db, "{1}");
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		PGresult *r = PQexec(c, attempts[i]);
		if (PQresultStatus(r) != PGRES_FATAL_ERROR)
			fail_msg("%s: went through", attempts[i]);
		assert_string_equal(PQresultErrorField(r, PG_DIAG_SQLSTATE), "42501");
		PQclear(r);
	}
	PQfinish(c);
}

/* What holds no values of records: names of accounts, sources and files, hashes, revisions. */
static const char *const no_values[] = {
	"mutation.hash",       "import_ref.source",
	"import_ref.hash",     "import_ref.previous_hash",
	"import_batch.source", "import_batch.account",
	"import_batch.label",  "import_batch.reverted_by",
	"record.field_revs",   "record_version.changed_by",
};

static bool is_place(const char *table, const char *column)
{
	static const struct {
		const char *table, *columns;
	} places[] = {
#define PLACE(name, table, columns, statement) {#table, columns},
#include "pg/places.def"
	};
	char whole[128];
	const size_t n = strlen(column);

	snprintf(whole, sizeof whole, "%s.%s", table, column);
	for (size_t i = 0; i < sizeof no_values / sizeof *no_values; i++)
		if (!strcmp(no_values[i], whole))
			return true;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		for (const char *at = places[i].columns; !strcmp(places[i].table, table) && at;
		     at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
			if (!strncmp(at, column, n) && (at[n] == ',' || !at[n]))
				return true;
	return false;
}

/* A place that nobody thought of would keep what an erasure takes out of the others. */
static void every_column_that_can_hold_values_is_a_place_of_erasure(void **state)
{
	(void)state;
	PGconn *pg = connect_to(fixture_cluster()->conninfo);
	PGresult *r = PQexec(
		pg,
		"SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = "
		"c.oid WHERE c.relrowsecurity AND a.attnum > 0 AND NOT a.attisdropped AND "
		"a.atttypid IN ('text'::regtype, 'bytea'::regtype, 'jsonb'::regtype, "
		"'text[]'::regtype) ORDER BY 1, 2");
	size_t seen = 0;

	assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
	for (int i = 0; i < PQntuples(r); i++) {
		const char *table = PQgetvalue(r, i, 0);

		if (kind_by_name(!strcmp(table, "group_") ? "group" : table))
			continue; /* written with the record */
		seen++;
		if (!is_place(table, PQgetvalue(r, i, 1)))
			fail_msg("%s.%s is no place of server/pg/places.def", table,
				 PQgetvalue(r, i, 1));
	}
	assert_true(seen >= 10);
	PQclear(r);
	PQfinish(pg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_table),
		cmocka_unit_test(each_table_of_a_territory_is_walled),
		cmocka_unit_test(every_column_that_can_hold_values_is_a_place_of_erasure),
		cmocka_unit_test(the_application_has_no_way_around_the_wall),
		cmocka_unit_test(rows_of_other_territories_do_not_exist),
		cmocka_unit_test(the_owner_stands_behind_the_wall_too),
		cmocka_unit_test(other_territories_cannot_be_written),
		cmocka_unit_test(the_application_cannot_change_the_schema),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
