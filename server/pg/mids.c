/* mids.c -- see mids.h. */
#include "mids.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"

void mids_init(struct mids *m)
{
	*m = (struct mids){.age = 1};
	m->places = calloc(MIDS_PLACES, sizeof *m->places);
}

void mids_fini(struct mids *m)
{
	free(m->places);
	m->places = NULL;
}

/* The last bytes of a UUID are random, whatever its version. */
static struct mids_place *place_of(const struct mids *m, uint32_t territory,
				   const struct uuid *client)
{
	uint32_t tail;

	memcpy(&tail, client->b + sizeof client->b - sizeof tail, sizeof tail);
	return m->places + (tail + territory) % MIDS_PLACES;
}

void mids_note(struct mids *m, uint32_t territory, const struct uuid *client, uint64_t mid,
	       uint64_t now_ms)
{
	if (m->places)
		*place_of(m, territory, client) = (struct mids_place){
			.client = *client,
			.territory = territory,
			.age = m->age,
			.mid = mid,
			.at_ms = now_ms,
		};
}

/* Half, for clocks that differ a little. */
uint64_t mids_trust_ms(const struct conf *conf)
{
	static const enum config_key ages[] = {CONFIG_VERDICT_AGE, CONFIG_CLIENT_AGE};
	uint64_t ms = MIDS_MS;

	for (size_t i = 0; conf && i < sizeof ages / sizeof *ages; i++) {
		const uint64_t age = (uint64_t)config_number(conf, ages[i]);

		if (age && age / 2 < ms)
			ms = age / 2;
	}
	return ms;
}

uint64_t mids_last(const struct mids *m, uint32_t territory, const struct uuid *client,
		   uint64_t now_ms, uint64_t trust_ms)
{
	if (!m->places)
		return 0;
	const struct mids_place *p = place_of(m, territory, client);
	const bool known = p->age == m->age && p->territory == territory &&
			   memcmp(&p->client, client, sizeof *client) == 0;
	return known && now_ms - p->at_ms < trust_ms ? p->mid : 0;
}

void mids_forget(struct mids *m)
{
	m->age++;
}
