/* bootstrap.c -- the first way in.  Knows no connections. */
#include "bootstrap.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/stat.h>
#include <unistd.h>

#include "invite.h"
#include "kind.h"
#include "pg/unit.h"

enum { BOOTSTRAP_HOURS = 72, BOOTSTRAP_DAYS = 400 };

static int connect_to(const char *conninfo, PGconn **out, struct err *e)
{
	PGconn *pg = PQconnectdb(conninfo);
	if (PQstatus(pg) == CONNECTION_OK) {
		*out = pg;
		return 0;
	}
	err_set(e, ERR_UNAVAILABLE, "database: %s", PQerrorMessage(pg));
	PQfinish(pg);
	return err_remedy(e, "check \"database\", and that PostgreSQL runs");
}

/* All parameters and results as text. */
static int ask(PGconn *pg, const char *sql, int n, const char *const *values, PGresult **out,
	       struct err *e)
{
	PGresult *r = PQexecParams(pg, pg_sql(sql).text, n, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(r) == PGRES_TUPLES_OK) {
		*out = r;
		return 0;
	}
	err_set(e, ERR_DATABASE, "%s", PQresultErrorMessage(r));
	PQclear(r);
	return err_remedy(e, "is the database migrated? `seved migrate` does it");
}

/* bytea's textual form. */
static void hex_text(const uint8_t *bytes, size_t n, char *out)
{
	out += snprintf(out, 3, "\\x");
	for (size_t i = 0; i < n; i++)
		out += snprintf(out, 3, "%02x", bytes[i]);
}

int bootstrap_invite(const char *conninfo, const char *account, const char *address,
		     const char *ca_file, struct buf *out, struct err *e)
{
	struct invite invite;
	PGconn *pg = NULL;
	PGresult *r = NULL;
	char hash[2 * INVITE_HASH + 3], role[16], days[16], hours[16];
	const size_t before = buf_len(out);
	int rc = invite_make(&invite, e);
	if (rc == 0)
		rc = invite_line(out, address, invite.code, ca_file, e);
	if (rc == 0)
		rc = connect_to(conninfo, &pg, e);
	if (rc < 0)
		goto fail;
	hex_text(invite.hash, sizeof invite.hash, hash);
	snprintf(role, sizeof role, "%d", (int)role_by_name("admin")->number);
	snprintf(days, sizeof days, "%d", BOOTSTRAP_DAYS);
	snprintf(hours, sizeof hours, "%d", BOOTSTRAP_HOURS);
	const char *const values[] = {account, role,  "{0}", "",  hash,
				      days,    hours, "0",   "0", "false"};
	rc = ask(pg, "access_invite", sizeof values / sizeof *values, values, &r, e);
	if (rc == 0 && PQntuples(r) != 1)
		rc = err_set(e, ERR_DATABASE, "the invite was not stored");
	PQclear(r);
	PQfinish(pg);
	if (rc == 0)
		return 0;
fail:
	/* Nobody knows the code: it must not be shown either. */
	out->end -= buf_len(out) - before;
	return rc;
}

int bootstrap_is_used(const char *conninfo, bool *out, struct err *e)
{
	PGconn *pg;
	PGresult *r;
	int rc = connect_to(conninfo, &pg, e);
	if (rc < 0)
		return rc;
	rc = ask(pg, "access_bootstrap_state", 0, NULL, &r, e);
	if (rc == 0) {
		*out = !strcmp(PQgetvalue(r, 0, 0), "true");
		PQclear(r);
	}
	PQfinish(pg);
	return rc;
}

static bool write_all(int fd, struct span s)
{
	while (s.len > 0) {
		const ssize_t n = write(fd, s.at, s.len);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			s = (struct span){s.at + n, s.len - (size_t)n};
	}
	return true;
}

int bootstrap_write(const char *path, const struct buf *line, struct err *e)
{
	char beside[4096];
	const int n = snprintf(beside, sizeof beside, "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof beside)
		return err_set(e, ERR_CONFIG, "%s: the path is too long", path);
	unlink(beside);
	const int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, ERR_IO, "%s: %s", beside, strerror(errno));
	bool good = write_all(fd, buf_span(line)) &&
		    write_all(fd, (struct span){(const uint8_t *)"\n", 1});
	good = fsync(fd) == 0 && good;
	good = close(fd) == 0 && good;
	if (good && rename(beside, path) == 0)
		return 0;
	const int why = errno;
	unlink(beside);
	return err_set(e, ERR_IO, "%s: %s", path, strerror(why));
}
