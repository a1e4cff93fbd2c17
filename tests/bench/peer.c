/* peer.c -- one connection to the service: see peer.h. */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "wire.h"

enum { WAIT_MS = 60000, REQUEST_MAX = 512 * 1024 };

static uint8_t scratch[128 * 1024], packed[FRAME_HEADER + REQUEST_MAX];

/* ---- bytes ------------------------------------------------------------------------------------
 */

int peer_flush(struct peer *p, struct err *e)
{
	while (buf_len(&p->out)) {
		const struct span s = buf_span(&p->out);
		const ssize_t n = send(p->fd, s.at, s.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 1;
		if (n < 0)
			return err_set(e, ERR_IO, "send: %s", strerror(errno));
		buf_consume(&p->out, (size_t)n);
	}
	return 0;
}

int peer_take(struct peer *p, struct err *e)
{
	const ssize_t n = recv(p->fd, scratch, sizeof scratch, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return err_set(e, ERR_IO, "recv: %s", strerror(errno));
	if (n == 0)
		return err_set(e, ERR_IO, "the server has closed the connection");
	const int rc = tls_feed(&p->tls, scratch, (size_t)n, &p->in, e);
	return rc < 0 ? rc : 1;
}

/* Until bytes have come. */
static int wait_bytes(struct peer *p, struct err *e)
{
	for (;;) {
		int rc = peer_flush(p, e);
		if (rc < 0)
			return rc;
		struct pollfd fd = {p->fd, (short)(POLLIN | (rc ? POLLOUT : 0)), 0};
		const int n = poll(&fd, 1, WAIT_MS);
		if (n < 0 && errno != EINTR)
			return err_set(e, ERR_IO, "poll: %s", strerror(errno));
		if (n == 0)
			return err_set(e, ERR_DEADLINE, "no answer for %d s", WAIT_MS / 1000);
		rc = n > 0 ? peer_take(p, e) : 0;
		if (rc)
			return rc < 0 ? rc : 0;
	}
}

/* ---- frames -----------------------------------------------------------------------------------
 */

int peer_send(struct peer *p, enum frame_type type, const void *payload, size_t n, struct err *e)
{
	if (n > REQUEST_MAX)
		return err_set(e, ERR_TOO_BIG, "a request of %zu bytes", n);
	frame_header(packed, type, n);
	if (payload != packed + FRAME_HEADER)
		memcpy(packed + FRAME_HEADER, payload, n);
	int rc = tls_write(&p->tls, packed, FRAME_HEADER + n, e);
	if (rc == 0)
		rc = peer_flush(p, e);
	return rc < 0 ? rc : 0;
}

static int send_message(struct peer *p, enum frame_type type, const ProtobufCMessage *m,
			struct err *e)
{
	const size_t n = protobuf_c_message_get_packed_size(m);
	if (n > REQUEST_MAX)
		return err_set(e, ERR_TOO_BIG, "a request of %zu bytes", n);
	protobuf_c_message_pack(m, packed + FRAME_HEADER);
	return peer_send(p, type, packed + FRAME_HEADER, n, e);
}

int peer_request(struct peer *p, Seve__Request *q, struct err *e)
{
	q->has_id = true;
	q->id = ++p->id;
	return send_message(p, FRAME_REQUEST, &q->base, e);
}

static int take_error(const Seve__Error *error, struct err *e)
{
	const enum err_code code = error->detail ? err_by_name(error->detail) : ERR_INTERNAL;
	err_set(e, code, "the server says: %s",
		error->message ? error->message : err_meaning(code));
	return err_remedy(e, "%s", error->remedy ? error->remedy : "");
}

static int unpack_error(const struct frame *f, struct err *e)
{
	struct arena a;
	ProtobufCMessage *m;
	arena_init(&a, REQUEST_MAX);
	int rc = wire_unpack(&a, &seve__error__descriptor, f->payload.at, f->payload.len, &m, e);
	if (rc == 0)
		rc = take_error((Seve__Error *)m, e);
	arena_fini(&a);
	return rc;
}

int peer_next(struct peer *p, struct frame *f, struct err *e)
{
	const int rc = frame_next(&p->in, FRAME_MAX, f, e);
	if (rc <= 0)
		return rc;
	if (f->type == FRAME_ERROR)
		return unpack_error(f, e);
	if (f->type == FRAME_GOAWAY)
		return err_set(e, ERR_GOING_AWAY, "the server is stopping");
	return rc;
}

void peer_drop(struct peer *p, const struct frame *f)
{
	buf_consume(&p->in, FRAME_HEADER + f->payload.len);
}

int peer_wait(struct peer *p, struct frame *f, struct err *e)
{
	for (;;) {
		int rc = peer_next(p, f, e);
		if (rc)
			return rc < 0 ? rc : 0;
		rc = wait_bytes(p, e);
		if (rc < 0)
			return rc;
	}
}

/* ---- calls ------------------------------------------------------------------------------------
 */

int peer_reply_error(const Seve__Reply *r, struct err *e)
{
	return r->error ? take_error(r->error, e) : 0;
}

static int wait_message(struct peer *p, enum frame_type type,
			const ProtobufCMessageDescriptor *desc, struct arena *a,
			ProtobufCMessage **out, struct err *e)
{
	struct frame f;
	int rc = peer_wait(p, &f, e);
	if (rc < 0)
		return rc;
	if (f.type != type)
		return err_set(e, ERR_PROTOCOL, "a frame of type %d came, not %d", (int)f.type,
			       (int)type);
	rc = wire_unpack(a, desc, f.payload.at, f.payload.len, out, e);
	peer_drop(p, &f);
	return rc;
}

int peer_call(struct peer *p, Seve__Request *q, struct arena *a, Seve__Reply **reply, struct err *e)
{
	ProtobufCMessage *m;
	int rc = peer_request(p, q, e);
	if (rc == 0)
		rc = wait_message(p, FRAME_REPLY, &seve__reply__descriptor, a, &m, e);
	if (rc == 0)
		rc = peer_reply_error((Seve__Reply *)m, e);
	if (rc == 0)
		*reply = (Seve__Reply *)m;
	return rc;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static int open_socket(uint16_t port, struct err *e)
{
	const int one = 1;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, ERR_IO, "socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
		const int why = errno;
		close(fd);
		return err_set(e, ERR_UNAVAILABLE, "port %u: %s", port, strerror(why));
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int shake_hands(struct peer *p, const struct place *place, struct err *e)
{
	int rc = tls_init(&p->tls, place->tls, "127.0.0.1", &p->out, e);
	if (rc == 0)
		rc = tls_feed(&p->tls, NULL, 0, &p->in, e);
	while (rc == 0 && !p->tls.ready)
		rc = wait_bytes(p, e);
	return rc;
}

static int say_hello(struct peer *p, const struct place *place, const char *invite, struct arena *a,
		     Seve__Welcome **welcome, struct err *e)
{
	Seve__Hello h = SEVE__HELLO__INIT;
	ProtobufCMessage *m;
	char device[] = "bench", token[sizeof place->token], code[64];
	snprintf(token, sizeof token, "%s", place->token);
	snprintf(code, sizeof code, "%s", invite ? invite : "");
	h.has_proto_min = h.has_proto_max = h.has_schema = h.has_client_id = h.has_clock_ms = true;
	h.proto_min = h.proto_max = h.schema = 1;
	h.client_id = (ProtobufCBinaryData){sizeof p->client.b, p->client.b};
	h.token = invite ? NULL : token;
	h.invite = invite ? code : NULL;
	h.device = h.agent = device;
	h.clock_ms = clock_wall_ms();
	int rc = send_message(p, FRAME_HELLO, &h.base, e);
	if (rc == 0)
		rc = wait_message(p, FRAME_WELCOME, &seve__welcome__descriptor, a, &m, e);
	if (rc == 0 && welcome)
		*welcome = (Seve__Welcome *)m;
	return rc;
}

int peer_open(struct peer *p, const struct place *place, const char *invite, struct arena *a,
	      Seve__Welcome **welcome, struct err *e)
{
	*p = (struct peer){.fd = -1, .client = uuid_v7()};
	buf_init(&p->out, 4 * REQUEST_MAX);
	buf_init(&p->in, 2 * FRAME_MAX + 2 * sizeof scratch);
	const int fd = open_socket(place->port, e);
	if (fd < 0)
		return fd;
	p->fd = fd;
	int rc = shake_hands(p, place, e);
	return rc < 0 ? rc : say_hello(p, place, invite, a, welcome, e);
}

void peer_close(struct peer *p)
{
	tls_fini(&p->tls);
	buf_fini(&p->out);
	buf_fini(&p->in);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}
