/* embedded.h -- a private PostgreSQL in a folder: made when it is not there, reached by a unix
 * socket only, stopped with the server.  Knows no schema.  Blocking: start-up and shut-down only.
 *
 * DIR/postgres      the cluster; DIR/postgres/seve.conf is the administrator's
 * DIR/run           the socket (or a short folder named in DIR/run.path, if too long)
 * DIR/tls           development CA and the server's certificate
 * DIR/postgres.log  what PostgreSQL says (.1: before it grew too large)
 * DIR/seved.lock    held by the server that uses the folder
 *
 * Started by root, the cluster belongs to and runs as an unprivileged account ("postgres" if there,
 * else "nobody"). A server that is killed takes its PostgreSQL with it (fast shutdown); one that is
 * still there all the same is adopted. */
#ifndef SEVED_EMBEDDED_H
#define SEVED_EMBEDDED_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

struct embedded {
	char conninfo[512];       /* for the owner of the database, who is no superuser */
	char admin_conninfo[512]; /* for the cluster's superuser: backups, tests */
	char cert_file[512], key_file[512], ca_file[512];
	pid_t postmaster; /* 0: not running */
	bool adopted;     /* it is not our child */
	int lock_fd;
	char dir[400];
	char run[420]; /* where the socket is */
};

/* Creates what is missing (initdb with data checksums, CA and certificate for localhost, 127.0.0.1,
 * ::1), starts the cluster, waits until it accepts.  Refuses a folder that another server uses, and
 * one that the unprivileged account cannot reach, with the remedy. */
int embedded_start(const char *dir, struct embedded *out, struct err *e);
/* For a timer of the running server, once a second or so: starts PostgreSQL again if it has ended
 * by itself (1), without waiting until it accepts, which the links find out; 0 while it runs. After
 * a crash the first attempts may end again, until the old one's last processes have gone. */
int embedded_revive(struct embedded *em, struct err *e);
/* Fast shutdown; waits up to 30 s, then is less patient.  Idempotent. */
void embedded_stop(struct embedded *em);

#endif
