/* scope.c -- see scope.h. */
#include "scope.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "human.h"
#include "i18n.h"
#include "say.h"
#include "text.h"

static int by_slug(const void *a, const void *b)
{
	return strcmp(((const struct territory *)a)->slug, ((const struct territory *)b)->slug);
}

static struct territory *known(struct scope *s, uint32_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].id == id)
			return &s->list[i];
	return NULL;
}

static int add(struct cli *c, const struct territory *t)
{
	struct scope *s = &c->scope;
	struct territory *old = known(s, t->id);
	if (old) {
		old->slug = t->slug;
		old->replica |= t->replica;
		return 0;
	}
	if (s->n == s->room) {
		const size_t room = s->room ? 2 * s->room : 16;
		struct territory *list = arena_array(&c->arena, room, sizeof *list);
		if (!list)
			return say_nomem(c);
		if (s->n)
			memcpy(list, s->list, s->n * sizeof *list);
		s->list = list;
		s->room = room;
	}
	s->list[s->n++] = *t;
	return 0;
}

static int take(struct cli *c, const struct seve_table *rows, bool local)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < seve_table_rows(rows); i++) {
		int64_t id;
		if (text_to_int(seve_table_get(rows, i, "territory"), 1, UINT32_MAX, &id, NULL) < 0)
			continue;
		const char *synced = seve_table_get(rows, i, "synced_at");
		struct territory t = {
			.id = (uint32_t)id,
			.slug = cli_printf(c, "%s", seve_table_get(rows, i, "slug")),
			.replica = local ? *synced != '\0'
					 : strcmp(seve_table_get(rows, i, "replica"), "yes") == 0,
			.synced_at = cli_printf(c, "%s", synced),
		};
		if (*t.slug)
			rc = add(c, &t);
	}
	if (c->scope.n)
		qsort(c->scope.list, c->scope.n, sizeof *c->scope.list, by_slug);
	return rc;
}

static int load_local(struct cli *c)
{
	int rc = cli_open(c);
	if (rc || c->scope.asked_store)
		return rc;
	struct seve_table *rows = NULL;
	struct seve_error *err = NULL;
	if (seve_status_local(c->seve, &rows, &err))
		return say_seve(c, err);
	c->scope.asked_store = true;
	rc = take(c, rows, true);
	seve_table_free(rows);
	return rc;
}

static int load_all(struct cli *c)
{
	int rc = load_local(c);
	if (rc || c->scope.asked_server || c->offline)
		return rc;
	struct seve_table *rows = NULL;
	struct seve_error *err = NULL;
	if (seve_territories(c->seve, &rows, &err))
		return say_seve(c, err);
	c->scope.asked_server = true;
	rc = take(c, rows, false);
	seve_table_free(rows);
	return rc;
}

static const struct territory *by_name(const struct scope *s, const char *slug)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].slug, slug) == 0)
			return &s->list[i];
	return NULL;
}

static const char *all_slugs(struct cli *c)
{
	const char *text = "";
	for (size_t i = 0; i < c->scope.n && i < 20; i++)
		text = cli_printf(c, "%s%s%s", text, i ? ", " : "", c->scope.list[i].slug);
	return text;
}

int scope_find(struct cli *c, const char *slug, uint32_t *out)
{
	int64_t number;
	int rc = load_local(c);
	if (rc)
		return rc;
	if (text_to_int(slug, 1, UINT32_MAX, &number, NULL) == 0) {
		*out = (uint32_t)number; /* as the library tells it where it knows no slug */
		return 0;
	}
	const struct territory *t = by_name(&c->scope, slug);
	if (!t) {
		rc = load_all(c);
		t = by_name(&c->scope, slug);
	}
	if (rc)
		return rc;
	if (t) {
		*out = t->id;
		return 0;
	}
	const char *remedy =
		_("ask its administrator for an invite, or log in with the account that has one");
	if (c->scope.n)
		remedy = cli_printf(c, _("yours: %s"), all_slugs(c));
	else if (c->offline)
		remedy = _("carry it first: seve sync --territory SLUG");
	return say_failure(c, ERR_NOT_FOUND, remedy,
			   _("there is no territory \"%s\" that you may see"), slug);
}

const char *scope_slug(struct cli *c, uint32_t id)
{
	const struct territory *t = NULL;
	if (load_local(c) == 0)
		t = known(&c->scope, id);
	if (!t && load_all(c) == 0)
		t = known(&c->scope, id);
	return t ? t->slug : cli_printf(c, "%" PRIu32, id);
}

int scope_all(struct cli *c, bool replicas, struct territory **out, size_t *n)
{
	const int rc = replicas ? load_local(c) : load_all(c);
	if (rc)
		return rc;
	struct territory *list = arena_array(&c->arena, c->scope.n, sizeof *list);
	if (!list)
		return say_nomem(c);
	*n = 0;
	for (size_t i = 0; i < c->scope.n; i++)
		if (!replicas || c->scope.list[i].replica)
			list[(*n)++] = c->scope.list[i];
	*out = list;
	return 0;
}

int scope_choose(struct cli *c, const char *slug, uint32_t *out)
{
	if (slug)
		return scope_find(c, slug, out);
	const int rc = load_all(c);
	if (rc)
		return rc;
	if (c->scope.n == 1) {
		*out = c->scope.list[0].id;
		return 0;
	}
	if (c->scope.n == 0)
		return say_failure(c, ERR_NOT_FOUND, _("ask its administrator for an invite"),
				   _("there is no territory that you may see"));
	return say_usage(c, cli_printf(c, _("one of: %s"), all_slugs(c)), "%s",
			 _("which territory? say it with --territory"));
}

int scope_ids(struct cli *c, const struct words *slugs, uint32_t **out, size_t *n)
{
	struct words list = {0};
	for (size_t i = 0; i < slugs->n; i++)
		if (words_add_list(&c->arena, &list, slugs->at[i]) < 0)
			return say_nomem(c);
	uint32_t *ids = arena_array(&c->arena, list.n, sizeof *ids);
	if (!ids)
		return say_nomem(c);
	for (size_t i = 0; i < list.n; i++) {
		const int rc = scope_find(c, list.at[i], &ids[i]);
		if (rc)
			return rc;
	}
	*out = ids;
	*n = list.n;
	return 0;
}

void scope_tell_age(struct cli *c, int64_t age_ms)
{
	enum { DAY_MS = 24 * 60 * 60 * 1000 };
	char age[HUMAN_MAX];
	if (!say_to_terminal() && age_ms <= DAY_MS)
		return;
	human_age(age_ms, age);
	say_note(c, _("From this machine's replica, in step %s ago (--server asks the server)."),
		 age);
}
