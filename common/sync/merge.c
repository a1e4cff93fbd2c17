/* merge.c -- three-way merge of one change into one record.
 * Knows no storage, no clock.  The current record is never written to: what changes is copied
 * first, one level deep. */
#include "sync/merge.h"

#include <string.h>

#include "bug.h"
#include "field_set.h"
#include "rules/rules.h"
#include "sync/merge_patch.h"

static const field_desc *level_field(void)
{
	return protobuf_c_message_descriptor_get_field_by_name(&seve__meta__descriptor, "level");
}

/* A body that may be written to without `from` (or NULL: empty) noticing: body, meta and the kind's
 * message are copies. */
static Seve__Body *thin_copy(struct arena *a, const struct kind *k, const Seve__Body *from)
{
	Seve__Body *body = arena_alloc(a, sizeof *body);
	Seve__Meta *meta = arena_alloc(a, sizeof *meta);
	ProtobufCMessage *m = field_new_message(a, k->desc);
	if (!body || !meta || !m)
		return NULL;
	seve__body__init(body);
	seve__meta__init(meta);
	if (from) {
		*body = *from;
		if (from->meta)
			*meta = *from->meta;
		if (kind_message(from))
			memcpy(m, kind_message(from), k->desc->sizeof_message);
	}
	body->meta = meta;
	kind_set_message(k, body, m);
	return body;
}

/* "source\0key": the bytes by which references are told apart. */
static struct span ref_bytes(struct arena *a, const Seve__ExternalRef *r)
{
	const char *source = r->source ? r->source : "", *key = r->key ? r->key : "";
	size_t n = strlen(source) + 1, m = strlen(key);
	uint8_t *p = arena_alloc(a, n + m + 1);
	if (!p)
		return (struct span){NULL, 0};
	memcpy(p, source, n);
	memcpy(p + n, key, m + 1);
	return (struct span){p, n + m};
}

static bool collect_refs(struct arena *a, const Seve__Meta *meta, enum field_set_from from,
			 struct field_set_item *out)
{
	for (size_t i = 0; meta && i < meta->n_refs; i++) {
		out[i] = (struct field_set_item){ref_bytes(a, meta->refs[i]), from, i};
		if (!out[i].bytes.at)
			return false;
	}
	return true;
}

/* Adds and removes external references by (source, key).  Returns whether they changed, or
 * -ERR_NOMEM. */
static int edit_refs(struct arena *a, Seve__Meta *meta, const Seve__Meta *add,
		     const Seve__Meta *remove)
{
	size_t n_old = meta->n_refs, n_add = add ? add->n_refs : 0,
	       n_remove = remove ? remove->n_refs : 0;
	if (n_add + n_remove == 0)
		return 0;
	struct field_set_item *items = arena_array(a, n_old + n_add + n_remove, sizeof *items);
	bool *keep = arena_array(a, n_old + n_add, sizeof *keep);
	Seve__ExternalRef **list = arena_array(a, n_old + n_add, sizeof(Seve__ExternalRef *));
	if (!items || !keep || !list || !collect_refs(a, meta, FIELD_SET_OLD, items) ||
	    !collect_refs(a, add, FIELD_SET_ADDED, items + n_old) ||
	    !collect_refs(a, remove, FIELD_SET_REMOVED, items + n_old + n_add))
		return -ERR_NOMEM;
	if (!field_set_decide(items, n_old + n_add + n_remove, keep, keep + n_old))
		return 0;
	size_t n = 0;
	for (size_t i = 0; i < n_old + n_add; i++)
		if (keep[i])
			list[n++] = i < n_old ? meta->refs[i] : add->refs[i - n_old];
	meta->refs = n ? list : NULL;
	meta->n_refs = n;
	return 1;
}

/* Lays the members to add and to remove over the copy. */
static int edit_sets(struct arena *a, const struct kind *k, const struct merge_patch *p,
		     Seve__Body *body)
{
	ProtobufCMessage *m = kind_message(body);
	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		const field_desc *fd = &k->desc->fields[i];
		if (!field_is_set(field_type(fd)))
			continue;
		int rc = field_set_edit(a, m, p->add, p->remove, fd);
		if (rc < 0)
			return rc;
	}
	int rc = edit_refs(a, body->meta, p->add_meta, p->remove_meta);
	return rc < 0 ? rc : 0;
}

/* A level that is cleared goes back to the kind's own. */
static Seve__Level wanted_level(const struct kind *k, const struct merge_patch *p)
{
	return p->set_meta && p->set_meta->has_level ? p->set_meta->level : k->level;
}

static bool level_differs(const struct kind *k, const struct merge_patch *p, const Seve__Meta *meta)
{
	return p->mask_level && !(meta->has_level && meta->level == wanted_level(k, p));
}

static void put_level(const struct kind *k, const struct merge_patch *p, Seve__Meta *meta)
{
	meta->has_level = 1;
	meta->level = wanted_level(k, p);
}

/* What is known while one update is merged. */
struct update {
	const struct kind *k;
	const struct merge_patch *patch;
	const struct field_revs *revs;
	uint64_t writer, base_rev;
	bool hard; /* a hard field clashes */
	struct merge *out;
};

static bool foreign_since(const struct update *u, uint32_t tag)
{
	const struct field_rev *r = field_revs_find(u->revs, tag);
	return r && r->rev > u->base_rev && r->writer != u->writer && !SEVE_BUG(blind_merge);
}

/* Applies one masked field, or notes its clash. */
static void merge_field(struct update *u, ProtobufCMessage *m, const field_desc *fd)
{
	if (field_equal(m, u->patch->set, fd))
		return;
	if (!field_is_set(field_type(fd)) && foreign_since(u, fd->id)) {
		u->out->clash[u->out->n_clash++] = fd->id;
		u->hard |= (field_rule(u->k, fd).flags & FIELD_HARD) != 0;
		return;
	}
	field_copy(m, u->patch->set, fd);
}

static void merge_level(struct update *u, Seve__Meta *meta)
{
	if (!level_differs(u->k, u->patch, meta))
		return;
	uint32_t tag = META_TAG + level_field()->id;
	if (foreign_since(u, tag)) {
		u->out->clash[u->out->n_clash++] = tag;
		u->hard = true;
		return;
	}
	put_level(u->k, u->patch, meta);
}

static void list_changes(const struct kind *k, const Seve__Body *before, const Seve__Body *after,
			 bool refs_changed, struct merge *out)
{
	const ProtobufCMessage *x = kind_message(before), *y = kind_message(after);
	for (unsigned i = 0; i < k->desc->n_fields; i++)
		if (!field_equal(x, y, &k->desc->fields[i]))
			out->changed[out->n_changed++] = k->desc->fields[i].id;
	Seve__Meta none = SEVE__META__INIT;
	const ProtobufCMessage *meta = before->meta ? &before->meta->base : &none.base;
	if (!field_equal(meta, &after->meta->base, level_field()))
		out->changed[out->n_changed++] = META_TAG + level_field()->id;
	if (refs_changed)
		out->changed[out->n_changed++] = META_TAG + MERGE_META_REFS;
}

/* Whether the author knew all that led to `rev`: nothing came after the base, or only writes of the
 * author's own.  Where the newest field revision is older than the record's, something else
 * happened to it (a restoration), by whoever. */
static bool author_saw(const struct update *u, uint64_t rev)
{
	if (rev <= u->base_rev)
		return true;
	uint64_t newest = 0;
	for (size_t i = 0; i < u->revs->n; i++) {
		const struct field_rev *r = &u->revs->list[i];
		if (r->rev > u->base_rev && r->writer != u->writer)
			return false;
		if (r->rev > newest)
			newest = r->rev;
	}
	return newest >= rev;
}

static enum merge_result judge(const struct update *u, uint64_t rev)
{
	if (u->out->n_clash)
		return MERGE_CONFLICT;
	if (!u->out->n_changed)
		return MERGE_UNCHANGED;
	return author_saw(u, rev) ? MERGE_APPLIED : MERGE_MERGED;
}

static int merge_masked(struct arena *a, struct update *u, const Seve__Body *current, uint64_t rev,
			struct err *e)
{
	struct merge *out = u->out;
	size_t most = u->k->desc->n_fields + 2;
	out->body = thin_copy(a, u->k, current);
	out->changed = arena_array(a, most, sizeof *out->changed);
	out->clash = arena_array(a, most, sizeof *out->clash);
	if (!out->body || !out->changed || !out->clash)
		return err_set(e, ERR_NOMEM, "merge");
	for (unsigned i = 0; i < u->k->desc->n_fields; i++)
		if (u->patch->mask[i])
			merge_field(u, kind_message(out->body), &u->k->desc->fields[i]);
	merge_level(u, out->body->meta);
	if (u->hard) {
		out->result = MERGE_CONFLICT;
		out->body = NULL;
		return 0;
	}
	const void *refs = out->body->meta->refs;
	if (edit_sets(a, u->k, u->patch, out->body) < 0)
		return err_set(e, ERR_NOMEM, "merge");
	list_changes(u->k, current, out->body, out->body->meta->refs != refs, out);
	out->result = judge(u, rev);
	out->partial = out->n_clash > 0;
	return 0;
}

int merge_update(struct arena *a, const struct kind *k, const Seve__Body *current, uint64_t rev,
		 const struct field_revs *revs, uint64_t writer, const Seve__Change *change,
		 struct merge *out, struct err *e)
{
	struct merge_patch patch;
	int rc = merge_patch_read(a, k, change, &patch, e);
	if (rc < 0)
		return rc;
	if (kind_of(current) != k || !kind_message(current))
		return err_set(e, ERR_INVALID, "the record is of another kind than %s", k->name);
	struct merge made = {0};
	struct update u = {k, &patch, revs, writer, change->base_rev, false, &made};
	rc = merge_masked(a, &u, current, rev, e);
	if (rc == 0)
		*out = made;
	return rc;
}

/* A record that is to be born: all that `set` holds. */
static int overlay_new(struct arena *a, const struct kind *k, const struct merge_patch *p,
		       Seve__Body **out, struct err *e)
{
	Seve__Body *body = thin_copy(a, k, NULL);
	if (!body)
		return err_set(e, ERR_NOMEM, "overlay");
	for (unsigned i = 0; i < k->desc->n_fields; i++)
		field_copy(kind_message(body), p->set, &k->desc->fields[i]);
	rules_default_state(k, kind_message(body));
	put_level(k, p, body->meta);
	if (p->set_meta && edit_refs(a, body->meta, p->set_meta, NULL) < 0)
		return err_set(e, ERR_NOMEM, "overlay");
	if (edit_sets(a, k, p, body) < 0)
		return err_set(e, ERR_NOMEM, "overlay");
	*out = body;
	return 0;
}

static int overlay_edit(struct arena *a, const struct kind *k, const struct merge_patch *p,
			const Seve__Body *base, Seve__Body **out, struct err *e)
{
	if (!base)
		return err_set(e, ERR_NOT_FOUND, "no %s here to lay the change over", k->name);
	if (kind_of(base) != k)
		return err_set(e, ERR_INVALID, "the record is of another kind than %s", k->name);
	Seve__Body *body = thin_copy(a, k, base);
	if (!body)
		return err_set(e, ERR_NOMEM, "overlay");
	for (unsigned i = 0; i < k->desc->n_fields; i++)
		if (p->mask[i])
			field_copy(kind_message(body), p->set, &k->desc->fields[i]);
	if (p->mask_level)
		put_level(k, p, body->meta);
	if (edit_sets(a, k, p, body) < 0)
		return err_set(e, ERR_NOMEM, "overlay");
	*out = body;
	return 0;
}

int merge_overlay(struct arena *a, const struct kind *k, const Seve__Body *base,
		  const Seve__Change *change, Seve__Body **out, struct err *e)
{
	struct merge_patch patch;
	int rc = merge_patch_read(a, k, change, &patch, e);
	if (rc < 0)
		return rc;
	switch (change->op) {
	case SEVE__CHANGE__OP__OP_CREATE:
		return overlay_new(a, k, &patch, out, e);
	case SEVE__CHANGE__OP__OP_UPDATE:
	case SEVE__CHANGE__OP__OP_RESTORE:
		return overlay_edit(a, k, &patch, base, out, e);
	case SEVE__CHANGE__OP__OP_DELETE:
		*out = NULL;
		return 0;
	case SEVE__CHANGE__OP__OP_UNSPECIFIED:
	case _SEVE__CHANGE__OP_IS_INT_SIZE:
		break;
	}
	return err_set(e, ERR_INVALID, "a change without an operation that is known here (%d)",
		       (int)change->op);
}
