/* preview.c -- see preview.h.  The rules look at what the replica shows, waiting edits included:
 * the whole territory is laid down where a rule needs more than the record itself. */
#include "preview.h"

#include <string.h>

#include "clock.h"
#include "overlay.h"
#include "replica.h"
#include "sync/apply.h"
#include "wire.h"

enum { PREVIEW_ARENA_MAX = 256 * 1024 * 1024 };

struct ahead {
	struct seve *s;
	uint32_t territory;
	struct arena arena;
	struct world world;
	bool whole; /* a rule needs others' records */
	struct err err;
};

/* ---- what is needed --------------------------------------------------------------------------
 */

static void lay_down(struct world_record *r, const struct outbox_view *v)
{
	r->kind = v->kind;
	r->exists = v->kind != NULL;
	r->deleted = v->deleted;
	r->full = true;
	r->rev = v->rev;
	r->ref_no = v->ref_no;
	r->body = v->body;
	r->level = v->body && v->body->meta ? v->body->meta->level : SEVE__LEVEL__LEVEL_UNSPECIFIED;
}

static int want_record(void *ctx, uint32_t territory, const struct uuid *id, bool full)
{
	struct ahead *a = ctx;
	struct world_record *r = world_record(&a->world, territory, id, false);
	struct outbox_view v = {0};
	int rc;

	(void)full;
	if (r)
		return 0;
	r = world_record(&a->world, territory, id, true);
	if (!r)
		return err_set(&a->err, ERR_NOMEM, "looking ahead");
	rc = overlay_shown(a->s->store, &a->arena, territory, id->b, &v, NULL, &a->err);
	if (!rc)
		lay_down(r, &v);
	return rc;
}

static int want_prior(void *ctx, uint32_t territory, const struct uuid *client, uint64_t mid)
{
	(void)ctx;
	(void)territory;
	(void)client;
	(void)mid;
	return 0;
}

static int want_nothing(void *ctx, uint32_t territory, const struct uuid *id)
{
	(void)ctx;
	(void)territory;
	(void)id;
	return 0;
}

static int want_unique(void *ctx, uint32_t territory, const struct kind *k, const field_desc *fd,
		       const char *value)
{
	(void)k;
	(void)fd;
	(void)value;
	return want_nothing(ctx, territory, NULL);
}

static int want_all(void *ctx, uint32_t territory, const struct kind *k)
{
	struct ahead *a = ctx;

	(void)territory;
	(void)k;
	a->whole = true;
	return 0;
}

static int want_needed(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through,
		       const struct kind *k, uint32_t tag)
{
	(void)origin;
	(void)through;
	(void)tag;
	return want_all(ctx, territory, k);
}

static int want_named(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through,
		      uint32_t tag)
{
	return want_needed(ctx, territory, origin, through, NULL, tag);
}

/* Hours elsewhere are the server's to know. */
static int want_abroad(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through)
{
	(void)through;
	return want_nothing(ctx, territory, origin);
}

/* ---- the whole territory ---------------------------------------------------------------------
 */

static int take_row(struct ahead *a, sqlite3_stmt *row, struct err *e)
{
	struct span id = store_bytes(row, 0), body = store_bytes(row, 2);
	struct outbox_view v = {.rev = (uint64_t)store_int(row, 1)};
	struct world_record *r;
	ProtobufCMessage *m;
	struct uuid u;

	if (id.len != sizeof u.b || !body.at)
		return err_set(e, ERR_DATA_LOSS, "a record of the store has no id or no body");
	memcpy(u.b, id.at, sizeof u.b);
	r = world_record(&a->world, a->territory, &u, true);
	if (!r)
		return err_set(e, ERR_NOMEM, "looking ahead");
	if (r->exists)
		return 0;
	if (wire_unpack(&a->arena, &seve__body__descriptor, body.at, body.len, &m, e))
		return -(int)e->code;
	v.body = (const Seve__Body *)m;
	v.kind = kind_of(v.body);
	lay_down(r, &v);
	return 0;
}

static int take_whole(struct ahead *a, struct err *e)
{
	sqlite3_stmt *row =
		store_query(a->s->store, e, STORE_record_whole, "i", (int64_t)a->territory);
	int rc;

	while ((rc = store_step(a->s->store, row, e)) == 1) {
		rc = take_row(a, row, e);
		if (rc)
			break;
	}
	store_done(row);
	return rc;
}

/* ---- asking ----------------------------------------------------------------------------------
 */

/* What the method says, not what only the server can know. */
static bool is_of_the_method(const char *code)
{
	static const char *const words[] = {"STATE", "REASON", "CAUSE", "ROUND"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i], code) == 0)
			return true;
	return (code[0] == 'H' || code[0] == 'S') && code[1] >= '1' && code[1] <= '9' && !code[2];
}

static void keep_those_of_the_method(struct problems *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (is_of_the_method(p->list[i].code))
			p->list[n++] = p->list[i];
	p->n = n;
}

static int look(struct ahead *a, const Seve__Mutation *m, struct problems *out, struct err *e)
{
	const struct apply_wants wants = {
		.ctx = a,
		.record = want_record,
		.prior = want_prior,
		.last_version = want_nothing,
		.referrers = want_nothing,
		.needed = want_needed,
		.named = want_named,
		.abroad = want_abroad,
		.all = want_all,
		.unique = want_unique,
	};
	struct apply_job j = {.territory = a->territory,
			      .author = {.account = a->s->account,
					 .reads = SEVE__LEVEL__LEVEL_TEAM,
					 .writes = ~0u},
			      .mutation = m};
	int rc = apply_needs(&j, &wants);

	if (rc) {
		*e = a->err;
		return rc;
	}
	if (a->whole && take_whole(a, e))
		return -(int)e->code;
	if (!world_head(&a->world, a->territory, true))
		return err_set(e, ERR_NOMEM, "looking ahead");
	rc = apply_preview(&a->world, &j, out, e);
	if (!rc)
		keep_those_of_the_method(out);
	return rc;
}

int preview(struct seve *s, uint32_t territory, const Seve__Mutation *m, struct problems *out,
	    struct err *e)
{
	struct ahead a = {.s = s, .territory = territory};
	struct replica rep;
	int rc = replica_get(s->store, territory, &rep, e);

	*out = (struct problems){.n = 0};
	if (rc || !rep.complete)
		return rc;
	arena_init(&a.arena, PREVIEW_ARENA_MAX);
	world_init(&a.world, &a.arena, clock_wall_ms());
	rc = look(&a, m, out, e);
	world_fini(&a.world);
	arena_fini(&a.arena);
	return rc;
}
