/* sha256.c -- see sha256.h. */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init: no allocation, unlike EVP */
#include "sha256.h"

#include <openssl/sha.h>

void sha256(const void *bytes, size_t n, uint8_t out[static SHA256_BYTES])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, bytes, n);
	SHA256_Final(out, &c);
}
