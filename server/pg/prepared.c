/* prepared.c -- a small hash table of statement names: see prepared.h.  Entries are never moved: a
 * forgotten one stays in its place as "not prepared", so that probing needs no graves. */
#include "prepared.h"

struct prepared_entry {
	uint64_t hash;
	bool known;
	int n;
	unsigned types[PG_PARAMS_MAX];
	char name[];
};

void prepared_init(struct prepared *p)
{
	memset(p, 0, sizeof *p);
}

void prepared_clear(struct prepared *p)
{
	for (size_t i = 0; i < PREPARED_SLOTS; i++)
		free(p->slots[i]);
	prepared_init(p);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_name(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	return h;
}

/* The slot that holds the name, or the free one where it belongs.  The table is at most half full.
 */
static struct prepared_entry **find(struct prepared *p, const char *name, uint64_t hash)
{
	size_t i = hash % PREPARED_SLOTS;
	while (p->slots[i] && (p->slots[i]->hash != hash || strcmp(p->slots[i]->name, name) != 0))
		i = (i + 1) % PREPARED_SLOTS;
	return &p->slots[i];
}

enum prepared_state prepared_note(struct prepared *p, const char *name,
				  const struct pg_params *params)
{
	uint64_t hash = hash_name(name);
	struct prepared_entry **slot = find(p, name, hash);
	struct prepared_entry *e = *slot;
	size_t types = (size_t)params->n * sizeof *params->types;
	if (e && e->known) {
		bool same = e->n == params->n && memcmp(e->types, params->types, types) == 0;
		return same ? PREPARED_KNOWN : PREPARED_MISMATCH;
	}
	if (!e) {
		size_t len = strlen(name);
		if (p->n == PREPARED_MAX || !(e = calloc(1, sizeof *e + len + 1)))
			return PREPARED_FULL;
		e->hash = hash;
		memcpy(e->name, name, len);
		*slot = e;
		p->n++;
	}
	e->known = true;
	e->n = params->n;
	memcpy(e->types, params->types, types);
	return PREPARED_NEW;
}

void prepared_forget(struct prepared *p, const char *name)
{
	struct prepared_entry *e = *find(p, name, hash_name(name));
	if (e)
		e->known = false;
}
