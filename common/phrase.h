/* phrase.h -- what is said to people, as an English pattern and its arguments, so that the program
 * that shows it can say it in the reader's language, whichever side of a connection made it.
 * Knows no language: a program that has a catalogue gives its translator. */
#ifndef SEVE_PHRASE_H
#define SEVE_PHRASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum { PHRASE_ARGS = 8, PHRASE_ARG_BYTES = 240 };

struct phrase {
	const char
		*pattern; /* a printf format of the source; NULL: not kept, the text alone tells */
	size_t n;
	char args[PHRASE_ARG_BYTES]; /* n texts, each with its final NUL */
};

/* Sets this process's translator: gives the text for an English one, or the same pointer where it
 * knows none; the result is never freed.  NULL, the state at start: English.  To be called before
 * other threads run. */
void phrase_translate_with(const char *(*translate)(const char *english));

/* The text in the language of this process; at least the English one.  Any thread. */
const char *phrase_local(const char *english) __attribute__((format_arg(1)));

/* Keeps a format and the arguments it takes.  What cannot be kept (too long, more than PHRASE_ARGS,
 * a conversion other than %s %c and those of numbers) leaves `pattern` NULL.  `ap` itself is left.
 */
void phrase_take(struct phrase *p, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Says a pattern, which may come from anywhere, in the language of this process: each conversion is
 * replaced by the text of its argument ("%2$s" by the second's), itself translated where it is a
 * phrase.  False, with `out` empty, where pattern and arguments do not fit each other or `size`. */
bool phrase_say(const char *pattern, const char *const *args, size_t n, char *out, size_t size);

/* Marks a text that is given to phrase_local() elsewhere, for the catalogue. */
#define PHRASE(text) text

#endif
