/* test_rules_batch.c -- the method's rules on a real PostgreSQL: what they need is loaded, and what
 * earlier mutations of the batch did is laid over it. */
#include "fixture.h"

#include <string.h>

#include "field.h"
#include "pg/writer.h"
#include "server_private.h"

enum { CHANGES = 4, TERRITORIES = 2 };

struct bench {
	uv_loop_t loop;
	struct server server;
	struct server_private priv;
	struct fixture_db db;
	struct writer *writer;
	struct arena arena;
	struct uuid client;
	uint64_t mids[TERRITORIES + 1];
	size_t left;
	bool closed;
};

struct edit {
	struct writer_job job;
	struct bench *bench;
	Seve__Mutation mutation;
	Seve__Change *changes[CHANGES];
	Seve__Verdict__Code
		verdict; /* what came of it, kept: the verdict itself goes with the batch */
	char code[24], text[240], warning[24];
};

static void edit_done(struct writer_job *j)
{
	struct edit *x = j->owner;
	const Seve__Verdict *v = j->err.code ? NULL : j->work.verdict;

	if (v) {
		x->verdict = v->code;
		snprintf(x->code, sizeof x->code, "%s",
			 v->n_violations ? v->violations[0]->code : "");
		snprintf(x->text, sizeof x->text, "%s",
			 v->n_violations ? v->violations[0]->text : "");
		snprintf(x->warning, sizeof x->warning, "%s",
			 v->n_warnings ? v->warnings[0]->code : "");
	}
	x->bench->left--;
}

static struct edit *edit_new(struct bench *b, uint32_t territory, const struct uuid *client,
			     uint64_t mid, const char *reason)
{
	struct edit *x = arena_zalloc(&b->arena, sizeof *x);

	x->bench = b;
	seve__mutation__init(&x->mutation);
	x->mutation.has_mid = true;
	x->mutation.mid = mid;
	x->mutation.reason = (char *)(uintptr_t)reason;
	x->mutation.changes = x->changes;
	x->job.work = (struct apply_job){
		.territory = territory,
		.mutation = &x->mutation,
		.author = {.account = "test",
			   .client = *client,
			   .client_short = uuid_short(client),
			   .reads = SEVE__LEVEL__LEVEL_TEAM,
			   .writes = KIND_BY_F | KIND_BY_A,
			   .internal = true},
	};
	x->job.bytes = 400;
	x->job.owner = x;
	x->job.done = edit_done;
	return x;
}

/* Fields from "name=value name=value". */
static void fill(struct bench *b, const struct kind *k, Seve__Change *c, ProtobufCMessage *m,
		 const char *pairs)
{
	char copy[600], *rest = copy;

	snprintf(copy, sizeof copy, "%s", pairs);
	c->mask = arena_array(&b->arena, 16, sizeof *c->mask);
	while (rest && *rest) {
		char *word = strsep(&rest, " "), *value = strchr(word, '=');
		const field_desc *fd;
		struct err e = {0};

		*value++ = '\0';
		fd = field_by_name(k, word);
		assert_non_null(fd);
		if (field_from_text(&b->arena, m, fd, value, &e))
			fail_msg("%s: %s", word, e.text);
		c->mask[c->n_mask++] = fd->id;
	}
}

static void edit_add(struct edit *x, Seve__Change__Op op, const char *kind, const struct uuid *id,
		     const char *pairs)
{
	struct bench *b = x->bench;
	const struct kind *k = kind_by_name(kind);
	Seve__Change *c = arena_alloc(&b->arena, sizeof *c);
	Seve__Body *body = arena_alloc(&b->arena, sizeof *body);
	ProtobufCMessage *m = field_new_message(&b->arena, k->desc);

	seve__change__init(c);
	seve__body__init(body);
	c->has_op = c->has_id = c->has_kind = c->has_base_rev = true;
	c->op = op;
	c->id = (ProtobufCBinaryData){16, arena_memdup(&b->arena, id->b, 16)};
	c->kind = k->number;
	c->base_rev = op == SEVE__CHANGE__OP__OP_CREATE ? 0 : 1000000;
	fill(b, k, c, m, pairs);
	kind_set_message(k, body, m);
	c->set = body;
	x->changes[x->mutation.n_changes++] = c;
}

static bool none_left(void *ctx)
{
	return ((struct bench *)ctx)->left == 0;
}

static void submit(struct edit *x)
{
	struct err e;

	x->bench->left++;
	assert_int_equal(writer_submit(x->bench->writer, &x->job, &e), 0);
}

static void await(struct bench *b)
{
	fixture_run_until(&b->loop, none_left, b);
}

/* Submits until the connection is up. */
static void apply(struct edit *x)
{
	do {
		submit(x);
		await(x->bench);
	} while (x->job.err.code && err_class(x->job.err.code) != ERR_PERMANENT);
}

/* `code` NULL: it was applied. */
static void expect(const struct edit *x, const char *code, const char *says)
{
	if (x->job.err.code)
		fail_msg("%s", x->job.err.text);
	if (strcmp(x->code, code ? code : "") != 0 || (says && !strstr(x->text, says)))
		fail_msg("wanted %s, got %s: %s", code ? code : "applied", x->code, x->text);
	assert_int_equal(x->verdict == SEVE__VERDICT__CODE__REJECTED, code != NULL);
}

static struct edit *edit_one(struct bench *b, uint32_t territory, Seve__Change__Op op,
			     const char *kind, const struct uuid *id, const char *pairs)
{
	struct edit *x = edit_new(b, territory, &b->client, ++b->mids[territory], NULL);

	edit_add(x, op, kind, id, pairs);
	return x;
}

static struct uuid make_in(struct bench *b, uint32_t territory, const char *kind, const char *pairs)
{
	struct uuid id = uuid_v7();
	struct edit *x = edit_one(b, territory, SEVE__CHANGE__OP__OP_CREATE, kind, &id, pairs);

	x->mutation.reason = (char *)(uintptr_t) "a backfill";
	apply(x);
	expect(x, NULL, NULL);
	return id;
}

static struct uuid make(struct bench *b, const char *kind, const char *pairs)
{
	return make_in(b, 1, kind, pairs);
}

/* The text with %1 and, behind it, %2 replaced by the ids. */
static const char *with(struct bench *b, const char *pattern, const struct uuid *one,
			const struct uuid *two)
{
	char first[UUID_TEXT], second[UUID_TEXT] = "";

	uuid_format(one, first);
	if (two)
		uuid_format(two, second);
	const char *at = strstr(pattern, "%1"), *then = strstr(pattern, "%2");
	if (!then)
		return arena_printf(&b->arena, "%.*s%s%s", (int)(at - pattern), pattern, first,
				    at + 2);
	return arena_printf(&b->arena, "%.*s%s%.*s%s%s", (int)(at - pattern), pattern, first,
			    (int)(then - at - 2), at + 2, second, then + 2);
}

static void writer_is_closed(void *ctx)
{
	((struct bench *)ctx)->closed = true;
}

static bool is_closed(void *ctx)
{
	return ((struct bench *)ctx)->closed;
}

static struct bench *bench_open(void)
{
	struct bench *b = calloc(1, sizeof *b);
	struct err e;

	assert_non_null(b);
	b->db = fixture_database();
	fixture_sql(b->db.admin, "INSERT INTO territory_head (slug) VALUES ('nord'), ('sud')");
	uv_loop_init(&b->loop);
	b->server.loop = &b->loop;
	b->server.priv = &b->priv;
	b->client = uuid_v7();
	arena_init(&b->arena, 8 << 20);
	assert_int_equal(writer_open(&b->loop, &b->server, b->db.conninfo, &b->writer, &e), 0);
	return b;
}

static void bench_close(struct bench *b)
{
	writer_close(b->writer, writer_is_closed, b);
	fixture_run_until(&b->loop, is_closed, b);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	arena_fini(&b->arena);
	free(b);
}

/* ---- the tests
 * ---------------------------------------------------------------------------------------- */

/* An action that two actors are to do, selected; the second one's position is the last condition.
 */
static struct uuid selected_action(struct bench *b, struct uuid *second)
{
	struct uuid one = make(b, "actor", "name=Un"), two = make(b, "actor", "name=Deux");
	struct uuid a = make(b, "action", "title=Vapeur status=selected");

	make(b, "position", with(b, "actor_id=%1 action_id=%2 stance=pilot", &one, &a));
	*second = make(b, "position",
		       with(b, "actor_id=%1 action_id=%2 stance=contributor", &two, &a));
	return a;
}

/* Of two clients in one batch, the one takes the last condition away and the other relies on it:
 * whoever comes first is right. */
static void two_race_for_the_last_condition(void **state)
{
	struct bench *b = bench_open();

	(void)state;
	for (int first = 0; first < 2; first++) {
		struct uuid position, action = selected_action(b, &position), other = uuid_v7();
		struct edit *start = edit_one(b, 1, SEVE__CHANGE__OP__OP_UPDATE, "action", &action,
					      "status=in_progress");
		struct edit *leave = edit_new(b, 1, &other, 1, NULL);
		edit_add(leave, SEVE__CHANGE__OP__OP_UPDATE, "position", &position, "state=closed");
		submit(first ? start : leave);
		submit(first ? leave : start);
		await(b);
		expect(leave, NULL, NULL);
		expect(start, first ? NULL : "H4", first ? NULL : "1 of 2");
	}
	bench_close(b);
}

/* The same in one mutation: the checks are on what it results in. */
static void a_mutation_brings_its_own_conditions(void **state)
{
	struct bench *b = bench_open();
	struct uuid one = make(b, "actor", "name=Un"), two = make(b, "actor", "name=Deux");
	struct uuid a = make(b, "action", "title=Vapeur status=selected"), id = uuid_v7(),
		    id2 = uuid_v7();

	(void)state;
	struct edit *x =
		edit_one(b, 1, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, "status=in_progress");
	edit_add(x, SEVE__CHANGE__OP__OP_CREATE, "position", &id,
		 with(b, "actor_id=%1 action_id=%2 stance=pilot", &one, &a));
	edit_add(x, SEVE__CHANGE__OP__OP_CREATE, "position", &id2,
		 with(b, "actor_id=%1 action_id=%2 stance=beneficiary", &two, &a));
	apply(x);
	expect(x, NULL, NULL);
	bench_close(b);
}

/* What a change does not say stands in the database: the actor of a position whose hours change. */
static void needs_are_found_by_way_of_the_stored_record(void **state)
{
	struct bench *b = bench_open();
	struct uuid actor = make(b, "actor", "name=Un");
	struct uuid a = make(b, "action", "title=Vapeur"), c = make(b, "action", "title=Eau");

	(void)state;
	make(b, "availability",
	     with(b, "actor_id=%1 from_on=2020-01-01 hours_month=10", &actor, NULL));
	make(b, "position", with(b, "actor_id=%1 action_id=%2 stance=pilot", &actor, &a));
	struct uuid p = make(
		b, "position",
		with(b, "actor_id=%1 action_id=%2 stance=contributor hours_month=1", &actor, &c));
	struct edit *x =
		edit_one(b, 1, SEVE__CHANGE__OP__OP_UPDATE, "position", &p, "hours_month=3");
	apply(x);
	expect(x, "S4", "11.0 of 10.0 hours");
	x = edit_one(b, 1, SEVE__CHANGE__OP__OP_UPDATE, "position", &p, "hours_month=3");
	x->mutation.reason = (char *)(uintptr_t) "until spring";
	apply(x);
	expect(x, NULL, NULL);
	assert_string_equal(x->warning, "S4");
	bench_close(b);
}

/* A validator's own actor is two references away. */
static void needs_are_found_two_references_away(void **state)
{
	struct bench *b = bench_open();
	struct uuid member = make(b, "actor", "name=Membre state=member"),
		    outside = make(b, "actor", "name=Bureau state=prospect");
	struct uuid who = make(b, "contact", with(b, "name=Essai actor_id=%1", &member, NULL)),
		    peer = make(b, "contact", with(b, "name=Pair actor_id=%1", &member, NULL)),
		    expert = make(b, "contact", with(b, "name=Expert actor_id=%1", &outside, NULL));
	struct uuid k =
		make(b, "knowhow", with(b, "contact_id=%1 method=visit mastery=aware", &who, NULL));
	struct uuid m = make(b, "meeting",
			     with(b,
				  "kind=training state=held "
				  "facilitation=[{\"contact_id\":\"%1\",\"role\":\"co\"}]",
				  &who, NULL));

	(void)state;
	struct edit *x =
		edit_one(b, 1, SEVE__CHANGE__OP__OP_UPDATE, "knowhow", &k,
			 with(b, "mastery=observer meeting_id=%1 validator_id=%2", &m, &peer));
	apply(x);
	expect(x, "H6", "does not belong to the network");
	x = edit_one(b, 1, SEVE__CHANGE__OP__OP_UPDATE, "knowhow", &k,
		     with(b, "validator_id=%1", &expert, NULL));
	apply(x);
	expect(x, NULL, NULL);
	x = edit_one(b, 1, SEVE__CHANGE__OP__OP_UPDATE, "knowhow", &k,
		     with(b, "mastery=observer meeting_id=%1", &m, NULL));
	apply(x);
	expect(x, NULL, NULL);
	bench_close(b);
}

/* The usual hours of each stance are the same in C and in SQL. */
static void hours_in_other_territories_count_and_are_nothing_but_a_sum(void **state)
{
	struct bench *b = bench_open();
	struct uuid here = make_in(b, 1, "actor", "name=Un siren=732829320"),
		    there = make_in(b, 2, "actor", "name=Un siret=73282932000074");
	struct uuid a = make_in(b, 1, "action", "title=Vapeur"),
		    c = make_in(b, 2, "action", "title=Eau"), id = uuid_v7();

	(void)state;
	make(b, "availability",
	     with(b, "actor_id=%1 from_on=2020-01-01 hours_month=20.5", &here, NULL));
	make_in(b, 2, "position", with(b, "actor_id=%1 action_id=%2 stance=pilot", &there, &c));
	make_in(b, 2, "position",
		with(b, "actor_id=%1 action_id=%2 stance=contributor", &there, &c));
	make_in(b, 2, "position",
		with(b, "actor_id=%1 action_id=%2 stance=beneficiary", &there, &c));
	make_in(b, 2, "position", with(b, "actor_id=%1 action_id=%2 stance=observer", &there, &c));
	make_in(b, 2, "position",
		with(b, "actor_id=%1 action_id=%2 stance=pilot state=closed", &there, &c));
	struct edit *x = edit_one(b, 1, SEVE__CHANGE__OP__OP_CREATE, "position", &id,
				  with(b, "actor_id=%1 action_id=%2 stance=pilot", &here, &a));
	apply(x);
	expect(x, "S4", "21.0 of 20.5 hours");
	expect(x, "S4", "(13.0 of them in other territories)");
	/* and the wall stands where it stood */
	make(b, "position", with(b, "actor_id=%1 action_id=%2 stance=contributor", &here, &a));
	bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_race_for_the_last_condition),
		cmocka_unit_test(a_mutation_brings_its_own_conditions),
		cmocka_unit_test(needs_are_found_by_way_of_the_stored_record),
		cmocka_unit_test(needs_are_found_two_references_away),
		cmocka_unit_test(hours_in_other_territories_count_and_are_nothing_but_a_sum),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
