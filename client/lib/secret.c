/* secret.c -- the token's file (see client.h): only its owner may read it, and it is there whole or
 * not at all. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"

/* ---- reading
 * ------------------------------------------------------------------------------------------- */

static int no_token(const char *path, struct err *e)
{
	err_set(e, ERR_UNAUTHENTICATED, "no token%s%s", path ? ": " : "", path ? path : "");
	return err_remedy(e, "log in with an invite first");
}

static int check_mode(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CONFIG, "%s is not a file", path);
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		err_set(e, ERR_CONFIG, "%s may be read or written by others (mode %04o)", path,
			(unsigned)st.st_mode & 07777);
		return err_remedy(
			e, "chmod 600 %s, and have the token revoked if others may have read it",
			path);
	}
	return 0;
}

static int read_text(int fd, const char *path, char *out, size_t size, struct err *e)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, out + n, size - n)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
		n += (size_t)got;
		if (n == size)
			return err_set(e, ERR_CONFIG, "%s is too long to hold a token", path);
	}
	while (n && (out[n - 1] == '\n' || out[n - 1] == '\r' || out[n - 1] == ' '))
		n--;
	out[n] = '\0';
	return n ? 0 : no_token(path, e);
}

int client_read_token(const char *path, char out[static CLIENT_TOKEN_MAX], struct err *e)
{
	int fd, rc;

	out[0] = '\0';
	if (!path)
		return no_token(NULL, e);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return no_token(path, e);
	if (fd < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	rc = check_mode(fd, path, e);
	if (!rc)
		rc = read_text(fd, path, out, CLIENT_TOKEN_MAX, e);
	close(fd);
	return rc;
}

/* ---- writing
 * ------------------------------------------------------------------------------------------- */

static int write_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t put = write(fd, text, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		text += put;
		n -= (size_t)put;
	}
	return 0;
}

/* A rename is durable once its folder is. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd, rc;

	if (!folder)
		return -1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

static int write_temporary(const char *temporary, const char *text)
{
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
	int rc;

	if (fd < 0)
		return -1;
	rc = write_all(fd, text, strlen(text));
	if (!rc)
		rc = write_all(fd, "\n", 1);
	if (!rc)
		rc = fsync(fd);
	if (close(fd) < 0)
		rc = -1;
	return rc;
}

int client_write_secret(const char *path, const char *text, struct err *e)
{
	char *temporary;
	int rc;

	if (asprintf(&temporary, "%s.%ld.new", path, (long)getpid()) < 0)
		return err_set(e, ERR_NOMEM, "token");
	(void)unlink(temporary); /* of a process with this number that died half-way */
	rc = write_temporary(temporary, text);
	if (!rc)
		rc = rename(temporary, path);
	if (!rc)
		rc = sync_folder(path);
	if (rc) {
		err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
		err_remedy(e, "check that the folder exists and is yours: the invite has been "
			      "spent, ask for another");
		(void)unlink(temporary);
	}
	free(temporary);
	return rc ? -ERR_IO : 0;
}
