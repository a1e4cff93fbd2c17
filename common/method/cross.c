/* cross.c -- see cross.h. */
#include "cross.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match.h"

static const char *band_of(double km)
{
	return km < 10    ? "0-10 km"
	       : km < 25  ? "10-25 km"
	       : km < 50  ? "25-50 km"
	       : km < 100 ? "50-100 km"
			  : "100+ km";
}

static int digest(const void *bytes, size_t n, uint8_t out[static 32])
{
	unsigned len = 32;

	return EVP_Digest(bytes, n, out, &len, EVP_sha256(), NULL) == 1 ? 0 : -ERR_NOMEM;
}

static int make_handle(const struct uuid *a, const struct uuid *b, const uint8_t secret[16],
		       char out[static 20])
{
	uint8_t bytes[48], hash[32];
	const bool less = uuid_cmp(a, b) < 0;

	memcpy(bytes, secret, 16);
	memcpy(bytes + 16, (less ? a : b)->b, 16);
	memcpy(bytes + 32, (less ? b : a)->b, 16);
	if (digest(bytes, sizeof bytes, hash))
		return -ERR_NOMEM;
	snprintf(out, 20, "%02x%02x-%02x%02x-%02x%02x", hash[0], hash[1], hash[2], hash[3], hash[4],
		 hash[5]);
	return 0;
}

/* What must be equal, then an order that tells nothing. */
static int by_bucket(const void *a, const void *b)
{
	const struct cross_card *x = a, *y = b;

	if (x->need != y->need)
		return x->need ? 1 : -1;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return uuid_cmp(&x->id, &y->id);
}

static bool stopped(const atomic_bool *stop)
{
	return stop && atomic_load_explicit(stop, memory_order_relaxed);
}

static int sort_others(struct cross_card *others, size_t n, const uint8_t secret[16],
		       const atomic_bool *stop)
{
	for (size_t i = 0; i < n && !stopped(stop); i++) {
		uint8_t bytes[32], hash[32];

		memcpy(bytes, secret, 16);
		memcpy(bytes + 16, others[i].id.b, 16);
		if (digest(bytes, sizeof bytes, hash))
			return -ERR_NOMEM;
		memcpy(&others[i].order, hash, sizeof others[i].order);
	}
	if (n && !stopped(stop))
		qsort(others, n, sizeof *others, by_bucket);
	return 0;
}

/* The first card that is a need, or an offer, of this family or a later one. */
static size_t bucket(const struct cross_card *list, size_t n, bool need, int family)
{
	size_t low = 0, high = n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const struct cross_card *c = &list[mid];
		const bool less = c->need != need ? !c->need : c->family < family;

		if (less)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool fits(const struct cross_card *own, const struct cross_card *other, double radius,
		 const char **band)
{
	*band = "";
	if (*own->unit && *other->unit && strcmp(own->unit, other->unit) != 0)
		return false;
	if (!own->placed || !other->placed)
		return other->near;
	const double km = match_km(own->lat, own->lon, other->lat, other->lon);
	*band = band_of(km);
	return km <= radius;
}

/* The pairs of one own card, behind those found before. */
static int pairs_of(const struct cross_card *own, size_t i, const struct cross_card *others,
		    size_t n_others, double radius_km, size_t per_own, const uint8_t secret[16],
		    struct cross_pair *list, size_t *found)
{
	const size_t end = *found + per_own;

	for (size_t k = bucket(others, n_others, !own->need, own->family);
	     k < n_others && *found < end && others[k].need != own->need &&
	     others[k].family == own->family;
	     k++) {
		struct cross_pair *p = &list[*found];

		if (!fits(own, &others[k], radius_km, &p->band))
			continue;
		p->own = i;
		p->other = k;
		if (make_handle(&own->id, &others[k].id, secret, p->handle))
			return -ERR_NOMEM;
		++*found;
	}
	return 0;
}

int cross_make(const struct cross_card *own, size_t n_own, struct cross_card *others,
	       size_t n_others, double radius_km, size_t per_own, const uint8_t secret[16],
	       const atomic_bool *stop, struct arena *a, struct cross_pair **out, size_t *n,
	       struct err *e)
{
	struct cross_pair *list = arena_array(a, n_own * per_own + 1, sizeof *list);
	size_t found = 0;

	if (!list || sort_others(others, n_others, secret, stop))
		return err_set(e, ERR_NOMEM, "matching");
	for (size_t i = 0; i < n_own && !stopped(stop); i++)
		if (pairs_of(&own[i], i, others, n_others, radius_km, per_own, secret, list,
			     &found))
			return err_set(e, ERR_NOMEM, "matching");
	if (stopped(stop))
		return err_set(e, ERR_CANCELLED, "nobody waits for the pairs any more");
	*out = list;
	*n = found;
	return 0;
}
