/* watch.c -- tells what changes in a territory, in an event loop of its own: here poll(2).  Ends
 * after so many changes. Usage: example_watch SERVER CA-FILE TOKEN-FILE STORE TERRITORY-SLUG
 * CHANGES */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <seve.h>

struct job {
	long left;
	int ended, status;
};

static int changed(void *ctx, struct seve_change *c)
{
	struct job *job = ctx;

	printf("%s %s %s %s\n", seve_change_op(c), seve_change_kind(c), seve_change_ref(c),
	       seve_change_fields(c));
	fflush(stdout);
	return --job->left <= 0;
}

static int state(void *ctx, uint32_t territory, enum seve_watch_state what, uint64_t rev,
		 const struct seve_error *err)
{
	(void)ctx;
	(void)territory;
	if (what == SEVE_WATCH_IN_STEP)
		fprintf(stderr, "in step at rev %llu\n", (unsigned long long)rev);
	else if (err)
		fprintf(stderr, "%s\n", seve_error_message(err));
	return 0;
}

static void ended(void *ctx, int status, const struct seve_error *err)
{
	struct job *job = ctx;

	if (err)
		fprintf(stderr, "watch: %s\n", seve_error_message(err));
	job->ended = 1;
	job->status = status;
}

static void turn(struct seve *s)
{
	struct pollfd p = {.fd = seve_fd(s)};
	int events = seve_events(s);

	p.events = (short)((events & 1 ? POLLIN : 0) | (events & 2 ? POLLOUT : 0));
	poll(&p, p.fd >= 0, seve_timeout_ms(s));
	seve_process(s, NULL);
}

int main(int argc, char **argv)
{
	struct seve_options *o = seve_options_new();
	struct seve_error *err = NULL;
	struct job job = {0, 0, 0};
	const struct seve_watcher want = {changed, state, ended, &job};
	struct seve *s = NULL;
	uint32_t territory = 0;
	int rc;

	if (argc != 7 || !o) {
		fprintf(stderr, "usage: %s SERVER CA-FILE TOKEN-FILE STORE TERRITORY CHANGES\n",
			argv[0]);
		return SEVE_USAGE;
	}
	job.left = strtol(argv[6], NULL, 10);
	seve_options_set(o, "server", argv[1]);
	seve_options_set(o, "ca-file", argv[2]);
	seve_options_set(o, "token-file", argv[3]);
	seve_options_set(o, "store", argv[4]);
	rc = seve_open(o, &s, &err);
	seve_options_free(o);
	if (!rc)
		rc = seve_territory_id(s, argv[5], &territory, &err);
	if (!rc)
		rc = seve_watch_start(s, &territory, 1, &want, &err);
	if (rc)
		fprintf(stderr, "%s\n", seve_error_message(err));
	while (!rc && !job.ended)
		turn(s);
	seve_error_free(err);
	seve_close(s);
	return rc ? rc : job.status;
}
