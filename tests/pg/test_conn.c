/* test_conn.c -- connections on a real server: phases and their limits, frames. */
#include "fixture.h"

#include <string.h>

#include "clock.h"
#include "scene.h"

static int set_up_small(void **state)
{
	static const char *const flags[] = {"max-connections", "2", NULL};
	return scene_start(state, flags);
}

static int set_up_narrow(void **state)
{
	static const char *const flags[] = {"max-unauthenticated", "2", NULL};
	return scene_start(state, flags);
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
	assert_int_equal(scene_conns(s)->phase[CONN_ACCEPTED].n, 1);
	host_pass(&s->host, 2900);
	assert_int_equal(scene_conns(s)->phase[CONN_ACCEPTED].n, 1);
	host_pass(&s->host, 200);
	assert_int_equal(scene_conns(s)->phase[CONN_ACCEPTED].n, 0);
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
		assert_int_equal(scene_conns(s)->phase[CONN_HANDSHAKE].n, 1);
		host_pass(&s->host, second < 6 ? 1000 : 1100);
	}
	assert_int_equal(scene_conns(s)->phase[CONN_HANDSHAKE].n, 0);
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
	assert_int_equal(scene_conns(s)->phase[CONN_HELLO].n, 1);
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
	scene_open(s, &p);
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
	scene_open(s, &p);
	peer_status(&p);
	host_turn(&s->host, 20);
	const struct conn *c = scene_conns(s)->phase[CONN_READY].first;
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
	scene_open(s, &a);
	scene_open(s, &b);
	const struct conn_list *ready = &scene_conns(s)->phase[CONN_READY];
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
	scene_open(s, &a);
	scene_open(s, &b);
	peer_connect(&c, &s->host);
	peer_secure(&c);
	peer_expect_error(&c, "EXHAUSTED");
	peer_expect_closed(&c);
	peer_close(&c);
	peer_close(&a);
	host_turn(&s->host, 50);
	scene_open(s, &a);
	peer_close(&a);
	peer_close(&b);
}

static void above_the_limit_of_strangers_one_waits_until_another_has_gone(void **state)
{
	struct scene *s = *state;
	struct peer a, b, c;
	host_turn(&s->host, 50);
	peer_connect(&a, &s->host);
	peer_connect(&b, &s->host);
	peer_connect(&c, &s->host);
	host_turn(&s->host, 50);
	assert_int_equal(conns_unauthenticated(scene_conns(s)), 2);
	assert_true(s->host.server->priv->listener.waiting);
	peer_close(&a);
	host_turn(&s->host, 50);
	assert_int_equal(conns_unauthenticated(scene_conns(s)), 2);
	assert_false(s->host.server->priv->listener.waiting);
	peer_secure(&c);
	peer_hello(&c, s->token, NULL);
	peer_free(peer_expect(&c, FRAME_WELCOME, &seve__welcome__descriptor));
	peer_close(&b);
	peer_close(&c);
}

static void requests_may_follow_hello_without_waiting(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__StatusRequest body;
	Seve__Request r = scene_status(&body);
	peer_connect(&p, &s->host);
	peer_secure(&p);
	p.mute = true; /* so that all arrives in one piece */
	peer_hello(&p, s->token, NULL);
	const uint64_t id = peer_request(&p, &r);
	p.mute = false;
	peer_free(peer_expect(&p, FRAME_WELCOME, &seve__welcome__descriptor));
	Seve__Reply *reply = peer_reply(&p);
	assert_int_equal(reply->id, id);
	assert_null(reply->error);
	peer_free(reply);
	peer_close(&p);
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

	scene_open(s, &p);
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
	scene_open(s, &p);
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
	Seve__Request r = scene_status(&body);
	scene_open(s, &p);
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
	scene_open(s, &p);
	peer_send_bytes(&p, FRAME_REQUEST, cut, sizeof cut);
	scene_expect_failure(&p, 5, "INVALID");
	peer_send_bytes(&p, FRAME_REQUEST, text, sizeof text);
	scene_expect_failure(&p, 6, "INVALID");
	peer_send_bytes(&p, FRAME_REQUEST, empty, sizeof empty);
	scene_expect_failure(&p, 7, "UNKNOWN_METHOD");
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
		scene_open(s, &p);
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

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		ROW(a_silent_connection_is_closed_after_three_seconds),
		ROW(a_handshake_that_dribbles_is_closed_after_seven_seconds),
		ROW(a_client_without_hello_is_told_so_after_ten_seconds),
		ROW(a_session_without_a_byte_is_closed_and_a_ping_keeps_it),
		ROW(an_idle_session_owns_its_struct_and_its_tls_only),
		ROW(sessions_of_one_token_share_their_principal),
		cmocka_unit_test_setup_teardown(connections_above_the_limit_are_told_to_come_back,
						set_up_small, scene_tear_down),
		cmocka_unit_test_setup_teardown(
			above_the_limit_of_strangers_one_waits_until_another_has_gone,
			set_up_narrow, scene_tear_down),
		ROW(requests_may_follow_hello_without_waiting),
		ROW(what_is_no_tls_is_closed),
		ROW(a_large_frame_is_refused_before_and_taken_after_authentication),
		ROW(a_frame_above_the_maximum_ends_the_session),
		ROW(a_request_that_comes_byte_by_byte_is_answered),
		ROW(a_malformed_request_is_answered_and_the_session_goes_on),
		ROW(frames_that_only_servers_send_end_the_session),
		ROW(nothing_but_hello_comes_first),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
