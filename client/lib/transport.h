/* transport.h -- one TLS connection to a server: a non-blocking socket, the TLS filter, frames.
 * Knows no protobuf and no requests.  One thread at a time.
 *
 * CLOSED ─open─► CONNECTING ─connected─► TLS ─handshake─► OPEN;  any failure or transport_close()
 * goes to CLOSED. */
#ifndef SEVE_LIB_TRANSPORT_H
#define SEVE_LIB_TRANSPORT_H

#include <netdb.h>

#include "frame.h"
#include "tls.h"

enum transport_state { TRANSPORT_CLOSED, TRANSPORT_CONNECTING, TRANSPORT_TLS, TRANSPORT_OPEN };

enum {
	TRANSPORT_TRY_MS = 10000,            /* to connect to one address */
	TRANSPORT_OUT_MAX = 8 * 1024 * 1024, /* bytes waiting for the network */
	TRANSPORT_PORT = 7433,
};

struct transport {
	enum transport_state state;
	int fd;
	SSL_CTX *ctx; /* borrowed */
	struct tls tls;
	struct buf out;   /* encrypted, for the network */
	struct buf plain; /* decrypted, not yet cut into frames */
	struct buf clear; /* one frame before it is encrypted */
	char host[256], port[8];
	struct addrinfo *addresses, *next; /* next: to be tried after the present one fails */
	uint64_t try_until_ms;             /* monotonic */
	uint64_t last_in_ms, last_out_ms;  /* when bytes last moved */
};

void transport_init(struct transport *t);
/* Closes.  Idempotent. */
void transport_close(struct transport *t);

/* "host:port", "[v6]:port", or a host alone.  0 or -ERR_INVALID. */
int transport_parse(const char *server, char host[static 256], char port[static 8], struct err *e);

/* Starts to connect.  Resolving the name may block (getaddrinfo); nothing else does.
 * The addresses are tried in turn.  `ctx` outlives the connection. */
int transport_open(struct transport *t, SSL_CTX *ctx, const char *server, struct err *e);

/* What to wait for: 1 readable, 2 writable. */
int transport_events(const struct transport *t);
/* Goes on with connecting, reads once, writes what can be written.
 * 1: something was read, call again after the frames have been taken; 0: wait; negative: the
 * connection is lost. */
int transport_step(struct transport *t, struct err *e);

/* A frame that has arrived: as frame_next(). Then transport_took(). */
int transport_next(struct transport *t, size_t max, struct frame *out, struct err *e);
void transport_took(struct transport *t, const struct frame *f);

/* Queues a frame (TRANSPORT_OPEN only) and tries to write it. */
int transport_send(struct transport *t, enum frame_type type, const void *payload, size_t n,
		   struct err *e);
/* Bytes that wait for the network. */
size_t transport_backlog(const struct transport *t);

#endif
