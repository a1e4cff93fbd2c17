/* wire.c -- protobuf bytes: checked along a descriptor, unpacked and packed in an arena, read and
 * written by hand. Knows no sockets.  Paths for messages are made only once something is wrong: the
 * good case stays fast. */
#include "wire.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

enum {
	DEPTH_MAX = 32,   /* of our own acyclic descriptors: a hostile message cannot go deeper */
	FIELDS_MAX = 256, /* of one descriptor */
	VARINT_MAX = 10,
	KEY_MAX = 5,
};
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LEN = 2, WIRE_32 = 5 };

struct walk {
	size_t unknown; /* bytes of unknown fields so far */
	unsigned depth;
	char path[192]; /* grows from its leaf while the walk unwinds */
	char what[96];
};

/* Reads a varint of at most `most` bytes.  NULL when it is cut or too long. */
static inline const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, unsigned most,
					uint64_t *v)
{
	if (p < end && *p < 0x80) {
		*v = *p;
		return p + 1;
	}
	uint64_t n = 0;
	for (unsigned i = 0; i < most && p < end; i++) {
		uint8_t b = *p++;
		n |= (uint64_t)(b & 0x7f) << (7 * i);
		if (b < 0x80) {
			*v = n;
			return p;
		}
	}
	return NULL;
}

/* Reads one field, whatever it means.  The new position, or NULL with *what set. */
static inline const uint8_t *get_field(const uint8_t *p, const uint8_t *end, struct wire_field *f,
				       const char **what)
{
	uint64_t v;
	p = get_varint(p, end, KEY_MAX, &v);
	if (!p || v > UINT32_MAX || v < 8) {
		*what = "bad field key";
		return NULL;
	}
	f->tag = (uint32_t)(v >> 3);
	f->type = (unsigned)(v & 7);
	size_t n;
	switch (f->type) {
	case WIRE_VARINT:
		p = get_varint(p, end, VARINT_MAX, &f->number);
		*what = "varint cut or too long";
		return p;
	case WIRE_LEN:
		p = get_varint(p, end, KEY_MAX, &v);
		*what = "length reaches beyond the message";
		if (!p || v > (uint64_t)(end - p))
			return NULL;
		f->bytes = (struct span){p, (size_t)v};
		return p + v;
	case WIRE_64:
	case WIRE_32:
		n = f->type == WIRE_64 ? 8 : 4;
		*what = "cut fixed-size number";
		if ((size_t)(end - p) < n)
			return NULL;
		f->number = 0;
		for (size_t i = n; i-- > 0;)
			f->number = f->number << 8 | p[i];
		return p + n;
	default:
		*what = "wire type that is not used";
		return NULL;
	}
}

static unsigned wire_type_of(ProtobufCType t)
{
	static const uint8_t types[] = {
		[PROTOBUF_C_TYPE_INT32] = WIRE_VARINT,  [PROTOBUF_C_TYPE_SINT32] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_SFIXED32] = WIRE_32,   [PROTOBUF_C_TYPE_INT64] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_SINT64] = WIRE_VARINT, [PROTOBUF_C_TYPE_SFIXED64] = WIRE_64,
		[PROTOBUF_C_TYPE_UINT32] = WIRE_VARINT, [PROTOBUF_C_TYPE_FIXED32] = WIRE_32,
		[PROTOBUF_C_TYPE_UINT64] = WIRE_VARINT, [PROTOBUF_C_TYPE_FIXED64] = WIRE_64,
		[PROTOBUF_C_TYPE_FLOAT] = WIRE_32,      [PROTOBUF_C_TYPE_DOUBLE] = WIRE_64,
		[PROTOBUF_C_TYPE_BOOL] = WIRE_VARINT,   [PROTOBUF_C_TYPE_ENUM] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_STRING] = WIRE_LEN,    [PROTOBUF_C_TYPE_BYTES] = WIRE_LEN,
		[PROTOBUF_C_TYPE_MESSAGE] = WIRE_LEN,
	};
	return types[t];
}

static bool check_packed(const ProtobufCFieldDescriptor *fd, struct span s)
{
	unsigned type = wire_type_of(fd->type);
	if (type == WIRE_64)
		return s.len % 8 == 0;
	if (type == WIRE_32)
		return s.len % 4 == 0;
	for (const uint8_t *p = s.at, *end = s.at + s.len; p < end;) {
		uint64_t v;
		/* protobuf-c takes each byte of packed booleans for one */
		p = get_varint(p, end, fd->type == PROTOBUF_C_TYPE_BOOL ? 1 : VARINT_MAX, &v);
		if (!p || (fd->type == PROTOBUF_C_TYPE_BOOL && v > 1))
			return false;
	}
	return true;
}

static bool check_message(struct walk *w, const ProtobufCMessageDescriptor *d, struct span s);

static bool check_value(struct walk *w, const ProtobufCFieldDescriptor *fd,
			const struct wire_field *f)
{
	unsigned type = wire_type_of(fd->type);
	if (f->type != type) {
		if (f->type == WIRE_LEN && fd->label == PROTOBUF_C_LABEL_REPEATED) {
			if (check_packed(fd, f->bytes))
				return true;
			snprintf(w->what, sizeof w->what, "bad packed list");
			return false;
		}
		snprintf(w->what, sizeof w->what, "wire type %u instead of %u", f->type, type);
		return false;
	}
	size_t bad;
	if (fd->type == PROTOBUF_C_TYPE_STRING && !text_is_utf8(f->bytes.at, f->bytes.len, &bad)) {
		snprintf(w->what, sizeof w->what, "invalid UTF-8 at byte %zu", bad);
		return false;
	}
	if (fd->type == PROTOBUF_C_TYPE_MESSAGE)
		return check_message(w, fd->descriptor, f->bytes);
	return true;
}

/* Whether this field may occur (again): a singular one only once, of a oneof only one member. */
static bool mark_seen(uint64_t *seen, const ProtobufCMessageDescriptor *d,
		      const ProtobufCFieldDescriptor *fd)
{
	if (fd->label == PROTOBUF_C_LABEL_REPEATED)
		return true;
	size_t i = (size_t)(fd - d->fields);
	if (seen[i / 64] >> (i % 64) & 1)
		return false;
	if (fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		for (size_t j = 0; j < d->n_fields; j++)
			if (seen[j / 64] >> (j % 64) & 1 &&
			    d->fields[j].flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
			    d->fields[j].quantifier_offset == fd->quantifier_offset)
				return false;
	seen[i / 64] |= (uint64_t)1 << (i % 64);
	return true;
}

/* How many fields with this tag stand before `at`: the index of the one at fault. */
static size_t count_before(const uint8_t *p, const uint8_t *at, uint32_t tag)
{
	size_t n = 0;
	struct wire_field f;
	const char *what;
	while (p && p < at) {
		p = get_field(p, at, &f, &what);
		n += p && f.tag == tag;
	}
	return n;
}

/* Puts the name of the field at `at` before the path made so far. */
static void add_path(struct walk *w, const ProtobufCFieldDescriptor *fd, struct span s,
		     const uint8_t *at)
{
	char tail[sizeof w->path];
	memcpy(tail, w->path, sizeof tail);
	char index[24] = "";
	if (fd->label == PROTOBUF_C_LABEL_REPEATED)
		snprintf(index, sizeof index, "[%zu]", count_before(s.at, at, fd->id));
	int n = snprintf(w->path, sizeof w->path, "%s%s%s%s", fd->name, index, *tail ? "." : "",
			 tail);
	if (n >= (int)sizeof w->path)
		memcpy(w->path + sizeof w->path - 4, "...", 4);
}

/* Fields mostly come in order: the last one found is tried, and the one after it, before the rest.
 */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *d, uint32_t tag,
						  unsigned *last)
{
	for (unsigned i = *last; i < d->n_fields && i <= *last + 1; i++)
		if (d->fields[i].id == tag) {
			*last = i;
			return &d->fields[i];
		}
	const ProtobufCFieldDescriptor *fd = protobuf_c_message_descriptor_get_field(d, tag);
	if (fd)
		*last = (unsigned)(fd - d->fields);
	return fd;
}

static bool check_message(struct walk *w, const ProtobufCMessageDescriptor *d, struct span s)
{
	uint64_t seen[FIELDS_MAX / 64] = {0};
	const uint8_t *p = s.at, *end = s.at + s.len;
	const char *what = "nested too deeply";
	unsigned last = 0;
	if (d->n_fields > FIELDS_MAX || w->depth >= DEPTH_MAX)
		goto bad;
	w->depth++;
	while (p < end) {
		const uint8_t *at = p;
		struct wire_field f;
		p = get_field(p, end, &f, &what);
		if (!p)
			goto bad;
		const ProtobufCFieldDescriptor *fd = find_field(d, f.tag, &last);
		if (!fd) {
			w->unknown += (size_t)(p - at);
			what = "too many bytes of unknown fields";
			if (w->unknown > WIRE_UNKNOWN_MAX)
				goto bad;
			continue;
		}
		bool good = mark_seen(seen, d, fd);
		if (!good)
			snprintf(w->what, sizeof w->what, "occurs more than once");
		if (!good || !check_value(w, fd, &f)) {
			add_path(w, fd, s, at);
			return false;
		}
	}
	w->depth--;
	return true;
bad:
	snprintf(w->what, sizeof w->what, "%s", what);
	return false;
}

int wire_check(const ProtobufCMessageDescriptor *desc, const void *bytes, size_t n, struct err *e)
{
	struct walk w;
	w.unknown = 0;
	w.depth = 0;
	w.path[0] = '\0';
	static const uint8_t none;
	if (check_message(&w, desc, (struct span){n ? bytes : &none, n}))
		return 0;
	return err_set(e, ERR_INVALID, "%s: %s", *w.path ? w.path : desc->short_name, w.what);
}

int wire_unpack(struct arena *a, const ProtobufCMessageDescriptor *desc, const void *bytes,
		size_t n, ProtobufCMessage **out, struct err *e)
{
	int rc = wire_check(desc, bytes, n, e);
	if (rc < 0)
		return rc;
	ProtobufCAllocator alloc = arena_protobuf(a);
	ProtobufCMessage *m = protobuf_c_message_unpack(desc, &alloc, n, bytes);
	if (!m) /* the bytes are good: so the arena is at its ceiling */
		return err_set(e, ERR_TOO_BIG, "%s of %zu bytes needs too much memory",
			       desc->short_name, n);
	*out = m;
	return 0;
}

struct span wire_pack(struct arena *a, const ProtobufCMessage *m)
{
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *p = arena_alloc(a, n);
	if (p)
		protobuf_c_message_pack(m, p);
	return (struct span){p, p ? n : 0};
}

int wire_add(struct buf *out, const ProtobufCMessage *m)
{
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *p = buf_reserve(out, n);
	if (!p)
		return n > out->max - buf_len(out) ? -ERR_TOO_BIG : -ERR_NOMEM;
	protobuf_c_message_pack(m, p);
	buf_commit(out, n);
	return 0;
}

ProtobufCMessage *wire_dup(struct arena *a, const ProtobufCMessage *m)
{
	struct span s = wire_pack(a, m);
	if (!s.at)
		return NULL;
	ProtobufCAllocator alloc = arena_protobuf(a);
	return protobuf_c_message_unpack(m->descriptor, &alloc, s.len, s.at);
}

bool wire_next(struct wire *w, struct wire_field *f)
{
	if (w->bad || w->at >= w->end)
		return false;
	const char *what;
	struct wire_field got;
	memset(&got, 0, sizeof got);
	const uint8_t *p = get_field(w->at, w->end, &got, &what);
	if (!p) {
		w->bad = true;
		return false;
	}
	w->at = p;
	*f = got;
	return true;
}

size_t wire_varint_size(uint64_t v)
{
	size_t n = 1;
	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

uint8_t *wire_put_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

uint8_t *wire_put_number(uint8_t *p, uint32_t tag, uint64_t v)
{
	return wire_put_varint(wire_put_varint(p, (uint64_t)tag << 3 | WIRE_VARINT), v);
}

uint8_t *wire_put_bytes(uint8_t *p, uint32_t tag, const void *bytes, size_t n)
{
	p = wire_put_varint(wire_put_varint(p, (uint64_t)tag << 3 | WIRE_LEN), n);
	if (n)
		memcpy(p, bytes, n);
	return p + n;
}

uint8_t *wire_put_fixed64(uint8_t *p, uint32_t tag, uint64_t v)
{
	p = wire_put_varint(p, (uint64_t)tag << 3 | WIRE_64);
	for (unsigned i = 0; i < 8; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}
