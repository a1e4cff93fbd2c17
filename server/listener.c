/* listener.c -- the listening socket.  Knows no TLS and no frames. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "log.h"
#include "server_private.h"

enum { BACKLOG = 1024 };

static bool is_full(const struct server *s)
{
	return conns_unauthenticated(&s->priv->conns) >=
	       (size_t)config_number(s->conf, CONFIG_MAX_UNAUTHENTICATED);
}

/* What could not be taken keeps waiting. */
static void take_one(struct server *s)
{
	struct err e = {0};
	if (conn_accept(s, (uv_stream_t *)&s->priv->listener.tcp, &e) == 0)
		return;
	s->priv->listener.waiting = true;
	log_event(LOG_WARN, "accept_failed", "error=%s", e.text);
}

/* One that is not accepted makes libuv stop watching the socket until it is: the rest waits in the
 * kernel.  (Out of descriptors, libuv gives up one that it keeps in reserve to close what comes,
 * and calls here only when even that fails.) */
static void on_connection(uv_stream_t *stream, int status)
{
	struct server *s = stream->data;
	if (status < 0) {
		s->priv->metrics.shed++;
		log_event(LOG_WARN, "accept_failed", "error=%s", uv_strerror(status));
		return;
	}
	if (is_full(s))
		s->priv->listener.waiting = true;
	else
		take_one(s);
}

void listener_resume(struct server *s)
{
	struct listener *l = &s->priv->listener;
	if (!l->open || !l->waiting || is_full(s))
		return;
	l->waiting = false;
	take_one(s);
}

/* Written beside and moved, so that whoever waits for the file never reads half of it. */
static int write_port(const char *path, unsigned port, struct err *e)
{
	char beside[4096];
	const int n = snprintf(beside, sizeof beside, "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof beside)
		return err_set(e, ERR_CONFIG, "port-file: path too long");
	FILE *f = fopen(beside, "we");
	if (!f)
		return err_set(e, ERR_IO, "port-file: %s: %s", beside, strerror(errno));
	const bool written = fprintf(f, "%u\n", port) > 0;
	const bool closed = fclose(f) == 0;
	if (!written || !closed || rename(beside, path) < 0) {
		const int why = errno;
		unlink(beside);
		return err_set(e, ERR_IO, "port-file: %s: %s", path, strerror(why));
	}
	return 0;
}

static int read_address(const struct conf *conf, struct sockaddr_storage *out, struct err *e)
{
	const char *text = config_text(conf, CONFIG_LISTEN_ADDRESS);
	const int port = (int)config_number(conf, CONFIG_LISTEN_PORT);
	*out = (struct sockaddr_storage){0};
	if (uv_ip4_addr(text, port, (struct sockaddr_in *)(void *)out) == 0 ||
	    uv_ip6_addr(text, port, (struct sockaddr_in6 *)(void *)out) == 0)
		return 0;
	err_set(e, ERR_CONFIG, "listen-address: \"%s\" is not a numeric address", text);
	return err_remedy(e, "for example 127.0.0.1, 0.0.0.0, ::1 or ::");
}

static unsigned port_of(const uv_tcp_t *tcp)
{
	struct sockaddr_storage at = {0};
	int size = sizeof at;
	uv_tcp_getsockname(tcp, (struct sockaddr *)&at, &size);
	if (at.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)(void *)&at)->sin6_port);
	return ntohs(((struct sockaddr_in *)(void *)&at)->sin_port);
}

static void on_closed(uv_handle_t *h)
{
	struct server *s = h->data;
	server_closed_one(s);
}

int listener_open(struct server *s, struct err *e)
{
	struct listener *l = &s->priv->listener;
	struct sockaddr_storage at;
	int rc = read_address(s->conf, &at, e);
	if (rc < 0)
		return rc;
	const char *text = config_text(s->conf, CONFIG_LISTEN_ADDRESS);
	rc = uv_tcp_init(s->loop, &l->tcp);
	if (rc < 0)
		return err_set(e, ERR_IO, "listening socket: %s", uv_strerror(rc));
	l->tcp.data = s;
	l->open = true;
	rc = uv_tcp_bind(&l->tcp, (const struct sockaddr *)&at, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
	if (rc < 0) {
		err_set(e, ERR_IO, "cannot listen on %s port %lld: %s", text,
			(long long)config_number(s->conf, CONFIG_LISTEN_PORT), uv_strerror(rc));
		err_remedy(e, rc == UV_EADDRINUSE
				      ? "another server listens there: stop it, or set listen-port"
				      : "set listen-address and listen-port");
		listener_close(s);
		return -ERR_IO;
	}
	l->port = port_of(&l->tcp);
	return 0;
}

int listener_announce(const struct server *s, struct err *e)
{
	const char *file = config_text(s->conf, CONFIG_PORT_FILE);
	return *file ? write_port(file, s->priv->listener.port, e) : 0;
}

void listener_close(struct server *s)
{
	struct listener *l = &s->priv->listener;
	if (!l->open)
		return;
	l->open = false;
	s->priv->closing++;
	uv_close((uv_handle_t *)&l->tcp, on_closed);
}
