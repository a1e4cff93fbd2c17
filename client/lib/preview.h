/* preview.h -- what would speak against an edit, as far as this machine's replica knows: the
 * server's own rules, asked before an edit waits in the outbox.  Only warns: the server decides.
 * One thread at a time per store. */
#ifndef SEVE_LIB_PREVIEW_H
#define SEVE_LIB_PREVIEW_H

#include "client.h"
#include "field.h"
#include "sync.pb-c.h"

/* Problems with states and rules of the method; none where the territory has no complete replica.
 * 0, or an error of the store. */
int preview(struct seve *s, uint32_t territory, const Seve__Mutation *m, struct problems *out,
	    struct err *e);

#endif
