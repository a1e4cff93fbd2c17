/* match.c -- needs and offers across territories: the only place that sees both sides.  What leaves
 * it of another territory is blinded by the statement already, so that no later step can let it
 * slip: family, unit and a band of distance, unless the card's own facilitator made it public. */
#include <stdio.h>
#include <string.h>

#include "dispatch.h"
#include "kind.h"
#include "method/cross.h"
#include "method/match.h"
#include "pg/unit.h"
#include "server.h"

enum { PER_CARD = 5, PER_CARD_MAX = 50, PAIRS_MAX = 5000, CARDS_ARENA = 512 * 1024 * 1024 };

enum column {
	OWN,
	ID,
	NEED,
	FAMILY,
	UNIT,
	LAT,
	LON,
	REF,
	LABEL,
	QUANTITY,
	BASIS,
	ACTOR,
	PLACE,
	OPENED,
	NEAR,
	STANCE
};

struct match_request {
	struct request *request;
	uint32_t per_card;
	struct pg_stmt *self, *cards;
	struct arena scratch; /* of the cards: more than a request's own */
	struct cross_card *own, *others;
	size_t n_own, n_others;
};

/* ---- cards --------------------------------------------------------------------------------------
 */

static int read_card(const PGresult *res, int row, struct cross_card *c)
{
	const struct span id = pg_get_bytes(res, row, ID);
	double factor;

	if (id.len != 16 || field_enum_number(&seve__resource__family__descriptor,
					      pg_get_text(res, row, FAMILY), &c->family, NULL))
		return -ERR_DATA_LOSS;
	memcpy(c->id.b, id.at, 16);
	c->need = pg_get_bool(res, row, NEED);
	match_unit(pg_is_null(res, row, UNIT) ? "" : pg_get_text(res, row, UNIT), c->unit, &factor);
	c->placed = !pg_is_null(res, row, LAT) && !pg_is_null(res, row, LON);
	if (c->placed) {
		c->lat = pg_get_float8(res, row, LAT);
		c->lon = pg_get_float8(res, row, LON);
	}
	c->near = pg_get_bool(res, row, NEAR);
	c->row = (size_t)row;
	return 0;
}

static int read_cards(struct match_request *m, struct err *e)
{
	const PGresult *res = m->cards->result;
	const int n = PQntuples(res);

	m->own = arena_array(&m->scratch, (size_t)n + 1, sizeof *m->own);
	m->others = arena_array(&m->scratch, (size_t)n + 1, sizeof *m->others);
	if (!m->own || !m->others)
		return err_set(e, ERR_NOMEM, "match");
	for (int row = 0; row < n; row++) {
		const bool own = pg_get_bool(res, row, OWN);
		struct cross_card *c = own ? &m->own[m->n_own] : &m->others[m->n_others];

		if (read_card(res, row, c))
			return err_set(e, ERR_DATA_LOSS,
				       "a resource of the database has no family");
		m->n_own += own;
		m->n_others += !own;
	}
	return 0;
}

/* ---- the reply ----------------------------------------------------------------------------------
 */

static char *text_at(struct match_request *m, int row, int column)
{
	const PGresult *res = m->cards->result;

	return pg_is_null(res, row, column)
		       ? NULL
		       : arena_strdup(&m->request->arena, pg_get_text(res, row, column));
}

static int make_pair(struct match_request *m, const struct cross_pair *p, Seve__MatchPair *out)
{
	const PGresult *res = m->cards->result;
	struct arena *a = &m->request->arena;
	const int own = (int)m->own[p->own].row, other = (int)m->others[p->other].row;
	char ref[16];

	seve__match_pair__init(out);
	kind_format_ref(kind_by_number(SEVE__BODY__KIND_RESOURCE),
			pg_is_null(res, own, REF) ? 0 : (uint32_t)pg_get_int4(res, own, REF), ref);
	out->has_own_id = true;
	out->own_id = (ProtobufCBinaryData){16, arena_memdup(a, m->own[p->own].id.b, 16)};
	out->own_ref = arena_strdup(a, ref);
	out->own_label = text_at(m, own, LABEL);
	out->stance = text_at(m, other, STANCE);
	out->family = text_at(m, other, FAMILY);
	out->unit = arena_strdup(a, m->others[p->other].unit);
	out->band = arena_strdup(a, p->band);
	out->handle = arena_strdup(a, p->handle);
	if (!out->own_id.data || !out->own_ref || !out->handle || !out->unit || !out->band)
		return -ERR_NOMEM;
	out->has_opened = true;
	out->opened = pg_get_bool(res, other, OPENED);
	if (!out->opened)
		return 0;
	out->label = text_at(m, other, LABEL);
	out->basis = text_at(m, other, BASIS);
	out->actor = text_at(m, other, ACTOR);
	out->place = text_at(m, other, PLACE);
	out->has_quantity = !pg_is_null(res, other, QUANTITY);
	if (out->has_quantity)
		out->quantity = pg_get_float8(res, other, QUANTITY);
	return 0;
}

static int match_pairs(struct match_request *m, Seve__MatchReply *out, struct err *e)
{
	struct cross_pair *pairs;
	struct span salt;
	size_t n;

	if (!PQntuples(m->self->result))
		return err_set(e, ERR_NOT_FOUND, "the territory has no record");
	salt = pg_get_bytes(m->self->result, 0, 1);
	if (salt.len != 16 || read_cards(m, e))
		return e->code ? -(int)e->code : err_set(e, ERR_DATA_LOSS, "no salt");
	if (cross_make(m->own, m->n_own, m->others, m->n_others,
		       pg_get_float8(m->self->result, 0, 0), m->per_card, salt.at, &m->scratch,
		       &pairs, &n, e))
		return -(int)e->code;
	if (n > PAIRS_MAX)
		n = PAIRS_MAX;
	Seve__MatchPair *list = arena_array(&m->request->arena, n + 1, sizeof *list);
	out->pairs = arena_array(&m->request->arena, n + 1, sizeof *out->pairs);
	if (!list || !out->pairs)
		return err_set(e, ERR_NOMEM, "match");
	for (size_t i = 0; i < n; i++) {
		if (make_pair(m, &pairs[i], &list[i]))
			return err_set(e, ERR_NOMEM, "match");
		out->pairs[out->n_pairs++] = &list[i];
	}
	return 0;
}

static void match_done(struct pg_unit *u)
{
	struct match_request *m = u->owner;
	Seve__MatchReply match = SEVE__MATCH_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct err e = u->err;

	arena_init(&m->scratch, CARDS_ARENA);
	if (!e.code)
		match_pairs(m, &match, &e);
	arena_fini(&m->scratch);
	pg_unit_clear(u);
	if (e.code) {
		request_fail(m->request, &e);
		return;
	}
	reply.body_case = SEVE__REPLY__BODY_MATCH;
	reply.match = &match;
	request_reply(m->request, &reply);
}

/* ---- starting -----------------------------------------------------------------------------------
 */

static int match_ask(struct match_request *m, uint32_t territory, Seve__Level reads, struct err *e)
{
	struct pg_unit *u = pg_unit_new(&m->request->arena, m, match_done);

	if (!u || !pg_unit_add(u, pg_sql("set_all_territories")))
		return err_set(e, ERR_NOMEM, "match");
	m->self = pg_unit_add(u, pg_sql("cross_self"));
	m->cards = pg_unit_add(u, pg_sql("cross_cards"));
	if (!m->self || !m->cards)
		return err_set(e, ERR_NOMEM, "match");
	pg_params_int4(&m->self->params, (int32_t)territory);
	pg_params_int4(&m->cards->params, (int32_t)territory);
	pg_params_int4(&m->cards->params, (int32_t)reads);
	pg_pool_submit(m->request->server->readers, u);
	return 0;
}

static int match_start(struct request *r, struct err *e)
{
	const Seve__MatchRequest *body = r->body->match;
	struct match_request *m = arena_zalloc(&r->arena, sizeof *m);
	struct rights rights;

	*e = (struct err){.code = ERR_OK};
	if (!m)
		return err_set(e, ERR_NOMEM, "match");
	m->request = r;
	m->per_card = body->has_per_card ? body->per_card : PER_CARD;
	if (m->per_card < 1 || m->per_card > PER_CARD_MAX)
		return err_set(e, ERR_INVALID, "per_card: 1 to %d", PER_CARD_MAX);
	if (authz_read(r->who, body->territory, &rights, e))
		return -(int)e->code;
	if (rights.reads < SEVE__LEVEL__LEVEL_NETWORK || !(rights.writes & (KIND_BY_F | KIND_BY_C)))
		return err_set(e, ERR_DENIED,
			       "territory %u: matching with others is for its facilitators and "
			       "coordinators",
			       body->territory);
	return match_ask(m, body->territory, rights.reads, e);
}

void handle_match(struct request *r)
{
	struct err e;

	if (match_start(r, &e))
		request_fail(r, &e);
}
