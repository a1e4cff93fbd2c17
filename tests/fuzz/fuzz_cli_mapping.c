/* fuzz_cli_mapping.c -- any text as a mapping, laid over a header and a row that come with it
 * behind a line "---". */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "import/mapping.h"

enum { SIZE_MAX_BYTES = 16 * 1024, WIDTH = 4 };

/* Holds in every build, unlike assert(). */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

static int set(void *ctx, const char *field, const char *text, const struct mapping_rule *rule)
{
	size_t *n = ctx;
	(void)rule;
	CHECK(field[0] && strlen(text) <= MAPPING_VALUE_MAX);
	*n += strlen(text);
	return 0;
}

static void lay_over(struct arena *a, struct mapping *m, char *cells)
{
	char *header[WIDTH] = {"A", "B", "name", "Code"}, *row[WIDTH];
	char key[MAPPING_KEY_MAX];
	struct err e = {0};
	size_t n = 0;
	for (size_t i = 0; i < WIDTH; i++) {
		row[i] = cells;
		cells += strcspn(cells, "\t");
		if (*cells)
			*cells++ = '\0';
	}
	if (mapping_bind(a, m, kind_by_name("actor"), header, WIDTH, &e) < 0) {
		CHECK(e.text[0]);
		return;
	}
	enum mapping_operation what;
	CHECK(mapping_wanted(a, m));
	if (mapping_operation(m, row, &what, &e) < 0)
		CHECK(e.text[0]);
	if (mapping_key(m, row, key, &e) == 0)
		CHECK(key[0] && strlen(key) < MAPPING_KEY_MAX);
	if (mapping_apply(m, row, set, &n, &e) < 0)
		CHECK(e.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct mapping m;
	struct err e = {0};
	if (size > SIZE_MAX_BYTES)
		return 0;
	arena_init(&a, 8 * 1024 * 1024);
	char *text = arena_alloc(&a, size + 1);
	CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	char *cells = strstr(text, "---");
	if (cells) {
		*cells = '\0';
		cells += 3;
	}
	if (mapping_parse(&a, "fuzz", text, &m, &e) < 0)
		CHECK(e.text[0]);
	else
		lay_over(&a, &m, cells ? cells : text + strlen(text));
	arena_fini(&a);
	return 0;
}
