/* test_reset.c -- what a server forgets and how replicas find back: purges, manifests, resumes, on
 * a real PostgreSQL. */
#include "fixture.h"

#include <openssl/sha.h>
#include <string.h>

#include "manifest.h"
#include "purge.h"
#include "scene.h"

enum { KIND_ACTION = SEVE__BODY__KIND_ACTION, RECORDS = 20, LEVEL = 10001 };

static uint8_t client[16] = "0123456789abcde"; /* of peer_hello() */

struct reset {
	struct scene *scene;
	struct peer p;
	uint64_t epoch, view, mid;
	struct uuid ids[RECORDS];
};

static const char *const flags[] = {"purge-interval",
				    "100ms",
				    "tombstone-age",
				    "1h",
				    "verdict-age",
				    "1h",
				    "client-age",
				    "2h",
				    NULL};

/* A territory, and a facilitator's grant in it. */
static int set_up(void **state)
{
	static struct reset t;
	struct scene *s;

	if (scene_start(state, flags))
		return -1;
	s = *state;
	memset(&t, 0, sizeof t);
	t.scene = s;
	fixture_sql(s->host.db.admin,
		    "INSERT INTO territory_head (slug) VALUES ('nord');"
		    "INSERT INTO account_grant (account_id, role, territory_id) SELECT account_id, "
		    "3, 1 FROM account");
	Seve__Welcome *w = peer_open(&t.p, &s->host, s->token, NULL);
	assert_non_null(w);
	t.epoch = w->epoch;
	for (size_t i = 0; i < w->n_grants; i++)
		if (w->grants[i]->territory == 1)
			t.view = w->grants[i]->view;
	assert_true(t.view != 0);
	peer_free(w);
	*state = &t;
	return 0;
}

static int tear_down(void **state)
{
	struct reset *t = *state;
	void *scene = t->scene;

	peer_close(&t->p);
	return scene_tear_down(&scene);
}

/* ---- asking
 * ----------------------------------------------------------------------------------------- */

static Seve__Verdict__Code push(struct reset *t, Seve__Change *c, uint64_t acked)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__PushRequest body = SEVE__PUSH_REQUEST__INIT;
	Seve__Mutation m = SEVE__MUTATION__INIT, *list = &m;
	Seve__Verdict__Code code;
	Seve__Reply *reply;

	m.has_client_id = m.has_territory = m.has_mid = true;
	m.client_id = (ProtobufCBinaryData){sizeof client, client};
	m.territory = 1;
	m.mid = ++t->mid;
	m.n_changes = 1;
	m.changes = &c;
	body.n_mutations = 1;
	body.mutations = &list;
	body.has_acked_mid = acked != 0;
	body.acked_mid = acked;
	r.body_case = SEVE__REQUEST__BODY_PUSH;
	r.push = &body;
	peer_request(&t->p, &r);
	reply = peer_reply(&t->p);
	if (reply->error)
		fail_msg("%s", reply->error->message);
	code = reply->push->verdicts[0]->code;
	peer_free(reply);
	return code;
}

static void create(struct reset *t, unsigned n, Seve__Level level)
{
	Seve__Change c = SEVE__CHANGE__INIT;
	Seve__Body body = SEVE__BODY__INIT;
	Seve__Action action = SEVE__ACTION__INIT;
	Seve__Meta meta = SEVE__META__INIT;
	uint32_t mask[] = {1, LEVEL};
	char title[32];

	t->ids[n] = uuid_v7();
	snprintf(title, sizeof title, "Action %u", n);
	action.title = title;
	meta.has_level = true;
	meta.level = level;
	body.meta = &meta;
	body.kind_case = SEVE__BODY__KIND_ACTION;
	body.action = &action;
	c.has_op = c.has_id = c.has_kind = true;
	c.op = SEVE__CHANGE__OP__OP_CREATE;
	c.id = (ProtobufCBinaryData){16, t->ids[n].b};
	c.kind = KIND_ACTION;
	c.mask = mask;
	c.n_mask = 2;
	c.set = &body;
	assert_int_equal(push(t, &c, 0), SEVE__VERDICT__CODE__APPLIED);
}

static void delete (struct reset *t, unsigned n)
{
	Seve__Change c = SEVE__CHANGE__INIT;

	c.has_op = c.has_id = c.has_kind = c.has_base_rev = true;
	c.op = SEVE__CHANGE__OP__OP_DELETE;
	c.id = (ProtobufCBinaryData){16, t->ids[n].b};
	c.kind = KIND_ACTION;
	c.base_rev = 1000;
	assert_int_equal(push(t, &c, 0), SEVE__VERDICT__CODE__APPLIED);
}

static void fill(struct reset *t)
{
	for (unsigned i = 0; i < RECORDS; i++)
		create(t, i, SEVE__LEVEL__LEVEL_NETWORK);
}

struct pulled {
	unsigned records, deleted;
	uint64_t head, start, withheld;
	uint8_t ids[2 * RECORDS][16], checks[2 * RECORDS][MANIFEST_CHECK];
	char refused[32];
};

static void take_page(struct pulled *out, const Seve__Page *page)
{
	out->start = page->start;
	for (size_t i = 0; i < page->n_records; i++) {
		const Seve__Record *rec = page->records[i];

		if (rec->deleted) {
			out->deleted++;
			continue;
		}
		assert_true(out->records < 2 * RECORDS);
		memcpy(out->ids[out->records], rec->id.data, 16);
		manifest_check(rec->rev, (struct span){rec->body.data, rec->body.len},
			       out->checks[out->records++]);
	}
}

static void pull(struct reset *t, uint64_t epoch, uint64_t view, uint64_t rev, uint64_t start,
		 struct pulled *out)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__PullRequest q = SEVE__PULL_REQUEST__INIT;
	struct frame f;
	struct err e = {0};

	memset(out, 0, sizeof *out);
	q.has_territory = q.has_epoch = q.has_view = q.has_rev = q.has_start = q.has_count = true;
	q.territory = 1;
	q.epoch = epoch;
	q.view = view;
	q.rev = rev;
	q.start = start;
	q.count = true;
	r.body_case = SEVE__REQUEST__BODY_PULL;
	r.pull = &q;
	peer_request(&t->p, &r);
	for (;;) {
		while (frame_next(&t->p.plain, FRAME_MAX, &f, &e) == 0)
			peer_pump(&t->p);
		if (f.type == FRAME_REPLY)
			break;
		Seve__Page *page =
			(Seve__Page *)peer_expect(&t->p, FRAME_PAGE, &seve__page__descriptor);
		take_page(out, page);
		peer_free(page);
	}
	Seve__Reply *reply = peer_reply(&t->p);
	if (reply->error) {
		snprintf(out->refused, sizeof out->refused, "%s", reply->error->detail);
	} else {
		out->head = reply->pull->head_rev;
		out->withheld = reply->pull->withheld;
	}
	peer_free(reply);
}

static void pull_as(struct reset *t, uint64_t rev, uint64_t start, struct pulled *out)
{
	pull(t, t->epoch, t->view, rev, start, out);
}

static int64_t number(const struct reset *t, const char *sql)
{
	return fixture_number(t->scene->host.db.admin, sql);
}

struct wish {
	const struct reset *t;
	const char *sql;
};

static bool is_zero(void *ctx)
{
	const struct wish *w = ctx;

	purge_sweep(w->t->scene->host.server->purge);
	return number(w->t, w->sql) == 0;
}

/* Purges until the statement counts 0. */
static void purge_until(struct reset *t, const char *sql)
{
	struct wish w = {t, sql};

	fixture_run_until(&t->scene->host.loop, is_zero, &w);
}

/* Lets several purges go by. */
static void purge_for_a_while(struct reset *t)
{
	const uint64_t before = t->scene->host.server->priv->metrics.purges;

	while (t->scene->host.server->priv->metrics.purges < before + 3) {
		purge_sweep(t->scene->host.server->purge);
		host_turn(&t->scene->host, 20);
	}
}

/* ---- tombstones
 * ------------------------------------------------------------------------------------- */

static void age_tombstones(struct reset *t)
{
	fixture_sql(t->scene->host.db.admin, "UPDATE record SET changed_at = 1000 WHERE rev <= 22");
}

static void old_deletions_go_and_raise_purged_rev(void **state)
{
	struct reset *t = *state;
	struct pulled got;

	fill(t);
	delete (t, 3); /* rev 21 */
	delete (t, 5); /* 22 */
	delete (t, 7); /* 23, young */
	fixture_sql(
		t->scene->host.db.admin,
		"INSERT INTO import_ref (territory_id, source, kind, key, id, hash, last_values, "
		"batch) SELECT 1, 's', 13, 'k', id, '', '', id FROM record WHERE rev = 21");
	age_tombstones(t);
	purge_until(t, "SELECT count(*) FROM record WHERE deleted AND rev <= 22");
	assert_int_equal(number(t, "SELECT purged_rev FROM territory_head"), 22);
	assert_int_equal(number(t, "SELECT count(*) FROM record WHERE deleted"), 1);
	assert_int_equal(number(t, "SELECT count(*) FROM record_version"), 1);
	assert_int_equal(number(t, "SELECT count(*) FROM import_ref"), 1);
	pull_as(t, 21, 0, &got);
	assert_string_equal(got.refused, "RESET_REQUIRED");
	pull_as(t, 22, 0, &got);
	assert_string_equal(got.refused, "");
	assert_int_equal(got.deleted, 1);
	pull_as(t, 99, 0, &got);
	assert_string_equal(got.refused, "RESET_REQUIRED");
	pull(t, t->epoch + 1, t->view, 23, 0, &got);
	assert_string_equal(got.refused, "RESET_REQUIRED");
	pull(t, t->epoch, t->view + 1, 23, 0, &got);
	assert_string_equal(got.refused, "RESET_REQUIRED");
}

static void a_load_tells_no_deletions_and_notices_a_purge(void **state)
{
	struct reset *t = *state;
	struct pulled got;

	fill(t);
	delete (t, 3);
	delete (t, 5);
	pull(t, 0, 0, 0, 0, &got);
	assert_int_equal(got.records, RECORDS - 2);
	assert_int_equal(got.deleted, 0);
	assert_int_equal(got.start, 22);
	age_tombstones(t);
	purge_until(t, "SELECT count(*) FROM record WHERE deleted");
	/* What went had gone before this load began. */
	pull_as(t, 10, 22, &got);
	assert_string_equal(got.refused, "");
	assert_int_equal(got.records, 10);
	/* A load that began earlier may hold what it was never told to give up. */
	pull_as(t, 10, 20, &got);
	assert_string_equal(got.refused, "RESET_REQUIRED");
}

static void one_process_purges_at_a_time(void **state)
{
	struct reset *t = *state;
	PGconn *other = PQconnectdb(t->scene->host.db.conninfo);

	fill(t);
	delete (t, 3);
	delete (t, 5);
	PQclear(PQexec(other, "BEGIN; SELECT pg_advisory_xact_lock(8315182463717504370)"));
	assert_int_equal(PQtransactionStatus(other), PQTRANS_INTRANS);
	age_tombstones(t);
	purge_for_a_while(t);
	assert_int_equal(number(t, "SELECT count(*) FROM record WHERE deleted"), 2);
	PQfinish(other);
	purge_until(t, "SELECT count(*) FROM record WHERE deleted");
}

/* ---- verdicts
 * --------------------------------------------------------------------------------------- */

static void taken_verdicts_go_and_the_last_number_stays(void **state)
{
	struct reset *t = *state;
	Seve__Change c = SEVE__CHANGE__INIT;

	fill(t);
	fixture_sql(t->scene->host.db.admin,
		    "UPDATE mutation SET at = at - 3700000 WHERE mid <= 15");
	purge_for_a_while(t);
	assert_int_equal(number(t, "SELECT count(*) FROM mutation"), RECORDS);
	c.has_op = c.has_id = c.has_kind = true;
	c.op = SEVE__CHANGE__OP__OP_DELETE;
	c.id = (ProtobufCBinaryData){16, t->ids[0].b};
	c.kind = KIND_ACTION;
	push(t, &c, RECORDS);
	purge_until(t, "SELECT count(*) FROM mutation WHERE mid <= 15");
	assert_int_equal(number(t, "SELECT count(*) FROM mutation"), RECORDS - 15 + 1);
	/* Nobody has heard of this client for long. */
	fixture_sql(t->scene->host.db.admin, "UPDATE mutation SET at = at - 8000000");
	purge_until(t, "SELECT count(*) FROM mutation");
}

static void the_server_tells_how_far_a_client_has_come(void **state)
{
	struct reset *t = *state;
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__ResumeRequest q = SEVE__RESUME_REQUEST__INIT;

	q.has_territory = true;
	q.territory = 1;
	r.body_case = SEVE__REQUEST__BODY_RESUME;
	r.resume = &q;
	peer_request(&t->p, &r);
	Seve__Reply *reply = peer_reply(&t->p);
	assert_null(reply->error);
	assert_int_equal(reply->resume->last_mid, 0);
	assert_false(reply->resume->has_hash);
	peer_free(reply);
	fill(t);
	r.has_id = false;
	peer_request(&t->p, &r);
	reply = peer_reply(&t->p);
	assert_int_equal(reply->resume->last_mid, RECORDS);
	assert_int_equal(reply->resume->epoch, t->epoch);
	assert_int_equal(reply->resume->hash.len, SHA256_DIGEST_LENGTH);
	char sql[200] = "SELECT count(*) FROM mutation WHERE mid = 20 AND hash = '\\x";
	for (size_t i = 0; i < reply->resume->hash.len; i++)
		snprintf(sql + strlen(sql), 3, "%02x", reply->resume->hash.data[i]);
	snprintf(sql + strlen(sql), 3, "'");
	assert_int_equal(number(t, sql), 1);
	peer_free(reply);
}

/* ---- the manifest
 * ----------------------------------------------------------------------------------- */

static size_t manifest(struct reset *t, uint8_t out[RECORDS * MANIFEST_ENTRY], uint32_t limit)
{
	size_t n = 0;
	bool more = true;

	while (more) {
		Seve__Request r = SEVE__REQUEST__INIT;
		Seve__ManifestRequest q = SEVE__MANIFEST_REQUEST__INIT;
		struct err e = {0};

		q.has_territory = q.has_limit = true;
		q.territory = 1;
		q.limit = limit;
		q.has_after = n != 0;
		if (n)
			q.after = (ProtobufCBinaryData){16, out + n - MANIFEST_ENTRY};
		r.body_case = SEVE__REQUEST__BODY_MANIFEST;
		r.manifest = &q;
		peer_request(&t->p, &r);
		Seve__Reply *reply = peer_reply(&t->p);
		assert_null(reply->error);
		const Seve__ManifestReply *m = reply->manifest;
		assert_int_equal(m->epoch, t->epoch);
		assert_int_equal(m->view, t->view);
		assert_int_equal(m->head_rev, number(t, "SELECT rev FROM territory_head"));
		assert_int_equal(manifest_page((struct span){m->entries.data, m->entries.len},
					       n ? out + n - MANIFEST_ENTRY : NULL, &e),
				 0);
		assert_true(n + m->entries.len <= RECORDS * MANIFEST_ENTRY);
		memcpy(out + n, m->entries.data, m->entries.len);
		n += m->entries.len;
		more = m->more;
		peer_free(reply);
	}
	return n / MANIFEST_ENTRY;
}

static void the_manifest_is_what_a_pull_brings(void **state)
{
	struct reset *t = *state;
	uint8_t whole[RECORDS * MANIFEST_ENTRY], paged[RECORDS * MANIFEST_ENTRY];
	struct pulled got;
	size_t n;

	fill(t);
	delete (t, 4);
	n = manifest(t, whole, 0);
	assert_int_equal(n, RECORDS - 1);
	assert_int_equal(manifest(t, paged, 3), n);
	assert_memory_equal(whole, paged, n * MANIFEST_ENTRY);
	pull(t, 0, 0, 0, 0, &got);
	assert_int_equal(got.records, n);
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < n && memcmp(got.ids[i], whole + k * MANIFEST_ENTRY, 16))
			k++;
		assert_true(k < n);
		assert_memory_equal(got.checks[i], whole + k * MANIFEST_ENTRY + 16, MANIFEST_CHECK);
	}
}

static void what_is_above_the_reader_is_counted_and_not_listed(void **state)
{
	struct reset *t = *state;
	uint8_t entries[RECORDS * MANIFEST_ENTRY];
	struct pulled got;

	create(t, 0, SEVE__LEVEL__LEVEL_PUBLIC);
	create(t, 1, SEVE__LEVEL__LEVEL_NETWORK);
	create(t, 2, SEVE__LEVEL__LEVEL_TEAM);
	create(t, 3, SEVE__LEVEL__LEVEL_TEAM);
	pull_as(t, 0, 0, &got);
	assert_int_equal(got.records, 4);
	assert_int_equal(got.withheld, 0);
	peer_close(&t->p);
	fixture_sql(t->scene->host.db.admin,
		    "UPDATE account_grant SET role = 2 WHERE territory_id = 1");
	server_access_changed(t->scene->host.server);
	host_turn(&t->scene->host, 200);
	Seve__Welcome *w = peer_open(&t->p, &t->scene->host, t->scene->token, NULL);
	for (size_t i = 0; i < w->n_grants; i++)
		if (w->grants[i]->territory == 1)
			t->view = w->grants[i]->view;
	peer_free(w);
	pull(t, 0, 0, 0, 0, &got);
	assert_int_equal(got.records, 2);
	assert_int_equal(got.withheld, 2);
	assert_int_equal(manifest(t, entries, 0), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(old_deletions_go_and_raise_purged_rev, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_load_tells_no_deletions_and_notices_a_purge,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_process_purges_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(taken_verdicts_go_and_the_last_number_stays, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_server_tells_how_far_a_client_has_come, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_manifest_is_what_a_pull_brings, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_above_the_reader_is_counted_and_not_listed,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
