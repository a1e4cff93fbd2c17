/* buf.h -- a byte queue with a maximum, and a borrowed view of bytes.
 * Knows no sockets and no formats.  One thread at a time per buffer. */
#ifndef SEVE_BUF_H
#define SEVE_BUF_H

#include <stddef.h>
#include <stdint.h>

/* A view of bytes that somebody else owns. */
struct span {
	const uint8_t *at;
	size_t len;
};

/* Bytes are added at `end` and consumed at `start`.  Holds no memory while empty and released. */
struct buf {
	uint8_t *data;
	size_t start, end, cap;
	size_t max; /* ceiling of end - start, in bytes */
};

void buf_init(struct buf *b, size_t max);
/* Frees.  Idempotent; the buffer may be used again. */
void buf_fini(struct buf *b);

size_t buf_len(const struct buf *b);
struct span buf_span(const struct buf *b); /* borrowed until the buffer next changes */

/* Makes room for n more bytes and returns where to write them (then buf_commit).
 * NULL when that would pass the maximum or memory is out. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

/* 0, or -ERR_TOO_BIG past the maximum, -ERR_NOMEM; the buffer is then unchanged. */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Drops n bytes from the front (n <= length). */
void buf_consume(struct buf *b, size_t n);
/* Gives the memory back if the buffer is empty: idle connections own none. */
void buf_release(struct buf *b);

#endif
