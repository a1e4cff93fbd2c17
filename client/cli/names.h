/* names.h -- which record a word means, and what people call a record.
 * A word is P-12, nord/P-12, ~k3f9 or a whole id. */
#ifndef SEVE_CLI_NAMES_H
#define SEVE_CLI_NAMES_H

#include <seve.h>
#include <stdint.h>

struct cli;

/* The record.  `slug` NULL: the territory before the '/', else the only one in which it is found.
 * `kind` NULL: any. The caller frees it. */
int names_record(struct cli *c, const char *slug, const char *kind, const char *word,
		 struct seve_record **out);
/* The same, deleted or not. */
int names_any_record(struct cli *c, const char *slug, const char *kind, const char *word,
		     struct seve_record **out);
/* The id of a record in one territory; *id lives as long as the run. */
int names_id(struct cli *c, uint32_t territory, const char *kind, const char *word,
	     const char **id);
/* The record of a territory itself.  The caller frees it. */
int names_territory(struct cli *c, uint32_t territory, struct seve_record **out);
/* Where a deleted record is, and its id. */
int names_deleted(struct cli *c, const char *slug, const char *kind, const char *word,
		  uint32_t *territory, const char **id);
/* What to call it: its sort field or reference, from memory or by asking; the reference "…" of the
 * id where nobody knows. */
const char *names_label(struct cli *c, uint32_t territory, const char *kind, const char *id);
/* "P-12", "~k3f9" or the id: how a command can name the record. */
const char *names_ref(const struct seve_record *r);
/* The kind that a reference field points to, NULL: any. */
const char *names_target(const char *kind, const char *field);
/* The field by which people know a record of this kind: its sort field, or a title, name or text.
 */
const char *names_main_field(const char *kind);

/* The text with whole ids in it replaced by labels. */
const char *names_in_text(struct cli *c, uint32_t territory, const char *text);
/* Forgets the labels. */
void names_fini(void);

#endif
