/* seve.h -- libseve: records of a territory, from the server and from a replica of one's own.
 *
 * A `struct seve` is one account on one server, with a local store: an SQLite file that holds the
 * outbox (every edit passes through it, so that an edit is applied once whatever happens to the
 * connection) and the replicas of the territories that the caller chose to carry.
 *
 * Handles are opaque.  One handle, one thread at a time; different handles are free of each other.
 * Nothing here prints, exits, installs signal handlers or touches the locale.  Text is UTF-8.
 * Functions that can fail return SEVE_OK (0) or a status below and, where `err` is not NULL, put an
 * error there that the caller frees with seve_error_free(); outputs are untouched on failure.
 * "Borrowed" pointers live as long as the handle they were asked of, unless said otherwise. */
#ifndef SEVE_H
#define SEVE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SEVE_API __attribute__((visibility("default")))
#else
#define SEVE_API
#endif

#define SEVE_VERSION "0.1.0"
SEVE_API const char *seve_version(void); /* of the library that runs */

/* The numbers are also the exit statuses of the command line. */
enum seve_status {
	SEVE_OK = 0,
	SEVE_FAILURE = 1,
	SEVE_USAGE = 2,   /* the caller's arguments make no sense */
	SEVE_PARTIAL = 3, /* some of it worked: the report tells what did not */
	SEVE_UNAUTHENTICATED = 4,
	SEVE_NOT_FOUND = 5,
	SEVE_CONFLICT = 6,
	SEVE_FORBIDDEN = 7,
	SEVE_RETRY = 8,   /* not reachable or busy; everything may be sent again */
	SEVE_INVALID = 9, /* refused: nothing was written */
};

/* ---- errors --------------------------------------------------------------------------------- */

struct seve_error;
SEVE_API void seve_error_free(struct seve_error *e);
SEVE_API int seve_error_status(const struct seve_error *e);          /* enum seve_status */
SEVE_API const char *seve_error_code(const struct seve_error *e);    /* stable word: "NOT_FOUND" */
SEVE_API const char *seve_error_message(const struct seve_error *e); /* what and where */
SEVE_API const char *seve_error_remedy(const struct seve_error *e);  /* what to do, or "" */
SEVE_API int seve_error_retryable(const struct seve_error *e);
SEVE_API unsigned seve_error_retry_after_ms(const struct seve_error *e);

/* Texts are English.  A program with a catalogue gives its translator here, before its first other
 * call: it returns the text for an English one, or the same pointer; it is never freed.  The
 * patterns of sentences are printf formats; a translation takes the same arguments ("%2$s" changes
 * their order). */
SEVE_API void seve_translate_with(const char *(*translate)(const char *english));

/* ---- tables: small results as rows of named text cells -------------------------------------- */

struct seve_table;
SEVE_API void seve_table_free(struct seve_table *t);
SEVE_API size_t seve_table_rows(const struct seve_table *t);
SEVE_API size_t seve_table_columns(const struct seve_table *t);
SEVE_API const char *seve_table_column(const struct seve_table *t, size_t i); /* its name */
SEVE_API const char *seve_table_get(const struct seve_table *t, size_t row,
				    const char *column); /* "" if absent */
/* Whether there is more than the table tells: the answer to it was cut. */
SEVE_API int seve_table_cut(const struct seve_table *t);

/* ---- opening -------------------------------------------------------------------------------- */

struct seve_options;
SEVE_API struct seve_options *seve_options_new(void); /* NULL: out of memory */
SEVE_API void seve_options_free(struct seve_options *o);
/* Keys: "server" (host:port), "ca-file" (PEM; trust only this), "token-file" (0600), "store" (path
 * of the SQLite file; ":memory:" for none that lasts), "agent" (program and version), "timeout-ms"
 * (of a call; default 30000).  SEVE_USAGE for an unknown key. */
SEVE_API int seve_options_set(struct seve_options *o, const char *key, const char *value);

struct seve;
/* Opens the local store; does not connect: that happens when it is first needed. */
SEVE_API int seve_open(const struct seve_options *o, struct seve **out, struct seve_error **err);
/* Closes the connection and the store.  NULL is fine. */
SEVE_API void seve_close(struct seve *s);

/* Connects and authenticates now.  SEVE_RETRY when the server cannot be reached. */
SEVE_API int seve_connect(struct seve *s, struct seve_error **err);
/* Takes the one line of an invite apart: the option "server", the code for seve_enroll(), and the
 * certificate for the option "ca-file" as PEM text (NULL: the system's certificates do).  Each is
 * freed with free(). */
SEVE_API int seve_invite_parse(const char *line, char **server, char **code, char **ca_pem,
			       struct seve_error **err);
/* Spends a single-use invite code and writes the new token to "token-file" (mode 0600).  `device`
 * labels the token. */
SEVE_API int seve_enroll(struct seve *s, const char *invite_code, const char *device,
			 struct seve_error **err);
/* After a connection, ever: account, server, epoch, clock_skew_ms.  One row. */
SEVE_API int seve_whoami(struct seve *s, struct seve_table **out, struct seve_error **err);

/* Territories of the caller, from the server when reachable, else from the store.
 * Columns: territory (number), slug, name, region, role, source, replica ("yes"/"no"), rev,
 * synced_at. */
SEVE_API int seve_territories(struct seve *s, struct seve_table **out, struct seve_error **err);
/* The number of the territory with this slug (or number as text). SEVE_NOT_FOUND. */
SEVE_API int seve_territory_id(struct seve *s, const char *slug, uint32_t *out,
			       struct seve_error **err);

/* How many territories the account was granted at the last connection. */
SEVE_API int seve_granted(struct seve *s, size_t *n, struct seve_error **err);

/* ---- kinds and records ---------------------------------------------------------------------- */

/* Names of kinds and of their fields, for programs that work on any kind.  NULL past the end. */
SEVE_API const char *seve_kind_name(size_t i);
SEVE_API const char *seve_kind_field(const char *kind, size_t i);
/* "text", "bool", "int", "uint", "double", "enum", "date", "instant", "id", "texts", "ids",
 * "message", "messages"; NULL: no such field. */
SEVE_API const char *seve_field_type(const char *kind, const char *field);
/* i-th word of an enumeration, NULL past the end. */
SEVE_API const char *seve_field_word(const char *kind, const char *field, size_t i);

struct seve_record;
/* A new record of a kind in a territory, with a fresh id. */
SEVE_API int seve_record_new(const char *kind, uint32_t territory, struct seve_record **out,
			     struct seve_error **err);
SEVE_API void seve_record_free(struct seve_record *r);
SEVE_API struct seve_record *
seve_record_copy(const struct seve_record *r); /* NULL: out of memory */

SEVE_API const char *seve_record_kind(const struct seve_record *r);
SEVE_API const char *seve_record_id(const struct seve_record *r); /* canonical UUID */
SEVE_API const char *
seve_record_ref(const struct seve_record *r); /* "P-12", or "~k3f9" before commit, or "" */
SEVE_API uint32_t seve_record_territory(const struct seve_record *r);
SEVE_API uint64_t seve_record_rev(const struct seve_record *r);
SEVE_API int seve_record_deleted(const struct seve_record *r);
SEVE_API int seve_record_pending(
	const struct seve_record *r); /* shows edits that the server has not confirmed */
/* Text of a field: "" when absent.  Also "id", "ref", "kind", "rev", "level", "refs", "created_at",
 * "created_by", "updated_at", "updated_by".  Borrowed until the record changes.  NULL: no such
 * field. */
SEVE_API const char *seve_record_get(const struct seve_record *r, const char *field);
/* Sets a field from text ("" clears it) and marks it as edited.  SEVE_INVALID names the allowed
 * values. */
SEVE_API int seve_record_set(struct seve_record *r, const char *field, const char *text,
			     struct seve_error **err);
/* Adds or removes one member of a set field ("tags", "action_ids", "refs" as source:key). */
SEVE_API int seve_record_add(struct seve_record *r, const char *field, const char *text,
			     struct seve_error **err);
SEVE_API int seve_record_remove(struct seve_record *r, const char *field, const char *text,
				struct seve_error **err);
/* The whole record as one line of canonical JSON; the caller frees it with free().  NULL: out of
 * memory. */
SEVE_API char *seve_record_json(const struct seve_record *r);

/* ---- reading -------------------------------------------------------------------------------- */

enum seve_where {
	SEVE_AUTO = 0, /* the replica where there is one, else the server */
	SEVE_SERVER = 1,
	SEVE_REPLICA = 2,
};

/* A record by "P-12", canonical id, or "~tail"; `kind` NULL: any. */
SEVE_API int seve_get(struct seve *s, uint32_t territory, const char *kind, const char *name,
		      enum seve_where where, struct seve_record **out, struct seve_error **err);

struct seve_query;
SEVE_API struct seve_query *
seve_query_new(const char *kind); /* NULL: no such kind, or out of memory */
SEVE_API void seve_query_free(struct seve_query *q);
SEVE_API int seve_query_territory(struct seve_query *q,
				  uint32_t territory); /* may be called again; none: all */
/* op: "=", "!=", "<", "<=", ">", ">=", "~" (contains), "null" (value "yes"/"no"). */
SEVE_API int seve_query_filter(struct seve_query *q, const char *field, const char *op,
			       const char *value, struct seve_error **err);
SEVE_API void seve_query_limit(struct seve_query *q, size_t n); /* 0: no limit */

struct seve_list;
SEVE_API int seve_list(struct seve *s, const struct seve_query *q, enum seve_where where,
		       struct seve_list **out, struct seve_error **err);
SEVE_API void seve_list_free(struct seve_list *l);
SEVE_API size_t seve_list_count(const struct seve_list *l);
SEVE_API const struct seve_record *seve_list_at(const struct seve_list *l, size_t i); /* borrowed */
SEVE_API int seve_list_from_replica(const struct seve_list *l);
SEVE_API int64_t seve_list_age_ms(const struct seve_list *l); /* since the oldest replica read was
								 in step; 0 from the server */

/* Every live record that may be read in these territories, as protobuf: for programs that look at
 * whole territories.  `body` is a packed Body (proto/records.proto), borrowed until the function
 * returns.  From the server a territory is as of one revision, and a record that moved meanwhile
 * comes again: the later one holds, and `body` NULL says that it is gone.  A function that returns
 * another value than 0 ends it (SEVE_FAILURE). */
typedef int (*seve_each)(void *ctx, uint32_t territory, const uint8_t id[16], uint64_t rev,
			 const void *body, size_t n);
/* `age_ms`: since the oldest replica read was in step, -1 from the server; may be NULL. */
SEVE_API int seve_each_record(struct seve *s, const uint32_t *territories, size_t n,
			      enum seve_where where, seve_each each, void *ctx, int64_t *age_ms,
			      struct seve_error **err);

/* How many live records of a territory the account may not read: their number, never which.  As of
 * the last time that the territory was read whole, by a synchronisation or by seve_each_record();
 * SEVE_NOT_FOUND where that never was.  Does not connect. */
SEVE_API int seve_withheld(struct seve *s, uint32_t territory, uint64_t *n,
			   struct seve_error **err);

/* Hours a month that the actors of these territories have promised where the account does not see
 * it: in other territories, or in records above its level; of the month between two days (since
 * 1970-01-01).  Columns siren, hours: hours only, not where nor for what.  Online only. */
SEVE_API int seve_load_elsewhere(struct seve *s, const uint32_t *territories, size_t n,
				 int32_t from_on, int32_t to_on, struct seve_table **out,
				 struct seve_error **err);

/* All that the server holds on the person of a contact, as a JSON document (free()): {"schema":
 * "seve.contact.export/1","items":[{"place":…,…}]}.  For facilitators.  Online only. */
SEVE_API int seve_contact_export(struct seve *s, uint32_t territory, const char *id, char **json,
				 struct seve_error **err);
/* Takes the person's data out of the contact, its former versions, the conflicts about it and what
 * partners said of it; the row stays, under its reference as its name, and is never written again.
 * Replicas follow when they next synchronise.  Online only. */
SEVE_API int seve_contact_erase(struct seve *s, uint32_t territory, const char *id,
				struct seve_error **err);

/* Needs and offers of other territories that could meet those of this one, blinded unless their
 * facilitators made them public.  Columns: own, own_id, own_label, stance, family, unit, band,
 * handle, opened ("yes"/"no"); of opened ones also label, quantity, basis, actor, place.  The
 * handle is the same seen from either side.  Each own card has its share of the answer; where there
 * is more, seve_table_cut() says so.  Online only. */
SEVE_API int seve_match_cross(struct seve *s, uint32_t territory, struct seve_table **out,
			      struct seve_error **err);

/* Versions of a record, newest first.  Columns: rev, at, by, reason, deleted, changes ("status:
 * idea -> lead; …"). Online only. */
SEVE_API int seve_history(struct seve *s, uint32_t territory, const char *id,
			  struct seve_table **out, struct seve_error **err);

/* ---- writing -------------------------------------------------------------------------------- */

/* Writes edited records as one mutation: all or nothing.  It goes into the outbox first; then,
 * unless `offline`, the outbox of the territory is pushed and the verdict awaited. SEVE_OK: applied
 * (the records now show the server's state), or kept in the outbox when offline or not reachable
 * (`queued` set). SEVE_CONFLICT: somebody else wrote the same meanwhile; what was not applied (all
 * of it, or single fields) is kept in a conflict record, which the message names. SEVE_INVALID /
 * SEVE_FORBIDDEN: the server refused it; `report` tells why: columns verdict, field, code, text.
 * `report` may be NULL.  Offline, rows of verdict "warning" tell what the replica knows that the
 * server would refuse, with the same codes. */
SEVE_API int seve_save(struct seve *s, struct seve_record *const records[], size_t n,
		       const char *reason, int offline, int *queued, struct seve_table **report,
		       struct seve_error **err);
/* Deletes a record (as one mutation), or brings it back. */
SEVE_API int seve_delete(struct seve *s, const struct seve_record *r, const char *reason,
			 int offline, int *queued, struct seve_table **report,
			 struct seve_error **err);
SEVE_API int seve_restore(struct seve *s, uint32_t territory, const char *id, const char *reason,
			  struct seve_table **report, struct seve_error **err);

/* ---- conflicts ------------------------------------------------------------------------------ */

/* What two people wrote of the same and cannot both stand is kept by the server in a record of kind
 * "conflict": listed, read and carried like any other.  "Mine" is the edit that came second and was
 * held back, "theirs" what stood there already. */

/* Both sides, field by field.  Columns: field, base (what the author of "mine" saw), mine, theirs,
 * add and remove (members of a set, joined with '|'), clash ("yes"; "no": held back with the
 * others). */
SEVE_API int seve_conflict_fields(const struct seve_record *conflict, struct seve_table **out,
				  struct seve_error **err);

enum seve_side { SEVE_THEIRS = 0, SEVE_MINE = 1, SEVE_VALUE = 2 };
struct seve_choice {
	const char *field;
	enum seve_side side;
	const char *value; /* of SEVE_VALUE: as seve_record_set() takes it */
};
/* Decides an open conflict: one mutation edits, restores or deletes the record that it is about, as
 * it is now, and closes the conflict.  `all` (mine or theirs) holds for the fields that no choice
 * names. Reads the record from the replica where one stands, else from the server; offline from the
 * replica. SEVE_CONFLICT: somebody else was faster, and the edit is kept as a conflict again.
 * Everything else is as with seve_save(); `conflict` is a record of its own, and shows the decision
 * afterwards. */
SEVE_API int seve_conflict_resolve(struct seve *s, struct seve_record *conflict, enum seve_side all,
				   const struct seve_choice *choices, size_t n, const char *reason,
				   int offline, int *queued, struct seve_table **report,
				   struct seve_error **err);

/* ---- synchronising -------------------------------------------------------------------------- */

typedef void (*seve_progress)(void *ctx, uint32_t territory, const char *phase, uint64_t done,
			      uint64_t total);

/* Pushes the outbox and pulls what changed.  territory 0: all that have a replica; otherwise that
 * one, which gets a replica if it has none.  Report: one row a territory: territory, slug, state
 * ("ok", or an error code), pushed, applied, merged, conflicts, rejected, pulled, verified (records
 * compared with the server's), again (acknowledged edits that the server had lost, sent again),
 * withheld, rev, message.  SEVE_PARTIAL when some territories failed. */
SEVE_API int seve_sync(struct seve *s, uint32_t territory, seve_progress progress, void *ctx,
		       struct seve_table **report, struct seve_error **err);
/* Removes a replica; the outbox must be empty unless `force`. */
SEVE_API int seve_forget(struct seve *s, uint32_t territory, int force, struct seve_error **err);
/* What waits and what went wrong, without connecting: territory, slug, rev, synced_at, pending,
 * conflicts (open ones of the replica), rejected. */
SEVE_API int seve_status_local(struct seve *s, struct seve_table **out, struct seve_error **err);
/* Mutations in the outbox: territory, mid, state (pending, rejected; conflict where the server is
 * too old to keep conflicts), kind, id, ref, op, fields, at, code, text, values
 * (JSON: what was to be written). */
SEVE_API int seve_outbox(struct seve *s, struct seve_table **out, struct seve_error **err);
/* Offers a rejected mutation again, under a new number (*new_mid, may be NULL): it waits, and goes
 * with the next synchronisation.  SEVE_INVALID for one that waits already. */
SEVE_API int seve_outbox_retry(struct seve *s, uint32_t territory, uint64_t mid, uint64_t *new_mid,
			       struct seve_error **err);
/* Takes a rejected or conflicting mutation out of the list, once it has been dealt with. */
SEVE_API int seve_outbox_drop(struct seve *s, uint32_t territory, uint64_t mid,
			      struct seve_error **err);

/* ---- watching ------------------------------------------------------------------------------- */

/* One record that changed.  Everything about it is borrowed, until the callback returns. */
struct seve_change;
SEVE_API uint32_t seve_change_territory(const struct seve_change *c);
SEVE_API uint64_t seve_change_rev(const struct seve_change *c);
SEVE_API const char *seve_change_kind(const struct seve_change *c); /* "": a newer one */
SEVE_API const char *seve_change_id(const struct seve_change *c);
SEVE_API const char *seve_change_ref(const struct seve_change *c); /* "P-12", or "" */
/* "created", "edited", "deleted" (also: withdrawn from this reader), "restored". */
SEVE_API const char *seve_change_op(const struct seve_change *c);
/* Who and when (RFC 3339); "" for a deletion. */
SEVE_API const char *seve_change_by(const struct seve_change *c);
SEVE_API const char *seve_change_at(const struct seve_change *c);
/* "status: idea -> lead; …" where the replica knew the record as it was before, else "". */
SEVE_API const char *seve_change_fields(struct seve_change *c);
/* The record as it is now; NULL when deleted, or of a newer kind. */
SEVE_API const struct seve_record *seve_change_record(struct seve_change *c);

enum seve_watch_state {
	SEVE_WATCH_IN_STEP = 1, /* all that had changed has been told; told once after each of the
				   others */
	SEVE_WATCH_LOST = 2,    /* no connection (`err` tells why); it is tried again, with growing
				   pauses */
	SEVE_WATCH_BACK = 3,    /* connected again, from where it was */
	SEVE_WATCH_RESET = 4,   /* the cursor did not fit any more, or the replica had to be
				   synchronised first: not every change was told one by one */
	SEVE_WATCH_REVOKED = 5, /* this territory is not watched any more: no right to it */
};
enum { SEVE_WATCH_MAX = 1024 }; /* territories of one watch */

/* Callbacks of a watch, from seve_process() or seve_watch().  They may be NULL.  Non-zero ends the
 * watch; they do not call functions on the handle.  `territory` is 0 where all are meant. */
struct seve_watcher {
	int (*changed)(void *ctx, struct seve_change *c);
	int (*state)(void *ctx, uint32_t territory, enum seve_watch_state state, uint64_t rev,
		     const struct seve_error *err);
	/* Of seve_watch_start() only, once: SEVE_OK after a callback wanted the end, else why it
	 * cannot go on; `err` is NULL or borrowed. */
	void (*ended)(void *ctx, int status, const struct seve_error *err);
	void *ctx;
};

/* Tells what changes in these territories, from now on; where one has a replica: from its cursor
 * on, and the replica is kept in step.  Does not wait and does not connect yet: seve_process()
 * does. One watch at a time per handle. */
SEVE_API int seve_watch_start(struct seve *s, const uint32_t *territories, size_t n,
			      const struct seve_watcher *want, struct seve_error **err);
/* Ends it without a word. Not from a callback. */
SEVE_API void seve_watch_stop(struct seve *s);
/* The same, waiting: returns when a callback wants the end (SEVE_OK), or when it cannot go on.
 * Losses of the connection are got over. */
SEVE_API int seve_watch(struct seve *s, const uint32_t *territories, size_t n,
			const struct seve_watcher *want, struct seve_error **err);

/* ---- imports -------------------------------------------------------------------------------- */

struct seve_import;
/* Starts a run: `source` names the partner's system, `label` the file (or NULL): it is kept with
 * the batch. */
SEVE_API int seve_import_begin(struct seve *s, uint32_t territory, const char *kind,
			       const char *source, const char *label, int dry_run,
			       struct seve_import **out, struct seve_error **err);
/* The batch's id; "" for a dry run.  Borrowed from the import. */
SEVE_API const char *seve_import_batch(const struct seve_import *i);
/* The rows were the whole source: at the end, its records that none of them brought are deleted,
 * and told to the callback as line 0 with the key as text.  SEVE_INVALID at the end where more than
 * a tenth would disappear (unless `force`), or where rows were rejected. */
SEVE_API void seve_import_full(struct seve_import *i, int force);
/* The caller can pass its rows again, from the first: to be said before the first one.  Then a loss
 * makes seve_import_row() or seve_import_end() fail with seve_import_again() 1, and no key that
 * stands twice is taken twice.  Without it the rows that have no answer are sent again unasked, but
 * the server no longer knows the keys before them, and seve_import_full() is refused at the end. */
SEVE_API void seve_import_rereads(struct seve_import *i);
/* 1, once after each loss that was got over: the run begins anew under the same batch; pass all
 * rows again.  Their verdicts are told anew, as they were the first time. */
SEVE_API int seve_import_again(struct seve_import *i);
enum seve_import_flags { SEVE_IMPORT_REMOVE = 1, SEVE_IMPORT_REVIVE = 2 };
/* Adds a row: `r` holds the mapped fields (those that were set); `key` is the partner's key.  Rows
 * are sent in chunks, several at a time; verdicts come to the callback in line order. */
SEVE_API int seve_import_row(struct seve_import *i, uint32_t line, const char *key,
			     const struct seve_record *r, unsigned flags, struct seve_error **err);
/* Of an import of our own export (source "seve", keys are ids): the rev that the next row's record
 * had when it was exported; fields edited since are kept.  0: not known. */
SEVE_API void seve_import_rev(struct seve_import *i, uint64_t rev);
/* verdict: created, updated, unchanged, attached, skipped, deleted, rejected.  code and text of the
 * first remark, or "". */
typedef void (*seve_import_verdict)(void *ctx, uint32_t line, const char *verdict, const char *id,
				    const char *field, const char *code, const char *text);
SEVE_API void seve_import_on_verdict(struct seve_import *i, seve_import_verdict fn, void *ctx);
/* Sends what is left and waits for all verdicts.  Report: one row with created, updated, unchanged,
 * attached, skipped, deleted, rejected, head_rev. */
SEVE_API int seve_import_end(struct seve_import *i, struct seve_table **report,
			     struct seve_error **err);
SEVE_API void seve_import_free(struct seve_import *i);

/* Imports are kept.  The newest batches of a territory: batch, kind, source, account, label,
 * began_at, ended_at ("": under way, or cut off), reverted_at, reverted_by, created, updated,
 * unchanged, attached, skipped, deleted, rejected. */
SEVE_API int seve_imports(struct seve *s, uint32_t territory, struct seve_table **out,
			  struct seve_error **err);
/* One batch: its row as above, and the rows of the file that had a remark: line, key, verdict, id,
 * field, code, text. */
SEVE_API int seve_import_report(struct seve *s, uint32_t territory, const char *batch,
				struct seve_table **summary, struct seve_table **rows,
				struct seve_error **err);
/* Takes a batch back where nothing has touched its rows since.  Report: deleted (what it had made),
 * updated (what it had changed is as before), unchanged, skipped (edited since, or brought again by
 * a later import), rejected (a rule or a reference forbids it).  `rows`: as above, what stayed and
 * why. */
SEVE_API int seve_import_revert(struct seve *s, uint32_t territory, const char *batch,
				struct seve_table **report, struct seve_table **rows,
				struct seve_error **err);

/* ---- administration ------------------------------------------------------------------------- */

/* `values` is a record of kind "territory".  Online only. */
SEVE_API int seve_territory_create(struct seve *s, const struct seve_record *values,
				   uint32_t *territory, struct seve_error **err);
/* Makes a single-use invite; the account is made if it does not exist.  `scope` is what the role is
 * bound to: an importer's source, a partner's actor ("A-3"), a pilot's action ("P-12"), else NULL.
 * The code is freed with free(). */
SEVE_API int seve_invite(struct seve *s, const char *account, const char *role,
			 const uint32_t *territories, size_t n, const char *scope,
			 unsigned expires_hours, unsigned token_days, char **code,
			 struct seve_error **err);
/* Columns: public_id, account, device, created_at, expires_at, last_used_at, revoked. */
SEVE_API int seve_tokens(struct seve *s, const char *account, struct seve_table **out,
			 struct seve_error **err);
SEVE_API int seve_token_revoke(struct seve *s, const char *public_id, struct seve_error **err);

/* ---- one's own event loop ------------------------------------------------------------------- */

/* Starts a synchronisation without waiting.  `done` is called once, from seve_process(), with the
 * report (the callee frees it) and the error or NULL (borrowed).  Returns SEVE_OK, or an error and
 * then never calls back. */
typedef void (*seve_done)(void *ctx, int status, struct seve_table *report,
			  const struct seve_error *err);
SEVE_API int seve_sync_start(struct seve *s, uint32_t territory, seve_done done, void *ctx,
			     struct seve_error **err);
/* The descriptor to watch, or -1 while there is nothing to wait for; it may change after
 * seve_process(). */
SEVE_API int seve_fd(const struct seve *s);
/* What to watch for: 1 readable, 2 writable, 3 both. */
SEVE_API int seve_events(const struct seve *s);
/* Milliseconds until seve_process() wants to be called even without an event, or -1. */
SEVE_API int seve_timeout_ms(const struct seve *s);
/* Does what can be done without blocking. Callbacks run inside. */
SEVE_API int seve_process(struct seve *s, struct seve_error **err);

#ifdef __cplusplus
}
#endif

#endif
