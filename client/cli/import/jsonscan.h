/* jsonscan.h -- cuts a JSON document into the elements of one array, so that memory does not grow
 * with the file: the scanner finds where an element ends, jansson reads it.  What stands around the
 * array is checked too: a document that is no JSON is refused.  Knows no columns. */
#ifndef SEVE_CLI_IMPORT_JSONSCAN_H
#define SEVE_CLI_IMPORT_JSONSCAN_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

enum {
	JSONSCAN_ELEMENT_MAX = 1024 * 1024, /* bytes of an element, and of what stands around */
	JSONSCAN_DEPTH_MAX = 100,           /* of brackets inside an element */
	JSONSCAN_PATH_MAX = 8,              /* members of a path */
};

struct jsonscan;

/* `path` "a.b" is where in the object the array stands; NULL: the document is the array, or else
 * the object's first member that is an array of objects; ".": the document itself is the one
 * element. Reads from where `file` stands. */
int jsonscan_open(FILE *file, const char *path, struct jsonscan **out, struct err *e);
/* 1 with an element, whose reference is the caller's, and its number from 1; 0 at the end of a
 * whole document; -ERR_INVALID with the line; -ERR_NOT_FOUND: nothing stands at the path;
 * -ERR_TOO_BIG; -ERR_IO; -ERR_NOMEM. */
int jsonscan_next(struct jsonscan *s, json_t **out, uint32_t *number, struct err *e);
void jsonscan_close(struct jsonscan *s); /* NULL is fine */

/* One value of `n` bytes and nothing behind it. -ERR_INVALID with jansson's words. */
int jsonscan_value(char *text, size_t n, json_t **out, struct err *e);

#endif
