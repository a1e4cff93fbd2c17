/* cluster.h -- a PostgreSQL cluster's files and its postmaster: makes, starts, finds, stops.  Knows
 * no databases, no roles and no certificates.  Blocking: start-up and shut-down only. */
#ifndef SEVED_CLUSTER_H
#define SEVED_CLUSTER_H

#include "child.h"

struct cluster {
	struct account account;
	char dir[400];    /* absolute; everything lies below it */
	char data[420];   /* DIR/postgres */
	char log[420];    /* DIR/postgres.log */
	char run[420];    /* the socket's folder */
	char bin[300];    /* of PostgreSQL's programs */
	pid_t postmaster; /* 0: not running */
	bool adopted;
};

/* Fills in the paths and the account; finds the programs: the newest version from 15 on, or that of
 * an existing cluster. */
int cluster_init(struct cluster *c, const char *dir, struct err *e);
/* initdb, unless the cluster is there.  All or nothing: an initdb that was cut short leaves no
 * cluster. */
int cluster_make(struct cluster *c, struct err *e);
/* The postmaster of this cluster that still runs, once it accepts or is gone: 1 and adopted, 0
 * none, or an error.  Changes nothing: also for a visitor beside the server. */
int cluster_adopt(struct cluster *c, struct err *e);
/* Starts a postmaster and waits until it accepts. */
int cluster_start(struct cluster *c, struct err *e);
/* Starts a postmaster and does not wait. */
int cluster_spawn(struct cluster *c, struct err *e);
/* Whether the postmaster has ended; does not wait. */
bool cluster_ended(struct cluster *c);
/* Fast shutdown, up to 30 s; then an immediate one. */
void cluster_stop(struct cluster *c);

/* "host=… port=5432 user=USER dbname=DB" for libpq. */
int cluster_conninfo(const struct cluster *c, const char *user, const char *db, char *out,
		     size_t size, struct err *e);

#endif
