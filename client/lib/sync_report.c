/* sync_report.c -- see sync.h: which territories a run goes through, what it reports, and the
 * public functions. */
#include <inttypes.h>

#include "clock.h"
#include "replica.h"
#include "sync_run.h"
#include "table.h"
#include "watch.h"

enum { ITEMS_MAX = 100000 };

/* ---- the territories of a run
 * -------------------------------------------------------------------------------- */

static int item_add(struct sync_run *r, uint32_t territory, struct err *e)
{
	struct sync_item *more = reallocarray(r->items, r->n + 1, sizeof *more);

	if (!more)
		return err_set(e, ERR_NOMEM, "synchronisation");
	r->items = more;
	memset(&more[r->n], 0, sizeof *more);
	more[r->n++].territory = territory;
	return 0;
}

static int item_fill(struct seve *s, struct sync_item *it, struct err *e)
{
	uint64_t conflicts, rejected;
	struct replica rep;
	int rc = replica_get(s->store, it->territory, &rep, e);

	it->carried = rep.exists;
	it->rev = rep.rev;
	return rc ? rc
		  : queue_count(s->store, it->territory, &it->to_push, &conflicts, &rejected, e);
}

/* Asked at the end: the first connection of a store is what brings the names. */
static void item_name(struct seve *s, struct sync_item *it)
{
	replica_name(s->store, it->territory, it->slug);
}

int sync_items(struct seve *s, struct sync_run *r, struct err *e)
{
	int rc = 0;

	if (r->want.territory) {
		rc = item_add(r, r->want.territory, e);
	} else {
		sqlite3_stmt *q = store_query(s->store, e, STORE_replica_list, "");

		while ((rc = store_step(s->store, q, e)) == 1 && r->n < ITEMS_MAX) {
			rc = item_add(r, (uint32_t)store_int(q, 0), e);
			if (rc)
				break;
		}
		store_done(q);
	}
	for (size_t i = 0; !rc && i < r->n; i++)
		rc = item_fill(s, &r->items[i], e);
	return rc;
}

/* ---- the report
 * -------------------------------------------------------------------------------------------------
 */

static void report_item(struct seve_table *t, const struct sync_item *it)
{
	table_row(t);
	table_put(t, "territory", "%u", it->territory);
	table_put(t, "slug", "%s", it->slug);
	table_put(t, "state", "%s",
		  it->revoked    ? SYNC_REVOKED
		  : it->err.code ? err_name(it->err.code)
				 : "ok");
	table_put(t, "pushed", "%" PRIu64, it->pushed);
	table_put(t, "applied", "%" PRIu64, it->counts.applied + it->counts.unchanged);
	table_put(t, "merged", "%" PRIu64, it->counts.merged);
	table_put(t, "conflicts", "%" PRIu64, it->counts.conflicts);
	table_put(t, "rejected", "%" PRIu64, it->counts.rejected);
	table_put(t, "pulled", "%" PRIu64, it->pulled);
	table_put(t, "verified", "%" PRIu64, it->verified);
	table_put(t, "again", "%" PRIu64, it->again);
	if (it->counted)
		table_put(t, "withheld", "%" PRIu64, it->withheld);
	table_put(t, "rev", "%" PRIu64, it->rev);
	if (it->err.code)
		table_put(t, "message", "%s", it->err.text);
}

int sync_collect(struct seve *s, struct seve_table **report, bool *partial, struct err *e)
{
	static const char *const columns[] = {"territory", "slug",     "state",     "pushed",
					      "applied",   "merged",   "conflicts", "rejected",
					      "pulled",    "verified", "again",     "withheld",
					      "rev",       "message",  NULL};
	struct sync_run *r = s->run;
	struct seve_table *t = table_new(columns);
	struct err first = {0};
	size_t failed = 0;
	int rc;

	for (size_t i = 0; i < r->n; i++) {
		item_name(s, &r->items[i]);
		report_item(t, &r->items[i]);
		if (r->items[i].err.code && !failed++)
			first = r->items[i].err;
	}
	*partial = failed && failed < r->n;
	sync_drop(s);
	if (failed && !*partial) {
		seve_table_free(t);
		*e = first;
		return -(int)e->code;
	}
	rc = table_finish(t, report, e);
	if (rc || !failed)
		return rc;
	*e = first;
	return -(int)e->code;
}

/* ---- public
 * --------------------------------------------------------------------------------------------------------
 */

int seve_sync(struct seve *s, uint32_t territory, seve_progress progress, void *ctx,
	      struct seve_table **report, struct seve_error **err)
{
	struct sync_want want = {.territory = territory,
				 .pull = true,
				 .lock_ms = STORE_LOCK_MS,
				 .progress = progress,
				 .ctx = ctx};
	struct err e = {0};
	bool partial = false;

	sync_wait(s, &want, report, &partial, &e);
	error_out(err, &e);
	return partial ? SEVE_PARTIAL : error_status(e.code);
}

int seve_sync_start(struct seve *s, uint32_t territory, seve_done done, void *ctx,
		    struct seve_error **err)
{
	struct sync_want want = {.territory = territory, .pull = true};
	struct err e = {0};

	if (sync_start(s, &want, &e))
		return error_out(err, &e);
	s->run->done = done;
	s->run->ctx = ctx;
	return SEVE_OK;
}

static void tell_done(struct seve *s)
{
	struct seve_error *err = NULL;
	struct seve_table *report = NULL;
	seve_done done = s->run->done;
	void *ctx = s->run->ctx;
	bool partial = false;
	struct err e = {0};

	sync_collect(s, &report, &partial, &e);
	error_out(&err, &e);
	done(ctx, partial ? SEVE_PARTIAL : error_status(e.code), report, err);
	seve_error_free(err);
}

int seve_fd(const struct seve *s)
{
	return session_fd(&s->session);
}

int seve_events(const struct seve *s)
{
	return session_events(&s->session);
}

int seve_timeout_ms(const struct seve *s)
{
	uint64_t wake = session_wake_ms(&s->session), other = sync_wake_ms(s), now;

	if (other < wake)
		wake = other;
	other = watch_wake_ms(s);
	if (other < wake)
		wake = other;
	if (wake == UINT64_MAX)
		return -1;
	now = clock_mono_ms();
	if (wake <= now)
		return 0;
	return wake - now > INT32_MAX ? INT32_MAX : (int)(wake - now);
}

int seve_process(struct seve *s, struct seve_error **err)
{
	struct err e = {0};

	sync_poke(s);
	watch_poke(s);
	session_process(&s->session, &e);
	sync_poke(s);
	watch_poke(s);
	if (watch_ended(s))
		watch_tell_end(s);
	if (sync_finished(s) && s->run->done) {
		/* A loss of the connection is the run's own affair: it tells. */
		tell_done(s);
		return SEVE_OK;
	}
	if (s->run || s->watch)
		return SEVE_OK;
	return error_out(err, &e);
}
