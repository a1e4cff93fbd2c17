/* test_rules.c -- common/rules/ */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/rules.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- states ---------------------------------------------------------------------------------- */

/* The method's states, drawn anew from its description: what a kind may do from each. */
static const struct {
	const char *kind, *from, *to; /* `to`: "a b c" */
} drawing[] = {
	{"actor", "prospect", "approached"},
	{"actor", "approached", "candidate declined"},
	{"actor", "candidate", "declined member waiting"},
	{"actor", "waiting", "member"},
	{"actor", "member", "dormant"},
	{"actor", "dormant", "member left"},
	{"actor", "left", ""},
	{"actor", "declined", ""},
	{"action", "idea", "lead abandoned merged"},
	{"action", "lead", "planned abandoned merged"},
	{"action", "planned", "selected deferred rejected abandoned merged"},
	{"action", "selected", "in_progress suspended abandoned merged"},
	{"action", "in_progress", "implemented suspended abandoned"},
	{"action", "implemented", "sustained"},
	{"action", "sustained", ""},
	{"action", "deferred", "planned abandoned merged"},
	{"action", "rejected", "lead"},
	{"action", "suspended", "selected in_progress abandoned"},
	{"action", "abandoned", ""},
	{"action", "merged", ""},
	{"group", "forming", "active dissolved"},
	{"group", "active", "paused concluded dissolved"},
	{"group", "paused", "active dissolved"},
	{"group", "concluded", "active dissolved"},
	{"group", "dissolved", ""},
	{"meeting", "planned", "held postponed cancelled"},
	{"meeting", "held", "closed"},
	{"meeting", "closed", ""},
	{"meeting", "postponed", "planned"},
	{"meeting", "cancelled", ""},
	{"task", "todo", "doing done dropped"},
	{"task", "doing", "done dropped"},
	{"task", "done", ""},
	{"task", "dropped", ""},
	{"position", "open", "closed"},
	{"position", "closed", ""},
	{"interview", "planned", "done postponed cancelled"},
	{"interview", "done", "approved"},
	{"interview", "approved", ""},
	{"interview", "postponed", "planned"},
	{"interview", "cancelled", ""},
	{"problem", "open", "treated dropped"},
	{"problem", "treated", "open"},
	{"problem", "dropped", "open"},
	{"resource", "draft", "open"},
	{"resource", "open", "matched withdrawn expired"},
	{"resource", "matched", "open satisfied"},
	{"resource", "satisfied", ""},
	{"resource", "withdrawn", ""},
	{"resource", "expired", ""},
	{"match", "adopted", ""},
	{"match", "dismissed", ""},
	{"idea", "noted", "clustered dropped"},
	{"idea", "clustered", ""},
	{"idea", "dropped", ""},
	{"cohort", "gathering", "triggered dissolved"},
	{"cohort", "triggered", "interviewing"},
	{"cohort", "interviewing", "workshop"},
	{"cohort", "workshop", "integrated"},
	{"cohort", "integrated", ""},
	{"cohort", "dissolved", ""},
};

static bool drawn(const char *kind, const char *from, const char *to)
{
	for (size_t i = 0; i < COUNT(drawing); i++) {
		if (strcmp(drawing[i].kind, kind) != 0 || strcmp(drawing[i].from, from) != 0)
			continue;
		char words[200], word[64];
		snprintf(words, sizeof words, " %s ", drawing[i].to);
		snprintf(word, sizeof word, " %s ", to);
		return strstr(words, word) != NULL;
	}
	fail_msg("%s: %s is not drawn", kind, from);
	return false;
}

/* A record of the kind in a state; with a cause where there is such a field and it is asked for. */
static ProtobufCMessage *in_state(struct arena *a, const struct kind *k, const char *word,
				  bool cause)
{
	ProtobufCMessage *m = field_new_message(a, k->desc);
	const field_desc *fd = field_by_name(k, "cause");
	assert_int_equal(field_from_text(a, m, field_state(k), word, NULL), 0);
	if (cause && fd)
		assert_int_equal(field_from_text(a, m, fd,
						 field_type(fd) == FIELD_ENUM ? "other" : "storm",
						 NULL),
				 0);
	return m;
}

static void every_move_is_allowed_as_drawn(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < kind_count(); i++, arena_reset(&a)) {
		const struct kind *k = kind_at(i);
		const field_desc *fd = field_state(k);
		const ProtobufCEnumDescriptor *ed = fd ? fd->descriptor : NULL;
		for (unsigned x = 0; ed && x < ed->n_values; x++)
			for (unsigned y = 0; y < ed->n_values; y++) {
				char from[48], to[48];
				field_enum_word(ed, ed->values[x].value, from);
				field_enum_word(ed, ed->values[y].value, to);
				if (!field_enum_known(ed, ed->values[x].value) ||
				    !field_enum_known(ed, ed->values[y].value))
					continue;
				struct problems p = {0};
				rules_check_state(k, in_state(&a, k, from, false),
						  in_state(&a, k, to, true), NULL, &p);
				bool good = !strcmp(from, to) || drawn(k->name, from, to);
				if (good != (p.errors == 0))
					fail_msg("%s: %s -> %s: %s", k->name, from, to,
						 p.n ? p.list[0].text : "allowed");
			}
	}
	arena_fini(&a);
}

static void a_refused_move_names_the_allowed_ones(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 1 << 16);
	const struct kind *k = kind_by_name("action");
	struct problems p = {0}, q = {0};
	rules_check_state(k, in_state(&a, k, "idea", false), in_state(&a, k, "selected", false),
			  "because", &p);
	assert_int_equal(p.errors, 1);
	assert_string_equal(p.list[0].code, "STATE");
	assert_string_equal(p.list[0].field, "action.status");
	assert_string_equal(
		p.list[0].text,
		"action: idea -> selected is not allowed; from idea: lead, abandoned, merged");
	rules_check_state(k, in_state(&a, k, "merged", false), in_state(&a, k, "idea", false), NULL,
			  &q);
	assert_non_null(strstr(q.list[0].text, "it is final"));
	char words[100], few[8];
	rules_allowed(k, SEVE__ACTION__STATUS__STATUS_IDEA, words, sizeof words);
	assert_string_equal(words, "lead, abandoned, merged");
	rules_allowed(k, SEVE__ACTION__STATUS__STATUS_IDEA, few, sizeof few);
	assert_string_equal(few, "lead, a");
	rules_allowed(kind_by_name("contact"), 1, words, sizeof words);
	assert_string_equal(words, "");
	arena_fini(&a);
}

static void some_moves_need_a_cause(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *from, *to, *says;
	} rows[] = {{"action", "lead", "abandoned", "no_partner, not_viable"},
		    {"meeting", "planned", "cancelled", "a few words"}};
	struct arena a;
	arena_init(&a, 1 << 16);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct kind *k = kind_by_name(rows[i].kind);
		char path[40];
		snprintf(path, sizeof path, "%s.cause", k->name);
		ProtobufCMessage *before = in_state(&a, k, rows[i].from, false);
		struct problems without = {0}, with = {0};
		rules_check_state(k, before, in_state(&a, k, rows[i].to, false),
				  "a reason is no cause", &without);
		assert_int_equal(without.errors, 1);
		assert_string_equal(without.list[0].code, "CAUSE");
		assert_string_equal(without.list[0].field, path);
		assert_non_null(strstr(without.list[0].text, rows[i].says));
		rules_check_state(k, before, in_state(&a, k, rows[i].to, true), NULL, &with);
		assert_int_equal(with.errors, 0);
	}
	Seve__Meeting blank = SEVE__MEETING__INIT;
	blank.has_state = 1;
	blank.state = SEVE__MEETING__STATE__STATE_CANCELLED;
	blank.cause = (char[]){"  \n"};
	struct problems p = {0};
	const struct kind *k = kind_by_name("meeting");
	rules_check_state(k, in_state(&a, k, "planned", false), &blank.base, NULL, &p);
	assert_int_equal(p.errors, 1);
	arena_fini(&a);
}

static void a_record_begins_in_an_initial_state_or_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *state, *reason;
		bool cause;
		const char *code; /* NULL: good */
	} rows[] = {
		{"action", "idea", NULL, false, NULL},
		{"action", "lead", NULL, false, NULL},
		{"action", "planned", NULL, false, "STATE"},
		{"action", "planned", "  ", false, "STATE"},
		{"action", "planned", "from the minutes of 2019", false, NULL},
		{"action", "abandoned", "from the minutes of 2019", false, "CAUSE"},
		{"action", "abandoned", "from the minutes of 2019", true, NULL},
		{"action", "merged", "from the minutes of 2019", false, NULL},
		{"actor", "candidate", NULL, false, NULL},
		{"actor", "member", NULL, false, "STATE"},
		{"meeting", "cancelled", "a backfill", false, "CAUSE"},
		{"position", "closed", NULL, false, "STATE"},
	};
	struct arena a;
	arena_init(&a, 1 << 16);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct kind *k = kind_by_name(rows[i].kind);
		ProtobufCMessage *after = in_state(&a, k, rows[i].state, rows[i].cause);
		struct problems p = {0};
		rules_check_state(k, NULL, after, rows[i].reason, &p);
		if (p.errors != (rows[i].code != NULL) ||
		    (p.n && strcmp(p.list[0].code, rows[i].code) != 0))
			fail_msg("%s %s: %s", k->name, rows[i].state,
				 p.n ? p.list[0].text : "good");
	}
	struct problems p = {0};
	const struct kind *k = kind_by_name("action");
	rules_check_state(k, NULL, in_state(&a, k, "selected", false), NULL, &p);
	assert_non_null(strstr(p.list[0].text, "idea, lead"));
	arena_fini(&a);
}

static void a_state_cannot_be_taken_away(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 1 << 16);
	const struct kind *k = kind_by_name("task");
	Seve__Task none = SEVE__TASK__INIT;
	struct problems p = {0}, q = {0};
	rules_check_state(k, in_state(&a, k, "todo", false), &none.base, NULL, &p);
	assert_string_equal(p.list[0].code, "STATE");
	rules_check_state(k, NULL, &none.base, NULL, &q);
	assert_int_equal(q.n, 0);
	arena_fini(&a);
}

static void kinds_without_states_pass(void **state)
{
	(void)state;
	Seve__Contact c = SEVE__CONTACT__INIT;
	struct problems p = {0};
	rules_check_state(kind_by_name("contact"), NULL, &c.base, NULL, &p);
	assert_int_equal(p.n, 0);
	rules_default_state(kind_by_name("contact"), &c.base);
	assert_int_equal(protobuf_c_message_get_packed_size(&c.base), 0);
}

static void a_new_record_gets_the_first_initial_state(void **state)
{
	(void)state;
	Seve__Action a = SEVE__ACTION__INIT, b = SEVE__ACTION__INIT;
	rules_default_state(kind_by_name("action"), &a.base);
	assert_true(a.has_status && a.status == SEVE__ACTION__STATUS__STATUS_IDEA);
	b.has_status = 1;
	b.status = SEVE__ACTION__STATUS__STATUS_LEAD;
	rules_default_state(kind_by_name("action"), &b.base);
	assert_int_equal(b.status, SEVE__ACTION__STATUS__STATUS_LEAD);
}

/* ---- H4 -------------------------------------------------------------------------------------- */

static const struct rule *rule(const char *id)
{
	for (size_t i = 0; i < rules_count(); i++)
		if (!strcmp(rules_at(i)->id, id))
			return rules_at(i);
	return NULL;
}

/* A record of kind `k` points by this field at records of kind `target`. */
static void points(const struct kind *k, const char *field, const struct kind *target)
{
	assert_non_null(k);
	const field_desc *fd = field_by_name(k, field);
	assert_non_null(fd);
	if (target)
		assert_ptr_equal(field_rule(k, fd).target, target);
}

static void need_names_fields_that_exist(const struct rule *r, const struct need *n)
{
	const struct kind *guarded = kind_by_number(r->kind), *k = kind_by_number(n->kind);
	switch (n->how) {
	case NEED_POINTING:
		points(k, n->field, guarded);
		break;
	case NEED_NAMED:
		points(guarded, n->through, k);
		break;
	case NEED_SIBLINGS:
		points(guarded, n->through, NULL);
		points(k, n->field, field_rule(guarded, field_by_name(guarded, n->through)).target);
		break;
	case NEED_VIA:
		points(guarded, n->through, k);
		points(k, n->field, NULL);
		break;
	case NEED_ALL:
		assert_non_null(k);
		break;
	case NEED_ABROAD:
		points(guarded, n->through, kind_by_name("actor"));
		break;
	}
}

static void rules_name_kinds_and_fields_that_exist(void **state)
{
	(void)state;
	for (size_t i = 0; i < rules_count(); i++) {
		const struct rule *r = rules_at(i);
		assert_non_null(kind_by_number(r->kind));
		assert_non_null(r->check);
		assert_non_null(r->concerns);
		const struct need *n;
		for (size_t k = 0; (n = rules_need(r, k)); k++)
			need_names_fields_that_exist(r, n);
	}
	assert_null(rules_at(rules_count()));
	assert_string_equal(kind_by_number(rule("H4")->kind)->name, "action");
	assert_string_equal(rules_need(rule("H4"), 0)->field, "action_id");
	assert_null(rules_need(rule("H4"), 1));
}

enum { POSITIONS = 4 };

/* Positions as "actor stance" letters: 1p is actor 1 as pilot; c, b, i, o contributor, beneficiary,
 * interested, observer; upper case: closed. */
static size_t positions(const char *text, Seve__Position *p, Seve__Body *b, struct fact *list)
{
	static uint8_t ids[10][16];
	static const char stances[] = "pcbio";
	size_t n = 0;
	for (const char *s = text; *s; s += s[2] ? 3 : 2, n++) {
		bool closed = s[1] >= 'A' && s[1] <= 'Z';
		seve__position__init(&p[n]);
		seve__body__init(&b[n]);
		ids[s[0] - '0'][0] = (uint8_t)s[0];
		p[n].has_actor_id = p[n].has_stance = p[n].has_state = 1;
		p[n].actor_id = (ProtobufCBinaryData){16, ids[s[0] - '0']};
		p[n].stance = (Seve__Position__Stance)(strchr(stances, s[1] | 0x20) - stances + 1);
		p[n].state = closed ? SEVE__POSITION__STATE__STATE_CLOSED
				    : SEVE__POSITION__STATE__STATE_OPEN;
		kind_set_message(kind_by_name("position"), &b[n], &p[n].base);
		list[n] = (struct fact){.body = &b[n]};
	}
	return n;
}

static struct problems start(const char *text, Seve__Action__Status from, Seve__Action__Status to)
{
	Seve__Position p[POSITIONS];
	Seve__Body b[POSITIONS];
	struct fact list[POSITIONS];
	Seve__Action before = SEVE__ACTION__INIT, after = SEVE__ACTION__INIT;
	before.has_status = after.has_status = 1;
	before.status = from;
	after.status = to;
	struct facts f = {.before = &before.base,
			  .after = &after.base,
			  .list = list,
			  .n = positions(text, p, b, list)};
	struct problems out = {0};
	rule("H4")->check(&f, &out);
	return out;
}

static void an_action_in_progress_is_common_and_has_one_pilot(void **state)
{
	(void)state;
	static const struct {
		const char *positions, *says; /* NULL: good */
	} rows[] = {
		{"1p 2c", NULL},
		{"1p 2b", NULL},
		{"1p 1c 2b", NULL},
		{"1p 1p 2c", NULL}, /* one pilot, noted twice */
		{"1p 2c 3b 4i", NULL},
		{"", "0 of 2 actors"},
		{"1p", "1 of 2 actors positioned as pilot, contributor or beneficiary: add 1 more"},
		{"1p 1c", "1 of 2 actors"},
		{"1p 2i", "1 of 2 actors"},
		{"1p 2o", "1 of 2 actors"},
		{"1p 2C", "1 of 2 actors"},
		{"1c 2c", "no pilot"},
		{"1P 2c 3c", "no pilot"},
		{"1p 2p", "2 pilots: keep one"},
		{"1c", "add 1 more; an action in progress has no pilot"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct problems p = start(rows[i].positions, SEVE__ACTION__STATUS__STATUS_SELECTED,
					  SEVE__ACTION__STATUS__STATUS_IN_PROGRESS);
		char said[600] = "";
		for (size_t k = 0, at = 0; k < p.n; k++) {
			assert_string_equal(p.list[k].code, "H4");
			assert_string_equal(p.list[k].field, "action.status");
			at += (size_t)snprintf(said + at, sizeof said - at, "%s%s", k ? "; " : "",
					       p.list[k].text);
		}
		if ((rows[i].says != NULL) != (p.errors > 0) ||
		    (rows[i].says && !strstr(said, rows[i].says)))
			fail_msg("%s: %s", rows[i].positions, p.n ? said : "good");
	}
}

static void other_moves_do_not_concern_the_rule(void **state)
{
	(void)state;
	assert_int_equal(start("", SEVE__ACTION__STATUS__STATUS_IN_PROGRESS,
			       SEVE__ACTION__STATUS__STATUS_IN_PROGRESS)
				 .n,
			 0);
	assert_int_equal(start("", SEVE__ACTION__STATUS__STATUS_PLANNED,
			       SEVE__ACTION__STATUS__STATUS_SELECTED)
				 .n,
			 0);
	assert_int_equal(start("", SEVE__ACTION__STATUS__STATUS_SUSPENDED,
			       SEVE__ACTION__STATUS__STATUS_IN_PROGRESS)
				 .n,
			 2);
	Seve__Action a = SEVE__ACTION__INIT;
	assert_false(rule("H4")->concerns(NULL, &a.base));
	a.has_status = 1;
	a.status = SEVE__ACTION__STATUS__STATUS_IN_PROGRESS;
	assert_true(rule("H4")->concerns(NULL, &a.base));
	assert_false(rule("H4")->concerns(&a.base, &a.base));
}

static void bodies_of_other_kinds_are_no_positions(void **state)
{
	(void)state;
	Seve__Action a = SEVE__ACTION__INIT;
	Seve__Body other = SEVE__BODY__INIT, empty = SEVE__BODY__INIT;
	struct fact list[] = {{.body = &other}, {.body = &empty}};
	a.has_status = 1;
	a.status = SEVE__ACTION__STATUS__STATUS_IN_PROGRESS;
	kind_set_message(kind_by_name("action"), &other, &a.base);
	struct facts f = {.after = &a.base, .reason = "a backfill", .list = list, .n = 2};
	struct problems out = {0};
	rule("H4")->check(&f, &out);
	assert_int_equal(out.errors, 2); /* no actors, no pilot */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_move_is_allowed_as_drawn),
		cmocka_unit_test(a_refused_move_names_the_allowed_ones),
		cmocka_unit_test(some_moves_need_a_cause),
		cmocka_unit_test(a_record_begins_in_an_initial_state_or_with_a_reason),
		cmocka_unit_test(a_state_cannot_be_taken_away),
		cmocka_unit_test(kinds_without_states_pass),
		cmocka_unit_test(a_new_record_gets_the_first_initial_state),
		cmocka_unit_test(rules_name_kinds_and_fields_that_exist),
		cmocka_unit_test(an_action_in_progress_is_common_and_has_one_pilot),
		cmocka_unit_test(other_moves_do_not_concern_the_rule),
		cmocka_unit_test(bodies_of_other_kinds_are_no_positions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
