/* conflict_text.h -- both sides of a conflict for people: as a table, and as a text to be edited.
 * Knows nothing of how a decision is written. */
#ifndef SEVE_CLI_CONFLICT_TEXT_H
#define SEVE_CLI_CONFLICT_TEXT_H

#include <seve.h>

struct cli;

struct conflict_choices {
	enum seve_side all;
	struct seve_choice *list;
	size_t n;
};

/* base | mine | theirs, with who and when; and what stands now, where that is something else.
 * `about` names the record. */
int conflict_sheet(struct cli *c, const struct seve_record *conflict, const char *about);

/* Lets the person edit the wanted values in $VISUAL or $EDITOR.  What stands in the text afterwards
 * is the decision; a text without any field is none, and is said to be so. */
int conflict_edit(struct cli *c, const struct seve_record *conflict, const char *about,
		  struct conflict_choices *out);

#endif
