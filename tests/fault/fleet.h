/* fleet.h -- real processes for the tests of faults: the daemon over the fixture's PostgreSQL,
 * machines with libseve and a store on disk.  Failures end the test.  One thread. */
#ifndef TESTS_FLEET_H
#define TESTS_FLEET_H

#include "fixture.h"

#include <seve.h>
#include <sys/types.h>

struct daemon {
	struct fixture_db db;
	char conninfo[1024]; /* that the daemon is given */
	char log[300], port_file[300];
	unsigned port; /* the same over restarts */
	pid_t pid;     /* 0: not running */
};

/* A database of its own, and the daemon over it; `socket_folder`: where it finds PostgreSQL, NULL:
 * where it is. */
void daemon_make(struct daemon *d, const char *socket_folder);
/* Starts it (again); returns once it listens. */
void daemon_start(struct daemon *d);
/* Sends the signal and waits for its end. */
void daemon_end(struct daemon *d, int signal_number);
/* Ends it politely; fails the test where a sanitizer complained in its log. */
void daemon_close(struct daemon *d);

/* An account's machine. */
struct machine {
	char token[300], store[300], ca[512], server[64];
};

void machine_make(struct machine *m, const struct daemon *d);
/* A handle on it. */
struct seve *machine_open(const struct machine *m);
/* The first account, the territory "nord" and so many facilitators of it; returns the territory. */
uint32_t fleet_enrol(const struct daemon *d, struct machine *list, unsigned n);

/* Fails the test with the error's text where `rc` is not SEVE_OK. */
void fleet_fine(int rc, struct seve_error **err, const char *what);

/* Synchronises, again while the server says "later": for two minutes at most. */
void fleet_sync(struct seve *s, uint32_t territory);

/* A company of that name, ready to be saved. */
struct seve_record *fleet_actor(uint32_t territory, const char *name);

/* The full counts of the proofs are asked for: SEVE_PROOF is set. */
bool fleet_proof(void);
uint64_t fleet_ms(void);

/* What the database holds of the territory: effects are revs, and each verdict "applied" is one. */
struct holdings {
	uint64_t head, live, names, verdicts, applied;
};
void fleet_count(const struct daemon *d, uint32_t territory, struct holdings *out);
/* Fails unless names stand once each, and every effect has its verdict. */
void fleet_check_once(const struct daemon *d, uint32_t territory);

#endif
