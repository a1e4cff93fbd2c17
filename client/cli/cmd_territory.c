/* cmd_territory.c -- making, listing and leaving territories. */
#include "cli.h"
#include "command.h"
#include "fieldopt.h"
#include "i18n.h"
#include "say.h"
#include "scope.h"
#include "view.h"

int cmd_territory_create(struct cli *c)
{
	static const struct opt none[] = {{.type = OPT_END}};
	struct fieldopts f;
	struct seve_record *r = NULL;
	struct seve_error *err = NULL;
	uint32_t territory = 0;
	int rc = fieldopts_make(c, "territory", FIELDOPT_SET, none, &f);
	if (rc)
		return rc;
	if (!cli_options(c, f.table, 0, 0))
		return c->status;
	rc = cli_open(c);
	if (rc)
		return rc;
	if (seve_record_new("territory", 0, &r, &err))
		return say_seve(c, err);
	rc = fieldopts_apply(c, &f, r);
	const char *slug = seve_record_get(r, "slug");
	if (rc == 0 && !*slug)
		rc = say_usage(c, _("for example --slug nord --name Dunkerque"), "%s",
			       _("a territory wants a --slug and a --name"));
	if (rc == 0 && seve_territory_create(c->seve, r, &territory, &err))
		rc = say_seve(c, err);
	if (rc == 0)
		printf("%s\n", slug);
	seve_record_free(r);
	return rc;
}

int cmd_territory_list(struct cli *c)
{
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	if (!cli_options(c, NULL, 0, 0))
		return c->status;
	int rc = cli_open(c);
	if (rc)
		return rc;
	if (seve_territories(c->seve, &t, &err))
		return say_seve(c, err);
	rc = view_table(c, "seve.territory.list/1",
			"slug,name,region,role,source,replica,rev,synced_at", t);
	seve_table_free(t);
	return rc;
}

int cmd_territory_forget(struct cli *c)
{
	bool force = false;
	const struct opt table[] = {
		{OPT_FLAG, "force", 0, &force, NULL,
		 N_("even with edits that the server has not got")},
		{.type = OPT_END},
	};
	struct seve_error *err = NULL;
	uint32_t territory = 0;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = cli_open(c);
	if (rc == 0)
		rc = scope_find(c, c->args.at[0], &territory);
	if (rc == 0 && seve_forget(c->seve, territory, force, &err))
		rc = say_seve(c, err);
	return rc;
}
