/* test_record.c -- records in the hands of a caller, invites, the token's file. */
#include "support.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

static struct seve_record *new_action(void)
{
	struct seve_record *r = NULL;

	assert_int_equal(seve_record_new("action", TERRITORY, &r, NULL), SEVE_OK);
	return r;
}

static void refuse(struct seve_record *r, const char *field, const char *text, const char *says)
{
	struct seve_error *err = NULL;

	assert_int_equal(seve_record_set(r, field, text, &err), SEVE_INVALID);
	if (!strstr(seve_error_message(err), says) && !strstr(seve_error_remedy(err), says))
		fail_msg("\"%s\" / \"%s\" do not say \"%s\"", seve_error_message(err),
			 seve_error_remedy(err), says);
	seve_error_free(err);
}

static void fields_of_every_type_are_read_as_they_were_set(void **state)
{
	static const struct {
		const char *field, *text, *back;
	} list[] = {
		{"title", "Chaufferie « bois »", "Chaufferie « bois »"},
		{"status", "in_progress", "in_progress"},
		{"effort", "3", "3"},
		{"low_hanging", "oui", "yes"},
		{"pilot_id", "01900000-0000-7000-8000-000000000001",
		 "01900000-0000-7000-8000-000000000001"},
		{"target_on", "31/12/2026", "2026-12-31"},
		{"tags", "bois|énergie", "bois|énergie"},
		{"objectives", "{\"people\":2}", "{\"people\":2}"},
		{"level", "team", "team"},
		{"refs", "cci:4711|insee:73282932000074", "cci:4711|insee:73282932000074"},
		{"refs", "cci:a\\|b", "cci:a\\|b"},
		{"effort", "", ""},
	};
	struct seve_record *r = new_action();

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct seve_error *err = NULL;

		if (seve_record_set(r, list[i].field, list[i].text, &err))
			fail_msg("%s: %s", list[i].field, seve_error_message(err));
		assert_string_equal(seve_record_get(r, list[i].field), list[i].back);
	}
	seve_record_free(r);
}

static void what_makes_no_sense_is_refused_with_what_would(void **state)
{
	struct seve_record *r = new_action();
	struct seve_error *err = NULL;

	(void)state;
	refuse(r, "titel", "x", "title");
	refuse(r, "status", "done", "in_progress");
	refuse(r, "target_on", "demain", "demain");
	refuse(r, "refs", "sansdeuxpoints", "source:key");
	refuse(r, "created_by", "moi", "created_by");
	assert_string_equal(seve_record_get(r, "title"), "");
	assert_null(seve_record_get(r, "no_such"));
	assert_int_equal(seve_record_add(r, "title", "x", &err), SEVE_INVALID);
	seve_error_free(err);
	seve_record_free(r);
	assert_int_equal(seve_record_new("actoin", 1, &r, &err), SEVE_INVALID);
	assert_non_null(strstr(seve_error_remedy(err), "action"));
	seve_error_free(err);
}

static void a_copy_goes_its_own_way(void **state)
{
	struct seve_record *r = new_action(), *copy;

	(void)state;
	assert_int_equal(seve_record_set(r, "title", "un", NULL), SEVE_OK);
	copy = seve_record_copy(r);
	assert_non_null(copy);
	assert_int_equal(seve_record_set(copy, "title", "deux", NULL), SEVE_OK);
	assert_string_equal(seve_record_get(r, "title"), "un");
	assert_string_equal(seve_record_get(copy, "title"), "deux");
	assert_string_equal(seve_record_id(r), seve_record_id(copy));
	assert_true(record_is_edited(copy));
	seve_record_free(r);
	seve_record_free(copy);
}

static void members_are_added_once_and_removed(void **state)
{
	struct seve_record *r = new_action();

	(void)state;
	assert_int_equal(seve_record_add(r, "tags", "bois", NULL), SEVE_OK);
	assert_int_equal(seve_record_add(r, "tags", "bois", NULL), SEVE_OK);
	assert_int_equal(seve_record_add(r, "tags", "eau", NULL), SEVE_OK);
	assert_string_equal(seve_record_get(r, "tags"), "bois|eau");
	assert_int_equal(seve_record_remove(r, "tags", "bois", NULL), SEVE_OK);
	assert_string_equal(seve_record_get(r, "tags"), "eau");
	assert_int_equal(seve_record_add(r, "refs", "cci:1", NULL), SEVE_OK);
	assert_int_equal(seve_record_add(r, "refs", "cci:2", NULL), SEVE_OK);
	assert_int_equal(seve_record_add(r, "refs", "cci:1", NULL), SEVE_OK);
	assert_int_equal(seve_record_remove(r, "refs", "cci:2", NULL), SEVE_OK);
	assert_string_equal(seve_record_get(r, "refs"), "cci:1");
	seve_record_free(r);
}

static void a_record_is_one_line_of_json(void **state)
{
	struct seve_record *r = new_action();
	char *json;

	(void)state;
	assert_int_equal(seve_record_set(r, "title", "un \"deux\"", NULL), SEVE_OK);
	json = seve_record_json(r);
	assert_non_null(json);
	assert_non_null(strstr(json, "\"title\":\"un \\\"deux\\\"\""));
	assert_null(strchr(json, '\n'));
	free(json);
	seve_record_free(r);
}

static void kinds_tell_of_their_fields(void **state)
{
	size_t kinds = 0, words = 0;

	(void)state;
	while (seve_kind_name(kinds))
		kinds++;
	assert_int_equal(kinds, kind_count());
	assert_string_equal(seve_field_type("action", "status"), "enum");
	assert_string_equal(seve_field_type("action", "pilot_id"), "id");
	assert_string_equal(seve_field_type("action", "tags"), "texts");
	assert_string_equal(seve_field_type("meeting", "host_ids"), "ids");
	assert_string_equal(seve_field_type("meeting", "start_at"), "instant");
	assert_string_equal(seve_field_type("action", "target_on"), "date");
	assert_string_equal(seve_field_type("territory", "policy"), "message");
	assert_null(seve_field_type("action", "nothing"));
	assert_string_equal(seve_field_word("task", "state", 0), "todo");
	while (seve_field_word("task", "state", words))
		words++;
	assert_int_equal(words, 4);
	assert_null(seve_field_word("task", "text", 0));
}

/* ---- invites
 * ---------------------------------------------------------------------------------------------- */

static void encode64url(const unsigned char *in, int n, char *out)
{
	char *p;

	EVP_EncodeBlock((unsigned char *)out, in, n);
	for (p = out; *p && *p != '='; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	*p = '\0';
}

/* A certificate that nothing trusts, as base64url. */
static char *certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	unsigned char *der = NULL;
	char *text;
	int n;

	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	n = i2d_X509(x, &der);
	assert_true(n > 0);
	text = malloc((size_t)n * 2);
	encode64url(der, n, text);
	OPENSSL_free(der);
	X509_free(x);
	EVP_PKEY_free(key);
	return text;
}

static void check_invite(const char *address, const char *ca)
{
	char *line, *server = NULL, *code = NULL, *pem = NULL;
	struct seve_error *err = NULL;

	assert_true(asprintf(&line, " seve-invite:%s:K7QF2M:%s\n", address, ca) > 0);
	if (seve_invite_parse(line, &server, &code, &pem, &err))
		fail_msg("%s: %s", line, seve_error_message(err));
	assert_string_equal(server, address);
	assert_string_equal(code, "K7QF2M");
	if (strcmp(ca, "-") == 0)
		assert_null(pem);
	else
		assert_int_equal(strncmp(pem, "-----BEGIN CERTIFICATE-----", 27), 0);
	free(line);
	free(server);
	free(code);
	free(pem);
}

static void an_invite_is_taken_apart(void **state)
{
	char *ca = certificate();

	(void)state;
	check_invite("seve.example.org:7433", ca);
	check_invite("[2001:db8::1]:7433", ca);
	check_invite("localhost:1", "-");
	free(ca);
}

static void a_damaged_invite_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"seve-invite:",
		"seve-invite:host:7433",
		"seve-invite:host:7433:CODE",
		"seve-invite:host:7433:CODE:",
		"seve-invite:host:7433::-",
		"seve-invite::7433:CODE",
		"seve-invite:[::1:7433:CODE:-",
		"seve-invite:host:7433:CODE:AAAA",
		"seve-invite:host:7433:CODE:not base64",
		"https://host:7433/",
	};
	char *server = NULL, *code = NULL, *pem = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct seve_error *err = NULL;

		if (seve_invite_parse(lines[i], &server, &code, &pem, &err) != SEVE_INVALID)
			fail_msg("\"%s\" was taken", lines[i]);
		assert_null(server);
		assert_string_not_equal(seve_error_remedy(err), "");
		seve_error_free(err);
	}
}

/* ---- the token
 * ------------------------------------------------------------------------------------------------
 */

static void a_token_is_kept_to_oneself(void **state)
{
	char *folder = support_folder(), *path, token[CLIENT_TOKEN_MAX];
	struct err e = {0};
	struct stat st;

	(void)state;
	assert_true(asprintf(&path, "%s/token", folder) > 0);
	assert_int_equal(client_read_token(path, token, &e), -ERR_UNAUTHENTICATED);
	assert_int_equal(client_write_secret(path, "svt_first", &e), 0);
	assert_int_equal(client_write_secret(path, "svt_second", &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(client_read_token(path, token, &e), 0);
	assert_string_equal(token, "svt_second");
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(client_read_token(path, token, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.remedy, "chmod 600"));
	assert_string_equal(token, "");
	free(path);
	support_remove(folder);
}

static void without_a_server_or_a_token_the_error_says_so(void **state)
{
	struct seve *s = support_open(NULL);
	struct seve_error *err = NULL;

	(void)state;
	assert_int_equal(seve_connect(s, &err), SEVE_UNAUTHENTICATED);
	assert_non_null(strstr(seve_error_remedy(err), "log in"));
	seve_error_free(err);
	seve_close(s);
}

static void a_server_that_is_not_there_is_retryable(void **state)
{
	char *folder = support_folder(), *path;
	struct seve_options *o = seve_options_new();
	struct seve_error *err = NULL;
	struct err e = {0};
	struct seve *s = NULL;

	(void)state;
	assert_true(asprintf(&path, "%s/token", folder) > 0);
	assert_int_equal(client_write_secret(path, "svt_x", &e), 0);
	assert_int_equal(seve_options_set(o, "token-file", path), SEVE_OK);
	assert_int_equal(seve_options_set(o, "server", "127.0.0.1:1"), SEVE_OK);
	assert_int_equal(seve_options_set(o, "no-such", "1"), SEVE_USAGE);
	assert_int_equal(seve_open(o, &s, NULL), SEVE_OK);
	assert_int_equal(seve_connect(s, &err), SEVE_RETRY);
	assert_true(seve_error_retryable(err));
	assert_non_null(strstr(seve_error_message(err), "127.0.0.1"));
	seve_error_free(err);
	seve_close(s);
	seve_options_free(o);
	free(path);
	support_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_every_type_are_read_as_they_were_set),
		cmocka_unit_test(what_makes_no_sense_is_refused_with_what_would),
		cmocka_unit_test(a_copy_goes_its_own_way),
		cmocka_unit_test(members_are_added_once_and_removed),
		cmocka_unit_test(a_record_is_one_line_of_json),
		cmocka_unit_test(kinds_tell_of_their_fields),
		cmocka_unit_test(an_invite_is_taken_apart),
		cmocka_unit_test(a_damaged_invite_is_refused),
		cmocka_unit_test(a_token_is_kept_to_oneself),
		cmocka_unit_test(without_a_server_or_a_token_the_error_says_so),
		cmocka_unit_test(a_server_that_is_not_there_is_retryable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
