/* cli.c -- what every command shares: options, profile, library handle. */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "help.h"
#include "i18n.h"
#include "names.h"
#include "say.h"
#include "text.h"

enum { ARENA_MAX = 512 * 1024 * 1024 };

void cli_init(struct cli *c)
{
	*c = (struct cli){.asking = CLI_RUN};
	arena_init(&c->arena, ARENA_MAX);
}

void cli_fini(struct cli *c)
{
	seve_close(c->seve);
	c->seve = NULL;
	names_fini();
	arena_fini(&c->arena);
}

char *cli_printf(struct cli *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = NULL;
	const int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	char *copy = n >= 0 ? arena_strdup(&c->arena, text) : NULL;
	free(n >= 0 ? text : NULL);
	if (!copy)
		exit(say_nomem(c));
	return copy;
}

const struct opt *cli_globals(struct cli *c)
{
	const struct opt table[] = {
		{OPT_TEXT, "format", 'f', &c->format_word, "FORMAT",
		 N_("table, json, jsonl or csv")},
		{OPT_FLAG, "json", 0, &c->json, NULL, N_("the same as --format json")},
		{OPT_TEXT, "columns", 0, &c->columns, "A,B",
		 N_("show these columns (fields) only")},
		{OPT_FLAG, "no-headers", 0, &c->no_headers, NULL, N_("no line of headers")},
		{OPT_FLAG, "server", 0, &c->server, NULL,
		 N_("ask the server, even where this machine has a replica")},
		{OPT_FLAG, "offline", 0, &c->offline, NULL,
		 N_("do without the server: read the replica, keep edits in the outbox")},
		{OPT_TEXT, "profile", 'p', &c->profile_name, "NAME", N_("the profile to use")},
		{OPT_TEXT, "timeout", 0, &c->timeout, "30s", N_("how long to wait for the server")},
		{OPT_TEXT, "lang", 0, &c->lang, "fr|en", N_("language of texts")},
		{OPT_FLAG, "quiet", 'q', &c->quiet, NULL, N_("no remarks")},
		{OPT_FLAG, "no-progress", 0, &c->no_progress, NULL,
		 N_("no progress on the terminal")},
		{OPT_FLAG, "help", 'h', &c->help, NULL, N_("tell about this command")},
		{OPT_FLAG, "version", 0, &c->version, NULL, NULL},
		{.type = OPT_END},
	};
	void *copy = arena_memdup(&c->arena, table, sizeof table);
	if (!copy)
		exit(say_nomem(c));
	return copy;
}

static int check_globals(struct cli *c)
{
	struct err e = {0};
	c->format = c->json ? OUT_JSON : OUT_TABLE;
	if (c->format_word && out_format_parse(c->format_word, &c->format, &e) < 0)
		return say_err(c, &e);
	if (c->server && c->offline)
		return say_usage(c, NULL, "%s", _("--server and --offline exclude each other"));
	c->where = c->server ? SEVE_SERVER : c->offline ? SEVE_REPLICA : SEVE_AUTO;
	return 0;
}

static int check_args(struct cli *c, size_t least, size_t most)
{
	const char *usage = cli_printf(c, "seve %s%s%s %s", c->noun, c->command->verb ? " " : "",
				       c->command->verb ? c->command->verb : "", c->command->args);
	const char *remedy = cli_printf(c, _("usage: %s"), usage);
	if (c->args.n < least)
		return say_usage(c, remedy, "%s", _("an argument is missing"));
	if (c->args.n > most)
		return say_usage(c, remedy, _("\"%s\" is one argument too many"), c->args.at[most]);
	return 0;
}

bool cli_options(struct cli *c, const struct opt *table, size_t least, size_t most)
{
	static const struct opt none[] = {{.type = OPT_END}};
	const struct opt *globals = cli_globals(c);
	struct err e = {0};
	c->status = 0;
	if (!table)
		table = none;
	if (c->asking != CLI_RUN) {
		help_command(c, table, globals);
		return false;
	}
	if (opts_parse(&c->arena, table, globals, c->argv, c->argc, &c->args, &e) < 0)
		c->status = say_err(c, &e);
	else if (c->help)
		help_command(c, table, globals);
	else
		c->status = check_globals(c);
	if (c->status || c->help)
		return false;
	c->status = check_args(c, least, most);
	return c->status == 0;
}

static int set_option(struct cli *c, struct seve_options *o, const char *key, const char *value)
{
	if (!value || seve_options_set(o, key, value) == SEVE_OK)
		return 0;
	return say_failure(c, ERR_USAGE, NULL, _("the value of %s is not usable: %s"), key, value);
}

static int set_timeout(struct cli *c, struct seve_options *o)
{
	struct err e = {0};
	int64_t ms;
	if (!c->timeout)
		return 0;
	if (text_to_duration(c->timeout, &ms, &e) < 0)
		return say_misuse(c, &e);
	return set_option(c, o, "timeout-ms", cli_printf(c, "%lld", (long long)ms));
}

static int open_store(struct cli *c, struct seve_options *o)
{
	struct seve_error *err = NULL;
	int rc = set_option(c, o, "server", c->profile.server);
	if (!rc && c->profile.has_ca)
		rc = set_option(c, o, "ca-file", c->profile.ca_file);
	if (!rc)
		rc = set_option(c, o, "token-file", c->profile.token_file);
	if (!rc)
		rc = set_option(c, o, "store", c->profile.store);
	if (!rc)
		rc = set_option(c, o, "agent", "seve/" SEVE_VERSION_TEXT);
	if (!rc)
		rc = set_timeout(c, o);
	if (!rc && seve_open(o, &c->seve, &err))
		rc = say_seve(c, err);
	return rc;
}

int cli_open(struct cli *c)
{
	struct err e = {0};
	if (c->seve)
		return 0;
	if (profile_find(&c->arena, c->profile_name, &c->profile, &e) < 0)
		return say_err(c, &e);
	if (!c->profile.server)
		return say_failure(c, ERR_UNAUTHENTICATED,
				   _("log in with the invite that you were given: seve login -"),
				   _("profile \"%s\" has no server yet"), c->profile.name);
	if (profile_make(&c->profile, &e) < 0)
		return say_err(c, &e);
	struct seve_options *o = seve_options_new();
	if (!o)
		return say_nomem(c);
	const int rc = open_store(c, o);
	seve_options_free(o);
	return rc;
}
