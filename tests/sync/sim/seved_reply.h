/* seved_reply.h -- requests and replies of a server process.  Private to seved*.c. */
#ifndef SEVE_SIM_SEVED_REPLY_H
#define SEVE_SIM_SEVED_REPLY_H

#include "bug.h"
#include "seved.h"

/* Into the queue; seved_kick() starts a batch where none is under way. */
void seved_submit(struct sim *s, unsigned server, struct seved_job *j);
void seved_kick(struct sim *s, unsigned server);

/* The job has its verdict, or cannot have one. */
void seved_job_done(struct sim *s, struct seved_job *j);
void seved_job_failed(struct sim *s, struct seved_job *j, enum err_code code);
/* apply_job() refused to decide: told with the reply. */
void seved_job_refused(struct sim *s, struct seved_job *j, const struct err *e);

/* The pulls under way have lost their database. */
void seved_pulls_lost(struct sim *s, unsigned server);

#endif
