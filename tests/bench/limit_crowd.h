/* limit_crowd.h -- many plain libpq connections in one thread, each with one prepared statement in
 * a closed loop. Knows no tables.  One thread. */
#ifndef BENCH_LIMIT_CROWD_H
#define BENCH_LIMIT_CROWD_H

#include "latency.h"
#include "limit.h"

enum { LIMIT_CROWD_PARAMS = 8 };

/* Binary parameters of the next execution; the values are borrowed until it is sent. */
struct limit_params {
	const char *values[LIMIT_CROWD_PARAMS];
	int lengths[LIMIT_CROWD_PARAMS];
};

struct limit_crowd {
	PGconn **conns;
	size_t n;
	int epoll;
	int params; /* of the statement */
	void (*ask)(struct limit_crowd *c, struct limit_params *p);
	/* 0 for a good answer. */
	int (*check)(const PGresult *r, struct err *e);
	void *ctx;
	uint64_t *sent_ns; /* by connection */
	struct latency latency;
	double seconds;
};

/* Opens n connections and prepares `sql`, whose parameters are binary, on each. */
int limit_crowd_open(struct limit_crowd *c, const char *conninfo, size_t n, const char *sql,
		     struct err *e);
void limit_crowd_close(struct limit_crowd *c);

/* As crowd_run(). */
int limit_crowd_run(struct limit_crowd *c, double warm_up, double seconds, struct err *e);

#endif
