/* session.c -- what a session may ask about itself and its territories. */
#include "auth.h"
#include "clock.h"
#include "dispatch.h"
#include "pg/unit.h"
#include "server.h"

struct status {
	struct request *request;
	struct pg_stmt *heads;
};

static int read_heads(struct arena *a, const PGresult *r, Seve__StatusReply *out)
{
	const int n = PQntuples(r);
	out->heads = arena_array(a, (size_t)n + 1, sizeof *out->heads);
	Seve__Head *rows = arena_array(a, (size_t)n + 1, sizeof *rows);
	if (!out->heads || !rows)
		return -ERR_NOMEM;
	for (int i = 0; i < n; i++) {
		seve__head__init(&rows[i]);
		rows[i].has_territory = rows[i].has_rev = 1;
		rows[i].territory = (uint32_t)pg_get_int4(r, i, 0);
		rows[i].rev = (uint64_t)pg_get_int8(r, i, 1);
		out->heads[i] = &rows[i];
	}
	out->n_heads = (size_t)n;
	return 0;
}

static void status_reply(struct status *s)
{
	struct request *r = s->request;
	Seve__StatusReply status = SEVE__STATUS_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	status.server = (char *)(uintptr_t)("seved/" SEVE_VERSION_TEXT);
	status.has_epoch = status.has_clock_ms = 1;
	status.epoch = r->server->epoch;
	status.clock_ms = clock_wall_ms();
	int rc = read_heads(&r->arena, s->heads->result, &status);
	if (rc == 0)
		rc = auth_grants(&r->arena, r->who, &status.grants);
	if (rc < 0) {
		struct err e = {0};
		err_set(&e, ERR_NOMEM, "status");
		request_fail(r, &e);
		return;
	}
	status.n_grants = r->who->n_grants;
	reply.body_case = SEVE__REPLY__BODY_STATUS;
	reply.status = &status;
	request_reply(r, &reply);
}

/* The numbers are copied: the results go before the request does, whose arena holds the unit. */
static void status_done(struct pg_unit *u)
{
	struct status *s = u->owner;
	PGresult *heads = s->heads->result;
	const struct err e = u->err;
	s->heads->result = NULL;
	pg_unit_clear(u);
	if (e.code) {
		request_fail(s->request, &e);
	} else {
		struct pg_stmt kept = {.result = heads};
		struct status copy = {s->request, &kept};
		status_reply(&copy);
	}
	PQclear(heads);
}

static struct pg_unit *status_ask(struct request *r)
{
	struct status *s = arena_zalloc(&r->arena, sizeof *s);
	struct pg_unit *u = s ? pg_unit_new(&r->arena, s, status_done) : NULL;
	if (!u)
		return NULL;
	s->request = r;
	s->heads = pg_unit_add(u, pg_sql("status_heads"));
	if (!s->heads)
		return NULL;
	struct pg_array ids;
	pg_array_init(&ids, &r->arena, PG_INT4);
	for (size_t i = 0; i < r->who->n_grants; i++)
		if (r->who->grants[i].territory != AUTHZ_SERVER_WIDE)
			pg_array_int4(&ids, (int32_t)r->who->grants[i].territory);
	pg_params_array(&s->heads->params, &ids);
	return pg_params_bad(&s->heads->params) ? NULL : u;
}

void handle_status(struct request *r)
{
	struct pg_unit *u = status_ask(r);
	if (u) {
		pg_pool_submit(r->server->readers, u);
		return;
	}
	struct err e = {0};
	err_set(&e, ERR_NOMEM, "status");
	request_fail(r, &e);
}
