/* arena.c -- memory of one request: blocks of growing size, cut from the front, freed together.
 * Knows nothing of what it holds. */
#include "arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN = 16, BLOCK_FIRST = 4096, BLOCK_LAST = 65536 };

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* of data */
	_Alignas(ALIGN) unsigned char data[];
};

void arena_init(struct arena *a, size_t cap)
{
	*a = (struct arena){.cap = cap};
}

void arena_reset(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;
		a->blocks = b->next;
		ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
		free(b);
	}
	a->used = 0;
}

void arena_fini(struct arena *a)
{
	arena_reset(a);
}

/* A block that has room for n bytes.  What is large gets a block of its own behind the newest,
 * so that the newest goes on serving small pieces. */
static struct arena_block *block_new(struct arena *a, size_t n)
{
	size_t whole = a->blocks ? (a->blocks->size + sizeof(struct arena_block)) * 2 : BLOCK_FIRST;
	if (whole > BLOCK_LAST)
		whole = BLOCK_LAST;
	const size_t size = whole - sizeof(struct arena_block);
	const bool alone = n > size / 2;
	if (n > SIZE_MAX - sizeof(struct arena_block))
		return NULL;
	struct arena_block *b = malloc(sizeof *b + (alone ? n : size));
	if (!b)
		return NULL;
	b->size = alone ? n : size;
	b->used = 0;
	ASAN_POISON_MEMORY_REGION(b->data, b->size);
	struct arena_block **at = alone && a->blocks ? &a->blocks->next : &a->blocks;
	b->next = *at;
	*at = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > SIZE_MAX - ALIGN)
		return NULL;
	size_t whole = n ? (n + ALIGN - 1) & ~(size_t)(ALIGN - 1) : ALIGN;
	if (whole > a->cap - a->used)
		return NULL;
	struct arena_block *b = a->blocks;
	if (!b || b->size - b->used < whole)
		b = block_new(a, whole);
	if (!b)
		return NULL;
	unsigned char *p = b->data + b->used;
	b->used += whole;
	a->used += whole;
	ASAN_UNPOISON_MEMORY_REGION(p, n);
	return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
	void *p = arena_alloc(a, n);
	if (p)
		memset(p, 0, n);
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t whole;
	if (__builtin_mul_overflow(n, size, &whole))
		return NULL;
	return arena_zalloc(a, whole);
}

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
	void *q = arena_alloc(a, n);
	if (q && n)
		memcpy(q, p, n);
	return q;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_memdup(a, s, strlen(s) + 1);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	if (n)
		n = strnlen(s, n); /* an empty view may point nowhere */
	if (n == SIZE_MAX)
		return NULL;
	char *q = arena_alloc(a, n + 1);
	if (!q)
		return NULL;
	if (n)
		memcpy(q, s, n);
	q[n] = '\0';
	return q;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *s = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (!s)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

static void *protobuf_alloc(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static void protobuf_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

ProtobufCAllocator arena_protobuf(struct arena *a)
{
	return (ProtobufCAllocator){protobuf_alloc, protobuf_free, a};
}
