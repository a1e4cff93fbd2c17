/* record_edit.c -- see record.h: setting fields from text, and the change that the edits make. */
#include "error.h"
#include "json.h"
#include "record.h"
#include "text.h"

enum { META_LEVEL = 1, META_REFS = 7 };

/* ---- names
 * ---------------------------------------------------------------------------------------------- */

static int no_such_field(const struct kind *k, const char *field, struct err *e)
{
	const char *nearest = NULL;
	unsigned least = 4;

	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		unsigned d = text_distance(field, k->desc->fields[i].name, 3);

		if (d < least) {
			least = d;
			nearest = k->desc->fields[i].name;
		}
	}
	err_set(e, ERR_INVALID, "%s has no field \"%s\"", k->name, field);
	return nearest ? err_remedy(e, "did you mean %s?", nearest) : -ERR_INVALID;
}

static int find_field(const struct kind *k, const char *field, const field_desc **out,
		      struct err *e)
{
	const field_desc *fd = field_by_name(k, field);

	if (!fd)
		fd = json_key_field(k, field);
	if (!fd)
		return no_such_field(k, field, e);
	*out = fd;
	return 0;
}

static int writable(const struct seve_record *r, struct err *e)
{
	if (!r->body) {
		err_set(e, ERR_PRECONDITION, "%s %s is deleted", r->kind->name, r->id_text);
		return err_remedy(e, "restore it first");
	}
	if (r->arena != &r->own)
		return err_set(e, ERR_USAGE, "a record of a list is edited by way of a copy");
	return 0;
}

static Seve__Meta *own_meta(struct seve_record *r)
{
	if (!r->body->meta) {
		Seve__Meta *meta = arena_alloc(r->arena, sizeof *meta);

		if (!meta)
			return NULL;
		seve__meta__init(meta);
		r->body->meta = meta;
	}
	return r->body->meta;
}

static int mark(struct seve_record *r, const field_desc *fd, struct err *e)
{
	size_t at = (size_t)(fd - r->kind->desc->fields);

	if (!r->edited)
		r->edited = arena_array(r->arena, r->kind->desc->n_fields, sizeof *r->edited);
	if (!r->edited)
		return err_set(e, ERR_NOMEM, "record");
	r->edited[at] = true;
	r->texts[at] = NULL;
	return 0;
}

static void mark_meta(struct seve_record *r, unsigned number)
{
	const field_desc *fd =
		protobuf_c_message_descriptor_get_field(&seve__meta__descriptor, number);

	r->edited_level = r->edited_level || number == META_LEVEL;
	r->edited_refs = r->edited_refs || number == META_REFS;
	r->texts[r->kind->desc->n_fields + (size_t)(fd - seve__meta__descriptor.fields)] = NULL;
}

/* ---- references
 * -------------------------------------------------------------------------------------------- */

/* One "source:key" up to '|' or the end, unescaped. */
static int read_ref(struct arena *a, const char **at, Seve__ExternalRef **out, struct err *e)
{
	Seve__ExternalRef *r = arena_alloc(a, sizeof *r);
	size_t n = strlen(*at), len = 0;
	char *text = arena_alloc(a, n + 1), *colon;

	if (!r || !text)
		return err_set(e, ERR_NOMEM, "reference");
	for (; **at && **at != '|'; ++*at) {
		if (**at == '\\' && (*at)[1])
			++*at;
		text[len++] = **at;
	}
	text[len] = '\0';
	if (**at == '|')
		++*at;
	colon = strchr(text, ':');
	if (!colon || colon == text || !colon[1]) {
		err_set(e, ERR_INVALID, "refs: \"%s\" is not source:key", text);
		return err_remedy(e, "write the partner's system and its key, as in cci:4711");
	}
	*colon = '\0';
	seve__external_ref__init(r);
	r->source = text;
	r->key = colon + 1;
	*out = r;
	return 0;
}

int record_refs_from_text(struct arena *a, Seve__Meta *meta, const char *text, struct err *e)
{
	size_t n = *text != '\0';
	Seve__ExternalRef **list;

	for (const char *p = text; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '|')
			n++;
	}
	list = arena_array(a, n, sizeof(Seve__ExternalRef *));
	if (!list)
		return err_set(e, ERR_NOMEM, "references");
	for (size_t i = 0; i < n; i++) {
		int rc = read_ref(a, &text, &list[i], e);

		if (rc)
			return rc;
	}
	meta->refs = n ? list : NULL;
	meta->n_refs = n;
	return 0;
}

static bool same_ref(const Seve__ExternalRef *a, const Seve__ExternalRef *b)
{
	return strcmp(a->source ? a->source : "", b->source ? b->source : "") == 0 &&
	       strcmp(a->key ? a->key : "", b->key ? b->key : "") == 0;
}

static bool has_ref(const Seve__Meta *meta, const Seve__ExternalRef *r)
{
	for (size_t i = 0; meta && i < meta->n_refs; i++)
		if (same_ref(meta->refs[i], r))
			return true;
	return false;
}

/* Those of `from` that are not in `without`, as a list of its own. */
static int refs_minus(struct arena *a, const Seve__Meta *from, const Seve__Meta *without,
		      Seve__Meta *out, struct err *e)
{
	size_t n = from ? from->n_refs : 0;

	out->n_refs = 0;
	out->refs = arena_array(a, n, sizeof(Seve__ExternalRef *));
	if (!out->refs)
		return err_set(e, ERR_NOMEM, "references");
	for (size_t i = 0; i < n; i++)
		if (!has_ref(without, from->refs[i]) && !has_ref(out, from->refs[i]))
			out->refs[out->n_refs++] = from->refs[i];
	return 0;
}

/* ---- editing
 * ---------------------------------------------------------------------------------------------------
 */

static int set_meta(struct seve_record *r, const char *field, const char *text, struct err *e)
{
	bool level = strcmp(field, "level") == 0;
	Seve__Meta *meta = own_meta(r);
	int rc;

	if (!meta)
		return err_set(e, ERR_NOMEM, "record");
	if (level)
		rc = field_from_text(r->arena, &meta->base,
				     protobuf_c_message_descriptor_get_field(
					     &seve__meta__descriptor, META_LEVEL),
				     text, e);
	else
		rc = record_refs_from_text(r->arena, meta, text, e);
	if (!rc)
		mark_meta(r, level ? META_LEVEL : META_REFS);
	return rc;
}

static int set_in(struct seve_record *r, const char *field, const char *text, struct err *e)
{
	const field_desc *fd = NULL;
	int rc = writable(r, e);

	if (rc)
		return rc;
	if (!field_by_name(r->kind, field) &&
	    (strcmp(field, "level") == 0 || strcmp(field, "refs") == 0))
		return set_meta(r, field, text, e);
	rc = find_field(r->kind, field, &fd, e);
	if (!rc && fd)
		rc = field_from_text(r->arena, kind_message(r->body), fd, text, e);
	return rc || !fd ? rc : mark(r, fd, e);
}

int seve_record_set(struct seve_record *r, const char *field, const char *text,
		    struct seve_error **err)
{
	struct err e = {0};

	set_in(r, field, text, &e);
	return error_out(err, &e);
}

/* Puts those of `more` behind. */
static int refs_plus(struct arena *a, Seve__Meta *m, const Seve__Meta *more, struct err *e)
{
	Seve__ExternalRef **list =
		arena_array(a, m->n_refs + more->n_refs, sizeof(Seve__ExternalRef *));
	size_t n = 0;

	if (!list)
		return err_set(e, ERR_NOMEM, "references");
	for (size_t i = 0; i < m->n_refs; i++)
		list[n++] = m->refs[i];
	for (size_t i = 0; i < more->n_refs; i++)
		list[n++] = more->refs[i];
	m->refs = list;
	m->n_refs = n;
	return 0;
}

static int edit_refs(struct seve_record *r, const char *text, bool add, struct err *e)
{
	Seve__Meta *meta = own_meta(r), some = SEVE__META__INIT, left = SEVE__META__INIT;
	int rc = meta ? record_refs_from_text(r->arena, &some, text, e)
		      : err_set(e, ERR_NOMEM, "record");

	if (!rc)
		rc = refs_minus(r->arena, meta, &some, &left, e);
	if (!rc && add)
		rc = refs_plus(r->arena, &left, &some, e);
	if (rc)
		return rc;
	meta->refs = left.refs;
	meta->n_refs = left.n_refs;
	mark_meta(r, META_REFS);
	return 0;
}

static int edit_set(struct seve_record *r, const char *field, const char *text, bool add,
		    struct err *e)
{
	const field_desc *fd = NULL;
	ProtobufCMessage *members;
	int rc = writable(r, e);

	if (rc)
		return rc;
	if (strcmp(field, "refs") == 0 && !field_by_name(r->kind, field))
		return edit_refs(r, text, add, e);
	rc = find_field(r->kind, field, &fd, e);
	if (rc || !fd)
		return rc;
	if (!field_is_set(field_type(fd))) {
		err_set(e, ERR_INVALID, "%s.%s is not a list: it is set, not added to",
			r->kind->name, fd->name);
		return err_remedy(e, "set the field");
	}
	members = field_new_message(r->arena, r->kind->desc);
	rc = members ? field_from_text(r->arena, members, fd, text, e)
		     : err_set(e, ERR_NOMEM, "record");
	if (rc)
		return rc;
	rc = field_set_edit(r->arena, kind_message(r->body), add ? members : NULL,
			    add ? NULL : members, fd);
	return rc < 0 ? err_set(e, ERR_NOMEM, "record") : mark(r, fd, e);
}

int seve_record_add(struct seve_record *r, const char *field, const char *text,
		    struct seve_error **err)
{
	struct err e = {0};

	edit_set(r, field, text, true, &e);
	return error_out(err, &e);
}

int seve_record_remove(struct seve_record *r, const char *field, const char *text,
		       struct seve_error **err)
{
	struct err e = {0};

	edit_set(r, field, text, false, &e);
	return error_out(err, &e);
}

/* ---- the change
 * ----------------------------------------------------------------------------------------------------
 */

bool record_is_edited(const struct seve_record *r)
{
	bool any = r->edited_level || r->edited_refs;

	for (unsigned i = 0; !any && r->edited && i < r->kind->desc->n_fields; i++)
		any = r->edited[i];
	return any;
}

/* An empty body of the kind with a Meta of its own. */
static Seve__Body *empty_body(struct arena *a, const struct kind *k)
{
	Seve__Body *body = arena_alloc(a, sizeof *body);
	Seve__Meta *meta = arena_alloc(a, sizeof *meta);
	ProtobufCMessage *m = field_new_message(a, k->desc);

	if (!body || !meta || !m)
		return NULL;
	seve__body__init(body);
	seve__meta__init(meta);
	body->meta = meta;
	kind_set_message(k, body, m);
	return body;
}

static void put_mask(Seve__Change *c, uint32_t tag)
{
	c->mask[c->n_mask++] = tag;
}

static void change_level(const struct seve_record *r, Seve__Change *c)
{
	if (!r->edited_level || !r->body->meta)
		return;
	c->set->meta->has_level = r->body->meta->has_level;
	c->set->meta->level = r->body->meta->level;
	put_mask(c, META_TAG + META_LEVEL);
}

/* Everything that stands in a new record. */
static void change_create(const struct seve_record *r, Seve__Change *c)
{
	const ProtobufCMessage *from = kind_message(r->body);

	for (unsigned i = 0; i < r->kind->desc->n_fields; i++) {
		const field_desc *fd = &r->kind->desc->fields[i];

		if (!field_present(from, fd))
			continue;
		field_copy(kind_message(c->set), from, fd);
		put_mask(c, fd->id);
	}
	change_level(r, c);
	if (r->body->meta) {
		c->set->meta->refs = r->body->meta->refs;
		c->set->meta->n_refs = r->body->meta->n_refs;
	}
}

/* What an edited set gained and lost since it was read. */
static int change_set(const struct seve_record *r, struct arena *a, const field_desc *fd,
		      Seve__Change *c, struct err *e)
{
	const ProtobufCMessage *now = kind_message(r->body), *before = kind_message(r->base);
	ProtobufCMessage *add = kind_message(c->add), *remove = kind_message(c->remove);

	field_copy(add, now, fd);
	field_copy(remove, before, fd);
	if (field_set_edit(a, add, NULL, before, fd) < 0 ||
	    field_set_edit(a, remove, NULL, now, fd) < 0)
		return err_set(e, ERR_NOMEM, "edit");
	return 0;
}

static int change_update(const struct seve_record *r, struct arena *a, Seve__Change *c,
			 struct err *e)
{
	int rc = 0;

	c->add = empty_body(a, r->kind);
	c->remove = empty_body(a, r->kind);
	if (!c->add || !c->remove)
		return err_set(e, ERR_NOMEM, "edit");
	for (unsigned i = 0; !rc && r->edited && i < r->kind->desc->n_fields; i++) {
		const field_desc *fd = &r->kind->desc->fields[i];

		if (!r->edited[i])
			continue;
		if (field_is_set(field_type(fd))) {
			rc = change_set(r, a, fd, c, e);
			continue;
		}
		field_copy(kind_message(c->set), kind_message(r->body), fd);
		put_mask(c, fd->id);
	}
	change_level(r, c);
	if (!rc && r->edited_refs) {
		rc = refs_minus(a, r->body->meta, r->base->meta, c->add->meta, e);
		if (!rc)
			rc = refs_minus(a, r->base->meta, r->body->meta, c->remove->meta, e);
	}
	return rc;
}

int record_change(const struct seve_record *r, struct arena *a, Seve__Change *out, struct err *e)
{
	int rc = 0;

	seve__change__init(out);
	if (!r->body || (!r->born && !record_is_edited(r)))
		return 0;
	out->has_id = out->has_kind = out->has_op = true;
	out->id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)r->id.b};
	out->kind = r->kind->number;
	out->has_base_rev = !r->born;
	out->base_rev = r->rev;
	out->mask = arena_array(a, r->kind->desc->n_fields + 1, sizeof *out->mask);
	out->set = empty_body(a, r->kind);
	if (!out->mask || !out->set)
		return err_set(e, ERR_NOMEM, "edit");
	out->op = r->born ? SEVE__CHANGE__OP__OP_CREATE : SEVE__CHANGE__OP__OP_UPDATE;
	if (r->born)
		change_create(r, out);
	else
		rc = change_update(r, a, out, e);
	return rc;
}

int record_fields(const struct seve_record *r, struct arena *a, Seve__ImportRow *out, struct err *e)
{
	if (!r->body)
		return err_set(e, ERR_USAGE, "a deleted record cannot be imported");
	out->mask = arena_array(a, r->kind->desc->n_fields + 1, sizeof *out->mask);
	out->set = empty_body(a, r->kind);
	out->n_mask = 0;
	if (!out->mask || !out->set)
		return err_set(e, ERR_NOMEM, "row");
	for (unsigned i = 0; r->edited && i < r->kind->desc->n_fields; i++) {
		const field_desc *fd = &r->kind->desc->fields[i];

		if (!r->edited[i])
			continue;
		field_copy(kind_message(out->set), kind_message(r->body), fd);
		out->mask[out->n_mask++] = fd->id;
	}
	if (r->edited_level && r->body->meta) {
		out->set->meta->has_level = r->body->meta->has_level;
		out->set->meta->level = r->body->meta->level;
		out->mask[out->n_mask++] = META_TAG + META_LEVEL;
	}
	return 0;
}
