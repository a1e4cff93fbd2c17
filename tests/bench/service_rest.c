/* service_rest.c -- what it costs to have many idle connections, and to start. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock_ns.h"
#include "crowd.h"
#include "process.h"
#include "service.h"

enum { START_S = 60, RETRY_US = 1000, ARENA_MAX = 1024 * 1024, SETTLE_S = 1 };

/* ---- idle connections -------------------------------------------------------------------------
 */

/* DIR NAME CONNECTIONS PID */
int service_idle(char **arg, struct err *e)
{
	struct crowd warm = {.epoll = -1}, c = {.epoll = -1};
	struct process_memory before = {0}, after = {0};
	const int n = service_number(arg[2], "CONNECTIONS", e),
		  pid = service_number(arg[3], "PID", e);
	if (n < 0 || pid < 0)
		return -(int)e->code;
	int rc = process_files((uint64_t)n + 64, e);
	/* the first connections also pay for what all share */
	if (rc == 0)
		rc = crowd_open(&warm, arg[0], arg[1], 64, e);
	sleep(SETTLE_S);
	if (rc == 0)
		rc = process_memory(pid, &before, e);
	const uint64_t from = clock_ns();
	if (rc == 0)
		rc = crowd_open(&c, arg[0], arg[1], (size_t)n, e);
	const uint64_t ns = clock_ns() - from;
	sleep(SETTLE_S);
	if (rc == 0)
		rc = process_memory(pid, &after, e);
	if (rc == 0)
		printf("{\"value\":%.0f,\"pss\":%.0f,\"connections\":%d,\"opened_per_s\":%.0f}\n",
		       ((double)after.rss - (double)before.rss) / n,
		       ((double)after.pss - (double)before.pss) / n, n, n * 1e9 / (double)ns);
	crowd_close(&c);
	crowd_close(&warm);
	return rc;
}

/* ---- start ------------------------------------------------------------------------------------
 */

/* One question, answered. */
static int first_answer(const struct place *place, char *ref, struct err *e)
{
	struct peer p;
	struct arena a;
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__GetRequest get = SEVE__GET_REQUEST__INIT;
	Seve__Reply *reply;
	arena_init(&a, ARENA_MAX);
	get.has_territory = true;
	get.territory = place->territory;
	get.n_refs = 1;
	get.refs = &ref;
	q.body_case = SEVE__REQUEST__BODY_GET;
	q.get = &get;
	int rc = peer_open(&p, place, NULL, &a, NULL, e);
	if (rc == 0)
		rc = peer_call(&p, &q, &a, &reply, e);
	if (rc == 0 && (reply->body_case != SEVE__REPLY__BODY_GET || reply->get->n_records != 1))
		rc = err_set(e, ERR_NOT_FOUND, "%s was not found", ref);
	peer_close(&p);
	arena_fini(&a);
	return rc;
}

static int spawn(char **command, pid_t *pid, struct err *e)
{
	extern char **environ;
	posix_spawn_file_actions_t actions;
	if (posix_spawn_file_actions_init(&actions))
		return err_set(e, ERR_NOMEM, "start of %s", command[0]);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	const int why = posix_spawn(pid, command[0], &actions, NULL, command, environ);
	posix_spawn_file_actions_destroy(&actions);
	return why ? err_set(e, ERR_IO, "%s: %s", command[0], strerror(why)) : 0;
}

static int end(pid_t pid, struct err *e)
{
	int status;
	kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, ERR_IO, "wait: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, ERR_INTERNAL, "the server ended with status %x",
			       (unsigned)status);
	return 0;
}

/* Asks every millisecond until there is an answer. */
static int wait_answer(const struct place *place, char *ref, pid_t pid, uint64_t from,
		       struct err *e)
{
	for (;;) {
		const int rc = first_answer(place, ref, e);
		if (rc == 0)
			return 0;
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return err_set(e, ERR_INTERNAL, "the server has ended by itself");
		if (clock_ns() - from > START_S * (uint64_t)1000000000)
			return err_prefix(e, "no answer in %d s", START_S);
		usleep(RETRY_US);
	}
}

/* DIR NAME REFERENCE SEVED [FLAG...] */
int service_start(char **arg, struct err *e)
{
	struct place place = {0};
	pid_t pid;
	int rc = place_open(arg[0], arg[1], &place, e);
	if (rc < 0)
		return rc;
	const uint64_t from = clock_ns();
	rc = spawn(arg + 3, &pid, e);
	if (rc == 0) {
		rc = wait_answer(&place, arg[2], pid, from, e);
		const uint64_t ns = clock_ns() - from;
		struct err ending;
		if (rc == 0)
			printf("{\"value\":%.1f}\n", (double)ns / 1e6);
		if (waitpid(pid, NULL, WNOHANG) == 0 && end(pid, &ending) < 0 && rc == 0) {
			*e = ending;
			rc = -(int)e->code;
		}
	}
	place_close(&place);
	return rc;
}
