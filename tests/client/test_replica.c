/* test_replica.c -- the store and the replica: pages, cursors, loads from the beginning, purges,
 * the file itself. */
#include "../../client/lib/sql.h"
#include "manifest.h"
#include "support.h"

#include <sys/stat.h>

static const struct support_row three[] = {
	{1, 10, "Chaufferie bois", 1, SEVE__ACTION__STATUS__STATUS_LEAD},
	{2, 11, "Navette", 2, SEVE__ACTION__STATUS__STATUS_IDEA},
	{3, 12, "Palettes", 3, SEVE__ACTION__STATUS__STATUS_PLANNED},
};

static int open_memory(void **state)
{
	*state = support_open(NULL);
	return 0;
}

static int close_memory(void **state)
{
	seve_close(*state);
	return 0;
}

static uint64_t cursor(struct seve *s)
{
	struct replica r;
	struct err e = {0};

	assert_int_equal(replica_get(s->store, TERRITORY, &r, &e), 0);
	return r.rev;
}

static void a_page_and_its_cursor_are_stored_together(void **state)
{
	struct err e = {0};

	assert_int_equal(replica_make((*(struct seve **)state)->store, TERRITORY, &e), 0);
	assert_int_equal(support_page(*state, 0, 12, three, 3, &e), 0);
	assert_int_equal(cursor(*state), 12);
	assert_string_equal(support_title(*state, 2), "Navette");
}

static void a_page_that_leaves_a_gap_is_refused_and_leaves_nothing(void **state)
{
	struct err e = {0};

	support_replica(*state, 12, three, 3);
	assert_int_equal(
		support_page(*state, 20, 25, &(struct support_row){4, 25, "Broyeur", 4, 0}, 1, &e),
		-ERR_PROTOCOL);
	assert_int_equal(cursor(*state), 12);
	assert_null(support_title(*state, 4));
}

static void a_page_with_a_broken_row_leaves_nothing(void **state)
{
	struct support_row rows[] = {{4, 13, "Broyeur", 4, 0}, {5, 0, "sans rev", 5, 0}};
	struct err e = {0};

	support_replica(*state, 12, three, 3);
	assert_int_equal(support_page(*state, 12, 14, rows, 2, &e), -ERR_INVALID);
	assert_int_equal(cursor(*state), 12);
	assert_null(support_title(*state, 4));
}

static void an_older_row_does_not_go_over_a_newer_one(void **state)
{
	struct err e = {0};

	support_replica(*state, 12, three, 3);
	assert_int_equal(support_page(*state, 12, 13,
				      &(struct support_row){1, 9, "vieux titre", 1, 0}, 1, &e),
			 0);
	assert_string_equal(support_title(*state, 1), "Chaufferie bois");
}

static void a_row_of_the_same_rev_is_taken_since_it_is_the_servers_own_form(void **state)
{
	struct err e = {0};

	support_replica(*state, 12, three, 3);
	assert_int_equal(support_page(*state, 12, 13,
				      &(struct support_row){1, 10, "Chaufferie", 1, 0}, 1, &e),
			 0);
	assert_string_equal(support_title(*state, 1), "Chaufferie");
}

static void a_tombstone_hides_the_record(void **state)
{
	struct seve_list *l = NULL;
	struct seve_query *q = seve_query_new("action");
	struct err e = {0};

	support_replica(*state, 12, three, 3);
	assert_int_equal(
		support_page(*state, 12, 13, &(struct support_row){2, 13, NULL, 0, 0}, 1, &e), 0);
	assert_null(support_title(*state, 2));
	assert_int_equal(seve_list(*state, q, SEVE_REPLICA, &l, NULL), SEVE_OK);
	assert_int_equal(seve_list_count(l), 2);
	assert_true(seve_list_from_replica(l));
	seve_list_free(l);
	seve_query_free(q);
}

static void a_replica_that_never_was_complete_is_not_read(void **state)
{
	struct seve *s = *state;
	struct seve_query *q = seve_query_new("action");
	struct seve_error *err = NULL;
	struct seve_list *l = NULL;
	struct err e = {0};

	assert_int_equal(replica_make(s->store, TERRITORY, &e), 0);
	assert_int_equal(support_page(s, 0, 5, three, 1, &e), 0);
	assert_int_equal(seve_list(s, q, SEVE_REPLICA, &l, &err), SEVE_INVALID);
	assert_non_null(strstr(seve_error_message(err), "not been loaded to its end"));
	assert_null(l);
	seve_error_free(err);
	seve_query_free(q);
}

static void a_reset_sweeps_what_the_new_load_did_not_bring(void **state)
{
	struct seve *s = *state;
	struct err e = {0};
	/* A restored database may well hold lower revs. */
	struct support_row after[] = {{1, 4, "Chaufferie restaurée", 1, 0},
				      {4, 5, "Broyeur", 4, 0}};

	support_replica(s, 12, three, 3);
	assert_int_equal(replica_reset(s->store, TERRITORY, &e), 0);
	assert_string_equal(support_title(s, 3), "Palettes");
	assert_int_equal(support_page(s, 0, 5, after, 2, &e), 0);
	assert_string_equal(support_title(s, 1), "Chaufferie restaurée");
	assert_string_equal(support_title(s, 3), "Palettes");
	assert_int_equal(support_complete(s, 5, &e), 0);
	assert_null(support_title(s, 2));
	assert_null(support_title(s, 3));
	assert_string_equal(support_title(s, 4), "Broyeur");
	assert_int_equal(cursor(s), 5);
}

static void a_purge_forgets_every_row(void **state)
{
	struct seve *s = *state;
	struct replica r;
	struct err e = {0};

	support_replica(s, 12, three, 3);
	assert_int_equal(replica_purge(s->store, TERRITORY, &e), 0);
	assert_int_equal(replica_get(s->store, TERRITORY, &r, &e), 0);
	assert_false(r.exists);
	assert_null(support_title(s, 1));
}

static void a_record_is_found_by_reference_id_and_tail(void **state)
{
	struct seve_record *r;
	const char *names[] = {"P-2", "p2", "01900000-0000-7000-8000-000000000002", "~0002",
			       "~8000-000000000002"};

	support_replica(*state, 12, three, 3);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		r = support_get(*state, names[i]);
		if (!r)
			fail_msg("%s was not found", names[i]);
		assert_string_equal(seve_record_get(r, "title"), "Navette");
		assert_string_equal(seve_record_ref(r), "P-2");
		seve_record_free(r);
	}
	assert_null(support_get(*state, "P-9"));
	assert_null(support_get(*state, "A-2"));
}

static void an_ambiguous_tail_names_the_candidates(void **state)
{
	struct seve_error *err = NULL;
	struct seve_record *r = NULL;
	struct support_row rows[] = {{0x105, 1, "un", 1, 0}, {0x205, 2, "deux", 2, 0}};

	support_replica(*state, 2, rows, 2);
	assert_int_equal(seve_get(*state, TERRITORY, NULL, "~05", SEVE_REPLICA, &r, &err),
			 SEVE_INVALID);
	assert_non_null(strstr(seve_error_message(err), "000000000105"));
	assert_non_null(strstr(seve_error_message(err), "000000000205"));
	seve_error_free(err);
}

static void a_kind_of_a_newer_server_is_carried_without_being_shown(void **state)
{
	struct seve *s = *state;
	Seve__Page page = SEVE__PAGE__INIT;
	Seve__Record record = SEVE__RECORD__INIT, *list[] = {&record};
	/* Body { 60 { 1: "x" } } */
	uint8_t body[] = {0xe2, 0x03, 0x03, 0x0a, 0x01, 'x'};
	struct uuid id = support_id(9);
	struct err e = {0};

	assert_int_equal(replica_make(s->store, TERRITORY, &e), 0);
	record.id = (ProtobufCBinaryData){16, id.b};
	record.kind = 60;
	record.rev = 3;
	record.body = (ProtobufCBinaryData){sizeof body, body};
	page.territory = TERRITORY;
	page.to_rev = 3;
	page.n_records = 1;
	page.records = list;
	if (replica_apply(s->store, &page, 1, 2, &e))
		fail_msg("%s", e.text);
	assert_null(support_title(s, 9));
	assert_int_equal(cursor(s), 3);
}

/* ---- the file
 * ------------------------------------------------------------------------------------------------
 */

static void a_store_is_private_and_lasts(void **state)
{
	char *folder = support_folder(), *path;
	struct stat st;
	struct seve *s;
	struct uuid client;

	(void)state;
	assert_true(asprintf(&path, "%s/store.db", folder) > 0);
	s = support_open(path);
	client = s->store->client_id;
	support_replica(s, 12, three, 3);
	seve_close(s);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	s = support_open(path);
	assert_int_equal(uuid_cmp(&client, &s->store->client_id), 0);
	assert_string_equal(support_title(s, 3), "Palettes");
	seve_close(s);
	free(path);
	support_remove(folder);
}

static int try_open(const char *path, struct seve_error **err)
{
	struct seve_options *o = seve_options_new();
	struct seve *s = NULL;
	int rc;

	assert_int_equal(seve_options_set(o, "store", path), SEVE_OK);
	rc = seve_open(o, &s, err);
	seve_options_free(o);
	seve_close(s);
	return rc;
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_file_of_another_program_or_a_newer_version_is_refused(void **state)
{
	char *folder = support_folder(), *path;
	struct seve_error *err = NULL;

	(void)state;
	assert_true(asprintf(&path, "%s/other.db", folder) > 0);
	run_sql(path, "CREATE TABLE t (x)");
	assert_int_equal(try_open(path, &err), SEVE_INVALID);
	assert_non_null(strstr(seve_error_message(err), "not a store"));
	seve_error_free(err);
	err = NULL;
	remove(path);
	seve_close(support_open(path));
	run_sql(path, "PRAGMA user_version = 99");
	assert_int_equal(try_open(path, &err), SEVE_INVALID);
	assert_non_null(strstr(seve_error_message(err), "newer version"));
	assert_string_not_equal(seve_error_remedy(err), "");
	seve_error_free(err);
	free(path);
	support_remove(folder);
}

static void brought_up_to_date_from(const char *down)
{
	char *folder = support_folder(), *path;
	struct seve *s;

	assert_true(asprintf(&path, "%s/store.db", folder) > 0);
	s = support_open(path);
	support_replica(s, 12, three, 3);
	seve_close(s);
	run_sql(path, down);
	s = support_open(path);
	assert_int_equal(cursor(s), 12);
	assert_string_equal(support_title(s, 2), "Navette");
	seve_close(s);
	run_sql(path, "SELECT verdict FROM settled");
	free(path);
	support_remove(folder);
}

static void a_store_of_version_1_is_brought_up_to_date(void **state)
{
	static const char down[] =
		"DROP TABLE settled; ALTER TABLE counter DROP COLUMN epoch;"
		"ALTER TABLE replica DROP COLUMN start; ALTER TABLE replica DROP COLUMN "
		"verify_epoch;"
		"ALTER TABLE replica DROP COLUMN verify_view; ALTER TABLE replica DROP COLUMN "
		"verify_head;"
		"ALTER TABLE replica DROP COLUMN verify_after; ALTER TABLE replica DROP COLUMN "
		"fork;"
		"ALTER TABLE replica DROP COLUMN fork_open; PRAGMA user_version = 1";

	(void)state;
	brought_up_to_date_from(down);
}

static void a_store_of_version_2_is_brought_up_to_date(void **state)
{
	(void)state;
	brought_up_to_date_from("ALTER TABLE settled DROP COLUMN verdict; PRAGMA user_version = 2");
}

static void one_writer_at_a_time_over_all_handles(void **state)
{
	char *folder = support_folder(), *path;
	struct seve *a, *b;
	struct err e = {0};

	(void)state;
	assert_true(asprintf(&path, "%s/store.db", folder) > 0);
	a = support_open(path);
	b = support_open(path);
	assert_int_equal(store_lock(a->store, 0, &e), 0);
	assert_int_equal(store_lock(a->store, 0, &e), 0);
	assert_int_equal(store_lock(b->store, 0, &e), -ERR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "in use"));
	store_unlock(a->store);
	assert_int_equal(store_lock(b->store, 0, &e), -ERR_UNAVAILABLE);
	store_unlock(a->store);
	assert_int_equal(store_lock(b->store, 0, &e), 0);
	store_unlock(b->store);
	seve_close(a);
	seve_close(b);
	free(path);
	support_remove(folder);
}

static void an_inner_failure_undoes_the_whole_transaction(void **state)
{
	struct seve *s = *state;
	struct err e = {0};

	assert_int_equal(store_begin(s->store, &e), 0);
	assert_int_equal(store_meta_set(s->store, "x", "1", &e), 0);
	assert_int_equal(store_begin(s->store, &e), 0);
	assert_int_equal(store_end(s->store, -ERR_INVALID, &e), -ERR_INVALID);
	assert_int_equal(store_end(s->store, 0, &e), -ERR_INTERNAL);
	char value[8];
	assert_int_equal(store_meta_get(s->store, "x", value, sizeof value, &e), 0);
	assert_string_equal(value, "");
}

/* ---- comparing with the manifest
 * --------------------------------------------------------------------- */

static int note_fetch(void *ctx, const uint8_t id[16])
{
	char *list = ctx;

	snprintf(list + strlen(list), 8, "%u ", id[15]);
	return 0;
}

/* A page that says of each row what the server has; a row without title is not listed. */
static void page_of(const struct support_row *rows, size_t n, uint8_t *entries,
		    Seve__ManifestReply *out)
{
	seve__manifest_reply__init(out);
	out->territory = TERRITORY;
	out->epoch = 2;
	out->view = 5;
	out->head_rev = 20;
	out->entries.data = entries;
	for (size_t i = 0; i < n; i++) {
		struct uuid id = support_id(rows[i].id);
		ProtobufCBinaryData body =
			support_action(rows[i].title, rows[i].ref_no, rows[i].status);

		memcpy(entries + out->entries.len, id.b, 16);
		manifest_check(rows[i].rev, (struct span){body.data, body.len},
			       entries + out->entries.len + 16);
		out->entries.len += MANIFEST_ENTRY;
		free(body.data);
	}
}

static void a_comparison_keeps_what_is_equal_and_learns_where_histories_part(void **state)
{
	/* 1 is equal; 2 has the same rev and another content; 3 is gone; 4 is new. */
	static const struct support_row there[] = {
		{1, 10, "Chaufferie bois", 1, SEVE__ACTION__STATUS__STATUS_LEAD},
		{2, 11, "Navette fluviale", 2, SEVE__ACTION__STATUS__STATUS_IDEA},
		{4, 13, "Broyeur", 4, SEVE__ACTION__STATUS__STATUS_IDEA},
	};
	struct seve *s = *state;
	uint8_t entries[4 * MANIFEST_ENTRY];
	char fetched[64] = "";
	const struct replica_fetch fetch = {fetched, note_fetch};
	Seve__ManifestReply page;
	struct replica r;
	struct err e = {0};

	support_replica(s, 12, three, 3);
	assert_int_equal(replica_verify(s->store, TERRITORY, 2, 5, &e), 0);
	page_of(there, 3, entries, &page);
	assert_int_equal(replica_compare(s->store, &page, &fetch, &e), 0);
	assert_string_equal(fetched, "2 4 ");
	assert_string_equal(support_title(s, 1), "Chaufferie bois");
	assert_string_equal(support_title(s, 2), "Navette"); /* readable until it has come */
	assert_null(support_title(s, 3));
	assert_int_equal(replica_get(s->store, TERRITORY, &r, &e), 0);
	assert_int_equal(r.fork.rev, 10);
	/* Begun anew, the fork learns nothing from rows that may be of either history. */
	assert_int_equal(replica_verify(s->store, TERRITORY, 2, 5, &e), 0);
	assert_int_equal(replica_compare(s->store, &page, &fetch, &e), 0);
	assert_int_equal(replica_get(s->store, TERRITORY, &r, &e), 0);
	assert_int_equal(r.fork.rev, 10);
	page.epoch = 3;
	assert_int_equal(replica_compare(s->store, &page, &fetch, &e), -ERR_RESET_REQUIRED);
	assert_int_equal(replica_verified(s->store, TERRITORY, &e), 0);
	assert_int_equal(cursor(s), 20);
}

static bool is_statement(const char *name)
{
	static const char *const names[] = {
#define STATEMENT(name) #name,
#include "../../client/lib/statements.def"
#undef STATEMENT
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void every_sql_file_is_a_statement_or_makes_the_store(void **state)
{
	(void)state;
	for (const struct sql_file *f = sql_files; f->name; f++)
		if (!is_statement(f->name) && strcmp(f->name, "schema") != 0 &&
		    strcmp(f->name, "pragmas") != 0 && strncmp(f->name, "upgrade_", 8) != 0)
			fail_msg("sql/%s.sql is used by nobody", f->name);
}

/* Every statement is prepared once: a word that SQLite does not understand shows here. */
static void every_statement_can_be_prepared(void **state)
{
	static const char *const names[] = {
#define STATEMENT(name) #name,
#include "../../client/lib/statements.def"
#undef STATEMENT
	};
	struct seve *s = *state;

	for (int i = 0; i < STORE_COUNT; i++) {
		struct err e = {0};

		if (!store_query(s->store, &e, (enum store_statement)i, ""))
			fail_msg("%s: %s", names[i], e.text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_page_and_its_cursor_are_stored_together),
		TEST(a_page_that_leaves_a_gap_is_refused_and_leaves_nothing),
		TEST(a_page_with_a_broken_row_leaves_nothing),
		TEST(an_older_row_does_not_go_over_a_newer_one),
		TEST(a_row_of_the_same_rev_is_taken_since_it_is_the_servers_own_form),
		TEST(a_tombstone_hides_the_record),
		TEST(a_replica_that_never_was_complete_is_not_read),
		TEST(a_reset_sweeps_what_the_new_load_did_not_bring),
		TEST(a_purge_forgets_every_row),
		TEST(a_record_is_found_by_reference_id_and_tail),
		TEST(an_ambiguous_tail_names_the_candidates),
		TEST(a_kind_of_a_newer_server_is_carried_without_being_shown),
		cmocka_unit_test(a_store_is_private_and_lasts),
		cmocka_unit_test(a_file_of_another_program_or_a_newer_version_is_refused),
		cmocka_unit_test(a_store_of_version_1_is_brought_up_to_date),
		cmocka_unit_test(a_store_of_version_2_is_brought_up_to_date),
		cmocka_unit_test(one_writer_at_a_time_over_all_handles),
		TEST(an_inner_failure_undoes_the_whole_transaction),
		cmocka_unit_test(every_sql_file_is_a_statement_or_makes_the_store),
		TEST(every_statement_can_be_prepared),
		TEST(a_comparison_keeps_what_is_equal_and_learns_where_histories_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
