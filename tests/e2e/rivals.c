/* rivals.c -- two people with replicas of their own edit the same actions without a network, many
 * times, then synchronise.  Each edit adds a tag that nobody else adds, so that it can be looked
 * for: it is in its record, or held in a conflict, or refused with a reason, or its author deleted
 * the record.  Says the sums; fails where an edit is in none of these, or the sums are not those of
 * the verdicts. Usage: rivals DIR TERRITORY ACTIONS EDITS SEED INVITE INVITE */
#include <seve.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEOPLE = 2, EDITS_MAX = 5000, ACTIONS_MAX = 1000, SIDES = 30 };

struct edit {
	unsigned action;
	int deletes;
	int in_effect, in_conflict, refused, gone;
};

struct person {
	struct seve *s;
	struct edit edits[EDITS_MAX];
	unsigned n;
	uint64_t mid0; /* before the first edit */
	unsigned long pushed, applied, merged, conflicts, rejected;
};

static struct person people[PEOPLE];
static char actions[ACTIONS_MAX][40];
static unsigned n_actions, seed;
static uint32_t territory;

static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void need(int rc, struct seve_error **e, const char *what)
{
	if (rc)
		fail("%s: %s", what, *e ? seve_error_message(*e) : "out of memory");
}

static unsigned dice(unsigned sides)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % sides;
}

/* ---- entering ------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		fail("%s cannot be written", path);
}

static void enter(struct person *p, const char *dir, unsigned number, const char *invite)
{
	struct seve_options *o = seve_options_new();
	struct seve_error *e = NULL;
	char *server, *code, *ca, path[4096];

	need(seve_invite_parse(invite, &server, &code, &ca, &e), &e, "invite");
	snprintf(path, sizeof path, "%s/ca-%u.pem", dir, number);
	write_file(path, ca);
	seve_options_set(o, "ca-file", path);
	seve_options_set(o, "server", server);
	snprintf(path, sizeof path, "%s/token-%u", dir, number);
	seve_options_set(o, "token-file", path);
	snprintf(path, sizeof path, "%s/store-%u.db", dir, number);
	seve_options_set(o, "store", path);
	need(seve_open(o, &p->s, &e), &e, "open");
	need(seve_enroll(p->s, code, "rivals", &e), &e, "enroll");
	seve_options_free(o);
	free(server);
	free(code);
	free(ca);
}

static void sync_now(struct person *p)
{
	struct seve_table *t = NULL;
	struct seve_error *e = NULL;

	need(seve_sync(p->s, territory, NULL, NULL, &t, &e), &e, "sync");
	p->pushed += strtoul(seve_table_get(t, 0, "pushed"), NULL, 10);
	p->applied += strtoul(seve_table_get(t, 0, "applied"), NULL, 10);
	p->merged += strtoul(seve_table_get(t, 0, "merged"), NULL, 10);
	p->conflicts += strtoul(seve_table_get(t, 0, "conflicts"), NULL, 10);
	p->rejected += strtoul(seve_table_get(t, 0, "rejected"), NULL, 10);
	seve_table_free(t);
}

static void make_actions(struct person *p)
{
	for (unsigned i = 0; i < n_actions; i++) {
		struct seve_record *r = NULL;
		struct seve_error *e = NULL;
		char title[64];

		need(seve_record_new("action", territory, &r, &e), &e, "action");
		snprintf(title, sizeof title, "action %u", i);
		need(seve_record_set(r, "title", title, &e), &e, "title");
		need(seve_save(p->s, &r, 1, NULL, 1, NULL, NULL, &e), &e, "save");
		snprintf(actions[i], sizeof actions[i], "%s", seve_record_id(r));
		seve_record_free(r);
	}
}

/* ---- editing -------------------------------------------------------------------------------- */

static void change(struct seve_record *r)
{
	static const struct {
		const char *field, *before;
		unsigned sides;
	} fields[] = {{"title", "title ", 5},       {"description", "text ", 5},
		      {"next_step", "step ", 5},    {"target_on", "2027-01-1", 9},
		      {"start_on", "2026-12-1", 9}, {"effort", "", 7}, /* 0 and 6 are refused */
		      {"progress", "", 101}};
	struct seve_error *e = NULL;

	for (unsigned n = 1 + dice(3); n; n--) {
		const unsigned f = dice(sizeof fields / sizeof *fields);
		char text[64];

		snprintf(text, sizeof text, "%s%u", fields[f].before, dice(fields[f].sides));
		need(seve_record_set(r, fields[f].field, text, &e), &e, fields[f].field);
	}
	if (!dice(SIDES)) /* not a move from here: refused */
		need(seve_record_set(r, "status", "sustained", &e), &e, "status");
}

static void edit_once(struct person *p, unsigned number)
{
	struct edit *it = &p->edits[p->n];
	struct seve_record *r = NULL;
	struct seve_error *e = NULL;
	char tag[32];

	do {
		it->action = dice(n_actions);
		seve_record_free(r);
		r = NULL;
		need(seve_get(p->s, territory, "action", actions[it->action], SEVE_REPLICA, &r, &e),
		     &e, "get");
	} while (seve_record_deleted(r));
	if (!dice(SIDES * 2)) {
		it->deletes = 1;
		need(seve_delete(p->s, r, NULL, 1, NULL, NULL, &e), &e, "delete");
	} else {
		snprintf(tag, sizeof tag, "t%u-%u", number, p->n);
		need(seve_record_add(r, "tags", tag, &e), &e, "tag");
		change(r);
		need(seve_save(p->s, &r, 1, NULL, 1, NULL, NULL, &e), &e, "save");
	}
	seve_record_free(r);
	p->n++;
}

/* ---- looking -------------------------------------------------------------------------------- */

/* Each "t<person>-<edit>" of a list. */
static void each_tag(const char *list, void (*found)(struct edit *it))
{
	unsigned number, edit;

	for (const char *at = list; at && *at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
		if (sscanf(at, "t%u-%u", &number, &edit) == 2 && number < PEOPLE &&
		    edit < people[number].n)
			found(&people[number].edits[edit]);
}

static void found_in_effect(struct edit *it)
{
	it->in_effect = 1;
}

static void found_in_conflict(struct edit *it)
{
	it->in_conflict = 1;
}

static struct seve_list *all_of(const char *kind)
{
	struct seve_query *q = seve_query_new(kind);
	struct seve_list *list = NULL;
	struct seve_error *e = NULL;

	seve_query_territory(q, territory);
	need(seve_list(people[0].s, q, SEVE_SERVER, &list, &e), &e, kind);
	seve_query_free(q);
	return list;
}

static int lives(const struct seve_list *list, unsigned action)
{
	for (size_t i = 0; i < seve_list_count(list); i++)
		if (!strcmp(seve_record_id(seve_list_at(list, i)), actions[action]))
			return 1;
	return 0;
}

/* Whether an open conflict of this account tells of a deletion of the action. */
static int deletion_kept(const struct seve_list *list, unsigned action)
{
	for (size_t i = 0; i < seve_list_count(list); i++)
		if (!strcmp(seve_record_get(seve_list_at(list, i), "record_id"), actions[action]))
			return 1;
	return 0;
}

static void look_at_conflicts(const struct seve_list *list)
{
	for (size_t i = 0; i < seve_list_count(list); i++) {
		struct seve_table *t = NULL;

		if (seve_conflict_fields(seve_list_at(list, i), &t, NULL))
			fail("a conflict cannot be read");
		for (size_t row = 0; row < seve_table_rows(t); row++)
			if (!strcmp(seve_table_get(t, row, "field"), "tags"))
				each_tag(seve_table_get(t, row, "add"), found_in_conflict);
		seve_table_free(t);
	}
}

static void look_at_outbox(struct person *p)
{
	struct seve_table *t = NULL;
	struct seve_error *e = NULL;

	need(seve_outbox(p->s, &t, &e), &e, "outbox");
	for (size_t i = 0; i < seve_table_rows(t); i++) {
		const uint64_t mid = strtoull(seve_table_get(t, i, "mid"), NULL, 10);

		if (strcmp(seve_table_get(t, i, "state"), "rejected") ||
		    !*seve_table_get(t, i, "code") || !*seve_table_get(t, i, "text"))
			fail("mutation %llu is left %s without a reason", (unsigned long long)mid,
			     seve_table_get(t, i, "state"));
		if (mid <= p->mid0 || mid - p->mid0 > p->n)
			fail("mutation %llu is none of the edits", (unsigned long long)mid);
		p->edits[mid - p->mid0 - 1].refused = 1;
	}
	seve_table_free(t);
}

/* The author deleted the record later on, or before (then this is the deletion). */
static int own_deletion(const struct person *p, unsigned edit)
{
	for (unsigned i = edit; i < p->n; i++)
		if (p->edits[i].deletes && p->edits[i].action == p->edits[edit].action)
			return 1;
	return 0;
}

static void account_for(struct person *p, unsigned number, const struct seve_list *live,
			const struct seve_list *conflicts)
{
	unsigned effect = 0, held = 0, refused = 0, gone = 0;

	for (unsigned i = 0; i < p->n; i++) {
		struct edit *it = &p->edits[i];

		if (it->deletes && !it->refused) {
			it->in_effect = !lives(live, it->action);
			it->in_conflict = !it->in_effect && deletion_kept(conflicts, it->action);
		}
		it->gone = !it->in_effect && !it->in_conflict && !it->refused &&
			   !lives(live, it->action) && own_deletion(p, i);
		if (it->in_effect + it->in_conflict + it->refused + it->gone != 1)
			fail("edit %u of person %u on %s: in effect %d, in a conflict %d, refused "
			     "%d, deleted by its author %d",
			     i, number, actions[it->action], it->in_effect, it->in_conflict,
			     it->refused, it->gone);
		effect += it->in_effect != 0;
		held += it->in_conflict != 0;
		refused += it->refused != 0;
		gone += it->gone != 0;
	}
	printf("person %u: %u edits = %u in effect + %u in a conflict + %u refused with a reason + "
	       "%u "
	       "deleted by their author\n",
	       number, p->n, effect, held, refused, gone);
	printf("person %u: %lu verdicts = %lu applied + %lu merged + %lu conflicts + %lu "
	       "rejected\n",
	       number, p->pushed, p->applied, p->merged, p->conflicts, p->rejected);
	if (p->pushed != p->n || refused != p->rejected || held > p->conflicts ||
	    p->applied + p->merged + p->conflicts + p->rejected != p->n)
		fail("the sums differ");
}

int main(int argc, char **argv)
{
	struct seve_list *live, *conflicts;
	struct seve_error *why = NULL;
	unsigned n_edits;

	if (argc != 6 + PEOPLE)
		fail("usage: rivals DIR TERRITORY ACTIONS EDITS SEED INVITE INVITE");
	n_actions = (unsigned)strtoul(argv[3], NULL, 10);
	n_edits = (unsigned)strtoul(argv[4], NULL, 10);
	seed = (unsigned)strtoul(argv[5], NULL, 10);
	if (!n_actions || n_actions > ACTIONS_MAX || !n_edits || n_edits > EDITS_MAX)
		fail("at most %d actions and %d edits", ACTIONS_MAX, EDITS_MAX);
	for (unsigned i = 0; i < PEOPLE; i++)
		enter(&people[i], argv[1], i, argv[6 + i]);
	need(seve_territory_id(people[0].s, argv[2], &territory, &why), &why, "territory");
	sync_now(&people[0]);
	make_actions(&people[0]);
	people[0].mid0 = n_actions;
	sync_now(&people[0]);
	sync_now(&people[1]);
	for (unsigned i = 0; i < PEOPLE; i++)
		people[i].pushed = people[i].applied = 0;
	for (unsigned e = 0; e < n_edits; e++)
		for (unsigned i = 0; i < PEOPLE; i++)
			edit_once(&people[i], i);
	for (unsigned i = 0; i < PEOPLE; i++)
		sync_now(&people[i]);
	live = all_of("action");
	conflicts = all_of("conflict");
	for (size_t i = 0; i < seve_list_count(live); i++)
		each_tag(seve_record_get(seve_list_at(live, i), "tags"), found_in_effect);
	look_at_conflicts(conflicts);
	for (unsigned i = 0; i < PEOPLE; i++)
		look_at_outbox(&people[i]);
	for (unsigned i = 0; i < PEOPLE; i++)
		account_for(&people[i], i, live, conflicts);
	printf("%zu conflicts\n", seve_list_count(conflicts));
	seve_list_free(live);
	seve_list_free(conflicts);
	for (unsigned i = 0; i < PEOPLE; i++)
		seve_close(people[i].s);
	return 0;
}
