/* crowd.c -- many connections in one thread: see crowd.h. */
#include "crowd.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock_ns.h"
#include "process.h"

enum { EVENTS = 256, WAIT_MS = 30000, HELLO_MAX = 256 * 1024 };

int crowd_open(struct crowd *c, const char *dir, const char *name, size_t n, struct err *e)
{
	struct arena a;
	*c = (struct crowd){.epoll = -1};
	int rc = place_open(dir, name, &c->place, e);
	if (rc < 0)
		return rc;
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->peers = calloc(n, sizeof *c->peers);
	if (c->epoll < 0 || !c->peers)
		return err_set(e, ERR_NOMEM, "%zu connections", n);
	arena_init(&a, HELLO_MAX);
	while (rc == 0 && c->n < n) {
		struct peer *p = &c->peers[c->n++];
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = p};
		rc = peer_open(p, &c->place, NULL, &a, NULL, e);
		arena_reset(&a);
		if (rc == 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, p->fd, &ev) < 0)
			rc = err_set(e, ERR_IO, "epoll: %s", strerror(errno));
		if (rc < 0)
			err_prefix(e, "connection %zu", c->n);
	}
	arena_fini(&a);
	return rc;
}

void crowd_close(struct crowd *c)
{
	for (size_t i = 0; i < c->n; i++)
		peer_close(&c->peers[i]);
	free(c->peers);
	if (c->epoll >= 0)
		close(c->epoll);
	latency_fini(&c->latency);
	place_close(&c->place);
}

/* One run: from when and until when answers count, and what is under way. */
struct run {
	uint64_t from_ns, to_ns;
	size_t waiting;
};

static int ask(struct crowd *c, struct run *run, struct peer *p, uint64_t now, struct err *e)
{
	p->sent_ns = now;
	run->waiting++;
	return c->ask(c, p, e);
}

static int answered(struct crowd *c, struct run *run, struct peer *p, const struct frame *f,
		    struct err *e)
{
	if (f->type != FRAME_REPLY)
		return err_set(e, ERR_PROTOCOL, "a frame of type %d came", (int)f->type);
	int rc = c->check(c, f->payload, e);
	peer_drop(p, f);
	if (rc < 0)
		return rc;
	const uint64_t now = clock_ns();
	run->waiting--;
	if (now >= run->from_ns && now < run->to_ns)
		rc = latency_add(&c->latency, now - p->sent_ns, e);
	return rc == 0 && now < run->to_ns ? ask(c, run, p, now, e) : rc;
}

static int serve(struct crowd *c, struct run *run, struct peer *p, struct err *e)
{
	struct frame f;
	int rc = peer_take(p, e);
	while (rc >= 0 && (rc = peer_next(p, &f, e)) > 0)
		rc = answered(c, run, p, &f, e);
	return rc < 0 ? rc : 0;
}

/* Serves events until the time has come, or, with `until` 0, nothing is under way. */
static int turn_until(struct crowd *c, struct run *run, uint64_t until, struct err *e)
{
	struct epoll_event events[EVENTS];
	while (run->waiting && (!until || clock_ns() < until)) {
		const int n = epoll_wait(c->epoll, events, EVENTS, WAIT_MS);
		if (n < 0 && errno != EINTR)
			return err_set(e, ERR_IO, "epoll: %s", strerror(errno));
		if (n == 0)
			return err_set(e, ERR_DEADLINE, "no answer for %d s", WAIT_MS / 1000);
		for (int i = 0; i < n; i++) {
			const int rc = serve(c, run, events[i].data.ptr, e);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

int crowd_run(struct crowd *c, double warm_up, double seconds, pid_t server, struct err *e)
{
	const uint64_t now = clock_ns();
	struct run run = {.from_ns = now + (uint64_t)(warm_up * 1e9)};
	uint64_t cpu = 0, cpu_after = 0;
	int rc = 0;
	run.to_ns = run.from_ns + (uint64_t)(seconds * 1e9);
	for (size_t i = 0; rc == 0 && i < c->n; i++)
		rc = ask(c, &run, &c->peers[i], now, e);
	if (rc == 0)
		rc = turn_until(c, &run, run.from_ns, e);
	if (rc == 0)
		rc = process_cpu_ns(server, &cpu, e);
	if (rc == 0)
		rc = turn_until(c, &run, run.to_ns, e);
	if (rc == 0)
		rc = process_cpu_ns(server, &cpu_after, e);
	if (rc == 0)
		rc = turn_until(c, &run, 0, e);
	c->seconds = seconds;
	c->server_ns = cpu_after - cpu;
	if (rc == 0 && !c->latency.n)
		rc = err_set(e, ERR_UNAVAILABLE, "nothing was answered in %.1f s", seconds);
	return rc;
}
