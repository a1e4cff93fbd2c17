/* out_fit.c -- see out_fit.h. */
#include "out_fit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "i18n.h"

/* What a column may be pressed to at most, unless it is narrower anyway. */
enum { MAIN_LEAST = 24, WRAP_LEAST = 20, SHRINK_LEAST = 12 };

struct fit {
	struct libscols_table *t;
	const struct out_column *columns;
	size_t n, lines;
	size_t width[OUT_COLUMNS_MAX], least[OUT_COLUMNS_MAX];
	bool gone[OUT_COLUMNS_MAX];
};

static struct libscols_cell *cell_at(const struct fit *f, size_t line, size_t column)
{
	return scols_line_get_cell(scols_table_get_line(f->t, line), column);
}

static const char *text_at(const struct fit *f, size_t line, size_t column)
{
	const char *text = scols_cell_get_data(cell_at(f, line, column));
	return text ? text : "";
}

static const char *heading(const struct out_column *c)
{
	return c->label ? c->label : c->name;
}

static size_t least_of(const struct out_column *c, size_t width, size_t head)
{
	size_t least = c->main ? MAIN_LEAST : c->wraps ? WRAP_LEAST : SHRINK_LEAST;
	if (!c->shrinks && !c->wraps)
		return width;
	least = least > head ? least : head;
	return least < width ? least : width;
}

static void measure(struct fit *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const size_t head = i18n_width(heading(&f->columns[i]));
		size_t widest = 0;
		for (size_t k = 0; k < f->lines; k++) {
			const size_t width = i18n_width(text_at(f, k, i));
			widest = width > widest ? width : widest;
		}
		f->gone[i] = widest == 0;
		f->width[i] = widest > head ? widest : head;
		f->least[i] = least_of(&f->columns[i], f->width[i], head);
	}
}

static size_t total(const struct fit *f, bool without_empty)
{
	size_t sum = 0;
	for (size_t i = 0; i < f->n; i++)
		if (!without_empty || !f->gone[i])
			sum += f->width[i] + 1;
	return sum ? sum - 1 : 0;
}

/* Takes from the column that has most to give until it fits or nothing gives. */
static void press(struct fit *f, size_t room)
{
	for (size_t sum = total(f, true); sum > room; sum--) {
		size_t best = f->n, most = 0;
		for (size_t i = 0; i < f->n; i++)
			if (!f->gone[i] && f->width[i] - f->least[i] > most) {
				most = f->width[i] - f->least[i];
				best = i;
			}
		if (best == f->n)
			return;
		f->width[best]--;
	}
}

/* The bytes of `s` that take at most `room` on the screen; at least one character. */
static size_t fitting(const char *s, size_t room)
{
	size_t end = 0;
	while (s[end]) {
		size_t next = end + 1;
		while (((unsigned char)s[next] & 0xc0) == 0x80)
			next++;
		char part[8] = "";
		memcpy(part, s + end, next - end < sizeof part ? next - end : sizeof part - 1);
		const size_t width = i18n_width(part);
		if (end && width > room)
			break;
		room -= width < room ? width : room;
		end = next;
	}
	return end;
}

static char *cut(const char *s, size_t width)
{
	const size_t n = fitting(s, width - 1);
	char *out = malloc(n + sizeof "…");
	if (out) {
		memcpy(out, s, n);
		memcpy(out + n, "…", sizeof "…");
	}
	return out;
}

/* Line breaks in place of blanks, or inside a word that is too long for a line of its own. */
static char *fold(const char *s, size_t width)
{
	char *out = malloc(2 * strlen(s) + 1), *to = out;
	while (out && *s) {
		size_t n = fitting(s, width), skip = 0;
		if (s[n])
			for (size_t k = n + 1; k-- > 1 && !skip;)
				if (s[k] == ' ') {
					n = k;
					skip = 1;
				}
		memcpy(to, s, n);
		to += n;
		s += n + skip;
		if (*s)
			*to++ = '\n';
	}
	if (out)
		*to = '\0';
	return out;
}

static int apply(const struct fit *f, size_t i)
{
	struct libscols_column *column = scols_table_get_column(f->t, i);
	if (f->columns[i].wraps) {
		scols_column_set_safechars(column, "\n");
		scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					  NULL);
	}
	for (size_t k = 0; k < f->lines; k++) {
		const char *text = text_at(f, k, i);
		if (i18n_width(text) <= f->width[i])
			continue;
		char *fresh =
			f->columns[i].wraps ? fold(text, f->width[i]) : cut(text, f->width[i]);
		if (!fresh || scols_cell_refer_data(cell_at(f, k, i), fresh) != 0) {
			free(fresh);
			return -ERR_NOMEM;
		}
	}
	return 0;
}

int out_fit(struct libscols_table *t, const struct out_column *columns, size_t n)
{
	struct fit f = {.t = t, .columns = columns, .n = n, .lines = scols_table_get_nlines(t)};
	const size_t room = scols_table_get_termwidth(t);
	if (!isatty(fileno(scols_table_get_stream(t))) || n > OUT_COLUMNS_MAX)
		return 0;
	measure(&f);
	if (total(&f, false) <= room)
		return 0;
	press(&f, room);
	for (size_t i = 0; i < n; i++) {
		struct libscols_column *column = scols_table_get_column(t, i);
		if (f.gone[i])
			scols_column_set_flags(column,
					       scols_column_get_flags(column) | SCOLS_FL_HIDDEN);
		else if (apply(&f, i) < 0)
			return -ERR_NOMEM;
	}
	/* what still does not fit goes on in the terminal's next line rather than into columns of
	 * three letters */
	scols_table_set_termwidth(t, total(&f, true) > room ? total(&f, true) : room);
	return 0;
}
