/* request.c -- one request from its frame to its reply.  Knows no methods' contents.
 *
 * A request outlives its connection: whoever works on it ends it once, and finds out by
 * request_gone() that nobody listens. */
#include "request.h"

#include "clock.h"
#include "dispatch.h"
#include "failure.h"
#include "log.h"
#include "server_private.h"
#include "wire.h"

static struct requests *all_of(const struct request *r)
{
	return &r->server->priv->requests;
}

/* ---- making and ending ------------------------------------------------------------------------
 */

static struct request *request_new(struct conn *c)
{
	struct requests *all = &c->server->priv->requests;
	struct request *r = all->spare;
	if (r) {
		all->spare = r->next;
		all->n_spare--;
	} else {
		r = malloc(sizeof *r);
		if (!r)
			return NULL;
	}
	*r = (struct request){
		.server = c->server,
		.conn = c,
		.who = principal_ref(c->who),
		.start_us = uv_hrtime() / 1000,
		.next = c->requests,
		.all_next = all->all,
	};
	if (r->next)
		r->next->prev = r;
	c->requests = r;
	c->n_requests++;
	if (r->all_next)
		r->all_next->all_prev = r;
	all->all = r;
	all->n++;
	return r;
}

static void leave_conn(struct request *r)
{
	struct conn *c = r->conn;
	if (!c)
		return;
	*(r->prev ? &r->prev->next : &c->requests) = r->next;
	if (r->next)
		r->next->prev = r->prev;
	r->prev = r->next = NULL;
	r->conn = NULL;
	c->n_requests--;
	conn_touch(c); /* it may take the next one */
}

static void request_free(struct request *r)
{
	struct requests *all = all_of(r);
	leave_conn(r);
	*(r->all_prev ? &r->all_prev->all_next : &all->all) = r->all_next;
	if (r->all_next)
		r->all_next->all_prev = r->all_prev;
	all->n--;
	all->n_waking -= r->waking;
	principal_unref(r->who);
	arena_fini(&r->arena);
	if (all->n_spare >= REQUEST_SPARE) {
		free(r);
		return;
	}
	r->next = all->spare;
	all->spare = r;
	all->n_spare++;
}

void requests_fini(struct requests *all)
{
	while (all->spare) {
		struct request *r = all->spare;
		all->spare = r->next;
		free(r);
	}
	all->n_spare = 0;
}

/* One line for what was slow, or for all when debugging. */
static void log_request(const struct request *r, const char *code)
{
	const uint64_t ms = (uv_hrtime() / 1000 - r->start_us) / 1000;
	r->server->priv->metrics.requests_slow += ms >= REQUEST_SLOW_MS;
	if (ms < REQUEST_SLOW_MS && !log_wants(LOG_DEBUG))
		return;
	log_event(ms >= REQUEST_SLOW_MS ? LOG_INFO : LOG_DEBUG, "request",
		  "conn=%llu id=%llu method=%s token=%s code=%s ms=%llu",
		  (unsigned long long)(r->conn ? r->conn->serial : 0), (unsigned long long)r->id,
		  r->method ? r->method->name : "-", r->who->token_id, code,
		  (unsigned long long)ms);
}

static void send_error(struct request *r, const struct err *e, Seve__Violation **violations,
		       size_t n)
{
	if (!r->conn || r->answered)
		return;
	Seve__Error error;
	failure_fill(&error, e);
	error.n_violations = n;
	error.violations = violations;
	Seve__Reply reply = SEVE__REPLY__INIT;
	reply.has_id = 1;
	reply.id = r->id;
	reply.error = &error;
	if (conn_send(r->conn, FRAME_REPLY, &reply.base) == -ERR_TOO_BIG && n > 0)
		send_error(r, e, NULL, 0);
}

/* ---- ending, for handlers ---------------------------------------------------------------------
 */

void request_reply(struct request *r, Seve__Reply *reply)
{
	const char *code = "OK";
	if (r->conn && !r->answered) {
		reply->has_id = 1;
		reply->id = r->id;
		if (conn_send(r->conn, FRAME_REPLY, &reply->base) == -ERR_TOO_BIG) {
			struct err e = {0};
			err_set(&e, ERR_TOO_BIG, "the answer to %s is larger than a frame",
				r->method->name);
			err_remedy(&e, "ask for fewer records at once");
			request_fail(r, &e);
			return;
		}
	} else {
		code = "GONE";
	}
	log_request(r, code);
	request_free(r);
}

void request_fail_with(struct request *r, const struct err *e, Seve__Violation **violations,
		       size_t n)
{
	r->server->priv->metrics.requests_failed++;
	if (e->code == ERR_INTERNAL || e->code == ERR_DATABASE || e->code == ERR_DATA_LOSS)
		log_event(LOG_ERROR, "request_failed",
			  "conn=%llu id=%llu method=%s code=%s error=%s",
			  (unsigned long long)(r->conn ? r->conn->serial : 0),
			  (unsigned long long)r->id, r->method ? r->method->name : "-",
			  err_name(e->code), e->text);
	send_error(r, e, violations, n);
	log_request(r, err_name(e->code));
	request_free(r);
}

void request_fail(struct request *r, const struct err *e)
{
	request_fail_with(r, e, NULL, 0);
}

int request_send(struct request *r, enum frame_type type, const void *payload, size_t n)
{
	if (request_gone(r))
		return -ERR_UNAVAILABLE;
	return conn_send_bytes(r->conn, type, payload, n);
}

bool request_may_send(const struct request *r)
{
	return request_gone(r) || conn_pending(r->conn) < CONN_OUT_HIGH;
}

bool request_gone(const struct request *r)
{
	return !r->conn || r->answered;
}

/* ---- waiting for room -------------------------------------------------------------------------
 */

static void wake_later(struct request *r)
{
	if (r->waking)
		return;
	r->waking = true;
	all_of(r)->n_waking++;
}

void request_wait_drain(struct request *r, void (*fn)(struct request *r))
{
	request_wait_below(r, CONN_OUT_LOW, fn);
}

void request_wait_below(struct request *r, size_t bytes, void (*fn)(struct request *r))
{
	r->on_drain = fn;
	r->drain_below = bytes;
	if (request_gone(r))
		wake_later(r);
	else
		conn_touch(r->conn);
}

void request_orphan(struct request *r)
{
	leave_conn(r);
	if (r->on_drain || r->on_gone)
		wake_later(r);
}

void requests_wake(struct server *s)
{
	struct requests *all = &s->priv->requests;
	while (all->n_waking > 0) {
		struct request *r = all->all;
		while (!r->waking)
			r = r->all_next;
		void (*fn)(struct request *) = r->on_gone ? r->on_gone : r->on_drain;
		r->on_drain = r->on_gone = NULL;
		r->waking = false;
		all->n_waking--;
		fn(r);
	}
}

/* ---- time-outs and cancels --------------------------------------------------------------------
 */

/* The client hears now; what the handler ends with later is dropped. */
static void answer_early(struct request *r, const struct err *e)
{
	send_error(r, e, NULL, 0);
	r->answered = true;
	if (r->on_drain || r->on_gone)
		wake_later(r);
}

void requests_sweep(struct server *s)
{
	const uint64_t now = clock_mono_ms();
	for (struct request *r = s->priv->requests.all; r; r = r->all_next) {
		if (request_gone(r) || r->deadline_ms > now)
			continue;
		struct err e = {0};
		err_set(&e, r->method->write ? ERR_OUTCOME : ERR_DEADLINE,
			"%s was not done within %llu ms", r->method->name,
			(unsigned long long)(uv_hrtime() / 1000 - r->start_us) / 1000);
		err_remedy(&e, r->method->write ? "send the same again: it is applied once"
						: "try again, or ask for less at once");
		s->priv->metrics.requests_late++;
		answer_early(r, &e);
	}
}

/* Field 1 of Request and of Cancel, without decoding the rest; 0: none. */
static uint64_t peek_id(struct span payload)
{
	struct wire w = {payload.at, payload.at + payload.len, false};
	struct wire_field f;
	uint64_t id = 0;
	while (wire_next(&w, &f))
		if (f.tag == 1 && f.type == 0)
			id = f.number;
	return id;
}

void request_cancel(struct conn *c, struct span payload)
{
	const uint64_t id = peek_id(payload);
	struct request *r = c->requests;
	while (r && r->id != id)
		r = r->next;
	if (!r || r->answered || r->method->write)
		return;
	struct err e = {0};
	err_set(&e, ERR_CANCELLED, "%s was cancelled by the client", r->method->name);
	answer_early(r, &e);
}

/* Fields 1 and 2 of WatchNote. */
void request_credit(struct conn *c, struct span payload)
{
	struct wire w = {payload.at, payload.at + payload.len, false};
	struct wire_field f;
	uint64_t number[3] = {0};
	while (wire_next(&w, &f))
		if (f.tag <= 2 && f.type == 0)
			number[f.tag] = f.number;
	struct request *r = c->requests;
	while (r && r->id != number[1])
		r = r->next;
	if (r && !r->answered && r->on_credit)
		r->on_credit(r, number[2]);
}

/* ---- the beginning ----------------------------------------------------------------------------
 */

static bool is_under_way(const struct conn *c, uint64_t id)
{
	for (const struct request *r = c->requests; r; r = r->next)
		if (r->id == id)
			return true;
	return false;
}

/* A bucket for each token: request-rate drops fall in a second, request-burst is its size. */
static int check_rate(struct request *r, uint64_t now_ms, struct err *e)
{
	const struct conf *conf = r->server->conf;
	const double rate = (double)config_number(conf, CONFIG_REQUEST_RATE);
	if (rate <= 0)
		return 0;
	struct principal *p = r->who;
	const double burst = (double)config_number(conf, CONFIG_REQUEST_BURST);
	p->allowance += (double)(now_ms - p->allowance_ms) * rate / 1000;
	p->allowance_ms = now_ms;
	if (p->allowance > burst)
		p->allowance = burst;
	if (p->allowance >= 1) {
		p->allowance -= 1;
		return 0;
	}
	err_set(e, ERR_EXHAUSTED, "more than %.0f requests a second", rate);
	err_remedy(e, "wait, or send more in each request");
	e->retry_after_ms = (uint32_t)((1 - p->allowance) * 1000 / rate) + 1;
	return -ERR_EXHAUSTED;
}

static int decode(struct request *r, struct span payload, struct err *e)
{
	size_t cap = payload.len * REQUEST_DECODE_FACTOR;
	cap = cap < REQUEST_DECODE_MIN ? REQUEST_DECODE_MIN : cap;
	cap = cap > REQUEST_DECODE_MAX ? REQUEST_DECODE_MAX : cap;
	arena_init(&r->arena, cap);
	ProtobufCMessage *m = NULL;
	const int rc =
		wire_unpack(&r->arena, &seve__request__descriptor, payload.at, payload.len, &m, e);
	if (rc < 0)
		return rc;
	r->arena.cap = REQUEST_ARENA_MAX;
	r->body = (const Seve__Request *)m;
	return 0;
}

int request_begin(struct conn *c, struct span payload, struct err *e)
{
	const uint64_t id = peek_id(payload);
	if (id == 0)
		return err_set(e, ERR_PROTOCOL, "a request without an id arrived");
	if (is_under_way(c, id))
		return err_set(e, ERR_PROTOCOL,
			       "a second request with id %llu arrived while the first is under way",
			       (unsigned long long)id);
	struct request *r = request_new(c);
	if (!r)
		return err_set(e, ERR_NOMEM, "new request");
	const uint64_t now = clock_mono_ms();
	const uint64_t longest = (uint64_t)config_number(r->server->conf, CONFIG_REQUEST_TIMEOUT);
	struct err why = {0};
	r->id = id;
	r->payload = payload;
	r->deadline_ms = now + longest;
	r->server->priv->metrics.requests++;
	if (decode(r, payload, &why) < 0 || check_rate(r, now, &why) < 0) {
		request_fail(r, &why);
		return 0;
	}
	if (r->body->has_timeout_ms && r->body->timeout_ms && r->body->timeout_ms < longest)
		r->deadline_ms = now + r->body->timeout_ms;
	dispatch(r);
	return 0;
}
