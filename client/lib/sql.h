/* sql.h -- the statements of the folder sql, turned into C by sql2c.awk when the library is built.
 * Constant data: any thread. */
#ifndef SEVE_LIB_SQL_H
#define SEVE_LIB_SQL_H

struct sql_file {
	const char *name; /* without ".sql" */
	const char *text;
};
extern const struct sql_file sql_files[]; /* ends with a row of NULLs */

#endif
