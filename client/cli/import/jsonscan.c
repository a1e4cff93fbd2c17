/* jsonscan.c -- see jsonscan.h.
 *
 * START ─[─► ARRAY ─]─► AFTER ─end─► DONE       AFTER: what stands behind the array in the objects
 *   └──{──► (members up to the array) ─► ARRAY         around it
 *   └─else─► the document is one element ─► AFTER */
#include "import/jsonscan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "i18n.h"

enum state { START, ARRAY, AFTER, DONE };

struct jsonscan {
	FILE *file;
	enum state state;
	struct buf text; /* of the value that is being cut */
	uint32_t line, number;
	size_t around;  /* bytes of the members beside the array */
	unsigned level; /* objects that stand open around the array */
	char *path, *parts[JSONSCAN_PATH_MAX];
	size_t n_parts;
	bool itself; /* the path is "." */
	struct err *e;
};

/* ---- characters ---- */

static int get(struct jsonscan *s)
{
	const int ch = getc_unlocked(s->file);
	s->line += ch == '\n';
	return ch;
}

static void unget(struct jsonscan *s, int ch)
{
	if (ch == EOF)
		return;
	s->line -= ch == '\n';
	ungetc(ch, s->file);
}

static int get_solid(struct jsonscan *s)
{
	int ch;
	do
		ch = get(s);
	while (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n');
	return ch;
}

static int unexpected(struct jsonscan *s, int ch, const char *wanted)
{
	if (ch == EOF && ferror(s->file))
		return err_set(s->e, ERR_IO, _("reading the file: %s"), strerror(errno));
	if (ch == EOF)
		return err_set(s->e, ERR_INVALID,
			       _("line %u: the file ends in the middle; wanted: %s"), s->line,
			       wanted);
	return err_set(s->e, ERR_INVALID, _("line %u: this is no JSON: 0x%02X where %s was wanted"),
		       s->line, (unsigned)ch, wanted);
}

static int add(struct jsonscan *s, int ch)
{
	const char byte = (char)ch;
	const int rc = buf_add(&s->text, &byte, 1);
	if (rc == -ERR_TOO_BIG)
		return err_set(s->e, ERR_TOO_BIG, _("line %u: an element of more than %d bytes"),
			       s->line, JSONSCAN_ELEMENT_MAX);
	return rc ? err_set(s->e, ERR_NOMEM, _("reading the file")) : 0;
}

/* ---- one value ---- */

/* Behind the opening quotation mark, which has been added. */
static int cut_string(struct jsonscan *s)
{
	int ch, rc = 0;
	while (rc == 0 && (ch = get(s)) != '"') {
		if (ch == EOF)
			return unexpected(s, ch, "\"");
		rc = add(s, ch);
		if (rc == 0 && ch == '\\') {
			ch = get(s);
			rc = ch == EOF ? unexpected(s, ch, "\"") : add(s, ch);
		}
	}
	return rc ? rc : add(s, '"');
}

/* Numbers and words: up to what can stand behind a value. */
static int cut_word(struct jsonscan *s, int ch)
{
	int rc = 0;
	while (rc == 0 && ch != EOF && !strchr(" \t\r\n,]}:", ch)) {
		rc = add(s, ch);
		ch = get(s);
	}
	unget(s, ch);
	return rc;
}

/* An object or array from its opening bracket on; jansson judges what is inside. */
static int cut_nested(struct jsonscan *s, int ch)
{
	int depth = 0, rc = 0;
	for (;;) {
		if (ch == EOF)
			return unexpected(s, ch, "] }");
		rc = add(s, ch);
		if (rc == 0 && ch == '"')
			rc = cut_string(s);
		depth += (ch == '[' || ch == '{') - (ch == ']' || ch == '}');
		if (rc || depth == 0)
			return rc;
		if (depth > JSONSCAN_DEPTH_MAX)
			return err_set(s->e, ERR_INVALID,
				       _("line %u: more than %d brackets inside each other"),
				       s->line, JSONSCAN_DEPTH_MAX);
		ch = get(s);
	}
}

/* jansson takes no NUL in keys, and nobody wants one: it becomes a blank. */
static void without_nul(char *text, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (text[i] != '\\')
			continue;
		if (i + 6 <= n && memcmp(text + i, "\\u0000", 6) == 0)
			text[i + 4] = '2';
		i++;
	}
}

int jsonscan_value(char *text, size_t n, json_t **out, struct err *e)
{
	json_error_t why;
	without_nul(text, n);
	*out = json_loadb(text, n, JSON_DECODE_ANY, &why);
	return *out ? 0 : err_set(e, ERR_INVALID, _("this is no JSON: %s"), why.text);
}

static int parse(struct jsonscan *s, uint32_t line, json_t **out)
{
	struct span text = buf_span(&s->text);
	const int rc = jsonscan_value((char *)(uintptr_t)text.at, text.len, out, s->e);
	return rc < 0 ? err_prefix(s->e, _("line %u"), line) : 0;
}

/* The value whose first character is `ch`. */
static int value(struct jsonscan *s, int ch, json_t **out)
{
	const uint32_t line = s->line;
	int rc;
	buf_consume(&s->text, buf_len(&s->text));
	if (ch == '[' || ch == '{')
		rc = cut_nested(s, ch);
	else if (ch == '"')
		rc = (rc = add(s, ch)) ? rc : cut_string(s);
	else if (ch == EOF || strchr(",]}:", ch))
		rc = unexpected(s, ch, _("a value"));
	else
		rc = cut_word(s, ch);
	return rc ? rc : parse(s, line, out);
}

/* ---- the objects around the array ---- */

static int key(struct jsonscan *s, int ch, json_t **out)
{
	if (ch != '"')
		return unexpected(s, ch, "\"");
	int rc = value(s, ch, out);
	if (rc == 0 && (ch = get_solid(s)) != ':') {
		json_decref(*out);
		*out = NULL;
		rc = unexpected(s, ch, ":");
	}
	return rc;
}

/* Behind a member: 1 when another follows (*ch is then its first character), 0 behind the '}'. */
static int another(struct jsonscan *s, int *ch)
{
	*ch = get_solid(s);
	if (*ch == '}')
		return 0;
	if (*ch != ',')
		return unexpected(s, *ch, ", }");
	*ch = get_solid(s);
	return 1;
}

static bool on_path(const struct jsonscan *s, const char *name)
{
	return s->level <= s->n_parts && s->level && strcmp(s->parts[s->level - 1], name) == 0;
}

/* A member beside the array: kept in `whole` while it may turn out that there is no array. */
static int keep_member(struct jsonscan *s, json_t *whole, const char *name, int ch)
{
	json_t *v = NULL;
	int rc = value(s, ch, &v);
	s->around += buf_len(&s->text);
	if (rc == 0 && whole && s->around > JSONSCAN_ELEMENT_MAX)
		rc = err_set(s->e, ERR_TOO_BIG, _("line %u: an element of more than %d bytes"),
			     s->line, JSONSCAN_ELEMENT_MAX);
	if (rc == 0 && whole && json_object_set(whole, name, v) != 0)
		rc = err_set(s->e, ERR_NOMEM, _("reading the file"));
	json_decref(v);
	return rc;
}

/* Whether the value that begins with `ch` is the array that is looked for. */
static bool is_the_array(struct jsonscan *s, const char *name, int ch)
{
	if (ch != '[' || s->itself)
		return false;
	if (s->n_parts)
		return s->level == s->n_parts && on_path(s, name);
	const int next = get_solid(s);
	unget(s, next);
	return s->level == 1 && next == '{';
}

enum { MEMBER_ARRAY = 1, MEMBER_DEEPER = 2 };

static int member(struct jsonscan *s, json_t *whole, int ch)
{
	json_t *name = NULL;
	int rc = key(s, ch, &name);
	if (rc < 0)
		return rc;
	ch = get_solid(s);
	const char *text = json_string_value(name);
	if (is_the_array(s, text, ch))
		rc = MEMBER_ARRAY;
	else if (ch == '{' && s->level < s->n_parts && on_path(s, text))
		rc = MEMBER_DEEPER;
	else
		rc = keep_member(s, whole, text, ch);
	json_decref(name);
	return rc;
}

/* Behind a '{': up to the array, or the whole object, which is then the one element. 1 with an
 * element, 0 with the state moved on. */
static int object(struct jsonscan *s, json_t **out)
{
	json_t *whole = json_object();
	int ch = get_solid(s), rc = whole ? 0 : err_set(s->e, ERR_NOMEM, _("reading the file"));
	s->level = 1;
	bool more = rc == 0 && ch != '}';
	while (more) {
		rc = member(s, whole, ch);
		if (rc == MEMBER_DEEPER) {
			s->level++;
			ch = get_solid(s);
			more = ch != '}';
			rc = more ? 0 : unexpected(s, ch, _("the array of --path"));
			continue;
		}
		if (rc)
			break;
		rc = another(s, &ch);
		more = rc == 1;
	}
	if (rc == MEMBER_ARRAY && more) {
		s->state = ARRAY;
		rc = 0;
	} else if (rc == 0 && s->n_parts) {
		rc = err_set(s->e, ERR_NOT_FOUND, _("there is no array at \"%s\""), s->path);
	} else if (rc == 0) {
		s->state = AFTER;
		s->level = 0;
		*out = whole;
		return 1;
	}
	json_decref(whole);
	return rc;
}

/* What stands behind the array, to the end of the file. */
static int after(struct jsonscan *s)
{
	int ch, rc;
	for (; s->level; s->level--) {
		while ((rc = another(s, &ch)) == 1) {
			json_t *name = NULL;
			rc = key(s, ch, &name);
			json_decref(name);
			if (rc == 0)
				rc = keep_member(s, NULL, "", get_solid(s));
			if (rc < 0)
				return rc;
		}
		if (rc < 0)
			return rc;
	}
	ch = get_solid(s);
	if (ch != EOF || ferror(s->file)) {
		unexpected(s, ch, _("the end"));
		return err_remedy(s->e, _("one value a line? then --input jsonl"));
	}
	s->state = DONE;
	return 0;
}

/* ---- elements ---- */

static int element(struct jsonscan *s, json_t **out)
{
	int ch = get_solid(s);
	if (ch == ']' && s->number == 0) {
		s->state = AFTER;
		return 0;
	}
	if (s->number) {
		if (ch == ']') {
			s->state = AFTER;
			return 0;
		}
		if (ch != ',')
			return unexpected(s, ch, ", ]");
		ch = get_solid(s);
	}
	const int rc = value(s, ch, out);
	return rc < 0 ? rc : 1;
}

static int start(struct jsonscan *s, json_t **out)
{
	int ch = get(s);
	if (ch == 0xef) { /* a byte order mark */
		const int second = get(s), third = get(s);
		if (second != 0xbb || third != 0xbf)
			return unexpected(s, ch, _("a value"));
		ch = get(s);
	}
	unget(s, ch);
	ch = get_solid(s);
	if (ch == '[' && !s->n_parts && !s->itself) {
		s->state = ARRAY;
		return 0;
	}
	if (ch == '{')
		return object(s, out);
	s->state = AFTER;
	const int rc = value(s, ch, out);
	return rc < 0 ? rc : 1;
}

int jsonscan_next(struct jsonscan *s, json_t **out, uint32_t *number, struct err *e)
{
	struct err own = {0};
	int rc = 0;
	s->e = e ? e : &own;
	while (rc == 0 && s->state != DONE) {
		switch (s->state) {
		case START:
			rc = start(s, out);
			break;
		case ARRAY:
			rc = element(s, out);
			break;
		case AFTER:
			rc = after(s);
			break;
		case DONE:
			break;
		}
	}
	if (rc == 1)
		*number = ++s->number;
	return rc;
}

static int take_path(struct jsonscan *s, const char *path, struct err *e)
{
	if (!path)
		return 0;
	if (strcmp(path, ".") == 0) {
		s->itself = true;
		return 0;
	}
	s->path = strdup(path);
	char *copy = s->path ? strdup(path) : NULL;
	if (!copy)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	s->parts[0] = copy;
	for (char *p = copy; p; p = strchr(p, '.')) {
		if (s->n_parts)
			*p++ = '\0';
		if (s->n_parts == JSONSCAN_PATH_MAX)
			return err_set(e, ERR_USAGE, _("--path %s has too many members"), path);
		s->parts[s->n_parts++] = p;
	}
	return 0;
}

int jsonscan_open(FILE *file, const char *path, struct jsonscan **out, struct err *e)
{
	struct jsonscan *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	s->file = file;
	s->line = 1;
	buf_init(&s->text, JSONSCAN_ELEMENT_MAX);
	const int rc = take_path(s, path, e);
	if (rc < 0)
		jsonscan_close(s);
	else
		*out = s;
	return rc;
}

void jsonscan_close(struct jsonscan *s)
{
	if (!s)
		return;
	buf_fini(&s->text);
	free(s->parts[0]);
	free(s->path);
	free(s);
}
