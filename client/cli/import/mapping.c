/* mapping.c -- the text of a mapping.  What it does with a file stands in mapping_bind.c. */
#include "mapping.h"

#include <string.h>

#include "i18n.h"
#include "suggest.h"

enum section { COLUMNS, VALUES, ROWS, OPERATION, FILE_ITSELF };

struct parser {
	struct arena *a;
	struct mapping *m;
	enum section section;
	const char *field; /* of a [values] section */
	unsigned line;
	size_t lines; /* room of each list: no list is longer than the file */
	struct err *e;
};

static int bad(struct parser *p, const char *what, const char *word)
{
	return err_set(p->e, ERR_INVALID, _("mapping %s, line %u: %s \"%s\""), p->m->name, p->line,
		       what, word);
}

/* ---- words ---- */

static char *skip(char *s)
{
	return s + strspn(s, " \t");
}

static void cut_blanks(char *s, char *end)
{
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
}

/* A word at *s: in quotes ("" is one inside), or up to one of `stops`.  Moves *s behind it, to the
 * stop; *stop gets the stop's character, 0 at the end. */
static int word(struct parser *p, char **s, const char *stops, char **out, char *stop, bool *quoted)
{
	char *at = skip(*s), *to, *end;
	*quoted = *at == '"';
	*out = at;
	if (!*quoted) {
		end = at + strcspn(at, stops);
		*stop = *end;
		*s = *end ? end + 1 : end;
		cut_blanks(at, end);
		return 0;
	}
	*out = to = ++at;
	while (*at && !(at[0] == '"' && at[1] != '"')) {
		at += at[0] == '"';
		*to++ = *at++;
	}
	if (*at != '"')
		return bad(p, _("the quotation mark does not end:"), *out);
	at = skip(at + 1);
	*to = '\0';
	*stop = *at;
	if (*at && !strchr(stops, *at))
		return bad(p, _("what is this behind the quotation mark:"), at);
	*s = *at ? at + 1 : at;
	return 0;
}

/* ---- lines ---- */

static int section_word(struct parser *p, char *rest, const char *name, char **out)
{
	bool quoted;
	char stop;
	if (word(p, &rest, "", out, &stop, &quoted) < 0)
		return -ERR_INVALID;
	return **out ? 0 : bad(p, _("what is it about? it stands behind"), name);
}

static int section(struct parser *p, char *s)
{
	static const struct {
		const char *name;
		enum section section;
	} plain[] = {{"columns", COLUMNS}, {"rows", ROWS}, {"file", FILE_ITSELF}};
	char *name = s + 1, *end = strchr(s, ']'), *about;
	if (!end)
		return bad(p, _("no ] behind"), s);
	*end = '\0';
	char *rest = skip(end + 1);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (strcmp(name, plain[i].name) == 0) {
			p->section = plain[i].section;
			return 0;
		}
	if (strcmp(name, "values") == 0) {
		p->section = VALUES;
		p->field = rest;
		return *rest ? 0 : bad(p, _("which field? it stands behind"), "[values]");
	}
	if (strcmp(name, "operation") == 0) {
		p->section = OPERATION;
		if (section_word(p, rest, "[operation]", &about) < 0)
			return -ERR_INVALID;
		p->m->operation = about;
		return 0;
	}
	if (strcmp(name, "kind") == 0) {
		p->m->kind = kind_by_name(rest);
		return p->m->kind ? 0 : bad(p, _("there is no kind"), rest);
	}
	return bad(p, _("there is no section"), name);
}

/* ---- steps ---- */

static int no_step(struct parser *p, const char *name)
{
	struct suggest s;
	suggest_start(&s, name);
	for (size_t i = 0; transform_name(i); i++)
		suggest_try(&s, transform_name(i));
	suggest_try(&s, "join");
	suggest_try(&s, "optional");
	suggest_try(&s, "ref");
	bad(p, _("there is no transform"), name);
	return suggest_best(&s) ? err_remedy(p->e, _("did you mean %s?"), suggest_best(&s))
				: -ERR_INVALID;
}

static int transform(struct parser *p, struct mapping_steps *steps, const char *name,
		     const char *arg)
{
	const transform_fn fn = transform_find(name);
	if (!arg)
		arg = "";
	if (!fn)
		return no_step(p, name);
	if (steps->n == MAPPING_STEPS_MAX)
		return bad(p, _("too many transforms, from"), name);
	if (!transform_takes(name, arg))
		return bad(p, _("what stands in brackets does not go with"), name);
	steps->at[steps->n++] = (struct mapping_step){fn, arg};
	return 0;
}

/* "name" or "name(argument)"; the argument may stand in quotation marks, NULL: no brackets. *stop:
 * ',' or 0. */
static int step_word(struct parser *p, char **s, char **name, const char **arg, char *stop)
{
	bool quoted;
	char *text;
	*arg = NULL;
	if (word(p, s, ",(", name, stop, &quoted) < 0)
		return -ERR_INVALID;
	if (*stop != '(')
		return 0;
	if (word(p, s, ")", &text, stop, &quoted) < 0)
		return -ERR_INVALID;
	if (*stop != ')')
		return bad(p, _("no ) behind"), text);
	*arg = text;
	*s = skip(*s);
	*stop = **s;
	if (*stop == ',')
		++*s;
	return *stop == ',' || !*stop ? 0 : bad(p, _("what is this behind the brackets:"), *s);
}

static int rule_step(struct parser *p, struct mapping_rule *r, const char *name, const char *arg)
{
	if (strcmp(name, "join") == 0) {
		r->glue = arg ? arg : ", ";
		return 0;
	}
	if (strcmp(name, "optional") == 0) {
		r->optional = true;
		return 0;
	}
	if (strcmp(name, "ref") == 0) {
		r->ref = true;
		r->ref_kind = arg ? kind_by_name(arg) : NULL;
		return !arg || r->ref_kind ? 0 : bad(p, _("there is no kind"), arg);
	}
	return transform(p, &r->steps, name, arg);
}

/* ---- lines of [columns] ---- */

static int key(struct parser *p, char *s)
{
	char stop = '+';
	while (stop == '+') {
		char *column;
		bool quoted;
		if (p->m->n_key == MAPPING_KEY_PARTS)
			return bad(p, _("too many columns in the key:"), s);
		if (word(p, &s, "+:", &column, &stop, &quoted) < 0)
			return -ERR_INVALID;
		if (!*column)
			return bad(p, _("a column is missing in the"), "key");
		p->m->key[p->m->n_key++].column = column;
	}
	while (stop) {
		char *name;
		const char *arg;
		if (step_word(p, &s, &name, &arg, &stop) < 0 ||
		    transform(p, &p->m->key_steps, name, arg) < 0)
			return -ERR_INVALID;
	}
	return 0;
}

static int ignore(struct parser *p, char *s)
{
	char stop = ',';
	while (stop == ',') {
		char *column;
		bool quoted;
		if (word(p, &s, ",", &column, &stop, &quoted) < 0)
			return -ERR_INVALID;
		if (*column && p->m->n_ignored < p->lines)
			p->m->ignored[p->m->n_ignored++] = column;
	}
	return 0;
}

static int rule(struct parser *p, const char *column, char *s)
{
	struct mapping_rule *r = &p->m->rules[p->m->n_rules];
	char stop, *field, *name;
	const char *arg;
	bool quoted;
	*r = (struct mapping_rule){.column = column, .line = p->line};
	if (word(p, &s, ":", &field, &stop, &quoted) < 0)
		return -ERR_INVALID;
	if (!*field)
		return bad(p, _("no field for the column"), column);
	r->field = field;
	while (stop) {
		if (step_word(p, &s, &name, &arg, &stop) < 0 || rule_step(p, r, name, arg) < 0)
			return -ERR_INVALID;
	}
	if (strcmp(field, "ignore") == 0)
		p->m->ignored[p->m->n_ignored++] = column;
	else
		p->m->n_rules++;
	return 0;
}

static int rest(struct parser *p, char *s)
{
	s = skip(s);
	cut_blanks(s, s + strlen(s));
	p->m->rest_ignored |= strcmp(s, "ignore") == 0;
	p->m->rest_same |= strcmp(s, "same") == 0;
	return p->m->rest_ignored || p->m->rest_same
		       ? 0
		       : bad(p, _("\"* =\" is followed by ignore or same, not by"), s);
}

static int constant(struct parser *p, const char *field, char *s)
{
	char *text, stop;
	bool quoted;
	if (word(p, &s, "", &text, &stop, &quoted) < 0)
		return -ERR_INVALID;
	p->m->constants[p->m->n_constants++] = (struct mapping_constant){field, text};
	return 0;
}

static int column_line(struct parser *p, char *left, bool quoted, char *s)
{
	const size_t n = strlen(left);
	if (!quoted && n && left[n - 1] == ':') {
		cut_blanks(left, left + n - 1);
		return constant(p, left, s);
	}
	if (!quoted && strcmp(left, "key") == 0)
		return key(p, s);
	if (!quoted && strcmp(left, "ignore") == 0)
		return ignore(p, s);
	if (!quoted && strcmp(left, "*") == 0)
		return rest(p, s);
	return rule(p, left, s);
}

/* ---- lines of the other sections ---- */

static int value(struct parser *p, const char *from, char *s)
{
	char *to, stop;
	bool quoted;
	if (word(p, &s, "", &to, &stop, &quoted) < 0)
		return -ERR_INVALID;
	p->m->values[p->m->n_values++] = (struct mapping_value){p->field, from, to};
	return 0;
}

static int operation(struct parser *p, const char *from, char *s)
{
	char *to, stop;
	bool quoted;
	if (word(p, &s, "", &to, &stop, &quoted) < 0)
		return -ERR_INVALID;
	if (strcmp(to, "upsert") != 0 && strcmp(to, "delete") != 0 && strcmp(to, "ignore") != 0)
		return bad(p, _("an operation is upsert, delete or ignore, not"), to);
	p->m->operations[p->m->n_operations++] = (struct mapping_value){NULL, from, to};
	return 0;
}

/* "keep COLUMN" or "skip COLUMN", the column perhaps in quotation marks. */
static int filter(struct parser *p, char *left, char *s)
{
	struct mapping_filter *f = &p->m->filters[p->m->n_filters];
	char stop = ',', *column, *at = left + 4;
	bool quoted;
	*f = (struct mapping_filter){.keep = strncmp(left, "keep", 4) == 0};
	if ((!f->keep && strncmp(left, "skip", 4) != 0) || (*at != ' ' && *at != '\t'))
		return bad(p, _("a line of [rows] begins with keep or skip, not with"), left);
	if (word(p, &at, "", &column, &stop, &quoted) < 0)
		return -ERR_INVALID;
	f->column = column;
	f->words = arena_array(p->a, strlen(s) + 1, sizeof *f->words);
	if (!f->words)
		return err_set(p->e, ERR_NOMEM, "mapping");
	for (stop = ','; stop == ',';) {
		char *text;
		if (word(p, &s, ",:", &text, &stop, &quoted) < 0)
			return -ERR_INVALID;
		f->words[f->n++] = text;
	}
	f->optional = stop == ':';
	if (stop == ':' && strcmp(skip(s), "optional") != 0)
		return bad(p, _("what is this behind the colon:"), s);
	p->m->n_filters++;
	return 0;
}

static int file_line(struct parser *p, const char *left, char *s)
{
	char *text, stop;
	bool quoted;
	if (word(p, &s, "", &text, &stop, &quoted) < 0)
		return -ERR_INVALID;
	if (strcmp(left, "format") == 0)
		p->m->format = text;
	else if (strcmp(left, "encoding") == 0)
		p->m->encoding = text;
	else if (strcmp(left, "path") == 0)
		p->m->path = text;
	else if (strcmp(left, "separator") == 0 && strlen(text) == 1)
		p->m->separator = *text;
	else if (strcmp(left, "separator") == 0 && strcmp(text, "tab") == 0)
		p->m->separator = '\t';
	else if (strcmp(left, "from") == 0 && strcmp(text, "seve") == 0)
		p->m->own = true;
	else
		return bad(p, _("[file] does not know"), left);
	return 0;
}

static int line(struct parser *p, char *s)
{
	char *left, stop;
	bool quoted;
	s = skip(s);
	cut_blanks(s, s + strlen(s));
	if (!*s || *s == '#')
		return 0;
	if (*s == '[')
		return section(p, s);
	char *whole = arena_strdup(p->a, s);
	if (!whole)
		return err_set(p->e, ERR_NOMEM, "mapping");
	if (word(p, &s, "=", &left, &stop, &quoted) < 0)
		return -ERR_INVALID;
	if (stop != '=')
		return bad(p, _("there is no = in"), whole);
	switch (p->section) {
	case COLUMNS:
		return column_line(p, left, quoted, s);
	case VALUES:
		return value(p, left, s);
	case OPERATION:
		return operation(p, left, s);
	case ROWS:
		return filter(p, left, s);
	case FILE_ITSELF:
		return file_line(p, left, s);
	}
	return 0;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;
	for (; *text; text++)
		n += *text == '\n' || *text == ',';
	return n;
}

int mapping_parse(struct arena *a, const char *name, const char *text, struct mapping *out,
		  struct err *e)
{
	struct err own;
	struct mapping m = {.name = name};
	struct parser p = {.a = a, .m = &m, .lines = count_lines(text), .e = e ? e : &own};
	m.rules = arena_array(a, p.lines, sizeof *m.rules);
	m.values = arena_array(a, p.lines, sizeof *m.values);
	m.constants = arena_array(a, p.lines, sizeof *m.constants);
	m.ignored = arena_array(a, p.lines, sizeof *m.ignored);
	m.filters = arena_array(a, p.lines, sizeof *m.filters);
	m.operations = arena_array(a, p.lines, sizeof *m.operations);
	char *copy = arena_strdup(a, text);
	if (!m.rules || !m.values || !m.constants || !m.ignored || !m.filters || !m.operations ||
	    !copy)
		return err_set(e, ERR_NOMEM, "mapping");
	if (strncmp(copy, "\xef\xbb\xbf", 3) == 0)
		copy += 3;
	while (*copy) {
		char *end = copy + strcspn(copy, "\n"), *next = *end ? end + 1 : end;
		if (end > copy && end[-1] == '\r')
			end--;
		*end = '\0';
		p.line++;
		const int rc = line(&p, copy);
		if (rc < 0)
			return rc;
		copy = next;
	}
	if (m.n_key == 0) {
		err_set(e, ERR_INVALID, _("mapping %s has no key"), name);
		return err_remedy(e, _("add a line: key = COLUMN, the column that names the row in "
				       "your system"));
	}
	*out = m;
	return 0;
}
