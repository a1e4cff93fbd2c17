/* depot_sqlite.c -- see depot.h: the library's own store, outbox and replica, over SQLite on a disk
 * that loses power (disk.h). */
#include "sim.h"

#include "bug.h"
#include "disk.h"
#include "overlay.h"
#include "queue.h"
#include "reoffer.h"
#include "replica.h"
#include "wire.h"

enum { PATH_SIZE = 300, OPEN_TRIES = 8, AGAIN_SIDES = 12 };

struct lite {
	struct store *store; /* NULL: not open */
	struct disk *disk;
	char path[PATH_SIZE];
};

static struct lite *lite_of(struct depot *d)
{
	return d->self;
}

/* ---- opening and dying ----------------------------------------------------------------------- */

static bool disk_steps(void *ctx)
{
	return sim_step(((struct depot *)ctx)->sim);
}

static unsigned disk_dice(void *ctx, unsigned sides)
{
	return sim_dice(((struct depot *)ctx)->sim, sides);
}

/* A history is short: checkpoints that a year would bring come within it. */
static int tune(struct lite *l, const struct sim *s, struct err *e)
{
	char sql[128];

	snprintf(sql, sizeof sql, "PRAGMA wal_autocheckpoint = %u;%s%s",
		 s->climate.checkpoint_pages, SEVE_BUG(no_sync) ? "PRAGMA synchronous = OFF;" : "",
		 SEVE_BUG(no_journal) ? "PRAGMA journal_mode = OFF;" : "");
	if (sqlite3_exec(l->store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return err_set(e, ERR_DATABASE, "%s", sqlite3_errmsg(l->store->db));
}

static int lite_open(struct depot *d, struct err *e)
{
	struct lite *l = lite_of(d);
	int rc = store_open(l->path, &l->store, e);

	return rc ? rc : tune(l, d->sim, e);
}

static void lite_shut(struct depot *d)
{
	store_close(lite_of(d)->store);
	lite_of(d)->store = NULL;
}

/* The machine died: it may do so again while it comes back. */
static void lite_reopen(struct depot *d)
{
	struct lite *l = lite_of(d);
	struct err e = {0};

	for (unsigned tries = 0; tries < OPEN_TRIES; tries++) {
		lite_shut(d);
		disk_restart(l->disk);
		if (!lite_open(d, &e))
			return;
		if (!disk_dead(l->disk))
			break;
	}
	sim_fail(d->sim, "the store of user-%u does not open again: %s", d->user, e.text);
}

/* How a transaction ended.  Errors that the history may bring about pass. */
static int ended(struct depot *d, int rc, const struct err *e)
{
	struct lite *l = lite_of(d);

	if (!rc && sim_step(d->sim))
		disk_kill(l->disk); /* it is committed, and nobody knows */
	if (disk_dead(l->disk))
		return -ERR_IO;
	if (rc && rc != -ERR_RESET_REQUIRED)
		sim_fail(d->sim, "the store of user-%u: %s", d->user, e->text);
	return rc;
}

/* A program ends and another one opens the store, as each command does. */
static int again(struct depot *d)
{
	struct err e = {0};

	if (sim_dice(d->sim, AGAIN_SIDES))
		return 0;
	lite_shut(d);
	return ended(d, lite_open(d, &e), &e);
}

/* ---- the outbox ------------------------------------------------------------------------------ */

static int lite_add(struct depot *d, Seve__Mutation *m)
{
	const struct outbox_view *bases = SIM_NEED(
		d->sim, arena_zalloc(&d->sim->arena, m->n_changes * sizeof(struct outbox_view)));
	struct err e = {0};

	return ended(d, queue_add(lite_of(d)->store, m, bases, (int64_t)d->sim->agenda.now_ms, &e),
		     &e);
}

static int lite_take(struct depot *d, struct arena *a, uint32_t territory, size_t most,
		     Seve__PushRequest *out)
{
	struct err e = {0};
	int rc = again(d);

	out->n_mutations = 0;
	return rc ? rc : ended(d, queue_take(lite_of(d)->store, a, territory, most, out, &e), &e);
}

static int lite_settle(struct depot *d, uint32_t territory, const Seve__PushRequest *sent,
		       const Seve__PushReply *reply, const char *account, int64_t now_ms)
{
	struct queue_counts counts = {0};
	struct err e = {0};

	return ended(d,
		     queue_settle(lite_of(d)->store, territory, sent, reply, account, now_ms,
				  d->sim->users[d->user].epoch, &counts, &e),
		     &e);
}

static int lite_fates(struct depot *d, uint32_t territory, enum outbox_state out[SIM_EDITS + 1])
{
	struct store *s = lite_of(d)->store;
	struct err e = {0};
	sqlite3_stmt *q = store_query(s, &e, STORE_outbox_list, "");
	int rc;

	for (unsigned i = 0; i <= SIM_EDITS; i++)
		out[i] = OUTBOX_DONE;
	while ((rc = store_step(s, q, &e)) == 1) {
		const struct span bytes = store_bytes(q, 4);
		ProtobufCMessage *m;

		if ((uint32_t)store_int(q, 0) != territory)
			continue;
		if (wire_unpack(&d->sim->arena, &seve__mutation__descriptor, bytes.at, bytes.len,
				&m, &e))
			sim_fail(d->sim, "an entry of the outbox: %s", e.text);
		out[((Seve__Mutation *)m)->client_time_ms] = (enum outbox_state)store_int(q, 2);
	}
	return rc;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static int lite_numbers(struct depot *d, uint32_t territory, struct resume_state *out)
{
	struct reoffer o;
	struct replica r;
	struct err e = {0};
	int rc = replica_get(lite_of(d)->store, territory, &r, &e);

	if (!rc)
		rc = reoffer_state(lite_of(d)->store, territory, &o, &e);
	if (rc)
		sim_fail(d->sim, "the store of user-%u: %s", d->user, e.text);
	*out = (struct resume_state){o.epoch, r.epoch, r.verify_epoch, o.waiting != 0,
				     o.settled != 0};
	return 0;
}

static int renumber_in(struct depot *d, uint32_t territory, const struct resume_point *p,
		       bool refused, bool compared, struct err *e)
{
	struct store *s = lite_of(d)->store;
	struct replica r;
	struct reoffer o;
	uint64_t again = 0;
	int rc = replica_get(s, territory, &r, e);

	if (!rc)
		rc = reoffer_state(s, territory, &o, e);
	if (!rc)
		rc = reoffer(s, territory, p, refused,
			     resume_fork_bound(r.exists ? &r.fork : NULL, o.epoch, p->epoch),
			     &again, e);
	return rc || !compared ? rc : replica_verified(s, territory, e);
}

static int lite_renumber(struct depot *d, uint32_t territory, const struct resume_point *p,
			 bool refused, bool compared)
{
	struct store *s = lite_of(d)->store;
	struct err e = {0};
	int rc = store_begin(s, &e);

	if (!rc)
		rc = store_end(s, renumber_in(d, territory, p, refused, compared, &e), &e);
	return ended(d, rc, &e);
}

/* ---- the replica ----------------------------------------------------------------------------- */

static int lite_replica(struct depot *d, uint32_t territory, struct depot_replica *out)
{
	struct replica r;
	struct err e = {0};
	const int rc = replica_get(lite_of(d)->store, territory, &r, &e);

	if (rc)
		sim_fail(d->sim, "the store of user-%u: %s", d->user, e.text);
	*out = (struct depot_replica){
		.exists = r.exists,
		.complete = r.complete,
		.loading = r.sweep,
		.epoch = r.epoch,
		.view = r.view,
		.rev = r.rev,
		.start = r.start,
		.verify_epoch = r.verify_epoch,
		.verify_view = r.verify_view,
		.verify_head = r.verify_head,
		.verify_begun = r.verify_begun,
	};
	memcpy(out->verify_after, r.verify_after, sizeof out->verify_after);
	return 0;
}

static int lite_make(struct depot *d, uint32_t territory)
{
	struct depot_replica r;
	struct err e = {0};

	lite_replica(d, territory, &r);
	return r.exists ? 0 : ended(d, replica_make(lite_of(d)->store, territory, &e), &e);
}

/* The cursor in a transaction of its own, the rows in the next. */
static int page_after_cursor(struct depot *d, const Seve__Page *p, uint64_t epoch, uint64_t view)
{
	Seve__Page cursor = *p;
	struct err e = {0};
	int rc;

	cursor.n_records = 0;
	rc = ended(d, replica_apply(lite_of(d)->store, &cursor, epoch, view, &e), &e);
	return rc ? rc
		  : ended(d,
			  replica_fetched(lite_of(d)->store, p->territory, p->records, p->n_records,
					  &e),
			  &e);
}

static int lite_page(struct depot *d, const Seve__Page *p, uint64_t epoch, uint64_t view)
{
	struct err e = {0};

	if (SEVE_BUG(checkpoint_first))
		return page_after_cursor(d, p, epoch, view);
	return ended(d, replica_apply(lite_of(d)->store, p, epoch, view, &e), &e);
}

static int lite_complete(struct depot *d, const Seve__PullReply *p)
{
	struct err e = {0};
	const int rc = again(d);

	return rc ? rc
		  : ended(d,
			  replica_complete(lite_of(d)->store, p, (int64_t)d->sim->agenda.now_ms,
					   &e),
			  &e);
}

static int lite_reset(struct depot *d, uint32_t territory)
{
	struct err e = {0};

	return ended(d, replica_reset(lite_of(d)->store, territory, &e), &e);
}

/* ---- comparing with the manifest ------------------------------------------------------------- */

static int lite_verify(struct depot *d, uint32_t territory, uint64_t epoch, uint64_t view)
{
	struct err e = {0};

	return ended(d, replica_verify(lite_of(d)->store, territory, epoch, view, &e), &e);
}

struct fetching {
	uint8_t (*ids)[16];
	unsigned *n;
};

static int to_fetch(void *ctx, const uint8_t id[16])
{
	struct fetching *f = ctx;

	memcpy(f->ids[(*f->n)++], id, 16);
	return 0;
}

static int lite_compare(struct depot *d, const Seve__ManifestReply *m, uint8_t (*ids)[16],
			unsigned *n)
{
	struct fetching f = {ids, n};
	const struct replica_fetch fetch = {&f, to_fetch};
	struct err e = {0};

	*n = 0;
	return ended(d, replica_compare(lite_of(d)->store, m, &fetch, &e), &e);
}

static int lite_fetched(struct depot *d, uint32_t territory, const Seve__GetReply *r)
{
	struct err e = {0};

	return ended(d, replica_fetched(lite_of(d)->store, territory, r->records, r->n_records, &e),
		     &e);
}

static int lite_verified(struct depot *d, uint32_t territory, const uint8_t *to)
{
	struct store *s = lite_of(d)->store;
	struct err e = {0};

	return ended(d,
		     to ? replica_verified_to(s, territory, to, &e)
			: replica_verified(s, territory, &e),
		     &e);
}

/* As the library does where the right to read is gone. */
static int lite_revoke(struct depot *d, uint32_t territory)
{
	struct store *s = lite_of(d)->store;
	struct err e = {0};
	uint64_t n = 0;
	int rc = store_begin(s, &e);

	if (!rc) {
		rc = queue_reject_all(s, territory, "TERRITORY_REVOKED", &n, &e);
		if (!rc)
			rc = replica_purge(s, territory, &e);
		rc = store_end(s, rc, &e);
	}
	return ended(d, rc, &e);
}

static int lite_base(struct depot *d, struct arena *a, uint32_t territory, const struct uuid *id,
		     struct outbox_view *out)
{
	struct err e = {0};

	return overlay_base(lite_of(d)->store, a, territory, id->b, out, &e);
}

static int lite_shown(struct depot *d, struct arena *a, uint32_t territory, const struct uuid *id,
		      struct outbox_view *out)
{
	struct err e = {0};

	return overlay_shown(lite_of(d)->store, a, territory, id->b, out, NULL, &e);
}

/* ---- making one ------------------------------------------------------------------------------ */

static void lite_close(struct depot *d)
{
	struct lite *l = lite_of(d);

	if (l->disk)
		disk_kill(l->disk);
	lite_shut(d);
	if (l->disk)
		sim_count_disk(d->sim, disk_seen(l->disk));
	disk_free(l->disk);
	l->disk = NULL;
}

/* A store draws its client's id: a history needs one that is the same each time. */
static int put_client(struct depot *d, struct err *e)
{
	struct store *s = lite_of(d)->store;
	char text[UUID_TEXT];

	uuid_format(&d->client, text);
	s->client_id = d->client;
	return store_meta_set(s, "client_id", text, e);
}

void depot_sqlite_open(struct sim *s, unsigned user, const struct uuid *client, struct depot *out)
{
	static const struct depot_ops ops = {
		.add = lite_add,
		.take = lite_take,
		.settle = lite_settle,
		.replica = lite_replica,
		.make = lite_make,
		.page = lite_page,
		.complete = lite_complete,
		.reset = lite_reset,
		.verify = lite_verify,
		.compare = lite_compare,
		.fetched = lite_fetched,
		.verified = lite_verified,
		.revoke = lite_revoke,
		.base = lite_base,
		.shown = lite_shown,
		.fates = lite_fates,
		.numbers = lite_numbers,
		.renumber = lite_renumber,
		.reopen = lite_reopen,
		.close = lite_close,
	};
	const struct disk_fate fate = {out, disk_steps, disk_dice};
	struct lite *l = SIM_NEED(s, arena_zalloc(&s->arena, sizeof(struct lite)));
	struct err e = {0};
	int rc;

	*out = (struct depot){.ops = &ops, .sim = s, .user = user, .client = *client, .self = l};
	snprintf(l->path, sizeof l->path, "%s/user-%u", s->plan.folder, user);
	sqlite3_randomness(0, NULL); /* begins anew: a seed is a history */
	l->disk = SIM_NEED(s, disk_new(l->path, &fate));
	rc = lite_open(out, &e);
	if (!rc)
		rc = put_client(out, &e);
	if (rc)
		sim_fail(s, "a new store: %s", e.text);
	disk_arm(l->disk);
}
