/* migrate.h -- brings a database to the schema of this program: the files of migrations/, in order,
 * each in one transaction, under an advisory lock, with checksums.  Blocking: start-up only. */
#ifndef SEVED_PG_MIGRATE_H
#define SEVED_PG_MIGRATE_H

#include "err.h"

/* Version that this program brings and needs. */
unsigned migrate_version(void);

/* Applies what is missing; a database that is newer than this program, or whose applied migrations
 * differ from the built-in ones, is refused.  Also refuses a server with fsync, full_page_writes or
 * synchronous_commit off (ERR_CONFIG). `applied` (may be NULL) receives how many were applied. */
int migrate_run(const char *conninfo, unsigned *applied, struct err *e);
/* As above without changing anything: ERR_PRECONDITION when something is missing. */
int migrate_check(const char *conninfo, struct err *e);

#endif
