/* depot.h -- what a user's machine keeps over a crash: replica, outbox, cursor.  In memory, for
 * many histories (depot_memory.c); or the library's own store over a disk that loses power
 * (depot_sqlite.c).  Each call is one transaction: after a failure nothing of it stands.  -ERR_IO:
 * the machine died in it; what was committed is there after reopen(). */
#ifndef SEVE_SIM_DEPOT_H
#define SEVE_SIM_DEPOT_H

#include "db.h"
#include "outbox.h"
#include "resume.h"

struct sim;

struct depot_replica {
	bool exists, complete;
	bool loading; /* from rev 0: what it does not bring goes at its end */
	uint64_t epoch, view, rev, start;
	/* A comparison with the manifest: epoch 0: none. */
	uint64_t verify_epoch, verify_view, verify_head;
	bool verify_begun;
	uint8_t verify_after[16];
};

struct depot;
struct depot_ops {
	int (*add)(struct depot *d, Seve__Mutation *m);
	/* The waiting mutations to send next, at most `most`; they are then marked as sent. */
	int (*take)(struct depot *d, struct arena *a, uint32_t territory, size_t most,
		    Seve__PushRequest *out);
	int (*settle)(struct depot *d, uint32_t territory, const Seve__PushRequest *sent,
		      const Seve__PushReply *reply, const char *account, int64_t now_ms);
	int (*replica)(struct depot *d, uint32_t territory, struct depot_replica *out);
	int (*make)(struct depot *d, uint32_t territory);
	int (*page)(struct depot *d, const Seve__Page *p, uint64_t epoch, uint64_t view);
	int (*complete)(struct depot *d, const Seve__PullReply *p);
	int (*reset)(struct depot *d, uint32_t territory);
	/* Instead: a comparison with the manifest begins; a page of it, which puts the ids to be
	 * fetched into `ids` (room for SIM_RECORDS); what was fetched; the page is dealt with
	 * (NULL: all are). */
	int (*verify)(struct depot *d, uint32_t territory, uint64_t epoch, uint64_t view);
	int (*compare)(struct depot *d, const Seve__ManifestReply *m, uint8_t (*ids)[16],
		       unsigned *n);
	int (*fetched)(struct depot *d, uint32_t territory, const Seve__GetReply *r);
	int (*verified)(struct depot *d, uint32_t territory, const uint8_t *to);
	/* The territory may not be read any more. */
	int (*revoke)(struct depot *d, uint32_t territory);
	/* As the server has it, as far as is known; and as it is shown. */
	int (*base)(struct depot *d, struct arena *a, uint32_t territory, const struct uuid *id,
		    struct outbox_view *out);
	int (*shown)(struct depot *d, struct arena *a, uint32_t territory, const struct uuid *id,
		     struct outbox_view *out);
	/* What has become of each edit, by its serial number: OUTBOX_DONE when the outbox does not
	 * hold it. */
	int (*fates)(struct depot *d, uint32_t territory, enum outbox_state out[SIM_EDITS + 1]);
	/* The history that the numbers belong to; and numbers that fit the server's, for what waits
	 * and what it has lost.  `compared`: the comparison with the manifest ends with it. */
	int (*numbers)(struct depot *d, uint32_t territory, struct resume_state *out);
	int (*renumber)(struct depot *d, uint32_t territory, const struct resume_point *p,
			bool refused, bool compared);
	/* The machine died: what was not committed is gone. */
	void (*reopen)(struct depot *d);
	void (*close)(struct depot *d);
};

struct depot {
	const struct depot_ops *ops;
	struct sim *sim;
	unsigned user;
	struct uuid client;
	void *self;
};

void depot_memory_open(struct sim *s, unsigned user, const struct uuid *client, struct depot *out);
/* Its files are named in the plan's folder, which must be there. */
void depot_sqlite_open(struct sim *s, unsigned user, const struct uuid *client, struct depot *out);

#endif
