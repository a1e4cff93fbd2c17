/* deed.h -- several records edited as one mutation: what the verbs of the method do.
 * Functions return an exit status, 0 to go on, and have said what went wrong. */
#ifndef SEVE_CLI_DEED_H
#define SEVE_CLI_DEED_H

#include "cli.h"

enum { DEED_RECORDS = 32 };

struct deed {
	struct cli *c;
	const char *slug;   /* --territory, or NULL: where the first record is */
	const char *reason; /* --reason, or NULL */
	uint32_t territory;
	struct seve_record *list[DEED_RECORDS];
	size_t n;
};

/* Rows of --territory and --reason at the end of a command's options: OPT_END with them. */
#define DEED_OPTIONS(d)                                                                            \
	{OPT_TEXT, "territory", 't', &(d).slug, "SLUG", N_("of this territory")},                  \
		{OPT_TEXT, "reason", 0, &(d).reason, "TEXT", N_("why; kept in the history")},      \
	{                                                                                          \
		.type = OPT_END                                                                    \
	}

/* Opens the account and chooses the territory, for a deed that begins with a new record. */
int deed_open(struct deed *d);
/* The record that a word names, to be edited; the same one twice is given twice. */
int deed_take(struct deed *d, const char *kind, const char *word, struct seve_record **out);
/* An edited copy of a record of a list. */
int deed_copy(struct deed *d, const struct seve_record *r, struct seve_record **out);
int deed_new(struct deed *d, const char *kind, struct seve_record **out);
/* Fields and their texts; NULL texts are passed over, a NULL field ends. */
struct deed_value {
	const char *field, *text;
};
int deed_fill(struct deed *d, struct seve_record *r, const struct deed_value *values);
int deed_set(struct deed *d, struct seve_record *r, const char *field, const char *text);
int deed_add(struct deed *d, struct seve_record *r, const char *field, const char *text);
/* Records of a kind whose field has this value; the caller frees the list. */
int deed_list(struct deed *d, const char *kind, const char *field, const char *value,
	      struct seve_list **out);
/* Today, as a date. */
const char *deed_today(struct deed *d);
/* Saves all as one mutation, and says so: of the first `told` records. */
int deed_save(struct deed *d, size_t told, const char *sentence);
/* Frees the records; `rc` is handed through. */
int deed_end(struct deed *d, int rc);

#endif
