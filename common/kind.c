/* kind.c -- the tables of kinds.def and roles.def, completed from the descriptors before main().
 * Knows no storage. */
#include "kind.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The words that stand in the columns of kinds.def and roles.def. */
enum {
	A = KIND_BY_A,
	F = KIND_BY_F,
	C = KIND_BY_C,
	I = KIND_BY_I,
	P = KIND_BY_P,
	L = KIND_BY_L,
	ONLINE = KIND_ONLINE,
	IMPORT = KIND_IMPORT,
	APPEND = KIND_APPEND,
	ACCOUNTS = ROLE_MAY_ACCOUNTS,
	TERRITORIES = ROLE_MAY_TERRITORIES,
	OWN_SOURCE = ROLE_MAY_OWN_SOURCE,
	OWN_ACTOR = ROLE_MAY_OWN_ACTOR,
	OWN_ACTION = ROLE_MAY_OWN_ACTION,
};

/* Kind numbers are Body's field numbers: small, so that a direct index serves. */
enum { NUMBER_END = 256 };
#define KIND(kname, knumber, kprefix, ksort, klevel, kwriters, kflags)                             \
	_Static_assert((knumber) < NUMBER_END, "kind number of " #kname);
#include "kinds.def"
#undef KIND

static struct kind kinds[] = {
#define KIND(kname, knumber, kprefix, ksort, klevel, kwriters, kflags)                             \
	{                                                                                          \
		.number = (knumber),                                                               \
		.name = #kname,                                                                    \
		.table = #kname "_",                                                               \
		.prefix = (kprefix),                                                               \
		.sort = #ksort,                                                                    \
		.level = SEVE__LEVEL__LEVEL_##klevel,                                              \
		.writers = (kwriters),                                                             \
		.flags = (kflags),                                                                 \
		.desc = &seve__##kname##__descriptor,                                              \
	},
#include "kinds.def"
#undef KIND
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static const struct kind *by_number[NUMBER_END];

static char role_words[16][24], role_names[16 * 26];
static struct role roles[] = {
#define ROLE(rname, rlevel, rwrites, rmay)                                                         \
	{                                                                                          \
		.number = SEVE__ROLE__ROLE_##rname,                                                \
		.name = #rname,                                                                    \
		.reads = SEVE__LEVEL__LEVEL_##rlevel,                                              \
		.writes_as = (rwrites),                                                            \
		.may = (rmay),                                                                     \
	},
#include "roles.def"
#undef ROLE
};
enum { N_ROLES = sizeof roles / sizeof roles[0] };
_Static_assert(N_ROLES <= sizeof role_words / sizeof role_words[0], "room for the roles' words");

/* Names that PostgreSQL would not take as a table's without quotes. */
static bool is_sql_word(const char *name)
{
	static const char *const words[] = {"all",   "case",  "check", "column", "desc",
					    "end",   "grant", "group", "limit",  "offset",
					    "order", "table", "user",  "when",   "window"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (!strcmp(words[i], name))
			return true;
	return false;
}

/* Runs before main() and before field.c's: the tables are constant from then on, so readers need no
 * lock. */
__attribute__((constructor(101))) static void kind_complete(void)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		struct kind *k = &kinds[i];
		k->member =
			protobuf_c_message_descriptor_get_field(&seve__body__descriptor, k->number);
		if (!is_sql_word(k->name))
			k->table = k->name;
		by_number[k->number] = k;
	}
	for (size_t i = 0; i < N_ROLES; i++) {
		char *word = role_words[i];
		for (size_t n = 0; roles[i].name[n] && n + 1 < sizeof role_words[i]; n++)
			word[n] = (char)tolower((unsigned char)roles[i].name[n]);
		roles[i].name = word;
		const size_t used = strlen(role_names);
		snprintf(role_names + used, sizeof role_names - used, "%s%s", i ? ", " : "", word);
	}
}

size_t kind_count(void)
{
	return N_KINDS;
}

const struct kind *kind_at(size_t i)
{
	return i < N_KINDS ? &kinds[i] : NULL;
}

const struct kind *kind_by_number(uint32_t number)
{
	return number < NUMBER_END ? by_number[number] : NULL;
}

const struct kind *kind_by_name(const char *name)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

const struct kind *kind_by_prefix(char prefix)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (kinds[i].prefix && kinds[i].prefix == prefix)
			return &kinds[i];
	return NULL;
}

const struct kind *kind_of(const Seve__Body *body)
{
	return body ? kind_by_number((uint32_t)body->kind_case) : NULL;
}

/* Where the kind's message hangs in a body. */
static ProtobufCMessage **slot(const struct kind *k, Seve__Body *body)
{
	return (ProtobufCMessage **)(void *)((char *)body + k->member->offset);
}

ProtobufCMessage *kind_message(const Seve__Body *body)
{
	const struct kind *k = kind_of(body);
	return k ? *slot(k, (Seve__Body *)body) : NULL;
}

void kind_set_message(const struct kind *k, Seve__Body *body, ProtobufCMessage *msg)
{
	body->kind_case = msg ? (Seve__Body__KindCase)k->number : SEVE__BODY__KIND__NOT_SET;
	*slot(k, body) = msg;
}

void kind_format_ref(const struct kind *k, uint32_t ref_no, char out[static 16])
{
	if (k->prefix && ref_no)
		snprintf(out, 16, "%c-%u", k->prefix, ref_no);
	else
		out[0] = '\0';
}

static int bad_ref(const char *text, struct err *e)
{
	char known[3 * N_KINDS + 1];
	size_t n = 0;
	for (size_t i = 0; i < N_KINDS; i++)
		if (kinds[i].prefix)
			n += (size_t)snprintf(known + n, sizeof known - n, "%s%c", n ? ", " : "",
					      kinds[i].prefix);
	err_set(e, ERR_INVALID, "\"%.40s\" is not a reference", text);
	return err_remedy(e, "write a letter (%s) and a number, such as P-12", known);
}

int kind_parse_ref(const char *text, const struct kind **k, uint32_t *ref_no, struct err *e)
{
	const struct kind *found = kind_by_prefix((char)toupper((unsigned char)text[0]));
	if (!found)
		return bad_ref(text, e);
	const char *p = text + 1;
	if (*p == '-')
		p++;
	uint64_t n = 0;
	const char *digits = p;
	for (; *p >= '0' && *p <= '9' && n <= UINT32_MAX; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (p == digits || *p || n == 0 || n > UINT32_MAX)
		return bad_ref(text, e);
	*k = found;
	*ref_no = (uint32_t)n;
	return 0;
}

const char *role_list(void)
{
	return role_names;
}

const struct role *role_by_number(int number)
{
	for (size_t i = 0; i < N_ROLES; i++)
		if ((int)roles[i].number == number)
			return &roles[i];
	return NULL;
}

const struct role *role_by_name(const char *name)
{
	for (size_t i = 0; i < N_ROLES; i++)
		if (!strcmp(roles[i].name, name))
			return &roles[i];
	return NULL;
}
