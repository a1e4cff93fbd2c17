/* test_watch.c -- watching territories on a real server: pages when a head moves, nothing queued
 * for the slow, ends that are told; bells between two servers, and their loss. */
#include "fixture.h"

#include <string.h>

#include "clock.h"
#include "handlers/handlers.h"
#include "pg/news.h"
#include "scene.h"
#include "server_private.h"

struct stage {
	struct scene *scene;
	struct peer admin, writer;
	char token[80]; /* of a facilitator of territory 1 */
	uint64_t view, mid, epoch;
};

static void territories(struct scene *s)
{
	fixture_sql(s->host.db.admin,
		    "INSERT INTO territory_head (slug) VALUES ('dinan'), ('redon');"
		    "INSERT INTO territory (territory_id, id, slug, name, region) VALUES"
		    " (1, gen_random_uuid(), 'dinan', 'Pays de Dinan', 'Bretagne'),"
		    " (2, gen_random_uuid(), 'redon', 'Pays de Redon', 'Bretagne')");
}

static void enrol(struct stage *g, const char *account, Seve__Role role, uint32_t territory,
		  char out[static 80])
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__InviteCreate q = SEVE__INVITE_CREATE__INIT;
	struct peer p;
	char code[64];
	q.account = (char *)(uintptr_t)account;
	q.has_role = 1;
	q.role = role;
	q.n_territories = 1;
	q.territories = &territory;
	r.body_case = SEVE__REQUEST__BODY_INVITE_CREATE;
	r.invite_create = &q;
	peer_request(&g->admin, &r);
	Seve__Reply *reply = peer_reply(&g->admin);
	assert_null(reply->error);
	const char *at = strchr(reply->invite_create->code + strlen("seve-invite:localhost:"), ':');
	snprintf(code, sizeof code, "%.*s", (int)strcspn(at + 1, ":"), at + 1);
	peer_free(reply);
	Seve__Welcome *w = peer_open(&p, &g->scene->host, NULL, code);
	assert_non_null(w);
	snprintf(out, 80, "%s", w->token);
	if (territory == 1)
		g->view = w->grants[0]->view;
	peer_free(w);
	peer_close(&p);
}

static int stage_start(void **state, const char *const *flags)
{
	static struct stage g;
	memset(&g, 0, sizeof g);
	scene_start((void **)&g.scene, flags);
	territories(g.scene);
	scene_open(g.scene, &g.admin);
	enrol(&g, "claire", SEVE__ROLE__ROLE_FACILITATOR, 1, g.token);
	peer_free(peer_open(&g.writer, &g.scene->host, g.token, NULL));
	*state = &g;
	return 0;
}

static int stage_set_up(void **state)
{
	return stage_start(state, NULL);
}

static int stage_tear_down(void **state)
{
	struct stage *g = *state;
	void *scene = g->scene;
	peer_close(&g->writer);
	peer_close(&g->admin);
	return scene_tear_down(&scene);
}

/* ---- writing
 * ------------------------------------------------------------------------------------------ */

static void ask_push(struct stage *g, struct peer *p, const char *title)
{
	struct uuid id = uuid_v7();
	uint8_t client[16] = "0123456789abcde";
	uint32_t mask[1] = {1};
	Seve__Action action = SEVE__ACTION__INIT;
	Seve__Body body = SEVE__BODY__INIT;
	Seve__Change change = SEVE__CHANGE__INIT, *changes[1] = {&change};
	Seve__Mutation m = SEVE__MUTATION__INIT, *mutations[1] = {&m};
	Seve__PushRequest push = SEVE__PUSH_REQUEST__INIT;
	Seve__Request r = SEVE__REQUEST__INIT;
	action.title = (char *)(uintptr_t)title;
	body.kind_case = SEVE__BODY__KIND_ACTION;
	body.action = &action;
	change.has_op = change.has_id = change.has_kind = 1;
	change.op = SEVE__CHANGE__OP__OP_CREATE;
	change.id = (ProtobufCBinaryData){16, id.b};
	change.kind = SEVE__BODY__KIND_ACTION;
	change.n_mask = 1;
	change.mask = mask;
	change.set = &body;
	m.has_client_id = m.has_territory = m.has_mid = 1;
	m.client_id = (ProtobufCBinaryData){16, client};
	m.territory = 1;
	m.mid = ++g->mid;
	m.n_changes = 1;
	m.changes = changes;
	push.n_mutations = 1;
	push.mutations = mutations;
	r.body_case = SEVE__REQUEST__BODY_PUSH;
	r.push = &push;
	peer_request(p, &r);
}

static uint64_t pushed(struct peer *p)
{
	Seve__Reply *reply = peer_reply(p);
	assert_null(reply->error);
	assert_int_equal(reply->push->verdicts[0]->code, SEVE__VERDICT__CODE__APPLIED);
	const uint64_t rev = reply->push->verdicts[0]->outcomes[0]->rev;
	peer_free(reply);
	return rev;
}

static uint64_t push(struct stage *g, const char *title)
{
	ask_push(g, &g->writer, title);
	return pushed(&g->writer);
}

/* ---- watching
 * ----------------------------------------------------------------------------------------- */

struct place {
	uint32_t territory;
	uint64_t epoch, view, rev;
};

static struct place cursor_at(const struct stage *g, uint64_t rev)
{
	return (struct place){1, g->scene->host.server->epoch, g->view, rev};
}

static uint64_t watch_all(struct peer *p, const struct place *at, size_t n, int64_t credit)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__WatchRequest watch = SEVE__WATCH_REQUEST__INIT;
	Seve__PullRequest cursors[4], *list[4];
	for (size_t i = 0; i < n; i++) {
		list[i] = &cursors[i];
		seve__pull_request__init(list[i]);
		cursors[i].has_territory = cursors[i].has_epoch = cursors[i].has_view =
			cursors[i].has_rev = 1;
		cursors[i].territory = at[i].territory;
		cursors[i].epoch = at[i].epoch;
		cursors[i].view = at[i].view;
		cursors[i].rev = at[i].rev;
	}
	watch.n_territories = n;
	watch.territories = list;
	watch.has_credit = credit >= 0;
	watch.credit = (uint64_t)credit;
	r.body_case = SEVE__REQUEST__BODY_WATCH;
	r.watch = &watch;
	return peer_request(p, &r);
}

static uint64_t watch(struct peer *p, struct place at, int64_t credit)
{
	return watch_all(p, &at, 1, credit);
}

static Seve__Page *page(struct peer *p)
{
	return (Seve__Page *)peer_expect(p, FRAME_PAGE, &seve__page__descriptor);
}

/* A page that goes from one rev to another; `whole`: the reader is in step then. */
static size_t expect_page(struct peer *p, uint64_t from, uint64_t to, bool whole)
{
	Seve__Page *m = page(p);
	assert_int_equal(m->from_rev, from);
	assert_int_equal(m->to_rev, to);
	assert_int_equal(m->has_head_rev, whole);
	if (whole)
		assert_int_equal(m->head_rev, to);
	const size_t n = m->n_records;
	peer_free(m);
	return n;
}

static void expect_end_of_one(struct peer *p, uint32_t territory, const char *detail)
{
	Seve__WatchNote *m =
		(Seve__WatchNote *)peer_expect(p, FRAME_WATCH, &seve__watch_note__descriptor);
	assert_int_equal(m->territory, territory);
	assert_string_equal(m->error->detail, detail);
	peer_free(m);
}

static void expect_end(struct peer *p, uint64_t id)
{
	Seve__Reply *reply = peer_reply(p);
	assert_int_equal(reply->id, id);
	assert_null(reply->error);
	assert_int_equal(reply->body_case, SEVE__REPLY__BODY_WATCH);
	peer_free(reply);
}

static void grant(struct peer *p, uint64_t id, uint64_t bytes)
{
	Seve__WatchNote m = SEVE__WATCH_NOTE__INIT;
	m.has_request = m.has_credit = 1;
	m.request = id;
	m.credit = bytes;
	peer_send(p, FRAME_WATCH, &m.base);
}

static void cancel(struct peer *p, uint64_t id)
{
	Seve__Cancel m = SEVE__CANCEL__INIT;
	m.has_id = 1;
	m.id = id;
	peer_send(p, FRAME_CANCEL, &m.base);
}

static const struct metrics *metrics(const struct stage *g)
{
	return &g->scene->host.server->priv->metrics;
}

static void open_reader(struct stage *g, struct peer *p)
{
	peer_free(peer_open(p, &g->scene->host, g->token, NULL));
}

/* ---- what comes
 * --------------------------------------------------------------------------------------- */

static void a_watcher_hears_that_it_is_in_step_and_then_each_change(void **state)
{
	struct stage *g = *state;
	struct peer p;
	const uint64_t first = push(g, "before");
	open_reader(g, &p);
	watch(&p, cursor_at(g, first), -1);
	assert_int_equal(expect_page(&p, first, first, true), 0);
	const uint64_t second = push(g, "after");
	assert_int_equal(second, first + 1);
	assert_int_equal(expect_page(&p, first, second, true), 1);
	peer_close(&p);
}

static void a_watch_from_the_beginning_brings_everything_in_pages(void **state)
{
	struct stage *g = *state;
	struct peer p;
	uint64_t rev = 0, records = 0;
	bool whole = false;
	fixture_sql(
		g->scene->host.db.admin,
		"INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs,"
		" body) SELECT 1, gen_random_uuid(), 13, i, 1, 0, '', decode(repeat('00', 200),"
		" 'hex') FROM generate_series(1, 2000) i;"
		"UPDATE territory_head SET rev = 2000 WHERE territory_id = 1");
	open_reader(g, &p);
	watch(&p, (struct place){.territory = 1}, 64 * 1024 * 1024);
	while (!whole) {
		Seve__Page *m = page(&p);
		assert_int_equal(m->from_rev, rev);
		assert_true(m->to_rev > rev);
		rev = m->to_rev;
		records += m->n_records;
		whole = m->has_head_rev;
		peer_free(m);
	}
	assert_int_equal(rev, 2000);
	assert_int_equal(records, 2000);
	peer_close(&p);
}

/* A head that moves by what the reader may not see moves its cursor too. */
static void what_is_withheld_moves_the_cursor_and_shows_nothing(void **state)
{
	struct stage *g = *state;
	struct peer p;
	char token[80];
	Seve__Welcome *w;
	const uint64_t first = push(g, "network");
	enrol(g, "observer", SEVE__ROLE__ROLE_OBSERVER, 2, token);
	enrol(g, "watcher", SEVE__ROLE__ROLE_OBSERVER, 1, token);
	w = peer_open(&p, &g->scene->host, token, NULL);
	assert_non_null(w);
	struct place at = cursor_at(g, first);
	at.view = w->grants[0]->view;
	peer_free(w);
	watch(&p, at, -1);
	assert_int_equal(expect_page(&p, first, first, true), 0);
	fixture_sql(
		g->scene->host.db.admin,
		"INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs,"
		" body) VALUES (1, gen_random_uuid(), 13, 2, 3, 0, '', '\\x00');"
		"UPDATE territory_head SET rev = 2 WHERE territory_id = 1;"
		"NOTIFY heads, '1:2'");
	assert_int_equal(expect_page(&p, first, 2, true), 0);
	peer_close(&p);
}

enum { WATCHERS = 20 };

static void open_watchers(struct stage *g, struct host *h, struct peer p[static WATCHERS],
			  uint64_t rev)
{
	for (int i = 0; i < WATCHERS; i++) {
		peer_free(peer_open(&p[i], h, g->token, NULL));
		watch(&p[i], cursor_at(g, rev), -1);
		expect_page(&p[i], rev, rev, true);
	}
}

static void close_watchers(struct peer p[static WATCHERS])
{
	for (int i = 0; i < WATCHERS; i++)
		peer_close(&p[i]);
}

static void insert_by_hand(struct stage *g, uint64_t rev)
{
	char sql[400];
	snprintf(sql, sizeof sql,
		 "INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs,"
		 " body) VALUES (1, gen_random_uuid(), 13, %llu, 1, 0, '', '\\x00');"
		 "UPDATE territory_head SET rev = %llu WHERE territory_id = 1;"
		 "NOTIFY heads, '1:%llu'",
		 (unsigned long long)rev, (unsigned long long)rev, (unsigned long long)rev);
	fixture_sql(g->scene->host.db.admin, sql);
}

static void watchers_at_one_rev_share_one_reading(void **state)
{
	struct stage *g = *state;
	struct peer p[WATCHERS];
	const uint64_t first = push(g, "before");
	open_watchers(g, &g->scene->host, p, first);
	const uint64_t reads = metrics(g)->watch_reads;
	insert_by_hand(g, first + 1);
	for (int i = 0; i < WATCHERS; i++)
		assert_int_equal(expect_page(&p[i], first, first + 1, true), 1);
	assert_int_equal(metrics(g)->watch_reads, reads + 1);
	close_watchers(p);
}

/* ---- what this server committed itself
 * ---------------------------------------------------------------- */

static void what_was_committed_here_is_sent_without_a_reading(void **state)
{
	struct stage *g = *state;
	struct peer p[WATCHERS];
	const uint64_t first = push(g, "before");
	open_watchers(g, &g->scene->host, p, first);
	const uint64_t reads = metrics(g)->watch_reads, made = metrics(g)->watch_news;
	const uint64_t second = push(g, "after");
	for (int i = 0; i < WATCHERS; i++)
		assert_int_equal(expect_page(&p[i], first, second, true), 1);
	assert_int_equal(metrics(g)->watch_reads, reads);
	assert_int_equal(metrics(g)->watch_news, made + 1);
	close_watchers(p);
}

/* ---- slow readers
 * ------------------------------------------------------------------------------------- */

static void without_credit_nothing_comes_and_many_changes_become_one_page(void **state)
{
	struct stage *g = *state;
	struct peer p;
	uint64_t last = 0;
	const uint64_t first = push(g, "before");
	open_reader(g, &p);
	const uint64_t id = watch(&p, cursor_at(g, first), 1);
	expect_page(&p, first, first, true); /* the last page may go below zero */
	const uint64_t reads = metrics(g)->watch_reads;
	for (int i = 0; i < 30; i++)
		last = push(g, "more");
	host_turn(&g->scene->host, 50);
	assert_int_equal(buf_len(&p.plain), 0);
	assert_int_equal(metrics(g)->watch_reads, reads); /* not read, not kept */
	grant(&p, id, 100000);
	assert_int_equal(expect_page(&p, first, last, true), 30);
	assert_int_equal(metrics(g)->watch_reads, reads + 1);
	peer_close(&p);
}

static void a_reader_that_grants_nothing_for_long_is_cut_in_words(void **state)
{
	struct stage *g = *state;
	struct peer p;
	clock_fake(clock_wall_ms());
	const uint64_t first = push(g, "before");
	open_reader(g, &p);
	const uint64_t id = watch(&p, cursor_at(g, first), 1);
	expect_page(&p, first, first, true);
	host_pass(&g->scene->host, 40000); /* in step: nothing waits for it, it may be silent */
	push(g, "after");
	host_pass(&g->scene->host, 29000);
	assert_int_equal(watches_count(g->scene->host.server), 1);
	host_pass(&g->scene->host, 2000);
	scene_expect_failure(&p, id, "DEADLINE");
	assert_int_equal(watches_count(g->scene->host.server), 0);
	assert_int_equal(metrics(g)->watch_cut, 1);
	peer_status(&p); /* the session goes on */
	peer_close(&p);
}

static void a_full_connection_gets_no_pages_and_costs_no_memory(void **state)
{
	struct stage *g = *state;
	struct peer p;
	static char title[200];
	memset(title, 'x', sizeof title - 1);
	const uint64_t first = push(g, "before");
	open_reader(g, &p);
	watch(&p, cursor_at(g, first), 64 * 1024 * 1024);
	expect_page(&p, first, first, true);
	p.deaf = true;
	/* The kernel's buffers take some megabytes; a page is at most some 64 kB. */
	fixture_sql(
		g->scene->host.db.admin,
		"INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs,"
		" body) SELECT 1, gen_random_uuid(), 13, 1 + i, 1, 0, '', decode(repeat('00',"
		" 2000), 'hex') FROM generate_series(1, 12000) i;"
		"UPDATE territory_head SET rev = 12001 WHERE territory_id = 1;"
		"NOTIFY heads, '1:12001'");
	host_turn(&g->scene->host, 1500);
	struct conn *c = NULL;
	for (c = scene_conns(g->scene)->phase[CONN_READY].first; c; c = c->next)
		if (conn_pending(c) > 0)
			break;
	assert_non_null(c);
	assert_true(conn_pending(c) < 160 * 1024);
	const uint64_t pages = metrics(g)->watch_pages;
	for (int i = 0; i < 20; i++)
		push(g, title);
	host_turn(&g->scene->host, 100);
	assert_int_equal(metrics(g)->watch_pages, pages);
	assert_true(conn_pending(c) < 160 * 1024);
	/* It reads again, and gets all of it. */
	p.deaf = false;
	uint64_t rev = first, records = 0;
	while (rev < 12021) {
		Seve__Page *m = page(&p);
		assert_int_equal(m->from_rev, rev);
		rev = m->to_rev;
		records += m->n_records;
		peer_free(m);
	}
	assert_int_equal(records, 12020);
	peer_close(&p);
}

/* ---- ends
 * --------------------------------------------------------------------------------------------- */

static void a_cancelled_watch_ends_at_once_and_leaves_nothing(void **state)
{
	struct stage *g = *state;
	struct peer p;
	open_reader(g, &p);
	const uint64_t id = watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	cancel(&p, id);
	scene_expect_failure(&p, id, "CANCELLED");
	host_turn(&g->scene->host, 20);
	assert_int_equal(watches_count(g->scene->host.server), 0);
	push(g, "after");
	peer_status(&p);
	peer_close(&p);
}

static void a_watch_goes_with_its_connection(void **state)
{
	struct stage *g = *state;
	struct peer p;
	open_reader(g, &p);
	watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	assert_int_equal(watches_count(g->scene->host.server), 1);
	peer_close(&p);
	host_turn(&g->scene->host, 50);
	assert_int_equal(watches_count(g->scene->host.server), 0);
	push(g, "after");
}

static void a_connection_that_goes_while_its_page_is_read_harms_nobody(void **state)
{
	struct stage *g = *state;
	struct peer p;
	open_reader(g, &p);
	PGconn *held = scene_hold(g->scene);
	watch(&p, cursor_at(g, 0), -1);
	host_turn(&g->scene->host, 50);
	assert_int_equal(watches_count(g->scene->host.server), 1);
	peer_close(&p);
	host_turn(&g->scene->host, 50);
	assert_int_equal(watches_count(g->scene->host.server), 0);
	PQfinish(held);
	push(g, "after");
}

static void cursors_that_do_not_fit_end_one_by_one(void **state)
{
	struct stage *g = *state;
	struct peer p;
	const uint64_t rev = push(g, "one");
	struct place at[2] = {cursor_at(g, rev), {.territory = 2}};
	open_reader(g, &p);
	watch_all(&p, at, 2, -1);
	expect_end_of_one(&p, 2, "NOT_FOUND");
	expect_page(&p, rev, rev, true);
	at[0].epoch++;
	uint64_t id = watch_all(&p, at, 1, -1);
	expect_end_of_one(&p, 1, "RESET_REQUIRED");
	expect_end(&p, id);
	id = watch(&p, cursor_at(g, rev + 5), -1); /* ahead of the head */
	expect_end_of_one(&p, 1, "RESET_REQUIRED");
	expect_end(&p, id);
	peer_close(&p);
}

static void a_cursor_before_what_was_purged_is_reset(void **state)
{
	struct stage *g = *state;
	struct peer p;
	const uint64_t first = push(g, "one");
	push(g, "two");
	push(g, "three");
	fixture_sql(g->scene->host.db.admin, "UPDATE territory_head SET purged_rev = 2");
	open_reader(g, &p);
	const uint64_t id = watch(&p, cursor_at(g, first), -1);
	expect_end_of_one(&p, 1, "RESET_REQUIRED");
	expect_end(&p, id);
	peer_close(&p);
}

static void nonsense_is_refused(void **state)
{
	struct stage *g = *state;
	struct peer p;
	struct place twice[2] = {cursor_at(g, 0), cursor_at(g, 0)};
	open_reader(g, &p);
	scene_expect_failure(&p, watch_all(&p, twice, 0, -1), "INVALID");
	scene_expect_failure(&p, watch_all(&p, twice, 2, -1), "INVALID");
	grant(&p, 12345, 1); /* of no request: ignored */
	peer_send_bytes(&p, FRAME_WATCH, "\xff", 1);
	peer_status(&p);
	peer_close(&p);
}

static void watches_leave_room_for_other_requests(void **state)
{
	struct stage *g = *state;
	struct peer p;
	uint64_t first;
	open_reader(g, &p);
	const size_t before = scene_conns(g->scene)->n;
	first = watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	for (unsigned i = 1; i < WATCHES_OF_CONN_MAX; i++) {
		watch(&p, cursor_at(g, 0), -1);
		expect_page(&p, 0, 0, true);
	}
	for (unsigned i = WATCHES_OF_CONN_MAX; i < CONN_INFLIGHT_MAX; i++)
		scene_expect_failure(&p, watch(&p, cursor_at(g, 0), -1), "EXHAUSTED");
	peer_status(&p); /* it is still heard */
	cancel(&p, first);
	scene_expect_failure(&p, first, "CANCELLED");
	watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	peer_close(&p);
	host_turn(&g->scene->host, 50);
	assert_int_equal(scene_conns(g->scene)->n, before - 1);
	assert_int_equal(watches_count(g->scene->host.server), 0);
}

/* Whoever names territories at random takes no memory for them. */
static void what_may_not_be_watched_is_not_kept(void **state)
{
	struct stage *g = *state;
	struct peer p;
	open_reader(g, &p);
	const size_t before = heads_count(g->scene->host.server);
	for (uint32_t t = 1000; t < 1100; t++) {
		const struct place at = {.territory = t};
		const uint64_t id = watch(&p, at, -1);
		expect_end_of_one(&p, t, "NOT_FOUND");
		expect_end(&p, id);
	}
	assert_int_equal(heads_count(g->scene->host.server), before);
	peer_close(&p);
}

static void rights_that_go_end_the_watch(void **state)
{
	struct stage *g = *state;
	struct peer p;
	open_reader(g, &p);
	const uint64_t id = watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	fixture_sql(g->scene->host.db.admin,
		    "DELETE FROM account_grant WHERE territory_id = 1; NOTIFY access, '*'");
	expect_end_of_one(&p, 1, "NOT_FOUND");
	expect_end(&p, id);
	peer_close(&p);
}

static void rights_that_change_ask_for_a_new_beginning(void **state)
{
	struct stage *g = *state;
	struct peer p;
	char token[80], sql[200];
	enrol(g, "coordinator", SEVE__ROLE__ROLE_COORDINATOR, 1, token);
	peer_free(peer_open(&p, &g->scene->host, token, NULL));
	const uint64_t id = watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	snprintf(sql, sizeof sql,
		 "UPDATE account_grant SET role = %d WHERE role = %d; NOTIFY access, '*'",
		 SEVE__ROLE__ROLE_OBSERVER, SEVE__ROLE__ROLE_COORDINATOR);
	fixture_sql(g->scene->host.db.admin, sql);
	expect_end_of_one(&p, 1, "RESET_REQUIRED");
	expect_end(&p, id);
	peer_close(&p);
}

static void a_draining_server_says_goodbye_to_watchers(void **state)
{
	struct stage *g = *state;
	struct peer p;
	open_reader(g, &p);
	const uint64_t id = watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	server_drain(g->scene->host.server);
	peer_free(peer_expect(&p, FRAME_GOAWAY, &seve__go_away__descriptor));
	scene_expect_failure(&p, id, "GOING_AWAY");
	peer_expect_closed(&p);
	peer_close(&p);
}

/* ---- several servers
 * ---------------------------------------------------------------------------------- */

/* What arrives came by a bell, or because one was missed. */
static const char *const never_polls[] = {"poll-interval", "1h", NULL};

static void open_there(struct stage *g, struct host *second, struct peer *p)
{
	peer_free(peer_open(p, second, g->token, NULL));
}

static void a_change_by_the_other_server_arrives(void **state)
{
	struct stage *g = *state;
	struct host second;
	struct peer p;
	host_join(&second, &g->scene->host, never_polls);
	open_there(g, &second, &p);
	watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	const uint64_t rev = push(g, "here");
	assert_int_equal(expect_page(&p, 0, rev, true), 1);
	peer_close(&p);
	host_stop(&second);
}

/* A commit a millisecond, and more: the others need not hear of each. */
static void heads_that_move_fast_ring_now_and_then(void **state)
{
	enum { MS = 100, PAUSE_MS = 5 };
	struct stage *g = *state;
	struct server *s = g->scene->host.server;
	uv_loop_t *loop = &g->scene->host.loop;
	const struct news news = {.territory = 1, .to = push(g, "one")};
	const uint64_t rung = s->priv->metrics.bells_rung;
	uv_update_time(loop);
	const uint64_t from = uv_now(loop);
	while (uv_now(loop) - from < MS) {
		bell_heads(s->priv->ring, &news, 1);
		uv_run(loop, UV_RUN_NOWAIT);
	}
	const uint64_t by_then = s->priv->metrics.bells_rung;
	assert_in_range(by_then - rung, 2, (uv_now(loop) - from) / PAUSE_MS + 2);
	bell_heads(s->priv->ring, &news, 1);
	host_turn(&g->scene->host, 50);
	assert_true(s->priv->metrics.bells_rung > by_then);
}

static bool second_is_deaf(void *ctx)
{
	return !pg_link_up(((struct host *)ctx)->server->bell);
}

static bool second_hears(void *ctx)
{
	return pg_link_up(((struct host *)ctx)->server->bell);
}

/* The bell rings while nobody hears it: the heads are read again when the connection is back. */
static void what_was_missed_while_listen_was_down_arrives(void **state)
{
	struct stage *g = *state;
	struct host second;
	struct peer p;
	host_join(&second, &g->scene->host, never_polls);
	open_there(g, &second, &p);
	watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	fixture_sql(g->scene->host.db.admin,
		    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
		    " current_database() AND application_name LIKE '%bell%'");
	fixture_run_until(&g->scene->host.loop, second_is_deaf, &second);
	/* By hand: there is no bell at all. */
	fixture_sql(
		g->scene->host.db.admin,
		"INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs,"
		" body) VALUES (1, gen_random_uuid(), 13, 1, 1, 0, '', '\\x00');"
		"UPDATE territory_head SET rev = 1 WHERE territory_id = 1");
	assert_int_equal(expect_page(&p, 0, 1, true), 1);
	fixture_run_until(&g->scene->host.loop, second_hears, &second);
	push(g, "again");
	assert_int_equal(expect_page(&p, 1, 2, true), 1);
	peer_close(&p);
	host_stop(&second);
}

static void without_any_bell_the_poll_finds_it(void **state)
{
	struct stage *g = *state;
	struct peer p;
	clock_fake(clock_wall_ms());
	open_reader(g, &p);
	watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	fixture_sql(
		g->scene->host.db.admin,
		"INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs,"
		" body) VALUES (1, gen_random_uuid(), 13, 1, 1, 0, '', '\\x00');"
		"UPDATE territory_head SET rev = 1 WHERE territory_id = 1");
	host_turn(&g->scene->host, 50);
	assert_int_equal(buf_len(&p.plain), 0);
	host_pass(&g->scene->host, 15100);
	assert_int_equal(expect_page(&p, 0, 1, true), 1);
	peer_close(&p);
}

static bool writers_are_up(void *ctx)
{
	const struct server *s = ctx;
	return pg_link_up(s->bell) && pg_pool_up(s->readers) > 0;
}

/* Another database history: all sessions end, and none of the old cursors is taken. */
static void another_epoch_ends_all_sessions(void **state)
{
	struct stage *g = *state;
	struct peer p;
	const uint64_t rev = push(g, "before");
	const struct place old = cursor_at(g, rev);
	open_reader(g, &p);
	watch(&p, old, -1);
	expect_page(&p, rev, rev, true);
	fixture_sql(g->scene->host.db.admin,
		    "UPDATE instance SET epoch_salt = gen_random_uuid();"
		    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
		    " current_database() AND pid <> pg_backend_pid()");
	peer_expect_error(&p, "UNAVAILABLE");
	peer_expect_closed(&p);
	peer_close(&p);
	fixture_run_until(&g->scene->host.loop, writers_are_up, g->scene->host.server);
	open_reader(g, &p);
	const uint64_t id = watch(&p, old, -1);
	expect_end_of_one(&p, 1, "RESET_REQUIRED");
	expect_end(&p, id);
	watch(&p, (struct place){.territory = 1}, -1);
	assert_int_equal(expect_page(&p, 0, rev, true), 1);
	peer_close(&p);
}

static bool epoch_is_another(void *ctx)
{
	const struct stage *g = ctx;
	return g->scene->host.server->epoch != g->epoch;
}

/* One history is lost and another reaches the same revs: a page of the lost one, read for a watcher
 * before, is nothing for those who begin in the new one. */
static void a_page_of_a_lost_history_is_not_sent_in_the_next(void **state)
{
	struct stage *g = *state;
	struct server *s = g->scene->host.server;
	struct peer p;
	const uint64_t rev = push(g, "lost");
	g->epoch = s->epoch;
	open_reader(g, &p);
	watch(&p, (struct place){.territory = 1}, -1);
	assert_int_equal(expect_page(&p, 0, rev, true), 1);
	fixture_sql(g->scene->host.db.admin,
		    "UPDATE instance SET epoch_salt = gen_random_uuid();"
		    "DELETE FROM record WHERE territory_id = 1;"
		    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
		    " current_database() AND pid <> pg_backend_pid()");
	peer_expect_error(&p, "UNAVAILABLE");
	peer_close(&p);
	fixture_run_until(&g->scene->host.loop, epoch_is_another, g);
	fixture_run_until(&g->scene->host.loop, writers_are_up, s);
	open_reader(g, &p);
	watch(&p, (struct place){.territory = 1}, -1);
	assert_int_equal(expect_page(&p, 0, rev, true), 0);
	peer_close(&p);
}

/* PostgreSQL is away for a while: a watcher is not told that it is in step, and goes on. */
static void a_database_that_fails_is_asked_again(void **state)
{
	struct stage *g = *state;
	struct peer p;
	open_reader(g, &p);
	watch(&p, cursor_at(g, 0), -1);
	expect_page(&p, 0, 0, true);
	PGconn *held = scene_hold(g->scene);
	fixture_sql(g->scene->host.db.admin, "NOTIFY heads, '1:1'");
	host_turn(&g->scene->host, 50);
	fixture_sql(g->scene->host.db.admin,
		    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
		    " current_database() AND application_name LIKE '%reader%'");
	host_turn(&g->scene->host, 100);
	assert_int_equal(buf_len(&p.plain), 0);
	PQclear(PQexec(held, "UPDATE territory_head SET rev = 1 WHERE territory_id = 1"));
	PQclear(PQexec(held, "COMMIT"));
	PQfinish(held);
	assert_int_equal(expect_page(&p, 0, 1, true), 0);
	peer_close(&p);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, stage_set_up, stage_tear_down)
	const struct CMUnitTest tests[] = {
		ROW(a_watcher_hears_that_it_is_in_step_and_then_each_change),
		ROW(a_watch_from_the_beginning_brings_everything_in_pages),
		ROW(what_is_withheld_moves_the_cursor_and_shows_nothing),
		ROW(watchers_at_one_rev_share_one_reading),
		ROW(what_was_committed_here_is_sent_without_a_reading),
		ROW(without_credit_nothing_comes_and_many_changes_become_one_page),
		ROW(a_reader_that_grants_nothing_for_long_is_cut_in_words),
		ROW(a_full_connection_gets_no_pages_and_costs_no_memory),
		ROW(a_cancelled_watch_ends_at_once_and_leaves_nothing),
		ROW(a_watch_goes_with_its_connection),
		ROW(a_connection_that_goes_while_its_page_is_read_harms_nobody),
		ROW(cursors_that_do_not_fit_end_one_by_one),
		ROW(a_cursor_before_what_was_purged_is_reset),
		ROW(nonsense_is_refused),
		ROW(watches_leave_room_for_other_requests),
		ROW(what_may_not_be_watched_is_not_kept),
		ROW(rights_that_go_end_the_watch),
		ROW(rights_that_change_ask_for_a_new_beginning),
		ROW(a_draining_server_says_goodbye_to_watchers),
		ROW(a_change_by_the_other_server_arrives),
		ROW(heads_that_move_fast_ring_now_and_then),
		ROW(what_was_missed_while_listen_was_down_arrives),
		ROW(without_any_bell_the_poll_finds_it),
		ROW(another_epoch_ends_all_sessions),
		ROW(a_page_of_a_lost_history_is_not_sent_in_the_next),
		ROW(a_database_that_fails_is_asked_again),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
