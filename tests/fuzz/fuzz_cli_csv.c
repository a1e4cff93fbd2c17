/* fuzz_cli_csv.c -- any bytes as a CSV file: rows are text without control characters, lines go up,
 * and writing the cells and reading them again gives the same cells. */
#include <csv.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "import/csvfile.h"
#include "text.h"

enum { SIZE_MAX_BYTES = 64 * 1024, COPY_MAX = 512 * 1024 };

/* Holds in every build, unlike assert(). */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

struct copy {
	char *text;
	size_t len;
	bool full;
	uint32_t line;
	unsigned rows;
};

static void add(struct copy *c, const void *bytes, size_t n)
{
	if (c->full || c->len + n > COPY_MAX) {
		c->full = true;
		return;
	}
	memcpy(c->text + c->len, bytes, n);
	c->len += n;
}

static int keep(void *ctx, const struct csvfile_row *row, struct err *e)
{
	struct copy *c = ctx;
	(void)e;
	CHECK(row->line >= c->line && row->n <= CSVFILE_CELLS_MAX);
	c->line = row->line;
	c->rows++;
	for (size_t i = 0; i < row->n; i++) {
		const char *cell = row->cells[i];
		const size_t n = strlen(cell);
		CHECK(text_is_utf8(cell, n, NULL));
		for (size_t k = 0; k < n; k++)
			CHECK((unsigned char)cell[k] >= 0x20 || cell[k] == '\n' || cell[k] == '\t');
		if (i)
			add(c, ",", 1);
		char *quoted = malloc(2 * n + 2);
		CHECK(quoted);
		add(c, quoted, csv_write(quoted, 2 * n + 2, cell, n));
		free(quoted);
	}
	add(c, "\r\n", 2);
	return 0;
}

static int read_bytes(const void *bytes, size_t n, const struct csvfile_options *o, struct copy *c)
{
	struct err e = {0};
	FILE *file = fmemopen((void *)(uintptr_t)bytes, n, "r");
	CHECK(file);
	const int rc = csvfile_read(file, o, keep, c, &e);
	fclose(file);
	CHECK(rc == 0 || e.text[0]);
	return rc;
}

static const char *const encodings[] = {NULL, "latin1", "windows-1252", "iso-8859-15"};
enum { ENCODINGS = sizeof encodings / sizeof *encodings };

/* The C library unloads a converter that nobody uses, and loads it again for the next input. */
static void hold_converters(void)
{
	static iconv_t held[ENCODINGS];
	for (size_t i = 1; i < ENCODINGS && !held[i]; i++) {
		held[i] = iconv_open("UTF-8", csvfile_encoding(encodings[i]));
		CHECK(held[i] != (iconv_t)-1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char texts[2][COPY_MAX];
	static const struct csvfile_options ours = {.separator = ','};
	if (size < 2 || size > SIZE_MAX_BYTES)
		return 0;
	hold_converters();
	const struct csvfile_options o = {.encoding = encodings[data[0] % ENCODINGS]};
	struct copy first = {.text = texts[0]}, second = {.text = texts[1]};
	if (read_bytes(data + 1, size - 1, &o, &first) == 0 && first.rows && !first.full) {
		CHECK(read_bytes(first.text, first.len, &ours, &second) == 0);
		CHECK(second.rows == first.rows && second.len == first.len);
		CHECK(memcmp(first.text, second.text, first.len) == 0);
	}
	return 0;
}
