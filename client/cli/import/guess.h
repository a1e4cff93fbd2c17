/* guess.h -- proposes a mapping for a file that no mapping of ours fits, from the names of its
 * columns and from what stands in them.  Knows no server. */
#ifndef SEVE_CLI_IMPORT_GUESS_H
#define SEVE_CLI_IMPORT_GUESS_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "import/reader.h"
#include "kind.h"

enum { GUESS_ROWS = 300 }; /* that are looked at */

/* What stands in the cells of a column. */
struct guess_column {
	const char *name;
	char word[64]; /* the name without accents, case and punctuation */
	unsigned filled, siret, siren, naf, five, four, decimal, iso_date, fr_date, latlon, html,
		lines, blanks, small_number;
	bool unique; /* no value twice */
};

struct guess {
	struct arena *a;
	struct guess_column *columns;
	size_t n;
	unsigned rows;
	const struct kind *kind; /* given, or found */
	bool workbook;           /* references are keys of other files: say so */
};

/* Looks at the first rows.  0 or the reader's errors. */
int guess_look(struct guess *g, struct arena *a, struct reader *r, struct err *e);
/* The kind that the columns speak of. */
const struct kind *guess_kind(const struct guess *g);
/* Writes the text of a mapping for g->kind. 0 or -ERR_NOMEM, -ERR_TOO_BIG. */
int guess_write(const struct guess *g, struct buf *out);
/* The field of a kind that a column of this name is, or NULL. */
const char *guess_field(const struct kind *k, const char *word);
/* Lower-case letters and digits, '_' between. */
void guess_word(const char *name, char out[static 64]);

#endif
