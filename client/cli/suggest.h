/* suggest.h -- "did you mean": the nearest of a list of words, French synonyms included.
 * Knows no list of its own but the synonyms. */
#ifndef SEVE_CLI_SUGGEST_H
#define SEVE_CLI_SUGGEST_H

struct suggest {
	char word[64];       /* what was typed, folded: no case, no accents */
	const char *synonym; /* the English word for it, or NULL */
	char best[64];
	unsigned distance;
};

void suggest_start(struct suggest *s, const char *typed);
void suggest_try(struct suggest *s, const char *candidate);
/* NULL when nothing is near; else it lives in `s`. */
const char *suggest_best(const struct suggest *s);
/* The English command word or enumeration word for a French one ("acteurs" -> "actor"), or NULL. */
const char *suggest_synonym(const char *typed);

#endif
