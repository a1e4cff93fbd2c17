/* apply_conflict.c -- the conflict records of a mutation: made with the verdict, folded into while
 * they are open, resolved by an ordinary change, and always of the level of what they are about.
 *
 * One open conflict per record and client: what a client's outbox still holds on a record whose
 * edit was held back goes into the same one.  A resolution and the edit that it stands for are one
 * mutation: if either meets something newer, both are held back, and the edit is kept in a conflict
 * again. */
#include "apply_stage.h"

#include "conflict.h"
#include "merge_patch.h"
#include "wire.h"

enum { TAG_RECORD_ID = 1, TAG_STATE = 4, TAG_RESOLUTION = 20 };

bool conflict_is(const struct kind *k)
{
	return k && k->number == SEVE__BODY__KIND_CONFLICT;
}

static const Seve__Conflict *content(const struct world_record *r)
{
	return r && conflict_is(r->kind) && r->exists && !r->deleted && r->body ? r->body->conflict
										: NULL;
}

static bool is_about(const Seve__Conflict *c, const struct uuid *id)
{
	return c && c->record_id.len == sizeof id->b &&
	       !memcmp(c->record_id.data, id->b, sizeof id->b);
}

/* ---- what explaining a clash needs ---------------------------------------------------------- */

/* The revision that the author was looking at: that of the change, or the later one that the
 * author's own mutation before it led to. */
static uint64_t base_rev(const struct world *w, const struct apply_job *j, const Seve__Change *c)
{
	const struct world_prior *p =
		c->base_mid ? world_prior((struct world *)(uintptr_t)w, j->territory,
					  &j->author.client, c->base_mid, false)
			    : NULL;
	const Seve__Verdict *v = p ? p->given : NULL;
	ProtobufCMessage *m;
	uint64_t base = c->base_rev;
	struct err e;

	if (p && !v && p->verdict.at &&
	    !wire_unpack(w->arena, &seve__verdict__descriptor, p->verdict.at, p->verdict.len, &m,
			 &e))
		v = (const Seve__Verdict *)m;
	if (!v || v->code == SEVE__VERDICT__CODE__CONFLICT ||
	    v->code == SEVE__VERDICT__CODE__REJECTED)
		return base;
	for (size_t i = 0; i < v->n_outcomes; i++)
		if (v->outcomes[i]->id.len == 16 &&
		    !memcmp(v->outcomes[i]->id.data, c->id.data, 16) && v->outcomes[i]->rev > base)
			base = v->outcomes[i]->rev;
	return base;
}

int apply_clash_needs(const struct apply_job *j, const struct world *world,
		      const struct apply_wants *w)
{
	int rc = 0;

	for (size_t i = 0; !rc && j->mutation && i < j->mutation->n_changes; i++) {
		const Seve__Change *c = j->mutation->changes[i];
		struct uuid id;

		if (!uuid_is_record_id(c->id.data, c->id.len))
			continue;
		memcpy(id.b, c->id.data, sizeof id.b);
		rc = w->needed(w->ctx, j->territory, &id, 0, conflict_kind(), TAG_RECORD_ID);
		if (!rc)
			rc = w->past(w->ctx, j->territory, &id, base_rev(world, j, c));
	}
	return rc;
}

/* ---- resolving ------------------------------------------------------------------------------ */

/* The kind has no sets of its own: what is left is references. */
static bool edits_refs(const Seve__Body *b)
{
	return b && b->meta && b->meta->n_refs;
}

static bool only_resolves(const Seve__Change *c)
{
	if (c->op != SEVE__CHANGE__OP__OP_UPDATE || edits_refs(c->add) || edits_refs(c->remove))
		return false;
	for (size_t i = 0; i < c->n_mask; i++)
		if (c->mask[i] != TAG_STATE && c->mask[i] != TAG_RESOLUTION)
			return false;
	return c->set && c->set->kind_case == SEVE__BODY__KIND_CONFLICT;
}

static enum stage_end resolve(struct stage_set *s, struct stage *st, const Seve__Conflict *wish)
{
	struct arena *a = s->world->arena;
	Seve__Body *body = arena_memdup(a, st->next.body, sizeof *body);
	Seve__Conflict *c = arena_memdup(a, st->next.body->conflict, sizeof *c);

	if (!body || !c)
		return STAGE_FAILED;
	body->conflict = c;
	c->state = SEVE__CONFLICT__STATE__STATE_RESOLVED;
	c->has_resolution = c->has_resolved_at = true;
	c->resolution = wish->resolution;
	c->resolved_by = (char *)(uintptr_t)s->job->author.account;
	c->resolved_at = s->world->now_ms;
	st->whole = true;
	return stage_put(s, st, body);
}

/* Who may write records of the kind; and, bound to an actor or an action, who was held back on an
 * own record: then what is decided on was in reach to begin with, field for field. */
static bool may_decide(struct stage_set *s, const Seve__Conflict *now, const struct kind *about)
{
	const struct apply_author *a = &s->job->author;
	const struct world_record *r;
	struct uuid id;

	if (about->writers & a->writes)
		return true;
	if (!(about->writers & a->own) || now->record_id.len != sizeof id.b || !now->mine_by ||
	    strcmp(now->mine_by, a->account) != 0)
		return false;
	memcpy(id.b, now->record_id.data, sizeof id.b);
	r = world_record(s->world, s->job->territory, &id, false);
	return r && r->exists && r->full && !r->deleted && stage_own(a, about, &id, r->body);
}

enum stage_end conflict_change(struct stage_set *s, const Seve__Change *c, struct stage *st)
{
	const Seve__Conflict *now = content(&st->next), *wish;
	const struct kind *about =
		now ? kind_by_name(now->record_kind ? now->record_kind : "") : NULL;

	if (!only_resolves(c))
		return stage_refuse(
			s, "op", "DENIED",
			"a conflict is resolved; nothing else of it is written by hand");
	if (!now || !about)
		return stage_refuse(s, "id", "GONE", "there is no such conflict (any more)");
	if (!may_decide(s, now, about))
		return stage_refuse(s, "record_id", "DENIED",
				    "%s may not decide about this %s here: a facilitator may",
				    s->job->author.account, about->name);
	wish = c->set->conflict;
	if (wish->state != SEVE__CONFLICT__STATE__STATE_RESOLVED || !wish->has_resolution ||
	    !field_enum_known(&seve__conflict__resolution__descriptor, (int)wish->resolution))
		return stage_refuse(s, "state", "INVALID",
				    "a conflict moves from open to resolved, with a resolution");
	if (now->state == SEVE__CONFLICT__STATE__STATE_RESOLVED &&
	    now->resolution == wish->resolution)
		return STAGE_GOES_ON;
	if (now->state == SEVE__CONFLICT__STATE__STATE_RESOLVED ||
	    apply_others_wrote(&st->next.revs, c->base_rev, s->job->author.client_short))
		return stage_clash(s, st, NULL, 0);
	return resolve(s, st, wish);
}

/* ---- keeping -------------------------------------------------------------------------------- */

/* Which client a conflict is of, for all who may read it: never its id, by which others could send
 * mutations under its numbers. */
static void client_mark(const struct apply_author *a, char out[static UUID_TEXT])
{
	snprintf(out, UUID_TEXT, "%016llx", (unsigned long long)a->client_short);
}

/* Older conflicts hold the id itself. */
static bool is_of(const struct apply_author *a, const char *client)
{
	char text[UUID_TEXT];

	client_mark(a, text);
	if (!strcmp(client, text))
		return true;
	uuid_format(&a->client, text);
	return !strcmp(client, text);
}

/* The client's open conflict about the record, as the mutation leaves it: where nothing of it takes
 * effect (`all`), a decision of its own does not either. */
static struct world_record *open_conflict(struct stage_set *s, const struct uuid *id, bool all)
{
	struct world_record *r, *tmp;

	HASH_ITER (hh, s->world->records, r, tmp) {
		const Seve__Conflict *c;

		if (!conflict_is(r->kind) || r->key.territory != s->job->territory)
			continue;
		c = content(all ? r : stage_see(s, &r->key.id));
		if (is_about(c, id) && c->state == SEVE__CONFLICT__STATE__STATE_OPEN && c->client &&
		    is_of(&s->job->author, c->client))
			return r;
	}
	return NULL;
}

/* Nobody can foretell it: an id that is taken already would be written over. */
static struct uuid new_id(struct stage_set *s, const struct uuid *about, uint64_t mid)
{
	const struct world_head *h = world_head(s->world, s->job->territory, false);
	char text[UUID_TEXT], client[UUID_TEXT], key[160];

	uuid_format(&s->job->author.client, client);
	uuid_format(about, text);
	snprintf(key, sizeof key, "%s/%llu/%llu/%lld/%zu", text, (unsigned long long)mid,
		 (unsigned long long)h->rev, (long long)s->world->now_ms, s->n_kept);
	return uuid_v8(s->job->territory, client, SEVE__BODY__KIND_CONFLICT, key);
}

static Seve__Body *conflict_body(struct arena *a, const struct world_record *x)
{
	Seve__Body *body = arena_alloc(a, sizeof *body);
	Seve__Meta *meta = arena_alloc(a, sizeof *meta);
	Seve__Conflict *c = arena_alloc(a, sizeof *c);

	if (!body || !meta || !c)
		return NULL;
	seve__body__init(body);
	seve__meta__init(meta);
	seve__conflict__init(c);
	if (content(x)) {
		*meta = *x->body->meta;
		*c = *x->body->conflict;
	}
	body->meta = meta;
	kind_set_message(conflict_kind(), body, &c->base);
	return body;
}

/* The revision at which theirs came to be. */
static uint64_t theirs_rev(const struct stage *st, uint64_t base, uint64_t writer)
{
	const struct field_revs *revs = &st->target->revs;
	uint64_t newest = 0;

	for (size_t i = 0; !st->target->deleted && i < st->outcome->n_clash; i++) {
		const struct field_rev *r = field_revs_find(revs, st->outcome->clash[i]);

		if (r && r->rev > newest)
			newest = r->rev;
	}
	for (size_t i = 0; !st->target->deleted && !newest && i < revs->n; i++)
		if (revs->list[i].rev > base && revs->list[i].writer != writer &&
		    revs->list[i].rev > newest)
			newest = revs->list[i].rev;
	return newest ? newest : st->target->rev;
}

static void tell_theirs(const struct stage_set *s, const struct stage *st, uint64_t base,
			Seve__Conflict *c)
{
	const uint64_t rev = theirs_rev(st, base, s->job->author.client_short);
	const struct world_version *v = world_written(s->world, st->target, rev);
	const Seve__Meta *meta = st->target->body ? st->target->body->meta : NULL;

	c->has_theirs_rev = st->target->exists;
	c->theirs_rev = st->target->rev;
	if (v) {
		c->theirs_by = (char *)(uintptr_t)v->by;
		c->has_theirs_at = true;
		c->theirs_at = v->at;
		c->has_theirs_client_at = v->client_time != 0;
		c->theirs_client_at = v->client_time;
	} else if (meta && rev == st->target->rev) {
		c->theirs_by = meta->updated_by;
		c->has_theirs_at = meta->has_updated_at;
		c->theirs_at = meta->updated_at;
		c->has_theirs_client_at = false;
	}
}

static void tell_mine(const struct stage_set *s, const Seve__Mutation *m, char *client, bool new,
		      Seve__Conflict *c)
{
	c->mine_by = (char *)(uintptr_t)s->job->author.account;
	c->has_mine_at = true;
	c->mine_at = s->world->now_ms;
	c->has_mine_client_at = m->client_time_ms != 0;
	c->mine_client_at = m->client_time_ms;
	if (m->reason)
		c->mine_reason = m->reason;
	c->has_state = true;
	c->state = SEVE__CONFLICT__STATE__STATE_OPEN;
	c->client = client;
	c->has_last_mid = true;
	c->last_mid = m->mid;
	if (!new)
		return;
	c->has_mid = true;
	c->mid = m->mid;
}

static void tell_about(const struct stage_set *s, const struct stage *st, Seve__Conflict *c)
{
	char ref[16] = "";

	kind_format_ref(st->next.kind, st->target->ref_no, ref);
	c->has_record_id = true;
	c->record_id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)st->target->key.id.b};
	c->record_kind = (char *)(uintptr_t)st->next.kind->name;
	c->record_ref = *ref ? arena_strdup(s->world->arena, ref) : NULL;
}

static Seve__Conflict__Clash clash_of(const struct stage *st, const Seve__Change *c)
{
	if (c->op == SEVE__CHANGE__OP__OP_DELETE)
		return SEVE__CONFLICT__CLASH__CLASH_DELETE_EDITED;
	if (st->target->exists && st->target->deleted)
		return SEVE__CONFLICT__CLASH__CLASH_EDIT_DELETED;
	return st->outcome->n_clash ? SEVE__CONFLICT__CLASH__CLASH_FIELD
				    : SEVE__CONFLICT__CLASH__CLASH_HELD;
}

/* Lays the mutation's changes of this record into the conflict. */
static int lay_changes(struct stage_set *s, const Seve__Mutation *m, const struct stage *st,
		       bool all, Seve__Conflict *to)
{
	struct arena *a = s->world->arena;
	int rc = 0;

	for (size_t i = 0; !rc && i < m->n_changes; i++) {
		const Seve__Change *c = m->changes[i];
		const uint64_t base = base_rev(s->world, s->job, c);
		struct conflict_side side = {
			.kind = st->next.kind,
			.change = c,
			.base = world_body_at(s->world, st->target, base),
			.theirs = st->target->body,
			.clash = st->outcome->clash,
			.n_clash = st->outcome->n_clash,
			.clash_only = !all,
		};

		if (memcmp(c->id.data, st->target->key.id.b, 16) != 0)
			continue;
		if (!to->has_base_rev) {
			to->has_base_rev = true;
			to->base_rev = base;
		}
		tell_theirs(s, st, base, to);
		rc = conflict_lay(a, &side, to, &s->err);
		if (!to->has_clash || to->clash == SEVE__CONFLICT__CLASH__CLASH_HELD ||
		    clash_of(st, c) != SEVE__CONFLICT__CLASH__CLASH_HELD)
			to->clash = clash_of(st, c);
		to->has_clash = true;
	}
	return rc ? rc : conflict_shorten(a, to, APPLY_RECORD_MAX - 1024, &s->err);
}

/* That of the record; of one that was never born, that of its creation. */
static Seve__Level level_of(const struct stage *st, const Seve__Meta *conflict)
{
	if (st->target->exists)
		return st->target->level;
	if (conflict->has_level)
		return conflict->level;
	return st->next.level ? st->next.level : st->next.kind->level;
}

static int keep_one(struct stage_set *s, const Seve__Mutation *m, const struct stage *st, bool all)
{
	struct arena *a = s->world->arena;
	struct stage *kept = &s->kept[s->n_kept];
	char *client = arena_alloc(a, UUID_TEXT);
	struct world_record *x;
	Seve__Body *body;

	if (!client)
		return err_set(&s->err, ERR_NOMEM, "conflict");
	client_mark(&s->job->author, client);
	x = open_conflict(s, &st->target->key.id, all);
	body = conflict_body(a, x);
	if (!x) {
		struct uuid id = new_id(s, &st->target->key.id, m->mid);

		x = world_record(s->world, s->job->territory, &id, true);
	}
	if (!x || !body)
		return err_set(&s->err, ERR_NOMEM, "conflict");
	*kept = (struct stage){.target = x, .next = *x, .acts = true, .whole = true};
	tell_about(s, st, body->conflict);
	tell_mine(s, m, client, !x->exists, body->conflict);
	if (lay_changes(s, m, st, all, body->conflict))
		return -(int)s->err.code;
	kept->next.body = body;
	s->n_kept++;
	return 0;
}

static bool is_kept(const struct stage *st, bool all)
{
	return !conflict_is(st->next.kind) && (all || st->clashed);
}

enum stage_end conflict_prepare(struct stage_set *s, const Seve__Mutation *m, bool all)
{
	s->kept = arena_array(s->world->arena, s->n + 1, sizeof *s->kept);
	if (!s->kept)
		return STAGE_FAILED;
	if (!world_head(s->world, s->job->territory, false))
		return stage_refuse(s, "territory", "GONE", "there is no territory %u",
				    s->job->territory);
	for (size_t i = 0; i < s->n; i++) {
		if (!is_kept(&s->list[i], all) || !keep_one(s, m, &s->list[i], all))
			continue;
		if (s->err.code == ERR_NOMEM)
			return STAGE_FAILED;
		return stage_refuse(s, s->list[i].next.kind->name,
				    s->err.code == ERR_TOO_BIG ? "TOO_LONG" : "INVALID", "%s",
				    s->err.text);
	}
	/* A decision that comes too late holds no values: there is nothing to keep. */
	return s->n_kept ? STAGE_GOES_ON
			 : stage_refuse(s, "state", "RESOLVED",
					"somebody else has decided this conflict, or added to it, "
					"meanwhile: look at it again");
}

/* What has been made ready, laid over what the conflict has become since: the rest of the mutation
 * may have moved the level of the record, and so its own. */
static void settle(struct stage *kept, const struct stage *about)
{
	const Seve__Body *body = kept->next.body;
	Seve__Meta *meta = body->meta;

	kept->next = *kept->target;
	meta->level = level_of(about, meta);
	meta->has_level = true;
	kept->next.kind = conflict_kind();
	kept->next.exists = kept->next.full = true;
	kept->next.body = body;
	kept->next.level = meta->level;
}

int conflict_write(struct stage_set *s, const Seve__Mutation *m)
{
	for (size_t i = 0; i < s->n_kept; i++) {
		struct stage *kept = &s->kept[i];
		const Seve__Conflict *c = kept->next.body->conflict;

		for (size_t k = 0; k < s->n; k++) {
			Seve__Outcome *o = s->list[k].outcome;

			if (!is_about(c, &s->list[k].target->key.id))
				continue;
			settle(kept, &s->list[k]);
			if (stage_write(s, kept, m->reason, m->client_time_ms))
				return -ERR_NOMEM;
			o->has_conflict_id = o->has_conflict_no = true;
			o->conflict_id = (ProtobufCBinaryData){
				16, (uint8_t *)(uintptr_t)kept->target->key.id.b};
			o->conflict_no = kept->target->ref_no;
		}
	}
	return 0;
}

/* ---- following ------------------------------------------------------------------------------ */

/* The next one whose level is another, in the order of their revisions. */
static struct world_record *next_follower(struct stage_set *s, const struct world_record *about,
					  uint64_t after)
{
	struct world_record *r, *tmp, *next = NULL;

	HASH_ITER (hh, s->world->records, r, tmp)
		if (r->key.territory == about->key.territory &&
		    is_about(content(r), &about->key.id) && r->level != about->level &&
		    r->rev > after && (!next || r->rev < next->rev))
			next = r;
	return next;
}

int conflict_follow(struct stage_set *s, const struct world_record *about, const char *reason,
		    int64_t client_time)
{
	struct world_record *r;

	for (uint64_t after = 0; (r = next_follower(s, about, after)) != NULL;) {
		struct stage st = {.target = r, .next = *r, .acts = true};
		uint32_t level_tag = META_TAG + MERGE_META_LEVEL;

		after = r->rev;
		st.next.body = stage_own_body(s->world->arena, r->body);
		if (!st.next.body)
			return -ERR_NOMEM;
		st.next.body->meta->has_level = true;
		st.next.body->meta->level = about->level;
		st.next.level = about->level;
		st.changed = &level_tag;
		st.n_changed = 1;
		if (stage_write(s, &st, reason, client_time))
			return -ERR_NOMEM;
	}
	return 0;
}

/* ---- a person's data ------------------------------------------------------------------------ */

static bool is_blank(const Seve__Conflict *c)
{
	if (c->state == SEVE__CONFLICT__STATE__STATE_OPEN || c->mine_reason)
		return false;
	for (size_t i = 0; i < c->n_fields; i++) {
		const Seve__ConflictField *f = c->fields[i];

		if (f->was || f->mine || f->theirs || f->add || f->remove)
			return false;
	}
	return true;
}

/* The names of the fields stay: they tell what the conflict was about. */
static Seve__Conflict *blank(const struct stage_set *s, const Seve__Conflict *from)
{
	struct arena *a = s->world->arena;
	Seve__Conflict *c = arena_memdup(a, from, sizeof *c);
	Seve__ConflictField *fields = arena_array(a, from->n_fields + 1, sizeof *fields);

	if (!c || !fields)
		return NULL;
	c->fields = arena_array(a, from->n_fields + 1, sizeof *c->fields);
	if (!c->fields)
		return NULL;
	for (size_t i = 0; i < from->n_fields; i++) {
		fields[i] = *from->fields[i];
		fields[i].was = fields[i].mine = fields[i].theirs = NULL;
		fields[i].add = fields[i].remove = NULL;
		c->fields[i] = &fields[i];
	}
	c->mine_reason = NULL;
	if (c->state != SEVE__CONFLICT__STATE__STATE_OPEN)
		return c;
	c->state = SEVE__CONFLICT__STATE__STATE_RESOLVED;
	c->has_resolution = c->has_resolved_at = true;
	c->resolution = SEVE__CONFLICT__RESOLUTION__RESOLUTION_THEIRS;
	c->resolved_by = (char *)(uintptr_t)s->job->author.account;
	c->resolved_at = s->world->now_ms;
	return c;
}

/* The next one that holds something, in the order of their revisions. */
static struct world_record *next_telling(struct stage_set *s, const struct world_record *about,
					 uint64_t after)
{
	struct world_record *r, *tmp, *next = NULL;

	HASH_ITER (hh, s->world->records, r, tmp)
		if (r->key.territory == about->key.territory &&
		    is_about(content(r), &about->key.id) && !is_blank(content(r)) &&
		    r->rev > after && (!next || r->rev < next->rev))
			next = r;
	return next;
}

int conflict_blank(struct stage_set *s, const struct world_record *about, const char *reason)
{
	struct world_record *r;

	for (uint64_t after = 0; (r = next_telling(s, about, after)) != NULL;) {
		struct stage st = {.target = r, .next = *r, .acts = true, .whole = true};
		Seve__Conflict *c = blank(s, r->body->conflict);

		after = r->rev;
		st.next.body = stage_own_body(s->world->arena, r->body);
		if (!c || !st.next.body)
			return -ERR_NOMEM;
		((Seve__Body *)(uintptr_t)st.next.body)->conflict = c;
		if (stage_write(s, &st, reason, 0))
			return -ERR_NOMEM;
	}
	return 0;
}
