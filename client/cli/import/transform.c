/* transform.c -- see transform.h. */
#include "transform.h"

#include <string.h>

/* Blanks of every width that files hold: ASCII, no-break, narrow no-break, thin. */
static size_t blank(const char *s)
{
	static const char *const blanks[] = {" ", "\t", "\n", "\u00a0", "\u202f", "\u2009"};
	for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
		if (strncmp(s, blanks[i], strlen(blanks[i])) == 0)
			return strlen(blanks[i]);
	return 0;
}

static void strip_spaces(char *text, size_t size)
{
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

static void digits(char *text, size_t size)
{
	char *to = text;
	(void)size;
	for (; *text; text++)
		if (*text >= '0' && *text <= '9')
			*to++ = *text;
	*to = '\0';
}

/* ASCII only: codes, not names. */
static void upper(char *text, size_t size)
{
	(void)size;
	for (; *text; text++)
		if (*text >= 'a' && *text <= 'z')
			*text = (char)(*text - 'a' + 'A');
}

static void lower(char *text, size_t size)
{
	(void)size;
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* Line ends, with the blanks around them, become ", ". */
static void one_line(char *text, size_t size)
{
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
static void naf(char *text, size_t size)
{
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
	upper(code, sizeof code);
	if (n != 5 || strspn(code, "0123456789") != 4 || code[4] < 'A' || code[4] > 'Z' || size < 7)
		return;
	memcpy(text, code, 2);
	text[2] = '.';
	memcpy(text + 3, code + 2, 4);
}

/* 29600.0 is 29600: a number that went through a spreadsheet. */
static void integer(char *text, size_t size)
{
	const size_t n = strspn(text, "0123456789");
	(void)size;
	if (n && text[n] == '.' && text[n + 1] && text[n + 1 + strspn(text + n + 1, "0")] == '\0')
		text[n] = '\0';
}

/* Leading zeros that a spreadsheet lost. */
static void pad(char *text, size_t size, size_t width)
{
	const size_t n = strlen(text);
	if (n == 0 || n >= width || width + 1 > size || text[strspn(text, "0123456789")])
		return;
	memmove(text + width - n, text, n + 1);
	memset(text, '0', width - n);
}

static void pad5(char *text, size_t size)
{
	pad(text, size, 5);
}

static void pad9(char *text, size_t size)
{
	pad(text, size, 9);
}

static void before_comma(char *text, size_t size)
{
	(void)size;
	text[strcspn(text, ",")] = '\0';
	while (*text && text[strlen(text) - 1] == ' ')
		text[strlen(text) - 1] = '\0';
}

static void after_comma(char *text, size_t size)
{
	(void)size;
	const char *behind = strchr(text, ',');
	if (!behind) {
		*text = '\0';
		return;
	}
	behind += 1 + strspn(behind + 1, " ");
	memmove(text, behind, strlen(behind) + 1);
}

static const struct {
	const char *name;
	transform_fn fn;
} transforms[] = {
#define TRANSFORM(name, fn) {name, fn},
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

const char *transform_name(size_t i)
{
	return i < sizeof transforms / sizeof *transforms ? transforms[i].name : NULL;
}
