/* run_row.c -- one row: whether it is for us, the record it makes, and its sending. */
#include <string.h>

#include "cli.h"
#include "dialect.h"
#include "field.h"
#include "i18n.h"
#include "import/run.h"
#include "import/run_parts.h"
#include "names.h"
#include "say.h"
#include "text.h"
#include "uuid.h"

static int reject(struct run *r, const struct reader_row *row, const char *key, const char *field,
		  const struct err *why)
{
	const struct report_row told = {.line = row->line,
					.verdict = REPORT_REJECTED,
					.operation = "upsert",
					.key = key,
					.field = field,
					.code = err_name(why->code),
					.text = why->text};
	if (r->o.rejects)
		rejects_row(&r->rejects, row->cells, row->n, row->line, why->text);
	return report_add(&r->report, &told);
}

struct filling {
	struct run *run;
	struct seve_record *record;
	bool known; /* all that it refers to went in during this run */
	char rev[24];
	char field[64];
	struct err why;
};

static int put(struct filling *f, const char *field, const char *text)
{
	struct seve_error *err = NULL;
	if (seve_record_set(f->record, field, text, &err) == SEVE_OK)
		return 0;
	snprintf(f->field, sizeof f->field, "%s", field);
	err_set(&f->why, err_by_name(err ? seve_error_code(err) : "NOMEM"), "%s",
		err ? seve_error_message(err) : "");
	seve_error_free(err);
	return -(int)f->why.code;
}

/* The id of one key: of a row of this run, a reference such as A-12, an id, or what the key's row
 * would have. */
static const char *id_of(struct filling *f, const struct kind *target, const char *key)
{
	struct run *r = f->run;
	char id[40];
	const struct kind *k;
	const char *found = NULL;
	uint32_t number;
	struct uuid u;
	if (uuid_parse(key, &u, NULL) == 0)
		return key;
	if (!keys_known(r->keys, target, key) && strchr(key, '-') &&
	    kind_parse_ref(key, &k, &number, NULL) == 0 && k == target &&
	    names_id(r->c, r->territory, target->name, key, &found) == 0)
		return found;
	f->known &= keys_known(r->keys, target, key) != 0;
	keys_id(r->keys, target, key, id);
	return cli_printf(r->c, "%s", id);
}

static int put_refs(struct filling *f, const char *field, const char *text,
		    const struct mapping_rule *rule)
{
	struct run *r = f->run;
	const field_desc *fd = field_by_name(r->kind, field);
	const struct kind *target =
		rule->ref_kind ? rule->ref_kind : field_rule(r->kind, fd).target;
	if (r->pass == RUN_BARE && target == r->kind)
		return 0;
	if (field_type(fd) == FIELD_ID || !*text)
		return put(f, field, *text ? id_of(f, target, text) : "");
	const char *all = "";
	while (*text) {
		const size_t n = strcspn(text, "|,;");
		size_t from = strspn(text, " "), end = n;
		while (end > from && text[end - 1] == ' ')
			end--;
		if (end > from)
			all = cli_printf(
				r->c, "%s%s%s", all, *all ? "|" : "",
				id_of(f, target,
				      cli_printf(r->c, "%.*s", (int)(end - from), text + from)));
		text += n + (text[n] != '\0');
	}
	return put(f, field, all);
}

static int set_field(void *ctx, const char *field, const char *text,
		     const struct mapping_rule *rule)
{
	struct filling *f = ctx;
	struct run *r = f->run;
	const field_desc *state = field_state(r->kind);
	if (strcmp(field, MAPPING_REV) == 0) {
		snprintf(f->rev, sizeof f->rev, "%s", text);
		return 0;
	}
	if (r->pass == RUN_BARE && state && strcmp(state->name, field) == 0)
		return 0;
	if (rule && rule->ref)
		return put_refs(f, field, text, rule);
	if (r->mapping.own && reader_separator(r->reader) == ';')
		text = dialect_plain(text);
	return put(f, field, text);
}

int run_failed(struct run *r, struct seve_error *err)
{
	if (!seve_import_again(r->import))
		return say_seve(r->c, err);
	seve_error_free(err);
	return RUN_AGAIN;
}

static int send_record(struct run *r, const struct reader_row *row, const char *key,
		       const struct filling *f, bool remove)
{
	struct seve_error *err = NULL;
	struct err e = {0};
	int64_t rev = 0;
	const int rc = run_remember(r, row, key, remove, f->known);
	if (rc)
		return rc;
	if (*f->rev && text_to_int(f->rev, 0, INT64_MAX, &rev, &e) < 0)
		rev = 0;
	seve_import_rev(r->import, (uint64_t)rev);
	if (seve_import_row(r->import, row->line, key, f->record,
			    (r->o.revive ? SEVE_IMPORT_REVIVE : 0) |
				    (remove ? SEVE_IMPORT_REMOVE : 0),
			    &err))
		return run_failed(r, err);
	return r->status;
}

/* Whether the row is for us at all; *out gets what is to be done with it. */
static int judge(struct run *r, const struct reader_row *row, enum mapping_operation *out,
		 char key[static MAPPING_KEY_MAX], struct err *why)
{
	key[0] = '\0';
	*out = MAPPING_UPSERT;
	if (row->broken)
		return err_set(why, ERR_INVALID, "%s", row->broken);
	if (row->n != r->mapping.width)
		return err_set(why, ERR_INVALID, _("%zu cells, but the header has %zu"), row->n,
			       r->mapping.width);
	int rc = mapping_operation(&r->mapping, row->cells, out, why);
	if (rc == 0 && *out != MAPPING_IGNORE)
		rc = mapping_key(&r->mapping, row->cells, key, why);
	return rc;
}

static int ignored(struct run *r, const struct reader_row *row)
{
	const struct report_row told = {.line = row->line,
					.verdict = REPORT_IGNORED,
					.operation = "ignore",
					.key = "",
					.field = "",
					.code = "",
					.text = ""};
	return report_add(&r->report, &told);
}

int run_send_row(struct run *r, const struct reader_row *row)
{
	struct filling f = {.run = r, .known = true};
	struct seve_error *err = NULL;
	enum mapping_operation what;
	char key[MAPPING_KEY_MAX] = "";
	if (judge(r, row, &what, key, &f.why) < 0)
		return reject(r, row, key, "", &f.why);
	if (what == MAPPING_IGNORE)
		return ignored(r, row);
	if (seve_record_new(r->kind->name, r->territory, &f.record, &err))
		return say_seve(r->c, err);
	int rc = what == MAPPING_DELETE
			 ? 0
			 : mapping_apply(&r->mapping, row->cells, set_field, &f, &f.why);
	if (rc < 0)
		rc = reject(r, row, key, f.field, &f.why);
	else
		rc = send_record(r, row, key, &f, what == MAPPING_DELETE);
	seve_record_free(f.record);
	return rc;
}
