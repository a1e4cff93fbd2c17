/* field_set.c -- set fields: compared without order, edited by adding and removing members.
 * Knows only members' bytes.  Sorting keeps the cost n log n: members come from strangers. */
#include "field.h"

#include <stdlib.h>
#include <string.h>

#include "field_set.h"

/* By bytes, then by origin, then by place. */
static int item_cmp(const void *x, const void *y)
{
	const struct field_set_item *a = x, *b = y;
	size_t n = a->bytes.len < b->bytes.len ? a->bytes.len : b->bytes.len;
	int c = n ? memcmp(a->bytes.at, b->bytes.at, n) : 0;
	if (c)
		return c;
	if (a->bytes.len != b->bytes.len)
		return a->bytes.len < b->bytes.len ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static bool same_bytes(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.at, b.at, a.len));
}

bool field_set_decide(struct field_set_item *items, size_t n, bool *keep_old, bool *keep_new)
{
	bool changed = false;
	qsort(items, n, sizeof *items, item_cmp);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && same_bytes(items[i].bytes, items[next].bytes);)
			next++;
		bool removed = items[next - 1].from == FIELD_SET_REMOVED;
		if (items[i].from == FIELD_SET_OLD)
			changed |= removed;
		else if (items[i].from == FIELD_SET_ADDED && !removed)
			changed = keep_new[items[i].index] = true;
		for (size_t j = i; j < next && items[j].from == FIELD_SET_OLD; j++)
			keep_old[items[j].index] = !removed;
	}
	return changed;
}

static size_t collect(const ProtobufCMessage *m, const field_desc *fd, enum field_set_from from,
		      struct field_set_item *out)
{
	size_t n = m ? field_count(m, fd) : 0;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct field_set_item){field_member(m, fd, i), from, i};
	return n;
}

/* Whether each run of equal members holds one of `a` (OLD) and one of `b` (ADDED). */
static bool runs_match(struct field_set_item *items, size_t n)
{
	qsort(items, n, sizeof *items, item_cmp);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && same_bytes(items[i].bytes, items[next].bytes);)
			next++;
		if (items[i].from == items[next - 1].from)
			return false;
	}
	return true;
}

/* Without memory for sorting: slower, never wrong. */
static bool contains_all(const ProtobufCMessage *a, const ProtobufCMessage *b, const field_desc *fd)
{
	for (size_t i = 0; i < field_count(b, fd); i++) {
		bool found = false;
		for (size_t j = 0; !found && j < field_count(a, fd); j++)
			found = same_bytes(field_member(a, fd, j), field_member(b, fd, i));
		if (!found)
			return false;
	}
	return true;
}

bool field_sets_equal(const ProtobufCMessage *a, const ProtobufCMessage *b, const field_desc *fd)
{
	size_t n = field_count(a, fd), m = field_count(b, fd), same = 0;
	while (same < n && same < m &&
	       same_bytes(field_member(a, fd, same), field_member(b, fd, same)))
		same++;
	if (same == n && same == m)
		return true;
	struct field_set_item few[32], *items = few;
	if (n + m > sizeof few / sizeof few[0])
		items = calloc(n + m, sizeof *items);
	if (!items)
		return contains_all(a, b, fd) && contains_all(b, a, fd);
	collect(a, fd, FIELD_SET_OLD, items);
	collect(b, fd, FIELD_SET_ADDED, items + n);
	bool equal = runs_match(items, n + m);
	if (items != few)
		free(items);
	return equal;
}

/* Copies the kept members' elements behind those already in `list`. */
static size_t take_kept(char *list, size_t n, const ProtobufCMessage *m, const field_desc *fd,
			const bool *keep, size_t count)
{
	size_t size = field_size(fd);
	const char *from = count ? *(char *const *)field_at(m, fd) : NULL;
	for (size_t i = 0; i < count; i++)
		if (keep[i])
			memcpy(list + size * n++, from + size * i, size);
	return n;
}

int field_set_edit(struct arena *a, ProtobufCMessage *m, const ProtobufCMessage *add,
		   const ProtobufCMessage *remove, const field_desc *fd)
{
	size_t n_old = field_count(m, fd), n_add = add ? field_count(add, fd) : 0;
	size_t n_remove = remove ? field_count(remove, fd) : 0;
	if (n_add + n_remove == 0)
		return 0;
	struct field_set_item *items = arena_array(a, n_old + n_add + n_remove, sizeof *items);
	bool *keep = arena_array(a, n_old + n_add, sizeof *keep);
	if (!items || !keep)
		return -ERR_NOMEM;
	collect(m, fd, FIELD_SET_OLD, items);
	collect(add, fd, FIELD_SET_ADDED, items + n_old);
	collect(remove, fd, FIELD_SET_REMOVED, items + n_old + n_add);
	if (!field_set_decide(items, n_old + n_add + n_remove, keep, keep + n_old))
		return 0;
	char *list = arena_array(a, n_old + n_add, field_size(fd));
	if (!list)
		return -ERR_NOMEM;
	size_t n = take_kept(list, 0, m, fd, keep, n_old);
	n = take_kept(list, n, add, fd, keep + n_old, n_add);
	*(void **)field_at_mut(m, fd) = n ? list : NULL;
	field_mark(m, fd, n);
	return 1;
}
