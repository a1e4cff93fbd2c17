/* keys.c -- see keys.h. */
#include "import/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "err.h"
#include "uuid.h"

struct entry {
	UT_hash_handle hh;
	char id[UUID_TEXT];
	char name[]; /* kind number, '/', key */
};

struct keys {
	uint32_t territory;
	char source[64];
	struct entry *all;
};

enum { NAME_MAX_BYTES = 300 };

static size_t name_of(const struct kind *kind, const char *key, char out[static NAME_MAX_BYTES])
{
	const int n = snprintf(out, NAME_MAX_BYTES, "%u/%s", kind->number, key);
	return n < NAME_MAX_BYTES ? (size_t)n : NAME_MAX_BYTES - 1;
}

static struct entry *find(const struct keys *k, const struct kind *kind, const char *key)
{
	char name[NAME_MAX_BYTES];
	struct entry *e = NULL;
	const size_t n = name_of(kind, key, name);
	HASH_FIND(hh, k->all, name, (unsigned)n, e);
	return e;
}

struct keys *keys_new(uint32_t territory, const char *source)
{
	struct keys *k = calloc(1, sizeof *k);
	if (!k)
		return NULL;
	k->territory = territory;
	snprintf(k->source, sizeof k->source, "%s", source);
	return k;
}

void keys_free(struct keys *k)
{
	struct entry *e, *tmp;
	if (!k)
		return;
	HASH_ITER (hh, k->all, e, tmp) {
		HASH_DEL(k->all, e);
		free(e);
	}
	free(k);
}

int keys_put(struct keys *k, const struct kind *kind, const char *key, const char *id)
{
	char name[NAME_MAX_BYTES];
	const size_t n = name_of(kind, key, name);
	struct entry *e = find(k, kind, key);
	if (!e) {
		e = calloc(1, sizeof *e + n + 1);
		if (!e)
			return -ERR_NOMEM;
		memcpy(e->name, name, n + 1);
		HASH_ADD_KEYPTR(hh, k->all, e->name, (unsigned)n, e);
		if (!e->hh.tbl) {
			free(e);
			return -ERR_NOMEM;
		}
	}
	snprintf(e->id, sizeof e->id, "%s", id);
	return 0;
}

void keys_id(const struct keys *k, const struct kind *kind, const char *key, char out[static 40])
{
	const struct entry *e = find(k, kind, key);
	if (e) {
		snprintf(out, 40, "%s", e->id);
		return;
	}
	const struct uuid u = uuid_v8(k->territory, k->source, kind->number, key);
	uuid_format(&u, out);
}

int keys_known(const struct keys *k, const struct kind *kind, const char *key)
{
	return find(k, kind, key) != NULL;
}
