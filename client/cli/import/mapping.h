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

/* What a row is for. */
enum mapping_operation { MAPPING_UPSERT, MAPPING_DELETE, MAPPING_IGNORE };

/* Stands in the place of a field: the revision at which our own export read the record. */
#define MAPPING_REV "@rev"

struct mapping_step {
	transform_fn fn;
	const char *arg;
};

struct mapping_steps {
	struct mapping_step at[MAPPING_STEPS_MAX];
	size_t n;
};

/* One line "column = field : transforms". */
struct mapping_rule {
	const char *column;
	const char *field;
	struct mapping_steps steps;
	const char *glue; /* joined with the other columns of this field, not instead of them; or
			     NULL */
	bool ref;         /* the cell holds keys of the same partner's records */
	const struct kind *ref_kind; /* of this kind; NULL: of the one that the field points to */
	bool optional;               /* the file may be without the column */
	unsigned line;
	size_t index; /* of the column in the file, once bound */
};

struct mapping_value { /* of a [values] section */
	const char *field, *from, *to;
};

struct mapping_constant {
	const char *field, *text;
};

/* keep COLUMN = a, b; skip COLUMN = a, b */
struct mapping_filter {
	const char *column;
	bool keep, optional;
	const char **words;
	size_t n;
	size_t index;
};

struct mapping_key {
	const char *column;
	size_t index;
};

struct mapping {
	const char *name;
	const struct kind *kind; /* NULL: any */
	struct mapping_key key[MAPPING_KEY_PARTS];
	size_t n_key;
	struct mapping_steps key_steps;
	struct mapping_rule *rules;
	size_t n_rules;
	struct mapping_value *values;
	size_t n_values;
	struct mapping_constant *constants;
	size_t n_constants;
	const char **ignored; /* "a*" too */
	size_t n_ignored;
	struct mapping_filter *filters;
	size_t n_filters;
	const char *operation; /* the column that says what to do; or NULL */
	size_t operation_index;
	struct mapping_value *operations; /* from: a cell; to: a word of ours */
	size_t n_operations;
	bool rest_ignored, rest_same;         /* "* = ignore", "* = same" */
	bool own;                             /* our own export: cells as they stand */
	const char *format, *encoding, *path; /* of [file]; NULL: found out */
	char separator;                       /* 0: found out */
	size_t width;                         /* columns of the file, once bound */
};

/* Reads the text of a mapping into memory of the arena.  -ERR_INVALID with the line. */
int mapping_parse(struct arena *a, const char *name, const char *text, struct mapping *out,
		  struct err *e);

/* Binds it to a kind and to a file's header.  -ERR_INVALID: a field that the kind has not, a column
 * that the mapping does not know, a column that the file does not have, the same column twice.  All
 * in the arena. */
int mapping_bind(struct arena *a, struct mapping *m, const struct kind *k, char *const *header,
		 size_t n, struct err *e);
/* Which columns of the header a row is asked for: `width` of them.  NULL when memory is out. */
bool *mapping_wanted(struct arena *a, const struct mapping *m);
/* A field gets this text in every row, over what the mapping says.  Before it is bound. */
int mapping_set(struct arena *a, struct mapping *m, const char *field, const char *text,
		struct err *e);

/* What the row is for, by filters and operation column.  -ERR_INVALID: a word that the operation
 * column is not said to hold. */
int mapping_operation(const struct mapping *m, char *const *cells, enum mapping_operation *out,
		      struct err *e);

/* The key of a row: its columns one behind the other. -ERR_INVALID when it is empty or too long. */
int mapping_key(const struct mapping *m, char *const *cells, char out[static MAPPING_KEY_MAX],
		struct err *e);

/* Calls `set` for each mapped field with its text ("" where the row has none); `rule` is NULL for a
 * constant; a non-zero answer stops and is handed on. -ERR_TOO_BIG with the field for a value
 * beyond MAPPING_VALUE_MAX. */
int mapping_apply(const struct mapping *m, char *const *cells,
		  int (*set)(void *ctx, const char *field, const char *text,
			     const struct mapping_rule *rule),
		  void *ctx, struct err *e);

/* Names of columns are compared so: case and kind of apostrophes, and blanks at the ends, are where
 * two exports of one list differ. */
bool mapping_same_column(const char *a, const char *b);

/* The mappings that come with the program: name and text, NULL past the end. */
const char *mapping_builtin_name(size_t i);
const char *mapping_builtin(const char *name);

#endif
