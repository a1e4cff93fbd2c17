/* random.c -- numbers and messages from a seed. */
#include "random.h"

#include <math.h>
#include <string.h>

/* splitmix64: short, and good enough for tests. */
uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

struct random random_from(uint64_t seed)
{
	return (struct random){seed};
}

unsigned random_below(struct random *r, unsigned n)
{
	return (unsigned)(random_next(r) % n);
}

char *random_text(struct random *r, struct arena *a, unsigned most)
{
	static const char *const pieces[] = {
		"a", "Z",  "7",  " ", "|",  "\\",   "\"", "'", ",", ";",   "é",  "œ",  "ß",
		"😀", "\n", "\t", "/", "{}", "null", "%s", "–", "e̊", "\\|", " |", "| ", "false"};
	unsigned n = 1 + random_below(r, most);
	char *text = arena_alloc(a, n * 8 + 1);
	size_t len = 0;
	for (unsigned i = 0; i < n; i++) {
		const char *piece = pieces[random_below(r, sizeof pieces / sizeof pieces[0])];
		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	text[len] = '\0';
	return text;
}

ProtobufCBinaryData random_id(struct random *r, struct arena *a)
{
	uint8_t *id = arena_alloc(a, 16);
	for (unsigned i = 0; i < 16; i++)
		id[i] = (uint8_t)random_next(r);
	id[6] = (uint8_t)((id[6] & 0x0f) | (random_below(r, 2) ? 0x70 : 0x80));
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	return (ProtobufCBinaryData){16, id};
}

static double random_double(struct random *r)
{
	double v;
	do {
		uint64_t bits = random_next(r);
		memcpy(&v, &bits, sizeof v);
	} while (!isfinite(v));
	return random_below(r, 2) ? v : (double)random_below(r, 2000) / 8 - 100;
}

static int random_word(struct random *r, const ProtobufCEnumDescriptor *ed)
{
	int number;
	do
		number = ed->values[random_below(r, ed->n_values)].value;
	while (!field_enum_known(ed, number));
	return number;
}

static void random_list(struct random *r, struct arena *a, ProtobufCMessage *m,
			const field_desc *fd)
{
	unsigned n = 1 + random_below(r, 5);
	char *list = arena_array(a, n, field_size(fd));
	for (unsigned i = 0; i < n; i++) {
		void *slot = list + i * field_size(fd);
		if (fd->type == PROTOBUF_C_TYPE_MESSAGE)
			*(ProtobufCMessage **)slot = random_message(r, a, fd->descriptor, 60);
		else if (fd->type == PROTOBUF_C_TYPE_STRING)
			*(char **)slot = random_text(r, a, 6);
		else if (fd->type == PROTOBUF_C_TYPE_BYTES)
			*(ProtobufCBinaryData *)slot = random_id(r, a);
		else
			*(uint32_t *)slot = (uint32_t)random_next(r); /* masks and the like */
	}
	*(void **)field_at_mut(m, fd) = list;
	field_mark(m, fd, n);
}

static int64_t random_int(struct random *r, const field_desc *fd)
{
	return field_size(fd) == 4 ? (int32_t)random_next(r) : (int64_t)random_next(r);
}

void random_field(struct random *r, struct arena *a, ProtobufCMessage *m, const field_desc *fd)
{
	enum field_type t = field_type(fd);
	switch (t) {
	case FIELD_TEXT:
		*(char **)field_at_mut(m, fd) = random_text(r, a, 20);
		field_mark(m, fd, 1);
		break;
	case FIELD_BOOL:
		field_put_int(m, fd, random_below(r, 2));
		break;
	case FIELD_INT:
		field_put_int(m, fd, random_int(r, fd));
		break;
	case FIELD_UINT:
		field_put_uint(m, fd, random_next(r) >> (random_below(r, 2) ? 1 : 40));
		break;
	case FIELD_DOUBLE:
		field_put_double(m, fd, random_double(r));
		break;
	case FIELD_ENUM:
		field_put_int(m, fd, random_word(r, fd->descriptor));
		break;
	case FIELD_DATE:
		field_put_int(m, fd, (int64_t)(random_next(r) % 3652059) - 719162);
		break;
	case FIELD_INSTANT:
		field_put_int(m, fd,
			      ((int64_t)(random_next(r) % 3652059) - 719162) * 86400000 +
				      random_below(r, 86400) * 1000 +
				      (random_below(r, 2) ? random_below(r, 1000) : 0));
		break;
	case FIELD_ID:
		*(ProtobufCBinaryData *)field_at_mut(m, fd) = random_id(r, a);
		field_mark(m, fd, 1);
		break;
	case FIELD_TEXTS:
	case FIELD_IDS:
	case FIELD_MESSAGES:
		random_list(r, a, m, fd);
		break;
	case FIELD_MESSAGE:
		*(ProtobufCMessage **)field_at_mut(m, fd) =
			random_message(r, a, fd->descriptor, 60);
		break;
	}
}

ProtobufCMessage *random_message(struct random *r, struct arena *a,
				 const ProtobufCMessageDescriptor *desc, unsigned percent)
{
	ProtobufCMessage *m = field_new_message(a, desc);
	unsigned oneof = desc->n_fields ? random_below(r, desc->n_fields) : 0;
	for (unsigned i = 0; i < desc->n_fields; i++) {
		const field_desc *fd = &desc->fields[i];
		if (fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? i != oneof
							    : random_below(r, 100) >= percent)
			continue;
		random_field(r, a, m, fd);
		if (fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			field_mark(m, fd, 1);
	}
	return m;
}

Seve__Body *random_body(struct random *r, struct arena *a, const struct kind *k, unsigned percent)
{
	Seve__Body *body = (Seve__Body *)field_new_message(a, &seve__body__descriptor);
	body->meta = (Seve__Meta *)random_message(r, a, &seve__meta__descriptor, percent);
	kind_set_message(k, body, random_message(r, a, k->desc, percent));
	return body;
}
