/* test_mapping.c -- mapping files: what they say, what is wrong in them, and what they make of real
 * rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "import/csvfile.h"
#include "import/mapping.h"

static int setup(void **state)
{
	static struct arena a;
	arena_init(&a, 16 * 1024 * 1024);
	*state = &a;
	return 0;
}

static int teardown(void **state)
{
	arena_fini(*state);
	return 0;
}

struct values {
	char text[8192]; /* "field=text;" */
};

static int set(void *ctx, const char *field, const char *text, const struct mapping_rule *rule)
{
	struct values *v = ctx;
	(void)rule;
	const size_t n = strlen(v->text);
	snprintf(v->text + n, sizeof v->text - n, "%s=%s;", field, text);
	return 0;
}

static const struct kind *actor(void)
{
	return kind_by_name("actor");
}

static void refuses(void **state, const char *text, const char *word)
{
	struct mapping m;
	struct err e = {0};
	assert_int_equal(mapping_parse(*state, "x.map", text, &m, &e), -ERR_INVALID);
	if (!strstr(e.text, word) && !strstr(e.remedy, word))
		fail_msg("\"%s\" (%s) does not say \"%s\"", e.text, e.remedy, word);
}

static void columns_constants_keys_and_value_maps_are_applied(void **state)
{
	static const char text[] = "\xef\xbb\xbf# a partner\r\n"
				   "[kind] actor\r\n"
				   "key = A + B\n"
				   "category := company\n"
				   "Nom = name\n"
				   "\"odd = \"\"name\"\"\" = commune : upper\n"
				   "Genre = size_band\n"
				   "ignore = C, \"D, E\"\n"
				   "[values] size_band\n"
				   "petit = S\n"
				   "* = L\n";
	char *header[] = {"A", "B", "Nom", "odd = \"name\"", "Genre", "C", "D, E"};
	char *row[] = {"12", "34", "Forge", "cassis", "petit", "x", "y"};
	char *other[] = {"12", "34", "Forge", "", "grand", "x", "y"};
	char key[MAPPING_KEY_MAX];
	struct values v = {""}, w = {""};
	struct mapping m;
	struct err e = {0};
	assert_int_equal(mapping_parse(*state, "x.map", text, &m, &e), 0);
	assert_int_equal(mapping_bind(*state, &m, actor(), header, 7, &e), 0);
	assert_int_equal(mapping_key(&m, row, key, &e), 0);
	assert_string_equal(key, "1234");
	assert_int_equal(mapping_apply(&m, row, set, &v, &e), 0);
	assert_string_equal(v.text, "category=company;name=Forge;commune=CASSIS;size_band=S;");
	assert_int_equal(mapping_apply(&m, other, set, &w, &e), 0);
	assert_string_equal(w.text, "category=company;name=Forge;commune=;size_band=L;");
}

static void of_several_columns_the_first_that_is_not_empty_counts_unless_joined(void **state)
{
	static const char text[] =
		"key = K\nA = name\nB = name\nC = address : join\nD = address : join, one_line\n";
	char *header[] = {"K", "A", "B", "C", "D"};
	char *row[] = {"1", "", "Second", "3 rue", "BP 7 \n CEDEX"};
	char *first[] = {"1", "First", "Second", "", "ZI"};
	struct values v = {""}, w = {""};
	struct mapping m;
	struct err e = {0};
	assert_int_equal(mapping_parse(*state, "x.map", text, &m, &e), 0);
	assert_int_equal(mapping_bind(*state, &m, actor(), header, 5, &e), 0);
	assert_int_equal(mapping_apply(&m, row, set, &v, &e), 0);
	assert_string_equal(v.text, "name=Second;address=3 rue, BP 7, CEDEX;");
	assert_int_equal(mapping_apply(&m, first, set, &w, &e), 0);
	assert_string_equal(w.text, "name=First;address=ZI;");
}

static void rows_are_chosen_by_filters_and_an_operation_column(void **state)
{
	static const char text[] =
		"[file]\nformat = csv\nseparator = tab\n[columns]\nkey = K : strip_spaces\n"
		"A = siret : join()\nB = siret : join(), optional\nN = name : empty(-|ND), "
		"prefix(\"x \")\n"
		"ignore = R*\n[rows]\nkeep Dep = 35, 22\nskip Off = * : optional\n"
		"[operation] Op\nC = upsert\nE = delete\n\"\" = ignore\n";
	char *header[] = {"K", "a", "N", "Dep", "Op", "Rest", "R2"};
	char *good[] = {"1 2", "73", "ND", "35", "C", "", ""};
	char *gone[] = {"1", "73", "y", "22", "E", "", ""};
	char *far[] = {"1", "73", "y", "75", "C", "", ""};
	char *odd[] = {"1", "73", "y", "22", "Z", "", ""};
	char key[MAPPING_KEY_MAX];
	enum mapping_operation what;
	struct values v = {""};
	struct mapping m;
	struct err e = {0};
	assert_int_equal(mapping_parse(*state, "x.map", text, &m, &e), 0);
	assert_int_equal(m.separator, '\t');
	if (mapping_bind(*state, &m, actor(), header, 7, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(mapping_operation(&m, good, &what, &e), 0);
	assert_int_equal(what, MAPPING_UPSERT);
	assert_int_equal(mapping_operation(&m, gone, &what, &e), 0);
	assert_int_equal(what, MAPPING_DELETE);
	assert_int_equal(mapping_operation(&m, far, &what, &e), 0);
	assert_int_equal(what, MAPPING_IGNORE);
	assert_int_equal(mapping_operation(&m, odd, &what, &e), -ERR_INVALID);
	assert_int_equal(mapping_key(&m, good, key, &e), 0);
	assert_string_equal(key, "12");
	assert_int_equal(mapping_apply(&m, good, set, &v, &e), 0);
	assert_string_equal(v.text, "siret=73;name=;");
}

static void a_value_for_every_row_holds_against_a_column_of_that_name(void **state)
{
	char *header[] = {"key", "name", "siren"};
	char *row[] = {"1", "Forge", "732829320"};
	struct values v = {""};
	struct mapping m;
	struct err e = {0};
	assert_int_equal(mapping_parse(*state, "plain", mapping_builtin("plain"), &m, &e), 0);
	assert_int_equal(mapping_set(*state, &m, "siren", "", &e), 0);
	assert_int_equal(mapping_bind(*state, &m, actor(), header, 3, &e), 0);
	assert_int_equal(mapping_apply(&m, row, set, &v, &e), 0);
	assert_string_equal(v.text, "siren=;name=Forge;");
}

static void mistakes_are_told_with_their_line(void **state)
{
	refuses(state, "nom = name\n", "no key");
	refuses(state, "key = A\n[colums]\n", "line 2");
	refuses(state, "key = A\nnothing here\n", "line 2");
	refuses(state, "key = A\nB = name : nef\n", "did you mean naf?");
	refuses(state, "key = A\n\"B = name\n", "line 2");
	refuses(state, "key = A + \n", "key");
	refuses(state, "key = A+B+C+D+E\n", "too many");
	refuses(state, "[kind] acteur\nkey = A\n", "acteur");
	refuses(state, "key = A\n[values]\n", "which field");
	refuses(state, "key = A\n* = drop\n", "drop");
	refuses(state, "key = A\nB =\n", "B");
	refuses(state, "key = A\n\"B\" name = x\n", "line 2");
	refuses(state, "key = A\nB = name : date\n", "line 2");
	refuses(state, "key = A\nB = name : upper(x)\n", "upper");
	refuses(state, "key = A\nB = name : cut(x\n", "line 2");
	refuses(state, "key = A\nB = actor_id : ref(acteur)\n", "acteur");
	refuses(state, "key = A\n[rows]\ntake B = 1\n", "keep or skip");
	refuses(state, "key = A\n[operation]\n", "line 2");
	refuses(state, "key = A\n[operation] B\nC = insert\n", "line 3");
	refuses(state, "[file]\ncolour = red\n", "line 2");
}

static void binds(void **state, const char *text, char *const *header, size_t n, const char *word,
		  const char *remedy)
{
	struct mapping m;
	struct err e = {0};
	assert_int_equal(mapping_parse(*state, "x.map", text, &m, &e), 0);
	assert_int_equal(mapping_bind(*state, &m, actor(), header, n, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, word));
	assert_non_null(strstr(e.remedy, remedy));
}

static void a_file_that_does_not_fit_is_refused_by_name(void **state)
{
	char *header[] = {"K", "Nom", "couleur"};
	char *twice[] = {"K", "Nom", "Nom"};
	struct mapping m;
	struct err e = {0};
	binds(state, "key = K\nNom = name\n", header, 3, "\"couleur\"", "ignore = couleur");
	binds(state, "key = K\nNom = name\ncouleurs = tags\n* = ignore\n", header, 3,
	      "\"couleurs\"", "couleur");
	binds(state, "key = K\nNom = nane\n* = ignore\n", header, 3, "\"nane\"", "name");
	binds(state, "key = K\n* = same\n", header, 3, "Nom", "");
	assert_int_equal(mapping_parse(*state, "x.map", "key = K\nNom = name\n", &m, &e), 0);
	assert_int_equal(mapping_bind(*state, &m, actor(), twice, 3, &e), -ERR_INVALID);
	assert_int_equal(
		mapping_parse(*state, "x.map", "[kind] action\nkey = K\n* = ignore\n", &m, &e), 0);
	assert_int_equal(mapping_bind(*state, &m, actor(), header, 3, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, "action"));
}

static void same_takes_columns_by_the_names_of_fields_and_keys_of_our_lists(void **state)
{
	char *header[] = {"id", "action_kind", "title", "tags", "level"};
	char *row[] = {"01", "exchange", "Vapeur", "a|b", "team"};
	struct values v = {""};
	struct mapping m;
	struct err e = {0};
	assert_int_equal(mapping_parse(*state, "seve", mapping_builtin("seve"), &m, &e), 0);
	assert_int_equal(mapping_bind(*state, &m, kind_by_name("action"), header, 5, &e), 0);
	assert_int_equal(mapping_apply(&m, row, set, &v, &e), 0);
	assert_string_equal(v.text, "level=team;kind=exchange;title=Vapeur;tags=a|b;");
}

static void a_key_must_be_there_and_short_enough(void **state)
{
	char long_part[MAPPING_KEY_MAX + 1];
	char *header[] = {"K"};
	char *none[] = {""};
	char *longer[] = {long_part};
	char key[MAPPING_KEY_MAX];
	struct mapping m;
	struct err e = {0};
	memset(long_part, 'x', sizeof long_part - 1);
	long_part[sizeof long_part - 1] = '\0';
	assert_int_equal(mapping_parse(*state, "x.map", "key = K\n", &m, &e), 0);
	assert_int_equal(mapping_bind(*state, &m, actor(), header, 1, &e), 0);
	assert_int_equal(mapping_key(&m, none, key, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, "key is missing"));
	assert_int_equal(mapping_key(&m, longer, key, &e), -ERR_INVALID);
}

static void a_value_beyond_the_limit_names_its_field(void **state)
{
	static char value[MAPPING_VALUE_MAX + 2];
	char *header[] = {"K", "Nom"};
	char *row[] = {"1", value};
	struct values v = {""};
	struct mapping m;
	struct err e = {0};
	memset(value, 'x', sizeof value - 1);
	assert_int_equal(mapping_parse(*state, "x.map", "key = K\nNom = name\n", &m, &e), 0);
	assert_int_equal(mapping_bind(*state, &m, actor(), header, 2, &e), 0);
	assert_int_equal(mapping_apply(&m, row, set, &v, &e), -ERR_TOO_BIG);
	assert_non_null(strstr(e.text, "name"));
}

/* ---- our own mappings on real files ---- */

struct real {
	struct arena *a;
	struct mapping m;
	unsigned rows, with_siret, with_naf, with_place;
};

static int count(void *ctx, const char *field, const char *text, const struct mapping_rule *rule)
{
	struct real *r = ctx;
	(void)rule;
	r->with_siret += strcmp(field, "siret") == 0 && strlen(text) == 14;
	r->with_naf += strcmp(field, "naf_code") == 0 && strlen(text) == 6 && text[2] == '.';
	r->with_place += strcmp(field, "lon") == 0 && *text;
	assert_null(strchr(text, '\n'));
	return 0;
}

static int real_row(void *ctx, const struct csvfile_row *row, struct err *e)
{
	struct real *r = ctx;
	char key[MAPPING_KEY_MAX];
	if (r->rows++ == 0)
		return mapping_bind(r->a, &r->m, actor(), row->cells, row->n, e);
	assert_int_equal(row->n, r->m.width);
	assert_int_equal(mapping_key(&r->m, row->cells, key, e), 0);
	return mapping_apply(&r->m, row->cells, count, r, e);
}

static void read_real(void **state, const char *name, const char *file, struct real *r)
{
	static const struct csvfile_options usual;
	char path[512];
	struct err e = {0};
	const char *source = getenv("SEVE_SOURCE");
	if (!source)
		skip();
	*r = (struct real){.a = *state};
	snprintf(path, sizeof path, "%s/tests/data/%s", source, file);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(mapping_parse(*state, name, mapping_builtin(name), &r->m, &e), 0);
	const int rc = csvfile_read(f, &usual, real_row, r, &e);
	fclose(f);
	if (rc)
		fail_msg("%s", e.text);
}

static void irep_is_read_whole(void **state)
{
	struct real r;
	read_real(state, "irep", "irep/nord.csv", &r);
	assert_int_equal(r.rows, 54 + 1);
	assert_int_equal(r.with_siret, 54);
	assert_int_equal(r.with_naf, 54);
}

static void sirene_with_its_113_columns_is_read_whole(void **state)
{
	struct real r;
	read_real(state, "sirene-ods", "sirene/bouches-du-rhone.csv", &r);
	assert_int_equal(r.rows, 60 + 1);
	assert_int_equal(r.m.width, 113);
	assert_int_equal(r.with_siret, 60);
	assert_int_equal(r.with_naf, 60);
	assert_true(r.with_place > 50);
}

static void every_mapping_of_ours_can_be_read(void **state)
{
	const char *name;
	size_t n = 0;
	for (; (name = mapping_builtin_name(n)); n++) {
		struct mapping m;
		struct err e = {0};
		assert_int_equal(mapping_parse(*state, name, mapping_builtin(name), &m, &e), 0);
	}
	assert_true(n > 20);
	assert_null(mapping_builtin("none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_constants_keys_and_value_maps_are_applied),
		cmocka_unit_test(
			of_several_columns_the_first_that_is_not_empty_counts_unless_joined),
		cmocka_unit_test(rows_are_chosen_by_filters_and_an_operation_column),
		cmocka_unit_test(a_value_for_every_row_holds_against_a_column_of_that_name),
		cmocka_unit_test(mistakes_are_told_with_their_line),
		cmocka_unit_test(a_file_that_does_not_fit_is_refused_by_name),
		cmocka_unit_test(same_takes_columns_by_the_names_of_fields_and_keys_of_our_lists),
		cmocka_unit_test(a_key_must_be_there_and_short_enough),
		cmocka_unit_test(a_value_beyond_the_limit_names_its_field),
		cmocka_unit_test(irep_is_read_whole),
		cmocka_unit_test(sirene_with_its_113_columns_is_read_whole),
		cmocka_unit_test(every_mapping_of_ours_can_be_read),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
