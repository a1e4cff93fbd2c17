/* find.c -- see find.h. */
#include "find.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { WORDS_MAX = 16 };

struct search {
	char *folded; /* words, each ended by a NUL */
	const char *words[WORDS_MAX];
	size_t n;
};

static int split(const char *text, struct search *s, struct err *e)
{
	char *at;

	s->folded = text_fold(text);
	if (!s->folded)
		return err_set(e, ERR_INVALID, "the words to find are not readable");
	at = s->folded;
	while (s->n < WORDS_MAX) {
		at += strspn(at, " \t\n");
		if (!*at)
			break;
		s->words[s->n++] = at;
		at += strcspn(at, " \t\n");
		if (*at)
			*at++ = '\0';
	}
	if (s->n)
		return 0;
	return err_set(e, ERR_INVALID, "there is no word to find");
}

/* Which words stand in the text, as bits; those in `missing` only are looked for. */
static unsigned words_in(const struct search *s, const char *text, unsigned missing)
{
	char *folded = text_fold(text);
	unsigned found = 0;

	for (size_t i = 0; folded && i < s->n; i++)
		if (missing >> i & 1 && strstr(folded, s->words[i]))
			found |= 1U << i;
	free(folded);
	return found;
}

/* A text field, or a list of texts: the words found in any member. */
static unsigned words_of(const struct search *s, const ProtobufCMessage *m, const field_desc *fd,
			 unsigned missing)
{
	unsigned found = 0;

	if (field_type(fd) == FIELD_TEXT)
		return words_in(s, *(char *const *)field_at(m, fd), missing);
	for (size_t i = 0; i < field_count(m, fd); i++)
		found |= words_in(s, (const char *)field_member(m, fd, i).at, missing);
	return found;
}

static bool look(const struct search *s, const struct node *n, struct found *out)
{
	const ProtobufCMessage *m = kind_message(n->body);
	unsigned missing = (1U << s->n) - 1;

	*out = (struct found){.node = n};
	for (unsigned i = 0; missing && i < n->kind->desc->n_fields; i++) {
		const field_desc *fd = &n->kind->desc->fields[i];
		const enum field_type t = field_type(fd);
		unsigned found;

		if ((t != FIELD_TEXT && t != FIELD_TEXTS) || !field_present(m, fd))
			continue;
		found = words_of(s, m, fd, missing);
		if (found && !out->field)
			out->field = fd;
		missing &= ~found;
	}
	return !missing;
}

static bool in_name(const struct found *f)
{
	return f->field->id <= 2 || strcmp(f->field->name, "label") == 0;
}

static int by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (in_name(x) != in_name(y))
		return in_name(x) ? -1 : 1;
	if (x->node->kind != y->node->kind)
		return x->node->kind->number < y->node->kind->number ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

int find_words(const struct network *net, const char *words, struct arena *a, struct found **out,
	       size_t *n, struct err *e)
{
	struct search s = {0};
	struct found *list;
	size_t kept = 0;
	int rc = split(words, &s, e);

	list = rc ? NULL : arena_array(a, net->n + 1, sizeof *list);
	if (!rc && !list)
		rc = err_set(e, ERR_NOMEM, "found records");
	for (size_t i = 0; !rc && i < net->n; i++)
		kept += look(&s, &net->nodes[i], &list[kept]);
	free(s.folded);
	if (rc)
		return rc;
	if (kept)
		qsort(list, kept, sizeof *list, by_place);
	*out = list;
	*n = kept;
	return 0;
}
