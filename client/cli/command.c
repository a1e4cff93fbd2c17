/* command.c -- looking commands up. */
#include "command.h"

#include <seve.h>
#include <stdio.h>
#include <string.h>

#include "i18n.h"

static const struct command commands[] = {
#define CMD(noun, verb, f, args, help, example) {noun, verb, f, args, help, example},
#define KIND_CMD(verb, f, args, help, example)  {NULL, verb, f, args, help, example},
#include "cmds.def"
#undef CMD
#undef KIND_CMD
};

const struct command *command_at(size_t i)
{
	return i < sizeof commands / sizeof *commands ? &commands[i] : NULL;
}

static const char *kind_noun(const char *word)
{
	const char *name;
	for (size_t i = 0; (name = seve_kind_name(i)); i++)
		if (strcmp(name, word) == 0)
			return name;
	return NULL;
}

static const char *own_noun(const char *word)
{
	for (size_t i = 0; command_at(i); i++)
		if (commands[i].noun && strcmp(commands[i].noun, word) == 0)
			return commands[i].noun;
	return NULL;
}

const char *command_noun(const char *typed)
{
	char singular[32];
	const char *noun = own_noun(typed);
	if (!noun)
		noun = kind_noun(typed);
	const size_t n = strlen(typed);
	if (noun || n < 2 || n > sizeof singular)
		return noun;
	if (strcmp(typed, "territories") == 0)
		return own_noun("territory");
	if (typed[n - 1] != 's')
		return NULL;
	snprintf(singular, sizeof singular, "%.*s", (int)n - 1, typed);
	noun = own_noun(singular);
	return noun ? noun : kind_noun(singular);
}

bool command_is_noun(const char *noun)
{
	return own_noun(noun) || kind_noun(noun);
}

bool command_fits(const struct command *cmd, const char *noun)
{
	if (cmd->noun)
		return strcmp(cmd->noun, noun) == 0;
	/* a territory is made, shown and changed by commands of its own; a conflict is decided */
	if (strcmp(noun, "conflict") == 0)
		return strcmp(cmd->verb, "history") == 0;
	return strcmp(noun, "territory") != 0 && kind_noun(noun);
}

const struct command *command_find(const char *noun, const char *verb)
{
	const struct command *whole = NULL;
	for (size_t i = 0; command_at(i); i++) {
		const struct command *cmd = &commands[i];
		if (!command_fits(cmd, noun))
			continue;
		if (cmd->verb && verb && strcmp(cmd->verb, verb) == 0)
			return cmd;
		if (!cmd->verb)
			whole = cmd;
	}
	return whole;
}
