/* news.c -- see news.h. */
#include "news.h"

#include <stdlib.h>

#include "sync/apply.h"
#include "wire.h"

static int by_rev(const void *a, const void *b)
{
	const struct news_row *x = a, *y = b;

	return (x->rev > y->rev) - (x->rev < y->rev);
}

static bool row_of(struct arena *a, const struct world_record *d, struct news_row *out)
{
	*out = (struct news_row){.id = d->key.id,
				 .kind = d->kind,
				 .rev = d->rev,
				 .narrowed_rev = d->narrowed_rev,
				 .level = d->level,
				 .deleted = d->deleted};
	/* As the store has it: a tombstone keeps its owner. */
	out->owned =
		apply_owner(d->kind, &d->key.id, d->deleted ? d->last_body : d->body, &out->owner);
	if (!d->body)
		return d->deleted;
	out->body = wire_pack(a, &d->body->base);
	return out->body.at;
}

void news_collect(struct world *w, struct news *news)
{
	struct news_row *rows;
	size_t n = 0, i = 0;

	for (const struct world_record *d = w->dirty_first; d; d = d->next_dirty)
		n += d->key.territory == news->territory;
	rows = n && n <= NEWS_ROWS_MAX ? arena_array(w->arena, n, sizeof *rows) : NULL;
	if (!rows)
		return;
	for (const struct world_record *d = w->dirty_first; d; d = d->next_dirty)
		if (d->key.territory == news->territory && !row_of(w->arena, d, &rows[i++]))
			return;
	qsort(rows, n, sizeof *rows, by_rev);
	news->rows = rows;
	news->n = n;
}

size_t news_list(struct world *w, uint64_t epoch, struct news *out, size_t max)
{
	struct world_head *h, *tmp;
	size_t n = 0;

	HASH_ITER (hh, w->heads, h, tmp)
		if (h->dirty && n < max)
			out[n++] =
				(struct news){h->territory, epoch, h->loaded_rev, h->rev, NULL, 0};
	return n;
}
