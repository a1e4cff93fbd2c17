/* rule.h -- the functions that rules.def names, each with the one that tells whether a change can
 * break it. For the files of this folder only. */
#ifndef SEVE_RULE_H
#define SEVE_RULE_H

#include "rules/rules.h"

#define RULE(id, kind, function, need, need_field)                                                 \
	void function(const struct facts *f, struct problems *out);                                \
	bool function##_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after);
#include "rules/rules.def"
#undef RULE

#endif
