/* buf.c -- a byte queue with a maximum.  Knows no sockets and no formats.
 *
 * The memory may be a quarter larger than the maximum: bytes are moved to the front only when that
 * much (or as much as there is to move) has been consumed, so that moving costs O(1) a byte. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

enum { CAP_FIRST = 256 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max < SIZE_MAX / 2 ? max : SIZE_MAX / 2};
}

void buf_fini(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->start = b->end = b->cap = 0;
}

size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}

struct span buf_span(const struct buf *b)
{
	return (struct span){b->data ? b->data + b->start : NULL, b->end - b->start};
}

/* A new place with room for n more than now; at least twice the old one, else copying would not
 * pay. */
static int grow(struct buf *b, size_t n)
{
	const size_t len = b->end - b->start, limit = b->max + b->max / 4;
	size_t cap = b->cap ? b->cap * 2 : CAP_FIRST;
	while (cap - len < n && cap < limit)
		cap *= 2;
	if (cap > limit)
		cap = limit;
	uint8_t *data = malloc(cap);
	if (!data)
		return -ERR_NOMEM;
	if (len)
		memcpy(data, b->data + b->start, len);
	free(b->data);
	b->data = data;
	b->start = 0;
	b->end = len;
	b->cap = cap;
	return 0;
}

static int make_room(struct buf *b, size_t n)
{
	if (b->cap - b->end >= n && b->end - b->start + n <= b->max)
		return 0;
	const size_t len = b->end - b->start;
	if (n > b->max - len)
		return -ERR_TOO_BIG;
	const size_t spare = b->max / 4;
	if (b->cap - len >= n && (b->start >= len || b->start >= spare)) {
		memmove(b->data, b->data + b->start, len);
		b->start = 0;
		b->end = len;
		return 0;
	}
	return grow(b, n);
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	return make_room(b, n) < 0 ? NULL : b->data + b->end;
}

void buf_commit(struct buf *b, size_t n)
{
	b->end += n;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return 0;
	int rc = make_room(b, n);
	if (rc < 0)
		return rc;
	memcpy(b->data + b->end, p, n);
	b->end += n;
	return 0;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ERR_INVALID;
	/* One more for the NUL that vsnprintf writes: it may not count against the maximum. */
	int rc = make_room(b, (size_t)n);
	if (rc < 0)
		return rc;
	if (b->cap - b->end > (size_t)n) {
		va_start(ap, fmt);
		vsnprintf((char *)b->data + b->end, (size_t)n + 1, fmt, ap);
		va_end(ap);
		b->end += (size_t)n;
		return 0;
	}
	char *text = malloc((size_t)n + 1);
	if (!text)
		return -ERR_NOMEM;
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	memcpy(b->data + b->end, text, (size_t)n);
	b->end += (size_t)n;
	free(text);
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	b->start += n;
	if (b->start == b->end)
		b->start = b->end = 0;
}

void buf_release(struct buf *b)
{
	if (b->start == b->end)
		buf_fini(b);
}
