/* manifest.c -- see manifest.h. */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init: no allocation, unlike EVP */
#include "manifest.h"

#include <openssl/sha.h>
#include <string.h>

void manifest_check(uint64_t rev, struct span body, uint8_t out[static MANIFEST_CHECK])
{
	uint8_t hash[SHA256_DIGEST_LENGTH], number[8];
	SHA256_CTX c;

	for (int i = 0; i < 8; i++)
		number[i] = (uint8_t)(rev >> (56 - 8 * i));
	SHA256_Init(&c);
	SHA256_Update(&c, number, sizeof number);
	SHA256_Update(&c, body.at, body.len);
	SHA256_Final(hash, &c);
	memcpy(out, hash, MANIFEST_CHECK);
}

int manifest_page(struct span entries, const uint8_t *after, struct err *e)
{
	if (entries.len % MANIFEST_ENTRY || entries.len / MANIFEST_ENTRY > MANIFEST_PAGE_MAX)
		return err_set(e, ERR_PROTOCOL, "a page of %zu bytes in a manifest", entries.len);
	for (size_t at = 0; at < entries.len; at += MANIFEST_ENTRY) {
		if (after && memcmp(entries.at + at, after, MANIFEST_ID) <= 0)
			return err_set(e, ERR_PROTOCOL, "a manifest that is not in order");
		after = entries.at + at;
	}
	return 0;
}

const uint8_t *manifest_last(struct span entries)
{
	return entries.at + entries.len - MANIFEST_ENTRY;
}

int manifest_diff(struct span entries, const struct manifest_row *rows, size_t n,
		  const struct manifest_acts *acts)
{
	const uint8_t *entry = entries.at, *end = entries.at + entries.len;
	size_t i = 0;
	int rc = 0;

	while (!rc && (i < n || entry < end)) {
		int order = i == n ? 1 : entry == end ? -1 : memcmp(rows[i].id, entry, MANIFEST_ID);
		bool same = !order && rows[i].live &&
			    !memcmp(rows[i].check, entry + MANIFEST_ID, MANIFEST_CHECK);

		if (order < 0)
			rc = acts->drop(acts->ctx, &rows[i]);
		else if (same)
			rc = acts->keep(acts->ctx, &rows[i]);
		else
			rc = acts->fetch(acts->ctx, entry);
		if (order <= 0)
			i++;
		if (order >= 0)
			entry += MANIFEST_ENTRY;
	}
	return rc;
}
