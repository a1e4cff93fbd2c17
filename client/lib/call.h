/* call.h -- requests under way: packed, waiting for their turn, sent, answered once.
 * Knows no sockets and no methods.  One thread at a time. */
#ifndef SEVE_LIB_CALL_H
#define SEVE_LIB_CALL_H

#include <stdbool.h>

#include "arena.h"
#include "envelope.pb-c.h"
#include "err.h"

/* What the caller wants of a call. */
struct call_want {
	/* Exactly once, never from inside the submission: a reply, or NULL and the error.  The
	 * reply lives in `arena`, or, when that is NULL, until the function returns. */
	void (*done)(void *ctx, const Seve__Reply *reply, const struct err *err);
	/* For each page that comes before the reply; NULL: none is expected.  An error ends the
	 * call. */
	int (*page)(void *ctx, const Seve__Page *page, struct err *e);
	/* The same for notes beside the pages of a watch. */
	int (*note)(void *ctx, const Seve__WatchNote *note, struct err *e);
	void *ctx;
	struct arena *arena;
	uint32_t timeout_ms; /* from the submission, or from the last page */
	bool streams; /* takes as long as it takes: the server gets no deadline, pages put off ours
		       */
	bool lasts;   /* until it is cancelled: there is no deadline at all */
	bool writes;  /* if the connection breaks after it was sent, its outcome is unknown */
};

struct call {
	uint64_t id;
	struct call_want want;
	uint64_t deadline_ms; /* monotonic */
	uint8_t *bytes;       /* the packed Request; NULL once sent */
	size_t n;
	struct call *prev, *next;
};

struct calls {
	struct call *waiting, *flying;
	size_t n_flying;
	uint64_t last_id;
};

/* Packs the request (its id and deadline are filled in) and puts it last.  0, -ERR_TOO_BIG,
 * -ERR_NOMEM. */
int calls_add(struct calls *c, Seve__Request *req, const struct call_want *want, uint64_t *id,
	      struct err *e);
/* The first waiting call, now counted as sent: its bytes are to be freed by call_sent(). */
struct call *calls_send_next(struct calls *c);
void call_sent(struct call *call);
struct call *calls_flying(const struct calls *c, uint64_t id);
/* Ends a call: takes it out, calls done, frees it. */
void calls_end(struct calls *c, struct call *call, const Seve__Reply *reply, const struct err *err);
/* Takes a call out without calling done.  Whether it had been sent. */
bool calls_forget(struct calls *c, uint64_t id);
/* Fails all: those sent and writing with ERR_OUTCOME and the cause's text, the others with the
 * cause. */
void calls_fail_all(struct calls *c, const struct err *cause);
/* Earliest deadline, UINT64_MAX if there is none. */
uint64_t calls_deadline(const struct calls *c);
/* A call whose deadline has passed, or NULL. */
struct call *calls_late(const struct calls *c, uint64_t now_ms);
bool calls_empty(const struct calls *c);

#endif
