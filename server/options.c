/* options.c -- the command line of seved, its table of flags made from config.def. */
#include "options.h"

#include <popt.h>

enum {
	VAL_SETTING = 1000,
	VAL_CONFIG = 1,
	VAL_CHECK_CONFIG,
	VAL_PRINT_CONFIG,
	VAL_VERSION,
	VAL_HELP,
	VAL_ACCOUNT,
	VAL_OUTPUT,
	VAL_CHECK
};

static const struct poptOption own[] = {
	{"config", 'c', POPT_ARG_STRING, NULL, VAL_CONFIG,
	 "file of settings (default: " CONFIG_FILE_DEFAULT ")", "FILE"},
	{"check-config", 0, POPT_ARG_NONE, NULL, VAL_CHECK_CONFIG,
	 "check the settings and exit: 0, or 78", NULL},
	{"print-config", 0, POPT_ARG_NONE, NULL, VAL_PRINT_CONFIG,
	 "print all settings with their origin and exit", NULL},
	{"version", 'V', POPT_ARG_NONE, NULL, VAL_VERSION, "print the version and exit", NULL},
	{"help", 'h', POPT_ARG_NONE, NULL, VAL_HELP, "print this and exit", NULL},
	{"account", 0, POPT_ARG_STRING, NULL, VAL_ACCOUNT,
	 "bootstrap: the admin's account (default: admin)", "NAME"},
	{"output", 'o', POPT_ARG_STRING, NULL, VAL_OUTPUT,
	 "bootstrap: write the invite to a file of mode 0600 (-: standard output)", "FILE"},
	{"check", 0, POPT_ARG_NONE, NULL, VAL_CHECK,
	 "migrate: only tell whether something is missing", NULL},
};
enum { N_OWN = sizeof own / sizeof own[0] };

static const char *argument_of(const struct conf_def *d)
{
	static const char *const words[] = {
		[CONF_TEXT] = "TEXT", [CONF_INT] = "N",         [CONF_BOOL] = "yes|no",
		[CONF_SIZE] = "SIZE", [CONF_DURATION] = "TIME", [CONF_ENUM] = "WORD",
	};
	return d->words ? d->words : words[d->type];
}

static void make_table(struct poptOption table[static N_OWN + CONFIG_COUNT + 1])
{
	memset(table, 0, (N_OWN + CONFIG_COUNT + 1) * sizeof *table);
	memcpy(table, own, sizeof own);
	const struct conf_def *defs = config_defs();
	for (int i = 0; i < CONFIG_COUNT; i++)
		table[N_OWN + i] = (struct poptOption){
			.longName = defs[i].name,
			.argInfo = POPT_ARG_STRING,
			.val = VAL_SETTING + i,
			.descrip = defs[i].help,
			.argDescrip = argument_of(&defs[i]),
		};
}

void options_help(FILE *out)
{
	const struct conf_def *defs = config_defs();
	fputs("Usage: seved [OPTION...]             serve until SIGTERM\n"
	      "       seved bootstrap [OPTION...]   make an admin account and an invite for it\n"
	      "       seved migrate [OPTION...]     bring the database's schema up to date\n"
	      "       seved renew-epoch [OPTION...] after a restore: have clients verify "
	      "themselves\n\n"
	      "Either --embedded DIR or --database CONNINFO says where the data are.\n\n",
	      out);
	for (int i = 0; i < N_OWN; i++)
		fprintf(out, "  --%s%s%s\n        %s\n", own[i].longName,
			own[i].argDescrip ? " " : "", own[i].argDescrip ? own[i].argDescrip : "",
			own[i].descrip);
	fputs("\nSettings; also lines \"name = value\" of the file, and variables SEVED_NAME:\n\n",
	      out);
	for (int i = 0; i < CONFIG_COUNT; i++)
		fprintf(out, "  --%s %s\n        %s%s%s%s\n", defs[i].name, argument_of(&defs[i]),
			defs[i].help, *defs[i].initial ? " [" : "", defs[i].initial,
			*defs[i].initial ? "]" : "");
	fputs("\nExit status: 0; 1 failure; 78 the configuration or the command line is wrong.\n",
	      out);
}

/* Keeps a text that popt has allocated. */
static const char *keep(struct options *o, char *text)
{
	if (!text || o->n_texts == sizeof o->texts / sizeof o->texts[0]) {
		free(text);
		return NULL;
	}
	return o->texts[o->n_texts++] = text;
}

static int take_setting(struct options *o, int key, char *text, struct err *e)
{
	const char *kept = keep(o, text);
	if (!kept || o->source.n_flags == sizeof o->flags / sizeof o->flags[0])
		return err_set(e, ERR_USAGE, "too many flags");
	o->flags[o->source.n_flags++] = (struct config_flag){config_defs()[key].name, kept};
	return 0;
}

static int take(struct options *o, int val, char *text, struct err *e)
{
	if (val >= VAL_SETTING)
		return take_setting(o, val - VAL_SETTING, text, e);
	const char *kept = text ? keep(o, text) : NULL;
	if (text && !kept)
		return err_set(e, ERR_USAGE, "too many flags");
	if (val == VAL_CONFIG)
		o->source.file = kept;
	else if (val == VAL_ACCOUNT)
		o->account = kept;
	else if (val == VAL_OUTPUT)
		o->output = kept;
	else if (val == VAL_CHECK)
		o->check = true;
	else if (val == VAL_CHECK_CONFIG)
		o->command = COMMAND_CHECK_CONFIG;
	else if (val == VAL_PRINT_CONFIG)
		o->command = COMMAND_PRINT_CONFIG;
	else if (val == VAL_VERSION)
		o->command = COMMAND_VERSION;
	else if (val == VAL_HELP)
		o->command = COMMAND_HELP;
	return 0;
}

/* An unknown flag: the settings know which one is near. */
static int bad_option(poptContext popt, int rc, struct err *e)
{
	const char *flag = poptBadOption(popt, 0);
	if (rc != POPT_ERROR_BADOPT || strncmp(flag, "--", 2) != 0)
		return err_set(e, ERR_USAGE, "%s: %s", flag, poptStrerror(rc));
	char name[64];
	struct conf c;
	struct err why = {0};
	snprintf(name, sizeof name, "%.*s", (int)strcspn(flag + 2, "="), flag + 2);
	if (conf_init(&c, config_defs(), CONFIG_COUNT, e) == 0) {
		conf_set(&c, name, "", "flag", &why);
		conf_fini(&c);
	}
	err_set(e, ERR_USAGE, "%s: unknown flag", flag);
	return err_remedy(e, "%s", *why.remedy ? why.remedy : "seved --help lists them");
}

static int take_command(struct options *o, const char *word, struct err *e)
{
	if (o->command != COMMAND_SERVE)
		return 0; /* --help, --version and the like win */
	if (!strcmp(word, "bootstrap"))
		o->command = COMMAND_BOOTSTRAP;
	else if (!strcmp(word, "migrate"))
		o->command = COMMAND_MIGRATE;
	else if (!strcmp(word, "renew-epoch"))
		o->command = COMMAND_RENEW_EPOCH;
	else {
		err_set(e, ERR_USAGE, "%s: unknown command", word);
		return err_remedy(e, "one of bootstrap, migrate and renew-epoch; without a command "
				     "seved serves");
	}
	return 0;
}

static int check_use(const struct options *o, struct err *e)
{
	if ((o->account || o->output) && o->command == COMMAND_SERVE)
		return err_set(e, ERR_USAGE,
			       "--account and --output belong to the command bootstrap");
	if (o->check && o->command == COMMAND_SERVE)
		return err_set(e, ERR_USAGE, "--check belongs to the command migrate");
	return 0;
}

int options_read(struct options *out, int argc, const char **argv, struct err *e)
{
	struct poptOption table[N_OWN + CONFIG_COUNT + 1];
	make_table(table);
	memset(out, 0, sizeof *out);
	out->source.flags = out->flags;
	poptContext popt = poptGetContext("seved", argc, argv, table, 0);
	if (!popt)
		return err_set(e, ERR_NOMEM, "command line");
	int val, rc = 0;
	while (rc == 0 && (val = poptGetNextOpt(popt)) != -1)
		rc = val < -1 ? bad_option(popt, val, e) : take(out, val, poptGetOptArg(popt), e);
	const char *word = rc == 0 ? poptGetArg(popt) : NULL;
	if (word)
		rc = take_command(out, word, e);
	if (rc == 0 && word && poptPeekArg(popt))
		rc = err_set(e, ERR_USAGE, "%s: one argument too many", poptPeekArg(popt));
	if (rc == 0)
		rc = check_use(out, e);
	poptFreeContext(popt);
	if (rc < 0)
		options_fini(out);
	return rc;
}

void options_fini(struct options *o)
{
	while (o->n_texts > 0)
		free(o->texts[--o->n_texts]);
}
