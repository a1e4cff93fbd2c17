/* fieldopt.h -- a kind's fields as options, made at run time: --next-step for next_step, --pilot
 * for pilot_id, --target for target_on,
 * --tag (again and again) for tags.  Knows no kind by name but for the rows of shorthands.def. */
#ifndef SEVE_CLI_FIELDOPT_H
#define SEVE_CLI_FIELDOPT_H

#include <seve.h>

#include "opts.h"

struct cli;

enum fieldopt_use {
	FIELDOPT_SET,    /* values of a new record */
	FIELDOPT_EDIT,   /* the same, and --add-tag, --remove-tag */
	FIELDOPT_FILTER, /* conditions of a list */
};

struct fieldopt {
	const char *field;
	const char *type; /* seve_field_type() */
	const char *option;
	const char *text;         /* given, or NULL: fields of one value */
	struct words add, remove; /* set fields; conditions */
};

struct fieldopts {
	const char *kind;
	struct fieldopt *list;
	size_t n;
	struct opt *table; /* the fields' options, then `more` */
};

/* Makes the options of a kind's fields, followed by `more` (ended by OPT_END); those have
 * precedence over fields of the same name. */
int fieldopts_make(struct cli *c, const char *kind, enum fieldopt_use use, const struct opt *more,
		   struct fieldopts *out);
/* The field that a row of shorthands.def calls so, or NULL. */
const char *fieldopt_shorthand(const char *kind, const char *option);
/* Sets what was given; references are looked up in the record's territory. */
int fieldopts_apply(struct cli *c, const struct fieldopts *f, struct seve_record *r);
/* A value as people type it, as the library takes it: references as ids, local times as instants.
 */
int fieldopt_value(struct cli *c, const char *kind, uint32_t territory, const char *field,
		   const char *text, const char **out);
/* Whether anything was given. */
bool fieldopts_given(const struct fieldopts *f);
/* Adds conditions to a query.  `territory` 0: references are looked up in all. */
int fieldopts_filter(struct cli *c, const struct fieldopts *f, const char *slug,
		     struct seve_query *q);
/* One condition "field op value" of --filter. */
int fieldopts_condition(struct cli *c, const char *kind, const char *slug, const char *text,
			struct seve_query *q);

#endif
