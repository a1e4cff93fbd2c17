/* request.h -- one request: its arena, its deadline, its reply.  Knows no methods.  Loop thread
 * only.
 *
 * A handler ends each request exactly once, by request_reply() or request_fail().  The connection
 * may be gone by then: the reply is dropped, the handler need not care.  Memory of the arena, and
 * so `body`, lives until the end. */
#ifndef SEVED_REQUEST_H
#define SEVED_REQUEST_H

#include "arena.h"
#include "authz.h"
#include "envelope.pb-c.h"
#include "frame.h"

struct conn;
struct method;
struct server;

struct request {
	struct server *server;
	struct conn *conn; /* NULL once the connection is gone */
	struct principal *who;
	struct arena arena;
	const Seve__Request *body;
	struct span payload; /* what `body` was read from: only until the handler returns */
	const struct method *method;
	uint64_t id;
	uint64_t start_us, deadline_ms;      /* monotonic */
	void *handler;                       /* the handler's own, for its callbacks */
	void (*on_drain)(struct request *r); /* set by request_wait_drain() */
	size_t drain_below;                  /* bytes, for on_drain */
	/* For what lasts: nobody listens any more; the handler ends the request. */
	void (*on_gone)(struct request *r);
	void (*on_credit)(struct request *r, uint64_t bytes); /* the client takes more */
	struct request *prev, *next;                          /* of the connection */
	struct request *all_prev, *all_next;                  /* of the server */
	bool answered; /* by its time-out or a cancel: what comes later is dropped */
	bool waking;   /* on_gone, or on_drain, is to be called although the connection is gone */
};

enum {
	REQUEST_SPARE = 64, /* structs kept for reuse */
	REQUEST_DECODE_MIN =
		64 * 1024, /* ceiling of a decoded request, in bytes, at least and at most */
	REQUEST_DECODE_MAX = 8 * 1024 * 1024,
	REQUEST_DECODE_FACTOR = 32, /* memory for a byte of request: rows of few bytes are large
				       structures, each field has its place in them */
	REQUEST_ARENA_MAX = 24 * 1024 * 1024, /* with what its handler needs */
	REQUEST_SLOW_MS = 500,
};

/* All requests of a server. */
struct requests {
	struct request *all;   /* under way */
	struct request *spare; /* kept for reuse, linked by next */
	size_t n, n_spare, n_waking;
};

void requests_fini(struct requests *all);
/* Answers what is past its deadline; the handlers are not disturbed. */
void requests_sweep(struct server *s);
/* Calls back those whose connection went while they waited for it to drain. */
void requests_wake(struct server *s);

/* Decodes a request and hands it to its method. 0, or an error that ends the connection: its id
 * could not be read. */
int request_begin(struct conn *c, struct span payload, struct err *e);
/* Best effort: a reading request is answered at once, a write goes on. */
void request_cancel(struct conn *c, struct span payload);
/* A WatchNote of the client: its request may send so many bytes more. */
void request_credit(struct conn *c, struct span payload);
/* The connection is going: its requests go on without it. */
void request_orphan(struct request *r);

/* Sends the reply (its id is filled in) and ends the request. */
void request_reply(struct request *r, Seve__Reply *reply);
/* Sends an error, with violations or NULL, and ends the request. */
void request_fail(struct request *r, const struct err *e);
void request_fail_with(struct request *r, const struct err *e, Seve__Violation **violations,
		       size_t n);

/* Sends a frame that belongs to the answer, before the reply (a page). 0, or -ERR_UNAVAILABLE when
 * the connection is gone. */
int request_send(struct request *r, enum frame_type type, const void *payload, size_t n);
/* Whether more may be sent now: below the connection's high-water mark. */
bool request_may_send(const struct request *r);
/* Calls back once when the connection has drained below its low-water mark, or is gone. */
void request_wait_drain(struct request *r, void (*fn)(struct request *r));
/* The same with a mark of one's own, in bytes. */
void request_wait_below(struct request *r, size_t bytes, void (*fn)(struct request *r));
/* Whether nobody waits for the answer any more: work that changes nothing may stop. */
bool request_gone(const struct request *r);

#endif
