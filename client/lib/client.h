/* client.h -- the handle: options, store, session, and the loop that waits for answers.
 * One thread at a time per handle. */
#ifndef SEVE_LIB_CLIENT_H
#define SEVE_LIB_CLIENT_H

#include "error.h"
#include "session.h"
#include "store.h"

enum {
	CLIENT_TRIES = 3,
	CLIENT_BACKOFF_MS = 200, /* ceiling of the first wait; doubles; the wait is drawn from 0 to
				    the ceiling */
	CLIENT_BACKOFF_MAX_MS = 5000,
	CLIENT_TIMEOUT_MS = 30000,
	CLIENT_TOKEN_MAX = 512,
};

struct seve_options {
	char *server, *ca_file, *token_file, *store, *agent;
	uint32_t timeout_ms;
};

struct sync_run;
struct watch;

struct seve {
	struct seve_options options;
	struct store *store;
	SSL_CTX *tls; /* made when first needed */
	struct session session;
	bool welcome;         /* the present session has been welcomed */
	uint64_t epoch;       /* of the last Welcome */
	char account[128];    /* of the last Welcome, or of the store */
	int64_t skew_ms;      /* server's clock minus ours */
	char *new_token;      /* brought by a Welcome that answers an invite */
	struct watch *watch;  /* under way, or ended and not yet told; NULL: none */
	struct sync_run *run; /* under way, or ended and not yet told; NULL: none */
};

/* Starts a session if there is none; does not wait. */
int client_online(struct seve *s, struct err *e);
/* The server's time as far as known, ms since 1970. */
int64_t client_now_ms(const struct seve *s);

/* Sends a request and waits for its reply, which lives in `a`.  Where nothing can have been done
 * twice (`again`), it is sent anew after a loss, CLIENT_TRIES times in all. */
int client_ask(struct seve *s, Seve__Request *req, struct arena *a, bool writes, bool again,
	       const Seve__Reply **out, struct err *e);
/* Waits until the session has been welcomed. */
int client_connect(struct seve *s, struct err *e);

/* Goes through one wait: until something happened or `until_ms` (monotonic) has come. */
void client_wait(struct seve *s, uint64_t until_ms);
/* How long to wait before try `n` (from 1): full jitter, at least what the server asked for. */
uint32_t client_backoff_ms(unsigned n, const struct err *why);
/* Whether it makes sense to try again. */
bool client_retryable(const struct err *e);

/* Ends the session on purpose: the next request starts another. */
void client_hang_up(struct seve *s);

/* Writes a file of mode 0600 so that it is there whole or not at all. */
int client_write_secret(const char *path, const char *text, struct err *e);
/* The token of "token-file": 0, -ERR_UNAUTHENTICATED when there is none, -ERR_CONFIG when others
 * may read it. */
int client_read_token(const char *path, char out[static CLIENT_TOKEN_MAX], struct err *e);

/* Puts the answer's facts (account, epoch, territories) into the store. */
int client_remember(struct seve *s, const Seve__Welcome *w, struct err *e);
/* Keeps how many records of the territory were withheld, where the server has counted. */
int client_remember_withheld(struct seve *s, uint32_t territory, const Seve__PullReply *pull,
			     struct err *e);

/* A row's verdict as callers of the library read it. */
const char *import_word(Seve__RowVerdict__Code code);

#endif
