/* support.h -- what the tests of the library share: handles on stores of their own, pages as a
 * server would send them. */
#ifndef SEVE_TEST_SUPPORT_H
#define SEVE_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../client/lib/client.h"
#include "../../client/lib/queue.h"
#include "../../client/lib/record.h"
#include "../../client/lib/replica.h"
#include "wire.h"

enum { TERRITORY = 7 };

/* A handle on a store in memory, or on the file. */
struct seve *support_open(const char *store);
/* A folder of the test's own; support_remove() takes it away with all that is in it. */
char *support_folder(void);
void support_remove(char *folder);

/* An id that sorts by `n`. */
struct uuid support_id(unsigned n);
/* The packed body of an action; the caller frees body.data. */
ProtobufCBinaryData support_action(const char *title, uint32_t ref_no, Seve__Action__Status status);

struct support_row {
	unsigned id;
	uint64_t rev;
	const char *title; /* NULL: deleted */
	uint32_t ref_no;
	Seve__Action__Status status;
};
/* Applies a page; returns as replica_apply(). */
int support_page(struct seve *s, uint64_t from, uint64_t to, const struct support_row *rows,
		 size_t n, struct err *e);
/* Ends the pull at this rev. */
int support_complete(struct seve *s, uint64_t rev, struct err *e);
/* A replica that holds these rows. */
void support_replica(struct seve *s, uint64_t rev, const struct support_row *rows, size_t n);

/* The title that the replica shows, or NULL when it knows no such live action; valid until the next
 * call. */
const char *support_title(struct seve *s, unsigned id);
struct seve_record *support_get(struct seve *s, const char *name);

/* Takes what waits, as if sent. */
void support_take(struct seve *s, struct arena *a, Seve__PushRequest *out);
/* Answers one sent mutation; returns as queue_settle(). */
int support_settle(struct seve *s, const Seve__PushRequest *sent, Seve__Verdict *verdict,
		   struct queue_counts *counts, struct err *e);
Seve__Verdict support_verdict(uint64_t mid, Seve__Verdict__Code code);

#endif
