/* session.c -- see session.h. */
#include "session.h"

#include "clock.h"
#include "error.h"
#include "wire.h"

enum {
	ARENA_MAX = 16 * 1024 * 1024,
	BACKLOG_MAX = 1024 * 1024, /* above it no further call is sent */
	STEPS_MAX = 64, /* reads of one session_process(): others have a turn after that */
};

void session_init(struct session *s)
{
	memset(s, 0, sizeof *s);
	transport_init(&s->net);
	arena_init(&s->arena, ARENA_MAX);
}

static void forget_hello(struct session *s)
{
	if (s->hello)
		explicit_bzero(s->hello, s->n_hello);
	free(s->hello);
	s->hello = NULL;
	s->n_hello = 0;
}

static void session_drop(struct session *s, const struct err *cause)
{
	transport_close(&s->net);
	forget_hello(s);
	s->state = SESSION_CLOSED;
	s->ping_ms = 0;
	s->last = *cause;
	calls_fail_all(&s->calls, cause);
}

void session_fini(struct session *s)
{
	struct err cause;

	err_set(&cause, ERR_CANCELLED, "the session was closed");
	session_drop(s, &cause);
	arena_fini(&s->arena);
}

int session_start(struct session *s, SSL_CTX *ctx, const char *server, const Seve__Hello *hello,
		  struct err *e)
{
	int rc;

	forget_hello(s);
	s->n_hello = seve__hello__get_packed_size(hello);
	s->hello = malloc(s->n_hello);
	if (!s->hello)
		return err_set(e, ERR_NOMEM, "session");
	seve__hello__pack(hello, s->hello);
	rc = transport_open(&s->net, ctx, server, e);
	if (rc) {
		forget_hello(s);
		return rc;
	}
	s->state = SESSION_CONNECTING;
	s->flying_max = SESSION_FLYING_MAX;
	s->ready_until_ms = clock_mono_ms() + SESSION_READY_MS;
	return 0;
}

int session_submit(struct session *s, Seve__Request *req, const struct call_want *want,
		   uint64_t *id, struct err *e)
{
	if (s->state == SESSION_CLOSED)
		return err_set(e, ERR_UNAVAILABLE, "not connected");
	return calls_add(&s->calls, req, want, id, e);
}

static void send_cancel(struct session *s, uint64_t id)
{
	Seve__Cancel c = SEVE__CANCEL__INIT;
	uint8_t bytes[16];
	struct err ignored; /* a lost connection shows at the next step */

	if (s->state != SESSION_READY && s->state != SESSION_LEAVING)
		return;
	c.has_id = true;
	c.id = id;
	(void)transport_send(&s->net, FRAME_CANCEL, bytes, seve__cancel__pack(&c, bytes), &ignored);
}

void session_cancel(struct session *s, uint64_t id)
{
	if (calls_forget(&s->calls, id))
		send_cancel(s, id);
}

void session_grant(struct session *s, uint64_t id, uint64_t bytes)
{
	Seve__WatchNote n = SEVE__WATCH_NOTE__INIT;
	uint8_t packed[32];
	struct err ignored; /* a lost connection shows at the next step */

	if (s->state != SESSION_READY && s->state != SESSION_LEAVING)
		return;
	n.has_request = n.has_credit = true;
	n.request = id;
	n.credit = bytes;
	(void)transport_send(&s->net, FRAME_WATCH, packed, seve__watch_note__pack(&n, packed),
			     &ignored);
}

int session_fd(const struct session *s)
{
	return s->state == SESSION_CLOSED ? -1 : s->net.fd;
}

int session_events(const struct session *s)
{
	return s->state == SESSION_CLOSED ? 0 : transport_events(&s->net);
}

static bool may_send(const struct session *s)
{
	return s->state == SESSION_READY && s->calls.waiting && s->calls.n_flying < s->flying_max &&
	       transport_backlog(&s->net) < BACKLOG_MAX;
}

uint64_t session_wake_ms(const struct session *s)
{
	uint64_t wake, at = calls_deadline(&s->calls);

	if (s->state == SESSION_CLOSED)
		return UINT64_MAX;
	if (may_send(s))
		return 0;
	if (s->state == SESSION_READY || s->state == SESSION_LEAVING)
		wake = s->ping_ms ? s->ping_ms + SESSION_PONG_MS
				  : s->net.last_in_ms + SESSION_PING_MS;
	else
		wake = s->ready_until_ms;
	if (s->net.state == TRANSPORT_CONNECTING && s->net.try_until_ms < wake)
		wake = s->net.try_until_ms;
	return at < wake ? at : wake;
}

/* ---- frames
 * --------------------------------------------------------------------------------------- */

static int take_welcome(struct session *s, struct span bytes, struct err *e)
{
	const Seve__Welcome *w;
	ProtobufCMessage *m;
	int rc;

	if (s->state != SESSION_HELLO)
		return err_set(e, ERR_PROTOCOL, "the server sent a second Welcome");
	rc = wire_unpack(&s->arena, &seve__welcome__descriptor, bytes.at, bytes.len, &m, e);
	if (rc)
		return err_prefix(e, "Welcome");
	w = (const Seve__Welcome *)m;
	if (w->proto != SESSION_PROTO)
		return err_set(e, ERR_PROTOCOL, "the server speaks protocol %u, this library %d",
			       w->proto, SESSION_PROTO);
	if (w->limits && w->limits->inflight_max && w->limits->inflight_max < s->flying_max)
		s->flying_max = w->limits->inflight_max;
	s->state = SESSION_READY;
	return s->on_welcome ? s->on_welcome(s->ctx, w, e) : 0;
}

static int take_reply(struct session *s, struct span bytes, struct err *e)
{
	struct wire walk = {bytes.at, bytes.at + bytes.len, false};
	struct wire_field f;
	struct call *call = NULL;
	ProtobufCMessage *m;
	const Seve__Reply *reply;
	struct err failure;

	/* The id first: it says in whose memory the reply is to live. */
	while (!call && wire_next(&walk, &f))
		if (f.tag == 1 && f.type == 0)
			call = calls_flying(&s->calls, f.number);
	if (!call)
		return 0; /* cancelled, or past its deadline */
	if (wire_unpack(call->want.arena ? call->want.arena : &s->arena, &seve__reply__descriptor,
			bytes.at, bytes.len, &m, e))
		return err_prefix(e, "reply");
	reply = (const Seve__Reply *)m;
	if (!reply->error) {
		calls_end(&s->calls, call, reply, NULL);
		return 0;
	}
	error_from_wire(&failure, reply->error);
	calls_end(&s->calls, call, NULL, &failure);
	return 0;
}

static int take_page(struct session *s, struct span bytes, struct err *e)
{
	ProtobufCMessage *m;
	const Seve__Page *page;
	struct call *call;
	struct err failure = {0};

	if (wire_unpack(&s->arena, &seve__page__descriptor, bytes.at, bytes.len, &m, e))
		return err_prefix(e, "page");
	page = (const Seve__Page *)m;
	call = calls_flying(&s->calls, page->request);
	if (!call || !call->want.page)
		return 0;
	if (!call->want.lasts)
		call->deadline_ms = clock_mono_ms() + call->want.timeout_ms;
	if (call->want.page(call->want.ctx, page, &failure) == 0)
		return 0;
	send_cancel(s, call->id);
	calls_end(&s->calls, call, NULL, &failure);
	return 0;
}

static int take_note(struct session *s, struct span bytes, struct err *e)
{
	ProtobufCMessage *m;
	const Seve__WatchNote *note;
	struct call *call;
	struct err failure = {0};

	if (wire_unpack(&s->arena, &seve__watch_note__descriptor, bytes.at, bytes.len, &m, e))
		return err_prefix(e, "note");
	note = (const Seve__WatchNote *)m;
	call = calls_flying(&s->calls, note->request);
	if (!call || !call->want.note || call->want.note(call->want.ctx, note, &failure) == 0)
		return 0;
	send_cancel(s, call->id);
	calls_end(&s->calls, call, NULL, &failure);
	return 0;
}

static int take_error(struct session *s, struct span bytes, struct err *e)
{
	ProtobufCMessage *m;

	if (wire_unpack(&s->arena, &seve__error__descriptor, bytes.at, bytes.len, &m, e))
		return err_prefix(e, "error of the connection");
	return error_from_wire(e, (const Seve__Error *)m);
}

static int take_frame(struct session *s, const struct frame *f, struct err *e)
{
	switch (f->type) {
	case FRAME_WELCOME:
		return take_welcome(s, f->payload, e);
	case FRAME_REPLY:
		return take_reply(s, f->payload, e);
	case FRAME_PAGE:
		return take_page(s, f->payload, e);
	case FRAME_ERROR:
		return take_error(s, f->payload, e);
	case FRAME_GOAWAY:
		if (s->state == SESSION_READY)
			s->state = SESSION_LEAVING;
		return 0;
	case FRAME_PONG:
		return 0;
	case FRAME_PING:
		return transport_send(&s->net, FRAME_PONG, NULL, 0, e);
	case FRAME_WATCH:
		return take_note(s, f->payload, e);
	case FRAME_HELLO:
	case FRAME_REQUEST:
	case FRAME_CANCEL:
		break;
	}
	return err_set(e, ERR_PROTOCOL, "the server sent a frame of type %d", (int)f->type);
}

static int take_frames(struct session *s, struct err *e)
{
	struct frame f;
	int rc;

	while ((rc = transport_next(&s->net, FRAME_MAX, &f, e)) == 1) {
		s->ping_ms = 0;
		rc = take_frame(s, &f, e);
		arena_reset(&s->arena);
		if (rc)
			return rc;
		transport_took(&s->net, &f);
	}
	return rc;
}

/* ---- going on
 * --------------------------------------------------------------------------------------- */

static int send_hello(struct session *s, struct err *e)
{
	int rc;

	if (s->state != SESSION_CONNECTING || s->net.state != TRANSPORT_OPEN)
		return 0;
	rc = transport_send(&s->net, FRAME_HELLO, s->hello, s->n_hello, e);
	forget_hello(s);
	s->state = SESSION_HELLO;
	return rc;
}

static int send_calls(struct session *s, struct err *e)
{
	while (may_send(s)) {
		struct call *call = calls_send_next(&s->calls);
		int rc = transport_send(&s->net, FRAME_REQUEST, call->bytes, call->n, e);

		call_sent(call);
		if (rc)
			return rc;
	}
	if (s->state == SESSION_LEAVING && !s->calls.flying) {
		err_set(e, ERR_GOING_AWAY, "the server is about to stop");
		return err_remedy(e, "try again in a moment");
	}
	return 0;
}

static void end_late(struct session *s, uint64_t now)
{
	struct call *call;

	while ((call = calls_late(&s->calls, now))) {
		struct err err;
		bool sent = !call->bytes;

		err_set(&err, sent && call->want.writes ? ERR_OUTCOME : ERR_DEADLINE,
			"no answer in %u ms", call->want.timeout_ms);
		if (sent)
			send_cancel(s, call->id);
		calls_end(&s->calls, call, NULL, &err);
	}
}

static int keep_alive(struct session *s, uint64_t now, struct err *e)
{
	if (s->state == SESSION_CONNECTING || s->state == SESSION_HELLO)
		return now < s->ready_until_ms
			       ? 0
			       : err_set(e, ERR_UNAVAILABLE, "%s port %s: no welcome in %d ms",
					 s->net.host, s->net.port, SESSION_READY_MS);
	if (s->ping_ms && now >= s->ping_ms + SESSION_PONG_MS)
		return err_set(e, ERR_UNAVAILABLE, "%s port %s gives no sign of life", s->net.host,
			       s->net.port);
	if (s->ping_ms || now < s->net.last_in_ms + SESSION_PING_MS)
		return 0;
	s->ping_ms = now;
	return transport_send(&s->net, FRAME_PING, NULL, 0, e);
}

static int go_on(struct session *s, struct err *e)
{
	struct err broken = {0};
	int rc = 1;

	for (int i = 0; rc == 1 && i < STEPS_MAX; i++) {
		int taken;

		rc = transport_step(&s->net, &broken);
		if (rc >= 0) {
			taken = send_hello(s, e);
			if (taken)
				return taken;
		}
		/* Also after a loss: the last frame may tell why. */
		taken = take_frames(s, e);
		if (taken < 0)
			return taken;
		if (rc < 0) {
			*e = broken;
			return rc;
		}
	}
	rc = keep_alive(s, clock_mono_ms(), e);
	return rc ? rc : send_calls(s, e);
}

int session_process(struct session *s, struct err *e)
{
	struct err cause = {0};
	int rc;

	if (s->state == SESSION_CLOSED)
		return 0;
	rc = go_on(s, &cause);
	if (!rc) {
		end_late(s, clock_mono_ms());
		return 0;
	}
	session_drop(s, &cause);
	if (e)
		*e = cause;
	return rc;
}
