/* invite.c -- the codes of invites and the line that carries them.  Knows no database. */
#include "invite.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <sys/random.h>

#include "text.h"

/* RFC 4648 §6, lower-case: read aloud and typed without doubt about case. */
static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

static void hash_code(struct invite *i)
{
	SHA256((const unsigned char *)i->code, INVITE_CODE, i->hash);
}

int invite_make(struct invite *out, struct err *e)
{
	uint8_t bytes[INVITE_CODE];
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return err_set(e, ERR_INTERNAL, "no random numbers from the system");
	for (size_t i = 0; i < INVITE_CODE; i++)
		out->code[i] = base32[bytes[i] & 31];
	out->code[INVITE_CODE] = '\0';
	OPENSSL_cleanse(bytes, sizeof bytes);
	hash_code(out);
	return 0;
}

int invite_read(const char *code, struct invite *out, struct err *e)
{
	size_t n = 0;
	for (const char *p = code; *p; p++) {
		if (*p == '-' || *p == ' ')
			continue;
		const char c = (char)tolower((unsigned char)*p);
		if (n == INVITE_CODE || !strchr(base32, c))
			goto refuse;
		out->code[n++] = c;
	}
	out->code[n] = '\0';
	if (n != INVITE_CODE)
		goto refuse;
	hash_code(out);
	return 0;
refuse:
	err_set(e, ERR_UNAUTHENTICATED, "that is not the code of an invite");
	return err_remedy(e, "paste the whole line that begins with seve-invite:");
}

/* DER of the first certificate of a PEM file, as base64url without padding. */
static int add_ca(struct buf *out, const char *ca_file, struct err *e)
{
	int rc = -ERR_CONFIG;
	unsigned char *der = NULL, *b64 = NULL;
	X509 *ca = NULL;
	int n = -1;
	FILE *f = fopen(ca_file, "re");
	if (!f)
		return err_set(e, ERR_CONFIG, "%s: %m", ca_file);
	ca = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	if (ca)
		n = i2d_X509(ca, &der);
	if (n <= 0) {
		rc = err_set(e, ERR_CONFIG, "%s: no certificate in PEM form", ca_file);
		goto end;
	}
	b64 = malloc(4 * ((size_t)n + 2) / 3 + 4);
	if (!b64) {
		rc = err_set(e, ERR_NOMEM, "invite");
		goto end;
	}
	int len = EVP_EncodeBlock(b64, der, n);
	for (int i = 0; i < len; i++)
		b64[i] = b64[i] == '+' ? '-' : b64[i] == '/' ? '_' : b64[i];
	while (len > 0 && b64[len - 1] == '=')
		len--;
	rc = buf_add(out, b64, (size_t)len);
	if (rc < 0)
		err_set(e, (enum err_code) - rc, "%s: too large for an invite", ca_file);
end:
	free(b64);
	OPENSSL_free(der);
	X509_free(ca);
	return rc;
}

static int check_address(const char *address, struct err *e)
{
	const char *colon = strrchr(address, ':');
	int64_t port;
	if (!colon || colon == address || text_to_int(colon + 1, 1, 65535, &port, NULL) < 0)
		goto refuse;
	const size_t n = (size_t)(colon - address);
	const char *inside = memchr(address, ':', n);
	if (inside && (*address != '[' || colon[-1] != ']'))
		goto refuse;
	return 0;
refuse:
	err_set(e, ERR_CONFIG, "advertise: \"%s\" is not host:port", address);
	return err_remedy(e, "for example \"seve.example.org:7433\" or \"[2001:db8::1]:7433\"");
}

int invite_line(struct buf *out, const char *address, const char *code, const char *ca_file,
		struct err *e)
{
	int rc = check_address(address, e);
	if (rc < 0)
		return rc;
	rc = buf_addf(out, "seve-invite:%s:%s:", address, code);
	if (rc < 0)
		return err_set(e, (enum err_code) - rc, "advertise: too long for an invite");
	if (*ca_file)
		return add_ca(out, ca_file, e);
	rc = buf_add(out, "-", 1);
	return rc < 0 ? err_set(e, (enum err_code) - rc, "invite") : 0;
}
