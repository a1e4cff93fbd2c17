/* cmd_personal.c -- what is held on a person, told and erased. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "file.h"
#include "i18n.h"
#include "names.h"
#include "say.h"
#include "scope.h"

/* The contact's territory and id, also of one that was deleted. */
static int find(struct cli *c, const char *slug, uint32_t *territory, const char **id)
{
	const char *word = c->args.at[0];
	struct seve_record *r = NULL;
	int rc;

	if (strlen(word) == 36) {
		rc = cli_open(c);
		*id = word;
		return rc ? rc : scope_choose(c, slug, territory);
	}
	rc = names_record(c, slug, "contact", word, &r);
	if (rc)
		return rc;
	*territory = seve_record_territory(r);
	*id = cli_printf(c, "%s", seve_record_id(r));
	seve_record_free(r);
	return *id ? 0 : say_nomem(c);
}

static int online(struct cli *c)
{
	return c->offline ? say_usage(c, NULL, "%s",
				      _("what is held on a person is known to the server only"))
			  : 0;
}

static int write_out(struct cli *c, const char *path, const char *json)
{
	struct file_draft d = {0};
	struct err e = {0};
	int rc = file_draft_open(&d, path, 0600, &e);

	if (!rc && (fputs(json, d.file) < 0 || fputc('\n', d.file) < 0))
		rc = err_set(&e, ERR_IO, "%s: it cannot be written", path);
	rc = rc ? rc : file_draft_keep(&d, &e);
	file_draft_drop(&d);
	return rc ? say_err(c, &e) : 0;
}

int cmd_contact_export(struct cli *c)
{
	const char *slug = NULL, *path = "-", *id;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &slug, "SLUG", N_("of this territory")},
		{OPT_TEXT, "output", 'o', &path, "FILE", N_("into this file")},
		{.type = OPT_END},
	};
	struct seve_error *err = NULL;
	uint32_t territory;
	char *json = NULL;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = online(c);
	rc = rc ? rc : find(c, slug, &territory, &id);
	if (rc)
		return rc;
	if (seve_contact_export(c->seve, territory, id, &json, &err))
		return say_seve(c, err);
	rc = write_out(c, path, json);
	free(json);
	return rc;
}

int cmd_contact_erase(struct cli *c)
{
	const char *slug = NULL, *confirm = NULL, *id;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &slug, "SLUG", N_("of this territory")},
		{OPT_TEXT, "confirm", 0, &confirm, "REFERENCE",
		 N_("the same reference again: it cannot be undone")},
		{.type = OPT_END},
	};
	struct seve_error *err = NULL;
	uint32_t territory;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = online(c);
	if (rc)
		return rc;
	if (!confirm || strcmp(confirm, c->args.at[0]) != 0)
		return say_usage(c, cli_printf(c, "--confirm %s", c->args.at[0]), "%s",
				 _("an erasure cannot be undone: name the contact again"));
	rc = find(c, slug, &territory, &id);
	if (rc)
		return rc;
	if (seve_contact_erase(c->seve, territory, id, &err))
		return say_seve(c, err);
	say_note(c, "%s",
		 _("Erased. Replicas follow when they next synchronise; tell partners whose files "
		   "name the person to take the row out."));
	return 0;
}
