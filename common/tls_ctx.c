/* tls_ctx.c -- the contexts that TLS sessions are made from: certificates, trust, and the one
 * configuration of the protocol.  Knows no sessions. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "tls.h"
#include "tls_err.h"

static const unsigned char alpn[] = "\x06" TLS_ALPN; /* length, then name (RFC 7301 §3.1) */
enum { ALPN_LEN = sizeof alpn - 1 };

/* AES-128 first: every machine in use has it in hardware, and it costs least. */
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS "X25519:P-256"

/* A key under a passphrase must give an error, not a question on the terminal. */
static int no_passphrase(char *out, int size, int rwflag, void *data)
{
	(void)out;
	(void)size;
	(void)rwflag;
	(void)data;
	return -1;
}

static SSL_CTX *ctx_new(const SSL_METHOD *method, struct err *e)
{
	ERR_clear_error();
	SSL_CTX *ctx = SSL_CTX_new(method);
	if (ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
	    SSL_CTX_set_ciphersuites(ctx, SUITES) && SSL_CTX_set1_groups_list(ctx, GROUPS)) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_clear_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
		SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
		SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
		return ctx;
	}
	err_set(e, ERR_TLS, "TLS context: %s", tls_err_reason());
	SSL_CTX_free(ctx);
	return NULL;
}

/* No overlap is fatal: a client of another protocol learns it in the handshake. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned in_len, void *data)
{
	(void)ssl;
	(void)data;
	unsigned char *chosen;
	if (SSL_select_next_proto(&chosen, out_len, alpn, ALPN_LEN, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int file_error(const char *what, const char *path, struct err *e)
{
	FILE *f = fopen(path, "r");
	if (!f)
		return err_set(e, ERR_CONFIG, "%s %s: %s", what, path, strerror(errno));
	fclose(f);
	return err_set(e, ERR_CONFIG, "%s %s: %s", what, path, tls_err_reason());
}

static int check_expiry(SSL_CTX *ctx, const char *cert_file, struct err *e)
{
	const ASN1_TIME *end = X509_get0_notAfter(SSL_CTX_get0_certificate(ctx));
	struct tm tm;
	if (X509_cmp_current_time(end) > 0)
		return 0;
	if (!ASN1_TIME_to_tm(end, &tm))
		return err_set(e, ERR_CONFIG, "certificate %s: its end cannot be read", cert_file);
	err_set(e, ERR_CONFIG, "certificate %s: expired on %04d-%02d-%02d", cert_file,
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	return err_remedy(e, "renew it");
}

static int load_identity(SSL_CTX *ctx, const char *cert_file, const char *key_file, struct err *e)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1)
		return file_error("certificate", cert_file, e);
	EVP_PKEY *public = X509_get0_pubkey(SSL_CTX_get0_certificate(ctx));
	if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1) {
		const unsigned long code = ERR_peek_last_error();
		if (!public || ERR_GET_LIB(code) != ERR_LIB_X509)
			return file_error("private key", key_file, e);
		err_set(e, ERR_CONFIG, "private key %s does not belong to certificate %s", key_file,
			cert_file);
		return err_remedy(e, "give the key that the certificate was made with");
	}
	if (SSL_CTX_check_private_key(ctx) != 1)
		return file_error("private key", key_file, e);
	return check_expiry(ctx, cert_file, e);
}

int tls_ctx_server(const char *cert_file, const char *key_file, SSL_CTX **out, struct err *e)
{
	SSL_CTX *ctx = ctx_new(TLS_server_method(), e);
	if (!ctx)
		return -ERR_TLS;
	int rc = load_identity(ctx, cert_file, key_file, e);
	ERR_clear_error();
	if (rc < 0) {
		SSL_CTX_free(ctx);
		return rc;
	}
	/* Idle sessions must be cheap; tickets would allow what we never use, and cost a write. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	*out = ctx;
	return 0;
}

/* Adds every certificate of the PEM text; returns how many, or a negative code. */
static int trust_all(X509_STORE *store, BIO *pem)
{
	int n = 0;
	X509 *cert;
	while ((cert = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL)) != NULL) {
		int added = X509_STORE_add_cert(store, cert);
		X509_free(cert);
		if (!added)
			return -ERR_CONFIG;
		n++;
	}
	/* The end of a PEM file is an error to OpenSSL; anything else is one to us. */
	const unsigned long code = ERR_peek_last_error();
	if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
		return -ERR_CONFIG;
	return n;
}

static int load_trust(SSL_CTX *ctx, const char *ca_file, const char *ca_pem, struct err *e)
{
	if (!ca_file && !ca_pem) {
		if (SSL_CTX_set_default_verify_paths(ctx) == 1)
			return 0;
		return err_set(e, ERR_CONFIG, "this system's certificates: %s", tls_err_reason());
	}
	const char *name = ca_pem ? "(in memory)" : ca_file;
	BIO *pem = ca_pem ? BIO_new_mem_buf(ca_pem, -1) : BIO_new_file(ca_file, "r");
	if (!pem)
		return err_set(e, ERR_CONFIG, "CA certificate %s: %s", name,
			       ca_pem ? "out of memory" : strerror(errno));
	ERR_clear_error();
	int n = trust_all(SSL_CTX_get_cert_store(ctx), pem);
	BIO_free(pem);
	if (n > 0)
		return 0;
	err_set(e, ERR_CONFIG, "CA certificate %s: %s", name,
		n < 0 ? tls_err_reason() : "there is no certificate in it");
	return err_remedy(e, "give a file with lines \"-----BEGIN CERTIFICATE-----\"");
}

int tls_ctx_client(const char *ca_file, const char *ca_pem, SSL_CTX **out, struct err *e)
{
	SSL_CTX *ctx = ctx_new(TLS_client_method(), e);
	if (!ctx)
		return -ERR_TLS;
	int rc = load_trust(ctx, ca_file, ca_pem, e);
	if (rc == 0 && SSL_CTX_set_alpn_protos(ctx, alpn, ALPN_LEN) != 0)
		rc = err_set(e, ERR_NOMEM, "TLS context");
	ERR_clear_error();
	if (rc < 0) {
		SSL_CTX_free(ctx);
		return rc;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	*out = ctx;
	return 0;
}

void tls_ctx_free(SSL_CTX *ctx)
{
	SSL_CTX_free(ctx);
}

int tls_ca_pin(const char *ca_file, char out[static 65], struct err *e)
{
	ERR_clear_error();
	BIO *pem = BIO_new_file(ca_file, "r");
	X509 *cert = pem ? PEM_read_bio_X509(pem, NULL, no_passphrase, NULL) : NULL;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int rc = 0;
	if (!cert)
		rc = file_error("CA certificate", ca_file, e);
	else if (!X509_digest(cert, EVP_sha256(), digest, &len))
		rc = err_set(e, ERR_TLS, "CA certificate %s: %s", ca_file, tls_err_reason());
	else
		for (unsigned i = 0; i < 32; i++)
			snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
	X509_free(cert);
	BIO_free(pem);
	ERR_clear_error();
	return rc;
}
