/* transform.h -- small repairs of a partner's cells, by name.  Knows no column and no field. */
#ifndef SEVE_CLI_IMPORT_TRANSFORM_H
#define SEVE_CLI_IMPORT_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>

/* Rewrites text in place, in `size` bytes; what does not fit is left as it was.  `arg` is what
 * stands in brackets behind the name, "" where nothing does. */
typedef void (*transform_fn)(char *text, size_t size, const char *arg);

/* NULL if there is none. */
transform_fn transform_find(const char *name);
/* Whether a mapping may write this argument for it ("" : none). */
bool transform_takes(const char *name, const char *arg);
/* NULL past the end: for messages. */
const char *transform_name(size_t i);

#endif
