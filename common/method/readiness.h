/* readiness.h -- know-how: who masters what, and whether a local actor could run the network alone.
 * Readiness is computed, never stored.  Pure; any thread. */
#ifndef SEVE_READINESS_H
#define SEVE_READINESS_H

#include "network.h"

enum { METHODS = 6, MASTERIES = 6 };

/* One person. */
struct apprentice {
	const struct node *contact;
	const struct node *actor;         /* whose it is, or NULL */
	unsigned mastery[METHODS];        /* highest, by method (0: visit …); 0: none */
	bool validated[METHODS];          /* that mastery has a validator */
	unsigned observed, assisted, led; /* meetings held in which it was observer, co, lead */
	unsigned methods_ready;           /* supported_lead with a validator, or autonomous */
	bool ready; /* all methods, and it has observed, assisted twice and led */
};

/* One method. */
struct coverage {
	unsigned people[MASTERIES]; /* by mastery (1: aware … 5: autonomous) */
};

/* Contacts with a recorded mastery or a role in a meeting, the readiest first.  0 or -ERR_NOMEM. */
int readiness_make(const struct network *net, struct arena *a, struct apprentice **out, size_t *n,
		   struct coverage methods[static METHODS], struct err *e);
const char *readiness_method(unsigned i); /* "visit" */

#endif
