/* icsset.h -- times, each under a word (a UID), that are asked for often: occurrences that are told
 * elsewhere, or that do not take place.  Knows no iCalendar. */
#ifndef SEVE_CLI_IMPORT_ICSSET_H
#define SEVE_CLI_IMPORT_ICSSET_H

#include <stdbool.h>
#include <stdint.h>

struct icsset; /* NULL: the empty set */

/* 0, also where it is there already, or -ERR_NOMEM. */
int icsset_add(struct icsset **s, const char *word, int64_t at);
bool icsset_has(const struct icsset *s, const char *word, int64_t at);
void icsset_free(struct icsset **s); /* empties it */

#endif
