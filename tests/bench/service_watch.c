/* service_watch.c -- what following a territory costs: changes heard by many watchers, with and
 * without some that do not read; a replica that is a little behind. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "clock_ns.h"
#include "latency.h"
#include "peer.h"
#include "process.h"
#include "sample.h"
#include "service.h"
#include "wire.h"

enum {
	ARENA_MAX = 8 * 1024 * 1024,
	WAIT_MS = 30000,
	CREDIT = 64 * 1024 * 1024,
	WARM = 20,
	EVENTS = 128,
};

struct following {
	struct place place;
	struct sample sample;
	struct arena arena;
	struct peer writer;
	uint64_t epoch, view, head;
	size_t made;
};

/* ---- the writer -------------------------------------------------------------------------------
 */

static int read_status(struct following *f, struct err *e)
{
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__StatusRequest status = SEVE__STATUS_REQUEST__INIT;
	Seve__Reply *reply;
	q.body_case = SEVE__REQUEST__BODY_STATUS;
	q.status = &status;
	const int rc = peer_call(&f->writer, &q, &f->arena, &reply, e);
	if (rc < 0)
		return rc;
	const Seve__StatusReply *r = reply->status;
	f->epoch = r->epoch;
	for (size_t i = 0; i < r->n_heads; i++)
		if (r->heads[i]->territory == f->place.territory)
			f->head = r->heads[i]->rev;
	for (size_t i = 0; i < r->n_grants; i++)
		if (r->grants[i]->territory == f->place.territory)
			f->view = r->grants[i]->view;
	arena_reset(&f->arena);
	return 0;
}

static int open_writer(struct following *f, char **arg, const char *csv, struct err *e)
{
	*f = (struct following){.writer.fd = -1};
	arena_init(&f->arena, ARENA_MAX);
	int rc = sample_open(&f->sample, csv, e);
	if (rc == 0)
		rc = place_open(arg[0], arg[1], &f->place, e);
	if (rc == 0)
		rc = peer_open(&f->writer, &f->place, NULL, &f->arena, NULL, e);
	return rc < 0 ? rc : read_status(f, e);
}

static void close_writer(struct following *f)
{
	peer_close(&f->writer);
	place_close(&f->place);
	sample_close(&f->sample);
	arena_fini(&f->arena);
}

static int send_push(struct following *f, struct err *e)
{
	const struct sample_mask mask = sample_action_mask();
	struct uuid id = uuid_v7();
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__PushRequest push = SEVE__PUSH_REQUEST__INIT;
	Seve__Mutation m = SEVE__MUTATION__INIT, *mutations[1] = {&m};
	Seve__Change change = SEVE__CHANGE__INIT, *changes[1] = {&change};
	change.has_op = change.has_id = change.has_kind = true;
	change.op = SEVE__CHANGE__OP__OP_CREATE;
	change.id = (ProtobufCBinaryData){sizeof id.b, id.b};
	change.kind = SEVE__BODY__KIND_ACTION;
	change.n_mask = mask.n;
	change.mask = mask.tags;
	change.set = sample_action(&f->sample, f->made++, &f->arena);
	if (!change.set)
		return err_set(e, ERR_NOMEM, "a record to push");
	m.has_client_id = m.has_territory = m.has_mid = m.has_client_time_ms = true;
	m.client_id = (ProtobufCBinaryData){sizeof f->writer.client.b, f->writer.client.b};
	m.territory = f->place.territory;
	m.mid = ++f->writer.mid;
	m.client_time_ms = clock_wall_ms();
	m.n_changes = 1;
	m.changes = changes;
	push.n_mutations = 1;
	push.mutations = mutations;
	q.body_case = SEVE__REQUEST__BODY_PUSH;
	q.push = &push;
	const int rc = peer_request(&f->writer, &q, e);
	arena_reset(&f->arena);
	return rc;
}

static int check_push(struct following *f, struct span payload, struct err *e)
{
	ProtobufCMessage *m;
	int rc = wire_unpack(&f->arena, &seve__reply__descriptor, payload.at, payload.len, &m, e);
	const Seve__Reply *r = (const Seve__Reply *)m;
	if (rc == 0)
		rc = peer_reply_error(r, e);
	if (rc == 0 && (r->body_case != SEVE__REPLY__BODY_PUSH ||
			r->push->verdicts[0]->code != SEVE__VERDICT__CODE__APPLIED))
		rc = err_set(e, ERR_PRECONDITION, "a push that was not applied");
	arena_reset(&f->arena);
	return rc;
}

static int push_one(struct following *f, struct err *e)
{
	struct frame frame;
	int rc = send_push(f, e);
	if (rc == 0)
		rc = peer_wait(&f->writer, &frame, e);
	if (rc == 0)
		rc = check_push(f, frame.payload, e);
	if (rc == 0)
		peer_drop(&f->writer, &frame);
	f->head++;
	return rc;
}

/* ---- watchers ---------------------------------------------------------------------------------
 */

struct crowd_of {
	struct peer *peers;
	uint64_t *revs; /* that each has reached */
	int epoll;      /* an event tells the index; WRITER: the writer */
	size_t n;
};

enum { WRITER = -1 };

static int listen_to(const struct crowd_of *c, int fd, int index, struct err *e)
{
	struct epoll_event x = {.events = EPOLLIN, .data.fd = index};
	return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &x) < 0 ? err_set(e, ERR_IO, "epoll") : 0;
}

static int ask_watch(struct following *f, struct peer *p, uint64_t rev, struct err *e)
{
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__WatchRequest watch = SEVE__WATCH_REQUEST__INIT;
	Seve__PullRequest at = SEVE__PULL_REQUEST__INIT, *list[1] = {&at};
	at.has_territory = true;
	at.territory = f->place.territory;
	at.has_epoch = at.has_view = at.has_rev = rev != 0;
	at.epoch = f->epoch;
	at.view = f->view;
	at.rev = rev;
	watch.n_territories = 1;
	watch.territories = list;
	watch.has_credit = true;
	watch.credit = CREDIT;
	q.body_case = SEVE__REQUEST__BODY_WATCH;
	q.watch = &watch;
	return peer_request(p, &q, e);
}

/* Each watches from `rev`; 0: from the beginning. */
static int open_watchers(struct following *f, struct crowd_of *c, size_t n, uint64_t rev,
			 struct err *e)
{
	int rc = 0;
	c->peers = calloc(n, sizeof *c->peers);
	c->revs = calloc(n, sizeof *c->revs);
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!c->peers || !c->revs || c->epoll < 0)
		return err_set(e, ERR_NOMEM, "%zu watchers", n);
	while (rc == 0 && c->n < n) {
		struct peer *p = &c->peers[c->n];
		p->fd = -1;
		c->n++;
		rc = peer_open(p, &f->place, NULL, &f->arena, NULL, e);
		if (rc == 0)
			rc = ask_watch(f, p, rev, e);
		if (rc == 0)
			rc = listen_to(c, p->fd, (int)c->n - 1, e);
		arena_reset(&f->arena);
	}
	return rc ? rc : listen_to(c, f->writer.fd, WRITER, e);
}

static void close_watchers(struct crowd_of *c)
{
	for (size_t i = 0; i < c->n; i++)
		peer_close(&c->peers[i]);
	free(c->peers);
	free(c->revs);
	if (c->epoll >= 0)
		close(c->epoll);
}

/* Reads pages: the rev reached. */
static int take_pages(struct peer *p, uint64_t *rev, struct err *e)
{
	struct frame frame;
	int rc = peer_take(p, e);
	while (rc >= 0 && (rc = peer_next(p, &frame, e)) == 1) {
		struct wire w = {frame.payload.at, frame.payload.at + frame.payload.len, false};
		struct wire_field x;
		if (frame.type != FRAME_PAGE)
			return err_set(e, ERR_PROTOCOL, "a frame of type %d instead of a page",
				       (int)frame.type);
		while (wire_next(&w, &x))
			if (x.tag == 4)
				*rev = x.number;
		peer_drop(p, &frame);
	}
	return rc;
}

static int take_reply(struct following *f, bool *answered, struct err *e)
{
	struct frame frame;
	int rc = peer_take(&f->writer, e);
	if (rc >= 0)
		rc = peer_next(&f->writer, &frame, e);
	if (rc <= 0)
		return rc;
	rc = check_push(f, frame.payload, e);
	peer_drop(&f->writer, &frame);
	*answered = true;
	return rc;
}

/* One change: until its author has the verdict and all have it. */
static int one_round(struct following *f, struct crowd_of *c, bool pushes, struct latency *l,
		     struct err *e)
{
	struct epoll_event events[EVENTS];
	bool answered = !pushes;
	size_t left = c->n;
	const uint64_t from = clock_ns();
	int rc = pushes ? send_push(f, e) : 0;
	f->head += pushes;
	for (size_t i = 0; i < c->n; i++)
		left -= c->revs[i] >= f->head;
	while (rc >= 0 && (left > 0 || !answered)) {
		const int n = epoll_wait(c->epoll, events, EVENTS, WAIT_MS);
		if (n <= 0)
			return err_set(e, ERR_DEADLINE,
				       "%zu watchers have not heard of rev %" PRIu64, left,
				       f->head);
		for (int k = 0; rc >= 0 && k < n; k++) {
			const int i = events[k].data.fd;
			if (i == WRITER) {
				rc = take_reply(f, &answered, e);
				continue;
			}
			const bool behind = c->revs[i] < f->head;
			rc = take_pages(&c->peers[i], &c->revs[i], e);
			if (rc < 0 || !behind || c->revs[i] < f->head)
				continue;
			left--;
			rc = l ? latency_add(l, clock_ns() - from, e) : 0;
		}
	}
	return rc < 0 ? rc : 0;
}

static int rounds(struct following *f, struct crowd_of *c, int times, struct latency *l,
		  struct err *e)
{
	int rc = 0;
	for (int i = 0; rc == 0 && i < WARM; i++)
		rc = one_round(f, c, true, NULL, e);
	for (int i = 0; rc == 0 && i < times; i++)
		rc = one_round(f, c, true, l, e);
	return rc;
}

/* Memory of the server once it has stopped growing, at most some seconds. */
static int settled(int pid, uint64_t *rss, struct err *e)
{
	uint64_t before = 0;
	for (int i = 0; i < 20; i++) {
		struct process_memory m;
		const int rc = process_memory(pid, &m, e);
		if (rc < 0)
			return rc;
		*rss = m.rss;
		if (i > 3 && m.rss <= before)
			return 0;
		before = m.rss;
		poll(NULL, 0, 500);
	}
	return 0;
}

/* DIR NAME WATCHERS STALLED TIMES CSV PID */
int service_watch(char **arg, struct err *e)
{
	const int n = service_number(arg[2], "WATCHERS", e),
		  stalled = service_number(arg[3], "STALLED", e),
		  times = service_number(arg[4], "TIMES", e),
		  pid = service_number(arg[6], "PID", e);
	struct following f;
	struct crowd_of all = {.epoll = -1}, deaf = {.epoll = -1};
	struct latency alone = {0}, beside = {0};
	uint64_t before = 0, after = 0;
	if (n < 0 || stalled < 0 || times < 0 || pid < 0)
		return -(int)e->code;
	int rc = open_writer(&f, arg, arg[5], e);
	if (rc == 0)
		rc = open_watchers(&f, &all, (size_t)n, f.head, e);
	if (rc == 0)
		rc = one_round(&f, &all, false, NULL, e); /* all are in step */
	if (rc == 0)
		rc = rounds(&f, &all, times, &alone, e);
	if (rc == 0)
		rc = settled(pid, &before, e);
	if (rc == 0)
		rc = open_watchers(&f, &deaf, (size_t)stalled, 0, e);
	if (rc == 0)
		rc = settled(pid, &after, e);
	if (rc == 0)
		rc = rounds(&f, &all, times, &beside, e);
	if (rc == 0)
		rc = settled(pid, &after, e);
	if (rc == 0)
		printf("{\"value\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"stalled_p50_us\":%.0f,"
		       "\"stalled_p99_us\":%.0f,\"stalled_memory\":%.0f}\n",
		       latency_us(&alone, 0.5), latency_us(&alone, 0.5), latency_us(&alone, 0.99),
		       latency_us(&beside, 0.5), latency_us(&beside, 0.99),
		       (double)after - (double)before);
	close_watchers(&deaf);
	close_watchers(&all);
	latency_fini(&alone);
	latency_fini(&beside);
	close_writer(&f);
	return rc;
}

/* ---- a replica that is a little behind ----------------------------------------------------------
 */

static int pull(struct following *f, uint64_t rev, uint64_t *records, uint64_t *bytes,
		struct err *e)
{
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__PullRequest at = SEVE__PULL_REQUEST__INIT;
	struct frame frame;
	at.has_territory = true;
	at.territory = f->place.territory;
	at.has_epoch = at.has_view = at.has_rev = rev != 0;
	at.epoch = f->epoch;
	at.view = f->view;
	at.rev = rev;
	q.body_case = SEVE__REQUEST__BODY_PULL;
	q.pull = &at;
	int rc = peer_request(&f->writer, &q, e);
	for (bool ended = false; rc == 0 && !ended; peer_drop(&f->writer, &frame)) {
		rc = peer_wait(&f->writer, &frame, e);
		if (rc < 0)
			return rc;
		*bytes += FRAME_HEADER + frame.payload.len;
		ended = frame.type == FRAME_REPLY;
		if (!ended)
			continue;
		ProtobufCMessage *m;
		rc = wire_unpack(&f->arena, &seve__reply__descriptor, frame.payload.at,
				 frame.payload.len, &m, e);
		if (rc == 0)
			rc = peer_reply_error((Seve__Reply *)m, e);
		if (rc == 0)
			*records += ((Seve__Reply *)m)->pull->records;
		arena_reset(&f->arena);
	}
	return rc;
}

/* DIR NAME CHANGES TIMES CSV */
int service_delta(char **arg, struct err *e)
{
	const int changes = service_number(arg[2], "CHANGES", e),
		  times = service_number(arg[3], "TIMES", e);
	struct following f;
	struct latency l = {0};
	uint64_t records = 0, bytes = 0, all = 0, all_bytes = 0, from = 0;
	if (changes < 0 || times < 0)
		return -(int)e->code;
	int rc = open_writer(&f, arg, arg[4], e);
	for (int i = 0; rc == 0 && i < times; i++) {
		const uint64_t rev = f.head;
		for (int k = 0; rc == 0 && k < changes; k++)
			rc = push_one(&f, e);
		from = clock_ns();
		if (rc == 0)
			rc = pull(&f, rev, &records, &bytes, e);
		if (rc == 0)
			rc = latency_add(&l, clock_ns() - from, e);
	}
	if (rc == 0 && records != (uint64_t)changes * (uint64_t)times)
		rc = err_set(e, ERR_PROTOCOL, "%" PRIu64 " records came, not %d each time", records,
			     changes);
	from = clock_ns();
	if (rc == 0)
		rc = pull(&f, 0, &all, &all_bytes, e);
	if (rc == 0)
		printf("{\"value\":%.3f,\"p99_us\":%.0f,\"bytes\":%.0f,\"snapshot_ms\":%.1f,"
		       "\"snapshot_records\":%" PRIu64 ",\"snapshot_bytes\":%" PRIu64 "}\n",
		       latency_us(&l, 0.5) / 1000, latency_us(&l, 0.99),
		       (double)bytes / (double)times, (double)(clock_ns() - from) / 1e6, all,
		       all_bytes);
	latency_fini(&l);
	close_writer(&f);
	return rc;
}
