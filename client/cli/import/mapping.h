/* mapping.h -- which column of a partner's file is which field.  docs/mappings.md tells how one is
 * written. Knows fields by their descriptors; reads no file and sends nothing. */
#ifndef SEVE_CLI_IMPORT_MAPPING_H
#define SEVE_CLI_IMPORT_MAPPING_H

#include <stdbool.h>

#include "arena.h"
#include "err.h"
#include "kind.h"
#include "transform.h"

enum {
	MAPPING_MAX = 256 * 1024, /* bytes of a mapping file */
	MAPPING_STEPS_MAX = 6,    /* transforms of one cell */
	MAPPING_KEY_PARTS = 4,
	MAPPING_KEY_MAX = 256,         /* bytes of a key */
	MAPPING_VALUE_MAX = 16 * 1024, /* bytes of a value, like FIELD_TEXT_MAX */
};

struct mapping_step {
	transform_fn fn;
};

/* One line "column = field : transforms". */
struct mapping_rule {
	const char *column;
	const char *field;
	transform_fn steps[MAPPING_STEPS_MAX];
	size_t n_steps;
	bool join; /* with the other columns of this field, not instead of them */
	unsigned line;
	size_t index; /* of the column in the file, once bound */
};

struct mapping_value { /* of a [values] section */
	const char *field, *from, *to;
};

struct mapping_constant {
	const char *field, *text;
};

struct mapping {
	const char *name;
	const struct kind *kind; /* NULL: any */
	const char *key[MAPPING_KEY_PARTS];
	size_t key_index[MAPPING_KEY_PARTS], n_key;
	struct mapping_rule *rules;
	size_t n_rules;
	struct mapping_value *values;
	size_t n_values;
	struct mapping_constant *constants;
	size_t n_constants;
	const char **ignored;
	size_t n_ignored;
	bool rest_ignored, rest_same; /* "* = ignore", "* = same" */
	size_t width;                 /* columns of the file, once bound */
};

/* Reads the text of a mapping into memory of the arena.  -ERR_INVALID with the line. */
int mapping_parse(struct arena *a, const char *name, const char *text, struct mapping *out,
		  struct err *e);

/* Binds it to a kind and to a file's header.  -ERR_INVALID: a field that the kind has not, a column
 * that the mapping does not know, a column that the file does not have, the same column twice.  All
 * in the arena. */
int mapping_bind(struct arena *a, struct mapping *m, const struct kind *k, char *const *header,
		 size_t n, struct err *e);

/* The key of a row: its columns one behind the other. -ERR_INVALID when it is empty or too long. */
int mapping_key(const struct mapping *m, char *const *cells, char out[static MAPPING_KEY_MAX],
		struct err *e);

/* Calls `set` for each mapped field with its text ("" where the row has none); a non-zero answer
 * stops and is handed on. -ERR_TOO_BIG with the field for a value beyond MAPPING_VALUE_MAX. */
int mapping_apply(const struct mapping *m, char *const *cells,
		  int (*set)(void *ctx, const char *field, const char *text), void *ctx,
		  struct err *e);

/* The mappings that come with the program: name and text, NULL past the end. */
const char *mapping_builtin_name(size_t i);
const char *mapping_builtin(const char *name);

#endif
