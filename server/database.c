/* database.c -- the database that the settings name.  Knows no schema. */
#include "database.h"

#include <errno.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster.h"

int database_open(const struct conf *conf, struct database *out, struct err *e)
{
	memset(out, 0, sizeof *out);
	const char *dir = config_text(conf, CONFIG_EMBEDDED);
	if (!*dir) {
		out->conninfo = config_text(conf, CONFIG_DATABASE);
		return 0;
	}
	const int rc = embedded_start(dir, &out->embedded, e);
	if (rc < 0)
		return rc;
	out->conninfo = out->embedded.conninfo;
	out->started = true;
	return 0;
}

/* 1 when the cluster of the folder runs. */
static int find_running(const char *dir, struct embedded *em, struct err *e)
{
	char path[PATH_MAX], data[PATH_MAX + 16];
	if (!realpath(dir, path))
		return errno == ENOENT ? 0 : err_set(e, ERR_CONFIG, "%s: %s", dir, strerror(errno));
	snprintf(data, sizeof data, "%s/postgres", path);
	if (access(data, F_OK) < 0)
		return 0;
	struct cluster c;
	int rc = cluster_init(&c, path, e);
	if (rc == 0)
		rc = cluster_adopt(&c, e);
	if (rc <= 0)
		return rc;
	*em = (struct embedded){.lock_fd = -1};
	snprintf(em->dir, sizeof em->dir, "%s", c.dir);
	snprintf(em->ca_file, sizeof em->ca_file, "%s/tls/ca.pem", c.dir);
	snprintf(em->cert_file, sizeof em->cert_file, "%s/tls/server.pem", c.dir);
	snprintf(em->key_file, sizeof em->key_file, "%s/tls/server.key", c.dir);
	rc = cluster_conninfo(&c, "seve", "seve", em->conninfo, sizeof em->conninfo, e);
	return rc < 0 ? rc : 1;
}

int database_visit(const struct conf *conf, struct database *out, struct err *e)
{
	const char *dir = config_text(conf, CONFIG_EMBEDDED);
	memset(out, 0, sizeof *out);
	const int rc = *dir ? find_running(dir, &out->embedded, e) : 0;
	if (rc < 0)
		return rc;
	if (rc == 0)
		return database_open(conf, out, e);
	out->conninfo = out->embedded.conninfo;
	return 0;
}

int database_certificates(const struct database *d, struct conf *conf, struct err *e)
{
	if (!*d->embedded.dir || *config_text(conf, CONFIG_TLS_CERT))
		return 0;
	int rc = conf_set(conf, "tls-cert", d->embedded.cert_file, "default", e);
	if (rc == 0)
		rc = conf_set(conf, "tls-key", d->embedded.key_file, "default", e);
	if (rc == 0)
		rc = conf_set(conf, "tls-ca", d->embedded.ca_file, "default", e);
	return rc;
}

bool database_has_died(struct database *d)
{
	const pid_t pid = d->embedded.postmaster;
	int status;
	if (!d->started || pid <= 0 || d->embedded.adopted || waitpid(pid, &status, WNOHANG) != pid)
		return false;
	d->embedded.postmaster = 0;
	return true;
}

void database_close(struct database *d)
{
	if (d->started)
		embedded_stop(&d->embedded);
	d->started = false;
}
