/* names.c -- see names.h. */
#include "names.h"

#include <string.h>
#include <uthash.h>

#include "cli.h"
#include "field.h"
#include "i18n.h"
#include "kind.h"
#include "say.h"
#include "scope.h"
#include "uuid.h"

enum { ASK_ONE_BY_ONE = 20, TERRITORIES_TRIED = 50 };

const char *names_ref(const struct seve_record *r)
{
	const char *ref = seve_record_ref(r);
	if (strcmp(seve_record_kind(r), "territory") == 0)
		ref = seve_record_get(r, "slug");
	return *ref ? ref : seve_record_id(r);
}

const char *names_target(const char *kind, const char *field)
{
	const struct kind *k = kind_by_name(kind);
	const field_desc *fd = k ? field_by_name(k, field) : NULL;
	const struct kind *target = fd ? field_rule(k, fd).target : NULL;
	return target ? target->name : NULL;
}

const char *names_main_field(const char *kind)
{
	static const char *const known[] = {"title", "name", "text", "statement", "label"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (seve_field_type(kind, known[i]))
			return known[i];
	const struct kind *k = kind_by_name(kind);
	return k ? k->sort : NULL;
}

static int get(struct cli *c, uint32_t territory, const char *kind, const char *word,
	       struct seve_record **out, struct seve_error **err)
{
	return seve_get(c->seve, territory, kind, word, c->where, out, err);
}

static int get_said(struct cli *c, uint32_t territory, const char *kind, const char *word,
		    struct seve_record **out)
{
	struct seve_error *err = NULL;
	return get(c, territory, kind, word, out, &err) ? say_seve(c, err) : 0;
}

static int many(struct cli *c, const char *word, const char *places)
{
	return say_usage(c, cli_printf(c, _("say which: %s"), places),
			 _("%s is in several territories"), word);
}

/* Asks territory after territory; one hit is the answer. */
static int search(struct cli *c, const char *kind, const char *word, struct seve_record **out)
{
	struct territory *list;
	size_t n;
	int rc = scope_all(c, c->offline, &list, &n);
	if (rc)
		return rc;
	struct seve_record *found = NULL;
	const char *places = "";
	size_t hits = 0;
	for (size_t i = 0; rc == 0 && i < n && i < TERRITORIES_TRIED; i++) {
		struct seve_record *r = NULL;
		struct seve_error *err = NULL;
		if (get(c, list[i].id, kind, word, &r, &err) == SEVE_OK) {
			places = cli_printf(c, "%s%s%s/%s", places, hits++ ? ", " : "",
					    list[i].slug, word);
			seve_record_free(found);
			found = r;
		} else if (err && seve_error_status(err) == SEVE_NOT_FOUND) {
			seve_error_free(err);
		} else {
			rc = say_seve(c, err);
		}
	}
	if (rc == 0 && hits == 1) {
		*out = found;
		return 0;
	}
	seve_record_free(found);
	if (rc == 0 && hits > 1)
		rc = many(c, word, places);
	else if (rc == 0)
		rc = say_failure(c, ERR_NOT_FOUND, _("--territory SLUG names the territory"),
				 _("your territories hold no %s \"%s\""), kind ? kind : _("record"),
				 word);
	return rc;
}

/* "nord/P-12" is "P-12" in the territory "nord". */
static void cut(struct cli *c, const char **slug, const char **word)
{
	const char *slash = strchr(*word, '/');
	if (!slash || slash == *word)
		return;
	*slug = cli_printf(c, "%.*s", (int)(slash - *word), *word);
	*word = slash + 1;
}

int names_any_record(struct cli *c, const char *slug, const char *kind, const char *word,
		     struct seve_record **out)
{
	uint32_t territory;
	int rc = cli_open(c);
	cut(c, &slug, &word);
	if (rc)
		return rc;
	if (!slug)
		return search(c, kind, word, out);
	rc = scope_find(c, slug, &territory);
	return rc ? rc : get_said(c, territory, kind, word, out);
}

int names_record(struct cli *c, const char *slug, const char *kind, const char *word,
		 struct seve_record **out)
{
	struct seve_record *r = NULL;
	int rc = names_any_record(c, slug, kind, word, &r);
	if (rc == 0 && seve_record_deleted(r)) {
		const char *remedy = cli_printf(
			c, _("seve %s restore %s --territory %s brings it back"),
			seve_record_kind(r), word, scope_slug(c, seve_record_territory(r)));
		seve_record_free(r);
		return say_failure(c, ERR_NOT_FOUND, remedy, _("%s was deleted"), word);
	}
	if (rc == 0)
		*out = r;
	return rc;
}

int names_territory(struct cli *c, uint32_t territory, struct seve_record **out)
{
	struct seve_list *list = NULL;
	struct seve_error *err = NULL;
	struct seve_query *q = seve_query_new("territory");
	int rc = 0;
	if (!q || seve_query_territory(q, territory))
		rc = say_nomem(c);
	else if (seve_list(c->seve, q, c->where, &list, &err))
		rc = say_seve(c, err);
	else if (seve_list_count(list) == 0)
		rc = say_failure(c, ERR_NOT_FOUND, NULL,
				 _("the record of territory \"%s\" is not readable for you"),
				 scope_slug(c, territory));
	seve_query_free(q);
	if (rc == 0) {
		*out = seve_record_copy(seve_list_at(list, 0));
		rc = *out ? 0 : say_nomem(c);
	}
	seve_list_free(list);
	return rc;
}

int names_deleted(struct cli *c, const char *slug, const char *kind, const char *word,
		  uint32_t *territory, const char **id)
{
	struct uuid u;
	struct seve_record *r = NULL;
	cut(c, &slug, &word);
	if (uuid_parse(word, &u, NULL) == 0) {
		*id = word;
		return scope_choose(c, slug, territory);
	}
	const int rc = names_any_record(c, slug, kind, word, &r);
	if (rc)
		return rc;
	*territory = seve_record_territory(r);
	*id = cli_printf(c, "%s", seve_record_id(r));
	seve_record_free(r);
	return 0;
}

int names_id(struct cli *c, uint32_t territory, const char *kind, const char *word, const char **id)
{
	struct uuid u;
	struct seve_record *r = NULL;
	if (uuid_parse(word, &u, NULL) == 0) {
		*id = word;
		return 0;
	}
	const int rc = territory ? get_said(c, territory, kind, word, &r)
				 : names_record(c, NULL, kind, word, &r);
	if (rc)
		return rc;
	*id = cli_printf(c, "%s", seve_record_id(r));
	seve_record_free(r);
	return 0;
}

/* ---- labels ---- */

struct label {
	char id[UUID_TEXT];
	const char *text;
	UT_hash_handle hh;
};

/* One run, one cache: it lies in the run's arena but for uthash's own table, which ends with the
 * process. */
static struct label *labels;

static const char *remember(struct cli *c, const char *id, const char *text)
{
	struct label *l = arena_zalloc(&c->arena, sizeof *l);
	if (!l)
		return text;
	snprintf(l->id, sizeof l->id, "%s", id);
	l->text = text;
	HASH_ADD_STR(labels, id, l);
	return text;
}

static const char *label_from(struct cli *c, const struct seve_record *r)
{
	const char *main = names_main_field(seve_record_kind(r));
	const char *text = main ? seve_record_get(r, main) : "";
	return cli_printf(c, "%s", text && *text ? text : names_ref(r));
}

static void load_kind(struct cli *c, const char *kind)
{
	struct seve_list *list = NULL;
	struct seve_query *q = seve_query_new(kind);
	if (q && seve_list(c->seve, q, c->where, &list, NULL) == SEVE_OK) {
		for (size_t i = 0; i < seve_list_count(list); i++) {
			const struct seve_record *r = seve_list_at(list, i);
			struct label *l;
			HASH_FIND_STR(labels, seve_record_id(r), l);
			if (!l)
				remember(c, seve_record_id(r), label_from(c, r));
		}
		seve_list_free(list);
	}
	seve_query_free(q);
}

const char *names_label(struct cli *c, uint32_t territory, const char *kind, const char *id)
{
	static size_t asked;
	struct label *l;
	HASH_FIND_STR(labels, id, l);
	if (l)
		return l->text;
	if (asked++ == ASK_ONE_BY_ONE && kind) {
		load_kind(c, kind); /* many of them: one list instead of many questions */
		HASH_FIND_STR(labels, id, l);
		if (l)
			return l->text;
	}
	struct seve_record *r = NULL;
	const char *text;
	if (get(c, territory, kind, id, &r, NULL) == SEVE_OK) {
		text = label_from(c, r);
		seve_record_free(r);
	} else {
		const size_t n = strlen(id);
		text = cli_printf(c, "~%s", n > 6 ? id + n - 6 : id);
	}
	return remember(c, id, text);
}

const char *names_in_text(struct cli *c, uint32_t territory, const char *text)
{
	const char *out = "";
	struct uuid u;
	while (*text) {
		char id[UUID_TEXT];
		const size_t plain = strcspn(text, "0123456789abcdef");
		snprintf(id, sizeof id, "%s", text + plain);
		if (strlen(id) == UUID_TEXT - 1 && uuid_parse(id, &u, NULL) == 0) {
			out = cli_printf(c, "%s%.*s%s", out, (int)plain, text,
					 names_label(c, territory, NULL, id));
			text += plain + UUID_TEXT - 1;
		} else {
			const size_t word = plain + strspn(text + plain, "0123456789abcdef");
			out = cli_printf(c, "%s%.*s", out, (int)word, text);
			text += word;
		}
	}
	return out;
}

void names_fini(void)
{
	HASH_CLEAR(hh, labels); /* the labels themselves lie in the arena */
}
