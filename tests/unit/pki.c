/* pki.c -- keys and certificates for tests, made anew in a folder of their own. */
#include "pki.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define HOUR     3600L

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

struct pki_files pki;

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_true(X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}

/* Signed by `issuer`, or by itself; `names` NULL makes a CA. */
static struct identity make(const char *cn, const struct identity *issuer, const char *names,
			    long from, long to)
{
	static long serial = 1;
	struct identity id = {EVP_EC_gen("P-256"), X509_new()};
	assert_true(id.key && id.cert);
	X509_set_version(id.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), from);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), to);
	X509_set_pubkey(id.cert, id.key);
	X509_NAME *name = X509_get_subject_name(id.cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509 *by = issuer ? issuer->cert : id.cert;
	X509_set_issuer_name(id.cert, X509_get_subject_name(by));
	if (names)
		add_extension(id.cert, by, NID_subject_alt_name, names);
	else
		add_extension(id.cert, by, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(id.cert, issuer ? issuer->key : id.key, EVP_sha256()) > 0);
	return id;
}

static void drop(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
}

static void path_of(char out[static 96], const char *name)
{
	assert_true(snprintf(out, 96, "%s/%s", pki.dir, name) < 96);
}

static void write_cert(char out[static 96], const char *name, X509 *cert)
{
	path_of(out, name);
	FILE *f = fopen(out, "w");
	assert_non_null(f);
	assert_true(PEM_write_X509(f, cert));
	fclose(f);
}

static void write_key(char out[static 96], const char *name, EVP_PKEY *key, const char *password)
{
	path_of(out, name);
	FILE *f = fopen(out, "w");
	assert_non_null(f);
	assert_true(PEM_write_PKCS8PrivateKey(f, key, password ? EVP_aes_128_cbc() : NULL, password,
					      password ? (int)strlen(password) : 0, NULL, NULL));
	fclose(f);
}

int pki_make(void **state)
{
	(void)state;
	snprintf(pki.dir, sizeof pki.dir, "/tmp/seve-tls-XXXXXX");
	if (!mkdtemp(pki.dir))
		return -1;
	struct identity ca = make("Test CA", NULL, NULL, -HOUR, HOUR);
	struct identity other = make("Other CA", NULL, NULL, -HOUR, HOUR);
	struct identity leaf = make("leaf", &ca, PKI_NAMES, -HOUR, HOUR);
	struct identity old = make("old", &ca, PKI_NAMES, -2 * HOUR, -HOUR);
	write_cert(pki.ca, "ca.pem", ca.cert);
	write_cert(pki.other_ca, "other.pem", other.cert);
	write_cert(pki.cert, "cert.pem", leaf.cert);
	write_key(pki.key, "key.pem", leaf.key, NULL);
	write_key(pki.locked_key, "locked.pem", leaf.key, "secret");
	write_cert(pki.expired, "expired.pem", old.cert);
	write_key(pki.other_key, "other-key.pem", old.key, NULL);
	drop(&ca);
	drop(&other);
	drop(&leaf);
	drop(&old);
	return 0;
}

int pki_remove(void **state)
{
	(void)state;
	const char *const all[] = {pki.ca,      pki.other_ca,  pki.cert,      pki.key,
				   pki.expired, pki.other_key, pki.locked_key};
	for (size_t i = 0; i < COUNT(all); i++)
		unlink(all[i]);
	return rmdir(pki.dir);
}
