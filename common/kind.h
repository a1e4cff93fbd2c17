/* kind.h -- the record kinds and roles: rows of kinds.def and roles.def beside their protobuf
 * descriptors. Knows no storage.  Constant data: any thread. */
#ifndef SEVE_KIND_H
#define SEVE_KIND_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "records.pb-c.h"
#include "session.pb-c.h"

enum kind_writers {
	KIND_BY_A = 1,
	KIND_BY_F = 2,
	KIND_BY_C = 4,
	KIND_BY_I = 8,
	KIND_BY_P = 16, /* records of the partner's own actor only */
	KIND_BY_L = 32, /* records of the pilot's own action only */
};
enum kind_flags { KIND_ONLINE = 1, KIND_IMPORT = 2, KIND_APPEND = 4 };

struct kind {
	uint32_t number;
	char prefix;       /* 'P', or 0 */
	const char *name;  /* "action" */
	const char *table; /* in PostgreSQL: "action", "group_" */
	const char *sort;  /* field that lists are ordered by */
	Seve__Level level; /* default */
	unsigned writers;  /* kind_writers */
	unsigned flags;    /* kind_flags */
	const ProtobufCMessageDescriptor *desc;
	const ProtobufCFieldDescriptor *member; /* in Body */
};

size_t kind_count(void);
const struct kind *kind_at(size_t i); /* in the order of kinds.def */
/* NULL when there is none: a newer peer may know more kinds. */
const struct kind *kind_by_number(uint32_t number);
const struct kind *kind_by_name(const char *name);
const struct kind *kind_by_prefix(char prefix);

/* The kind's own message in a body, borrowed; NULL for an empty body or an unknown kind. */
ProtobufCMessage *kind_message(const Seve__Body *body);
/* The kind of a body, or NULL. */
const struct kind *kind_of(const Seve__Body *body);
/* Puts `msg` (of this kind) into the body's oneof. */
void kind_set_message(const struct kind *k, Seve__Body *body, ProtobufCMessage *msg);

/* "P-12"; `out` holds at least 16 bytes.  "" for kinds without prefix or ref_no 0. */
void kind_format_ref(const struct kind *k, uint32_t ref_no, char out[static 16]);
/* Reads "P-12", "p12" or "P12".  0 or -ERR_INVALID. */
int kind_parse_ref(const char *text, const struct kind **k, uint32_t *ref_no, struct err *e);

enum role_may {
	ROLE_MAY_ACCOUNTS = 1,
	ROLE_MAY_TERRITORIES = 2,
	ROLE_MAY_OWN_SOURCE = 4,
	ROLE_MAY_OWN_ACTOR = 8,
	ROLE_MAY_OWN_ACTION = 16,
};

struct role {
	const char *name; /* "coordinator" */
	Seve__Role number;
	Seve__Level reads;  /* LEVEL_UNSPECIFIED: nothing */
	unsigned writes_as; /* one of kind_writers, or 0 */
	unsigned may;       /* role_may */
};

const struct role *role_by_number(int number);
const struct role *role_by_name(const char *name);
/* "admin, coordinator, …" for messages; borrowed, for ever. */
const char *role_list(void);

#endif
