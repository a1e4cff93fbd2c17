/* gather.c -- see gather.h. */
#include "gather.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "i18n.h"
#include "say.h"

enum { GATHER_MAX = 1024 * 1024 * 1024 };

static int all_of(struct cli *c, struct gathered *g)
{
	struct territory *list = NULL;
	size_t n = 0;
	int rc = c->server ? 0 : scope_all(c, true, &list, &n);
	if (rc == 0 && n == 0 && !c->offline)
		rc = scope_all(c, false, &list, &n);
	if (rc)
		return rc;
	if (n == 0)
		return say_failure(c, ERR_NOT_FOUND,
				   c->offline ? _("carry one first: seve sync --territory SLUG")
					      : _("ask its administrator for an invite"),
				   "%s", _("there is no territory to look at"));
	g->territories = arena_array(&c->arena, n, sizeof *g->territories);
	if (!g->territories)
		return say_nomem(c);
	for (size_t i = 0; i < n; i++)
		g->territories[g->n++] = list[i].id;
	return 0;
}

struct taking {
	struct gathered *g;
	struct err err;
};

static int take(void *ctx, uint32_t territory, const uint8_t id[16], uint64_t rev, const void *body,
		size_t n)
{
	struct taking *t = ctx;
	return network_add(&t->g->net, territory, id, rev, body, n, &t->err);
}

static int read_all(struct cli *c, struct gathered *g)
{
	struct taking t = {.g = g};
	struct seve_error *err = NULL;
	size_t granted = 0;
	const int rc = seve_each_record(c->seve, g->territories, g->n, c->where, take, &t,
					&g->age_ms, &err);
	if (t.err.code) {
		seve_error_free(err);
		return say_err(c, &t.err);
	}
	if (rc)
		return say_seve(c, err);
	g->replica = g->age_ms >= 0;
	if (seve_granted(c->seve, &granted, NULL) == SEVE_OK)
		g->granted = granted;
	if (g->granted < g->n)
		g->granted = g->n;
	if (network_seal(&g->net, &t.err) < 0)
		return say_err(c, &t.err);
	return 0;
}

static int start(struct cli *c, const char *kinds, struct gathered *g)
{
	struct err e = {0};
	*g = (struct gathered){.age_ms = -1};
	arena_init(&g->arena, GATHER_MAX);
	if (network_init(&g->net, &g->arena, kinds, &e) < 0)
		return say_err(c, &e);
	return cli_open(c);
}

int gather(struct cli *c, const struct words *slugs, const char *kinds, struct gathered *g)
{
	int rc = start(c, kinds, g);
	if (rc == 0)
		rc = slugs && slugs->n ? scope_ids(c, slugs, &g->territories, &g->n) : all_of(c, g);
	return rc ? rc : read_all(c, g);
}

int gather_one(struct cli *c, const char *slug, const char *kinds, struct gathered *g)
{
	int rc = start(c, kinds, g);
	g->territories = arena_array(&c->arena, 1, sizeof *g->territories);
	if (rc == 0 && !g->territories)
		rc = say_nomem(c);
	if (rc == 0)
		rc = scope_choose(c, slug, &g->territories[0]);
	g->n = 1;
	return rc ? rc : read_all(c, g);
}

void gather_end(struct gathered *g)
{
	arena_fini(&g->arena);
}

void gather_tell_age(struct cli *c, const struct gathered *g)
{
	if (g->replica)
		scope_tell_age(c, g->age_ms);
}

/* ---- names --------------------------------------------------------------------------------------
 */

/* ~k3f9: the last characters of an id, hyphens aside. */
static bool has_tail(const struct node *n, const char *tail)
{
	char text[UUID_TEXT];
	uuid_format(&n->id, text);
	size_t at = strlen(text), k = strlen(tail);
	while (k && at) {
		if (text[--at] == '-')
			continue;
		if (text[at] != tolower((unsigned char)tail[--k]))
			return false;
	}
	return k == 0;
}

static bool is_named(const struct node *n, const char *word)
{
	char text[UUID_TEXT], ref[16];
	struct uuid id;
	const struct kind *k;
	uint32_t no;
	if (*word == '~')
		return has_tail(n, word + 1);
	if (uuid_parse(word, &id, NULL) == 0)
		return uuid_cmp(&id, &n->id) == 0;
	node_ref(n, ref);
	if (kind_parse_ref(word, &k, &no, NULL) < 0 || k != n->kind)
		return false;
	snprintf(text, sizeof text, "%c-%u", k->prefix, no);
	return strcmp(text, ref) == 0;
}

int gather_find(struct cli *c, const struct gathered *g, const char *kind, const char *word,
		const struct node **out)
{
	const struct node *found = NULL;
	const char *slash = strchr(word, '/'), *name = slash ? slash + 1 : word;
	uint32_t only = 0;
	if (slash) {
		const int rc =
			scope_find(c, cli_printf(c, "%.*s", (int)(slash - word), word), &only);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < g->net.n; i++) {
		const struct node *n = &g->net.nodes[i];
		if ((kind && strcmp(n->kind->name, kind) != 0) || (only && n->territory != only) ||
		    !is_named(n, name))
			continue;
		if (found)
			return say_usage(c, _("say it with --territory, or as SLUG/REFERENCE"),
					 _("%s names more than one record"), word);
		found = n;
	}
	if (!found)
		return say_failure(c, ERR_NOT_FOUND, NULL, _("there is no %s here"), word);
	*out = found;
	return 0;
}
