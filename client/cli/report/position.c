/* position.c -- the load that somebody takes on, told when the position is taken.  Reads what
 * belongs to one actor, not its whole territory. */
#include <string.h>

#include "clock.h"
#include "i18n.h"
#include "method/load.h"
#include "report.h"
#include "rows.h"
#include "say.h"
#include "text.h"

/* A record as the network's: its fields come as text. */
static int add_record(struct network *net, const struct seve_record *r)
{
	const struct kind *k = kind_by_name(seve_record_kind(r));
	ProtobufCMessage *m = k ? field_new_message(net->arena, k->desc) : NULL;
	Seve__Body *body = arena_alloc(net->arena, sizeof *body);
	struct uuid id;
	if (!m || !body || uuid_parse(seve_record_id(r), &id, NULL) < 0)
		return -ERR_NOMEM;
	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		const char *text = seve_record_get(r, k->desc->fields[i].name);
		if (text && *text &&
		    field_from_text(net->arena, m, &k->desc->fields[i], text, NULL) < 0)
			return -ERR_INVALID;
	}
	seve__body__init(body);
	kind_set_message(k, body, m);
	return network_add_body(net, seve_record_territory(r), id.b, seve_record_rev(r), body,
				NULL);
}

static int add_of_actor(struct cli *c, struct network *net, uint32_t territory, const char *kind,
			const char *actor)
{
	struct seve_list *list = NULL;
	struct seve_query *q = seve_query_new(kind);
	int rc = !q || seve_query_territory(q, territory) ||
		 seve_query_filter(q, "actor_id", "=", actor, NULL) ||
		 seve_list(c->seve, q, c->where, &list, NULL);
	for (size_t i = 0; rc == 0 && i < seve_list_count(list); i++)
		rc = add_record(net, seve_list_at(list, i));
	seve_list_free(list);
	seve_query_free(q);
	return rc;
}

static int read_actor(struct cli *c, struct network *net, uint32_t territory, const char *actor)
{
	struct seve_record *r = NULL;
	int rc = seve_get(c->seve, territory, "actor", actor, c->where, &r, NULL);
	if (rc == 0)
		rc = add_record(net, r);
	seve_record_free(r);
	if (rc == 0)
		rc = add_of_actor(c, net, territory, "availability", actor);
	if (rc == 0)
		rc = add_of_actor(c, net, territory, "position", actor);
	return rc ? rc : network_seal(net, NULL);
}

static void add_foreign(struct cli *c, struct load *l, uint32_t territory, struct month m)
{
	struct seve_table *t = NULL;
	if (!l->orgs[0].siren || c->offline ||
	    seve_load_elsewhere(c->seve, &territory, 1, m.first, m.last, &t, NULL))
		return;
	for (size_t i = 0; i < seve_table_rows(t); i++) {
		double hours;
		if (text_to_double(seve_table_get(t, i, "hours"), &hours, NULL) == 0)
			load_add_foreign(l, seve_table_get(t, i, "siren"), hours);
	}
	seve_table_free(t);
}

static void tell(struct cli *c, const struct load *l, struct month m)
{
	const struct load_org *o = &l->orgs[0];
	const char *name = node_name(l->actors[0].actor);
	const char *hours = rows_number(c, o->hours + o->foreign);
	char month[16];
	month_format(m.first, month);
	if (!o->known)
		say_note(c, _("%s has promised %s hours a month in %s; its hours are not known."),
			 name, hours, month);
	else if (o->over)
		say_note(c, _("%s has promised %s hours a month in %s and has %s: too many."), name,
			 hours, month, rows_number(c, o->available));
	else
		say_note(c, _("%s has promised %s hours a month in %s and has %s."), name, hours,
			 month, rows_number(c, o->available));
}

void report_position(struct cli *c, const struct seve_record *position)
{
	const char *actor = seve_record_get(position, "actor_id");
	const uint32_t territory = seve_record_territory(position);
	const int32_t today = day_of(clock_wall_ms());
	const struct month m = month_of(today);
	struct network net;
	struct arena a;
	struct load l;
	if (c->quiet || c->format != OUT_TABLE || !actor || !*actor)
		return;
	arena_init(&a, 64 * 1024 * 1024);
	if (network_init(&net, &a, NULL, NULL) == 0 && read_actor(c, &net, territory, actor) == 0 &&
	    load_make(&net, m, today, NULL, &a, &l, NULL) == 0 && l.n == 1) {
		add_foreign(c, &l, territory, m);
		tell(c, &l, m);
	}
	arena_fini(&a);
}
