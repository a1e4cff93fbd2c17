/* report.c -- see report.h. */
#include "import/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cli.h"
#include "file.h"
#include "i18n.h"
#include "json.h"
#include "say.h"
#include "view.h"

enum { SHOWN = 20, JSON_MAX = 4 * 1024 * 1024 };

static const char *const verdicts[REPORT_VERDICTS] = {"created", "updated", "unchanged", "attached",
						      "skipped", "deleted", "rejected",  "ignored"};

enum report_verdict report_verdict(const char *word)
{
	unsigned i = 0;
	while (i < REPORT_VERDICTS && strcmp(verdicts[i], word) != 0)
		i++;
	return (enum report_verdict)i;
}

/* ---- rows ---- */

static void count_reason(struct report *r, const struct report_row *row)
{
	size_t i = 0;
	while (i < r->n_reasons && (r->reasons[i].verdict != row->verdict ||
				    strcmp(r->reasons[i].code, row->code) != 0 ||
				    strcmp(r->reasons[i].field, row->field) != 0))
		i++;
	if (i == REPORT_REASONS_MAX)
		return;
	struct report_reason *reason = &r->reasons[i];
	if (i == r->n_reasons) {
		r->n_reasons++;
		*reason = (struct report_reason){.verdict = row->verdict};
		snprintf(reason->field, sizeof reason->field, "%s", row->field);
		snprintf(reason->code, sizeof reason->code, "%s", row->code);
	}
	reason->rows++;
}

static int keep(struct report *r, const struct report_row *row)
{
	if (r->n == REPORT_ROWS_MAX) {
		r->dropped++;
		return 0;
	}
	if (!r->list)
		r->list = arena_array(&r->c->arena, REPORT_ROWS_MAX, sizeof *r->list);
	if (!r->list)
		return say_nomem(r->c);
	r->list[r->n++] = (struct report_row){
		.line = row->line,
		.verdict = row->verdict,
		.operation = row->operation,
		.key = cli_printf(r->c, "%s", row->key),
		.field = cli_printf(r->c, "%s", row->field),
		.code = cli_printf(r->c, "%s", row->code),
		.text = cli_printf(r->c, "%s", row->text),
	};
	return 0;
}

int report_add(struct report *r, const struct report_row *row)
{
	if (row->verdict < REPORT_VERDICTS)
		r->counts[row->verdict]++;
	if (*row->text)
		count_reason(r, row);
	return *row->text || row->verdict == REPORT_REJECTED ? keep(r, row) : 0;
}

static int by_line(const void *a, const void *b)
{
	const struct report_row *x = a, *y = b;
	return (x->line > y->line) - (x->line < y->line);
}

int report_status(const struct report *r)
{
	if (r->counts[REPORT_REJECTED] == 0)
		return r->stopped ? SEVE_PARTIAL : SEVE_OK;
	return r->counts[REPORT_REJECTED] + r->counts[REPORT_IGNORED] == r->rows ? SEVE_INVALID
										 : SEVE_PARTIAL;
}

/* ---- as JSON ---- */

static int pair(struct buf *out, const char *name, const char *text)
{
	int rc = buf_addf(out, ",\"%s\":", name);
	return rc ? rc : json_add_string(out, text);
}

static int add_row(struct buf *out, const struct report_row *row, bool first)
{
	int rc = buf_addf(out, "%s{\"line\":%" PRIu32 ",\"verdict\":\"%s\"", first ? "" : ",",
			  row->line, verdicts[row->verdict]);
	if (rc == 0)
		rc = pair(out, "operation", row->operation);
	if (rc == 0)
		rc = pair(out, "key", row->key);
	if (rc == 0 && *row->field)
		rc = pair(out, "field", row->field);
	if (rc == 0)
		rc = pair(out, "code", row->code);
	if (rc == 0)
		rc = pair(out, "message", row->text);
	return rc ? rc : buf_add(out, "}", 1);
}

static int add_reasons(const struct report *r, struct buf *out)
{
	int rc = buf_addf(out, ",\"reasons\":[");
	for (size_t i = 0; rc == 0 && i < r->n_reasons; i++) {
		const struct report_reason *x = &r->reasons[i];
		rc = buf_addf(out, "%s{\"verdict\":\"%s\",\"rows\":%" PRIu64, i ? "," : "",
			      verdicts[x->verdict], x->rows);
		if (rc == 0)
			rc = pair(out, "code", x->code);
		if (rc == 0 && *x->field)
			rc = pair(out, "field", x->field);
		if (rc == 0)
			rc = buf_add(out, "}", 1);
	}
	return rc ? rc : buf_add(out, "]", 1);
}

static int build_json(const struct report *r, struct buf *out)
{
	int rc = buf_addf(out, "{\"schema\":\"seve.import/1\"");
	if (rc == 0)
		rc = pair(out, "source", r->source);
	if (rc == 0)
		rc = pair(out, "territory", r->territory);
	if (rc == 0)
		rc = pair(out, "kind", r->kind);
	if (rc == 0)
		rc = pair(out, "mapping", r->mapping);
	if (rc == 0)
		rc = pair(out, "file", r->file);
	if (rc == 0)
		rc = pair(out, "format", r->format);
	if (rc == 0)
		rc = buf_addf(out, ",\"dry_run\":%s,\"rows\":%" PRIu64,
			      r->dry_run ? "true" : "false", r->rows);
	for (size_t i = 0; rc == 0 && i < REPORT_VERDICTS; i++)
		rc = buf_addf(out, ",\"%s\":%" PRIu64, verdicts[i], r->counts[i]);
	if (rc == 0 && r->head_rev[0])
		rc = buf_addf(out, ",\"head_rev\":%s", r->head_rev);
	if (rc == 0)
		rc = add_reasons(r, out);
	if (rc == 0)
		rc = buf_addf(out, ",\"replaced_characters\":%u,\"stopped\":%s,\"remarks\":[",
			      r->replaced, r->stopped ? "true" : "false");
	for (size_t i = 0; rc == 0 && i < r->n; i++)
		rc = add_row(out, &r->list[i], i == 0);
	return rc ? rc : buf_addf(out, "],\"remarks_dropped\":%zu}\n", r->dropped);
}

static int print_json(const struct report *r)
{
	struct buf out;
	buf_init(&out, JSON_MAX);
	const int rc = build_json(r, &out);
	if (rc == 0)
		fwrite(buf_span(&out).at, 1, buf_len(&out), stdout);
	buf_fini(&out);
	return rc ? say_nomem(r->c) : 0;
}

static void sort(struct report *r)
{
	if (r->n)
		qsort(r->list, r->n, sizeof *r->list, by_line);
}

int report_json(struct report *r, struct buf *out)
{
	sort(r);
	return build_json(r, out);
}

int report_write(struct report *r, const char *path)
{
	struct err e = {0};
	struct buf out;
	buf_init(&out, JSON_MAX);
	sort(r);
	int rc = build_json(r, &out);
	if (rc == 0)
		rc = buf_add(&out, "", 1);
	if (rc == 0 && file_write(path, (const char *)buf_span(&out).at, 0600, &e) < 0)
		rc = say_err(r->c, &e);
	else if (rc)
		rc = say_nomem(r->c);
	buf_fini(&out);
	return rc;
}

/* ---- for people ---- */

static void tell_row(const struct report *r, const struct report_row *row)
{
	/* the server's texts begin with the field */
	const bool field = *row->field && strncmp(row->text, row->field, strlen(row->field)) != 0;
	say_warning(r->c, _("line %u, key %s: %s: %s%s%s (%s)"), row->line,
		    *row->key ? row->key : "-", verdicts[row->verdict], field ? row->field : "",
		    field ? ": " : "", row->text, row->code);
}

/* The rejected rows first: they are what somebody has to mend. */
static void tell_remarks(const struct report *r)
{
	size_t shown = 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < r->n && shown < SHOWN; i++)
			if ((r->list[i].verdict == REPORT_REJECTED) == (pass == 0)) {
				tell_row(r, &r->list[i]);
				shown++;
			}
	const size_t more = r->n + r->dropped > SHOWN ? r->n + r->dropped - SHOWN : 0;
	if (more)
		say_warning(r->c,
			    _("… and %zu more; --rejects FILE writes the rejected ones, --format "
			      "json tells 1000."),
			    more);
	if (r->replaced)
		say_warning(
			r->c,
			_("%u control characters were replaced by blanks, the first in line %u."),
			r->replaced, r->replaced_line);
}

static int print_counts(const struct report *r)
{
	struct out_column columns[REPORT_VERDICTS + 1] = {
		{.name = "rows", .label = _("Rows"), .type = OUT_NUMBER}};
	static const char *const headings[REPORT_VERDICTS] = {
		N_("New"),     N_("Updated"), N_("Unchanged"), N_("Attached"),
		N_("Skipped"), N_("Deleted"), N_("Rejected"),  N_("Ignored")};
	const char *cells[REPORT_VERDICTS + 1] = {cli_printf(r->c, "%" PRIu64, r->rows)};
	struct err e = {0};
	struct out o;
	for (size_t i = 0; i < REPORT_VERDICTS; i++) {
		columns[i + 1] = (struct out_column){
			.name = verdicts[i], .label = _(headings[i]), .type = OUT_NUMBER};
		cells[i + 1] = cli_printf(r->c, "%" PRIu64, r->counts[i]);
	}
	int rc = out_begin(&o, r->c->format, stdout, "seve.import/1", columns, REPORT_VERDICTS + 1,
			   r->c->no_headers, &e);
	if (rc == 0)
		rc = out_row(&o, cells, NULL, &e);
	const int ended = out_end(&o, rc < 0 ? NULL : &e);
	return rc < 0 || ended < 0 ? say_err(r->c, &e) : 0;
}

int report_print(struct report *r)
{
	sort(r);
	if (r->c->format == OUT_JSON || r->c->format == OUT_JSONL)
		return print_json(r);
	tell_remarks(r);
	if (r->stopped)
		say_warning(r->c, "%s",
			    _("Stopped at --max-errors: the rest of the file was not read."));
	if (r->dry_run)
		say_note(r->c, "%s", _("A dry run: nothing was written."));
	return print_counts(r);
}
