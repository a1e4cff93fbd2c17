/* peer.h -- a server of the tests' own: real sockets and TLS in a thread, and a script of what goes
 * wrong. Its territory holds `rows` actions, of revs 1 … rows, sent two a page; what is pushed is
 * only remembered. */
#ifndef SEVE_TEST_PEER_H
#define SEVE_TEST_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { PEER_TERRITORY = 7, PEER_LOG = 32 };

/* Set before the start; each count goes down as the mishap happens. */
struct peer_script {
	const char *account; /* "animatrice" unless set */
	unsigned rows;
	unsigned cut_hello;  /* connections closed instead of a Welcome */
	unsigned cut_push;   /* … after a push was taken, before its answer */
	unsigned cut_pull;   /* … after the first page of a pull */
	unsigned cut_import; /* … after rows were taken, before their verdicts */
	unsigned cut_other;  /* … after a request of another kind was taken */
	unsigned go_away;    /* requests that a GOAWAY comes before the answer of */
	unsigned resets;     /* pulls answered with RESET_REQUIRED */
	unsigned busy;       /* pushes answered with UNAVAILABLE */
	unsigned too_big;    /* pushes of more than one mutation answered with TOO_BIG */
	bool gone;           /* the territory: NOT_FOUND to everything */
	bool silent;         /* no answer to any request */
	bool reverse;        /* import chunks are answered in pairs, the later one first */
	bool refuse;         /* every mutation is rejected */
};

struct peer_seen {
	unsigned connections, pushes, pulls, runs, chunks, others;
	uint64_t pull_revs[PEER_LOG];
	uint64_t mids[PEER_LOG]; /* of all mutations that came, repeated ones too */
	uint64_t hashes[PEER_LOG];
	unsigned mutations;
};

struct peer {
	struct peer_script script;
	struct peer_seen seen; /* look at it after peer_stop() */
	char address[32];
	int listener, stop[2];
	pthread_t thread;
	struct peer_private *priv;
};

/* Listens on 127.0.0.1 with this certificate. */
void peer_start(struct peer *p, const char *cert_file, const char *key_file);
void peer_stop(struct peer *p);

#endif
