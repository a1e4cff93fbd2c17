/* json.h -- records as canonical JSON and back.  Keys are field names, enumerations words, ids canonical UUIDs, dates "2026-11-23",
 * instants RFC 3339 UTC; absent fields are left out; order is that of the message.  So equal records give equal bytes.
 * Any thread. */
#ifndef SEVE_JSON_H
#define SEVE_JSON_H

#include <protobuf-c/protobuf-c.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "kind.h"

/* Writes one message as a JSON object. 0, -ERR_TOO_BIG, -ERR_NOMEM. */
int json_add_message(struct buf *out, const ProtobufCMessage *m);
/* Writes a JSON string with quotes, escaped (RFC 8259), UTF-8 kept as it is. */
int json_add_string(struct buf *out, const char *s);

/* Writes a whole record on one line:
 * {"kind":"action","id":"…","ref":"P-12","rev":7,"level":"network","refs":[{"source":"…","key":"…"}],"created_at":…,
 *  "created_by":…,"updated_at":…,"updated_by":…, then the kind's fields}.  `territory` (a slug) stands first when not NULL. */
int json_add_record(struct buf *out, const char *territory, const uint8_t id[16], uint64_t rev, const Seve__Body *body);

/* Reads the fields of a JSON object into a new message of the descriptor (jansson; depth and size bounded).
 * Unknown keys are an error that names the nearest known one. */
int json_read_message(struct arena *a, const ProtobufCMessageDescriptor *desc, const char *text, size_t n, ProtobufCMessage **out,
		      struct err *e);

#endif
