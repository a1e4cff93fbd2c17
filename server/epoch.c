/* epoch.c -- the incarnation of the database.  Knows no links. */
#include "epoch.h"

#include <openssl/sha.h>

#include "pg/unit.h"

int epoch_read(const PGresult *r, uint64_t *out, struct err *e)
{
	if (PQntuples(r) != 1 || PQnfields(r) != 3)
		return err_set(e, ERR_DATABASE, "the database does not tell its epoch");
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char text[160];
	for (int i = 0; i < 3; i++)
		if (PQgetisnull(r, 0, i))
			return err_set(e, ERR_DATABASE,
				       "the database does not tell its epoch: column %d is null",
				       i);
	const int n = snprintf(text, sizeof text, "%s|%s|%s", PQgetvalue(r, 0, 0),
			       PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2));
	if (n < 0 || (size_t)n >= sizeof text)
		return err_set(e, ERR_DATABASE, "the database's epoch is too long");
	SHA256((const unsigned char *)text, (size_t)n, hash);
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | hash[i];
	*out = v ? v : 1; /* 0 means "none" on the wire */
	return 0;
}

int epoch_setup(char *out, size_t size, const char *before, struct err *e)
{
	const int n = snprintf(out, size, "%s%s", before, pg_sql("server_epoch").text);
	return n > 0 && (size_t)n < size ? 0
					 : err_set(e, ERR_INTERNAL, "a link's set-up is too long");
}

static int epoch_connect(const char *conninfo, PGconn **out, struct err *e)
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

static int epoch_query(PGconn *pg, uint64_t *out, struct err *e)
{
	PGresult *r = PQexec(pg, pg_sql("server_epoch").text);
	int rc;
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		rc = err_set(e, ERR_DATABASE, "epoch: %s", PQresultErrorMessage(r));
	else
		rc = epoch_read(r, out, e);
	PQclear(r);
	return rc;
}

int epoch_ask(const char *conninfo, uint64_t *out, struct err *e)
{
	PGconn *pg;
	int rc = epoch_connect(conninfo, &pg, e);
	if (rc < 0)
		return rc;
	rc = epoch_query(pg, out, e);
	PQfinish(pg);
	return rc;
}

static int check_unused(PGconn *pg, struct err *e)
{
	PGresult *r = PQexec(pg, pg_sql("epoch_users").text);
	int rc = 0;
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		rc = err_set(e, ERR_DATABASE, "epoch: %s", PQresultErrorMessage(r));
	else if (strcmp(PQgetvalue(r, 0, 0), "0") != 0)
		rc = err_set(e, ERR_PRECONDITION,
			     "a server uses this database: it would go on with the old epoch");
	PQclear(r);
	return rc < 0 ? err_remedy(e, "stop it, renew the epoch, then start it again") : 0;
}

int epoch_renew(const char *conninfo, uint64_t *out, struct err *e)
{
	PGconn *pg;
	int rc = epoch_connect(conninfo, &pg, e);
	if (rc < 0)
		return rc;
	rc = check_unused(pg, e);
	if (rc == 0) {
		PGresult *r = PQexec(pg, pg_sql("epoch_renew").text);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			rc = err_set(e, ERR_DATABASE, "epoch: %s", PQresultErrorMessage(r));
		PQclear(r);
	}
	if (rc == 0)
		rc = epoch_query(pg, out, e);
	PQfinish(pg);
	return rc;
}
