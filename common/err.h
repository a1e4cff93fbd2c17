/* err.h -- one error: a code, what went wrong and where, and what to do about it.
 * Knows no wire format and prints nothing.  Any thread; a struct err belongs to its caller. */
#ifndef SEVE_ERR_H
#define SEVE_ERR_H

#include <stdint.h>

enum err_code {
	ERR_OK = 0,
#define ERR(name, rpc, class, exit, text) ERR_##name,
#include "err.def"
#undef ERR
	ERR_COUNT
};

enum err_class { ERR_PERMANENT, ERR_RETRYABLE, ERR_UNKNOWN_OUTCOME };

struct err {
	enum err_code code;
	uint32_t retry_after_ms; /* 0: the caller chooses */
	char text[320];          /* what and where, one line, no final dot or newline */
	char remedy[200];        /* what to do, or "" */
};

/* Sets code and text, clears the remedy; text that does not fit is cut.  `e` may be NULL (the code
 * is still returned). Returns -code, so that `return err_set(...)` is the idiom. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds the remedy to an error that is set.  Returns -e->code; with NULL, the code of this thread's
 * last err_set(). */
int err_remedy(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the text, as an error travels up through a caller that knows where.
 * Returns -e->code. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Facts of a code, from err.def; an unknown number is treated as ERR_INTERNAL. */
const char *err_name(enum err_code code);    /* "NOT_FOUND" */
const char *err_meaning(enum err_code code); /* "not found" */
unsigned err_rpc(enum err_code code);
enum err_class err_class(enum err_code code);
int err_exit_status(enum err_code code);
/* The code with this name, or ERR_INTERNAL. */
enum err_code err_by_name(const char *name);

#endif
