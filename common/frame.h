/* frame.h -- cuts a byte stream into length-prefixed frames, and writes their headers.
 * Knows no sockets, no TLS, no protobuf.  Any thread, one at a time per buffer.
 *
 * A frame is u32 payload length (big-endian) | u8 type | u8 flags | u16 zero | payload. */
#ifndef SEVE_FRAME_H
#define SEVE_FRAME_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"

enum {
	FRAME_HEADER = 8,
	FRAME_MAX_BEFORE_AUTH = 4096, /* bytes of payload before the session is authenticated */
	FRAME_MAX = 1024 * 1024,      /* after */
};

enum frame_type {
	FRAME_HELLO = 1,   /* Hello, client to server, first */
	FRAME_WELCOME = 2, /* Welcome */
	FRAME_REQUEST = 3, /* Request */
	FRAME_REPLY = 4,   /* Reply */
	FRAME_PAGE = 5,    /* Page: part of the answer to a pull, or of a watch */
	FRAME_ERROR = 6,   /* Error of the whole connection; it is closed next */
	FRAME_GOAWAY = 7,  /* GoAway: finish what is under way, then reconnect */
	FRAME_PING = 8,    /* empty; answered by FRAME_PONG */
	FRAME_PONG = 9,
	FRAME_CANCEL = 10, /* Cancel */
	FRAME_WATCH = 11,  /* WatchNote: credit for a watch, or the end of one of its territories */
};

struct frame {
	enum frame_type type;
	uint8_t flags;       /* none is defined yet: readers ignore them */
	struct span payload; /* borrowed from the buffer until it next changes */
};

/* Looks for a whole frame at the front of `in`; `max` is in bytes of payload.
 * Returns 1 and fills `out` (consume FRAME_HEADER + payload.len when done), 0 if more bytes are
 * needed, -ERR_TOO_BIG or -ERR_PROTOCOL if the stream is beyond repair: the text tells what arrived
 * instead (an HTTP request, say). */
int frame_next(const struct buf *in, size_t max, struct frame *out, struct err *e);

/* Writes a header for a payload of `len` bytes. */
void frame_header(uint8_t out[static FRAME_HEADER], enum frame_type type, size_t len);

/* Adds header and payload.  0, -ERR_TOO_BIG, -ERR_NOMEM. */
int frame_add(struct buf *out, enum frame_type type, const void *payload, size_t len);

#endif
