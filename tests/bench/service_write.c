/* service_write.c -- what writing costs: single records pushed by many, a partner's rows imported
 * by one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "clock_ns.h"
#include "crowd.h"
#include "kind.h"
#include "process.h"
#include "sample.h"
#include "service.h"
#include "wire.h"

enum {
	BODIES = 4096,
	ARENA_MAX = 32 * 1024 * 1024,
	CHUNK_ROWS = 500,
	CHUNK_ARENA = 8 * 1024 * 1024,
	CHUNKS_AHEAD = 2
};

/* ---- push -------------------------------------------------------------------------------------
 */

struct pushing {
	struct sample sample;
	struct arena arena;
	Seve__Body **bodies; /* BODIES, made before: as the limit has its own */
	size_t made;
};

static int make_bodies(struct pushing *all, struct err *e)
{
	all->bodies = arena_array(&all->arena, BODIES, sizeof *all->bodies);
	for (size_t i = 0; all->bodies && i < BODIES; i++) {
		all->bodies[i] = sample_action(&all->sample, i, &all->arena);
		if (!all->bodies[i])
			all->bodies = NULL;
	}
	return all->bodies ? 0 : err_set(e, ERR_NOMEM, "records to push");
}

static int ask(struct crowd *c, struct peer *p, struct err *e)
{
	struct pushing *all = c->ctx;
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
	change.set = all->bodies[all->made++ % BODIES];
	m.has_client_id = m.has_territory = m.has_mid = m.has_client_time_ms = true;
	m.client_id = (ProtobufCBinaryData){sizeof p->client.b, p->client.b};
	m.territory = c->place.territory;
	m.mid = ++p->mid;
	m.client_time_ms = clock_wall_ms();
	m.n_changes = 1;
	m.changes = changes;
	push.n_mutations = 1;
	push.mutations = mutations;
	q.body_case = SEVE__REQUEST__BODY_PUSH;
	q.push = &push;
	return peer_request(p, &q, e);
}

/* Reply.push.verdicts.code: applied. */
static int check(struct crowd *c, struct span reply, struct err *e)
{
	static const uint32_t path[] = {SEVE__REPLY__BODY_PUSH, 1};
	unsigned depth = 0;
	struct wire w = {reply.at, reply.at + reply.len, false};
	struct wire_field f;
	(void)c;
	while (wire_next(&w, &f)) {
		if (depth == 2 && f.tag == 2 && f.number == SEVE__VERDICT__CODE__APPLIED)
			return 0;
		if (depth < 2 && f.tag == path[depth] && f.type == 2) {
			w = (struct wire){f.bytes.at, f.bytes.at + f.bytes.len, false};
			depth++;
		}
	}
	return err_set(e, ERR_PRECONDITION, "a push that was not applied");
}

/* DIR NAME CONNECTIONS SECONDS CSV PID */
int service_push(char **arg, struct err *e)
{
	struct pushing all = {0};
	struct crowd c = {.epoll = -1};
	const int n = service_number(arg[2], "CONNECTIONS", e),
		  seconds = service_number(arg[3], "SECONDS", e);
	const int pid = service_number(arg[5], "PID", e);
	if (n < 0 || seconds < 0 || pid < 0)
		return -(int)e->code;
	arena_init(&all.arena, ARENA_MAX);
	int rc = sample_open(&all.sample, arg[4], e);
	if (rc == 0)
		rc = make_bodies(&all, e);
	if (rc == 0)
		rc = crowd_open(&c, arg[0], arg[1], (size_t)n, e);
	c.ctx = &all;
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
	sample_close(&all.sample);
	arena_fini(&all.arena);
	return rc;
}

/* ---- import -----------------------------------------------------------------------------------
 */

struct importing {
	struct place place;
	struct peer peer;
	struct sample sample;
	struct arena arena;
	const struct kind *kind;
	uint64_t run;
	size_t first, n;      /* numbers of the sample */
	size_t sent, created; /* rows */
};

static int import_call(struct importing *im, Seve__Request *q, uint64_t *run, struct err *e)
{
	Seve__Reply *reply;
	int rc = peer_call(&im->peer, q, &im->arena, &reply, e);
	if (rc == 0 && run &&
	    (reply->body_case != SEVE__REPLY__BODY_IMPORT || !reply->import->has_run))
		rc = err_set(e, ERR_PROTOCOL, "not the answer to the beginning of an import");
	if (rc == 0 && run)
		*run = reply->import->run;
	arena_reset(&im->arena);
	return rc;
}

static int begin(struct importing *im, struct err *e)
{
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__ImportBegin b = SEVE__IMPORT_BEGIN__INIT;
	char source[] = "bench";
	b.has_territory = b.has_kind = true;
	b.territory = im->place.territory;
	b.kind = im->kind->number;
	b.source = source;
	q.body_case = SEVE__REQUEST__BODY_IMPORT_BEGIN;
	q.import_begin = &b;
	return import_call(im, &q, &im->run, e);
}

static int end(struct importing *im, struct err *e)
{
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__ImportEnd b = SEVE__IMPORT_END__INIT;
	b.has_run = true;
	b.run = im->run;
	q.body_case = SEVE__REQUEST__BODY_IMPORT_END;
	q.import_end = &b;
	return import_call(im, &q, NULL, e);
}

static Seve__ImportRow *make_row(struct importing *im, size_t i)
{
	const bool actor = im->kind->number == SEVE__BODY__KIND_ACTOR;
	const struct sample_mask mask = actor ? sample_actor_mask() : sample_action_mask();
	Seve__ImportRow *r = arena_alloc(&im->arena, sizeof *r);
	if (!r)
		return NULL;
	seve__import_row__init(r);
	r->has_line = true;
	r->line = (uint32_t)i + 2;
	r->key = arena_printf(&im->arena, "%s-%07zu", im->kind->name, im->first + i);
	r->n_mask = mask.n;
	r->mask = mask.tags;
	r->set = (actor ? sample_actor : sample_action)(&im->sample, im->first + i, &im->arena);
	return r->key && r->set ? r : NULL;
}

static int send_chunk(struct importing *im, struct err *e)
{
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__ImportRows rows = SEVE__IMPORT_ROWS__INIT;
	Seve__ImportRow *list[CHUNK_ROWS];
	rows.has_run = true;
	rows.run = im->run;
	rows.rows = list;
	while (rows.n_rows < CHUNK_ROWS && im->sent < im->n) {
		list[rows.n_rows] = make_row(im, im->sent++);
		if (!list[rows.n_rows++])
			return err_set(e, ERR_NOMEM, "rows to import");
	}
	q.body_case = SEVE__REQUEST__BODY_IMPORT_ROWS;
	q.import_rows = &rows;
	const int rc = peer_request(&im->peer, &q, e);
	arena_reset(&im->arena);
	return rc;
}

static int check_rows(struct importing *im, const Seve__Reply *r, struct err *e)
{
	const int rc = peer_reply_error(r, e);
	if (rc < 0)
		return rc;
	if (r->body_case != SEVE__REPLY__BODY_IMPORT)
		return err_set(e, ERR_PROTOCOL, "not the answer to rows");
	for (size_t i = 0; i < r->import->n_rows; i++) {
		const Seve__RowVerdict *v = r->import->rows[i];
		im->created += v->code == SEVE__ROW_VERDICT__CODE__CREATED;
		if (v->n_violations)
			return err_set(e, ERR_PRECONDITION, "line %u: %s: %s", v->line,
				       v->violations[0]->field, v->violations[0]->text);
	}
	return 0;
}

static int take_verdicts(struct importing *im, struct err *e)
{
	struct frame f;
	ProtobufCMessage *m;
	int rc = peer_wait(&im->peer, &f, e);
	if (rc == 0)
		rc = wire_unpack(&im->arena, &seve__reply__descriptor, f.payload.at, f.payload.len,
				 &m, e);
	if (rc == 0)
		rc = check_rows(im, (Seve__Reply *)m, e);
	if (rc == 0)
		peer_drop(&im->peer, &f);
	arena_reset(&im->arena);
	return rc;
}

static int import(struct importing *im, struct err *e)
{
	unsigned ahead = 0;
	int rc = begin(im, e);
	while (rc == 0 && (ahead || im->sent < im->n)) {
		if (ahead < CHUNKS_AHEAD && im->sent < im->n) {
			rc = send_chunk(im, e);
			ahead++;
		} else {
			rc = take_verdicts(im, e);
			ahead--;
		}
	}
	if (rc == 0)
		rc = end(im, e);
	if (rc == 0 && im->created != im->n)
		rc = err_set(e, ERR_PRECONDITION, "%zu of %zu rows were created", im->created,
			     im->n);
	return rc;
}

static int import_measured(struct importing *im, pid_t pid, struct err *e)
{
	uint64_t cpu = 0, cpu_after = 0;
	int rc = process_cpu_ns(pid, &cpu, e);
	const uint64_t from = clock_ns();
	if (rc == 0)
		rc = import(im, e);
	const uint64_t ns = clock_ns() - from;
	if (rc == 0)
		rc = process_cpu_ns(pid, &cpu_after, e);
	if (rc == 0)
		printf("{\"value\":%.0f,\"server_cpu_us\":%.2f}\n",
		       (double)im->n * 1e9 / (double)ns,
		       (double)(cpu_after - cpu) / 1e3 / (double)im->n);
	return rc;
}

/* DIR NAME actor|action FIRST N CSV PID */
int service_import(char **arg, struct err *e)
{
	struct importing im = {.peer.fd = -1, .kind = kind_by_name(arg[2])};
	const int first = service_number(arg[3], "FIRST", e), n = service_number(arg[4], "N", e);
	const int pid = service_number(arg[6], "PID", e);
	if (first < 0 || n < 0 || pid < 0)
		return -(int)e->code;
	if (!im.kind || (im.kind->number != SEVE__BODY__KIND_ACTOR &&
			 im.kind->number != SEVE__BODY__KIND_ACTION))
		return err_set(e, ERR_USAGE, "actor or action, not %s", arg[2]);
	im.first = (size_t)first;
	im.n = (size_t)n;
	arena_init(&im.arena, CHUNK_ARENA);
	int rc = sample_open(&im.sample, arg[5], e);
	if (rc == 0)
		rc = place_open(arg[0], arg[1], &im.place, e);
	if (rc == 0)
		rc = peer_open(&im.peer, &im.place, NULL, &im.arena, NULL, e);
	if (rc == 0)
		rc = import_measured(&im, pid, e);
	peer_close(&im.peer);
	place_close(&im.place);
	sample_close(&im.sample);
	arena_fini(&im.arena);
	return rc;
}
