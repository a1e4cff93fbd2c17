/* cursor.h -- whether a replica's cursor can be continued, and what a load from the beginning need
 * not tell.  Pure: server, library and simulation run the same code.  Any thread. */
#ifndef SEVE_CURSOR_H
#define SEVE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

struct cursor {
	uint64_t epoch, view, rev;
	/* Of a load from rev 0: the head that it began at; 0: no load.  A deletion up to it was
	 * there before the load's first row, so no row of the load needs to be taken back for it:
	 * neither to be told nor, once purged, to be missed. */
	uint64_t start;
};

enum cursor_fault {
	CURSOR_FINE,
	CURSOR_EPOCH,  /* the database was restored, or another has taken over */
	CURSOR_VIEW,   /* made with other rights */
	CURSOR_AHEAD,  /* of the server: the history that it belongs to is lost */
	CURSOR_PURGED, /* deletions that it has not seen are forgotten */
};

/* What the fault is, in English, for a message. */
const char *cursor_fault_text(enum cursor_fault f);

/* Of a load from the beginning, which has brought nothing yet.  A cursor at rev 0 of an empty
 * territory is a cursor: the replica may hold records of its own pushes already. */
bool cursor_is_fresh(const struct cursor *c);

/* Before anything is read. */
enum cursor_fault cursor_check(const struct cursor *c, uint64_t epoch, uint64_t view);
/* With what one snapshot tells of the territory; `from` is the rev after which is read there.  The
 * first read of a fresh cursor sets its `start` to the head before. */
enum cursor_fault cursor_check_read(const struct cursor *c, uint64_t from, uint64_t head,
				    uint64_t purged);
/* Whether a row that the reader sees as deleted is left out. */
bool cursor_skips(const struct cursor *c, uint64_t rev);

/* A replica's way back into step after a fault. */
enum cursor_way {
	CURSOR_LOAD,   /* from rev 0: there is nothing to compare */
	CURSOR_VERIFY, /* by the manifest: what is equal stays */
};
enum cursor_way cursor_way(bool complete, bool begun);

#endif
