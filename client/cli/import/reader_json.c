/* reader_json.c -- JSON (an array, alone or inside an object) and JSON Lines as rows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "i18n.h"
#include "import/jsoncells.h"
#include "import/jsonscan.h"
#include "import/reader.h"
#include "text.h"

enum { ARENA_MAX = 16 * 1024 * 1024 };

struct json {
	struct arena arena; /* of one row */
	struct jsonscan *scan;
	struct err why; /* of a row that cannot be used */
	char *line;     /* JSON Lines */
	uint32_t number;
};

static bool detect_json(const char *head, size_t n)
{
	return n && (*head == '[' || *head == '{');
}

/* Objects in two lines or more, each whole in its line. */
static bool detect_jsonl(const char *head, size_t n)
{
	const char *end = memchr(head, '\n', n);
	(void)n;
	if (*head != '{' || !end)
		return false;
	while (end > head && (end[-1] == '\r' || end[-1] == ' '))
		end--;
	const char *next = end + strspn(end, " \r\n");
	return end[-1] == '}' && (*next == '{' || !*next);
}

static int open_state(struct reader *r, struct err *e)
{
	struct json *j = calloc(1, sizeof *j);
	if (!j)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	arena_init(&j->arena, ARENA_MAX);
	r->state = j;
	return 0;
}

static int json_open(struct reader *r, struct err *e)
{
	const int rc = open_state(r, e);
	struct json *j = r->state;
	return rc < 0 ? rc : jsonscan_open(r->file, r->o.path, &j->scan, e);
}

static int row(struct reader *r, const json_t *v, struct reader_row *out, struct err *e)
{
	struct json *j = r->state;
	arena_reset(&j->arena);
	jsoncells_clear(r);
	if (!json_is_object(v))
		out->broken = _("this is no object with named members");
	const int rc =
		json_is_object(v) ? jsoncells_add(r, &j->arena, "", v, &out->replaced, e) : 0;
	out->cells = r->cells;
	out->n = r->n;
	return rc < 0 ? rc : 1;
}

static int json_next(struct reader *r, struct reader_row *out, struct err *e)
{
	struct json *j = r->state;
	json_t *v = NULL;
	int rc = jsonscan_next(j->scan, &v, &out->line, e);
	if (rc == 1)
		rc = row(r, v, out, e);
	json_decref(v);
	return rc;
}

static void json_close(struct reader *r)
{
	struct json *j = r->state;
	if (!j)
		return;
	jsonscan_close(j->scan);
	arena_fini(&j->arena);
	free(j->line);
	free(j);
}

/* ---- JSON Lines ---- */

static int jsonl_open(struct reader *r, struct err *e)
{
	const int rc = open_state(r, e);
	struct json *j = r->state;
	if (rc == 0)
		j->line = malloc(READER_ROW_MAX + 1);
	return rc == 0 && !j->line ? err_set(e, ERR_NOMEM, _("reading the file")) : rc;
}

/* 1 with a line that is not blank. */
static int jsonl_line(struct reader *r, size_t *len, struct err *e)
{
	struct json *j = r->state;
	int ch;
	for (;;) {
		size_t n = 0;
		while ((ch = getc_unlocked(r->file)) != EOF && ch != '\n') {
			if (n == READER_ROW_MAX)
				return err_set(e, ERR_TOO_BIG, _("line %u is longer than %d bytes"),
					       j->number + 1, READER_ROW_MAX);
			j->line[n++] = (char)ch;
		}
		if (ch == EOF && ferror(r->file))
			return err_set(e, ERR_IO, _("reading the file: %s"), strerror(errno));
		if (ch == EOF && n == 0)
			return 0;
		j->number++;
		if (j->number == 1 && n >= 3 && memcmp(j->line, "\xef\xbb\xbf", 3) == 0)
			memmove(j->line, j->line + 3, n -= 3);
		j->line[n] = '\0';
		*len = n;
		if (memchr(j->line, '\0', n) || j->line[strspn(j->line, " \t\r")])
			return 1;
	}
}

/* A line that is no JSON is a row that is no good: it does not stop the others. */
static int jsonl_next(struct reader *r, struct reader_row *out, struct err *e)
{
	struct json *j = r->state;
	json_t *v = NULL;
	size_t n = 0;
	int rc = jsonl_line(r, &n, e);
	if (rc <= 0)
		return rc;
	out->line = j->number;
	if (jsonscan_value(j->line, n, &v, &j->why) < 0) {
		out->broken = j->why.text;
		return 1;
	}
	rc = row(r, v, out, e);
	json_decref(v);
	return rc;
}

const struct reader_ops reader_json = {"json",    ".json",   detect_json,
				       json_open, json_next, json_close};
const struct reader_ops reader_jsonl = {"jsonl",    ".jsonl .ndjson", detect_jsonl,
					jsonl_open, jsonl_next,       json_close};
