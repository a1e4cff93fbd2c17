/* uuid.c -- makes, derives, reads and writes record ids (RFC 9562).  Knows no records. */

/* The one-shot digests of OpenSSL 3 allocate and can fail; these calls do neither, and an id that
 * is derived must not depend on free memory. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "uuid.h"

#include <errno.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"

enum { COUNTER_MAX = 0xfff, COUNTER_SEED = 0x7ff };

static void put_be(uint8_t *out, uint64_t v, unsigned n)
{
	while (n-- > 0) {
		out[n] = (uint8_t)v;
		v >>= 8;
	}
}

static void random_bytes(void *out, size_t n)
{
	for (uint8_t *p = out; n > 0;) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

static void stamp(struct uuid *u, unsigned version)
{
	u->b[6] = (uint8_t)((u->b[6] & 0x0f) | (version << 4));
	u->b[8] = (uint8_t)((u->b[8] & 0x3f) | 0x80);
}

/* The counter starts each millisecond in the lower half of its 12 bits; when it is used up, or the
 * clock went back, the ids run ahead of the clock rather than lose their order. */
struct uuid uuid_v7(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static int64_t last_ms;
	static unsigned counter;

	uint8_t random[10];
	random_bytes(random, sizeof random);
	const unsigned seed = ((unsigned)random[8] << 8 | random[9]) & COUNTER_SEED;
	const int64_t now = clock_wall_ms();

	pthread_mutex_lock(&lock);
	if (now > last_ms) {
		last_ms = now;
		counter = seed;
	} else if (++counter > COUNTER_MAX) {
		last_ms++;
		counter = seed;
	}
	const int64_t ms = last_ms;
	const unsigned count = counter;
	pthread_mutex_unlock(&lock);

	struct uuid u;
	put_be(u.b, (uint64_t)ms, 6);
	put_be(u.b + 6, count, 2);
	memcpy(u.b + 8, random, 8);
	stamp(&u, 7);
	return u;
}

static void add_text(SHA256_CTX *sha, const char *s)
{
	uint8_t len[4];
	size_t n = strlen(s);
	put_be(len, n, sizeof len);
	SHA256_Update(sha, len, sizeof len);
	SHA256_Update(sha, s, n);
}

struct uuid uuid_v8(uint32_t territory, const char *source, uint32_t kind, const char *key)
{
	uint8_t numbers[8], digest[SHA256_DIGEST_LENGTH];
	put_be(numbers, territory, 4);
	put_be(numbers + 4, kind, 4);
	SHA256_CTX sha;
	SHA256_Init(&sha);
	SHA256_Update(&sha, numbers, sizeof numbers);
	add_text(&sha, source);
	add_text(&sha, key);
	SHA256_Final(digest, &sha);
	struct uuid u;
	memcpy(u.b, digest, sizeof u.b);
	stamp(&u, 8);
	return u;
}

static bool is_hyphen(unsigned i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

void uuid_format(const struct uuid *u, char out[static UUID_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *b = u->b;
	for (unsigned i = 0; i < UUID_TEXT - 1;) {
		if (is_hyphen(i)) {
			out[i++] = '-';
			continue;
		}
		out[i++] = hex[*b >> 4];
		out[i++] = hex[*b++ & 0xf];
	}
	out[UUID_TEXT - 1] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uuid_parse(const char *text, struct uuid *out, struct err *e)
{
	struct uuid u;
	unsigned n = 0, i = 0;
	while (i < UUID_TEXT - 1) {
		if (is_hyphen(i)) {
			if (text[i] != '-')
				break;
			i++;
			continue;
		}
		int high = hex_value(text[i]);
		int low = high < 0 ? -1 : hex_value(text[i + 1]);
		if (low < 0)
			break;
		u.b[n++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	if (i < UUID_TEXT - 1 || text[i])
		return err_set(e, ERR_INVALID,
			       "\"%.60s\" is not an id (36 characters, as in "
			       "01890a5d-ac96-774b-bcce-b302099a8057)",
			       text);
	*out = u;
	return 0;
}

int uuid_cmp(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

bool uuid_is_nil(const struct uuid *u)
{
	static const struct uuid nil;
	return uuid_cmp(u, &nil) == 0;
}

bool uuid_is_record_id(const uint8_t *bytes, unsigned long len)
{
	if (len != sizeof((struct uuid *)0)->b)
		return false;
	unsigned version = bytes[6] >> 4;
	return (version == 7 || version == 8) && (bytes[8] & 0xc0) == 0x80;
}

uint64_t uuid_short(const struct uuid *u)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256_CTX sha;
	SHA256_Init(&sha);
	SHA256_Update(&sha, u->b, sizeof u->b);
	SHA256_Final(digest, &sha);
	uint64_t v = 0;
	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | digest[i];
	return v;
}
