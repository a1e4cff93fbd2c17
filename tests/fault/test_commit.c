/* test_commit.c -- PostgreSQL's link is cut between a COMMIT and its reply: the transaction stands,
 * and the server does not know.  Clients ask again, and each write has one effect. */
#include "fleet.h"

#include <stdio.h>
#include <string.h>

#include "proxy.h"

struct uncertain {
	struct daemon daemon;
	struct machine machine;
	struct proxy *proxy;
	uint32_t territory;
};

static int set_up(void **state)
{
	static struct uncertain u;
	const struct embedded *c = fixture_cluster();
	char folder[256], path[400], real[600];
	unsigned port;

	memset(&u, 0, sizeof u);
	fixture_folder(folder);
	snprintf(path, sizeof path, "%s/.s.PGSQL.5432", folder);
	snprintf(real, sizeof real, "%s/.s.PGSQL.5432", c->run);
	u.proxy = proxy_start(path, real, 0, &port);
	assert_non_null(u.proxy);
	daemon_make(&u.daemon, folder);
	u.territory = fleet_enrol(&u.daemon, &u.machine, 1);
	*state = &u;
	return 0;
}

static int tear_down(void **state)
{
	struct uncertain *u = *state;

	daemon_close(&u->daemon);
	proxy_stop(u->proxy);
	return 0;
}

static void a_commit_whose_reply_is_lost_takes_effect_once(void **state)
{
	struct uncertain *u = *state;
	const unsigned times = fleet_proof() ? 100 : 10;
	struct seve *s = machine_open(&u->machine);
	struct proxy_plan plan = proxy_untouched();
	unsigned long queued_ones = 0, saved = 0;
	struct seve_error *err = NULL;
	struct holdings h;

	plan.cut_commit = true;
	while (proxy_look(u->proxy).cuts < times) {
		struct seve_record *r;
		char name[32];
		int queued = 0;

		snprintf(name, sizeof name, "actor-%lu", ++saved);
		r = fleet_actor(u->territory, name);
		proxy_set(u->proxy, &plan);
		fleet_fine(seve_save(s, &r, 1, NULL, 0, &queued, NULL, &err), &err, "saving");
		queued_ones += queued != 0;
		seve_record_free(r);
		assert_true(saved < 20UL * times);
	}
	plan.cut_commit = false;
	proxy_set(u->proxy, &plan);
	fleet_sync(s, u->territory);
	seve_close(s);
	fleet_count(&u->daemon, u->territory, &h);
	printf("%u commits whose reply was cut off, under %lu writes: %llu stand, each once (%lu "
	       "were "
	       "acknowledged later, from the outbox)\n",
	       times, saved, (unsigned long long)h.live, queued_ones);
	assert_int_equal(h.live, saved);
	fleet_check_once(&u->daemon, u->territory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_commit_whose_reply_is_lost_takes_effect_once,
						set_up, tear_down),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
