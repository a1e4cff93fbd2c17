/* record.h -- one record in the hands of a caller: fields as text, edits by mask, a change made of
 * them. Knows no store and no network.  One thread at a time per record. */
#ifndef SEVE_LIB_RECORD_H
#define SEVE_LIB_RECORD_H

#include "field.h"
#include "outbox.h"
#include "seve.h"
#include "uuid.h"

enum {
	RECORD_ARENA_MAX = 8 * 1024 * 1024,
	RECORD_TEXT_MAX = 256 * 1024, /* of one field as text, of a record as JSON */
};

struct seve_record {
	struct arena own;    /* of a record that stands alone */
	struct arena *arena; /* where everything lives: `own`, or that of a list */
	const struct kind *kind;
	uint32_t territory;
	struct uuid id;
	char id_text[UUID_TEXT], ref[32], rev_text[24];
	uint64_t rev;
	uint32_t ref_no;
	bool deleted, pending, born; /* born: made here, not yet written */
	const Seve__Body *base;      /* as it was read; NULL for a new or a deleted record */
	Seve__Body *body;            /* as it is shown and edited; NULL for a deleted record */
	bool *edited;                /* by index of the kind's fields; NULL: no edit yet */
	bool edited_level, edited_refs;
	char **texts; /* by index: fields of the kind, then fields of Meta; NULL: not asked for yet
		       */
};

/* A record of its own, empty.  NULL: out of memory. */
struct seve_record *record_alloc(void);
/* Makes `r` show this.  `v->body` lives in r->arena, and is copied if `editable`.  -ERR_NOMEM. */
int record_show(struct seve_record *r, uint32_t territory, const uint8_t id[16],
		const struct outbox_view *v, bool pending, bool editable, struct err *e);
/* A record of its own that came over the wire. */
int record_from_wire(uint32_t territory, const Seve__Record *w, struct seve_record **out,
		     struct err *e);
/* Reads a wire record into a view; the body is unpacked into the arena.  kind NULL: a kind that
 * this program does not know. */
int record_view(struct arena *a, const Seve__Record *w, struct outbox_view *out, struct err *e);
/* What the record's author was looking at. */
struct outbox_view record_base(const struct seve_record *r);

bool record_is_edited(const struct seve_record *r);
/* The edits as one change, in `a`; op is OP_UNSPECIFIED when there are none. */
int record_change(const struct seve_record *r, struct arena *a, Seve__Change *out, struct err *e);
/* The fields that were set, as an import row wants them: mask and body. */
int record_fields(const struct seve_record *r, struct arena *a, Seve__ImportRow *out,
		  struct err *e);

/* The kind with this name.  0 or -ERR_INVALID that names the nearest. */
int record_kind(const char *name, const struct kind **out, struct err *e);

/* "source:key|source:key" <-> references; '|' and '\' inside stand behind a '\'. */
int record_refs_to_text(const Seve__Meta *meta, struct buf *out);
int record_refs_from_text(struct arena *a, Seve__Meta *meta, const char *text, struct err *e);

#endif
