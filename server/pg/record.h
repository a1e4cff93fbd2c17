/* record.h -- typed tables from descriptors: the SQL of each kind, and a record's fields as columns
 * of arrays. Knows kinds only through common/kind.h: adding one needs nothing here.  Loop thread
 * only. */
#ifndef SEVED_PG_RECORD_H
#define SEVED_PG_RECORD_H

#include "field.h"
#include "unit.h"

/* The SQL type of a field's column ("uuid", "text[]", …). */
const char *record_column_type(const field_desc *fd);

/* Makes the statements of all kinds.  Once, at start-up. */
int record_init(struct err *e);

/* Rows of one kind on their way into its table. */
struct record_rows {
	struct arena *arena;
	const struct kind *kind;
	size_t n;
	struct pg_array territory, id;
	struct pg_array *columns; /* one per field, in the descriptor's order */
};
int record_rows_init(struct record_rows *r, struct arena *a, const struct kind *k);
/* Adds a record. 0 or -ERR_NOMEM. */
int record_rows_add(struct record_rows *r, uint32_t territory, const uint8_t id[16],
		    const ProtobufCMessage *m);
/* Adds the statement for all rows to a unit: a plain insert of records that were not there before
 * (born), or an upsert. */
int record_rows_store(struct record_rows *r, bool born, struct pg_unit *u);

/* Deletes rows of a kind's table: $1 int[] territories, $2 uuid[] ids. */
struct pg_query record_delete(const struct kind *k);
/* All live records of a kind: $1 int[] territories; columns as load_records. */
struct pg_query record_all(const struct kind *k);
/* Who holds a unique text value: $1 int[], $2 text[]; columns as load_records, then territory and
 * value. */
struct pg_query record_unique(const struct kind *k, const field_desc *fd);

#endif
