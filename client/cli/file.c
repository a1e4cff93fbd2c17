/* file.c -- see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "i18n.h"

int file_read(struct arena *a, const char *path, size_t max, char **out, struct err *e)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
			       strerror(errno));
	int rc = 0;
	char *text = arena_alloc(a, max + 1);
	const size_t n = text ? fread(text, 1, max + 1, file) : 0;
	if (!text)
		rc = err_set(e, ERR_NOMEM, "%s", path);
	else if (ferror(file))
		rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	else if (n > max)
		rc = err_set(e, ERR_TOO_BIG, _("%s is larger than %zu bytes"), path, max);
	else if (memchr(text, '\0', n))
		rc = err_set(e, ERR_INVALID, _("%s holds a NUL byte: it is no text file"), path);
	fclose(file);
	if (rc)
		return rc;
	text[n] = '\0';
	*out = text;
	return 0;
}

int file_read_line(struct arena *a, FILE *file, size_t max, char **out, struct err *e)
{
	char *line = arena_alloc(a, max + 1);
	if (!line)
		return err_set(e, ERR_NOMEM, _("reading a line"));
	size_t n = 0;
	int ch;
	while ((ch = getc(file)) != EOF && ch != '\n') {
		if (n == max || ch == '\0')
			return err_set(e, ERR_INVALID, _("the line is too long or no text"));
		line[n++] = (char)ch;
	}
	if (ch == EOF && n == 0)
		return err_set(e, ERR_INVALID, _("there is nothing to read"));
	line[n] = '\0';
	*out = line;
	return 0;
}

int file_make_dir(const char *path, struct err *e)
{
	char part[4096];
	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
		return err_set(e, ERR_INVALID, _("the path is too long: %.60s…"), path);
	for (char *p = part + 1;; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		const char kept = *p;
		*p = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return err_set(e, ERR_IO, "%s: %s", part, strerror(errno));
		*p = kept;
		if (!kept)
			return 0;
	}
}

/* A device, a pipe, /dev/stdout: written to as it is.  A draft that takes its name would take its
 * place: root's --report /dev/null. */
static int open_as_it_is(struct file_draft *d, const char *path, struct err *e)
{
	snprintf(d->path, sizeof d->path, "%s", path);
	d->file = fopen(path, "we");
	return d->file ? 0 : err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
}

int file_draft_open(struct file_draft *d, const char *path, mode_t mode, struct err *e)
{
	struct stat st;
	*d = (struct file_draft){.file = stdout};
	if (strcmp(path, "-") == 0)
		return 0;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return open_as_it_is(d, path, e);
	snprintf(d->path, sizeof d->path, "%s", path);
	if (snprintf(d->draft, sizeof d->draft, "%s.%ld", path, (long)getpid()) >
	    (int)sizeof d->path)
		return err_set(e, ERR_INVALID, _("the path is too long: %.60s…"), path);
	const int fd = open(d->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	d->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (d->file)
		return 0;
	/* told by the name that was given: the draft's says nothing to anybody */
	const int rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(d->draft);
	}
	d->draft[0] = '\0';
	return rc;
}

/* A write that failed before is remembered only in the stream: what it held then is gone, and the
 * flush has nothing left to fail with. */
static int keep_stdout(struct err *e)
{
	if (fflush(stdout) != 0)
		return err_set(e, ERR_IO, _("standard output: %s"), strerror(errno));
	return ferror(stdout) ? err_set(e, ERR_IO, _("standard output did not take everything"))
			      : 0;
}

int file_draft_keep(struct file_draft *d, struct err *e)
{
	if (d->file == stdout)
		return keep_stdout(e);
	const bool written = fflush(d->file) == 0 && !ferror(d->file) &&
			     (!d->draft[0] || fsync(fileno(d->file)) == 0);
	const int failure = errno;
	const bool closed = fclose(d->file) == 0;
	d->file = NULL;
	if (!written || !closed)
		return err_set(e, ERR_IO, "%s: %s", d->path, strerror(written ? errno : failure));
	if (d->draft[0] && rename(d->draft, d->path) != 0)
		return err_set(e, ERR_IO, "%s: %s", d->path, strerror(errno));
	d->draft[0] = '\0';
	return 0;
}

void file_draft_drop(struct file_draft *d)
{
	if (d->file && d->file != stdout)
		fclose(d->file);
	d->file = NULL;
	if (d->draft[0])
		unlink(d->draft);
	d->draft[0] = '\0';
}

int file_write(const char *path, const char *text, mode_t mode, struct err *e)
{
	struct file_draft d;
	int rc = file_draft_open(&d, path, mode, e);
	if (rc == 0 && fputs(text, d.file) == EOF)
		rc = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	if (rc == 0)
		rc = file_draft_keep(&d, e);
	file_draft_drop(&d);
	return rc;
}
