/* cmd_import.c -- a partner's file, row by row: read twice, first whole to see that it can be read,
 * then sent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "file.h"
#include "i18n.h"
#include "import/csvfile.h"
#include "import/mapping.h"
#include "import/report.h"
#include "progress.h"
#include "say.h"
#include "scope.h"
#include "text.h"

struct sent_row { /* waits for its verdict */
	struct sent_row *next;
	uint32_t line;
	char key[];
};

struct import {
	struct cli *c;
	const char *file_name, *mapping_name, *territory, *rejected_path, *separator, *most_errors,
		*source;
	bool dry_run, revive;
	struct csvfile_options csv;
	const struct kind *kind;
	uint32_t territory_id;
	FILE *file;
	struct mapping mapping;
	struct file_draft rejected;
	struct report report;
	struct progress progress;
	uint64_t total, errors_max;
	bool header_read;
	struct seve_import *run;
	struct sent_row *first, **last;
	int status; /* of what a callback has said */
};

/* ---- the file ---- */

/* Standard input cannot be read twice: it goes through a file without a name. */
static FILE *spool(void)
{
	char block[64 * 1024];
	FILE *copy = tmpfile();
	size_t n;
	while (copy && (n = fread(block, 1, sizeof block, stdin)) > 0) {
		if (fwrite(block, 1, n, copy) != n) {
			fclose(copy);
			return NULL;
		}
	}
	if (copy)
		rewind(copy);
	return copy;
}

static int open_file(struct import *it)
{
	const bool piped = strcmp(it->file_name, "-") == 0;
	it->file = piped ? spool() : fopen(it->file_name, "re");
	if (it->file)
		return 0;
	const enum err_code code = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	return say_failure(it->c, code, NULL, "%s: %s", it->file_name, strerror(errno));
}

/* ---- the mapping ---- */

static int parse_mapping(struct import *it, const char *name, const char *text, struct err *e)
{
	return mapping_parse(&it->c->arena, name, text, &it->mapping, e);
}

/* Named: one that comes with the program, else a file. */
static int load_mapping(struct import *it)
{
	struct err e = {0};
	char *text = NULL;
	if (!it->mapping_name)
		return 0;
	const char *builtin = mapping_builtin(it->mapping_name);
	int rc = builtin ? 0 : file_read(&it->c->arena, it->mapping_name, MAPPING_MAX, &text, &e);
	if (rc == 0)
		rc = parse_mapping(it, it->mapping_name, builtin ? builtin : text, &e);
	if (rc == -ERR_NOT_FOUND)
		err_remedy(&e, _("a file, or one of: irep, sirene-ods, seve, plain"));
	return rc < 0 ? say_err(it->c, &e) : 0;
}

/* Without --mapping: the first of ours that fits the header. */
static int guess_mapping(struct import *it, const struct csvfile_row *row, struct err *e)
{
	const char *name;
	for (size_t i = 0; (name = mapping_builtin_name(i)); i++) {
		if (parse_mapping(it, name, mapping_builtin(name), NULL) == 0 &&
		    mapping_bind(&it->c->arena, &it->mapping, it->kind, row->cells, row->n, NULL) ==
			    0)
			return 0;
	}
	for (size_t i = 0; i < row->n; i++) /* clearly meant as "plain": what is wrong with it? */
		if (strcmp(row->cells[i], "key") == 0 &&
		    parse_mapping(it, "plain", mapping_builtin("plain"), e) == 0)
			return mapping_bind(&it->c->arena, &it->mapping, it->kind, row->cells,
					    row->n, e);
	err_set(e, ERR_INVALID,
		_("no mapping of ours fits the columns of this file (the first is \"%.60s\")"),
		row->cells[0]);
	return err_remedy(e, _("write one and pass --mapping FILE; or name the columns as our "
			       "fields, and the key \"key\""));
}

/* ---- reading it through ---- */

static int scan_row(void *ctx, const struct csvfile_row *row, struct err *e)
{
	struct import *it = ctx;
	if (it->header_read) {
		it->total++;
		return 0;
	}
	it->header_read = true;
	if (!it->mapping_name)
		return guess_mapping(it, row, e);
	return mapping_bind(&it->c->arena, &it->mapping, it->kind, row->cells, row->n, e);
}

static int scan(struct import *it)
{
	struct err e = {0};
	int rc = csvfile_read(it->file, &it->csv, scan_row, it, &e);
	if (rc == 0 && !it->header_read)
		rc = err_set(&e, ERR_INVALID, _("the file is empty"));
	if (rc < 0) {
		err_prefix(&e, "%s", it->file_name);
		return say_err(it->c, &e);
	}
	rewind(it->file);
	it->header_read = false;
	return 0;
}

/* ---- sending ---- */

static void on_verdict(void *ctx, uint32_t line, const char *verdict, const char *id,
		       const char *field, const char *code, const char *text)
{
	struct import *it = ctx;
	struct sent_row *sent = it->first;
	(void)id;
	if (sent) {
		it->first = sent->next;
		if (!it->first)
			it->last = &it->first;
	}
	const struct report_row row = {.line = line,
				       .verdict = report_verdict(verdict),
				       .key = sent ? sent->key : "",
				       .field = field,
				       .code = code,
				       .text = text};
	const int rc = report_add(&it->report, &row);
	if (rc && !it->status)
		it->status = rc;
	free(sent);
}

static int remember(struct import *it, uint32_t line, const char *key)
{
	const size_t n = strlen(key) + 1;
	struct sent_row *sent = malloc(sizeof *sent + n);
	if (!sent)
		return say_nomem(it->c);
	sent->next = NULL;
	sent->line = line;
	memcpy(sent->key, key, n);
	*it->last = sent;
	it->last = &sent->next;
	return 0;
}

static int reject(struct import *it, uint32_t line, const char *key, const char *field,
		  const struct err *why)
{
	const struct report_row row = {.line = line,
				       .verdict = REPORT_REJECTED,
				       .key = key,
				       .field = field,
				       .code = err_name(why->code),
				       .text = why->text};
	return report_add(&it->report, &row);
}

struct filling {
	struct seve_record *record;
	char field[64];
	struct err why;
};

static int set_field(void *ctx, const char *field, const char *text)
{
	struct filling *f = ctx;
	struct seve_error *err = NULL;
	if (seve_record_set(f->record, field, text, &err) == SEVE_OK)
		return 0;
	snprintf(f->field, sizeof f->field, "%s", field);
	err_set(&f->why, err_by_name(err ? seve_error_code(err) : "NOMEM"), "%s",
		err ? seve_error_message(err) : "");
	seve_error_free(err);
	return -(int)f->why.code;
}

static int send_record(struct import *it, uint32_t line, const char *key,
		       const struct seve_record *r)
{
	struct seve_error *err = NULL;
	const int rc = remember(it, line, key);
	if (rc)
		return rc;
	if (seve_import_row(it->run, line, key, r, it->revive ? SEVE_IMPORT_REVIVE : 0, &err))
		return say_seve(it->c, err);
	return it->status;
}

/* 0, or an exit status that ends the import; a row that is not good is only reported. */
static int send_row(struct import *it, const struct csvfile_row *row)
{
	struct filling f = {.record = NULL};
	struct seve_error *err = NULL;
	char key[MAPPING_KEY_MAX] = "";
	if (row->n != it->mapping.width) {
		err_set(&f.why, ERR_INVALID, _("%zu cells, but the header has %zu"), row->n,
			it->mapping.width);
		return reject(it, row->line,
			      row->n > it->mapping.key_index[0]
				      ? row->cells[it->mapping.key_index[0]]
				      : "",
			      "", &f.why);
	}
	if (mapping_key(&it->mapping, row->cells, key, &f.why) < 0)
		return reject(it, row->line, "", "", &f.why);
	if (seve_record_new(it->kind->name, it->territory_id, &f.record, &err))
		return say_seve(it->c, err);
	int rc = mapping_apply(&it->mapping, row->cells, set_field, &f, &f.why);
	if (rc < 0)
		rc = reject(it, row->line, key, f.field, &f.why);
	else
		rc = send_record(it, row->line, key, f.record);
	seve_record_free(f.record);
	return rc;
}

/* The library's and our exit statuses are positive; csvfile's own errors are negative. */
static int on_row(void *ctx, const struct csvfile_row *row, struct err *e)
{
	struct import *it = ctx;
	(void)e;
	if (row->replaced && !it->report.replaced)
		it->report.replaced_line = row->line;
	it->report.replaced += row->replaced;
	if (!it->header_read) {
		it->header_read = true;
		return 0;
	}
	it->report.rows++;
	progress_show(&it->progress, it->file_name, it->report.rows, it->total);
	const int rc = send_row(it, row);
	if (rc == 0 && it->errors_max && it->report.counts[REPORT_REJECTED] >= it->errors_max) {
		it->report.stopped = true;
		return -ERR_CANCELLED;
	}
	return rc;
}

static void tell_broken(const struct import *it)
{
	if (it->dry_run)
		return;
	say_warning(it->c,
		    _("%llu rows had been written; the same command again goes on from there."),
		    (unsigned long long)(it->report.counts[REPORT_CREATED] +
					 it->report.counts[REPORT_UPDATED] +
					 it->report.counts[REPORT_UNCHANGED] +
					 it->report.counts[REPORT_ATTACHED]));
}

static int send_all(struct import *it)
{
	struct err e = {0};
	struct seve_error *err = NULL;
	struct seve_table *table = NULL;
	int rc = csvfile_read(it->file, &it->csv, on_row, it, &e);
	if (rc == -ERR_CANCELLED && it->report.stopped)
		rc = 0;
	if (rc < 0)
		rc = say_err(it->c, &e);
	if (rc == 0 && seve_import_end(it->run, &table, &err))
		rc = say_seve(it->c, err);
	if (rc == 0)
		rc = it->status;
	if (table)
		snprintf(it->report.head_rev, sizeof it->report.head_rev, "%s",
			 seve_table_get(table, 0, "head_rev"));
	seve_table_free(table);
	if (rc == SEVE_RETRY)
		tell_broken(it);
	return rc;
}

static int run(struct import *it)
{
	struct seve_error *err = NULL;
	if (seve_import_begin(it->c->seve, it->territory_id, it->kind->name, it->source,
			      it->dry_run, &it->run, &err))
		return say_seve(it->c, err);
	seve_import_on_verdict(it->run, on_verdict, it);
	progress_start(&it->progress, it->c);
	const int rc = send_all(it);
	progress_end(&it->progress);
	seve_import_free(it->run);
	return rc;
}

/* ---- the command ---- */

static int finish(struct import *it)
{
	struct err e = {0};
	if (it->report.rejected && file_draft_keep(&it->rejected, &e) < 0)
		return say_err(it->c, &e);
	const int rc = report_print(&it->report);
	return rc ? rc : report_status(&it->report);
}

static int prepare(struct import *it)
{
	struct err e = {0};
	struct cli *c = it->c;
	int64_t n = 0;
	const char *noun = command_noun(c->args.at[0]);
	it->kind = noun ? kind_by_name(noun) : NULL;
	it->file_name = c->args.at[1];
	it->last = &it->first;
	if (!it->kind)
		return say_usage(c, "actors, actions, meetings",
				 _("there is no kind of record \"%s\""), c->args.at[0]);
	if (!it->source)
		return say_usage(
			c,
			_("--source NAME says whose keys the file holds, for example --source cci"),
			"%s", _("whose file is it?"));
	if (it->separator && (strlen(it->separator) != 1 || *it->separator == '"'))
		return say_usage(c, NULL, _("a separator is one character, not \"%s\""),
				 it->separator);
	it->csv.separator = it->separator ? *it->separator : '\0';
	if (it->most_errors && text_to_int(it->most_errors, 1, INT32_MAX, &n, &e) < 0)
		return say_misuse(c, &e);
	it->errors_max = (uint64_t)n;
	int rc = load_mapping(it);
	if (rc == 0)
		rc = open_file(it);
	return rc ? rc : scan(it);
}

static int import(struct import *it)
{
	struct err e = {0};
	struct cli *c = it->c;
	int rc = prepare(it);
	if (rc == 0)
		rc = cli_open(c);
	if (rc == 0)
		rc = scope_choose(c, it->territory, &it->territory_id);
	if (rc)
		return rc;
	it->report = (struct report){.c = c,
				     .source = it->source,
				     .territory = scope_slug(c, it->territory_id),
				     .kind = it->kind->name,
				     .mapping = it->mapping.name,
				     .dry_run = it->dry_run};
	if (it->rejected_path) {
		if (file_draft_open(&it->rejected, it->rejected_path, 0600, &e) < 0)
			return say_err(c, &e);
		it->report.rejected = it->rejected.file;
		report_start_rejected(it->rejected.file);
	}
	rc = run(it);
	return rc ? rc : finish(it);
}

int cmd_import(struct cli *c)
{
	struct import it = {.c = c};
	const struct opt table[] = {
		{OPT_TEXT, "source", 's', &it.source, "NAME",
		 N_("the partner's system: whose keys the file holds")},
		{OPT_TEXT, "territory", 't', &it.territory, "SLUG", N_("where the records belong")},
		{OPT_TEXT, "mapping", 'm', &it.mapping_name, "FILE|NAME",
		 N_("which column is which field; irep, sirene-ods, seve and plain are built in")},
		{OPT_FLAG, "dry-run", 0, &it.dry_run, NULL, N_("do everything but keep it")},
		{OPT_TEXT, "rejected", 0, &it.rejected_path, "FILE",
		 N_("write the rejected rows, with the reasons, as CSV")},
		{OPT_TEXT, "max-errors", 0, &it.most_errors, "N",
		 N_("stop after so many rejected rows")},
		{OPT_TEXT, "encoding", 0, &it.csv.encoding, "NAME",
		 N_("utf-8 (the default), latin1, iso-8859-15, windows-1252")},
		{OPT_TEXT, "separator", 0, &it.separator, "C",
		 N_("between the cells; else found out")},
		{OPT_FLAG, "revive", 0, &it.revive, NULL,
		 N_("bring rows back that were deleted here")},
		{.type = OPT_END},
	};
	if (!cli_options(c, table, 2, 2))
		return c->status;
	const int rc = import(&it);
	if (it.file)
		fclose(it.file);
	file_draft_drop(&it.rejected);
	while (it.first) {
		struct sent_row *next = it.first->next;
		free(it.first);
		it.first = next;
	}
	return rc;
}
