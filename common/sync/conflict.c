/* conflict.c -- see conflict.h. */
#include "conflict.h"

#include <string.h>

#include "buf.h"
#include "field.h"
#include "merge.h"
#include "merge_patch.h"

enum { VALUE_MAX = 512 * 1024 };

const struct kind *conflict_kind(void)
{
	return kind_by_number(SEVE__BODY__KIND_CONFLICT);
}

/* ---- one entry ------------------------------------------------------------------------------ */

/* The entry of the field: copied, so that the record that holds it does not notice, or made. */
static Seve__ConflictField *entry(struct arena *a, Seve__Conflict *c, const char *field, bool *made)
{
	Seve__ConflictField **list = arena_array(a, c->n_fields + 1, sizeof *list);
	Seve__ConflictField *f = arena_alloc(a, sizeof *f);
	size_t i = 0;

	if (!list || !f)
		return NULL;
	if (c->n_fields)
		memcpy(list, c->fields, c->n_fields * sizeof *list);
	while (i < c->n_fields && strcmp(list[i]->field, field) != 0)
		i++;
	*made = i == c->n_fields;
	if (*made)
		seve__conflict_field__init(f);
	else
		*f = *list[i];
	f->field = (char *)(uintptr_t)field;
	list[i] = f;
	c->fields = list;
	c->n_fields += *made;
	return f;
}

static bool known(const Seve__Conflict *c, const char *field)
{
	for (size_t i = 0; i < c->n_fields; i++)
		if (!strcmp(c->fields[i]->field, field))
			return true;
	return false;
}

static bool clashes(const struct conflict_side *s, uint32_t tag)
{
	for (size_t i = 0; i < s->n_clash; i++)
		if (s->clash[i] == tag)
			return true;
	return false;
}

/* A value as text; NULL in *out where there is none. */
static int text_of(struct arena *a, const ProtobufCMessage *m, const field_desc *fd, char **out,
		   struct err *e)
{
	struct buf b;
	int rc;

	*out = NULL;
	if (!m || !field_present(m, fd))
		return 0;
	buf_init(&b, VALUE_MAX);
	rc = field_to_text(m, fd, &b);
	if (!rc)
		*out = arena_strndup(a, (const char *)buf_span(&b).at, buf_len(&b));
	buf_fini(&b);
	if (rc == -ERR_TOO_BIG)
		return err_set(e, ERR_TOO_BIG, "%s is too long to be kept", fd->name);
	return rc || !*out ? err_set(e, ERR_NOMEM, "conflict") : 0;
}

static const ProtobufCMessage *message(const Seve__Body *b)
{
	return b ? kind_message(b) : NULL;
}

static int lay_value(struct arena *a, const struct conflict_side *s, const ProtobufCMessage *mine,
		     const field_desc *fd, Seve__Conflict *to, struct err *e)
{
	bool made;
	Seve__ConflictField *f = entry(a, to, fd->name, &made);
	int rc = f ? 0 : err_set(e, ERR_NOMEM, "conflict");

	if (!rc && made)
		rc = text_of(a, message(s->base), fd, &f->was, e);
	if (!rc)
		rc = text_of(a, mine, fd, &f->mine, e);
	if (!rc)
		rc = text_of(a, message(s->theirs), fd, &f->theirs, e);
	if (!rc && clashes(s, fd->id))
		f->has_clash = f->clash = true;
	return rc;
}

static char *level_text(struct arena *a, const Seve__Body *b)
{
	char word[48];

	if (!b || !b->meta || !b->meta->has_level)
		return NULL;
	field_enum_word(&seve__level__descriptor, (int)b->meta->level, word);
	return arena_strdup(a, word);
}

static int lay_level(struct arena *a, const struct conflict_side *s, Seve__Conflict *to,
		     struct err *e)
{
	bool made;
	Seve__ConflictField *f = entry(a, to, "level", &made);
	char word[48];
	const Seve__Meta *set = s->change->set ? s->change->set->meta : NULL;

	if (!f)
		return err_set(e, ERR_NOMEM, "conflict");
	if (made)
		f->was = level_text(a, s->base);
	field_enum_word(&seve__level__descriptor,
			(int)(set && set->has_level ? set->level : s->kind->level), word);
	f->mine = arena_strdup(a, word);
	f->theirs = level_text(a, s->theirs);
	if (clashes(s, META_TAG + MERGE_META_LEVEL))
		f->has_clash = f->clash = true;
	return f->mine ? 0 : err_set(e, ERR_NOMEM, "conflict");
}

/* ---- sets
 * --------------------------------------------------------------------------------------- */

/* The members that stand in `text`, with `more` and without `less`, as text again. */
static int join_members(struct arena *a, const struct kind *k, const field_desc *fd, char *text,
			const ProtobufCMessage *more, const ProtobufCMessage *less, char **out,
			struct err *e)
{
	ProtobufCMessage *m = field_new_message(a, k->desc);

	if (!m)
		return err_set(e, ERR_NOMEM, "conflict");
	if (text && field_read(a, m, fd, text, e))
		return -(int)e->code;
	if (field_set_edit(a, m, more, less, fd) < 0)
		return err_set(e, ERR_NOMEM, "conflict");
	return text_of(a, m, fd, out, e);
}

static int lay_set(struct arena *a, const struct conflict_side *s, const struct merge_patch *p,
		   const field_desc *fd, Seve__Conflict *to, struct err *e)
{
	bool made;
	Seve__ConflictField *f = entry(a, to, fd->name, &made);
	int rc = f ? 0 : err_set(e, ERR_NOMEM, "conflict");

	if (!rc && made)
		rc = text_of(a, message(s->base), fd, &f->was, e);
	if (!rc)
		rc = text_of(a, message(s->theirs), fd, &f->theirs, e);
	if (!rc)
		rc = join_members(a, s->kind, fd, f->add, p->add, p->remove, &f->add, e);
	return rc ? rc : join_members(a, s->kind, fd, f->remove, p->remove, p->add, &f->remove, e);
}

/* "source:key|source:key" */
static char *refs_text(struct arena *a, const char *before, const Seve__Meta *meta)
{
	char *text = arena_strdup(a, before ? before : "");

	for (size_t i = 0; text && meta && i < meta->n_refs; i++)
		text = arena_printf(a, "%s%s%s:%s", text, *text ? "|" : "",
				    meta->refs[i]->source ? meta->refs[i]->source : "",
				    meta->refs[i]->key ? meta->refs[i]->key : "");
	return text;
}

static int lay_refs(struct arena *a, const Seve__Meta *add, const Seve__Meta *remove,
		    Seve__Conflict *to, struct err *e)
{
	Seve__ConflictField *f;
	bool made;

	if (!(add && add->n_refs) && !(remove && remove->n_refs))
		return 0;
	f = entry(a, to, "refs", &made);
	if (!f)
		return err_set(e, ERR_NOMEM, "conflict");
	if (add && add->n_refs)
		f->add = refs_text(a, f->add, add);
	if (remove && remove->n_refs)
		f->remove = refs_text(a, f->remove, remove);
	return 0;
}

static bool set_is_edited(const struct merge_patch *p, const field_desc *fd)
{
	return field_is_set(field_type(fd)) &&
	       ((p->add && field_count(p->add, fd)) || (p->remove && field_count(p->remove, fd)));
}

/* ---- a whole change
 * ------------------------------------------------------------------------------ */

static int lay_update(struct arena *a, const struct conflict_side *s, const struct merge_patch *p,
		      Seve__Conflict *to, struct err *e)
{
	const ProtobufCMessageDescriptor *d = s->kind->desc;
	int rc = 0;

	for (unsigned i = 0; !rc && i < d->n_fields; i++) {
		const field_desc *fd = &d->fields[i];
		bool same = s->theirs && field_equal(p->set, message(s->theirs), fd);

		if (p->mask[i] && (!same || known(to, fd->name)) &&
		    (!s->clash_only || clashes(s, fd->id)))
			rc = lay_value(a, s, p->set, fd, to, e);
		if (!rc && !s->clash_only && set_is_edited(p, fd))
			rc = lay_set(a, s, p, fd, to, e);
	}
	if (!rc && p->mask_level && (!s->clash_only || clashes(s, META_TAG + MERGE_META_LEVEL)))
		rc = lay_level(a, s, to, e);
	if (!rc && !s->clash_only)
		rc = lay_refs(a, p->add_meta, p->remove_meta, to, e);
	return rc;
}

/* All that it would have been. */
static int lay_create(struct arena *a, const struct conflict_side *s, const struct merge_patch *p,
		      Seve__Conflict *to, struct err *e)
{
	const ProtobufCMessageDescriptor *d = s->kind->desc;
	int rc = 0;

	for (unsigned i = 0; !rc && i < d->n_fields; i++) {
		const field_desc *fd = &d->fields[i];

		if (field_present(p->set, fd))
			rc = lay_value(a, s, p->set, fd, to, e);
		if (!rc && set_is_edited(p, fd))
			rc = lay_set(a, s, p, fd, to, e);
	}
	if (!rc && p->set_meta && p->set_meta->has_level)
		rc = lay_level(a, s, to, e);
	return rc ? rc : lay_refs(a, p->set_meta, NULL, to, e);
}

/* What would be lost: all that the others have changed since. */
static int lay_delete(struct arena *a, const struct conflict_side *s, Seve__Conflict *to,
		      struct err *e)
{
	const ProtobufCMessageDescriptor *d = s->kind->desc;
	int rc = 0;

	for (unsigned i = 0; !rc && s->base && s->theirs && i < d->n_fields; i++) {
		const field_desc *fd = &d->fields[i];

		if (!field_equal(message(s->base), message(s->theirs), fd))
			rc = lay_value(a, s, NULL, fd, to, e);
	}
	return rc;
}

int conflict_lay(struct arena *a, const struct conflict_side *s, Seve__Conflict *to, struct err *e)
{
	struct merge_patch p;
	int rc = merge_patch_read(a, s->kind, s->change, &p, e);

	if (rc)
		return rc;
	switch (s->change->op) {
	case SEVE__CHANGE__OP__OP_CREATE:
		return lay_create(a, s, &p, to, e);
	case SEVE__CHANGE__OP__OP_UPDATE:
		return lay_update(a, s, &p, to, e);
	case SEVE__CHANGE__OP__OP_DELETE:
		return lay_delete(a, s, to, e);
	case SEVE__CHANGE__OP__OP_RESTORE:
	case SEVE__CHANGE__OP__OP_UNSPECIFIED:
	case _SEVE__CHANGE__OP_IS_INT_SIZE:
		break;
	}
	return 0;
}

/* ---- size
 * ------------------------------------------------------------------------------------------ */

static bool fits(const Seve__Conflict *c, size_t most)
{
	return protobuf_c_message_get_packed_size(&c->base) <= most;
}

int conflict_shorten(struct arena *a, Seve__Conflict *c, size_t most, struct err *e)
{
	enum { BASE, THEIRS, SIDES };

	for (int side = BASE; side < SIDES && !fits(c, most); side++)
		for (size_t i = 0; i < c->n_fields && !fits(c, most); i++) {
			bool made;
			Seve__ConflictField *f = entry(a, c, c->fields[i]->field, &made);

			if (!f)
				return err_set(e, ERR_NOMEM, "conflict");
			*(side == BASE ? &f->was : &f->theirs) = NULL;
			c->has_shortened = c->shortened = true;
		}
	return fits(c, most) ? 0
			     : err_set(e, ERR_TOO_BIG,
				       "it clashes with another edit, and is too long to be kept "
				       "beside it");
}
