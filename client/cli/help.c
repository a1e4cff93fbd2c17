/* help.c -- see help.h. */
#include "help.h"

#include <seve.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "i18n.h"
#include "say.h"

enum { INDENT = 2, COLUMN = 34, LINE = 80 };

/* Text padded by what it takes on the screen, not by its bytes; what is too wide for its column has
 * a line of its own, so that the texts stay below each other. */
static void entry(const char *left, const char *right)
{
	const size_t width = i18n_width(left);
	if (width < COLUMN)
		printf("%*s%s%*s%s\n", INDENT, "", left, (int)(COLUMN - width), "", right);
	else
		printf("%*s%s\n%*s%s\n", INDENT, "", left, INDENT + COLUMN, "", right);
}

/* A name of a list with commas, on the line that `at` has come to or on a new one. */
static void listed(const char *name, size_t *at)
{
	const size_t width = strlen(name);
	if (*at && *at + strlen(", ") + width + strlen(",") > LINE) {
		printf(",\n");
		*at = 0;
	}
	if (*at)
		printf(", %s", name);
	else
		printf("%*s%s", INDENT, "", name);
	*at += width + INDENT;
}

static void command_entry(const struct command *cmd, const char *noun)
{
	char left[160];
	snprintf(left, sizeof left, "seve %s%s%s %s", noun, cmd->verb ? " " : "",
		 cmd->verb ? cmd->verb : "", cmd->args);
	entry(left, _(cmd->help));
}

void help_summary(void)
{
	puts(_("Sève keeps what a network of local actors does together: actors, actions, groups, "
	       "meetings."));
	printf("\n%s\n", _("Usage: seve NOUN VERB [OPTION]... [ARGUMENT]..."));
	printf("\n%s\n", _("Records:"));
	const char *name;
	size_t at = 0;
	for (size_t i = 0; (name = seve_kind_name(i)); i++)
		if (strcmp(name, "territory") != 0)
			listed(name, &at);
	printf("\n");
	entry("add list show edit", _("each kind has these verbs,"));
	entry("delete restore history", _("and these: seve help action"));
	printf("\n%s\n", _("Other commands:"));
	for (size_t i = 0; command_at(i); i++)
		if (command_at(i)->noun && command_at(i)->help)
			command_entry(command_at(i), command_at(i)->noun);
	printf("\n%s\n", _("Examples:"));
	puts("  seve sync --territory nord\n"
	     "  seve action list --status in_progress --stale 30d\n"
	     "  seve import actors sites.csv --source cci --territory nord --dry-run");
	printf("\n%s\n",
	       _("seve NOUN VERB --help tells about one command, seve help exit-codes about "
		 "exit statuses."));
}

void help_noun(const char *noun)
{
	for (size_t i = 0; command_at(i); i++)
		if (command_at(i)->help && command_fits(command_at(i), noun))
			command_entry(command_at(i), noun);
	printf("\n");
	for (size_t i = 0; command_at(i); i++)
		if (command_at(i)->noun && command_at(i)->help && command_fits(command_at(i), noun))
			printf("  %s\n", command_at(i)->example);
	const char *first = seve_kind_field(noun, 0);
	if (first) {
		printf("%s\n", _("Fields:"));
		const char *field;
		size_t at = 0;
		for (size_t i = 0; (field = seve_kind_field(noun, i)); i++)
			listed(field, &at);
		printf("\n");
	}
}

static void options(const struct opt *table)
{
	for (; table->type != OPT_END; table++) {
		char left[96];
		if (!table->help)
			continue;
		char letter[8] = "";
		if (table->letter)
			snprintf(letter, sizeof letter, "-%c, ", table->letter);
		snprintf(left, sizeof left, "%s--%s%s%s", letter, table->name,
			 table->arg ? " " : "", table->arg ? table->arg : "");
		entry(left, *table->help ? _(table->help) : "");
	}
}

static void words(const struct opt *table)
{
	for (; table->type != OPT_END; table++)
		if (table->help)
			printf("--%s\n", table->name);
}

void help_command(const struct cli *c, const struct opt *table, const struct opt *globals)
{
	const struct command *cmd = c->command;
	if (c->asking == CLI_WORDS) {
		words(table);
		words(globals);
		return;
	}
	printf(_("Usage: seve %s%s%s [OPTION]... %s"), c->noun, cmd->verb ? " " : "",
	       cmd->verb ? cmd->verb : "", cmd->args);
	printf("\n\n  %s\n", cmd->help ? _(cmd->help) : "");
	if (opts_count(table)) {
		printf("\n%s\n", _("Options:"));
		options(table);
	}
	printf("\n%s\n", _("Options of every command:"));
	options(globals);
	if (*cmd->example)
		printf("\n%s\n  %s\n", _("Example:"), cmd->example);
}

static const struct {
	int status;
	const char *meaning;
} statuses[] = {
	{SEVE_OK, N_("done")},
	{SEVE_FAILURE, N_("failed")},
	{SEVE_USAGE, N_("the command line is wrong")},
	{SEVE_PARTIAL, N_("partly done: the report says what is not")},
	{SEVE_UNAUTHENTICATED, N_("not authenticated")},
	{SEVE_NOT_FOUND, N_("not found")},
	{SEVE_CONFLICT, N_("conflict, or exists already")},
	{SEVE_FORBIDDEN, N_("not allowed")},
	{SEVE_RETRY, N_("not reachable or busy: the same again, later")},
	{SEVE_INVALID, N_("invalid: nothing was written")},
	{CLI_INTERRUPTED, N_("interrupted")},
};

static int help_statuses(void)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		printf("%5d  %s\n", statuses[i].status, _(statuses[i].meaning));
	return 0;
}

int cmd_help(struct cli *c)
{
	if (!cli_options(c, NULL, 0, 2))
		return c->status;
	if (c->args.n == 0) {
		help_summary();
		return 0;
	}
	if (strcmp(c->args.at[0], "exit-codes") == 0)
		return help_statuses();
	const char *noun = command_noun(c->args.at[0]);
	if (!noun)
		return say_usage(c, _("seve help lists them"), _("there is no command \"%s\""),
				 c->args.at[0]);
	const char *verb = c->args.n > 1 ? c->args.at[1] : NULL;
	const struct command *cmd = command_find(noun, verb);
	if (!cmd && !verb) {
		help_noun(noun);
		return 0;
	}
	if (!cmd)
		return say_usage(c, cli_printf(c, _("seve help %s lists the verbs"), noun),
				 _("%s has no verb \"%s\""), noun, verb);
	c->command = cmd;
	c->noun = noun;
	c->asking = CLI_HELP;
	return cmd->run(c);
}
