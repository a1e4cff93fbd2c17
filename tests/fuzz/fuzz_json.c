/* fuzz_json.c -- any text as the JSON of any kind's message: what is read is written in one form,
 * which reads back equal; and each field's text form leads back to its value. */
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "fuzz.h"
#include "json.h"

enum { MEMORY = 32 * 1024 * 1024 };

/* Holds in every build, unlike assert(). */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

static void write_and_read(struct arena *a, const ProtobufCMessage *m)
{
	struct buf once, twice;
	ProtobufCMessage *back = NULL;
	buf_init(&once, MEMORY);
	buf_init(&twice, MEMORY);
	CHECK(json_add_message(&once, m) == 0);
	struct span s = buf_span(&once);
	int rc = json_read_message(a, m->descriptor, (const char *)s.at, s.len, &back, NULL);
	CHECK(rc == 0 || rc == -ERR_NOMEM || (rc == -ERR_TOO_BIG && s.len > JSON_READ_MAX));
	if (rc == 0) {
		CHECK(field_message_equal(m, back));
		CHECK(json_add_message(&twice, back) == 0);
		CHECK(buf_len(&twice) == s.len && !memcmp(buf_span(&twice).at, s.at, s.len));
	}
	buf_fini(&once);
	buf_fini(&twice);
}

static void text_and_back(struct arena *a, const ProtobufCMessage *m, const field_desc *fd)
{
	struct buf text;
	struct err e = {.code = ERR_OK};
	ProtobufCMessage *back = field_new_message(a, m->descriptor);
	if (!back)
		return;
	buf_init(&text, MEMORY);
	CHECK(field_to_text(m, fd, &text) == 0 && buf_add(&text, "", 1) == 0);
	int rc = field_from_text(a, back, fd, (const char *)buf_span(&text).at, &e);
	CHECK(rc == 0 || rc == -ERR_NOMEM || rc == -ERR_TOO_BIG);
	CHECK(rc < 0 || field_equal(m, back, fd));
	buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	const ProtobufCMessageDescriptor *d = kind_at(*data % kind_count())->desc;
	struct arena a;
	struct err e = {.code = ERR_OK};
	ProtobufCMessage *m = NULL;
	arena_init(&a, MEMORY);
	int rc = json_read_message(&a, d, (const char *)data + 1, size - 1, &m, &e);
	CHECK(rc == 0 || (e.code == (enum err_code) - rc && e.text[0]));
	if (rc == 0) {
		struct problems p = {0};
		field_check_record(kind_at(*data % kind_count()), m, &p);
		write_and_read(&a, m);
		for (unsigned i = 0; i < d->n_fields; i++)
			text_and_back(&a, m, &d->fields[i]);
	}
	arena_fini(&a);
	return 0;
}
