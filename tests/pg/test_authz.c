/* test_authz.c -- the permission tables: who may read and write what where.  Needs no PostgreSQL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "authz.h"
#include "source.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { DINAN = 1, REDON = 2, FAR = 3 };

static struct principal *with_grants(struct principal *p, struct grant *list, size_t n)
{
	*p = (struct principal){.refs = 1, .account = "claire", .grants = list, .n_grants = n};
	return p;
}

static struct grant grant(const char *role, uint32_t territory, const char *slug,
			  const char *source)
{
	struct grant g = {.role = role_by_name(role), .territory = territory};
	assert_non_null(g.role);
	snprintf(g.slug, sizeof g.slug, "%s", slug);
	snprintf(g.source, sizeof g.source, "%s", source);
	return g;
}

/* The table of docs/operations.md; letters of kinds.def. */
static const struct row {
	const char *role;
	const char *writes; /* kinds, with a blank around each */
	Seve__Level reads;
} rows[] = {
	{"admin", " territory ", SEVE__LEVEL__LEVEL_UNSPECIFIED},
	{"coordinator", " action group meeting task conflict ", SEVE__LEVEL__LEVEL_NETWORK},
	{"facilitator",
	 " territory actor contact action position group meeting attendance minute task "
	 "availability interview interview_note assessment problem resource match swot_entry idea "
	 "conflict decision cohort knowhow benefit ",
	 SEVE__LEVEL__LEVEL_TEAM},
	{"importer", " actor action meeting availability interview problem resource benefit ",
	 SEVE__LEVEL__LEVEL_PUBLIC},
	{"observer", " ", SEVE__LEVEL__LEVEL_PUBLIC},
	{"partner", " contact position availability resource ", SEVE__LEVEL__LEVEL_NETWORK},
	{"pilot", " action task benefit ", SEVE__LEVEL__LEVEL_NETWORK},
};

static void each_role_writes_its_kinds_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct principal p;
		struct grant g = grant(rows[i].role, strcmp(rows[i].role, "admin") ? DINAN : 0,
				       "dinan", "s");
		with_grants(&p, &g, 1);
		for (size_t k = 0; k < kind_count(); k++) {
			struct err e = {0};
			char word[40];
			snprintf(word, sizeof word, " %s ", kind_at(k)->name);
			const int expected = strstr(rows[i].writes, word) ? 0 : -ERR_DENIED;
			if (authz_write(&p, DINAN, kind_at(k), &e) != expected)
				fail_msg("%s, %s", rows[i].role, kind_at(k)->name);
		}
		assert_int_equal(authz_rights(&p, DINAN).reads, rows[i].reads);
	}
}

static void a_refusal_names_role_kind_and_territory(void **state)
{
	(void)state;
	struct principal p;
	struct grant g = grant("coordinator", DINAN, "dinan", "");
	struct err e = {0};
	with_grants(&p, &g, 1);
	assert_int_equal(authz_write(&p, DINAN, kind_by_name("minute"), &e), -ERR_DENIED);
	assert_string_equal(e.text, "role coordinator may not write minute records in dinan");
	assert_true(*e.remedy);
	assert_int_equal(authz_write(&p, FAR, kind_by_name("action"), &e), -ERR_DENIED);
	assert_non_null(strstr(e.text, "claire"));
}

static void roles_of_one_territory_add_up_and_do_not_reach_another(void **state)
{
	(void)state;
	struct principal p;
	struct grant list[] = {
		grant("observer", DINAN, "dinan", ""),
		grant("facilitator", DINAN, "dinan", ""),
		grant("coordinator", REDON, "redon", ""),
	};
	struct rights r;
	struct err e = {0};
	with_grants(&p, list, 3);
	assert_int_equal(authz_read(&p, DINAN, &r, &e), 0);
	assert_int_equal(r.reads, SEVE__LEVEL__LEVEL_TEAM);
	assert_int_equal(authz_read(&p, REDON, &r, &e), 0);
	assert_int_equal(r.reads, SEVE__LEVEL__LEVEL_NETWORK);
	assert_int_equal(authz_write(&p, REDON, kind_by_name("minute"), &e), -ERR_DENIED);
	assert_int_equal(authz_read(&p, FAR, &r, &e), -ERR_NOT_FOUND);
	assert_int_equal(authz_rights(&p, FAR).writes, 0);
}

static void an_importer_is_bound_to_its_source_unless_another_role_frees_it(void **state)
{
	(void)state;
	struct principal p;
	struct grant list[] = {
		grant("importer", DINAN, "dinan", "sirene"),
		grant("facilitator", DINAN, "dinan", ""),
	};
	with_grants(&p, list, 1);
	assert_string_equal(authz_rights(&p, DINAN).source, "sirene");
	with_grants(&p, list, 2);
	assert_null(authz_rights(&p, DINAN).source);
	/* An observer's grant gives no right to write: the binding stays. */
	list[1] = grant("observer", DINAN, "dinan", "");
	assert_string_equal(authz_rights(&p, DINAN).source, "sirene");
}

static void an_admin_manages_everywhere_and_reads_nowhere(void **state)
{
	(void)state;
	struct principal p;
	struct grant g = grant("admin", AUTHZ_SERVER_WIDE, "", "");
	struct rights r;
	struct err e = {0};
	with_grants(&p, &g, 1);
	assert_true(authz_rights(&p, REDON).server_wide);
	assert_int_equal(authz_may(&p, ROLE_MAY_ACCOUNTS | ROLE_MAY_TERRITORIES, &e), 0);
	assert_int_equal(authz_read(&p, REDON, &r, &e), -ERR_NOT_FOUND);
	g = grant("facilitator", DINAN, "dinan", "");
	assert_int_equal(authz_may(&p, ROLE_MAY_ACCOUNTS, &e), -ERR_DENIED);
	assert_non_null(strstr(e.text, "manage accounts"));
}

static void the_view_follows_what_may_be_read(void **state)
{
	(void)state;
	struct principal p;
	struct grant g = grant("facilitator", DINAN, "dinan", "");
	with_grants(&p, &g, 1);
	const uint64_t team = authz_view(&p, DINAN);
	g = grant("coordinator", DINAN, "dinan", "");
	const uint64_t network = authz_view(&p, DINAN);
	g = grant("observer", DINAN, "dinan", "");
	const uint64_t public = authz_view(&p, DINAN);
	assert_true(team && network && public);
	assert_true(team != network && network != public && team != public);
	g = grant("importer", DINAN, "dinan", "x");
	assert_true(authz_view(&p, DINAN) == public);
	assert_true(authz_view(&p, REDON) == 0);
	/* The number that replicas have stored. */
	assert_true(team == 0x6c45d188009454fu);
}

/* ---- sources ----------------------------------------------------------------------------------
 */

static struct source_key key_of(const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return source_key((const struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return source_key((const struct sockaddr *)&v6);
}

static void a_source_is_an_address_or_a_64(void **state)
{
	(void)state;
	const struct source_key a = key_of("192.0.2.7"), mapped = key_of("::ffff:192.0.2.7");
	const struct source_key b = key_of("2001:db8:1:2::1"), c = key_of("2001:db8:1:2:ffff::9");
	const struct source_key d = key_of("2001:db8:1:3::1");
	char text[SOURCE_TEXT];
	assert_memory_equal(&a, &mapped, sizeof a);
	assert_memory_equal(&b, &c, sizeof b);
	assert_memory_not_equal(&b, &d, sizeof b);
	assert_true(key_of("127.0.0.1").loopback && key_of("::1").loopback && !a.loopback);
	source_text(&a, text);
	assert_string_equal(text, "192.0.2.0/24");
	source_text(&b, text);
	assert_string_equal(text, "2001:db8:1::/48");
}

static void a_source_has_so_many_connections_waiting_and_no_more(void **state)
{
	(void)state;
	struct sources *s = sources_new();
	const struct source_key a = key_of("192.0.2.7"), b = key_of("192.0.2.8");
	for (int i = 0; i < 3; i++) {
		assert_true(source_admits(s, &a, 0, 3));
		assert_true(source_enter(s, &a));
	}
	assert_false(source_admits(s, &a, 0, 3));
	assert_true(source_admits(s, &b, 0, 3));
	source_leave(s, &a);
	assert_true(source_admits(s, &a, 0, 3));
	sources_free(s);
}

static void penalties_grow_to_a_minute_and_are_forgotten(void **state)
{
	(void)state;
	struct sources *s = sources_new();
	const struct source_key a = key_of("192.0.2.7");
	uint64_t now = 1000;
	for (int i = 0; i < SOURCE_FREE_FAILURES; i++)
		source_failed(s, &a, now);
	assert_true(source_admits(s, &a, now, 64));
	source_failed(s, &a, now);
	assert_false(source_admits(s, &a, now + SOURCE_PENALTY_STEP_MS - 1, 64));
	assert_true(source_admits(s, &a, now + SOURCE_PENALTY_STEP_MS, 64));
	for (int i = 0; i < 50; i++)
		source_failed(s, &a, now);
	assert_false(source_admits(s, &a, now + SOURCE_PENALTY_MAX_MS - 1, 64));
	assert_true(source_admits(s, &a, now + SOURCE_PENALTY_MAX_MS, 64));
	sources_sweep(s, now + SOURCE_FORGET_MS + 1);
	source_failed(s, &a, now + SOURCE_FORGET_MS + 1);
	assert_true(source_admits(s, &a, now + SOURCE_FORGET_MS + 2, 64));
	sources_free(s);
}

static void the_table_of_sources_does_not_grow_beyond_its_size(void **state)
{
	(void)state;
	struct sources *s = sources_new();
	size_t noted = 0;
	for (unsigned i = 0; i < SOURCES_MAX + 1000; i++) {
		struct sockaddr_in at = {.sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(0x0b000000u + i)};
		const struct source_key k = source_key((const struct sockaddr *)&at);
		noted += source_enter(s, &k);
	}
	assert_int_equal(noted, SOURCES_MAX);
	sources_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_writes_its_kinds_and_no_other),
		cmocka_unit_test(a_refusal_names_role_kind_and_territory),
		cmocka_unit_test(roles_of_one_territory_add_up_and_do_not_reach_another),
		cmocka_unit_test(an_importer_is_bound_to_its_source_unless_another_role_frees_it),
		cmocka_unit_test(an_admin_manages_everywhere_and_reads_nowhere),
		cmocka_unit_test(the_view_follows_what_may_be_read),
		cmocka_unit_test(a_source_is_an_address_or_a_64),
		cmocka_unit_test(a_source_has_so_many_connections_waiting_and_no_more),
		cmocka_unit_test(penalties_grow_to_a_minute_and_are_forgotten),
		cmocka_unit_test(the_table_of_sources_does_not_grow_beyond_its_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
