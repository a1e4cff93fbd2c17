/* loop.c -- synchronises within an event loop of one's own: here poll(2), which watches another
 * descriptor meanwhile. Usage: example_loop SERVER CA-FILE TOKEN-FILE STORE TERRITORY-NUMBER */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <seve.h>

struct job {
	int ended, status;
};

static void told(void *ctx, int status, struct seve_table *report, const struct seve_error *err)
{
	struct job *job = ctx;

	if (err)
		fprintf(stderr, "sync: %s\n", seve_error_message(err));
	for (size_t i = 0; i < seve_table_rows(report); i++)
		printf("%s: %s, rev %s\n", seve_table_get(report, i, "slug"),
		       seve_table_get(report, i, "state"), seve_table_get(report, i, "rev"));
	seve_table_free(report);
	job->ended = 1;
	job->status = status;
}

/* One turn: whatever comes first, the library's descriptor or the other one. */
static int turn(struct seve *s, int *other)
{
	struct pollfd p[2] = {{.fd = seve_fd(s)}, {.fd = *other, .events = POLLIN}};
	int events = seve_events(s);
	char bytes[256];

	p[0].events = (short)((events & 1 ? POLLIN : 0) | (events & 2 ? POLLOUT : 0));
	if (poll(p, 2, seve_timeout_ms(s)) < 0)
		return SEVE_OK; /* interrupted: the next turn comes */
	/* Something on the other descriptor is this program's own business; at its end it is
	 * watched no more. */
	if (p[1].revents && read(*other, bytes, sizeof bytes) <= 0)
		*other = -1;
	return seve_process(s, NULL);
}

int main(int argc, char **argv)
{
	struct seve_options *o = seve_options_new();
	struct seve_error *err = NULL;
	struct job job = {0, 0};
	struct seve *s = NULL;
	int other = STDIN_FILENO, rc;

	if (argc != 6 || !o) {
		fprintf(stderr, "usage: %s SERVER CA-FILE TOKEN-FILE STORE TERRITORY-NUMBER\n",
			argv[0]);
		return SEVE_USAGE;
	}
	seve_options_set(o, "server", argv[1]);
	seve_options_set(o, "ca-file", argv[2]);
	seve_options_set(o, "token-file", argv[3]);
	seve_options_set(o, "store", argv[4]);
	rc = seve_open(o, &s, &err);
	seve_options_free(o);
	if (!rc)
		rc = seve_sync_start(s, (uint32_t)strtoul(argv[5], NULL, 10), told, &job, &err);
	if (rc)
		fprintf(stderr, "%s\n", seve_error_message(err));
	while (!rc && !job.ended)
		rc = turn(s, &other);
	seve_error_free(err);
	seve_close(s);
	return rc ? rc : job.status;
}
