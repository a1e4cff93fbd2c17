/* seats.c -- the principals of open sessions, and keeping them true to the database.
 *
 * Any sign of a change (a bell, a change of our own, a bell connection that was down, some seconds)
 * has all of them read again in one query: changes are rare, principals few.  So nothing depends on
 * a notification arriving. */
#include "seats.h"

#include "clock.h"
#include "log.h"
#include "server_private.h"
#include "token.h"

/* Out of memory leaves the table as it was; seat_add() finds out. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum { REFRESH_ARENA = 16 * 1024 * 1024 };

struct seat_key {
	char token_id[sizeof((struct principal *)0)->token_id];
	struct uuid client;
};

struct seat {
	struct seat_key key;
	struct principal *who; /* a reference of its own */
	bool asked;            /* the refresh under way asked for it */
	UT_hash_handle hh;
};

struct refresh {
	struct server *server;
	struct arena arena;
	struct pg_stmt *rows;
};

/* ---- principals from rows ---------------------------------------------------------------------
 */

static bool same_token(const PGresult *rows, int a, int b)
{
	return !strcmp(pg_get_text(rows, a, SEAT_PUBLIC), pg_get_text(rows, b, SEAT_PUBLIC));
}

static void read_grant(const PGresult *rows, int row, const struct role *role, struct grant *g)
{
	*g = (struct grant){.role = role,
			    .territory = (uint32_t)pg_get_int4(rows, row, SEAT_TERRITORY)};
	snprintf(g->slug, sizeof g->slug, "%s", pg_get_text(rows, row, SEAT_SLUG));
	snprintf(g->region, sizeof g->region, "%s", pg_get_text(rows, row, SEAT_REGION));
	snprintf(g->name, sizeof g->name, "%s", pg_get_text(rows, row, SEAT_NAME));
	snprintf(g->source, sizeof g->source, "%s", pg_get_text(rows, row, SEAT_SOURCE));
	const struct span scope = pg_get_bytes(rows, row, SEAT_SCOPE);
	if (scope.len == sizeof g->scope.b)
		memcpy(g->scope.b, scope.at, sizeof g->scope.b);
}

static struct principal *read_principal(const PGresult *rows, int row, const struct uuid *client)
{
	int end = row;
	while (end < PQntuples(rows) && same_token(rows, row, end))
		end++;
	struct principal *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->refs = 1;
	p->grants = calloc((size_t)(end - row), sizeof *p->grants);
	if (!p->grants) {
		free(p);
		return NULL;
	}
	p->account_id = pg_get_int4(rows, row, SEAT_ACCOUNT_ID);
	snprintf(p->account, sizeof p->account, "%s", pg_get_text(rows, row, SEAT_ACCOUNT));
	snprintf(p->token_id, sizeof p->token_id, "%s", pg_get_text(rows, row, SEAT_PUBLIC));
	p->client_id = *client;
	p->client_short = uuid_short(client);
	p->expires_ms = pg_get_instant(rows, row, SEAT_EXPIRES);
	for (int i = row; i < end; i++) {
		/* NULLs of an account without grants, or a role of a newer server: nothing to give.
		 */
		const struct role *role = role_by_number(pg_get_int2(rows, i, SEAT_ROLE));
		if (role)
			read_grant(rows, i, role, &p->grants[p->n_grants++]);
	}
	return p;
}

static bool same_grant(const struct grant *a, const struct grant *b)
{
	return a->role == b->role && a->territory == b->territory && !strcmp(a->slug, b->slug) &&
	       !strcmp(a->region, b->region) && !strcmp(a->name, b->name) &&
	       !strcmp(a->source, b->source) && !uuid_cmp(&a->scope, &b->scope);
}

static bool same_principal(const struct principal *a, const struct principal *b)
{
	if (a->account_id != b->account_id || strcmp(a->account, b->account) ||
	    a->n_grants != b->n_grants || a->expires_ms != b->expires_ms || a->closed)
		return false;
	for (size_t i = 0; i < a->n_grants; i++)
		if (!same_grant(&a->grants[i], &b->grants[i]))
			return false;
	return true;
}

/* ---- the table --------------------------------------------------------------------------------
 */

static struct seat_key key_of(const char *token_id, const struct uuid *client)
{
	struct seat_key k;
	memset(&k, 0, sizeof k); /* it is hashed whole */
	snprintf(k.token_id, sizeof k.token_id, "%s", token_id);
	k.client = *client;
	return k;
}

static void seat_drop(struct auth *a, struct seat *s)
{
	HASH_DEL(a->seats, s);
	principal_unref(s->who);
	free(s);
}

static int seat_add(struct auth *a, const struct seat_key *k, struct principal *who)
{
	struct seat *s = calloc(1, sizeof *s);
	if (!s)
		return -ERR_NOMEM;
	s->key = *k;
	s->who = principal_ref(who);
	const unsigned before = HASH_COUNT(a->seats);
	HASH_ADD(hh, a->seats, key, sizeof s->key, s);
	if (HASH_COUNT(a->seats) > before)
		return 0;
	principal_unref(s->who);
	free(s);
	return -ERR_NOMEM;
}

/* What its sessions will be from now on; takes over the caller's reference. */
static void seat_replace(struct seat *s, struct principal *who)
{
	who->allowance = s->who->allowance;
	who->allowance_ms = s->who->allowance_ms;
	s->who->successor = who;
}

/* Sessions follow what the principals' marks say; then the table does. */
static void apply_marks(struct server *s)
{
	conns_follow(s);
	struct seat *x, *next;
	HASH_ITER (hh, s->priv->auth.seats, x, next) {
		if (x->who->closed) {
			seat_drop(&s->priv->auth, x);
			continue;
		}
		struct principal *heir = x->who->successor;
		if (!heir)
			continue;
		x->who->successor = NULL;
		principal_unref(x->who);
		x->who = heir;
	}
}

int seats_take(struct server *s, const PGresult *rows, const struct uuid *client,
	       struct principal **out, struct err *e)
{
	struct auth *a = &s->priv->auth;
	struct principal *fresh = read_principal(rows, 0, client);
	if (!fresh)
		return err_set(e, ERR_NOMEM, "principal");
	const struct seat_key k = key_of(fresh->token_id, client);
	struct seat *x = NULL;
	HASH_FIND(hh, a->seats, &k, sizeof k, x);
	if (x && same_principal(x->who, fresh)) {
		principal_unref(fresh);
		*out = principal_ref(x->who);
		return 0;
	}
	if (!x && seat_add(a, &k, fresh) < 0) {
		principal_unref(fresh);
		return err_set(e, ERR_NOMEM, "principal");
	}
	*out = fresh;
	if (x) {
		seat_replace(x, principal_ref(fresh));
		apply_marks(s);
	}
	return 0;
}

/* ---- reading again ----------------------------------------------------------------------------
 */

/* Rows are in order of token: finds the first of one. */
static int find_token(const PGresult *rows, const char *token_id)
{
	int low = 0, high = PQntuples(rows);
	while (low < high) {
		const int middle = low + (high - low) / 2;
		if (strcmp(pg_get_text(rows, middle, SEAT_PUBLIC), token_id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < PQntuples(rows) && !strcmp(pg_get_text(rows, low, SEAT_PUBLIC), token_id) ? low
											       : -1;
}

static void mark(struct seat *s, const PGresult *rows)
{
	const int row = find_token(rows, s->key.token_id);
	if (row < 0 || pg_get_bool(rows, row, SEAT_REVOKED)) {
		s->who->closed = "this token was revoked";
		return;
	}
	struct principal *fresh = read_principal(rows, row, &s->key.client);
	if (!fresh)
		return; /* the next refresh will do it */
	if (same_principal(s->who, fresh))
		principal_unref(fresh);
	else
		seat_replace(s, fresh);
}

static void refresh_done(struct pg_unit *u)
{
	struct refresh *r = u->owner;
	struct server *s = r->server;
	struct auth *a = &s->priv->auth;
	a->refreshing = false;
	a->refresh_at_ms = clock_mono_ms() + (u->err.code ? AUTH_RETRY_MS : AUTH_REFRESH_MS);
	if (u->err.code == 0) {
		struct seat *x, *next;
		HASH_ITER (hh, a->seats, x, next)
			if (x->asked)
				mark(x, r->rows->result);
		apply_marks(s);
	}
	pg_unit_clear(u);
	arena_fini(&r->arena);
	free(r);
	if (a->stale && s->priv->state == SERVER_SERVING)
		auth_changed(s);
}

static struct pg_unit *refresh_make(struct refresh *r)
{
	struct auth *a = &r->server->priv->auth;
	struct pg_unit *u = pg_unit_new(&r->arena, r, refresh_done);
	struct pg_stmt *scope = u ? pg_unit_add(u, pg_sql("access_scope")) : NULL;
	r->rows = scope ? pg_unit_add(u, pg_sql("access_tokens")) : NULL;
	if (!r->rows)
		return NULL;
	struct pg_array ids;
	pg_array_init(&ids, &r->arena, PG_TEXT);
	struct seat *x, *next;
	HASH_ITER (hh, a->seats, x, next) {
		x->asked = true;
		pg_array_text(&ids, x->key.token_id);
	}
	pg_params_array(&scope->params, &ids);
	pg_params_array(&r->rows->params, &ids);
	return pg_params_bad(&scope->params) || pg_params_bad(&r->rows->params) ? NULL : u;
}

void auth_changed(struct server *s)
{
	struct auth *a = &s->priv->auth;
	a->stale = true;
	if (a->refreshing)
		return; /* what is under way may have read too early: once more after it */
	a->stale = false;
	a->refresh_at_ms = clock_mono_ms() + AUTH_REFRESH_MS;
	if (!a->seats)
		return;
	struct refresh *r = calloc(1, sizeof *r);
	if (r) {
		r->server = s;
		arena_init(&r->arena, REFRESH_ARENA);
		struct pg_unit *u = refresh_make(r);
		if (u) {
			a->refreshing = true;
			pg_pool_submit(s->readers, u);
			return;
		}
		arena_fini(&r->arena);
		free(r);
	}
	a->refresh_at_ms = clock_mono_ms() + AUTH_RETRY_MS;
	log_event(LOG_ERROR, "access_not_read", "error=%s", "out of memory");
}

void auth_sweep(struct server *s)
{
	struct auth *a = &s->priv->auth;
	const int64_t now = clock_wall_ms();
	bool ended = false;
	struct seat *x, *next;
	HASH_ITER (hh, a->seats, x, next) {
		if (x->who->refs == 1) { /* no session, no request */
			seat_drop(a, x);
		} else if (x->who->expires_ms <= now) {
			x->who->closed = "this token has expired";
			ended = true;
		}
	}
	if (ended)
		apply_marks(s);
	if (clock_mono_ms() >= a->refresh_at_ms)
		auth_changed(s);
}

void auth_fini(struct auth *a)
{
	struct seat *x, *next;
	HASH_ITER (hh, a->seats, x, next)
		seat_drop(a, x);
}
