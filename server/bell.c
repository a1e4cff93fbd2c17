/* bell.c -- the doorbell between server processes.
 *
 * A channel's notification is sent alone, after the commit that it tells of: inside that
 * transaction it would have all commits of the cluster queue for a lock.  A channel that was silent
 * rings at once; after that commits may follow one another faster than others need to hear of each,
 * and what they say is gathered. */
#include "bell.h"

#include "epoch.h"
#include "log.h"
#include "pg/news.h"
#include "server_private.h"

enum {
	PAYLOAD_MAX = 7900, /* PostgreSQL's limit is 8000 */
	CHANNEL_ARENA = 256 * 1024,
	PAUSE_MS = 5,    /* between two notifications of a channel */
	FRESH_MS = 1000, /* so new a connection leads where others now do */
};

struct channel {
	struct bell *bell;
	const char *name;
	struct arena arena; /* of the notification under way */
	struct buf waiting; /* the next payload */
	uint64_t rung_ms;   /* of the loop's clock; 0: never */
	bool under_way;
};

struct bell {
	struct server *server;
	struct pg_link *link;
	struct channel heads, access;
	struct arena arena; /* of the question for the epoch */
	bool asking;
	bool missed;    /* bells may have been, while it was not heard */
	uint64_t up_ms; /* when the connection came, of the loop's clock */
	uv_timer_t pause;
	unsigned open; /* link and timer, until they have closed */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void ring(struct channel *c);

static void everybody_looks(struct channel *c)
{
	buf_consume(&c->waiting, buf_len(&c->waiting));
	buf_add(&c->waiting, "*", 1);
}

static void rung(struct pg_unit *u)
{
	struct channel *c = u->owner;
	const bool failed = u->err.code != 0;
	if (failed)
		log_event(LOG_DEBUG, "bell_not_rung", "channel=%s error=%s", c->name, u->err.text);
	pg_unit_clear(u);
	c->under_way = false;
	/* What was in it is gone; the next second, and the connection's return, ring again. */
	if (failed)
		everybody_looks(c);
	else
		ring(c);
}

static void on_pause_over(uv_timer_t *t)
{
	struct bell *b = t->data;
	ring(&b->heads);
	ring(&b->access);
}

/* It has rung just now: it will again when the pause is over. */
static bool pausing(struct channel *c)
{
	struct bell *b = c->bell;
	const uint64_t since = uv_now(b->server->loop) - c->rung_ms;
	if (!c->rung_ms || since >= PAUSE_MS)
		return false;
	if (!uv_is_active((uv_handle_t *)&b->pause))
		uv_timer_start(&b->pause, on_pause_over, PAUSE_MS - since, 0);
	return true;
}

/* Any connection to the primary can ring; while there is none, what is to be said waits. */
static void ring(struct channel *c)
{
	struct bell *b = c->bell;
	struct server *s = b->server;
	const bool up = pg_link_up(b->link);
	if (c->under_way || buf_len(&c->waiting) == 0 || (!up && pg_pool_up(s->readers) == 0) ||
	    b->closed || pausing(c))
		return;
	if (buf_add(&c->waiting, "", 1) < 0) {
		everybody_looks(c);
		return;
	}
	arena_reset(&c->arena);
	struct pg_unit *u = pg_unit_new(&c->arena, c, rung);
	struct pg_stmt *q = u ? pg_unit_add(u, pg_sql("bell_ring")) : NULL;
	if (q) {
		pg_params_text(&q->params, c->name);
		pg_params_text(&q->params, (const char *)buf_span(&c->waiting).at);
	}
	buf_consume(&c->waiting, buf_len(&c->waiting));
	if (!q || pg_params_bad(&q->params))
		return;
	c->under_way = true;
	c->rung_ms = uv_now(s->loop);
	s->priv->metrics.bells_rung++;
	if (up)
		pg_link_submit(b->link, u);
	else
		pg_pool_submit(s->readers, u);
}

void bell_heads(struct bell *b, const struct news *news, size_t n)
{
	struct buf *w = &b->heads.waiting;
	for (size_t i = 0; i < n; i++) {
		/* Too many for one notification: "*" has everybody look. */
		if (buf_len(w) > PAYLOAD_MAX - 64) {
			everybody_looks(&b->heads);
			break;
		}
		buf_addf(w, "%s%u:%llu", buf_len(w) ? "," : "", news[i].territory,
			 (unsigned long long)news[i].to);
	}
	ring(&b->heads);
}

void bell_access(struct bell *b)
{
	if (buf_len(&b->access.waiting) == 0)
		buf_add(&b->access.waiting, "*", 1);
	ring(&b->access);
}

/* ---- hearing ----------------------------------------------------------------------------------
 */

static void on_notify(void *ctx, const char *channel, const char *payload)
{
	struct bell *b = ctx;
	b->server->priv->metrics.bells_heard++;
	log_event(LOG_DEBUG, "bell", "channel=%s payload=%s", channel, payload);
	if (!strcmp(channel, b->access.name))
		auth_changed(b->server);
	else if (!strcmp(channel, b->heads.name))
		heads_hear(b->server, payload);
}

static void epoch_known(struct pg_unit *u)
{
	struct bell *b = u->owner;
	struct server *s = b->server;
	struct err e = u->err;
	uint64_t epoch = s->epoch;
	b->asking = false;
	if (e.code == 0)
		epoch_read(u->first->result, &epoch, &e);
	if (e.code)
		log_event(LOG_WARN, "epoch_not_read", "error=%s", e.text);
	pg_unit_clear(u);
	if (epoch != s->epoch)
		server_epoch_changed(s, epoch);
	if (e.code == 0 && b->missed) {
		b->missed = false;
		heads_poll(s);
	}
}

/* A connection that was lost may have come back to another database: a standby that was promoted.
 */
static void ask_epoch(struct bell *b)
{
	if (b->asking)
		return; /* what is under way fails when its connection does */
	arena_reset(&b->arena);
	struct pg_unit *u = pg_unit_new(&b->arena, b, epoch_known);
	if (!u || !pg_unit_add(u, pg_sql("server_epoch")))
		return;
	b->asking = true;
	pg_link_submit(b->link, u);
}

static void on_state(void *ctx, struct pg_link *l, bool up)
{
	struct bell *b = ctx;
	if (b->server->priv->state >= SERVER_STOPPING)
		return;
	if (!up) {
		log_event(LOG_WARN, "db_down", "error=%s", pg_link_trouble(l));
		return;
	}
	log_event(LOG_INFO, "db_up", "epoch=%016llx", (unsigned long long)b->server->epoch);
	b->missed = true;
	b->up_ms = uv_now(b->server->loop);
	ask_epoch(b);
	auth_changed(b->server);
	ring(&b->heads);
	ring(&b->access);
}

void bell_check(struct bell *b)
{
	if (pg_link_up(b->link))
		ask_epoch(b);
}

/* The primary of before may be alive, and this connection with it. */
void bell_doubt(struct bell *b)
{
	if (b && !b->closed && pg_link_up(b->link) &&
	    uv_now(b->server->loop) - b->up_ms >= FRESH_MS)
		pg_link_renew(b->link);
}

void bell_sweep(struct bell *b)
{
	ring(&b->heads);
	ring(&b->access);
}

int bell_open(struct server *s, struct bell **out, struct err *e)
{
	struct bell *b = calloc(1, sizeof *b);
	if (!b)
		return err_set(e, ERR_NOMEM, "bell");
	b->server = s;
	b->heads = (struct channel){.bell = b, .name = "heads"};
	b->access = (struct channel){.bell = b, .name = "access"};
	arena_init(&b->heads.arena, CHANNEL_ARENA);
	arena_init(&b->access.arena, CHANNEL_ARENA);
	arena_init(&b->arena, CHANNEL_ARENA);
	buf_init(&b->heads.waiting, PAYLOAD_MAX);
	buf_init(&b->access.waiting, PAYLOAD_MAX);
	const struct pg_link_options o = {
		.conninfo = s->priv->conninfo,
		.name = "bell",
		.setup = PG_SETUP_APP "LISTEN heads; LISTEN access;",
		.on_state = on_state,
		.on_notify = on_notify,
		.ctx = b,
	};
	const int rc = pg_link_open(s->loop, &o, &b->link, e);
	if (rc < 0) {
		free(b);
		return rc;
	}
	uv_timer_init(s->loop, &b->pause);
	b->pause.data = b;
	b->open = 2;
	s->bell = b->link;
	*out = b;
	return 0;
}

static void closed_one(struct bell *b)
{
	if (--b->open == 0)
		b->closed(b->closed_ctx);
}

static void on_link_closed(void *ctx)
{
	closed_one(ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
	closed_one(h->data);
}

void bell_close(struct bell *b, void (*closed)(void *ctx), void *ctx)
{
	b->server->bell = NULL;
	b->closed = closed;
	b->closed_ctx = ctx;
	pg_link_close(b->link, on_link_closed, b);
	uv_close((uv_handle_t *)&b->pause, on_timer_closed);
}

void bell_free(struct bell *b)
{
	if (!b)
		return;
	arena_fini(&b->heads.arena);
	arena_fini(&b->access.arena);
	arena_fini(&b->arena);
	buf_fini(&b->heads.waiting);
	buf_fini(&b->access.waiting);
	free(b);
}
