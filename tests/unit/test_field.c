/* test_field.c -- common/field.c, field_text.c, field_set.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "field.h"
#include "field_set.h"
#include "random.h"
#include "uuid.h"

enum { ARENA = 16 * 1024 * 1024, ROUNDS = 60 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const field_desc *field(const char *kind, const char *name)
{
	const field_desc *fd = field_by_name(kind_by_name(kind), name);
	assert_non_null(fd);
	return fd;
}

/* The text form, in static room. */
static const char *text_of(const ProtobufCMessage *m, const field_desc *fd)
{
	static char text[256 * 1024];
	struct buf b;
	buf_init(&b, sizeof text - 1);
	assert_int_equal(field_to_text(m, fd, &b), 0);
	struct span s = buf_span(&b);
	if (s.len)
		memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	buf_fini(&b);
	return text;
}

static void types_follow_from_type_and_name(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *field;
		enum field_type type;
	} rows[] = {
		{"actor", "name", FIELD_TEXT},
		{"actor", "lat", FIELD_DOUBLE},
		{"actor", "wave", FIELD_UINT},
		{"actor", "joined_on", FIELD_DATE},
		{"actor", "tags", FIELD_TEXTS},
		{"actor", "state", FIELD_ENUM},
		{"action", "low_hanging", FIELD_BOOL},
		{"action", "pilot_id", FIELD_ID},
		{"group", "action_ids", FIELD_IDS},
		{"meeting", "start_at", FIELD_INSTANT},
		{"action", "objectives", FIELD_MESSAGE},
		{"meeting", "facilitation", FIELD_MESSAGES},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(field_type(field(rows[i].kind, rows[i].field)), rows[i].type);
	const ProtobufCMessageDescriptor *d = &seve__objectives__descriptor;
	assert_int_equal(field_type(&d->fields[0]), FIELD_INT);
	assert_true(field_is_set(FIELD_TEXTS));
	assert_true(field_is_set(FIELD_IDS));
	assert_false(field_is_set(FIELD_MESSAGES));
}

static void rules_come_from_the_table_or_the_type(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *field;
		unsigned flags;
		const char *target;
		enum field_check check;
	} rows[] = {
		{"territory", "slug", FIELD_REQUIRED | FIELD_HARD, NULL, FIELD_CHECK_SLUG},
		{"actor", "siret", FIELD_HARD | FIELD_UNIQUE, NULL, FIELD_CHECK_SIRET},
		{"actor", "name", FIELD_REQUIRED | FIELD_SOFT, NULL, FIELD_CHECK_NONE},
		{"actor", "joined_on", FIELD_HARD, NULL, FIELD_CHECK_NONE},
		{"actor", "category", FIELD_HARD, NULL, FIELD_CHECK_NONE},
		{"actor", "commune", FIELD_SOFT, NULL, FIELD_CHECK_NONE},
		{"contact", "email", FIELD_SOFT | FIELD_PERSONAL, NULL, FIELD_CHECK_EMAIL},
		{"contact", "actor_id", FIELD_REQUIRED | FIELD_HARD, "actor", FIELD_CHECK_NONE},
		{"action", "pilot_id", FIELD_HARD, "actor", FIELD_CHECK_NONE},
		{"action", "merged_into_id", FIELD_HARD, "action", FIELD_CHECK_NONE},
		{"action", "objectives", FIELD_SOFT, NULL, FIELD_CHECK_NONE},
		{"group", "action_ids", FIELD_HARD, "action", FIELD_CHECK_NONE},
		{"group", "facilitator_id", FIELD_HARD, "contact", FIELD_CHECK_NONE},
		{"meeting", "host_ids", FIELD_HARD, "actor", FIELD_CHECK_NONE},
		{"meeting", "start_at", FIELD_HARD, NULL, FIELD_CHECK_NONE},
		{"task", "assignee_id", FIELD_HARD, NULL, FIELD_CHECK_NONE},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct field_rule r =
			field_rule(kind_by_name(rows[i].kind), field(rows[i].kind, rows[i].field));
		assert_int_equal(r.flags, rows[i].flags);
		assert_int_equal(r.check, rows[i].check);
		assert_ptr_equal(r.target, rows[i].target ? kind_by_name(rows[i].target) : NULL);
	}
}

static void every_field_is_either_hard_or_soft(void **state)
{
	(void)state;
	for (size_t i = 0; i < kind_count(); i++) {
		const struct kind *k = kind_at(i);
		for (unsigned f = 0; f < k->desc->n_fields; f++) {
			unsigned flags = field_rule(k, &k->desc->fields[f]).flags;
			assert_true(!(flags & FIELD_HARD) != !(flags & FIELD_SOFT));
		}
	}
}

static void ranges_and_states_come_from_the_table(void **state)
{
	(void)state;
	struct field_rule r = field_rule(kind_by_name("action"), field("action", "progress"));
	assert_true(r.ranged);
	assert_true(r.least == 0 && r.greatest == 100);
	assert_false(field_rule(kind_by_name("action"), field("action", "title")).ranged);
	r = field_rule_nested(&seve__objectives__descriptor,
			      &seve__objectives__descriptor.fields[0]);
	assert_true(r.ranged && r.least == -2 && r.greatest == 2);
	assert_ptr_equal(field_state(kind_by_name("action")), field("action", "status"));
	assert_ptr_equal(field_state(kind_by_name("task")), field("task", "state"));
	assert_null(field_state(kind_by_name("contact")));
}

static void fields_are_found_by_name_and_tag(void **state)
{
	(void)state;
	const struct kind *k = kind_by_name("action");
	assert_ptr_equal(field_by_tag(k, 14), field("action", "progress"));
	assert_null(field_by_tag(k, 0));
	assert_null(field_by_tag(k, 999));
	assert_null(field_by_name(k, "no_such_field"));
}

static void reading_the_text_form_gives_the_same_value(void **state)
{
	(void)state;
	struct random r = random_from(11);
	struct arena a;
	arena_init(&a, ARENA);
	for (unsigned round = 0; round < ROUNDS; round++, arena_reset(&a))
		for (size_t i = 0; i < kind_count(); i++) {
			const ProtobufCMessageDescriptor *d = kind_at(i)->desc;
			ProtobufCMessage *m = random_message(&r, &a, d, 80),
					 *back = field_new_message(&a, d);
			for (unsigned f = 0; f < d->n_fields; f++) {
				const field_desc *fd = &d->fields[f];
				struct err e = {0};
				const char *text = text_of(m, fd);
				if (field_from_text(&a, back, fd, text, &e) < 0)
					fail_msg("%s: \"%s\": %s", fd->name, text, e.text);
				if (!field_equal(m, back, fd))
					fail_msg("%s: \"%s\" is read as another value", fd->name,
						 text);
			}
			assert_true(field_message_equal(m, back));
		}
	arena_fini(&a);
}

static void people_write_values_in_several_ways(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *field, *text, *canonical;
	} rows[] = {
		{"action", "target_on", "23/11/2026", "2026-11-23"},
		{"action", "low_hanging", "oui", "yes"},
		{"action", "low_hanging", "NON", "no"},
		{"action", "low_hanging", "1", "yes"},
		{"action", "low_hanging", "false", "no"},
		{"action", "status", "in_progress", "in_progress"},
		{"action", "tags", "bois | eau|  énergie ", "bois|eau|énergie"},
		{"action", "tags", "a\\|b|c\\\\|\\ d", "a\\|b|c\\\\|\\ d"},
		{"action", "tags", "C:\\temp", "C:\\\\temp"},
		{"action", "objectives", "{\"people\": 2, \"competitiveness\": -1}",
		 "{\"competitiveness\":-1,\"people\":2}"},
		{"actor", "lat", "48,85", "48.85"},
		{"actor", "lat", "-0.5", "-0.5"},
		{"actor", "wave", "0", "0"},
		{"actor", "wave", "4294967295", "4294967295"},
		{"action", "pilot_id", "019ABCDE-F012-7000-8000-0123456789AB",
		 "019abcde-f012-7000-8000-0123456789ab"},
		{"meeting", "start_at", "2026-11-23 18:30", "2026-11-23T18:30:00Z"},
		{"meeting", "facilitation", "[{\"role\":\"lead\"},{}]", "[{\"role\":\"lead\"},{}]"},
	};
	struct arena a;
	arena_init(&a, ARENA);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const field_desc *fd = field(rows[i].kind, rows[i].field);
		ProtobufCMessage *m = field_new_message(&a, kind_by_name(rows[i].kind)->desc);
		assert_int_equal(field_from_text(&a, m, fd, rows[i].text, NULL), 0);
		assert_string_equal(text_of(m, fd), rows[i].canonical);
	}
	arena_fini(&a);
}

static void errors_name_field_value_and_what_is_allowed(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *field, *text, *says;
	} rows[] = {
		{"action", "status", "done", "idea, lead, planned"},
		{"action", "status", "unspecified", "idea, lead, planned"},
		{"action", "status", "5", "idea, lead, planned"},
		{"action", "status", "IDEA", "idea, lead, planned"},
		{"action", "target_on", "23.11.26", "23.11.26"},
		{"action", "low_hanging", "maybe", "maybe"},
		{"action", "progress", "-1", "-1"},
		{"action", "progress", "4294967296", "4294967295"},
		{"action", "progress", "1e2", "1e2"},
		{"action", "progress", " 1", "whole number"},
		{"action", "pilot_id", "P-12", "P-12"},
		{"action", "objectives", "{\"poeple\":1}", "poeple"},
		{"action", "objectives", "{\"people\":3000000000}", "people"},
		{"action", "objectives", "[]", "object"},
		{"action", "tags", "a||b", "member 2"},
		{"action", "tags", "|", "member 1"},
		{"group", "action_ids", "019abcde-f012-7000-8000-0123456789ab|x", "x"},
		{"actor", "lat", "nan", "lat"},
		{"actor", "lat", "inf", "lat"},
		{"actor", "lat", "1,234,5", "1,234,5"},
		{"actor", "lat", "1,234.5", "1,234.5"},
		{"meeting", "start_at", "tomorrow", "tomorrow"},
		{"meeting", "facilitation", "{}", "list"},
	};
	struct arena a;
	arena_init(&a, ARENA);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const field_desc *fd = field(rows[i].kind, rows[i].field);
		ProtobufCMessage *m = field_new_message(&a, kind_by_name(rows[i].kind)->desc);
		struct err e = {0};
		if (field_from_text(&a, m, fd, rows[i].text, &e) != -ERR_INVALID)
			fail_msg("%s takes \"%s\"", rows[i].field, rows[i].text);
		if (!strstr(e.text, rows[i].says) ||
		    strncmp(e.text, rows[i].field, strlen(rows[i].field)) != 0)
			fail_msg("%s: \"%s\" says: %s", rows[i].field, rows[i].text, e.text);
		assert_false(field_present(m, fd));
	}
	arena_fini(&a);
}

static void an_empty_text_clears_every_field(void **state)
{
	(void)state;
	struct random r = random_from(12);
	struct arena a;
	arena_init(&a, ARENA);
	for (size_t i = 0; i < kind_count(); i++) {
		const ProtobufCMessageDescriptor *d = kind_at(i)->desc;
		ProtobufCMessage *m = random_message(&r, &a, d, 100);
		for (unsigned f = 0; f < d->n_fields; f++) {
			assert_true(field_present(m, &d->fields[f]));
			assert_int_equal(field_from_text(&a, m, &d->fields[f], "", NULL), 0);
			assert_false(field_present(m, &d->fields[f]));
			assert_string_equal(text_of(m, &d->fields[f]), "");
		}
		assert_true(field_message_equal(m, field_new_message(&a, d)));
		assert_int_equal(protobuf_c_message_get_packed_size(m), 0);
	}
	arena_fini(&a);
}

static void a_text_form_that_does_not_fit_is_an_error(void **state)
{
	(void)state;
	Seve__Action action = SEVE__ACTION__INIT;
	char *tags[] = {"aaaa", "bbbb"};
	action.tags = tags;
	action.n_tags = 2;
	struct buf b;
	buf_init(&b, 6);
	assert_int_equal(field_to_text(&action.base, field("action", "tags"), &b), -ERR_TOO_BIG);
	buf_fini(&b);
}

static void a_full_arena_is_an_error_and_changes_nothing(void **state)
{
	(void)state;
	static const char *const fields[] = {"title", "tags", "pilot_id", "objectives"};
	static const char *const texts[] = {"a long enough title", "a|b|c",
					    "019abcde-f012-7000-8000-0123456789ab",
					    "{\"people\":1}"};
	struct arena a;
	arena_init(&a, 0);
	for (size_t i = 0; i < COUNT(fields); i++) {
		Seve__Action action = SEVE__ACTION__INIT, same = SEVE__ACTION__INIT;
		struct err e = {0};
		const field_desc *fd = field("action", fields[i]);
		assert_int_equal(field_from_text(&a, &action.base, fd, texts[i], &e), -ERR_NOMEM);
		assert_true(field_message_equal(&action.base, &same.base));
	}
	arena_fini(&a);
}

static void copies_are_equal_until_the_copy_changes(void **state)
{
	(void)state;
	struct random r = random_from(13);
	struct arena a;
	arena_init(&a, ARENA);
	for (unsigned round = 0; round < ROUNDS; round++, arena_reset(&a))
		for (size_t i = 0; i < kind_count(); i++) {
			const ProtobufCMessageDescriptor *d = kind_at(i)->desc;
			ProtobufCMessage *m = random_message(&r, &a, d, 60);
			ProtobufCMessage *copy = random_message(&r, &a, d, 60);
			for (unsigned f = 0; f < d->n_fields; f++) {
				const field_desc *fd = &d->fields[f];
				field_copy(copy, m, fd);
				assert_true(field_equal(copy, m, fd));
				if (field_present(m, fd)) {
					field_clear(copy, fd);
					assert_false(field_equal(copy, m, fd));
					assert_false(field_equal(m, copy, fd));
					field_copy(copy, m, fd);
				}
			}
			assert_true(field_message_equal(m, copy));
		}
	arena_fini(&a);
}

static void zero_is_not_absence(void **state)
{
	(void)state;
	Seve__Actor a = SEVE__ACTOR__INIT, b = SEVE__ACTOR__INIT;
	a.has_wave = 1;
	assert_true(field_present(&a.base, field("actor", "wave")));
	assert_false(field_equal(&a.base, &b.base, field("actor", "wave")));
}

static void nested_fields_of_newer_programs_count_in_comparisons(void **state)
{
	(void)state;
	uint8_t seven[] = {7};
	ProtobufCMessageUnknownField unknown = {99, PROTOBUF_C_WIRE_TYPE_VARINT, 1, seven};
	Seve__Objectives newer = SEVE__OBJECTIVES__INIT, older = SEVE__OBJECTIVES__INIT;
	newer.base.n_unknown_fields = 1;
	newer.base.unknown_fields = &unknown;
	Seve__Action a = SEVE__ACTION__INIT, b = SEVE__ACTION__INIT;
	a.objectives = &newer;
	b.objectives = &older;
	assert_false(field_equal(&a.base, &b.base, field("action", "objectives")));
	b.objectives = &newer;
	assert_true(field_equal(&a.base, &b.base, field("action", "objectives")));
}

static Seve__Actor tagged(char **tags, size_t n)
{
	Seve__Actor a = SEVE__ACTOR__INIT;
	a.tags = tags;
	a.n_tags = n;
	return a;
}

static void sets_are_compared_without_order(void **state)
{
	(void)state;
	char *ab[] = {"a", "b"}, *ba[] = {"b", "a"}, *ac[] = {"a", "c"}, *aab[] = {"a", "a", "b"};
	Seve__Actor x = tagged(ab, 2), y = tagged(ba, 2), z = tagged(ac, 2), w = tagged(aab, 3);
	Seve__Actor only = tagged(ab, 1), none = tagged(NULL, 0);
	const field_desc *fd = field("actor", "tags");
	assert_true(field_equal(&x.base, &y.base, fd));
	assert_true(field_equal(&w.base, &y.base, fd));
	assert_false(field_equal(&x.base, &z.base, fd));
	assert_false(field_equal(&x.base, &only.base, fd));
	assert_false(field_equal(&none.base, &only.base, fd));
	assert_true(field_equal(&none.base, &none.base, fd));
}

static void long_sets_are_compared_too(void **state)
{
	(void)state;
	enum { N = 5000 };
	struct arena a;
	arena_init(&a, ARENA);
	char **one = arena_array(&a, N, sizeof *one), **other = arena_array(&a, N, sizeof *other);
	for (size_t i = 0; i < N; i++) {
		one[i] = arena_printf(&a, "%zu", i);
		other[N - 1 - i] = one[i];
	}
	Seve__Actor x = tagged(one, N), y = tagged(other, N);
	assert_true(field_equal(&x.base, &y.base, field("actor", "tags")));
	other[7] = arena_strdup(&a, "another");
	assert_false(field_equal(&x.base, &y.base, field("actor", "tags")));
	arena_fini(&a);
}

static bool holds(const Seve__Actor *a, const char *tag)
{
	for (size_t i = 0; a && i < a->n_tags; i++)
		if (!strcmp(a->tags[i], tag))
			return true;
	return false;
}

static Seve__Actor random_tags(struct random *r, struct arena *a, bool unique)
{
	Seve__Actor m = SEVE__ACTOR__INIT;
	m.tags = arena_array(a, 12, sizeof *m.tags);
	for (unsigned n = random_below(r, 12); n > 0; n--) {
		char *tag = arena_printf(a, "%u", random_below(r, 8));
		if (!unique || !holds(&m, tag))
			m.tags[m.n_tags++] = tag;
	}
	return m;
}

/* What field_set_edit() should do, member by member. */
static Seve__Actor edited(struct arena *a, const Seve__Actor *m, const Seve__Actor *add,
			  const Seve__Actor *remove)
{
	Seve__Actor out = SEVE__ACTOR__INIT;
	out.tags = arena_array(a, 30, sizeof *out.tags);
	for (size_t i = 0; i < m->n_tags; i++)
		if (!holds(remove, m->tags[i]))
			out.tags[out.n_tags++] = m->tags[i];
	for (size_t i = 0; add && i < add->n_tags; i++)
		if (!holds(&out, add->tags[i]) && !holds(remove, add->tags[i]))
			out.tags[out.n_tags++] = add->tags[i];
	return out;
}

static void sets_are_edited_as_a_reference_does(void **state)
{
	(void)state;
	struct random r = random_from(14);
	struct arena a;
	const field_desc *fd = field("actor", "tags");
	arena_init(&a, ARENA);
	for (unsigned round = 0; round < 3000; round++, arena_reset(&a)) {
		Seve__Actor m = random_tags(&r, &a, true), add = random_tags(&r, &a, false);
		Seve__Actor remove = random_tags(&r, &a, false), before = m;
		const Seve__Actor *x = random_below(&r, 4) ? &add : NULL,
				  *y = random_below(&r, 4) ? &remove : NULL;
		Seve__Actor want = edited(&a, &m, x, y);
		int changed =
			field_set_edit(&a, &m.base, x ? &x->base : NULL, y ? &y->base : NULL, fd);
		assert_int_equal(changed, !field_equal(&before.base, &want.base, fd));
		assert_int_equal(m.n_tags, want.n_tags);
		for (size_t i = 0; i < m.n_tags; i++)
			assert_string_equal(m.tags[i], want.tags[i]);
	}
	arena_fini(&a);
}

static void ids_are_edited_as_sets_too(void **state)
{
	(void)state;
	struct random r = random_from(15);
	struct arena a;
	arena_init(&a, ARENA);
	ProtobufCBinaryData one = random_id(&r, &a), two = random_id(&r, &a), list[] = {one, two};
	Seve__Group g = SEVE__GROUP__INIT, add = SEVE__GROUP__INIT, remove = SEVE__GROUP__INIT;
	add.action_ids = list;
	add.n_action_ids = 2;
	remove.action_ids = &one;
	remove.n_action_ids = 1;
	const field_desc *fd = field("group", "action_ids");
	assert_int_equal(field_set_edit(&a, &g.base, &add.base, NULL, fd), 1);
	assert_int_equal(g.n_action_ids, 2);
	assert_int_equal(field_set_edit(&a, &g.base, &add.base, NULL, fd), 0);
	assert_int_equal(field_set_edit(&a, &g.base, NULL, &remove.base, fd), 1);
	assert_int_equal(g.n_action_ids, 1);
	assert_memory_equal(g.action_ids[0].data, two.data, 16);
	assert_int_equal(field_set_edit(&a, &g.base, &add.base, &add.base, fd), 1);
	assert_int_equal(g.n_action_ids, 0);
	arena_fini(&a);
}

static void a_set_edit_without_memory_leaves_the_set(void **state)
{
	(void)state;
	char *ab[] = {"a", "b"}, *c[] = {"c"};
	Seve__Actor m = tagged(ab, 2), add = tagged(c, 1);
	struct arena a;
	arena_init(&a, 0);
	assert_int_equal(field_set_edit(&a, &m.base, &add.base, NULL, field("actor", "tags")),
			 -ERR_NOMEM);
	assert_int_equal(m.n_tags, 2);
	arena_fini(&a);
}

static void words_and_numbers_of_enumerations_agree(void **state)
{
	(void)state;
	const ProtobufCEnumDescriptor *ed = &seve__action__status__descriptor;
	for (int n = 1; n <= 12; n++) {
		char word[48];
		int back = 0;
		field_enum_word(ed, n, word);
		assert_int_equal(field_enum_number(ed, word, &back, NULL), 0);
		assert_int_equal(back, n);
		assert_true(field_enum_known(ed, n));
	}
	char word[48], words[200], few[12];
	field_enum_word(ed, 5, word);
	assert_string_equal(word, "in_progress");
	field_enum_word(ed, 77, word);
	assert_string_equal(word, "77");
	assert_false(field_enum_known(ed, 77));
	assert_false(field_enum_known(ed, 0));
	field_enum_words(&seve__level__descriptor, words, sizeof words);
	assert_string_equal(words, "public, network, team");
	field_enum_words(&seve__policy__load_mode__descriptor, words, sizeof words);
	assert_string_equal(words, "warn, refuse");
	field_enum_words(ed, few, sizeof few);
	assert_string_equal(few, "idea, lead,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_follow_from_type_and_name),
		cmocka_unit_test(rules_come_from_the_table_or_the_type),
		cmocka_unit_test(every_field_is_either_hard_or_soft),
		cmocka_unit_test(ranges_and_states_come_from_the_table),
		cmocka_unit_test(fields_are_found_by_name_and_tag),
		cmocka_unit_test(reading_the_text_form_gives_the_same_value),
		cmocka_unit_test(people_write_values_in_several_ways),
		cmocka_unit_test(errors_name_field_value_and_what_is_allowed),
		cmocka_unit_test(an_empty_text_clears_every_field),
		cmocka_unit_test(a_text_form_that_does_not_fit_is_an_error),
		cmocka_unit_test(a_full_arena_is_an_error_and_changes_nothing),
		cmocka_unit_test(copies_are_equal_until_the_copy_changes),
		cmocka_unit_test(zero_is_not_absence),
		cmocka_unit_test(nested_fields_of_newer_programs_count_in_comparisons),
		cmocka_unit_test(sets_are_compared_without_order),
		cmocka_unit_test(long_sets_are_compared_too),
		cmocka_unit_test(sets_are_edited_as_a_reference_does),
		cmocka_unit_test(ids_are_edited_as_sets_too),
		cmocka_unit_test(a_set_edit_without_memory_leaves_the_set),
		cmocka_unit_test(words_and_numbers_of_enumerations_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
