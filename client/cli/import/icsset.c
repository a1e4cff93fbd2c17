/* icsset.c -- see icsset.h.  The word is hashed: two words with one SHA-256 will not be met. */
#include "import/icsset.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "err.h"
#include "sha256.h"

struct mark {
	uint8_t word[32];
	int64_t at;
};

struct icsset {
	struct mark mark;
	UT_hash_handle hh;
};

static struct icsset *find(const struct icsset *s, const char *word, int64_t at, struct mark *m)
{
	struct icsset *all = (struct icsset *)(uintptr_t)s, *found = NULL;
	sha256(word, strlen(word), m->word);
	m->at = at;
	HASH_FIND(hh, all, m, sizeof *m, found);
	return found;
}

int icsset_add(struct icsset **s, const char *word, int64_t at)
{
	struct mark m;
	if (find(*s, word, at, &m))
		return 0;
	struct icsset *one = calloc(1, sizeof *one), *all = *s;
	if (!one)
		return -ERR_NOMEM;
	one->mark = m;
	HASH_ADD(hh, all, mark, sizeof m, one);
	*s = all;
	if (one->hh.tbl)
		return 0;
	free(one);
	return -ERR_NOMEM;
}

bool icsset_has(const struct icsset *s, const char *word, int64_t at)
{
	struct mark m;
	return s && find(s, word, at, &m);
}

void icsset_free(struct icsset **s)
{
	struct icsset *all = *s, *one, *tmp;
	HASH_ITER (hh, all, one, tmp) {
		HASH_DEL(all, one);
		free(one);
	}
	*s = NULL;
}
