/* service_read.c -- what reading costs: a whole territory pulled, single actions asked for by
 * reference. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock_ns.h"
#include "crowd.h"
#include "process.h"
#include "service.h"
#include "wire.h"

enum { ARENA_MAX = 4 * 1024 * 1024 };

/* ---- snapshot ---------------------------------------------------------------------------------
 */

struct pulling {
	struct peer peer;
	struct arena arena;
	uint64_t records, bytes;
	uint64_t told; /* by the final reply */
	bool ended;
};

/* A Record of a page: its body is checked and unpacked, as a replica does that wants to look
 * inside. */
static int read_record(struct pulling *p, struct span record, struct err *e)
{
	struct wire w = {record.at, record.at + record.len, false};
	struct wire_field f;
	ProtobufCMessage *m;
	while (wire_next(&w, &f)) {
		if (f.tag != 5)
			continue;
		p->bytes += f.bytes.len;
		const int rc = wire_unpack(&p->arena, &seve__body__descriptor, f.bytes.at,
					   f.bytes.len, &m, e);
		if (rc < 0)
			return rc;
	}
	p->records++;
	return w.bad ? err_set(e, ERR_PROTOCOL, "a record that cannot be read") : 0;
}

static int read_page(struct pulling *p, struct span page, struct err *e)
{
	struct wire w = {page.at, page.at + page.len, false};
	struct wire_field f;
	int rc = 0;
	while (rc == 0 && wire_next(&w, &f))
		if (f.tag == 5)
			rc = read_record(p, f.bytes, e);
	arena_reset(&p->arena);
	return rc == 0 && w.bad ? err_set(e, ERR_PROTOCOL, "a page that cannot be read") : rc;
}

static int read_reply(struct pulling *p, struct span reply, struct err *e)
{
	ProtobufCMessage *m;
	int rc = wire_unpack(&p->arena, &seve__reply__descriptor, reply.at, reply.len, &m, e);
	if (rc == 0)
		rc = peer_reply_error((Seve__Reply *)m, e);
	if (rc == 0 && ((Seve__Reply *)m)->body_case != SEVE__REPLY__BODY_PULL)
		rc = err_set(e, ERR_PROTOCOL, "not the answer to a pull");
	if (rc == 0)
		p->told = ((Seve__Reply *)m)->pull->records;
	p->ended = true;
	arena_reset(&p->arena);
	return rc;
}

static int pull(struct pulling *p, uint32_t territory, struct err *e)
{
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__PullRequest pull = SEVE__PULL_REQUEST__INIT;
	struct frame f;
	pull.has_territory = true;
	pull.territory = territory;
	q.body_case = SEVE__REQUEST__BODY_PULL;
	q.pull = &pull;
	p->ended = false;
	p->records = p->bytes = 0;
	int rc = peer_request(&p->peer, &q, e);
	while (rc == 0 && !p->ended) {
		rc = peer_wait(&p->peer, &f, e);
		if (rc == 0)
			rc = f.type == FRAME_PAGE ? read_page(p, f.payload, e)
						  : read_reply(p, f.payload, e);
		if (rc == 0)
			peer_drop(&p->peer, &f);
	}
	if (rc == 0 && p->told != p->records)
		rc = err_set(e, ERR_PROTOCOL,
			     "%" PRIu64 " records came, %" PRIu64 " were announced", p->records,
			     p->told);
	return rc;
}

/* DIR NAME TIMES PID */
int service_snapshot(char **arg, struct err *e)
{
	struct place place = {0};
	struct pulling p = {.peer.fd = -1};
	uint64_t cpu = 0, cpu_after = 0, ns = 0, records = 0, bytes = 0;
	const int times = service_number(arg[2], "TIMES", e),
		  pid = service_number(arg[3], "PID", e);
	arena_init(&p.arena, ARENA_MAX);
	int rc = times < 0 || pid < 0 ? -(int)e->code : place_open(arg[0], arg[1], &place, e);
	if (rc == 0)
		rc = peer_open(&p.peer, &place, NULL, &p.arena, NULL, e);
	if (rc == 0)
		rc = process_cpu_ns(pid, &cpu, e);
	for (int i = 0; rc == 0 && i < times; i++) {
		const uint64_t from = clock_ns();
		rc = pull(&p, place.territory, e);
		ns += clock_ns() - from;
		records += p.records;
		bytes += p.bytes;
	}
	if (rc == 0)
		rc = process_cpu_ns(pid, &cpu_after, e);
	if (rc == 0 && records)
		printf("{\"value\":%.0f,\"records\":%" PRIu64
		       ",\"body_bytes\":%.0f,\"server_cpu_us\":%.3f}\n",
		       (double)records * 1e9 / (double)ns, records / (uint64_t)times,
		       (double)bytes / (double)records,
		       (double)(cpu_after - cpu) / 1e3 / (double)records);
	peer_close(&p.peer);
	arena_fini(&p.arena);
	place_close(&place);
	return rc == 0 && !records ? err_set(e, ERR_NOT_FOUND, "the territory is empty") : rc;
}

/* ---- point query ------------------------------------------------------------------------------
 */

struct asking {
	uint32_t references; /* P-1 to P-n exist */
	uint64_t state;
};

/* xorshift64: which records are asked for need only be spread. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static int ask(struct crowd *c, struct peer *p, struct err *e)
{
	struct asking *a = c->ctx;
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__GetRequest get = SEVE__GET_REQUEST__INIT;
	char ref[24], *refs[1] = {ref};
	snprintf(ref, sizeof ref, "P-%u", (unsigned)(next_random(&a->state) % a->references) + 1);
	get.has_territory = true;
	get.territory = c->place.territory;
	get.n_refs = 1;
	get.refs = refs;
	q.body_case = SEVE__REQUEST__BODY_GET;
	q.get = &get;
	return peer_request(p, &q, e);
}

/* Reply.get.records: one, with a body. */
static int check(struct crowd *c, struct span reply, struct err *e)
{
	static const uint32_t path[] = {SEVE__REPLY__BODY_GET, 1, 5};
	unsigned depth = 0;
	struct wire w = {reply.at, reply.at + reply.len, false};
	struct wire_field f;
	(void)c;
	while (depth < 3 && wire_next(&w, &f))
		if (f.tag == path[depth] && f.type == 2 && f.bytes.len) {
			w = (struct wire){f.bytes.at, f.bytes.at + f.bytes.len, false};
			depth++;
		}
	return depth == 3 ? 0
			  : err_set(e, ERR_NOT_FOUND,
				    "an answer without the action that was asked for");
}

/* DIR NAME CONNECTIONS SECONDS REFERENCES PID */
int service_point(char **arg, struct err *e)
{
	struct asking a = {0};
	struct crowd c = {.epoll = -1};
	const int n = service_number(arg[2], "CONNECTIONS", e),
		  seconds = service_number(arg[3], "SECONDS", e);
	const int references = service_number(arg[4], "REFERENCES", e),
		  pid = service_number(arg[5], "PID", e);
	if (n < 0 || seconds < 0 || references < 0 || pid < 0)
		return -(int)e->code;
	a.references = (uint32_t)references;
	a.state = clock_ns() | 1;
	int rc = crowd_open(&c, arg[0], arg[1], (size_t)n, e);
	c.ctx = &a;
	c.ask = ask;
	c.check = check;
	if (rc == 0)
		rc = crowd_run(&c, 0.5, seconds, pid, e);
	if (rc == 0)
		printf("{\"value\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"server_cpu_us\":%.2f}\n",
		       (double)c.latency.n / c.seconds, latency_us(&c.latency, 0.5),
		       latency_us(&c.latency, 0.99),
		       (double)c.server_ns / 1e3 / (double)c.latency.n);
	crowd_close(&c);
	return rc;
}
