/* unit.c -- units of work and what their failures mean: see unit.h.  Knows no connection. */
#include "unit.h"

struct pg_unit *pg_unit_new(struct arena *a, void *owner, void (*done)(struct pg_unit *u))
{
	struct pg_unit *u = arena_zalloc(a, sizeof *u);
	if (!u)
		return NULL;
	u->arena = a;
	u->owner = owner;
	u->done = done;
	return u;
}

struct pg_stmt *pg_unit_add(struct pg_unit *u, struct pg_query q)
{
	/* Not zeroed as a whole: most of a statement is room for parameters. */
	struct pg_stmt *s = arena_alloc(u->arena, sizeof *s);
	if (!s)
		return NULL;
	s->query = q;
	s->result = NULL;
	s->preparing = false;
	s->next = NULL;
	pg_params_init(&s->params, u->arena);
	if (u->last)
		u->last->next = s;
	else
		u->first = s;
	u->last = s;
	return s;
}

void pg_unit_clear(struct pg_unit *u)
{
	for (struct pg_stmt *s = u->first; s; s = s->next) {
		PQclear(s->result);
		s->result = NULL;
	}
}

void pg_units_push(struct pg_units *q, struct pg_unit *u)
{
	u->next = NULL;
	if (q->last)
		q->last->next = u;
	else
		q->first = u;
	q->last = u;
	q->n++;
}

struct pg_unit *pg_units_shift(struct pg_units *q)
{
	struct pg_unit *u = q->first;
	if (!u)
		return NULL;
	q->first = u->next;
	if (!q->first)
		q->last = NULL;
	q->n--;
	u->next = NULL;
	return u;
}

/* The first row whose prefix fits holds.  LOST: nothing if it was never sent, else unknown. */
enum meaning { LOST, RETRY, SLOW, EXISTS, VALUE, RULE, DENIED, DAMAGED, DISK, BROKEN };

static enum meaning meaning_of(const char *sqlstate)
{
	static const struct {
		const char *prefix;
		enum meaning meaning;
	} table[] = {
		{"08", LOST},    /* connection exceptions */
		{"57P01", LOST}, /* administrator's or crash shutdown: may come after the commit */
		{"57P02", LOST},  {"57P03", RETRY}, /* starting up */
		{"57P05", LOST},  {"57014", SLOW},  /* statement time-out */
		{"25P03", LOST},  /* idle in transaction for too long: the session is gone */
		{"25P02", RETRY}, /* behind a failed unit: nothing was done */
		{"25006", RETRY}, /* read only: this is a standby now */
		{"26000", RETRY}, /* the prepared statement is gone */
		{"40003", LOST},  /* statement completion unknown */
		{"40", RETRY},    /* serialisation failure, deadlock */
		{"53", RETRY},    /* disk full, memory, connections */
		{"55P03", RETRY}, /* lock time-out */
		{"55006", RETRY}, {"23505", EXISTS},  {"23P01", EXISTS},
		{"23", RULE},     {"22", VALUE},      {"42501", DENIED},
		{"58", DISK},     {"XX001", DAMAGED}, {"XX002", DAMAGED},
	};
	if (!*sqlstate)
		return LOST;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strncmp(sqlstate, table[i].prefix, strlen(table[i].prefix)) == 0)
			return table[i].meaning;
	return BROKEN;
}

static enum err_code code_of(enum meaning m, bool sent)
{
	switch (m) {
	case LOST:
		return sent ? ERR_OUTCOME : ERR_UNAVAILABLE;
	case RETRY:
		return ERR_UNAVAILABLE;
	case SLOW:
		return ERR_DEADLINE;
	case EXISTS:
		return ERR_EXISTS;
	case VALUE:
		return ERR_INVALID;
	case RULE:
		return ERR_PRECONDITION;
	case DENIED:
		return ERR_DENIED;
	case DAMAGED:
		return ERR_DATA_LOSS;
	case DISK:
		return ERR_IO;
	case BROKEN:
		break;
	}
	return ERR_DATABASE;
}

void pg_error_classify(const char *sqlstate, bool sent, const char *message, struct err *e)
{
	enum meaning m = meaning_of(sqlstate);
	enum err_code code = code_of(m, sent);
	if (!message)
		message = "";
	int len = (int)strcspn(message, "\n");
	if (m == VALUE)
		err_set(e, code, "the database refused a value (%s)", sqlstate);
	else if (!*sqlstate)
		err_set(e, code, "database connection lost: %.*s", len, message);
	else
		err_set(e, code, "database: %.*s (%s)", len, message, sqlstate);
}
