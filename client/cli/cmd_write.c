/* cmd_write.c -- add, edit, delete and restore of any kind. */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "fieldopt.h"
#include "i18n.h"
#include "names.h"
#include "report/report.h"
#include "say.h"
#include "scope.h"
#include "view.h"

struct write_options {
	const char *territory, *reason;
};

enum { MORE = 3 };

static void more_options(struct write_options *o, struct opt out[MORE])
{
	out[0] = (struct opt){OPT_TEXT,      "territory", 't',
			      &o->territory, "SLUG",      N_("of this territory")};
	out[1] = (struct opt){OPT_TEXT,   "reason", 0,
			      &o->reason, "TEXT",   N_("why; kept in the history")};
	out[2] = (struct opt){.type = OPT_END};
}

/* ---- what came of it ---- */

static int print_record(struct cli *c, const struct seve_record *r, const char *verb)
{
	struct view v;
	int rc = view_begin(&v, c, seve_record_kind(r), verb, false);
	if (rc == 0)
		rc = view_record(&v, r);
	return view_end(&v, rc);
}

/* On a terminal a sentence; else the reference alone, so that a script can take it; else the
 * record. */
static int tell_done(struct cli *c, const struct seve_record *r, const char *verb,
		     const char *sentence, int queued)
{
	if (c->format != OUT_TABLE)
		return print_record(c, r, verb);
	if (queued)
		say_note(c, _("%s waits in the outbox; seve sync sends it."), names_ref(r));
	if (isatty(STDOUT_FILENO) && !queued)
		printf("%s (%s): %s\n", names_ref(r), scope_slug(c, seve_record_territory(r)),
		       sentence);
	else
		printf("%s\n", names_ref(r));
	return 0;
}

/* Status of a call that returned `rc`, with what it said. */
static int outcome(struct cli *c, int rc, struct seve_error *err, struct seve_table *report)
{
	if (rc && !err)
		rc = say_nomem(c);
	else
		rc = say_refusal(c, err, report);
	seve_table_free(report);
	return rc;
}

static int save(struct cli *c, struct seve_record *r, const char *reason, const char *verb,
		const char *sentence)
{
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	struct seve_record *list[] = {r};
	int queued = 0;
	int rc = seve_save(c->seve, list, 1, reason, c->offline, &queued, &report, &err);
	rc = outcome(c, rc, err, report);
	if (rc == 0)
		rc = tell_done(c, r, verb, sentence, queued);
	if (rc == 0 && strcmp(seve_record_kind(r), "position") == 0)
		report_position(c, r);
	return rc;
}

/* ---- add ---- */

static int fill(struct cli *c, const struct fieldopts *f, struct seve_record *r)
{
	struct seve_error *err = NULL;
	const char *main = names_main_field(c->noun);
	if (c->args.n && main && seve_record_set(r, main, c->args.at[0], &err))
		return say_seve(c, err);
	return fieldopts_apply(c, f, r);
}

int cmd_record_add(struct cli *c)
{
	struct write_options o = {0};
	struct seve_error *err = NULL;
	struct opt more[MORE];
	struct fieldopts f;
	uint32_t territory = 0;
	more_options(&o, more);
	int rc = fieldopts_make(c, c->noun, FIELDOPT_SET, more, &f);
	if (rc)
		return rc;
	if (!cli_options(c, f.table, 0, 1))
		return c->status;
	rc = cli_open(c);
	if (rc == 0)
		rc = scope_choose(c, o.territory, &territory);
	if (rc)
		return rc;
	struct seve_record *r = NULL;
	if (seve_record_new(c->noun, territory, &r, &err))
		return say_seve(c, err);
	rc = fill(c, &f, r);
	if (rc == 0)
		rc = save(c, r, o.reason, "add", _("added"));
	seve_record_free(r);
	return rc;
}

/* ---- edit ---- */

static int edit(struct cli *c, struct seve_record *r, const struct fieldopts *f, const char *reason)
{
	const int rc = fieldopts_apply(c, f, r);
	return rc ? rc : save(c, r, reason, "edit", _("changed"));
}

static int nothing_given(const struct cli *c)
{
	return say_usage(c, _("--help lists the options of this command"), "%s",
			 _("no field to change"));
}

int cmd_record_edit(struct cli *c)
{
	struct write_options o = {0};
	struct opt more[MORE];
	struct fieldopts f;
	struct seve_record *r = NULL;
	more_options(&o, more);
	int rc = fieldopts_make(c, c->noun, FIELDOPT_EDIT, more, &f);
	if (rc)
		return rc;
	if (!cli_options(c, f.table, 1, 1))
		return c->status;
	if (!fieldopts_given(&f))
		return nothing_given(c);
	rc = names_record(c, o.territory, c->noun, c->args.at[0], &r);
	if (rc == 0)
		rc = edit(c, r, &f, o.reason);
	seve_record_free(r);
	return rc;
}

int cmd_territory_edit(struct cli *c)
{
	const char *reason = NULL;
	const struct opt more[] = {
		{OPT_TEXT, "reason", 0, &reason, "TEXT", N_("why; kept in the history")},
		{.type = OPT_END},
	};
	struct fieldopts f;
	struct seve_record *r = NULL;
	uint32_t territory = 0;
	int rc = fieldopts_make(c, "territory", FIELDOPT_EDIT, more, &f);
	if (rc)
		return rc;
	if (!cli_options(c, f.table, 0, 1))
		return c->status;
	if (!fieldopts_given(&f))
		return nothing_given(c);
	rc = cli_open(c);
	if (rc == 0)
		rc = scope_choose(c, c->args.n ? c->args.at[0] : NULL, &territory);
	if (rc == 0)
		rc = names_territory(c, territory, &r);
	if (rc == 0)
		rc = edit(c, r, &f, reason);
	seve_record_free(r);
	return rc;
}

/* ---- delete, restore ---- */

int cmd_record_delete(struct cli *c)
{
	struct write_options o = {0};
	struct opt table[MORE];
	struct seve_record *r = NULL;
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	int queued = 0;
	more_options(&o, table);
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = names_record(c, o.territory, c->noun, c->args.at[0], &r);
	if (rc)
		return rc;
	rc = seve_delete(c->seve, r, o.reason, c->offline, &queued, &report, &err);
	rc = outcome(c, rc, err, report);
	if (rc == 0)
		rc = tell_done(c, r, "delete", _("deleted"), queued);
	seve_record_free(r);
	return rc;
}

int cmd_record_restore(struct cli *c)
{
	struct write_options o = {0};
	struct opt table[MORE];
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	struct seve_record *r = NULL;
	const char *id = NULL;
	uint32_t territory = 0;
	more_options(&o, table);
	if (!cli_options(c, table, 1, 1))
		return c->status;
	c->where = SEVE_SERVER; /* a replica keeps nothing of what was deleted */
	int rc = cli_open(c);
	if (rc == 0)
		rc = names_deleted(c, o.territory, c->noun, c->args.at[0], &territory, &id);
	if (rc)
		return rc;
	rc = seve_restore(c->seve, territory, id, o.reason, &report, &err);
	rc = outcome(c, rc, err, report);
	if (rc == 0)
		rc = names_record(c, scope_slug(c, territory), c->noun, id, &r);
	if (rc == 0)
		rc = tell_done(c, r, "restore", _("is back"), 0);
	seve_record_free(r);
	return rc;
}
