/* read.h -- what other parts of the library read from the server.  One thread at a time per handle.
 */
#ifndef SEVE_LIB_READ_H
#define SEVE_LIB_READ_H

#include "client.h"

/* Asks for records; the reply lives in the arena. */
int read_from_server(struct seve *s, uint32_t territory, const Seve__GetRequest *get,
		     struct arena *a, const Seve__GetReply **out, struct err *e);

/* What differs between two versions of a record: "status: idea -> lead; title: …".  0 or the
 * buffer's error. */
int read_changes(struct buf *b, const Seve__Body *before, const Seve__Body *after);

/* Whether all these territories are carried and fit to be read: 1, and when the oldest was in step
 * (ms since 1970); 0, and which is not, in `e`; negative: an error. */
int read_carried(struct seve *s, const uint32_t *list, size_t n, int64_t *oldest, struct err *e);

#endif
