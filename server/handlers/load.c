/* load.c -- hours that actors have promised in territories that the asker does not name: the
 * dispersion guard over territories.  Hours by SIREN go out; where they are promised and for what
 * stays here. */
#include <string.h>

#include "dispatch.h"
#include "method/load.h"
#include "pg/unit.h"
#include "rules/workload.h"
#include "server.h"
#include "wire.h"

struct load_request {
	struct request *request;
	struct month month;
	struct pg_stmt *rows;
	struct pg_array ids, levels;
};

/* ---- the reply ----------------------------------------------------------------------------------
 */

static int add_hours(struct load_request *q, Seve__LoadReply *out, const char *siren, double hours)
{
	Seve__LoadElsewhere *last = out->n_items ? out->items[out->n_items - 1] : NULL;

	if (!last || strcmp(last->siren, siren) != 0) {
		last = arena_alloc(&q->request->arena, sizeof *last);
		if (!last)
			return -ERR_NOMEM;
		seve__load_elsewhere__init(last);
		last->has_hours = true;
		last->siren = arena_strdup(&q->request->arena, siren);
		if (!last->siren)
			return -ERR_NOMEM;
		out->items[out->n_items++] = last;
	}
	last->hours += hours;
	return 0;
}

/* One body at a time: what they take is given back before the next. */
static int sum_rows(struct load_request *q, Seve__LoadReply *out, struct err *e)
{
	const PGresult *res = q->rows->result;
	const int n = PQntuples(res);
	struct arena scratch;
	int rc = 0;

	out->items = arena_array(&q->request->arena, (size_t)n + 1, sizeof *out->items);
	if (!out->items)
		return err_set(e, ERR_NOMEM, "load");
	arena_init(&scratch, 1024 * 1024);
	for (int row = 0; !rc && row < n; row++) {
		const struct span body = pg_get_bytes(res, row, 1);
		ProtobufCMessage *m;
		const Seve__Position *p;

		arena_reset(&scratch);
		rc = wire_unpack(&scratch, &seve__body__descriptor, body.at, body.len, &m, e);
		p = rc ? NULL : ((const Seve__Body *)m)->position;
		if (p && load_counts(p, q->month) && workload_hours(p) > 0 &&
		    add_hours(q, out, pg_get_text(res, row, 0), workload_hours(p)))
			rc = err_set(e, ERR_NOMEM, "load");
	}
	arena_fini(&scratch);
	return rc;
}

static void load_done(struct pg_unit *u)
{
	struct load_request *q = u->owner;
	Seve__LoadReply load = SEVE__LOAD_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct err e = u->err;

	if (!e.code)
		sum_rows(q, &load, &e);
	pg_unit_clear(u);
	if (e.code) {
		request_fail(q->request, &e);
		return;
	}
	reply.body_case = SEVE__REPLY__BODY_LOAD;
	reply.load = &load;
	request_reply(q->request, &reply);
}

/* ---- starting -----------------------------------------------------------------------------------
 */

static int load_ask(struct load_request *q, struct err *e)
{
	struct pg_unit *u = pg_unit_new(&q->request->arena, q, load_done);

	if (!u || !pg_unit_add(u, pg_sql("set_all_territories")))
		return err_set(e, ERR_NOMEM, "load");
	q->rows = pg_unit_add(u, pg_sql("load_elsewhere"));
	if (!q->rows)
		return err_set(e, ERR_NOMEM, "load");
	pg_params_array(&q->rows->params, &q->ids);
	pg_params_array(&q->rows->params, &q->levels);
	pg_params_int4(&q->rows->params, SEVE__BODY__KIND_POSITION);
	if (pg_params_bad(&q->rows->params))
		return err_set(e, ERR_NOMEM, "load");
	pg_pool_submit(q->request->server->readers, u);
	return 0;
}

/* Hours elsewhere are for those who run a network or several, not for its members. */
static bool runs(const struct rights *r)
{
	return r->reads >= SEVE__LEVEL__LEVEL_NETWORK && (r->writes & (KIND_BY_F | KIND_BY_C));
}

/* Those asked for, else all that the caller runs. */
static int load_territories_of(struct load_request *q, const Seve__LoadRequest *body, struct err *e)
{
	const struct principal *who = q->request->who;
	struct rights rights;

	for (size_t i = 0; i < body->n_territories; i++) {
		if (authz_read(who, body->territories[i], &rights, e))
			return -(int)e->code;
		if (!runs(&rights))
			return err_set(e, ERR_DENIED,
				       "territory %u: hours elsewhere are told to its facilitators "
				       "and coordinators",
				       body->territories[i]);
		pg_array_int4(&q->ids, (int32_t)body->territories[i]);
		pg_array_int2(&q->levels, (int16_t)rights.reads);
	}
	for (size_t i = 0; !body->n_territories && i < who->n_grants; i++) {
		rights = authz_rights(who, who->grants[i].territory);
		if (!runs(&rights))
			continue;
		pg_array_int4(&q->ids, (int32_t)who->grants[i].territory);
		pg_array_int2(&q->levels, (int16_t)rights.reads);
	}
	return 0;
}

static int load_start(struct request *r, struct err *e)
{
	const Seve__LoadRequest *body = r->body->load;
	struct load_request *q = arena_zalloc(&r->arena, sizeof *q);

	*e = (struct err){.code = ERR_OK};
	if (!q)
		return err_set(e, ERR_NOMEM, "load");
	q->request = r;
	q->month = (struct month){body->from_on, body->to_on};
	if (!body->has_from_on || !body->has_to_on || body->from_on > body->to_on ||
	    body->to_on - (int64_t)body->from_on > 366)
		return err_set(e, ERR_INVALID, "load: from_on and to_on are the days of a month");
	pg_array_init(&q->ids, &r->arena, PG_INT4);
	pg_array_init(&q->levels, &r->arena, PG_INT2);
	if (load_territories_of(q, body, e))
		return -(int)e->code;
	return load_ask(q, e);
}

void handle_load(struct request *r)
{
	struct err e;

	if (load_start(r, &e))
		request_fail(r, &e);
}
