/* conn.h -- one client: socket, TLS, frames in and out, its requests.  Knows no methods and no SQL.
 * Loop thread only.
 *
 * The phase of a connection is the list that it stands on; only conn_move() and conn_kill() in
 * conn.c change it:
 *
 *   ACCEPTED ─first byte─► HANDSHAKE ─TLS ready─► HELLO ─authenticated─► READY
 *       └──────────────────────┴────any error───────┴──────────────────────┴──► CLOSING ─► gone
 *
 * Each list is in order of deadline, so the sweep, once a second, looks only at what is overdue.
 * A connection that idles owns this struct, its TLS session and nothing else. */
#ifndef SEVED_CONN_H
#define SEVED_CONN_H

#include <uv.h>

#include <protobuf-c/protobuf-c.h>

#include "authz.h"
#include "frame.h"
#include "source.h"
#include "tls.h"

enum {
	CONN_INFLIGHT_MAX = 32, /* requests; beyond them the socket is not read */
	CONN_OUT_HIGH =
		1024 *
		1024, /* bytes that wait to be sent: the socket is not read, handlers pause */
	CONN_OUT_LOW = 256 * 1024,       /* handlers go on */
	CONN_OUT_HARD = 4 * 1024 * 1024, /* the connection is closed */
	CONN_CLOSE_MS = 2000,            /* for the peer to read a last error */
	CONN_BUSY_SPARE = 64,            /* connections above the limit that are told so */
};

enum conn_phase {
	CONN_ACCEPTED,
	CONN_HANDSHAKE,
	CONN_HELLO,
	CONN_READY,
	CONN_CLOSING,
	CONN_PHASES
};

struct hello;
struct output;
struct request;
struct server;

struct conn {
	uv_tcp_t tcp;
	struct server *server;
	struct tls tls;
	struct buf in;            /* decrypted bytes that are no whole frame yet, or must wait */
	struct buf out;           /* encrypted bytes for the socket */
	struct output *writing;   /* handed to libuv */
	struct principal *who;    /* from READY on */
	struct hello *hello;      /* authentication under way */
	struct request *requests; /* under way */
	struct conn *prev, *next; /* of the phase's list */
	struct conn *turn_prev, *turn_next;
	uint64_t deadline_ms; /* monotonic, like the others */
	uint64_t opened_ms, progress_ms;
	uint64_t serial; /* for logs */
	size_t left;     /* bytes that `writing` still had at the last sweep */
	uint16_t n_requests;
	uint8_t phase;
	struct source_key source;
	bool counted : 1; /* source_enter() noted it */
	bool reading : 1;
	bool in_turn : 1;
	bool busy : 1;  /* above the limit: to be told so */
	bool shut : 1;  /* the sending side is shut down */
	bool going : 1; /* GOAWAY was sent: no new requests */
};

struct conn_list {
	struct conn *first, *last;
	size_t n;
};

/* All connections of a server. */
struct conns {
	struct conn_list phase[CONN_PHASES];
	size_t n;          /* open handles, closing ones included */
	struct conn *turn; /* to be looked at before the loop sleeps */
	struct sources *sources;
	struct buf plain; /* what a read decrypts into when nothing waits in conn.in */
	struct buf frame; /* a frame being made */
	uint64_t serial;
};

/* conns.c */
int conns_init(struct conns *all, struct err *e);
void conns_fini(struct conns *all); /* all connections are gone */
/* Flushes what was written, resumes what was paused: after polling, and before the loop sleeps. */
void conns_turn(struct server *s);
/* What was sent in this turn leaves now. */
void conns_flush(struct server *s);
/* Once a second. */
void conns_sweep(struct server *s);
/* Says goodbye: connections close as soon as their requests are done. */
void conns_drain(struct server *s);
/* Closes all at once. */
void conns_kill(struct server *s);
/* Principals were replaced or closed (auth.c): sessions follow. */
void conns_follow(struct server *s);
/* Ends all sessions, at once: each client is told why and when to come back. */
void conns_expel(struct server *s, const struct err *why);
size_t conns_unauthenticated(const struct conns *all);

/* Takes a connection from the listening socket.  0, or an error when nothing was made. */
int conn_accept(struct server *s, uv_stream_t *listener, struct err *e);
/* The outcome of auth_hello(): takes a reference to `who`; or tells the client why not, and counts
 * the failure. */
void conn_authenticated(struct conn *c, struct principal *who);
void conn_refuse(struct conn *c, const struct err *e);

/* Sends a frame; the bytes leave when the loop turns.  -ERR_TOO_BIG: larger than a frame, nothing
 * was sent; -ERR_UNAVAILABLE: the connection is gone or going. */
int conn_send(struct conn *c, enum frame_type type, const ProtobufCMessage *m);
int conn_send_bytes(struct conn *c, enum frame_type type, const void *payload, size_t n);
/* Tells the client why, then closes.  Logs `reason`, a fixed word. */
void conn_fail(struct conn *c, const struct err *e, const char *reason);
/* Closes in peace: what waits is sent first. */
void conn_close(struct conn *c, const char *reason);
/* Closes at once. Idempotent, like the two above. */
void conn_kill(struct conn *c, const char *reason);

/* Bytes that wait to be sent. */
size_t conn_pending(const struct conn *c);
/* Has it looked at before the loop sleeps. */
void conn_touch(struct conn *c);
/* Does it: takes frames that waited, flushes, calls handlers back, pauses or resumes reading. */
void conn_settle(struct conn *c);
/* Its deadline has passed. */
void conn_overdue(struct conn *c, uint64_t now_ms);
/* Sends what waits as far as the socket takes it (conn_out.c). */
void conn_flush(struct conn *c);
/* Whether bytes have waited for `limit_ms` without one being taken (conn_out.c). */
bool conn_stalled(struct conn *c, uint64_t now_ms, uint64_t limit_ms);

#endif
