/* token.c -- making and reading the textual form of tokens.  Knows no database and no connection.
 */
#include "token.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Random base-62 characters without bias: bytes beyond the last multiple of 62 are thrown away. */
static int random_text(char *out, size_t n, struct err *e)
{
	size_t done = 0;
	while (done < n) {
		uint8_t bytes[64];
		const ssize_t got = getrandom(bytes, sizeof bytes, 0);
		if (got < 0)
			return err_set(e, ERR_INTERNAL, "no random numbers from the system");
		for (ssize_t i = 0; i < got && done < n; i++)
			if (bytes[i] < 248)
				out[done++] = digits[bytes[i] % 62];
		OPENSSL_cleanse(bytes, sizeof bytes);
	}
	out[n] = '\0';
	return 0;
}

/* CRC-32 (ISO 3309, as in zlib and PNG), bit by bit: it runs once a session. */
static uint32_t crc32_of(const char *s, size_t n)
{
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < n; i++) {
		crc ^= (uint8_t)s[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* Six base-62 digits hold 35 bits. */
static void check_text(const char *text, size_t n, char out[static 7])
{
	uint32_t v = crc32_of(text, n);
	for (int i = 5; i >= 0; i--) {
		out[i] = digits[v % 62];
		v /= 62;
	}
	out[6] = '\0';
}

static void hash_secret(struct token *t)
{
	const char *secret = t->text + 4 + TOKEN_PUBLIC + 1;
	SHA256((const unsigned char *)secret, TOKEN_SECRET, t->hash);
}

int token_make(struct token *out, struct err *e)
{
	struct token t;
	char secret[TOKEN_SECRET + 1], check[7];
	int rc = random_text(t.public_id, TOKEN_PUBLIC, e);
	if (rc == 0)
		rc = random_text(secret, TOKEN_SECRET, e);
	if (rc < 0)
		return rc;
	const int n = snprintf(t.text, sizeof t.text, "svt_%s_%s_", t.public_id, secret);
	check_text(t.text, (size_t)n - 1, check);
	memcpy(t.text + n, check, sizeof check);
	hash_secret(&t);
	*out = t;
	OPENSSL_cleanse(secret, sizeof secret);
	OPENSSL_cleanse(&t, sizeof t);
	return 0;
}

static int refuse(struct err *e, const char *why)
{
	err_set(e, ERR_UNAUTHENTICATED, "the token is not well-formed: %s", why);
	return err_remedy(e,
			  "the file that holds it may be damaged: log in again with a new invite");
}

int token_read(const char *text, struct token *out, struct err *e)
{
	const size_t at_secret = 4 + TOKEN_PUBLIC + 1, at_check = at_secret + TOKEN_SECRET + 1;
	if (strlen(text) != TOKEN_LENGTH)
		return refuse(e, "wrong length");
	if (memcmp(text, "svt_", 4) != 0)
		return refuse(e, "it does not begin with svt_");
	if (text[at_secret - 1] != '_' || text[at_check - 1] != '_')
		return refuse(e, "its parts are not where they should be");
	/* What stands between must be digits: the public id goes into queries and logs. */
	for (size_t i = 4; i < TOKEN_LENGTH; i++)
		if (i != at_secret - 1 && i != at_check - 1 && !strchr(digits, text[i]))
			return refuse(e, "a character that tokens do not have");
	char check[7];
	check_text(text, at_check - 1, check);
	if (memcmp(check, text + at_check, 6) != 0)
		return refuse(e, "its check sum is wrong");
	memcpy(out->text, text, TOKEN_LENGTH + 1);
	memcpy(out->public_id, text + 4, TOKEN_PUBLIC);
	out->public_id[TOKEN_PUBLIC] = '\0';
	hash_secret(out);
	return 0;
}
