/* devcert.c -- a development CA and a server certificate: see devcert.h.  Profile: RFC 5280 §4.2,
 * validity as in the baseline requirements for server certificates (398 days at most). */
#include "devcert.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

enum {
	CA_DAYS = 3653,
	SERVER_DAYS = 397,
	RENEW_DAYS = 30,
	BACK_SECONDS = 300, /* clocks of clients may be behind */
};

struct pair {
	X509 *cert;
	EVP_PKEY *key;
};

struct extension {
	int nid;
	const char *value;
};

static void pair_free(struct pair *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
	*p = (struct pair){0};
}

static int crypto_failed(struct err *e, const char *what)
{
	char text[160];
	ERR_error_string_n(ERR_get_error(), text, sizeof text);
	ERR_clear_error();
	return err_set(e, ERR_TLS, "%s: %s", what, text);
}

/* ---- making ---- */

static bool add_extensions(X509 *cert, X509 *issuer, const struct extension *list)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	for (; list->value; list++) {
		X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, list->nid, list->value);
		bool ok = x && X509_add_ext(cert, x, -1);
		X509_EXTENSION_free(x);
		if (!ok)
			return false;
	}
	return true;
}

/* 127 random bits: positive and never the same twice. */
static bool set_serial(X509 *cert)
{
	unsigned char bytes[16];
	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	bytes[0] &= 0x7f;
	BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
	bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
	BN_free(n);
	return ok;
}

static bool set_validity(X509 *cert, int days)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	return X509_time_adj_ex(X509_getm_notBefore(cert), 0, -BACK_SECONDS, &now) &&
	       X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, &now);
}

static bool set_name(X509_NAME *name, const char *cn)
{
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1,
					  -1, 0);
}

/* A new key and its certificate, signed by `ca`, or by itself where that is NULL. */
static int make_pair(const struct pair *ca, const char *cn, int days, const struct extension *list,
		     struct pair *out, struct err *e)
{
	struct pair p = {X509_new(), EVP_EC_gen("P-256")};
	if (!p.cert || !p.key)
		goto fail;
	const struct pair *issuer = ca ? ca : &p;
	if (!X509_set_version(p.cert, X509_VERSION_3) || !set_serial(p.cert) ||
	    !set_validity(p.cert, days) || !set_name(X509_get_subject_name(p.cert), cn) ||
	    !X509_set_issuer_name(p.cert, X509_get_subject_name(issuer->cert)) ||
	    !X509_set_pubkey(p.cert, p.key) || !add_extensions(p.cert, issuer->cert, list) ||
	    !X509_sign(p.cert, issuer->key, EVP_sha256()))
		goto fail;
	*out = p;
	return 0;
fail:
	pair_free(&p);
	return crypto_failed(e, "making a certificate");
}

static int make_ca(struct pair *out, struct err *e)
{
	static const struct extension list[] = {
		{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
		{NID_key_usage, "critical,keyCertSign,cRLSign"},
		{NID_subject_key_identifier, "hash"},
		{0, NULL},
	};
	return make_pair(NULL, "Seve development CA", CA_DAYS, list, out, e);
}

static int make_server(const struct pair *ca, struct pair *out, struct err *e)
{
	static const struct extension list[] = {
		{NID_basic_constraints, "critical,CA:FALSE"},
		{NID_key_usage, "critical,digitalSignature"},
		{NID_ext_key_usage, "serverAuth"},
		{NID_subject_key_identifier, "hash"},
		{NID_authority_key_identifier, "keyid"},
		{NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"},
		{0, NULL},
	};
	return make_pair(ca, "localhost", SERVER_DAYS, list, out, e);
}

/* ---- files ---- */

static int write_pem(FILE *f, const char *path, X509 *cert, EVP_PKEY *key, struct err *e)
{
	bool ok = cert ? PEM_write_X509(f, cert)
		       : PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	if (!ok)
		return crypto_failed(e, path);
	if (fflush(f) != 0 || fsync(fileno(f)) < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	return 0;
}

/* Writes one of the two, so that the file is there whole or not at all. */
static int save(const char *path, mode_t mode, X509 *cert, EVP_PKEY *key, struct err *e)
{
	char temporary[520];
	snprintf(temporary, sizeof temporary, "%s.new", path);
	if (unlink(temporary) < 0 && errno != ENOENT)
		return err_set(e, ERR_IO, "%s: %s", temporary, strerror(errno));
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		int rc = err_set(e, ERR_IO, "%s: %s", temporary, strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	int rc = write_pem(f, temporary, cert, key, e);
	if (fclose(f) != 0 && rc == 0)
		rc = err_set(e, ERR_IO, "%s: %s", temporary, strerror(errno));
	if (rc == 0 && rename(temporary, path) < 0)
		rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	if (rc < 0)
		unlink(temporary);
	return rc;
}

/* The key first: a certificate without its key is recognised and made again. */
static int save_pair(const struct pair *p, const char *cert_file, const char *key_file,
		     struct err *e)
{
	int rc = save(key_file, 0600, NULL, p->key, e);
	return rc < 0 ? rc : save(cert_file, 0644, p->cert, NULL, e);
}

/* 1 when both were read, 0 when a file is missing, or an error. */
static int load_pair(const char *cert_file, const char *key_file, struct pair *out, struct err *e)
{
	struct pair p = {0};
	int rc = 0;
	FILE *cert = fopen(cert_file, "re"), *key = fopen(key_file, "re");
	if ((!cert || !key) && errno != ENOENT)
		rc = err_set(e, ERR_IO, "%s: %s", cert ? key_file : cert_file, strerror(errno));
	if (cert && key) {
		p.cert = PEM_read_X509(cert, NULL, NULL, NULL);
		p.key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
		rc = p.cert && p.key && X509_check_private_key(p.cert, p.key) == 1
			     ? 1
			     : crypto_failed(e, cert_file);
	}
	if (cert)
		fclose(cert);
	if (key)
		fclose(key);
	if (rc == 1)
		*out = p;
	else
		pair_free(&p);
	return rc;
}

/* Whole days until it expires; negative once it has. */
static int days_left(const X509 *cert)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	ASN1_TIME *t = ASN1_TIME_set(NULL, now);
	int days = -1, seconds = 0;
	if (!t || !ASN1_TIME_diff(&days, &seconds, t, X509_get0_notAfter(cert)))
		days = -1;
	ASN1_TIME_free(t);
	return days < 0 || seconds < 0 ? -1 : days;
}

static int ensure_ca(const char *cert_file, const char *key_file, struct pair *ca, struct err *e)
{
	int rc = load_pair(cert_file, key_file, ca, e);
	if (rc == 0 && (access(cert_file, F_OK) == 0 || access(key_file, F_OK) == 0))
		rc = err_set(e, ERR_CONFIG, "one of %s and %s is missing", cert_file, key_file);
	if (rc == 1 && days_left(ca->cert) < 1) {
		rc = err_set(e, ERR_CONFIG, "%s has expired", cert_file);
		pair_free(ca);
	}
	if (rc < 0)
		return err_remedy(e, "restore it, or remove both files to begin with a new CA: "
				     "clients must then be invited again");
	if (rc == 1)
		return 0;
	rc = make_ca(ca, e);
	if (rc == 0 && (rc = save_pair(ca, cert_file, key_file, e)) < 0)
		pair_free(ca);
	return rc;
}

static bool is_good(const struct pair *server, const struct pair *ca)
{
	bool good =
		X509_verify(server->cert, ca->key) == 1 && days_left(server->cert) >= RENEW_DAYS;
	ERR_clear_error();
	return good;
}

static int ensure_server(const struct pair *ca, const char *cert_file, const char *key_file,
			 struct err *e)
{
	struct pair server = {0};
	struct err unreadable; /* what cannot be read is made anew */
	bool good =
		load_pair(cert_file, key_file, &server, &unreadable) == 1 && is_good(&server, ca);
	pair_free(&server);
	if (good)
		return 0;
	int rc = make_server(ca, &server, e);
	if (rc == 0)
		rc = save_pair(&server, cert_file, key_file, e);
	pair_free(&server);
	return rc;
}

int devcert_ensure(const char *folder, struct devcert *out, struct err *e)
{
	if (strlen(folder) > 480)
		return err_set(e, ERR_CONFIG, "the path of the certificates' folder is too long");
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
	struct devcert d;
	char ca_key[512];
	snprintf(d.ca_file, sizeof d.ca_file, "%s/ca.pem", folder);
	snprintf(d.cert_file, sizeof d.cert_file, "%s/server.pem", folder);
	snprintf(d.key_file, sizeof d.key_file, "%s/server.key", folder);
	snprintf(ca_key, sizeof ca_key, "%s/ca.key", folder);
	struct pair ca = {0};
	int rc = ensure_ca(d.ca_file, ca_key, &ca, e);
	if (rc == 0)
		rc = ensure_server(&ca, d.cert_file, d.key_file, e);
	pair_free(&ca);
	if (rc == 0)
		*out = d;
	return rc;
}
