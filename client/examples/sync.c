/* sync.c -- synchronises all replicas once and lists what is in progress.
 * Usage: example_sync SERVER CA-FILE TOKEN-FILE STORE TERRITORY */
#include <stdio.h>
#include <stdlib.h>

#include <seve.h>

static int failed(const char *what, struct seve_error *err)
{
	int status = seve_error_status(err);

	fprintf(stderr, "%s: %s", what, seve_error_message(err));
	if (*seve_error_remedy(err))
		fprintf(stderr, " (%s)", seve_error_remedy(err));
	fprintf(stderr, "\n");
	seve_error_free(err);
	return status;
}

static struct seve *open_handle(char **argv)
{
	struct seve_options *o = seve_options_new();
	struct seve_error *err = NULL;
	struct seve *s = NULL;

	seve_options_set(o, "server", argv[1]);
	seve_options_set(o, "ca-file", argv[2]);
	seve_options_set(o, "token-file", argv[3]);
	seve_options_set(o, "store", argv[4]);
	seve_options_set(o, "agent", "example_sync/1");
	if (seve_open(o, &s, &err))
		exit(failed(argv[4], err));
	seve_options_free(o);
	return s;
}

static void print_report(const struct seve_table *t)
{
	for (size_t i = 0; i < seve_table_rows(t); i++)
		printf("%s: %s, %s pushed, %s pulled, rev %s\n", seve_table_get(t, i, "slug"),
		       seve_table_get(t, i, "state"), seve_table_get(t, i, "pushed"),
		       seve_table_get(t, i, "pulled"), seve_table_get(t, i, "rev"));
}

static int list_in_progress(struct seve *s, uint32_t territory)
{
	struct seve_query *q = seve_query_new("action");
	struct seve_error *err = NULL;
	struct seve_list *l = NULL;
	int rc = SEVE_OK;

	seve_query_territory(q, territory);
	if (seve_query_filter(q, "status", "=", "in_progress", &err) ||
	    seve_list(s, q, SEVE_REPLICA, &l, &err))
		rc = failed("actions", err);
	for (size_t i = 0; i < seve_list_count(l); i++) {
		const struct seve_record *r = seve_list_at(l, i);

		printf("%s %s\n", seve_record_ref(r), seve_record_get(r, "title"));
	}
	seve_list_free(l);
	seve_query_free(q);
	return rc;
}

int main(int argc, char **argv)
{
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	uint32_t territory;
	struct seve *s;
	int rc;

	if (argc != 6) {
		fprintf(stderr, "usage: %s SERVER CA-FILE TOKEN-FILE STORE TERRITORY\n", argv[0]);
		return SEVE_USAGE;
	}
	s = open_handle(argv);
	if (seve_territory_id(s, argv[5], &territory, &err) ||
	    seve_sync(s, territory, NULL, NULL, &report, &err)) {
		rc = failed("sync", err);
	} else {
		print_report(report);
		rc = list_in_progress(s, territory);
	}
	seve_table_free(report);
	seve_close(s);
	return rc;
}
