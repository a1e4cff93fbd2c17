/* icslines.c -- see icslines.h. */
#include "import/icslines.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "i18n.h"
#include "text.h"

enum {
	DEPTH_MAX = 16,
	WORD = 40,
	LINES_MAX = 5000, /* of one component: libical goes through all of them for each bad one */
	BOM = 3,
};

struct outline {
	struct icslines *out;
	char open[DEPTH_MAX][WORD];
	unsigned depth, lines[DEPTH_MAX];
	uint32_t line;
	struct err *e;
};

static int add_event(struct outline *o)
{
	struct icslines *l = o->out;
	if (l->n == l->room) {
		const size_t room = l->room ? 2 * l->room : 64;
		uint32_t *at = realloc(l->at, room * sizeof *at);
		if (!at)
			return err_set(o->e, ERR_NOMEM, _("reading the file"));
		l->at = at;
		l->room = room;
	}
	l->at[l->n++] = o->line;
	return 0;
}

static int begin(struct outline *o, const char *word)
{
	if (o->depth == 0 && strcasecmp(word, "VCALENDAR") != 0) {
		err_set(o->e, ERR_INVALID, _("line %u: %s stands outside a VCALENDAR"), o->line,
			word);
		return err_remedy(o->e, _("a calendar begins with BEGIN:VCALENDAR"));
	}
	if (o->depth == DEPTH_MAX)
		return err_set(o->e, ERR_INVALID,
			       _("line %u: more than %d components inside each other"), o->line,
			       DEPTH_MAX);
	if (o->depth == 1 && strcasecmp(word, "VEVENT") == 0 && add_event(o) < 0)
		return -ERR_NOMEM;
	o->lines[o->depth] = 0;
	memcpy(o->open[o->depth++], word, WORD);
	return 0;
}

static int end(struct outline *o, const char *word)
{
	if (o->depth == 0)
		return err_set(o->e, ERR_INVALID, _("line %u: END:%s closes nothing"), o->line,
			       word);
	if (strcasecmp(o->open[o->depth - 1], word) != 0)
		return err_set(o->e, ERR_INVALID, _("line %u: END:%s where %s is open"), o->line,
			       word, o->open[o->depth - 1]);
	o->depth--;
	return 0;
}

static int one_line(struct outline *o, const char *s, size_t n)
{
	const size_t head = n >= 6 && strncasecmp(s, "BEGIN:", 6) == 0 ? 6
			    : n >= 4 && strncasecmp(s, "END:", 4) == 0 ? 4
								       : 0;
	char word[WORD] = "";
	if (o->depth == 0 && head != 6 && n)
		return err_set(o->e, ERR_INVALID, _("line %u stands outside a VCALENDAR"), o->line);
	if (!head) {
		if (o->depth && ++o->lines[o->depth - 1] > LINES_MAX)
			return err_set(o->e, ERR_TOO_BIG,
				       _("line %u: more than %d lines in one %s"), o->line,
				       LINES_MAX, o->open[o->depth - 1]);
		return 0;
	}
	while (n > head && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	if (n - head >= WORD)
		return err_set(o->e, ERR_INVALID, _("line %u: no component has so long a name"),
			       o->line);
	memcpy(word, s + head, n - head);
	return head == 6 ? begin(o, word) : end(o, word);
}

static int check_bytes(char *text, size_t n, struct err *e)
{
	size_t bad;
	uint32_t line = 1;
	if (n >= BOM && memcmp(text, "\xef\xbb\xbf", BOM) == 0)
		memcpy(text, "\n\n\n", BOM);
	if (text_is_utf8(text, n, &bad))
		return 0;
	for (size_t i = 0; i < bad; i++)
		line += text[i] == '\n';
	if (text[bad] == '\0')
		return err_set(e, ERR_INVALID, _("line %u holds a NUL byte: it is no text"), line);
	err_set(e, ERR_INVALID, _("line %u: byte 0x%02X is not UTF-8"), line,
		(unsigned)(unsigned char)text[bad]);
	return err_remedy(e, _("save the calendar as UTF-8"));
}

int icslines_check(char *text, size_t n, struct icslines *out, struct err *e)
{
	struct outline o = {.out = out, .e = e};
	const bool marked = n >= BOM && (unsigned char)*text == 0xef;
	int rc = check_bytes(text, n, e);
	/* what stands for a byte order mark is no line of the file */
	for (const char *p = marked ? text + BOM : text; rc == 0 && *p;) {
		const size_t len = strcspn(p, "\r\n");
		o.line++;
		/* a line that begins with a blank goes on with the one before */
		if (*p != ' ' && *p != '\t')
			rc = one_line(&o, p, len);
		p += len;
		if (*p == '\r')
			p++;
		if (*p == '\n')
			p++;
	}
	if (rc == 0 && o.depth)
		rc = err_set(e, ERR_INVALID, _("the file ends inside %s"), o.open[o.depth - 1]);
	if (rc == 0 && o.line == 0)
		rc = err_set(e, ERR_INVALID, _("the file is empty"));
	return rc;
}

void icslines_fini(struct icslines *l)
{
	free(l->at);
	*l = (struct icslines){0};
}
