/* field_text.c -- the text form of a field's value, to and fro: command lines and CSV cells.
 * Knows no kind by name; nested messages are left to json.c. */
#include "field.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "text.h"
#include "uuid.h"

/* The names of an enumeration's values begin with what stands before UNSPECIFIED in that of value
 * 0. */
static size_t enum_prefix(const ProtobufCEnumDescriptor *ed)
{
	static const char last[] = "UNSPECIFIED";
	const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(ed, 0);
	if (!zero)
		return 0;
	size_t n = strlen(zero->name), m = sizeof last - 1;
	return n >= m && !strcmp(zero->name + n - m, last) ? n - m : 0;
}

/* Value 0 named *_UNSPECIFIED means absent: nobody may write it. */
static bool is_unspecified(const ProtobufCEnumDescriptor *ed, const ProtobufCEnumValue *v)
{
	return v->value == 0 && !strcmp(v->name + enum_prefix(ed), "UNSPECIFIED");
}

void field_enum_word(const ProtobufCEnumDescriptor *ed, int number, char out[static 48])
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(ed, number);
	if (v)
		text_lower_word(v->name + enum_prefix(ed), out, 48);
	else
		snprintf(out, 48, "%d", number);
}

bool field_enum_known(const ProtobufCEnumDescriptor *ed, int number)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(ed, number);
	return v && !is_unspecified(ed, v);
}

int field_enum_number(const ProtobufCEnumDescriptor *ed, const char *word, int *out, struct err *e)
{
	size_t prefix = enum_prefix(ed);
	for (unsigned i = 0; i < ed->n_values; i++) {
		const ProtobufCEnumValue *v = &ed->values[i];
		char known[48];
		text_lower_word(v->name + prefix, known, sizeof known);
		if (!is_unspecified(ed, v) && !strcmp(known, word)) {
			*out = v->value;
			return 0;
		}
	}
	char words[240];
	field_enum_words(ed, words, sizeof words);
	return err_set(e, ERR_INVALID, "\"%.40s\" is none of %s", word, words);
}

void field_enum_words(const ProtobufCEnumDescriptor *ed, char *out, size_t size)
{
	size_t n = 0, prefix = enum_prefix(ed);
	out[0] = '\0';
	for (unsigned i = 0; i < ed->n_values && n < size; i++) {
		char word[48];
		if (is_unspecified(ed, &ed->values[i]))
			continue;
		text_lower_word(ed->values[i].name + prefix, word, sizeof word);
		n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", word);
	}
}

static int add_text(struct buf *out, const char *s)
{
	return buf_add(out, s, strlen(s));
}

static int add_id(struct buf *out, struct span id)
{
	char text[UUID_TEXT] = "";
	struct uuid u;
	if (id.len == sizeof u.b) {
		memcpy(u.b, id.at, sizeof u.b);
		uuid_format(&u, text);
	}
	return add_text(out, text);
}

/* A member of a list: '|', '\' and blanks at its ends are escaped. */
static int add_member(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		bool end = i == 0 || i == s.len - 1;
		char c = (char)s.at[i];
		bool escape = c == '|' || c == '\\' || (c == ' ' && end);
		int rc = escape ? buf_add(out, "\\", 1) : 0;
		if (rc == 0)
			rc = buf_add(out, &c, 1);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_list(struct buf *out, const ProtobufCMessage *m, const field_desc *fd,
		    enum field_type t)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < field_count(m, fd); i++) {
		if (i > 0)
			rc = buf_add(out, "|", 1);
		if (rc == 0)
			rc = t == FIELD_IDS ? add_id(out, field_member(m, fd, i))
					    : add_member(out, field_member(m, fd, i));
	}
	return rc;
}

int field_to_text(const ProtobufCMessage *m, const field_desc *fd, struct buf *out)
{
	char word[48];
	const ProtobufCBinaryData *id;
	enum field_type t = field_type(fd);
	if (!field_present(m, fd))
		return 0;
	switch (t) {
	case FIELD_TEXT:
		return add_text(out, *(char *const *)field_at(m, fd));
	case FIELD_BOOL:
		return add_text(out, field_int(m, fd) ? "yes" : "no");
	case FIELD_INT:
		return buf_addf(out, "%" PRId64, field_int(m, fd));
	case FIELD_UINT:
		return buf_addf(out, "%" PRIu64, field_uint(m, fd));
	case FIELD_DOUBLE:
		text_from_double(field_double(m, fd), word);
		return add_text(out, word);
	case FIELD_ENUM:
		field_enum_word(fd->descriptor, (int)field_int(m, fd), word);
		return add_text(out, word);
	case FIELD_DATE:
		text_from_date((int32_t)field_int(m, fd), word);
		return add_text(out, word);
	case FIELD_INSTANT:
		text_from_instant(field_int(m, fd), word);
		return add_text(out, word);
	case FIELD_ID:
		id = field_at(m, fd);
		return add_id(out, (struct span){id->data, id->len});
	case FIELD_TEXTS:
	case FIELD_IDS:
		return add_list(out, m, fd, t);
	case FIELD_MESSAGE:
	case FIELD_MESSAGES:
		return json_add_value(out, m, fd);
	}
	return 0;
}

static int read_bool(const char *text, bool *out, struct err *e)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"yes", true}, {"no", false},  {"true", true}, {"false", false},
		     {"oui", true}, {"non", false}, {"1", true},    {"0", false}};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (!strcasecmp(words[i].word, text)) {
			*out = words[i].value;
			return 0;
		}
	return err_set(e, ERR_INVALID, "\"%.40s\" is neither yes nor no", text);
}

static int read_double(const char *text, double *out, struct err *e)
{
	char dotted[64];
	double v;
	const char *comma = strchr(text, ',');
	if (comma && strlen(text) < sizeof dotted && !strchr(comma + 1, ',') &&
	    !strchr(text, '.')) {
		snprintf(dotted, sizeof dotted, "%s", text);
		dotted[comma - text] = '.';
		text = dotted;
	}
	int rc = text_to_double(text, &v, e);
	if (rc == 0 && !isfinite(v))
		rc = err_set(e, ERR_INVALID, "\"%.40s\" is not a number", text);
	if (rc == 0)
		*out = v;
	return rc;
}

/* text_to_int() ends at the greatest int64. */
static int read_uint(const char *text, const field_desc *fd, uint64_t *out, struct err *e)
{
	uint64_t most = field_size(fd) == 4 ? UINT32_MAX : UINT64_MAX, v = 0;
	const char *p = text;
	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');
		if (v > (most - digit) / 10)
			return err_set(e, ERR_INVALID, "\"%.40s\" is greater than %" PRIu64, text,
				       most);
		v = v * 10 + digit;
	}
	if (*p || p == text)
		return err_set(e, ERR_INVALID, "\"%.40s\" is not a whole number from 0", text);
	*out = v;
	return 0;
}

static int read_id(struct arena *a, const char *text, ProtobufCBinaryData *out, struct err *e)
{
	struct uuid u;
	int rc = uuid_parse(text, &u, e);
	if (rc < 0)
		return rc;
	uint8_t *p = arena_memdup(a, u.b, sizeof u.b);
	if (!p)
		return err_set(e, ERR_NOMEM, "id");
	*out = (ProtobufCBinaryData){sizeof u.b, p};
	return 0;
}

/* Cuts the next member off the list, unescaped, into `out` (as large as the text).  NULL at the
 * end. */
static const char *next_member(const char *p, char *out)
{
	size_t n = 0, least = 0; /* what stands before `least` was escaped: not trimmed */
	while (*p == ' ')
		p++;
	for (; *p && *p != '|'; p++) {
		bool escaped = *p == '\\' && (p[1] == '|' || p[1] == '\\' || p[1] == ' ');
		p += escaped;
		out[n++] = *p;
		if (escaped)
			least = n;
	}
	while (n > least && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return *p ? p + 1 : NULL;
}

static int read_list(struct arena *a, ProtobufCMessage *m, const field_desc *fd, const char *text,
		     struct err *e)
{
	size_t most = 1, n = 0, size = field_size(fd);
	for (const char *p = text; *p; p++)
		most += *p == '|';
	char *word = arena_alloc(a, strlen(text) + 1), *list = arena_array(a, most, size);
	if (!word || !list)
		return err_set(e, ERR_NOMEM, "list");
	for (const char *p = text; p; n++) {
		p = next_member(p, word);
		if (!*word)
			return err_set(e, ERR_INVALID, "member %zu of \"%.40s\" is empty", n + 1,
				       text);
		if (fd->type == PROTOBUF_C_TYPE_BYTES) {
			int rc = read_id(a, word, (ProtobufCBinaryData *)(void *)(list + n * size),
					 e);
			if (rc < 0)
				return rc;
			continue;
		}
		char *copy = arena_strdup(a, word);
		if (!copy)
			return err_set(e, ERR_NOMEM, "list");
		memcpy(list + n * size, &copy, size);
	}
	*(void **)field_at_mut(m, fd) = list;
	field_mark(m, fd, n);
	return 0;
}

static int read_text(struct arena *a, ProtobufCMessage *m, const field_desc *fd, const char *text,
		     struct err *e)
{
	char *copy = arena_strdup(a, text);
	if (!copy)
		return err_set(e, ERR_NOMEM, "text");
	*(char **)field_at_mut(m, fd) = copy;
	field_mark(m, fd, 1);
	return 0;
}

static int read_number(ProtobufCMessage *m, const field_desc *fd, enum field_type t,
		       const char *text, struct err *e)
{
	bool small = field_size(fd) == 4, yes = false;
	int64_t number = 0;
	int32_t days = 0;
	int word = 0, rc = 0;
	if (t == FIELD_INT)
		rc = text_to_int(text, small ? INT32_MIN : INT64_MIN, small ? INT32_MAX : INT64_MAX,
				 &number, e);
	else if (t == FIELD_INSTANT)
		rc = text_to_instant(text, &number, e);
	else if (t == FIELD_DATE)
		rc = text_to_date(text, &days, e);
	else if (t == FIELD_ENUM)
		rc = field_enum_number(fd->descriptor, text, &word, e);
	else
		rc = read_bool(text, &yes, e);
	if (rc == 0)
		field_put_int(m, fd, number + days + word + yes);
	return rc;
}

int field_read(struct arena *a, ProtobufCMessage *m, const field_desc *fd, const char *text,
	       struct err *e)
{
	uint64_t u = 0;
	double d;
	int rc;
	ProtobufCBinaryData id;
	enum field_type t = field_type(fd);
	switch (t) {
	case FIELD_TEXT:
		return read_text(a, m, fd, text, e);
	case FIELD_UINT:
		rc = read_uint(text, fd, &u, e);
		if (rc == 0)
			field_put_uint(m, fd, u);
		return rc;
	case FIELD_DOUBLE:
		rc = read_double(text, &d, e);
		if (rc == 0)
			field_put_double(m, fd, d);
		return rc;
	case FIELD_BOOL:
	case FIELD_INT:
	case FIELD_ENUM:
	case FIELD_DATE:
	case FIELD_INSTANT:
		return read_number(m, fd, t, text, e);
	case FIELD_ID:
		rc = read_id(a, text, &id, e);
		if (rc == 0) {
			*(ProtobufCBinaryData *)field_at_mut(m, fd) = id;
			field_mark(m, fd, 1);
		}
		return rc;
	case FIELD_TEXTS:
	case FIELD_IDS:
		return read_list(a, m, fd, text, e);
	case FIELD_MESSAGE:
	case FIELD_MESSAGES:
		return json_read_value(a, m, fd, text, strlen(text), e);
	}
	return 0;
}

int field_from_text(struct arena *a, ProtobufCMessage *m, const field_desc *fd, const char *text,
		    struct err *e)
{
	if (!*text) {
		field_clear(m, fd);
		return 0;
	}
	struct err why = {0};
	int rc = field_read(a, m, fd, text, &why);
	if (rc < 0) {
		err_prefix(&why, "%s", fd->name);
		if (e)
			*e = why;
	}
	return rc;
}
