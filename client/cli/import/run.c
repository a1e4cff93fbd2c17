/* run.c -- see run.h. */
#include "import/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "dialect.h"
#include "field.h"
#include "file.h"
#include "i18n.h"
#include "names.h"
#include "say.h"
#include "scope.h"
#include "text.h"
#include "uuid.h"

enum { RUN_AGAIN = -1 }; /* no exit status: the rows are to be sent again from the first */

struct run_sent { /* waits for its verdict */
	struct run_sent *next;
	uint32_t line;
	bool remove, known; /* known: what it refers to went in during this run */
	const char *key;
	char **cells; /* for the file of rejected rows */
	size_t n;
};

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

static int open_rejects(struct run *r)
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
	return open_rejects(r);
}

/* ---- verdicts ---- */

static void tell(struct run *r, const struct run_sent *sent, const struct report_row *row)
{
	const int rc = report_add(&r->report, row);
	if (rc && !r->status)
		r->status = rc;
	if (row->verdict == REPORT_REJECTED && r->o.rejects && sent)
		rejects_row(&r->rejects, sent->cells, sent->n, row->line, row->text);
}

/* Codes of refusals that other rows may make good: a rule, a state, a reference. */
static bool may_be_late(const char *code)
{
	return ((*code == 'H' || *code == 'S') && code[1] >= '0' && code[1] <= '9') ||
	       strcmp(code, "STATE") == 0 || strcmp(code, "REFERENCE") == 0;
}

static int put_off(struct run *r, uint32_t line)
{
	if (r->late.n == r->late.room) {
		const size_t room = r->late.room ? 2 * r->late.room : 64;
		uint32_t *lines = realloc(r->late.lines, room * sizeof *lines);
		if (!lines)
			return say_nomem(r->c);
		r->late.lines = lines;
		r->late.room = room;
	}
	r->late.lines[r->late.n++] = line;
	return 0;
}

static void settle(struct run *r, uint32_t line)
{
	for (size_t i = 0; i < r->late.n; i++)
		if (r->late.lines[i] == line)
			r->late.lines[i] = 0;
}

/* Whether the last word on the row is still to come; *told may be changed. */
static bool comes_later(struct run *r, const struct run_sent *sent, struct report_row *told)
{
	const bool rejected = told->verdict == REPORT_REJECTED;
	switch (r->pass) {
	case RUN_WHOLE:
		if (!rejected || !r->puts_off || !may_be_late(told->code) || !sent)
			return false;
		if (!r->o.dry_run) {
			const int rc = put_off(r, told->line);
			if (rc && !r->status)
				r->status = rc;
			return true;
		}
		/* What it wants would be there by then. */
		if (sent->known) {
			char id[40];
			keys_id(r->keys, r->kind, sent->key, id);
			if (keys_put(r->keys, r->kind, sent->key, id) < 0 && !r->status)
				r->status = say_nomem(r->c);
			told->verdict = REPORT_CREATED;
			told->code = "LATER";
			told->text = _("to be completed once the other files are in");
		}
		return false;
	case RUN_BARE:
		if (rejected)
			settle(r, told->line);
		return !rejected;
	case RUN_LATE:
		if (!rejected) {
			told->verdict = REPORT_CREATED;
			told->field = told->code = told->text = "";
		}
		return false;
	}
	return false;
}

static void on_verdict(void *ctx, uint32_t line, const char *verdict, const char *id,
		       const char *field, const char *code, const char *text)
{
	struct run *r = ctx;
	struct run_sent *sent = r->first;
	if (sent) {
		r->first = sent->next;
		if (!r->first)
			r->last = &r->first;
	}
	struct report_row row = {.line = line,
				 .verdict = report_verdict(verdict),
				 .operation = !line || (sent && sent->remove) ? "delete" : "upsert",
				 .key = sent   ? sent->key
					: line ? ""
					       : text,
				 .field = field,
				 .code = code,
				 .text = text};
	if (r->keeps_keys && sent && *id && keys_put(r->keys, r->kind, sent->key, id) < 0 &&
	    !r->status)
		r->status = say_nomem(r->c);
	if (!comes_later(r, sent, &row))
		tell(r, sent, &row);
	free(sent);
}

/* Keeps what the verdict will be about: the key, and the cells where they may have to be written.
 */
static int remember(struct run *r, const struct reader_row *row, const char *key, bool remove,
		    bool known)
{
	size_t n = strlen(key) + 1, cells = r->o.rejects ? row->n : 0;
	for (size_t i = 0; i < cells; i++)
		n += strlen(row->cells[i]) + 1;
	struct run_sent *sent = malloc(sizeof *sent + n + cells * sizeof(char *) + sizeof(char *));
	if (!sent)
		return say_nomem(r->c);
	*sent = (struct run_sent){.line = row->line, .remove = remove, .known = known, .n = cells};
	sent->cells = (char **)(void *)(sent + 1);
	char *to = (char *)(sent->cells + cells);
	sent->key = to;
	memcpy(to, key, strlen(key) + 1);
	to += strlen(key) + 1;
	for (size_t i = 0; i < cells; i++) {
		const size_t len = strlen(row->cells[i]) + 1;
		memcpy(to, row->cells[i], len);
		sent->cells[i] = to;
		to += len;
	}
	*r->last = sent;
	r->last = &sent->next;
	return 0;
}

static int reject(struct run *r, const struct reader_row *row, const char *key, const char *field,
		  const struct err *why)
{
	const struct report_row told = {.line = row->line,
					.verdict = REPORT_REJECTED,
					.operation = "upsert",
					.key = key,
					.field = field,
					.code = err_name(why->code),
					.text = why->text};
	if (r->o.rejects)
		rejects_row(&r->rejects, row->cells, row->n, row->line, why->text);
	return report_add(&r->report, &told);
}

/* ---- one row ---- */

struct filling {
	struct run *run;
	struct seve_record *record;
	bool known; /* all that it refers to went in during this run */
	char rev[24];
	char field[64];
	struct err why;
};

static int put(struct filling *f, const char *field, const char *text)
{
	struct seve_error *err = NULL;
	if (seve_record_set(f->record, field, text, &err) == SEVE_OK)
		return 0;
	snprintf(f->field, sizeof f->field, "%s", field);
	err_set(&f->why, err_by_name(err ? seve_error_code(err) : "NOMEM"), "%s",
		err ? seve_error_message(err) : "");
	seve_error_free(err);
	return -(int)f->why.code;
}

/* The id of one key: of a row of this run, a reference such as A-12, an id, or what the key's row
 * would have. */
static const char *id_of(struct filling *f, const struct kind *target, const char *key)
{
	struct run *r = f->run;
	char id[40];
	const struct kind *k;
	const char *found = NULL;
	uint32_t number;
	struct uuid u;
	if (uuid_parse(key, &u, NULL) == 0)
		return key;
	if (!keys_known(r->keys, target, key) && strchr(key, '-') &&
	    kind_parse_ref(key, &k, &number, NULL) == 0 && k == target &&
	    names_id(r->c, r->territory, target->name, key, &found) == 0)
		return found;
	f->known &= keys_known(r->keys, target, key) != 0;
	keys_id(r->keys, target, key, id);
	return cli_printf(r->c, "%s", id);
}

static int put_refs(struct filling *f, const char *field, const char *text,
		    const struct mapping_rule *rule)
{
	struct run *r = f->run;
	const field_desc *fd = field_by_name(r->kind, field);
	const struct kind *target =
		rule->ref_kind ? rule->ref_kind : field_rule(r->kind, fd).target;
	if (r->pass == RUN_BARE && target == r->kind)
		return 0;
	if (field_type(fd) == FIELD_ID || !*text)
		return put(f, field, *text ? id_of(f, target, text) : "");
	const char *all = "";
	while (*text) {
		const size_t n = strcspn(text, "|,;");
		size_t from = strspn(text, " "), end = n;
		while (end > from && text[end - 1] == ' ')
			end--;
		if (end > from)
			all = cli_printf(
				r->c, "%s%s%s", all, *all ? "|" : "",
				id_of(f, target,
				      cli_printf(r->c, "%.*s", (int)(end - from), text + from)));
		text += n + (text[n] != '\0');
	}
	return put(f, field, all);
}

static int set_field(void *ctx, const char *field, const char *text,
		     const struct mapping_rule *rule)
{
	struct filling *f = ctx;
	struct run *r = f->run;
	const field_desc *state = field_state(r->kind);
	if (strcmp(field, MAPPING_REV) == 0) {
		snprintf(f->rev, sizeof f->rev, "%s", text);
		return 0;
	}
	if (r->pass == RUN_BARE && state && strcmp(state->name, field) == 0)
		return 0;
	if (rule && rule->ref)
		return put_refs(f, field, text, rule);
	if (r->mapping.own && reader_separator(r->reader) == ';')
		text = dialect_plain(text);
	return put(f, field, text);
}

/* A call of the library has failed: RUN_AGAIN where the loss has been got over. */
static int failed(struct run *r, struct seve_error *err)
{
	if (!seve_import_again(r->import))
		return say_seve(r->c, err);
	seve_error_free(err);
	return RUN_AGAIN;
}

static int send_record(struct run *r, const struct reader_row *row, const char *key,
		       const struct filling *f, bool remove)
{
	struct seve_error *err = NULL;
	struct err e = {0};
	int64_t rev = 0;
	const int rc = remember(r, row, key, remove, f->known);
	if (rc)
		return rc;
	if (*f->rev && text_to_int(f->rev, 0, INT64_MAX, &rev, &e) < 0)
		rev = 0;
	seve_import_rev(r->import, (uint64_t)rev);
	if (seve_import_row(r->import, row->line, key, f->record,
			    (r->o.revive ? SEVE_IMPORT_REVIVE : 0) |
				    (remove ? SEVE_IMPORT_REMOVE : 0),
			    &err))
		return failed(r, err);
	return r->status;
}

/* Whether the row is for us at all; *out gets what is to be done with it. */
static int judge(struct run *r, const struct reader_row *row, enum mapping_operation *out,
		 char key[static MAPPING_KEY_MAX], struct err *why)
{
	key[0] = '\0';
	*out = MAPPING_UPSERT;
	if (row->broken)
		return err_set(why, ERR_INVALID, "%s", row->broken);
	if (row->n != r->mapping.width)
		return err_set(why, ERR_INVALID, _("%zu cells, but the header has %zu"), row->n,
			       r->mapping.width);
	int rc = mapping_operation(&r->mapping, row->cells, out, why);
	if (rc == 0 && *out != MAPPING_IGNORE)
		rc = mapping_key(&r->mapping, row->cells, key, why);
	return rc;
}

static int ignored(struct run *r, const struct reader_row *row)
{
	const struct report_row told = {.line = row->line,
					.verdict = REPORT_IGNORED,
					.operation = "ignore",
					.key = "",
					.field = "",
					.code = "",
					.text = ""};
	return report_add(&r->report, &told);
}

/* 0, or an exit status that ends the import; a row that is not good is only reported. */
static int send_row(struct run *r, const struct reader_row *row)
{
	struct filling f = {.run = r, .known = true};
	struct seve_error *err = NULL;
	enum mapping_operation what;
	char key[MAPPING_KEY_MAX] = "";
	if (judge(r, row, &what, key, &f.why) < 0)
		return reject(r, row, key, "", &f.why);
	if (what == MAPPING_IGNORE)
		return ignored(r, row);
	if (seve_record_new(r->kind->name, r->territory, &f.record, &err))
		return say_seve(r->c, err);
	int rc = what == MAPPING_DELETE
			 ? 0
			 : mapping_apply(&r->mapping, row->cells, set_field, &f, &f.why);
	if (rc < 0)
		rc = reject(r, row, key, f.field, &f.why);
	else
		rc = send_record(r, row, key, &f, what == MAPPING_DELETE);
	seve_record_free(f.record);
	return rc;
}

/* ---- all rows ---- */

/* Of a later pass: the next of the lines that were put off. */
static bool is_wanted(struct run *r, uint32_t line)
{
	if (r->pass == RUN_WHOLE)
		return true;
	while (r->late.at < r->late.n &&
	       (r->late.lines[r->late.at] == 0 || r->late.lines[r->late.at] < line))
		r->late.at++;
	return r->late.at < r->late.n && r->late.lines[r->late.at] == line;
}

static int on_row(struct run *r, const struct reader_row *row)
{
	if (!is_wanted(r, row->line))
		return 0;
	if (r->pass == RUN_WHOLE) {
		if (row->replaced && !r->report.replaced)
			r->report.replaced_line = row->line;
		r->report.replaced += row->replaced;
		r->report.rows++;
		progress_show(&r->progress, r->file_name, r->report.rows, r->total);
	}
	const int rc = send_row(r, row);
	if (rc == 0 && r->o.errors_max && r->report.counts[REPORT_REJECTED] >= r->o.errors_max)
		r->report.stopped = true;
	return rc;
}

static void tell_broken(const struct run *r)
{
	if (r->o.dry_run)
		return;
	say_warning(r->c,
		    _("%llu rows had been written; the same command again goes on from there."),
		    (unsigned long long)(r->report.counts[REPORT_CREATED] +
					 r->report.counts[REPORT_UPDATED] +
					 r->report.counts[REPORT_UNCHANGED] +
					 r->report.counts[REPORT_ATTACHED]));
}

/* A file with mistakes, or one that was not read to its end, does not tell what is gone. */
static void ask_full(struct run *r)
{
	if (!r->o.full || r->pass != RUN_WHOLE)
		return;
	if (r->report.counts[REPORT_REJECTED] || r->report.stopped || r->late.n)
		say_warning(
			r->c, "%s",
			_("Rows were rejected: nothing is deleted after a file with mistakes."));
	else
		seve_import_full(r->import, r->o.force);
}

static int finish(struct run *r)
{
	struct seve_error *err = NULL;
	struct seve_table *table = NULL;
	ask_full(r);
	int rc = seve_import_end(r->import, &table, &err) ? failed(r, err) : r->status;
	if (table)
		snprintf(r->report.head_rev, sizeof r->report.head_rev, "%s",
			 seve_table_get(table, 0, "head_rev"));
	seve_table_free(table);
	return rc;
}

static int send_all(struct run *r)
{
	struct err e = {0};
	struct reader_row row;
	int rc = reader_rewind(r->reader, &e);
	while (rc == 0 && !r->report.stopped) {
		rc = reader_next(r->reader, &row, &e);
		if (rc <= 0)
			break;
		rc = on_row(r, &row);
		if (rc)
			return rc;
	}
	return rc < 0 ? say_err(r->c, &e) : finish(r);
}

static void forget_sent(struct run *r)
{
	while (r->first) {
		struct run_sent *next = r->first->next;
		free(r->first);
		r->first = next;
	}
	r->last = &r->first;
}

static void new_report(struct run *r)
{
	r->report = (struct report){.c = r->c,
				    .source = r->o.source,
				    .territory = r->slug,
				    .kind = r->kind->name,
				    .mapping = r->mapping.name,
				    .file = r->file_name,
				    .format = reader_format(r->reader),
				    .dry_run = r->o.dry_run,
				    .list = r->report.list}; /* its room is used again */
}

/* The run knows its keys again only when it has seen every row. */
static int start_over(struct run *r)
{
	say_note(r->c, "%s",
		 _("The connection was lost: the file is sent again from its first row."));
	forget_sent(r);
	new_report(r);
	r->late.n = r->late.at = 0;
	rejects_drop(&r->rejects);
	return open_rejects(r);
}

/* The file's name without its folder. */
static const char *label(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static int pass(struct run *r, enum run_pass which)
{
	struct seve_error *err = NULL;
	r->pass = which;
	r->late.at = 0;
	if (seve_import_begin(r->c->seve, r->territory, r->kind->name, r->o.source,
			      label(r->file_name), r->o.dry_run, &r->import, &err))
		return say_seve(r->c, err);
	seve_import_on_verdict(r->import, on_verdict, r);
	/* Later passes send rows with keys of their own, and delete nothing. */
	if (which == RUN_WHOLE)
		seve_import_rereads(r->import);
	if (r->n_batches < RUN_BATCHES_MAX)
		snprintf(r->batches[r->n_batches++], sizeof r->batches[0], "%s",
			 seve_import_batch(r->import));
	int rc;
	while ((rc = send_all(r)) == RUN_AGAIN && (rc = start_over(r)) == 0)
		;
	seve_import_free(r->import);
	r->import = NULL;
	if (rc == SEVE_RETRY)
		tell_broken(r);
	return rc;
}

/* Rows of other territories in an export of ours. */
static int own_territory(struct run *r)
{
	struct mapping *m = &r->mapping;
	size_t n;
	char *const *columns = reader_columns(r->reader, &n);
	struct mapping_filter *all = arena_array(&r->c->arena, m->n_filters + 1, sizeof *all);
	const char **words = arena_array(&r->c->arena, 1, sizeof *words);
	if (!all || !words)
		return say_nomem(r->c);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(columns[i], "territory") != 0)
			continue;
		words[0] = r->o.from ? r->o.from : r->slug;
		if (m->n_filters)
			memcpy(all, m->filters, m->n_filters * sizeof *all);
		all[m->n_filters++] = (struct mapping_filter){
			.column = "territory", .keep = true, .words = words, .n = 1, .index = i};
		m->filters = all;
		break;
	}
	const bool *wanted = mapping_wanted(&r->c->arena, m);
	if (!wanted)
		return say_nomem(r->c);
	reader_want(r->reader, r->o.rejects ? NULL : wanted);
	return 0;
}

/* Only cells that refer to rows ask for keys: of any other file they need not be remembered. */
static bool needs_keys(const struct run *r)
{
	for (size_t i = 0; i < r->mapping.n_rules; i++)
		if (r->mapping.rules[i].ref)
			return true;
	return r->puts_off;
}

int run_send(struct run *r, uint32_t territory, struct keys *keys)
{
	r->territory = territory;
	r->slug = scope_slug(r->c, territory);
	new_report(r);
	r->keys = keys;
	r->keeps_keys = needs_keys(r);
	int rc = r->mapping.own ? own_territory(r) : 0;
	if (rc)
		return rc;
	progress_start(&r->progress, r->c);
	rc = pass(r, RUN_WHOLE);
	if (rc == 0 && r->late.n)
		rc = pass(r, RUN_BARE);
	progress_end(&r->progress);
	return rc;
}

int run_late(struct run *r)
{
	size_t left = 0;
	for (size_t i = 0; i < r->late.n; i++)
		left += r->late.lines[i] != 0;
	return left ? pass(r, RUN_LATE) : 0;
}

void run_close(struct run *r)
{
	forget_sent(r);
	rejects_drop(&r->rejects);
	reader_close(r->reader);
	r->reader = NULL;
	if (r->file)
		fclose(r->file);
	r->file = NULL;
	free(r->late.lines);
	r->late.lines = NULL;
	r->late.n = r->late.room = 0;
}
