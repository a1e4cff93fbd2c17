/* sql.c -- finds statements by name: see sql.h.  The array itself is generated. */
#include "sql.h"

#include "log.h"
#include "unit.h"

const struct sql_file *sql_find(const char *name)
{
	for (const struct sql_file *f = sql_files; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

struct pg_query pg_sql(const char *name)
{
	const struct sql_file *f = sql_find(name);
	if (!f) {
		log_event(LOG_ERROR, "sql_missing", "name=%s", name);
		abort();
	}
	return (struct pg_query){f->name, f->text};
}
