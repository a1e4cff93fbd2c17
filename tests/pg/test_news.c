/* test_news.c -- pages made of what was just committed: byte for byte what a reading gives, for
 * every kind of reader.  Two servers over one database: here everything is written, there all is
 * heard of by the bell and read. */
#include "fixture.h"

#include <string.h>

#include "field.h"
#include "scene.h"

enum { ROLES = 4 };

#define NETWORK SEVE__LEVEL__LEVEL_NETWORK
#define TEAM    SEVE__LEVEL__LEVEL_TEAM

enum { LEVEL = 10001, ACTION = SEVE__BODY__KIND_ACTION, CONTACT = SEVE__BODY__KIND_CONTACT };

struct reader {
	struct peer here, there;
	char token[80];
};

struct news_stage {
	struct scene *scene;
	struct host second;
	struct peer admin, writer;
	struct reader readers[ROLES];
	struct uuid actor;
	uint64_t mid;
};

/* ---- writing
 * ------------------------------------------------------------------------------------------ */

/* Several changes under one verdict. */
static void push(struct news_stage *g, Seve__Change **changes, size_t n)
{
	uint8_t client[16] = "0123456789abcde";
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__PushRequest body = SEVE__PUSH_REQUEST__INIT;
	Seve__Mutation m = SEVE__MUTATION__INIT, *list = &m;
	m.has_client_id = m.has_territory = m.has_mid = 1;
	m.client_id = (ProtobufCBinaryData){sizeof client, client};
	m.territory = 1;
	m.mid = ++g->mid;
	m.n_changes = n;
	m.changes = changes;
	body.n_mutations = 1;
	body.mutations = &list;
	r.body_case = SEVE__REQUEST__BODY_PUSH;
	r.push = &body;
	peer_request(&g->writer, &r);
	Seve__Reply *reply = peer_reply(&g->writer);
	assert_null(reply->error);
	const Seve__Verdict *v = reply->push->verdicts[0];
	if (v->code != SEVE__VERDICT__CODE__APPLIED)
		fail_msg("%s", v->n_violations ? v->violations[0]->text : "not applied");
	peer_free(reply);
}

struct edit {
	Seve__Change change;
	Seve__Body body;
	Seve__Meta meta;
	Seve__Action action;
	Seve__Contact contact;
	Seve__Actor actor;
	uint32_t mask[3];
};

static Seve__Change *edit(struct edit *x, Seve__Change__Op op, uint32_t kind, struct uuid *id)
{
	seve__change__init(&x->change);
	seve__body__init(&x->body);
	seve__meta__init(&x->meta);
	x->change.has_op = x->change.has_id = x->change.has_kind = x->change.has_base_rev = 1;
	x->change.op = op;
	x->change.id = (ProtobufCBinaryData){16, id->b};
	x->change.kind = kind;
	x->change.base_rev = op == SEVE__CHANGE__OP__OP_CREATE ? 0 : 1000;
	x->change.mask = x->mask;
	x->change.set = op == SEVE__CHANGE__OP__OP_DELETE ? NULL : &x->body;
	return &x->change;
}

static void at_level(struct edit *x, Seve__Level level)
{
	x->body.meta = &x->meta;
	x->meta.has_level = 1;
	x->meta.level = level;
	x->mask[x->change.n_mask++] = LEVEL;
}

static Seve__Change *action(struct edit *x, struct uuid *id, Seve__Level level)
{
	edit(x, SEVE__CHANGE__OP__OP_CREATE, ACTION, id);
	seve__action__init(&x->action);
	x->action.title = (char *)(uintptr_t) "an action";
	x->body.kind_case = SEVE__BODY__KIND_ACTION;
	x->body.action = &x->action;
	x->mask[x->change.n_mask++] = 1;
	at_level(x, level);
	return &x->change;
}

static Seve__Change *contact(struct edit *x, struct uuid *id, struct uuid *of)
{
	edit(x, SEVE__CHANGE__OP__OP_CREATE, CONTACT, id);
	seve__contact__init(&x->contact);
	x->contact.has_actor_id = 1;
	x->contact.actor_id = (ProtobufCBinaryData){16, of->b};
	x->contact.name = (char *)(uintptr_t) "somebody";
	x->body.kind_case = SEVE__BODY__KIND_CONTACT;
	x->body.contact = &x->contact;
	x->mask[x->change.n_mask++] = 1;
	x->mask[x->change.n_mask++] = 2;
	return &x->change;
}

static Seve__Change *level_of(struct edit *x, struct uuid *id, Seve__Level level)
{
	edit(x, SEVE__CHANGE__OP__OP_UPDATE, ACTION, id);
	seve__action__init(&x->action);
	x->body.kind_case = SEVE__BODY__KIND_ACTION;
	x->body.action = &x->action;
	at_level(x, level);
	return &x->change;
}

static void make_actor(struct news_stage *g)
{
	struct edit x;
	g->actor = uuid_v7();
	Seve__Change *c = edit(&x, SEVE__CHANGE__OP__OP_CREATE, SEVE__BODY__KIND_ACTOR, &g->actor);
	seve__actor__init(&x.actor);
	x.actor.name = (char *)(uintptr_t) "an actor";
	x.body.kind_case = SEVE__BODY__KIND_ACTOR;
	x.body.actor = &x.actor;
	x.mask[c->n_mask++] = field_by_name(kind_by_number(SEVE__BODY__KIND_ACTOR), "name")->id;
	push(g, &c, 1);
}

/* ---- the stage
 * ---------------------------------------------------------------------------------------- */

static void enrol(struct news_stage *g, const char *account, Seve__Role role, const char *scope,
		  char out[static 80])
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__InviteCreate q = SEVE__INVITE_CREATE__INIT;
	uint32_t territory = 1;
	struct peer p;
	char code[64];
	q.account = (char *)(uintptr_t)account;
	q.has_role = 1;
	q.role = role;
	q.scope = (char *)(uintptr_t)scope;
	q.n_territories = 1;
	q.territories = &territory;
	r.body_case = SEVE__REQUEST__BODY_INVITE_CREATE;
	r.invite_create = &q;
	peer_request(&g->admin, &r);
	Seve__Reply *reply = peer_reply(&g->admin);
	if (reply->error)
		fail_msg("%s", reply->error->message);
	const char *at = strchr(reply->invite_create->code + strlen("seve-invite:localhost:"), ':');
	snprintf(code, sizeof code, "%.*s", (int)strcspn(at + 1, ":"), at + 1);
	peer_free(reply);
	Seve__Welcome *w = peer_open(&p, &g->scene->host, NULL, code);
	assert_non_null(w);
	snprintf(out, 80, "%s", w->token);
	peer_free(w);
	peer_close(&p);
}

static Seve__Page *page(struct peer *p)
{
	return (Seve__Page *)peer_expect(p, FRAME_PAGE, &seve__page__descriptor);
}

static void watch(struct peer *p, struct host *h, const char *token)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__WatchRequest watch = SEVE__WATCH_REQUEST__INIT;
	Seve__PullRequest from = SEVE__PULL_REQUEST__INIT, *list = &from;
	bool whole = false;
	peer_free(peer_open(p, h, token, NULL));
	from.has_territory = 1;
	from.territory = 1;
	watch.n_territories = 1;
	watch.territories = &list;
	r.body_case = SEVE__REQUEST__BODY_WATCH;
	r.watch = &watch;
	peer_request(p, &r);
	while (!whole) {
		Seve__Page *m = page(p);
		whole = m->has_head_rev;
		peer_free(m);
	}
}

static const char *const never_polls[] = {"poll-interval", "1h", NULL};

static int set_up(void **state)
{
	static struct news_stage g;
	memset(&g, 0, sizeof g);
	scene_start((void **)&g.scene, never_polls);
	fixture_sql(g.scene->host.db.admin,
		    "INSERT INTO territory_head (slug) VALUES ('dinan');"
		    "INSERT INTO territory (territory_id, id, slug, name, region) VALUES"
		    " (1, gen_random_uuid(), 'dinan', 'Pays de Dinan', 'Bretagne')");
	scene_open(g.scene, &g.admin);
	enrol(&g, "claire", SEVE__ROLE__ROLE_FACILITATOR, NULL, g.readers[0].token);
	peer_free(peer_open(&g.writer, &g.scene->host, g.readers[0].token, NULL));
	make_actor(&g);
	enrol(&g, "carl", SEVE__ROLE__ROLE_COORDINATOR, NULL, g.readers[1].token);
	enrol(&g, "paula", SEVE__ROLE__ROLE_PARTNER, "A-1", g.readers[2].token);
	enrol(&g, "oscar", SEVE__ROLE__ROLE_OBSERVER, NULL, g.readers[3].token);
	host_join(&g.second, &g.scene->host, never_polls);
	for (size_t i = 0; i < ROLES; i++) {
		watch(&g.readers[i].here, &g.scene->host, g.readers[i].token);
		watch(&g.readers[i].there, &g.second, g.readers[i].token);
	}
	*state = &g;
	return 0;
}

static int tear_down(void **state)
{
	struct news_stage *g = *state;
	void *scene = g->scene;
	for (size_t i = 0; i < ROLES; i++) {
		peer_close(&g->readers[i].here);
		peer_close(&g->readers[i].there);
	}
	peer_close(&g->writer);
	peer_close(&g->admin);
	host_stop(&g->second);
	return scene_tear_down(&scene);
}

/* ---- comparing
 * ---------------------------------------------------------------------------------------- */

/* Each reader's next page here and there; seen[i]: records that reader i gets, deletions of them
 * as ten. */
static void expect_equal(struct news_stage *g, const unsigned seen[static ROLES])
{
	for (size_t i = 0; i < ROLES; i++) {
		Seve__Page *here = page(&g->readers[i].here), *there = page(&g->readers[i].there);
		const size_t n = seve__page__get_packed_size(here);
		unsigned got = 0;
		assert_int_equal(n, seve__page__get_packed_size(there));
		uint8_t *a = malloc(n), *b = malloc(n);
		assert_true(a && b);
		seve__page__pack(here, a);
		seve__page__pack(there, b);
		assert_memory_equal(a, b, n);
		for (size_t k = 0; k < here->n_records; k++)
			got += here->records[k]->deleted ? 10 : 1;
		assert_int_equal(got, seen[i]);
		free(a);
		free(b);
		peer_free(here);
		peer_free(there);
	}
}

static const struct metrics *counted(const struct host *h)
{
	return &h->server->priv->metrics;
}

static void pages_of_a_commit_are_those_that_a_reading_gives(void **state)
{
	struct news_stage *g = *state;
	struct uuid open = uuid_v7(), own = uuid_v7(), foreign = uuid_v7(), gone = uuid_v7();
	const uint64_t reads = counted(&g->scene->host)->watch_reads,
		       there = counted(&g->second)->watch_reads,
		       made = counted(&g->scene->host)->watch_news;
	struct edit x[3];
	Seve__Change *both[3] = {action(&x[0], &open, SEVE__LEVEL__LEVEL_PUBLIC),
				 contact(&x[1], &own, &g->actor), action(&x[2], &foreign, TEAM)};
	push(g, both, 3);
	/*                               facilitator, coordinator, the actor's partner, observer */
	expect_equal(g, (unsigned[ROLES]){3, 1, 2, 1});
	/* Raised above some: to them it is gone. */
	both[0] = level_of(&x[0], &open, TEAM);
	push(g, both, 1);
	expect_equal(g, (unsigned[ROLES]){1, 10, 10, 10});
	/* Deleted: who never saw it hears nothing. */
	both[0] = edit(&x[0], SEVE__CHANGE__OP__OP_DELETE, CONTACT, &own);
	push(g, both, 1);
	expect_equal(g, (unsigned[ROLES]){10, 0, 10, 0});
	/* Made and taken away again before anybody looked. */
	both[0] = action(&x[0], &gone, NETWORK);
	push(g, both, 1);
	both[0] = edit(&x[0], SEVE__CHANGE__OP__OP_DELETE, ACTION, &gone);
	expect_equal(g, (unsigned[ROLES]){1, 1, 1, 0});
	push(g, both, 1);
	expect_equal(g, (unsigned[ROLES]){10, 10, 10, 0});
	/* Two views are alike in nothing but the level: they share no page. */
	assert_int_equal(counted(&g->scene->host)->watch_reads, reads);
	assert_int_equal(counted(&g->scene->host)->watch_news, made + 5 * ROLES);
	assert_true(counted(&g->second)->watch_reads > there);
}

/* What is at another rev than the commit began with is read. */
static void a_commit_after_one_of_another_server_is_read(void **state)
{
	struct news_stage *g = *state;
	struct uuid id = uuid_v7();
	const uint64_t reads = counted(&g->scene->host)->watch_reads;
	struct edit x;
	fixture_sql(
		g->scene->host.db.admin,
		"INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs,"
		" body) SELECT 1, gen_random_uuid(), 13, rev + 1, 1, 0, '', '\\x00'"
		" FROM territory_head WHERE territory_id = 1;"
		"UPDATE territory_head SET rev = rev + 1 WHERE territory_id = 1");
	Seve__Change *c = action(&x, &id, SEVE__LEVEL__LEVEL_PUBLIC);
	push(g, &c, 1);
	expect_equal(g, (unsigned[ROLES]){2, 2, 2, 2});
	assert_true(counted(&g->scene->host)->watch_reads > reads);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(pages_of_a_commit_are_those_that_a_reading_gives),
		ROW(a_commit_after_one_of_another_server_is_read),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
