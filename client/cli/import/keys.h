/* keys.h -- which record a partner's key stands for.  Keys of rows that went in during this run are
 * remembered with their ids; any other stands for the id that its row would get. */
#ifndef SEVE_CLI_IMPORT_KEYS_H
#define SEVE_CLI_IMPORT_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "kind.h"

struct keys;

struct keys *keys_new(uint32_t territory, const char *source); /* NULL: out of memory */
void keys_free(struct keys *k);
/* 0 or -ERR_NOMEM. */
int keys_put(struct keys *k, const struct kind *kind, const char *key, const char *id);
/* Writes a canonical id. */
void keys_id(const struct keys *k, const struct kind *kind, const char *key, char out[static 40]);
/* Whether the key went in during this run. */
int keys_known(const struct keys *k, const struct kind *kind, const char *key);

#endif
