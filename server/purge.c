/* purge.c -- see purge.h.
 *
 *   IDLE ─due─► LIST ─► LOOK ⟲ ─old ones─► DELETE ⟲ ─► LOOK …  ─end─► VERDICTS ─► CLIENTS ─► the
 * next territory … IDLE     (each arrow is a unit of the readers; an error, or another process at
 * it, leads to IDLE) */
#include "purge.h"

#include <stdlib.h>
#include <uthash.h>

#include "clock.h"
#include "log.h"
#include "pg/load.h"
#include "server_private.h"

enum {
	PURGE_ARENA_MAX = 4 * 1024 * 1024,
	PURGE_WINDOW = 20000, /* revs looked at in one statement */
	PURGE_DELETES = 5000, /* as in purge_tombstones.sql */
	PURGE_STEPS = 2000,   /* of one run */
	PURGE_CLIENTS = 500,  /* whose verdicts go in one statement */
	PURGE_TAKEN_MAX = 100000,
};

enum purge_state { PURGE_IDLE, PURGE_LIST, PURGE_LOOK, PURGE_DELETE, PURGE_VERDICTS, PURGE_DEAD };

/* How far the search in a territory has come: below it nothing will ever be old. */
struct place {
	uint32_t territory;
	uint64_t rev;
	struct uuid client;
	uint64_t mid; /* of the walk through clients */
	UT_hash_handle hh;
};

struct taken_key {
	uint32_t territory;
	struct uuid client;
};
struct taken {
	struct taken_key key;
	uint64_t mid;
	UT_hash_handle hh;
};

struct purge {
	struct server *server;
	enum purge_state state;
	struct arena arena; /* of the unit under way */
	struct place *places;
	struct taken *taken;
	uint32_t *territories;
	size_t n, at;
	uint64_t due_ms, epoch;
	int64_t now_ms; /* wall clock, when the run began */
	uint64_t to;    /* of the window that is being emptied */
	unsigned steps;
	uint64_t tombstones, verdicts; /* of this run */
};

static void purge_step(struct purge *p);

static int64_t age(const struct purge *p, enum config_key key)
{
	return config_number(p->server->conf, key);
}

static int64_t cutoff(const struct purge *p, enum config_key key)
{
	return p->now_ms - age(p, key);
}

static struct place *place_now(struct purge *p)
{
	const uint32_t territory = p->territories[p->at];
	struct place *at;

	HASH_FIND(hh, p->places, &territory, sizeof territory, at);
	if (at)
		return at;
	at = calloc(1, sizeof *at);
	if (!at)
		return NULL;
	at->territory = territory;
	HASH_ADD(hh, p->places, territory, sizeof at->territory, at);
	return at;
}

static void places_clear(struct purge *p)
{
	struct place *at, *tmp;

	HASH_ITER (hh, p->places, at, tmp) {
		HASH_DEL(p->places, at);
		free(at);
	}
}

/* ---- ending
 * ---------------------------------------------------------------------------------------- */

static void run_end(struct purge *p)
{
	p->state = PURGE_IDLE;
	p->server->priv->metrics.purges++;
	if (p->tombstones || p->verdicts)
		log_event(LOG_INFO, "purged", "tombstones=%llu verdicts=%llu steps=%u",
			  (unsigned long long)p->tombstones, (unsigned long long)p->verdicts,
			  p->steps);
	free(p->territories);
	p->territories = NULL;
	p->n = p->at = 0;
}

static void next_territory(struct purge *p)
{
	p->at++;
	p->state = PURGE_LOOK;
}

/* ---- units
 * ------------------------------------------------------------------------------------------ */

static void stepped(struct pg_unit *u);

/* A transaction with the turn, the head's lock where it is needed, and one statement.  Its
 * parameters are the caller's to fill in. */
static struct pg_stmt *unit_new(struct purge *p, bool turn, bool lock, const char *sql,
				struct pg_unit **out)
{
	struct pg_unit *u = pg_unit_new(&p->arena, p, stepped);
	const uint32_t territory = p->territories ? p->territories[p->at] : 0;
	struct pg_stmt *head;

	*out = u;
	if (!u ||
	    (turn && (!pg_unit_add(u, pg_sql("begin")) || !pg_unit_add(u, pg_sql("purge_turn")))))
		return NULL;
	if (territory && load_territories(u, &territory, 1))
		return NULL;
	if (lock) {
		head = pg_unit_add(u, pg_sql("purge_head"));
		if (!head)
			return NULL;
		pg_params_int4(&head->params, (int32_t)territory);
	}
	return pg_unit_add(u, pg_sql(sql));
}

static int unit_send(struct purge *p, struct pg_unit *u, struct pg_stmt *s, bool turn)
{
	if (!s || pg_params_bad(&s->params) || (turn && !pg_unit_add(u, pg_sql("commit"))))
		return -ERR_NOMEM;
	pg_pool_submit(p->server->readers, u);
	return 0;
}

static int send_list(struct purge *p)
{
	struct pg_unit *u;
	struct pg_stmt *s = unit_new(p, false, false, "purge_territories", &u);

	return unit_send(p, u, s, false);
}

static int send_look(struct purge *p)
{
	const struct place *at = place_now(p);
	struct pg_unit *u;
	struct pg_stmt *s = unit_new(p, false, false, "purge_look", &u);

	if (!at || !s)
		return -ERR_NOMEM;
	pg_params_int4(&s->params, (int32_t)at->territory);
	pg_params_int8(&s->params, (int64_t)at->rev);
	pg_params_int8(&s->params, PURGE_WINDOW);
	pg_params_int8(&s->params, cutoff(p, CONFIG_TOMBSTONE_AGE));
	return unit_send(p, u, s, false);
}

static int send_delete(struct purge *p)
{
	const struct place *at = place_now(p);
	struct pg_unit *u;
	struct pg_stmt *s = unit_new(p, true, true, "purge_tombstones", &u);

	if (!at || !s)
		return -ERR_NOMEM;
	pg_params_int4(&s->params, (int32_t)at->territory);
	pg_params_int8(&s->params, (int64_t)at->rev);
	pg_params_int8(&s->params, (int64_t)p->to);
	pg_params_int8(&s->params, cutoff(p, CONFIG_TOMBSTONE_AGE));
	return unit_send(p, u, s, true);
}

/* Those of this territory, out of the list: the next push of a client brings it back.  1: none. */
static int send_verdicts(struct purge *p)
{
	const uint32_t territory = p->territories[p->at];
	struct pg_array clients, mids;
	struct taken *t, *tmp;
	struct pg_unit *u;
	struct pg_stmt *s;
	size_t n = 0;

	pg_array_init(&clients, &p->arena, PG_UUID);
	pg_array_init(&mids, &p->arena, PG_INT8);
	HASH_ITER (hh, p->taken, t, tmp) {
		if (t->key.territory != territory || n == PURGE_CLIENTS)
			continue;
		pg_array_uuid(&clients, t->key.client.b);
		pg_array_int8(&mids, (int64_t)t->mid);
		n++;
		HASH_DEL(p->taken, t);
		free(t);
	}
	if (!n)
		return 1;
	s = unit_new(p, true, false, "purge_verdicts", &u);
	if (!s)
		return -ERR_NOMEM;
	pg_params_int4(&s->params, (int32_t)territory);
	pg_params_array(&s->params, &clients);
	pg_params_array(&s->params, &mids);
	pg_params_int8(&s->params, cutoff(p, CONFIG_VERDICT_AGE));
	return unit_send(p, u, s, true);
}

static int send_dead(struct purge *p)
{
	const struct place *at = place_now(p);
	struct pg_unit *u;
	struct pg_stmt *s = unit_new(p, true, false, "purge_clients", &u);

	if (!at || !s)
		return -ERR_NOMEM;
	pg_params_int4(&s->params, (int32_t)at->territory);
	pg_params_uuid(&s->params, at->client.b);
	pg_params_int8(&s->params, (int64_t)at->mid);
	pg_params_int8(&s->params, cutoff(p, CONFIG_CLIENT_AGE));
	return unit_send(p, u, s, true);
}

/* ---- answers
 * ---------------------------------------------------------------------------------------- */

/* The statement before COMMIT, or the last one. */
static const PGresult *answer(const struct pg_unit *u, bool turn)
{
	const struct pg_stmt *s = u->first;

	while (s->next && (!turn || s->next->next))
		s = s->next;
	return s->result;
}

static void heard_list(struct purge *p, const PGresult *r)
{
	p->n = (size_t)PQntuples(r);
	p->territories = calloc(p->n + 1, sizeof *p->territories);
	p->n = p->territories ? p->n : 0;
	for (size_t i = 0; i < p->n; i++)
		p->territories[i] = (uint32_t)pg_get_int4(r, (int)i, 0);
	p->state = PURGE_LOOK;
}

static void heard_look(struct purge *p, const PGresult *r)
{
	struct place *at = place_now(p);

	p->to = (uint64_t)pg_get_int8(r, 0, 0);
	if (pg_get_int8(r, 0, 1)) {
		p->state = PURGE_DELETE;
		return;
	}
	if (at)
		at->rev = p->to;
	if (pg_get_bool(r, 0, 2))
		p->state = PURGE_VERDICTS;
}

static void heard_delete(struct purge *p, const PGresult *r)
{
	const int64_t n = pg_get_int8(r, 0, 0);
	struct place *at = place_now(p);

	if (!pg_get_bool(r, 0, 2)) {
		run_end(p); /* another process is at it */
		return;
	}
	p->tombstones += (uint64_t)n;
	p->server->priv->metrics.purged_tombstones += (uint64_t)n;
	if (at && n)
		at->rev = (uint64_t)pg_get_int8(r, 0, 1);
	if (n < PURGE_DELETES && at)
		at->rev = p->to;
	if (n < PURGE_DELETES)
		p->state = PURGE_LOOK;
}

static void heard_verdicts(struct purge *p, const PGresult *r)
{
	p->verdicts += (uint64_t)pg_get_int8(r, 0, 0);
	p->server->priv->metrics.purged_verdicts += (uint64_t)pg_get_int8(r, 0, 0);
}

/* One window a run: this walk is in no hurry. */
static void heard_dead(struct purge *p, const PGresult *r)
{
	struct place *at = place_now(p);

	heard_verdicts(p, r);
	if (at && (pg_get_bool(r, 0, 1) || pg_is_null(r, 0, 2))) {
		at->client = (struct uuid){{0}};
		at->mid = 0;
	} else if (at) {
		at->client = pg_get_uuid(r, 0, 2);
		at->mid = (uint64_t)pg_get_int8(r, 0, 3);
	}
	next_territory(p);
}

static void stepped(struct pg_unit *u)
{
	struct purge *p = u->owner;

	if (u->err.code) {
		log_event(LOG_WARN, "purge_failed", "error=%s", u->err.text);
		pg_unit_clear(u);
		run_end(p);
		return;
	}
	switch (p->state) {
	case PURGE_LIST:
		heard_list(p, answer(u, false));
		break;
	case PURGE_LOOK:
		heard_look(p, answer(u, false));
		break;
	case PURGE_DELETE:
		heard_delete(p, answer(u, true));
		break;
	case PURGE_VERDICTS:
		heard_verdicts(p, answer(u, true));
		break;
	case PURGE_DEAD:
		heard_dead(p, answer(u, true));
		break;
	case PURGE_IDLE:
		break;
	}
	pg_unit_clear(u);
	if (p->state != PURGE_IDLE)
		purge_step(p);
}

/* ---- going on
 * --------------------------------------------------------------------------------------- */

/* Sends the next unit; 1: there is nothing to be done in this state. */
static int send_next(struct purge *p)
{
	switch (p->state) {
	case PURGE_LIST:
		return send_list(p);
	case PURGE_LOOK:
		return age(p, CONFIG_TOMBSTONE_AGE) ? send_look(p) : 1;
	case PURGE_DELETE:
		return send_delete(p);
	case PURGE_VERDICTS:
		return age(p, CONFIG_VERDICT_AGE) ? send_verdicts(p) : 1;
	case PURGE_DEAD:
		return age(p, CONFIG_CLIENT_AGE) ? send_dead(p) : 1;
	case PURGE_IDLE:
		break;
	}
	return -ERR_INTERNAL;
}

static void purge_step(struct purge *p)
{
	int rc = 1;

	while (rc == 1) {
		if (p->server->priv->state != SERVER_SERVING || ++p->steps > PURGE_STEPS ||
		    (p->state != PURGE_LIST && p->at == p->n)) {
			run_end(p);
			return;
		}
		arena_reset(&p->arena);
		rc = send_next(p);
		if (rc == 1 && p->state == PURGE_LOOK)
			p->state = PURGE_VERDICTS;
		else if (rc == 1 && p->state == PURGE_VERDICTS)
			p->state = PURGE_DEAD;
		else if (rc == 1)
			next_territory(p);
	}
	if (rc < 0)
		run_end(p);
}

void purge_sweep(struct purge *p)
{
	const uint64_t now = clock_mono_ms();

	if (p->state != PURGE_IDLE || now < p->due_ms || p->server->priv->state != SERVER_SERVING)
		return;
	p->due_ms = now + (uint64_t)config_number(p->server->conf, CONFIG_PURGE_INTERVAL);
	if (p->epoch != p->server->epoch)
		places_clear(p); /* another history */
	p->epoch = p->server->epoch;
	p->now_ms = clock_wall_ms();
	p->tombstones = p->verdicts = p->steps = 0;
	p->state = PURGE_LIST;
	purge_step(p);
}

void purge_taken(struct purge *p, uint32_t territory, const struct uuid *client, uint64_t mid)
{
	struct taken_key key;
	struct taken *t;

	memset(&key, 0, sizeof key);
	key.territory = territory;
	key.client = *client;
	HASH_FIND(hh, p->taken, &key, sizeof key, t);
	if (!t) {
		if (HASH_COUNT(p->taken) >= PURGE_TAKEN_MAX)
			return;
		t = calloc(1, sizeof *t);
		if (!t)
			return; /* its next push tells again */
		t->key = key;
		HASH_ADD(hh, p->taken, key, sizeof t->key, t);
	}
	if (mid > t->mid)
		t->mid = mid;
}

/* ---- opening and closing
 * ---------------------------------------------------------------------------- */

int purge_open(struct server *s, struct purge **out, struct err *e)
{
	struct purge *p = calloc(1, sizeof *p);

	if (!p)
		return err_set(e, ERR_NOMEM, "purge");
	p->server = s;
	p->due_ms = clock_mono_ms() + (uint64_t)config_number(s->conf, CONFIG_PURGE_INTERVAL);
	arena_init(&p->arena, PURGE_ARENA_MAX);
	*out = p;
	return 0;
}

void purge_free(struct purge *p)
{
	struct taken *t, *tmp;

	if (!p)
		return;
	HASH_ITER (hh, p->taken, t, tmp) {
		HASH_DEL(p->taken, t);
		free(t);
	}
	places_clear(p);
	arena_fini(&p->arena);
	free(p->territories);
	free(p);
}
