/* cmd_import.c -- a partner's file into the network: the options; run.h does the work. */
#include <string.h>

#include "cli.h"
#include "cmd_batch.h"
#include "command.h"
#include "i18n.h"
#include "import/options.h"
#include "import/run.h"
#include "say.h"
#include "scope.h"
#include "text.h"

int import_options_check(struct cli *c, struct import_options *o)
{
	struct err e = {0};
	int64_t n = 0;
	const char *separator = o->separator;
	if (separator && strcmp(separator, "tab") == 0)
		separator = "\t";
	if (separator && (strlen(separator) != 1 || *separator == '"'))
		return say_usage(c, NULL, _("a separator is one character, not \"%s\""), separator);
	o->run.reader.separator = separator ? *separator : '\0';
	if (o->most_errors && text_to_int(o->most_errors, 1, INT32_MAX, &n, &e) < 0)
		return say_misuse(c, &e);
	o->run.errors_max = (uint64_t)n;
	if (o->from_day && text_to_date(o->from_day, &o->run.reader.from_on, &e) < 0)
		return say_misuse(c, &e);
	if (o->until_day && text_to_date(o->until_day, &o->run.reader.until_on, &e) < 0)
		return say_misuse(c, &e);
	return 0;
}

static int finish(struct run *r, const struct import_options *o)
{
	struct err e = {0};
	int rc = 0;
	if (r->o.rejects && rejects_keep(&r->rejects, &e) < 0)
		return say_err(r->c, &e);
	if (o->report)
		rc = report_write(&r->report, o->report);
	if (rc == 0)
		rc = report_print(&r->report);
	return rc ? rc : report_status(&r->report);
}

static int send_rows(struct run *r, const struct import_options *o)
{
	uint32_t territory = 0;
	int rc = cli_open(r->c);
	if (rc == 0)
		rc = scope_choose(r->c, o->territory, &territory);
	if (rc)
		return rc;
	struct keys *keys = keys_new(territory, r->o.source);
	rc = keys ? run_send(r, territory, keys) : say_nomem(r->c);
	keys_free(keys);
	return rc;
}

/* What another's edit between the two passes has made fail is taken back. */
static int take_back(struct run *r)
{
	int rc = 0;
	for (size_t i = r->n_batches; i-- > 0 && rc == 0;)
		if (*r->batches[i])
			rc = batch_take_back(r->c, r->territory, r->batches[i]);
	return rc ? rc : SEVE_INVALID;
}

/* First without keeping anything; only where every row is good, once more for good. */
static int import_whole(struct cli *c, const struct kind *kind, struct import_options *o)
{
	struct run r = {0};
	const bool dry_run = o->run.dry_run;
	o->run.dry_run = true;
	int rc = run_open(&r, c, kind, c->args.at[1], &o->run);
	if (rc == 0)
		rc = send_rows(&r, o);
	if (rc == 0 && !r.report.counts[REPORT_REJECTED] && !dry_run) {
		r.o.dry_run = false;
		r.n_batches = 0;
		rc = send_rows(&r, o);
	}
	if (rc == 0)
		rc = finish(&r, o);
	if (rc == SEVE_PARTIAL || rc == SEVE_INVALID) {
		say_warning(c, "%s",
			    _("Not every row is good: nothing was kept (--all-or-nothing)."));
		rc = r.o.dry_run ? SEVE_INVALID : take_back(&r);
	}
	run_close(&r);
	return rc;
}

static int import_once(struct cli *c, const struct kind *kind, const struct import_options *o)
{
	struct run r = {0};
	int rc = run_open(&r, c, kind, c->args.at[1], &o->run);
	if (rc == 0)
		rc = send_rows(&r, o);
	if (rc == 0)
		rc = finish(&r, o);
	run_close(&r);
	return rc;
}

int cmd_import(struct cli *c)
{
	struct import_options o = {0};
	const struct opt table[] = {
		{OPT_TEXT, "source", 's', &o.run.source, "NAME",
		 N_("the partner's system: whose keys the file holds")},
		{OPT_TEXT, "territory", 't', &o.territory, "SLUG", N_("where the records belong")},
		{OPT_TEXT, "mapping", 'm', &o.run.mapping, "FILE|NAME",
		 N_("which column is which field; else the first of ours that fits")},
		{OPT_LIST, "set", 0, &o.run.set, "FIELD=TEXT",
		 N_("the same value in every row; may be repeated")},
		{OPT_FLAG, "dry-run", 0, &o.run.dry_run, NULL, N_("do everything but keep it")},
		{OPT_TEXT, "rejects", 0, &o.run.rejects, "FILE",
		 N_("write the rejected rows, to be mended and imported again")},
		{OPT_TEXT, "rejected", 0, &o.run.rejects, "FILE", NULL},
		{OPT_TEXT, "report", 0, &o.report, "FILE", N_("write the report as JSON")},
		{OPT_TEXT, "max-errors", 0, &o.most_errors, "N",
		 N_("stop after so many rejected rows")},
		{OPT_TEXT, "input", 0, &o.run.reader.format, "FORMAT",
		 N_("csv, json, jsonl, geojson or ics; else found out")},
		{OPT_TEXT, "encoding", 0, &o.run.reader.encoding, "NAME",
		 N_("utf-8, latin1, iso-8859-15, windows-1252; else found out")},
		{OPT_TEXT, "separator", 0, &o.separator, "C",
		 N_("between the cells; else found out")},
		{OPT_TEXT, "path", 0, &o.run.reader.path, "A.B",
		 N_("where in a JSON object the array is; else the first")},
		{OPT_TEXT, "since", 0, &o.from_day, "DATE",
		 N_("of repeated events: from this day on; else a year back")},
		{OPT_TEXT, "until", 0, &o.until_day, "DATE",
		 N_("of repeated events: up to this day; else two years on")},
		{OPT_TEXT, "from", 0, &o.run.from, "SLUG",
		 N_("of our own export: rows of this territory; else those of the same")},
		{OPT_FLAG, "revive", 0, &o.run.revive, NULL,
		 N_("bring rows back that were deleted here")},
		{OPT_FLAG, "full", 0, &o.run.full, NULL,
		 N_("the file is the whole source: delete what it does not bring")},
		{OPT_FLAG, "force", 0, &o.run.force, NULL,
		 N_("with --full: also where much would disappear")},
		{OPT_FLAG, "all-or-nothing", 0, &o.whole, NULL,
		 N_("keep nothing if any row is rejected")},
		{.type = OPT_END},
	};
	if (!cli_options(c, table, 2, 2))
		return c->status;
	const char *noun = command_noun(c->args.at[0]);
	const struct kind *kind = noun ? kind_by_name(noun) : NULL;
	if (!kind)
		return say_usage(c, "actors, actions, meetings",
				 _("there is no kind of record \"%s\""), c->args.at[0]);
	int rc = import_options_check(c, &o);
	if (rc)
		return rc;
	if (o.run.force && !o.run.full)
		return say_usage(c, NULL, "%s", _("--force goes with --full"));
	return o.whole ? import_whole(c, kind, &o) : import_once(c, kind, &o);
}
