/* session.h -- a session with the server: connection, Hello and Welcome, calls in flight, pings,
 * GOAWAY. Knows no store and no method.  Does not reconnect by itself: that is its owner's
 * decision.  One thread at a time.
 *
 * CLOSED ─start─► CONNECTING ─TLS up, Hello sent─► HELLO ─Welcome─► READY ─GOAWAY─► LEAVING;  any
 * failure goes to CLOSED. */
#ifndef SEVE_LIB_SESSION_H
#define SEVE_LIB_SESSION_H

#include "call.h"
#include "transport.h"
#include "uuid.h"

enum session_state {
	SESSION_CLOSED,
	SESSION_CONNECTING,
	SESSION_HELLO,
	SESSION_READY,
	SESSION_LEAVING
};

enum {
	SESSION_PROTO = 1,
	SESSION_SCHEMA = 1,
	SESSION_FLYING_MAX = 32,
	SESSION_READY_MS = 25000, /* from the start until Welcome */
	SESSION_PING_MS = 45000,  /* silence before a ping */
	SESSION_PONG_MS = 30000,  /* silence after a ping: the connection is lost */
};

struct session {
	enum session_state state;
	struct transport net;
	struct calls calls;
	struct arena arena; /* of what is being handled: a reply, a page */
	uint8_t *hello;     /* packed, until sent: it holds a secret */
	size_t n_hello;
	size_t flying_max;
	struct err last;                  /* why it was closed */
	uint64_t ready_until_ms, ping_ms; /* ping_ms: when the unanswered ping left, 0: none */
	/* The Welcome has come: 0, or an error that closes the session.  Set by the owner before
	 * the start. */
	int (*on_welcome)(void *ctx, const Seve__Welcome *w, struct err *e);
	void *ctx;
};

void session_init(struct session *s);
/* Fails all calls (with ERR_CANCELLED) and closes. */
void session_fini(struct session *s);

/* Starts to connect; `hello` is packed at once.  Only when CLOSED. */
int session_start(struct session *s, SSL_CTX *ctx, const char *server, const Seve__Hello *hello,
		  struct err *e);

/* Queues a call; it leaves as soon as the session is READY.  -ERR_UNAVAILABLE when CLOSED. */
int session_submit(struct session *s, Seve__Request *req, const struct call_want *want,
		   uint64_t *id, struct err *e);
/* Forgets a call: its `done` is not called; the server is told when it was sent. */
void session_cancel(struct session *s, uint64_t id);

/* A watch may send so many bytes more. */
void session_grant(struct session *s, uint64_t id, uint64_t bytes);

int session_fd(const struct session *s);           /* -1 when CLOSED */
int session_events(const struct session *s);       /* 1 readable, 2 writable */
uint64_t session_wake_ms(const struct session *s); /* monotonic, UINT64_MAX: never */
/* Does what can be done without blocking.  0, or the error that closed the session: all calls have
 * then failed with it. */
int session_process(struct session *s, struct err *e);

#endif
