/* store.h -- the SQLite file: opening, statements, transactions, the lock between processes, small
 * facts. Knows no records and no outbox (replica.h, queue.h).  One thread at a time per store. */
#ifndef SEVE_LIB_STORE_H
#define SEVE_LIB_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "uuid.h"

/* Every statement stands in sql/NAME.sql. */
enum store_statement {
#define STATEMENT(name) STORE_##name,
#include "statements.def"
#undef STATEMENT
	STORE_COUNT
};

enum { STORE_APPLICATION_ID = 0x53455645, STORE_VERSION = 3, STORE_LOCK_MS = 5000 };

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STORE_COUNT];
	char *path;     /* NULL: in memory */
	int lock_fd;    /* of PATH.lock, -1 while closed */
	unsigned locks; /* how often this handle holds the lock */
	unsigned depth; /* of transactions: the outermost one counts */
	bool spoilt;    /* an inner transaction failed: the outermost one must roll back */
	struct uuid client_id;
};

/* Opens, or makes, the file (mode 0600); ":memory:" for none. */
int store_open(const char *path, struct store **out, struct err *e);
/* NULL is fine. */
void store_close(struct store *s);

/* One writer at a time over all processes that share the file: held around edits and
 * synchronisations.  Waits at most `wait_ms`; -ERR_UNAVAILABLE names the file.  May be nested. */
int store_lock(struct store *s, unsigned wait_ms, struct err *e);
void store_unlock(struct store *s);

/* Transactions nest: only the outermost commits.  Each begin is matched by exactly one end;
 * store_end() commits when `rc` is 0, else rolls back; returns rc, or the failure to commit. */
int store_begin(struct store *s, struct err *e);
int store_end(struct store *s, int rc, struct err *e);

/* A prepared statement with its parameters bound in order: 'i' int64_t, 't' const char * (NULL:
 * null), 'b' struct span (at NULL: null).  NULL on failure, with the error set.  Texts and bytes
 * are borrowed until store_done(). */
sqlite3_stmt *store_query(struct store *s, struct err *e, enum store_statement which,
			  const char *types, ...);
/* 1: a row; 0: the end; negative: an error.  After the end or an error the statement is done. */
int store_step(struct store *s, sqlite3_stmt *q, struct err *e);
/* Ends a query before its end.  Idempotent, NULL is fine. */
void store_done(sqlite3_stmt *q);
/* Runs a statement that gives no rows. */
int store_run(struct store *s, struct err *e, enum store_statement which, const char *types, ...);
/* Rows changed by the last statement. */
int store_changes(const struct store *s);

/* Columns of the present row; borrowed until the next step. */
int64_t store_int(sqlite3_stmt *q, int column);
const char *store_text(sqlite3_stmt *q, int column); /* "" for null */
struct span store_bytes(sqlite3_stmt *q, int column);

/* Small facts by name: "account", "server", "epoch", … */
int store_meta_get(struct store *s, const char *key, char *out, size_t size,
		   struct err *e); /* "" when unknown */
int store_meta_set(struct store *s, const char *key, const char *value, struct err *e);

#endif
