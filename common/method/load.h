/* load.h -- the dispersion guard: how many hours a month each actor has promised, against those it
 * has.  An organisation is all actors of one SIREN, in whichever territory; what it promised is
 * summed over them.  There is no limit on the number of actions: only on what one actor carries.
 * Pure: the month and today are arguments.  Any thread. */
#ifndef SEVE_LOAD_H
#define SEVE_LOAD_H

#include "day.h"
#include "network.h"

/* Actors that are one: of one SIREN, or a single one that has none. */
struct load_org {
	const char *siren; /* NULL: none */
	double hours;      /* promised in the territories of the network */
	double foreign;    /* promised in others: hours are all that is known of it */
	double available;  /* in this month; where it is known */
	bool known;        /* whether any of its actors has said how many hours it has */
	bool blackout;     /* some days of the month are barred */
	bool over;         /* promised more than it has */
	size_t actors;
};

struct load_actor {
	const struct node *actor;
	struct load_org *org;
	double hours; /* of its own positions */
	unsigned positions, cold;
};

struct load {
	struct load_actor *actors; /* in the network's order */
	size_t n;
	struct load_org *orgs;
	size_t n_orgs;
};

/* Open, and begun by the end of the month. */
bool load_counts(const Seve__Position *p, struct month m);
/* Not reaffirmed, and not taken, for more than `stale_days`. */
bool load_is_cold(const struct node *position, int32_t today, uint32_t stale_days);
/* What is owed to the organisation's total, foreign hours included, as a share of what it has; -1
 * where that is not known; over 1 is too much.  Of hours in a month without any: 99. */
double load_ratio(const struct load_org *o);

/* Which positions count; NULL: all that are open. */
struct load_filter {
	bool (*counts)(void *ctx, const struct node *position);
	void *ctx;
};

/* Kinds wanted: territory actor position availability.  0 or -ERR_NOMEM. */
int load_make(const struct network *net, struct month m, int32_t today,
	      const struct load_filter *filter, struct arena *a, struct load *out, struct err *e);
/* Adds hours promised elsewhere, as a server told them. */
void load_add_foreign(struct load *l, const char *siren, double hours);
/* The load of one actor, or NULL. */
struct load_actor *load_of(const struct load *l, const struct node *actor);

#endif
