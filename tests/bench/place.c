/* place.c -- where a bench client works: see place.h. */
#include "place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

enum { PATH_LEN = 512, LINE_LEN = 8192 };

/* First line of DIR/NAME, without its end. */
static int read_line(const char *dir, const char *name, char line[static LINE_LEN], struct err *e)
{
	char path[PATH_LEN];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "r");
	if (!f)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	const bool got = fgets(line, LINE_LEN, f);
	fclose(f);
	if (!got)
		return err_set(e, ERR_IO, "%s: empty", path);
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

static int read_account(const char *dir, const char *name, struct place *p, struct err *e)
{
	char line[LINE_LEN], path[PATH_LEN];
	int64_t territory;
	snprintf(path, sizeof path, "places/%s", name);
	int rc = read_line(dir, path, line, e);
	if (rc < 0)
		return rc;
	const size_t n = strcspn(line, " ");
	if (n >= sizeof p->token || !line[n])
		return err_set(e, ERR_INVALID, "%s/%s: not \"TOKEN TERRITORY\"", dir, path);
	rc = text_to_int(line + n + 1, 0, INT32_MAX, &territory, e);
	if (rc < 0)
		return rc;
	memcpy(p->token, line, n);
	p->token[n] = '\0';
	p->territory = (uint32_t)territory;
	return 0;
}

int place_open(const char *dir, const char *name, struct place *out, struct err *e)
{
	struct place p = {0};
	char line[LINE_LEN], ca[PATH_LEN];
	int64_t port;
	int rc = read_line(dir, "port", line, e);
	if (rc == 0)
		rc = text_to_int(line, 1, 65535, &port, e);
	if (rc == 0 && name)
		rc = read_account(dir, name, &p, e);
	if (rc < 0)
		return rc;
	p.port = (uint16_t)port;
	snprintf(ca, sizeof ca, "%s/server/tls/ca.pem", dir);
	rc = tls_ctx_client(ca, NULL, &p.tls, e);
	if (rc == 0)
		*out = p;
	return rc;
}

void place_close(struct place *p)
{
	tls_ctx_free(p->tls);
	*p = (struct place){0};
}

int place_save(const struct place *p, const char *dir, const char *name, struct err *e)
{
	char path[PATH_LEN];
	snprintf(path, sizeof path, "%s/places", dir);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	snprintf(path, sizeof path, "%s/places/%s", dir, name);
	FILE *f = fopen(path, "w");
	if (!f)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	const bool written = fprintf(f, "%s %u\n", p->token, p->territory) > 0;
	if (fclose(f) == 0 && written)
		return 0;
	return err_set(e, ERR_IO, "%s: cannot be written", path);
}

int place_code(const char *line, char code[static PLACE_CODE], struct err *e)
{
	/* seve-invite:HOST:PORT:CODE:CA, and the host may hold colons */
	const char *ca = strrchr(line, ':'), *at = ca;
	while (at && at > line && at[-1] != ':')
		at--;
	if (!ca || at == line || ca - at >= PLACE_CODE)
		return err_set(e, ERR_INVALID, "not an invite");
	memcpy(code, at, (size_t)(ca - at));
	code[ca - at] = '\0';
	return 0;
}

int place_invite(const char *dir, char code[static PLACE_CODE], struct err *e)
{
	char line[LINE_LEN];
	const int rc = read_line(dir, "server/invite", line, e);
	return rc < 0 ? rc : place_code(line, code, e);
}
