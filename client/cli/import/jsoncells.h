/* jsoncells.h -- a JSON object as cells: "a.b" is the member b of the object a, and
 * "a.0.b" that of the first object of the list a.  Lists of plain
 * values are joined like our own (field.h), what is nested deeper stands as JSON text.  Knows no
 * file. */
#ifndef SEVE_CLI_IMPORT_JSONCELLS_H
#define SEVE_CLI_IMPORT_JSONCELLS_H

#include <jansson.h>

#include "arena.h"
#include "import/reader.h"

/* Names the members as columns of the reader, and fills r->cells for those that are wanted; text in
 * the arena. *replaced counts control characters. */
int jsoncells_add(struct reader *r, struct arena *a, const char *prefix, const json_t *object,
		  unsigned *replaced, struct err *e);
/* Sets one cell. */
int jsoncells_set(struct reader *r, struct arena *a, const char *name, const char *text,
		  struct err *e);
/* Empties all cells, before a row is built; those that stay so are "". */
void jsoncells_clear(struct reader *r);

#endif
