/* limit_start.c -- what starting costs without the service: pg_ctl start of the same cluster, until
 * a query is answered. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock_ns.h"
#include "limit.h"

enum { START_S = 60, RETRY_US = 1000 };

#define PG_CTL "/usr/lib/postgresql/15/bin/pg_ctl"

/* Runs pg_ctl as the owner of the cluster: PostgreSQL refuses root. */
static int pg_ctl(char **command, const char *data, struct err *e)
{
	struct stat st;
	int status;
	if (stat(data, &st) < 0)
		return err_set(e, ERR_IO, "%s: %s", data, strerror(errno));
	const pid_t pid = fork();
	if (pid < 0)
		return err_set(e, ERR_IO, "fork: %s", strerror(errno));
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setgid(st.st_gid) < 0 || setuid(st.st_uid) < 0 || chdir("/") < 0))
			_exit(126);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execv(PG_CTL, command);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, ERR_IO, "wait: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, ERR_DATABASE, "pg_ctl %s: status %x", command[1], (unsigned)status);
}

static int wait_answer(const char *conninfo, uint64_t from, struct err *e)
{
	for (;;) {
		PGconn *c;
		int rc = limit_connect(conninfo, &c, e);
		if (rc == 0) {
			PGresult *r = PQexec(c, "SELECT 1");
			rc = PQresultStatus(r) == PGRES_TUPLES_OK ? 0
								  : limit_failed(c, "select", e);
			PQclear(r);
		}
		PQfinish(c);
		if (rc == 0)
			return 0;
		if (clock_ns() - from > START_S * (uint64_t)1000000000)
			return err_prefix(e, "no answer in %d s", START_S);
		usleep(RETRY_US);
	}
}

/* DATA-FOLDER SOCKET-FOLDER CONNINFO */
int limit_start(char **arg, struct err *e)
{
	char options[600], log[600];
	char *start[] = {"pg_ctl", "start", "-W", "-s",    "-D", arg[0],
			 "-l",     log,     "-o", options, NULL};
	char *stop[] = {"pg_ctl", "stop", "-w", "-s", "-m", "fast", "-D", arg[0], NULL};
	snprintf(options, sizeof options, "-c listen_addresses='' -c unix_socket_directories='%s'",
		 arg[1]);
	snprintf(log, sizeof log, "%s/bench.log", arg[0]);
	const uint64_t from = clock_ns();
	int rc = pg_ctl(start, arg[0], e);
	if (rc == 0)
		rc = wait_answer(arg[2], from, e);
	const uint64_t ns = clock_ns() - from;
	struct err ending;
	const int stopped = pg_ctl(stop, arg[0], &ending);
	if (rc == 0 && stopped < 0) {
		*e = ending;
		return stopped;
	}
	if (rc == 0)
		printf("{\"value\":%.1f}\n", (double)ns / 1e6);
	return rc;
}
