/* source.c -- counters by source address, in a hash table of bounded size.  Knows no connections.
 */
#include "source.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* Out of memory drops the entry: forgetting a source is harmless. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct source {
	struct source_key key;
	unsigned waiting, failures;
	uint64_t failed_ms, refused_until_ms;
	UT_hash_handle hh;
};

struct sources {
	struct source *table;
	size_t n;
};

struct source_key source_key(const struct sockaddr *address)
{
	struct source_key k;
	memset(&k, 0, sizeof k); /* it is hashed with its padding */
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
		memcpy(k.prefix, &in->sin_addr, 4);
		k.loopback = k.prefix[0] == 127;
	} else if (address->sa_family == AF_INET6) {
		const struct in6_addr *in =
			&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
		if (IN6_IS_ADDR_V4MAPPED(in)) {
			memcpy(k.prefix, in->s6_addr + 12, 4);
			k.loopback = k.prefix[0] == 127;
		} else {
			memcpy(k.prefix, in->s6_addr, 8);
			k.v6 = true;
			k.loopback = IN6_IS_ADDR_LOOPBACK(in);
		}
	}
	return k;
}

void source_text(const struct source_key *k, char out[static SOURCE_TEXT])
{
	char address[INET6_ADDRSTRLEN] = "";
	uint8_t bytes[16] = {0};
	memcpy(bytes, k->prefix, k->v6 ? 6 : 3);
	inet_ntop(k->v6 ? AF_INET6 : AF_INET, bytes, address, sizeof address);
	snprintf(out, SOURCE_TEXT, "%s/%d", address, k->v6 ? 48 : 24);
}

struct sources *sources_new(void)
{
	return calloc(1, sizeof(struct sources));
}

static void forget(struct sources *s, struct source *x)
{
	HASH_DEL(s->table, x);
	s->n--;
	free(x);
}

void sources_free(struct sources *s)
{
	if (!s)
		return;
	struct source *x, *next;
	HASH_ITER (hh, s->table, x, next)
		forget(s, x);
	free(s);
}

static struct source *find(const struct sources *s, const struct source_key *k)
{
	struct source *x = NULL;
	HASH_FIND(hh, s->table, k, sizeof *k, x);
	return x;
}

static struct source *find_or_add(struct sources *s, const struct source_key *k)
{
	struct source *x = find(s, k);
	if (x || s->n >= SOURCES_MAX)
		return x;
	x = calloc(1, sizeof *x);
	if (!x)
		return NULL;
	memcpy(&x->key, k, sizeof *k);
	const unsigned before = HASH_COUNT(s->table);
	HASH_ADD(hh, s->table, key, sizeof x->key, x);
	if (HASH_COUNT(s->table) == before) {
		free(x);
		return NULL;
	}
	s->n++;
	return x;
}

bool source_admits(const struct sources *s, const struct source_key *k, uint64_t now_ms,
		   unsigned max)
{
	const struct source *x = find(s, k);
	return !x || (x->waiting < max && x->refused_until_ms <= now_ms);
}

bool source_enter(struct sources *s, const struct source_key *k)
{
	struct source *x = find_or_add(s, k);
	if (x)
		x->waiting++;
	return x != NULL;
}

void source_leave(struct sources *s, const struct source_key *k)
{
	struct source *x = find(s, k);
	if (!x || x->waiting == 0)
		return;
	x->waiting--;
	if (x->waiting == 0 && x->failures == 0)
		forget(s, x);
}

void source_failed(struct sources *s, const struct source_key *k, uint64_t now_ms)
{
	struct source *x = find_or_add(s, k);
	if (!x)
		return;
	x->failures++;
	x->failed_ms = now_ms;
	if (x->failures <= SOURCE_FREE_FAILURES)
		return;
	uint64_t penalty = (uint64_t)(x->failures - SOURCE_FREE_FAILURES) * SOURCE_PENALTY_STEP_MS;
	if (penalty > SOURCE_PENALTY_MAX_MS)
		penalty = SOURCE_PENALTY_MAX_MS;
	x->refused_until_ms = now_ms + penalty;
}

void source_succeeded(struct sources *s, const struct source_key *k)
{
	struct source *x = find(s, k);
	if (!x)
		return;
	x->failures = 0;
	x->refused_until_ms = 0;
}

void sources_sweep(struct sources *s, uint64_t now_ms)
{
	struct source *x, *next;
	HASH_ITER (hh, s->table, x, next)
		if (x->waiting == 0 &&
		    (x->failures == 0 || now_ms - x->failed_ms > SOURCE_FORGET_MS))
			forget(s, x);
}
