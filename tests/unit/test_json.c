/* test_json.c -- common/json.c, json_read.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "field.h"
#include "json.h"
#include "random.h"

enum { ARENA = 64 * 1024 * 1024, ROUNDS = 100 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct buf out;

static const char *written(void)
{
	assert_int_equal(buf_add(&out, "", 1), 0);
	return (const char *)buf_span(&out).at;
}

static int fresh(void **state)
{
	(void)state;
	buf_init(&out, ARENA);
	return 0;
}

static int used(void **state)
{
	(void)state;
	buf_fini(&out);
	return 0;
}

static void strings_are_escaped(void **state)
{
	(void)state;
	static const struct {
		const char *text, *json;
	} rows[] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"é 😀 \x7f", "\"é 😀 \x7f\""},
		{"\"\\/", "\"\\\"\\\\/\""},
		{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
		{"\x01\x1f", "\"\\u0001\\u001f\""},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(json_add_string(&out, rows[i].text), 0);
		assert_string_equal(written(), rows[i].json);
		buf_consume(&out, buf_len(&out));
	}
}

static void a_message_is_canonical(void **state)
{
	(void)state;
	Seve__Action m = SEVE__ACTION__INIT;
	Seve__Objectives o = SEVE__OBJECTIVES__INIT;
	char *tags[] = {"b", "a"};
	uint8_t id[16] = {0x01, 0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x70, 0, 0x80, 0, 1, 2, 3, 4, 5, 6};
	m.title = (char[]){"Chaleur \"fatale\""};
	m.has_status = 1;
	m.status = SEVE__ACTION__STATUS__STATUS_IN_PROGRESS;
	m.has_low_hanging = 1;
	m.objectives = &o;
	o.has_people = 1;
	o.people = -2;
	m.has_pilot_id = 1;
	m.pilot_id = (ProtobufCBinaryData){16, id};
	m.has_start_on = 1;
	m.start_on = 20780;
	m.tags = tags;
	m.n_tags = 2;
	assert_int_equal(json_add_message(&out, &m.base), 0);
	assert_string_equal(written(),
			    "{\"title\":\"Chaleur "
			    "\\\"fatale\\\"\",\"status\":\"in_progress\",\"low_hanging\":false,"
			    "\"objectives\":{\"people\":-2},\"pilot_id\":\"019abcde-f012-7000-8000-"
			    "010203040506\","
			    "\"start_on\":\"2026-11-23\",\"tags\":[\"b\",\"a\"]}");
}

static void an_empty_message_is_an_empty_object(void **state)
{
	(void)state;
	Seve__Task m = SEVE__TASK__INIT;
	assert_int_equal(json_add_message(&out, &m.base), 0);
	assert_string_equal(written(), "{}");
}

static void a_record_carries_its_head_and_meta(void **state)
{
	(void)state;
	uint8_t id[16] = {0x01, 0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x70, 0, 0x80, 0, 1, 2, 3, 4, 5, 6};
	Seve__Body body = SEVE__BODY__INIT;
	Seve__Meta meta = SEVE__META__INIT;
	Seve__Action m = SEVE__ACTION__INIT;
	Seve__ExternalRef ref = SEVE__EXTERNAL_REF__INIT, *refs[] = {&ref};
	ref.source = (char[]){"cci"};
	ref.key = (char[]){"42"};
	meta.refs = refs;
	meta.n_refs = 1;
	meta.has_ref_no = meta.has_level = meta.has_created_at = 1;
	meta.ref_no = 12;
	meta.level = SEVE__LEVEL__LEVEL_NETWORK;
	meta.created_at = 1795458600000;
	meta.created_by = (char[]){"anne"};
	m.title = (char[]){"x"};
	m.has_kind = 1;
	m.kind = SEVE__ACTION__KIND__KIND_EXCHANGE;
	body.meta = &meta;
	kind_set_message(kind_by_name("action"), &body, &m.base);
	assert_int_equal(json_add_record(&out, "dinan", id, 7, &body), 0);
	assert_string_equal(
		written(),
		"{\"territory\":\"dinan\",\"kind\":\"action\",\"id\":\"019abcde-f012-7000-8000-"
		"010203040506\","
		"\"ref\":\"P-12\",\"rev\":7,\"level\":\"network\",\"refs\":[{\"source\":\"cci\","
		"\"key\":\"42\"}],"
		"\"created_at\":\"2026-11-23T18:30:00Z\",\"created_by\":\"anne\",\"title\":\"x\","
		"\"action_kind\":\"exchange\"}");
}

static void a_record_needs_a_kind_that_is_known(void **state)
{
	(void)state;
	uint8_t id[16] = {0};
	Seve__Body body = SEVE__BODY__INIT;
	assert_int_equal(json_add_record(&out, NULL, id, 1, &body), -ERR_INVALID);
	assert_int_equal(buf_len(&out), 0);
}

static void keys_of_a_record_are_unique_and_lead_back(void **state)
{
	(void)state;
	struct random r = random_from(41);
	struct arena a;
	arena_init(&a, ARENA);
	for (size_t i = 0; i < kind_count(); i++) {
		const struct kind *k = kind_at(i);
		Seve__Body *body = random_body(&r, &a, k, 100);
		assert_int_equal(json_add_record(&out, "t", random_id(&r, &a).data, 1, body), 0);
		struct span s = buf_span(&out);
		json_error_t why;
		json_t *v = json_loadb((const char *)s.at, s.len, JSON_REJECT_DUPLICATES, &why);
		if (!v)
			fail_msg("%s: %s", k->name, why.text);
		for (unsigned f = 0; f < k->desc->n_fields; f++) {
			char key[96];
			json_field_key(k, &k->desc->fields[f], key);
			assert_non_null(json_object_get(v, key));
			assert_ptr_equal(json_key_field(k, key), &k->desc->fields[f]);
		}
		json_decref(v);
		buf_consume(&out, buf_len(&out));
	}
	assert_null(json_key_field(kind_by_name("action"), "kind"));
	assert_null(json_key_field(kind_by_name("action"), "action_title"));
	assert_null(json_key_field(kind_by_name("action"), "nonsense"));
	arena_fini(&a);
}

static void what_is_written_reads_back_equal(void **state)
{
	(void)state;
	struct random r = random_from(42);
	struct arena a;
	arena_init(&a, ARENA);
	for (unsigned round = 0; round < ROUNDS; round++, arena_reset(&a))
		for (size_t i = 0; i < kind_count(); i++) {
			const ProtobufCMessageDescriptor *d = kind_at(i)->desc;
			ProtobufCMessage *m = random_message(&r, &a, d, 70), *back = NULL;
			struct err e = {0};
			assert_int_equal(json_add_message(&out, m), 0);
			struct span s = buf_span(&out);
			if (json_read_message(&a, d, (const char *)s.at, s.len, &back, &e) < 0)
				fail_msg("%.*s: %s", (int)s.len, (const char *)s.at, e.text);
			if (!field_message_equal(m, back))
				fail_msg("%.*s is read as another message", (int)s.len,
					 (const char *)s.at);
			buf_consume(&out, buf_len(&out));
		}
	arena_fini(&a);
}

static void values_of_several_shapes_are_read(void **state)
{
	(void)state;
	static const char text[] =
		" { \"tags\" : [ ], \"lat\": 48, \"lon\": -1.5e0, \"wave\": null,\n"
		"\"joined_on\": \"23/11/2026\", \"name\": \"\\u00e9\\ud83d\\ude00\" } ";
	struct arena a;
	ProtobufCMessage *m;
	arena_init(&a, ARENA);
	assert_int_equal(
		json_read_message(&a, &seve__actor__descriptor, text, sizeof text - 1, &m, NULL),
		0);
	assert_int_equal(json_add_message(&out, m), 0);
	assert_string_equal(
		written(),
		"{\"name\":\"é😀\",\"lat\":48,\"lon\":-1.5,\"joined_on\":\"2026-11-23\"}");
	arena_fini(&a);
}

static void a_negative_zero_keeps_its_sign(void **state)
{
	(void)state;
	struct arena a;
	ProtobufCMessage *m;
	arena_init(&a, ARENA);
	Seve__Actor actor = SEVE__ACTOR__INIT;
	actor.has_lat = 1;
	actor.lat = -0.0;
	assert_int_equal(json_add_message(&out, &actor.base), 0);
	struct span s = buf_span(&out);
	assert_int_equal(json_read_message(&a, &seve__actor__descriptor, (const char *)s.at, s.len,
					   &m, NULL),
			 0);
	assert_true(field_message_equal(m, &actor.base));
	assert_string_equal(written(), "{\"lat\":-0.0}");
	arena_fini(&a);
}

static const struct {
	const ProtobufCMessageDescriptor *desc;
	const char *text, *says, *remedy;
} bad_texts[] = {
	{&seve__action__descriptor, "", "line 1", ""},
	{&seve__action__descriptor, "{", "line 1", ""},
	{&seve__action__descriptor, "[]", "a list instead of an object", ""},
	{&seve__action__descriptor, "{} {}", "end of file", ""},
	{&seve__action__descriptor, "{\"titel\":\"x\"}", "unknown key \"titel\"", "title"},
	{&seve__action__descriptor, "{\"nothing_like_it\":1}", "unknown key \"nothing_like_it\"",
	 ""},
	{&seve__action__descriptor, "{\"title\":\"x\",\"title\":\"y\"}", "duplicate", ""},
	{&seve__action__descriptor, "{\"title\":1}", "title: a number instead of a text", ""},
	{&seve__action__descriptor, "{\"title\":\"\"}", "title: an empty text", ""},
	{&seve__action__descriptor, "{\"title\":\"a\\u0000b\"}", "\\u0000", ""},
	{&seve__action__descriptor, "{\"title\":\"\xe9\"}", "byte 0xe9", ""},
	{&seve__action__descriptor, "{\"status\":\"done\"}",
	 "status: \"done\" is none of idea, lead", ""},
	{&seve__action__descriptor, "{\"status\":5}", "status: a number", ""},
	{&seve__action__descriptor, "{\"progress\":-1}", "progress: -1 is out of range", ""},
	{&seve__action__descriptor, "{\"progress\":4294967296}", "out of range", ""},
	{&seve__action__descriptor, "{\"progress\":1.5}",
	 "progress: a number instead of a whole number", ""},
	{&seve__action__descriptor, "{\"progress\":99999999999999999999}", "too big", ""},
	{&seve__action__descriptor, "{\"low_hanging\":\"yes\"}",
	 "low_hanging: a text instead of true", ""},
	{&seve__action__descriptor, "{\"objectives\":{\"people\":2147483648}}",
	 "objectives: people: ", ""},
	{&seve__action__descriptor, "{\"objectives\":[]}",
	 "objectives: a list instead of an object", ""},
	{&seve__action__descriptor, "{\"tags\":[\"a\",{}]}",
	 "tags: [1]: an object instead of a text", ""},
	{&seve__action__descriptor, "{\"tags\":\"a\"}", "tags: a text instead of a list", ""},
	{&seve__action__descriptor, "{\"tags\":[null]}", "tags: [0]: null instead of a text", ""},
	{&seve__action__descriptor, "{\"pilot_id\":\"A-3\"}", "pilot_id: ", ""},
	{&seve__actor__descriptor, "{\"lat\":\"48\"}", "lat: a text instead of a number", ""},
	{&seve__actor__descriptor, "{\"lat\":1e999}", "overflow", ""},
	{&seve__actor__descriptor, "{\"lat\":NaN}", "line 1", ""},
	{&seve__meeting__descriptor, "{\"facilitation\":[{},{\"rôle\":\"lead\"}]}",
	 "facilitation: [1]: unknown key", "role"},
	{&seve__meeting__descriptor, "{\"start_at\":\"\"}", "start_at: an empty text", ""},
};

static void bad_json_is_refused_by_place_and_reason(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, ARENA);
	for (size_t i = 0; i < COUNT(bad_texts); i++) {
		ProtobufCMessage *m = NULL;
		struct err e = {0};
		int rc = json_read_message(&a, bad_texts[i].desc, bad_texts[i].text,
					   strlen(bad_texts[i].text), &m, &e);
		if (rc != -ERR_INVALID || !strstr(e.text, bad_texts[i].says) ||
		    !strstr(e.remedy, bad_texts[i].remedy))
			fail_msg("%s: %d, \"%s\", \"%s\"", bad_texts[i].text, rc, e.text, e.remedy);
		assert_null(m);
		assert_int_equal(json_read_message(&a, bad_texts[i].desc, bad_texts[i].text,
						   strlen(bad_texts[i].text), &m, NULL),
				 rc);
	}
	arena_fini(&a);
}

static char *repeated(const char *piece, size_t n)
{
	size_t len = strlen(piece);
	char *text = malloc(n * len + 1);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, piece, len);
	text[n * len] = '\0';
	return text;
}

static void size_depth_and_lists_are_bounded(void **state)
{
	(void)state;
	struct arena a;
	ProtobufCMessage *m = NULL;
	arena_init(&a, ARENA);
	char *deep = repeated("[", 100000), *large = repeated(" ", JSON_READ_MAX + 1);
	assert_int_equal(json_read_message(&a, &seve__actor__descriptor, deep, 100000, &m, NULL),
			 -ERR_INVALID);
	assert_int_equal(
		json_read_message(&a, &seve__actor__descriptor, large, JSON_READ_MAX + 1, &m, NULL),
		-ERR_TOO_BIG);
	char *inner = repeated("\"a\",", FIELD_LIST_MAX), *list = malloc(strlen(inner) + 32);
	int n = snprintf(list, strlen(inner) + 32, "{\"tags\":[%s\"a\"]}", inner);
	struct err e = {0};
	assert_int_equal(json_read_message(&a, &seve__actor__descriptor, list, (size_t)n, &m, &e),
			 -ERR_INVALID);
	assert_non_null(strstr(e.text, "1001 members"));
	assert_null(m);
	free(list);
	free(inner);
	free(large);
	free(deep);
	arena_fini(&a);
}

static void a_full_arena_is_an_error(void **state)
{
	(void)state;
	static const char text[] =
		"{\"title\":\"some text\",\"tags\":[\"a\",\"b\"],\"objectives\":{\"people\":1},"
		"\"pilot_id\":\"019abcde-f012-7000-8000-0123456789ab\"}";
	for (size_t cap = 0;; cap += 32) {
		struct arena a;
		ProtobufCMessage *m = NULL;
		arena_init(&a, cap);
		int rc = json_read_message(&a, &seve__action__descriptor, text, sizeof text - 1, &m,
					   NULL);
		assert_true(rc == 0 || rc == -ERR_NOMEM);
		arena_fini(&a);
		if (rc == 0)
			break;
	}
}

static void a_full_buffer_is_an_error(void **state)
{
	(void)state;
	struct random r = random_from(43);
	struct arena a;
	arena_init(&a, ARENA);
	ProtobufCMessage *m = random_message(&r, &a, &seve__action__descriptor, 100);
	for (size_t max = 0; max < 300; max++) {
		struct buf small;
		buf_init(&small, max);
		assert_int_equal(json_add_message(&small, m), -ERR_TOO_BIG);
		assert_true(buf_len(&small) <= max);
		buf_fini(&small);
	}
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(strings_are_escaped, fresh, used),
		cmocka_unit_test_setup_teardown(a_message_is_canonical, fresh, used),
		cmocka_unit_test_setup_teardown(an_empty_message_is_an_empty_object, fresh, used),
		cmocka_unit_test_setup_teardown(a_record_carries_its_head_and_meta, fresh, used),
		cmocka_unit_test_setup_teardown(a_record_needs_a_kind_that_is_known, fresh, used),
		cmocka_unit_test_setup_teardown(keys_of_a_record_are_unique_and_lead_back, fresh,
						used),
		cmocka_unit_test_setup_teardown(what_is_written_reads_back_equal, fresh, used),
		cmocka_unit_test_setup_teardown(values_of_several_shapes_are_read, fresh, used),
		cmocka_unit_test_setup_teardown(a_negative_zero_keeps_its_sign, fresh, used),
		cmocka_unit_test(bad_json_is_refused_by_place_and_reason),
		cmocka_unit_test(size_depth_and_lists_are_bounded),
		cmocka_unit_test(a_full_arena_is_an_error),
		cmocka_unit_test(a_full_buffer_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
