/* trace.h -- the story of one action: from the sentence heard in a visit to the tonne saved, also
 * across the merging of leads.  Pure; any thread. */
#ifndef SEVE_TRACE_H
#define SEVE_TRACE_H

#include "network.h"

/* In the order in which the method goes on. */
enum trace_stage {
	TRACE_VISIT,
	TRACE_PROBLEM,
	TRACE_RESOURCE,
	TRACE_MATCH,
	TRACE_WORKSHOP,
	TRACE_IDEA,
	TRACE_ACTION,
	TRACE_DECISION,
	TRACE_POSITION,
	TRACE_GROUP,
	TRACE_MEETING,
	TRACE_MINUTE,
	TRACE_TASK,
	TRACE_BENEFIT,
	TRACE_STAGES
};

struct trace_event {
	enum trace_stage stage;
	int64_t at; /* ms since 1970; 0: not known */
	const struct node *node;
	const struct node *via; /* what tied it to the story: the interview's need, the group … */
};

const char *trace_word(enum trace_stage s); /* "visit" */
/* The action that the lead lives on in: itself, or what it was merged into. */
const struct node *trace_survivor(const struct network *net, const struct node *action);
/* The story of the survivor and of all that was merged into it, stage by stage and by date.
 * 0 or -ERR_NOMEM. */
int trace_make(const struct network *net, const struct node *action, struct arena *a,
	       struct trace_event **out, size_t *n, struct err *e);

#endif
