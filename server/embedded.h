/* embedded.h -- a private PostgreSQL in a folder: made when it is not there, reached by a unix socket only, stopped with the server.
 * Knows no schema.  Blocking: start-up and shut-down only.
 *
 * DIR/postgres  the cluster            DIR/run  the socket (or a short folder under /tmp named in DIR/run.path, if too long)
 * DIR/tls       development CA and the server's certificate   DIR/postgres.log
 * Started by root, the cluster belongs to and runs as an unprivileged account ("postgres" if there, else "nobody"). */
#ifndef SEVED_EMBEDDED_H
#define SEVED_EMBEDDED_H

#include <sys/types.h>

#include "err.h"

struct embedded {
	char conninfo[512];	/* for the owner of the database */
	char cert_file[512], key_file[512], ca_file[512];
	pid_t postmaster;
	char dir[400];
};

/* Creates what is missing (initdb with data checksums, CA and certificate for localhost, 127.0.0.1, ::1), starts the cluster, waits
 * until it accepts.  Refuses a folder that the unprivileged account cannot reach, with the remedy. */
int embedded_start(const char *dir, struct embedded *out, struct err *e);
/* Fast shutdown; waits up to 30 s. */
void embedded_stop(struct embedded *em);

#endif
