/* embedded.c -- a private PostgreSQL, its database and its certificates: see embedded.h. */
#include "embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster.h"
#include "devcert.h"
#include "log.h"
#include "pg/unit.h"

/* Makes the folder, if it is not there, and finds its absolute path. */
static int make_folder(const char *dir, char out[static 400], struct err *e)
{
	char path[PATH_MAX];
	/* open to all for passing through: what is private lies in private folders below */
	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		err_set(e, ERR_CONFIG, "%s: %s", dir, strerror(errno));
		return err_remedy(e, "make the folder above it, or choose another one");
	}
	if (!realpath(dir, path))
		return err_set(e, ERR_CONFIG, "%s: %s", dir, strerror(errno));
	if (snprintf(out, 380, "%s", path) >= 380) /* room for the names below it */
		return err_set(e, ERR_CONFIG, "%s: the path is too long", dir);
	return 0;
}

/* One server per folder.  The lock goes with the process, however it ends. */
static int take_lock(const char *dir, int *out, struct err *e)
{
	char path[420];
	snprintf(path, sizeof path, "%s/seved.lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		err_set(e, ERR_CONFIG, "%s: %s", path, strerror(errno));
		return err_remedy(e, "choose a folder that this user may write to");
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*out = fd;
		return 0;
	}
	int error = errno;
	close(fd);
	if (error != EWOULDBLOCK)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(error));
	err_set(e, ERR_CONFIG, "%s is used by another server", dir);
	return err_remedy(e, "stop that one, or choose another folder");
}

static int execute(PGconn *db, const char *sql, struct err *e)
{
	PGresult *r = PQexec(db, sql);
	ExecStatusType status = PQresultStatus(r);
	int rows = PQntuples(r);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
		pg_error_classify(state ? state : "", false, PQresultErrorMessage(r), e);
		rows = -(int)e->code;
	}
	PQclear(r);
	return rows;
}

/* The owner, the application's role and the database, where they are missing. */
static int make_database(const char *admin_conninfo, struct err *e)
{
	PGconn *db = PQconnectdb(admin_conninfo);
	int rc;
	if (PQstatus(db) != CONNECTION_OK) {
		const char *why = PQerrorMessage(db);
		rc = err_set(e, ERR_UNAVAILABLE, "%.*s", (int)strcspn(why, "\n"), why);
	} else {
		rc = execute(db, pg_sql("embedded_roles").text, e);
		if (rc >= 0)
			rc = execute(db, "SELECT FROM pg_database WHERE datname = 'seve'", e);
		if (rc == 0)
			rc = execute(db, "CREATE DATABASE seve OWNER seve", e);
	}
	PQfinish(db);
	return rc < 0 ? err_prefix(e, "making the database") : 0;
}

static int run_cluster(struct embedded *em, struct cluster *c, struct err *e)
{
	int rc = cluster_init(c, em->dir, e);
	if (rc == 0)
		rc = cluster_make(c, e);
	if (rc == 0)
		rc = cluster_adopt(c, e);
	if (rc == 0)
		rc = cluster_start(c, e);
	if (rc < 0)
		return rc;
	em->postmaster = c->postmaster;
	em->adopted = c->adopted;
	if (em->adopted)
		log_event(LOG_WARN, "cluster_adopted", "postmaster=%d", (int)em->postmaster);
	snprintf(em->run, sizeof em->run, "%s", c->run);
	rc = cluster_conninfo(c, "postgres", "postgres", em->admin_conninfo,
			      sizeof em->admin_conninfo, e);
	if (rc == 0)
		rc = cluster_conninfo(c, "seve", "seve", em->conninfo, sizeof em->conninfo, e);
	if (rc == 0)
		rc = make_database(em->admin_conninfo, e);
	return rc;
}

int embedded_start(const char *dir, struct embedded *out, struct err *e)
{
	struct embedded em = {.lock_fd = -1};
	struct cluster c;
	struct devcert cert;
	char tls[420];
	int rc = make_folder(dir, em.dir, e);
	if (rc == 0)
		rc = take_lock(em.dir, &em.lock_fd, e);
	if (rc == 0)
		rc = run_cluster(&em, &c, e);
	if (rc == 0) {
		snprintf(tls, sizeof tls, "%s/tls", em.dir);
		rc = devcert_ensure(tls, &cert, e);
	}
	if (rc < 0) {
		embedded_stop(&em);
		return rc;
	}
	snprintf(em.cert_file, sizeof em.cert_file, "%s", cert.cert_file);
	snprintf(em.key_file, sizeof em.key_file, "%s", cert.key_file);
	snprintf(em.ca_file, sizeof em.ca_file, "%s", cert.ca_file);
	log_event(LOG_INFO, "embedded", "dir=%s postmaster=%d", em.dir, (int)em.postmaster);
	*out = em;
	return 0;
}

static void cluster_of(const struct embedded *em, struct cluster *c)
{
	*c = (struct cluster){.postmaster = em->postmaster, .adopted = em->adopted};
	snprintf(c->dir, sizeof c->dir, "%s", em->dir);
	snprintf(c->data, sizeof c->data, "%s/postgres", em->dir);
	snprintf(c->run, sizeof c->run, "%s", em->run);
}

int embedded_revive(struct embedded *em, struct err *e)
{
	struct cluster c;
	cluster_of(em, &c);
	if (em->lock_fd < 0 || !cluster_ended(&c))
		return 0;
	em->postmaster = 0;
	int rc = cluster_init(&c, em->dir, e);
	if (rc == 0)
		rc = cluster_spawn(&c, e);
	if (rc < 0)
		return rc;
	em->postmaster = c.postmaster;
	em->adopted = false;
	log_event(LOG_WARN, "cluster_revived", "postmaster=%d", (int)em->postmaster);
	return 1;
}

void embedded_stop(struct embedded *em)
{
	struct cluster c;
	cluster_of(em, &c);
	cluster_stop(&c);
	em->postmaster = 0;
	if (em->lock_fd > 0)
		close(em->lock_fd);
	em->lock_fd = -1;
}
