/* test_conn.c -- connections on a real server: phases and their limits, frames, back-pressure,
 * time-outs, draining. */
#include "fixture.h"

#include <libpq-fe.h>
#include <string.h>

#include "clock.h"
#include "dispatch.h"
#include "peer.h"

struct scene {
	struct host host;
	char token[80];
};

static int set_up_with(void **state, const char *const *flags)
{
	static struct scene s;
	struct peer p;
	char code[64];
	memset(&s, 0, sizeof s);
	host_start(&s.host, flags);
	host_invite(&s.host, "admin", code);
	Seve__Welcome *w = peer_open(&p, &s.host, NULL, code);
	assert_non_null(w);
	snprintf(s.token, sizeof s.token, "%s", w->token);
	peer_free(w);
	peer_close(&p);
	*state = &s;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, NULL);
}

static int set_up_small(void **state)
{
	static const char *const flags[] = {"max-connections", "2", NULL};
	return set_up_with(state, flags);
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	clock_fake(0);
	host_stop(&s->host);
	return 0;
}

static void open_session(struct scene *s, struct peer *p)
{
	Seve__Welcome *w = peer_open(p, &s->host, s->token, NULL);
	assert_non_null(w);
	peer_free(w);
}

static struct conns *conns_of(struct scene *s)
{
	return &s->host.server->priv->conns;
}

static Seve__Request status_request(Seve__StatusRequest *body)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	seve__status_request__init(body);
	r.body_case = SEVE__REQUEST__BODY_STATUS;
	r.status = body;
	return r;
}

/* Readers wait while it is held. */
static PGconn *hold_heads(struct scene *s)
{
	PGconn *pg = PQconnectdb(s->host.db.conninfo);
	assert_int_equal(PQstatus(pg), CONNECTION_OK);
	PQclear(PQexec(pg, "BEGIN"));
	PQclear(PQexec(pg, "LOCK TABLE territory_head IN ACCESS EXCLUSIVE MODE"));
	assert_int_equal(PQtransactionStatus(pg), PQTRANS_INTRANS);
	return pg;
}

/* ---- phases -----------------------------------------------------------------------------------
 */

static void a_silent_connection_is_closed_after_three_seconds(void **state)
{
	struct scene *s = *state;
	struct peer p;
	clock_fake(clock_wall_ms());
	peer_connect(&p, &s->host);
	host_turn(&s->host, 20);
	assert_int_equal(conns_of(s)->phase[CONN_ACCEPTED].n, 1);
	host_pass(&s->host, 2900);
	assert_int_equal(conns_of(s)->phase[CONN_ACCEPTED].n, 1);
	host_pass(&s->host, 200);
	assert_int_equal(conns_of(s)->phase[CONN_ACCEPTED].n, 0);
	peer_expect_closed(&p);
	peer_close(&p);
}

static void a_handshake_that_dribbles_is_closed_after_seven_seconds(void **state)
{
	struct scene *s = *state;
	struct peer p;
	clock_fake(clock_wall_ms());
	peer_connect(&p, &s->host);
	for (int second = 0; second < 7; second++) {
		/* The start of a record of TLS that never ends. */
		const uint8_t bytes[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00};
		peer_raw(&p, bytes + second, 1);
		host_turn(&s->host, 20);
		assert_int_equal(conns_of(s)->phase[CONN_HANDSHAKE].n, 1);
		host_pass(&s->host, second < 6 ? 1000 : 1100);
	}
	assert_int_equal(conns_of(s)->phase[CONN_HANDSHAKE].n, 0);
	peer_expect_closed(&p);
	peer_close(&p);
}

static void a_client_without_hello_is_told_so_after_ten_seconds(void **state)
{
	struct scene *s = *state;
	struct peer p;
	clock_fake(clock_wall_ms());
	peer_connect(&p, &s->host);
	peer_secure(&p);
	host_turn(&s->host, 20);
	assert_int_equal(conns_of(s)->phase[CONN_HELLO].n, 1);
	host_pass(&s->host, 10100);
	peer_expect_error(&p, "DEADLINE");
	peer_expect_closed(&p);
	peer_close(&p);
}

static void a_session_without_a_byte_is_closed_and_a_ping_keeps_it(void **state)
{
	struct scene *s = *state;
	struct peer p;
	clock_fake(clock_wall_ms());
	open_session(s, &p);
	host_pass(&s->host, 149000);
	peer_send_bytes(&p, FRAME_PING, NULL, 0);
	peer_expect(&p, FRAME_PONG, NULL);
	host_pass(&s->host, 149000);
	peer_status(&p);
	host_pass(&s->host, 151000);
	peer_expect_error(&p, "DEADLINE");
	peer_expect_closed(&p);
	peer_close(&p);
}

static void an_idle_session_owns_its_struct_and_its_tls_only(void **state)
{
	struct scene *s = *state;
	struct peer p;
	open_session(s, &p);
	peer_status(&p);
	host_turn(&s->host, 20);
	const struct conn *c = conns_of(s)->phase[CONN_READY].first;
	assert_non_null(c);
	assert_null(c->in.data);
	assert_null(c->out.data);
	assert_null(c->writing);
	assert_null(c->requests);
	assert_true(sizeof *c <= 700);
	peer_close(&p);
}

static void sessions_of_one_token_share_their_principal(void **state)
{
	struct scene *s = *state;
	struct peer a, b;
	open_session(s, &a);
	open_session(s, &b);
	const struct conn_list *ready = &conns_of(s)->phase[CONN_READY];
	assert_int_equal(ready->n, 2);
	assert_ptr_equal(ready->first->who, ready->last->who);
	peer_close(&a);
	peer_close(&b);
}

static void connections_above_the_limit_are_told_to_come_back(void **state)
{
	struct scene *s = *state;
	struct peer a, b, c;
	host_turn(&s->host, 50); /* the one of set_up is gone */
	open_session(s, &a);
	open_session(s, &b);
	peer_connect(&c, &s->host);
	peer_secure(&c);
	peer_expect_error(&c, "EXHAUSTED");
	peer_expect_closed(&c);
	peer_close(&c);
	peer_close(&a);
	host_turn(&s->host, 50);
	open_session(s, &a);
	peer_close(&a);
	peer_close(&b);
}

/* ---- frames -----------------------------------------------------------------------------------
 */

static void what_is_no_tls_is_closed(void **state)
{
	struct scene *s = *state;
	struct peer p;
	peer_connect(&p, &s->host);
	peer_raw(&p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	peer_expect_closed(&p);
	assert_int_equal(s->host.server->priv->metrics.tls_failed, 1);
	peer_close(&p);
}

static void a_large_frame_is_refused_before_and_taken_after_authentication(void **state)
{
	struct scene *s = *state;
	struct peer p;
	static uint8_t bytes[FRAME_MAX_BEFORE_AUTH + 1];
	peer_connect(&p, &s->host);
	peer_secure(&p);
	peer_send_bytes(&p, FRAME_HELLO, bytes, sizeof bytes);
	peer_expect_error(&p, "TOO_BIG");
	peer_expect_closed(&p);
	peer_close(&p);

	open_session(s, &p);
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__TokenList list = SEVE__TOKEN_LIST__INIT;
	char *name = calloc(1, 500001);
	assert_non_null(name);
	memset(name, 'x', 500000);
	list.account = name;
	r.body_case = SEVE__REQUEST__BODY_TOKEN_LIST;
	r.token_list = &list;
	peer_request(&p, &r);
	Seve__Reply *reply = peer_reply(&p);
	assert_null(reply->error);
	peer_free(reply);
	free(name);
	peer_close(&p);
}

static void a_frame_above_the_maximum_ends_the_session(void **state)
{
	struct scene *s = *state;
	struct peer p;
	uint8_t header[FRAME_HEADER];
	struct err e = {0};
	open_session(s, &p);
	frame_header(header, FRAME_REQUEST, FRAME_MAX + 1);
	assert_int_equal(tls_write(&p.tls, header, sizeof header, &e), 0);
	peer_expect_error(&p, "TOO_BIG");
	peer_expect_closed(&p);
	peer_close(&p);
}

static void a_request_that_comes_byte_by_byte_is_answered(void **state)
{
	struct scene *s = *state;
	struct peer p;
	struct buf bytes;
	Seve__StatusRequest body;
	Seve__Request r = status_request(&body);
	open_session(s, &p);
	r.has_id = 1;
	r.id = 78;
	p.mute = true; /* all of it becomes TLS records first, which then dribble */
	peer_request(&p, &r);
	p.mute = false;
	bytes = p.out;
	buf_init(&p.out, bytes.max);
	while (buf_len(&bytes) > 0) {
		peer_raw(&p, buf_span(&bytes).at, 1);
		buf_consume(&bytes, 1);
		host_turn(&s->host, 1);
	}
	buf_fini(&bytes);
	Seve__Reply *reply = peer_reply(&p);
	assert_int_equal(reply->id, 78);
	assert_null(reply->error);
	peer_free(reply);
	peer_close(&p);
}

static void expect_failure(struct peer *p, uint64_t id, const char *detail)
{
	Seve__Reply *reply = peer_reply(p);
	assert_int_equal(reply->id, id);
	assert_non_null(reply->error);
	assert_string_equal(reply->error->detail, detail);
	peer_free(reply);
}

static void a_malformed_request_is_answered_and_the_session_goes_on(void **state)
{
	struct scene *s = *state;
	struct peer p;
	/* id 5; get (field 10) of 3 bytes, of which one is there */
	const uint8_t cut[] = {0x08, 0x05, 0x52, 0x03, 0x08};
	/* id 6; token_list (21) whose account is not UTF-8 */
	const uint8_t text[] = {0x08, 0x06, 0xaa, 0x01, 0x03, 0x0a, 0x01, 0xff};
	/* id 7, and no body */
	const uint8_t empty[] = {0x08, 0x07};
	open_session(s, &p);
	peer_send_bytes(&p, FRAME_REQUEST, cut, sizeof cut);
	expect_failure(&p, 5, "INVALID");
	peer_send_bytes(&p, FRAME_REQUEST, text, sizeof text);
	expect_failure(&p, 6, "INVALID");
	peer_send_bytes(&p, FRAME_REQUEST, empty, sizeof empty);
	expect_failure(&p, 7, "UNKNOWN_METHOD");
	p.last_id = 100;
	peer_status(&p);
	peer_send_bytes(&p, FRAME_REQUEST, "", 0);
	peer_expect_error(&p, "PROTOCOL");
	peer_close(&p);
}

static void frames_that_only_servers_send_end_the_session(void **state)
{
	struct scene *s = *state;
	const enum frame_type wrong[] = {FRAME_HELLO, FRAME_WELCOME, FRAME_REPLY, FRAME_PAGE,
					 FRAME_GOAWAY};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct peer p;
		open_session(s, &p);
		peer_send_bytes(&p, wrong[i], NULL, 0);
		peer_expect_error(&p, "PROTOCOL");
		peer_expect_closed(&p);
		peer_close(&p);
	}
}

static void nothing_but_hello_comes_first(void **state)
{
	struct scene *s = *state;
	struct peer p;
	peer_connect(&p, &s->host);
	peer_secure(&p);
	peer_send_bytes(&p, FRAME_PING, NULL, 0);
	peer_expect_error(&p, "UNAUTHENTICATED");
	peer_expect_closed(&p);
	peer_close(&p);
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static void two_hundred_requests_at_once_are_all_answered(void **state)
{
	struct scene *s = *state;
	struct peer p;
	bool seen[201] = {false};
	Seve__StatusRequest body;
	open_session(s, &p);
	for (int i = 0; i < 200; i++) {
		Seve__Request r = status_request(&body);
		peer_request(&p, &r);
	}
	for (int i = 0; i < 200; i++) {
		Seve__Reply *reply = peer_reply(&p);
		assert_null(reply->error);
		assert_true(reply->id >= 1 && reply->id <= 200 && !seen[reply->id]);
		seen[reply->id] = true;
		assert_true(conns_of(s)->phase[CONN_READY].first->n_requests <= CONN_INFLIGHT_MAX);
		peer_free(reply);
	}
	peer_close(&p);
}

static void the_same_id_twice_at_once_ends_the_session(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__StatusRequest body;
	Seve__Request r = status_request(&body);
	open_session(s, &p);
	PGconn *held = hold_heads(s);
	r.has_id = 1;
	r.id = 9;
	peer_request(&p, &r);
	peer_request(&p, &r);
	peer_expect_error(&p, "PROTOCOL");
	peer_close(&p);
	PQfinish(held);
}

static void a_late_request_is_answered_in_time_and_once(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__StatusRequest body;
	Seve__Request r = status_request(&body);
	clock_fake(clock_wall_ms());
	open_session(s, &p);
	PGconn *held = hold_heads(s);
	r.has_timeout_ms = 1;
	r.timeout_ms = 2000;
	const uint64_t id = peer_request(&p, &r);
	host_turn(&s->host, 50);
	host_pass(&s->host, 2100);
	expect_failure(&p, id, "DEADLINE");
	PQfinish(held);
	peer_status(&p); /* its answer, not a second one to the first */
	peer_close(&p);
}

static void a_cancelled_request_is_answered_at_once(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__StatusRequest body;
	Seve__Request r = status_request(&body);
	Seve__Cancel cancel = SEVE__CANCEL__INIT;
	open_session(s, &p);
	PGconn *held = hold_heads(s);
	cancel.has_id = 1;
	cancel.id = peer_request(&p, &r);
	peer_send(&p, FRAME_CANCEL, &cancel.base);
	expect_failure(&p, cancel.id, "CANCELLED");
	cancel.id = 12345; /* unknown ones are ignored */
	peer_send(&p, FRAME_CANCEL, &cancel.base);
	PQfinish(held);
	peer_status(&p);
	peer_close(&p);
}

static bool has_no_requests(void *ctx)
{
	return ((struct scene *)ctx)->host.server->priv->requests.n == 0;
}

static void a_request_outlives_its_connection(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__StatusRequest body;
	open_session(s, &p);
	PGconn *held = hold_heads(s);
	for (int i = 0; i < 5; i++) {
		Seve__Request r = status_request(&body);
		peer_request(&p, &r);
	}
	host_turn(&s->host, 50);
	assert_int_equal(s->host.server->priv->requests.n, 5);
	peer_close(&p);
	host_turn(&s->host, 50);
	assert_int_equal(conns_of(s)->n, 0);
	assert_int_equal(s->host.server->priv->requests.n, 5);
	PQfinish(held);
	fixture_run_until(&s->host.loop, has_no_requests, s);
}

/* Every member of Request has a row in methods.def, and every row a member. */
static void every_request_has_a_method(void **state)
{
	(void)state;
	const ProtobufCMessageDescriptor *d = &seve__request__descriptor;
	unsigned members = 0;
	for (unsigned i = 0; i < d->n_fields; i++) {
		if (!(d->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		members++;
		const struct method *m = method_by_member(d->fields[i].id);
		if (!m)
			fail_msg("no row for %s", d->fields[i].name);
		assert_string_equal(m->name, d->fields[i].name);
	}
	assert_int_equal(members, method_count());
	assert_null(method_by_member(9));
	assert_null(method_by_member(1000));
}

/* ---- back-pressure ----------------------------------------------------------------------------
 */

enum { PINGS = 100000 };

/* Sends pings, which cost the server 30 bytes each, and reads no pong. */
static void send_pings(struct peer *p, size_t n)
{
	uint8_t batch[100 * FRAME_HEADER];
	struct err e = {0};
	for (size_t i = 0; i < 100; i++)
		frame_header(batch + i * FRAME_HEADER, FRAME_PING, 0);
	p->deaf = true;
	for (size_t i = 0; i < n; i += 100) {
		assert_int_equal(tls_write(&p->tls, batch, sizeof batch, &e), 0);
		if (i % 10000 == 0)
			peer_raw(p, NULL, 0);
	}
	peer_raw(p, NULL, 0);
	for (int i = 0; i < 100; i++) {
		peer_raw(p, NULL, 0);
		host_turn(p->host, 2);
	}
}

static void a_client_that_does_not_read_is_not_read(void **state)
{
	struct scene *s = *state;
	struct peer p;
	open_session(s, &p);
	send_pings(&p, 3 * PINGS);
	const struct conn *c = conns_of(s)->phase[CONN_READY].first;
	assert_false(c->reading);
	assert_true(conn_pending(c) >= CONN_OUT_HIGH);
	assert_true(conn_pending(c) <= CONN_OUT_HIGH + 4 * sizeof s->host.server->scratch);
	p.deaf = false;
	for (int i = 0; i < 3 * PINGS; i++)
		peer_expect(&p, FRAME_PONG, NULL);
	peer_status(&p);
	peer_close(&p);
}

static void a_client_that_takes_nothing_for_long_is_closed(void **state)
{
	struct scene *s = *state;
	struct peer p;
	clock_fake(clock_wall_ms());
	open_session(s, &p);
	send_pings(&p, 3 * PINGS);
	host_pass(&s->host, 1000);
	host_pass(&s->host, 25000);
	assert_int_equal(conns_of(s)->phase[CONN_READY].n, 1);
	host_pass(&s->host, 10000);
	assert_int_equal(conns_of(s)->phase[CONN_READY].n, 0);
	assert_int_equal(s->host.server->priv->metrics.slow_consumers, 1);
	peer_close(&p);
}

/* ---- draining ---------------------------------------------------------------------------------
 */

static void a_draining_server_says_goodbye_and_finishes_what_is_under_way(void **state)
{
	struct scene *s = *state;
	struct peer idle, busy;
	Seve__StatusRequest body;
	Seve__Request r = status_request(&body);
	open_session(s, &idle);
	open_session(s, &busy);
	PGconn *held = hold_heads(s);
	const uint64_t id = peer_request(&busy, &r);
	host_turn(&s->host, 50);
	server_drain(s->host.server);
	Seve__GoAway *bye =
		(Seve__GoAway *)peer_expect(&idle, FRAME_GOAWAY, &seve__go_away__descriptor);
	assert_true(bye->retry_after_ms >= 1000);
	peer_free(bye);
	peer_expect_closed(&idle);
	peer_free(peer_expect(&busy, FRAME_GOAWAY, &seve__go_away__descriptor));
	PQfinish(held);
	Seve__Reply *reply = peer_reply(&busy);
	assert_int_equal(reply->id, id);
	assert_null(reply->error);
	peer_free(reply);
	peer_expect_closed(&busy);
	assert_int_equal(s->host.server->draining, true);
	peer_close(&idle);
	peer_close(&busy);
}

/* ---- reloading ---------------------------------------------------------------------------------
 */

/* Settings as a file would give them the next time. */
static struct conf fresh_conf(const char *cert, const char *idle)
{
	struct err e = {0};
	struct conf conf;
	const struct config_flag flags[] = {
		{"tls-cert", cert},     {"tls-key", fixture_cluster()->key_file},
		{"idle-timeout", idle}, {"listen-port", "1"},
		{"log-level", "error"},
	};
	const struct config_source from = {.file = "/dev/null", .flags = flags, .n_flags = 5};
	assert_int_equal(config_load(&conf, &from, &e), 0);
	return conf;
}

static void a_broken_certificate_leaves_everything_as_it_was(void **state)
{
	struct scene *s = *state;
	struct server *server = s->host.server;
	struct err e = {0};
	struct peer p;
	struct conf fresh = fresh_conf("/nowhere/server.pem", "200s");
	const SSL_CTX *before = server->tls;
	assert_true(server_reload(server, &fresh, &e) < 0);
	assert_non_null(strstr(e.text, "/nowhere/server.pem"));
	conf_fini(&fresh);
	assert_ptr_equal(server->tls, before);
	assert_int_equal(config_number(server->conf, CONFIG_IDLE_TIMEOUT), 150000);
	open_session(s, &p);
	peer_close(&p);
}

static void a_reload_changes_certificate_and_limits_and_no_session(void **state)
{
	struct scene *s = *state;
	struct server *server = s->host.server;
	struct err e = {0};
	struct peer old, new;
	struct conf fresh = fresh_conf(fixture_cluster()->cert_file, "200s");
	const int64_t port = config_number(server->conf, CONFIG_LISTEN_PORT);
	open_session(s, &old);
	assert_int_equal(server_reload(server, &fresh, &e), 0);
	conf_fini(&fresh);
	assert_int_equal(config_number(server->conf, CONFIG_IDLE_TIMEOUT), 200000);
	assert_int_equal(config_number(server->conf, CONFIG_LISTEN_PORT), port);
	open_session(s, &new);
	peer_status(&old);
	peer_status(&new);
	peer_close(&old);
	peer_close(&new);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(a_silent_connection_is_closed_after_three_seconds),
		ROW(a_handshake_that_dribbles_is_closed_after_seven_seconds),
		ROW(a_client_without_hello_is_told_so_after_ten_seconds),
		ROW(a_session_without_a_byte_is_closed_and_a_ping_keeps_it),
		ROW(an_idle_session_owns_its_struct_and_its_tls_only),
		ROW(sessions_of_one_token_share_their_principal),
		cmocka_unit_test_setup_teardown(connections_above_the_limit_are_told_to_come_back,
						set_up_small, tear_down),
		ROW(what_is_no_tls_is_closed),
		ROW(a_large_frame_is_refused_before_and_taken_after_authentication),
		ROW(a_frame_above_the_maximum_ends_the_session),
		ROW(a_request_that_comes_byte_by_byte_is_answered),
		ROW(a_malformed_request_is_answered_and_the_session_goes_on),
		ROW(frames_that_only_servers_send_end_the_session),
		ROW(nothing_but_hello_comes_first),
		ROW(two_hundred_requests_at_once_are_all_answered),
		ROW(the_same_id_twice_at_once_ends_the_session),
		ROW(a_late_request_is_answered_in_time_and_once),
		ROW(a_cancelled_request_is_answered_at_once),
		ROW(a_request_outlives_its_connection),
		cmocka_unit_test(every_request_has_a_method),
		ROW(a_client_that_does_not_read_is_not_read),
		ROW(a_client_that_takes_nothing_for_long_is_closed),
		ROW(a_draining_server_says_goodbye_and_finishes_what_is_under_way),
		ROW(a_broken_certificate_leaves_everything_as_it_was),
		ROW(a_reload_changes_certificate_and_limits_and_no_session),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
