/* fuzz_frame.c -- any bytes, in pieces of any size: a stream is cut the same way whole or in
 * pieces, and what is cut can be written again. */
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "fuzz.h"

enum { MAX_PAYLOAD = FRAME_MAX_BEFORE_AUTH, BUFFER = 64 * 1024 };

/* Holds in every build, unlike assert(). */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

/* Consumes every whole frame, copying its bytes to `out`; returns the last answer. */
static int cut(struct buf *in, struct buf *out)
{
	struct frame f;
	struct err e = {.code = ERR_OK};
	int rc;
	while ((rc = frame_next(in, MAX_PAYLOAD, &f, &e)) == 1) {
		CHECK(f.payload.len <= MAX_PAYLOAD);
		const uint8_t flags = f.flags;
		const size_t at = buf_len(out);
		CHECK(frame_add(out, f.type, f.payload.at, f.payload.len) == 0);
		CHECK(flags != 0 ||
		      memcmp(buf_span(out).at + at, buf_span(in).at, FRAME_HEADER) == 0);
		buf_consume(in, FRAME_HEADER + f.payload.len);
	}
	if (rc < 0)
		CHECK(e.code == (enum err_code) - rc && e.text[0]);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > BUFFER / 2)
		return 0;
	const size_t step = (size_t)data[0] + 1;
	data++;
	size--;

	struct buf whole, pieces, from_whole, from_pieces;
	buf_init(&whole, BUFFER);
	buf_init(&pieces, BUFFER);
	buf_init(&from_whole, BUFFER);
	buf_init(&from_pieces, BUFFER);

	CHECK(buf_add(&whole, data, size) == 0);
	const int once = cut(&whole, &from_whole);
	int stepwise = 0;
	for (size_t at = 0; at < size && stepwise == 0; at += step) {
		CHECK(buf_add(&pieces, data + at, size - at < step ? size - at : step) == 0);
		stepwise = cut(&pieces, &from_pieces);
	}
	CHECK(once == stepwise);
	const struct span a = buf_span(&from_whole), b = buf_span(&from_pieces);
	CHECK(a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0));

	buf_fini(&whole);
	buf_fini(&pieces);
	buf_fini(&from_whole);
	buf_fini(&from_pieces);
	return 0;
}
