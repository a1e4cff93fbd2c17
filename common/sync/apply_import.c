/* apply_import.c -- one row of a partner's file: matched, merged three-way against what the partner
 * said last time. Match order: the partner's key, then a unique value (SIRET), then a new record
 * under the derived id. */
#include "apply_stage.h"

#include <stdio.h>

#include "sha256.h"
#include "wire.h"

enum { LEVEL_TAG = META_TAG + 1, KEY_MAX = 200 };

/* Rows of our own export name records by their ids: they are edits, not a partner's view, so
 * nothing is remembered of them and no reference is added. */
static bool is_own(const char *source)
{
	return !strcmp(source, APPLY_OWN_SOURCE);
}

/* The id of the record that a new key stands for; -ERR_INVALID: not one of ours. */
static int key_id(uint32_t territory, const char *source, const struct kind *k, const char *key,
		  struct uuid *out)
{
	if (!is_own(source)) {
		*out = uuid_v8(territory, source, k->number, key);
		return 0;
	}
	return uuid_parse(key, out, NULL) || !uuid_is_record_id(out->b, sizeof out->b)
		       ? -ERR_INVALID
		       : 0;
}

/* The row's mapped fields alone, as a body of their own: what is hashed and remembered. */
static Seve__Body *mapped_values(struct arena *a, const struct kind *k, const Seve__ImportRow *row)
{
	const ProtobufCMessage *from =
		row->set && kind_of(row->set) == k ? kind_message(row->set) : NULL;
	Seve__Body *body = arena_alloc(a, sizeof *body);
	ProtobufCMessage *m = arena_alloc(a, k->desc->sizeof_message);

	if (!body || !m)
		return NULL;
	seve__body__init(body);
	protobuf_c_message_init(k->desc, m);
	for (size_t i = 0; from && i < row->n_mask; i++) {
		const field_desc *fd = field_by_tag(k, row->mask[i]);

		if (fd)
			field_copy(m, from, fd);
	}
	kind_set_message(k, body, m);
	for (size_t i = 0; from && i < row->n_mask; i++)
		if (row->mask[i] == LEVEL_TAG && row->set->meta && row->set->meta->has_level) {
			body->meta = arena_alloc(a, sizeof *body->meta);
			if (!body->meta)
				return NULL;
			seve__meta__init(body->meta);
			body->meta->has_level = true;
			body->meta->level = row->set->meta->level;
		}
	return body;
}

static int values_hash(struct arena *a, const Seve__Body *values, const Seve__ImportRow *row,
		       uint8_t out[32])
{
	struct span bytes = wire_pack(a, &values->base);
	size_t mask = row->n_mask * sizeof *row->mask;
	uint8_t *both = arena_alloc(a, bytes.len + mask);

	if (!bytes.at || !both)
		return -ERR_NOMEM;
	memcpy(both, bytes.at, bytes.len);
	if (mask)
		memcpy(both + bytes.len, row->mask, mask);
	sha256(both, bytes.len + mask, out);
	return 0;
}

static int want_no_unique(void *ctx, uint32_t territory, const struct kind *k,
			  const ProtobufCFieldDescriptor *fd, const char *value)
{
	(void)ctx;
	(void)territory;
	(void)k;
	(void)fd;
	(void)value;
	return 0;
}

/* Rows of our own export and rows that take away or bring back are about what is there. */
static bool hopes(const struct apply_job *j)
{
	const struct apply_import *in = &j->import;

	return j->hopeful && !is_own(in->source) && !in->row->remove && !in->row->revive;
}

int apply_import_needs(const struct apply_job *j, const struct apply_wants *w)
{
	const struct apply_import *in = &j->import;
	struct apply_wants values = *w;
	struct uuid id;
	int rc;

	if (!in->row->key || !*in->row->key || strlen(in->row->key) > KEY_MAX)
		return 0; /* refused later */
	if (key_id(j->territory, in->source, in->kind, in->row->key, &id))
		return 0;
	rc = w->import(w->ctx, j->territory, in->kind, in->source, in->row->key);
	if (hopes(j))
		values.unique = want_no_unique;
	else if (!rc)
		rc = w->record(w->ctx, j->territory, &id, true);
	if (!rc && in->same_as)
		rc = w->record(w->ctx, j->territory, in->same_as, true);
	if (!rc && in->row->remove)
		rc = apply_need_gone(j->territory, &id, in->kind, w);
	if (!rc && in->row->revive)
		rc = w->last_version(w->ctx, j->territory, &id);
	if (!rc && in->row->set && kind_of(in->row->set) == in->kind)
		rc = apply_need_values(j->territory, &id, in->kind, kind_message(in->row->set),
				       &values);
	return rc;
}

struct row {
	const struct kind *kind;
	const Seve__ImportRow *in;
	const char *source;
	struct world_import *known;
	Seve__Body *values;
	uint8_t hash[32];
	Seve__RowVerdict__Code code;
	struct uuid id;
	bool attaching, revived;
	bool own;      /* of our own export */
	bool unsure;   /* what was not loaded is there */
	bool backfill; /* the source tells the record's state for the first time, and nobody here
			  has */
	struct stage_set s; /* last: see row_init() */
};

static void row_init(struct row *r, struct world *w, struct apply_job *j)
{
	memset(r, 0, offsetof(struct row, s));
	r->kind = j->import.kind;
	r->in = j->import.row;
	r->source = j->import.source;
	r->own = is_own(j->import.source);
	stage_init(&r->s, w, j);
}

/* The record that already holds the row's unique value, if any. */
static const struct uuid *holder_of_unique(struct row *r)
{
	const ProtobufCMessage *m = kind_message(r->values);

	if (r->s.job->import.same_as)
		return r->s.job->import.same_as;
	for (unsigned i = 0; i < r->kind->desc->n_fields; i++) {
		const field_desc *fd = &r->kind->desc->fields[i];
		const struct uuid *id;

		if (!(field_rule(r->kind, fd).flags & FIELD_UNIQUE) || !field_present(m, fd))
			continue;
		id = world_unique(r->s.world, r->s.job->territory, r->kind, fd->id,
				  *(char *const *)((const char *)m + fd->offset));
		if (id)
			return id;
	}
	return NULL;
}

/* An edit of our own export holds unless the field has been edited since it was exported. */
static bool takes_edit(struct row *r, const struct stage *st, const field_desc *fd,
		       const ProtobufCMessage *now)
{
	if (field_equal(kind_message(r->values), now, fd))
		return false;
	const struct field_rev *written = field_revs_find(&st->next.revs, fd->id);

	if (!r->in->base_rev || !written || written->rev <= r->in->base_rev)
		return true;
	problem_add(&r->s.problems, true, fd->name, "KEPT",
		    "kept the value that was edited here since the export");
	return false;
}

/* A network's past comes in as records, then links, then states (a state may need the links): the
 * state that the source tells for the first time is then a beginning, not a move. */
static bool tells_first_state(const struct row *r, const ProtobufCMessage *now,
			      const ProtobufCMessage *last)
{
	const field_desc *state = field_state(r->kind);
	ProtobufCMessage *plain = arena_alloc(r->s.world->arena, r->kind->desc->sizeof_message);

	if (!state || !plain || !last || field_present(last, state) ||
	    !field_present(kind_message(r->values), state))
		return false;
	protobuf_c_message_init(r->kind->desc, plain);
	rules_default_state(r->kind, plain);
	return field_equal(plain, now, state);
}

/* Takes the partner's new value unless somebody here has edited the field since the partner's last
 * one. */
static bool takes_value(struct row *r, const struct stage *st, const field_desc *fd,
			const ProtobufCMessage *now, const ProtobufCMessage *last)
{
	const ProtobufCMessage *fresh = kind_message(r->values);

	if (r->own)
		return takes_edit(r, st, fd, now);
	if (r->backfill && fd == field_state(r->kind))
		return !field_equal(fresh, now, fd);
	if (field_equal(fresh, now, fd) || (last && field_equal(fresh, last, fd)))
		return false;
	if (last ? field_equal(last, now, fd) : !field_present(now, fd))
		return true;
	if (last)
		problem_add(
			&r->s.problems, true, fd->name, "KEPT",
			"%s: kept the value that was edited here: the source brings another one",
			fd->name);
	else
		problem_add(&r->s.problems, true, fd->name, "KEPT",
			    "%s: kept the value that stands already: the source brings another one",
			    fd->name);
	return false;
}

/* The level goes by the same rule as a field; none means the kind's own. */
static Seve__Level level_of(const struct row *r, const Seve__Body *b)
{
	return b && b->meta && b->meta->has_level && b->meta->level ? b->meta->level
								    : (Seve__Level)r->kind->level;
}

static bool takes_level(struct row *r, const struct stage *st, const Seve__Body *now,
			const Seve__Body *last)
{
	const Seve__Level fresh = level_of(r, r->values), current = level_of(r, now);
	const struct field_rev *written = field_revs_find(&st->next.revs, LEVEL_TAG);
	bool edited;

	if (fresh == current || (!r->own && last && fresh == level_of(r, last)))
		return false;
	if (r->own)
		edited = r->in->base_rev && written && written->rev > r->in->base_rev;
	else
		edited = !last || level_of(r, last) != current;
	if (edited)
		problem_add(&r->s.problems, true, "level", "KEPT",
			    "kept the level that was set here: the source brings another one");
	return !edited;
}

static int add_reference(struct arena *a, Seve__Meta *meta, const char *source, const char *key)
{
	Seve__ExternalRef **list = arena_array(a, meta->n_refs + 1, sizeof *list);
	Seve__ExternalRef *ref = arena_alloc(a, sizeof *ref);

	if (!list || !ref)
		return -ERR_NOMEM;
	seve__external_ref__init(ref);
	ref->source = (char *)(uintptr_t)source;
	ref->key = (char *)(uintptr_t)key;
	if (meta->n_refs)
		memcpy(list, meta->refs, meta->n_refs * sizeof *list);
	list[meta->n_refs] = ref;
	meta->refs = list;
	meta->n_refs++;
	return 0;
}

static bool has_reference(const Seve__Meta *meta, const char *source, const char *key)
{
	for (size_t i = 0; meta && i < meta->n_refs; i++)
		if (!strcmp(meta->refs[i]->source, source) && !strcmp(meta->refs[i]->key, key))
			return true;
	return false;
}

/* Merges into the body that stands; stages it if anything differs. */
static enum stage_end row_merge(struct row *r, struct stage *st, const Seve__Body *base)
{
	struct arena *a = r->s.world->arena;
	const Seve__Body *last = r->known->known ? r->known->last_values : NULL;
	Seve__Body *body = stage_own_body(a, base);
	ProtobufCMessage *m = arena_memdup(a, kind_message(base), r->kind->desc->sizeof_message);
	uint32_t *changed = arena_array(a, r->in->n_mask + 1, sizeof *changed);
	size_t n = 0;

	if (!body || !m || !changed)
		return STAGE_FAILED;
	kind_set_message(r->kind, body, m);
	r->backfill = st->backfill = tells_first_state(r, m, last ? kind_message(last) : NULL);
	for (size_t i = 0; i < r->in->n_mask; i++) {
		const field_desc *fd = field_by_tag(r->kind, r->in->mask[i]);

		if (r->in->mask[i] == LEVEL_TAG && takes_level(r, st, base, last)) {
			body->meta->has_level = true;
			body->meta->level = level_of(r, r->values);
			changed[n++] = LEVEL_TAG;
		}
		if (!fd || !takes_value(r, st, fd, m, last ? kind_message(last) : NULL))
			continue;
		field_copy(m, kind_message(r->values), fd);
		changed[n++] = fd->id;
	}
	if (!r->own && !has_reference(body->meta, r->source, r->in->key)) {
		if (add_reference(a, body->meta, r->source, r->in->key))
			return STAGE_FAILED;
		changed[n++] = META_TAG + 7;
	}
	if (!n && !st->acts)
		return STAGE_GOES_ON;
	if (stage_wrote(&r->s, st, changed, n))
		return STAGE_FAILED;
	return stage_put(&r->s, st, body);
}

static enum stage_end row_create(struct row *r, struct stage *st)
{
	struct arena *a = r->s.world->arena;
	Seve__Body *body = stage_own_body(a, r->values);
	/* A copy: the defaults that are filled in are not what the partner said. */
	ProtobufCMessage *m =
		arena_memdup(a, kind_message(r->values), r->kind->desc->sizeof_message);

	if (!body || !m)
		return STAGE_FAILED;
	kind_set_message(r->kind, body, m);
	if (!r->own && add_reference(a, body->meta, r->source, r->in->key))
		return STAGE_FAILED;
	r->code = SEVE__ROW_VERDICT__CODE__CREATED;
	st->whole = true;
	return stage_put(&r->s, st, body);
}

/* The record of a key that nothing is remembered of lies deleted: the import that made it was taken
 * back.  It begins anew under its id. */
static enum stage_end row_again(struct row *r, struct stage *st)
{
	st->next.deleted = false;
	st->renewed = true;
	rules_default_state(r->kind, kind_message(r->values));
	return row_create(r, st);
}

static enum stage_end row_remove(struct row *r, struct stage *st)
{
	if (!st->next.exists || st->next.deleted) {
		r->code = SEVE__ROW_VERDICT__CODE__SKIPPED;
		return STAGE_GOES_ON;
	}
	if (!r->own && !stage_carries(st->next.body, r->source))
		return stage_refuse(&r->s, "key", "DENIED",
				    "the record does not carry a reference of source %s",
				    r->source);
	st->next.deleted = true;
	st->next.body = NULL;
	st->acts = st->whole = true;
	r->code = SEVE__ROW_VERDICT__CODE__DELETED;
	return STAGE_GOES_ON;
}

/* A record deleted here stays deleted unless the row says otherwise. */
static enum stage_end row_deleted(struct row *r, struct stage *st)
{
	if (!r->in->revive) {
		r->code = SEVE__ROW_VERDICT__CODE__SKIPPED;
		problem_add(&r->s.problems, true, "key", "DELETED",
			    "deleted here: import it again with --revive to bring it back");
		return STAGE_GOES_ON;
	}
	if (!st->next.last_body)
		return stage_refuse(&r->s, "key", "GONE",
				    "the deleted record's last version has been purged");
	st->next.deleted = false;
	st->acts = st->whole = r->revived = true;
	r->code = SEVE__ROW_VERDICT__CODE__UPDATED;
	return row_merge(r, st, st->next.last_body);
}

/* A row that this very import has brought already, before its connection was lost, is told what was
 * told then. */
static Seve__RowVerdict__Code effect_again(const struct row *r)
{
	if (!r->known->effect || uuid_is_nil(&r->known->batch) ||
	    uuid_cmp(&r->known->batch, &r->s.world->import_run))
		return SEVE__ROW_VERDICT__CODE__UNCHANGED;
	return r->known->effect == IMPORT_REVIVED ? SEVE__ROW_VERDICT__CODE__UPDATED
						  : (Seve__RowVerdict__Code)r->known->effect;
}

static enum stage_end row_live(struct row *r, struct stage *st)
{
	enum stage_end end;

	if (r->known->known && !memcmp(r->known->hash, r->hash, sizeof r->hash)) {
		r->code = effect_again(r);
		return STAGE_GOES_ON;
	}
	end = row_merge(r, st, st->next.body);
	r->code = r->attaching ? SEVE__ROW_VERDICT__CODE__ATTACHED
		  : st->acts   ? SEVE__ROW_VERDICT__CODE__UPDATED
			       : SEVE__ROW_VERDICT__CODE__UNCHANGED;
	return end;
}

/* Chooses the record that the row is about. */
static void row_match(struct row *r)
{
	const struct uuid *other;

	if (r->known->known) {
		r->id = r->known->id;
		return;
	}
	(void)key_id(r->s.job->territory, r->source, r->kind, r->in->key, &r->id);
	if (r->own)
		return;
	other = holder_of_unique(r);
	if (other && uuid_cmp(other, &r->id)) {
		r->id = *other;
		r->attaching = true;
	}
}

static enum stage_end row_decide(struct row *r)
{
	struct stage *st = stage_open(&r->s, r->id.b, r->kind);

	if (!st)
		return STAGE_FAILED;
	r->unsure = hopes(r->s.job) && st->next.exists && !st->next.full;
	if (r->unsure)
		return STAGE_REFUSED;
	if (st->next.exists && st->next.kind != r->kind)
		return stage_refuse(&r->s, "key", "KIND",
				    "the key stands for a record of another kind");
	if (r->own && st->next.exists && st->next.level > r->s.job->author.reads)
		return stage_refuse(&r->s, "key", "GONE",
				    "there is no such %s (any more) in this territory",
				    r->kind->name);
	if (apply_is_erased(r->kind, st->next.body)) {
		r->code = SEVE__ROW_VERDICT__CODE__SKIPPED;
		problem_add(&r->s.problems, true, "key", "ERASED",
			    "the person's data were erased here: take the row out of the source");
		return STAGE_GOES_ON;
	}
	if (r->in->remove)
		return row_remove(r, st);
	if (r->known->known && (st->next.deleted || !st->next.exists))
		return row_deleted(r, st); /* a purged record is not born again either */
	if (st->next.deleted && !r->known->known && !r->attaching && !r->own)
		return row_again(r, st);
	if (st->next.deleted)
		return row_deleted(r, st);
	if (st->next.exists)
		return row_live(r, st);
	if (r->attaching) { /* a dry run: the record that an earlier line would have made is not
			       there */
		r->code = SEVE__ROW_VERDICT__CODE__ATTACHED;
		return STAGE_GOES_ON;
	}
	return row_create(r, st);
}

static enum stage_end row_input(struct row *r)
{
	const Seve__ImportRow *in = r->in;

	if (r->s.job->refuse)
		return stage_refuse(&r->s, r->kind->name, "DATABASE", "the database refused it: %s",
				    r->s.job->refuse);
	if (!in->key || !*in->key)
		return stage_refuse(&r->s, "key", "REQUIRED", "the row has no key");
	if (key_id(r->s.job->territory, r->source, r->kind, in->key, &r->id))
		return stage_refuse(
			&r->s, "key", "FORMAT",
			"\"%.60s\" is not the id of a record: rows of source %s are named by it",
			in->key, r->source);
	if (strlen(in->key) > KEY_MAX)
		return stage_refuse(&r->s, "key", "TOO_LONG", "the key is longer than %d bytes",
				    KEY_MAX);
	if (!(r->kind->flags & KIND_IMPORT))
		return stage_refuse(&r->s, r->kind->name, "KIND",
				    "records of kind %s are not imported", r->kind->name);
	if (!(r->kind->writers & r->s.job->author.writes))
		return stage_refuse(&r->s, r->kind->name, "DENIED",
				    "%s may not write records of kind %s here",
				    r->s.job->author.account, r->kind->name);
	if (in->set && kind_of(in->set) != r->kind)
		return stage_refuse(&r->s, "set", "KIND", "the row's values are not of kind %s",
				    r->kind->name);
	for (size_t i = 0; i < in->n_mask; i++)
		if (in->mask[i] != LEVEL_TAG && !field_by_tag(r->kind, in->mask[i]))
			return stage_refuse(&r->s, "mask", "SCHEMA_TOO_NEW",
					    "field %u of %s is not known to this server: it is "
					    "older than the client",
					    in->mask[i], r->kind->name);
	return STAGE_GOES_ON;
}

/* Remembers what the partner said, for the next run. */
static void row_remember(struct row *r)
{
	struct world_import *k = r->known;
	const bool gone = r->code == SEVE__ROW_VERDICT__CODE__DELETED;

	if (r->own || r->code == SEVE__ROW_VERDICT__CODE__SKIPPED || (gone && !k->known))
		return;
	if (k->known && !gone && !r->revived && !memcmp(k->hash, r->hash, sizeof r->hash))
		return;
	if (k->known && uuid_cmp(&k->batch, &r->s.world->import_run)) {
		k->previous_values = k->last_values;
		memcpy(k->previous_hash, k->hash, sizeof k->previous_hash);
	}
	k->batch = r->s.world->import_run;
	k->effect = r->revived ? IMPORT_REVIVED : (uint8_t)r->code;
	k->rev = r->s.n ? r->s.list[0].target->rev : 0;
	k->born |= !k->known;
	k->known = true;
	k->id = r->id;
	world_touch_import(r->s.world, k);
	if (gone)
		return;
	k->last_values = r->values;
	memcpy(k->hash, r->hash, sizeof r->hash);
}

static int row_run(struct row *r)
{
	struct arena *a = r->s.world->arena;
	enum stage_end end = row_input(r);
	char reason[128];

	if (end == STAGE_GOES_ON) {
		r->known = world_import(r->s.world, r->s.job->territory, r->kind, r->source,
					r->in->key, true);
		r->values = mapped_values(a, r->kind, r->in);
		if (!r->known || !r->values || values_hash(a, r->values, r->in, r->hash))
			return -ERR_NOMEM;
		row_match(r);
		end = row_decide(r);
	}
	if (r->unsure)
		return APPLY_UNSURE;
	if (end == STAGE_GOES_ON && (r->kind->flags & KIND_APPEND) && r->s.list[0].acts &&
	    r->s.list[0].target->exists)
		end = stage_refuse(&r->s, r->kind->name, "APPEND",
				   "a %s is never changed nor deleted: add another one",
				   r->kind->name);
	snprintf(reason, sizeof reason, APPLY_REASON_IMPORT, r->source);
	if (end == STAGE_GOES_ON)
		end = stage_check(&r->s, reason);
	if (end == STAGE_FAILED)
		return -ERR_NOMEM;
	if (end != STAGE_GOES_ON) {
		r->code = SEVE__ROW_VERDICT__CODE__REJECTED;
		return 0;
	}
	if (!stage_commit(&r->s, arena_strdup(a, reason), 0))
		return -ERR_NOMEM;
	row_remember(r);
	return 0;
}

int apply_import_row(struct world *w, struct apply_job *j, struct err *e)
{
	struct row r;
	Seve__RowVerdict *v = arena_alloc(w->arena, sizeof *v);
	uint8_t *id = arena_alloc(w->arena, 16);
	int rc;

	row_init(&r, w, j);
	rc = v && id ? row_run(&r) : -ERR_NOMEM;
	if (rc == APPLY_UNSURE)
		return rc;
	if (rc)
		return err_set(e, ERR_NOMEM, "import row");
	seve__row_verdict__init(v);
	v->has_line = r.in->has_line;
	v->line = r.in->line;
	v->has_code = true;
	v->code = r.code;
	if (r.code != SEVE__ROW_VERDICT__CODE__REJECTED) {
		memcpy(id, r.id.b, 16);
		v->has_id = true;
		v->id = (ProtobufCBinaryData){16, id};
	}
	if (stage_violations(&r.s, &v->violations, &v->n_violations, &v->warnings, &v->n_warnings))
		return err_set(e, ERR_NOMEM, "import row");
	j->row = v;
	return 0;
}
