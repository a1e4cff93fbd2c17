/* main.c -- sync_sim: plays histories, tells the seed of a failing one and makes it smaller. */
#include <popt.h>
#include <unistd.h>

#include "bugs.h"
#include "disk.h"
#include "sim.h"

enum {
	EDITS = 40,
	VIRTUAL_MS = 3000,
	SHORT_EDITS = 8,
	SHORT_MS = 700,
	SILENT = 500,
	SILENT_SQLITE = 5
};

static const char *const feature_names[] = {
#define FEATURE(name, text) #name,
#include "features.def"
#undef FEATURE
};

struct options {
	long long seed, seeds, first, within;
	int edits, crash_at, every_step, verbose, bugs, sqlite;
	char *bug, *without;
	unsigned features; /* from `without` */
	char folder[64];   /* of the stores' names, with `sqlite` */
};

static void add_counts(struct sim_counts *sum, const struct sim_counts *one)
{
	unsigned long *to = (unsigned long *)sum;
	const unsigned long *from = (const unsigned long *)one;

	for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
		to[i] += from[i];
}

static void tell_counts(const struct sim_counts *c)
{
	printf("  %lu edits: %lu applied, %lu merged, %lu unchanged, %lu conflicts, %lu rejected; "
	       "%lu verdicts given again\n",
	       c->edits, c->verdicts[SEVE__VERDICT__CODE__APPLIED],
	       c->verdicts[SEVE__VERDICT__CODE__MERGED],
	       c->verdicts[SEVE__VERDICT__CODE__UNCHANGED],
	       c->verdicts[SEVE__VERDICT__CODE__CONFLICT],
	       c->verdicts[SEVE__VERDICT__CODE__REJECTED], c->replayed);
	printf("  %lu steps, %lu deaths at drawn ones; %lu pulls in %lu pages, %lu cuts, %lu "
	       "resets, %lu territories taken, "
	       "%lu pages of manifests, %lu fail-overs, %lu tombstones purged\n",
	       c->steps, c->crashes, c->pulls, c->pages, c->cuts, c->resets, c->revocations,
	       c->manifests, c->failovers, c->purges);
	printf("  %lu fail-overs lost commits, %lu lost edits were sent again, %lu pulls ran "
	       "beside a push\n",
	       c->rewound, c->again, c->overlaps);
	if (c->writes)
		printf("  SQLite: %lu writes, %lu syncs, %lu truncations, %lu removals; the power "
		       "went %lu times: "
		       "%lu times with what was not synced, %lu of them in part and out of order\n",
		       c->writes, c->syncs, c->truncates, c->deletes, c->cuts_of_power, c->losses,
		       c->tears);
	printf("  histories by deaths drawn: 1: %lu, 2: %lu, 3: %lu; by deaths met: 0: %lu, 1: "
	       "%lu, "
	       "2: %lu, 3: %lu\n",
	       c->drawn[1], c->drawn[2], c->drawn[3], c->deaths[0], c->deaths[1], c->deaths[2],
	       c->deaths[3]);
}

static struct sim_plan plan_of(const struct options *o, uint64_t seed)
{
	return (struct sim_plan){.seed = seed,
				 .without = o->features,
				 .edits = (unsigned)o->edits,
				 .crash_at = (unsigned)o->crash_at,
				 .virtual_ms = o->every_step ? SHORT_MS : VIRTUAL_MS,
				 .verbose = o->verbose,
				 .folder = o->sqlite ? o->folder : NULL};
}

/* Plays one history.  True: nothing is wrong. */
static bool try(struct sim *s, const struct sim_plan *p, struct sim_counts *sum)
{
	const bool fine = sim_run(s, p);

	sim_end(s);
	if (sum)
		add_counts(sum, &s->counts);
	return fine;
}

static void tell_plan(const struct sim_plan *p)
{
	const char *between = " --without ";

	printf("./dev sim --seed %llu --edits %u", (unsigned long long)p->seed, p->edits);
	if (p->folder)
		printf(" --sqlite");
	if (p->crash_at)
		printf(" --crash-at %u", p->crash_at);
	for (unsigned f = 0; f < SIM_FEATURES; f++)
		if (p->without >> f & 1) {
			printf("%s%s", between, feature_names[f]);
			between = ",";
		}
	putchar('\n');
}

/* Leaves out what is not needed for the failure. */
static void shrink(struct sim *s, struct sim_plan p)
{
	for (unsigned f = 0; f < SIM_FEATURES; f++) {
		struct sim_plan less = p;

		less.without |= 1u << f;
		if (!try(s, &less, NULL))
			p = less;
	}
	for (unsigned step = p.edits / 2; step; step /= 2) {
		struct sim_plan less = p;

		less.edits -= step < less.edits ? step : 0;
		if (!try(s, &less, NULL))
			p = less;
	}
	if (try(s, &p, NULL))
		return;
	printf("made smaller: %s\n  ", s->why);
	tell_plan(&p);
}

static bool play(struct sim *s, const struct options *o, const struct sim_plan *p,
		 struct sim_counts *sum)
{
	if (try(s, p, sum))
		return true;
	printf("seed %llu: %s\n  again with: ", (unsigned long long)p->seed, s->why);
	tell_plan(p);
	if (!o->verbose)
		shrink(s, *p);
	return false;
}

/* The same history again and again, each time with a death at the next step. */
static bool play_every_step(struct sim *s, const struct options *o, uint64_t seed,
			    struct sim_counts *sum)
{
	struct sim_plan p = plan_of(o, seed);
	unsigned long steps;

	p.crash_at = UINT32_MAX; /* never */
	if (!play(s, o, &p, sum))
		return false;
	steps = s->counts.steps;
	for (p.crash_at = 1; p.crash_at <= steps; p.crash_at++)
		if (!play(s, o, &p, sum))
			return false;
	return true;
}

static int play_all(struct sim *s, const struct options *o)
{
	struct sim_counts sum = {.edits = 0};

	for (long long i = 0; i < o->seeds; i++) {
		const struct sim_plan p = plan_of(o, (uint64_t)(o->first + i));

		if (!(o->every_step ? play_every_step(s, o, p.seed, &sum) : play(s, o, &p, &sum)))
			return 1;
	}
	printf("%lld histories from seed %lld%s: every invariant holds\n", o->seeds, o->first,
	       o->every_step ? ", a death at each step in turn" : "");
	tell_counts(&sum);
	return 0;
}

/* How many histories it takes to catch the bug; 0: none of them did. */
static long long caught_after(struct sim *s, const struct options *o)
{
	for (long long i = 0; i < o->within; i++) {
		const struct sim_plan p = plan_of(o, (uint64_t)(o->first + i));

		if (!try(s, &p, NULL))
			return i + 1;
	}
	return 0;
}

static int catch_bugs(struct sim *s, const struct options *o)
{
	const int silent = o->sqlite ? SILENT_SQLITE : SILENT;
	int missed = 0;

	for (long long i = 0; i < silent; i++) {
		const struct sim_plan p = plan_of(o, (uint64_t)(o->first + i));

		if (!play(s, o, &p, NULL))
			return 1;
	}
	printf("%-18s nothing is found in %d histories\n", "without any", silent);
	for (size_t i = 0; i < bugs_count(); i++) {
		const struct bug *b = bugs_at(i);
		long long n;

		if (!(b->stores & (o->sqlite ? BUG_DISK : BUG_MEMORY)))
			continue;
		if (!bugs_put(b->name)) {
			printf("this program was compiled without the bugs\n");
			return 2;
		}
		n = caught_after(s, o);
		missed += n == 0;
		printf("%-18s %s", b->name, n ? "caught" : "MISSED");
		if (n)
			printf(" by seed %lld, history %lld: %s", o->first + n - 1, n, s->why);
		printf("\n  (%s)\n", b->text);
	}
	return missed ? 1 : 0;
}

static bool read_features(struct options *o)
{
	for (char *word = o->without; word && *word;) {
		char *end = strchrnul(word, ',');
		unsigned f = 0;

		while (f < SIM_FEATURES && (strncmp(feature_names[f], word, (size_t)(end - word)) ||
					    feature_names[f][end - word]))
			f++;
		if (f == SIM_FEATURES) {
			fprintf(stderr, "sync_sim: --without: there is no \"%.*s\"\n",
				(int)(end - word), word);
			return false;
		}
		o->features |= 1u << f;
		word = *end ? end + 1 : end;
	}
	return true;
}

static bool read_options(int argc, const char **argv, struct options *o)
{
	const struct poptOption table[] = {
		{"seed", 's', POPT_ARG_LONGLONG, &o->seed, 0, "this history only", "N"},
		{"seeds", 'n', POPT_ARG_LONGLONG, &o->seeds, 0, "so many histories", "N"},
		{"first", 0, POPT_ARG_LONGLONG, &o->first, 0, "the first seed", "N"},
		{"edits", 0, POPT_ARG_INT, &o->edits, 0, "edits in one history", "N"},
		{"crash-at", 0, POPT_ARG_INT, &o->crash_at, 0, "a death at this step, and no other",
		 "N"},
		{"every-step", 0, POPT_ARG_NONE, &o->every_step, 0,
		 "short histories, a death at each step in turn", NULL},
		{"without", 0, POPT_ARG_STRING, &o->without, 0,
		 "leave out: a list with commas (features.def)", "LIST"},
		{"sqlite", 0, POPT_ARG_NONE, &o->sqlite, 0,
		 "the library's own stores, over disks that lose power", NULL},
		{"bug", 0, POPT_ARG_STRING, &o->bug, 0, "with this bug put in", "NAME"},
		{"bugs", 0, POPT_ARG_NONE, &o->bugs, 0,
		 "with each bug in turn: each must be caught", NULL},
		{"within", 0, POPT_ARG_LONGLONG, &o->within, 0, "--bugs: in so many histories",
		 "N"},
		{"verbose", 'v', POPT_ARG_NONE, &o->verbose, 0, "tell what happens", NULL},
		POPT_AUTOHELP POPT_TABLEEND};
	poptContext c = poptGetContext("sync_sim", argc, argv, table, 0);
	const int rc = poptGetNextOpt(c);

	if (rc < -1)
		fprintf(stderr, "sync_sim: %s: %s\n", poptBadOption(c, 0), poptStrerror(rc));
	poptFreeContext(c);
	return rc >= -1 && read_features(o);
}

/* The stores' files lie in memory: at their paths stand empty ones, which the library makes. */
static bool folder_make(struct options *o)
{
	const char *under = getenv("TMPDIR");

	if (!o->sqlite)
		return true;
	snprintf(o->folder, sizeof o->folder, "%.40s/sync_sim-XXXXXX", under ? under : "/tmp");
	if (!disk_register() && mkdtemp(o->folder))
		return true;
	fprintf(stderr, "sync_sim: --sqlite: no folder could be made (%s)\n", o->folder);
	return false;
}

static void folder_remove(const struct options *o)
{
	char path[96];

	for (unsigned i = 0; o->sqlite && i < SIM_USERS; i++) {
		snprintf(path, sizeof path, "%s/user-%u", o->folder, i);
		(void)unlink(path);
	}
	if (o->sqlite)
		(void)rmdir(o->folder);
}

static int run(struct sim *s, struct options *o)
{
	int rc;

	if (o->bug && !bugs_put(o->bug)) {
		fprintf(stderr, "sync_sim: there is no bug \"%s\" in this program\n", o->bug);
		return 2;
	}
	if (!folder_make(o))
		return 2;
	rc = o->bugs ? catch_bugs(s, o) : play_all(s, o);
	folder_remove(o);
	return rc;
}

int main(int argc, const char **argv)
{
	struct options o = {.seed = -1, .seeds = 100, .first = 1, .within = 300};
	struct sim *s = malloc(sizeof *s);
	int rc = 2;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (s && read_options(argc, argv, &o)) {
		if (o.seed >= 0) {
			o.first = o.seed;
			o.seeds = 1;
		}
		if (!o.edits)
			o.edits = o.every_step ? SHORT_EDITS : EDITS;
		rc = run(s, &o);
	}
	free(o.bug);
	free(o.without);
	free(s);
	return rc;
}
