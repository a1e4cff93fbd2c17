/* phrase.c -- patterns apart from their arguments, and together again.  Knows no language. */
#include "phrase.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *(*translator)(const char *english);

void phrase_translate_with(const char *(*translate)(const char *english))
{
	translator = translate;
}

const char *phrase_local(const char *english)
{
	return translator && *english ? translator(english) : english;
}

/* One conversion of a format: %[position$][0][width][.precision][length]letter */
struct conversion {
	unsigned position; /* 1 for the first argument; 0: the next */
	int width, precision;
	bool zero, starred; /* padded with zeros; the precision is an argument */
	char length;        /* l, q for ll, z, j, or 0 */
	char letter;
};

static const char *digits(const char *s, int *out)
{
	*out = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		if (*out < 1000)
			*out = *out * 10 + (*s - '0');
	return s;
}

/* Reads what follows a '%'; returns the first byte after the conversion, NULL where it is none. */
static const char *read_conversion(const char *s, struct conversion *c)
{
	*c = (struct conversion){.precision = -1};
	int number;
	const char *after = digits(s, &number);
	if (after > s && *after == '$') {
		c->position = (unsigned)number;
		s = after + 1;
	}
	for (; *s && strchr("-+ #0", *s); s++)
		c->zero |= *s == '0';
	s = digits(s, &c->width);
	if (*s == '.' && s[1] == '*') {
		c->starred = true;
		s += 2;
	} else if (*s == '.') {
		s = digits(s + 1, &c->precision);
	}
	for (; *s && strchr("hlzj", *s); s++)
		c->length = *s == 'l' && c->length == 'l' ? 'q' : *s;
	c->letter = *s;
	return *s && strchr("sdiuxcfg", *s) ? s + 1 : NULL;
}

/* ---- taking apart ---------------------------------------------------------------------------- */

/* A va_list by reference: where it is an array, a parameter of its type is none. */
struct arguments {
	va_list ap;
};

static int put_signed(char *out, size_t size, const struct conversion *c, intmax_t v)
{
	return c->zero ? snprintf(out, size, "%0*jd", c->width, v)
		       : snprintf(out, size, "%*jd", c->width, v);
}

static int put_unsigned(char *out, size_t size, const struct conversion *c, uintmax_t v)
{
	if (c->letter == 'x')
		return snprintf(out, size, "%0*jx", c->width, v);
	return c->zero ? snprintf(out, size, "%0*ju", c->width, v)
		       : snprintf(out, size, "%*ju", c->width, v);
}

static intmax_t next_signed(struct arguments *a, char length)
{
	if (length == 'q')
		return va_arg(a->ap, long long);
	if (length == 'l' || length == 'z')
		return va_arg(a->ap, long);
	return length == 'j' ? va_arg(a->ap, intmax_t) : va_arg(a->ap, int);
}

static uintmax_t next_unsigned(struct arguments *a, char length)
{
	if (length == 'q')
		return va_arg(a->ap, unsigned long long);
	if (length == 'l')
		return va_arg(a->ap, unsigned long);
	if (length == 'z')
		return va_arg(a->ap, size_t);
	return length == 'j' ? va_arg(a->ap, uintmax_t) : va_arg(a->ap, unsigned);
}

static int put_text(char *out, size_t size, const struct conversion *c, struct arguments *a)
{
	const int most = c->starred ? va_arg(a->ap, int) : c->precision;
	const char *s = va_arg(a->ap, const char *);
	if (!s)
		s = "(null)";
	return most >= 0 ? snprintf(out, size, "%.*s", most, s) : snprintf(out, size, "%s", s);
}

/* Writes the next argument as text; as snprintf() returns. */
static int put_argument(char *out, size_t size, const struct conversion *c, struct arguments *a)
{
	const int precision = c->precision >= 0 ? c->precision : 6;
	switch (c->letter) {
	case 's':
		return put_text(out, size, c, a);
	case 'c':
		return snprintf(out, size, "%c", va_arg(a->ap, int));
	case 'd':
	case 'i':
		return put_signed(out, size, c, next_signed(a, c->length));
	case 'u':
	case 'x':
		return put_unsigned(out, size, c, next_unsigned(a, c->length));
	case 'f':
		return snprintf(out, size, "%.*f", precision, va_arg(a->ap, double));
	default: /* g, the last that read_conversion() lets through */
		return snprintf(out, size, "%.*g", precision, va_arg(a->ap, double));
	}
}

static bool take_all(struct phrase *p, const char *fmt, struct arguments *a)
{
	size_t used = 0;
	for (const char *s = strchr(fmt, '%'); s; s = strchr(s, '%')) {
		struct conversion c;
		if (s[1] == '%') {
			s += 2;
			continue;
		}
		s = read_conversion(s + 1, &c);
		if (!s || c.position || (c.starred && c.letter != 's') || p->n == PHRASE_ARGS)
			return false;
		const int n = put_argument(p->args + used, sizeof p->args - used, &c, a);
		if (n < 0 || (size_t)n >= sizeof p->args - used)
			return false;
		used += (size_t)n + 1;
		p->n++;
	}
	return true;
}

void phrase_take(struct phrase *p, const char *fmt, va_list ap)
{
	struct arguments a;
	va_copy(a.ap, ap);
	p->n = 0;
	p->pattern = take_all(p, fmt, &a) ? fmt : NULL;
	va_end(a.ap);
}

/* ---- saying ---------------------------------------------------------------------------------- */

/* A text of one word is a name or a value that somebody gave: only sentences are translated. */
static const char *say_argument(const char *text)
{
	return strchr(text, ' ') ? phrase_local(text) : text;
}

static bool add(char *out, size_t size, size_t *used, const char *text, size_t n)
{
	if (n >= size - *used)
		return false;
	memcpy(out + *used, text, n);
	*used += n;
	out[*used] = '\0';
	return true;
}

static bool say_all(const char *s, const char *const *args, size_t n, char *out, size_t size)
{
	size_t used = 0, next = 0;
	while (*s) {
		const size_t plain = strcspn(s, "%");
		if (!add(out, size, &used, s, plain))
			return false;
		s += plain;
		if (!*s)
			break;
		if (s[1] == '%') {
			if (!add(out, size, &used, s, 1))
				return false;
			s += 2;
			continue;
		}
		struct conversion c;
		s = read_conversion(s + 1, &c);
		const size_t at = s && c.position ? c.position - 1 : next++;
		if (!s || at >= n)
			return false;
		const char *text = say_argument(args[at]);
		if (!add(out, size, &used, text, strlen(text)))
			return false;
	}
	return true;
}

bool phrase_say(const char *pattern, const char *const *args, size_t n, char *out, size_t size)
{
	if (!size)
		return false;
	*out = '\0';
	if (*pattern && say_all(phrase_local(pattern), args, n, out, size))
		return true;
	*out = '\0';
	return false;
}
