/* heads.h -- the heads of territories as far as this process has heard: from its own commits, from
 * bells, from reading.  What is known may be behind the truth, never ahead of it; whoever is behind
 * what is known has something to read.  Knows no records.  Loop thread only. */
#ifndef SEVED_HEADS_H
#define SEVED_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct heads;
struct server;
struct watcher;

enum { HEADS_MAX = 1000000 }; /* territories; of those beyond nothing is kept */

int heads_open(struct server *s, struct heads **out, struct err *e);
/* After the readers have closed: nothing is under way any more. */
void heads_free(struct heads *h);

/* 0 where nothing is known. */
uint64_t heads_known(const struct server *s, uint32_t territory);
/* A head was seen: watchers are told when it is a new one. */
void heads_note(struct server *s, uint32_t territory, uint64_t rev);
/* A bell: "3:12,4:7", or "*": look at all of them. */
void heads_hear(struct server *s, const char *payload);
/* Reads all of them again, soon: after a bell may have been missed. */
void heads_poll(struct server *s);
/* Once a second: the poll that is due. */
void heads_sweep(struct server *s);
/* History was rewound: nothing is known. */
void heads_forget(struct server *s);

/* Territories of which something is kept. */
size_t heads_count(const struct server *s);
/* Somebody watches the territory. */
bool heads_watched(const struct server *s, uint32_t territory);
/* Where the watchers of a territory hang (handlers/watch.c).  It stays until heads_free(): asked
 * for only where somebody may read.  NULL when memory is out, or HEADS_MAX reached. */
struct watcher **heads_watchers(struct server *s, uint32_t territory);

#endif
