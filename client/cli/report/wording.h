/* wording.h -- words of enumerations as people say them, for what is handed to those who know no
 * keys.  Knows no record. */
#ifndef SEVE_CLI_WORDING_H
#define SEVE_CLI_WORDING_H

/* "status.in_progress" in the reader's language; without a row, the word behind the dot. */
const char *wording(const char *key);
/* Whether words.def has a row of this key. */
int wording_has(const char *key);

#endif
