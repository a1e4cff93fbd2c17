/* arena.h -- memory of one request: a bump allocator with a ceiling, freed as a whole.
 * Knows nothing of what it holds.  One thread at a time per arena. */
#ifndef SEVE_ARENA_H
#define SEVE_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct arena_block;
struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;                /* bytes handed out since the last reset */
	size_t cap;                 /* ceiling in bytes */
};

/* Starts empty; allocates nothing until first used.  `cap` is in bytes. */
void arena_init(struct arena *a, size_t cap);

/* Frees everything.  The arena may be used again. */
void arena_reset(struct arena *a);

/* Frees everything. Idempotent. */
void arena_fini(struct arena *a);

/* Aligned to 16, not zeroed.  NULL when the ceiling is reached or memory is out.  arena_alloc(a, 0)
 * gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_zalloc(struct arena *a, size_t n);
/* Array of n elements, zeroed; NULL also on overflow of n * size. */
void *arena_array(struct arena *a, size_t n, size_t size);
void *arena_memdup(struct arena *a, const void *p, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n); /* s may be NULL when n is 0 */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An allocator for protobuf-c that takes from the arena and never frees.  Valid as long as the
 * arena. */
ProtobufCAllocator arena_protobuf(struct arena *a);

#endif
