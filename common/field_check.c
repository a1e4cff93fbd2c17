/* field_check.c -- validation of a record's fields against their types and rules, and the walk over
 * its references. Knows no kind by name; whether a reference's record exists is for those who have
 * storage. */
#include "field.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lists.h"
#include "text.h"
#include "uuid.h"

enum { DAY_LEAST = -719162, DAY_GREATEST = 2932896 }; /* 0001-01-01 and 9999-12-31 */
enum { DAY_MS = 86400000 };

void problems_init(struct problems *p)
{
	p->n = p->dropped = p->errors = 0;
}

void problem_addv(struct problems *p, bool warning, const char *field, const char *code,
		  const char *fmt, va_list args)
{
	p->errors += !warning;
	if (p->n == sizeof p->list / sizeof p->list[0]) {
		p->dropped++;
		return;
	}
	struct problem *x = &p->list[p->n++];
	phrase_take(&x->phrase, fmt, args);
	vsnprintf(x->text, sizeof x->text, phrase_local(fmt), args);
	snprintf(x->field, sizeof x->field, "%s", field);
	snprintf(x->code, sizeof x->code, "%s", code);
	x->warning = warning;
}

void problem_add(struct problems *p, bool warning, const char *field, const char *code,
		 const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	problem_addv(p, warning, field, code, fmt, args);
	va_end(args);
}

struct check {
	struct problems *out;
	const struct kind *kind; /* of top-level fields; NULL inside nested messages */
	const char *path;        /* of the message, with its final dot */
};

static void path_of(const struct check *c, const field_desc *fd, char out[static 64])
{
	snprintf(out, 64, "%s%s", c->path, fd->name);
}

static void bad(const struct check *c, const field_desc *fd, bool warning, const char *code,
		const char *text)
{
	char path[64];
	path_of(c, fd, path);
	problem_add(c->out, warning, path, code, "%s: %s", path, phrase_local(text));
}

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t\n")] == '\0';
}

static bool all_in(const char *s, const char *set, size_t least, size_t most)
{
	size_t n = strspn(s, set);
	return !s[n] && n >= least && n <= most;
}

static bool is_slug(const char *s)
{
	return all_in(s, "abcdefghijklmnopqrstuvwxyz0123456789-", 2, 40);
}

static bool is_siren(const char *s)
{
	return all_in(s, "0123456789", 9, 9);
}

static bool is_siret(const char *s)
{
	return all_in(s, "0123456789", 14, 14);
}

static bool is_rna(const char *s)
{
	return s[0] == 'W' && all_in(s + 1, "0123456789", 9, 9);
}

static bool is_naf(const char *s)
{
	return strlen(s) == 6 && strspn(s, "0123456789") == 2 && s[2] == '.' &&
	       strspn(s + 3, "0123456789") == 2 && s[5] >= 'A' && s[5] <= 'Z';
}

static bool is_insee(const char *s)
{
	bool corsica = s[0] == '2' && (s[1] == 'A' || s[1] == 'B');
	return corsica ? all_in(s + 2, "0123456789", 3, 3) : all_in(s, "0123456789", 5, 5);
}

/* "15 01 10*", "150110*" and "150110": the six digits go to `out`. */
static bool waste_digits(const char *s, char out[static 7], bool *marked)
{
	size_t n = 0;
	for (; *s && *s != '*'; s++) {
		if (*s == ' ')
			continue;
		if (*s < '0' || *s > '9' || n == 6)
			return false;
		out[n++] = *s;
	}
	out[n] = '\0';
	*marked = *s == '*';
	return n == 6 && (!*s || !s[1]);
}

static bool is_waste(const char *s)
{
	char digits[7];
	bool marked;
	return waste_digits(s, digits, &marked);
}

static bool is_email(const char *s)
{
	const char *at = strchr(s, '@');
	return at && at > s && at[1] && !strchr(at + 1, '@') && !s[strcspn(s, " \t\n,;<>")];
}

static bool passes(const char *s)
{
	(void)s;
	return true;
}

/* Rows in the order of enum field_check. */
static const struct {
	bool (*is)(const char *s);
	bool luhn;
	const char *wanted;
} checks[] = {
	[FIELD_CHECK_NONE] = {passes, false, ""},
	[FIELD_CHECK_SLUG] = {is_slug, false, PHRASE("2 to 40 of a-z, 0-9 and -")},
	[FIELD_CHECK_SIREN] = {is_siren, true, PHRASE("9 digits")},
	[FIELD_CHECK_SIRET] = {is_siret, true, PHRASE("14 digits")},
	[FIELD_CHECK_RNA] = {is_rna, false, PHRASE("W and 9 digits")},
	[FIELD_CHECK_NAF] = {is_naf, false, PHRASE("a code such as 20.14Z")},
	[FIELD_CHECK_INSEE] = {is_insee, false, PHRASE("5 characters: digits, or 2A or 2B first")},
	[FIELD_CHECK_WASTE] = {is_waste, false, PHRASE("six digits of the European list of waste")},
	[FIELD_CHECK_POSTAL] = {passes, false, ""},
	[FIELD_CHECK_EMAIL] = {is_email, false, PHRASE("an e-mail address")},
};

/* ---- what spreadsheets do to codes ---- */

/* How many digits a code has that should have more, its ".0" left aside; 0: it is something else.
 */
static size_t digits_of_number(const char *s, bool *decimal)
{
	const size_t n = strspn(s, "0123456789");
	*decimal = n && s[n] == '.' && s[n + 1] && !s[n + 1 + strspn(s + n + 1, "0")];
	return *decimal || !s[n] ? n : 0;
}

/* 84200.0, or 55803388 where nine digits were wanted. */
static bool check_spreadsheet(const struct check *c, const field_desc *fd, const char *s,
			      size_t wanted)
{
	char path[64];
	bool decimal;
	const size_t n = digits_of_number(s, &decimal);
	snprintf(path, sizeof path, "%s%s", c->path, fd->name);
	if (decimal) {
		problem_add(c->out, false, path, "NUMBER",
			    "%s: \"%s\" is a number: a spreadsheet made it of a code; keep the "
			    "column as text",
			    path, s);
		return true;
	}
	if (n != wanted - 1)
		return false;
	problem_add(c->out, wanted == 5 && fd->name[0] == 'p', path, "ZERO",
		    "%s: %s has %zu digits, not %zu: did a spreadsheet drop a zero?", path, s, n,
		    wanted);
	return true;
}

static size_t digits_wanted(enum field_check check)
{
	switch (check) {
	case FIELD_CHECK_SIREN:
		return 9;
	case FIELD_CHECK_SIRET:
		return 14;
	case FIELD_CHECK_INSEE:
	case FIELD_CHECK_POSTAL:
		return 5;
	case FIELD_CHECK_NONE:
	case FIELD_CHECK_SLUG:
	case FIELD_CHECK_RNA:
	case FIELD_CHECK_NAF:
	case FIELD_CHECK_WASTE:
	case FIELD_CHECK_EMAIL:
		break;
	}
	return 0;
}

/* ---- official lists ---- */

/* The field beside this one: naf_revision of naf_code. */
static const char *beside(const ProtobufCMessage *m, const char *name)
{
	const field_desc *fd = protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
	return fd && field_type(fd) == FIELD_TEXT && field_present(m, fd)
		       ? *(char *const *)field_at(m, fd)
		       : NULL;
}

static void check_naf(const struct check *c, const field_desc *fd, const ProtobufCMessage *m,
		      const char *s)
{
	char path[64];
	const char *revision = beside(m, "naf_revision");
	snprintf(path, sizeof path, "%s%s", c->path, fd->name);
	if ((revision && strcmp(revision, "2") != 0) || lists_naf2(s))
		return;
	problem_add(
		c->out, false, path, "LIST",
		"%s: %s is not in NAF rév. 2; of another revision? then naf_revision says which: "
		"2025",
		path, s);
}

/* The list is that of one year, so what is not in it is only remarked. */
static void check_commune(const struct check *c, const field_desc *fd, const char *s)
{
	char path[64], now[6];
	snprintf(path, sizeof path, "%s%s", c->path, fd->name);
	const enum lists_commune found = lists_commune(s, now);
	if (found == LISTS_COMMUNE || found == LISTS_COMMUNE_DISTRICT)
		return;
	if (found == LISTS_COMMUNE_NONE)
		problem_add(c->out, true, path, "COMMUNE",
			    "%s: %s is no commune of 2026: merged or renumbered since?", path, s);
	else
		problem_add(c->out, true, path, "COMMUNE", "%s: %s has become part of commune %s",
			    path, s, now);
}

static void check_waste(const struct check *c, const field_desc *fd, const char *s)
{
	char path[64], digits[7];
	bool marked;
	snprintf(path, sizeof path, "%s%s", c->path, fd->name);
	(void)waste_digits(s, digits, &marked);
	const enum lists_waste found = lists_waste(digits);
	if (found == LISTS_WASTE_NONE)
		problem_add(c->out, false, path, "LIST",
			    "%s: %s is not in the European list of waste", path, s);
	else if (marked && found == LISTS_WASTE_PLAIN)
		problem_add(c->out, true, path, "HAZARD",
			    "%s: %s is marked as hazardous, the European list does not say so",
			    path, s);
}

static void check_list_code(const struct check *c, const field_desc *fd, const ProtobufCMessage *m,
			    enum field_check check, const char *s)
{
	if (check == FIELD_CHECK_NAF)
		check_naf(c, fd, m, s);
	if (check == FIELD_CHECK_INSEE)
		check_commune(c, fd, s);
	if (check == FIELD_CHECK_WASTE)
		check_waste(c, fd, s);
}

static void check_text(const struct check *c, const field_desc *fd, const ProtobufCMessage *m,
		       enum field_check check, const char *s)
{
	char path[64];
	size_t n = strlen(s);
	const size_t wanted = digits_wanted(check);
	path_of(c, fd, path);
	if (n == 0) {
		bad(c, fd, false, "FORMAT", "an empty text: leave the field out");
		return;
	}
	if (n > FIELD_TEXT_MAX) {
		problem_add(c->out, false, path, "TOO_LONG", "%s: %zu bytes, at most %d are kept",
			    path, n, FIELD_TEXT_MAX);
		return;
	}
	if (!text_is_utf8(s, n, NULL)) {
		bad(c, fd, false, "FORMAT", "not UTF-8");
		return;
	}
	for (const char *p = s; *p; p++)
		if (((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f) {
			problem_add(c->out, false, path, "FORMAT",
				    "%s: control character %d at byte %zu", path, *p,
				    (size_t)(p - s));
			return;
		}
	if (wanted && (check == FIELD_CHECK_POSTAL || !checks[check].is(s)) &&
	    check_spreadsheet(c, fd, s, wanted))
		return;
	if (!checks[check].is(s)) {
		const char *what = phrase_local(checks[check].wanted);
		/* A verdict keeps what is said here: it does not quote a person's data. */
		if (check == FIELD_CHECK_EMAIL)
			problem_add(c->out, false, path, "FORMAT", "%s: this is not %s", path,
				    what);
		else
			problem_add(c->out, false, path, "FORMAT", "%s: \"%.60s\" is not %s", path,
				    s, what);
	} else if (checks[check].luhn && !text_luhn(s)) {
		problem_add(c->out, true, path, "LUHN", "%s: \"%s\" has a wrong check digit", path,
			    s);
	} else {
		check_list_code(c, fd, m, check, s);
	}
}

static void check_number(const struct check *c, const field_desc *fd, const struct field_rule *r,
			 double v)
{
	char path[64], value[32], least[32], greatest[32];
	if (!isfinite(v)) {
		bad(c, fd, false, "RANGE", "not a number");
		return;
	}
	if (!r->ranged || (v >= r->least && v <= r->greatest))
		return;
	text_from_double(v, value);
	text_from_double(r->least, least);
	text_from_double(r->greatest, greatest);
	path_of(c, fd, path);
	problem_add(c->out, false, path, "RANGE", "%s: %s is not between %s and %s", path, value,
		    least, greatest);
}

static void check_time(const struct check *c, const field_desc *fd, int64_t v, int64_t unit)
{
	if (v < DAY_LEAST * unit || v > (DAY_GREATEST + 1) * unit - 1)
		bad(c, fd, false, "RANGE", "not between the years 1 and 9999");
}

static void check_enum(const struct check *c, const field_desc *fd, int number)
{
	char path[64], word[48], words[120];
	if (field_enum_known(fd->descriptor, number))
		return;
	field_enum_word(fd->descriptor, number, word);
	field_enum_words(fd->descriptor, words, sizeof words);
	path_of(c, fd, path);
	problem_add(c->out, false, path, "ENUM", "%s: %s is none of %s", path, word, words);
}

static void check_id(const struct check *c, const field_desc *fd, struct span id)
{
	if (!uuid_is_record_id(id.at, id.len))
		bad(c, fd, false, "FORMAT", "not the id of a record (UUID version 7 or 8)");
}

static void check_message(const struct check *c, const ProtobufCMessage *m);

static void check_nested(const struct check *c, const field_desc *fd, size_t i,
			 const ProtobufCMessage *m)
{
	char path[64];
	if (fd->label == PROTOBUF_C_LABEL_REPEATED)
		snprintf(path, sizeof path, "%.40s%.12s[%zu].", c->path, fd->name, i);
	else
		snprintf(path, sizeof path, "%.30s%.30s.", c->path, fd->name);
	struct check inner = {c->out, NULL, path};
	check_message(&inner, m);
}

static void check_list(const struct check *c, const field_desc *fd, enum field_type t,
		       const struct field_rule *r, const ProtobufCMessage *m)
{
	char text[80];
	size_t n = field_count(m, fd);
	if (n > FIELD_LIST_MAX) {
		snprintf(text, sizeof text, "%zu members, at most %d are kept", n, FIELD_LIST_MAX);
		bad(c, fd, false, "TOO_LONG", text);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (t == FIELD_MESSAGES)
			check_nested(c, fd, i, (*(ProtobufCMessage * *const *)field_at(m, fd))[i]);
		else if (t == FIELD_IDS)
			check_id(c, fd, field_member(m, fd, i));
		else
			check_text(c, fd, m, r->check, (*(char **const *)field_at(m, fd))[i]);
	}
}

static void check_value(const struct check *c, const field_desc *fd, const struct field_rule *r,
			const ProtobufCMessage *m)
{
	const ProtobufCBinaryData *id;
	enum field_type t = field_type(fd);
	switch (t) {
	case FIELD_TEXT:
		check_text(c, fd, m, r->check, *(char *const *)field_at(m, fd));
		break;
	case FIELD_BOOL:
		break;
	case FIELD_INT:
		check_number(c, fd, r, (double)field_int(m, fd));
		break;
	case FIELD_UINT:
		check_number(c, fd, r, (double)field_uint(m, fd));
		break;
	case FIELD_DOUBLE:
		check_number(c, fd, r, field_double(m, fd));
		break;
	case FIELD_ENUM:
		check_enum(c, fd, (int)field_int(m, fd));
		break;
	case FIELD_DATE:
		check_time(c, fd, field_int(m, fd), 1);
		break;
	case FIELD_INSTANT:
		check_time(c, fd, field_int(m, fd), DAY_MS);
		break;
	case FIELD_ID:
		id = field_at(m, fd);
		check_id(c, fd, (struct span){id->data, id->len});
		break;
	case FIELD_TEXTS:
	case FIELD_IDS:
	case FIELD_MESSAGES:
		check_list(c, fd, t, r, m);
		break;
	case FIELD_MESSAGE:
		check_nested(c, fd, 0, *(ProtobufCMessage *const *)field_at(m, fd));
		break;
	}
}

static bool is_missing(const ProtobufCMessage *m, const field_desc *fd)
{
	return !field_present(m, fd) ||
	       (field_type(fd) == FIELD_TEXT && is_blank(*(char *const *)field_at(m, fd)));
}

/* Ends, as our descriptors are acyclic. */
static void check_message(const struct check *c, const ProtobufCMessage *m)
{
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const field_desc *fd = &m->descriptor->fields[i];
		struct field_rule r =
			c->kind ? field_rule(c->kind, fd) : field_rule_nested(m->descriptor, fd);
		if ((r.flags & FIELD_REQUIRED) && is_missing(m, fd))
			bad(c, fd, false, "REQUIRED", "is missing");
		else if (field_present(m, fd))
			check_value(c, fd, &r, m);
	}
}

struct one_of {
	const ProtobufCMessageDescriptor *desc;
	const char *field, *other;
};
static const struct one_of one_ofs[] = {
#define ONE_OF(message, a, b) {&seve__##message##__descriptor, #a, #b},
#include "fields.def"
};

static void check_one_of(const struct check *c, const struct one_of *o, const ProtobufCMessage *m)
{
	const field_desc *a = protobuf_c_message_descriptor_get_field_by_name(o->desc, o->field);
	const field_desc *b = protobuf_c_message_descriptor_get_field_by_name(o->desc, o->other);
	if (field_present(m, a) != field_present(m, b))
		return;
	char text[160];
	snprintf(text, sizeof text, "give exactly one of %s and %s", o->field, o->other);
	bad(c, a, false, "REQUIRED", text);
}

void field_check_record(const struct kind *k, const ProtobufCMessage *m, struct problems *out)
{
	char path[64];
	snprintf(path, sizeof path, "%s.", k->name);
	struct check c = {out, k, path};
	check_message(&c, m);
	for (size_t i = 0; i < sizeof one_ofs / sizeof one_ofs[0]; i++)
		if (one_ofs[i].desc == k->desc)
			check_one_of(&c, &one_ofs[i], m);
	size_t size = protobuf_c_message_get_packed_size(m);
	if (size > FIELD_RECORD_MAX)
		problem_add(out, false, k->name, "TOO_LONG", "%s: %zu bytes, at most %d are kept",
			    k->name, size, FIELD_RECORD_MAX);
}

static void check_ref(const Seve__ExternalRef *ref, struct problems *out)
{
	struct check c = {out, NULL, "meta.refs."};
	const field_desc *fd = seve__external_ref__descriptor.fields;
	const char *parts[] = {ref->source, ref->key};
	for (unsigned i = 0; i < 2; i++) {
		if (!parts[i] || is_blank(parts[i]))
			bad(&c, &fd[i], false, "REQUIRED", "is missing");
		else if (strlen(parts[i]) > FIELD_REF_MAX)
			bad(&c, &fd[i], false, "TOO_LONG", "more than 200 bytes");
		else
			check_text(&c, &fd[i], &ref->base, FIELD_CHECK_NONE, parts[i]);
	}
}

void field_check_meta(const Seve__Meta *meta, struct problems *out)
{
	struct check c = {out, NULL, "meta."};
	const ProtobufCMessageDescriptor *d = &seve__meta__descriptor;
	if (meta->has_level)
		check_enum(&c, protobuf_c_message_descriptor_get_field_by_name(d, "level"),
			   (int)meta->level);
	if (meta->n_refs > FIELD_REFS_MAX)
		bad(&c, protobuf_c_message_descriptor_get_field_by_name(d, "refs"), false,
		    "TOO_LONG", "more than 50 references");
	for (size_t i = 0; i < meta->n_refs && i < FIELD_REFS_MAX; i++)
		check_ref(meta->refs[i], out);
}

/* What field_each_ref() carries down. */
struct each {
	const field_desc *top;
	const struct kind *kind;
	int (*fn)(void *ctx, const field_desc *field, const struct kind *target,
		  const uint8_t id[16]);
	void *ctx;
};

static int each_in_message(const struct each *x, const ProtobufCMessage *m, bool nested);

static int each_id(const struct each *x, const struct kind *target, struct span id)
{
	return id.len == 16 ? x->fn(x->ctx, x->top, target, id.at) : 0;
}

static int each_in_field(const struct each *x, const ProtobufCMessage *m, const field_desc *fd,
			 bool nested)
{
	enum field_type t = field_type(fd);
	const void *at = field_at(m, fd);
	int rc = 0;
	if (t == FIELD_MESSAGE)
		return each_in_message(x, *(ProtobufCMessage *const *)at, true);
	if (t == FIELD_MESSAGES && fd->type == PROTOBUF_C_TYPE_MESSAGE) {
		for (size_t i = 0; rc == 0 && i < field_count(m, fd); i++)
			rc = each_in_message(x, (*(ProtobufCMessage * *const *)at)[i], true);
		return rc;
	}
	if (t != FIELD_ID && t != FIELD_IDS)
		return 0;
	struct field_rule r =
		nested ? field_rule_nested(m->descriptor, fd) : field_rule(x->kind, fd);
	if (t == FIELD_ID) {
		const ProtobufCBinaryData *id = at;
		return each_id(x, r.target, (struct span){id->data, id->len});
	}
	for (size_t i = 0; rc == 0 && i < field_count(m, fd); i++)
		rc = each_id(x, r.target, field_member(m, fd, i));
	return rc;
}

static int each_in_message(const struct each *x, const ProtobufCMessage *m, bool nested)
{
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < m->descriptor->n_fields; i++) {
		const field_desc *fd = &m->descriptor->fields[i];
		struct each inner = *x;
		if (!nested)
			inner.top = fd;
		if (field_present(m, fd))
			rc = each_in_field(&inner, m, fd, nested);
	}
	return rc;
}

int field_each_ref(const struct kind *k, const ProtobufCMessage *m,
		   int (*fn)(void *ctx, const field_desc *field, const struct kind *target,
			     const uint8_t id[16]),
		   void *ctx)
{
	struct each x = {NULL, k, fn, ctx};
	return each_in_message(&x, m, false);
}
