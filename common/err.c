/* err.c -- errors as values: sets, prefixes and looks up what err.def lists.
 * Knows no wire format and prints nothing. */
#include "err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "phrase.h"

static const struct fact {
	const char *name;
	unsigned rpc;
	enum err_class class;
	int exit_status;
	const char *meaning;
} facts[ERR_COUNT] = {
	[ERR_OK] = {"OK", 0, ERR_PERMANENT, 0, "no error"},
#define ERR(name, rpc, class, exit, text) [ERR_##name] = {#name, rpc, ERR_##class, exit, text},
#include "err.def"
#undef ERR
};

/* A caller that wants no text passes NULL: then this is what err_remedy() and err_prefix(), which
 * follow an err_set() of the same thread, return. */
static _Thread_local enum err_code last;

static const struct fact *fact_of(enum err_code code)
{
	return (unsigned)code < ERR_COUNT ? &facts[code] : &facts[ERR_INTERNAL];
}

/* Texts come from everywhere (PostgreSQL's have several lines) and are cut at any byte: what is
 * stored is one line, without half a UTF-8 character at its end. */
static void tidy(char *s, bool cut)
{
	size_t n = strlen(s);
	if (cut) {
		while (n > 0 && ((unsigned char)s[n - 1] & 0xc0) == 0x80)
			n--;
		if (n > 0 && ((unsigned char)s[n - 1] & 0x80) != 0)
			n--;
	}
	while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == ' '))
		n--;
	s[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ')
			s[i] = ' ';
}

/* Goes through a local copy, since an argument may point into `out` itself. */
static __attribute__((format(printf, 3, 0))) void put(char *out, size_t size, const char *fmt,
						      va_list ap)
{
	char text[sizeof((struct err *)0)->text] = "";
	int n = vsnprintf(text, size, phrase_local(fmt), ap);
	tidy(text, n >= (int)size);
	memcpy(out, text, strlen(text) + 1);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	last = code;
	if (e) {
		va_list ap;
		va_start(ap, fmt);
		put(e->text, sizeof e->text, fmt, ap);
		va_end(ap);
		e->code = code;
		e->retry_after_ms = 0;
		e->remedy[0] = '\0';
	}
	return -(int)code;
}

int err_remedy(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -(int)last;
	va_list ap;
	va_start(ap, fmt);
	put(e->remedy, sizeof e->remedy, fmt, ap);
	va_end(ap);
	return -(int)e->code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -(int)last;
	char old[sizeof e->text];
	memcpy(old, e->text, sizeof old);
	va_list ap;
	va_start(ap, fmt);
	put(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	size_t n = strlen(e->text);
	int m = snprintf(e->text + n, sizeof e->text - n, ": %s", old);
	tidy(e->text, m >= (int)(sizeof e->text - n));
	return -(int)e->code;
}

const char *err_name(enum err_code code)
{
	return fact_of(code)->name;
}

const char *err_meaning(enum err_code code)
{
	return phrase_local(fact_of(code)->meaning);
}

unsigned err_rpc(enum err_code code)
{
	return fact_of(code)->rpc;
}

enum err_class err_class(enum err_code code)
{
	return fact_of(code)->class;
}

int err_exit_status(enum err_code code)
{
	return fact_of(code)->exit_status;
}

enum err_code err_by_name(const char *name)
{
	for (unsigned i = 0; i < ERR_COUNT; i++)
		if (strcmp(facts[i].name, name) == 0)
			return (enum err_code)i;
	return ERR_INTERNAL;
}
