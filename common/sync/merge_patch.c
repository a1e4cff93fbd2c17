/* merge_patch.c -- reads a change's mask and bodies, which come from strangers.
 * Knows no revisions and no storage. */
#include "sync/merge_patch.h"

#include "field.h"
#include "sync/merge.h"

static int too_new(uint32_t tag, const struct kind *k, struct err *e)
{
	err_set(e, ERR_INVALID, "SCHEMA_TOO_NEW: field %u of %s is not known here", tag, k->name);
	return err_remedy(e, "update the program that is older; the change waits until then");
}

static int read_meta_tag(uint32_t tag, const struct kind *k, struct merge_patch *p, struct err *e)
{
	const field_desc *fd =
		protobuf_c_message_descriptor_get_field(&seve__meta__descriptor, tag - META_TAG);
	if (!fd)
		return too_new(tag, k, e);
	if (fd->id == MERGE_META_REFS)
		return err_set(e, ERR_INVALID, "references are added and removed, not masked");
	if (fd->id != MERGE_META_LEVEL)
		return err_set(e, ERR_INVALID, "%s is written by the server alone", fd->name);
	p->mask_level = true;
	return 0;
}

static int read_mask(const Seve__Change *change, const struct kind *k, struct merge_patch *p,
		     struct err *e)
{
	for (size_t i = 0; i < change->n_mask; i++) {
		uint32_t tag = change->mask[i];
		const field_desc *fd = field_by_tag(k, tag);
		if (fd) {
			p->mask[fd - k->desc->fields] = true;
			continue;
		}
		int rc = tag > META_TAG ? read_meta_tag(tag, k, p, e) : too_new(tag, k, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The kind's message in one of the change's bodies; NULL where there is none. */
static int read_body(const Seve__Body *body, const struct kind *k, const char *what,
		     const ProtobufCMessage **out, struct err *e)
{
	*out = NULL;
	if (!body)
		return 0;
	if (body->base.n_unknown_fields)
		return too_new(body->base.unknown_fields[0].tag, k, e);
	if (body->kind_case != SEVE__BODY__KIND__NOT_SET && kind_of(body) != k)
		return err_set(e, ERR_INVALID, "`%s` holds another kind than %s", what, k->name);
	*out = kind_message(body);
	return 0;
}

/* Only sets may stand in `add` and `remove`: anything else there would be lost. */
static int check_members(const Seve__Body *body, const ProtobufCMessage *m, const struct kind *k,
			 struct err *e)
{
	for (unsigned i = 0; m && i < m->descriptor->n_fields; i++) {
		const field_desc *fd = &m->descriptor->fields[i];
		if (field_present(m, fd) && !field_is_set(field_type(fd)))
			return err_set(e, ERR_INVALID, "%s is no set: it is set, not added to",
				       fd->name);
	}
	if (m && m->n_unknown_fields)
		return too_new(m->unknown_fields[0].tag, k, e);
	const ProtobufCMessage *meta = body && body->meta ? &body->meta->base : NULL;
	for (unsigned i = 0; meta && i < meta->descriptor->n_fields; i++) {
		const field_desc *fd = &meta->descriptor->fields[i];
		if (field_present(meta, fd) && fd->id != MERGE_META_REFS)
			return err_set(e, ERR_INVALID, "%s is no set: it is set, not added to",
				       fd->name);
	}
	if (meta && meta->n_unknown_fields)
		return too_new(META_TAG + meta->unknown_fields[0].tag, k, e);
	return 0;
}

int merge_patch_read(struct arena *a, const struct kind *k, const Seve__Change *change,
		     struct merge_patch *out, struct err *e)
{
	struct merge_patch p = {0};
	p.mask = arena_array(a, k->desc->n_fields, sizeof *p.mask);
	ProtobufCMessage *empty = field_new_message(a, k->desc);
	if (!p.mask || !empty)
		return err_set(e, ERR_NOMEM, "patch");
	int rc = read_mask(change, k, &p, e);
	if (rc == 0)
		rc = read_body(change->set, k, "set", &p.set, e);
	if (rc == 0)
		rc = read_body(change->add, k, "add", &p.add, e);
	if (rc == 0)
		rc = read_body(change->remove, k, "remove", &p.remove, e);
	if (rc == 0)
		rc = check_members(change->add, p.add, k, e);
	if (rc == 0)
		rc = check_members(change->remove, p.remove, k, e);
	if (rc < 0)
		return rc;
	if (!p.set)
		p.set = empty;
	p.set_meta = change->set ? change->set->meta : NULL;
	p.add_meta = change->add ? change->add->meta : NULL;
	p.remove_meta = change->remove ? change->remove->meta : NULL;
	*out = p;
	return 0;
}
