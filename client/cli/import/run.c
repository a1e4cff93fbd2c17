/* run.c -- see run.h: the rows of an opened file, pass by pass. */
#include "import/run.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "i18n.h"
#include "import/run_parts.h"
#include "say.h"
#include "scope.h"

/* ---- all rows ---- */

/* Of a later pass: the next of the lines that were put off. */
static bool is_wanted(struct run *r, uint32_t line)
{
	if (r->pass == RUN_WHOLE)
		return true;
	while (r->late.at < r->late.n &&
	       (r->late.lines[r->late.at] == 0 || r->late.lines[r->late.at] < line))
		r->late.at++;
	return r->late.at < r->late.n && r->late.lines[r->late.at] == line;
}

static int on_row(struct run *r, const struct reader_row *row)
{
	if (!is_wanted(r, row->line))
		return 0;
	if (r->pass == RUN_WHOLE) {
		if (row->replaced && !r->report.replaced)
			r->report.replaced_line = row->line;
		r->report.replaced += row->replaced;
		r->report.rows++;
		progress_show(&r->progress, r->file_name, r->report.rows, r->total);
	}
	const int rc = run_send_row(r, row);
	if (rc == 0 && r->o.errors_max && r->report.counts[REPORT_REJECTED] >= r->o.errors_max)
		r->report.stopped = true;
	return rc;
}

static void tell_broken(const struct run *r)
{
	if (r->o.dry_run)
		return;
	say_warning(r->c,
		    _("%llu rows had been written; the same command again goes on from there."),
		    (unsigned long long)(r->report.counts[REPORT_CREATED] +
					 r->report.counts[REPORT_UPDATED] +
					 r->report.counts[REPORT_UNCHANGED] +
					 r->report.counts[REPORT_ATTACHED]));
}

/* A file with mistakes, or one that was not read to its end, does not tell what is gone. */
static void ask_full(struct run *r)
{
	if (!r->o.full || r->pass != RUN_WHOLE)
		return;
	if (r->report.counts[REPORT_REJECTED] || r->report.stopped || r->late.n)
		say_warning(
			r->c, "%s",
			_("Rows were rejected: nothing is deleted after a file with mistakes."));
	else
		seve_import_full(r->import, r->o.force);
}

static int finish(struct run *r)
{
	struct seve_error *err = NULL;
	struct seve_table *table = NULL;
	ask_full(r);
	int rc = seve_import_end(r->import, &table, &err) ? run_failed(r, err) : r->status;
	if (table)
		snprintf(r->report.head_rev, sizeof r->report.head_rev, "%s",
			 seve_table_get(table, 0, "head_rev"));
	seve_table_free(table);
	return rc;
}

static int send_all(struct run *r)
{
	struct err e = {0};
	struct reader_row row;
	int rc = reader_rewind(r->reader, &e);
	while (rc == 0 && !r->report.stopped) {
		rc = reader_next(r->reader, &row, &e);
		if (rc <= 0)
			break;
		rc = on_row(r, &row);
		if (rc)
			return rc;
	}
	return rc < 0 ? say_err(r->c, &e) : finish(r);
}

static void new_report(struct run *r)
{
	r->report = (struct report){.c = r->c,
				    .source = r->o.source,
				    .territory = r->slug,
				    .kind = r->kind->name,
				    .mapping = r->mapping.name,
				    .file = r->file_name,
				    .format = reader_format(r->reader),
				    .dry_run = r->o.dry_run,
				    .list = r->report.list}; /* its room is used again */
}

/* The run knows its keys again only when it has seen every row. */
static int start_over(struct run *r)
{
	say_note(r->c, "%s",
		 _("The connection was lost: the file is sent again from its first row."));
	run_forget_sent(r);
	new_report(r);
	r->late.n = r->late.at = 0;
	rejects_drop(&r->rejects);
	return run_rejects_open(r);
}

/* The file's name without its folder. */
static const char *label(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static int pass(struct run *r, enum run_pass which)
{
	struct seve_error *err = NULL;
	r->pass = which;
	r->late.at = 0;
	if (seve_import_begin(r->c->seve, r->territory, r->kind->name, r->o.source,
			      label(r->file_name), r->o.dry_run, &r->import, &err))
		return say_seve(r->c, err);
	seve_import_on_verdict(r->import, run_on_verdict, r);
	/* Later passes send rows with keys of their own, and delete nothing. */
	if (which == RUN_WHOLE)
		seve_import_rereads(r->import);
	if (r->n_batches < RUN_BATCHES_MAX)
		snprintf(r->batches[r->n_batches++], sizeof r->batches[0], "%s",
			 seve_import_batch(r->import));
	int rc;
	while ((rc = send_all(r)) == RUN_AGAIN && (rc = start_over(r)) == 0)
		;
	seve_import_free(r->import);
	r->import = NULL;
	if (rc == SEVE_RETRY)
		tell_broken(r);
	return rc;
}

/* Rows of other territories in an export of ours. */
static int own_territory(struct run *r)
{
	struct mapping *m = &r->mapping;
	size_t n;
	char *const *columns = reader_columns(r->reader, &n);
	struct mapping_filter *all = arena_array(&r->c->arena, m->n_filters + 1, sizeof *all);
	const char **words = arena_array(&r->c->arena, 1, sizeof *words);
	if (!all || !words)
		return say_nomem(r->c);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(columns[i], "territory") != 0)
			continue;
		words[0] = r->o.from ? r->o.from : r->slug;
		if (m->n_filters)
			memcpy(all, m->filters, m->n_filters * sizeof *all);
		all[m->n_filters++] = (struct mapping_filter){
			.column = "territory", .keep = true, .words = words, .n = 1, .index = i};
		m->filters = all;
		break;
	}
	const bool *wanted = mapping_wanted(&r->c->arena, m);
	if (!wanted)
		return say_nomem(r->c);
	reader_want(r->reader, r->o.rejects ? NULL : wanted);
	return 0;
}

/* Only cells that refer to rows ask for keys: of any other file they need not be remembered. */
static bool needs_keys(const struct run *r)
{
	for (size_t i = 0; i < r->mapping.n_rules; i++)
		if (r->mapping.rules[i].ref)
			return true;
	return r->puts_off;
}

int run_send(struct run *r, uint32_t territory, struct keys *keys)
{
	r->territory = territory;
	r->slug = scope_slug(r->c, territory);
	new_report(r);
	r->keys = keys;
	r->keeps_keys = needs_keys(r);
	int rc = r->mapping.own ? own_territory(r) : 0;
	if (rc)
		return rc;
	progress_start(&r->progress, r->c);
	rc = pass(r, RUN_WHOLE);
	if (rc == 0 && r->late.n)
		rc = pass(r, RUN_BARE);
	progress_end(&r->progress);
	return rc;
}

int run_late(struct run *r)
{
	size_t left = 0;
	for (size_t i = 0; i < r->late.n; i++)
		left += r->late.lines[i] != 0;
	return left ? pass(r, RUN_LATE) : 0;
}

void run_close(struct run *r)
{
	run_forget_sent(r);
	rejects_drop(&r->rejects);
	reader_close(r->reader);
	r->reader = NULL;
	if (r->file)
		fclose(r->file);
	r->file = NULL;
	free(r->late.lines);
	r->late.lines = NULL;
	r->late.n = r->late.room = 0;
}
