/* fuzz_cli_json.c -- any bytes as JSON, JSON Lines or GeoJSON: rows have text without control
 * characters, errors have words, and what is read twice is read alike. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "import/reader.h"
#include "text.h"

enum { SIZE_MAX_BYTES = 32 * 1024 };

/* Holds in every build, unlike assert(). */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

static unsigned read_all(struct reader *r)
{
	struct reader_row row;
	struct err e = {0};
	unsigned rows = 0;
	int rc;
	while ((rc = reader_next(r, &row, &e)) == 1) {
		rows++;
		CHECK(!row.broken || *row.broken);
		for (size_t i = 0; !row.broken && i < row.n; i++) {
			const char *cell = row.cells[i];
			CHECK(text_is_utf8(cell, strlen(cell), NULL));
			for (const char *p = cell; *p; p++)
				CHECK((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
		}
	}
	CHECK(rc == 0 || e.text[0]);
	return rows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = {"json", "jsonl", "geojson", NULL};
	static const char *const paths[] = {NULL, "a", "a.b", "."};
	struct reader *r = NULL;
	struct err e = {0};
	if (size < 2 || size > SIZE_MAX_BYTES)
		return 0;
	const struct reader_options o = {.format = formats[data[0] & 3],
					 .path = paths[data[0] >> 2 & 3]};
	FILE *file = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "r");
	CHECK(file);
	if (reader_open(file, "x.json", &o, &r, &e) < 0) {
		CHECK(e.text[0]);
	} else {
		const unsigned rows = read_all(r);
		if (reader_rewind(r, &e) == 0)
			CHECK(read_all(r) == rows);
	}
	reader_close(r);
	fclose(file);
	return 0;
}
