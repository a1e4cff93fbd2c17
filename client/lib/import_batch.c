/* import_batch.c -- imports that the server keeps: told, and taken back page by page. */
#include <inttypes.h>

#include "client.h"
#include "kind.h"
#include "table.h"
#include "text.h"

enum { ASK_MAX = 16 * 1024 * 1024, BATCHES_ASKED = 500, REMARKS_MAX = 10000 };

static const char *const batch_columns[] = {
	"batch",    "kind",        "source",      "account",  "label",   "began_at",
	"ended_at", "reverted_at", "reverted_by", "created",  "updated", "unchanged",
	"attached", "skipped",     "deleted",     "rejected", NULL};
static const char *const row_columns[] = {"line",  "key",  "verdict", "id",
					  "field", "code", "text",    NULL};

static int ask(struct seve *s, Seve__Request *req, struct arena *a, bool writes,
	       Seve__Reply__BodyCase want, const Seve__Reply **reply, struct err *e)
{
	int rc = client_ask(s, req, a, writes, true, reply, e);

	if (!rc && (*reply)->body_case != want)
		rc = err_set(e, ERR_PROTOCOL, "the answer is of another kind than the question");
	return rc;
}

/* ---- rows of tables ----------------------------------------------------------------------------
 */

static void put_id(struct seve_table *t, const char *column, ProtobufCBinaryData id)
{
	char text[UUID_TEXT] = "";
	struct uuid u;

	if (id.len == sizeof u.b) {
		memcpy(u.b, id.data, sizeof u.b);
		uuid_format(&u, text);
	}
	table_put(t, column, "%s", text);
}

static void put_instant(struct seve_table *t, const char *column, bool has, int64_t ms)
{
	char text[32] = "";

	if (has && ms)
		text_from_instant(ms, text);
	table_put(t, column, "%s", text);
}

static void put_counts(struct seve_table *t, const Seve__ImportCounts *c)
{
	const struct {
		const char *column;
		uint32_t n;
	} list[] = {{"created", c->created},   {"updated", c->updated}, {"unchanged", c->unchanged},
		    {"attached", c->attached}, {"skipped", c->skipped}, {"deleted", c->deleted},
		    {"rejected", c->rejected}};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		table_put(t, list[i].column, "%" PRIu32, list[i].n);
}

static void put_batch(struct seve_table *t, const Seve__ImportBatch *b)
{
	const struct kind *k = kind_by_number(b->kind);

	table_row(t);
	put_id(t, "batch", b->batch);
	table_put(t, "kind", "%s", k ? k->name : "");
	table_put(t, "source", "%s", b->source ? b->source : "");
	table_put(t, "account", "%s", b->account ? b->account : "");
	table_put(t, "label", "%s", b->label ? b->label : "");
	put_instant(t, "began_at", b->has_began_at, b->began_at);
	put_instant(t, "ended_at", b->has_ended_at, b->ended_at);
	put_instant(t, "reverted_at", b->has_reverted_at, b->reverted_at);
	table_put(t, "reverted_by", "%s", b->reverted_by ? b->reverted_by : "");
	if (b->counts)
		put_counts(t, b->counts);
}

static void put_row(struct seve_table *t, const Seve__RowVerdict *v)
{
	Seve__Violation *const *all = v->n_violations ? v->violations : v->warnings;
	const size_t n = v->n_violations ? v->n_violations : v->n_warnings;
	const Seve__Violation *why = n ? all[0] : NULL;
	char text[ERROR_VIOLATIONS];

	table_row(t);
	if (v->line)
		table_put(t, "line", "%" PRIu32, v->line);
	table_put(t, "key", "%s", v->key ? v->key : "");
	table_put(t, "verdict", "%s", import_word(v->code));
	put_id(t, "id", v->id);
	table_put(t, "field", "%s", why && why->field ? why->field : "");
	table_put(t, "code", "%s", why && why->code ? why->code : "");
	table_put(t, "text", "%s", why ? error_violations(all, n, text, sizeof text) : "");
}

static int parse_batch(const char *text, struct uuid *out, struct err *e)
{
	if (!text || uuid_parse(text, out, NULL))
		return err_set(e, ERR_USAGE, "a batch is named by its id, not \"%.60s\"",
			       text ? text : "");
	return 0;
}

/* ---- telling -----------------------------------------------------------------------------------
 */

int seve_imports(struct seve *s, uint32_t territory, struct seve_table **out,
		 struct seve_error **err)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__ImportListRequest list = SEVE__IMPORT_LIST_REQUEST__INIT;
	const Seve__Reply *reply;
	struct err e = {0};
	struct arena a;

	list.has_territory = list.has_limit = true;
	list.territory = territory;
	list.limit = BATCHES_ASKED;
	req.body_case = SEVE__REQUEST__BODY_IMPORT_LIST;
	req.import_list = &list;
	arena_init(&a, ASK_MAX);
	if (ask(s, &req, &a, false, SEVE__REPLY__BODY_IMPORT_LIST, &reply, &e) == 0) {
		struct seve_table *t = table_new(batch_columns);

		for (size_t i = 0; i < reply->import_list->n_batches; i++)
			put_batch(t, reply->import_list->batches[i]);
		table_finish(t, out, &e);
	}
	arena_fini(&a);
	return error_out(err, &e);
}

/* One page; `next` 0 at the end. */
static int report_page(struct seve *s, uint32_t territory, struct uuid *batch, uint64_t *next,
		       struct seve_table *summary, struct seve_table *rows, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__ImportReportRequest q = SEVE__IMPORT_REPORT_REQUEST__INIT;
	const Seve__Reply *reply;
	struct arena a;
	int rc;

	q.has_territory = q.has_batch = q.has_after = true;
	q.territory = territory;
	q.batch = (ProtobufCBinaryData){sizeof batch->b, batch->b};
	q.after = *next;
	req.body_case = SEVE__REQUEST__BODY_IMPORT_REPORT;
	req.import_report = &q;
	arena_init(&a, ASK_MAX);
	rc = ask(s, &req, &a, false, SEVE__REPLY__BODY_IMPORT_REPORT, &reply, e);
	if (!rc) {
		if (!*next && reply->import_report->batch)
			put_batch(summary, reply->import_report->batch);
		for (size_t i = 0; i < reply->import_report->n_rows; i++)
			put_row(rows, reply->import_report->rows[i]);
		*next = reply->import_report->next;
	}
	arena_fini(&a);
	return rc;
}

int seve_import_report(struct seve *s, uint32_t territory, const char *batch,
		       struct seve_table **summary, struct seve_table **rows,
		       struct seve_error **err)
{
	struct seve_table *one = table_new(batch_columns), *list = table_new(row_columns);
	struct err e = {0};
	struct uuid id;
	uint64_t next = 0;
	int rc = parse_batch(batch, &id, &e);

	while (!rc) {
		rc = report_page(s, territory, &id, &next, one, list, &e);
		if (!next || seve_table_rows(list) >= REMARKS_MAX)
			break;
	}
	if (!rc)
		rc = table_finish(one, summary, &e);
	else
		seve_table_free(one);
	if (!rc)
		table_finish(list, rows, &e);
	else
		seve_table_free(list);
	return error_out(err, &e);
}

/* ---- taking back -------------------------------------------------------------------------------
 */

struct reverting {
	Seve__ImportRevert q;
	uint8_t after[256];
	Seve__ImportCounts sum;
	struct seve_table *rows;
};

static int revert_read(struct reverting *v, const Seve__ImportReply *r, struct err *e)
{
	if (r->counts) {
		v->sum.deleted += r->counts->deleted;
		v->sum.updated += r->counts->updated;
		v->sum.unchanged += r->counts->unchanged;
		v->sum.skipped += r->counts->skipped;
		v->sum.rejected += r->counts->rejected;
	}
	for (size_t i = 0; i < r->n_rows && seve_table_rows(v->rows) < REMARKS_MAX; i++)
		put_row(v->rows, r->rows[i]);
	v->q.has_after = r->has_next;
	if (r->next.len > sizeof v->after)
		return err_set(e, ERR_PROTOCOL, "a cursor of %zu bytes", r->next.len);
	if (r->next.len)
		memcpy(v->after, r->next.data, r->next.len);
	v->q.after = (ProtobufCBinaryData){r->next.len, v->after};
	return 0;
}

static int revert_page(struct seve *s, struct reverting *v, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	const Seve__Reply *reply;
	struct arena a;
	int rc;

	req.body_case = SEVE__REQUEST__BODY_IMPORT_REVERT;
	req.import_revert = &v->q;
	arena_init(&a, ASK_MAX);
	/* What was taken back already is not found again: a page may be asked for twice. */
	rc = ask(s, &req, &a, true, SEVE__REPLY__BODY_IMPORT, &reply, e);
	if (!rc)
		rc = revert_read(v, reply->import, e);
	arena_fini(&a);
	return rc;
}

int seve_import_revert(struct seve *s, uint32_t territory, const char *batch,
		       struct seve_table **report, struct seve_table **rows,
		       struct seve_error **err)
{
	static const char *const columns[] = {"deleted", "updated",  "unchanged",
					      "skipped", "rejected", NULL};
	struct reverting v = {.q = SEVE__IMPORT_REVERT__INIT,
			      .sum = SEVE__IMPORT_COUNTS__INIT,
			      .rows = table_new(row_columns)};
	struct err e = {0};
	struct uuid id;
	int rc = parse_batch(batch, &id, &e);

	v.q.has_territory = v.q.has_batch = true;
	v.q.territory = territory;
	v.q.batch = (ProtobufCBinaryData){sizeof id.b, id.b};
	do {
		if (!rc)
			rc = revert_page(s, &v, &e);
	} while (!rc && v.q.has_after);
	if (rc) {
		seve_table_free(v.rows);
		return error_out(err, &e);
	}
	struct seve_table *t = table_new(columns);

	table_row(t);
	table_put(t, "deleted", "%" PRIu32, v.sum.deleted);
	table_put(t, "updated", "%" PRIu32, v.sum.updated);
	table_put(t, "unchanged", "%" PRIu32, v.sum.unchanged);
	table_put(t, "skipped", "%" PRIu32, v.sum.skipped);
	table_put(t, "rejected", "%" PRIu32, v.sum.rejected);
	if (table_finish(t, report, &e) == 0)
		table_finish(v.rows, rows, &e);
	else
		seve_table_free(v.rows);
	return error_out(err, &e);
}
