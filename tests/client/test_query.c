/* test_query.c -- lists from the replica: filters by value, order as on the server. */
#include "support.h"

struct row {
	const char *title, *status, *effort, *target, *tags, *low, *next;
};

static const struct row rows[] = {
	{"Éclairage", "lead", "3", "2026-12-01", "énergie", "yes", ""},
	{"Chaufferie bois", "in_progress", "5", "2027-01-15", "énergie|bois", "no", "Devis"},
	{"chariot", "idea", "", "", "", "", ""},
	{"Zone de troc", "in_progress", "1", "2026-11-30", "matières", "", "Réunion"},
};

static int setup(void **state)
{
	struct seve *s = support_open(NULL);
	struct support_row none[1];
	struct err e = {0};

	support_replica(s, 1, none, 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *const pairs[][2] = {
			{"title", rows[i].title},   {"status", rows[i].status},
			{"effort", rows[i].effort}, {"target_on", rows[i].target},
			{"tags", rows[i].tags},     {"low_hanging", rows[i].low},
			{"next_step", rows[i].next}};
		struct seve_record *r = NULL;

		assert_int_equal(seve_record_new("action", TERRITORY, &r, NULL), SEVE_OK);
		for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
			assert_int_equal(seve_record_set(r, pairs[k][0], pairs[k][1], NULL),
					 SEVE_OK);
		assert_int_equal(seve_save(s, &r, 1, NULL, 1, NULL, NULL, NULL), SEVE_OK);
		seve_record_free(r);
	}
	(void)e;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	seve_close(*state);
	return 0;
}

/* The first words of the titles found, in their order. */
static const char *found(struct seve *s, const char *field, const char *op, const char *value,
			 size_t limit)
{
	static char text[200];
	struct seve_query *q = seve_query_new("action");
	struct seve_list *l = NULL;
	struct seve_error *err = NULL;
	size_t used = 0;

	text[0] = '\0';
	if (field && seve_query_filter(q, field, op, value, &err))
		fail_msg("%s", seve_error_message(err));
	seve_query_limit(q, limit);
	assert_int_equal(seve_list(s, q, SEVE_REPLICA, &l, &err), SEVE_OK);
	for (size_t i = 0; i < seve_list_count(l); i++) {
		const char *title = seve_record_get(seve_list_at(l, i), "title");

		used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "",
					 (int)strcspn(title, " "), title);
	}
	seve_list_free(l);
	seve_query_free(q);
	return text;
}

static void the_order_is_by_bytes_and_then_by_id(void **state)
{
	assert_string_equal(found(*state, NULL, NULL, NULL, 0),
			    "Chaufferie Zone chariot Éclairage");
	assert_string_equal(found(*state, NULL, NULL, NULL, 2), "Chaufferie Zone");
}

static void filters_compare_by_value(void **state)
{
	static const struct {
		const char *field, *op, *value, *titles;
	} list[] = {
		{"status", "=", "in_progress", "Chaufferie Zone"},
		{"status", "!=", "in_progress", "chariot Éclairage"},
		{"effort", ">", "2", "Chaufferie Éclairage"},
		{"effort", "<=", "3", "Zone Éclairage"},
		{"effort", "!=", "3", "Chaufferie Zone chariot"},
		{"target_on", "<", "01/12/2026", "Zone"},
		{"target_on", ">=", "2026-12-01", "Chaufferie Éclairage"},
		{"effort", "null", "yes", "chariot"},
		{"effort", "null", "no", "Chaufferie Zone Éclairage"},
		{"title", "~", "ECLAIRAGE", "Éclairage"},
		{"next_step", "~", "reunion", "Zone"},
		{"tags", "~", "énergie", "Chaufferie Éclairage"},
		{"tags", "~", "energie", ""},
		{"low_hanging", "=", "oui", "Éclairage"},
		{"level", "=", "network", "Chaufferie Zone chariot Éclairage"},
		{"level", ">", "network", ""},
		{"ref_no", "=", "1", ""},
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const char *got = found(*state, list[i].field, list[i].op, list[i].value, 0);

		if (strcmp(got, list[i].titles) != 0)
			fail_msg("%s %s %s: \"%s\", not \"%s\"", list[i].field, list[i].op,
				 list[i].value, got, list[i].titles);
	}
}

static void filters_that_make_no_sense_are_refused(void **state)
{
	static const char *const list[][3] = {
		{"nothing", "=", "1"},       {"status", "=", "done"},   {"status", "=~", "idea"},
		{"tags", "=", "x"},          {"objectives", "=", "{}"}, {"effort", "~", "1"},
		{"effort", "null", "maybe"}, {"level", "~", "team"},    {"target_on", "<", "soon"},
		{"ref_no", "=", "-1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct seve_query *q = seve_query_new("action");
		struct seve_error *err = NULL;

		if (seve_query_filter(q, list[i][0], list[i][1], list[i][2], &err) != SEVE_INVALID)
			fail_msg("%s %s %s was taken", list[i][0], list[i][1], list[i][2]);
		seve_error_free(err);
		seve_query_free(q);
	}
	assert_null(seve_query_new("nothing"));
}

static void what_is_absent_comes_last(void **state)
{
	struct seve *s = *state;
	struct seve_query *q = seve_query_new("task");
	static const char *const tasks[][2] = {
		{"sans date", ""}, {"tard", "2027-01-01"}, {"tôt", "2026-01-01"}};
	struct seve_list *l = NULL;

	for (size_t i = 0; i < 3; i++) {
		struct seve_record *r = NULL;

		assert_int_equal(seve_record_new("task", TERRITORY, &r, NULL), SEVE_OK);
		assert_int_equal(seve_record_set(r, "text", tasks[i][0], NULL), SEVE_OK);
		assert_int_equal(seve_record_set(r, "due_on", tasks[i][1], NULL), SEVE_OK);
		assert_int_equal(seve_save(s, &r, 1, NULL, 1, NULL, NULL, NULL), SEVE_OK);
		seve_record_free(r);
	}
	assert_int_equal(seve_list(s, q, SEVE_REPLICA, &l, NULL), SEVE_OK);
	assert_string_equal(seve_record_get(seve_list_at(l, 0), "text"), "tôt");
	assert_string_equal(seve_record_get(seve_list_at(l, 2), "text"), "sans date");
	seve_list_free(l);
	seve_query_free(q);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_order_is_by_bytes_and_then_by_id),
		TEST(filters_compare_by_value),
		TEST(filters_that_make_no_sense_are_refused),
		TEST(what_is_absent_comes_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
