/* sql.h -- the hand-written statements and the migrations, compiled in as text by sql2c.awk.
 * Knows no connection.  Constant data: any thread. */
#ifndef SEVED_PG_SQL_H
#define SEVED_PG_SQL_H

struct sql_file {
	const char *name; /* of the file, without folder and suffix */
	const char *text;
};

/* server/pg/sql first, then migrations/ ("0001_core") in their order; ends with a row of NULLs. */
extern const struct sql_file sql_files[];

/* NULL when there is none. */
const struct sql_file *sql_find(const char *name);

#endif
