/* test_session.c -- synchronising and importing over real sockets and TLS, with a server that
 * misbehaves by script. */
#include "../unit/pki.c"
#include "peer.h"
#include "support.h"

#include <poll.h>

struct fixture {
	struct peer peer;
	struct seve *s;
	char *folder, *token;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = {0};

	f->folder = support_folder();
	assert_true(asprintf(&f->token, "%s/token", f->folder) > 0);
	assert_int_equal(client_write_secret(f->token, "svt_test", &e), 0);
	f->peer.script.rows = 5;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	seve_close(f->s);
	support_remove(f->folder);
	free(f->token);
	free(f);
	return 0;
}

static void begin_with(struct fixture *f, const char *ca, const char *timeout)
{
	struct seve_options *o = seve_options_new();

	peer_start(&f->peer, pki.cert, pki.key);
	seve_options_set(o, "server", f->peer.address);
	seve_options_set(o, "ca-file", ca);
	seve_options_set(o, "token-file", f->token);
	assert_int_equal(seve_options_set(o, "timeout-ms", timeout), SEVE_OK);
	assert_int_equal(seve_open(o, &f->s, NULL), SEVE_OK);
	seve_options_free(o);
}

static void begin(struct fixture *f)
{
	begin_with(f, pki.ca, "10000");
}

static int sync_now(struct fixture *f, struct seve_table **report)
{
	struct seve_error *err = NULL;
	int rc = seve_sync(f->s, TERRITORY, NULL, NULL, report, &err);

	if (rc)
		print_message("sync: %s: %s\n", seve_error_code(err), seve_error_message(err));
	seve_error_free(err);
	return rc;
}

static struct seve_record *edit(struct fixture *f, unsigned id, const char *title, int offline,
				int *queued, int *status)
{
	struct uuid u = support_id(id);
	struct seve_record *r;
	char text[UUID_TEXT];

	uuid_format(&u, text);
	r = support_get(f->s, text);
	assert_non_null(r);
	assert_int_equal(seve_record_set(r, "title", title, NULL), SEVE_OK);
	*status = seve_save(f->s, &r, 1, NULL, offline, queued, NULL, NULL);
	return r;
}

static void a_territory_is_pulled_page_after_page(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;

	begin(f);
	assert_int_equal(sync_now(f, &t), SEVE_OK);
	peer_stop(&f->peer);
	assert_string_equal(seve_table_get(t, 0, "state"), "ok");
	assert_string_equal(seve_table_get(t, 0, "slug"), "nord");
	assert_string_equal(seve_table_get(t, 0, "pulled"), "5");
	assert_string_equal(seve_table_get(t, 0, "rev"), "5");
	assert_string_equal(support_title(f->s, 5), "Action 5");
	seve_table_free(t);
}

static void a_pull_that_was_cut_off_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;

	f->peer.script.cut_pull = 2;
	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	peer_stop(&f->peer);
	assert_int_equal(f->peer.seen.connections, 3);
	assert_int_equal(f->peer.seen.pulls, 3);
	assert_int_equal(f->peer.seen.pull_revs[0], 0);
	assert_int_equal(f->peer.seen.pull_revs[1], 2);
	assert_int_equal(f->peer.seen.pull_revs[2], 4);
	assert_string_equal(support_title(f->s, 1), "Action 1");
	assert_string_equal(support_title(f->s, 5), "Action 5");
}

static void a_push_without_answer_is_sent_again_with_the_same_bytes(void **state)
{
	struct fixture *f = *state;
	int queued = 0, status = 0;

	f->peer.script.cut_push = 1;
	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	seve_record_free(edit(f, 1, "Nouveau titre", 0, &queued, &status));
	peer_stop(&f->peer);
	assert_int_equal(status, SEVE_OK);
	assert_int_equal(queued, 0);
	assert_int_equal(f->peer.seen.mutations, 2);
	assert_int_equal(f->peer.seen.mids[0], f->peer.seen.mids[1]);
	assert_int_equal(f->peer.seen.hashes[0], f->peer.seen.hashes[1]);
	assert_string_equal(support_title(f->s, 1), "Nouveau titre");
}

static void a_server_that_is_busy_is_asked_again(void **state)
{
	struct fixture *f = *state;
	int queued = 1, status = 0;

	f->peer.script.busy = 2;
	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	seve_record_free(edit(f, 1, "Nouveau titre", 0, &queued, &status));
	peer_stop(&f->peer);
	assert_int_equal(status, SEVE_OK);
	assert_int_equal(queued, 0);
	assert_int_equal(f->peer.seen.pushes, 3);
}

static void an_edit_that_cannot_be_sent_waits_and_goes_later(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;
	struct seve_record *r;
	int queued = 0, status = 1;

	f->peer.script.busy = 3;
	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	r = edit(f, 1, "Nouveau titre", 0, &queued, &status);
	assert_int_equal(status, SEVE_OK);
	assert_int_equal(queued, 1);
	assert_true(seve_record_pending(r));
	assert_string_equal(support_title(f->s, 1), "Nouveau titre");
	assert_int_equal(sync_now(f, &t), SEVE_OK);
	assert_string_equal(seve_table_get(t, 0, "pushed"), "1");
	peer_stop(&f->peer);
	seve_record_free(r);
	seve_table_free(t);
}

static void a_refusal_told_to_the_caller_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;
	int queued = 1, status = 0;

	f->peer.script.refuse = true;
	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	seve_record_free(edit(f, 1, "Nouveau titre", 0, &queued, &status));
	peer_stop(&f->peer);
	assert_int_equal(status, SEVE_INVALID);
	assert_int_equal(queued, 0);
	assert_string_equal(support_title(f->s, 1), "Action 1");
	assert_int_equal(seve_outbox(f->s, &t, NULL), SEVE_OK);
	assert_int_equal(seve_table_rows(t), 0);
	seve_table_free(t);
}

static void a_refusal_during_a_synchronisation_is_kept(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;
	int queued = 0, status = 1;

	f->peer.script.refuse = true;
	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	seve_record_free(edit(f, 1, "Nouveau titre", 1, &queued, &status));
	assert_int_equal(status, SEVE_OK);
	assert_int_equal(sync_now(f, &t), SEVE_OK);
	peer_stop(&f->peer);
	assert_string_equal(seve_table_get(t, 0, "rejected"), "1");
	seve_table_free(t);
	t = NULL;
	assert_int_equal(seve_outbox(f->s, &t, NULL), SEVE_OK);
	assert_string_equal(seve_table_get(t, 0, "state"), "rejected");
	seve_table_free(t);
}

static void a_push_whose_answer_is_too_large_is_asked_again_in_parts(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;
	int queued, status;

	f->peer.script.too_big = 2;
	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	for (unsigned i = 1; i <= 5; i++)
		seve_record_free(edit(f, i, "Nouveau titre", 1, &queued, &status));
	assert_int_equal(sync_now(f, &t), SEVE_OK);
	peer_stop(&f->peer);
	assert_string_equal(seve_table_get(t, 0, "applied"), "5");
	/* 5, 2, then one at a time. */
	assert_int_equal(f->peer.seen.pushes, 7);
	seve_table_free(t);
}

static void a_reset_loads_from_the_beginning(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	peer_stop(&f->peer);
	f->peer.script.resets = 1;
	seve_close(f->s);
	f->s = NULL;
	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	peer_stop(&f->peer);
	assert_int_equal(f->peer.seen.pulls, 2);
	assert_int_equal(f->peer.seen.pull_revs[1], 0);
	assert_string_equal(support_title(f->s, 5), "Action 5");
}

static void a_territory_that_is_gone_is_forgotten_and_its_edits_are_kept(void **state)
{
	struct fixture *f = *state;
	struct seve_error *err = NULL;
	struct seve_table *t = NULL;
	int queued, status;
	struct replica rep;
	struct err e = {0};

	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	seve_record_free(edit(f, 1, "Nouveau titre", 1, &queued, &status));
	f->peer.script.gone =
		true; /* the peer's thread only reads it while a request is under way */
	assert_int_equal(seve_sync(f->s, TERRITORY, NULL, NULL, &t, &err), SEVE_NOT_FOUND);
	peer_stop(&f->peer);
	seve_error_free(err);
	assert_int_equal(replica_get(f->s->store, TERRITORY, &rep, &e), 0);
	assert_false(rep.exists);
	assert_null(support_title(f->s, 1));
	assert_int_equal(seve_outbox(f->s, &t, NULL), SEVE_OK);
	assert_string_equal(seve_table_get(t, 0, "code"), "TERRITORY_REVOKED");
	seve_table_free(t);
}

static void a_server_that_goes_away_finishes_what_it_has_and_is_asked_no_more(void **state)
{
	struct fixture *f = *state;

	f->peer.script.go_away = 1;
	begin(f);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	peer_stop(&f->peer);
	assert_int_equal(f->peer.seen.pulls, 2);
	assert_int_equal(f->peer.seen.connections, 2);
}

static void what_would_be_made_twice_is_not_asked_again(void **state)
{
	struct fixture *f = *state;
	struct seve_error *err = NULL;
	char *code = NULL;

	f->peer.script.cut_other = 1;
	begin(f);
	assert_int_equal(
		seve_invite(f->s, "nouvelle", "observer", NULL, 0, NULL, 0, 0, &code, &err),
		SEVE_RETRY);
	peer_stop(&f->peer);
	assert_string_equal(seve_error_code(err), "OUTCOME");
	assert_int_equal(f->peer.seen.others, 1);
	assert_null(code);
	seve_error_free(err);
}

static void a_connection_lost_in_the_greeting_is_tried_three_times(void **state)
{
	struct fixture *f = *state;

	struct seve_error *err = NULL;

	f->peer.script.cut_hello = 2;
	begin(f);
	if (seve_connect(f->s, &err))
		fail_msg("%s: %s after %u", seve_error_code(err), seve_error_message(err),
			 f->peer.seen.connections);
	peer_stop(&f->peer);
	assert_int_equal(f->peer.seen.connections, 3);
}

static void silence_ends_with_the_time_out(void **state)
{
	struct fixture *f = *state;
	struct seve_error *err = NULL;
	struct seve_table *t = NULL;

	f->peer.script.silent = true;
	begin_with(f, pki.ca, "50");
	assert_int_equal(seve_sync(f->s, TERRITORY, NULL, NULL, &t, &err), SEVE_RETRY);
	peer_stop(&f->peer);
	assert_string_equal(seve_error_code(err), "DEADLINE");
	assert_true(seve_error_retryable(err));
	seve_error_free(err);
}

static void a_server_that_is_not_trusted_gets_no_token(void **state)
{
	struct fixture *f = *state;
	struct seve_error *err = NULL;

	begin_with(f, pki.other_ca, "10000");
	assert_int_equal(seve_connect(f->s, &err), SEVE_RETRY);
	peer_stop(&f->peer);
	assert_string_equal(seve_error_code(err), "TLS");
	seve_error_free(err);
}

static void a_store_is_not_used_for_another_account(void **state)
{
	struct fixture *f = *state;
	struct seve_error *err = NULL;
	struct err e = {0};

	begin(f);
	assert_int_equal(store_meta_set(f->s->store, "account", "quelqu'un d'autre", &e), 0);
	assert_int_equal(replica_make(f->s->store, TERRITORY, &e), 0);
	assert_int_equal(seve_connect(f->s, &err), SEVE_INVALID);
	peer_stop(&f->peer);
	assert_non_null(strstr(seve_error_message(err), "quelqu'un d'autre"));
	seve_error_free(err);
}

static void an_empty_store_changes_hands(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	begin(f);
	assert_int_equal(store_meta_set(f->s->store, "account", "quelqu'un d'autre", &e), 0);
	assert_int_equal(seve_connect(f->s, NULL), SEVE_OK);
	peer_stop(&f->peer);
	assert_string_equal(f->s->account, "animatrice");
}

static void an_invite_brings_a_token_even_if_the_store_is_anothers(void **state)
{
	struct fixture *f = *state;
	struct seve_error *err = NULL;
	struct err e = {0};
	char token[CLIENT_TOKEN_MAX];

	begin(f);
	assert_int_equal(seve_enroll(f->s, "CODE", "poste", NULL), SEVE_OK);
	assert_int_equal(client_read_token(f->token, token, &e), 0);
	assert_string_equal(token, "svt_new");
	assert_int_equal(client_write_secret(f->token, "svt_old", &e), 0);
	assert_int_equal(store_meta_set(f->s->store, "account", "quelqu'un d'autre", &e), 0);
	assert_int_equal(replica_make(f->s->store, TERRITORY, &e), 0);
	assert_int_equal(seve_enroll(f->s, "CODE", "poste", &err), SEVE_INVALID);
	peer_stop(&f->peer);
	assert_int_equal(client_read_token(f->token, token, &e), 0);
	assert_string_equal(token, "svt_new");
	seve_error_free(err);
}

static void an_edit_does_not_wait_for_anothers_synchronisation(void **state)
{
	struct fixture *f = *state;
	struct seve_options *o = seve_options_new();
	struct seve *other = NULL;
	char *path;
	int queued = 0, status = 1;
	struct err e = {0};

	assert_true(asprintf(&path, "%s/store.db", f->folder) > 0);
	peer_start(&f->peer, pki.cert, pki.key);
	seve_options_set(o, "server", f->peer.address);
	seve_options_set(o, "ca-file", pki.ca);
	seve_options_set(o, "token-file", f->token);
	seve_options_set(o, "store", path);
	assert_int_equal(seve_open(o, &f->s, NULL), SEVE_OK);
	assert_int_equal(seve_open(o, &other, NULL), SEVE_OK);
	assert_int_equal(sync_now(f, NULL), SEVE_OK);
	assert_int_equal(store_lock(other->store, 0, &e), 0);
	seve_record_free(edit(f, 1, "hors ligne", 1, &queued, &status));
	assert_int_equal(status, SEVE_OK);
	seve_record_free(edit(f, 2, "en ligne", 0, &queued, &status));
	assert_int_equal(status, SEVE_OK);
	assert_int_equal(queued, 1);
	store_unlock(other->store);
	/* The other program sends them, and this one sees the effect.  (The peer serves one at a
	 * time.) */
	client_hang_up(f->s);
	assert_int_equal(seve_sync(other, TERRITORY, NULL, NULL, NULL, NULL), SEVE_OK);
	peer_stop(&f->peer);
	assert_string_equal(support_title(f->s, 1), "hors ligne");
	assert_string_equal(support_title(f->s, 2), "en ligne");
	seve_close(other);
	seve_options_free(o);
	free(path);
}

static void names_are_known_after_a_connection(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;
	uint32_t territory = 0;

	begin(f);
	assert_int_equal(seve_territory_id(f->s, "nord", &territory, NULL), SEVE_OK);
	assert_int_equal(territory, TERRITORY);
	assert_int_equal(seve_territory_id(f->s, "sud", &territory, NULL), SEVE_NOT_FOUND);
	peer_stop(&f->peer);
	assert_int_equal(seve_whoami(f->s, &t, NULL), SEVE_OK);
	assert_string_equal(seve_table_get(t, 0, "account"), "animatrice");
	seve_table_free(t);
	/* Not reachable any more: told from the store. */
	assert_int_equal(seve_territories(f->s, &t, NULL), SEVE_OK);
	assert_int_equal(seve_table_rows(t), 1);
	assert_string_equal(seve_table_get(t, 0, "role"), "facilitator");
	seve_table_free(t);
}

/* ---- a loop of one's own
 * ------------------------------------------------------------------------------ */

struct ended {
	unsigned calls;
	int status;
	char state[32];
};

static void told(void *ctx, int status, struct seve_table *report, const struct seve_error *err)
{
	struct ended *e = ctx;

	(void)err;
	e->calls++;
	e->status = status;
	snprintf(e->state, sizeof e->state, "%s", seve_table_get(report, 0, "state"));
	seve_table_free(report);
}

static void a_loop_of_ones_own_brings_it_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct ended ended = {0};
	struct seve_error *err = NULL;

	f->peer.script.cut_pull = 1;
	begin(f);
	assert_int_equal(seve_fd(f->s), -1);
	assert_int_equal(seve_timeout_ms(f->s), -1);
	assert_int_equal(seve_sync_start(f->s, TERRITORY, told, &ended, NULL), SEVE_OK);
	assert_int_equal(seve_sync_start(f->s, TERRITORY, told, &ended, &err), SEVE_USAGE);
	seve_error_free(err);
	assert_int_equal(seve_timeout_ms(f->s), 0);
	for (int turns = 0; !ended.calls && turns < 100000; turns++) {
		int events = seve_events(f->s);
		struct pollfd p = {
			.fd = seve_fd(f->s),
			.events = (short)((events & 1 ? POLLIN : 0) | (events & 2 ? POLLOUT : 0))};

		poll(&p, 1, seve_timeout_ms(f->s));
		assert_int_equal(seve_process(f->s, NULL), SEVE_OK);
	}
	peer_stop(&f->peer);
	assert_int_equal(ended.calls, 1);
	assert_int_equal(ended.status, SEVE_OK);
	assert_string_equal(ended.state, "ok");
	assert_string_equal(support_title(f->s, 5), "Action 5");
}

static void a_handle_may_be_closed_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct ended ended = {0};

	f->peer.script.silent = true;
	begin(f);
	assert_int_equal(seve_sync_start(f->s, TERRITORY, told, &ended, NULL), SEVE_OK);
	for (int turns = 0; turns < 20; turns++) {
		struct pollfd p = {.fd = seve_fd(f->s), .events = POLLIN | POLLOUT};

		poll(&p, 1, 5);
		seve_process(f->s, NULL);
	}
	seve_close(f->s);
	f->s = NULL;
	peer_stop(&f->peer);
	assert_int_equal(ended.calls, 0);
}

/* ---- imports
 * ------------------------------------------------------------------------------------------ */

struct lines {
	uint32_t next;
	unsigned out_of_order, created, unchanged, again;
};

static void on_verdict(void *ctx, uint32_t line, const char *verdict, const char *id,
		       const char *field, const char *code, const char *text)
{
	struct lines *l = ctx;

	(void)id;
	(void)field;
	(void)code;
	(void)text;
	l->out_of_order += line != ++l->next;
	l->created += strcmp(verdict, "created") == 0;
	l->unchanged += strcmp(verdict, "unchanged") == 0;
}

enum { PLAIN, DRY_RUN, REREADS, FULL };

static int import_rows(struct fixture *f, unsigned n, int how, struct lines *l,
		       struct seve_table **report)
{
	struct seve_import *i = NULL;
	struct seve_error *err = NULL;
	struct seve_record *r = NULL;
	char key[32];
	int rc = seve_import_begin(f->s, TERRITORY, "actor", "cci", NULL, how == DRY_RUN, &i, &err);

	assert_int_equal(seve_record_new("actor", TERRITORY, &r, NULL), SEVE_OK);
	if (!rc)
		seve_import_on_verdict(i, on_verdict, l);
	if (!rc && how == REREADS)
		seve_import_rereads(i);
	if (!rc && how == FULL)
		seve_import_full(i, 0);
	for (uint32_t line = 1; !rc && line <= n; line++) {
		snprintf(key, sizeof key, "k%u", line);
		assert_int_equal(seve_record_set(r, "name", key, NULL), SEVE_OK);
		rc = seve_import_row(i, line, key, r, 0, &err);
		if (rc && seve_import_again(i)) {
			seve_error_free(err);
			err = NULL;
			*l = (struct lines){.again = l->again + 1};
			rc = 0;
			line = 0;
		}
	}
	if (!rc)
		rc = seve_import_end(i, report, &err);
	if (rc)
		print_message("import: %s\n", seve_error_message(err));
	seve_error_free(err);
	seve_record_free(r);
	seve_import_free(i);
	return rc;
}

static void verdicts_come_in_the_order_of_the_lines(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;
	struct lines l = {0};

	f->peer.script.reverse = true;
	begin(f);
	assert_int_equal(import_rows(f, 2000, 0, &l, &t), SEVE_OK);
	peer_stop(&f->peer);
	assert_int_equal(l.next, 2000);
	assert_int_equal(l.out_of_order, 0);
	assert_int_equal(f->peer.seen.chunks, 4);
	assert_string_equal(seve_table_get(t, 0, "created"), "2000");
	assert_string_equal(seve_table_get(t, 0, "head_rev"), "99");
	seve_table_free(t);
}

static void an_import_that_was_cut_off_begins_a_new_run_and_tells_each_line_once(void **state)
{
	struct fixture *f = *state;
	struct lines l = {0};

	f->peer.script.cut_import = 1;
	begin(f);
	assert_int_equal(import_rows(f, 1200, 0, &l, NULL), SEVE_OK);
	peer_stop(&f->peer);
	assert_int_equal(f->peer.seen.runs, 2);
	assert_int_equal(l.next, 1200);
	assert_int_equal(l.out_of_order, 0);
	assert_int_equal(l.created + l.unchanged, 1200);
}

static void a_dry_run_that_was_cut_off_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct lines l = {0};

	f->peer.script.cut_import = 1;
	begin(f);
	assert_int_equal(import_rows(f, 1200, 1, &l, NULL), SEVE_RETRY);
	peer_stop(&f->peer);
	assert_int_equal(f->peer.seen.runs, 1);
}

/* What stood before the loss, the new run does not know otherwise. */
static void who_can_pass_the_rows_again_is_asked_to_from_the_first(void **state)
{
	struct fixture *f = *state;
	struct lines l = {0};

	f->peer.script.cut_import = 1;
	begin(f);
	assert_int_equal(import_rows(f, 1800, REREADS, &l, NULL), SEVE_OK);
	peer_stop(&f->peer);
	assert_int_equal(f->peer.seen.runs, 2);
	assert_int_equal(l.again, 1);
	assert_int_equal(l.next, 1800);
	assert_int_equal(l.out_of_order, 0);
}

static void after_a_loss_nothing_passes_for_gone(void **state)
{
	struct fixture *f = *state;
	struct lines l = {0};

	f->peer.script.cut_import = 1;
	begin(f);
	assert_int_equal(import_rows(f, 1200, FULL, &l, NULL), SEVE_INVALID);
	peer_stop(&f->peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_territory_is_pulled_page_after_page),
		TEST(a_pull_that_was_cut_off_goes_on_where_it_was),
		TEST(a_push_without_answer_is_sent_again_with_the_same_bytes),
		TEST(a_server_that_is_busy_is_asked_again),
		TEST(an_edit_that_cannot_be_sent_waits_and_goes_later),
		TEST(a_refusal_told_to_the_caller_leaves_nothing_behind),
		TEST(a_refusal_during_a_synchronisation_is_kept),
		TEST(a_push_whose_answer_is_too_large_is_asked_again_in_parts),
		TEST(a_reset_loads_from_the_beginning),
		TEST(a_territory_that_is_gone_is_forgotten_and_its_edits_are_kept),
		TEST(a_server_that_goes_away_finishes_what_it_has_and_is_asked_no_more),
		TEST(what_would_be_made_twice_is_not_asked_again),
		TEST(a_connection_lost_in_the_greeting_is_tried_three_times),
		TEST(silence_ends_with_the_time_out),
		TEST(a_server_that_is_not_trusted_gets_no_token),
		TEST(a_store_is_not_used_for_another_account),
		TEST(an_empty_store_changes_hands),
		TEST(an_invite_brings_a_token_even_if_the_store_is_anothers),
		TEST(an_edit_does_not_wait_for_anothers_synchronisation),
		TEST(names_are_known_after_a_connection),
		TEST(a_loop_of_ones_own_brings_it_to_its_end),
		TEST(a_handle_may_be_closed_in_the_middle),
		TEST(verdicts_come_in_the_order_of_the_lines),
		TEST(an_import_that_was_cut_off_begins_a_new_run_and_tells_each_line_once),
		TEST(a_dry_run_that_was_cut_off_is_given_up),
		TEST(who_can_pass_the_rows_again_is_asked_to_from_the_first),
		TEST(after_a_loss_nothing_passes_for_gone),
	};

	return cmocka_run_group_tests(tests, pki_make, pki_remove);
}
