/* field.c -- what a field is (type, rule) and access to its value through the descriptor.
 * Knows no kind by name, no storage.  Text forms: field_text.c; sets: field_set.c; validation:
 * field_check.c. */
#include "field.h"

#include <string.h>

/* The words that stand in the columns of fields.def. */
enum {
	REQUIRED = FIELD_REQUIRED,
	HARD = FIELD_HARD,
	SOFT = FIELD_SOFT,
	PERSONAL = FIELD_PERSONAL,
	UNIQUE = FIELD_UNIQUE,
	PILOT = FIELD_PILOT,
};

struct rule_row {
	const ProtobufCMessageDescriptor *desc;
	const char *field;
	const char *target;
	unsigned flags;
	enum field_check check;
};
static const struct rule_row rule_rows[] = {
#define FIELD(message, fname, fflags, ftarget, fcheck)                                             \
	{&seve__##message##__descriptor, #fname, #ftarget, (fflags), FIELD_CHECK_##fcheck},
#include "fields.def"
};

struct range_row {
	const ProtobufCMessageDescriptor *desc;
	const char *field;
	double least, greatest;
};
static const struct range_row range_rows[] = {
#define RANGE(message, fname, least, greatest)                                                     \
	{&seve__##message##__descriptor, #fname, (least), (greatest)},
#include "fields.def"
};

struct state_row {
	const ProtobufCMessageDescriptor *desc;
	const char *field;
};
static const struct state_row state_rows[] = {
#define STATE(message, fname) {&seve__##message##__descriptor, #fname},
#include "fields.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Rules of the kinds' own fields, worked out once: they are asked for at every write. */
enum { KINDS_CACHED = 64, FIELDS_CACHED = 48 };
static struct field_rule cache[KINDS_CACHED][FIELDS_CACHED];
static const field_desc *states[KINDS_CACHED];

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n > m && !memcmp(s + n - m, suffix, m);
}

static enum field_type repeated_type(const field_desc *fd)
{
	if (fd->type == PROTOBUF_C_TYPE_STRING)
		return FIELD_TEXTS;
	if (fd->type == PROTOBUF_C_TYPE_BYTES)
		return FIELD_IDS;
	return FIELD_MESSAGES;
}

enum field_type field_type(const field_desc *fd)
{
	if (fd->label == PROTOBUF_C_LABEL_REPEATED)
		return repeated_type(fd);
	switch (fd->type) {
	case PROTOBUF_C_TYPE_STRING:
		return FIELD_TEXT;
	case PROTOBUF_C_TYPE_BOOL:
		return FIELD_BOOL;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return has_suffix(fd->name, "_on") ? FIELD_DATE : FIELD_INT;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return has_suffix(fd->name, "_at") ? FIELD_INSTANT : FIELD_INT;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return FIELD_UINT;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return FIELD_DOUBLE;
	case PROTOBUF_C_TYPE_ENUM:
		return FIELD_ENUM;
	case PROTOBUF_C_TYPE_BYTES:
		return FIELD_ID;
	case PROTOBUF_C_TYPE_MESSAGE:
		return FIELD_MESSAGE;
	}
	return FIELD_TEXT;
}

bool field_is_set(enum field_type t)
{
	return t == FIELD_TEXTS || t == FIELD_IDS;
}

static unsigned default_firmness(enum field_type t)
{
	switch (t) {
	case FIELD_DATE:
	case FIELD_INSTANT:
	case FIELD_ENUM:
	case FIELD_ID:
	case FIELD_IDS:
		return FIELD_HARD;
	case FIELD_TEXT:
	case FIELD_BOOL:
	case FIELD_INT:
	case FIELD_UINT:
	case FIELD_DOUBLE:
	case FIELD_TEXTS:
	case FIELD_MESSAGE:
	case FIELD_MESSAGES:
		return FIELD_SOFT;
	}
	return FIELD_SOFT;
}

/* The kind whose name stands before _id or _ids. */
static const struct kind *target_by_name(const char *field)
{
	char name[48];
	size_t n = strlen(field);
	n -= has_suffix(field, "_ids") ? 4 : has_suffix(field, "_id") ? 3 : 0;
	if (n >= sizeof name)
		return NULL;
	memcpy(name, field, n);
	name[n] = '\0';
	return kind_by_name(name);
}

static struct field_rule make_rule(const ProtobufCMessageDescriptor *desc, const field_desc *fd)
{
	struct field_rule r = {0};
	enum field_type t = field_type(fd);
	if (t == FIELD_ID || t == FIELD_IDS)
		r.target = target_by_name(fd->name);
	for (size_t i = 0; i < COUNT(rule_rows); i++) {
		const struct rule_row *row = &rule_rows[i];
		if (row->desc != desc || strcmp(row->field, fd->name) != 0)
			continue;
		r.flags = row->flags;
		r.check = row->check;
		if (!strcmp(row->target, "ANY"))
			r.target = NULL;
		else if (strcmp(row->target, "NONE") != 0)
			r.target = kind_by_name(row->target);
	}
	for (size_t i = 0; i < COUNT(range_rows); i++) {
		const struct range_row *row = &range_rows[i];
		if (row->desc != desc || strcmp(row->field, fd->name) != 0)
			continue;
		r.ranged = true;
		r.least = row->least;
		r.greatest = row->greatest;
	}
	if (!(r.flags & (FIELD_HARD | FIELD_SOFT)))
		r.flags |= default_firmness(t);
	return r;
}

static size_t kind_index(const struct kind *k)
{
	return (size_t)(k - kind_at(0));
}

/* Runs before main() and after kind.c's: the tables are constant from then on, so readers need no
 * lock. */
__attribute__((constructor(102))) static void field_complete(void)
{
	for (size_t i = 0; i < kind_count() && i < KINDS_CACHED; i++) {
		const ProtobufCMessageDescriptor *d = kind_at(i)->desc;
		for (unsigned f = 0; f < d->n_fields && f < FIELDS_CACHED; f++)
			cache[i][f] = make_rule(d, &d->fields[f]);
		for (size_t s = 0; s < COUNT(state_rows); s++)
			if (state_rows[s].desc == d)
				states[i] = protobuf_c_message_descriptor_get_field_by_name(
					d, state_rows[s].field);
	}
}

struct field_rule field_rule(const struct kind *k, const field_desc *fd)
{
	if (fd >= k->desc->fields && fd < k->desc->fields + k->desc->n_fields) {
		size_t i = kind_index(k), f = (size_t)(fd - k->desc->fields);
		if (i < KINDS_CACHED && f < FIELDS_CACHED)
			return cache[i][f];
	}
	return make_rule(k->desc, fd);
}

struct field_rule field_rule_nested(const ProtobufCMessageDescriptor *desc, const field_desc *fd)
{
	return make_rule(desc, fd);
}

const field_desc *field_state(const struct kind *k)
{
	size_t i = kind_index(k);
	return i < KINDS_CACHED ? states[i] : NULL;
}

bool field_state_entered(const struct kind *k, const ProtobufCMessage *before,
			 const ProtobufCMessage *after)
{
	const field_desc *fd = field_state(k);

	return fd && (!before || !field_equal(before, after, fd));
}

const field_desc *field_by_name(const struct kind *k, const char *name)
{
	return protobuf_c_message_descriptor_get_field_by_name(k->desc, name);
}

const field_desc *field_by_tag(const struct kind *k, uint32_t tag)
{
	return protobuf_c_message_descriptor_get_field(k->desc, tag);
}

size_t field_size(const field_desc *fd)
{
	switch (fd->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return 4;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(int);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	}
	return 0;
}

/* The generated structs are read by the offsets of their descriptors. */
const void *field_at(const ProtobufCMessage *m, const field_desc *fd)
{
	return (const char *)m + fd->offset;
}

void *field_at_mut(ProtobufCMessage *m, const field_desc *fd)
{
	return (char *)m + fd->offset;
}

static bool is_pointer(const field_desc *fd)
{
	return fd->type == PROTOBUF_C_TYPE_STRING || fd->type == PROTOBUF_C_TYPE_MESSAGE;
}

static bool is_oneof(const field_desc *fd)
{
	return fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

bool field_present(const ProtobufCMessage *m, const field_desc *fd)
{
	if (fd->label == PROTOBUF_C_LABEL_REPEATED)
		return field_count(m, fd) > 0;
	const char *quantifier = (const char *)m + fd->quantifier_offset;
	if (is_oneof(fd) && *(const uint32_t *)quantifier != fd->id)
		return false;
	if (is_pointer(fd))
		return *(void *const *)field_at(m, fd) != NULL;
	return is_oneof(fd) || *(const protobuf_c_boolean *)quantifier;
}

size_t field_count(const ProtobufCMessage *m, const field_desc *fd)
{
	return *(const size_t *)((const char *)m + fd->quantifier_offset);
}

void field_mark(ProtobufCMessage *m, const field_desc *fd, size_t n)
{
	char *quantifier = (char *)m + fd->quantifier_offset;
	if (fd->label == PROTOBUF_C_LABEL_REPEATED)
		*(size_t *)quantifier = n;
	else if (is_oneof(fd))
		*(uint32_t *)quantifier = n ? fd->id : 0;
	else if (!is_pointer(fd))
		*(protobuf_c_boolean *)quantifier = n > 0;
}

void field_clear(ProtobufCMessage *m, const field_desc *fd)
{
	if (is_oneof(fd) && !field_present(m, fd))
		return;
	field_mark(m, fd, 0);
	size_t size = fd->label == PROTOBUF_C_LABEL_REPEATED ? sizeof(void *) : field_size(fd);
	memset(field_at_mut(m, fd), 0, size);
}

void field_copy(ProtobufCMessage *to, const ProtobufCMessage *from, const field_desc *fd)
{
	if (!field_present(from, fd)) {
		field_clear(to, fd);
		return;
	}
	bool repeated = fd->label == PROTOBUF_C_LABEL_REPEATED;
	memcpy(field_at_mut(to, fd), field_at(from, fd),
	       repeated ? sizeof(void *) : field_size(fd));
	field_mark(to, fd, repeated ? field_count(from, fd) : 1);
}

int64_t field_int(const ProtobufCMessage *m, const field_desc *fd)
{
	if (field_size(fd) == 4)
		return *(const int32_t *)field_at(m, fd);
	return *(const int64_t *)field_at(m, fd);
}

uint64_t field_uint(const ProtobufCMessage *m, const field_desc *fd)
{
	if (field_size(fd) == 4)
		return *(const uint32_t *)field_at(m, fd);
	return *(const uint64_t *)field_at(m, fd);
}

double field_double(const ProtobufCMessage *m, const field_desc *fd)
{
	if (field_size(fd) == 4)
		return (double)*(const float *)field_at(m, fd);
	return *(const double *)field_at(m, fd);
}

void field_put_int(ProtobufCMessage *m, const field_desc *fd, int64_t v)
{
	if (field_size(fd) == 4)
		*(int32_t *)field_at_mut(m, fd) = (int32_t)v;
	else
		*(int64_t *)field_at_mut(m, fd) = v;
	field_mark(m, fd, 1);
}

void field_put_uint(ProtobufCMessage *m, const field_desc *fd, uint64_t v)
{
	if (field_size(fd) == 4)
		*(uint32_t *)field_at_mut(m, fd) = (uint32_t)v;
	else
		*(uint64_t *)field_at_mut(m, fd) = v;
	field_mark(m, fd, 1);
}

void field_put_double(ProtobufCMessage *m, const field_desc *fd, double v)
{
	if (field_size(fd) == 4)
		*(float *)field_at_mut(m, fd) = (float)v;
	else
		*(double *)field_at_mut(m, fd) = v;
	field_mark(m, fd, 1);
}

ProtobufCMessage *field_new_message(struct arena *a, const ProtobufCMessageDescriptor *desc)
{
	ProtobufCMessage *m = arena_alloc(a, desc->sizeof_message);
	if (m)
		protobuf_c_message_init(desc, m);
	return m;
}

struct span field_member(const ProtobufCMessage *m, const field_desc *fd, size_t i)
{
	const void *list = *(void *const *)field_at(m, fd);
	if (fd->type == PROTOBUF_C_TYPE_STRING) {
		const char *s = ((char *const *)list)[i];
		return (struct span){(const uint8_t *)s, strlen(s)};
	}
	const ProtobufCBinaryData *b = &((const ProtobufCBinaryData *)list)[i];
	return (struct span){b->data, b->len};
}

/* Fields that a newer program wrote count too. */
static bool unknown_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	if (a->n_unknown_fields != b->n_unknown_fields)
		return false;
	for (unsigned i = 0; i < a->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *x = &a->unknown_fields[i],
						   *y = &b->unknown_fields[i];
		if (x->tag != y->tag || x->wire_type != y->wire_type || x->len != y->len ||
		    memcmp(x->data, y->data, x->len) != 0)
			return false;
	}
	return true;
}

bool field_message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	if (!unknown_equal(a, b))
		return false;
	for (unsigned i = 0; i < a->descriptor->n_fields; i++)
		if (!field_equal(a, b, &a->descriptor->fields[i]))
			return false;
	return true;
}

static bool messages_equal(const ProtobufCMessage *a, const ProtobufCMessage *b,
			   const field_desc *fd)
{
	size_t n = field_count(a, fd);
	if (fd->type != PROTOBUF_C_TYPE_MESSAGE)
		return !memcmp(*(void *const *)field_at(a, fd), *(void *const *)field_at(b, fd),
			       n * field_size(fd));
	ProtobufCMessage *const *x = *(ProtobufCMessage * *const *)field_at(a, fd);
	ProtobufCMessage *const *y = *(ProtobufCMessage * *const *)field_at(b, fd);
	for (size_t i = 0; i < n; i++)
		if (!field_message_equal(x[i], y[i]))
			return false;
	return true;
}

static bool singular_equal(const ProtobufCMessage *a, const ProtobufCMessage *b,
			   const field_desc *fd)
{
	const void *x = field_at(a, fd), *y = field_at(b, fd);
	if (fd->type == PROTOBUF_C_TYPE_STRING)
		return !strcmp(*(char *const *)x, *(char *const *)y);
	if (fd->type == PROTOBUF_C_TYPE_MESSAGE)
		return field_message_equal(*(ProtobufCMessage *const *)x,
					   *(ProtobufCMessage *const *)y);
	if (fd->type == PROTOBUF_C_TYPE_BYTES) {
		const ProtobufCBinaryData *p = x, *q = y;
		return p->len == q->len && (p->len == 0 || !memcmp(p->data, q->data, p->len));
	}
	return !memcmp(x, y, field_size(fd));
}

bool field_equal(const ProtobufCMessage *a, const ProtobufCMessage *b, const field_desc *fd)
{
	bool there = field_present(a, fd);
	if (there != field_present(b, fd))
		return false;
	if (!there)
		return true;
	if (fd->label != PROTOBUF_C_LABEL_REPEATED)
		return singular_equal(a, b, fd);
	if (field_is_set(field_type(fd)))
		return field_sets_equal(a, b, fd);
	return field_count(a, fd) == field_count(b, fd) && messages_equal(a, b, fd);
}
