/* transform.h -- small repairs of a partner's cells, by name.  Knows no column and no field. */
#ifndef SEVE_CLI_IMPORT_TRANSFORM_H
#define SEVE_CLI_IMPORT_TRANSFORM_H

#include <stddef.h>

/* Rewrites text in place, in `size` bytes; what does not fit is left as it was. */
typedef void (*transform_fn)(char *text, size_t size);

/* NULL if there is none. */
transform_fn transform_find(const char *name);
/* NULL past the end: for messages. */
const char *transform_name(size_t i);

#endif
