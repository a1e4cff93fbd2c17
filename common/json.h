/* json.h -- records as canonical JSON and back.  Keys are field names, enumerations words, ids
 * canonical UUIDs, dates "2026-11-23", instants RFC 3339 UTC; absent fields are left out; order is
 * that of the message.  So equal records give equal bytes. Any thread. */
#ifndef SEVE_JSON_H
#define SEVE_JSON_H

#include <protobuf-c/protobuf-c.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "kind.h"

/* Writes one message as a JSON object. 0, -ERR_TOO_BIG, -ERR_NOMEM. */
int json_add_message(struct buf *out, const ProtobufCMessage *m);
/* Writes the value of one present field: what stands behind its key in the object. */
int json_add_value(struct buf *out, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *fd);
/* Writes a JSON string with quotes, escaped (RFC 8259), UTF-8 kept as it is. */
int json_add_string(struct buf *out, const char *s);

/* Writes a whole record on one line, without a newline:
 * {"kind":"action","id":"…","ref":"P-12","rev":7,"level":"network",
 *  "refs":[{"source":"…","key":"…"}],"created_at":…,"created_by":…,"updated_at":…,"updated_by":…,
 *  then the kind's fields}.
 * `territory` (a slug) stands first when not NULL.  A field named like one of these keys has its
 * kind's name before it: "action_kind".  0, -ERR_TOO_BIG, -ERR_NOMEM, or -ERR_INVALID for a body
 * without a kind that is known here. */
int json_add_record(struct buf *out, const char *territory, const uint8_t id[16], uint64_t rev,
		    const Seve__Body *body);

/* The key of a kind's field in a record, and the field with such a key or NULL. */
void json_field_key(const struct kind *k, const ProtobufCFieldDescriptor *fd, char out[static 96]);
const ProtobufCFieldDescriptor *json_key_field(const struct kind *k, const char *key);

enum { JSON_READ_MAX = 1024 * 1024 }; /* bytes */

/* Reads the fields of a JSON object into a new message of the descriptor (jansson; depth and size
 * bounded). Unknown keys are an error that names the nearest known one. */
int json_read_message(struct arena *a, const ProtobufCMessageDescriptor *desc, const char *text,
		      size_t n, ProtobufCMessage **out, struct err *e);

/* Sets one field from a JSON value: that of a nested message is an object, that of a list an array.
 * null clears it. */
int json_read_value(struct arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *fd,
		    const char *text, size_t n, struct err *e);

#endif
