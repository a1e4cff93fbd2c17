/* tls.h -- TLS 1.3 as a filter over memory: bytes in, bytes out.  Knows no sockets and no frames.
 * Any thread, one at a time per session.  RFC 8446 (TLS 1.3), RFC 7301 (ALPN "seve/1", mandatory on
 * both sides). */
#ifndef SEVE_TLS_H
#define SEVE_TLS_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"

#define TLS_ALPN "seve/1"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

/* Must stay where it is from tls_init() to tls_fini(). */
struct tls {
	SSL *ssl;        /* NULL once the session has failed */
	struct span in;  /* network bytes being fed; borrowed during tls_feed() only */
	struct buf *out; /* where produced network bytes go; the owner's */
	int out_rc;      /* why the last bytes did not fit into `out`, or 0 */
	bool ready;      /* handshake finished and ALPN checked */
	bool closed;     /* the peer sent close_notify */
};

/* A context for a server from PEM files: checks that key and certificate belong together and that
 * the certificate has not expired. The result is reference-counted by OpenSSL: sessions made from
 * it keep it alive after tls_ctx_free(). */
int tls_ctx_server(const char *cert_file, const char *key_file, SSL_CTX **out, struct err *e);
/* A context for a client that trusts only the certificates of `ca_file`, or, with ca_pem not NULL,
 * of that PEM text; both NULL: the system's. */
int tls_ctx_client(const char *ca_file, const char *ca_pem, SSL_CTX **out, struct err *e);
void tls_ctx_free(SSL_CTX *ctx);
/* SHA-256 of the CA certificate in hexadecimal (65 bytes with NUL): the pin that an invite carries.
 */
int tls_ca_pin(const char *ca_file, char out[static 65], struct err *e);

/* Starts a session.  `out` receives what must go to the network, also later from feed/write.
 * `server_name` is NULL on the server; on a client it is the name or address that the certificate
 * must carry. */
int tls_init(struct tls *t, SSL_CTX *ctx, const char *server_name, struct buf *out, struct err *e);
/* Idempotent. */
void tls_fini(struct tls *t);

/* Feeds all `n` network bytes: continues the handshake, then adds decrypted bytes to `plain`.
 * 0, or a negative code after which the session is dead (an alert may stand in `out`: send it, then
 * close). On a client the first call, with n = 0, starts the handshake. */
int tls_feed(struct tls *t, const void *bytes, size_t n, struct buf *plain, struct err *e);

/* Encrypts n bytes into `out`, in records of at most 16 KiB.  Only when ready. */
int tls_write(struct tls *t, const void *bytes, size_t n, struct err *e);

/* Adds close_notify to `out`, once. */
void tls_close(struct tls *t);

#endif
