/* transform.c -- see transform.h. */
#include "transform.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text.h"

/* Blanks of every width that files hold: ASCII, no-break, narrow no-break, thin. */
static size_t blank(const char *s)
{
	static const char *const blanks[] = {" ", "\t", "\n", "\u00a0", "\u202f", "\u2009"};
	for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
		if (strncmp(s, blanks[i], strlen(blanks[i])) == 0)
			return strlen(blanks[i]);
	return 0;
}

static void strip_spaces(char *text, size_t size, const char *arg)
{
	(void)arg;
	char *to = text;
	(void)size;
	while (*text) {
		const size_t n = blank(text);
		if (n)
			text += n;
		else
			*to++ = *text++;
	}
	*to = '\0';
}

static void digits(char *text, size_t size, const char *arg)
{
	(void)arg;
	char *to = text;
	(void)size;
	for (; *text; text++)
		if (*text >= '0' && *text <= '9')
			*to++ = *text;
	*to = '\0';
}

/* ASCII only: codes, not names. */
static void upper(char *text, size_t size, const char *arg)
{
	(void)arg;
	(void)size;
	for (; *text; text++)
		if (*text >= 'a' && *text <= 'z')
			*text = (char)(*text - 'a' + 'A');
}

static void lower(char *text, size_t size, const char *arg)
{
	(void)arg;
	(void)size;
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* Line ends, with the blanks around them, become ", ". */
static void one_line(char *text, size_t size, const char *arg)
{
	(void)arg;
	char *p;
	while ((p = strchr(text, '\n'))) {
		char *from = p, *behind = p + 1;
		while (from > text && (from[-1] == ' ' || from[-1] == '\t' || from[-1] == ','))
			from--;
		while (*behind == ' ' || *behind == '\t' || *behind == '\n')
			behind++;
		const size_t head = (size_t)(from - text), rest = strlen(behind);
		const size_t glue = head && rest ? 2 : 0;
		if (head + glue + rest + 1 > size)
			return;
		memmove(from + glue, behind, rest + 1);
		memcpy(from, ", ", glue);
	}
}

/* 2815Z, 28.15z and "28 15 Z" are 28.15Z; anything else stays as it is, for the server to refuse.
 */
static void naf(char *text, size_t size, const char *arg)
{
	(void)arg;
	char code[8];
	size_t n = 0;
	for (const char *p = text; *p; p++) {
		if (*p == '.' || *p == ' ')
			continue;
		if (n == sizeof code - 1)
			return;
		code[n++] = *p;
	}
	code[n] = '\0';
	upper(code, sizeof code, "");
	if (n != 5 || strspn(code, "0123456789") != 4 || code[4] < 'A' || code[4] > 'Z' || size < 7)
		return;
	memcpy(text, code, 2);
	text[2] = '.';
	memcpy(text + 3, code + 2, 4);
}

/* 29600.0 is 29600: a number that went through a spreadsheet. */
static void integer(char *text, size_t size, const char *arg)
{
	(void)arg;
	const size_t n = strspn(text, "0123456789");
	(void)size;
	if (n && text[n] == '.' && text[n + 1] && text[n + 1 + strspn(text + n + 1, "0")] == '\0')
		text[n] = '\0';
}

static unsigned number(const char *digits_)
{
	unsigned n = 0;
	for (; *digits_ >= '0' && *digits_ <= '9' && n < 10000; digits_++)
		n = 10 * n + (unsigned)(*digits_ - '0');
	return n;
}

/* Leading zeros that a spreadsheet lost. */
static void pad(char *text, size_t size, const char *arg)
{
	const size_t n = strlen(text), width = number(arg);
	if (n == 0 || n >= width || width + 1 > size || text[strspn(text, "0123456789")])
		return;
	memmove(text + width - n, text, n + 1);
	memset(text, '0', width - n);
}

static void pad5(char *text, size_t size, const char *arg)
{
	(void)arg;
	pad(text, size, "5");
}

static void pad9(char *text, size_t size, const char *arg)
{
	(void)arg;
	pad(text, size, "9");
}

/* Up to the mark, without blanks before it; all of it where the mark does not stand. */
static void before(char *text, size_t size, const char *arg)
{
	char *mark = *arg ? strstr(text, arg) : NULL;
	(void)size;
	if (mark)
		*mark = '\0';
	while (mark && *text && text[strlen(text) - 1] == ' ')
		text[strlen(text) - 1] = '\0';
}

/* Behind the mark; nothing where it does not stand. */
static void after(char *text, size_t size, const char *arg)
{
	const char *behind = strstr(text, arg);
	(void)size;
	if (!behind) {
		*text = '\0';
		return;
	}
	behind += strlen(arg);
	behind += strspn(behind, " ");
	memmove(text, behind, strlen(behind) + 1);
}

static void before_comma(char *text, size_t size, const char *arg)
{
	(void)arg;
	before(text, size, ",");
}

static void after_comma(char *text, size_t size, const char *arg)
{
	(void)arg;
	after(text, size, ",");
}

/* Values that mean "none": date 0001-01-01, NN, "-". */
static void empty(char *text, size_t size, const char *arg)
{
	(void)size;
	const size_t n = strlen(text);
	for (const char *p = arg; n && *p; p += *p == '|') {
		const size_t len = strcspn(p, "|");
		if (len == n && strncmp(p, text, n) == 0)
			*text = '\0';
		p += len;
	}
}

/* At most so many characters. */
static void cut(char *text, size_t size, const char *arg)
{
	unsigned left = number(arg);
	(void)size;
	for (; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80 && left-- == 0) {
			*text = '\0';
			return;
		}
}

static void prefix(char *text, size_t size, const char *arg)
{
	const size_t n = strlen(text), more = strlen(arg);
	if (n == 0 || n + more + 1 > size)
		return;
	memmove(text + more, text, n + 1);
	memcpy(text, arg, more);
}

/* ---- dates ---- */

struct date {
	int year, month, day, hour, minute, second;
	bool time;
};

/* How many digits `format` asks for at its start, and where they go. */
static int part(const char *format, struct date *d, int **to)
{
	static const char *const words[] = {"YYYY", "MM", "DD", "HH", "MI", "SS", "YY"};
	int *const targets[] = {&d->year,   &d->month,  &d->day, &d->hour,
				&d->minute, &d->second, &d->year};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strncmp(format, words[i], strlen(words[i])) == 0) {
			*to = targets[i];
			return (int)strlen(words[i]);
		}
	return 0;
}

/* One digit where two are asked for will do: 1/9/2024. */
static bool scan_date(const char *text, const char *format, struct date *d)
{
	while (*format) {
		int *to = NULL;
		const int width = part(format, d, &to);
		if (width == 0) {
			if (*text++ != *format++)
				return false;
			continue;
		}
		const size_t n = strspn(text, "0123456789");
		const size_t take = n < (size_t)width ? n : (size_t)width;
		if (take == 0 || (width == 4 && take != 4))
			return false;
		*to = 0;
		for (size_t i = 0; i < take; i++)
			*to = 10 * *to + (text[i] - '0');
		if (width == 2 && to == &d->year)
			*to += *to < 70 ? 2000 : 1900;
		d->time |= to == &d->hour;
		text += take;
		format += width;
	}
	return text[strspn(text, " ")] == '\0';
}

/* From the partner's form to ours.  A time of day is one of this machine's zone.  What does not fit
 * the form stays, for the server to refuse. */
static void date(char *text, size_t size, const char *arg)
{
	struct date d = {.month = 1, .day = 1};
	if (!*text || !scan_date(text, arg, &d))
		return;
	if (!d.time) {
		if (size > 10)
			snprintf(text, size, "%04d-%02d-%02d", d.year, d.month, d.day);
		return;
	}
	struct tm tm = {.tm_year = d.year - 1900,
			.tm_mon = d.month - 1,
			.tm_mday = d.day,
			.tm_hour = d.hour,
			.tm_min = d.minute,
			.tm_sec = d.second,
			.tm_isdst = -1};
	const struct tm asked = tm;
	char out[32];
	const time_t at = mktime(&tm);
	if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon)
		return; /* the 31st of February */
	text_from_instant((int64_t)at * 1000, out);
	if (strlen(out) < size)
		memcpy(text, out, strlen(out) + 1);
}

/* ---- HTML ---- */

static size_t put_utf8(char *to, unsigned long c)
{
	if (c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (c >= 0x7f && c < 0xa0))
		c = ' ';
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((0xf00 >> n & 0xf0) | c);
	return n;
}

/* The entity at `p`: its length, and its character in *c; 0: none. */
static size_t entity(const char *p, unsigned long *c)
{
	static const struct {
		const char *name;
		unsigned long c;
	} names[] = {{"amp;", '&'},      {"lt;", '<'},      {"gt;", '>'},      {"quot;", '"'},
		     {"apos;", '\''},    {"nbsp;", ' '},    {"eacute;", 0xe9}, {"egrave;", 0xe8},
		     {"agrave;", 0xe0},  {"ccedil;", 0xe7}, {"ecirc;", 0xea},  {"ocirc;", 0xf4},
		     {"rsquo;", 0x2019}, {"laquo;", 0xab},  {"raquo;", 0xbb},  {"euro;", 0x20ac}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(p + 1, names[i].name, strlen(names[i].name)) == 0) {
			*c = names[i].c;
			return 1 + strlen(names[i].name);
		}
	if (p[1] != '#')
		return 0;
	const size_t n = strspn(p + 2, "0123456789");
	if (n == 0 || n > 7 || p[2 + n] != ';')
		return 0;
	*c = 0;
	for (size_t i = 0; i < n; i++)
		*c = 10 * *c + (unsigned long)(p[2 + i] - '0');
	return n + 3;
}

/* Tags become blanks (ends of blocks become line ends), entities their characters. */
static void html(char *text, size_t size, const char *arg)
{
	char *to = text;
	(void)size;
	(void)arg;
	for (const char *p = text; *p;) {
		unsigned long c;
		size_t n = *p == '&' ? entity(p, &c) : 0;
		if (n) {
			p += n;
			to += put_utf8(to, c);
			continue;
		}
		const char *end =
			*p == '<' && (p[1] == '/' || (p[1] | 32) >= 'a') ? strchr(p, '>') : NULL;
		if (!end) {
			*to++ = *p++;
			continue;
		}
		const bool block = strncmp(p, "</p", 3) == 0 || strncmp(p, "<br", 3) == 0 ||
				   strncmp(p, "</div", 5) == 0 || strncmp(p, "</li", 4) == 0;
		if (block && to > text && to[-1] != '\n')
			*to++ = '\n';
		p = end + 1;
	}
	while (to > text && (to[-1] == ' ' || to[-1] == '\n'))
		to--;
	*to = '\0';
}

enum argument { NO, TEXT, NUMBER };

static const struct {
	const char *name;
	transform_fn fn;
	enum argument argument;
} transforms[] = {
#define TRANSFORM(name, fn, argument) {name, fn, argument},
#include "transforms.def"
#undef TRANSFORM
};

transform_fn transform_find(const char *name)
{
	for (size_t i = 0; i < sizeof transforms / sizeof *transforms; i++)
		if (strcmp(transforms[i].name, name) == 0)
			return transforms[i].fn;
	return NULL;
}

bool transform_takes(const char *name, const char *arg)
{
	for (size_t i = 0; i < sizeof transforms / sizeof *transforms; i++) {
		if (strcmp(transforms[i].name, name) != 0)
			continue;
		switch (transforms[i].argument) {
		case NO:
			return !*arg;
		case TEXT:
			return *arg != '\0';
		case NUMBER:
			return *arg && !arg[strspn(arg, "0123456789")];
		}
	}
	return false;
}

const char *transform_name(size_t i)
{
	return i < sizeof transforms / sizeof *transforms ? transforms[i].name : NULL;
}
