/* fuzz_cli_ics.c -- any bytes as a calendar: rows have text without control characters, lines go
 * up, errors have words, and no rule of repetition keeps us for ever. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "import/reader.h"
#include "text.h"

enum { SIZE_MAX_BYTES = 16 * 1024 };

/* Holds in every build, unlike assert(). */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct reader_options o = {
		.format = "ics", .from_on = 20000, .until_on = 20400};
	struct reader *r = NULL;
	struct reader_row row;
	struct err e = {0};
	uint32_t line = 0;
	int rc;
	if (size < 2 || size > SIZE_MAX_BYTES)
		return 0;
	FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");
	CHECK(file);
	rc = reader_open(file, "x.ics", &o, &r, &e);
	while (rc == 0 && (rc = reader_next(r, &row, &e)) == 1) {
		rc = 0;
		CHECK(row.line >= line);
		line = row.line;
		CHECK(!row.broken || *row.broken);
		for (size_t i = 0; i < row.n; i++)
			CHECK(text_is_utf8(row.cells[i], strlen(row.cells[i]), NULL));
	}
	CHECK(rc == 0 || e.text[0]);
	reader_close(r);
	fclose(file);
	return 0;
}
