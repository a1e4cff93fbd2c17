/* world.c -- see world.h.  Hash tables are uthash; their entries live in the arena. */
#include "world.h"

void world_init(struct world *w, struct arena *a, int64_t now_ms)
{
	*w = (struct world){.arena = a, .now_ms = now_ms};
}

void world_fini(struct world *w)
{
	HASH_CLEAR(hh, w->records);
	HASH_CLEAR(hh, w->priors);
	HASH_CLEAR(hh, w->heads);
	HASH_CLEAR(hh, w->uniques);
	HASH_CLEAR(hh, w->imports);
}

struct world_record *world_record(struct world *w, uint32_t territory, const struct uuid *id,
				  bool add)
{
	struct record_key key = {territory, *id};
	struct world_record *r = NULL;

	HASH_FIND(hh, w->records, &key, sizeof key, r);
	if (r || !add)
		return r;
	r = arena_zalloc(w->arena, sizeof *r);
	if (!r)
		return NULL;
	r->key = key;
	HASH_ADD(hh, w->records, key, sizeof key, r);
	return r->hh.tbl ? r : NULL;
}

struct world_prior *world_prior(struct world *w, uint32_t territory, const struct uuid *client,
				uint64_t mid, bool add)
{
	struct mid_key key;
	struct world_prior *p = NULL;

	memset(&key, 0, sizeof key); /* padding is part of the hashed key */
	key.territory = territory;
	key.client = *client;
	key.mid = mid;
	HASH_FIND(hh, w->priors, &key, sizeof key, p);
	if (p || !add)
		return p;
	p = arena_zalloc(w->arena, sizeof *p);
	if (!p)
		return NULL;
	p->key = key;
	HASH_ADD(hh, w->priors, key, sizeof key, p);
	return p->hh.tbl ? p : NULL;
}

struct world_head *world_head(struct world *w, uint32_t territory, bool add)
{
	struct world_head *h = NULL;

	HASH_FIND(hh, w->heads, &territory, sizeof territory, h);
	if (h || !add)
		return h;
	h = arena_zalloc(w->arena, sizeof *h);
	if (!h)
		return NULL;
	h->territory = territory;
	HASH_ADD(hh, w->heads, territory, sizeof territory, h);
	return h->hh.tbl ? h : NULL;
}

/* Three numbers, then one or two texts: the numbers fix where each part ends. */
static struct span joined_key(struct arena *a, const uint32_t numbers[3], const char *one,
			      const char *two)
{
	size_t n = 3 * sizeof *numbers, n_one = strlen(one), n_two = strlen(two);
	uint8_t *key = arena_alloc(a, n + n_one + n_two);

	if (!key)
		return (struct span){NULL, 0};
	memcpy(key, numbers, n);
	memcpy(key + n, one, n_one);
	memcpy(key + n + n_one, two, n_two);
	return (struct span){key, n + n_one + n_two};
}

static struct span unique_key(struct arena *a, uint32_t territory, uint32_t kind, uint32_t tag,
			      const char *value)
{
	const uint32_t numbers[3] = {territory, kind, tag};

	return joined_key(a, numbers, value, "");
}

static struct world_unique *unique_find(struct world *w, struct span key)
{
	struct world_unique *u = NULL;

	HASH_FIND(hh, w->uniques, key.at, key.len, u);
	return u;
}

const struct uuid *world_unique(struct world *w, uint32_t territory, const struct kind *k,
				uint32_t tag, const char *value)
{
	struct span key = unique_key(w->arena, territory, k->number, tag, value);
	struct world_unique *u = key.at ? unique_find(w, key) : NULL;

	return u && !uuid_is_nil(&u->id) ? &u->id : NULL;
}

int world_unique_set(struct world *w, uint32_t territory, const struct kind *k, uint32_t tag,
		     const char *value, const struct uuid *id)
{
	struct span key = unique_key(w->arena, territory, k->number, tag, value);
	struct world_unique *u;

	if (!key.at)
		return -ERR_NOMEM;
	u = unique_find(w, key);
	if (!u) {
		u = arena_zalloc(w->arena, sizeof *u);
		if (!u)
			return -ERR_NOMEM;
		HASH_ADD_KEYPTR(hh, w->uniques, key.at, key.len, u);
		if (!u->hh.tbl)
			return -ERR_NOMEM;
	}
	u->id = id ? *id : (struct uuid){{0}};
	return 0;
}

struct world_import *world_import(struct world *w, uint32_t territory, const struct kind *k,
				  const char *source, const char *key, bool add)
{
	const uint32_t numbers[3] = {territory, k->number, (uint32_t)strlen(source)};
	struct span text = joined_key(w->arena, numbers, source, key);
	struct world_import *i = NULL;

	if (!text.at)
		return NULL;
	HASH_FIND(hh, w->imports, text.at, text.len, i);
	if (i || !add)
		return i;
	i = arena_zalloc(w->arena, sizeof *i);
	if (!i)
		return NULL;
	i->territory = territory;
	i->kind = k;
	i->source = arena_strdup(w->arena, source);
	i->partner_key = arena_strdup(w->arena, key);
	if (!i->source || !i->partner_key)
		return NULL;
	HASH_ADD_KEYPTR(hh, w->imports, text.at, text.len, i);
	return i->hh.tbl ? i : NULL;
}

int world_referrer_add(struct world *w, uint32_t territory, const struct uuid *to,
		       const struct uuid *from, uint32_t tag)
{
	struct world_referrer *r = arena_zalloc(w->arena, sizeof *r);

	if (!r)
		return -ERR_NOMEM;
	*r = (struct world_referrer){*to, territory, *from, tag, w->referrers};
	w->referrers = r;
	return 0;
}

int world_abroad_add(struct world *w, uint32_t territory, const struct uuid *actor, double hours)
{
	struct world_abroad *x = arena_zalloc(w->arena, sizeof *x);

	if (!x)
		return -ERR_NOMEM;
	*x = (struct world_abroad){territory, *actor, hours, w->abroad};
	w->abroad = x;
	return 0;
}

double world_abroad_hours(const struct world *w, uint32_t territory, const uint8_t actor[16])
{
	for (const struct world_abroad *x = w->abroad; x; x = x->next)
		if (x->territory == territory && memcmp(x->actor.b, actor, 16) == 0)
			return x->hours;
	return 0;
}

static void unsaved_add(struct world *w, struct world_record *r)
{
	if (r->unsaved)
		return;
	r->unsaved = true;
	r->next_unsaved = NULL;
	if (w->unsaved_last)
		w->unsaved_last->next_unsaved = r;
	else
		w->unsaved_first = r;
	w->unsaved_last = r;
}

void world_touch(struct world *w, struct world_record *r)
{
	unsaved_add(w, r);
	if (r->dirty)
		return;
	r->dirty = true;
	if (w->dirty_last)
		w->dirty_last->next_dirty = r;
	else
		w->dirty_first = r;
	w->dirty_last = r;
}

void world_touch_import(struct world *w, struct world_import *i)
{
	if (i->unsaved)
		return;
	i->unsaved = true;
	i->next_unsaved = NULL;
	if (w->unsaved_imports_last)
		w->unsaved_imports_last->next_unsaved = i;
	else
		w->unsaved_imports = i;
	w->unsaved_imports_last = i;
}

void world_saved(struct world *w)
{
	for (struct world_record *r = w->unsaved_first; r; r = r->next_unsaved)
		r->unsaved = r->born = r->links_stale = false;
	for (struct world_import *i = w->unsaved_imports; i; i = i->next_unsaved)
		i->unsaved = i->born = i->drop = false;
	w->unsaved_first = w->unsaved_last = NULL;
	w->unsaved_imports = w->unsaved_imports_last = NULL;
	w->versions_saved = w->versions_last;
}

int world_keep_version(struct world *w, const struct world_record *r, uint64_t next_rev,
		       const char *by, const char *reason, int64_t client_time)
{
	struct world_version *v = arena_zalloc(w->arena, sizeof *v);

	if (!v)
		return -ERR_NOMEM;
	v->record = r;
	v->rev = r->rev;
	v->next_rev = next_rev;
	v->level = r->level;
	v->deleted = r->deleted;
	v->body = r->body;
	v->by = by;
	v->reason = reason;
	v->client_time = client_time;
	v->at = w->now_ms;
	if (w->versions_last)
		w->versions_last->next = v;
	else
		w->versions_first = v;
	w->versions_last = v;
	return 0;
}

int world_add_past(struct world *w, const struct world_version *v)
{
	struct world_version *own = arena_memdup(w->arena, v, sizeof *v);

	if (!own)
		return -ERR_NOMEM;
	own->next = w->past;
	w->past = own;
	return 0;
}

static const Seve__Body *version_at(const struct world_version *v, const struct world_record *r,
				    uint64_t rev)
{
	for (; v; v = v->next)
		if (v->record == r && v->body && v->rev <= rev && rev < v->next_rev)
			return v->body;
	return NULL;
}

const Seve__Body *world_body_at(const struct world *w, const struct world_record *r, uint64_t rev)
{
	const Seve__Body *b;

	if (r->rev <= rev)
		return r->body;
	b = version_at(w->versions_first, r, rev);
	return b ? b : version_at(w->past, r, rev);
}

const struct world_version *world_written(const struct world *w, const struct world_record *r,
					  uint64_t rev)
{
	const struct world_version *lists[] = {w->versions_first, w->past};

	for (size_t i = 0; i < 2; i++)
		for (const struct world_version *v = lists[i]; v; v = v->next)
			if (v->record == r && v->next_rev == rev)
				return v;
	return NULL;
}
