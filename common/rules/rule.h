/* rule.h -- the functions that rules.def names, each with the one that tells whether a change can
 * break it, and what they share. For the files of this folder only. */
#ifndef SEVE_RULE_H
#define SEVE_RULE_H

#include "rules/rules.h"

#define RULE(id, kind, function)                                                                   \
	void function(const struct facts *f, struct problems *out);                                \
	bool function##_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after);
#define GONE(id, kind, function) RULE(id, kind, function)
#define NEED(function, how, kind, field, through)
#include "rules/rules.def"

/* The message of the next fact of a type, from *at on, which then stands behind it; NULL at the
 * end. */
const void *rule_next(const struct facts *f, const ProtobufCMessageDescriptor *type, size_t *at);
/* The fact with this id and type, or NULL. */
const struct fact *rule_find(const struct facts *f, const ProtobufCMessageDescriptor *type,
			     const ProtobufCBinaryData *id);
Seve__Policy rule_policy(const struct facts *f);

/* A soft rule: whether it is only a warning, since there is a reason or nobody to give one. */
bool rule_waived(const struct facts *f);

bool rule_same_id(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b);

/* Names of records for a message: "P-3, P-7, … (2 more)". */
struct rule_names {
	char text[100];
	size_t len, n, shown;
};
void rule_name(struct rule_names *names, const Seve__Body *body);
/* Ends the list; the text. */
const char *rule_names_end(struct rule_names *names);

#endif
