/* test_request.c -- requests on a real server: many, late, cancelled, orphaned; back-pressure,
 * draining, reloading. */
#include "fixture.h"

#include <string.h>

#include "clock.h"
#include "dispatch.h"
#include "scene.h"

/* ---- requests ---------------------------------------------------------------------------------
 */

static void two_hundred_requests_at_once_are_all_answered(void **state)
{
	struct scene *s = *state;
	struct peer p;
	bool seen[201] = {false};
	Seve__StatusRequest body;
	scene_open(s, &p);
	for (int i = 0; i < 200; i++) {
		Seve__Request r = scene_status(&body);
		peer_request(&p, &r);
	}
	for (int i = 0; i < 200; i++) {
		Seve__Reply *reply = peer_reply(&p);
		assert_null(reply->error);
		assert_true(reply->id >= 1 && reply->id <= 200 && !seen[reply->id]);
		seen[reply->id] = true;
		assert_true(scene_conns(s)->phase[CONN_READY].first->n_requests <=
			    CONN_INFLIGHT_MAX);
		peer_free(reply);
	}
	peer_close(&p);
}

static void the_same_id_twice_at_once_ends_the_session(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__StatusRequest body;
	Seve__Request r = scene_status(&body);
	scene_open(s, &p);
	PGconn *held = scene_hold(s);
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
	Seve__Request r = scene_status(&body);
	clock_fake(clock_wall_ms());
	scene_open(s, &p);
	PGconn *held = scene_hold(s);
	r.has_timeout_ms = 1;
	r.timeout_ms = 2000;
	const uint64_t id = peer_request(&p, &r);
	host_turn(&s->host, 50);
	host_pass(&s->host, 2100);
	scene_expect_failure(&p, id, "DEADLINE");
	PQfinish(held);
	peer_status(&p); /* its answer, not a second one to the first */
	peer_close(&p);
}

static void a_cancelled_request_is_answered_at_once(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__StatusRequest body;
	Seve__Request r = scene_status(&body);
	Seve__Cancel cancel = SEVE__CANCEL__INIT;
	scene_open(s, &p);
	PGconn *held = scene_hold(s);
	cancel.has_id = 1;
	cancel.id = peer_request(&p, &r);
	peer_send(&p, FRAME_CANCEL, &cancel.base);
	scene_expect_failure(&p, cancel.id, "CANCELLED");
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
	scene_open(s, &p);
	PGconn *held = scene_hold(s);
	for (int i = 0; i < 5; i++) {
		Seve__Request r = scene_status(&body);
		peer_request(&p, &r);
	}
	host_turn(&s->host, 50);
	assert_int_equal(s->host.server->priv->requests.n, 5);
	peer_close(&p);
	host_turn(&s->host, 50);
	assert_int_equal(scene_conns(s)->n, 0);
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
	scene_open(s, &p);
	send_pings(&p, 3 * PINGS);
	const struct conn *c = scene_conns(s)->phase[CONN_READY].first;
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
	scene_open(s, &p);
	send_pings(&p, 3 * PINGS);
	host_pass(&s->host, 1000);
	host_pass(&s->host, 25000);
	assert_int_equal(scene_conns(s)->phase[CONN_READY].n, 1);
	host_pass(&s->host, 10000);
	assert_int_equal(scene_conns(s)->phase[CONN_READY].n, 0);
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
	Seve__Request r = scene_status(&body);
	scene_open(s, &idle);
	scene_open(s, &busy);
	PGconn *held = scene_hold(s);
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
	scene_open(s, &p);
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
	scene_open(s, &old);
	assert_int_equal(server_reload(server, &fresh, &e), 0);
	conf_fini(&fresh);
	assert_int_equal(config_number(server->conf, CONFIG_IDLE_TIMEOUT), 200000);
	assert_int_equal(config_number(server->conf, CONFIG_LISTEN_PORT), port);
	scene_open(s, &new);
	peer_status(&old);
	peer_status(&new);
	peer_close(&old);
	peer_close(&new);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
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
