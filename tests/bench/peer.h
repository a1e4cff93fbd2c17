/* peer.h -- one connection to the service, for one thread that waits itself: TLS, frames, calls.
 * Knows no methods.  One thread for all peers (they share a buffer). */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "arena.h"
#include "envelope.pb-c.h"
#include "frame.h"
#include "place.h"
#include "uuid.h"

struct peer {
	int fd; /* non-blocking */
	struct tls tls;
	struct buf out, in;
	struct uuid client;
	uint64_t id;      /* of the newest request */
	uint64_t sent_ns; /* for whoever measures */
	uint64_t mid;     /* of the newest mutation */
};

/* Connects, shakes hands, says Hello and waits for the Welcome, which lives in `a`.  With `invite`
 * not NULL it enrols, else the place's token authenticates.  Must stay where it is until
 * peer_close(). */
int peer_open(struct peer *p, const struct place *place, const char *invite, struct arena *a,
	      Seve__Welcome **welcome, struct err *e);
/* Idempotent after peer_open(), whatever that returned. */
void peer_close(struct peer *p);

/* Encrypts a frame and sends what the socket takes. */
int peer_send(struct peer *p, enum frame_type type, const void *payload, size_t n, struct err *e);
/* The same with a request, which gets the next id. */
int peer_request(struct peer *p, Seve__Request *q, struct err *e);

/* Sends what waits.  1 when some of it must wait for the socket. */
int peer_flush(struct peer *p, struct err *e);
/* Reads once.  1 when bytes came, 0 when there are none. */
int peer_take(struct peer *p, struct err *e);

/* The next frame, if it is whole: 1, 0 for none.  It is borrowed until peer_drop() or the next
 * reading.  Frames that end the session are errors. */
int peer_next(struct peer *p, struct frame *f, struct err *e);
void peer_drop(struct peer *p, const struct frame *f);

/* Waits for the next frame. */
int peer_wait(struct peer *p, struct frame *f, struct err *e);
/* Sends a request and waits for its reply, which lives in `a`; a reply that is an error is one
 * here. */
int peer_call(struct peer *p, Seve__Request *q, struct arena *a, Seve__Reply **reply,
	      struct err *e);

/* The reply's error, taken over: 0 when it has none. */
int peer_reply_error(const Seve__Reply *r, struct err *e);

#endif
