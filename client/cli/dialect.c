/* dialect.c -- see dialect.h.  One apostrophe goes before each such text, also before one that has
 * apostrophes already, so that reading it takes exactly one away. */
#include "dialect.h"

#include <string.h>

static bool is_number(const char *s)
{
	s += *s == '-' || *s == '+';
	const size_t whole = strspn(s, "0123456789");
	s += whole;
	if (whole && (*s == '.' || *s == ',')) {
		const size_t part = strspn(s + 1, "0123456789");
		s += part ? part + 1 : 0;
	}
	return whole && !*s;
}

bool dialect_is_formula(const char *text)
{
	if (*text && is_number(text))
		return false;
	text += strspn(text, "'");
	return *text && strchr("=+-@\t\n\r", *text);
}

const char *dialect_plain(const char *text)
{
	return *text == '\'' && dialect_is_formula(text) ? text + 1 : text;
}
