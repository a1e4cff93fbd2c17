/* deed.c -- see deed.h. */
#include "deed.h"

#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "i18n.h"
#include "names.h"
#include "say.h"
#include "text.h"
#include "view.h"

enum { DAY_MS = 86400000 };

int deed_open(struct deed *d)
{
	int rc = cli_open(d->c);
	return rc ? rc : scope_choose(d->c, d->slug, &d->territory);
}

static int put(struct deed *d, struct seve_record *r)
{
	if (d->n == DEED_RECORDS) {
		seve_record_free(r);
		return say_usage(d->c, _("do it in several steps"),
				 _("one step changes at most %d records"), DEED_RECORDS);
	}
	d->list[d->n++] = r;
	return 0;
}

static struct seve_record *taken(const struct deed *d, const char *id)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(seve_record_id(d->list[i]), id) == 0)
			return d->list[i];
	return NULL;
}

int deed_take(struct deed *d, const char *kind, const char *word, struct seve_record **out)
{
	const char *slug = d->territory ? scope_slug(d->c, d->territory) : d->slug;
	struct seve_record *r = NULL, *same;
	int rc = names_record(d->c, slug, kind, word, &r);
	if (rc)
		return rc;
	same = taken(d, seve_record_id(r));
	if (same) {
		seve_record_free(r);
		*out = same;
		return 0;
	}
	d->territory = seve_record_territory(r);
	*out = r;
	return put(d, r);
}

int deed_copy(struct deed *d, const struct seve_record *r, struct seve_record **out)
{
	struct seve_record *same = taken(d, seve_record_id(r));
	*out = same ? same : seve_record_copy(r);
	if (!*out)
		return say_nomem(d->c);
	return same ? 0 : put(d, *out);
}

int deed_new(struct deed *d, const char *kind, struct seve_record **out)
{
	struct seve_error *err = NULL;
	if (seve_record_new(kind, d->territory, out, &err))
		return say_seve(d->c, err);
	return put(d, *out);
}

int deed_set(struct deed *d, struct seve_record *r, const char *field, const char *text)
{
	struct seve_error *err = NULL;
	return seve_record_set(r, field, text, &err) ? say_seve(d->c, err) : 0;
}

int deed_fill(struct deed *d, struct seve_record *r, const struct deed_value *values)
{
	int rc = 0;
	for (; rc == 0 && values->field; values++)
		if (values->text)
			rc = deed_set(d, r, values->field, values->text);
	return rc;
}

int deed_add(struct deed *d, struct seve_record *r, const char *field, const char *text)
{
	struct seve_error *err = NULL;
	return seve_record_add(r, field, text, &err) ? say_seve(d->c, err) : 0;
}

int deed_list(struct deed *d, const char *kind, const char *field, const char *value,
	      struct seve_list **out)
{
	struct seve_error *err = NULL;
	struct seve_query *q = seve_query_new(kind);
	int rc = 0;
	if (!q || seve_query_territory(q, d->territory))
		rc = say_nomem(d->c);
	else if (seve_query_filter(q, field, "=", value, &err) ||
		 seve_list(d->c->seve, q, d->c->where, out, &err))
		rc = say_seve(d->c, err);
	seve_query_free(q);
	return rc;
}

const char *deed_today(struct deed *d)
{
	char text[16];
	text_from_date((int32_t)(clock_wall_ms() / DAY_MS), text);
	return cli_printf(d->c, "%s", text);
}

/* ---- saving ---- */

static int print_records(const struct deed *d, size_t told)
{
	struct view v;
	int rc = view_begin(&v, d->c, seve_record_kind(d->list[0]), "edit", false);
	for (size_t i = 0; rc == 0 && i < told; i++)
		rc = view_record(&v, d->list[i]);
	return view_end(&v, rc);
}

static int tell(const struct deed *d, size_t told, const char *sentence, int queued)
{
	if (d->c->format != OUT_TABLE)
		return print_records(d, told);
	if (queued)
		say_note(d->c, _("%s waits in the outbox; seve sync sends it."),
			 names_ref(d->list[0]));
	for (size_t i = 0; i < told; i++) {
		if (isatty(STDOUT_FILENO) && !queued)
			printf("%s (%s): %s\n", names_ref(d->list[i]),
			       scope_slug(d->c, d->territory), sentence);
		else
			printf("%s\n", names_ref(d->list[i]));
	}
	return 0;
}

int deed_save(struct deed *d, size_t told, const char *sentence)
{
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	int queued = 0;
	int rc = seve_save(d->c->seve, d->list, d->n, d->reason, d->c->offline, &queued, &report,
			   &err);
	rc = rc && !err ? say_nomem(d->c) : say_refusal(d->c, err, report);
	seve_table_free(report);
	return rc ? rc : tell(d, told, sentence, queued);
}

int deed_end(struct deed *d, int rc)
{
	for (size_t i = 0; i < d->n; i++)
		seve_record_free(d->list[i]);
	d->n = 0;
	return rc;
}
