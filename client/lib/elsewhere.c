/* elsewhere.c -- what only the server can tell of territories that the account may not read. */
#include "client.h"
#include "table.h"
#include "text.h"

enum { ASK_MAX = 8 * 1024 * 1024 };

int seve_load_elsewhere(struct seve *s, const uint32_t *territories, size_t n, int32_t from_on,
			int32_t to_on, struct seve_table **out, struct seve_error **err)
{
	static const char *const columns[] = {"siren", "hours", NULL};
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__LoadRequest load = SEVE__LOAD_REQUEST__INIT;
	const Seve__Reply *reply;
	struct err e = {0};
	struct arena a;

	load.n_territories = n;
	load.territories = (uint32_t *)(uintptr_t)territories;
	load.has_from_on = load.has_to_on = true;
	load.from_on = from_on;
	load.to_on = to_on;
	req.body_case = SEVE__REQUEST__BODY_LOAD;
	req.load = &load;
	arena_init(&a, ASK_MAX);
	if (client_ask(s, &req, &a, false, true, &reply, &e) == 0 &&
	    reply->body_case != SEVE__REPLY__BODY_LOAD)
		err_set(&e, ERR_PROTOCOL, "the answer is of another kind than the question");
	if (!e.code) {
		struct seve_table *t = table_new(columns);

		for (size_t i = 0; i < reply->load->n_items; i++) {
			char hours[32];

			text_from_double(reply->load->items[i]->hours, hours);
			table_row(t);
			table_put(t, "siren", "%s", reply->load->items[i]->siren);
			table_put(t, "hours", "%s", hours);
		}
		table_finish(t, out, &e);
	}
	arena_fini(&a);
	return error_out(err, &e);
}

static void pair_row(struct seve_table *t, const Seve__MatchPair *p)
{
	struct uuid id = {{0}};
	char text[UUID_TEXT], quantity[32] = "";

	if (p->own_id.len == sizeof id.b)
		memcpy(id.b, p->own_id.data, sizeof id.b);
	uuid_format(&id, text);
	if (p->has_quantity)
		text_from_double(p->quantity, quantity);
	table_row(t);
	table_put(t, "own", "%s", p->own_ref ? p->own_ref : "");
	table_put(t, "own_id", "%s", text);
	table_put(t, "own_label", "%s", p->own_label ? p->own_label : "");
	table_put(t, "stance", "%s", p->stance ? p->stance : "");
	table_put(t, "family", "%s", p->family ? p->family : "");
	table_put(t, "unit", "%s", p->unit ? p->unit : "");
	table_put(t, "band", "%s", p->band ? p->band : "");
	table_put(t, "handle", "%s", p->handle ? p->handle : "");
	table_put(t, "opened", "%s", p->opened ? "yes" : "no");
	table_put(t, "label", "%s", p->label ? p->label : "");
	table_put(t, "quantity", "%s", quantity);
	table_put(t, "basis", "%s", p->basis ? p->basis : "");
	table_put(t, "actor", "%s", p->actor ? p->actor : "");
	table_put(t, "place", "%s", p->place ? p->place : "");
}

int seve_match_cross(struct seve *s, uint32_t territory, struct seve_table **out,
		     struct seve_error **err)
{
	static const char *const columns[] = {"own",      "own_id", "own_label", "stance", "family",
					      "unit",     "band",   "handle",    "opened", "label",
					      "quantity", "basis",  "actor",     "place",  NULL};
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__MatchRequest match = SEVE__MATCH_REQUEST__INIT;
	const Seve__Reply *reply;
	struct err e = {0};
	struct arena a;

	match.has_territory = true;
	match.territory = territory;
	req.body_case = SEVE__REQUEST__BODY_MATCH;
	req.match = &match;
	arena_init(&a, 2 * ASK_MAX);
	if (client_ask(s, &req, &a, false, true, &reply, &e) == 0 &&
	    reply->body_case != SEVE__REPLY__BODY_MATCH)
		err_set(&e, ERR_PROTOCOL, "the answer is of another kind than the question");
	if (!e.code) {
		struct seve_table *t = table_new(columns);

		for (size_t i = 0; i < reply->match->n_pairs; i++)
			pair_row(t, reply->match->pairs[i]);
		if (reply->match->cut || reply->match->has_per_card)
			table_cut(t);
		table_finish(t, out, &e);
	}
	arena_fini(&a);
	return error_out(err, &e);
}
