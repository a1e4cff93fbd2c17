/* record.c -- see record.h: making, reading, editing.  Changes are made in record_change.c. */
#include "record.h"

#include "error.h"
#include "json.h"
#include "text.h"
#include "wire.h"

static const ProtobufCMessageDescriptor *const meta_desc = &seve__meta__descriptor;

/* ---- making
 * ------------------------------------------------------------------------------------------- */

int record_kind(const char *name, const struct kind **out, struct err *e)
{
	const char *nearest = "";
	unsigned least = 4;

	*out = name ? kind_by_name(name) : NULL;
	if (*out)
		return 0;
	for (size_t i = 0; name && i < kind_count(); i++) {
		unsigned d = text_distance(name, kind_at(i)->name, 3);

		if (d < least) {
			least = d;
			nearest = kind_at(i)->name;
		}
	}
	err_set(e, ERR_INVALID, "there is no kind \"%s\"", name ? name : "");
	return *nearest ? err_remedy(e, "did you mean %s?", nearest) : -ERR_INVALID;
}

struct seve_record *record_alloc(void)
{
	struct seve_record *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	arena_init(&r->own, RECORD_ARENA_MAX);
	r->arena = &r->own;
	return r;
}

void seve_record_free(struct seve_record *r)
{
	if (!r)
		return;
	arena_fini(&r->own);
	free(r);
}

static void record_names(struct seve_record *r)
{
	uuid_format(&r->id, r->id_text);
	snprintf(r->rev_text, sizeof r->rev_text, "%llu", (unsigned long long)r->rev);
	if (r->ref_no)
		kind_format_ref(r->kind, r->ref_no, r->ref);
	else if (!r->rev)
		snprintf(r->ref, sizeof r->ref, "~%s", r->id_text + strlen(r->id_text) - 6);
	else
		r->ref[0] = '\0';
}

int record_show(struct seve_record *r, uint32_t territory, const uint8_t id[16],
		const struct outbox_view *v, bool pending, bool editable, struct err *e)
{
	Seve__Body *body = (Seve__Body *)(uintptr_t)v->body;
	size_t n = v->kind->desc->n_fields + meta_desc->n_fields;
	char **texts = arena_array(r->arena, n, sizeof *texts);

	if (body && editable)
		body = (Seve__Body *)wire_dup(r->arena, &v->body->base);
	if (!texts || (v->body && !body))
		return err_set(e, ERR_NOMEM, "record");
	r->kind = v->kind;
	r->territory = territory;
	memcpy(r->id.b, id, sizeof r->id.b);
	r->rev = v->rev;
	r->ref_no = v->ref_no;
	if (!r->ref_no && v->body && v->body->meta)
		r->ref_no = v->body->meta->ref_no;
	r->deleted = v->deleted;
	r->pending = pending;
	r->born = false;
	r->base = v->body;
	r->body = body;
	r->edited = NULL;
	r->edited_level = r->edited_refs = false;
	r->texts = texts;
	record_names(r);
	return 0;
}

int record_view(struct arena *a, const Seve__Record *w, struct outbox_view *out, struct err *e)
{
	struct outbox_view v = {
		.kind = kind_by_number(w->kind), .rev = w->rev, .deleted = w->deleted};
	ProtobufCMessage *m;

	if (w->id.len != 16)
		return err_set(e, ERR_PROTOCOL, "the server sent a record without id");
	if (w->body.len && !v.deleted) {
		if (wire_unpack(a, &seve__body__descriptor, w->body.data, w->body.len, &m, e))
			return err_prefix(e, "record");
		v.body = (const Seve__Body *)m;
		if (v.body->meta)
			v.ref_no = v.body->meta->ref_no;
	}
	if (!v.kind || (v.body ? kind_of(v.body) != v.kind : !v.deleted))
		v = (struct outbox_view){0};
	*out = v;
	return 0;
}

int record_from_wire(uint32_t territory, const Seve__Record *w, struct seve_record **out,
		     struct err *e)
{
	struct seve_record *r = record_alloc();
	struct outbox_view v = {0};
	int rc;

	if (!r)
		return err_set(e, ERR_NOMEM, "record");
	rc = record_view(r->arena, w, &v, e);
	if (!rc && !v.kind) {
		err_set(e, ERR_INVALID, "a kind (%u) that this version does not know", w->kind);
		rc = -ERR_INVALID;
	}
	if (!rc)
		rc = record_show(r, territory, w->id.data, &v, false, true, e);
	if (rc) {
		seve_record_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

int seve_record_new(const char *kind, uint32_t territory, struct seve_record **out,
		    struct seve_error **err)
{
	struct err e = {0};
	struct outbox_view v = {0};
	struct uuid id = uuid_v7();
	struct seve_record *r;
	Seve__Body *body;
	ProtobufCMessage *m;

	if (record_kind(kind, &v.kind, &e))
		return error_out(err, &e);
	r = record_alloc();
	body = r ? arena_alloc(r->arena, sizeof *body) : NULL;
	m = body ? field_new_message(r->arena, v.kind->desc) : NULL;
	if (!m || record_show(r, territory, id.b, &v, true, false, &e)) {
		seve_record_free(r);
		err_set(&e, ERR_NOMEM, "record");
		return error_out(err, &e);
	}
	seve__body__init(body);
	kind_set_message(v.kind, body, m);
	r->body = body;
	r->born = true;
	*out = r;
	return SEVE_OK;
}

struct seve_record *seve_record_copy(const struct seve_record *from)
{
	struct seve_record *r = record_alloc();
	struct outbox_view v = {from->kind, from->deleted, from->rev, from->ref_no, NULL};
	const Seve__Body *base = NULL;
	struct err e;

	if (!r)
		return NULL;
	if (from->base)
		base = (const Seve__Body *)wire_dup(r->arena, &from->base->base);
	if (from->body)
		v.body = (const Seve__Body *)wire_dup(r->arena, &from->body->base);
	if ((from->base && !base) || (from->body && !v.body) ||
	    record_show(r, from->territory, from->id.b, &v, from->pending, false, &e))
		goto fail;
	r->base = base;
	r->born = from->born;
	r->edited_level = from->edited_level;
	r->edited_refs = from->edited_refs;
	if (from->edited) {
		r->edited = arena_memdup(r->arena, from->edited,
					 from->kind->desc->n_fields * sizeof *from->edited);
		if (!r->edited)
			goto fail;
	}
	return r;
fail:
	seve_record_free(r);
	return NULL;
}

struct outbox_view record_base(const struct seve_record *r)
{
	return (struct outbox_view){r->kind, r->deleted, r->rev, r->ref_no, r->base};
}

/* ---- plain facts
 * ------------------------------------------------------------------------------------------ */

const char *seve_record_kind(const struct seve_record *r)
{
	return r->kind->name;
}

const char *seve_record_id(const struct seve_record *r)
{
	return r->id_text;
}

const char *seve_record_ref(const struct seve_record *r)
{
	return r->ref;
}

uint32_t seve_record_territory(const struct seve_record *r)
{
	return r->territory;
}

uint64_t seve_record_rev(const struct seve_record *r)
{
	return r->rev;
}

int seve_record_deleted(const struct seve_record *r)
{
	return r->deleted;
}

int seve_record_pending(const struct seve_record *r)
{
	return r->pending;
}

/* ---- fields as text
 * ----------------------------------------------------------------------------------------- */

static const field_desc *own_field(const struct kind *k, const char *name)
{
	const field_desc *fd = field_by_name(k, name);

	return fd ? fd : json_key_field(k, name);
}

static const field_desc *meta_field(const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(meta_desc, name);
}

int record_refs_to_text(const Seve__Meta *meta, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; meta && !rc && i < meta->n_refs; i++) {
		const char *parts[2] = {meta->refs[i]->source, meta->refs[i]->key};

		if (i)
			rc = buf_add(out, "|", 1);
		for (int part = 0; part < 2; part++) {
			if (!rc && part)
				rc = buf_add(out, ":", 1);
			for (const char *p = parts[part] ? parts[part] : ""; !rc && *p; p++) {
				if (*p == '|' || *p == '\\')
					rc = buf_add(out, "\\", 1);
				if (!rc)
					rc = buf_add(out, p, 1);
			}
		}
	}
	return rc;
}

/* Text of a field in the arena; NULL: out of memory. */
static char *text_of(struct arena *a, const Seve__Body *body, const ProtobufCMessage *m,
		     const field_desc *fd, bool refs)
{
	struct buf b;
	char *text = NULL;
	int rc;

	buf_init(&b, RECORD_TEXT_MAX);
	rc = refs ? record_refs_to_text(body->meta, &b) : field_to_text(m, fd, &b);
	if (!rc)
		rc = buf_add(&b, "", 1);
	if (!rc)
		text = arena_strdup(a, (const char *)buf_span(&b).at);
	buf_fini(&b);
	return text;
}

const char *seve_record_get(const struct seve_record *r, const char *field)
{
	const field_desc *fd = own_field(r->kind, field);
	const ProtobufCMessage *m = NULL;
	bool refs = false;
	size_t at;

	if (fd) {
		at = (size_t)(fd - r->kind->desc->fields);
		m = r->body ? kind_message(r->body) : NULL;
	} else if (strcmp(field, "id") == 0) {
		return r->id_text;
	} else if (strcmp(field, "ref") == 0) {
		return r->ref;
	} else if (strcmp(field, "kind") == 0) {
		return r->kind->name;
	} else if (strcmp(field, "rev") == 0) {
		return r->rev_text;
	} else {
		fd = meta_field(field);
		if (!fd)
			return NULL;
		refs = strcmp(field, "refs") == 0;
		at = r->kind->desc->n_fields + (size_t)(fd - meta_desc->fields);
		m = r->body && r->body->meta ? &r->body->meta->base : NULL;
	}
	if (!m || (!refs && !field_present(m, fd)))
		return "";
	if (!r->texts[at])
		r->texts[at] = text_of(r->arena, r->body, m, fd, refs);
	return r->texts[at] ? r->texts[at] : "";
}

char *seve_record_json(const struct seve_record *r)
{
	struct buf b;
	char *text = NULL;
	int rc;

	buf_init(&b, RECORD_TEXT_MAX);
	if (r->body)
		rc = json_add_record(&b, NULL, r->id.b, r->rev, r->body);
	else
		rc = buf_addf(&b, "{\"kind\":\"%s\",\"id\":\"%s\",\"rev\":%s,\"deleted\":true}",
			      r->kind->name, r->id_text, r->rev_text);
	if (!rc)
		rc = buf_add(&b, "", 1);
	if (!rc)
		text = strdup((const char *)buf_span(&b).at);
	buf_fini(&b);
	return text;
}
