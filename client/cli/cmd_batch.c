/* cmd_batch.c -- imports that were kept: told, and taken back. */
#include "cmd_batch.h"

#include <string.h>

#include "cli.h"
#include "command.h"
#include "i18n.h"
#include "say.h"
#include "scope.h"
#include "view.h"

enum { BATCH_TEXT = 40 };

static int open_territory(struct cli *c, const char *slug, uint32_t *territory)
{
	const int rc = cli_open(c);
	return rc ? rc : scope_choose(c, slug, territory);
}

/* A batch by its id or the tail of it ("~4f2a"), as the list shows it. */
static int find_batch(struct cli *c, uint32_t territory, const char *name,
		      char out[static BATCH_TEXT])
{
	const char *tail = *name == '~' ? name + 1 : name;
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	size_t hits = 0;
	if (seve_imports(c->seve, territory, &t, &err))
		return say_seve(c, err);
	for (size_t i = 0; i < seve_table_rows(t); i++) {
		const char *id = seve_table_get(t, i, "batch");
		const size_t n = strlen(id), m = strlen(tail);
		if (m == 0 || m > n || strcmp(id + n - m, tail) != 0)
			continue;
		snprintf(out, BATCH_TEXT, "%s", id);
		hits++;
	}
	seve_table_free(t);
	if (hits == 1)
		return 0;
	return say_failure(c, hits ? ERR_USAGE : ERR_NOT_FOUND,
			   _("seve import list shows them; give more of the id"),
			   hits ? _("several imports end in %s") : _("there is no import %s"),
			   name);
}

int cmd_import_list(struct cli *c)
{
	const char *slug = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &slug, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	uint32_t territory = 0;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	int rc = open_territory(c, slug, &territory);
	if (rc)
		return rc;
	if (seve_imports(c->seve, territory, &t, &err))
		return say_seve(c, err);
	rc = view_table(c, "seve.import.list/1",
			c->format == OUT_TABLE ? "batch,began_at,source,kind,label,created,updated,"
						 "unchanged,rejected,reverted_at"
					       : NULL,
			t);
	seve_table_free(t);
	return rc;
}

int cmd_import_report(struct cli *c)
{
	const char *slug = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &slug, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct seve_table *summary = NULL, *rows = NULL;
	struct seve_error *err = NULL;
	char batch[BATCH_TEXT];
	uint32_t territory = 0;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = open_territory(c, slug, &territory);
	if (rc == 0)
		rc = find_batch(c, territory, c->args.at[0], batch);
	if (rc)
		return rc;
	if (seve_import_report(c->seve, territory, batch, &summary, &rows, &err))
		return say_seve(c, err);
	if (c->format == OUT_TABLE)
		rc = view_table(c, "seve.import.batch/1",
				"batch,source,label,created,updated,unchanged,attached,skipped,"
				"deleted,rejected",
				summary);
	if (rc == 0)
		rc = view_table(c, "seve.import.report/1", NULL, rows);
	seve_table_free(summary);
	seve_table_free(rows);
	return rc;
}

int batch_take_back(struct cli *c, uint32_t territory, const char *batch)
{
	struct seve_table *report = NULL, *rows = NULL;
	struct seve_error *err = NULL;
	if (seve_import_revert(c->seve, territory, batch, &report, &rows, &err))
		return say_seve(c, err);
	int rc = view_table(c, "seve.import.revert/1", NULL, report);
	if (rc == 0 && seve_table_rows(rows) && c->format == OUT_TABLE)
		rc = view_table(c, "seve.import.report/1", "key,verdict,text", rows);
	if (rc == 0 && seve_table_rows(rows))
		rc = SEVE_PARTIAL;
	seve_table_free(report);
	seve_table_free(rows);
	return rc;
}

int cmd_import_revert(struct cli *c)
{
	const char *slug = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &slug, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	char batch[BATCH_TEXT];
	uint32_t territory = 0;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = open_territory(c, slug, &territory);
	if (rc == 0)
		rc = find_batch(c, territory, c->args.at[0], batch);
	return rc ? rc : batch_take_back(c, territory, batch);
}
