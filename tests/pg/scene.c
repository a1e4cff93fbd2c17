/* scene.c -- a server with one account that has enrolled: see scene.h. */
#include "scene.h"

#include <string.h>

#include "clock.h"

int scene_start(void **state, const char *const *flags)
{
	static struct scene s;
	struct peer p;
	char code[64];
	memset(&s, 0, sizeof s);
	host_start(&s.host, flags);
	host_invite(&s.host, "admin", code);
	Seve__Welcome *w = peer_open(&p, &s.host, NULL, code);
	assert_non_null(w);
	snprintf(s.token, sizeof s.token, "%s", w->token);
	peer_free(w);
	peer_close(&p);
	*state = &s;
	return 0;
}

int scene_set_up(void **state)
{
	return scene_start(state, NULL);
}

int scene_tear_down(void **state)
{
	struct scene *s = *state;
	clock_fake(0);
	host_stop(&s->host);
	return 0;
}

void scene_open(struct scene *s, struct peer *p)
{
	Seve__Welcome *w = peer_open(p, &s->host, s->token, NULL);
	assert_non_null(w);
	peer_free(w);
}

struct conns *scene_conns(struct scene *s)
{
	return &s->host.server->priv->conns;
}

Seve__Request scene_status(Seve__StatusRequest *body)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	seve__status_request__init(body);
	r.body_case = SEVE__REQUEST__BODY_STATUS;
	r.status = body;
	return r;
}

PGconn *scene_hold(struct scene *s)
{
	PGconn *pg = PQconnectdb(s->host.db.conninfo);
	assert_int_equal(PQstatus(pg), CONNECTION_OK);
	PQclear(PQexec(pg, "BEGIN"));
	PQclear(PQexec(pg, "LOCK TABLE territory_head IN ACCESS EXCLUSIVE MODE"));
	assert_int_equal(PQtransactionStatus(pg), PQTRANS_INTRANS);
	return pg;
}

void scene_expect_failure(struct peer *p, uint64_t id, const char *detail)
{
	Seve__Reply *reply = peer_reply(p);
	assert_int_equal(reply->id, id);
	assert_non_null(reply->error);
	assert_string_equal(reply->error->detail, detail);
	peer_free(reply);
}
