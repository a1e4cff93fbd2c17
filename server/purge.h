/* purge.h -- what is too old goes: deletions that every client has had time to see, verdicts that
 * their clients have taken, clients that never came back.  In small steps, each a transaction of
 * its own; one process at a time.  Loop thread only. */
#ifndef SEVED_PURGE_H
#define SEVED_PURGE_H

#include "err.h"
#include "uuid.h"

struct purge;
struct server;

int purge_open(struct server *s, struct purge **out, struct err *e);
/* After the readers have closed: nothing is under way any more.  NULL is fine. */
void purge_free(struct purge *p);

/* The client keeps the verdicts on its mutations up to `mid`. */
void purge_taken(struct purge *p, uint32_t territory, const struct uuid *client, uint64_t mid);
/* Once a second: begins when it is time. */
void purge_sweep(struct purge *p);

#endif
