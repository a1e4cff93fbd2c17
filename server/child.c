/* child.c -- programs run as an unprivileged account: see child.h.  Between fork and exec only what
 * POSIX allows there. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child tells its parent before it ends for want of something. */
struct report {
	const char *step; /* a constant: the same address in both processes */
	int error;
	size_t at; /* child_reach(): length of the path that could not be entered */
};

/* The account that a server started by root gives its database to. */
static int account_unprivileged(struct account *out, struct err *e)
{
	const struct passwd *pw = getpwnam("postgres");
	if (!pw)
		pw = getpwnam("nobody");
	if (!pw || pw->pw_uid == 0) {
		err_set(e, ERR_CONFIG, "no unprivileged account for the database");
		return err_remedy(e, "make one: adduser --system --group postgres");
	}
	*out = (struct account){.uid = pw->pw_uid, .gid = pw->pw_gid, .drop = true};
	snprintf(out->name, sizeof out->name, "%s", pw->pw_name);
	return 0;
}

int account_choose(struct account *out, struct err *e)
{
	uid_t uid = geteuid();
	if (uid == 0)
		return account_unprivileged(out, e);
	const struct passwd *pw = getpwuid(uid);
	*out = (struct account){.uid = uid, .gid = getegid()};
	if (pw)
		snprintf(out->name, sizeof out->name, "%s", pw->pw_name);
	else
		snprintf(out->name, sizeof out->name, "%u", (unsigned)uid);
	return 0;
}

/* For the child: becomes the account.  NULL, or the step that failed, errno telling why. */
static const char *become(const struct account *a)
{
	if (!a->drop)
		return NULL;
	if (setgroups(1, &a->gid) < 0)
		return "setgroups";
	if (setgid(a->gid) < 0)
		return "setgid";
	if (setuid(a->uid) < 0)
		return "setuid";
	return NULL;
}

static _Noreturn void give_up(int fd, const char *step, size_t at)
{
	struct report r = {.step = step, .error = errno, .at = at};
	ssize_t n = write(fd, &r, sizeof r);
	_exit(n == (ssize_t)sizeof r ? 127 : 126);
}

/* Waits for the report pipe to close: 1 with a report, 0 without (all went well). */
static int read_report(int fd, struct report *r)
{
	ssize_t n;
	do
		n = read(fd, r, sizeof *r);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof *r;
}

static int wait_for(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static void try_path(const struct account *a, char *path, int fd)
{
	const char *step = become(a);
	if (step)
		give_up(fd, step, 0);
	size_t len = strlen(path);
	for (size_t i = 1; i <= len; i++) {
		if (i < len && path[i] != '/')
			continue;
		char next = path[i];
		path[i] = 0;
		if (chdir(path) < 0)
			give_up(fd, "chdir", i);
		path[i] = next;
	}
	_exit(0);
}

int child_reach(const struct account *a, const char *path, struct err *e)
{
	char copy[PATH_MAX];
	int fds[2];
	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
		return err_set(e, ERR_CONFIG, "the path is too long");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(e, ERR_IO, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0)
		try_path(a, copy, fds[1]);
	int error = errno;
	close(fds[1]);
	struct report r;
	bool failed = pid > 0 && read_report(fds[0], &r);
	close(fds[0]);
	if (pid < 0)
		return err_set(e, ERR_IO, "fork: %s", strerror(error));
	int status = wait_for(pid);
	if (!failed && status == 0)
		return 0;
	if (!failed || r.at == 0)
		return err_set(e, ERR_IO, "becoming %s: %s", a->name,
			       failed ? strerror(r.error) : "the child died");
	err_set(e, ERR_CONFIG, "%.*s: the database's account %s cannot enter it (%s)", (int)r.at,
		path, a->name, strerror(r.error));
	return err_remedy(e,
			  "chmod o+x %.*s, or choose a folder that everybody can reach, such as "
			  "/var/lib/seve",
			  (int)r.at, path);
}

struct start {
	const struct account *account;
	const char *const *argv;
	int log_fd, report_fd, null_fd;
	bool tied;
	pid_t parent;
};

static _Noreturn void child_main(const struct start *s)
{
	static char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8", zone[] = "TZ=UTC";
	static char *const environment[] = {path, locale, zone, NULL};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	if (setsid() < 0)
		give_up(s->report_fd, "setsid", 0);
	const char *step = become(s->account);
	if (step)
		give_up(s->report_fd, step, 0);
	/* after the change of user, which clears it; the parent may have died before it took effect
	 */
	if (s->tied && (prctl(PR_SET_PDEATHSIG, SIGINT) < 0 || getppid() != s->parent))
		give_up(s->report_fd, "prctl", 0);
	if (dup2(s->null_fd, 0) < 0 || dup2(s->log_fd, 1) < 0 || dup2(s->log_fd, 2) < 0)
		give_up(s->report_fd, "dup2", 0);
	if (chdir("/") < 0)
		give_up(s->report_fd, "chdir", 0);
	/* other people's descriptors, should one of them lack the flag */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	execve(s->argv[0], (char *const *)s->argv, environment);
	give_up(s->report_fd, "execve", 0);
}

int child_spawn(const struct account *a, const char *const argv[], int log_fd, bool tied,
		pid_t *out, struct err *e)
{
	int fds[2];
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return err_set(e, ERR_IO, "/dev/null: %s", strerror(errno));
	if (pipe2(fds, O_CLOEXEC) < 0) {
		close(null_fd);
		return err_set(e, ERR_IO, "pipe: %s", strerror(errno));
	}
	struct start s = {.account = a, .argv = argv, .log_fd = log_fd, .report_fd = fds[1]};
	s.null_fd = null_fd;
	s.tied = tied;
	s.parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		child_main(&s);
	int error = errno;
	close(fds[1]);
	close(null_fd);
	struct report r;
	bool failed = pid > 0 && read_report(fds[0], &r);
	close(fds[0]);
	if (pid < 0)
		return err_set(e, ERR_IO, "fork: %s", strerror(error));
	if (failed) {
		wait_for(pid);
		return err_set(e, ERR_IO, "%s: %s: %s", argv[0], r.step, strerror(r.error));
	}
	*out = pid;
	return 0;
}

int child_run(const struct account *a, const char *const argv[], int log_fd, struct err *e)
{
	pid_t pid = 0;
	int rc = child_spawn(a, argv, log_fd, false, &pid, e);
	if (rc < 0)
		return rc;
	int status = wait_for(pid);
	if (status == 0)
		return 0;
	if (status > 0 && WIFSIGNALED(status))
		return err_set(e, ERR_IO, "%s: killed by signal %d", argv[0], WTERMSIG(status));
	return err_set(e, ERR_IO, "%s: exit status %d", argv[0], WEXITSTATUS(status));
}
