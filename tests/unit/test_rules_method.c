/* test_rules_method.c -- the method's rules as tables: what stands, what changes, what is said.
 * A record is written as text, "kind name field=value …"; names stand for ids: @name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/rules.h"
#include "rules/workload.h"
#include "text.h"

/* what a row does not name is absent, and that is what it says */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { RECORDS = 60, NAMES = 60 };

/* ---- records from text ------------------------------------------------------------------------
 */

static struct arena arena;
static char names[NAMES][24];
static size_t n_names;

/* The id that a name stands for: the same name, the same id. */
static struct uuid id_of(const char *name)
{
	struct uuid u = {.b = {0, 0, 0, 0, 0, 0, 0x70, 0, 0x80}};
	size_t i = 0;

	while (i < n_names && strcmp(names[i], name) != 0)
		i++;
	assert_true(i < NAMES);
	if (i == n_names)
		snprintf(names[n_names++], sizeof names[0], "%s", name);
	u.b[15] = (uint8_t)(i + 1);
	return u;
}

/* A text with each @name replaced by the id that it stands for. */
static void with_ids(const char *text, char *out, size_t size)
{
	size_t n = 0;

	while (*text) {
		char name[24], id[UUID_TEXT];
		size_t len;

		if (*text != '@') {
			assert_true(n + 1 < size);
			out[n++] = *text++;
			continue;
		}
		len = strcspn(++text, "|\",}]");
		snprintf(name, sizeof name, "%.*s", (int)len, text);
		struct uuid u = id_of(name);
		uuid_format(&u, id);
		assert_true(n + sizeof id < size);
		memcpy(out + n, id, sizeof id - 1);
		n += sizeof id - 1;
		text += len;
	}
	out[n] = '\0';
}

static void set_field(const struct kind *k, ProtobufCMessage *m, char *word)
{
	char *equals = strchr(word, '='), value[300];
	const field_desc *fd;
	struct err e = {0};

	assert_non_null(equals);
	*equals = '\0';
	fd = field_by_name(k, word);
	if (!fd)
		fail_msg("%s has no field %s", k->name, word);
	with_ids(equals + 1, value, sizeof value);
	if (field_from_text(&arena, m, fd, value, &e))
		fail_msg("%s %s: %s", k->name, word, e.text);
}

/* "action a1 status=planned": the body, and the id that the name stands for. */
static const Seve__Body *record(const char *text, struct uuid *id)
{
	char copy[400], *rest = copy;
	Seve__Body *body = (Seve__Body *)field_new_message(&arena, &seve__body__descriptor);

	snprintf(copy, sizeof copy, "%s", text);
	const struct kind *k = kind_by_name(strsep(&rest, " "));
	if (!k)
		fail_msg("%s", text);
	*id = id_of(strsep(&rest, " "));
	ProtobufCMessage *m = field_new_message(&arena, k->desc);
	while (rest && *rest)
		set_field(k, m, strsep(&rest, " "));
	kind_set_message(k, body, m);
	return body;
}

/* ---- a row of a table -------------------------------------------------------------------------
 */

struct row {
	const char *before, *after; /* the guarded record; before NULL: it is new; after: deleted */
	const char *facts[8]; /* records that are needed; '!' first: how the next one was before */
	const char *reason;
	const char *says; /* NULL: nothing at all; '~' first: only a warning */
	bool imported;
	double abroad;
};

static size_t gather(const struct row *r, struct fact *list)
{
	const Seve__Body *was = NULL;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(r->facts) && r->facts[i]; i++) {
		bool is_before = r->facts[i][0] == '!';
		struct uuid id;
		const Seve__Body *body = record(r->facts[i] + is_before, &id);

		if (is_before)
			was = body;
		else
			list[n++] = (struct fact){id, body, was ? was : body};
		if (!is_before)
			was = NULL;
	}
	return n;
}

static void check_says(const char *rule, const struct row *r, const struct problems *p)
{
	bool warns = r->says && r->says[0] == '~';
	char said[700] = "";
	size_t at = 0;

	for (size_t i = 0; i < p->n; i++) {
		assert_string_equal(p->list[i].code, rule);
		at += (size_t)snprintf(said + at, sizeof said - at, "%s%s", i ? "; " : "",
				       p->list[i].text);
	}
	/* a warning is what stands in spite of a rule: there is nothing left to ask for */
	if (warns)
		assert_null(strstr(said, "reason"));
	if ((r->says != NULL) != (p->n > 0) || (p->errors > 0) != (r->says && !warns) ||
	    (r->says && !strstr(said, r->says + warns)))
		fail_msg("%s, %s (reason %s): %s", rule, r->after ? r->after : "gone",
			 r->reason ? r->reason : "none", p->n ? said : "nothing said");
}

/* Runs a rule of this id on the guarded record's kind. */
static void run(const char *rule, const struct row *rows, size_t n)
{
	int64_t now;

	assert_int_equal(text_to_instant("2026-11-24T10:00:00Z", &now, NULL), 0);
	for (size_t i = 0; i < n; i++, arena_reset(&arena)) {
		struct problems out = {0};
		struct fact list[RECORDS];
		struct facts f = {.reason = rows[i].reason,
				  .imported = rows[i].imported,
				  .abroad_hours = rows[i].abroad,
				  .now_ms = now};
		if (rows[i].after)
			f.after = kind_message(record(rows[i].after, &f.id));
		if (rows[i].before)
			f.before = kind_message(record(rows[i].before, &f.id));
		f.list = list;
		f.n = gather(&rows[i], list);
		for (size_t k = 0; k < rules_count(); k++) {
			const struct rule *x = rules_at(k);
			if (strcmp(x->id, rule) == 0 &&
			    kind_by_number(x->kind)->desc ==
				    (f.after ? f.after : f.before)->descriptor &&
			    x->gone == !f.after && x->concerns(f.before, f.after))
				x->check(&f, &out);
		}
		check_says(rule, &rows[i], &out);
	}
}

/* ---- H1, H5: workshops ------------------------------------------------------------------------
 */

#define WORKSHOP "meeting m kind=workshop number="

static void workshop_2_closes_once_low_hanging_actions_are_selected(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{WORKSHOP "2 state=held",
		 WORKSHOP "2 state=closed",
		 {"action a title=Palettes status=planned low_hanging=yes",
		  "action b title=Vapeur status=planned"},
		 .says = "1 planned low-hanging actions are not selected (\"Palettes\")"},
		{WORKSHOP "2 state=held",
		 WORKSHOP "2 state=closed",
		 {"action a title=Palettes status=planned low_hanging=yes"},
		 .reason = "no rule of this kind bends",
		 .says = "1 planned"},
		{WORKSHOP "2 state=held",
		 WORKSHOP "2 state=closed",
		 {"action a title=Palettes status=selected low_hanging=yes",
		  "action b title=Vapeur status=planned low_hanging=no"}},
		{WORKSHOP "1 state=held",
		 WORKSHOP "1 state=closed",
		 {"action a title=Palettes status=planned low_hanging=yes"}},
		{WORKSHOP "2 state=planned",
		 WORKSHOP "2 state=held",
		 {"action a title=Palettes status=planned low_hanging=yes"}},
		{NULL,
		 WORKSHOP "2 state=closed",
		 {"action a title=Palettes status=planned low_hanging=yes"},
		 .reason = "a backfill",
		 .says = "cannot close"},
		{"meeting m kind=group number=2 state=held",
		 "meeting m kind=group number=2 state=closed",
		 {"action a title=Palettes status=planned low_hanging=yes"}},
	};
	run("H1", rows, COUNT(rows));
}

static void a_low_hanging_action_is_neither_deferred_nor_rejected(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"action a status=planned low_hanging=yes",
		 "action a status=rejected low_hanging=yes",
		 .says = "neither deferred nor rejected"},
		{"action a status=planned low_hanging=yes",
		 "action a status=deferred low_hanging=yes", .reason = "because",
		 .says = "neither deferred nor rejected"},
		/* not by taking the flag off in the same breath either */
		{"action a status=planned low_hanging=yes", "action a status=rejected",
		 .reason = "because", .says = "neither deferred nor rejected"},
		{NULL, "action a status=rejected low_hanging=yes", .reason = "a backfill",
		 .says = "neither deferred nor rejected"},
		{"action a status=planned low_hanging=yes",
		 "action a status=rejected low_hanging=yes", .imported = true,
		 .says = "neither deferred nor rejected"},
		{"action a status=planned", "action a status=rejected"},
		{"action a status=planned low_hanging=yes",
		 "action a status=selected low_hanging=yes"},
	};
	run("H1", rows, COUNT(rows));
}

static void a_low_hanging_action_is_not_deleted(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"action a status=planned low_hanging=yes", NULL,
		 .says = "first take low-hanging back"},
		{"action a status=lead low_hanging=yes", NULL, .reason = "entered twice",
		 .says = "first take low-hanging back"},
		{"action a status=planned low_hanging=yes", NULL, .imported = true,
		 .says = "is not deleted"},
		{"action a status=in_progress low_hanging=yes", NULL, .reason = "entered twice",
		 .says = "merge it into another one"},
		{"action a status=planned low_hanging=no", NULL},
		{"action a status=planned", NULL},
		{"action a status=merged low_hanging=yes", NULL},
		{"action a status=abandoned low_hanging=yes", NULL},
	};
	run("H1", rows, COUNT(rows));
}

static void low_hanging_is_taken_back_with_a_reason_before_selection(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"action a status=planned low_hanging=yes",
		 "action a status=planned low_hanging=no", .says = "only with a reason"},
		{"action a status=planned low_hanging=yes", "action a status=planned",
		 .reason = "the site closes"},
		{"action a status=planned low_hanging=yes", "action a status=planned",
		 .reason = "  ", .says = "only with a reason"},
		{"action a status=selected low_hanging=yes", "action a status=selected",
		 .reason = "the site closes", .says = "stays so"},
		{"action a status=lead low_hanging=yes", "action a status=lead low_hanging=no",
		 .imported = true, .says = "an import never"},
		{"action a status=lead low_hanging=no", "action a status=lead low_hanging=yes",
		 .imported = true},
	};
	run("H1", rows, COUNT(rows));
}

#define DECISION "decision d meeting_id=@m action_id=@a outcome="

static void decisions_are_about_planned_actions(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{NULL,
		 DECISION "selected",
		 {"!action a status=planned", "action a status=selected", WORKSHOP "2 state=held"}},
		{NULL, DECISION "selected", {"action a status=planned", WORKSHOP "2 state=held"}},
		{NULL,
		 DECISION "selected",
		 {"action a status=lead", WORKSHOP "2 state=held"},
		 .says = "this one is lead: plan it first"},
		{NULL,
		 DECISION "selected",
		 {"action a status=selected", WORKSHOP "2 state=held"},
		 .reason = "because",
		 .says = "this one is selected"},
		{NULL,
		 DECISION "selected",
		 {"action a status=planned", WORKSHOP "2 state=closed"},
		 .says = "the workshop is closed"},
		{NULL,
		 DECISION "selected",
		 {"action a status=planned", "!" WORKSHOP "2 state=held",
		  WORKSHOP "2 state=closed"}},
	};
	run("H5", rows, COUNT(rows));
	static const struct row low[] = {
		{NULL,
		 DECISION "deferred",
		 {"action a status=planned low_hanging=yes"},
		 .says = "neither deferred nor rejected"},
		{NULL,
		 DECISION "rejected",
		 {"!action a status=planned low_hanging=yes", "action a status=planned"},
		 .reason = "because",
		 .says = "neither deferred nor rejected"},
		{NULL, DECISION "selected", {"action a status=planned low_hanging=yes"}},
		{NULL, DECISION "deferred", {"action a status=planned low_hanging=no"}},
	};
	run("H1", low, COUNT(low));
}

static void workshop_1_closes_once_each_lead_has_a_treatment(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{WORKSHOP "1 state=held",
		 WORKSHOP "1 state=closed",
		 {"action a title=Palettes status=lead", "action b title=Eau status=planned",
		  "action c title=Vapeur status=lead treatment=to_document"},
		 .says = "2 leads have no treatment (\"Palettes\", \"Eau\")"},
		{WORKSHOP "1 state=held",
		 WORKSHOP "1 state=closed",
		 {"action c title=Vapeur status=lead treatment=to_document",
		  "action d title=Sel status=idea", "action e title=Gaz status=merged"}},
		{WORKSHOP "2 state=held",
		 WORKSHOP "2 state=closed",
		 {"action a title=Palettes status=lead"}},
	};
	run("H5", rows, COUNT(rows));
}

/* ---- H2, H3, H7: extension --------------------------------------------------------------------
 */

static void a_wave_is_triggered_by_enough_candidates(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"cohort w state=gathering",
		 "cohort w state=triggered",
		 {"actor a state=waiting cohort_id=@w"},
		 .says = "1 of 2 candidates"},
		{"cohort w state=gathering",
		 "cohort w state=triggered",
		 {"actor a state=waiting cohort_id=@w", "actor b state=candidate cohort_id=@w"}},
		{"cohort w state=gathering",
		 "cohort w state=triggered",
		 {"actor a state=waiting cohort_id=@w", "actor b state=declined cohort_id=@w",
		  "actor c state=waiting cohort_id=@other"},
		 .reason = "because",
		 .says = "1 of 2 candidates"},
		{"cohort w state=gathering threshold=3",
		 "cohort w state=triggered threshold=3",
		 {"actor a state=waiting cohort_id=@w", "actor b state=candidate cohort_id=@w"},
		 .says = "2 of 3 candidates: wait until 1 more"},
		{"cohort w state=gathering",
		 "cohort w state=triggered",
		 {"actor a state=waiting cohort_id=@w", "actor b state=candidate cohort_id=@w",
		  "territory t policy={\"cohort_threshold\":4}"},
		 .says = "2 of 4 candidates"},
		{"cohort w state=gathering", "cohort w state=dissolved"},
		{NULL, "cohort w state=integrated", .reason = "a backfill", .says = "0 of 2"},
	};
	run("H2", rows, COUNT(rows));
}

static void a_newcomer_is_met_before_becoming_a_member(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"actor a state=waiting cohort_id=@w", "actor a state=member cohort_id=@w",
		 .says = "0 of 1"},
		{"actor a state=waiting cohort_id=@w", "actor a state=member cohort_id=@w",
		 .reason = "known for ten years"},
		{"actor a state=waiting cohort_id=@w", "actor a state=member cohort_id=@w",
		 .imported = true, .says = "0 of 1"},
		{"actor a state=waiting cohort_id=@w",
		 "actor a state=member cohort_id=@w",
		 {"interview v kind=newcomer actor_id=@a state=done"}},
		{"actor a state=waiting cohort_id=@w",
		 "actor a state=member cohort_id=@w",
		 {"interview v kind=newcomer actor_id=@a state=planned",
		  "interview x kind=site_visit actor_id=@a state=done",
		  "interview y kind=newcomer actor_id=@b state=done"},
		 .says = "0 of 1"},
		{"actor a state=candidate", "actor a state=member"},
		{"actor a state=candidate wave=1", "actor a state=member wave=1", .says = "0 of 1"},
		{"actor a state=candidate",
		 "actor a state=member",
		 {"territory t phase=7"},
		 .says = "0 of 1"},
		{"actor a state=dormant cohort_id=@w", "actor a state=member cohort_id=@w"},
	};
	run("H3", rows, COUNT(rows));
}

static void the_extension_opens_once_the_dynamic_has_started(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"territory t phase=6", "territory t phase=7", .says = "0 of 1 actions"},
		{"territory t phase=6",
		 "territory t phase=7",
		 {"action a status=in_progress"},
		 .says = "0 of 1 groups"},
		{"territory t phase=6",
		 "territory t phase=7",
		 {"action a status=selected", "meeting m group_id=@g state=held"},
		 .reason = "because",
		 .says = "0 of 1 actions"},
		{"territory t phase=6",
		 "territory t phase=7",
		 {"action a status=sustained", "meeting m group_id=@g state=closed"}},
		{"territory t phase=6",
		 "territory t phase=7",
		 {"action a status=sustained", "meeting m state=closed"},
		 .says = "0 of 1 groups"},
		{"territory t phase=5", "territory t phase=6"},
		{"territory t phase=7", "territory t phase=7"},
		{"cohort w state=gathering", "cohort w state=triggered", .says = "0 of 1 actions"},
	};
	run("H7", rows, COUNT(rows));
}

/* ---- H6: know-how -----------------------------------------------------------------------------
 */

#define KNOWHOW  "knowhow k contact_id=@c method=group validator_id=@v mastery="
#define OUTSIDER "contact v actor_id=@x", "actor x state=prospect"
#define LED(how) "meeting m state=held facilitation=[{\"contact_id\":\"@c\",\"role\":\"" how "\"}]"

static void mastery_rises_by_meetings_and_a_validator(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{NULL, KNOWHOW "aware"},
		{NULL, KNOWHOW "observer", {OUTSIDER}, .says = "a meeting that was held"},
		{KNOWHOW "aware", KNOWHOW "observer meeting_id=@m", {OUTSIDER, LED("observer")}},
		{KNOWHOW "aware",
		 KNOWHOW "observer meeting_id=@m",
		 {OUTSIDER, "meeting m state=planned "
			    "facilitation=[{\"contact_id\":\"@c\",\"role\":\"lead\"}]"},
		 .says = "a meeting that was held"},
		{KNOWHOW "observer",
		 KNOWHOW "co_facilitator meeting_id=@m",
		 {OUTSIDER, LED("observer")},
		 .reason = "because",
		 .says = "no role that shows it: wanted in its facilitation: co, lead"},
		{KNOWHOW "observer", KNOWHOW "co_facilitator meeting_id=@m", {OUTSIDER, LED("co")}},
		{KNOWHOW "co_facilitator meeting_id=@m",
		 KNOWHOW "supported_lead meeting_id=@m",
		 {OUTSIDER, LED("co")},
		 .says = "served for the step before"},
		{KNOWHOW "supported_lead",
		 KNOWHOW "autonomous meeting_id=@m",
		 {OUTSIDER, LED("co")},
		 .says = "wanted in its facilitation: lead"},
		{KNOWHOW "supported_lead",
		 KNOWHOW "autonomous meeting_id=@m",
		 {OUTSIDER, LED("lead")}},
		{KNOWHOW "aware",
		 KNOWHOW "supported_lead meeting_id=@m",
		 {OUTSIDER, LED("lead")},
		 .says = "one step at a time, not 3"},
		{NULL,
		 KNOWHOW "autonomous meeting_id=@m",
		 {OUTSIDER, LED("lead")},
		 .reason = "fifteen years of it"},
		{NULL,
		 KNOWHOW "autonomous meeting_id=@m",
		 {OUTSIDER, LED("lead")},
		 .says = "one step at a time"},
		{KNOWHOW "autonomous", KNOWHOW "observer"},
	};
	run("H6", rows, COUNT(rows));
}

static void the_validator_can_tell(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{KNOWHOW "aware",
		 "knowhow k contact_id=@c method=group mastery=observer meeting_id=@m",
		 {LED("lead")},
		 .says = "name the validator"},
		{KNOWHOW "aware",
		 "knowhow k contact_id=@c method=group mastery=observer meeting_id=@m "
		 "validator_id=@c",
		 {LED("lead"), "contact c actor_id=@x", "actor x state=prospect"},
		 .says = "somebody else"},
		{KNOWHOW "aware",
		 KNOWHOW "observer meeting_id=@m",
		 {LED("lead"), "contact v actor_id=@x", "actor x state=member"},
		 .says = "autonomous in this"},
		{KNOWHOW "aware",
		 KNOWHOW "observer meeting_id=@m",
		 {LED("lead"), "contact v actor_id=@x", "actor x state=member",
		  "knowhow o contact_id=@v method=group mastery=autonomous"}},
		{KNOWHOW "aware",
		 KNOWHOW "observer meeting_id=@m",
		 {LED("lead"), "contact v actor_id=@x", "actor x state=member",
		  "knowhow o contact_id=@v method=visit mastery=autonomous"},
		 .says = "autonomous in this"},
	};
	run("H6", rows, COUNT(rows));
}

/* ---- H3: what a membership rests upon ----------------------------------------------------------
 */

#define MET(name) "interview " name " kind=newcomer actor_id=@a state=done"

static void the_interview_of_a_newcomer_stays(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{MET("v"),
		 NULL,
		 {"actor a name=Moulin state=member wave=1"},
		 .says = "\"Moulin\" became a member by this interview"},
		{MET("v"), NULL, {"actor a state=member cohort_id=@w"}, .says = "keep it"},
		{MET("v"),
		 NULL,
		 {"actor a state=dormant wave=1"},
		 .imported = true,
		 .says = "keep it"},
		{MET("v"), NULL, {"actor a state=member wave=1"}, .reason = "entered twice"},
		{MET("v"), NULL, {"actor a state=member wave=1", MET("u")}},
		{MET("v"), NULL, {"actor a state=candidate wave=1"}},
		{MET("v"), NULL, {"actor a state=member"}},
		{MET("v"),
		 NULL,
		 {"actor a state=member", "territory t phase=7"},
		 .says = "keep it"},
		{MET("v"), NULL},
		{"interview v kind=newcomer actor_id=@a state=planned",
		 NULL,
		 {"actor a state=member wave=1"}},
		{"interview v kind=site_visit actor_id=@a state=done",
		 NULL,
		 {"actor a state=member wave=1"}},
	};
	run("H3", rows, COUNT(rows));
}

/* ---- S1, S2: groups ---------------------------------------------------------------------------
 */

#define HELD(name, round) "meeting " name " kind=group group_id=@g state=held round=" round

static void a_group_meets_three_to_five_times_a_round(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"group g state=active",
		 "group g state=concluded",
		 {HELD("m1", "1"), HELD("m2", "1"),
		  "meeting m3 kind=group group_id=@g state=cancelled round=1"},
		 .says = "held 2 of at least 3 meetings in round 1"},
		{"group g state=active",
		 "group g state=concluded",
		 {HELD("m1", "1"), HELD("m2", "1")},
		 .reason = "all is said",
		 .says = "~held 2 of at least 3"},
		{"group g state=active",
		 "group g state=concluded",
		 {HELD("m1", "1"), HELD("m2", "1"), "meeting m3 group_id=@g state=closed"}},
		{"group g state=active round=2",
		 "group g state=concluded round=2",
		 {HELD("m1", "1"), HELD("m2", "1"), HELD("m3", "1"), HELD("m4", "2")},
		 .says = "held 1 of at least 3 meetings in round 2"},
		{"group g state=active",
		 "group g state=concluded",
		 {HELD("m1", "1"), "territory t policy={\"group_meetings_min\":1}"}},
		{"group g state=active", "group g state=paused"},
		{NULL,
		 "meeting m6 kind=group group_id=@g state=planned",
		 {HELD("m1", "1"), HELD("m2", "1"), HELD("m3", "1"), HELD("m4", "1"),
		  HELD("m5", "1"), "meeting m6 kind=group group_id=@g state=planned"},
		 .says = "meeting 6 of the group in round 1, of at most 5"},
		{NULL,
		 "meeting m6 kind=group group_id=@g state=planned",
		 {HELD("m1", "1"), HELD("m2", "1"), HELD("m3", "1"), HELD("m4", "1"),
		  HELD("m5", "1"), "meeting m6 kind=group group_id=@g state=planned"},
		 .reason = "one more visit",
		 .says = "~meeting 6"},
		{NULL,
		 "meeting m6 kind=group group_id=@g state=planned",
		 {HELD("m1", "1"), HELD("m2", "1"), HELD("m3", "1"), HELD("m4", "1"),
		  "meeting m5 group_id=@g state=cancelled",
		  "meeting m6 kind=group group_id=@g state=planned"}},
		{NULL,
		 "meeting m6 kind=group group_id=@g state=planned round=2",
		 {HELD("m1", "1"), HELD("m2", "1"), HELD("m3", "1"), HELD("m4", "1"),
		  HELD("m5", "1"), "meeting m6 kind=group group_id=@g state=planned round=2"}},
		{"meeting m6 group_id=@g state=planned",
		 "meeting m6 group_id=@g state=held",
		 {HELD("m1", "1"), HELD("m2", "1"), HELD("m3", "1"), HELD("m4", "1"),
		  HELD("m5", "1"), "meeting m6 group_id=@g state=held"}},
		{NULL, "meeting m kind=workshop state=planned"},
	};
	run("S1", rows, COUNT(rows));
}

static void a_conclusion_keeps_the_meetings_it_rests_upon(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{HELD("m3", "1"),
		 NULL,
		 {"group g state=concluded", HELD("m1", "1"), HELD("m2", "1")},
		 .says = "left with 2 of at least 3 held meetings in round 1"},
		{HELD("m3", "1"),
		 NULL,
		 {"group g state=concluded", HELD("m1", "1"), HELD("m2", "1")},
		 .reason = "entered twice",
		 .says = "~left with 2 of at least 3"},
		{HELD("m3", "1"),
		 NULL,
		 {"group g state=concluded", HELD("m1", "1"), HELD("m2", "1"), HELD("m4", "1")}},
		{HELD("m3", "1"), NULL, {"group g state=active", HELD("m1", "1")}},
		{HELD("m3", "1"),
		 NULL,
		 {"group g state=concluded round=2", HELD("m1", "2"), HELD("m2", "2")}},
		{"meeting m3 kind=group group_id=@g state=cancelled round=1",
		 NULL,
		 {"group g state=concluded", HELD("m1", "1"), HELD("m2", "1")}},
		{"meeting m3 kind=workshop state=held", NULL},
	};
	run("S1", rows, COUNT(rows));
}

static void a_concluded_group_goes_on_in_a_new_round(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"group g state=concluded", "group g state=active", .says = "round 2, not 1"},
		{"group g state=concluded round=2", "group g state=active round=2",
		 .reason = "because", .says = "round 3, not 2"},
		{"group g state=concluded", "group g state=active round=2"},
		{"group g state=concluded", "group g state=dissolved"},
		{"group g state=paused", "group g state=active"},
	};
	run("ROUND", rows, COUNT(rows));
}

static void groups_are_for_what_takes_time(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{NULL,
		 "group g action_ids=@a|@b",
		 {"action a title=Palettes horizon=short scope=small",
		  "action b title=Chaleur horizon=long scope=large"},
		 .says = "short and small: \"Palettes\""},
		{NULL,
		 "group g action_ids=@a",
		 {"action a title=Palettes horizon=short scope=small"},
		 .reason = "three of them in one go",
		 .says = "~short and small"},
		{NULL,
		 "group g action_ids=@a",
		 {"action a title=Palettes horizon=short scope=large"}},
		{NULL, "group g action_ids=@a", {"action a title=Palettes horizon=short"}},
		{"group g action_ids=@a",
		 "group g action_ids=@a note=x",
		 {"action a title=Palettes horizon=short scope=small"}},
	};
	run("S2", rows, COUNT(rows));
}

/* ---- S3, S4 -----------------------------------------------------------------------------------
 */

static void visits_end_when_each_member_was_visited(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"territory t phase=2",
		 "territory t phase=3",
		 {"actor a name=Laiterie state=member", "actor b name=Scierie state=member",
		  "actor c name=Port state=candidate",
		  "interview v kind=site_visit actor_id=@a state=approved",
		  "interview w kind=site_visit actor_id=@b state=planned",
		  "interview x kind=follow_up actor_id=@b state=done"},
		 .says = "1 of 2 have not (\"Scierie\")"},
		{"territory t phase=2",
		 "territory t phase=3",
		 {"actor b name=Scierie state=member"},
		 .reason = "closed for the winter",
		 .says = "~1 of 1 have not"},
		{"territory t phase=2",
		 "territory t phase=3",
		 {"actor a name=Laiterie state=member",
		  "interview v kind=site_visit actor_id=@a state=done"}},
		{"territory t",
		 "territory t phase=5",
		 {"actor b name=Scierie state=member"},
		 .says = "1 of 1 have not"},
		{"territory t phase=1",
		 "territory t phase=2",
		 {"actor b name=Scierie state=member"}},
		{"territory t phase=3",
		 "territory t phase=4",
		 {"actor b name=Scierie state=member"}},
	};
	run("S3", rows, COUNT(rows));
}

#define TEN_HOURS "availability h actor_id=@a from_on=2026-01-01 hours_month=10"
#define PILOT(p)  "position " p " actor_id=@a stance=pilot"

static void nobody_gives_more_hours_than_they_have(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{NULL,
		 PILOT("p2"),
		 {"actor a name=Laiterie", TEN_HOURS, PILOT("p1"), PILOT("p2")},
		 .says = "\"Laiterie\" would give 16.0 of 10.0 hours in 2026-11 (0.0 of them in "
			 "other"},
		{NULL,
		 PILOT("p2"),
		 {"actor a name=Laiterie", TEN_HOURS, PILOT("p1"), PILOT("p2")},
		 .reason = "only until spring",
		 .says = "~16.0 of 10.0"},
		{NULL,
		 PILOT("p2"),
		 {"actor a name=Laiterie", TEN_HOURS, PILOT("p1"), PILOT("p2"),
		  "territory t policy={\"load_mode\":\"refuse\"}"},
		 .reason = "only until spring",
		 .says = "this territory refuses"},
		{NULL, PILOT("p2"), {"actor a name=Laiterie", TEN_HOURS, PILOT("p2")}},
		{NULL, PILOT("p2"), {"actor a name=Laiterie", PILOT("p1"), PILOT("p2")}},
		{NULL,
		 PILOT("p2"),
		 {"actor a name=Laiterie", TEN_HOURS, PILOT("p1") " state=closed", PILOT("p2")}},
		{NULL,
		 PILOT("p2") " hours_month=2",
		 {"actor a name=Laiterie", TEN_HOURS, PILOT("p1"), PILOT("p2") " hours_month=2"}},
		{NULL,
		 PILOT("p2"),
		 {"actor a name=Laiterie", TEN_HOURS, PILOT("p2")},
		 .abroad = 3,
		 .says = "11.0 of 10.0 hours in 2026-11 (3.0 of them in other territories)"},
		/* what asks for no more than before is nobody's business */
		{PILOT("p2"),
		 PILOT("p2") " hours_month=4",
		 {"actor a name=Laiterie", TEN_HOURS, PILOT("p1"), PILOT("p2") " hours_month=4"}},
		{NULL,
		 "position p2 actor_id=@a stance=observer",
		 {"actor a name=Laiterie", TEN_HOURS, PILOT("p1"), PILOT("p3")}},
		{NULL,
		 PILOT("p2") " since_on=2027-03-10",
		 {"actor a name=Laiterie",
		  "availability h actor_id=@a from_on=2026-01-01 hours_month=10 "
		  "blackouts=[{\"from_on\":\"2027-03-01\",\"to_on\":\"2027-03-31\"}]",
		  PILOT("p2") " since_on=2027-03-10"},
		 .says = "8.0 of 0.0 hours in 2027-03"},
	};
	run("S4", rows, COUNT(rows));
}

/* ---- the reckoning itself ---------------------------------------------------------------------
 */

static int32_t day(const char *text)
{
	int32_t d;

	assert_int_equal(text_to_date(text, &d, NULL), 0);
	return d;
}

static void a_month_has_its_first_and_last_day(void **state)
{
	(void)state;
	static const char *const rows[][3] = {
		{"2026-11-24", "2026-11-01", "2026-11-30"},
		{"2026-12-31", "2026-12-01", "2026-12-31"},
		{"2027-02-01", "2027-02-01", "2027-02-28"},
		{"2028-02-29", "2028-02-01", "2028-02-29"},
		{"2027-01-31", "2027-01-01", "2027-01-31"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct workload_month m = workload_month(day(rows[i][0]));
		char text[16];
		assert_int_equal(m.first, day(rows[i][1]));
		assert_int_equal(m.last, day(rows[i][2]));
		workload_month_text(m, text);
		assert_memory_equal(text, rows[i][0], 7);
		assert_int_equal(strlen(text), 7);
	}
}

static void the_latest_availability_holds_without_its_blackouts(void **state)
{
	(void)state;
	struct uuid id;
	const Seve__Availability *list[] = {
		(const Seve__Availability *)kind_message(record(
			"availability a actor_id=@a from_on=2026-01-01 hours_month=10", &id)),
		(const Seve__Availability *)kind_message(
			record("availability b actor_id=@a from_on=2026-07-01 to_on=2026-09-30 "
			       "hours_month=30 blackouts=[{\"from_on\":\"2026-09-21\","
			       "\"to_on\":\"2026-09-25\"},{\"from_on\":\"2026-09-24\","
			       "\"to_on\":\"2026-10-09\"}]",
			       &id)),
	};
	static const struct {
		const char *day;
		double hours;
	} rows[] = {{"2026-06-10", 10}, {"2026-08-10", 30}, {"2026-09-10", 20}, {"2026-10-10", 10}};
	double hours;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(workload_available(list, 2, workload_month(day(rows[i].day)), &hours));
		assert_true(hours > rows[i].hours - 1e-9 && hours < rows[i].hours + 1e-9);
	}
	assert_false(workload_available(list, 2, workload_month(day("2025-12-31")), &hours));
	assert_false(workload_over(0.1 + 0.2, 0.3));
	arena_reset(&arena);
}

static void a_policy_has_the_usual_values_where_it_is_silent(void **state)
{
	(void)state;
	Seve__Policy own = SEVE__POLICY__INIT, p = rules_policy(NULL);
	assert_int_equal(p.cohort_threshold, 2);
	assert_int_equal(p.group_meetings_min, 3);
	assert_int_equal(p.group_meetings_max, 5);
	assert_int_equal(p.load_mode, SEVE__POLICY__LOAD_MODE__LOAD_WARN);
	assert_int_equal(p.stale_days, 30);
	assert_int_equal(p.match_radius_km, 50);
	own.has_stale_days = true;
	own.stale_days = 60;
	assert_int_equal(rules_policy(&own).stale_days, 60);
	assert_int_equal(rules_policy(&own).group_meetings_max, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workshop_2_closes_once_low_hanging_actions_are_selected),
		cmocka_unit_test(a_low_hanging_action_is_neither_deferred_nor_rejected),
		cmocka_unit_test(a_low_hanging_action_is_not_deleted),
		cmocka_unit_test(low_hanging_is_taken_back_with_a_reason_before_selection),
		cmocka_unit_test(decisions_are_about_planned_actions),
		cmocka_unit_test(workshop_1_closes_once_each_lead_has_a_treatment),
		cmocka_unit_test(a_wave_is_triggered_by_enough_candidates),
		cmocka_unit_test(a_newcomer_is_met_before_becoming_a_member),
		cmocka_unit_test(the_extension_opens_once_the_dynamic_has_started),
		cmocka_unit_test(mastery_rises_by_meetings_and_a_validator),
		cmocka_unit_test(the_validator_can_tell),
		cmocka_unit_test(a_group_meets_three_to_five_times_a_round),
		cmocka_unit_test(a_conclusion_keeps_the_meetings_it_rests_upon),
		cmocka_unit_test(the_interview_of_a_newcomer_stays),
		cmocka_unit_test(a_concluded_group_goes_on_in_a_new_round),
		cmocka_unit_test(groups_are_for_what_takes_time),
		cmocka_unit_test(visits_end_when_each_member_was_visited),
		cmocka_unit_test(nobody_gives_more_hours_than_they_have),
		cmocka_unit_test(a_month_has_its_first_and_last_day),
		cmocka_unit_test(the_latest_availability_holds_without_its_blackouts),
		cmocka_unit_test(a_policy_has_the_usual_values_where_it_is_silent),
	};
	arena_init(&arena, 1 << 20);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_fini(&arena);
	return rc;
}
