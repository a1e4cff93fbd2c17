/* uuid.h -- record ids: UUIDv7 made by whoever creates a record, UUIDv8 derived from a partner's
 * key (RFC 9562). Knows no records.  Any thread. */
#ifndef SEVE_UUID_H
#define SEVE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct uuid {
	uint8_t b[16];
};

enum { UUID_TEXT = 37 }; /* with the final NUL */

/* A new time-ordered id (RFC 9562 §5.7) from the wall clock and getrandom(2); ids made by one
 * process in one millisecond keep their order (method 1: a counter).  Aborts only if the kernel has
 * no randomness. */
struct uuid uuid_v7(void);

/* The id of a partner's record: UUIDv8 of SHA-256(territory, source, kind, key).  Equal inputs,
 * equal ids, on every machine. */
struct uuid uuid_v8(uint32_t territory, const char *source, uint32_t kind, const char *key);

/* Lower-case canonical text. */
void uuid_format(const struct uuid *u, char out[static UUID_TEXT]);
/* Reads 36 characters of canonical text, either case.  0 or -ERR_INVALID. */
int uuid_parse(const char *text, struct uuid *out, struct err *e);
int uuid_cmp(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *u);
/* Version 7 or 8 and the RFC variant: what a record id must be. */
bool uuid_is_record_id(const uint8_t *bytes, unsigned long len);
/* First 8 bytes of SHA-256 of the id: names a client in field revisions. */
uint64_t uuid_short(const struct uuid *u);

#endif
