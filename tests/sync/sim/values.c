/* values.c -- see values.h. */
#include "values.h"

#include <string.h>

#include "sync.pb-c.h"

const struct value_row value_rows[VALUES] = {
	[VALUE_TITLE] = {SEVE__BODY__KIND_ACTION, 1, FORM_TEXT, false},
	[VALUE_STATUS] = {SEVE__BODY__KIND_ACTION, 3, FORM_STATE, true},
	[VALUE_PROGRESS] = {SEVE__BODY__KIND_ACTION, 14, FORM_COUNT, false},
	[VALUE_TARGET] = {SEVE__BODY__KIND_ACTION, 16, FORM_DATE, true},
	[VALUE_STEP] = {SEVE__BODY__KIND_ACTION, 17, FORM_TEXT, false},
	[VALUE_TEXT] = {SEVE__BODY__KIND_TASK, 4, FORM_TEXT, false},
	[VALUE_ACTION] = {SEVE__BODY__KIND_TASK, 1, FORM_LINK, true},
	[VALUE_DUE] = {SEVE__BODY__KIND_TASK, 5, FORM_DATE, true},
	[VALUE_STATE] = {SEVE__BODY__KIND_TASK, 6, FORM_STATE, true},
	[VALUE_LEVEL] = {0, 10001, FORM_LEVEL, true},
	[VALUE_ABOUT] = {SEVE__BODY__KIND_CONFLICT, 1, FORM_LINK, true},
	[VALUE_CASE] = {SEVE__BODY__KIND_CONFLICT, 4, FORM_COUNT, true},
	[VALUE_MARKS_CHANGED] = {SEVE__BODY__KIND_ACTION, 22, FORM_MARKS, false},
};

bool values_of_kind(enum value f, uint32_t kind)
{
	return !value_rows[f].kind || value_rows[f].kind == kind;
}

enum value values_of_tag(uint32_t kind, uint32_t tag)
{
	for (int f = 0; f < VALUES; f++)
		if (values_of_kind((enum value)f, kind) && value_rows[f].tag == tag)
			return (enum value)f;
	return VALUES;
}

/* Texts of histories are a word and a number. */
static int text_number(const char *text)
{
	const char *digits = text ? strpbrk(text, "0123456789") : NULL;

	return digits ? (int)strtol(digits, NULL, 10) + 1 : 0;
}

static void read_marks(const Seve__Action *a, struct values *out)
{
	for (size_t i = 0; i < a->n_tags; i++)
		values_mark(out, (unsigned)text_number(a->tags[i]) - 1, true);
}

static void read_action(const Seve__Action *a, struct values *out)
{
	out->v[VALUE_TITLE] = text_number(a->title);
	out->v[VALUE_STATUS] = a->has_status ? (int)a->status : 0;
	out->v[VALUE_PROGRESS] = a->has_progress ? (int)a->progress + 1 : 0;
	out->v[VALUE_TARGET] = a->has_target_on ? a->target_on + 1 : 0;
	out->v[VALUE_STEP] = text_number(a->next_step);
	read_marks(a, out);
}

static void read_task(const Seve__Task *t, const struct values_names *names, struct values *out)
{
	out->v[VALUE_TEXT] = text_number(t->text);
	out->v[VALUE_DUE] = t->has_due_on ? t->due_on + 1 : 0;
	out->v[VALUE_STATE] = t->has_state ? (int)t->state : 0;
	if (t->has_action_id && t->action_id.len == 16)
		out->v[VALUE_ACTION] = names->number(names->ctx, t->action_id.data);
}

/* The marks are those that are to be added. */
static void read_conflict(const Seve__Conflict *c, const struct values_names *names,
			  struct values *out)
{
	out->v[VALUE_ABOUT] = names->number(names->ctx, c->record_id.data);
	out->v[VALUE_CASE] =
		c->state == SEVE__CONFLICT__STATE__STATE_OPEN ? 1 : 1 + (int)c->resolution;
	for (size_t i = 0; i < c->n_fields; i++) {
		const char *add = strcmp(c->fields[i]->field, "tags") ? NULL : c->fields[i]->add;

		for (; add && *add; add = strchr(add, '|') ? strchr(add, '|') + 1 : NULL)
			values_mark(out, (unsigned)text_number(add) - 1, true);
	}
}

void values_read(const Seve__Body *body, const struct values_names *names, struct values *out)
{
	memset(out, 0, sizeof *out);
	if (body->meta && body->meta->has_level)
		out->v[VALUE_LEVEL] = (int)body->meta->level;
	if (body->kind_case == SEVE__BODY__KIND_ACTION)
		read_action(body->action, out);
	if (body->kind_case == SEVE__BODY__KIND_TASK)
		read_task(body->task, names, out);
	if (body->kind_case == SEVE__BODY__KIND_CONFLICT)
		read_conflict(body->conflict, names, out);
}

bool values_equal(const struct values *a, const struct values *b)
{
	return !memcmp(a->v, b->v, sizeof a->v) && !memcmp(a->marks, b->marks, sizeof a->marks);
}

bool values_marked(const struct values *f, unsigned mark)
{
	return mark < VALUES_MARKS && (f->marks[mark / 64] >> (mark % 64) & 1);
}

void values_mark(struct values *f, unsigned mark, bool on)
{
	const uint64_t bit = (uint64_t)1 << (mark % 64);

	if (mark >= VALUES_MARKS)
		return;
	if (on)
		f->marks[mark / 64] |= bit;
	else
		f->marks[mark / 64] &= ~bit;
}
