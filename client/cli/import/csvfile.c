/* csvfile.c -- libcsv, fed line by line so that lines can be counted, and checks on what comes out
 * of it. */
#include "csvfile.h"

#include <csv.h>
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "i18n.h"
#include "import/reader.h"
#include "text.h"

/* libcsv's states, which it keeps to itself: nothing of a row read yet; inside a cell. */
enum { STATE_NO_ROW = 0, STATE_IN_CELL = 2 };

enum {
	CELL_STEP = 16 * 1024, /* libcsv's own 128 bytes make a long cell quadratic */
	ROOM_FIRST = 4096,     /* of a buffer that grows with the longest row */
};

struct buffer {
	char *at;
	size_t len, room;
};

struct csvfile {
	FILE *file;
	struct csv_parser parser;
	iconv_t convert; /* (iconv_t)-1: none */
	struct err *e;   /* of the call under way */
	int rc;
	bool ready, ended, finished, bom, verbatim; /* a row waits; the file is through */
	struct csvfile_row out;
	uint32_t line, row_line;
	struct buffer raw, text; /* a line as it is, and converted */
	struct buffer row;       /* cells, each with its NUL */
	size_t starts[CSVFILE_CELLS_MAX];
	char *cells[CSVFILE_CELLS_MAX];
	char *names; /* of the header, for messages: cells like `row` */
	size_t n;
	size_t name_starts[CSVFILE_CELLS_MAX], n_names;
	bool detect;
};

/* ---- encodings ---- */

static const struct {
	const char *word, *iconv;
} encodings[] = {
	{"utf-8", "UTF-8"},           {"utf8", "UTF-8"},
	{"latin1", "ISO-8859-1"},     {"latin-1", "ISO-8859-1"},
	{"iso-8859-1", "ISO-8859-1"}, {"iso-8859-15", "ISO-8859-15"},
	{"latin9", "ISO-8859-15"},    {"windows-1252", "CP1252"},
	{"cp1252", "CP1252"},
};

const char *csvfile_encoding(const char *word)
{
	for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
		if (strcasecmp(encodings[i].word, word) == 0)
			return encodings[i].iconv;
	return NULL;
}

/* Room for `n` bytes in all.  Buffers begin small: rows of a megabyte are rare. */
static int buffer_room(struct buffer *b, size_t n, struct err *e)
{
	size_t room = b->room ? b->room : ROOM_FIRST;
	while (room < n)
		room *= 2;
	if (room == b->room)
		return 0;
	char *more = realloc(b->at, room);
	if (!more)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	b->at = more;
	b->room = room;
	return 0;
}

/* The column's name for a message, or its number. */
static void column_name(const struct csvfile *r, size_t i, char out[static 80])
{
	if (i < r->n_names && r->names[r->name_starts[i]])
		snprintf(out, 80, "\"%.70s\"", r->names + r->name_starts[i]);
	else
		snprintf(out, 80, "%zu", i + 1);
}

static int not_utf8(struct csvfile *r, size_t column, size_t bad)
{
	const unsigned char *cell = (const unsigned char *)r->cells[column];
	const size_t len = strlen(r->cells[column]);
	uint32_t line = r->row_line;
	bool windows = false;
	char name[80];
	for (const char *p = r->row.at; p < r->cells[column] + bad; p++)
		line += *p == '\n';
	for (size_t i = 0; i < len; i++)
		windows |= cell[i] >= 0x80 && cell[i] < 0xa0;
	column_name(r, column, name);
	err_set(r->e, ERR_INVALID,
		_("line %u, column %s: byte 0x%02X is not UTF-8; the file looks like %s"), line,
		name, cell[bad], windows ? "Windows-1252" : "ISO-8859-1");
	return err_remedy(r->e, _("pass --encoding %s"), windows ? "windows-1252" : "latin1");
}

/* ---- rows ---- */

/* Blanks at both ends, no-break spaces too. */
static char *trim(char *s)
{
	for (;;) {
		if (*s == ' ' || *s == '\t' || *s == '\n')
			s++;
		else if ((unsigned char)s[0] == 0xc2 && (unsigned char)s[1] == 0xa0)
			s += 2;
		else
			break;
	}
	size_t n = strlen(s);
	for (;;) {
		if (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\n'))
			n--;
		else if (n >= 2 && (unsigned char)s[n - 2] == 0xc2 &&
			 (unsigned char)s[n - 1] == 0xa0)
			n -= 2;
		else
			break;
	}
	s[n] = '\0';
	return s;
}

static int keep_names(struct csvfile *r)
{
	r->names = malloc(r->row.len + 1);
	if (!r->names)
		return err_set(r->e, ERR_NOMEM, _("reading the header"));
	size_t at = 0;
	for (size_t i = 0; i < r->n; i++) {
		const size_t len = strlen(r->cells[i]) + 1;
		memcpy(r->names + at, r->cells[i], len);
		r->name_starts[i] = at;
		at += len;
	}
	r->n_names = r->n;
	return 0;
}

static int row(struct csvfile *r)
{
	r->out = (struct csvfile_row){.line = r->row_line, .cells = r->cells, .n = r->n};
	for (size_t i = 0; i < r->n; i++)
		r->cells[i] = r->row.at + r->starts[i];
	for (size_t i = 0; i < r->n; i++) {
		size_t bad;
		if (!text_is_utf8(r->cells[i], strlen(r->cells[i]), &bad))
			return not_utf8(r, i, bad);
	}
	for (size_t i = 0; i < r->n; i++) {
		r->out.replaced += reader_clean(r->cells[i]);
		if (!r->verbatim)
			r->cells[i] = trim(r->cells[i]);
	}
	if (!r->names && keep_names(r) < 0)
		return -ERR_NOMEM;
	r->ready = true;
	return 0;
}

static int too_big(struct csvfile *r, const char *what, unsigned most)
{
	err_set(r->e, ERR_TOO_BIG, _("line %u: more than %u %s in one row"), r->row_line, most,
		what);
	return err_remedy(r->e, _("is a quotation mark missing there, or is the separator another "
				  "one (--separator)?"));
}

static void on_cell(void *bytes, size_t n, void *ctx)
{
	struct csvfile *r = ctx;
	if (r->rc)
		return;
	if (r->n == CSVFILE_CELLS_MAX) {
		r->rc = too_big(r, _("cells"), CSVFILE_CELLS_MAX);
	} else if (r->row.len + n + 1 > CSVFILE_ROW_MAX) {
		r->rc = too_big(r, _("bytes"), CSVFILE_ROW_MAX);
	} else {
		r->rc = buffer_room(&r->row, r->row.len + n + 1, r->e);
	}
	if (r->rc)
		return;
	r->starts[r->n++] = r->row.len;
	if (n)
		memcpy(r->row.at + r->row.len, bytes, n);
	r->row.len += n;
	r->row.at[r->row.len++] = '\0';
}

static void on_row(int end, void *ctx)
{
	struct csvfile *r = ctx;
	(void)end;
	if (r->rc == 0)
		r->rc = row(r);
	r->n = r->row.len = 0;
}

/* ---- lines ---- */

/* The one of comma, semicolon and tab that stands most often outside quotes. */
static char detect(const char *s, size_t n)
{
	static const char candidates[] = ",;\t";
	size_t counts[3] = {0}, best = 0;
	bool quoted = false;
	for (size_t i = 0; i < n; i++) {
		quoted ^= s[i] == '"';
		for (size_t k = 0; k < 3 && !quoted; k++)
			counts[k] += s[i] == candidates[k];
	}
	for (size_t k = 1; k < 3; k++)
		if (counts[k] > counts[best])
			best = k;
	return candidates[best];
}

static int first_line(struct csvfile *r, const char **s, size_t *n)
{
	const unsigned char *b = (const unsigned char *)*s;
	if (*n >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff))) {
		err_set(r->e, ERR_INVALID, _("line 1: the file is UTF-16"));
		return err_remedy(r->e, _("save it as \"CSV UTF-8\""));
	}
	if (*n >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf) {
		*s += 3;
		*n -= 3;
		r->bom = true;
	}
	if (r->detect)
		csv_set_delim(&r->parser, (unsigned char)detect(*s, *n));
	return 0;
}

/* All our other encodings have one byte a character, which becomes at most three. */
static int converted(struct csvfile *r, const char **s, size_t *n)
{
	char *in = (char *)(uintptr_t)*s;
	size_t in_left = *n, out_left = 3 * *n;
	if (r->convert == (iconv_t)-1)
		return 0;
	if (buffer_room(&r->text, out_left, r->e) < 0)
		return -ERR_NOMEM;
	char *out = r->text.at;
	if (iconv(r->convert, &in, &in_left, &out, &out_left) == (size_t)-1) {
		err_set(r->e, ERR_INVALID,
			_("line %u: byte 0x%02X has no meaning in this encoding"), r->line,
			(unsigned)(unsigned char)*in);
		return err_remedy(r->e, _("pass another --encoding"));
	}
	*s = r->text.at;
	*n = (size_t)(out - r->text.at);
	return 0;
}

static int feed(struct csvfile *r)
{
	const char *s = r->raw.at;
	size_t n = r->raw.len;
	r->line++;
	r->raw.len = 0;
	if (memchr(s, '\0', n)) {
		err_set(r->e, ERR_INVALID, _("line %u holds a NUL byte: it is no text"), r->line);
		return err_remedy(r->e, _("save the file as CSV, not as a spreadsheet"));
	}
	int rc = r->line == 1 ? first_line(r, &s, &n) : 0;
	if (rc == 0)
		rc = converted(r, &s, &n);
	if (rc < 0)
		return rc;
	if (r->parser.pstate == STATE_NO_ROW)
		r->row_line = r->line;
	if (csv_parse(&r->parser, s, n, on_cell, on_row, r) != n && r->rc == 0)
		r->rc = err_set(r->e, ERR_NOMEM, "line %u: %s", r->line,
				csv_strerror(csv_error(&r->parser)));
	if (r->rc == 0 && r->parser.entry_pos > CSVFILE_ROW_MAX)
		r->rc = too_big(r, _("bytes"), CSVFILE_ROW_MAX);
	return r->rc;
}

/* One line goes in: up to LF, or CR without LF behind it.  At most one row comes out of it. */
static int feed_line(struct csvfile *r)
{
	int ch;
	while ((ch = getc_unlocked(r->file)) != EOF) {
		if (r->raw.len == CSVFILE_ROW_MAX) {
			r->row_line = r->line + 1;
			return too_big(r, _("bytes"), CSVFILE_ROW_MAX);
		}
		if (r->raw.len == r->raw.room && buffer_room(&r->raw, r->raw.len + 1, r->e) < 0)
			return -ERR_NOMEM;
		r->raw.at[r->raw.len++] = (char)ch;
		if (ch == '\n')
			return feed(r);
		if (ch != '\r')
			continue;
		const int next = getc_unlocked(r->file);
		if (next != EOF)
			ungetc(next, r->file);
		if (next != '\n')
			return feed(r);
	}
	if (ferror(r->file))
		return err_set(r->e, ERR_IO, _("reading the file: %s"), strerror(errno));
	r->ended = true;
	return r->raw.len ? feed(r) : 0;
}

static int finish(struct csvfile *r)
{
	if (r->parser.quoted && r->parser.pstate == STATE_IN_CELL) {
		err_set(r->e, ERR_INVALID,
			_("line %u: a cell begins with a quotation mark and never ends"),
			r->row_line);
		return err_remedy(r->e, _("close it, or double the quotation marks inside it"));
	}
	csv_fini(&r->parser, on_cell, on_row, r);
	return r->rc;
}

static int open_encoding(struct csvfile *r, const struct csvfile_options *o, struct err *e)
{
	const char *from = o->encoding ? csvfile_encoding(o->encoding) : "UTF-8";
	if (!from) {
		err_set(e, ERR_USAGE, _("there is no encoding \"%s\""), o->encoding);
		return err_remedy(e, "utf-8, latin1, iso-8859-15, windows-1252");
	}
	if (strcmp(from, "UTF-8") != 0) {
		r->convert = iconv_open("UTF-8", from);
		if (r->convert == (iconv_t)-1)
			return err_set(e, ERR_INTERNAL, _("this system cannot convert %s"), from);
	}
	return 0;
}

static void start_parser(struct csvfile *r, char separator)
{
	csv_init(&r->parser, 0);
	csv_set_blk_size(&r->parser, CELL_STEP);
	r->detect = !separator;
	if (separator)
		csv_set_delim(&r->parser, (unsigned char)separator);
}

int csvfile_open(FILE *file, const struct csvfile_options *o, struct csvfile **out, struct err *e)
{
	struct csvfile *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	r->file = file;
	r->convert = (iconv_t)-1;
	start_parser(r, o->separator);
	const int rc = open_encoding(r, o, e);
	if (rc < 0)
		csvfile_close(r);
	else
		*out = r;
	return rc;
}

int csvfile_next(struct csvfile *r, struct csvfile_row *out, struct err *e)
{
	struct err own = {0};
	r->e = e ? e : &own;
	r->ready = false;
	while (r->rc == 0 && !r->ready && !r->ended)
		r->rc = feed_line(r);
	if (r->rc == 0 && !r->ready && !r->finished) {
		r->finished = true;
		r->rc = finish(r);
	}
	if (r->rc)
		return r->rc;
	*out = r->out;
	return r->ready;
}

char csvfile_separator(const struct csvfile *r)
{
	return (char)r->parser.delim_char;
}

void csvfile_verbatim(struct csvfile *r)
{
	r->verbatim = true;
}

bool csvfile_has_bom(const struct csvfile *r)
{
	return r->bom;
}

void csvfile_close(struct csvfile *r)
{
	if (!r)
		return;
	csv_free(&r->parser);
	if (r->convert != (iconv_t)-1)
		iconv_close(r->convert);
	free(r->raw.at);
	free(r->row.at);
	free(r->text.at);
	free(r->names);
	free(r);
}

int csvfile_read(FILE *file, const struct csvfile_options *o, csvfile_fn fn, void *ctx,
		 struct err *e)
{
	struct csvfile *r;
	struct csvfile_row row;
	int rc = csvfile_open(file, o, &r, e);
	if (rc < 0)
		return rc;
	while ((rc = csvfile_next(r, &row, e)) == 1) {
		rc = fn(ctx, &row, e);
		if (rc)
			break;
	}
	csvfile_close(r);
	return rc;
}

/* ---- which encoding ---- */

/* Bytes of a UTF-8 sequence that begins with `ch`; 0: none does. */
static unsigned sequence(int ch)
{
	return ch < 0x80                 ? 1
	       : ch >= 0xc2 && ch < 0xe0 ? 2
	       : ch < 0xf0 && ch >= 0xe0 ? 3
	       : ch >= 0xf0 && ch < 0xf5 ? 4
					 : 0;
}

const char *csvfile_detect(FILE *file)
{
	uint64_t good = 0, bad = 0, hole = 0;
	unsigned left = 0;
	int ch;
	while ((ch = getc_unlocked(file)) != EOF) {
		if (left && (ch & 0xc0) == 0x80) {
			good += --left == 0;
			continue;
		}
		bad += left != 0;
		left = sequence(ch);
		bad += left == 0;
		left -= left != 0;
		hole += ch == 0x81 || ch == 0x8d || ch == 0x8f || ch == 0x90 || ch == 0x9d;
	}
	rewind(file);
	if (bad <= good)
		return NULL; /* UTF-8, perhaps a damaged one: its reader tells where */
	return hole ? "latin1" : "windows-1252";
}
