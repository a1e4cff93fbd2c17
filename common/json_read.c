/* json_read.c -- JSON read into messages along their descriptors.
 * Knows no kind.  jansson parses; its depth, the size and the members of lists are bounded. */
#include "json.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "field.h"
#include "text.h"

struct reader {
	struct arena *arena;
	struct err *e; /* never NULL */
};

static int no_memory(const struct reader *r)
{
	return err_set(r->e, ERR_NOMEM, "JSON");
}

static const char *type_name(const json_t *v)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",  [JSON_STRING] = "a text",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null",
	};
	return names[json_typeof(v)];
}

static int wrong_type(const struct reader *r, const json_t *v, const char *wanted)
{
	return err_set(r->e, ERR_INVALID, "%s instead of %s", type_name(v), wanted);
}

/* Texts, and what JSON holds as texts: words, dates, instants, ids. */
static int read_text(const struct reader *r, ProtobufCMessage *m, const field_desc *fd,
		     const json_t *v)
{
	if (!json_is_string(v))
		return wrong_type(r, v, "a text");
	const char *text = json_string_value(v);
	if (!*text)
		return err_set(r->e, ERR_INVALID,
			       "an empty text: leave the field out, or give null");
	return field_read(r->arena, m, fd, text, r->e);
}

static int read_int(const struct reader *r, ProtobufCMessage *m, const field_desc *fd,
		    const json_t *v)
{
	if (!json_is_integer(v))
		return wrong_type(r, v, "a whole number");
	json_int_t n = json_integer_value(v);
	bool small = field_size(fd) == 4, natural = field_type(fd) == FIELD_UINT;
	json_int_t least = natural ? 0 : small ? INT32_MIN : INT64_MIN;
	json_int_t most = !small ? INT64_MAX : natural ? (json_int_t)UINT32_MAX : INT32_MAX;
	if (n < least || n > most)
		return err_set(r->e, ERR_INVALID, "%" JSON_INTEGER_FORMAT " is out of range", n);
	if (natural)
		field_put_uint(m, fd, (uint64_t)n);
	else
		field_put_int(m, fd, n);
	return 0;
}

static int read_double(const struct reader *r, ProtobufCMessage *m, const field_desc *fd,
		       const json_t *v)
{
	if (!json_is_number(v))
		return wrong_type(r, v, "a number");
	field_put_double(m, fd, json_number_value(v));
	return 0;
}

static int read_bool(const struct reader *r, ProtobufCMessage *m, const field_desc *fd,
		     const json_t *v)
{
	if (!json_is_boolean(v))
		return wrong_type(r, v, "true or false");
	field_put_int(m, fd, json_is_true(v));
	return 0;
}

static int read_message(const struct reader *r, const ProtobufCMessageDescriptor *desc,
			const json_t *v, ProtobufCMessage **out);

static int read_nested(const struct reader *r, ProtobufCMessage *m, const field_desc *fd,
		       const json_t *v)
{
	ProtobufCMessage *inner = NULL;
	int rc = read_message(r, fd->descriptor, v, &inner);
	if (rc == 0)
		*(ProtobufCMessage **)field_at_mut(m, fd) = inner;
	return rc;
}

/* One member, read as a singular field of the same type into a slot of the list. */
static int read_member(const struct reader *r, const field_desc *fd, const json_t *v, void *slot)
{
	struct holder {
		ProtobufCMessage base;
		protobuf_c_boolean has;
		ProtobufCBinaryData value;
	} holder;
	memset(&holder, 0, sizeof holder);
	field_desc one = *fd;
	one.label = PROTOBUF_C_LABEL_OPTIONAL;
	one.flags = 0;
	one.offset = offsetof(struct holder, value);
	one.quantifier_offset = offsetof(struct holder, has);
	int rc = fd->type == PROTOBUF_C_TYPE_MESSAGE ? read_nested(r, &holder.base, &one, v)
						     : read_text(r, &holder.base, &one, v);
	if (rc == 0)
		memcpy(slot, &holder.value, field_size(fd));
	return rc;
}

static int read_list(const struct reader *r, ProtobufCMessage *m, const field_desc *fd,
		     const json_t *v)
{
	if (!json_is_array(v))
		return wrong_type(r, v, "a list");
	size_t n = json_array_size(v), size = field_size(fd);
	if (n > FIELD_LIST_MAX)
		return err_set(r->e, ERR_INVALID, "%zu members, at most %d are kept", n,
			       FIELD_LIST_MAX);
	char *list = arena_array(r->arena, n, size);
	if (!list)
		return no_memory(r);
	for (size_t i = 0; i < n; i++) {
		int rc = read_member(r, fd, json_array_get(v, i), list + i * size);
		if (rc < 0) {
			err_prefix(r->e, "[%zu]", i);
			return rc;
		}
	}
	*(void **)field_at_mut(m, fd) = n ? list : NULL;
	field_mark(m, fd, n);
	return 0;
}

static int read_value(const struct reader *r, ProtobufCMessage *m, const field_desc *fd,
		      const json_t *v)
{
	if (json_is_null(v)) {
		field_clear(m, fd);
		return 0;
	}
	switch (field_type(fd)) {
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_DATE:
	case FIELD_INSTANT:
	case FIELD_ID:
		return read_text(r, m, fd, v);
	case FIELD_BOOL:
		return read_bool(r, m, fd, v);
	case FIELD_INT:
	case FIELD_UINT:
		return read_int(r, m, fd, v);
	case FIELD_DOUBLE:
		return read_double(r, m, fd, v);
	case FIELD_TEXTS:
	case FIELD_IDS:
	case FIELD_MESSAGES:
		return read_list(r, m, fd, v);
	case FIELD_MESSAGE:
		return read_nested(r, m, fd, v);
	}
	return 0;
}

static int unknown_key(const struct reader *r, const ProtobufCMessageDescriptor *desc,
		       const char *key)
{
	const char *nearest = NULL;
	unsigned best = 4; /* further away it is no slip of the pen */
	for (unsigned i = 0; i < desc->n_fields; i++) {
		unsigned d = text_distance(key, desc->fields[i].name, best);
		if (d < best) {
			best = d;
			nearest = desc->fields[i].name;
		}
	}
	err_set(r->e, ERR_INVALID, "unknown key \"%.60s\"", key);
	if (nearest)
		return err_remedy(r->e, "did you mean %s?", nearest);
	return -ERR_INVALID;
}

/* Ends, as our descriptors are acyclic. */
static int read_message(const struct reader *r, const ProtobufCMessageDescriptor *desc,
			const json_t *v, ProtobufCMessage **out)
{
	if (!json_is_object(v))
		return wrong_type(r, v, "an object");
	ProtobufCMessage *m = field_new_message(r->arena, desc);
	if (!m)
		return no_memory(r);
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)v, key, value)
	{
		const field_desc *fd = protobuf_c_message_descriptor_get_field_by_name(desc, key);
		if (!fd)
			return unknown_key(r, desc, key);
		int rc = read_value(r, m, fd, value);
		if (rc < 0) {
			err_prefix(r->e, "%s", key);
			return rc;
		}
	}
	*out = m;
	return 0;
}

static json_t *parse(const char *text, size_t n, size_t flags, struct err *e)
{
	if (n > JSON_READ_MAX) {
		err_set(e, ERR_TOO_BIG, "JSON of %zu bytes, at most %d are read", n, JSON_READ_MAX);
		return NULL;
	}
	json_error_t why;
	json_t *v = json_loadb(text, n, JSON_REJECT_DUPLICATES | flags, &why);
	if (!v && json_error_code(&why) == json_error_out_of_memory)
		err_set(e, ERR_NOMEM, "JSON");
	else if (!v)
		err_set(e, ERR_INVALID, "line %d, column %d: %.200s", why.line, why.column,
			why.text);
	return v;
}

int json_read_message(struct arena *a, const ProtobufCMessageDescriptor *desc, const char *text,
		      size_t n, ProtobufCMessage **out, struct err *e)
{
	struct err local = {0}, *why = e ? e : &local;
	json_t *v = parse(text, n, 0, why);
	if (!v)
		return -(int)why->code;
	struct reader r = {a, why};
	int rc = read_message(&r, desc, v, out);
	json_decref(v);
	return rc;
}

int json_read_value(struct arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *fd,
		    const char *text, size_t n, struct err *e)
{
	struct err local = {0}, *why = e ? e : &local;
	json_t *v = parse(text, n, JSON_DECODE_ANY, why);
	if (!v)
		return -(int)why->code;
	struct reader r = {a, why};
	int rc = read_value(&r, m, fd, v);
	json_decref(v);
	return rc;
}
