/* conn.c -- the life of a connection: phases, limits, bytes in, frames.  Knows no methods and no
 * SQL. */
#include "conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "clock.h"
#include "failure.h"
#include "log.h"
#include "server_private.h"

static const char *const phase_names[] = {"accepted", "handshake", "hello", "ready", "closing"};

static struct conns *all_of(const struct conn *c)
{
	return &c->server->priv->conns;
}

static uint64_t setting(const struct conn *c, enum config_key key)
{
	return (uint64_t)config_number(c->server->conf, key);
}

/* ---- phases -----------------------------------------------------------------------------------
 */

static void unlink_phase(struct conn *c)
{
	struct conn_list *l = &all_of(c)->phase[c->phase];
	*(c->prev ? &c->prev->next : &l->first) = c->next;
	*(c->next ? &c->next->prev : &l->last) = c->prev;
	c->prev = c->next = NULL;
	l->n--;
}

/* In order of deadline; nearly always at the end. */
static void link_phase(struct conn *c)
{
	struct conn_list *l = &all_of(c)->phase[c->phase];
	struct conn *before = l->last;
	while (before && before->deadline_ms > c->deadline_ms)
		before = before->prev;
	c->prev = before;
	c->next = before ? before->next : l->first;
	*(c->prev ? &c->prev->next : &l->first) = c;
	*(c->next ? &c->next->prev : &l->last) = c;
	l->n++;
}

static bool is_waiting(const struct conn *c)
{
	return c->phase <= CONN_HELLO;
}

/* Leaves the count of those that have not authenticated. */
static void stop_waiting(struct conn *c)
{
	if (c->counted)
		source_leave(all_of(c)->sources, &c->source);
	c->counted = false;
}

static void conn_move(struct conn *c, enum conn_phase to, uint64_t deadline_ms)
{
	const bool waited = is_waiting(c);
	unlink_phase(c);
	c->phase = (uint8_t)to;
	c->deadline_ms = deadline_ms;
	link_phase(c);
	if (waited && !is_waiting(c)) {
		stop_waiting(c);
		listener_resume(c->server);
	}
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void leave_turn(struct conn *c)
{
	if (!c->in_turn)
		return;
	*(c->turn_prev ? &c->turn_prev->turn_next : &all_of(c)->turn) = c->turn_next;
	if (c->turn_next)
		c->turn_next->turn_prev = c->turn_prev;
	c->turn_prev = c->turn_next = NULL;
	c->in_turn = false;
}

static void log_closed(const struct conn *c, const char *reason)
{
	char source[SOURCE_TEXT];
	source_text(&c->source, source);
	log_event(c->phase <= CONN_HELLO ? LOG_INFO : LOG_DEBUG, "conn_closed",
		  "conn=%llu phase=%s reason=%s source=%s token=%s ms=%llu",
		  (unsigned long long)c->serial, phase_names[c->phase], reason, source,
		  c->who ? c->who->token_id : "-",
		  (unsigned long long)(clock_mono_ms() - c->opened_ms));
}

static void on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;
	struct server *s = c->server;
	tls_fini(&c->tls);
	buf_fini(&c->in);
	buf_fini(&c->out);
	free(c);
	s->priv->conns.n--;
	listener_resume(s);
}

void conn_kill(struct conn *c, const char *reason)
{
	if (uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	if (c->phase != CONN_CLOSING)
		log_closed(c, reason);
	while (c->requests)
		request_orphan(c->requests);
	if (c->hello)
		auth_forget(c->hello);
	c->hello = NULL;
	leave_turn(c);
	unlink_phase(c);
	c->phase = CONN_CLOSING; /* and on no list: nothing more is taken from it */
	stop_waiting(c);
	principal_unref(c->who);
	c->who = NULL;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void conn_close(struct conn *c, const char *reason)
{
	if (uv_is_closing((uv_handle_t *)&c->tcp) || c->phase == CONN_CLOSING)
		return;
	log_closed(c, reason);
	while (c->requests)
		request_orphan(c->requests);
	if (c->hello)
		auth_forget(c->hello);
	c->hello = NULL;
	tls_close(&c->tls);
	conn_move(c, CONN_CLOSING, clock_mono_ms() + CONN_CLOSE_MS);
	conn_touch(c);
}

void conn_fail(struct conn *c, const struct err *e, const char *reason)
{
	if (c->phase == CONN_HELLO || c->phase == CONN_READY) {
		Seve__Error error;
		failure_fill(&error, e);
		conn_send(c, FRAME_ERROR, &error.base);
	}
	conn_close(c, reason);
}

/* ---- frames -----------------------------------------------------------------------------------
 */

static void on_frame(struct conn *c, const struct frame *f)
{
	struct err e = {0};
	if (c->phase == CONN_HELLO) {
		if (f->type == FRAME_HELLO) {
			auth_hello(c, f->payload);
			return;
		}
		err_set(&e, ERR_UNAUTHENTICATED, "a frame of type %d came before Hello",
			(int)f->type);
		conn_fail(c, &e, "protocol");
		return;
	}
	switch (f->type) {
	case FRAME_REQUEST:
		if (request_begin(c, f->payload, &e) < 0)
			conn_fail(c, &e, "protocol");
		return;
	case FRAME_PING:
		conn_send_bytes(c, FRAME_PONG, NULL, 0);
		return;
	case FRAME_PONG:
		return;
	case FRAME_CANCEL:
		request_cancel(c, f->payload);
		return;
	case FRAME_WATCH:
		request_credit(c, f->payload);
		return;
	case FRAME_HELLO:
	case FRAME_WELCOME:
	case FRAME_REPLY:
	case FRAME_PAGE:
	case FRAME_ERROR:
	case FRAME_GOAWAY:
		break;
	}
	err_set(&e, ERR_PROTOCOL, "a frame of type %d is not for a server in session",
		(int)f->type);
	conn_fail(c, &e, "protocol");
}

/* Whether the next frame may be taken now. */
static bool may_take(const struct conn *c)
{
	if (c->going || c->hello)
		return false;
	if (c->phase == CONN_HELLO)
		return true;
	return c->phase == CONN_READY && c->n_requests < CONN_INFLIGHT_MAX &&
	       conn_pending(c) < CONN_OUT_HIGH;
}

static void take_frames(struct conn *c, struct buf *plain)
{
	while (may_take(c)) {
		struct frame f;
		struct err e = {0};
		const size_t max = c->phase == CONN_READY ? FRAME_MAX : FRAME_MAX_BEFORE_AUTH;
		const int rc = frame_next(plain, max, &f, &e);
		if (rc < 0)
			conn_fail(c, &e, "protocol");
		if (rc <= 0)
			return;
		const size_t n = f.payload.len;
		on_frame(c, &f);
		buf_consume(plain, FRAME_HEADER + n);
	}
}

/* ---- bytes in ---------------------------------------------------------------------------------
 */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	(void)suggested;
	struct server *s = ((struct conn *)h->data)->server;
	*out = uv_buf_init((char *)s->scratch, sizeof s->scratch);
}

static void refuse_busy(struct conn *c)
{
	struct err e = {0};
	err_set(&e, ERR_EXHAUSTED, "the server has as many connections as it is allowed");
	err_remedy(&e, "try again later; an admin can raise max-connections");
	e.retry_after_ms = 5000 + (uint32_t)(c->serial * 7919 % 5000);
	c->server->priv->metrics.busy++;
	conn_fail(c, &e, "busy");
}

/* Most reads hold whole frames: they are decrypted into the buffer that all share, and only a rest
 * is kept. */
static int decrypt(struct conn *c, const void *bytes, size_t n)
{
	struct conns *all = all_of(c);
	struct err e = {0};
	struct buf *plain = buf_len(&c->in) ? &c->in : &all->plain;
	const bool was_ready = c->tls.ready;
	const int rc = tls_feed(&c->tls, bytes, n, plain, &e);
	if (rc < 0) {
		char source[SOURCE_TEXT];
		source_text(&c->source, source);
		c->server->priv->metrics.tls_failed += !was_ready;
		log_event(LOG_INFO, "tls_failed", "conn=%llu source=%s error=%s",
			  (unsigned long long)c->serial, source, e.text);
		buf_consume(&all->plain, buf_len(&all->plain));
		conn_close(c, "tls");
		return rc;
	}
	if (c->tls.ready && !was_ready)
		conn_move(c, CONN_HELLO, c->opened_ms + setting(c, CONFIG_AUTH_TIMEOUT));
	if (c->busy && c->phase == CONN_HELLO)
		refuse_busy(c);
	take_frames(c, plain);
	if (plain != &all->plain)
		return 0;
	const struct span rest = buf_span(plain);
	const int kept = c->phase == CONN_CLOSING ? 0 : buf_add(&c->in, rest.at, rest.len);
	buf_consume(plain, rest.len);
	if (kept < 0)
		conn_kill(c, "memory");
	return kept;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b);

static void update_reading(struct conn *c)
{
	/* A closing connection reads and throws away: an unread byte would turn its last words into
	 * a reset. */
	const bool want = c->phase == CONN_CLOSING || c->phase <= CONN_HANDSHAKE || may_take(c);
	if (want == c->reading)
		return;
	c->reading = want;
	if (!want) {
		uv_read_stop((uv_stream_t *)&c->tcp);
		return;
	}
	if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		conn_kill(c, "read");
}

static void on_bytes(struct conn *c, const uint8_t *bytes, size_t n)
{
	const uint64_t now = clock_mono_ms();
	c->server->priv->metrics.bytes_in += n;
	if (c->phase == CONN_CLOSING)
		return;
	if (c->phase == CONN_ACCEPTED) {
		struct err e = {0};
		if (tls_init(&c->tls, c->server->tls, NULL, &c->out, &e) < 0) {
			log_event(LOG_ERROR, "tls_failed", "conn=%llu error=%s",
				  (unsigned long long)c->serial, e.text);
			conn_kill(c, "tls");
			return;
		}
		conn_move(c, CONN_HANDSHAKE, c->opened_ms + setting(c, CONFIG_HANDSHAKE_TIMEOUT));
	}
	if (decrypt(c, bytes, n) < 0)
		return;
	conn_touch(c);
	if (c->phase == CONN_READY)
		conn_move(c, CONN_READY, now + setting(c, CONFIG_IDLE_TIMEOUT));
	if (c->tls.closed)
		conn_close(c, "peer");
	/* At once, not when the loop turns: libuv would go on reading as long as bytes come. */
	if (c->phase == CONN_HELLO || c->phase == CONN_READY)
		update_reading(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct conn *c = stream->data;
	if (n > 0)
		on_bytes(c, (const uint8_t *)b->base, (size_t)n);
	else if (n < 0)
		conn_kill(c, n == UV_EOF ? "peer" : uv_err_name((int)n));
}

/* ---- the turn of the loop ---------------------------------------------------------------------
 */

void conn_touch(struct conn *c)
{
	if (c->in_turn || uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	struct conns *all = all_of(c);
	c->in_turn = true;
	c->turn_prev = NULL;
	c->turn_next = all->turn;
	if (all->turn)
		all->turn->turn_prev = c;
	all->turn = c;
}

/* Handlers that waited for room go on, one after the other, until there is none. */
static void call_drained(struct conn *c)
{
	for (size_t left = c->n_requests; left > 0; left--) {
		const size_t pending = conn_pending(c);
		struct request *r = c->requests;
		while (r && (!r->on_drain || pending > r->drain_below))
			r = r->next;
		if (!r || uv_is_closing((uv_handle_t *)&c->tcp))
			return;
		void (*fn)(struct request *) = r->on_drain;
		r->on_drain = NULL;
		fn(r);
		conn_flush(c);
	}
}

static void say_goodbye(struct conn *c)
{
	if (c->going && c->phase == CONN_READY && c->n_requests == 0)
		conn_close(c, "drained");
}

static void on_shut(uv_shutdown_t *req, int status)
{
	(void)status; /* whatever it is, the deadline ends it */
	free(req);
}

static void shut_down(struct conn *c)
{
	if (c->phase != CONN_CLOSING || c->shut || conn_pending(c) > 0)
		return;
	c->shut = true;
	uv_shutdown_t *req = malloc(sizeof *req);
	if (!req || uv_shutdown(req, (uv_stream_t *)&c->tcp, on_shut) < 0) {
		free(req);
		conn_kill(c, "shutdown");
	}
}

static void settle(struct conn *c)
{
	if (buf_len(&c->in) > 0)
		take_frames(c, &c->in);
	buf_release(&c->in);
	conn_flush(c);
	if (uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	call_drained(c);
	if (uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	say_goodbye(c);
	shut_down(c);
	if (!uv_is_closing((uv_handle_t *)&c->tcp))
		update_reading(c);
}

void conn_settle(struct conn *c)
{
	leave_turn(c);
	settle(c);
}

void conn_overdue(struct conn *c, uint64_t now_ms)
{
	static const char *const reasons[] = {"first_byte_timeout", "handshake_timeout",
					      "auth_timeout", "idle", "closed"};
	/* A client that is not being read cannot show that it is alive. */
	if (c->phase == CONN_READY && !c->reading) {
		conn_move(c, CONN_READY, now_ms + setting(c, CONFIG_IDLE_TIMEOUT));
		return;
	}
	c->server->priv->metrics.timed_out += c->phase != CONN_CLOSING;
	if (c->phase != CONN_HELLO && c->phase != CONN_READY) {
		conn_kill(c, reasons[c->phase]);
		return;
	}
	struct err e = {0};
	if (c->phase == CONN_HELLO) {
		err_set(&e, ERR_DEADLINE, "no session after %llu ms",
			(unsigned long long)(now_ms - c->opened_ms));
		err_remedy(&e, "send Hello as soon as TLS stands");
	} else {
		err_set(&e, ERR_DEADLINE, "nothing was heard for %llu ms",
			(unsigned long long)setting(c, CONFIG_IDLE_TIMEOUT));
		err_remedy(&e, "send a ping every 45 s, or connect again");
	}
	conn_fail(c, &e, reasons[c->phase]);
}

/* ---- the beginning ----------------------------------------------------------------------------
 */

static void set_socket_options(struct conn *c)
{
	int fd;
	const unsigned user_timeout_ms = 20000;
	uv_tcp_nodelay(&c->tcp, 1);
	uv_tcp_keepalive(&c->tcp, 1, 30);
	/* A peer that vanished with bytes under way is found sooner than by the kernel's quarter of
	 * an hour. */
	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms,
			   sizeof user_timeout_ms);
}

static struct conn *conn_new(struct server *s)
{
	struct conn *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	if (uv_tcp_init(s->loop, &c->tcp) < 0) {
		free(c);
		return NULL;
	}
	struct conns *all = &s->priv->conns;
	c->tcp.data = c;
	c->server = s;
	c->serial = ++all->serial;
	buf_init(&c->in, FRAME_HEADER + FRAME_MAX + 2 * sizeof s->scratch);
	buf_init(&c->out, CONN_OUT_HARD + 2 * FRAME_MAX);
	c->opened_ms = c->progress_ms = clock_mono_ms();
	c->phase = CONN_ACCEPTED;
	c->deadline_ms = c->opened_ms + setting(c, CONFIG_FIRST_BYTE_TIMEOUT);
	link_phase(c);
	all->n++;
	return c;
}

static const char *refusal(struct conn *c)
{
	struct conns *all = all_of(c);
	struct conf *conf = c->server->conf;
	const size_t max = (size_t)config_number(conf, CONFIG_MAX_CONNECTIONS);
	if (all->n > max + CONN_BUSY_SPARE)
		return "too_many";
	c->busy = all->n > max;
	if (c->source.loopback && !config_number(conf, CONFIG_PENALTY_LOOPBACK))
		return NULL;
	if (!source_admits(all->sources, &c->source, c->opened_ms,
			   (unsigned)config_number(conf, CONFIG_MAX_UNAUTHENTICATED_SOURCE)))
		return "source";
	c->counted = source_enter(all->sources, &c->source);
	return NULL;
}

int conn_accept(struct server *s, uv_stream_t *listener, struct err *e)
{
	struct conn *c = conn_new(s);
	if (!c)
		return err_set(e, ERR_NOMEM, "new connection");
	const int rc = uv_accept(listener, (uv_stream_t *)&c->tcp);
	if (rc < 0) {
		conn_kill(c, "accept");
		return err_set(e, ERR_IO, "accept: %s", uv_strerror(rc));
	}
	struct sockaddr_storage peer = {0};
	int size = sizeof peer;
	uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&peer, &size);
	c->source = source_key((const struct sockaddr *)&peer);
	s->priv->metrics.accepted++;
	const char *why = refusal(c);
	if (why) {
		s->priv->metrics.shed++;
		conn_kill(c, why);
		return 0;
	}
	set_socket_options(c);
	update_reading(c);
	if (log_wants(LOG_DEBUG)) {
		char source[SOURCE_TEXT];
		source_text(&c->source, source);
		log_event(LOG_DEBUG, "conn_opened", "conn=%llu source=%s",
			  (unsigned long long)c->serial, source);
	}
	return 0;
}

void conn_refuse(struct conn *c, const struct err *e)
{
	struct conns *all = all_of(c);
	char source[SOURCE_TEXT];
	source_text(&c->source, source);
	c->server->priv->metrics.auth_failed++;
	log_event(LOG_WARN, "auth_failed", "conn=%llu source=%s code=%s error=%s",
		  (unsigned long long)c->serial, source, err_name(e->code), e->text);
	const bool counts =
		e->code == ERR_UNAUTHENTICATED &&
		(!c->source.loopback || config_number(c->server->conf, CONFIG_PENALTY_LOOPBACK));
	if (counts)
		source_failed(all->sources, &c->source, clock_mono_ms());
	conn_fail(c, e, "refused");
}

void conn_authenticated(struct conn *c, struct principal *who)
{
	c->who = principal_ref(who);
	source_succeeded(all_of(c)->sources, &c->source);
	conn_move(c, CONN_READY, clock_mono_ms() + setting(c, CONFIG_IDLE_TIMEOUT));
	conn_touch(c);
}
