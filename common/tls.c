/* tls.c -- one TLS session as a filter over memory.  Contexts are made in tls_ctx.c, OpenSSL's
 * reasons become texts in tls_err.c.  Knows no sockets and no frames.
 *
 * One BIO of our own reads from the bytes being fed and writes into the owner's buffer: memory BIOs
 * would keep two buffers for each idle connection. */
#include "tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

#include "tls_err.h"

enum { READ_LEAST = 256, READ_MOST = SSL3_RT_MAX_PLAIN_LENGTH };

static int net_read(BIO *bio, char *out, size_t n, size_t *got)
{
	struct tls *t = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (t->in.len == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	if (n > t->in.len)
		n = t->in.len;
	memcpy(out, t->in.at, n);
	t->in.at += n;
	t->in.len -= n;
	*got = n;
	return 1;
}

static int net_write(BIO *bio, const char *p, size_t n, size_t *put)
{
	struct tls *t = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	t->out_rc = buf_add(t->out, p, n);
	if (t->out_rc < 0)
		return 0;
	*put = n;
	return 1;
}

static long net_ctrl(BIO *bio, int command, long number, void *p)
{
	(void)bio;
	(void)number;
	(void)p;
	return command == BIO_CTRL_FLUSH; /* there is nothing else that memory needs told */
}

static BIO_METHOD *net_method;

static void net_method_new(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "seve memory");
	if (!m)
		return;
	if (BIO_meth_set_read_ex(m, net_read) && BIO_meth_set_write_ex(m, net_write) &&
	    BIO_meth_set_ctrl(m, net_ctrl))
		net_method = m;
	else
		BIO_meth_free(m);
}

static BIO *net_bio(struct tls *t)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, net_method_new);
	BIO *bio = net_method ? BIO_new(net_method) : NULL;
	if (bio) {
		BIO_set_data(bio, t);
		BIO_set_init(bio, 1);
	}
	return bio;
}

/* The certificate must carry this address, or this name; only names are sent in clear (SNI). */
static bool expect_name(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, name))
		return true;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, name, 0) && SSL_set_tlsext_host_name(ssl, name);
}

/* The queue must be empty before OpenSSL is asked for something that may fail.  It nearly always
 * is, and clearing costs ten times as much as looking. */
static void forget_errors(void)
{
	if (ERR_peek_error())
		ERR_clear_error();
}

int tls_init(struct tls *t, SSL_CTX *ctx, const char *server_name, struct buf *out, struct err *e)
{
	ERR_clear_error();
	SSL *ssl = SSL_new(ctx);
	BIO *bio = ssl ? net_bio(t) : NULL;
	if (!bio) {
		SSL_free(ssl);
		return err_set(e, ERR_NOMEM, "new TLS session");
	}
	SSL_set_bio(ssl, bio, bio);
	if (!server_name)
		SSL_set_accept_state(ssl);
	else if (*server_name && expect_name(ssl, server_name))
		SSL_set_connect_state(ssl);
	else {
		SSL_free(ssl);
		return err_set(e, ERR_INVALID, "\"%.80s\" is neither a host name nor an address",
			       server_name);
	}
	*t = (struct tls){.ssl = ssl, .out = out};
	return 0;
}

void tls_fini(struct tls *t)
{
	SSL_free(t->ssl);
	t->ssl = NULL;
	t->ready = false;
}

/* Tells why, and ends the session; the alert, if any, has been written already. */
static int fail(struct tls *t, struct err *e)
{
	int rc = t->out_rc < 0 ? err_set(e, (enum err_code) - t->out_rc,
					 "no room for the TLS bytes to be sent")
			       : tls_err_set(t->ssl, e);
	ERR_clear_error();
	tls_fini(t);
	return rc;
}

static int check_alpn(struct tls *t, struct err *e)
{
	const unsigned char *protocol;
	unsigned len;
	SSL_get0_alpn_selected(t->ssl, &protocol, &len);
	if (len == strlen(TLS_ALPN) && memcmp(protocol, TLS_ALPN, len) == 0)
		return 0;
	const bool server = SSL_is_server(t->ssl);
	SSL_shutdown(t->ssl);
	ERR_clear_error();
	tls_fini(t);
	err_set(e, ERR_TLS, "the %s speaks TLS, but not the protocol " TLS_ALPN " inside it (ALPN)",
		server ? "client" : "server");
	return err_remedy(e, server ? "connect with seve or libseve"
				    : "check address and port: something else answers there");
}

/* 0: goes on with more bytes; ready tells when it is over. */
static int handshake(struct tls *t, struct err *e)
{
	int rc = SSL_do_handshake(t->ssl);
	if (rc != 1)
		return SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ ? 0 : fail(t, e);
	rc = check_alpn(t, e);
	if (rc == 0)
		t->ready = true;
	return rc;
}

/* Decrypts into `plain` until OpenSSL asks for bytes that have not come yet. */
static int read_all(struct tls *t, struct buf *plain, struct err *e)
{
	while (!t->closed) {
		const size_t room = plain->max - buf_len(plain);
		size_t n = t->in.len < READ_LEAST  ? READ_LEAST
			   : t->in.len > READ_MOST ? READ_MOST
						   : t->in.len;
		n = n < room ? n : room;
		uint8_t *at = n ? buf_reserve(plain, n) : NULL;
		if (!at) {
			tls_fini(t);
			return err_set(e, n ? ERR_NOMEM : ERR_TOO_BIG,
				       n ? "decrypted bytes" : "more was sent than can be held");
		}
		size_t got = 0;
		int rc = SSL_read_ex(t->ssl, at, n, &got);
		if (rc == 1) {
			buf_commit(plain, got);
			/* Asking once more would only cost: buffers are made for each question. */
			if (t->in.len == 0 && !SSL_has_pending(t->ssl))
				return 0;
			continue;
		}
		int why = SSL_get_error(t->ssl, rc);
		if (why == SSL_ERROR_WANT_READ)
			return 0;
		if (why != SSL_ERROR_ZERO_RETURN)
			return fail(t, e);
		t->closed = true;
	}
	return 0;
}

int tls_feed(struct tls *t, const void *bytes, size_t n, struct buf *plain, struct err *e)
{
	if (!t->ssl)
		return err_set(e, ERR_TLS, "the TLS session has ended");
	t->in = (struct span){bytes, n};
	forget_errors();
	int rc = t->ready ? 0 : handshake(t, e);
	if (rc == 0 && t->ready)
		rc = read_all(t, plain, e);
	t->in = (struct span){NULL, 0};
	return rc;
}

int tls_write(struct tls *t, const void *bytes, size_t n, struct err *e)
{
	if (!t->ssl || !t->ready)
		return err_set(e, ERR_TLS, "the TLS session is not open");
	forget_errors();
	size_t put;
	if (n > 0 && !SSL_write_ex(t->ssl, bytes, n, &put))
		return fail(t, e);
	return 0;
}

void tls_close(struct tls *t)
{
	if (!t->ssl || !t->ready || (SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
		return;
	ERR_clear_error();
	SSL_shutdown(t->ssl);
	ERR_clear_error();
}
