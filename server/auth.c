/* auth.c -- opening sessions: Hello to principal.  Knows no sockets. */
#include "auth.h"

#include <openssl/crypto.h>

#include "clock.h"
#include "invite.h"
#include "log.h"
#include "seats.h"
#include "server_private.h"
#include "text.h"
#include "token.h"
#include "wire.h"

enum { HELLO_ARENA = 1024 * 1024, DEVICE_MAX = 100, AGENT_MAX = 100 };

/* A Hello between its frame and its Welcome. */
struct hello {
	struct server *server;
	struct conn *conn; /* NULL once it is gone */
	struct arena arena;
	struct token token;
	struct uuid client;
	bool enrols;
	struct pg_stmt *enrolled, *why, *rows;
};

static void hello_free(struct hello *h)
{
	if (h->conn)
		h->conn->hello = NULL;
	OPENSSL_cleanse(&h->token, sizeof h->token);
	arena_fini(&h->arena);
	free(h);
}

void auth_forget(struct hello *h)
{
	h->conn = NULL;
}

/* ---- the answer -------------------------------------------------------------------------------
 */

static char *borrow(const char *s)
{
	return (char *)(uintptr_t)s;
}

int auth_grants(struct arena *a, const struct principal *who, Seve__Grant ***out)
{
	Seve__Grant **rows = arena_array(a, who->n_grants + 1, sizeof *rows);
	for (size_t i = 0; rows && i < who->n_grants; i++) {
		const struct grant *g = &who->grants[i];
		Seve__Grant *row = arena_alloc(a, sizeof *row);
		if (!row)
			return -ERR_NOMEM;
		seve__grant__init(row);
		row->has_role = 1;
		row->role = g->role->number;
		row->slug = borrow(g->slug);
		row->name = borrow(g->name);
		row->region = borrow(g->region);
		row->source = *g->source ? borrow(g->source) : NULL;
		row->has_scope = !uuid_is_nil(&g->scope);
		if (row->has_scope)
			row->scope = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)g->scope.b};
		row->has_view = 1;
		row->view = authz_view(who, g->territory);
		row->has_territory = g->territory != AUTHZ_SERVER_WIDE;
		row->territory = g->territory;
		rows[i] = row;
	}
	if (!rows)
		return -ERR_NOMEM;
	*out = rows;
	return 0;
}

static int send_welcome(struct hello *h, const struct principal *who)
{
	Seve__Limits limits = SEVE__LIMITS__INIT;
	limits.has_frame_max = limits.has_inflight_max = limits.has_mutations_max = 1;
	limits.has_changes_max = limits.has_rows_max = 1;
	limits.frame_max = FRAME_MAX;
	limits.inflight_max = CONN_INFLIGHT_MAX;
	limits.mutations_max = AUTH_MUTATIONS_MAX;
	limits.changes_max = AUTH_CHANGES_MAX;
	limits.rows_max = AUTH_ROWS_MAX;
	Seve__Welcome w = SEVE__WELCOME__INIT;
	w.has_proto = w.has_schema = w.has_epoch = w.has_clock_ms = 1;
	w.proto = AUTH_PROTO;
	w.schema = AUTH_SCHEMA;
	w.epoch = h->server->epoch;
	w.clock_ms = clock_wall_ms();
	w.account = borrow(who->account);
	w.server = borrow("seved/" SEVE_VERSION_TEXT);
	w.limits = &limits;
	if (h->enrols) {
		w.token = h->token.text;
		w.has_token_expires_at = 1;
		w.token_expires_at = who->expires_ms;
	}
	if (auth_grants(&h->arena, who, &w.grants) < 0)
		return -ERR_NOMEM;
	w.n_grants = who->n_grants;
	return conn_send(h->conn, FRAME_WELCOME, &w.base);
}

/* ---- noting that a token was used -------------------------------------------------------------
 */

struct used {
	struct arena arena;
};

static void used_done(struct pg_unit *u)
{
	struct used *x = u->owner;
	if (u->err.code)
		log_event(LOG_WARN, "token_use_not_noted", "error=%s", u->err.text);
	pg_unit_clear(u);
	arena_fini(&x->arena);
	free(x);
}

/* To the hour; failing to is harmless. */
static void note_use(struct server *s, const char *public_id)
{
	struct used *x = calloc(1, sizeof *x);
	if (!x)
		return;
	arena_init(&x->arena, 64 * 1024);
	struct pg_unit *u = pg_unit_new(&x->arena, x, used_done);
	struct pg_stmt *q = u ? pg_unit_add(u, pg_sql("access_used")) : NULL;
	if (q)
		pg_params_text(&q->params, public_id);
	if (q && !pg_params_bad(&q->params)) {
		pg_pool_submit(s->readers, u);
		return;
	}
	arena_fini(&x->arena);
	free(x);
}

/* ---- what the database said -------------------------------------------------------------------
 */

static int refuse_token(struct err *e, const char *why)
{
	err_set(e, ERR_UNAUTHENTICATED, "%s", why);
	return err_remedy(e, "ask an admin of the server for an invite, then: seve login");
}

/* The first row of a token's tells all but its grants. */
static int check_token(const struct hello *h, const PGresult *rows, struct err *e)
{
	static const uint8_t nothing[TOKEN_HASH];
	const bool known = PQntuples(rows) > 0;
	const struct span hash =
		known ? pg_get_bytes(rows, 0, SEAT_HASH) : (struct span){nothing, TOKEN_HASH};
	const bool same =
		hash.len == TOKEN_HASH && CRYPTO_memcmp(hash.at, h->token.hash, TOKEN_HASH) == 0;
	/* A wrong secret and an unknown id read the same: ids are not to be guessed. */
	if (!known || !same)
		return refuse_token(e, "the server does not know this token");
	if (pg_get_bool(rows, 0, SEAT_REVOKED))
		return refuse_token(e, "this token was revoked");
	if (pg_get_instant(rows, 0, SEAT_EXPIRES) <= clock_wall_ms())
		return refuse_token(e, "this token has expired");
	return 0;
}

static int check_enrolment(const struct hello *h, struct err *e)
{
	if (PQntuples(h->enrolled->result) > 0)
		return 0;
	const PGresult *why = h->why->result;
	if (PQntuples(why) == 0)
		err_set(e, ERR_UNAUTHENTICATED, "the server does not know this invite");
	else if (pg_get_bool(why, 0, 0))
		err_set(e, ERR_UNAUTHENTICATED, "this invite was already used");
	else
		err_set(e, ERR_UNAUTHENTICATED, "this invite has expired");
	return err_remedy(e, "ask whoever made it for a new one");
}

static int open_session(struct hello *h, struct err *e)
{
	int rc = h->enrols ? check_enrolment(h, e) : 0;
	if (rc == 0)
		rc = check_token(h, h->rows->result, e);
	if (rc < 0)
		return rc;
	struct principal *who;
	rc = seats_take(h->server, h->rows->result, &h->client, &who, e);
	if (rc < 0)
		return rc;
	struct conn *c = h->conn;
	if (send_welcome(h, who) < 0) {
		principal_unref(who);
		return err_set(e, ERR_NOMEM, "welcome");
	}
	h->server->priv->metrics.auth_ok++;
	if (!h->enrols && pg_get_bool(h->rows->result, 0, SEAT_STALE))
		note_use(h->server, h->token.public_id);
	log_event(LOG_INFO, h->enrols ? "enrolled" : "session", "conn=%llu account_id=%d token=%s",
		  (unsigned long long)c->serial, who->account_id, who->token_id);
	c->hello = NULL;
	h->conn = NULL;
	conn_authenticated(c, who);
	principal_unref(who);
	return 0;
}

static void hello_done(struct pg_unit *u)
{
	struct hello *h = u->owner;
	struct err e = u->err;
	/* send_welcome() may have ended the connection: then nobody is left to be told. */
	if (h->conn && (e.code || open_session(h, &e) < 0) && h->conn) {
		struct conn *c = h->conn;
		c->hello = NULL;
		h->conn = NULL;
		conn_refuse(c, &e);
	}
	pg_unit_clear(u);
	hello_free(h);
}

/* ---- asking -----------------------------------------------------------------------------------
 */

static void add_ids(struct pg_unit *u, struct pg_stmt *q, const char *public_id)
{
	struct pg_array ids;
	pg_array_init(&ids, u->arena, PG_TEXT);
	pg_array_text(&ids, public_id);
	pg_params_array(&q->params, &ids);
}

static int add_enrolment(struct hello *h, struct pg_unit *u, const Seve__Hello *m, struct err *e)
{
	struct invite invite;
	int rc = invite_read(m->invite, &invite, e);
	if (rc == 0)
		rc = token_make(&h->token, e);
	if (rc < 0)
		return rc;
	h->enrolled = pg_unit_add(u, pg_sql("access_enrol"));
	h->why = pg_unit_add(u, pg_sql("access_invite_state"));
	if (!h->enrolled || !h->why)
		return err_set(e, ERR_NOMEM, "hello");
	pg_params_bytes(&h->enrolled->params, invite.hash, sizeof invite.hash);
	pg_params_text(&h->enrolled->params, h->token.public_id);
	pg_params_bytes(&h->enrolled->params, h->token.hash, sizeof h->token.hash);
	pg_params_text(&h->enrolled->params, m->device && *m->device ? m->device : "unnamed");
	pg_params_bytes(&h->why->params, invite.hash, sizeof invite.hash);
	OPENSSL_cleanse(&invite, sizeof invite);
	return pg_params_bad(&h->enrolled->params) || pg_params_bad(&h->why->params)
		       ? err_set(e, ERR_NOMEM, "hello")
		       : 0;
}

static int ask(struct hello *h, const Seve__Hello *m, struct err *e)
{
	struct pg_unit *u = pg_unit_new(&h->arena, h, hello_done);
	if (!u)
		return err_set(e, ERR_NOMEM, "hello");
	h->enrols = m->invite && *m->invite;
	const int rc = h->enrols ? add_enrolment(h, u, m, e) : token_read(m->token, &h->token, e);
	if (rc < 0)
		return rc;
	struct pg_stmt *scope = pg_unit_add(u, pg_sql("access_scope"));
	h->rows = pg_unit_add(u, pg_sql("access_tokens"));
	if (!scope || !h->rows)
		return err_set(e, ERR_NOMEM, "hello");
	add_ids(u, scope, h->token.public_id);
	add_ids(u, h->rows, h->token.public_id);
	if (pg_params_bad(&scope->params) || pg_params_bad(&h->rows->params))
		return err_set(e, ERR_NOMEM, "hello");
	pg_pool_submit(h->server->readers, u);
	return 0;
}

static bool is_label(const char *s, size_t max)
{
	if (!s)
		return true;
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return strlen(s) <= max;
}

static int check_hello(const Seve__Hello *m, struct err *e)
{
	if (!m->has_proto_min || !m->has_proto_max || m->proto_min > AUTH_PROTO ||
	    m->proto_max < AUTH_PROTO) {
		err_set(e, ERR_PROTOCOL, "the client speaks protocol %u to %u, this server %d",
			m->proto_min, m->proto_max, AUTH_PROTO);
		return err_remedy(e, m->proto_min > AUTH_PROTO ? "ask for an upgrade of the server"
							       : "upgrade the client");
	}
	if (!m->has_client_id || m->client_id.len != sizeof(struct uuid))
		return err_set(e, ERR_INVALID, "client_id: 16 bytes are needed");
	const bool token = m->token && *m->token, invite = m->invite && *m->invite;
	if (token == invite) {
		err_set(e, ERR_UNAUTHENTICATED,
			token ? "both a token and an invite were sent"
			      : "neither a token nor an invite was sent");
		return err_remedy(e, "log in with an invite: seve login");
	}
	if (!is_label(m->device, DEVICE_MAX))
		return err_set(e, ERR_INVALID, "device: up to %d characters without controls",
			       DEVICE_MAX);
	if (!is_label(m->agent, AGENT_MAX))
		return err_set(e, ERR_INVALID, "agent: up to %d characters without controls",
			       AGENT_MAX);
	return 0;
}

static int begin(struct hello *h, struct span payload, struct err *e)
{
	ProtobufCMessage *base = NULL;
	int rc =
		wire_unpack(&h->arena, &seve__hello__descriptor, payload.at, payload.len, &base, e);
	if (rc < 0)
		return err_prefix(e, "Hello");
	const Seve__Hello *m = (const Seve__Hello *)base;
	rc = check_hello(m, e);
	if (rc < 0)
		return rc;
	memcpy(h->client.b, m->client_id.data, sizeof h->client.b);
	return ask(h, m, e);
}

void auth_hello(struct conn *c, struct span payload)
{
	struct err e = {0};
	struct hello *h = calloc(1, sizeof *h);
	if (!h) {
		err_set(&e, ERR_NOMEM, "hello");
		conn_refuse(c, &e);
		return;
	}
	h->server = c->server;
	h->conn = c;
	c->hello = h;
	arena_init(&h->arena, HELLO_ARENA);
	if (begin(h, payload, &e) == 0)
		return;
	hello_free(h);
	conn_refuse(c, &e);
}
