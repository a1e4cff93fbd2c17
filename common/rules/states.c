/* states.c -- allowed moves between a record's states, from states.def.
 * Knows no storage, and of the kinds only what the tables say. */
#include <stdio.h>
#include <string.h>

#include "rules/rules.h"

enum { REASON = MOVE_NEEDS_REASON, CAUSE = MOVE_NEEDS_CAUSE };

struct initial {
	const char *kind, *state;
};
static const struct initial initials[] = {
#define INITIAL(kind, state) {#kind, #state},
#define MOVE(kind, from, to, needs)
#include "rules/states.def"
#undef INITIAL
#undef MOVE
};

struct move {
	const char *kind, *from, *to;
	unsigned needs;
};
static const struct move moves[] = {
#define INITIAL(kind, state)
#define MOVE(kind, from, to, needs) {#kind, #from, #to, (needs)},
#include "rules/states.def"
#undef INITIAL
#undef MOVE
};

enum {
	N_INITIALS = sizeof initials / sizeof initials[0],
	N_MOVES = sizeof moves / sizeof moves[0]
};

/* Words joined with ", ", cut where the room ends. */
struct words {
	char *at;
	size_t size, n;
};

static void words_add(struct words *w, const char *word)
{
	if (w->n < w->size)
		w->n += (size_t)snprintf(w->at + w->n, w->size - w->n, "%s%s", w->n ? ", " : "",
					 word);
}

static void initial_words(const struct kind *k, char *out, size_t size)
{
	struct words w = {out, size, 0};
	out[0] = '\0';
	for (size_t i = 0; i < N_INITIALS; i++)
		if (!strcmp(initials[i].kind, k->name))
			words_add(&w, initials[i].state);
}

static void allowed_words(const struct kind *k, const char *from, char *out, size_t size)
{
	struct words w = {out, size, 0};
	out[0] = '\0';
	for (size_t i = 0; i < N_MOVES; i++)
		if (!strcmp(moves[i].kind, k->name) && !strcmp(moves[i].from, from))
			words_add(&w, moves[i].to);
}

void rules_allowed(const struct kind *k, int from, char *out, size_t size)
{
	char word[48];
	out[0] = '\0';
	const field_desc *state = field_state(k);
	if (!state)
		return;
	field_enum_word(state->descriptor, from, word);
	allowed_words(k, word, out, size);
}

void rules_default_state(const struct kind *k, ProtobufCMessage *m)
{
	const field_desc *state = field_state(k);
	if (!state || field_present(m, state) || (field_rule(k, state).flags & FIELD_REQUIRED))
		return;
	for (size_t i = 0; i < N_INITIALS; i++) {
		int number;
		if (strcmp(initials[i].kind, k->name) != 0)
			continue;
		if (field_enum_number(state->descriptor, initials[i].state, &number, NULL) == 0)
			field_put_int(m, state, number);
		return;
	}
}

static bool given(const char *text)
{
	return text && text[strspn(text, " \t\n")];
}

static bool has_cause(const ProtobufCMessage *m, const field_desc *cause)
{
	if (!field_present(m, cause))
		return false;
	if (field_type(cause) == FIELD_ENUM)
		return field_int(m, cause) != 0;
	return field_type(cause) != FIELD_TEXT || given(*(char *const *)field_at(m, cause));
}

/* One state of a record: where problems with it are reported, and what is to be checked. */
struct entry {
	const struct kind *k;
	const ProtobufCMessage *after;
	const char *reason;
	const char *to;
	char field[64];
	struct problems *out;
};

static void need_cause(const struct entry *x)
{
	char words[120] = "a few words";
	const field_desc *cause = field_by_name(x->k, "cause");
	if (!cause || has_cause(x->after, cause))
		return;
	if (field_type(cause) == FIELD_ENUM)
		field_enum_words(cause->descriptor, words, sizeof words);
	char path[64];
	snprintf(path, sizeof path, "%s.cause", x->k->name);
	problem_add(x->out, false, path, "CAUSE", "%s: %s needs a cause (%s)", x->k->name, x->to,
		    words);
}

static void check_needs(const struct entry *x, unsigned needs)
{
	if (needs & MOVE_NEEDS_CAUSE)
		need_cause(x);
	if ((needs & MOVE_NEEDS_REASON) && !given(x->reason))
		problem_add(x->out, false, x->field, "REASON", "%s: %s needs a reason", x->k->name,
			    x->to);
}

/* A record that begins in this state has what every way into the state needs. */
static void check_backfill(const struct entry *x)
{
	unsigned needs = ~0u;
	bool reachable = false;
	for (size_t i = 0; i < N_MOVES; i++) {
		if (strcmp(moves[i].kind, x->k->name) != 0 || strcmp(moves[i].to, x->to) != 0)
			continue;
		needs &= moves[i].needs;
		reachable = true;
	}
	if (reachable)
		check_needs(x, needs);
}

static void check_creation(const struct entry *x)
{
	char words[160];
	for (size_t i = 0; i < N_INITIALS; i++)
		if (!strcmp(initials[i].kind, x->k->name) && !strcmp(initials[i].state, x->to))
			return;
	initial_words(x->k, words, sizeof words);
	if (!*words)
		return;
	if (given(x->reason))
		check_backfill(x);
	else
		problem_add(x->out, false, x->field, "STATE",
			    "%s: a new one does not begin as %s but as %s; a reason lets the past "
			    "be entered",
			    x->k->name, x->to, words);
}

static void check_move(const struct entry *x, const char *from)
{
	char words[160];
	for (size_t i = 0; i < N_MOVES; i++) {
		const struct move *m = &moves[i];
		if (!strcmp(m->kind, x->k->name) && !strcmp(m->from, from) &&
		    !strcmp(m->to, x->to)) {
			check_needs(x, m->needs);
			return;
		}
	}
	allowed_words(x->k, from, words, sizeof words);
	problem_add(x->out, false, x->field, "STATE", "%s: %s -> %s is not allowed; from %s: %s",
		    x->k->name, from, x->to, from, *words ? words : "nowhere, it is final");
}

void rules_check_state(const struct kind *k, const ProtobufCMessage *before,
		       const ProtobufCMessage *after, const char *reason, struct problems *out)
{
	char from[48], to[48];
	const field_desc *state = field_state(k);
	if (!state)
		return;
	struct entry x = {.k = k, .after = after, .reason = reason, .to = to, .out = out};
	snprintf(x.field, sizeof x.field, "%s.%s", k->name, state->name);
	bool had = before && field_present(before, state);
	if (!field_present(after, state)) {
		if (had)
			problem_add(out, false, x.field, "STATE", "%s: the %s cannot be taken away",
				    k->name, state->name);
		return;
	}
	field_enum_word(state->descriptor, (int)field_int(after, state), to);
	if (!had) {
		check_creation(&x);
		return;
	}
	field_enum_word(state->descriptor, (int)field_int(before, state), from);
	if (strcmp(from, to) != 0)
		check_move(&x, from);
}
