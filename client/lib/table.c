/* table.c -- see table.h. */
#include "table.h"

#include <stdarg.h>

struct seve_table {
	const char *const *columns;
	size_t n_columns, n_rows, cap; /* cap: rows there is room for */
	char **cells;                  /* n_rows * n_columns; NULL = "" */
	bool failed, cut;
};

struct seve_table *table_new(const char *const *columns)
{
	struct seve_table *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->columns = columns;
	while (columns[t->n_columns])
		t->n_columns++;
	return t;
}

void table_row(struct seve_table *t)
{
	if (!t || t->failed)
		return;
	if (t->n_rows == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 8;
		char **cells = reallocarray(t->cells, cap * t->n_columns, sizeof *cells);

		if (!cells) {
			t->failed = true;
			return;
		}
		t->cells = cells;
		t->cap = cap;
	}
	memset(t->cells + t->n_rows * t->n_columns, 0, t->n_columns * sizeof *t->cells);
	t->n_rows++;
}

static bool column_index(const struct seve_table *t, const char *column, size_t *out)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		if (strcmp(t->columns[i], column) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

void table_put(struct seve_table *t, const char *column, const char *fmt, ...)
{
	char *text = NULL;
	size_t i;
	va_list ap;
	int n;

	if (!t || t->failed || !t->n_rows || !column_index(t, column, &i))
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->failed = true;
		return;
	}
	i += (t->n_rows - 1) * t->n_columns;
	free(t->cells[i]);
	t->cells[i] = text;
}

void table_cut(struct seve_table *t)
{
	if (t)
		t->cut = true;
}

int table_finish(struct seve_table *t, struct seve_table **out, struct err *e)
{
	if (!t || t->failed) {
		seve_table_free(t);
		return err_set(e, ERR_NOMEM, "table of results");
	}
	if (out)
		*out = t;
	else
		seve_table_free(t);
	return 0;
}

void seve_table_free(struct seve_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

size_t seve_table_rows(const struct seve_table *t)
{
	return t ? t->n_rows : 0;
}

int seve_table_cut(const struct seve_table *t)
{
	return t && t->cut;
}

size_t seve_table_columns(const struct seve_table *t)
{
	return t ? t->n_columns : 0;
}

const char *seve_table_column(const struct seve_table *t, size_t i)
{
	return t && i < t->n_columns ? t->columns[i] : "";
}

const char *seve_table_get(const struct seve_table *t, size_t row, const char *column)
{
	size_t i;

	if (!t || row >= t->n_rows || !column || !column_index(t, column, &i))
		return "";
	return t->cells[row * t->n_columns + i] ? t->cells[row * t->n_columns + i] : "";
}
