/* epoch.h -- the incarnation of the database: cluster, timeline, salt.  A restore or a promotion
 * gives another one, so that replicas notice that history was rewound.  Knows no links. */
#ifndef SEVED_EPOCH_H
#define SEVED_EPOCH_H

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* From the row of server_epoch.sql: three texts.  0, or -ERR_DATABASE when it is not complete. */
int epoch_read(const PGresult *r, uint64_t *out, struct err *e);
/* The set-up of a link whose answer epoch_read() reads: `before`, then the question. */
int epoch_setup(char *out, size_t size, const char *before, struct err *e);
/* Asks over a connection of its own.  Blocking: start-up only. */
int epoch_ask(const char *conninfo, uint64_t *out, struct err *e);
/* Renews the salt, so that replicas notice a restore; `out` is the new epoch.  Refuses
 * (-ERR_PRECONDITION) while a server uses the database: it would go on with the old one. */
int epoch_renew(const char *conninfo, uint64_t *out, struct err *e);

#endif
