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
struct sorted {
	struct cross_card card;
	uint64_t order;
};

static int by_bucket(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	if (x->card.need != y->card.need)
		return x->card.need ? 1 : -1;
	if (x->card.family != y->card.family)
		return x->card.family < y->card.family ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int sort_others(struct cross_card *others, size_t n, const uint8_t secret[16],
		       struct arena *a)
{
	struct sorted *list = arena_array(a, n + 1, sizeof *list);

	if (!list)
		return -ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		uint8_t bytes[32], hash[32];

		list[i].card = others[i];
		memcpy(bytes, secret, 16);
		memcpy(bytes + 16, others[i].id.b, 16);
		if (digest(bytes, sizeof bytes, hash))
			return -ERR_NOMEM;
		memcpy(&list[i].order, hash, sizeof list[i].order);
	}
	if (n)
		qsort(list, n, sizeof *list, by_bucket);
	for (size_t i = 0; i < n; i++)
		others[i] = list[i].card;
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

int cross_make(const struct cross_card *own, size_t n_own, struct cross_card *others,
	       size_t n_others, double radius_km, size_t per_own, const uint8_t secret[16],
	       struct arena *a, struct cross_pair **out, size_t *n, struct err *e)
{
	struct cross_pair *list = arena_array(a, n_own * per_own + 1, sizeof *list);
	size_t found = 0;

	if (!list || sort_others(others, n_others, secret, a))
		return err_set(e, ERR_NOMEM, "matching");
	for (size_t i = 0; i < n_own; i++) {
		const size_t first = bucket(others, n_others, !own[i].need, own[i].family);
		size_t of_own = 0;

		for (size_t k = first;
		     k < n_others && of_own < per_own && others[k].need != own[i].need &&
		     others[k].family == own[i].family;
		     k++) {
			struct cross_pair *p = &list[found];

			if (!fits(&own[i], &others[k], radius_km, &p->band))
				continue;
			p->own = i;
			p->other = k;
			if (make_handle(&own[i].id, &others[k].id, secret, p->handle))
				return err_set(e, ERR_NOMEM, "matching");
			found++;
			of_own++;
		}
	}
	*out = list;
	*n = found;
	return 0;
}
