/* child.h -- programs run as an unprivileged account, with a clean environment.  Knows no program.
 * Blocking: start-up and shut-down only, before there are other threads. */
#ifndef SEVED_CHILD_H
#define SEVED_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

struct account {
	char name[64];
	uid_t uid;
	gid_t gid;
	bool drop; /* we are root and must become it */
};

/* This process's own account; started by root, "postgres" if there, else "nobody". */
int account_choose(struct account *out, struct err *e);

/* Tries as the account to enter the absolute path, folder by folder; names the first that is
 * closed, and the remedy. */
int child_reach(const struct account *a, const char *path, struct err *e);

/* Starts argv[0] (an absolute path), in a session of its own, output and errors into log_fd.  With
 * `tied` it is sent SIGINT when this process dies.  The caller waits for it. */
int child_spawn(const struct account *a, const char *const argv[], int log_fd, bool tied,
		pid_t *out, struct err *e);
/* As above, and waits for the end: 0, or an error when the program fails. */
int child_run(const struct account *a, const char *const argv[], int log_fd, struct err *e);

#endif
