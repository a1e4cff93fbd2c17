/* test_match.c -- matching across territories on a real server: the comparison is done beside the
 * loop, so others are served while it lasts; whoever goes away ends it; what was cut is told. */
#include "fixture.h"

#include <string.h>

#include "scene.h"

/* ---- the scene --------------------------------------------------------------------------------
 */

enum { OTHERS = 5000 };

/* The only thread of libuv's pool, held until it is let go. */
struct gate {
	uv_work_t work;
	uv_sem_t open;
	bool closed, passed;
};
static struct gate gate;

static void gate_wait(uv_work_t *w)
{
	uv_sem_wait(&((struct gate *)w->data)->open);
}

static void gate_passed(uv_work_t *w, int status)
{
	(void)status;
	((struct gate *)w->data)->passed = true;
}

static void gate_close(struct gate *g, uv_loop_t *loop)
{
	*g = (struct gate){.work.data = g, .closed = true};
	assert_int_equal(uv_sem_init(&g->open, 0), 0);
	assert_int_equal(uv_queue_work(loop, &g->work, gate_wait, gate_passed), 0);
}

static bool is_passed(void *ctx)
{
	return ((struct gate *)ctx)->passed;
}

static void gate_open(struct gate *g, uv_loop_t *loop)
{
	g->closed = false;
	uv_sem_post(&g->open);
	fixture_run_until(loop, is_passed, g);
	uv_sem_destroy(&g->open);
}

/* Territory 1 with `own` needs, territory 2 with so many offers that could meet each; the account
 * runs territory 1. */
static void fill(struct scene *s, int own)
{
	char text[4096];

	snprintf(text, sizeof text,
		 "SELECT set_config('seve.territories', '{1,2}', false);"
		 "INSERT INTO territory_head (slug) VALUES ('un'), ('deux');"
		 "INSERT INTO territory (territory_id, id, slug, name, region) "
		 "SELECT territory_id, gen_random_uuid(), slug, slug, 'Banc' FROM territory_head;"
		 "INSERT INTO resource (territory_id, id, stance, family, label, unit, state) "
		 "SELECT 1, gen_random_uuid(), 'need', 'energy', 'la mienne', 't', 'open' "
		 "FROM generate_series(1, %d);"
		 "INSERT INTO resource (territory_id, id, stance, family, label, unit, state) "
		 "SELECT 2, gen_random_uuid(), 'capacity', 'energy', 'secret', 't', 'open' "
		 "FROM generate_series(1, %d);"
		 "INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs, "
		 "body) SELECT territory_id, id, 26, row_number() OVER (PARTITION BY "
		 "territory_id), 2, 0, '', '' FROM resource;"
		 "INSERT INTO account_grant (account_id, role, territory_id) "
		 "SELECT account_id, %d, 1 FROM account",
		 own, OTHERS, (int)role_by_name("facilitator")->number);
	fixture_sql(s->host.db.conninfo, text);
}

static uint64_t ask(struct peer *p, Seve__MatchRequest *body)
{
	Seve__Request r = SEVE__REQUEST__INIT;

	seve__match_request__init(body);
	body->has_territory = true;
	body->territory = 1;
	r.body_case = SEVE__REQUEST__BODY_MATCH;
	r.match = body;
	return peer_request(p, &r);
}

static bool compares(void *ctx)
{
	struct scene *s = ctx;

	/* a page each 2000 cards, and nothing of the database is under way any more */
	return s->host.server->matching > 0 && pg_pool_load(s->host.server->readers) == 0;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void others_are_served_while_cards_are_compared(void **state)
{
	struct scene *s = *state;
	struct peer one, two;
	Seve__MatchRequest body;

	fill(s, 3);
	scene_open(s, &one);
	scene_open(s, &two);
	gate_close(&gate, &s->host.loop);
	const uint64_t id = ask(&one, &body);
	for (int i = 0; i < 200; i++)
		peer_status(&two);
	fixture_run_until(&s->host.loop, compares, s);
	for (int i = 0; i < 200; i++)
		peer_status(&two);
	assert_int_equal(s->host.server->matching, 1);
	gate_open(&gate, &s->host.loop);
	Seve__Reply *reply = peer_reply(&one);
	assert_int_equal(reply->id, id);
	assert_null(reply->error);
	assert_int_equal(reply->match->n_pairs, 15);
	assert_false(reply->match->cut || reply->match->has_per_card);
	for (size_t i = 0; i < reply->match->n_pairs; i++) {
		assert_string_equal(reply->match->pairs[i]->own_label, "la mienne");
		assert_null(reply->match->pairs[i]->label);
	}
	peer_free(reply);
	assert_int_equal(s->host.server->matching, 0);
	peer_close(&one);
	peer_close(&two);
}

static bool is_idle(void *ctx)
{
	return ((struct scene *)ctx)->host.server->matching == 0;
}

static bool both_compare(void *ctx)
{
	return ((struct scene *)ctx)->host.server->matching == 2 && compares(ctx);
}

static void whoever_cancels_or_hangs_up_ends_the_work(void **state)
{
	struct scene *s = *state;
	struct peer one, two;
	Seve__MatchRequest body;
	Seve__Cancel cancel = SEVE__CANCEL__INIT;

	fill(s, 3);
	scene_open(s, &one);
	scene_open(s, &two);
	gate_close(&gate, &s->host.loop);
	ask(&two, &body);
	cancel.has_id = true;
	cancel.id = ask(&one, &body);
	fixture_run_until(&s->host.loop, both_compare, s);
	peer_send(&one, FRAME_CANCEL, &cancel.base);
	scene_expect_failure(&one, cancel.id, "CANCELLED");
	peer_close(&two);
	host_turn(&s->host, 50);
	gate_open(&gate, &s->host.loop);
	fixture_run_until(&s->host.loop, is_idle, s);
	peer_status(&one);
	peer_close(&one);
}

/* With no thread to compare; `when` holds before it is cancelled, or NULL: at once. */
static void cancel_unbegun(struct scene *s, bool (*when)(void *ctx))
{
	struct peer p;
	Seve__MatchRequest body;
	Seve__Cancel cancel = SEVE__CANCEL__INIT;

	fill(s, 3);
	scene_open(s, &p);
	gate_close(&gate, &s->host.loop);
	cancel.has_id = true;
	cancel.id = ask(&p, &body);
	if (when)
		fixture_run_until(&s->host.loop, when, s);
	peer_send(&p, FRAME_CANCEL, &cancel.base);
	scene_expect_failure(&p, cancel.id, "CANCELLED");
	fixture_run_until(&s->host.loop, is_idle, s);
	gate_open(&gate, &s->host.loop);
	peer_close(&p);
}

static void a_cancelled_match_waits_for_no_thread(void **state)
{
	cancel_unbegun(*state, NULL);
}

static void a_cancelled_comparison_leaves_the_queue(void **state)
{
	cancel_unbegun(*state, compares);
}

static void too_many_at_once_are_told_to_come_again(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__MatchRequest body;

	fill(s, 1);
	scene_open(s, &p);
	gate_close(&gate, &s->host.loop);
	for (int i = 0; i < 4; i++)
		ask(&p, &body);
	scene_expect_failure(&p, ask(&p, &body), "EXHAUSTED");
	gate_open(&gate, &s->host.loop);
	for (int i = 0; i < 4; i++)
		peer_free(peer_reply(&p));
	peer_close(&p);
}

/* 2,000 own cards and 5 for each are more than one answer takes: each has two, the same each time,
 * and the answer says so. */
static void a_long_answer_is_cut_evenly_and_says_so(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__MatchRequest body;
	Seve__Reply *twice[2];

	fill(s, 2000);
	scene_open(s, &p);
	for (int i = 0; i < 2; i++) {
		ask(&p, &body);
		twice[i] = peer_reply(&p);
		assert_null(twice[i]->error);
		assert_int_equal(twice[i]->match->per_card, 2);
		assert_int_equal(twice[i]->match->n_pairs, 4000);
	}
	for (size_t i = 0; i < 4000; i++)
		assert_string_equal(twice[0]->match->pairs[i]->handle,
				    twice[1]->match->pairs[i]->handle);
	peer_free(twice[0]);
	peer_free(twice[1]);
	peer_close(&p);
}

/* A test that failed has left the gate closed: the server would wait for it for ever. */
static int tear_down(void **state)
{
	if (gate.closed)
		uv_sem_post(&gate.open);
	gate.closed = false;
	return scene_tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(others_are_served_while_cards_are_compared),
		TEST(whoever_cancels_or_hangs_up_ends_the_work),
		TEST(a_cancelled_match_waits_for_no_thread),
		TEST(a_cancelled_comparison_leaves_the_queue),
		TEST(too_many_at_once_are_told_to_come_again),
		TEST(a_long_answer_is_cut_evenly_and_says_so),
	};

	setenv("UV_THREADPOOL_SIZE", "1", 1); /* before the pool is first used */
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
