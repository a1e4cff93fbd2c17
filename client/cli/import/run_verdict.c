/* run_verdict.c -- the rows that wait for the server's verdict, and what it makes of them: a line
 * of the report, a rejected row, a row that is put off. */
#include <stdlib.h>
#include <string.h>

#include "i18n.h"
#include "import/run.h"
#include "import/run_parts.h"
#include "say.h"

struct run_sent { /* waits for its verdict */
	struct run_sent *next;
	uint32_t line;
	bool remove, known; /* known: what it refers to went in during this run */
	const char *key;
	char **cells; /* for the file of rejected rows */
	size_t n;
};

static void tell(struct run *r, const struct run_sent *sent, const struct report_row *row)
{
	const int rc = report_add(&r->report, row);
	if (rc && !r->status)
		r->status = rc;
	if (row->verdict == REPORT_REJECTED && r->o.rejects && sent)
		rejects_row(&r->rejects, sent->cells, sent->n, row->line, row->text);
}

/* Codes of refusals that other rows may make good: a rule, a state, a reference. */
static bool may_be_late(const char *code)
{
	return ((*code == 'H' || *code == 'S') && code[1] >= '0' && code[1] <= '9') ||
	       strcmp(code, "STATE") == 0 || strcmp(code, "REFERENCE") == 0;
}

static int put_off(struct run *r, uint32_t line)
{
	if (r->late.n == r->late.room) {
		const size_t room = r->late.room ? 2 * r->late.room : 64;
		uint32_t *lines = realloc(r->late.lines, room * sizeof *lines);
		if (!lines)
			return say_nomem(r->c);
		r->late.lines = lines;
		r->late.room = room;
	}
	r->late.lines[r->late.n++] = line;
	return 0;
}

static void settle(struct run *r, uint32_t line)
{
	for (size_t i = 0; i < r->late.n; i++)
		if (r->late.lines[i] == line)
			r->late.lines[i] = 0;
}

/* Whether the last word on the row is still to come; *told may be changed. */
static bool comes_later(struct run *r, const struct run_sent *sent, struct report_row *told)
{
	const bool rejected = told->verdict == REPORT_REJECTED;
	switch (r->pass) {
	case RUN_WHOLE:
		if (!rejected || !r->puts_off || !may_be_late(told->code) || !sent)
			return false;
		if (!r->o.dry_run) {
			const int rc = put_off(r, told->line);
			if (rc && !r->status)
				r->status = rc;
			return true;
		}
		/* What it wants would be there by then. */
		if (sent->known) {
			char id[40];
			keys_id(r->keys, r->kind, sent->key, id);
			if (keys_put(r->keys, r->kind, sent->key, id) < 0 && !r->status)
				r->status = say_nomem(r->c);
			told->verdict = REPORT_CREATED;
			told->code = "LATER";
			told->text = _("to be completed once the other files are in");
		}
		return false;
	case RUN_BARE:
		if (rejected)
			settle(r, told->line);
		return !rejected;
	case RUN_LATE:
		if (!rejected) {
			told->verdict = REPORT_CREATED;
			told->field = told->code = told->text = "";
		}
		return false;
	}
	return false;
}

void run_on_verdict(void *ctx, uint32_t line, const char *verdict, const char *id,
		    const char *field, const char *code, const char *text)
{
	struct run *r = ctx;
	struct run_sent *sent = r->first;
	if (sent) {
		r->first = sent->next;
		if (!r->first)
			r->last = &r->first;
	}
	struct report_row row = {.line = line,
				 .verdict = report_verdict(verdict),
				 .operation = !line || (sent && sent->remove) ? "delete" : "upsert",
				 .key = sent   ? sent->key
					: line ? ""
					       : text,
				 .field = field,
				 .code = code,
				 .text = text};
	if (r->keeps_keys && sent && *id && keys_put(r->keys, r->kind, sent->key, id) < 0 &&
	    !r->status)
		r->status = say_nomem(r->c);
	if (!comes_later(r, sent, &row))
		tell(r, sent, &row);
	free(sent);
}

int run_remember(struct run *r, const struct reader_row *row, const char *key, bool remove,
		 bool known)
{
	size_t n = strlen(key) + 1, cells = r->o.rejects ? row->n : 0;
	for (size_t i = 0; i < cells; i++)
		n += strlen(row->cells[i]) + 1;
	struct run_sent *sent = malloc(sizeof *sent + n + cells * sizeof(char *) + sizeof(char *));
	if (!sent)
		return say_nomem(r->c);
	*sent = (struct run_sent){.line = row->line, .remove = remove, .known = known, .n = cells};
	sent->cells = (char **)(void *)(sent + 1);
	char *to = (char *)(sent->cells + cells);
	sent->key = to;
	memcpy(to, key, strlen(key) + 1);
	to += strlen(key) + 1;
	for (size_t i = 0; i < cells; i++) {
		const size_t len = strlen(row->cells[i]) + 1;
		memcpy(to, row->cells[i], len);
		sent->cells[i] = to;
		to += len;
	}
	*r->last = sent;
	r->last = &sent->next;
	return 0;
}

void run_forget_sent(struct run *r)
{
	while (r->first) {
		struct run_sent *next = r->first->next;
		free(r->first);
		r->first = next;
	}
	r->last = &r->first;
}
