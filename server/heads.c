/* heads.c -- see heads.h. */
#include "heads.h"

#include <stdlib.h>

#include "clock.h"
#include "handlers/handlers.h"
#include "log.h"
#include "pg/unit.h"
#include "server_private.h"

/* Out of memory leaves the table as it was; head_take() finds out. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum { POLL_ARENA = 32 * 1024 * 1024 };

struct head {
	uint32_t territory;
	uint64_t rev;
	struct watcher *watchers;
	UT_hash_handle hh;
};

struct heads {
	struct head *table;
	struct arena arena; /* of the question under way */
	struct pg_stmt *rows;
	uint64_t poll_at_ms, asked_epoch;
	bool asking, again;
};

int heads_open(struct server *s, struct heads **out, struct err *e)
{
	struct heads *h = calloc(1, sizeof *h);
	if (!h)
		return err_set(e, ERR_NOMEM, "heads");
	arena_init(&h->arena, POLL_ARENA);
	h->poll_at_ms = clock_mono_ms() + (uint64_t)config_number(s->conf, CONFIG_POLL_INTERVAL);
	*out = h;
	return 0;
}

void heads_free(struct heads *h)
{
	struct head *x, *next;
	if (!h)
		return;
	HASH_ITER (hh, h->table, x, next) {
		HASH_DEL(h->table, x);
		free(x);
	}
	arena_fini(&h->arena);
	free(h);
}

static struct head *head_find(const struct server *s, uint32_t territory)
{
	struct head *x = NULL;
	if (s->heads)
		HASH_FIND(hh, s->heads->table, &territory, sizeof territory, x);
	return x;
}

static struct head *head_take(const struct server *s, uint32_t territory)
{
	struct head *x = head_find(s, territory);
	if (x || !s->heads || HASH_COUNT(s->heads->table) >= HEADS_MAX)
		return x;
	x = calloc(1, sizeof *x);
	if (!x)
		return NULL;
	x->territory = territory;
	const unsigned before = HASH_COUNT(s->heads->table);
	HASH_ADD(hh, s->heads->table, territory, sizeof x->territory, x);
	if (HASH_COUNT(s->heads->table) > before)
		return x;
	free(x);
	return NULL;
}

uint64_t heads_known(const struct server *s, uint32_t territory)
{
	const struct head *x = head_find(s, territory);
	return x ? x->rev : 0;
}

size_t heads_count(const struct server *s)
{
	return HASH_COUNT(s->heads->table);
}

bool heads_watched(const struct server *s, uint32_t territory)
{
	const struct head *x = head_find(s, territory);
	return x && x->watchers;
}

struct watcher **heads_watchers(struct server *s, uint32_t territory)
{
	struct head *x = head_take(s, territory);
	return x ? &x->watchers : NULL;
}

void heads_note(struct server *s, uint32_t territory, uint64_t rev)
{
	struct head *x = head_take(s, territory);
	if (!x || rev <= x->rev)
		return;
	x->rev = rev;
	if (x->watchers)
		watch_moved(s, x->watchers);
}

void heads_forget(struct server *s)
{
	struct head *x, *next;
	HASH_ITER (hh, s->heads->table, x, next)
		x->rev = 0;
}

/* ---- hearing
 * ---------------------------------------------------------------------------------------------- */

void heads_hear(struct server *s, const char *payload)
{
	const char *at = payload;
	while (*at) {
		char *end;
		const unsigned long long territory = strtoull(at, &end, 10);
		if (end == at || *end != ':' || territory > INT32_MAX)
			break;
		at = end + 1;
		const unsigned long long rev = strtoull(at, &end, 10);
		if (end == at || (*end && *end != ','))
			break;
		heads_note(s, (uint32_t)territory, rev);
		at = *end ? end + 1 : end;
	}
	/* "*", or what a newer server says: look for oneself. */
	if (*at)
		heads_poll(s);
}

/* ---- asking
 * -----------------------------------------------------------------------------------------------
 */

static void polled(struct pg_unit *u)
{
	struct server *s = u->owner;
	struct heads *h = s->heads;
	const PGresult *rows = h->rows->result;
	h->asking = false;
	if (u->err.code)
		log_event(LOG_DEBUG, "heads_not_read", "error=%s", u->err.text);
	else if (h->asked_epoch == s->epoch)
		for (int i = 0; i < PQntuples(rows); i++)
			heads_note(s, (uint32_t)pg_get_int4(rows, i, 0),
				   (uint64_t)pg_get_int8(rows, i, 1));
	pg_unit_clear(u);
	if (h->again)
		heads_poll(s);
}

static struct pg_unit *make_poll(struct server *s)
{
	struct heads *h = s->heads;
	struct pg_unit *u = pg_unit_new(&h->arena, s, polled);
	struct pg_array ids;
	struct head *x, *next;
	h->rows = u ? pg_unit_add(u, pg_sql("status_heads")) : NULL;
	if (!h->rows)
		return NULL;
	pg_array_init(&ids, &h->arena, PG_INT4);
	HASH_ITER (hh, h->table, x, next)
		pg_array_int4(&ids, (int32_t)x->territory);
	pg_params_array(&h->rows->params, &ids);
	return pg_params_bad(&h->rows->params) ? NULL : u;
}

void heads_poll(struct server *s)
{
	struct heads *h = s->heads;
	h->again = h->asking; /* what is under way may have read too early: once more after it */
	if (h->asking)
		return;
	h->poll_at_ms = clock_mono_ms() + (uint64_t)config_number(s->conf, CONFIG_POLL_INTERVAL);
	if (!h->table)
		return;
	arena_reset(&h->arena);
	struct pg_unit *u = make_poll(s);
	if (!u) {
		log_event(LOG_ERROR, "heads_not_read", "error=%s", "out of memory");
		return;
	}
	h->asking = true;
	h->asked_epoch = s->epoch;
	s->priv->metrics.heads_polled++;
	pg_pool_submit(s->readers, u);
}

void heads_sweep(struct server *s)
{
	if (clock_mono_ms() < s->heads->poll_at_ms)
		return;
	heads_poll(s);
	bell_check(s->priv->ring);
}
