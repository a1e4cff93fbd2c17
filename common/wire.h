/* wire.h -- protobuf bytes from strangers: checked before they are unpacked, packed into an arena,
 * read by hand where speed counts. Knows no sockets.  Any thread. */
#ifndef SEVE_WIRE_H
#define SEVE_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

enum {
	WIRE_UNKNOWN_MAX = 4096
}; /* bytes of unknown fields per message tree: they are kept, so they are bounded */

/* Walks the bytes along the descriptor: every length inside its parent, every string UTF-8 without
 * NUL, no second occurrence of a singular field or of a oneof (protobuf-c would merge messages at
 * quadratic cost, and readers by hand would differ from it), unknown fields bounded. 0, or
 * -ERR_INVALID that names the path ("push.mutations[3].changes[0].set.actor.name: invalid UTF-8 at
 * byte 4"). */
int wire_check(const ProtobufCMessageDescriptor *desc, const void *bytes, size_t n, struct err *e);

/* Checks, then unpacks into the arena, whose ceiling bounds what hostile bytes can cost:
 * -ERR_TOO_BIG when it is reached. */
int wire_unpack(struct arena *a, const ProtobufCMessageDescriptor *desc, const void *bytes,
		size_t n, ProtobufCMessage **out, struct err *e);

/* Packs into the arena.  NULL data when memory is out. */
struct span wire_pack(struct arena *a, const ProtobufCMessage *m);
/* Adds the packed message to a buffer. */
int wire_add(struct buf *out, const ProtobufCMessage *m);

/* Deep copy by pack and unpack.  NULL when memory is out. */
ProtobufCMessage *wire_dup(struct arena *a, const ProtobufCMessage *m);

/* Reading by hand: a cursor over one message's fields. */
struct wire {
	const uint8_t *at, *end;
	bool bad; /* malformed: reading stops */
};
struct wire_field {
	uint32_t tag;
	unsigned type;     /* wire type 0, 1, 2, 5 */
	uint64_t number;   /* types 0, 1, 5 */
	struct span bytes; /* type 2 */
};
bool wire_next(struct wire *w, struct wire_field *f); /* false at the end or when bad */

/* Writing by hand.  `p` has room (10 bytes for a varint, and up to 5 for a tag before it); the new
 * end is returned. */
uint8_t *wire_put_varint(uint8_t *p, uint64_t v);
uint8_t *wire_put_number(uint8_t *p, uint32_t tag, uint64_t v);
uint8_t *wire_put_bytes(uint8_t *p, uint32_t tag, const void *bytes, size_t n);
uint8_t *wire_put_fixed64(uint8_t *p, uint32_t tag, uint64_t v);
size_t wire_varint_size(uint64_t v);

#endif
