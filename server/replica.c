/* replica.c -- see replica.h.
 *
 * Those that wait are looked after together: one question for all of them each time.  A wait in
 * vain makes the standby unfit, so that only the first reads pay for a standby that hangs behind.
 */
#include "replica.h"

#include <stdlib.h>
#include <utlist.h>

#include "clock.h"
#include "epoch.h"
#include "log.h"
#include "server_private.h"

enum {
	LOOK_MS = 20, /* from one look after those that wait to the next */
	LOOK_ARENA = 4 * 1024 * 1024,
	LOOK_MOST = 1000, /* territories asked for at once */
	COMPLAIN_MS = 60000,
};

struct replica {
	struct server *server;
	struct pg_pool *pool;
	struct replica_wait *waits;
	struct arena arena; /* of the question under way */
	struct pg_stmt *heads, *epoch;
	uv_timer_t timer;
	bool asking, closing;
	bool unfit;
	struct {
		uint32_t territory; /* 0: none */
		uint64_t least;
	} wanted; /* what it must have seen to be fit again */
	uint64_t complained_ms;
	unsigned left; /* to be closed */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void look(struct replica *r);

/* ---- fit or not -------------------------------------------------------------------------------
 */

static void set_unfit(struct replica *r, uint32_t territory, uint64_t least, const char *why)
{
	if (!r->unfit)
		log_event(LOG_WARN, "replica_unfit", "why=%s pulls=%s", why, "primary");
	r->unfit = true;
	r->wanted.territory = territory;
	r->wanted.least = least;
}

static void set_fit(struct replica *r)
{
	if (r->unfit)
		log_event(LOG_INFO, "replica_fit", "pulls=%s", "standby");
	r->unfit = false;
}

bool replica_serves(const struct server *s)
{
	const struct replica *r = s->replica;
	return r && !r->unfit && !r->closing && pg_pool_up(r->pool) > 0;
}

size_t replica_up(const struct server *s)
{
	return s->replica ? pg_pool_up(s->replica->pool) : 0;
}

bool replica_is_ours(struct server *s, const PGresult *epoch)
{
	struct err e = {0};
	uint64_t theirs = 0;
	if (epoch_read(epoch, &theirs, &e) == 0 && theirs == s->epoch)
		return true;
	set_unfit(s->replica, 0, 0, e.code ? e.text : "another epoch");
	return false;
}

void replica_failed(struct server *s, const struct err *why)
{
	struct replica *r = s->replica;
	const uint64_t now = clock_mono_ms();
	if (r->complained_ms && now - r->complained_ms < COMPLAIN_MS)
		return;
	r->complained_ms = now;
	log_event(LOG_WARN, "replica_failed", "error=%s", why->text);
}

uint64_t replica_patience(const struct server *s)
{
	return clock_mono_ms() + (uint64_t)config_number(s->conf, CONFIG_REPLICA_WAIT);
}

void replica_submit(struct server *s, struct pg_unit *u)
{
	pg_pool_submit(s->replica->pool, u);
}

/* ---- waiting ----------------------------------------------------------------------------------
 */

/* The rows are in the order of their territories. */
static uint64_t head_in(const PGresult *rows, uint32_t territory)
{
	int low = 0, high = PQntuples(rows);
	while (low < high) {
		const int at = low + (high - low) / 2;
		const uint32_t there = (uint32_t)pg_get_int4(rows, at, 0);
		if (there == territory)
			return (uint64_t)pg_get_int8(rows, at, 1);
		if (there < territory)
			low = at + 1;
		else
			high = at;
	}
	return 0;
}

static void on_timer(uv_timer_t *t)
{
	look(t->data);
}

static void look_later(struct replica *r)
{
	if (r->waits && !r->closing)
		uv_timer_start(&r->timer, on_timer, LOOK_MS, 0);
}

static void tell(struct replica_wait *over)
{
	struct replica_wait *w, *next;
	DL_FOREACH_SAFE(over, w, next)
	{
		DL_DELETE(over, w);
		w->ready(w, w->caught_up);
	}
}

/* With the heads that the standby tells. */
static void end_waits(struct replica *r, const PGresult *rows)
{
	struct replica_wait *w, *next, *over = NULL;
	const uint64_t now = clock_mono_ms();
	/* Whoever is told may wait again: so all are taken from the list before anybody is. */
	DL_FOREACH_SAFE(r->waits, w, next)
	{
		w->caught_up = head_in(rows, w->territory) >= w->least;
		if (!w->caught_up && now < w->until_ms)
			continue;
		if (!w->caught_up)
			set_unfit(r, w->territory, w->least, "behind");
		DL_DELETE(r->waits, w);
		DL_APPEND(over, w);
	}
	tell(over);
}

/* It cannot be asked. */
static void give_up(struct replica *r)
{
	struct replica_wait *w, *over = r->waits;
	r->waits = NULL;
	DL_FOREACH (over, w)
		w->caught_up = false;
	tell(over);
}

static void looked(struct pg_unit *u)
{
	struct replica *r = u->owner;
	const PGresult *rows = u->err.code ? NULL : r->heads->result;
	r->asking = false;
	if (rows && r->unfit && replica_is_ours(r->server, r->epoch->result) &&
	    head_in(rows, r->wanted.territory) >= r->wanted.least)
		set_fit(r);
	if (rows)
		end_waits(r, rows);
	else
		give_up(r);
	pg_unit_clear(u);
	look_later(r);
}

static struct pg_unit *make_question(struct replica *r)
{
	struct pg_unit *u = pg_unit_new(&r->arena, r, looked);
	struct pg_array ids;
	const struct replica_wait *w;
	unsigned n = 0;
	r->heads = u ? pg_unit_add(u, pg_sql("status_heads")) : NULL;
	r->epoch = r->heads ? pg_unit_add(u, pg_sql("server_epoch")) : NULL;
	if (!r->epoch)
		return NULL;
	pg_array_init(&ids, &r->arena, PG_INT4);
	if (r->unfit && r->wanted.territory)
		pg_array_int4(&ids, (int32_t)r->wanted.territory);
	DL_FOREACH (r->waits, w)
		if (n++ < LOOK_MOST)
			pg_array_int4(&ids, (int32_t)w->territory);
	pg_params_array(&r->heads->params, &ids);
	return pg_params_bad(&r->heads->params) ? NULL : u;
}

static void look(struct replica *r)
{
	if (r->asking || r->closing)
		return;
	arena_reset(&r->arena);
	struct pg_unit *u = pg_pool_up(r->pool) ? make_question(r) : NULL;
	if (!u) {
		give_up(r);
		return;
	}
	r->asking = true;
	pg_pool_submit(r->pool, u);
}

void replica_await(struct server *s, struct replica_wait *w)
{
	struct replica *r = s->replica;
	s->priv->metrics.replica_waits++;
	DL_APPEND(r->waits, w);
	if (!uv_is_active((uv_handle_t *)&r->timer))
		look_later(r);
}

void replica_sweep(struct server *s)
{
	if (s->replica && s->replica->unfit)
		look(s->replica);
}

/* ---- opening and closing ----------------------------------------------------------------------
 */

/* One snapshot for all statements of a unit, and nothing is written. */
#define SETUP                                                                                      \
	PG_SETUP_APP "SET default_transaction_isolation TO 'repeatable read';"                     \
		     "SET default_transaction_read_only TO on;"

int replica_open(struct server *s, struct replica **out, struct err *e)
{
	const char *conninfo = config_text(s->conf, CONFIG_REPLICA_DATABASE);
	char setup[sizeof SETUP + 64];
	*out = NULL;
	if (!*conninfo)
		return 0;
	struct replica *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(e, ERR_NOMEM, "replica");
	r->server = s;
	snprintf(setup, sizeof setup, "%sSET statement_timeout TO %lld;", SETUP,
		 (long long)config_number(s->conf, CONFIG_STATEMENT_TIMEOUT));
	const size_t readers = (size_t)config_number(s->conf, CONFIG_READERS);
	const struct pg_link_options o = {.conninfo = conninfo, .name = "replica", .setup = setup};
	const int rc = pg_pool_open(s->loop, &o, readers, &r->pool, e);
	if (rc < 0) {
		free(r);
		return rc;
	}
	arena_init(&r->arena, LOOK_ARENA);
	uv_timer_init(s->loop, &r->timer);
	r->timer.data = r;
	*out = r;
	return 0;
}

static void one_closed(struct replica *r)
{
	if (--r->left == 0)
		r->closed(r->closed_ctx);
}

static void on_pool_closed(void *ctx)
{
	one_closed(ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
	one_closed(h->data);
}

void replica_close(struct replica *r, void (*closed)(void *ctx), void *ctx)
{
	r->closing = true;
	r->closed = closed;
	r->closed_ctx = ctx;
	r->left = 2;
	give_up(r);
	pg_pool_close(r->pool, on_pool_closed, r);
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

void replica_free(struct replica *r)
{
	if (!r)
		return;
	arena_fini(&r->arena);
	free(r);
}
