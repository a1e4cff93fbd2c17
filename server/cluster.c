/* cluster.c -- a PostgreSQL cluster's files and its postmaster: see cluster.h. */
#include "cluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "text.h"

#define PG_ROOT "/usr/lib/postgresql"

enum {
	VERSION_MIN = 15,
	LOG_MAX = 16 * 1024 * 1024,
	WAIT_START_MS = 600000, /* crash recovery of a large cluster takes its time */
	WAIT_STOP_MS = 30000,
	WAIT_IMMEDIATE_MS = 10000,
	TICK_MS = 10,
};

static void sleep_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

static int io_error(struct err *e, const char *path)
{
	return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
}

/* ---- files ---- */

/* The first bytes of a small file as text.  0, -ERR_NOT_FOUND or -ERR_IO. */
static int read_text(const char *path, char *out, size_t size, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? err_set(e, ERR_NOT_FOUND, "%s: no such file", path)
				       : io_error(e, path);
	ssize_t n = read(fd, out, size - 1);
	int rc = n < 0 ? io_error(e, path) : 0;
	close(fd);
	if (n >= 0)
		out[n] = 0;
	return rc;
}

static int write_text(const char *path, int flags, const char *text, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (fd < 0)
		return io_error(e, path);
	size_t len = strlen(text);
	int rc = 0;
	if (write(fd, text, len) != (ssize_t)len || fsync(fd) < 0)
		rc = io_error(e, path);
	if (close(fd) < 0 && rc == 0)
		rc = io_error(e, path);
	return rc;
}

/* Makes the account's private folder, or checks that it is one. */
static int own_folder(const struct cluster *c, const char *path, struct err *e)
{
	struct stat st;
	bool made = mkdir(path, 0700) == 0;
	if (!made && errno != EEXIST)
		return io_error(e, path);
	if (made && c->account.drop && chown(path, c->account.uid, c->account.gid) < 0)
		return io_error(e, path);
	if (lstat(path, &st) < 0)
		return io_error(e, path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_CONFIG, "%s is not a folder", path);
	if (st.st_uid != c->account.uid) {
		err_set(e, ERR_CONFIG, "%s does not belong to the database's account %s", path,
			c->account.name);
		return err_remedy(e, "chown -R %s %s, or start seved as its owner", c->account.name,
				  path);
	}
	if ((st.st_mode & 077) && chmod(path, 0700) < 0)
		return io_error(e, path);
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int remove_tree(const char *path, struct err *e)
{
	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		return io_error(e, path);
	return 0;
}

/* ---- programs ---- */

/* The number that a whole text is, 0 if it is none. */
static int64_t number_of(const char *text)
{
	int64_t v;
	return text_to_int(text, 1, INT32_MAX, &v, NULL) < 0 ? 0 : v;
}

static int64_t newest_version(void)
{
	int64_t best = 0;
	DIR *d = opendir(PG_ROOT);
	if (!d)
		return 0;
	for (struct dirent *entry; (entry = readdir(d));) {
		char path[sizeof PG_ROOT + sizeof entry->d_name + 16];
		int64_t v = number_of(entry->d_name);
		snprintf(path, sizeof path, PG_ROOT "/%s/bin/initdb", entry->d_name);
		if (v >= VERSION_MIN && v > best && access(path, X_OK) == 0)
			best = v;
	}
	closedir(d);
	return best;
}

static int find_programs(struct cluster *c, struct err *e)
{
	char path[440], text[16];
	snprintf(path, sizeof path, "%s/PG_VERSION", c->data);
	int rc = read_text(path, text, sizeof text, e);
	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	int64_t version;
	if (rc == 0) {
		text[strcspn(text, "\n")] = 0;
		version = number_of(text);
	} else {
		version = newest_version();
	}
	if (version == 0) {
		err_set(e, ERR_CONFIG, "PostgreSQL %d or later is not installed", VERSION_MIN);
		return err_remedy(e, "apt install postgresql, or name a server with --database");
	}
	snprintf(c->bin, sizeof c->bin, PG_ROOT "/%lld/bin", (long long)version);
	snprintf(path, sizeof path, "%s/postgres", c->bin);
	if (access(path, X_OK) < 0) {
		err_set(e, ERR_CONFIG, "%s was made by PostgreSQL %lld, which is not installed",
			c->data, (long long)version);
		return err_remedy(e,
				  "apt install postgresql-%lld, or upgrade the cluster with "
				  "pg_upgrade",
				  (long long)version);
	}
	return 0;
}

static int open_log(const struct cluster *c, struct err *e)
{
	struct stat st;
	char old[440];
	snprintf(old, sizeof old, "%s.1", c->log);
	if (stat(c->log, &st) == 0 && st.st_size > LOG_MAX && rename(c->log, old) < 0)
		return io_error(e, c->log);
	int fd = open(c->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	return fd < 0 ? io_error(e, c->log) : fd;
}

int cluster_init(struct cluster *c, const char *dir, struct err *e)
{
	*c = (struct cluster){0};
	if (snprintf(c->dir, sizeof c->dir, "%s", dir) >= (int)sizeof c->dir)
		return err_set(e, ERR_CONFIG, "the folder's path is too long");
	snprintf(c->data, sizeof c->data, "%s/postgres", dir);
	snprintf(c->log, sizeof c->log, "%s/postgres.log", dir);
	int rc = account_choose(&c->account, e);
	if (rc == 0)
		rc = child_reach(&c->account, c->dir, e);
	return rc < 0 ? rc : find_programs(c, e);
}

/* ---- making ---- */

static const char settings[] = "# Settings of the private PostgreSQL of seved.  Yours to edit: "
			       "written once, read at start.\n"
			       "# fsync, full_page_writes and synchronous_commit must stay on: "
			       "seved refuses to serve without.\n"
			       "shared_buffers = 128MB\n"
			       "max_connections = 100\n"
			       "wal_level = replica\n"
			       "max_wal_size = 2GB\n"
			       "checkpoint_timeout = 15min\n"
			       "wal_compression = lz4\n"
			       "random_page_cost = 1.1\n"
			       "timezone = 'UTC'\n"
			       "log_timezone = 'UTC'\n"
			       "log_line_prefix = '%m [%p] %a '\n"
			       "log_lock_waits = on\n";

static int run_initdb(const struct cluster *c, const char *data, struct err *e)
{
	char program[320];
	snprintf(program, sizeof program, "%s/initdb", c->bin);
	const char *const argv[] = {program,
				    "-D",
				    data,
				    "-U",
				    "postgres",
				    "-E",
				    "UTF8",
				    "--locale=C.UTF-8",
				    "--data-checksums",
				    "--auth-local=trust",
				    "--auth-host=reject",
				    "--no-instructions",
				    NULL};
	int log_fd = open_log(c, e);
	if (log_fd < 0)
		return log_fd;
	int rc = child_run(&c->account, argv, log_fd, e);
	close(log_fd);
	if (rc < 0)
		err_remedy(e, "%s tells why", c->log);
	return rc;
}

static int write_settings(const struct cluster *c, const char *data, struct err *e)
{
	char path[460];
	snprintf(path, sizeof path, "%s/seve.conf", data);
	int rc = write_text(path, O_EXCL, settings, e);
	if (rc == 0 && c->account.drop && chown(path, c->account.uid, c->account.gid) < 0)
		rc = io_error(e, path);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof path, "%s/postgresql.conf", data);
	return write_text(path, O_APPEND, "\ninclude_if_exists = 'seve.conf'\n", e);
}

int cluster_make(struct cluster *c, struct err *e)
{
	char fresh[440], version[440];
	snprintf(version, sizeof version, "%s/PG_VERSION", c->data);
	if (access(version, F_OK) == 0)
		return own_folder(c, c->data, e);
	snprintf(fresh, sizeof fresh, "%s.new", c->data);
	int rc = remove_tree(fresh, e);
	if (rc == 0)
		rc = own_folder(c, fresh, e);
	if (rc == 0)
		rc = run_initdb(c, fresh, e);
	if (rc == 0)
		rc = write_settings(c, fresh, e);
	if (rc == 0 && rename(fresh, c->data) < 0)
		rc = io_error(e, c->data);
	if (rc == 0)
		log_event(LOG_INFO, "cluster_made", "path=%s account=%s", c->data, c->account.name);
	return rc;
}

/* ---- the socket's folder ---- */

static bool socket_fits(const char *folder)
{
	struct sockaddr_un un;
	return strlen(folder) + strlen("/.s.PGSQL.5432") < sizeof un.sun_path;
}

/* The short folder that DIR/run.path names, or a new one. */
static int short_folder(struct cluster *c, const char *record, struct err *e)
{
	char text[420];
	struct stat st;
	const char *base = getenv("XDG_RUNTIME_DIR");
	if (read_text(record, text, sizeof text, NULL) == 0) {
		text[strcspn(text, "\n")] = 0;
		if (lstat(text, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == c->account.uid &&
		    socket_fits(text) && !(st.st_mode & 077)) {
			snprintf(c->run, sizeof c->run, "%s", text);
			return 0;
		}
	}
	snprintf(text, sizeof text, "%s/seve-XXXXXX", base && !c->account.drop ? base : "/tmp");
	if (!socket_fits(text))
		snprintf(text, sizeof text, "/tmp/seve-XXXXXX");
	if (!mkdtemp(text))
		return io_error(e, text);
	snprintf(c->run, sizeof c->run, "%s", text);
	int rc = 0;
	if (c->account.drop && chown(text, c->account.uid, c->account.gid) < 0)
		rc = io_error(e, text);
	return rc < 0 ? rc : write_text(record, O_TRUNC, text, e);
}

static int choose_run(struct cluster *c, struct err *e)
{
	char path[420], record[420];
	snprintf(path, sizeof path, "%s/run", c->dir);
	snprintf(record, sizeof record, "%s/run.path", c->dir);
	if (!socket_fits(path))
		return short_folder(c, record, e);
	snprintf(c->run, sizeof c->run, "%s", path);
	return own_folder(c, path, e);
}

/* ---- running ---- */

int cluster_conninfo(const struct cluster *c, const char *user, const char *db, char *out,
		     size_t size, struct err *e)
{
	char host[2 * sizeof c->run];
	size_t n = 0;
	for (const char *s = c->run; *s; s++) {
		if (*s == '\'' || *s == '\\')
			host[n++] = '\\';
		host[n++] = *s;
	}
	host[n] = 0;
	int len = snprintf(out, size, "host='%s' port=5432 user=%s dbname=%s", host, user, db);
	return len < (int)size ? 0 : err_set(e, ERR_CONFIG, "the folder's path is too long");
}

static PGPing ping(const struct cluster *c)
{
	char conninfo[1024];
	if (cluster_conninfo(c, "postgres", "postgres", conninfo, sizeof conninfo, NULL) < 0)
		return PQPING_NO_ATTEMPT;
	return PQping(conninfo);
}

/* What postmaster.pid says: process, and the socket's folder ("" if not yet there). */
struct pid_file {
	pid_t pid;
	char run[420];
	bool ready;
};

/* 1 when there is such a file and it makes sense, 0 otherwise.  Lines: pid, folder, start, port,
 * socket folder, address, shared memory, status. */
static int read_pid_file(const struct cluster *c, struct pid_file *out)
{
	char path[440], text[2048];
	snprintf(path, sizeof path, "%s/postmaster.pid", c->data);
	if (read_text(path, text, sizeof text, NULL) < 0)
		return 0;
	char *lines[8] = {0};
	char *at = text;
	for (size_t i = 0; i < 8 && at; i++)
		lines[i] = strsep(&at, "\n");
	*out = (struct pid_file){.pid = (pid_t)number_of(lines[0])};
	if (lines[4] && snprintf(out->run, sizeof out->run, "%s", lines[4]) >= (int)sizeof out->run)
		return 0;
	out->ready = lines[7] && strncmp(lines[7], "ready", 5) == 0;
	return out->pid > 0;
}

/* Whether the process works in this cluster's folder, as a postmaster does. */
static bool is_postmaster(const struct cluster *c, pid_t pid)
{
	char cwd[64];
	struct stat there, ours;
	snprintf(cwd, sizeof cwd, "/proc/%d/cwd", (int)pid);
	return stat(cwd, &there) == 0 && stat(c->data, &ours) == 0 && there.st_dev == ours.st_dev &&
	       there.st_ino == ours.st_ino;
}

int cluster_adopt(struct cluster *c, struct err *e)
{
	struct pid_file p;
	uint64_t end = clock_mono_ms() + WAIT_START_MS;
	if (!read_pid_file(c, &p))
		return 0;
	if (!is_postmaster(c, p.pid))
		return 0;
	/* it may be starting, in recovery, or on its way out: its killed server has told it to go
	 */
	while (clock_mono_ms() < end && read_pid_file(c, &p) && is_postmaster(c, p.pid)) {
		snprintf(c->run, sizeof c->run, "%s", p.run);
		if (p.ready && ping(c) == PQPING_OK) {
			c->postmaster = p.pid;
			c->adopted = true;
			return 1;
		}
		sleep_ms(TICK_MS);
	}
	c->run[0] = 0;
	if (clock_mono_ms() < end)
		return 0;
	err_set(e, ERR_UNAVAILABLE, "process %d runs in %s and does not answer", (int)p.pid,
		c->data);
	return err_remedy(e, "end it: kill -INT %d", (int)p.pid);
}

static bool child_ended(struct cluster *c)
{
	int status;
	if (waitpid(c->postmaster, &status, WNOHANG) == 0)
		return false;
	c->postmaster = 0;
	return true;
}

static int wait_accepting(struct cluster *c, struct err *e)
{
	uint64_t start = clock_mono_ms();
	struct pid_file p;
	while (clock_mono_ms() - start < WAIT_START_MS) {
		if (child_ended(c)) {
			err_set(e, ERR_UNAVAILABLE, "PostgreSQL ended while it was starting");
			return err_remedy(e, "%s tells why", c->log);
		}
		if (read_pid_file(c, &p) && p.pid == c->postmaster && p.ready &&
		    ping(c) == PQPING_OK)
			return 0;
		sleep_ms(TICK_MS);
	}
	err_set(e, ERR_UNAVAILABLE, "PostgreSQL did not become ready");
	return err_remedy(e, "%s tells why", c->log);
}

/* A pid file whose process is not a postmaster of ours would keep PostgreSQL from starting, when
 * the number now belongs to some other process of the account.  PostgreSQL still finds forgotten
 * backends by their shared memory.  Only for who holds the folder's lock. */
static int forget_stale_pid(const struct cluster *c, struct err *e)
{
	char path[440];
	struct pid_file p;
	if (read_pid_file(c, &p) && is_postmaster(c, p.pid))
		return 0;
	snprintf(path, sizeof path, "%s/postmaster.pid", c->data);
	if (unlink(path) < 0 && errno != ENOENT)
		return io_error(e, path);
	return 0;
}

int cluster_spawn(struct cluster *c, struct err *e)
{
	char program[320];
	int rc = forget_stale_pid(c, e);
	if (rc == 0)
		rc = choose_run(c, e);
	if (rc < 0)
		return rc;
	snprintf(program, sizeof program, "%s/postgres", c->bin);
	const char *const argv[] = {program,
				    "-D",
				    c->data,
				    "-k",
				    c->run,
				    "-h",
				    "",
				    "-p",
				    "5432",
				    "-c",
				    "unix_socket_permissions=0700",
				    NULL};
	int log_fd = open_log(c, e);
	if (log_fd < 0)
		return log_fd;
	rc = child_spawn(&c->account, argv, log_fd, true, &c->postmaster, e);
	close(log_fd);
	c->adopted = false;
	return rc;
}

int cluster_start(struct cluster *c, struct err *e)
{
	int rc = cluster_spawn(c, e);
	if (rc == 0)
		rc = wait_accepting(c, e);
	if (rc < 0)
		cluster_stop(c);
	return rc;
}

/* ---- stopping ---- */

bool cluster_ended(struct cluster *c)
{
	if (c->postmaster == 0)
		return true;
	if (!c->adopted)
		return child_ended(c);
	struct pid_file p;
	/* a dead one that nobody collects is still a process, but it has removed its file */
	return kill(c->postmaster, 0) < 0 || !read_pid_file(c, &p) || p.pid != c->postmaster;
}

static bool signal_and_wait(struct cluster *c, int signal_number, uint64_t ms)
{
	uint64_t end = clock_mono_ms() + ms;
	kill(c->postmaster, signal_number);
	do {
		if (cluster_ended(c))
			return true;
		sleep_ms(TICK_MS);
	} while (clock_mono_ms() < end);
	return false;
}

void cluster_stop(struct cluster *c)
{
	char record[420];
	if (c->postmaster == 0)
		return;
	/* an immediate shutdown loses nothing either: the next start recovers */
	if (!signal_and_wait(c, SIGINT, WAIT_STOP_MS) &&
	    !signal_and_wait(c, SIGQUIT, WAIT_IMMEDIATE_MS))
		log_event(LOG_ERROR, "cluster_stop", "pid=%d why=%s", (int)c->postmaster,
			  "it does not end");
	c->postmaster = 0;
	snprintf(record, sizeof record, "%s/run.path", c->dir);
	if (access(record, F_OK) == 0 && rmdir(c->run) == 0)
		unlink(record);
}
