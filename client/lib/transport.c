/* transport.c -- see transport.h. */
#include "transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

enum { READ_CHUNK = 64 * 1024, PLAIN_MAX = 2 * FRAME_MAX + READ_CHUNK };

void transport_init(struct transport *t)
{
	memset(t, 0, sizeof *t);
	t->fd = -1;
	buf_init(&t->out, TRANSPORT_OUT_MAX);
	buf_init(&t->plain, PLAIN_MAX);
	buf_init(&t->clear, FRAME_MAX + FRAME_HEADER);
}

static void drop_socket(struct transport *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	tls_fini(&t->tls);
	memset(&t->tls, 0, sizeof t->tls);
	buf_fini(&t->out);
	buf_fini(&t->plain);
}

void transport_close(struct transport *t)
{
	if (t->state == TRANSPORT_OPEN) {
		struct span s;

		/* A courtesy: what the socket takes at once. */
		tls_close(&t->tls);
		s = buf_span(&t->out);
		if (s.len && send(t->fd, s.at, s.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			t->last_out_ms = 0;
	}
	drop_socket(t);
	buf_fini(&t->clear);
	if (t->addresses)
		freeaddrinfo(t->addresses);
	t->addresses = t->next = NULL;
	t->state = TRANSPORT_CLOSED;
}

int transport_parse(const char *server, char host[static 256], char port[static 8], struct err *e)
{
	const char *end, *colon;
	int64_t number = TRANSPORT_PORT;
	size_t n;

	if (*server == '[') {
		server++;
		end = strchr(server, ']');
		if (!end || (end[1] && end[1] != ':'))
			return err_set(e, ERR_INVALID,
				       "server \"[%s\": no closing bracket before the port",
				       server);
		colon = end[1] ? end + 1 : NULL;
	} else {
		colon = strrchr(server, ':');
		if (colon && strchr(server, ':') != colon) {
			err_set(e, ERR_INVALID, "server \"%s\": an IPv6 address stands in brackets",
				server);
			return err_remedy(e, "write [%s] or [address]:port", server);
		}
		end = colon ? colon : server + strlen(server);
	}
	n = (size_t)(end - server);
	if (!n || n > 255)
		return err_set(e, ERR_INVALID,
			       "server: no host name, or one of more than 255 bytes");
	if (colon && text_to_int(colon + 1, 1, 65535, &number, e))
		return err_set(e, ERR_INVALID, "server: \"%s\" is not a port (1 to 65535)",
			       colon + 1);
	memcpy(host, server, n);
	host[n] = '\0';
	snprintf(port, 8, "%d", (int)number);
	return 0;
}

/* ---- connecting -------------------------------------------------------------------------------
 */

static void socket_tune(int fd)
{
	int on = 1, idle = 60, user_ms = 60000;

	/* Each is a wish: a system that refuses one still gives a working connection. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, sizeof user_ms);
}

/* Tries addresses until one is under way.  `why` is the errno of the last failure. */
static int connect_next(struct transport *t, int why, struct err *e)
{
	drop_socket(t);
	while (t->next) {
		const struct addrinfo *ai = t->next;

		t->next = ai->ai_next;
		t->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			       ai->ai_protocol);
		if (t->fd < 0) {
			why = errno;
			continue;
		}
		socket_tune(t->fd);
		if (connect(t->fd, ai->ai_addr, ai->ai_addrlen) == 0 || errno == EINPROGRESS) {
			t->try_until_ms = clock_mono_ms() + TRANSPORT_TRY_MS;
			t->state = TRANSPORT_CONNECTING;
			return 0;
		}
		why = errno;
		drop_socket(t);
	}
	t->state = TRANSPORT_CLOSED;
	err_set(e, ERR_UNAVAILABLE, "cannot connect to %s port %s: %s", t->host, t->port,
		strerror(why));
	return err_remedy(e, "check the address, the network, and that the server runs");
}

int transport_open(struct transport *t, SSL_CTX *ctx, const char *server, struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	int rc = transport_parse(server, t->host, t->port, e);

	if (rc)
		return rc;
	transport_close(t);
	t->ctx = ctx;
	rc = getaddrinfo(t->host, t->port, &hints, &t->addresses);
	if (rc == EAI_ADDRFAMILY || rc == EAI_NONAME) {
		/* Loopback addresses do not count for AI_ADDRCONFIG: a machine without network
		 * still reaches itself. */
		hints.ai_flags = 0;
		rc = getaddrinfo(t->host, t->port, &hints, &t->addresses);
	}
	if (rc) {
		t->addresses = NULL;
		err_set(e, ERR_UNAVAILABLE, "cannot find %s: %s", t->host, gai_strerror(rc));
		return err_remedy(e, "check the server's name and the network");
	}
	t->next = t->addresses;
	return connect_next(t, 0, e);
}

static int handshake_start(struct transport *t, struct err *e)
{
	int rc;

	freeaddrinfo(t->addresses);
	t->addresses = t->next = NULL;
	rc = tls_init(&t->tls, t->ctx, t->host, &t->out, e);
	if (!rc)
		rc = tls_feed(&t->tls, NULL, 0, &t->plain, e);
	t->state = TRANSPORT_TLS;
	t->last_in_ms = t->last_out_ms = clock_mono_ms();
	return rc;
}

static int connect_step(struct transport *t, struct err *e)
{
	int why = 0;
	socklen_t len = sizeof why;
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof peer;

	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
		why = errno;
	if (!why && getpeername(t->fd, (struct sockaddr *)&peer, &peer_len) == 0)
		return handshake_start(t, e);
	if (!why && clock_mono_ms() < t->try_until_ms)
		return 0;
	return connect_next(t, why ? why : ETIMEDOUT, e);
}

/* ---- bytes --------------------------------------------------------------------------------------
 */

static int lost(struct transport *t, const char *what, int why, struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "connection to %s port %s lost: %s: %s", t->host,
		       t->port, what, strerror(why));
}

static int write_out(struct transport *t, struct err *e)
{
	while (buf_len(&t->out)) {
		struct span s = buf_span(&t->out);
		ssize_t n = send(t->fd, s.at, s.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n < 0)
			return lost(t, "sending", errno, e);
		buf_consume(&t->out, (size_t)n);
		t->last_out_ms = clock_mono_ms();
	}
	buf_release(&t->out);
	return 0;
}

/* 1 when bytes came, 0 when there were none. */
static int read_in(struct transport *t, struct err *e)
{
	uint8_t chunk[READ_CHUNK];
	ssize_t n;
	int rc;

	do {
		n = recv(t->fd, chunk, sizeof chunk, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return lost(t, "receiving", errno, e);
	if (n == 0)
		return err_set(e, ERR_UNAVAILABLE, "%s port %s closed the connection%s", t->host,
			       t->port,
			       t->state == TRANSPORT_TLS ? " during the TLS handshake" : "");
	t->last_in_ms = clock_mono_ms();
	rc = tls_feed(&t->tls, chunk, (size_t)n, &t->plain, e);
	if (rc < 0) {
		struct err ignored;

		(void)write_out(t, &ignored); /* an alert for the other side */
		return rc;
	}
	if (t->state == TRANSPORT_TLS && t->tls.ready)
		t->state = TRANSPORT_OPEN;
	return 1;
}

int transport_events(const struct transport *t)
{
	if (t->state == TRANSPORT_CLOSED)
		return 0;
	if (t->state == TRANSPORT_CONNECTING)
		return 2;
	return buf_len(&t->out) ? 3 : 1;
}

int transport_step(struct transport *t, struct err *e)
{
	int rc = 0, got = 0;

	if (t->state == TRANSPORT_CLOSED)
		return err_set(e, ERR_UNAVAILABLE, "not connected");
	if (t->state == TRANSPORT_CONNECTING) {
		rc = connect_step(t, e);
		if (rc || t->state != TRANSPORT_TLS)
			return rc;
	}
	if (!t->tls.closed)
		got = read_in(t, e);
	if (got < 0)
		return got;
	rc = write_out(t, e);
	return rc ? rc : got;
}

int transport_next(struct transport *t, size_t max, struct frame *out, struct err *e)
{
	int rc = frame_next(&t->plain, max, out, e);

	if (rc == 0 && t->tls.closed)
		return err_set(e, ERR_UNAVAILABLE, "%s port %s ended the connection", t->host,
			       t->port);
	return rc;
}

void transport_took(struct transport *t, const struct frame *f)
{
	buf_consume(&t->plain, FRAME_HEADER + f->payload.len);
	buf_release(&t->plain);
}

int transport_send(struct transport *t, enum frame_type type, const void *payload, size_t n,
		   struct err *e)
{
	struct span s;
	int rc = frame_add(&t->clear, type, payload, n);

	if (rc)
		return err_set(e, (enum err_code) - rc, "a request of %zu bytes", n);
	s = buf_span(&t->clear);
	rc = tls_write(&t->tls, s.at, s.len, e);
	if (type == FRAME_HELLO) /* it held a secret */
		explicit_bzero((void *)(uintptr_t)s.at, s.len);
	buf_consume(&t->clear, s.len);
	buf_release(&t->clear);
	return rc ? rc : write_out(t, e);
}

size_t transport_backlog(const struct transport *t)
{
	return buf_len(&t->out);
}
