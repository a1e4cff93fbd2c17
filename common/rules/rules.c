/* rules.c -- the table of rules.def.
 * Knows neither storage nor what the rules say. */
#include "rules/rule.h"

/* Kind numbers as constants, for the table; NONE is no kind. */
enum {
	NUMBER_NONE = 0,
#define KIND(name, number, prefix, sort, level, writers, flags) NUMBER_##name = (number),
#include "kinds.def"
#undef KIND
};

static const struct rule rules[] = {
#define RULE(rid, rkind, function, need, field)                                                    \
	{                                                                                          \
		.id = #rid,                                                                        \
		.kind = NUMBER_##rkind,                                                            \
		.check = (function),                                                               \
		.need_kind = NUMBER_##need,                                                        \
		.need_field = NUMBER_##need == NUMBER_NONE ? NULL : #field,                        \
		.concerns = function##_concerns,                                                   \
	},
#include "rules/rules.def"
#undef RULE
};

size_t rules_count(void)
{
	return sizeof rules / sizeof rules[0];
}

const struct rule *rules_at(size_t i)
{
	return i < rules_count() ? &rules[i] : NULL;
}
