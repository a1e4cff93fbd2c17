/* cmd_export.c -- live records as a file, sorted by territory, kind and id: the same records give
 * the same bytes, whichever machine writes them. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "export/writer.h"
#include "file.h"
#include "i18n.h"
#include "kind.h"
#include "say.h"
#include "scope.h"

struct export
{
	struct cli *c;
	const struct writer_ops *ops;
	const struct territory *territories;
	size_t n;
	const struct kind *kinds[64];
	size_t n_kinds;
	const char *link;
	bool french;
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

static int write_sorted(struct export *x, struct writer *w, const struct seve_list *list,
			const struct seve_record **at)
{
	const size_t n = seve_list_count(list);
	for (size_t i = 0; i < n; i++)
		at[i] = seve_list_at(list, i);
	qsort(at, n, sizeof *at, by_id);
	for (size_t i = 0; i < n; i++) {
		const int rc = w->ops->record(w, at[i]);
		if (rc)
			return rc;
		w->records++;
		x->pending += seve_record_pending(at[i]) != 0;
	}
	return 0;
}

static int write_records(struct export *x, struct writer *w, const struct territory *t,
			 const char *kind)
{
	struct seve_error *err = NULL;
	struct seve_list *list = NULL;
	struct seve_query *q = seve_query_new(kind);
	int rc = 0;
	w->territory = t->slug;
	if (!q || seve_query_territory(q, t->id))
		rc = say_nomem(x->c);
	else if (seve_list(x->c->seve, q, x->c->where, &list, &err))
		rc = say_seve(x->c, err);
	seve_query_free(q);
	if (rc)
		return rc;
	const struct seve_record **at = calloc(seve_list_count(list) + 1, sizeof *at);
	rc = at ? write_sorted(x, w, list, at) : say_nomem(x->c);
	free(at);
	seve_list_free(list);
	return rc;
}

/* Territory by territory in a stream; sheet by sheet in a workbook. */
static int write_kinds(struct export *x, struct writer *w, const struct kind *const *kinds,
		       size_t n)
{
	const bool sheets = w->ops->kind != NULL;
	const size_t outer = sheets ? n : x->n, inner = sheets ? x->n : n;
	int rc = w->ops->begin(w);
	for (size_t i = 0; rc == 0 && i < outer; i++) {
		if (sheets)
			rc = writer_kind(w, kinds[i]);
		for (size_t k = 0; rc == 0 && k < inner; k++)
			rc = write_records(x, w, &x->territories[sheets ? k : i],
					   kinds[sheets ? i : k]->name);
	}
	return rc ? rc : w->ops->end(w);
}

static int write_file(struct export *x, const char *path, const struct kind *const *kinds, size_t n)
{
	struct err e = {0};
	struct file_draft d;
	if (file_draft_open(&d, path, 0600, &e) < 0)
		return say_err(x->c, &e);
	struct writer w = {.c = x->c,
			   .ops = x->ops,
			   .file = d.file,
			   .path = *d.draft ? d.draft : d.path,
			   .link = x->link,
			   .french = x->french};
	int rc = write_kinds(x, &w, kinds, n);
	if (w.ops->free)
		w.ops->free(&w);
	if (rc == 0 && file_draft_keep(&d, &e) < 0)
		rc = say_err(x->c, &e);
	file_draft_drop(&d);
	return rc;
}

/* One file, or, of formats that hold one kind each, one file a kind in a folder. */
static int write_all(struct export *x, const char *path)
{
	struct err e = {0};
	if (x->ops->path && strcmp(path, "-") == 0)
		return say_usage(x->c, "--output network.xlsx", _("%s is written to a file"),
				 x->ops->name);
	const size_t len = strlen(path);
	if (!x->ops->one_kind || (x->n_kinds == 1 && path[len - 1] != '/'))
		return write_file(x, path, x->kinds, x->n_kinds);
	if (len == 0 || path[len - 1] != '/')
		return say_usage(x->c, "--kind actor; --output folder/",
				 _("%s holds one kind of record: say which, or name a folder"),
				 x->ops->name);
	if (file_make_dir(path, &e) < 0)
		return say_err(x->c, &e);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < x->n_kinds; i++)
		rc = write_file(x,
				cli_printf(x->c, "%s%s%s", path, x->kinds[i]->name, x->ops->ending),
				&x->kinds[i], 1);
	return rc;
}

static int add_kind(struct export *x, const struct kind *k)
{
	if (x->n_kinds < sizeof x->kinds / sizeof *x->kinds &&
	    (!x->ops->only || !strcmp(x->ops->only, k->name)))
		x->kinds[x->n_kinds++] = k;
	return 0;
}

/* Those named; else all that the format can tell of. */
static int which_kinds(struct export *x, const struct words *names)
{
	struct words list = {0};
	for (size_t i = 0; i < names->n; i++)
		if (words_add_list(&x->c->arena, &list, names->at[i]) < 0)
			return say_nomem(x->c);
	for (size_t i = 0; i < list.n; i++) {
		const char *noun = command_noun(list.at[i]);
		const struct kind *k = noun ? kind_by_name(noun) : NULL;
		if (!k)
			return say_usage(x->c, "actor, action, meeting",
					 _("there is no kind of record \"%s\""), list.at[i]);
		add_kind(x, k);
	}
	for (size_t i = 0; list.n == 0 && i < kind_count(); i++)
		add_kind(x, kind_at(i));
	if (x->n_kinds == 0)
		return say_usage(x->c, NULL, _("%s tells of records of kind %s only"), x->ops->name,
				 x->ops->only);
	qsort(x->kinds, x->n_kinds, sizeof *x->kinds, by_number);
	return 0;
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

static int dialect(struct export *x, const char *word)
{
	if (word && strcmp(word, "fr") != 0)
		return say_usage(x->c, "fr", _("there is no dialect \"%s\""), word);
	if (word && x->ops != &writer_csv)
		return say_usage(x->c, "--format csv", "%s", _("a dialect is one of CSV"));
	x->french = word != NULL;
	return 0;
}

static int format(struct export *x, const char *word)
{
	const char *all = "", *name;
	x->ops = writer_find(word);
	for (size_t i = 0; (name = writer_word(i)); i++)
		all = cli_printf(x->c, "%s%s%s", all, i ? ", " : "", name);
	return x->ops ? 0 : say_usage(x->c, all, _("there is no format \"%s\""), word);
}

int cmd_export(struct cli *c)
{
	struct words slugs = {0}, kinds = {0};
	const char *path = "-", *word = NULL, *dialect_word = NULL;
	struct export x = {.c = c};
	const struct opt table[] = {
		{OPT_TEXT, "format", 'f', &word, "FORMAT",
		 N_("jsonl (the usual one), json, csv, geojson, ics or xlsx")},
		{OPT_LIST, "kind", 'k', &kinds, "KIND,...", N_("these kinds of record only")},
		{OPT_LIST, "territory", 't', &slugs, "SLUG,...",
		 N_("this territory only; may be repeated")},
		{OPT_TEXT, "output", 'o', &path, "FILE|DIR/|-",
		 N_("where to; DIR/: one file a kind; else standard output")},
		{OPT_TEXT, "dialect", 0, &dialect_word, "fr",
		 N_("CSV as French spreadsheets open it")},
		{OPT_TEXT, "link", 0, &x.link, "URL",
		 N_("what stands before nord/M-5 in the links of a calendar")},
		{.type = OPT_END},
	};
	struct territory *list = NULL;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	int rc = format(&x, word ? word : c->json ? "json" : "jsonl");
	if (rc == 0)
		rc = dialect(&x, dialect_word);
	if (rc == 0)
		rc = which_kinds(&x, &kinds);
	if (rc == 0)
		rc = cli_open(c);
	if (rc == 0)
		rc = which(c, &slugs, &list, &x.n);
	x.territories = list;
	if (rc == 0)
		rc = write_all(&x, path);
	if (rc == 0 && x.pending)
		say_warning(c,
			    _("%zu records show edits that the server has not confirmed: seve sync "
			      "first."),
			    x.pending);
	return rc;
}
