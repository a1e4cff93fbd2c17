/* cmd_import_guess.c -- seve import guess: a mapping for a file that we have not met; and
 * seve import template: an empty file with the columns that we take. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "field.h"
#include "i18n.h"
#include "import/guess.h"
#include "import/mapping.h"
#include "import/reader.h"
#include "say.h"

enum { TEXT_MAX = 1024 * 1024 };

static int print(struct cli *c, const struct guess *g)
{
	struct buf out;
	buf_init(&out, TEXT_MAX);
	const int rc = guess_write(g, &out);
	if (rc == 0)
		fwrite(buf_span(&out).at, 1, buf_len(&out), stdout);
	buf_fini(&out);
	return rc == 0 ? 0 : say_nomem(c);
}

static void tell_builtin(struct cli *c, const struct guess *g, const struct reader *r)
{
	size_t n;
	char *const *columns = reader_columns(r, &n);
	const char *name;
	for (size_t i = 0; (name = mapping_builtin_name(i)); i++) {
		struct mapping m;
		if (mapping_parse(&c->arena, name, mapping_builtin(name), &m, NULL) == 0 &&
		    (!m.format || strcmp(m.format, reader_format(r)) == 0) &&
		    mapping_bind(&c->arena, &m, g->kind, columns, n, NULL) == 0)
			say_note(c,
				 _("The mapping %s, which comes with the program, fits: --mapping "
				   "%s"),
				 name, name);
	}
}

static int guess(struct cli *c, FILE *file, const char *kind, const struct reader_options *o)
{
	struct err e = {0};
	struct reader *r = NULL;
	struct guess g = {0};
	const char *noun = kind ? command_noun(kind) : NULL;
	g.kind = noun ? kind_by_name(noun) : NULL;
	if (kind && !g.kind)
		return say_usage(c, "actor, action, meeting",
				 _("there is no kind of record \"%s\""), kind);
	int rc = reader_open(file, c->args.at[0], o, &r, &e);
	if (rc == 0)
		rc = guess_look(&g, &c->arena, r, &e);
	if (rc < 0) {
		err_prefix(&e, "%s", c->args.at[0]);
		rc = say_err(c, &e);
	} else {
		if (!g.kind)
			g.kind = guess_kind(&g);
		tell_builtin(c, &g, r);
		rc = print(c, &g);
	}
	reader_close(r);
	return rc;
}

int cmd_import_guess(struct cli *c)
{
	const char *kind = NULL;
	struct reader_options o = {0};
	const struct opt table[] = {
		{OPT_TEXT, "kind", 'k', &kind, "KIND", N_("what the rows are; else found out")},
		{OPT_TEXT, "input", 0, &o.format, "FORMAT",
		 N_("csv, json, jsonl, geojson or ics; else found out")},
		{OPT_TEXT, "encoding", 0, &o.encoding, "NAME",
		 N_("utf-8, latin1, iso-8859-15, windows-1252; else found out")},
		{OPT_TEXT, "path", 0, &o.path, "A.B",
		 N_("where in a JSON object the array is; else the first")},
		{.type = OPT_END},
	};
	if (!cli_options(c, table, 1, 1))
		return c->status;
	FILE *file = fopen(c->args.at[0], "re");
	if (!file)
		return say_failure(c, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, NULL, "%s: %s",
				   c->args.at[0], strerror(errno));
	const int rc = guess(c, file, kind, &o);
	fclose(file);
	return rc;
}

/* ---- template ---- */

static void csv_template(const struct kind *k)
{
	fputs("key", stdout);
	for (unsigned i = 0; i < k->desc->n_fields; i++)
		printf(",%s", k->desc->fields[i].name);
	fputs("\r\n", stdout);
}

/* What may stand in a field, for people. */
static void told(const struct kind *k, const field_desc *fd)
{
	char words[200];
	const struct field_rule r = field_rule(k, fd);
	printf("# %s: %s%s", fd->name, seve_field_type(k->name, fd->name),
	       r.flags & FIELD_REQUIRED ? ", required" : "");
	if (fd->type == PROTOBUF_C_TYPE_ENUM) {
		field_enum_words(fd->descriptor, words, sizeof words);
		printf(": %s", words);
	}
	if (r.target)
		printf(": key of %s", r.target->name);
	if (r.ranged)
		printf(": %g to %g", r.least, r.greatest);
	fputs("\n", stdout);
}

static void map_template(const struct kind *k)
{
	printf("# COLUMN = field : repairs     docs/mappings.md tells more\n[kind] %s\nkey = key\n",
	       k->name);
	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		const field_desc *fd = &k->desc->fields[i];
		const enum field_type t = field_type(fd);
		const bool ref = t == FIELD_ID || t == FIELD_IDS;
		told(k, fd);
		printf("%s = %s : optional%s\n", fd->name, fd->name,
		       !ref                       ? ""
		       : field_rule(k, fd).target ? ", ref"
						  : ", ref(actor)");
	}
}

int cmd_import_template(struct cli *c)
{
	const char *format = "csv";
	const struct opt table[] = {
		{OPT_TEXT, "format", 'f', &format, "csv|map",
		 N_("csv: the line of headers; map: a mapping with what each field takes")},
		{.type = OPT_END},
	};
	if (!cli_options(c, table, 1, 1))
		return c->status;
	const char *noun = command_noun(c->args.at[0]);
	const struct kind *k = noun ? kind_by_name(noun) : NULL;
	if (!k || strcmp(k->name, "territory") == 0)
		return say_usage(c, "actors, actions, meetings",
				 _("there is no kind of record \"%s\""), c->args.at[0]);
	if (strcmp(format, "csv") == 0)
		csv_template(k);
	else if (strcmp(format, "map") == 0)
		map_template(k);
	else
		return say_usage(c, "csv, map", _("there is no format \"%s\""), format);
	return 0;
}
