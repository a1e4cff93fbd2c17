/* invite.c -- the one line that an invite is: seve-invite:HOST:PORT:CODE:CA, where CA is the
 * base64url form of the CA's certificate (DER), or "-" when the server's certificate is known to
 * the system. */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "error.h"

enum { LINE_MAX_BYTES = 16 * 1024 };

static const char prefix[] = "seve-invite:";

static int bad_line(const char *why, struct err *e)
{
	err_set(e, ERR_INVALID, "not an invite: %s", why);
	err_remedy(e, "copy the whole line, which begins with %s", prefix);
	return -ERR_INVALID;
}

/* ---- the certificate
 * ----------------------------------------------------------------------------------------- */

static int digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Bytes written, or -1: not base64url. */
static long decode64(const char *text, size_t n, unsigned char *out)
{
	unsigned bits = 0, have = 0;
	long len = 0;

	while (n && text[n - 1] == '=')
		n--;
	if (n % 4 == 1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int d = digit64(text[i]);

		if (d < 0)
			return -1;
		bits = bits << 6 | (unsigned)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[len++] = (unsigned char)(bits >> have);
		}
	}
	return len;
}

static char *certificate_pem(const unsigned char *der, long n)
{
	const unsigned char *at = der;
	X509 *x = d2i_X509(NULL, &at, n);
	BIO *b = x && at == der + n ? BIO_new(BIO_s_mem()) : NULL;
	char *data, *pem = NULL;
	long len;

	if (b && PEM_write_bio_X509(b, x) == 1) {
		len = BIO_get_mem_data(b, &data);
		pem = strndup(data, (size_t)len);
	}
	BIO_free(b);
	X509_free(x);
	return pem;
}

static int read_certificate(const char *text, char **out, struct err *e)
{
	size_t n = strlen(text);
	unsigned char *der;
	long len;

	*out = NULL;
	if (strcmp(text, "-") == 0)
		return 0;
	der = malloc(n + 1);
	if (!der)
		return err_set(e, ERR_NOMEM, "invite");
	len = decode64(text, n, der);
	if (len > 0)
		*out = certificate_pem(der, len);
	free(der);
	return *out ? 0 : bad_line("its certificate is damaged or cut off", e);
}

/* ---- the line
 * ------------------------------------------------------------------------------------------------------
 */

struct invite_parts {
	char *host_port, *code, *certificate; /* into the line's copy */
};

/* Cuts the copy at its colons; the host may stand in brackets. */
static int cut_line(char *line, struct invite_parts *out, struct err *e)
{
	char *at = line + sizeof prefix - 1, *end;

	out->host_port = at;
	end = *at == '[' ? strchr(at, ']') : at;
	end = end ? strchr(end, ':') : NULL;
	end = end ? strchr(end + 1, ':') : NULL;
	if (!end || end == at)
		return bad_line("no host, port and code", e);
	*end = '\0';
	out->code = end + 1;
	end = strchr(out->code, ':');
	if (!end || end == out->code)
		return bad_line("no code and certificate after the address", e);
	*end = '\0';
	out->certificate = end + 1;
	return *out->certificate ? 0 : bad_line("it ends before the certificate", e);
}

static char *trimmed(const char *line)
{
	size_t n;

	line += strspn(line, " \t\r\n");
	n = strlen(line);
	while (n && strchr(" \t\r\n", line[n - 1]))
		n--;
	return n <= LINE_MAX_BYTES ? strndup(line, n) : NULL;
}

static int parse_in(char *copy, char **server, char **code, char **ca_pem, struct err *e)
{
	struct invite_parts parts = {0};
	char *pem = NULL;
	int rc;

	if (strncmp(copy, prefix, sizeof prefix - 1) != 0)
		return bad_line("it does not begin as one", e);
	rc = cut_line(copy, &parts, e);
	if (!rc)
		rc = read_certificate(parts.certificate, &pem, e);
	if (rc)
		return rc;
	*server = strdup(parts.host_port);
	*code = strdup(parts.code);
	*ca_pem = pem;
	if (*server && *code)
		return 0;
	free(*server);
	free(*code);
	free(pem);
	*server = *code = *ca_pem = NULL;
	return err_set(e, ERR_NOMEM, "invite");
}

int seve_invite_parse(const char *line, char **server, char **code, char **ca_pem,
		      struct seve_error **err)
{
	struct err e = {0};
	char *copy = line ? trimmed(line) : NULL;

	if (!copy)
		bad_line("empty, or far too long", &e);
	else
		parse_in(copy, server, code, ca_pem, &e);
	if (copy)
		explicit_bzero(copy, strlen(copy));
	free(copy);
	return error_out(err, &e);
}
