/* standby.c -- a streaming standby of the fixture's cluster: see standby.h. */
#include "standby.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, LOOK_MS = 5 };

static void copy_cluster(const struct cluster *c)
{
	char program[320], log[512];
	struct err e = {0};
	snprintf(program, sizeof program, "%s/pg_basebackup", c->bin);
	snprintf(log, sizeof log, "%s/basebackup.log", c->dir);
	const char *const argv[] = {program, "-d",        fixture_cluster()->admin_conninfo,
				    "-D",    c->data,     "-R",
				    "-X",    "stream",    "-c",
				    "fast",  "--no-sync", NULL};
	assert_int_equal(mkdir(c->data, 0700), 0);
	if (c->account.drop)
		assert_int_equal(chown(c->data, c->account.uid, c->account.gid), 0);
	const int fd = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	if (child_run(&c->account, argv, fd, &e) < 0)
		fail_msg("%s (%s)", e.text, log);
	close(fd);
}

void standby_start(struct standby *s)
{
	char dir[256];
	struct err e = {0};
	fixture_folder(dir);
	if (cluster_init(&s->cluster, dir, &e) < 0)
		fail_msg("%s", e.text);
	copy_cluster(&s->cluster);
	if (cluster_start(&s->cluster, &e) < 0)
		fail_msg("%s", e.text);
}

void standby_stop(struct standby *s)
{
	cluster_stop(&s->cluster);
}

static void conninfo(const struct standby *s, const char *user, const char *db,
		     char out[static 512])
{
	struct err e = {0};
	if (cluster_conninfo(&s->cluster, user, db, out, 512, &e) < 0)
		fail_msg("%s", e.text);
}

void standby_conninfo(const struct standby *s, const struct fixture_db *db, char out[static 512])
{
	conninfo(s, "seve", db->name, out);
}

void standby_admin(const struct standby *s, const struct fixture_db *db, char out[static 512])
{
	conninfo(s, "postgres", db->name, out);
}

void standby_catch_up(const struct standby *s, const struct fixture_db *db)
{
	char there[512], sql[128], lsn[64];
	conninfo(s, "postgres", "postgres", there);
	snprintf(lsn, sizeof lsn, "%s",
		 fixture_text(db->admin, "SELECT pg_current_wal_flush_lsn()"));
	snprintf(sql, sizeof sql, "SELECT pg_last_wal_replay_lsn() >= '%s'", lsn);
	for (unsigned ms = 0; ms < PATIENCE_MS; ms += LOOK_MS) {
		if (!strcmp(fixture_text(there, sql), "t"))
			return;
		usleep(LOOK_MS * 1000);
	}
	fail_msg("the standby does not catch up");
}
