/* peer.c -- a client as a test wants it: see peer.h. */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "bootstrap.h"
#include "clock.h"
#include "handlers/handlers.h"
#include "invite.h"
#include "log.h"

enum { PATIENCE_MS = 30000, FLAGS = 32 };

/* ---- the server -------------------------------------------------------------------------------
 */

static void load_conf(struct conf *out, const char *const *flags)
{
	struct config_flag list[FLAGS] = {
		{"listen-port", "0"},
		{"tls-cert", fixture_cluster()->cert_file},
		{"tls-key", fixture_cluster()->key_file},
		{"tls-ca", fixture_cluster()->ca_file},
		{"log-level", getenv("SEVE_TEST_LOG") ? "debug" : "error"},
	};
	size_t n = 5;
	for (; flags && *flags; flags += 2)
		list[n++] = (struct config_flag){flags[0], flags[1]};
	const struct config_source from = {.file = "/dev/null", .flags = list, .n_flags = n};
	struct err e = {0};
	if (config_load(out, &from, &e) < 0)
		fail_msg("%s", e.text);
	log_setup((enum log_level)config_number(out, CONFIG_LOG_LEVEL), LOG_TEXT);
}

static void start(struct host *h, uv_loop_t *loop, const char *const *flags)
{
	struct err e = {0};
	load_conf(&h->conf, flags);
	if (server_start(loop, &h->conf, h->db.conninfo, &h->server, &e) < 0)
		fail_msg("%s", e.text);
}

void host_start(struct host *h, const char *const *flags)
{
	memset(h, 0, sizeof *h);
	uv_loop_init(&h->loop);
	h->db = fixture_database();
	start(h, &h->loop, flags);
}

void host_join(struct host *h, struct host *first, const char *const *flags)
{
	memset(h, 0, sizeof *h);
	h->db = first->db;
	start(h, &first->loop, flags);
}

static bool has_stopped(void *ctx)
{
	const struct server_private *p = ((struct host *)ctx)->server->priv;
	return p->state == SERVER_STOPPED && p->closing == 0;
}

void host_stop(struct host *h)
{
	uv_loop_t *loop = h->server->loop;
	server_halt(h->server);
	fixture_run_until(loop, has_stopped, h);
	uv_run(loop, loop == &h->loop ? UV_RUN_DEFAULT : UV_RUN_NOWAIT);
	assert_int_equal(h->server->priv->requests.n, 0);
	server_free(h->server);
	conf_fini(&h->conf);
	if (loop == &h->loop)
		assert_int_equal(uv_loop_close(&h->loop), 0);
}

void host_invite(const struct host *h, const char *account, char out[static 64])
{
	struct buf line;
	struct err e = {0};
	buf_init(&line, INVITE_LINE_MAX);
	if (bootstrap_invite(h->db.conninfo, account, "localhost:1", "", &line, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(buf_add(&line, "", 1), 0);
	const char *code = (const char *)buf_span(&line).at + strlen("seve-invite:localhost:1:");
	snprintf(out, 64, "%.*s", (int)strcspn(code, ":"), code);
	buf_fini(&line);
}

void host_turn(struct host *h, unsigned ms)
{
	const uint64_t until = uv_hrtime() + (uint64_t)ms * 1000000;
	while (uv_hrtime() < until) {
		uv_run(h->server->loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
}

void host_pass(struct host *h, int64_t ms)
{
	clock_fake_advance(ms);
	conns_sweep(h->server);
	requests_sweep(h->server);
	heads_sweep(h->server);
	watches_sweep(h->server);
	host_turn(h, 5);
}

/* ---- the client -------------------------------------------------------------------------------
 */

void peer_connect(struct peer *p, struct host *h)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	to.sin_port = htons((uint16_t)h->server->priv->listener.port);
	memset(p, 0, sizeof *p);
	p->host = h;
	buf_init(&p->out, 64 * 1024 * 1024);
	buf_init(&p->plain, 64 * 1024 * 1024);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	assert_int_equal(connect(p->fd, (const struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(fcntl(p->fd, F_SETFL, O_NONBLOCK), 0);
}

static void flush(struct peer *p)
{
	while (buf_len(&p->out) > 0 && !p->mute) {
		const struct span s = buf_span(&p->out);
		const ssize_t n = send(p->fd, s.at, s.len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			p->closed = true;
		if (n <= 0)
			return;
		buf_consume(&p->out, (size_t)n);
	}
}

static bool receive(struct peer *p)
{
	uint8_t bytes[16384];
	struct err e = {0};
	const ssize_t n = p->deaf ? -1 : recv(p->fd, bytes, sizeof bytes, 0);
	if (p->deaf || (n < 0 && errno == EAGAIN))
		return false;
	if (n <= 0)
		p->closed = true;
	else if (p->tls.ssl && tls_feed(&p->tls, bytes, (size_t)n, &p->plain, &e) < 0)
		p->closed = true;
	return true;
}

/* One turn of both ends. */
void peer_pump(struct peer *p)
{
	flush(p);
	uv_run(p->host->server->loop, UV_RUN_NOWAIT);
	if (!receive(p))
		usleep(200);
}

static uint64_t patience(void)
{
	return uv_hrtime() + (uint64_t)PATIENCE_MS * 1000000;
}

void peer_secure(struct peer *p)
{
	struct err e = {0};
	const uint64_t until = patience();
	assert_int_equal(tls_ctx_client(fixture_cluster()->ca_file, NULL, &p->ctx, &e), 0);
	assert_int_equal(tls_init(&p->tls, p->ctx, "localhost", &p->out, &e), 0);
	assert_int_equal(tls_feed(&p->tls, NULL, 0, &p->plain, &e), 0);
	while (!p->tls.ready && !p->closed && uv_hrtime() < until)
		peer_pump(p);
	assert_true(p->tls.ready);
	flush(p);
}

void peer_close(struct peer *p)
{
	tls_fini(&p->tls);
	if (p->ctx)
		tls_ctx_free(p->ctx);
	buf_fini(&p->out);
	buf_fini(&p->plain);
	close(p->fd);
	p->fd = -1;
}

void peer_raw(struct peer *p, const void *bytes, size_t n)
{
	assert_int_equal(buf_add(&p->out, bytes, n), 0);
	flush(p);
}

void peer_send_bytes(struct peer *p, enum frame_type type, const void *payload, size_t n)
{
	uint8_t header[FRAME_HEADER];
	struct err e = {0};
	frame_header(header, type, n);
	assert_int_equal(tls_write(&p->tls, header, sizeof header, &e), 0);
	if (n)
		assert_int_equal(tls_write(&p->tls, payload, n, &e), 0);
	flush(p);
}

void peer_send(struct peer *p, enum frame_type type, const ProtobufCMessage *m)
{
	const size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *bytes = malloc(n + 1);
	assert_non_null(bytes);
	protobuf_c_message_pack(m, bytes);
	peer_send_bytes(p, type, bytes, n);
	free(bytes);
}

uint64_t peer_request(struct peer *p, Seve__Request *r)
{
	if (!r->has_id) {
		r->has_id = 1;
		r->id = ++p->last_id;
	}
	peer_send(p, FRAME_REQUEST, &r->base);
	return r->id;
}

void peer_hello(struct peer *p, const char *token, const char *invite)
{
	uint8_t id[16] = "0123456789abcde";
	Seve__Hello m = SEVE__HELLO__INIT;
	m.has_proto_min = m.has_proto_max = m.has_client_id = 1;
	m.proto_min = m.proto_max = 1;
	m.client_id = (ProtobufCBinaryData){sizeof id, id};
	m.token = (char *)(uintptr_t)token;
	m.invite = (char *)(uintptr_t)invite;
	m.device = (char *)(uintptr_t) "test";
	peer_send(p, FRAME_HELLO, &m.base);
}

static bool next_frame(struct peer *p, struct frame *f)
{
	struct err e = {0};
	const uint64_t until = patience();
	for (;;) {
		const int rc = frame_next(&p->plain, FRAME_MAX, f, &e);
		assert_true(rc >= 0);
		if (rc > 0)
			return true;
		if (p->closed)
			return false;
		if (uv_hrtime() > until)
			fail_msg("no frame came");
		peer_pump(p);
	}
}

ProtobufCMessage *peer_expect(struct peer *p, enum frame_type type,
			      const ProtobufCMessageDescriptor *desc)
{
	struct frame f;
	if (!next_frame(p, &f))
		fail_msg("the connection was closed, a frame of type %d was expected", (int)type);
	assert_int_equal(f.type, type);
	ProtobufCMessage *m = NULL;
	if (desc) {
		m = protobuf_c_message_unpack(desc, NULL, f.payload.len, f.payload.at);
		assert_non_null(m);
	}
	buf_consume(&p->plain, FRAME_HEADER + f.payload.len);
	return m;
}

void peer_free(void *message)
{
	protobuf_c_message_free_unpacked(message, NULL);
}

Seve__Reply *peer_reply(struct peer *p)
{
	return (Seve__Reply *)peer_expect(p, FRAME_REPLY, &seve__reply__descriptor);
}

void peer_expect_error(struct peer *p, const char *detail)
{
	Seve__Error *m = (Seve__Error *)peer_expect(p, FRAME_ERROR, &seve__error__descriptor);
	assert_string_equal(m->detail, detail);
	peer_free(m);
}

void peer_expect_closed(struct peer *p)
{
	struct frame f;
	if (next_frame(p, &f))
		fail_msg("a frame of type %d came, the end was expected", (int)f.type);
}

Seve__Welcome *peer_open(struct peer *p, struct host *h, const char *token, const char *invite)
{
	struct frame f;
	peer_connect(p, h);
	peer_secure(p);
	peer_hello(p, token, invite);
	if (!next_frame(p, &f))
		fail_msg("closed instead of Welcome");
	if (f.type != FRAME_WELCOME)
		return NULL;
	return (Seve__Welcome *)peer_expect(p, FRAME_WELCOME, &seve__welcome__descriptor);
}

void peer_status(struct peer *p)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__StatusRequest status = SEVE__STATUS_REQUEST__INIT;
	r.body_case = SEVE__REQUEST__BODY_STATUS;
	r.status = &status;
	const uint64_t id = peer_request(p, &r);
	Seve__Reply *reply = peer_reply(p);
	assert_int_equal(reply->id, id);
	assert_null(reply->error);
	assert_int_equal(reply->body_case, SEVE__REPLY__BODY_STATUS);
	peer_free(reply);
}
