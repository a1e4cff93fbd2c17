/* request.h -- one request: its arena, its deadline, its reply.  Knows no methods.  Loop thread only.
 *
 * A handler ends each request exactly once, by request_reply() or request_fail().  The connection may be gone by then: the reply is
 * dropped, the handler need not care.  Memory of the arena, and so `body`, lives until the end. */
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
	const struct method *method;
	uint64_t id;
	uint64_t start_us, deadline_ms;	      /* monotonic */
	void (*on_drain)(struct request *r);  /* set by request_wait_drain() */
	struct request *prev, *next;	      /* of the connection */
};

/* Sends the reply (its id is filled in) and ends the request. */
void request_reply(struct request *r, Seve__Reply *reply);
/* Sends an error, with violations or NULL, and ends the request. */
void request_fail(struct request *r, const struct err *e);
void request_fail_with(struct request *r, const struct err *e, Seve__Violation **violations, size_t n);

/* Sends a frame that belongs to the answer, before the reply (a page). 0, or -ERR_UNAVAILABLE when the connection is gone. */
int request_send(struct request *r, enum frame_type type, const void *payload, size_t n);
/* Whether more may be sent now: below the connection's high-water mark. */
bool request_may_send(const struct request *r);
/* Calls back once when the connection has drained below its low-water mark, or is gone. */
void request_wait_drain(struct request *r, void (*fn)(struct request *r));
/* Bytes taken by the connection's queue, for fairness and metrics. */
bool request_gone(const struct request *r);

#endif
