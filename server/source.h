/* source.h -- where connections come from: how many of a source wait for authentication, how often
 * it failed. Knows no connections.  Loop thread only.
 *
 * A source is an IPv4 address or an IPv6 /64: what one customer of a provider owns. */
#ifndef SEVED_SOURCE_H
#define SEVED_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	SOURCE_FREE_FAILURES = 10,     /* failures that cost nothing */
	SOURCE_PENALTY_STEP_MS = 5000, /* for each further one */
	SOURCE_PENALTY_MAX_MS = 60000,
	SOURCE_FORGET_MS = 600000, /* without a failure */
	SOURCES_MAX = 16384,       /* remembered at once */
	SOURCE_TEXT = 64,
};

struct sources;

/* What identifies a source: the address with its host part taken off, and whether it is this
 * machine. */
struct source_key {
	uint8_t prefix[8];
	bool v6, loopback;
};

struct source_key source_key(const struct sockaddr *address);
/* "192.0.2.0/24", "2001:db8:1::/48": less than a person's address, enough to find a network. */
void source_text(const struct source_key *k, char out[static SOURCE_TEXT]);

struct sources *sources_new(void); /* NULL: out of memory */
void sources_free(struct sources *s);

/* Whether a new connection of the source may be served now: not under penalty, fewer than `max`
 * waiting. */
bool source_admits(const struct sources *s, const struct source_key *k, uint64_t now_ms,
		   unsigned max);
/* One more, one less connection that has not authenticated.  Failing to remember one (no memory,
 * table full) is harmless: leave takes back only what enter could note. */
bool source_enter(struct sources *s, const struct source_key *k);
void source_leave(struct sources *s, const struct source_key *k);
/* An authentication failed, or succeeded (which clears earlier failures). */
void source_failed(struct sources *s, const struct source_key *k, uint64_t now_ms);
void source_succeeded(struct sources *s, const struct source_key *k);
/* Drops what is not worth remembering; every second or so. */
void sources_sweep(struct sources *s, uint64_t now_ms);

#endif
