/* test_thrice.c -- 10,000 mutations are sent three times each, over four connections at once: each
 * has one effect, and the same answer whichever connection asks. */
#include "fixture.h"

#include <libpq-fe.h>
#include <string.h>

#include "scene.h"
#include "sync.pb-c.h"

enum { MUTATIONS = 10000, CHUNK = 50, CHUNKS = MUTATIONS / CHUNK, PEERS = 4, TIMES = 3 };

static const uint8_t client[16] = "0123456789abcde"; /* as the peer's Hello says */

/* A connection goes through the chunks that are its own, in order, one under way at a time. */
struct sender {
	struct peer peer;
	unsigned at; /* chunk */
	uint64_t id; /* of the request under way, 0: none */
	bool over;
	unsigned long early; /* chunks that came before their predecessor and were sent again */
};

struct thrice {
	struct scene *scene;
	uint32_t territory;
	struct sender senders[PEERS];
	struct {
		uint8_t *bytes;
		size_t n;
		unsigned answers;
	} verdicts[MUTATIONS];
	unsigned long differing;
};

/* Each chunk goes over all connections but one. */
static bool is_of(unsigned chunk, unsigned sender)
{
	return chunk % PEERS != sender;
}

static void make_id(unsigned n, uint8_t out[16])
{
	memset(out, 0, 16);
	out[5] = 1;
	out[6] = 0x70;
	out[8] = 0x80;
	out[13] = (uint8_t)(n >> 16);
	out[14] = (uint8_t)(n >> 8);
	out[15] = (uint8_t)n;
}

/* The packed request for one chunk. */
static void push_chunk(const struct thrice *t, struct sender *s)
{
	static Seve__Mutation mutations[CHUNK], *list[CHUNK];
	static Seve__Change changes[CHUNK], *change_list[CHUNK];
	static Seve__Body bodies[CHUNK];
	static Seve__Actor actors[CHUNK];
	static uint8_t ids[CHUNK][16];
	static char names[CHUNK][32];
	static uint32_t mask[] = {1};
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__PushRequest push = SEVE__PUSH_REQUEST__INIT;

	for (unsigned i = 0; i < CHUNK; i++) {
		const unsigned n = s->at * CHUNK + i;

		make_id(n, ids[i]);
		snprintf(names[i], sizeof names[i], "actor %u", n);
		seve__actor__init(&actors[i]);
		actors[i].name = names[i];
		seve__body__init(&bodies[i]);
		bodies[i].kind_case = SEVE__BODY__KIND_ACTOR;
		bodies[i].actor = &actors[i];
		seve__change__init(&changes[i]);
		changes[i].has_op = changes[i].has_id = changes[i].has_kind = 1;
		changes[i].op = SEVE__CHANGE__OP__OP_CREATE;
		changes[i].id = (ProtobufCBinaryData){16, ids[i]};
		changes[i].kind = SEVE__BODY__KIND_ACTOR;
		changes[i].set = &bodies[i];
		changes[i].n_mask = 1;
		changes[i].mask = mask;
		change_list[i] = &changes[i];
		seve__mutation__init(&mutations[i]);
		mutations[i].has_client_id = mutations[i].has_mid = mutations[i].has_territory = 1;
		mutations[i].client_id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)client};
		mutations[i].mid = n + 1;
		mutations[i].territory = t->territory;
		mutations[i].n_changes = 1;
		mutations[i].changes = &change_list[i];
		list[i] = &mutations[i];
	}
	push.n_mutations = CHUNK;
	push.mutations = list;
	r.body_case = SEVE__REQUEST__BODY_PUSH;
	r.push = &push;
	s->id = peer_request(&s->peer, &r);
}

static void keep_verdict(struct thrice *t, unsigned n, const Seve__Verdict *v)
{
	const size_t len = protobuf_c_message_get_packed_size(&v->base);
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	protobuf_c_message_pack(&v->base, bytes);
	assert_int_equal(v->mid, n + 1);
	if (!t->verdicts[n].answers++) {
		assert_int_equal(v->code, SEVE__VERDICT__CODE__APPLIED);
		t->verdicts[n].bytes = bytes;
		t->verdicts[n].n = len;
		return;
	}
	t->differing += len != t->verdicts[n].n || memcmp(bytes, t->verdicts[n].bytes, len);
	free(bytes);
}

static void next_chunk(const struct thrice *t, struct sender *s, unsigned who)
{
	while (s->at < CHUNKS && !is_of(s->at, who))
		s->at++;
	s->over = s->at == CHUNKS;
	if (!s->over)
		push_chunk(t, s);
}

static void take_reply(struct thrice *t, struct sender *s, unsigned who)
{
	Seve__Reply *r = peer_reply(&s->peer);

	assert_int_equal(r->id, s->id);
	if (r->error) {
		/* The chunk before it, which goes over the others, is not there yet. */
		assert_string_equal(r->error->detail, "OUT_OF_ORDER");
		s->early++;
		push_chunk(t, s);
	} else {
		assert_int_equal(r->body_case, SEVE__REPLY__BODY_PUSH);
		assert_int_equal(r->push->n_verdicts, CHUNK);
		for (unsigned i = 0; i < CHUNK; i++)
			keep_verdict(t, s->at * CHUNK + i, r->push->verdicts[i]);
		s->at++;
		next_chunk(t, s, who);
	}
	peer_free(r);
}

static uint32_t make_territory(struct peer *p)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__TerritoryCreate create = SEVE__TERRITORY_CREATE__INIT;
	Seve__Territory values = SEVE__TERRITORY__INIT;
	Seve__Reply *reply;
	uint32_t territory;

	values.slug = (char *)(uintptr_t) "nord";
	values.name = (char *)(uintptr_t) "Nord";
	values.region = (char *)(uintptr_t) "Nord";
	create.territory = &values;
	r.body_case = SEVE__REQUEST__BODY_TERRITORY_CREATE;
	r.territory_create = &create;
	peer_request(p, &r);
	reply = peer_reply(p);
	assert_null(reply->error);
	territory = reply->territory_create->territory;
	peer_free(reply);
	return territory;
}

/* An admin reads and writes everywhere by being given the role. */
static void let_write(const struct scene *s, uint32_t territory)
{
	char sql[256];

	snprintf(
		sql, sizeof sql,
		"INSERT INTO account_grant (account_id, role, territory_id) SELECT account_id, %d, "
		"%u FROM account WHERE name = 'admin'",
		(int)SEVE__ROLE__ROLE_FACILITATOR, territory);
	fixture_sql(s->host.db.admin, sql);
}

static int64_t number(const struct thrice *t, const char *sql)
{
	return fixture_number(t->scene->host.db.admin, sql);
}

static void ten_thousand_mutations_sent_three_times_have_ten_thousand_effects(void **state)
{
	static struct thrice t;
	struct peer p;
	unsigned long early = 0, answers = 0;
	int64_t before;

	memset(&t, 0, sizeof t);
	t.scene = *state;
	scene_open(t.scene, &p);
	t.territory = make_territory(&p);
	let_write(t.scene, t.territory);
	peer_close(&p);
	before = number(&t, "SELECT rev FROM territory_head");
	for (unsigned i = 0; i < PEERS; i++) {
		scene_open(t.scene, &t.senders[i].peer);
		next_chunk(&t, &t.senders[i], i);
	}
	for (unsigned left = PEERS; left;) {
		left = 0;
		for (unsigned i = 0; i < PEERS; i++) {
			if (!t.senders[i].over)
				take_reply(&t, &t.senders[i], i);
			left += !t.senders[i].over;
		}
	}
	for (unsigned i = 0; i < MUTATIONS; i++) {
		answers += t.verdicts[i].answers;
		assert_int_equal(t.verdicts[i].answers, TIMES);
		free(t.verdicts[i].bytes);
	}
	for (unsigned i = 0; i < PEERS; i++) {
		early += t.senders[i].early;
		peer_close(&t.senders[i].peer);
	}
	printf("%d mutations, %lu answers over %d connections (%lu chunks came too early and were "
	       "sent again): %lld records, %lld revs, %lld verdicts, %lu answers differed\n",
	       MUTATIONS, answers, PEERS, early,
	       (long long)number(&t, "SELECT count(*) FROM actor"),
	       (long long)number(&t, "SELECT rev FROM territory_head") - (long long)before,
	       (long long)number(&t, "SELECT count(*) FROM mutation WHERE code = 1 AND client_id = "
				     "'30313233-3435-3637-3839-616263646500'"),
	       t.differing);
	assert_int_equal(t.differing, 0);
	assert_int_equal(number(&t, "SELECT count(*) FROM actor"), MUTATIONS);
	assert_int_equal(number(&t, "SELECT rev FROM territory_head") - before, MUTATIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			ten_thousand_mutations_sent_three_times_have_ten_thousand_effects,
			scene_set_up, scene_tear_down),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
