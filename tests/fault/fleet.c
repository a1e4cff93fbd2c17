/* fleet.c -- see fleet.h. */
#include "fleet.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bootstrap.h"
#include "invite.h"

enum { PATIENCE_MS = 60000 };

bool fleet_proof(void)
{
	return getenv("SEVE_PROOF") != NULL;
}

uint64_t fleet_ms(void)
{
	return uv_hrtime() / 1000000;
}

void fleet_fine(int rc, struct seve_error **err, const char *what)
{
	if (rc != SEVE_OK)
		fail_msg("%s: %d %s", what, rc, *err ? seve_error_message(*err) : "");
}

/* ---- the daemon
 * ---------------------------------------------------------------------------------- */

static void run_daemon(const struct daemon *d, const char *port)
{
	const struct embedded *c = fixture_cluster();
	char program[600];
	const int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	const int null = open("/dev/null", O_RDONLY);
	const char *build = getenv("SEVE_BUILD");

	snprintf(program, sizeof program, "%s/server/seved", build ? build : "build/dev");
	if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(126);
	execl(program, "seved", "--database", d->conninfo, "--listen-port", port, "--port-file",
	      d->port_file, "--tls-cert", c->cert_file, "--tls-key", c->key_file, "--tls-ca",
	      c->ca_file, "--log-level", "warn", (char *)NULL);
	_exit(127);
}

static bool read_port(struct daemon *d)
{
	FILE *f = fopen(d->port_file, "re");
	char text[16] = "";
	const bool got = f && fgets(text, sizeof text, f) && text[0];

	if (f)
		fclose(f);
	if (got)
		d->port = (unsigned)strtoul(text, NULL, 10);
	return got && d->port;
}

void daemon_start(struct daemon *d)
{
	const uint64_t until = fleet_ms() + PATIENCE_MS;
	char port[16];

	snprintf(port, sizeof port, "%u", d->port);
	unlink(d->port_file);
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (!d->pid)
		run_daemon(d, port);
	while (!read_port(d)) {
		if (waitpid(d->pid, NULL, WNOHANG) == d->pid)
			fail_msg("seved has ended; its log is %s", d->log);
		if (fleet_ms() > until)
			fail_msg("seved does not listen; its log is %s", d->log);
		usleep(2000);
	}
}

void daemon_end(struct daemon *d, int signal_number)
{
	if (!d->pid)
		return;
	kill(d->pid, signal_number);
	assert_int_equal(waitpid(d->pid, NULL, 0), d->pid);
	d->pid = 0;
}

void daemon_make(struct daemon *d, const char *socket_folder)
{
	char folder[256];

	memset(d, 0, sizeof *d);
	d->db = fixture_database();
	fixture_folder(folder);
	if (socket_folder)
		snprintf(d->conninfo, sizeof d->conninfo, "host='%s'%s", socket_folder,
			 strstr(d->db.conninfo, " port="));
	else
		snprintf(d->conninfo, sizeof d->conninfo, "%s", d->db.conninfo);
	snprintf(d->log, sizeof d->log, "%s/log", folder);
	snprintf(d->port_file, sizeof d->port_file, "%s/port", folder);
	daemon_start(d);
}

void daemon_close(struct daemon *d)
{
	char line[1024];
	FILE *f;

	daemon_end(d, SIGTERM);
	f = fopen(d->log, "re");
	while (f && fgets(line, sizeof line, f))
		if (strstr(line, "Sanitizer") || strstr(line, "runtime error:"))
			fail_msg("the daemon: %s (%s)", line, d->log);
	if (f)
		fclose(f);
}

/* ---- machines
 * ------------------------------------------------------------------------------------ */

void machine_make(struct machine *m, const struct daemon *d)
{
	char folder[256];

	fixture_folder(folder);
	snprintf(m->token, sizeof m->token, "%s/token", folder);
	snprintf(m->store, sizeof m->store, "%s/store", folder);
	snprintf(m->ca, sizeof m->ca, "%s", fixture_cluster()->ca_file);
	snprintf(m->server, sizeof m->server, "localhost:%u", d->port);
}

struct seve *machine_open(const struct machine *m)
{
	struct seve_options *o = seve_options_new();
	struct seve_error *err = NULL;
	struct seve *s = NULL;

	assert_non_null(o);
	seve_options_set(o, "server", m->server);
	seve_options_set(o, "ca-file", m->ca);
	seve_options_set(o, "token-file", m->token);
	seve_options_set(o, "store", m->store);
	fleet_fine(seve_open(o, &s, &err), &err, "opening the store");
	seve_options_free(o);
	return s;
}

static void first_invite(const struct daemon *d, char code[static 64])
{
	struct buf line;
	struct err e = {0};
	const char *at;

	buf_init(&line, INVITE_LINE_MAX);
	if (bootstrap_invite(d->db.conninfo, "admin", "localhost:1", "", &line, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(buf_add(&line, "", 1), 0);
	at = (const char *)buf_span(&line).at + strlen("seve-invite:localhost:1:");
	snprintf(code, 64, "%.*s", (int)strcspn(at, ":"), at);
	buf_fini(&line);
}

static uint32_t make_territory(struct seve *admin)
{
	struct seve_record *r = NULL;
	struct seve_error *err = NULL;
	uint32_t territory = 0;

	fleet_fine(seve_record_new("territory", 0, &r, &err), &err, "a territory");
	fleet_fine(seve_record_set(r, "slug", "nord", &err), &err, "slug");
	fleet_fine(seve_record_set(r, "name", "Nord", &err), &err, "name");
	fleet_fine(seve_record_set(r, "region", "Nord", &err), &err, "region");
	fleet_fine(seve_territory_create(admin, r, &territory, &err), &err, "the territory");
	seve_record_free(r);
	return territory;
}

static void enrol_one(struct seve *admin, uint32_t territory, const struct machine *m, unsigned i)
{
	char account[32], *line = NULL, *server = NULL, *code = NULL, *ca = NULL;
	struct seve_error *err = NULL;
	struct seve *s = machine_open(m);

	snprintf(account, sizeof account, "facilitator-%u", i);
	fleet_fine(
		seve_invite(admin, account, "facilitator", &territory, 1, NULL, 1, 1, &line, &err),
		&err, "an invite");
	fleet_fine(seve_invite_parse(line, &server, &code, &ca, &err), &err, "an invite's line");
	fleet_fine(seve_enroll(s, code, "test", &err), &err, "enrolling");
	seve_close(s);
	free(line);
	free(server);
	free(code);
	free(ca);
}

uint32_t fleet_enrol(const struct daemon *d, struct machine *list, unsigned n)
{
	struct machine first;
	struct seve_error *err = NULL;
	struct seve *admin;
	uint32_t territory;
	char code[64];

	first_invite(d, code);
	machine_make(&first, d);
	admin = machine_open(&first);
	fleet_fine(seve_enroll(admin, code, "test", &err), &err, "enrolling the admin");
	territory = make_territory(admin);
	for (unsigned i = 0; i < n; i++) {
		machine_make(&list[i], d);
		enrol_one(admin, territory, &list[i], i);
	}
	seve_close(admin);
	return territory;
}

void fleet_sync(struct seve *s, uint32_t territory)
{
	const uint64_t until = fleet_ms() + 2 * PATIENCE_MS;
	struct seve_error *err = NULL;
	int rc;

	while ((rc = seve_sync(s, territory, NULL, NULL, NULL, &err)) == SEVE_RETRY &&
	       fleet_ms() < until) {
		seve_error_free(err);
		err = NULL;
		usleep(50000);
	}
	fleet_fine(rc, &err, "synchronising");
}

struct seve_record *fleet_actor(uint32_t territory, const char *name)
{
	struct seve_record *r = NULL;
	struct seve_error *err = NULL;

	fleet_fine(seve_record_new("actor", territory, &r, &err), &err, "an actor");
	fleet_fine(seve_record_set(r, "name", name, &err), &err, "name");
	fleet_fine(seve_record_set(r, "category", "company", &err), &err, "category");
	return r;
}

/* ---- what the database holds
 * --------------------------------------------------------------------- */

static uint64_t count(const struct daemon *d, uint32_t territory, const char *what)
{
	char sql[512];

	snprintf(sql, sizeof sql, "%s%u", what, territory);
	return (uint64_t)fixture_number(d->db.admin, sql);
}

void fleet_count(const struct daemon *d, uint32_t territory, struct holdings *out)
{
	static const char head[] = "SELECT rev FROM territory_head WHERE territory_id = ";
	static const char live[] =
		"SELECT count(*) FROM record r JOIN actor a USING (territory_id, id) "
		"WHERE NOT r.deleted AND r.territory_id = ";
	static const char names[] = "SELECT count(DISTINCT name) FROM actor WHERE territory_id = ";
	static const char verdicts[] = "SELECT count(*) FROM mutation WHERE territory_id = ";
	static const char applied[] =
		"SELECT count(*) FROM mutation WHERE code = 1 AND territory_id = ";

	out->head = count(d, territory, head);
	out->live = count(d, territory, live);
	out->names = count(d, territory, names);
	out->verdicts = count(d, territory, verdicts);
	out->applied = count(d, territory, applied);
}

void fleet_check_once(const struct daemon *d, uint32_t territory)
{
	struct holdings h;

	fleet_count(d, territory, &h);
	if (h.live != h.names)
		fail_msg("%llu actors of %llu names: some were made twice",
			 (unsigned long long)h.live, (unsigned long long)h.names);
	/* Each mutation makes one record: one effect, one rev. */
	if (h.head != h.applied || h.verdicts != h.applied)
		fail_msg("head %llu, %llu verdicts, %llu of them applied",
			 (unsigned long long)h.head, (unsigned long long)h.verdicts,
			 (unsigned long long)h.applied);
}
