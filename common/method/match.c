/* match.c -- see match.h.  Offers are found by what they have in common with a need: an index of
 * the words of their labels and of their waste codes, by family. */
#include "match.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum {
	WORDS_MAX = 16,   /* of one label */
	WORD_STEM = 6,    /* letters that count: palette, palettes */
	WORD_LEAST = 3,   /* shorter ones say nothing */
	COMMON_MAX = 400, /* offers that share a word before it says nothing */
};

#define PI 3.14159265358979323846

struct card {
	const struct node *node;
	const Seve__Resource *r;
	const Seve__Actor *actor; /* or NULL */
	uint64_t words[WORDS_MAX];
	size_t n_words;
	char unit[24];
	double per_year; /* in the base unit; < 0: not comparable */
};

struct posting {
	uint64_t key;
	uint32_t card;
};

struct pair {
	uint32_t territory;
	struct uuid need, offer;
};

struct matching {
	const struct network *net;
	struct arena *arena;
	struct card *needs, *offers;
	size_t n_needs, n_offers;
	struct posting *postings;
	size_t n_postings;
	struct pair *judged;
	size_t n_judged;
	uint32_t *seen_by; /* by offer: 1 + the need that looked at it last */
	struct suggestion *found;
	size_t n_found, room;
};

const char *match_reason_word(unsigned bit)
{
	static const char *const words[] = {"family",   "label",  "waste_code", "unit",
					    "quantity", "period", "distance"};

	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (bit == 1U << i)
			return words[i];
	return "";
}

double match_km(double lat1, double lon1, double lat2, double lon2)
{
	const double rad = PI / 180, dlat = (lat2 - lat1) * rad, dlon = (lon2 - lon1) * rad;
	const double h = sin(dlat / 2) * sin(dlat / 2) +
			 cos(lat1 * rad) * cos(lat2 * rad) * sin(dlon / 2) * sin(dlon / 2);

	return 2 * 6371.0 * asin(h < 1 ? sqrt(h) : 1);
}

void match_unit(const char *unit, char base[static 24], double *factor)
{
	static const struct {
		const char *unit, *base;
		double factor;
	} units[] = {{"kg", "t", 0.001}, {"tonne", "t", 1},      {"tonnes", "t", 1},
		     {"l", "m3", 0.001}, {"litre", "m3", 0.001}, {"litres", "m3", 0.001},
		     {"m³", "m3", 1},    {"kwh", "mwh", 0.001},  {"gwh", "mwh", 1000},
		     {"heure", "h", 1},  {"heures", "h", 1},     {"jour", "h", 8},
		     {"m²", "m2", 1},    {"ha", "m2", 10000}};
	size_t i = 0;

	for (; unit && unit[i] && i < 23; i++)
		base[i] = (char)tolower((unsigned char)unit[i]);
	base[i] = '\0';
	*factor = 1;
	for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
		if (strcmp(units[k].unit, base) != 0)
			continue;
		snprintf(base, 24, "%s", units[k].base);
		*factor = units[k].factor;
		return;
	}
}

/* ---- cards --------------------------------------------------------------------------------------
 */

static uint64_t hash(uint64_t seed, const char *s, size_t n)
{
	uint64_t h = 14695981039346656037U ^ seed;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 1099511628211U;
	return h;
}

static void add_word(struct card *c, const char *at, size_t n)
{
	const uint64_t h = hash((uint64_t)c->r->family, at, n < WORD_STEM ? n : WORD_STEM);

	for (size_t i = 0; i < c->n_words; i++)
		if (c->words[i] == h)
			return;
	if (n >= WORD_LEAST && c->n_words < WORDS_MAX)
		c->words[c->n_words++] = h;
}

static void read_words(struct card *c)
{
	static const char *const gaps = " \t\n.,;:/()'-_\"";
	char *folded = text_fold(c->r->label ? c->r->label : "");

	for (const char *at = folded; at && *at;) {
		const size_t n = strcspn(at, gaps);

		add_word(c, at, n);
		at += n;
		at += strspn(at, gaps);
	}
	free(folded);
}

static void read_quantity(struct card *c)
{
	double factor, times = 0;

	match_unit(c->r->unit, c->unit, &factor);
	switch (c->r->basis) {
	case SEVE__RESOURCE__BASIS__BASIS_PER_WEEK:
		times = 52;
		break;
	case SEVE__RESOURCE__BASIS__BASIS_PER_MONTH:
		times = 12;
		break;
	case SEVE__RESOURCE__BASIS__BASIS_PER_YEAR:
		times = 1;
		break;
	case SEVE__RESOURCE__BASIS__BASIS_UNSPECIFIED:
	case SEVE__RESOURCE__BASIS__BASIS_ONE_TIME:
	case SEVE__RESOURCE__BASIS__BASIS_STANDING:
	case _SEVE__RESOURCE__BASIS_IS_INT_SIZE:
		break;
	}
	c->per_year = times > 0 && c->r->has_quantity ? c->r->quantity * factor * times : -1;
}

static bool is_open(const Seve__Resource *r)
{
	return !r->has_state || r->state == SEVE__RESOURCE__STATE__STATE_OPEN;
}

static int read_cards(struct matching *m)
{
	const struct nodes all = network_kind(m->net, "resource");

	m->needs = arena_array(m->arena, all.n + 1, sizeof *m->needs);
	m->offers = arena_array(m->arena, all.n + 1, sizeof *m->offers);
	m->seen_by = arena_array(m->arena, all.n + 1, sizeof *m->seen_by);
	if (!m->needs || !m->offers || !m->seen_by)
		return -ERR_NOMEM;
	for (size_t i = 0; i < all.n; i++) {
		const Seve__Resource *r = all.list[i]->body->resource;
		const struct node *who =
			r->has_actor_id ? network_find(m->net, all.list[i]->territory, r->actor_id)
					: NULL;
		const bool need = r->stance == SEVE__RESOURCE__STANCE__STANCE_NEED;
		struct card *c = need ? &m->needs[m->n_needs] : &m->offers[m->n_offers];

		if (!is_open(r) || !r->has_stance || !r->has_family)
			continue;
		*c = (struct card){
			.node = all.list[i], .r = r, .actor = NODE_AS(who, Actor, actor)};
		read_words(c);
		read_quantity(c);
		m->n_needs += need;
		m->n_offers += !need;
	}
	return 0;
}

/* ---- the index ----------------------------------------------------------------------------------
 */

static int by_key(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->card > y->card) - (x->card < y->card);
}

/* 15 01 03* and 150103 are the same code. */
static uint64_t waste_key(const Seve__Resource *r)
{
	char digits[8];
	size_t n = 0;

	for (const char *p = r->waste_code; p && *p && n < 6; p++)
		if (isdigit((unsigned char)*p))
			digits[n++] = *p;
	return n == 6 ? hash(UINT64_C(1) << 32 | (uint64_t)r->family, digits, 6) : 0;
}

static int make_index(struct matching *m)
{
	m->postings = arena_array(m->arena, m->n_offers * (WORDS_MAX + 1) + 1, sizeof *m->postings);
	if (!m->postings)
		return -ERR_NOMEM;
	for (size_t i = 0; i < m->n_offers; i++) {
		const struct card *c = &m->offers[i];

		for (size_t k = 0; k < c->n_words; k++)
			m->postings[m->n_postings++] = (struct posting){c->words[k], (uint32_t)i};
		if (waste_key(c->r))
			m->postings[m->n_postings++] =
				(struct posting){waste_key(c->r), (uint32_t)i};
	}
	if (m->n_postings)
		qsort(m->postings, m->n_postings, sizeof *m->postings, by_key);
	return 0;
}

static size_t first_of(const struct matching *m, uint64_t key)
{
	size_t low = 0, high = m->n_postings;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (m->postings[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* ---- verdicts -----------------------------------------------------------------------------------
 */

static int by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int rc = (x->territory > y->territory) - (x->territory < y->territory);

	rc = rc ? rc : uuid_cmp(&x->need, &y->need);
	return rc ? rc : uuid_cmp(&x->offer, &y->offer);
}

static int read_verdicts(struct matching *m)
{
	const struct nodes all = network_kind(m->net, "match");

	m->judged = arena_array(m->arena, all.n + 1, sizeof *m->judged);
	if (!m->judged)
		return -ERR_NOMEM;
	for (size_t i = 0; i < all.n; i++) {
		const Seve__Match *v = all.list[i]->body->match;
		struct pair *p = &m->judged[m->n_judged];

		if (v->need_id.len != 16 || v->capacity_id.len != 16)
			continue;
		p->territory = all.list[i]->territory;
		memcpy(p->need.b, v->need_id.data, 16);
		memcpy(p->offer.b, v->capacity_id.data, 16);
		m->n_judged++;
	}
	if (m->n_judged)
		qsort(m->judged, m->n_judged, sizeof *m->judged, by_pair);
	return 0;
}

static bool is_judged(const struct matching *m, const struct card *need, const struct card *offer)
{
	const struct pair p = {need->node->territory, need->node->id, offer->node->id};

	return m->n_judged && bsearch(&p, m->judged, m->n_judged, sizeof p, by_pair);
}

/* ---- one pair -----------------------------------------------------------------------------------
 */

static double label_share(const struct card *a, const struct card *b)
{
	size_t both = 0;
	const size_t least = a->n_words < b->n_words ? a->n_words : b->n_words;

	for (size_t i = 0; i < a->n_words; i++)
		for (size_t k = 0; k < b->n_words; k++)
			both += a->words[i] == b->words[k];
	return least ? (double)both / (double)least : 0;
}

static bool periods_meet(const Seve__Resource *a, const Seve__Resource *b)
{
	return !(a->has_to_on && b->has_from_on && a->to_on < b->from_on) &&
	       !(b->has_to_on && a->has_from_on && b->to_on < a->from_on);
}

static void weigh_quantity(const struct card *need, const struct card *offer, struct suggestion *s)
{
	if (!*need->unit || strcmp(need->unit, offer->unit) != 0)
		return;
	s->reasons |= MATCH_UNIT;
	s->score += 8;
	if (need->per_year <= 0 || offer->per_year < 0)
		return;
	const double part = offer->per_year / need->per_year;
	s->score += 10 * (part < 1 ? part : 1);
	if (part >= 0.5)
		s->reasons |= MATCH_QUANTITY;
}

/* Whether it may be offered at all; then its score and why. */
static bool weigh(const struct card *need, const struct card *offer, double radius,
		  struct suggestion *s)
{
	const Seve__Actor *a = need->actor, *b = offer->actor;
	const double share = label_share(need, offer);

	*s = (struct suggestion){need->node, offer->node, MATCH_FAMILY, 10, -1};
	if ((a && a == b) || !periods_meet(need->r, offer->r))
		return false;
	if (a && b && a->has_lat && a->has_lon && b->has_lat && b->has_lon) {
		s->km = match_km(a->lat, a->lon, b->lat, b->lon);
		if (s->km > radius)
			return false;
		s->reasons |= MATCH_DISTANCE;
		s->score += radius > 0 ? 12 * (1 - s->km / radius) : 12;
	}
	if (share > 0) {
		s->reasons |= MATCH_LABEL;
		s->score += 35 * share;
	}
	if (waste_key(need->r) && waste_key(need->r) == waste_key(offer->r)) {
		s->reasons |= MATCH_WASTE_CODE;
		s->score += 20;
	}
	weigh_quantity(need, offer, s);
	if (need->r->has_from_on || need->r->has_to_on) {
		s->reasons |= MATCH_PERIOD;
		s->score += 5;
	}
	return true;
}

static int by_score(const void *a, const void *b)
{
	const struct suggestion *x = a, *y = b;

	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	if (x->need != y->need)
		return x->need < y->need ? -1 : 1;
	return (x->offer > y->offer) - (x->offer < y->offer);
}

static struct suggestion *room_for_one(struct matching *m)
{
	if (m->n_found == m->room) {
		const size_t room = m->room ? 2 * m->room : 1024;
		struct suggestion *list = arena_array(m->arena, room, sizeof *list);

		if (list && m->n_found)
			memcpy(list, m->found, m->n_found * sizeof *list);
		if (!list)
			return NULL;
		m->found = list;
		m->room = room;
	}
	return &m->found[m->n_found];
}

static int look_up(struct matching *m, uint32_t need, uint64_t key, bool rare, double radius)
{
	const struct card *c = &m->needs[need];
	const size_t first = first_of(m, key);
	size_t end = first;

	while (end < m->n_postings && m->postings[end].key == key)
		end++;
	if (rare && end - first > COMMON_MAX)
		return 0;
	for (size_t i = first; i < end; i++) {
		const struct card *offer = &m->offers[m->postings[i].card];
		uint32_t *seen = &m->seen_by[m->postings[i].card];
		struct suggestion *s;

		if (*seen == need + 1 || offer->r->family != c->r->family || is_judged(m, c, offer))
			continue;
		*seen = need + 1;
		s = room_for_one(m);
		if (!s)
			return -ERR_NOMEM;
		m->n_found += weigh(c, offer, radius, s);
	}
	return 0;
}

static int match_need(struct matching *m, uint32_t need, size_t per_need, double radius)
{
	const struct card *c = &m->needs[need];
	const size_t before = m->n_found;
	int rc = waste_key(c->r) ? look_up(m, need, waste_key(c->r), false, radius) : 0;

	for (size_t i = 0; !rc && i < c->n_words; i++)
		rc = look_up(m, need, c->words[i], true, radius);
	if (!rc && per_need && m->n_found - before > per_need) {
		qsort(m->found + before, m->n_found - before, sizeof *m->found, by_score);
		m->n_found = before + per_need;
	}
	return rc;
}

int match_make(const struct network *net, size_t per_need, struct arena *a, struct suggestion **out,
	       size_t *n, struct err *e)
{
	struct matching m = {.net = net, .arena = a};
	uint32_t territory = 0;
	double radius = 0;
	int rc = read_cards(&m);

	rc = rc ? rc : make_index(&m);
	rc = rc ? rc : read_verdicts(&m);
	for (size_t i = 0; !rc && i < m.n_needs; i++) {
		if (m.needs[i].node->territory != territory) {
			territory = m.needs[i].node->territory;
			radius = network_policy(net, territory).match_radius_km;
		}
		rc = match_need(&m, (uint32_t)i, per_need, radius);
	}
	if (rc)
		return err_set(e, ERR_NOMEM, "matching");
	if (m.n_found)
		qsort(m.found, m.n_found, sizeof *m.found, by_score);
	*out = m.found;
	*n = m.n_found;
	return 0;
}
