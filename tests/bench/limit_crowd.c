/* limit_crowd.c -- many plain libpq connections in one thread: see limit_crowd.h. */
#include "limit_crowd.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock_ns.h"

enum { EVENTS = 256, WAIT_MS = 30000 };

static int prepare(PGconn *c, const char *sql, struct err *e)
{
	PGresult *r = PQprepare(c, "s", sql, 0, NULL);
	const bool good = PQresultStatus(r) == PGRES_COMMAND_OK;
	PQclear(r);
	if (!good)
		return limit_failed(c, "prepare", e);
	return PQsetnonblocking(c, 1) == 0 ? 0 : limit_failed(c, "non-blocking", e);
}

int limit_crowd_open(struct limit_crowd *c, const char *conninfo, size_t n, const char *sql,
		     struct err *e)
{
	*c = (struct limit_crowd){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	c->conns = calloc(n, sizeof *c->conns);
	c->sent_ns = calloc(n, sizeof *c->sent_ns);
	if (c->epoll < 0 || !c->conns || !c->sent_ns)
		return err_set(e, ERR_NOMEM, "%zu connections", n);
	int rc = 0;
	while (rc == 0 && c->n < n) {
		struct epoll_event ev = {.events = EPOLLIN, .data.u64 = c->n};
		PGconn **conn = &c->conns[c->n++];
		rc = limit_connect(conninfo, conn, e);
		if (rc == 0)
			rc = prepare(*conn, sql, e);
		if (rc == 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, PQsocket(*conn), &ev) < 0)
			rc = err_set(e, ERR_IO, "epoll: %s", strerror(errno));
	}
	return rc;
}

void limit_crowd_close(struct limit_crowd *c)
{
	for (size_t i = 0; i < c->n; i++)
		PQfinish(c->conns[i]);
	free(c->conns);
	free(c->sent_ns);
	if (c->epoll >= 0)
		close(c->epoll);
	latency_fini(&c->latency);
}

struct run {
	uint64_t from_ns, to_ns;
	size_t waiting;
};

static int ask(struct limit_crowd *c, struct run *run, size_t i, uint64_t now, struct err *e)
{
	static const int binary[LIMIT_CROWD_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1};
	struct limit_params p;
	c->ask(c, &p);
	c->sent_ns[i] = now;
	run->waiting++;
	/* a request of this size is always taken whole by an empty socket */
	if (!PQsendQueryPrepared(c->conns[i], "s", c->params, p.values, p.lengths, binary, 1) ||
	    PQflush(c->conns[i]) != 0)
		return limit_failed(c->conns[i], "send", e);
	return 0;
}

static int serve(struct limit_crowd *c, struct run *run, size_t i, struct err *e)
{
	int rc = 0;
	if (!PQconsumeInput(c->conns[i]))
		return limit_failed(c->conns[i], "receive", e);
	while (rc == 0 && !PQisBusy(c->conns[i])) {
		PGresult *r = PQgetResult(c->conns[i]);
		if (r) {
			rc = c->check(r, e);
			PQclear(r);
			continue;
		}
		const uint64_t now = clock_ns();
		run->waiting--;
		if (now >= run->from_ns && now < run->to_ns)
			rc = latency_add(&c->latency, now - c->sent_ns[i], e);
		return rc == 0 && now < run->to_ns ? ask(c, run, i, now, e) : rc;
	}
	return rc;
}

int limit_crowd_run(struct limit_crowd *c, double warm_up, double seconds, struct err *e)
{
	struct epoll_event events[EVENTS];
	const uint64_t now = clock_ns();
	struct run run = {.from_ns = now + (uint64_t)(warm_up * 1e9)};
	int rc = 0;
	run.to_ns = run.from_ns + (uint64_t)(seconds * 1e9);
	for (size_t i = 0; rc == 0 && i < c->n; i++)
		rc = ask(c, &run, i, now, e);
	while (rc == 0 && run.waiting) {
		const int n = epoll_wait(c->epoll, events, EVENTS, WAIT_MS);
		if (n < 0 && errno != EINTR)
			return err_set(e, ERR_IO, "epoll: %s", strerror(errno));
		if (n == 0)
			return err_set(e, ERR_DEADLINE, "no answer for %d s", WAIT_MS / 1000);
		for (int i = 0; rc == 0 && i < n; i++)
			rc = serve(c, &run, (size_t)events[i].data.u64, e);
	}
	c->seconds = seconds;
	if (rc == 0 && !c->latency.n)
		rc = err_set(e, ERR_UNAVAILABLE, "nothing was answered in %.1f s", seconds);
	return rc;
}
