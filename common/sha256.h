/* sha256.h -- SHA-256 of bytes at hand.  Knows no meaning of them.  Any thread. */
#ifndef SEVE_SHA256_H
#define SEVE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32 };

/* Neither allocates nor looks an algorithm up at every call, as OpenSSL's SHA256() does, which
 * costs more than the digest of a record. */
void sha256(const void *bytes, size_t n, uint8_t out[static SHA256_BYTES]);

#endif
