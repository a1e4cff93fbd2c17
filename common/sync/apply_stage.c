/* apply_stage.c -- see apply_stage.h. */
#include "apply_stage.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- opening and changing ------------------------------------------------------------------- */

void stage_init(struct stage_set *s, struct world *w, struct apply_job *j)
{
	s->world = w;
	s->job = j;
	s->depends_on = 0;
	s->err.code = 0;
	s->err.text[0] = 0;
	s->n = 0;
	s->kept = NULL;
	s->n_kept = 0;
	problems_init(&s->problems);
}

struct stage *stage_open(struct stage_set *s, const uint8_t id[16], const struct kind *k)
{
	struct world_record *r;
	struct stage *st;
	struct uuid u;

	memcpy(u.b, id, sizeof u.b);
	for (size_t i = 0; i < s->n; i++)
		if (!uuid_cmp(&s->list[i].target->key.id, &u))
			return &s->list[i];
	r = world_record(s->world, s->job->territory, &u, true);
	st = &s->list[s->n];
	*st = (struct stage){.target = r};
	st->outcome = arena_alloc(s->world->arena, sizeof *st->outcome);
	if (!r || !st->outcome) {
		err_set(&s->err, ERR_NOMEM, "change");
		return NULL;
	}
	seve__outcome__init(st->outcome);
	st->next = *r;
	if (!st->next.exists)
		st->next.kind = k;
	s->n++;
	return st;
}

const struct world_record *stage_see(const struct stage_set *s, const struct uuid *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (!uuid_cmp(&s->list[i].target->key.id, id))
			return &s->list[i].next;
	return world_record(s->world, s->job->territory, id, false);
}

Seve__Body *stage_own_body(struct arena *a, const Seve__Body *from)
{
	Seve__Body *body = arena_alloc(a, sizeof *body);
	Seve__Meta *meta = arena_alloc(a, sizeof *meta);

	if (!body || !meta)
		return NULL;
	*body = *from;
	if (from->meta)
		*meta = *from->meta;
	else
		seve__meta__init(meta);
	body->meta = meta;
	return body;
}

enum stage_end stage_put(struct stage_set *s, struct stage *st, Seve__Body *body)
{
	Seve__Body *own = stage_own_body(s->world->arena, body);

	if (!own) {
		err_set(&s->err, ERR_NOMEM, "change");
		return stage_error(s);
	}
	if (!st->next.exists)
		rules_default_state(st->next.kind, kind_message(own));
	if (!own->meta->has_level || own->meta->level == SEVE__LEVEL__LEVEL_UNSPECIFIED) {
		own->meta->has_level = true;
		own->meta->level = st->next.kind->level;
	}
	st->next.body = own;
	st->next.level = own->meta->level;
	st->next.exists = true;
	st->next.full = true;
	st->acts = true;
	return STAGE_GOES_ON;
}

/* The tags of both lists, each once. */
static int join_tags(struct arena *a, uint32_t **list, size_t *n, const uint32_t *more,
		     size_t n_more)
{
	uint32_t *both;

	if (!n_more)
		return 0;
	if (!*n) { /* never written to: shared */
		*list = (uint32_t *)(uintptr_t)more;
		*n = n_more;
		return 0;
	}
	both = arena_array(a, *n + n_more, sizeof *both);
	if (!both)
		return -ERR_NOMEM;
	if (*n)
		memcpy(both, *list, *n * sizeof *both);
	*list = both;
	for (size_t i = 0; i < n_more; i++) {
		size_t k = 0;

		while (k < *n && both[k] != more[i])
			k++;
		if (k == *n)
			both[(*n)++] = more[i];
	}
	return 0;
}

int stage_wrote(struct stage_set *s, struct stage *st, const uint32_t *tags, size_t n)
{
	return join_tags(s->world->arena, &st->changed, &st->n_changed, tags, n);
}

enum stage_end stage_clash(struct stage_set *s, struct stage *st, uint32_t *tags, size_t n)
{
	st->clashed = true;
	if (!join_tags(s->world->arena, &st->outcome->clash, &st->outcome->n_clash, tags, n))
		return STAGE_CLASH;
	err_set(&s->err, ERR_NOMEM, "change");
	return STAGE_FAILED;
}

bool stage_clashes(const struct stage_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].clashed)
			return true;
	return false;
}

enum stage_end stage_refuse(struct stage_set *s, const char *field, const char *code,
			    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	problem_addv(&s->problems, false, field, code, fmt, ap);
	va_end(ap);
	return STAGE_REFUSED;
}

enum stage_end stage_error(struct stage_set *s)
{
	bool newer = !strncmp(s->err.text, "SCHEMA_TOO_NEW", 14);

	if (s->err.code == ERR_NOMEM)
		return STAGE_FAILED;
	return stage_refuse(s, "mask", newer ? "SCHEMA_TOO_NEW" : "INVALID", "%s", s->err.text);
}

bool stage_carries(const Seve__Body *body, const char *source)
{
	for (size_t i = 0; body && body->meta && i < body->meta->n_refs; i++)
		if (body->meta->refs[i]->source && !strcmp(body->meta->refs[i]->source, source))
			return true;
	return false;
}

/* ---- checks on the resulting state ------------------------------------------------------------
 */

static const ProtobufCMessage *message(const Seve__Body *b)
{
	return b ? kind_message(b) : NULL;
}

/* What the record was before the mutation; a restored one was what it was before its deletion. */
static const Seve__Body *body_before(const struct stage *st)
{
	return st->target->deleted ? st->target->last_body : st->target->body;
}

struct ref_search {
	const struct kind *kind;
	const uint8_t *id;
	uint32_t tag; /* 0: any field */
};

static int ref_is(void *ctx, const field_desc *field, const struct kind *target,
		  const uint8_t id[16])
{
	const struct ref_search *f = ctx;

	(void)target;
	return (!f->tag || f->tag == field->id) && !memcmp(id, f->id, 16);
}

/* Whether a body refers to the record, in this field or (tag 0) in any. */
static bool refers(const struct kind *k, const Seve__Body *b, uint32_t tag, const uint8_t id[16])
{
	struct ref_search f = {k, id, tag};

	return b && field_each_ref(k, message(b), ref_is, &f) == 1;
}

struct ref_check {
	struct stage_set *s;
	const struct stage *st;
};

static int check_ref(void *ctx, const field_desc *field, const struct kind *target,
		     const uint8_t id[16])
{
	struct ref_check *c = ctx;
	const struct world_record *to;
	struct uuid u;

	/* A reference that stood before is not looked at again: what it points to may be gone
	 * since. */
	if (refers(c->st->next.kind, c->st->target->body, field->id, id))
		return 0;
	memcpy(u.b, id, sizeof u.b);
	to = stage_see(c->s, &u);
	if (!to || !to->exists || !apply_reads(&c->s->job->author, to))
		problem_add(&c->s->problems, false, field->name, "REFERENCE",
			    "points to a record that is not in this territory: create it first, or "
			    "correct the id");
	else if (to->deleted)
		problem_add(&c->s->problems, false, field->name, "REFERENCE",
			    "points to a deleted %s: restore that one first",
			    to->kind ? to->kind->name : "record");
	else if (target && to->kind != target)
		problem_add(&c->s->problems, false, field->name, "REFERENCE",
			    "points to a record of kind %s, wanted: %s",
			    to->kind ? to->kind->name : "?", target->name);
	return 0;
}

static const char *text_value(const Seve__Body *b, const field_desc *fd)
{
	const ProtobufCMessage *m = message(b);

	return m && field_present(m, fd) ? *(char *const *)((const char *)m + fd->offset) : NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Who else holds this value: an earlier stage of the mutation, or the world. */
static bool value_taken(const struct stage_set *s, const struct stage *st, const field_desc *fd,
			const char *value)
{
	const struct uuid *holder;

	for (size_t i = 0; i < s->n; i++) {
		const struct stage *o = &s->list[i];

		if (o != st && o->acts && !o->next.deleted && o->next.kind == st->next.kind &&
		    same_text(text_value(o->next.body, fd), value))
			return true;
	}
	holder = world_unique(s->world, s->job->territory, st->next.kind, fd->id, value);
	if (!holder || !uuid_cmp(holder, &st->target->key.id))
		return false;
	const struct world_record *r = stage_see(s, holder);

	return !r || (!r->deleted && (!r->full || same_text(text_value(r->body, fd), value)));
}

static void check_unique(struct stage_set *s, const struct stage *st)
{
	const struct kind *k = st->next.kind;

	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		const field_desc *fd = &k->desc->fields[i];
		const char *value;

		if (!(field_rule(k, fd).flags & FIELD_UNIQUE))
			continue;
		value = text_value(st->next.body, fd);
		if (!value || same_text(value, text_value(st->target->body, fd)))
			continue;
		if (value_taken(s, st, fd, value))
			problem_add(&s->problems, false, fd->name, "UNIQUE",
				    "another %s of this territory has %s %s already", k->name,
				    fd->name, value);
	}
}

/* A conflict tells of a record, and holds it no more than its history does. */
static bool points_at(const struct world_record *r, const uint8_t id[16])
{
	return r && r->exists && !conflict_is(r->kind) && !r->deleted &&
	       refers(r->kind, r->body, 0, id);
}

/* Records that would be left pointing at a deleted one: those of the database that the batch has
 * not touched, and those that it has, as the mutation leaves them. */
static void check_restricted(struct stage_set *s, const struct stage *st)
{
	const uint8_t *id = st->target->key.id.b;
	size_t n = 0;

	for (const struct world_referrer *r = s->world->referrers; r; r = r->next) {
		const struct world_record *from = stage_see(s, &r->from);

		if (r->territory == s->job->territory && !memcmp(r->to.b, id, 16) &&
		    (!from || !from->full || (!from->dirty && points_at(from, id))))
			n++;
	}
	for (const struct world_record *r = s->world->dirty_first; r; r = r->next_dirty)
		if (r->key.territory == s->job->territory &&
		    points_at(stage_see(s, &r->key.id), id))
			n++;
	for (size_t i = 0; i < s->n; i++)
		if (!s->list[i].target->dirty && s->list[i].acts && !s->list[i].target->exists &&
		    points_at(&s->list[i].next, id))
			n++;
	if (n)
		problem_add(&s->problems, false, "id", "RESTRICTED",
			    "%zu records still refer to this %s: delete or change them first, or "
			    "in the same mutation",
			    n, st->next.kind->name);
}

/* ---- rules ---- */

/* A need, its names resolved. */
struct wish {
	const struct stage_set *s;
	const struct stage *st; /* of the guarded record */
	enum need_how how;
	const struct kind *kind;
	const field_desc *field, *through;
};

/* The guarded record; of one that is deleted, what it was. */
static const Seve__Body *guarded(const struct stage *st)
{
	return st->next.deleted ? st->target->body : st->next.body;
}

/* Whether `id` is the origin: the guarded record, or what it names in `through`. */
static int is_origin(void *ctx, const field_desc *field, const struct kind *target,
		     const uint8_t id[16])
{
	const struct wish *x = ctx;

	(void)target;
	return field == x->field && refers(x->st->next.kind, guarded(x->st), x->through->id, id);
}

struct via {
	const struct wish *x;
	const uint8_t *id;
};

/* Whether the record that is named names in turn the one that is looked for. */
static int leads_to(void *ctx, const field_desc *field, const struct kind *target,
		    const uint8_t id[16])
{
	const struct via *v = ctx;
	const struct world_record *between;
	struct uuid u;

	(void)target;
	if (field != v->x->through)
		return 0;
	memcpy(u.b, id, sizeof u.b);
	between = stage_see(v->x->s, &u);
	return between && between->kind == v->x->kind && !between->deleted &&
	       refers(between->kind, between->body, v->x->field->id, v->id);
}

static bool fits(struct wish *x, const struct world_record *seen)
{
	struct via v = {x, seen->key.id.b};
	const struct stage *st = x->st;

	if (x->how != NEED_VIA && seen->kind != x->kind)
		return false;
	switch (x->how) {
	case NEED_POINTING:
		return refers(seen->kind, seen->body, x->field->id, st->target->key.id.b);
	case NEED_NAMED:
		return refers(st->next.kind, guarded(st), x->through->id, seen->key.id.b);
	case NEED_SIBLINGS:
		return field_each_ref(seen->kind, message(seen->body), is_origin, x) == 1;
	case NEED_VIA:
		return field_each_ref(st->next.kind, message(guarded(st)), leads_to, &v) == 1;
	case NEED_ALL:
		return true;
	case NEED_ABROAD:
		break;
	}
	return false;
}

enum { NEEDS_MAX = 8 };

struct gathering {
	struct wish wishes[NEEDS_MAX];
	size_t n_wishes;
	struct fact *list;
	size_t n, room;
};

static int gather(struct gathering *g, struct arena *a, const struct world_record *was,
		  const struct world_record *seen)
{
	bool wanted = false;

	if (!seen->exists || seen->deleted || !seen->body || !seen->kind)
		return 0;
	for (size_t i = 0; i < g->n_wishes && !wanted; i++)
		wanted = fits(&g->wishes[i], seen);
	if (!wanted)
		return 0;
	if (g->n == g->room) {
		struct fact *more = arena_array(a, g->room * 2 + 16, sizeof *more);

		if (!more)
			return -ERR_NOMEM;
		if (g->n)
			memcpy(more, g->list, g->n * sizeof *more);
		g->list = more;
		g->room = g->room * 2 + 16;
	}
	g->list[g->n++] = (struct fact){seen->key.id, seen->body,
					was->exists && !was->deleted ? was->body : NULL};
	return 0;
}

/* Some of the wishes want records of this kind; VIA tells only by looking. */
static bool of_interest(const struct gathering *g, const struct kind *k)
{
	for (size_t i = 0; i < g->n_wishes; i++)
		if (g->wishes[i].how == NEED_VIA || g->wishes[i].kind == k)
			return true;
	return false;
}

/* The records that the rule needs, as the mutation would leave them. */
static int rule_facts(const struct stage_set *s, struct gathering *g, struct facts *out)
{
	struct world_record *r, *tmp;
	int rc = 0;

	HASH_ITER (hh, s->world->records, r, tmp) {
		if (!rc && r->exists && r->key.territory == s->job->territory &&
		    of_interest(g, r->kind))
			rc = gather(g, s->world->arena, r, stage_see(s, &r->key.id));
	}
	for (size_t i = 0; !rc && i < s->n; i++)
		if (!s->list[i].target->exists && of_interest(g, s->list[i].next.kind))
			rc = gather(g, s->world->arena, s->list[i].target, &s->list[i].next);
	out->list = g->list;
	out->n = g->n;
	return rc;
}

static void rule_wishes(const struct stage_set *s, const struct stage *st, const struct rule *rule,
			struct gathering *g, struct facts *out)
{
	const ProtobufCMessage *about = message(guarded(st));
	const struct need *n;

	for (size_t i = 0; i < NEEDS_MAX && (n = rules_need(rule, i)); i++) {
		const struct kind *k = kind_by_number(n->kind);
		const field_desc *through = field_by_name(st->next.kind, n->through);

		if (n->how == NEED_ABROAD && field_present(about, through))
			out->abroad_hours = world_abroad_hours(
				s->world, s->job->territory,
				((const ProtobufCBinaryData *)field_at(about, through))->data);
		if (n->how != NEED_ABROAD)
			g->wishes[g->n_wishes++] = (struct wish){
				s, st, n->how, k, field_by_name(k, n->field), through};
	}
}

static int check_rules(struct stage_set *s, const struct stage *st, const char *reason)
{
	const ProtobufCMessage *before = message(body_before(st)), *after = message(st->next.body);
	bool imported = !s->job->mutation;

	for (size_t i = 0; i < rules_count(); i++) {
		const struct rule *r = rules_at(i);
		struct gathering g = {.n = 0};
		struct facts f = {.id = st->target->key.id,
				  .before = before,
				  .after = after,
				  .reason = imported ? NULL : reason,
				  .imported = imported,
				  .now_ms = s->world->now_ms};

		if (r->kind != st->next.kind->number || r->gone != st->next.deleted ||
		    !r->concerns(before, after))
			continue;
		rule_wishes(s, st, r, &g, &f);
		if (g.n_wishes && rule_facts(s, &g, &f))
			return -ERR_NOMEM;
		r->check(&f, &s->problems);
	}
	return 0;
}

/* Erasing is not an edit: the server alone says that a record is. */
static void check_erased(struct stage_set *s, const struct stage *st)
{
	const Seve__Body *before = body_before(st);

	if (before && apply_is_erased(st->next.kind, st->next.body) &&
	    !apply_is_erased(st->next.kind, before))
		problem_add(&s->problems, false, "erased_at", "ERASED",
			    "a person's data are erased by a command of its own: seve contact "
			    "erase");
}

static int check_record(struct stage_set *s, const struct stage *st, const char *reason)
{
	const struct kind *k = st->next.kind;
	const ProtobufCMessage *after = message(st->next.body);
	struct ref_check refs = {s, st};

	field_check_record(k, after, &s->problems);
	rules_check_state(k, st->backfill ? NULL : message(body_before(st)), after, reason,
			  &s->problems);
	if (!st->target->deleted || st->renewed)
		field_each_ref(k, after, check_ref, &refs);
	check_unique(s, st);
	check_erased(s, st);
	if (!(k->writers & s->job->author.writes) && !conflict_is(k) &&
	    !stage_own(&s->job->author, k, &st->target->key.id, st->next.body))
		problem_add(&s->problems, false, k->name, "DENIED",
			    "%s may write only what belongs to the own actor or action",
			    s->job->author.account);
	if (st->next.level < SEVE__LEVEL__LEVEL_PUBLIC || st->next.level > SEVE__LEVEL__LEVEL_TEAM)
		problem_add(&s->problems, false, "level", "FORMAT",
			    "there is no level %d: it is public, network or team",
			    (int)st->next.level);
	else if (!apply_reads(&s->job->author, &st->next))
		problem_add(&s->problems, false, "level", "DENIED",
			    "the level is above what %s may read: the record would vanish from its "
			    "author",
			    s->job->author.account);
	if (s->job->author.source && !stage_carries(st->next.body, s->job->author.source))
		problem_add(&s->problems, false, "refs", "DENIED",
			    "the record must carry a reference of source %s",
			    s->job->author.source);
	if (protobuf_c_message_get_packed_size(&st->next.body->base) > APPLY_RECORD_MAX)
		problem_add(&s->problems, false, k->name, "TOO_LONG",
			    "the record is larger than %d bytes", APPLY_RECORD_MAX);
	return check_rules(s, st, reason);
}

enum stage_end stage_check(struct stage_set *s, const char *reason)
{
	if (!world_head(s->world, s->job->territory, false))
		return stage_refuse(s, "territory", "GONE", "there is no territory %u",
				    s->job->territory);
	for (size_t i = 0; i < s->n; i++) {
		const struct stage *st = &s->list[i];

		if (!st->acts)
			continue;
		if ((st->next.kind->flags & KIND_APPEND) && st->target->exists)
			problem_add(&s->problems, false, st->next.kind->name, "APPEND",
				    "a %s is never changed nor deleted: add another one",
				    st->next.kind->name);
		if (st->next.deleted)
			check_restricted(s, st);
		if (st->next.deleted ? check_rules(s, st, reason) : check_record(s, st, reason))
			return STAGE_FAILED;
	}
	return s->problems.errors ? STAGE_REFUSED : STAGE_GOES_ON;
}

/* ---- commit -------------------------------------------------------------------------------------
 */

bool apply_owner(const struct kind *k, const struct uuid *id, const Seve__Body *body,
		 struct uuid *out)
{
	const field_desc *fd = field_by_name(k, "actor_id");
	const ProtobufCMessage *m = message(body);

	if (!strcmp(k->name, "actor")) {
		*out = *id;
		return true;
	}
	if (!fd || !m || !field_present(m, fd))
		return false;
	memcpy(out->b, ((const ProtobufCBinaryData *)((const char *)m + fd->offset))->data,
	       sizeof out->b);
	return true;
}

/* A reference of the record, by the name of its field; NULL: it has none. */
static const uint8_t *points_to(const struct kind *k, const Seve__Body *body, const char *field)
{
	const field_desc *fd = field_by_name(k, field);
	const ProtobufCMessage *m = message(body);

	if (!fd || !m || field_type(fd) != FIELD_ID || !field_present(m, fd))
		return NULL;
	return ((const ProtobufCBinaryData *)field_at(m, fd))->data;
}

static bool pilots(const struct apply_author *a, const uint8_t id[16])
{
	for (size_t i = 0; i < a->n_piloted; i++)
		if (!memcmp(a->piloted[i].b, id, sizeof a->piloted[i].b))
			return true;
	return false;
}

bool stage_own(const struct apply_author *a, const struct kind *k, const struct uuid *id,
	       const Seve__Body *body)
{
	const uint8_t *action;
	struct uuid owner;

	if (k->writers & a->own & KIND_BY_P && !uuid_is_nil(&a->actor) &&
	    apply_owner(k, id, body, &owner) && !uuid_cmp(&owner, &a->actor))
		return true;
	if (!(k->writers & a->own & KIND_BY_L))
		return false;
	action = !strcmp(k->name, "action") ? id->b : points_to(k, body, "action_id");
	return action && pilots(a, action);
}

bool apply_reads(const struct apply_author *a, const struct world_record *r)
{
	struct uuid owner;

	if (r->level <= a->reads)
		return true;
	return r->kind && r->kind->writers & KIND_BY_P && !uuid_is_nil(&a->actor) &&
	       apply_owner(r->kind, &r->key.id, r->body, &owner) && !uuid_cmp(&owner, &a->actor);
}

/* Somebody who could read the record no longer can: its level rose, or it belongs to another actor.
 */
static bool narrows(const struct stage *st)
{
	struct uuid before, after;
	bool had, has;

	if (!st->target->exists || st->target->deleted || st->next.deleted)
		return false;
	had = apply_owner(st->next.kind, &st->target->key.id, st->target->body, &before);
	has = apply_owner(st->next.kind, &st->target->key.id, st->next.body, &after);
	return st->next.level > st->target->level || had != has ||
	       (had && uuid_cmp(&before, &after));
}

static int stamp(struct stage_set *s, struct stage *st, uint64_t rev)
{
	struct field_rev *whole;

	if (st->n_changed && !st->whole)
		return merge_stamp(s->world->arena, &st->target->revs, st->changed, st->n_changed,
				   rev, s->job->author.client_short, &st->next.revs);
	whole = arena_alloc(s->world->arena, sizeof *whole);
	if (!whole)
		return -ERR_NOMEM;
	*whole = (struct field_rev){0, rev, s->job->author.client_short};
	st->next.revs = (struct field_revs){whole, 1};
	return 0;
}

static void fill_meta(const struct stage_set *s, struct stage *st, struct world_head *h)
{
	Seve__Meta *meta = st->next.body ? st->next.body->meta : NULL;
	const struct kind *k = st->next.kind;
	char *account = (char *)(uintptr_t)s->job->author.account;

	if (!st->target->exists && k->prefix && k->number <= WORLD_KIND_MAX)
		st->next.ref_no = ++h->counters[k->number];
	if (!st->target->exists || st->renewed) {
		meta->has_created_at = true;
		meta->created_at = s->world->now_ms;
		meta->created_by = account;
	}
	if (!meta)
		return;
	meta->has_ref_no = st->next.ref_no != 0;
	meta->ref_no = st->next.ref_no;
	meta->has_updated_at = true;
	meta->updated_at = s->world->now_ms;
	meta->updated_by = account;
	if (field_state_entered(k, st->target->body ? kind_message(st->target->body) : NULL,
				kind_message(st->next.body))) {
		meta->has_state_at = true;
		meta->state_at = s->world->now_ms;
	}
}

static int move_uniques(struct stage_set *s, const struct stage *st)
{
	const struct kind *k = st->next.kind;

	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		const field_desc *fd = &k->desc->fields[i];
		const char *old, *now;

		if (!(field_rule(k, fd).flags & FIELD_UNIQUE))
			continue;
		old = text_value(st->target->body, fd);
		now = st->next.deleted ? NULL : text_value(st->next.body, fd);
		if (same_text(old, now))
			continue;
		if ((old && world_unique_set(s->world, s->job->territory, k, fd->id, old, NULL)) ||
		    (now && world_unique_set(s->world, s->job->territory, k, fd->id, now,
					     &st->target->key.id)))
			return -ERR_NOMEM;
	}
	return 0;
}

int stage_write(struct stage_set *s, struct stage *st, const char *reason, int64_t client_time)
{
	struct world_head *h = world_head(s->world, s->job->territory, false);
	struct world_record *to = st->target, was = *to;
	uint64_t rev = h->rev + 1;

	if (stamp(s, st, rev) || move_uniques(s, st))
		return -ERR_NOMEM;
	if (was.exists &&
	    world_keep_version(s->world, to, rev, s->job->author.account, reason, client_time))
		return -ERR_NOMEM;
	fill_meta(s, st, h);
	if (narrows(st))
		st->next.narrowed_rev = rev;
	h->rev = rev;
	h->dirty = true;
	st->next.rev = rev;
	st->next.last_body = st->next.deleted ? was.body : NULL;
	*to = st->next;
	to->hh = was.hh;
	to->dirty = was.dirty;
	to->next_dirty = was.next_dirty;
	to->unsaved = was.unsaved;
	to->next_unsaved = was.next_unsaved;
	to->born = was.born || !was.exists;
	to->links_stale = true;
	world_touch(s->world, to);
	return was.exists && was.level != to->level && !conflict_is(to->kind)
		       ? conflict_follow(s, to, reason, client_time)
		       : 0;
}

Seve__Verdict__Code stage_commit(struct stage_set *s, const char *reason, int64_t client_time)
{
	bool acted = false, merged = false;

	for (size_t i = 0; i < s->n; i++) {
		merged |= s->list[i].merged;
		if (!s->list[i].acts)
			continue;
		if (stage_write(s, &s->list[i], reason, client_time))
			return SEVE__VERDICT__CODE__UNSPECIFIED;
		acted = true;
	}
	if (!acted && stage_clashes(s))
		return SEVE__VERDICT__CODE__CONFLICT;
	if (merged)
		return SEVE__VERDICT__CODE__MERGED;
	return acted ? SEVE__VERDICT__CODE__APPLIED : SEVE__VERDICT__CODE__UNCHANGED;
}
