/* test_shared.c -- two handles on one store, over real sockets: what one is told of its edit when
 * the other has sent it. */
#include "../unit/pki.c"
#include "peer.h"
#include "support.h"

#include <poll.h>
#include <pthread.h>

struct fixture {
	struct peer peer;
	struct seve *s;
	char *folder, *token, *store;
	/* The other program: */
	Seve__Verdict__Code code;
	bool clash, failed;
	int ready[2];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct seve_options *o = seve_options_new();
	struct err e = {0};

	f->folder = support_folder();
	assert_true(asprintf(&f->token, "%s/token", f->folder) > 0);
	assert_true(asprintf(&f->store, "%s/store.db", f->folder) > 0);
	assert_int_equal(client_write_secret(f->token, "svt_test", &e), 0);
	assert_int_equal(pipe(f->ready), 0);
	f->peer.script.rows = 5;
	peer_start(&f->peer, pki.cert, pki.key);
	seve_options_set(o, "server", f->peer.address);
	seve_options_set(o, "ca-file", pki.ca);
	seve_options_set(o, "token-file", f->token);
	seve_options_set(o, "store", f->store);
	assert_int_equal(seve_open(o, &f->s, NULL), SEVE_OK);
	seve_options_free(o);
	assert_int_equal(seve_sync(f->s, TERRITORY, NULL, NULL, NULL, NULL), SEVE_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	seve_close(f->s);
	peer_stop(&f->peer);
	close(f->ready[0]);
	close(f->ready[1]);
	support_remove(f->folder);
	free(f->store);
	free(f->token);
	free(f);
	return 0;
}

/* As a synchronisation that had begun before the edit: it has the lock, sends what waits, and
 * settles the verdict. */
static bool settle(struct fixture *f, struct seve *b, struct arena *a)
{
	Seve__PushRequest sent = SEVE__PUSH_REQUEST__INIT;
	Seve__Outcome o = SEVE__OUTCOME__INIT, *list = &o;
	uint8_t conflict[16] = "conflict";
	uint32_t tags[] = {1};
	struct err e = {0};

	for (int i = 0; i < 1000 && !sent.n_mutations; i++) {
		if (queue_take(b->store, a, TERRITORY, 500, &sent, &e))
			return false;
		poll(NULL, 0, 2);
	}
	if (!sent.n_mutations)
		return false;
	Seve__Verdict v = support_verdict(sent.mutations[0]->mid, f->code);
	o.has_id = true;
	o.id = sent.mutations[0]->changes[0]->id;
	if (f->clash) {
		o.has_conflict_id = o.has_conflict_no = true;
		o.conflict_id = (ProtobufCBinaryData){sizeof conflict, conflict};
		o.conflict_no = 4;
		o.clash = tags;
		o.n_clash = 1;
	}
	v.outcomes = &list;
	v.n_outcomes = 1;
	return support_settle(b, &sent, &v, NULL, &e) == 0;
}

static void *other_program(void *ctx)
{
	struct fixture *f = ctx;
	struct seve *b = support_open(f->store);
	struct arena a;
	struct err e = {0};

	arena_init(&a, 1024 * 1024);
	f->failed = store_lock(b->store, STORE_LOCK_MS, &e) != 0;
	f->failed |= write(f->ready[1], "", 1) != 1;
	f->failed |= !settle(f, b, &a);
	store_unlock(b->store);
	arena_fini(&a);
	seve_close(b);
	return NULL;
}

/* Saves while the other program sends what waits, and has this verdict. */
static int save_beside(struct fixture *f, struct seve_table **report, struct seve_error **err)
{
	struct uuid id = support_id(1);
	char text[UUID_TEXT], byte;
	pthread_t thread;
	struct seve_record *r;
	int rc;

	uuid_format(&id, text);
	r = support_get(f->s, text);
	assert_non_null(r);
	assert_int_equal(seve_record_set(r, "title", "another", NULL), SEVE_OK);
	assert_int_equal(pthread_create(&thread, NULL, other_program, f), 0);
	assert_int_equal(read(f->ready[0], &byte, 1), 1);
	rc = seve_save(f->s, &r, 1, NULL, 0, NULL, report, err);
	pthread_join(thread, NULL);
	assert_false(f->failed);
	seve_record_free(r);
	return rc;
}

static void an_edit_that_another_program_sent_is_applied(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;

	f->code = SEVE__VERDICT__CODE__APPLIED;
	assert_int_equal(save_beside(f, &t, NULL), SEVE_OK);
	assert_string_equal(seve_table_get(t, 0, "verdict"), "applied");
	seve_table_free(t);
}

static void a_clash_that_another_program_was_told_of_is_told_here(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;

	f->code = SEVE__VERDICT__CODE__CONFLICT;
	f->clash = true;
	assert_int_equal(save_beside(f, &t, &err), SEVE_CONFLICT);
	assert_non_null(strstr(seve_error_message(err), "X-4"));
	assert_string_equal(seve_table_get(t, 0, "verdict"), "conflict");
	assert_string_equal(seve_table_get(t, 0, "field"), "action.title");
	seve_error_free(err);
	seve_table_free(t);
}

static void a_clash_of_a_part_is_told_too(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;

	f->code = SEVE__VERDICT__CODE__MERGED;
	f->clash = true;
	assert_int_equal(save_beside(f, &t, NULL), SEVE_CONFLICT);
	seve_table_free(t);
}

static void what_was_there_already_is_told_as_unchanged(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;

	f->code = SEVE__VERDICT__CODE__UNCHANGED;
	assert_int_equal(save_beside(f, &t, NULL), SEVE_OK);
	assert_string_equal(seve_table_get(t, 0, "verdict"), "unchanged");
	seve_table_free(t);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		ROW(an_edit_that_another_program_sent_is_applied),
		ROW(a_clash_that_another_program_was_told_of_is_told_here),
		ROW(a_clash_of_a_part_is_told_too),
		ROW(what_was_there_already_is_told_as_unchanged),
	};
	return cmocka_run_group_tests(tests, pki_make, pki_remove);
}
