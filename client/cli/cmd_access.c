/* cmd_access.c -- invites and tokens. */
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "i18n.h"
#include "say.h"
#include "scope.h"
#include "text.h"
#include "view.h"

struct invite_options {
	const char *account, *role, *source, *actor, *action, *hours, *days;
	struct words territories;
};

static int number(struct cli *c, const char *text, int64_t most, unsigned *out)
{
	struct err e = {0};
	int64_t n = 0;
	if (text && text_to_int(text, 1, most, &n, &e) < 0)
		return say_misuse(c, &e);
	*out = (unsigned)n;
	return 0;
}

static int print_invite(const struct cli *c, const char *code, const char *account)
{
	if (c->format == OUT_TABLE) {
		printf("%s\n", code);
		if (isatty(STDOUT_FILENO))
			say_note(c,
				 _("Give this line to %s, who enters it with: seve login -\n"
				   "It is good once; whoever holds it is that account."),
				 account);
		return 0;
	}
	printf("{\"invite\":\"%s\"}\n", code);
	return 0;
}

/* What the role is bound to, or NULL. */
static const char *bound_to(const struct invite_options *o)
{
	return o->source ? o->source : o->actor ? o->actor : o->action;
}

static int invite(struct cli *c, const struct invite_options *o)
{
	struct seve_error *err = NULL;
	uint32_t *ids = NULL;
	size_t n = 0;
	unsigned hours = 0, days = 0;
	char *code = NULL;
	int rc = number(c, o->hours, 24 * 365, &hours);
	if (rc == 0)
		rc = number(c, o->days, 3650, &days);
	if (rc == 0)
		rc = scope_ids(c, &o->territories, &ids, &n);
	if (rc)
		return rc;
	if (seve_invite(c->seve, o->account, o->role, ids, n, bound_to(o), hours, days, &code,
			&err))
		return say_seve(c, err);
	rc = print_invite(c, code, o->account);
	free(code);
	return rc;
}

int cmd_invite_create(struct cli *c)
{
	struct invite_options o = {0};
	const struct opt table[] = {
		{OPT_TEXT, "account", 'a', &o.account, "NAME",
		 N_("the account, which is made if there is none")},
		{OPT_TEXT, "role", 'r', &o.role, "ROLE",
		 N_("admin, coordinator, facilitator, importer, observer, partner or pilot")},
		{OPT_LIST, "territory", 't', &o.territories, "SLUG,...",
		 N_("where; may be repeated")},
		{OPT_TEXT, "source", 0, &o.source, "NAME",
		 N_("of an importer: the source that it writes")},
		{OPT_TEXT, "actor", 0, &o.actor, "REFERENCE",
		 N_("of a partner: the actor that it speaks for")},
		{OPT_TEXT, "action", 0, &o.action, "REFERENCE",
		 N_("of a pilot: the action that it leads")},
		{OPT_TEXT, "expires-hours", 0, &o.hours, "N",
		 N_("how long the invite is good; 72 where not given")},
		{OPT_TEXT, "token-days", 0, &o.days, "N", N_("how long the machine may enter")},
		{.type = OPT_END},
	};
	if (!cli_options(c, table, 0, 0))
		return c->status;
	if (!o.account || !o.role)
		return say_usage(
			c, _("for example --account anne --role facilitator --territory nord"),
			"%s", _("an invite wants an --account and a --role"));
	if (!!o.source + !!o.actor + !!o.action > 1)
		return say_usage(c, _("one invite for each"), "%s",
				 _("an invite is for one source, one actor or one action"));
	const int rc = cli_open(c);
	return rc ? rc : invite(c, &o);
}

int cmd_token_list(struct cli *c)
{
	const char *account = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "account", 'a', &account, "NAME", N_("of this account; else one's own")},
		{.type = OPT_END},
	};
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	int rc = cli_open(c);
	if (rc)
		return rc;
	if (seve_tokens(c->seve, account, &t, &err))
		return say_seve(c, err);
	rc = view_table(c, "seve.token.list/1", NULL, t);
	seve_table_free(t);
	return rc;
}

int cmd_token_revoke(struct cli *c)
{
	struct seve_error *err = NULL;
	if (!cli_options(c, NULL, 1, 1))
		return c->status;
	const int rc = cli_open(c);
	if (rc)
		return rc;
	return seve_token_revoke(c->seve, c->args.at[0], &err) ? say_seve(c, err) : 0;
}
