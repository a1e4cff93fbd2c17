/* json.c -- messages and records written as canonical JSON.
 * Knows no kind by name.  Reading stands in json_read.c. */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "field.h"
#include "text.h"
#include "uuid.h"

/* Keys of a record that are not its kind's fields. */
static const char *const record_keys[] = {"territory",  "kind",       "id",        "ref",
					  "rev",        "level",      "refs",      "created_at",
					  "created_by", "updated_at", "updated_by"};

/* Writes a run of calls, of which the first that fails decides. */
struct writer {
	struct buf *out;
	int rc;
	bool comma; /* something stands before in this object or list */
};

static void put(struct writer *w, const void *p, size_t n)
{
	if (w->rc == 0)
		w->rc = buf_add(w->out, p, n);
}

static void put_text(struct writer *w, const char *s)
{
	put(w, s, strlen(s));
}

static void put_string(struct writer *w, const char *s)
{
	static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	put(w, "\"", 1);
	for (const char *p = s;;) {
		const char *run = p;
		while ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
			p++;
		put(w, run, (size_t)(p - run));
		if (!*p)
			break;
		char escape[8] = {'\\'};
		const char *name = strchr(names, *p);
		if (name)
			escape[1] = letters[name - names];
		else
			snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)*p);
		put_text(w, escape);
		p++;
	}
	put(w, "\"", 1);
}

static void put_key(struct writer *w, const char *key)
{
	if (w->comma)
		put(w, ",", 1);
	w->comma = true;
	put_string(w, key);
	put(w, ":", 1);
}

static void put_id(struct writer *w, struct span id)
{
	struct uuid u;
	char text[UUID_TEXT] = "";
	if (id.len == sizeof u.b) {
		memcpy(u.b, id.at, sizeof u.b);
		uuid_format(&u, text);
	}
	put_string(w, text);
}

static void put_message(struct writer *w, const ProtobufCMessage *m);

static void put_list(struct writer *w, const ProtobufCMessage *m, const field_desc *fd,
		     enum field_type t)
{
	void *const *list = *(void **const *)field_at(m, fd);
	put(w, "[", 1);
	for (size_t i = 0; i < field_count(m, fd); i++) {
		if (i > 0)
			put(w, ",", 1);
		if (t == FIELD_IDS)
			put_id(w, field_member(m, fd, i));
		else if (t == FIELD_TEXTS)
			put_string(w, list[i]);
		else
			put_message(w, list[i]);
	}
	put(w, "]", 1);
}

static void put_number(struct writer *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put_number(struct writer *w, const char *fmt, ...)
{
	char text[32];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	put_text(w, text);
}

static void put_double(struct writer *w, double v)
{
	char text[32] = "null"; /* JSON has no word for what is no number */
	if (isfinite(v))
		text_from_double(v, text);
	put_text(w, text);
	if (v == 0 && signbit(v))
		put_text(w, ".0"); /* -0 alone would be read as a whole number, without its sign */
}

static void put_value(struct writer *w, const ProtobufCMessage *m, const field_desc *fd)
{
	char text[48];
	const ProtobufCBinaryData *id;
	enum field_type t = field_type(fd);
	switch (t) {
	case FIELD_TEXT:
		put_string(w, *(char *const *)field_at(m, fd));
		break;
	case FIELD_BOOL:
		put_text(w, field_int(m, fd) ? "true" : "false");
		break;
	case FIELD_INT:
		put_number(w, "%" PRId64, field_int(m, fd));
		break;
	case FIELD_UINT:
		put_number(w, "%" PRIu64, field_uint(m, fd));
		break;
	case FIELD_DOUBLE:
		put_double(w, field_double(m, fd));
		break;
	case FIELD_ENUM:
		field_enum_word(fd->descriptor, (int)field_int(m, fd), text);
		put_string(w, text);
		break;
	case FIELD_DATE:
		text_from_date((int32_t)field_int(m, fd), text);
		put_string(w, text);
		break;
	case FIELD_INSTANT:
		text_from_instant(field_int(m, fd), text);
		put_string(w, text);
		break;
	case FIELD_ID:
		id = field_at(m, fd);
		put_id(w, (struct span){id->data, id->len});
		break;
	case FIELD_TEXTS:
	case FIELD_IDS:
	case FIELD_MESSAGES:
		put_list(w, m, fd, t);
		break;
	case FIELD_MESSAGE:
		put_message(w, *(ProtobufCMessage *const *)field_at(m, fd));
		break;
	}
}

/* `k` where the message is a kind's own, in a record. */
static void put_fields(struct writer *w, const struct kind *k, const ProtobufCMessage *m)
{
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const field_desc *fd = &m->descriptor->fields[i];
		char key[96];
		if (!field_present(m, fd))
			continue;
		if (k)
			json_field_key(k, fd, key);
		put_key(w, k ? key : fd->name);
		put_value(w, m, fd);
	}
}

static void put_message(struct writer *w, const ProtobufCMessage *m)
{
	bool comma = w->comma;
	w->comma = false;
	put(w, "{", 1);
	put_fields(w, NULL, m);
	put(w, "}", 1);
	w->comma = comma;
}

int json_add_message(struct buf *out, const ProtobufCMessage *m)
{
	struct writer w = {out, 0, false};
	put_message(&w, m);
	return w.rc;
}

int json_add_value(struct buf *out, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *fd)
{
	struct writer w = {out, 0, false};
	put_value(&w, m, fd);
	return w.rc;
}

int json_add_string(struct buf *out, const char *s)
{
	struct writer w = {out, 0, false};
	put_string(&w, s);
	return w.rc;
}

static bool is_record_key(const char *name)
{
	for (size_t i = 0; i < sizeof record_keys / sizeof record_keys[0]; i++)
		if (!strcmp(record_keys[i], name))
			return true;
	return false;
}

void json_field_key(const struct kind *k, const ProtobufCFieldDescriptor *fd, char out[static 96])
{
	if (is_record_key(fd->name))
		snprintf(out, 96, "%s_%s", k->name, fd->name);
	else
		snprintf(out, 96, "%s", fd->name);
}

const ProtobufCFieldDescriptor *json_key_field(const struct kind *k, const char *key)
{
	const field_desc *fd = field_by_name(k, key);
	if (fd)
		return is_record_key(key) ? NULL : fd;
	size_t n = strlen(k->name);
	if (strncmp(key, k->name, n) != 0 || key[n] != '_' || !is_record_key(key + n + 1))
		return NULL;
	return field_by_name(k, key + n + 1);
}

static void put_meta(struct writer *w, const Seve__Meta *meta)
{
	static const char *const names[] = {"level",      "refs",       "created_at",
					    "created_by", "updated_at", "updated_by"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const field_desc *fd = protobuf_c_message_descriptor_get_field_by_name(
			&seve__meta__descriptor, names[i]);
		if (!field_present(&meta->base, fd))
			continue;
		put_key(w, names[i]);
		put_value(w, &meta->base, fd);
	}
}

static void put_head(struct writer *w, const struct kind *k, const uint8_t id[16], uint64_t rev,
		     const Seve__Meta *meta)
{
	char ref[16] = "";
	put_key(w, "kind");
	put_string(w, k->name);
	put_key(w, "id");
	put_id(w, (struct span){id, 16});
	if (meta)
		kind_format_ref(k, meta->ref_no, ref);
	if (*ref) {
		put_key(w, "ref");
		put_string(w, ref);
	}
	put_key(w, "rev");
	put_number(w, "%" PRIu64, rev);
	if (meta)
		put_meta(w, meta);
}

int json_add_record(struct buf *out, const char *territory, const uint8_t id[16], uint64_t rev,
		    const Seve__Body *body)
{
	const struct kind *k = kind_of(body);
	const ProtobufCMessage *m = kind_message(body);
	if (!k || !m)
		return -ERR_INVALID;
	struct writer w = {out, 0, false};
	put(&w, "{", 1);
	if (territory) {
		put_key(&w, "territory");
		put_string(&w, territory);
	}
	put_head(&w, k, id, rev, body->meta);
	put_fields(&w, k, m);
	put(&w, "}", 1);
	return w.rc;
}
