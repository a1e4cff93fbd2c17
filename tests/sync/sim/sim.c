/* sim.c -- see sim.h: the weather, and the run of one history. */
#include "sim.h"

#include <stdarg.h>

#include "bug.h"
#include "check.h"
#include "disk.h"
#include "edit.h"

enum {
	ARENA_MAX = 512 * 1024 * 1024,
	WEATHER_MS = 25,
	DB_DOWN_MS = 150,
	BELL_SLACK_MS = 120,
	CALM_MS = 60000,
	CRASH_FIRST = 100, /* so that nearly every history meets one */
	CRASH_SPAN = 400,
	DISK_STEPS = 5, /* of a real store, for each of one in memory */
};

/* ---- tools
 * ----------------------------------------------------------------------------------------- */

void sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof s->why, fmt, ap);
	va_end(ap);
	longjmp(s->failed, 1);
}

void sim_trace(const struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->plan.verbose)
		return;
	printf("%6llu ms, step %4u: ", (unsigned long long)s->agenda.now_ms, s->step);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void *sim_need(struct sim *s, void *p)
{
	if (!p)
		sim_fail(s, "out of memory");
	return p;
}

/* splitmix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators"). */
unsigned sim_dice(struct sim *s, unsigned sides)
{
	uint64_t z = (s->random += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (unsigned)((z ^ (z >> 31)) % sides);
}

bool sim_has(const struct sim *s, enum sim_feature f)
{
	return !(s->plan.without >> f & 1);
}

bool sim_strikes(struct sim *s, enum sim_feature f, unsigned sides)
{
	return !s->calm && sim_has(s, f) && !sim_dice(s, sides);
}

bool sim_step(struct sim *s)
{
	s->step++;
	for (unsigned i = 0; i < s->n_crashes; i++)
		if (s->crash_at[i] == s->step) {
			s->counts.crashes++;
			return true;
		}
	return false;
}

void sim_count_disk(struct sim *s, const struct disk_counts *c)
{
	s->counts.writes += c->writes;
	s->counts.syncs += c->syncs;
	s->counts.truncates += c->truncates;
	s->counts.deletes += c->deletes;
	s->counts.cuts_of_power += c->cuts;
	s->counts.losses += c->lost;
	s->counts.tears += c->torn;
}

/* ---- the weather
 * ------------------------------------------------------------------------------------- */

static void plan(struct sim *s, unsigned in_ms, agenda_call call)
{
	if (!agenda_add(&s->agenda, in_ms, call, 0, 0))
		sim_fail(s, "the agenda is full");
}

static void db_returns(struct sim *s, unsigned who, unsigned generation)
{
	(void)generation;
	s->db.up = true;
	for (unsigned i = 0; who && i < SIM_SERVERS; i++)
		seved_epoch_changed(s, i);
}

/* A restart, or a standby that takes over: everything that was open is lost; commits only where the
 * standby lagged. */
static void db_falls(struct sim *s, bool failover)
{
	if (!s->db.up)
		return;
	sim_trace(s, failover ? "the standby takes over" : "the database restarts");
	s->db.up = false;
	if (failover) {
		s->counts.failovers++;
		s->db.epoch++;
	}
	for (unsigned i = 0; i < SIM_SERVERS; i++)
		seved_db_lost(s, i);
	if (failover && sim_has(s, SIM_REWINDS) && sim_dice(s, 2))
		db_rewind(s);
	else
		db_replay(s);
	if (!agenda_add(&s->agenda, 1 + sim_dice(s, DB_DOWN_MS), db_returns, failover, 0))
		sim_fail(s, "the agenda is full");
}

static void cut_something(struct sim *s)
{
	const unsigned link = sim_dice(s, NET_LINKS);

	if (s->net.links[link].used)
		net_cut(s, link);
}

static void change_role(struct sim *s)
{
	static const Seve__Role roles[] = {SEVE__ROLE__ROLE_FACILITATOR,
					   SEVE__ROLE__ROLE_COORDINATOR, SEVE__ROLE__ROLE_OBSERVER,
					   SEVE__ROLE__ROLE_UNSPECIFIED};
	/* The first user stays: somebody has to be able to write. */
	const unsigned user = s->n_users > 1 ? 1 + sim_dice(s, s->n_users - 1) : 0;
	const unsigned t = sim_dice(s, SIM_TERRITORIES);

	if (!user)
		return;
	s->db.roles[user][t] = roles[sim_dice(s, sizeof roles / sizeof *roles)];
	sim_trace(s, "user-%u has role %d in territory %u now", user, (int)s->db.roles[user][t],
		  t + 1);
	seved_rights_changed(s, user);
}

static void purge(struct sim *s)
{
	if (s->db.up && s->agenda.now_ms > s->climate.tombstone_ms)
		db_purge(s, s->agenda.now_ms - s->climate.tombstone_ms);
}

static void strike(struct sim *s)
{
	if (sim_strikes(s, SIM_CUTS, 6))
		cut_something(s);
	if (sim_strikes(s, SIM_GRANTS, s->climate.grant_sides))
		change_role(s);
	if (sim_strikes(s, SIM_PURGES, s->climate.purge_sides))
		purge(s);
	if (sim_strikes(s, SIM_STANDBY, 8))
		db_replay(s);
	if (sim_strikes(s, SIM_RESTARTS, s->climate.restart_sides))
		db_falls(s, false);
	if (sim_strikes(s, SIM_RESTARTS, 40))
		seved_deaf(s, sim_dice(s, SIM_SERVERS));
	if (sim_strikes(s, SIM_FAILOVERS, s->climate.failover_sides))
		db_falls(s, true);
}

static void weather(struct sim *s, unsigned who, unsigned generation)
{
	(void)who;
	(void)generation;
	if (s->calm)
		return;
	for (unsigned i = 0; i < s->n_users && s->edits_left; i++)
		if (s->users[i].alive && !sim_dice(s, 5))
			(void)edit_random(s, i);
	strike(s);
	if (s->agenda.now_ms > s->oracle.last_commit_ms + BELL_SLACK_MS && s->db.up)
		seved_check_heads(s);
	plan(s, 1 + sim_dice(s, WEATHER_MS), weather);
}

/* ---- one history
 * ---------------------------------------------------------------------------------------- */

static unsigned one_of(struct sim *s, unsigned a, unsigned b, unsigned c)
{
	const unsigned n = sim_dice(s, 3);

	return n == 0 ? a : n == 1 ? b : c;
}

static void draw_climate(struct sim *s)
{
	s->climate = (struct sim_climate){
		.step_ms = one_of(s, 4, 25, 120),
		.read_ms = one_of(s, 6, 40, 200),
		.page_rows = one_of(s, 9, 3, 1),
		.tick_ms = one_of(s, 500, 150, 1200),
		.tombstone_ms = one_of(s, 1500, 400, 100),
		.records = one_of(s, SIM_BORN, SIM_BORN, 3),
		.purge_sides = one_of(s, 40, 10, 10),
		.level_sides = one_of(s, 7, 3, 2),
		.restart_sides = one_of(s, 90, 300, 900),
		.failover_sides = one_of(s, 120, 400, 900),
		.grant_sides = one_of(s, 60, 200, 600),
		.delete_sides = one_of(s, 8, 8, 3),
	};
	if (s->plan.folder)
		s->climate.checkpoint_pages = one_of(s, 1000, 40, 8);
}

static void draw_deaths(struct sim *s)
{
	const unsigned n = 1 + sim_dice(s, SIM_DEATHS), scale = s->plan.folder ? DISK_STEPS : 1;

	if (s->plan.crash_at)
		s->crash_at[s->n_crashes++] = s->plan.crash_at;
	else if (sim_has(s, SIM_CRASHES))
		for (unsigned i = 0; i < n; i++)
			s->crash_at[s->n_crashes++] =
				1 + sim_dice(s, scale * (i ? CRASH_SPAN : CRASH_FIRST));
	s->counts.drawn[s->n_crashes]++;
}

static void begin(struct sim *s)
{
	draw_climate(s);
	s->n_users = 1 + sim_dice(s, SIM_USERS);
	s->edits_left = s->plan.edits;
	draw_deaths(s);
	db_begin(s);
	for (unsigned i = 0; i < SIM_SERVERS; i++) {
		arena_init(&s->servers[i].arena, ARENA_MAX);
		seved_start(s, i, 0);
	}
	for (unsigned i = 0; i < s->n_users; i++)
		user_begin(s, i);
	plan(s, 1, weather);
}

static void live_until(struct sim *s, uint64_t ms)
{
	struct agenda_item item;

	while (s->agenda.now_ms < ms && agenda_next(&s->agenda, &item))
		item.call(s, item.who, item.generation);
}

static bool all_clean(struct sim *s)
{
	for (unsigned i = 0; i < s->n_users; i++)
		if (!check_user_clean(s, i))
			return false;
	return true;
}

static void check_heads(struct sim *s)
{
	for (unsigned t = 0; t < SIM_TERRITORIES; t++) {
		uint64_t greatest = s->db.now.heads[t].purged_rev;

		if (s->db.now.heads[t].rev != s->oracle.heads[t])
			sim_fail(
				s,
				"the head of territory %u is %llu, and %llu revisions were written",
				t + 1, (unsigned long long)s->db.now.heads[t].rev,
				(unsigned long long)s->oracle.heads[t]);
		for (unsigned i = 0; i < s->db.n_ids[t]; i++)
			if (s->db.now.rows[t][i] && s->db.now.rows[t][i]->rev > greatest)
				greatest = s->db.now.rows[t][i]->rev;
		if (greatest > s->db.now.heads[t].rev)
			sim_fail(s, "territory %u holds rev %llu beyond its head", t + 1,
				 (unsigned long long)greatest);
	}
}

static void play(struct sim *s)
{
	begin(s);
	live_until(s, s->plan.virtual_ms);
	s->calm = true;
	for (uint64_t end = s->agenda.now_ms + CALM_MS; !all_clean(s);) {
		if (s->agenda.now_ms >= end)
			sim_fail(s, "not everything found its end in %d s of calm", CALM_MS / 1000);
		live_until(s, s->agenda.now_ms + BELL_SLACK_MS);
	}
	check_heads(s);
	check_results(s);
	for (unsigned i = 0; i < s->n_users; i++)
		check_user_end(s, i);
}

bool sim_run(struct sim *s, const struct sim_plan *p)
{
	memset(s, 0, sizeof *s);
	s->plan = *p;
	s->random = p->seed;
	arena_init(&s->arena, ARENA_MAX);
	arena_init(&s->scratch, ARENA_MAX);
	if (setjmp(s->failed))
		return false;
	play(s);
	s->counts.steps = s->step;
	s->counts.deaths[s->counts.crashes]++;
	return true;
}

void sim_end(struct sim *s)
{
	for (unsigned i = 0; i < s->n_users; i++)
		user_end(s, i);
	for (unsigned i = 0; i < SIM_SERVERS; i++)
		seved_end(s, i);
	net_end(s);
	arena_fini(&s->scratch);
	arena_fini(&s->arena);
}
