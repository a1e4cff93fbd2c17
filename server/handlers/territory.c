/* territory.c -- a new territory: its head first, then its record as an ordinary mutation in its
 * own scope. */
#include <string.h>

#include "clock.h"
#include "dispatch.h"
#include "pg/load.h"
#include "pg/writer.h"
#include "server.h"

struct creation {
	struct request *request;
	struct pg_stmt *reserve;
	struct writer_job job;
	Seve__Mutation mutation;
	Seve__Change change, *changes[1];
	Seve__Body body;
	Seve__Territory values;
	struct uuid id;
	uint32_t mask[16];
};

static void creation_rejected(struct creation *c, const Seve__Verdict *v)
{
	struct err e;

	err_set(&e, ERR_INVALID, "the territory was refused");
	request_fail_with(c->request, &e, v->violations, v->n_violations);
}

static void creation_done(struct writer_job *j)
{
	struct creation *c = j->owner;
	Seve__TerritoryCreated made = SEVE__TERRITORY_CREATED__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;

	if (j->err.code) {
		request_fail(c->request, &j->err);
		return;
	}
	if (j->work.verdict->code == SEVE__VERDICT__CODE__REJECTED) {
		creation_rejected(c, j->work.verdict);
		return;
	}
	made.has_territory = made.has_id = made.has_rev = true;
	made.territory = j->work.territory;
	made.id = (ProtobufCBinaryData){16, c->id.b};
	made.rev = j->work.verdict->outcomes[0]->rev;
	reply.body_case = SEVE__REPLY__BODY_TERRITORY_CREATE;
	reply.territory_create = &made;
	request_reply(c->request, &reply);
}

/* The record's mutation, written by the server itself on the account's behalf. */
static void creation_mutation(struct creation *c, uint32_t territory)
{
	const struct principal *who = c->request->who;

	c->id = uuid_v7();
	seve__body__init(&c->body);
	c->body.kind_case = SEVE__BODY__KIND_TERRITORY;
	c->body.territory = &c->values;
	seve__change__init(&c->change);
	c->change.has_op = c->change.has_id = c->change.has_kind = true;
	c->change.op = SEVE__CHANGE__OP__OP_CREATE;
	c->change.id = (ProtobufCBinaryData){16, c->id.b};
	c->change.kind = SEVE__BODY__KIND_TERRITORY;
	c->change.set = &c->body;
	c->change.mask = c->mask;
	for (unsigned i = 0; i < seve__territory__descriptor.n_fields; i++)
		c->mask[c->change.n_mask++] = seve__territory__descriptor.fields[i].id;
	c->changes[0] = &c->change;
	seve__mutation__init(&c->mutation);
	c->mutation.has_mid = true;
	c->mutation.mid = 1;
	c->mutation.n_changes = 1;
	c->mutation.changes = c->changes;
	c->job.work = (struct apply_job){
		.territory = territory,
		.author = {.account = who->account,
			   /* Not the session's: its mutations in this territory count from 1. */
			   .client = c->id,
			   .client_short = uuid_short(&c->id),
			   .reads = SEVE__LEVEL__LEVEL_TEAM,
			   .writes = KIND_BY_A,
			   .internal = true},
		.mutation = &c->mutation,
	};
	c->job.bytes = 1024;
	c->job.owner = c;
	c->job.done = creation_done;
}

static void creation_reserved(struct pg_unit *u)
{
	struct creation *c = u->owner;
	struct err e = u->err;
	int32_t territory = 0;

	if (!e.code && !PQntuples(c->reserve->result)) {
		err_set(&e, ERR_EXISTS, "there is a territory %s already", c->values.slug);
		err_remedy(&e, "choose another slug");
	} else if (!e.code) {
		territory = pg_get_int4(c->reserve->result, 0, 0);
	}
	pg_unit_clear(u);
	if (!e.code) {
		creation_mutation(c, (uint32_t)territory);
		writer_submit(c->request->server->writer, &c->job, &e);
	}
	if (e.code)
		request_fail(c->request, &e);
}

/* Wrong values are refused before a number is given away. */
static int creation_check(const Seve__TerritoryCreate *q, struct err *e)
{
	struct problems problems = {.n = 0};

	if (!q->territory)
		return err_set(e, ERR_INVALID, "territory: missing");
	field_check_record(kind_by_number(SEVE__BODY__KIND_TERRITORY), &q->territory->base,
			   &problems);
	if (problems.errors)
		return err_set(e, ERR_INVALID, "%s: %s", problems.list[0].field,
			       problems.list[0].text);
	return 0;
}

static int creation_start(struct request *r, struct err *e)
{
	const Seve__TerritoryCreate *q = r->body->territory_create;
	struct creation *c;
	struct pg_unit *u;

	*e = (struct err){.code = ERR_OK};
	if (creation_check(q, e))
		return -(int)e->code;
	c = arena_zalloc(&r->arena, sizeof *c);
	u = c ? pg_unit_new(&r->arena, c, creation_reserved) : NULL;
	if (u)
		c->reserve = pg_unit_add(u, pg_sql("territory_reserve"));
	if (!u || !c->reserve)
		return err_set(e, ERR_NOMEM, "territory");
	c->request = r;
	c->values = *q->territory;
	if (q->policy)
		c->values.policy = q->policy;
	pg_params_text(&c->reserve->params, c->values.slug);
	if (pg_params_bad(&c->reserve->params))
		return err_set(e, ERR_NOMEM, "territory");
	pg_pool_submit(r->server->readers, u);
	return 0;
}

void handle_territory_create(struct request *r)
{
	struct err e;

	if (creation_start(r, &e))
		request_fail(r, &e);
}
