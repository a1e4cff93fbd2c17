/* test_cut.c -- a session is cut at one byte offset after the other, each way; the next one puts
 * everything right.  Also halves of connections that end, slow ones, and late ones. */
#include "fleet.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "proxy.h"

enum { EDITS = 2, TEXT = 2600, SPAN = 5000, SETTLE_MS = 500, PATIENCE_MS = 60000 };

struct cut {
	struct daemon daemon;
	struct machine machine; /* its server is the proxy */
	struct proxy *proxy;
	uint32_t territory;
	unsigned made;
};

static bool told;
static int told_status;

static void ended(void *ctx, int status, struct seve_table *report, const struct seve_error *err)
{
	(void)ctx;
	(void)err;
	told = true;
	told_status = status;
	seve_table_free(report);
}

/* Long enough that a session has bytes to be cut at. */
static void edit_offline(struct cut *c, struct seve *s)
{
	static char text[TEXT + 1];

	for (unsigned i = 0; i < EDITS; i++) {
		struct seve_error *err = NULL;
		struct seve_record *r;
		char name[32];
		int queued;

		snprintf(name, sizeof name, "actor-%u", ++c->made);
		for (unsigned k = 0; k < TEXT; k++)
			text[k] = (char)('a' + (c->made * 7 + k * k) % 26);
		r = fleet_actor(c->territory, name);
		fleet_fine(seve_record_set(r, "address", text, &err), &err, "address");
		fleet_fine(seve_save(s, &r, 1, NULL, 1, &queued, NULL, &err), &err, "saving");
		seve_record_free(r);
	}
}

static bool fault_met(struct cut *c, const struct proxy_seen *before)
{
	const struct proxy_seen now = proxy_look(c->proxy);

	return now.cuts + now.halves > before->cuts + before->halves;
}

/* Synchronises until the fault has come and the connection is lost; true: it came. */
static bool sync_into(struct cut *c, struct seve *s, const struct proxy_plan *plan)
{
	const struct proxy_seen before = proxy_look(c->proxy);
	const uint64_t until = fleet_ms() + PATIENCE_MS;
	uint64_t met_at = 0;
	struct seve_error *err = NULL;

	proxy_set(c->proxy, plan);
	told = false;
	fleet_fine(seve_sync_start(s, c->territory, ended, NULL, &err), &err, "starting");
	while (!told) {
		struct pollfd p = {seve_fd(s), 0, 0};
		const int ms = seve_timeout_ms(s);

		if (met_at && (p.fd < 0 || fleet_ms() > met_at + SETTLE_MS))
			break;
		if (seve_events(s) & 1)
			p.events |= POLLIN;
		if (seve_events(s) & 2)
			p.events |= POLLOUT;
		(void)poll(&p, p.fd >= 0, ms < 0 || ms > 20 ? 20 : ms);
		(void)seve_process(s, NULL);
		if (!met_at && fault_met(c, &before))
			met_at = fleet_ms();
		if (fleet_ms() > until)
			fail_msg("the session hangs");
	}
	return met_at != 0 || fault_met(c, &before);
}

/* A new handle, as after a crash, an undisturbed connection: all is in step. */
static void converge(struct cut *c, const char *what, uint64_t at)
{
	const struct proxy_plan none = proxy_untouched();
	struct seve_error *err = NULL;
	struct seve_table *left = NULL;
	struct seve *s = machine_open(&c->machine);
	int rc;

	proxy_set(c->proxy, &none);
	rc = seve_sync(s, c->territory, NULL, NULL, NULL, &err);
	if (rc != SEVE_OK)
		fail_msg("after %s at %llu: %d %s", what, (unsigned long long)at, rc,
			 err ? seve_error_message(err) : "");
	fleet_fine(seve_outbox(s, &left, &err), &err, "the outbox");
	if (seve_table_rows(left))
		fail_msg("after %s at %llu: %zu edits are left", what, (unsigned long long)at,
			 seve_table_rows(left));
	seve_table_free(left);
	seve_close(s);
}

static bool disturb(struct cut *c, const char *what, const struct proxy_plan *plan, uint64_t at)
{
	struct seve *s = machine_open(&c->machine);
	bool met;

	edit_offline(c, s);
	met = sync_into(c, s, plan);
	seve_close(s);
	converge(c, what, at);
	return met;
}

/* All that was made is there, once; the replica has it. */
static void check_all(struct cut *c)
{
	struct seve *s = machine_open(&c->machine);
	struct seve_query *q = seve_query_new("actor");
	struct seve_list *list = NULL;
	struct seve_error *err = NULL;
	struct holdings h;

	fleet_check_once(&c->daemon, c->territory);
	fleet_count(&c->daemon, c->territory, &h);
	assert_int_equal(h.live, c->made);
	seve_query_territory(q, c->territory);
	seve_query_limit(q, 0);
	fleet_fine(seve_list(s, q, SEVE_REPLICA, &list, &err), &err, "listing");
	assert_int_equal(seve_list_count(list), c->made);
	seve_list_free(list);
	seve_query_free(q);
	seve_close(s);
}

static int set_up(void **state)
{
	static struct cut c;
	unsigned port = 0;

	memset(&c, 0, sizeof c);
	daemon_make(&c.daemon, NULL);
	c.territory = fleet_enrol(&c.daemon, &c.machine, 1);
	c.proxy = proxy_start(NULL, NULL, c.daemon.port, &port);
	assert_non_null(c.proxy);
	snprintf(c.machine.server, sizeof c.machine.server, "localhost:%u", port);
	converge(&c, "nothing", 0);
	*state = &c;
	return 0;
}

static int tear_down(void **state)
{
	struct cut *c = *state;

	proxy_stop(c->proxy);
	daemon_close(&c->daemon);
	return 0;
}

/* SEVE_CUT=FIRST-LAST in the environment: these offsets only. */
static void span(unsigned *first, unsigned *last)
{
	const char *text = getenv("SEVE_CUT");
	char *end;

	*first = 0;
	*last = SPAN;
	if (!text)
		return;
	*first = (unsigned)strtoul(text, &end, 10);
	*last = *end == '-' ? (unsigned)strtoul(end + 1, NULL, 10) : *first + 1;
}

static void a_session_cut_at_any_byte_converges(void **state)
{
	static const char *const ways[] = {"a cut up", "a cut down"};
	struct cut *c = *state;
	const bool proof = fleet_proof();
	const unsigned step = proof ? 1 : 10;
	unsigned long met[PROXY_WAYS] = {0, 0}, n[PROXY_WAYS] = {0, 0};
	unsigned first, last;

	span(&first, &last);
	for (unsigned at = first; at < last; at += step)
		for (enum proxy_way w = PROXY_UP; w < PROXY_WAYS; w++) {
			struct proxy_plan plan = proxy_untouched();

			if (!proof && at / step % PROXY_WAYS != w)
				continue; /* the short run goes up and down in turn */
			plan.ways[w].cut_at = at;
			plan.connections = 1;
			n[w]++;
			met[w] += disturb(c, ways[w], &plan, at);
		}
	check_all(c);
	printf("cut at every %sbyte offset from %u to %u%s: %lu sessions up, %lu down; %lu and %lu "
	       "of "
	       "them were cut, each next synchronisation converged; %u edits, each there once\n",
	       proof ? "" : "10th ", first, last, proof ? ", both ways" : ", up and down in turn",
	       n[PROXY_UP], n[PROXY_DOWN], met[PROXY_UP], met[PROXY_DOWN], c->made);
	assert_int_equal(met[PROXY_UP], n[PROXY_UP]);
	assert_int_equal(met[PROXY_DOWN], n[PROXY_DOWN]);
}

static void a_way_that_ends_while_the_other_goes_on_is_noticed(void **state)
{
	struct cut *c = *state;
	const unsigned step = fleet_proof() ? 50 : 500;
	unsigned long n = 0;

	for (uint64_t at = 1; at < SPAN; at += step)
		for (enum proxy_way w = PROXY_UP; w < PROXY_WAYS; w++, n++) {
			struct proxy_plan plan = proxy_untouched();

			plan.ways[w].half_at = at;
			plan.connections = 1;
			assert_true(disturb(c, "a half", &plan, at));
		}
	check_all(c);
	printf("%lu sessions of which one way ended: each next synchronisation converged\n", n);
}

static void slow_and_late_connections_only_take_longer(void **state)
{
	struct cut *c = *state;
	struct proxy_plan plan = proxy_untouched();

	plan.connections = UINT32_MAX;
	plan.ways[PROXY_UP] = (struct proxy_fault){PROXY_NEVER, PROXY_NEVER, 20, 20000};
	plan.ways[PROXY_DOWN] = (struct proxy_fault){PROXY_NEVER, PROXY_NEVER, 30, 50000};
	for (unsigned i = 0; i < 3; i++) {
		assert_false(disturb(c, "slowness", &plan, 0));
		assert_true(told && told_status == SEVE_OK);
	}
	check_all(c);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(a_session_cut_at_any_byte_converges),
		ROW(a_way_that_ends_while_the_other_goes_on_is_noticed),
		ROW(slow_and_late_connections_only_take_longer),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
