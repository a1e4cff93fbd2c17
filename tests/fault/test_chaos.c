/* test_chaos.c -- writers write all the time; the server is killed, PostgreSQL stops fast and at
 * once, its backends are ended, writers are killed.  What was acknowledged is there once, and so is
 * the rest of what stood in an outbox.  With the full counts the load and the time until service is
 * back are held against their limits too.
 *
 * Each writer is a process: it notes a name before it saves it and again once that was
 * acknowledged; the notes are the history that is checked. */
#include "fleet.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WRITERS = 4, GROUP = 6, BACK_MS = 3000, LOAD = 200, PATIENCE_MS = 120000, MOST = 400 };

/* Shared between the processes, in a file. */
struct tally {
	atomic_ulong acknowledged, queued;
	atomic_bool stop;
};

struct writer {
	struct machine machine;
	char notes[300];
	pid_t pid;
	unsigned from; /* number of the next name */
};

struct chaos {
	struct daemon daemon;
	struct writer writers[WRITERS];
	uint32_t territory;
	struct tally *tally;
	char tally_file[300];
	unsigned long back[MOST]; /* ms from a fault until the next acknowledgement */
	size_t n_back;
	uint64_t worst_ms; /* from the fault itself, PostgreSQL's own stop and recovery and all */
};

static struct tally *share(const char *path)
{
	const int fd = open(path, O_RDWR | O_CREAT, 0600);
	struct tally *t;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof *t), 0);
	t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(t != MAP_FAILED);
	close(fd);
	return t;
}

/* ---- the writer's process
 * ------------------------------------------------------------------------- */

static void note(int fd, const char *what, const char *name)
{
	char line[96];
	const int n = snprintf(line, sizeof line, "%s %s\n", what, name);

	if (write(fd, line, (size_t)n) != n)
		_exit(5);
}

/* One after the other goes into the outbox, the last one takes them all along. */
static bool write_group(struct seve *s, int fd, uint32_t territory, const char *who, unsigned from)
{
	char names[GROUP][48];
	int queued = 0;

	for (unsigned i = 0; i < GROUP; i++) {
		struct seve_record *r;
		struct seve_error *err = NULL;
		int rc;

		snprintf(names[i], sizeof names[i], "%s-%u", who, from + i);
		r = fleet_actor(territory, names[i]);
		note(fd, "begun", names[i]);
		rc = seve_save(s, &r, 1, NULL, i + 1 < GROUP, &queued, NULL, &err);
		seve_record_free(r);
		if (rc != SEVE_OK) {
			fprintf(stderr, "%s: %d %s\n", names[i], rc, seve_error_message(err));
			_exit(6);
		}
	}
	for (unsigned i = 0; i < GROUP && !queued; i++)
		note(fd, "done", names[i]);
	return !queued;
}

/* CA SERVER TOKEN STORE NOTES TALLY TERRITORY NAME FROM */
static int writer_main(char **argv)
{
	struct machine m = {.token = ""};
	struct tally *t = share(argv[5]);
	const uint32_t territory = (uint32_t)strtoul(argv[6], NULL, 10);
	unsigned from = (unsigned)strtoul(argv[8], NULL, 10);
	const int fd = open(argv[4], O_WRONLY | O_CREAT | O_APPEND, 0600);
	struct seve *s;

	snprintf(m.ca, sizeof m.ca, "%s", argv[0]);
	snprintf(m.server, sizeof m.server, "%s", argv[1]);
	snprintf(m.token, sizeof m.token, "%s", argv[2]);
	snprintf(m.store, sizeof m.store, "%s", argv[3]);
	s = machine_open(&m);
	while (!atomic_load(&t->stop)) {
		if (write_group(s, fd, territory, argv[7], from))
			atomic_fetch_add(&t->acknowledged, GROUP);
		else
			atomic_fetch_add(&t->queued, GROUP);
		from += GROUP;
	}
	seve_close(s);
	return 0;
}

/* ---- writers, from outside
 * ------------------------------------------------------------------------ */

static void writer_start(struct chaos *c, unsigned i)
{
	struct writer *w = &c->writers[i];
	char territory[16], name[16], from[16];

	snprintf(territory, sizeof territory, "%u", c->territory);
	snprintf(name, sizeof name, "w%u", i);
	snprintf(from, sizeof from, "%u", w->from);
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid)
		return;
	execl("/proc/self/exe", "writer", w->machine.ca, w->machine.server, w->machine.token,
	      w->machine.store, w->notes, c->tally_file, territory, name, from, (char *)NULL);
	_exit(127);
}

/* Goes through the notes; with `ok` only what was acknowledged.  Returns their number. */
static unsigned notes_read(const struct writer *w, const char *what,
			   void (*each)(void *ctx, const char *name), void *ctx)
{
	FILE *f = fopen(w->notes, "re");
	char word[16], name[48];
	unsigned n = 0;

	while (f && fscanf(f, "%15s %47s", word, name) == 2) {
		if (strcmp(word, what) != 0)
			continue;
		n++;
		if (each)
			each(ctx, name);
	}
	if (f)
		fclose(f);
	return n;
}

static void writer_kill(struct chaos *c, unsigned i)
{
	struct writer *w = &c->writers[i];
	int status;

	kill(w->pid, SIGKILL);
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	w->from = notes_read(w, "begun", NULL, NULL) + 1;
	writer_start(c, i);
}

/* ---- faults
 * --------------------------------------------------------------------------------------- */

static void await_write(struct chaos *c, uint64_t since, bool counts)
{
	const unsigned long before = atomic_load(&c->tally->acknowledged);
	const uint64_t until = fleet_ms() + PATIENCE_MS;

	while (atomic_load(&c->tally->acknowledged) == before) {
		if (fleet_ms() > until)
			fail_msg("no write was acknowledged for two minutes (log %s)",
				 c->daemon.log);
		usleep(1000);
	}
	if (counts && c->n_back < MOST)
		c->back[c->n_back++] = (unsigned long)(fleet_ms() - since);
}

static void fault_server(struct chaos *c)
{
	const uint64_t since = fleet_ms();

	daemon_end(&c->daemon, SIGKILL);
	daemon_start(&c->daemon);
	await_write(c, since, true);
}

/* PostgreSQL's own recovery is not ours to count: the time runs from when it accepts. */
static void fault_database(struct chaos *c, int signal_number)
{
	const uint64_t since = fleet_ms();

	fixture_restart(signal_number);
	await_write(c, fleet_ms(), true);
	if (fleet_ms() - since > c->worst_ms)
		c->worst_ms = fleet_ms() - since;
}

static void fault_fast(struct chaos *c)
{
	fault_database(c, SIGINT);
}

static void fault_immediate(struct chaos *c)
{
	fault_database(c, SIGQUIT);
}

static void fault_backends(struct chaos *c)
{
	fixture_sql(c->daemon.db.admin,
		    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
		    "pg_backend_pid() AND backend_type = 'client backend'");
	await_write(c, fleet_ms(), true);
}

static void fault_writer(struct chaos *c)
{
	writer_kill(c, (unsigned)(c->n_back + fleet_ms()) % WRITERS);
	await_write(c, fleet_ms(), false);
}

static int by_size(const void *a, const void *b)
{
	const unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* How long it took until a write was acknowledged again. */
static void tell_back(struct chaos *c)
{
	unsigned long within = 0;

	qsort(c->back, c->n_back, sizeof *c->back, by_size);
	for (size_t i = 0; i < c->n_back; i++)
		within += c->back[i] <= BACK_MS;
	printf("  a write was acknowledged after %lu ms (median), %lu ms (worst); %lu of %zu "
	       "within "
	       "%d ms\n",
	       c->back[c->n_back / 2], c->back[c->n_back - 1], within, c->n_back, BACK_MS);
	if (c->worst_ms)
		printf("  with PostgreSQL's own stop and start: %llu ms (worst)\n",
		       (unsigned long long)c->worst_ms);
	if (fleet_proof())
		assert_int_equal(within, c->n_back);
}

/* Writers that have backed off come back one after the other: with the full counts a fault waits
 * until they write as fast as they are to.  Returns the writes a second just before it. */
static unsigned long await_load(struct chaos *c, unsigned window_ms)
{
	const uint64_t until = fleet_ms() + PATIENCE_MS;

	for (;;) {
		const uint64_t since = fleet_ms();
		const unsigned long before = atomic_load(&c->tally->acknowledged);
		unsigned long rate;

		while (fleet_ms() < since + window_ms)
			usleep(2000);
		rate = (unsigned long)((atomic_load(&c->tally->acknowledged) - before) * 1000 /
				       (fleet_ms() - since));
		if (rate >= LOAD || !fleet_proof())
			return rate;
		if (fleet_ms() > until)
			fail_msg("%lu writes a second for two minutes: at least %d were to be "
				 "under way",
				 rate, LOAD);
	}
}

/* A fault, and load in between; repeated. */
static void repeat(struct chaos *c, const char *what, void (*fault)(struct chaos *), unsigned times)
{
	unsigned long sum = 0, least = ULONG_MAX;

	c->n_back = 0;
	c->worst_ms = 0;
	for (unsigned i = 0; i < times; i++) {
		const unsigned long rate = await_load(c, 300 + (i * 37) % 200);

		sum += rate;
		least = rate < least ? rate : least;
		fault(c);
	}
	printf("%s, %u times, under %lu writes a second (least %lu)\n", what, times, sum / times,
	       least);
	if (c->n_back)
		tell_back(c);
}

/* ---- the history
 * ---------------------------------------------------------------------------------- */

struct lookup {
	struct chaos *chaos;
	char **names;
	size_t n;
	unsigned long lost;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void look_up(void *ctx, const char *name)
{
	struct lookup *l = ctx;

	if (!bsearch(&name, l->names, l->n, sizeof *l->names, by_name) && !l->lost++)
		printf("acknowledged and lost: %s\n", name);
}

/* All names of the territory, sorted. */
static void load_names(struct lookup *l)
{
	struct machine *m = &l->chaos->writers[0].machine;
	struct seve *s = machine_open(m);
	struct seve_query *q = seve_query_new("actor");
	struct seve_list *list = NULL;
	struct seve_error *err = NULL;

	seve_query_territory(q, l->chaos->territory);
	seve_query_limit(q, 0);
	fleet_fine(seve_list(s, q, SEVE_SERVER, &list, &err), &err, "listing");
	l->n = seve_list_count(list);
	l->names = calloc(l->n + 1, sizeof *l->names);
	assert_non_null(l->names);
	for (size_t i = 0; i < l->n; i++)
		l->names[i] = strdup(seve_record_get(seve_list_at(list, i), "name"));
	qsort(l->names, l->n, sizeof *l->names, by_name);
	seve_list_free(list);
	seve_query_free(q);
	seve_close(s);
}

static void check_history(struct chaos *c)
{
	struct lookup l = {.chaos = c};
	unsigned long begun = 0, done = 0, twice = 0;

	load_names(&l);
	for (unsigned i = 0; i < WRITERS; i++) {
		begun += notes_read(&c->writers[i], "begun", NULL, NULL);
		done += notes_read(&c->writers[i], "done", look_up, &l);
	}
	for (size_t i = 1; i < l.n; i++)
		twice += !strcmp(l.names[i - 1], l.names[i]);
	printf("%lu writes begun, %lu acknowledged, %zu stored: %lu acknowledged lost, %lu applied "
	       "twice\n",
	       begun, done, l.n, l.lost, twice);
	assert_int_equal(l.lost, 0);
	assert_int_equal(twice, 0);
	assert_true(l.n <= begun);
	for (size_t i = 0; i < l.n; i++)
		free(l.names[i]);
	free(l.names);
	fleet_check_once(&c->daemon, c->territory);
}

/* What an outbox still holds goes, once nothing is in the way. */
static void drain(struct chaos *c)
{
	for (unsigned i = 0; i < WRITERS; i++) {
		struct writer *w = &c->writers[i];
		struct seve_table *left = NULL;
		struct seve_error *err = NULL;
		struct seve *s;
		int status;

		assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		s = machine_open(&w->machine);
		fleet_sync(s, c->territory);
		fleet_fine(seve_outbox(s, &left, &err), &err, "the outbox");
		assert_int_equal(seve_table_rows(left), 0);
		seve_table_free(left);
		seve_close(s);
	}
}

static void what_was_acknowledged_survives_kills_and_restarts(void **state)
{
	static struct chaos c;
	const bool proof = fleet_proof();
	struct machine machines[WRITERS];
	char folder[256];
	uint64_t since;

	(void)state;
	daemon_make(&c.daemon, NULL);
	c.territory = fleet_enrol(&c.daemon, machines, WRITERS);
	fixture_folder(folder);
	snprintf(c.tally_file, sizeof c.tally_file, "%s/tally", folder);
	c.tally = share(c.tally_file);
	since = fleet_ms();
	for (unsigned i = 0; i < WRITERS; i++) {
		c.writers[i].machine = machines[i];
		c.writers[i].from = 1;
		snprintf(c.writers[i].notes, sizeof c.writers[i].notes, "%s/notes-%u", folder, i);
		writer_start(&c, i);
	}
	await_write(&c, 0, false);
	repeat(&c, "server, kill -9", fault_server, proof ? 100 : 10);
	repeat(&c, "PostgreSQL, -m fast", fault_fast, proof ? 20 : 3);
	repeat(&c, "PostgreSQL, -m immediate", fault_immediate, proof ? 10 : 2);
	repeat(&c, "backends terminated", fault_backends, proof ? 50 : 3);
	repeat(&c, "a writer, kill -9", fault_writer, proof ? 100 : 6);
	since = fleet_ms() - since;
	printf("%lu acknowledged in %.1f s, faults and all: %.0f a second\n",
	       atomic_load(&c.tally->acknowledged), (double)since / 1000,
	       (double)atomic_load(&c.tally->acknowledged) * 1000 / (double)since);
	atomic_store(&c.tally->stop, true);
	drain(&c);
	check_history(&c);
	daemon_close(&c.daemon);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_survives_kills_and_restarts),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 10)
		return writer_main(argv + 1);
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
