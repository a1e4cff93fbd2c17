/* server.c -- the daemon as a whole: start, the turn of the loop, reload, drain, stop. */
#include "server.h"

#include <sys/resource.h>

#include "clock.h"
#include "dispatch.h"
#include "epoch.h"
#include "handlers/handlers.h"
#include "heads.h"
#include "log.h"
#include "pg/writer.h"
#include "pg/news.h"
#include "purge.h"
#include "replica.h"
#include "server_private.h"

enum {
	TICK_MS = 1000,
	START_MS = 15000,  /* for the database to be in reach */
	SPARE_FILES = 256, /* descriptors that are not for clients */
};

/* ---- stopping ---------------------------------------------------------------------------------
 */

void server_closed_one(struct server *s)
{
	s->priv->closing--;
}

static void on_link_closed(void *ctx)
{
	server_closed_one(ctx);
}

static void on_handle_closed(uv_handle_t *h)
{
	server_closed_one(h->data);
}

/* Nobody asks any more: the links may go. */
static void close_links(struct server *s)
{
	struct server_private *p = s->priv;
	p->state = SERVER_STOPPING;
	if (s->replica) {
		p->closing++;
		replica_close(s->replica, on_link_closed, s);
	}
	if (s->writer) {
		p->closing++;
		writer_close(s->writer, on_link_closed, s);
	}
	if (s->readers) {
		p->closing++;
		pg_pool_close(s->readers, on_link_closed, s);
	}
	if (p->ring) {
		p->closing++;
		bell_close(p->ring, on_link_closed, s);
	}
}

/* Nothing is under way any more: the server's own handles go, and with them the loop's reason to
 * turn. */
static void close_handles(struct server *s)
{
	struct server_private *p = s->priv;
	p->state = SERVER_STOPPED;
	if (s->getter)
		getter_close(s);
	if (s->imports)
		imports_close(s);
	watches_close(s);
	p->closing += 3;
	uv_close((uv_handle_t *)&p->tick, on_handle_closed);
	uv_close((uv_handle_t *)&p->before, on_handle_closed);
	uv_close((uv_handle_t *)&p->after, on_handle_closed);
}

static void step_to_stop(struct server *s)
{
	struct server_private *p = s->priv;
	const bool waited = clock_mono_ms() >= p->drain_until_ms;
	if (p->state == SERVER_DRAINING && p->conns.n == 0 && (p->requests.n == 0 || waited))
		close_links(s);
	else if (p->state == SERVER_STOPPING && p->closing == 0)
		close_handles(s);
}

static void stop_serving(struct server *s, uint64_t drain_ms)
{
	struct server_private *p = s->priv;
	p->drain_until_ms = clock_mono_ms() + drain_ms;
	if (p->state != SERVER_SERVING)
		return;
	p->state = SERVER_DRAINING;
	s->draining = true;
	listener_close(s);
}

void server_drain(struct server *s)
{
	if (s->priv->state != SERVER_SERVING)
		return;
	const int64_t ms = config_number(s->conf, CONFIG_DRAIN_TIMEOUT);
	log_event(LOG_INFO, "draining", "connections=%zu requests=%zu ms=%lld", s->priv->conns.n,
		  s->priv->requests.n, (long long)ms);
	stop_serving(s, (uint64_t)ms);
	conns_drain(s);
	watches_drain(s);
}

void server_halt(struct server *s)
{
	stop_serving(s, 0);
	conns_kill(s);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	struct server_private *p = s->priv;
	bell_free(p->ring);
	purge_free(s->purge);
	replica_free(s->replica);
	heads_free(s->heads);
	auth_fini(&p->auth);
	requests_fini(&p->requests);
	conns_fini(&p->conns);
	tls_ctx_free(s->tls);
	free(p->conninfo);
	free(p);
	free(s);
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

static void turn(struct server *s)
{
	conns_turn(s);
	step_to_stop(s);
}

static void on_before(uv_prepare_t *h)
{
	turn(h->data);
}

static void on_after(uv_check_t *h)
{
	turn(h->data);
}

static void on_tick(uv_timer_t *h)
{
	struct server *s = h->data;
	conns_sweep(s);
	requests_sweep(s);
	listener_resume(s);
	if (s->priv->state == SERVER_SERVING) {
		auth_sweep(s);
		heads_sweep(s);
		bell_sweep(s->priv->ring);
		replica_sweep(s);
		watches_sweep(s);
	}
	if (s->purge)
		purge_sweep(s->purge);
	if (s->priv->state == SERVER_DRAINING && clock_mono_ms() >= s->priv->drain_until_ms)
		conns_kill(s);
}

static int open_handles(struct server *s, struct err *e)
{
	struct server_private *p = s->priv;
	p->tick.data = p->before.data = p->after.data = s;
	int rc = uv_timer_init(s->loop, &p->tick);
	rc = rc < 0 ? rc : uv_prepare_init(s->loop, &p->before);
	rc = rc < 0 ? rc : uv_check_init(s->loop, &p->after);
	rc = rc < 0 ? rc : uv_timer_start(&p->tick, on_tick, TICK_MS, TICK_MS);
	rc = rc < 0 ? rc : uv_prepare_start(&p->before, on_before);
	rc = rc < 0 ? rc : uv_check_start(&p->after, on_after);
	return rc < 0 ? err_set(e, ERR_IO, "event loop: %s", uv_strerror(rc)) : 0;
}

/* ---- starting ---------------------------------------------------------------------------------
 */

/* As many descriptors as the system lets us have; fewer connections when they do not suffice. */
static void check_files(const struct conf *conf)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	const uint64_t wanted = (uint64_t)config_number(conf, CONFIG_MAX_CONNECTIONS) + SPARE_FILES;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted)
		log_event(LOG_WARN, "few_files", "limit=%llu wanted=%llu",
			  (unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
}

static int open_tls(const struct conf *conf, SSL_CTX **out, struct err *e)
{
	return tls_ctx_server(config_text(conf, CONFIG_TLS_CERT), config_text(conf, CONFIG_TLS_KEY),
			      out, e);
}

static int open_readers(struct server *s, struct err *e)
{
	char settings[sizeof PG_SETUP_APP + 64], setup[4096];
	const struct pg_link_options o = {.conninfo = s->priv->conninfo,
					  .name = "reader",
					  .setup = setup,
					  .accept = server_same_epoch,
					  .ctx = s};
	snprintf(settings, sizeof settings, "%sSET statement_timeout TO %lld;", PG_SETUP_APP,
		 (long long)config_number(s->conf, CONFIG_STATEMENT_TIMEOUT));
	const int rc = epoch_setup(setup, sizeof setup, settings, e);
	return rc < 0 ? rc
		      : pg_pool_open(s->loop, &o, (size_t)config_number(s->conf, CONFIG_READERS),
				     &s->readers, e);
}

static int open_links(struct server *s, struct err *e)
{
	const char *conninfo = s->priv->conninfo;
	int rc = open_readers(s, e);
	if (rc == 0)
		rc = replica_open(s, &s->replica, e);
	if (rc == 0)
		rc = writer_open(s->loop, s, conninfo, &s->writer, e);
	if (rc == 0)
		rc = heads_open(s, &s->heads, e);
	if (rc == 0)
		rc = watches_open(s, e);
	if (rc == 0)
		rc = bell_open(s, &s->priv->ring, e);
	if (rc == 0)
		rc = getter_open(s, e);
	if (rc == 0)
		rc = imports_open(s, e);
	if (rc == 0)
		rc = purge_open(s, &s->purge, e);
	return rc;
}

/* A client that finds the port open finds the database in reach. */
static int await_links(struct server *s, struct err *e)
{
	const uint64_t until = clock_mono_ms() + START_MS;
	while (pg_pool_up(s->readers) == 0 || !pg_link_up(s->bell)) {
		if (clock_mono_ms() >= until) {
			err_set(e, ERR_UNAVAILABLE, "database: %s", pg_link_trouble(s->bell));
			return err_remedy(e, "check \"database\", and that PostgreSQL runs");
		}
		uv_run(s->loop, UV_RUN_ONCE);
	}
	return 0;
}

static struct server *server_new(uv_loop_t *loop, struct conf *conf, const char *conninfo)
{
	struct server *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->loop = loop;
	s->conf = conf;
	s->priv = calloc(1, sizeof *s->priv);
	if (s->priv)
		s->priv->conninfo = strdup(conninfo);
	if (!s->priv || !s->priv->conninfo) {
		free(s->priv);
		free(s);
		return NULL;
	}
	return s;
}

/* What was opened can only be closed by the loop. */
static void undo(struct server *s)
{
	server_halt(s);
	while (s->priv->state != SERVER_STOPPED || s->priv->closing > 0)
		uv_run(s->loop, UV_RUN_ONCE);
	uv_run(s->loop, UV_RUN_NOWAIT);
	server_free(s);
}

int server_start(uv_loop_t *loop, struct conf *conf, const char *conninfo, struct server **out,
		 struct err *e)
{
	struct server *s = server_new(loop, conf, conninfo);
	if (!s)
		return err_set(e, ERR_NOMEM, "server");
	int rc = open_tls(conf, &s->tls, e);
	if (rc == 0)
		rc = epoch_ask(conninfo, &s->epoch, e);
	if (rc == 0)
		rc = conns_init(&s->priv->conns, e);
	if (rc == 0)
		rc = open_handles(s, e);
	if (rc < 0) {
		server_free(s);
		return rc;
	}
	check_files(conf);
	rc = open_links(s, e);
	if (rc == 0)
		rc = await_links(s, e);
	if (rc == 0)
		rc = listener_open(s, e);
	if (rc < 0) {
		undo(s);
		return rc;
	}
	log_event(LOG_INFO, "listening", "address=%s port=%u epoch=%016llx version=%s",
		  config_text(conf, CONFIG_LISTEN_ADDRESS), s->priv->listener.port,
		  (unsigned long long)s->epoch, SEVE_VERSION_TEXT);
	*out = s;
	return 0;
}

int server_announce(const struct server *s, struct err *e)
{
	return listener_announce(s, e);
}

/* ---- while it runs ----------------------------------------------------------------------------
 */

int server_reload(struct server *s, struct conf *fresh, struct err *e)
{
	SSL_CTX *tls = NULL;
	const int rc = open_tls(fresh, &tls, e);
	if (rc < 0)
		return rc;
	/* Sessions that stand keep the old one alive. */
	tls_ctx_free(s->tls);
	s->tls = tls;
	config_reload(s->conf, fresh);
	log_setup((enum log_level)config_number(s->conf, CONFIG_LOG_LEVEL),
		  (enum log_format)config_number(s->conf, CONFIG_LOG_FORMAT));
	return 0;
}

void server_address(const struct server *s, char *out, size_t size)
{
	const char *text = config_text(s->conf, CONFIG_ADVERTISE);
	if (*text)
		snprintf(out, size, "%s", text);
	else
		snprintf(out, size, "localhost:%u", s->priv->listener.port);
}

void server_dump(const struct server *s)
{
	const struct server_private *p = s->priv;
	char counters[2048] = "";

	if (p->state >= SERVER_STOPPING)
		return; /* the pools that it tells of may have gone */
	metrics_json(&p->metrics, counters, sizeof counters);
	log_event(LOG_INFO, "state",
		  "connections=%zu waiting=%zu ready=%zu closing=%zu requests=%zu watches=%zu "
		  "shared_bytes=%zu readers=%zu replica=%zu "
		  "counters=%s",
		  p->conns.n, conns_unauthenticated(&p->conns), p->conns.phase[CONN_READY].n,
		  p->conns.phase[CONN_CLOSING].n, p->requests.n, watches_count(s), watches_bytes(s),
		  pg_pool_up(s->readers), replica_up(s), counters);
}

bool server_wants_news(const struct server *s, uint32_t territory)
{
	return s->priv->state < SERVER_STOPPING && heads_watched(s, territory);
}

void server_heads_moved(struct server *s, const struct news *news, size_t n)
{
	if (s->priv->state >= SERVER_STOPPING || !n)
		return;
	if (s->priv->ring)
		bell_heads(s->priv->ring, news, n);
	/* The author first, then all who watch. */
	conns_flush(s);
	for (size_t i = 0; i < n; i++) {
		/* What was begun in another history tells nothing of this one. */
		if (news[i].epoch != s->epoch) {
			heads_poll(s);
			continue;
		}
		watches_offer(s, &news[i]);
		heads_note(s, news[i].territory, news[i].to);
		watches_offer(s, NULL);
	}
}

void server_epoch_changed(struct server *s, uint64_t epoch)
{
	struct err e = {0};
	log_event(LOG_WARN, "epoch_changed", "from=%016llx to=%016llx",
		  (unsigned long long)s->epoch, (unsigned long long)epoch);
	s->epoch = epoch;
	/* The primary of before may be alive yet: what it is asked, or tells, is over. */
	pg_pool_renew(s->readers);
	writer_renew(s->writer);
	heads_forget(s);
	err_set(&e, ERR_UNAVAILABLE, "the database was restored, or another one took over");
	err_remedy(&e, "connect again");
	conns_expel(s, &e);
}

int server_same_epoch(void *ctx, const PGresult *r, struct err *e)
{
	struct server *s = ctx;
	uint64_t epoch;
	const int rc = epoch_read(r, &epoch, e);
	if (rc < 0 || !s->epoch || epoch == s->epoch)
		return rc;
	bell_doubt(s->priv->ring);
	return err_set(e, ERR_UNAVAILABLE,
		       "another database has taken over, which is not known of yet");
}

void server_access_changed(struct server *s)
{
	if (s->priv->state >= SERVER_STOPPING)
		return;
	auth_changed(s);
	bell_access(s->priv->ring);
}
