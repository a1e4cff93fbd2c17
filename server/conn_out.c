/* conn_out.c -- the sending side of a connection: frames to TLS records to the socket, with water
 * marks.
 *
 * What is sent within one turn of the loop leaves in one system call: at once if the socket takes
 * it, else through libuv, one write at a time, while later bytes gather in conn.out. */
#include "conn.h"

#include <limits.h>

#include "clock.h"
#include "log.h"
#include "server_private.h"

struct output {
	uv_write_t req;
	struct buf bytes;
};

static size_t in_libuv(const struct conn *c)
{
	return c->writing ? uv_stream_get_write_queue_size((const uv_stream_t *)&c->tcp) : 0;
}

size_t conn_pending(const struct conn *c)
{
	return buf_len(&c->out) + in_libuv(c);
}

static bool is_open(const struct conn *c)
{
	return (c->phase == CONN_HELLO || c->phase == CONN_READY) &&
	       !uv_is_closing((const uv_handle_t *)&c->tcp);
}

static int encrypt(struct conn *c, const struct buf *frame)
{
	struct err e = {0};
	if (conn_pending(c) > CONN_OUT_HARD) {
		c->server->priv->metrics.slow_consumers++;
		conn_kill(c, "slow_consumer");
		return -ERR_UNAVAILABLE;
	}
	const struct span s = buf_span(frame);
	if (tls_write(&c->tls, s.at, s.len, &e) < 0) {
		log_event(LOG_ERROR, "send_failed", "conn=%llu error=%s",
			  (unsigned long long)c->serial, e.text);
		conn_kill(c, "send");
		return -ERR_UNAVAILABLE;
	}
	conn_touch(c);
	return 0;
}

static struct buf *empty_frame(struct conn *c)
{
	struct buf *frame = &c->server->priv->conns.frame;
	buf_consume(frame, buf_len(frame));
	return frame;
}

int conn_send(struct conn *c, enum frame_type type, const ProtobufCMessage *m)
{
	if (!is_open(c))
		return -ERR_UNAVAILABLE;
	const size_t n = protobuf_c_message_get_packed_size(m);
	if (n > FRAME_MAX)
		return -ERR_TOO_BIG;
	struct buf *frame = empty_frame(c);
	uint8_t *at = buf_reserve(frame, FRAME_HEADER + n);
	if (!at) {
		conn_kill(c, "memory");
		return -ERR_UNAVAILABLE;
	}
	frame_header(at, type, n);
	protobuf_c_message_pack(m, at + FRAME_HEADER);
	buf_commit(frame, FRAME_HEADER + n);
	return encrypt(c, frame);
}

int conn_send_bytes(struct conn *c, enum frame_type type, const void *payload, size_t n)
{
	if (!is_open(c))
		return -ERR_UNAVAILABLE;
	struct buf *frame = empty_frame(c);
	const int rc = frame_add(frame, type, payload, n);
	if (rc == -ERR_TOO_BIG)
		return rc;
	if (rc < 0) {
		conn_kill(c, "memory");
		return -ERR_UNAVAILABLE;
	}
	return encrypt(c, frame);
}

static void written(uv_write_t *req, int status)
{
	struct conn *c = req->data;
	struct output *o = c->writing;
	c->writing = NULL;
	buf_fini(&o->bytes);
	free(o);
	if (status < 0) {
		conn_kill(c, "write");
		return;
	}
	c->progress_ms = clock_mono_ms();
	conn_touch(c);
}

/* The rest goes through libuv, which calls back when all of it is gone. */
static void write_rest(struct conn *c)
{
	struct output *o = malloc(sizeof *o);
	if (!o) {
		conn_kill(c, "memory");
		return;
	}
	o->req.data = c;
	o->bytes = c->out;
	buf_init(&c->out, o->bytes.max);
	const struct span s = buf_span(&o->bytes);
	c->writing = o;
	c->left = s.len;
	const uv_buf_t b = uv_buf_init((char *)(uintptr_t)s.at, (unsigned)s.len);
	if (uv_write(&o->req, (uv_stream_t *)&c->tcp, &b, 1, written) < 0) {
		c->writing = NULL;
		buf_fini(&o->bytes);
		free(o);
		conn_kill(c, "write");
	}
}

void conn_flush(struct conn *c)
{
	if (c->writing || buf_len(&c->out) == 0 || uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	const struct span s = buf_span(&c->out);
	const uv_buf_t b = uv_buf_init((char *)(uintptr_t)s.at, (unsigned)s.len);
	const int n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
	if (n < 0 && n != UV_EAGAIN) {
		conn_kill(c, "write");
		return;
	}
	c->progress_ms = clock_mono_ms();
	c->server->priv->metrics.bytes_out += s.len;
	if (n > 0)
		buf_consume(&c->out, (size_t)n);
	if (buf_len(&c->out) > 0)
		write_rest(c);
	else
		buf_release(&c->out);
}

bool conn_stalled(struct conn *c, uint64_t now_ms, uint64_t limit_ms)
{
	if (!c->writing)
		return false;
	const size_t left = in_libuv(c);
	if (left != c->left) {
		c->left = left;
		c->progress_ms = now_ms;
	}
	return now_ms - c->progress_ms > limit_ms;
}
