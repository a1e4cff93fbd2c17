/* suggest.c -- the nearest word: a synonym, else the smallest Damerau-Levenshtein distance up to 2,
 * else one that begins so. */
#include "suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { NEAR = 2, PREFIX = 3, FAR = 99 };

static const struct {
	const char *french, *english;
} synonyms[] = {
#define SYNONYM(french, english) {french, english},
#include "synonyms.def"
#undef SYNONYM
};

static void fold(const char *s, char out[static 64])
{
	char *folded = text_fold(s);
	snprintf(out, 64, "%s", folded ? folded : s);
	free(folded);
	for (char *p = out; *p; p++)
		if (*p == '-' || *p == ' ')
			*p = '_';
}

static const char *find_synonym(const char *folded)
{
	for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
		const size_t n = strlen(synonyms[i].french);
		if (strncmp(folded, synonyms[i].french, n) == 0 &&
		    (folded[n] == '\0' || strcmp(folded + n, "s") == 0))
			return synonyms[i].english;
	}
	return NULL;
}

const char *suggest_synonym(const char *typed)
{
	char folded[64];
	fold(typed, folded);
	return find_synonym(folded);
}

void suggest_start(struct suggest *s, const char *typed)
{
	*s = (struct suggest){.distance = FAR};
	fold(typed, s->word);
	s->synonym = find_synonym(s->word);
}

void suggest_try(struct suggest *s, const char *candidate)
{
	char folded[64];
	fold(candidate, folded);
	if (s->synonym && strcmp(s->synonym, candidate) == 0) {
		snprintf(s->best, sizeof s->best, "%s", candidate);
		s->distance = 0;
		return;
	}
	unsigned d = text_distance(s->word, folded, NEAR);
	/* a short word is near everything: ask for more likeness there */
	if (d > NEAR || 2 * (size_t)d >= strlen(folded))
		d = strlen(s->word) >= 3 && strncmp(folded, s->word, strlen(s->word)) == 0 ? PREFIX
											   : FAR;
	if (d < s->distance) {
		snprintf(s->best, sizeof s->best, "%s", candidate);
		s->distance = d;
	}
}

const char *suggest_best(const struct suggest *s)
{
	return s->distance < FAR ? s->best : NULL;
}
