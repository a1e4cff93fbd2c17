/* cmd_completion.c -- the completion of bash: words come from the tables, never from the server. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "i18n.h"
#include "say.h"

static const char script[] =
	"# Completion of seve for bash: eval \"$(seve completion bash)\", or a file in "
	"/etc/bash_completion.d.\n"
	"_seve() {\n"
	"\tlocal words\n"
	"\twords=$(seve __words \"${COMP_WORDS[@]:1:COMP_CWORD-1}\" 2>/dev/null)\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
	"}\n"
	"complete -o default -F _seve seve\n";

int cmd_completion(struct cli *c)
{
	if (!cli_options(c, NULL, 1, 1))
		return c->status;
	if (strcmp(c->args.at[0], "bash") != 0)
		return say_usage(c, "seve completion bash", _("no completion for \"%s\""),
				 c->args.at[0]);
	fputs(script, stdout);
	return 0;
}

static void nouns(void)
{
	const char *kind, *last = "";
	for (size_t i = 0; (kind = seve_kind_name(i)); i++)
		if (strcmp(kind, "territory") != 0)
			puts(kind);
	for (size_t i = 0; command_at(i); i++) {
		const struct command *cmd = command_at(i);
		if (!cmd->noun || !cmd->help || strcmp(cmd->noun, last) == 0)
			continue;
		puts(cmd->noun);
		last = cmd->noun;
	}
}

static void verbs(const char *noun)
{
	for (size_t i = 0; command_at(i); i++)
		if (command_at(i)->verb && command_fits(command_at(i), noun))
			puts(command_at(i)->verb);
}

/* The words of an enumeration, behind its option. */
static bool values(const char *noun, const char *option)
{
	char field[64];
	const char *word;
	if (strncmp(option, "--", 2) != 0)
		return false;
	snprintf(field, sizeof field, "%s", option + 2);
	for (char *p = field; *p; p++)
		if (*p == '-')
			*p = '_';
	if (!seve_field_word(noun, field, 0))
		return false;
	for (size_t i = 0; (word = seve_field_word(noun, field, i)); i++)
		puts(word);
	return true;
}

/* seve __words WORD...: what may follow these words. */
int cmd_words(struct cli *c)
{
	if (c->argc == 0) {
		nouns();
		return 0;
	}
	const char *noun = command_noun(c->argv[0]);
	if (!noun)
		return 0;
	const struct command *cmd = command_find(noun, c->argc > 1 ? c->argv[1] : NULL);
	if (!cmd) {
		verbs(noun);
		return 0;
	}
	if (values(noun, c->argv[c->argc - 1]))
		return 0;
	c->noun = noun;
	c->command = cmd;
	c->asking = CLI_WORDS;
	return cmd->run(c);
}
