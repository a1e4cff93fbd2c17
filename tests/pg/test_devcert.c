/* test_devcert.c -- the development CA and the certificate it makes for this machine. */
#include "fixture.h"

#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "devcert.h"
#include "tls.h"

enum { DAY_MS = 86400000 };

struct cert_fixture {
	char folder[64];
	struct devcert paths;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int set_up(void **state)
{
	struct cert_fixture *f = calloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "/tmp/seve-cert-XXXXXX");
	*state = f;
	return mkdtemp(f->folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct cert_fixture *f = *state;
	clock_fake(0);
	int rc = nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return rc;
}

static void ensure(struct cert_fixture *f)
{
	struct err e = {0};
	if (devcert_ensure(f->folder, &f->paths, &e) < 0)
		fail_msg("%s (%s)", e.text, e.remedy);
}

static X509 *read_cert(const char *path)
{
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	assert_non_null(cert);
	return cert;
}

static bool same_cert(const char *path, const X509 *other)
{
	X509 *cert = read_cert(path);
	bool same = X509_cmp(cert, other) == 0;
	X509_free(cert);
	return same;
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void the_certificate_is_good_for_this_machine(void **state)
{
	struct cert_fixture *f = *state;
	ensure(f);
	X509 *ca = read_cert(f->paths.ca_file), *server = read_cert(f->paths.cert_file);
	EVP_PKEY *key = X509_get_pubkey(ca);
	assert_int_equal(X509_verify(server, key), 1);
	EVP_PKEY_free(key);
	assert_int_equal(X509_check_host(server, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(server, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(server, "::1", 0), 1);
	assert_int_not_equal(X509_check_host(server, "example.org", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ca(ca), 1);
	assert_int_equal(X509_check_ca(server), 0);
	int days, seconds;
	assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(server),
					X509_get0_notAfter(server)),
			 1);
	assert_int_equal(days, 397);
	X509_free(ca);
	X509_free(server);
}

static void keys_are_for_the_owner_only(void **state)
{
	struct cert_fixture *f = *state;
	char ca_key[128];
	ensure(f);
	snprintf(ca_key, sizeof ca_key, "%s/ca.key", f->folder);
	assert_int_equal(mode_of(f->paths.key_file), 0600);
	assert_int_equal(mode_of(ca_key), 0600);
}

static void tls_takes_them(void **state)
{
	struct cert_fixture *f = *state;
	struct err e;
	SSL_CTX *server, *client;
	ensure(f);
	assert_int_equal(tls_ctx_server(f->paths.cert_file, f->paths.key_file, &server, &e), 0);
	assert_int_equal(tls_ctx_client(f->paths.ca_file, NULL, &client, &e), 0);
	tls_ctx_free(server);
	tls_ctx_free(client);
}

static void the_certificate_is_renewed_in_its_last_month(void **state)
{
	struct cert_fixture *f = *state;
	int64_t now = clock_wall_ms();
	ensure(f);
	X509 *ca = read_cert(f->paths.ca_file), *server = read_cert(f->paths.cert_file);
	clock_fake(now + INT64_C(366) * DAY_MS);
	ensure(f);
	assert_true(same_cert(f->paths.cert_file, server));
	clock_fake(now + INT64_C(368) * DAY_MS);
	ensure(f);
	assert_false(same_cert(f->paths.cert_file, server));
	assert_true(same_cert(f->paths.ca_file, ca));
	X509_free(ca);
	X509_free(server);
}

static void a_broken_pair_is_made_again(void **state)
{
	struct cert_fixture *f = *state;
	ensure(f);
	X509 *server = read_cert(f->paths.cert_file);
	FILE *file = fopen(f->paths.key_file, "we");
	assert_non_null(file);
	fputs("no key", file);
	fclose(file);
	ensure(f);
	assert_false(same_cert(f->paths.cert_file, server));
	X509_free(server);
	tls_takes_them(state);
}

static void assert_refused(struct cert_fixture *f, const char *word)
{
	struct err e = {0};
	struct devcert d;
	assert_int_equal(devcert_ensure(f->folder, &d, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.text, word));
	assert_string_not_equal(e.remedy, "");
}

static void half_a_ca_is_not_replaced(void **state)
{
	struct cert_fixture *f = *state;
	char ca_key[128];
	ensure(f);
	snprintf(ca_key, sizeof ca_key, "%s/ca.key", f->folder);
	assert_int_equal(unlink(ca_key), 0);
	assert_refused(f, "missing");
}

static void an_expired_ca_is_not_replaced(void **state)
{
	struct cert_fixture *f = *state;
	int64_t now = clock_wall_ms();
	ensure(f);
	clock_fake(now + INT64_C(3660) * DAY_MS);
	assert_refused(f, "expired");
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(the_certificate_is_good_for_this_machine),
		ROW(keys_are_for_the_owner_only),
		ROW(tls_takes_them),
		ROW(the_certificate_is_renewed_in_its_last_month),
		ROW(a_broken_pair_is_made_again),
		ROW(half_a_ca_is_not_replaced),
		ROW(an_expired_ca_is_not_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
