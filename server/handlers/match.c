/* match.c -- needs and offers across territories: the only place that sees both sides.  What leaves
 * it of another territory is blinded by the statement already, so that no later step can let it
 * slip: family, unit and a band of distance, unless the card's own facilitator made it public.
 *
 *   OWN ─► PAGE ─► … ─► PAGE ─► pairs (a thread of the pool) ─► SHOWN ─► the reply
 *
 * Cards of others come in pages, each in a transaction of its own, and are kept as what it takes to
 * compare them; the comparison works on this copy away from the loop; only what is shown is read in
 * full.  A card that has gone meanwhile takes its pairs along.  Whoever hangs up, cancels or runs
 * out of time ends the work at the next page, or at the next card. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "kind.h"
#include "method/cross.h"
#include "method/match.h"
#include "pg/unit.h"
#include "server.h"

enum {
	PER_CARD = 5,
	PER_CARD_MAX = 50,
	PAGE_ROWS = 2000,
	OWN_MAX = 50000,     /* cards of the own territory, */
	OTHERS_MAX = 500000, /* and of others: 40 MB */
	PAIRS_MAX = 5000,    /* in one answer, */
	PAIRS_BYTES = 900 * 1024,
	PAIRS_ARENA = 16 * 1024 * 1024,
	AT_ONCE = 4, /* such requests in the whole server */
};

enum column { TERRITORY, ID, NEED, FAMILY, UNIT, LAT, LON, NEAR };
enum shown { N, REF, STANCE, S_FAMILY, LABEL, QUANTITY, BASIS, ACTOR, PLACE, OPENED };

struct cards {
	struct cross_card *list;
	size_t n, room;
};

struct match_request {
	struct request *request;
	uint32_t territory;
	Seve__Level reads;
	size_t per_card;
	double radius;
	uint8_t salt[16];
	struct pg_stmt *self, *rows;
	struct cards own, others;
	bool families[64]; /* that the own cards have, by number */
	bool cut;
	atomic_bool stop;
	uv_work_t work;
	struct arena scratch; /* of the pairs: written by the thread */
	struct cross_pair *pairs;
	size_t n_pairs;
	struct err err; /* the thread's */
	bool queued;    /* for the thread, or with it */
};

/* ---- ending -----------------------------------------------------------------------------------
 */

static void match_free(struct match_request *m)
{
	m->request->server->matching--;
	m->request->on_gone = NULL;
	free(m->own.list);
	free(m->others.list);
	arena_fini(&m->scratch);
}

static void match_fail(struct match_request *m, const struct err *e)
{
	match_free(m);
	request_fail(m->request, e);
}

static void on_gone(struct request *r)
{
	struct match_request *m = r->handler;

	atomic_store_explicit(&m->stop, true, memory_order_relaxed);
	if (m->queued)
		uv_cancel((uv_req_t *)&m->work); /* what no thread has begun ends without one */
}

/* Whether the work is to go on; if not, it has ended. */
static bool goes_on(struct match_request *m, const struct err *e)
{
	struct err gone;

	if (!e->code && !request_gone(m->request))
		return true;
	if (!e->code)
		err_set(&gone, ERR_CANCELLED, "nobody waits for the answer any more");
	match_fail(m, e->code ? e : &gone);
	return false;
}

/* ---- cards --------------------------------------------------------------------------------------
 */

static int read_card(const PGresult *res, int row, struct cross_card *c)
{
	const struct span id = pg_get_bytes(res, row, ID);
	double factor;

	*c = (struct cross_card){.territory = (uint32_t)pg_get_int4(res, row, TERRITORY)};
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
	return 0;
}

static int read_cards(const PGresult *res, struct cards *to, struct err *e)
{
	const size_t n = (size_t)PQntuples(res);

	if (to->n + n > to->room) {
		const size_t room = 2 * to->room + n;
		struct cross_card *list = realloc(to->list, room * sizeof *list);

		if (!list)
			return err_set(e, ERR_NOMEM, "match");
		to->list = list;
		to->room = room;
	}
	for (size_t i = 0; i < n; i++) {
		if (read_card(res, (int)i, &to->list[to->n]))
			return err_set(e, ERR_DATA_LOSS,
				       "a resource of the database has no family");
		to->n++;
	}
	return 0;
}

/* ---- the reply ----------------------------------------------------------------------------------
 */

static char *text_at(struct match_request *m, int row, int column)
{
	const PGresult *res = m->rows->result;

	return pg_is_null(res, row, column)
		       ? NULL
		       : arena_strdup(&m->request->arena, pg_get_text(res, row, column));
}

static int make_pair(struct match_request *m, const struct cross_pair *p, int own, int other,
		     Seve__MatchPair *out)
{
	const PGresult *res = m->rows->result;
	struct arena *a = &m->request->arena;
	char ref[16];

	seve__match_pair__init(out);
	kind_format_ref(kind_by_number(SEVE__BODY__KIND_RESOURCE),
			pg_is_null(res, own, REF) ? 0 : (uint32_t)pg_get_int4(res, own, REF), ref);
	out->has_own_id = true;
	out->own_id = (ProtobufCBinaryData){16, arena_memdup(a, m->own.list[p->own].id.b, 16)};
	out->own_ref = arena_strdup(a, ref);
	out->own_label = text_at(m, own, LABEL);
	out->stance = text_at(m, other, STANCE);
	out->family = text_at(m, other, S_FAMILY);
	out->unit = arena_strdup(a, m->others.list[p->other].unit);
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

/* For each card asked for the row that tells of it; -1: it is there no more. */
static int *rows_by_number(struct match_request *m)
{
	const PGresult *res = m->rows->result;
	int *rows = arena_array(&m->request->arena, 2 * m->n_pairs + 1, sizeof *rows);

	for (size_t i = 0; rows && i < 2 * m->n_pairs; i++)
		rows[i] = -1;
	for (int i = 0; rows && i < PQntuples(res); i++) {
		const int n = pg_get_int4(res, i, N);

		if (n > 0 && (size_t)n <= 2 * m->n_pairs)
			rows[n - 1] = i;
	}
	return rows;
}

static int make_pairs(struct match_request *m, Seve__MatchReply *out)
{
	Seve__MatchPair *list = arena_array(&m->request->arena, m->n_pairs + 1, sizeof *list);
	const int *rows = rows_by_number(m);
	size_t bytes = 0;

	out->pairs = arena_array(&m->request->arena, m->n_pairs + 1, sizeof *out->pairs);
	if (!list || !rows || !out->pairs)
		return -ERR_NOMEM;
	for (size_t i = 0; i < m->n_pairs; i++) {
		Seve__MatchPair *p = &list[out->n_pairs];

		if (rows[2 * i] < 0 || rows[2 * i + 1] < 0)
			continue;
		if (make_pair(m, &m->pairs[i], rows[2 * i], rows[2 * i + 1], p))
			return -ERR_NOMEM;
		bytes += seve__match_pair__get_packed_size(p) + 4;
		m->cut |= bytes > PAIRS_BYTES;
		if (bytes > PAIRS_BYTES)
			break;
		out->pairs[out->n_pairs++] = p;
	}
	return 0;
}

static void match_reply(struct match_request *m)
{
	const Seve__MatchRequest *q = m->request->body->match;
	const size_t wanted = q->has_per_card ? q->per_card : PER_CARD;
	Seve__MatchReply match = SEVE__MATCH_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct err e = {.code = ERR_OK};

	if (m->n_pairs && make_pairs(m, &match))
		err_set(&e, ERR_NOMEM, "match");
	if (m->n_pairs)
		PQclear(m->rows->result);
	if (!goes_on(m, &e))
		return;
	match.has_cut = m->cut;
	match.cut = m->cut;
	match.has_per_card = m->per_card < wanted;
	match.per_card = (uint32_t)m->per_card;
	reply.body_case = SEVE__REPLY__BODY_MATCH;
	reply.match = &match;
	match_free(m);
	request_reply(m->request, &reply);
}

/* ---- what is shown ----------------------------------------------------------------------------
 */

static void shown(struct pg_unit *u)
{
	struct match_request *m = u->owner;
	struct err e = u->err;
	PGresult *res = e.code ? NULL : m->rows->result;

	if (res)
		m->rows->result = NULL; /* the reply borrows from it */
	pg_unit_clear(u);
	if (!goes_on(m, &e)) {
		PQclear(res);
		return;
	}
	m->rows->result = res;
	match_reply(m);
}

static int ask_shown(struct match_request *m)
{
	struct arena *a = &m->request->arena;
	struct pg_unit *u = pg_unit_new(a, m, shown);
	struct pg_array territories, ids;

	if (!u || !pg_unit_add(u, pg_sql("set_all_territories")))
		return -ERR_NOMEM;
	m->rows = pg_unit_add(u, pg_sql("cross_shown"));
	if (!m->rows)
		return -ERR_NOMEM;
	pg_array_init(&territories, a, PG_INT4);
	pg_array_init(&ids, a, PG_UUID);
	for (size_t i = 0; i < m->n_pairs; i++) {
		const struct cross_card *both[] = {&m->own.list[m->pairs[i].own],
						   &m->others.list[m->pairs[i].other]};

		for (int k = 0; k < 2; k++) {
			pg_array_int4(&territories, (int32_t)both[k]->territory);
			pg_array_uuid(&ids, both[k]->id.b);
		}
	}
	pg_params_array(&m->rows->params, &territories);
	pg_params_array(&m->rows->params, &ids);
	pg_params_int4(&m->rows->params, (int32_t)m->territory);
	pg_params_int4(&m->rows->params, (int32_t)m->reads);
	if (pg_params_bad(&m->rows->params))
		return -ERR_NOMEM;
	pg_pool_submit(m->request->server->readers, u);
	return 0;
}

/* ---- pairs: on a thread of the pool, over copies that nobody else looks at --------------------
 */

static void pair_up(uv_work_t *w)
{
	struct match_request *m = w->data;

	cross_make(m->own.list, m->own.n, m->others.list, m->others.n, m->radius, m->per_card,
		   m->salt, &m->stop, &m->scratch, &m->pairs, &m->n_pairs, &m->err);
}

static void paired(uv_work_t *w, int status)
{
	struct match_request *m = w->data;
	struct err e = m->err;

	m->queued = false;
	if (status == UV_ECANCELED)
		err_set(&e, ERR_CANCELLED, "nobody waits for the answer any more");
	else if (status && !e.code)
		err_set(&e, ERR_INTERNAL, "matching: %s", uv_strerror(status));
	if (!goes_on(m, &e))
		return;
	if (!m->n_pairs)
		match_reply(m);
	else if (ask_shown(m)) {
		err_set(&e, ERR_NOMEM, "match");
		match_fail(m, &e);
	}
}

/* Each own card gets its share of the answer: the first ones of many do not take it all. */
static int compare(struct match_request *m, struct err *e)
{
	int rc;

	if (m->own.n > PAIRS_MAX) {
		m->own.n = PAIRS_MAX;
		m->cut = true;
	}
	if (m->own.n * m->per_card > PAIRS_MAX)
		m->per_card = PAIRS_MAX / m->own.n;
	m->work.data = m;
	rc = uv_queue_work(m->request->server->loop, &m->work, pair_up, paired);
	m->queued = !rc;
	return rc ? err_set(e, ERR_INTERNAL, "matching: %s", uv_strerror(rc)) : 0;
}

/* ---- the cards of others ------------------------------------------------------------------------
 */

static int ask_page(struct match_request *m, struct err *e);

static void page_read(struct pg_unit *u)
{
	struct match_request *m = u->owner;
	struct err e = u->err;
	bool more = false;

	if (!e.code && !read_cards(m->rows->result, &m->others, &e)) {
		more = PQntuples(m->rows->result) == PAGE_ROWS;
		m->cut |= more && m->others.n >= OTHERS_MAX;
	}
	pg_unit_clear(u);
	if (!goes_on(m, &e))
		return;
	if (more && m->others.n < OTHERS_MAX ? ask_page(m, &e) : compare(m, &e))
		match_fail(m, &e);
}

static void put_families(struct match_request *m, struct pg_array *to)
{
	const ProtobufCEnumDescriptor *d = &seve__resource__family__descriptor;

	pg_array_init(to, &m->request->arena, PG_TEXT);
	for (int i = 0; i < (int)(sizeof m->families / sizeof *m->families); i++) {
		char word[48];

		if (!m->families[i])
			continue;
		field_enum_word(d, i, word);
		pg_array_text(to, word);
	}
}

static int ask_page(struct match_request *m, struct err *e)
{
	static const struct cross_card none;
	const struct cross_card *last = m->others.n ? &m->others.list[m->others.n - 1] : &none;
	struct pg_unit *u = pg_unit_new(&m->request->arena, m, page_read);
	struct pg_array families;

	if (!u || !pg_unit_add(u, pg_sql("set_all_territories")))
		return err_set(e, ERR_NOMEM, "match");
	m->rows = pg_unit_add(u, pg_sql("cross_page"));
	if (!m->rows)
		return err_set(e, ERR_NOMEM, "match");
	put_families(m, &families);
	pg_params_int4(&m->rows->params, (int32_t)m->territory);
	pg_params_array(&m->rows->params, &families);
	pg_params_int4(&m->rows->params, (int32_t)last->territory);
	pg_params_uuid(&m->rows->params, last->id.b);
	pg_params_int4(&m->rows->params, PAGE_ROWS);
	if (pg_params_bad(&m->rows->params))
		return err_set(e, ERR_NOMEM, "match");
	pg_pool_submit(m->request->server->readers, u);
	return 0;
}

/* ---- the own cards ------------------------------------------------------------------------------
 */

static int read_own(struct match_request *m, struct err *e)
{
	struct span salt;

	if (!PQntuples(m->self->result))
		return err_set(e, ERR_NOT_FOUND, "the territory has no record");
	salt = pg_get_bytes(m->self->result, 0, 1);
	if (salt.len != sizeof m->salt)
		return err_set(e, ERR_DATA_LOSS, "no salt");
	memcpy(m->salt, salt.at, sizeof m->salt);
	m->radius = pg_get_float8(m->self->result, 0, 0);
	if (read_cards(m->rows->result, &m->own, e))
		return -(int)e->code;
	m->cut = m->own.n > OWN_MAX;
	for (size_t i = 0; i < m->own.n; i++) {
		const int family = m->own.list[i].family;

		if (family > 0 && family < (int)(sizeof m->families / sizeof *m->families))
			m->families[family] = true;
	}
	return 0;
}

static void own_read(struct pg_unit *u)
{
	struct match_request *m = u->owner;
	struct err e = u->err;

	if (!e.code)
		read_own(m, &e);
	pg_unit_clear(u);
	if (!goes_on(m, &e))
		return;
	if (!m->own.n)
		match_reply(m);
	else if (ask_page(m, &e))
		match_fail(m, &e);
}

static int ask_own(struct match_request *m, struct err *e)
{
	struct pg_unit *u = pg_unit_new(&m->request->arena, m, own_read);

	if (!u || !pg_unit_add(u, pg_sql("set_all_territories")))
		return err_set(e, ERR_NOMEM, "match");
	m->self = pg_unit_add(u, pg_sql("cross_self"));
	m->rows = pg_unit_add(u, pg_sql("cross_own"));
	if (!m->self || !m->rows)
		return err_set(e, ERR_NOMEM, "match");
	pg_params_int4(&m->self->params, (int32_t)m->territory);
	pg_params_int4(&m->rows->params, (int32_t)m->territory);
	pg_params_int4(&m->rows->params, (int32_t)m->reads);
	pg_params_int4(&m->rows->params, OWN_MAX + 1);
	pg_pool_submit(m->request->server->readers, u);
	return 0;
}

/* ---- starting -----------------------------------------------------------------------------------
 */

static int match_check(struct request *r, struct match_request *m, struct err *e)
{
	const Seve__MatchRequest *body = r->body->match;
	struct rights rights;

	m->request = r;
	m->territory = body->territory;
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
	m->reads = rights.reads;
	if (r->server->matching < AT_ONCE)
		return 0;
	err_set(e, ERR_EXHAUSTED, "%d territories are being matched with others already", AT_ONCE);
	e->retry_after_ms = 1000;
	return -(int)ERR_EXHAUSTED;
}

void handle_match(struct request *r)
{
	struct match_request *m = arena_zalloc(&r->arena, sizeof *m);
	struct err e = {.code = ERR_OK};

	if (!m)
		err_set(&e, ERR_NOMEM, "match");
	if (!m || match_check(r, m, &e)) {
		request_fail(r, &e);
		return;
	}
	r->server->matching++;
	arena_init(&m->scratch, PAIRS_ARENA);
	r->handler = m;
	r->on_gone = on_gone;
	if (ask_own(m, &e))
		match_fail(m, &e);
}
