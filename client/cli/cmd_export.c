/* cmd_export.c -- all live records as canonical JSON Lines, sorted by territory, kind and id: the
 * same records give the same bytes, whichever machine writes them. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "file.h"
#include "i18n.h"
#include "json.h"
#include "kind.h"
#include "say.h"
#include "scope.h"

struct export
{
	struct cli *c;
	FILE *file;
	const char *prefix; /* {"territory":"nord", */
	size_t pending;
};

static int by_id(const void *a, const void *b)
{
	return strcmp(seve_record_id(*(const struct seve_record *const *)a),
		      seve_record_id(*(const struct seve_record *const *)b));
}

static int by_number(const void *a, const void *b)
{
	const struct kind *x = *(const struct kind *const *)a, *y = *(const struct kind *const *)b;
	return (x->number > y->number) - (x->number < y->number);
}

static int write_sorted(struct export *x, const struct seve_list *list,
			const struct seve_record **at)
{
	const size_t n = seve_list_count(list);
	for (size_t i = 0; i < n; i++)
		at[i] = seve_list_at(list, i);
	qsort(at, n, sizeof *at, by_id);
	for (size_t i = 0; i < n; i++) {
		char *json = seve_record_json(at[i]);
		if (!json)
			return say_nomem(x->c);
		fprintf(x->file, "%s%s\n", x->prefix, json + 1);
		free(json);
		x->pending += seve_record_pending(at[i]) != 0;
	}
	return 0;
}

static int write_kind(struct export *x, uint32_t territory, const char *kind)
{
	struct seve_error *err = NULL;
	struct seve_list *list = NULL;
	struct seve_query *q = seve_query_new(kind);
	int rc = 0;
	if (!q || seve_query_territory(q, territory))
		rc = say_nomem(x->c);
	else if (seve_list(x->c->seve, q, x->c->where, &list, &err))
		rc = say_seve(x->c, err);
	seve_query_free(q);
	if (rc)
		return rc;
	const struct seve_record **at = calloc(seve_list_count(list) + 1, sizeof *at);
	rc = at ? write_sorted(x, list, at) : say_nomem(x->c);
	free(at);
	seve_list_free(list);
	return rc;
}

static int write_territory(struct export *x, const struct territory *t)
{
	const struct kind *kinds[64];
	size_t n = 0;
	struct buf slug;
	buf_init(&slug, 1024);
	if (json_add_string(&slug, t->slug) < 0 || buf_add(&slug, "", 1) < 0) {
		buf_fini(&slug);
		return say_nomem(x->c);
	}
	x->prefix = cli_printf(x->c, "{\"territory\":%s,", (const char *)buf_span(&slug).at);
	buf_fini(&slug);
	while (n < sizeof kinds / sizeof *kinds && n < kind_count()) {
		kinds[n] = kind_at(n);
		n++;
	}
	qsort(kinds, n, sizeof *kinds, by_number);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = write_kind(x, t->id, kinds[i]->name);
	return rc;
}

static int write_all(struct export *x, const struct territory *list, size_t n, const char *path)
{
	struct err e = {0};
	struct file_draft d;
	if (file_draft_open(&d, path, 0600, &e) < 0)
		return say_err(x->c, &e);
	x->file = d.file;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = write_territory(x, &list[i]);
	if (rc == 0 && file_draft_keep(&d, &e) < 0)
		rc = say_err(x->c, &e);
	file_draft_drop(&d);
	return rc;
}

/* Those named; else all: of this machine's replicas, or with --server of the server. */
static int which(struct cli *c, const struct words *slugs, struct territory **out, size_t *n)
{
	struct territory *all;
	uint32_t *ids = NULL;
	size_t n_ids = 0, n_all = 0;
	int rc = scope_ids(c, slugs, &ids, &n_ids);
	if (rc == 0)
		rc = scope_all(c, !c->server && !n_ids, &all, &n_all);
	if (rc == 0 && n_all == 0 && !c->offline)
		rc = scope_all(c, false, &all, &n_all);
	if (rc)
		return rc;
	size_t kept = 0;
	for (size_t i = 0; i < n_all; i++) {
		bool wanted = n_ids == 0;
		for (size_t k = 0; k < n_ids && !wanted; k++)
			wanted = ids[k] == all[i].id;
		if (wanted)
			all[kept++] = all[i];
	}
	*out = all;
	*n = kept;
	return 0;
}

int cmd_export(struct cli *c)
{
	struct words slugs = {0};
	const char *path = "-";
	const struct opt table[] = {
		{OPT_LIST, "territory", 't', &slugs, "SLUG,...",
		 N_("this territory only; may be repeated")},
		{OPT_TEXT, "output", 'o', &path, "FILE|-", N_("where to; else standard output")},
		{.type = OPT_END},
	};
	struct territory *list = NULL;
	size_t n = 0;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	struct export x = {.c = c};
	int rc = cli_open(c);
	if (rc == 0)
		rc = which(c, &slugs, &list, &n);
	if (rc == 0)
		rc = write_all(&x, list, n, path);
	if (rc == 0 && x.pending)
		say_warning(c,
			    _("%zu records show edits that the server has not confirmed: seve sync "
			      "first."),
			    x.pending);
	return rc;
}
