/* import.c -- imports establishments from lines "key;name;siret" on standard input; a second run
 * changes nothing. Usage: example_import SERVER CA-FILE TOKEN-FILE TERRITORY SOURCE < FILE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seve.h>

static int failed(const char *what, struct seve_error *err)
{
	int status = seve_error_status(err);

	fprintf(stderr, "%s: %s\n", what, seve_error_message(err));
	seve_error_free(err);
	return status;
}

static void verdict(void *ctx, uint32_t line, const char *word, const char *id, const char *field,
		    const char *code, const char *text)
{
	(void)ctx;
	(void)id;
	if (*code)
		fprintf(stderr, "line %u: %s: %s %s: %s\n", line, word, field, code, text);
}

/* Cuts "key;name;siret" in place and sends it as one row. */
static int row(struct seve_import *run, uint32_t territory, uint32_t line, char *text,
	       struct seve_error **err)
{
	struct seve_record *r = NULL;
	char *rest = text, *key = strsep(&rest, ";"), *name = strsep(&rest, ";"),
	     *siret = strsep(&rest, ";\r\n");
	int rc = seve_record_new("actor", territory, &r, err);

	if (!rc && name)
		rc = seve_record_set(r, "name", name, err);
	if (!rc && siret && *siret)
		rc = seve_record_set(r, "siret", siret, err);
	if (!rc)
		rc = seve_import_row(run, line, key, r, 0, err);
	seve_record_free(r);
	return rc;
}

static int import(struct seve *s, uint32_t territory, const char *source, struct seve_error **err)
{
	struct seve_import *run = NULL;
	struct seve_table *report = NULL;
	char text[1024];
	uint32_t line = 0;
	int rc = seve_import_begin(s, territory, "actor", source, NULL, 0, &run, err);

	if (rc)
		return rc;
	seve_import_on_verdict(run, verdict, NULL);
	while (!rc && fgets(text, sizeof text, stdin))
		rc = row(run, territory, ++line, text, err);
	if (!rc)
		rc = seve_import_end(run, &report, err);
	for (size_t i = 0; !rc && i < seve_table_columns(report); i++)
		printf("%s: %s\n", seve_table_column(report, i),
		       seve_table_get(report, 0, seve_table_column(report, i)));
	seve_table_free(report);
	seve_import_free(run);
	return rc;
}

int main(int argc, char **argv)
{
	struct seve_options *o = seve_options_new();
	struct seve_error *err = NULL;
	struct seve *s = NULL;
	uint32_t territory;
	int rc;

	if (argc != 6 || !o) {
		fprintf(stderr, "usage: %s SERVER CA-FILE TOKEN-FILE TERRITORY SOURCE < FILE\n",
			argv[0]);
		return SEVE_USAGE;
	}
	seve_options_set(o, "server", argv[1]);
	seve_options_set(o, "ca-file", argv[2]);
	seve_options_set(o, "token-file", argv[3]);
	rc = seve_open(o, &s, &err);
	seve_options_free(o);
	if (!rc)
		rc = seve_territory_id(s, argv[4], &territory, &err);
	if (!rc)
		rc = import(s, territory, argv[5], &err);
	if (rc)
		failed("import", err);
	seve_close(s);
	return rc;
}
