/* run_open.c -- before anything is sent: the file, the mapping that fits it, and one reading of it
 * whole. */
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "file.h"
#include "i18n.h"
#include "import/run.h"
#include "import/run_parts.h"
#include "say.h"

/* ---- the file ---- */

/* Standard input cannot be read twice: it goes through a file without a name.  NULL with errno;
 * what was not read to its end, or did not fit the disk, is no file. */
static FILE *spool(void)
{
	char block[64 * 1024];
	FILE *copy = tmpfile();
	size_t n;
	while (copy && (n = fread(block, 1, sizeof block, stdin)) > 0)
		if (fwrite(block, 1, n, copy) != n)
			break;
	if (copy && !ferror(stdin) && !ferror(copy) && fflush(copy) == 0) {
		rewind(copy);
		return copy;
	}
	const int why = errno;
	if (copy)
		fclose(copy);
	errno = why;
	return NULL;
}

static int open_file(struct run *r)
{
	const bool piped = strcmp(r->file_name, "-") == 0;
	r->file = piped ? spool() : fopen(r->file_name, "re");
	if (r->file)
		return 0;
	const enum err_code code = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	return say_failure(r->c, code, NULL, "%s: %s", r->file_name, strerror(errno));
}

/* ---- the mapping ---- */

static const char *builtin_words(struct cli *c)
{
	const char *all = "", *name;
	for (size_t i = 0; (name = mapping_builtin_name(i)); i++)
		all = cli_printf(c, "%s%s%s", all, i ? ", " : "", name);
	return all;
}

int run_mapping(struct cli *c, const char *name, struct mapping *out)
{
	struct err e = {0};
	char *text = NULL;
	const char *builtin = mapping_builtin(name);
	int rc = builtin ? 0 : file_read(&c->arena, name, MAPPING_MAX, &text, &e);
	if (rc == 0)
		rc = mapping_parse(&c->arena, name, builtin ? builtin : text, out, &e);
	if (rc == -ERR_NOT_FOUND)
		err_remedy(&e, _("a file, or one of: %s"), builtin_words(c));
	return rc < 0 ? say_err(c, &e) : 0;
}

static int apply_sets(struct run *r, struct mapping *m, struct err *e)
{
	for (size_t i = 0; i < r->o.set.n; i++) {
		const char *word = r->o.set.at[i], *equals = strchr(word, '=');
		const char *field =
			equals ? cli_printf(r->c, "%.*s", (int)(equals - word), word) : NULL;
		if (!field)
			return err_set(e, ERR_USAGE, _("--set wants FIELD=TEXT, not \"%s\""), word);
		const int rc = mapping_set(&r->c->arena, m, field, equals + 1, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int bind(struct run *r, struct mapping *m, struct err *e)
{
	size_t n;
	char *const *columns = reader_columns(r->reader, &n);
	int rc = apply_sets(r, m, e);
	if (rc == 0)
		rc = mapping_bind(&r->c->arena, m, r->kind, columns, n, e);
	return rc;
}

static bool first_fitting(struct run *r, bool own)
{
	const char *name;
	for (size_t i = 0; (name = mapping_builtin_name(i)); i++) {
		struct mapping m;
		if (mapping_parse(&r->c->arena, name, mapping_builtin(name), &m, NULL) < 0 ||
		    m.own != own || (m.format && strcmp(m.format, reader_format(r->reader)) != 0) ||
		    bind(r, &m, NULL) < 0)
			continue;
		r->mapping = m;
		return true;
	}
	return false;
}

/* Without --mapping: the first of ours that fits the columns, our own exports before partners'. */
static int fitting_mapping(struct run *r, struct err *e)
{
	size_t n;
	char *const *columns = reader_columns(r->reader, &n);
	if (first_fitting(r, true) || first_fitting(r, false))
		return 0;
	for (size_t i = 0; i < n; i++) /* clearly meant as "plain": what is wrong with it? */
		if (strcmp(columns[i], "key") == 0 &&
		    mapping_parse(&r->c->arena, "plain", mapping_builtin("plain"), &r->mapping,
				  e) == 0)
			return bind(r, &r->mapping, e);
	err_set(e, ERR_INVALID,
		_("no mapping of ours fits the columns of this file (the first is \"%.60s\")"),
		n ? columns[0] : "");
	return err_remedy(e, _("seve import guess FILE proposes one; pass it with --mapping"));
}

/* ---- reading it through ---- */

/* What is wrong with the file as a whole shows here, before anything is sent. */
static int scan(struct run *r, struct err *e)
{
	static const bool none[1];
	struct reader_row row;
	int rc;
	reader_want(r->reader, none);
	while ((rc = reader_next(r->reader, &row, e)) == 1)
		r->total++;
	return rc;
}

static int prepare(struct run *r, struct err *e)
{
	int rc = reader_open(r->file, r->file_name, &r->o.reader, &r->reader, e);
	if (rc == 0)
		rc = scan(r, e);
	if (rc == 0)
		rc = r->o.mapping || r->o.parsed ? bind(r, &r->mapping, e) : fitting_mapping(r, e);
	const bool *wanted = rc == 0 ? mapping_wanted(&r->c->arena, &r->mapping) : NULL;
	if (rc == 0 && !wanted)
		rc = err_set(e, ERR_NOMEM, "mapping");
	if (rc == 0 && r->mapping.own)
		reader_verbatim(r->reader);
	if (rc == 0)
		reader_want(r->reader, r->o.rejects ? NULL : wanted);
	return rc;
}

int run_rejects_open(struct run *r)
{
	struct err e = {0};
	size_t n;
	char *const *columns = reader_columns(r->reader, &n);
	if (!r->o.rejects)
		return 0;
	const int rc = rejects_open(&r->rejects, r->o.rejects, columns, n,
				    reader_separator(r->reader), &e);
	return rc < 0 ? say_err(r->c, &e) : 0;
}

int run_open(struct run *r, struct cli *c, const struct kind *kind, const char *file_name,
	     const struct run_options *o)
{
	struct err e = {0};
	*r = (struct run){.c = c, .o = *o, .file_name = file_name, .kind = kind};
	r->last = &r->first;
	int rc = o->mapping ? run_mapping(c, o->mapping, &r->mapping) : 0;
	if (o->parsed)
		r->mapping = *o->parsed;
	if (rc)
		return rc;
	if (!r->o.reader.format)
		r->o.reader.format = r->mapping.format;
	if (!r->o.reader.separator)
		r->o.reader.separator = r->mapping.separator;
	if (!r->o.reader.encoding)
		r->o.reader.encoding = r->mapping.encoding;
	if (!r->o.reader.path)
		r->o.reader.path = r->mapping.path;
	rc = open_file(r);
	if (rc)
		return rc;
	if (prepare(r, &e) < 0) {
		err_prefix(&e, "%s", file_name);
		return say_err(c, &e);
	}
	if (reader_encoding(r->reader))
		say_note(c, _("%s is read as %s."), file_name, reader_encoding(r->reader));
	if (!r->o.source && r->mapping.own)
		r->o.source = "seve";
	if (!r->o.source)
		return say_usage(
			c,
			_("--source NAME says whose keys the file holds, for example --source cci"),
			"%s", _("whose file is it?"));
	return run_rejects_open(r);
}
