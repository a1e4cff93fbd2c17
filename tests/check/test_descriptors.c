/* test_descriptors.c -- the descriptors and the tables beside them agree, and keep the rules that
 * the code leans on. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "envelope.pb-c.h"
#include "field.h"
#include "rules/rules.h"
#include "sync/merge.h"
#include "sync/merge_patch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef ProtobufCMessageDescriptor message_desc;

enum {
	MESSAGES_MAX = 256,
	DEPTH_MAX = 32 /* as in common/wire.c */,
	FIELDS_MAX = 48 /* as cached in common/field.c */
};

/* What frames and storage carry; everything else hangs below. */
static const message_desc *const roots[] = {
	&seve__request__descriptor,    &seve__reply__descriptor,   &seve__cancel__descriptor,
	&seve__hello__descriptor,      &seve__welcome__descriptor, &seve__go_away__descriptor,
	&seve__watch_note__descriptor, &seve__page__descriptor,    &seve__body__descriptor,
};

struct reached {
	const message_desc *list[MESSAGES_MAX];
	size_t n;
};

static bool has(const struct reached *r, const message_desc *d)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i] == d)
			return true;
	return false;
}

/* `path` holds the messages above: one that stands there again would reach itself. */
static void reach(struct reached *r, const message_desc *d, const message_desc **path, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		if (path[i] == d)
			fail_msg("%s reaches itself", d->name);
	assert_true(depth < DEPTH_MAX);
	path[depth] = d;
	if (!has(r, d)) {
		assert_true(r->n < MESSAGES_MAX);
		r->list[r->n++] = d;
	}
	for (unsigned i = 0; i < d->n_fields; i++)
		if (d->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			reach(r, d->fields[i].descriptor, path, depth + 1);
}

static struct reached reach_from(const message_desc *const *from, size_t n)
{
	struct reached r = {.n = 0};
	const message_desc *path[DEPTH_MAX];
	for (size_t i = 0; i < n; i++)
		reach(&r, from[i], path, 0);
	return r;
}

static struct reached all_messages(void)
{
	return reach_from(roots, COUNT(roots));
}

static struct reached record_messages(void)
{
	static const message_desc *const body[] = {&seve__body__descriptor};
	return reach_from(body, 1);
}

static bool ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n > m && !strcmp(s + n - m, suffix);
}

static bool begins(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* ---- messages -------------------------------------------------------------------------------- */

static void no_message_reaches_itself(void **state)
{
	(void)state;
	assert_true(all_messages().n > 20);
}

/* Names of the messages in one .proto file, all of which must be known. */
static size_t check_file(const char *path, const struct reached *known)
{
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	char line[512];
	size_t n = 0;
	while (fgets(line, sizeof line, f)) {
		char name[64];
		if (sscanf(line, " message %63[A-Za-z0-9_] {", name) != 1)
			continue;
		bool found = false;
		for (size_t i = 0; !found && i < known->n; i++)
			found = !strcmp(known->list[i]->short_name, name);
		if (!found)
			fail_msg("%s: nothing leads to message %s", path, name);
		n++;
	}
	fclose(f);
	return n;
}

static void every_message_of_the_proto_files_is_reached(void **state)
{
	(void)state;
	const char *source = getenv("SEVE_SOURCE");
	if (!source)
		skip();
	struct reached known = all_messages();
	char path[4096];
	snprintf(path, sizeof path, "%s/proto", source);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	size_t files = 0, messages = 0;
	for (struct dirent *d; (d = readdir(dir));) {
		if (!ends(d->d_name, ".proto"))
			continue;
		snprintf(path, sizeof path, "%s/proto/%s", source, d->d_name);
		messages += check_file(path, &known);
		files++;
	}
	closedir(dir);
	assert_true(files >= 4);
	assert_int_equal(messages, known.n);
}

static void fields_are_optional_or_repeated(void **state)
{
	(void)state;
	struct reached r = all_messages();
	for (size_t i = 0; i < r.n; i++) {
		const message_desc *d = r.list[i];
		assert_true(d->n_fields <= FIELDS_MAX);
		for (unsigned f = 0; f < d->n_fields; f++) {
			const field_desc *fd = &d->fields[f];
			if (fd->label != PROTOBUF_C_LABEL_OPTIONAL &&
			    fd->label != PROTOBUF_C_LABEL_REPEATED)
				fail_msg("%s.%s is neither optional nor repeated", d->name,
					 fd->name);
			if (fd->default_value && fd->type != PROTOBUF_C_TYPE_ENUM)
				fail_msg("%s.%s has a default", d->name, fd->name);
			assert_true(f == 0 || d->fields[f - 1].id < fd->id);
			assert_true(fd->id < META_TAG);
		}
	}
}

/* ---- names and types of record fields ---------------------------------------------------------
 */

static void suffixes_of_record_fields_tell_their_types(void **state)
{
	(void)state;
	struct reached r = record_messages();
	for (size_t i = 0; i < r.n; i++)
		for (unsigned f = 0; f < r.list[i]->n_fields; f++) {
			const field_desc *fd = &r.list[i]->fields[f];
			bool many = fd->label == PROTOBUF_C_LABEL_REPEATED;
			bool bytes = fd->type == PROTOBUF_C_TYPE_BYTES;
			bool good =
				ends(fd->name, "_on") == (!many && field_type(fd) == FIELD_DATE) &&
				ends(fd->name, "_at") ==
					(!many && field_type(fd) == FIELD_INSTANT) &&
				ends(fd->name, "_id") == (bytes && !many) &&
				ends(fd->name, "_ids") == (bytes && many);
			if (ends(fd->name, "_on"))
				good = good && fd->type == PROTOBUF_C_TYPE_SINT32;
			if (ends(fd->name, "_at"))
				good = good && fd->type == PROTOBUF_C_TYPE_INT64;
			if (many)
				good = good && (bytes || fd->type == PROTOBUF_C_TYPE_STRING ||
						fd->type == PROTOBUF_C_TYPE_MESSAGE);
			if (!good)
				fail_msg("%s.%s: name and type differ", r.list[i]->name, fd->name);
		}
}

static void check_enum(const ProtobufCEnumDescriptor *ed)
{
	static const char zero_suffix[] = "UNSPECIFIED";
	const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(ed, 0);
	if (!zero || !(ends(zero->name, "_UNSPECIFIED")))
		fail_msg("%s: value 0 is not *_UNSPECIFIED", ed->name);
	char prefix[64], known[48];
	snprintf(prefix, sizeof prefix, "%.*s", (int)(strlen(zero->name) - strlen(zero_suffix)),
		 zero->name);
	for (unsigned i = 0; i < ed->n_values; i++) {
		int number = -1;
		if (!begins(ed->values[i].name, prefix))
			fail_msg("%s: %s does not begin with %s", ed->name, ed->values[i].name,
				 prefix);
		if (ed->values[i].value == 0)
			continue;
		field_enum_word(ed, ed->values[i].value, known);
		assert_int_equal(field_enum_number(ed, known, &number, NULL), 0);
		assert_int_equal(number, ed->values[i].value);
	}
}

static void value_0_of_enumerations_is_unspecified(void **state)
{
	(void)state;
	struct reached r = record_messages();
	for (size_t i = 0; i < r.n; i++)
		for (unsigned f = 0; f < r.list[i]->n_fields; f++)
			if (r.list[i]->fields[f].type == PROTOBUF_C_TYPE_ENUM)
				check_enum(r.list[i]->fields[f].descriptor);
	check_enum(&seve__role__descriptor);
	check_enum(&seve__change__op__descriptor);
}

/* ---- kinds.def, roles.def ---------------------------------------------------------------------
 */

static void every_member_of_a_body_is_a_kind_and_vice_versa(void **state)
{
	(void)state;
	size_t members = 0;
	for (unsigned i = 0; i < seve__body__descriptor.n_fields; i++) {
		const field_desc *fd = &seve__body__descriptor.fields[i];
		if (!(fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		const struct kind *k = kind_by_number(fd->id);
		if (!k)
			fail_msg("%s, %u in Body, has no row in kinds.def", fd->name, fd->id);
		assert_string_equal(k->name, fd->name);
		assert_ptr_equal(k->desc, fd->descriptor);
		members++;
	}
	assert_int_equal(members, kind_count());
}

static void rows_of_kinds_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < kind_count(); i++) {
		const struct kind *k = kind_at(i);
		if (!field_by_name(k, k->sort))
			fail_msg("%s is sorted by %s, which it lacks", k->name, k->sort);
		assert_true(k->level != SEVE__LEVEL__LEVEL_UNSPECIFIED);
		assert_true(k->writers != 0);
		assert_true(i == 0 || kind_at(i - 1)->number < k->number);
		for (size_t j = 0; j < i; j++)
			assert_true(!k->prefix || kind_at(j)->prefix != k->prefix);
	}
}

static void every_role_of_the_wire_has_a_row(void **state)
{
	(void)state;
	for (unsigned i = 0; i < seve__role__descriptor.n_values; i++) {
		int number = seve__role__descriptor.values[i].value;
		char word[48];
		field_enum_word(&seve__role__descriptor, number, word);
		if (number == 0)
			continue;
		assert_non_null(role_by_number(number));
		assert_string_equal(role_by_number(number)->name, word);
	}
}

static void the_fields_of_meta_that_clients_write_have_their_numbers(void **state)
{
	(void)state;
	const message_desc *d = &seve__meta__descriptor;
	assert_int_equal(protobuf_c_message_descriptor_get_field_by_name(d, "level")->id,
			 MERGE_META_LEVEL);
	assert_int_equal(protobuf_c_message_descriptor_get_field_by_name(d, "refs")->id,
			 MERGE_META_REFS);
}

/* ---- fields.def -------------------------------------------------------------------------------
 */

struct row {
	const char *message, *field, *text; /* the row's target, or its second field */
	int check;
};
enum { NOT_CHECKED = -1 };

static const struct row field_rows[] = {
#define FIELD(message, field, flags, target, check)                                                \
	{#message, #field, #target, FIELD_CHECK_##check},
#include "fields.def"
};
static const struct row range_rows[] = {
#define RANGE(message, field, least, greatest)                                                     \
	{#message, #field, (least) <= (greatest) ? "good" : "empty", NOT_CHECKED},
#include "fields.def"
};
static const struct row state_rows[] = {
#define STATE(message, field) {#message, #field, NULL, NOT_CHECKED},
#include "fields.def"
};
static const struct row one_of_rows[] = {
#define ONE_OF(message, field, other) {#message, #field, #other, NOT_CHECKED},
#include "fields.def"
};

/* The message of a row, by the name that the table uses: objectives for Objectives, external_ref
 * for ExternalRef. */
static const message_desc *row_message(const struct row *row)
{
	struct reached r = record_messages();
	for (size_t i = 0; i < r.n; i++) {
		const char *a = r.list[i]->short_name, *b = row->message;
		while (*a && *b && ((*a | 0x20) == *b || *b == '_'))
			a += *b++ != '_';
		if (!*a && !*b)
			return r.list[i];
	}
	fail_msg("fields.def: there is no message %s in records", row->message);
	return NULL;
}

static const field_desc *row_field(const struct row *row, const char *name)
{
	const field_desc *fd =
		protobuf_c_message_descriptor_get_field_by_name(row_message(row), name);
	if (!fd)
		fail_msg("fields.def: %s has no field %s", row->message, name);
	return fd;
}

static void field_rows_name_real_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(field_rows); i++) {
		const struct row *row = &field_rows[i];
		enum field_type t = field_type(row_field(row, row->field));
		bool text = t == FIELD_TEXT || t == FIELD_TEXTS,
		     id = t == FIELD_ID || t == FIELD_IDS;
		bool target = strcmp(row->text, "NONE") != 0;
		if ((row->check != FIELD_CHECK_NONE && !text) || (target && !id))
			fail_msg("fields.def: the row of %s.%s does not fit its type", row->message,
				 row->field);
		if (target && strcmp(row->text, "ANY") != 0 && !kind_by_name(row->text))
			fail_msg("fields.def: %s.%s points to %s, which is no kind", row->message,
				 row->field, row->text);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(field_rows[j].message, row->message) &&
			    !strcmp(field_rows[j].field, row->field))
				fail_msg("fields.def: two rows for %s.%s", row->message,
					 row->field);
	}
}

static void range_rows_name_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(range_rows); i++) {
		enum field_type t = field_type(row_field(&range_rows[i], range_rows[i].field));
		assert_true(t == FIELD_INT || t == FIELD_UINT || t == FIELD_DOUBLE);
		assert_string_equal(range_rows[i].text, "good");
	}
}

static void state_rows_name_enumerations_of_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(state_rows); i++) {
		assert_int_equal(field_type(row_field(&state_rows[i], state_rows[i].field)),
				 FIELD_ENUM);
		const struct kind *k = kind_by_name(state_rows[i].message);
		assert_non_null(k);
		assert_string_equal(field_state(k)->name, state_rows[i].field);
	}
}

static void one_of_rows_name_two_references(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(one_of_rows); i++) {
		assert_int_equal(field_type(row_field(&one_of_rows[i], one_of_rows[i].field)),
				 FIELD_ID);
		assert_int_equal(field_type(row_field(&one_of_rows[i], one_of_rows[i].text)),
				 FIELD_ID);
	}
}

/* A reference whose kind is not in its name needs a row: else it would point anywhere. */
static void every_reference_points_to_a_kind_or_to_any_on_purpose(void **state)
{
	(void)state;
	for (size_t i = 0; i < kind_count(); i++) {
		const struct kind *k = kind_at(i);
		for (unsigned f = 0; f < k->desc->n_fields; f++) {
			const field_desc *fd = &k->desc->fields[f];
			enum field_type t = field_type(fd);
			if ((t != FIELD_ID && t != FIELD_IDS) || field_rule(k, fd).target)
				continue;
			bool any = false;
			for (size_t r = 0; r < COUNT(field_rows); r++)
				any |= !strcmp(field_rows[r].message, k->name) &&
				       !strcmp(field_rows[r].field, fd->name) &&
				       !strcmp(field_rows[r].text, "ANY");
			if (!any)
				fail_msg("%s.%s points to no kind: fields.def must tell", k->name,
					 fd->name);
		}
	}
}

/* ---- rules/states.def -------------------------------------------------------------------------
 */

struct edge {
	const char *kind, *from, *to; /* an initial state has no `from` */
};
static const struct edge edges[] = {
#define INITIAL(kind, state)        {#kind, NULL, #state},
#define MOVE(kind, from, to, needs) {#kind, #from, #to},
#include "rules/states.def"
#undef INITIAL
#undef MOVE
};

static int state_number(const struct edge *x, const char *word)
{
	const struct kind *k = kind_by_name(x->kind);
	if (!k || !field_state(k))
		fail_msg("states.def: %s is no kind with a state", x->kind);
	int number = 0;
	struct err e;
	if (field_enum_number(field_state(k)->descriptor, word, &number, &e) < 0)
		fail_msg("states.def: %s: %s", x->kind, e.text);
	return number;
}

static void rows_of_states_name_real_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(edges); i++) {
		const struct edge *x = &edges[i];
		int to = state_number(x, x->to);
		assert_true(!x->from || state_number(x, x->from) != to);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(edges[j].kind, x->kind) && !strcmp(edges[j].to, x->to) &&
			    !edges[j].from == !x->from &&
			    (!x->from || !strcmp(edges[j].from, x->from)))
				fail_msg("states.def: %s: %s -> %s stands twice", x->kind,
					 x->from ? x->from : "", x->to);
	}
}

/* Each pass follows the edges from what was reached so far. */
static void every_state_is_reached_from_an_initial_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < kind_count(); i++) {
		const struct kind *k = kind_at(i);
		const field_desc *fd = field_state(k);
		bool reached[64] = {false}, grew = fd != NULL;
		while (grew) {
			grew = false;
			for (size_t x = 0; x < COUNT(edges); x++) {
				if (strcmp(edges[x].kind, k->name) != 0)
					continue;
				int to = state_number(&edges[x], edges[x].to);
				bool open = !edges[x].from ||
					    reached[state_number(&edges[x], edges[x].from)];
				grew |= open && !reached[to];
				reached[to] |= open;
			}
		}
		const ProtobufCEnumDescriptor *ed = fd ? fd->descriptor : NULL;
		for (unsigned v = 0; ed && v < ed->n_values; v++)
			if (ed->values[v].value && !reached[ed->values[v].value])
				fail_msg("states.def: nothing leads %s to %s", k->name,
					 ed->values[v].name);
	}
}

static void moves_that_need_a_cause_have_a_field_for_it(void **state)
{
	(void)state;
	static const struct {
		const char *kind;
		unsigned needs;
	} rows[] = {
#define REASON MOVE_NEEDS_REASON
#define CAUSE  MOVE_NEEDS_CAUSE
#define INITIAL(kind, state)
#define MOVE(kind, from, to, needs) {#kind, (needs)},
#include "rules/states.def"
#undef INITIAL
#undef MOVE
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const field_desc *fd = field_by_name(kind_by_name(rows[i].kind), "cause");
		if (!(rows[i].needs & MOVE_NEEDS_CAUSE))
			continue;
		assert_non_null(fd);
		assert_true(field_type(fd) == FIELD_ENUM || field_type(fd) == FIELD_TEXT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_message_reaches_itself),
		cmocka_unit_test(every_message_of_the_proto_files_is_reached),
		cmocka_unit_test(fields_are_optional_or_repeated),
		cmocka_unit_test(suffixes_of_record_fields_tell_their_types),
		cmocka_unit_test(value_0_of_enumerations_is_unspecified),
		cmocka_unit_test(every_member_of_a_body_is_a_kind_and_vice_versa),
		cmocka_unit_test(rows_of_kinds_are_whole),
		cmocka_unit_test(every_role_of_the_wire_has_a_row),
		cmocka_unit_test(the_fields_of_meta_that_clients_write_have_their_numbers),
		cmocka_unit_test(field_rows_name_real_fields),
		cmocka_unit_test(range_rows_name_numbers),
		cmocka_unit_test(state_rows_name_enumerations_of_kinds),
		cmocka_unit_test(one_of_rows_name_two_references),
		cmocka_unit_test(every_reference_points_to_a_kind_or_to_any_on_purpose),
		cmocka_unit_test(rows_of_states_name_real_states),
		cmocka_unit_test(every_state_is_reached_from_an_initial_one),
		cmocka_unit_test(moves_that_need_a_cause_have_a_field_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
