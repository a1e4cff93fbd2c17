/* field_revs.c -- field revisions of a record: packed, unpacked, found, stamped.
 * Knows no fields, only their tags.  The bytes come from our own storage; damage is still noticed.
 */
#include <string.h>

#include "sync/merge.h"
#include "wire.h"

enum { WRITER_BYTES = 8 };

static const uint8_t *take_varint(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	uint64_t n = 0;
	for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
		uint8_t b = *p++;
		n |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*v = n;
			return p;
		}
	}
	return NULL;
}

static const uint8_t *take_one(const uint8_t *p, const uint8_t *end, struct field_rev *out)
{
	uint64_t tag;
	p = take_varint(p, end, &tag);
	if (!p || tag > UINT32_MAX)
		return NULL;
	p = take_varint(p, end, &out->rev);
	if (!p || end - p < WRITER_BYTES)
		return NULL;
	out->tag = (uint32_t)tag;
	out->writer = 0;
	for (unsigned i = WRITER_BYTES; i-- > 0;)
		out->writer = out->writer << 8 | p[i];
	return p + WRITER_BYTES;
}

int field_revs_unpack(struct arena *a, struct span packed, struct field_revs *out, struct err *e)
{
	struct field_revs r = {arena_array(a, packed.len / (2 + WRITER_BYTES), sizeof *r.list), 0};
	if (!r.list)
		return err_set(e, ERR_NOMEM, "field revisions");
	const uint8_t *end = packed.at + packed.len;
	for (const uint8_t *p = packed.at; packed.len && p < end; r.n++) {
		struct field_rev one;
		p = take_one(p, end, &one);
		if (!p)
			return err_set(e, ERR_DATA_LOSS, "field revisions are damaged in entry %zu",
				       r.n);
		r.list[r.n] = one;
	}
	*out = r;
	return 0;
}

struct span field_revs_pack(struct arena *a, const struct field_revs *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		n += wire_varint_size(r->list[i].tag) + wire_varint_size(r->list[i].rev) +
		     WRITER_BYTES;
	uint8_t *data = arena_alloc(a, n), *p = data;
	if (!data)
		return (struct span){NULL, 0};
	for (size_t i = 0; i < r->n; i++) {
		p = wire_put_varint(wire_put_varint(p, r->list[i].tag), r->list[i].rev);
		for (unsigned b = 0; b < WRITER_BYTES; b++)
			*p++ = (uint8_t)(r->list[i].writer >> (8 * b));
	}
	return (struct span){data, n};
}

const struct field_rev *field_revs_find(const struct field_revs *r, uint32_t tag)
{
	const struct field_rev *creation = NULL;
	for (size_t i = 0; i < r->n; i++) {
		if (r->list[i].tag == tag)
			return &r->list[i];
		if (r->list[i].tag == 0)
			creation = &r->list[i];
	}
	return creation;
}

static struct field_rev *own_entry(struct field_revs *r, uint32_t tag)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].tag == tag)
			return &r->list[i];
	return NULL;
}

int merge_stamp(struct arena *a, const struct field_revs *before, const uint32_t *changed, size_t n,
		uint64_t rev, uint64_t writer, struct field_revs *out)
{
	size_t n_before = before ? before->n : 0;
	struct field_revs r = {arena_array(a, n_before + n, sizeof *r.list), n_before};
	if (!r.list)
		return -ERR_NOMEM;
	if (n_before)
		memcpy(r.list, before->list, n_before * sizeof *r.list);
	for (size_t i = 0; i < n; i++) {
		struct field_rev *entry = own_entry(&r, changed[i]);
		if (!entry)
			entry = &r.list[r.n++];
		*entry = (struct field_rev){changed[i], rev, writer};
	}
	*out = r;
	return 0;
}
