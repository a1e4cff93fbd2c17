/* find.h -- words in the names, titles and texts of a network, whatever their case and accents.
 * Pure; any thread. */
#ifndef SEVE_FIND_H
#define SEVE_FIND_H

#include "network.h"

struct found {
	const struct node *node;
	const field_desc *field; /* where the first word stands */
};

/* Records in which every word of `words` stands, those with a word in their name first.  0,
 * -ERR_NOMEM, -ERR_INVALID where there is no word. */
int find_words(const struct network *net, const char *words, struct arena *a, struct found **out,
	       size_t *n, struct err *e);

#endif
