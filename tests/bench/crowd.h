/* crowd.h -- many connections in one thread, each asking again as soon as it was answered (a closed
 * loop). Knows no methods: what is asked and what is a good answer is the caller's.  One thread. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <sys/types.h>

#include "latency.h"
#include "peer.h"

struct crowd {
	struct place place;
	struct peer *peers;
	size_t n;
	int epoll;

	/* Sends the peer's next request. */
	int (*ask)(struct crowd *c, struct peer *p, struct err *e);
	/* 0 for a good answer (the payload of a Reply). */
	int (*check)(struct crowd *c, struct span reply, struct err *e);
	void *ctx;

	struct latency latency;
	double seconds;     /* that were measured */
	uint64_t server_ns; /* CPU of the server in them */
};

/* Opens n authenticated connections of the account `name`. */
int crowd_open(struct crowd *c, const char *dir, const char *name, size_t n, struct err *e);
void crowd_close(struct crowd *c);

/* Asks for `seconds` after a time to warm up, then waits for what is under way.  `server` is the
 * process whose CPU time counts. */
int crowd_run(struct crowd *c, double warm_up, double seconds, pid_t server, struct err *e);

#endif
