/* rules.c -- the tables of rules.def.
 * Knows neither storage nor what the rules say. */
#include "rules/rule.h"

/* Kind numbers as constants, for the tables; NONE is no kind. */
enum {
	NUMBER_NONE = 0,
#define KIND(name, number, prefix, sort, level, writers, flags) NUMBER_##name = (number),
#include "kinds.def"
#undef KIND
};

static const struct rule rules[] = {
#define ROW(rid, rkind, function, rgone)                                                           \
	{                                                                                          \
		.id = #rid,                                                                        \
		.kind = NUMBER_##rkind,                                                            \
		.gone = (rgone),                                                                   \
		.check = (function),                                                               \
		.concerns = function##_concerns,                                                   \
	},
#define RULE(rid, rkind, function) ROW(rid, rkind, function, false)
#define GONE(rid, rkind, function) ROW(rid, rkind, function, true)
#define NEED(function, how, kind, field, through)
#include "rules/rules.def"
};

static const struct {
	void (*check)(const struct facts *f, struct problems *out);
	struct need need;
} needs[] = {
#define RULE(rid, rkind, function)
#define GONE(rid, rkind, function)
#define NEED(function, nhow, nkind, nfield, nthrough)                                              \
	{(function),                                                                               \
	 {.how = NEED_##nhow, .kind = NUMBER_##nkind, .field = #nfield, .through = #nthrough}},
#include "rules/rules.def"
};

size_t rules_count(void)
{
	return sizeof rules / sizeof rules[0];
}

const struct rule *rules_at(size_t i)
{
	return i < rules_count() ? &rules[i] : NULL;
}

const struct need *rules_need(const struct rule *r, size_t i)
{
	for (size_t n = 0; n < sizeof needs / sizeof needs[0]; n++)
		if (needs[n].check == r->check && i-- == 0)
			return &needs[n].need;
	return NULL;
}
