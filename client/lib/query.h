/* query.h -- what is asked for: a kind, territories, filters; and how records compare, the same way
 * as on the server. Knows no store and no network.  One thread at a time per query. */
#ifndef SEVE_LIB_QUERY_H
#define SEVE_LIB_QUERY_H

#include "arena.h"
#include "field.h"
#include "seve.h"
#include "sync.pb-c.h"

enum { QUERY_FILTERS_MAX = 16, QUERY_TERRITORIES_MAX = 500 };

enum query_meta { QUERY_FIELD, QUERY_UPDATED_AT, QUERY_LEVEL, QUERY_REF_NO };

struct query_filter {
	enum query_meta meta;
	const field_desc *fd;          /* QUERY_FIELD */
	Seve__Filter wire;             /* as it is sent */
	const ProtobufCMessage *value; /* QUERY_FIELD: a message of the kind that holds the value */
	int64_t number;                /* the other ones */
	char *folded;                  /* CONTAINS of a text; malloc'ed */
};

struct seve_query {
	struct arena arena;
	const struct kind *kind;
	uint32_t territories[QUERY_TERRITORIES_MAX];
	size_t n_territories;
	struct query_filter filters[QUERY_FILTERS_MAX];
	size_t n_filters;
	size_t limit;
};

/* Whether a live record of the query's kind passes all filters. */
bool query_matches(const struct seve_query *q, uint32_t ref_no, const Seve__Body *body);
/* Two present values of a field that can be sorted by. */
int query_compare(const field_desc *fd, const ProtobufCMessage *a, const ProtobufCMessage *b);
/* The order of lists: the kind's sort field (absent last), then the id. */
int query_order(const struct kind *k, const Seve__Body *a, const uint8_t a_id[16],
		const Seve__Body *b, const uint8_t b_id[16]);

#endif
