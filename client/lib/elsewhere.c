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
