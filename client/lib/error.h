/* error.h -- the public error: made from a struct err, or from an Error of the wire.  Any thread.
 */
#ifndef SEVE_LIB_ERROR_H
#define SEVE_LIB_ERROR_H

#include "envelope.pb-c.h"
#include "err.h"
#include "seve.h"

enum { ERROR_VIOLATION = 320, ERROR_VIOLATIONS = 4 * ERROR_VIOLATION };

/* enum seve_status of a code. */
int error_status(enum err_code code);

/* Gives `e` to the caller, as the public functions do: `*out` is set where `out` is not NULL (and
 * memory is left). Returns the status; SEVE_OK when `e` holds no error. */
int error_out(struct seve_error **out, const struct err *e);

/* An error that the server sent; a detail that this library does not know is judged by its class
 * and number. Returns -e->code, never 0. */
int error_from_wire(struct err *e, const Seve__Error *w);

/* What a violation says, in the language of this process where there are words for it; written to
 * `out`, which is returned. */
const char *error_violation(const Seve__Violation *v, char *out, size_t size);
/* The same of several, joined: what is of another code than the first says its own.  The first
 * one's code and field are the caller's to show. */
const char *error_violations(Seve__Violation *const *list, size_t n, char *out, size_t size);

#endif
