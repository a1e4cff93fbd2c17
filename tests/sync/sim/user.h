/* user.h -- one person's machine: edits, connects, pushes, pulls, gives up, dies and comes back.
 * The serial number of an edit stays, its number in the territory may not: the mutation carries it
 * as its author's time. */
#ifndef SEVE_SIM_USER_H
#define SEVE_SIM_USER_H

#include "depot.h"
#include "net.h"
#include "resume.h"

/* What became of an edit, as far as its author was told. */
struct user_edit {
	bool made;
	bool refused_here; /* the right was taken before it was sent */
	bool rewound;      /* the database had it, and forgot it */
	bool let_go;       /* so did the machine: the right was taken before it was sent again */
	unsigned rewinds;  /* that had been when it was made */
	struct user_base {
		uint64_t rev;
		bool stood; /* and that was what the database had at that rev */
	} bases[2];         /* what its author saw of each record */
	Seve__Verdict__Code code;
	unsigned record; /* that carries the edit's mark; SIM_RECORDS: none does */
};

enum user_call {
	USER_NO_CALL,
	USER_HELLO,
	USER_RESUME,
	USER_PUSH,
	USER_PULL,
	USER_MANIFEST,
	USER_GET
};

struct user {
	char account[16];
	struct uuid client;
	struct depot depot;
	struct user_edit edits[SIM_TERRITORIES][SIM_EDITS + 1]; /* by serial number */
	uint64_t made[SIM_TERRITORIES];                         /* the last */
	uint64_t seen[SIM_TERRITORIES][SIM_RECORDS]; /* greatest rev shown; per load from rev 0 */
	uint64_t known[SIM_TERRITORIES];             /* greatest rev that a verdict told */
	/* The process. */
	bool alive;
	unsigned generation;
	unsigned link;
	bool welcomed;
	uint64_t epoch, views[SIM_TERRITORIES];
	Seve__Role roles[SIM_TERRITORIES];
	enum user_call call;
	uint64_t request;   /* its number */
	uint64_t overlap;   /* of a pull beside the push, 0: none */
	unsigned at;        /* territory - 1 that is synchronised */
	unsigned left;      /* territories of this round */
	bool pushed;        /* nothing waits there any more */
	bool dirty;         /* since the last complete round */
	struct arena arena; /* of the push under way */
	Seve__PushRequest sent;
	uint8_t fetch[SIM_RECORDS][16]; /* what the page of the manifest showed to differ */
	unsigned n_fetch;
	bool page_more;
	uint8_t page_last[16];
	struct resume_point point; /* epoch 0: not asked */
	bool begun;                /* with this territory, in this session */
	bool resume, refused;      /* our numbers do not fit; the server has others under them */
	unsigned resumes;
};

void user_begin(struct sim *s, unsigned user);
void user_end(struct sim *s, unsigned user);
/* Bytes have arrived on the connection; it is gone. */
void user_hears(struct sim *s, unsigned link);
void user_lost(struct sim *s, unsigned user, unsigned link);
void user_crash(struct sim *s, unsigned user);
/* 0 passes; the machine's death is taken care of (then true); any other error ends the history. */
bool user_died(struct sim *s, unsigned user, int rc);

#endif
