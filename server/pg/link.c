/* link.c -- one connection to PostgreSQL on the event loop: see link.h.  What travels on it is the
 * pipe's business. Knows no tables.
 *
 *   WAITING ─timer─► CONNECTING ─► SETTING_UP ─► UP          (any trouble: back to WAITING)
 *      └──────────────────┴─── close ──┴──────────┴──► CLOSING ──► gone
 *
 * An idle handle stands for "there is something to do before the loop waits": it makes the loop
 * turn at once, sends what is queued, ends what has failed, and stops; so an idle link costs
 * nothing. */
#include "link.h"

#include "clock.h"
#include "log.h"
#include "pipe.h"

enum link_state { WAITING, CONNECTING, SETTING_UP, UP, CLOSING };

enum {
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 2500, /* the service is to be back within 3 s of PostgreSQL */
	CONNECT_MS = 10000,    /* for connecting and setting up */
	STEADY_MS =
		1000, /* after so long a session counts as healthy, and the back-off starts anew */
	PG_VERSION_MIN = 150000,
};

/* A handle of its own per socket: libpq may change the socket, and closing a handle takes a turn of
 * the loop. */
struct link_poll {
	uv_poll_t handle;
	struct pg_link *link;
};

struct pg_link {
	uv_loop_t *loop;
	enum link_state state;
	char *conninfo, *name, *setup;
	struct pg_link_options options;
	PGconn *conn;
	struct pg_pipe pipe;
	struct link_poll *poll;
	int fd, events;
	uv_timer_t timer;
	uv_idle_t turn;
	unsigned handles;        /* that are not closed yet */
	struct pg_units waiting; /* to be sent */
	struct pg_units failed;  /* done is to be called; err is set */
	uint32_t session;
	bool refused; /* setting up: the session has said what we cannot accept */
	unsigned attempts;
	uint64_t up_since_ms, heard_ms;
	char trouble[256];
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void on_poll(uv_poll_t *h, int status, int events);
static void link_connect(struct pg_link *l);

/* The only assignment to `state`. */
static void link_move(struct pg_link *l, enum link_state to)
{
	static const char *const names[] = {"waiting", "connecting", "setting_up", "up", "closing"};
	log_event(LOG_DEBUG, "pg_link", "name=%s from=%s to=%s", l->name, names[l->state],
		  names[to]);
	l->state = to;
}

/* Something waits to be done before the loop next sleeps. */
static void link_kick(struct pg_link *l);

/* ---- the socket ---- */

static void handle_gone(struct pg_link *l)
{
	if (--l->handles > 0)
		return;
	struct pg_unit *u;
	while ((u = pg_units_shift(&l->failed))) /* submitted while closing */
		u->done(u);
	if (l->closed)
		l->closed(l->closed_ctx);
	free(l->conninfo);
	free(l->name);
	free(l->setup);
	free(l);
}

static void on_poll_closed(uv_handle_t *h)
{
	struct link_poll *p = (struct link_poll *)h;
	struct pg_link *l = p->link;
	free(p);
	handle_gone(l);
}

static void link_unwatch(struct pg_link *l)
{
	if (l->poll)
		uv_close((uv_handle_t *)&l->poll->handle, on_poll_closed);
	l->poll = NULL;
	l->events = 0;
}

/* Waits for events on the connection's socket.  False when that is not possible. */
static bool link_watch(struct pg_link *l, int events)
{
	int fd = PQsocket(l->conn);
	if (fd < 0)
		return false;
	if (l->poll && l->fd != fd)
		link_unwatch(l);
	if (!l->poll) {
		struct link_poll *p = calloc(1, sizeof *p);
		if (!p)
			return false;
		if (uv_poll_init(l->loop, &p->handle, fd) < 0) {
			free(p);
			return false;
		}
		p->link = l;
		l->handles++;
		l->poll = p;
		l->fd = fd;
	}
	l->events = events;
	/* while connecting it is started anew even for the same number: it may be another socket */
	return uv_poll_start(&l->poll->handle, events, on_poll) == 0;
}

static void link_drop_connection(struct pg_link *l)
{
	link_unwatch(l);
	pg_pipe_fini(&l->pipe);
	PQfinish(l->conn);
	l->conn = NULL;
}

/* ---- failing ---- */

static void link_fail_all(struct pg_link *l, const char *why)
{
	struct pg_unit *u;
	while ((u = pg_pipe_abandon(&l->pipe))) {
		pg_error_classify(u->sqlstate, true, why, &u->err);
		pg_units_push(&l->failed, u);
	}
	while ((u = pg_units_shift(&l->waiting))) {
		pg_error_classify("", false, why, &u->err);
		pg_units_push(&l->failed, u);
	}
	if (l->failed.first)
		link_kick(l);
}

/* Doubling between the two; of that between a half and the whole, so that links do not come back
 * in step. */
static uint64_t link_backoff(struct pg_link *l)
{
	uint64_t ms = BACKOFF_MIN_MS;
	for (unsigned i = 0; i < l->attempts && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	l->attempts++;
	uint32_t random = 0;
	if (uv_random(NULL, NULL, &random, sizeof random, 0, NULL) < 0)
		random = (uint32_t)uv_hrtime();
	return ms / 2 + random % (ms / 2 + 1);
}

static void on_retry(uv_timer_t *t)
{
	link_connect(t->data);
}

static bool link_was_steady(const struct pg_link *l)
{
	return l->state == UP && clock_mono_ms() - l->up_since_ms >= STEADY_MS;
}

/* The connection is gone or was never there: everything under way fails, another attempt is
 * planned. */
static void link_down(struct pg_link *l, const char *why, uint64_t retry_ms)
{
	bool was_up = l->state == UP;
	link_fail_all(l, why);
	link_drop_connection(l);
	l->session += was_up;
	link_move(l, WAITING);
	uv_timer_start(&l->timer, on_retry, retry_ms, 0);
	if (was_up && l->options.on_state)
		l->options.on_state(l->options.ctx, l, false);
}

static void link_lost(struct pg_link *l, const char *why)
{
	snprintf(l->trouble, sizeof l->trouble, "%.*s", (int)strcspn(why, "\n"), why);
	if (link_was_steady(l))
		l->attempts = 0;
	uint64_t ms = link_backoff(l);
	log_event(LOG_WARN, "pg_lost", "link=%s under_way=%zu retry_ms=%llu why=%s", l->name,
		  pg_link_load(l), (unsigned long long)ms, l->trouble);
	link_down(l, l->trouble, ms);
}

/* ---- sending ---- */

static void link_flush(struct pg_link *l)
{
	/* -1, a failed write: what the server said before it went is still to be read, reading
	 * finds the end */
	int events = UV_READABLE | (PQflush(l->conn) == 1 ? UV_WRITABLE : 0);
	if (events != l->events && !link_watch(l, events))
		link_lost(l, "the socket cannot be watched");
}

static bool link_of_another_session(const struct pg_link *l, struct pg_unit *u)
{
	if (u->session == 0 || u->session == l->session)
		return false;
	err_set(&u->err, ERR_UNAVAILABLE, "the database connection of this transaction was lost");
	return true;
}

static void link_send(struct pg_link *l)
{
	if (!l->waiting.first)
		return;
	while (pg_pipe_ready(&l->pipe) && l->waiting.first) {
		struct pg_unit *u = pg_units_shift(&l->waiting);
		if (l->pipe.sent.n == 0)
			l->heard_ms = clock_mono_ms();
		if (link_of_another_session(l, u) || (pg_pipe_send(&l->pipe, u) < 0 && u->err.code))
			pg_units_push(&l->failed, u);
	}
	if (l->pipe.lost)
		link_lost(l, l->pipe.why);
	else
		link_flush(l);
}

static void link_gone(struct pg_link *l);

static void on_turn(uv_idle_t *h)
{
	struct pg_link *l = h->data;
	uv_idle_stop(h);
	if (l->state == UP)
		link_send(l);
	struct pg_units failed = l->failed;
	l->failed = (struct pg_units){0};
	struct pg_unit *u;
	while ((u = pg_units_shift(&failed)))
		u->done(u);
	if (l->state == CLOSING && !l->failed.first)
		link_gone(l);
}

static void link_kick(struct pg_link *l)
{
	if (!uv_is_active((uv_handle_t *)&l->turn) && !uv_is_closing((uv_handle_t *)&l->turn))
		uv_idle_start(&l->turn, on_turn);
}

/* ---- receiving ---- */

static void link_notifications(struct pg_link *l)
{
	PGnotify *n;
	while (l->state == UP && (n = PQnotifies(l->conn))) {
		if (l->options.on_notify)
			l->options.on_notify(l->options.ctx, n->relname, n->extra);
		PQfreemem(n);
	}
}

static void link_renew(struct pg_link *l, uint64_t retry_ms)
{
	log_event(LOG_INFO, "pg_renew", "link=%s", l->name);
	link_down(l, "the session is being renewed", retry_ms);
}

static void link_receive(struct pg_link *l)
{
	/* a dead connection may still hold results that came before its end */
	bool alive = PQconsumeInput(l->conn) == 1;
	l->heard_ms = clock_mono_ms();
	struct pg_unit *u;
	while (l->state == UP && (u = pg_pipe_take(&l->pipe)))
		u->done(u);
	link_notifications(l);
	if (l->state != UP)
		return;
	if (l->pipe.lost)
		link_lost(l, l->pipe.why);
	else if (!alive)
		link_lost(l, PQerrorMessage(l->conn));
	else if (l->pipe.stale && l->pipe.sent.n == 0)
		link_renew(l, link_was_steady(l) ? 0 : link_backoff(l));
	else
		link_send(l); /* now: the database works while answers are being written */
}

/* ---- connecting and setting up ---- */

static void on_connect_timeout(uv_timer_t *t)
{
	link_lost(t->data, "connecting took too long");
}

/* Units are under way and nothing has come for long: the other side is stuck or gone without a
 * word. */
static void on_watch(uv_timer_t *t)
{
	struct pg_link *l = t->data;
	if (l->pipe.sent.n > 0 && clock_mono_ms() - l->heard_ms > l->options.silence_ms)
		link_lost(l, "no answer");
}

static void on_notice(void *ctx, const PGresult *r)
{
	const struct pg_link *l = ctx;
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	log_event(LOG_DEBUG, "pg_notice", "link=%s sqlstate=%s text=%s", l->name,
		  state ? state : "", text ? text : "");
}

static void link_setup_refuse(struct pg_link *l, const char *why)
{
	if (l->refused)
		return;
	snprintf(l->trouble, sizeof l->trouble, "%.*s", (int)strcspn(why, "\n"), why);
	l->refused = true;
}

/* The last statement of the set-up tells whether a COMMIT will mean what we promise. */
static void link_setup_result(struct pg_link *l, const PGresult *r)
{
	const ExecStatusType status = PQresultStatus(r);
	struct err e;
	if (status == PGRES_FATAL_ERROR) {
		link_setup_refuse(l, PQresultErrorMessage(r));
	} else if (status == PGRES_TUPLES_OK && PQnfields(r) == 1 &&
		   strcmp(PQfname(r, 0), "seve_commit") == 0) {
		if (strcmp(PQgetvalue(r, 0, 0), "off") == 0)
			link_setup_refuse(l, "synchronous_commit is off: set it to on");
	} else if (status == PGRES_TUPLES_OK && l->options.accept &&
		   l->options.accept(l->options.ctx, r, &e)) {
		link_setup_refuse(l, e.text);
	}
}

/* The set-up has run through: the pipeline begins, unless something in it was not acceptable. */
static void link_setup_end(struct pg_link *l)
{
	if (l->refused || !PQenterPipelineMode(l->conn)) {
		char why[sizeof l->trouble];
		snprintf(why, sizeof why, "%s", l->refused ? l->trouble : PQerrorMessage(l->conn));
		link_lost(l, why);
		return;
	}
	pg_pipe_init(&l->pipe, l->conn);
	l->trouble[0] = 0;
	l->up_since_ms = clock_mono_ms();
	link_move(l, UP);
	log_event(LOG_INFO, "pg_up", "link=%s backend=%d", l->name, PQbackendPID(l->conn));
	uint64_t watch_ms = l->options.silence_ms / 4 + 1;
	uv_timer_start(&l->timer, on_watch, watch_ms, watch_ms);
	if (l->options.on_state)
		l->options.on_state(l->options.ctx, l, true);
}

static void link_setup_read(struct pg_link *l)
{
	if (!PQconsumeInput(l->conn)) {
		link_lost(l, PQerrorMessage(l->conn));
		return;
	}
	int rc = PQflush(l->conn);
	if (!link_watch(l, UV_READABLE | (rc == 1 ? UV_WRITABLE : 0))) {
		link_lost(l, "the socket cannot be watched");
		return;
	}
	while (!PQisBusy(l->conn)) {
		PGresult *r = PQgetResult(l->conn);
		if (!r) {
			link_setup_end(l);
			return;
		}
		link_setup_result(l, r);
		PQclear(r);
	}
}

static void link_setup_start(struct pg_link *l)
{
	int version = PQserverVersion(l->conn);
	if (version < PG_VERSION_MIN) {
		link_lost(l, "PostgreSQL 15 or later is needed");
		return;
	}
	l->refused = false;
	if (PQsetnonblocking(l->conn, 1) < 0 || !PQsendQuery(l->conn, l->setup) ||
	    PQflush(l->conn) < 0 || !link_watch(l, UV_READABLE | UV_WRITABLE)) {
		link_lost(l, PQerrorMessage(l->conn));
		return;
	}
	link_move(l, SETTING_UP);
}

static void link_connect_step(struct pg_link *l)
{
	PostgresPollingStatusType next = PQconnectPoll(l->conn);
	switch (next) {
	case PGRES_POLLING_OK:
		link_setup_start(l);
		return;
	case PGRES_POLLING_FAILED:
		link_lost(l, PQerrorMessage(l->conn));
		return;
	case PGRES_POLLING_READING:
	case PGRES_POLLING_WRITING:
	case PGRES_POLLING_ACTIVE:
		if (!link_watch(l, next == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE))
			link_lost(l, "the socket cannot be watched");
		return;
	}
}

static void link_connect(struct pg_link *l)
{
	char application[64];
	snprintf(application, sizeof application, "seved %s", l->name);
	/* what stands before dbname is a default that the conninfo may change */
	const char *const keys[] = {"keepalives_idle",
				    "keepalives_interval",
				    "keepalives_count",
				    "tcp_user_timeout",
				    "dbname",
				    "application_name",
				    NULL};
	const char *const values[] = {"15", "5", "3", "15000", l->conninfo, application, NULL};
	link_move(l, CONNECTING);
	uv_timer_start(&l->timer, on_connect_timeout, CONNECT_MS, 0);
	l->conn = PQconnectStartParams(keys, values, 1);
	if (!l->conn) {
		link_lost(l, "out of memory");
		return;
	}
	PQsetNoticeReceiver(l->conn, on_notice, l);
	if (PQstatus(l->conn) == CONNECTION_BAD)
		link_lost(l, PQerrorMessage(l->conn));
	else if (!link_watch(l, UV_WRITABLE))
		link_lost(l, "the socket cannot be watched");
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct link_poll *p = (struct link_poll *)h;
	struct pg_link *l = p->link;
	if (l->poll != p)
		return;
	/* an error comes with the handle already stopped: libpq finds out by itself what has
	 * happened */
	bool broken = status < 0;
	switch (l->state) {
	case CONNECTING:
		link_connect_step(l);
		return;
	case SETTING_UP:
		link_setup_read(l);
		break;
	case UP:
		if (broken || (events & UV_READABLE))
			link_receive(l);
		if (l->state == UP && (events & UV_WRITABLE))
			link_flush(l);
		break;
	case WAITING:
	case CLOSING:
		return;
	}
	if (broken && l->poll == p)
		link_lost(l, uv_strerror(status));
}

/* ---- the outside ---- */

static char *link_setup_text(const char *setup)
{
	static const char *const last =
		"SELECT current_setting('synchronous_commit') AS seve_commit";
	size_t size = (setup ? strlen(setup) : 0) + strlen(last) + 3;
	char *text = malloc(size);
	if (text)
		snprintf(text, size, "%s;\n%s", setup ? setup : "", last);
	return text;
}

int pg_link_open(uv_loop_t *loop, const struct pg_link_options *o, struct pg_link **out,
		 struct err *e)
{
	struct pg_link *l = calloc(1, sizeof *l);
	if (!l)
		return err_set(e, ERR_NOMEM, "database link");
	l->loop = loop;
	l->options = *o;
	if (!l->options.silence_ms)
		l->options.silence_ms = PG_LINK_SILENCE_MS;
	l->conninfo = strdup(o->conninfo);
	l->name = strdup(o->name);
	l->setup = link_setup_text(o->setup);
	if (!l->conninfo || !l->name || !l->setup) {
		free(l->conninfo);
		free(l->name);
		free(l->setup);
		free(l);
		return err_set(e, ERR_NOMEM, "database link");
	}
	l->session = 1;
	uv_timer_init(loop, &l->timer);
	uv_idle_init(loop, &l->turn);
	l->timer.data = l;
	l->turn.data = l;
	l->handles = 2;
	/* by the timer, so that a connection that fails at once calls nobody back before this
	 * returns */
	uv_timer_start(&l->timer, on_retry, 0, 0);
	*out = l;
	return 0;
}

static void on_handle_closed(uv_handle_t *h)
{
	handle_gone(h->data);
}

static void link_gone(struct pg_link *l)
{
	link_drop_connection(l);
	uv_close((uv_handle_t *)&l->timer, on_handle_closed);
	uv_close((uv_handle_t *)&l->turn, on_handle_closed);
}

void pg_link_close(struct pg_link *l, void (*closed)(void *ctx), void *ctx)
{
	if (l->state == CLOSING)
		return;
	l->closed = closed;
	l->closed_ctx = ctx;
	link_move(l, CLOSING);
	uv_timer_stop(&l->timer);
	link_unwatch(l);
	link_fail_all(l, "the server is stopping");
	link_kick(l);
}

void pg_link_renew(struct pg_link *l)
{
	if (l->state != CLOSING)
		link_renew(l, 0);
}

void pg_link_submit(struct pg_link *l, struct pg_unit *u)
{
	u->err = (struct err){0};
	u->sent = false;
	u->sqlstate[0] = 0;
	if (l->state == UP) {
		pg_units_push(&l->waiting, u);
	} else {
		err_set(&u->err, ERR_UNAVAILABLE, "the database is not reachable%s%s",
			*l->trouble ? ": " : "", l->trouble);
		pg_units_push(&l->failed, u);
	}
	link_kick(l);
}

void pg_link_send(struct pg_link *l)
{
	if (l->state == UP)
		link_send(l);
}

void pg_link_refuse(struct pg_link *l, struct pg_unit *u)
{
	u->sent = false;
	pg_units_push(&l->failed, u);
	link_kick(l);
}

bool pg_link_up(const struct pg_link *l)
{
	return l->state == UP;
}

size_t pg_link_load(const struct pg_link *l)
{
	return l->waiting.n + l->pipe.sent.n + l->failed.n;
}

uint32_t pg_link_session(const struct pg_link *l)
{
	return l->state == UP ? l->session : 0;
}

const char *pg_link_trouble(const struct pg_link *l)
{
	return l->trouble;
}
