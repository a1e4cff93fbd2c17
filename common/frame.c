/* frame.c -- cuts a byte stream into length-prefixed frames, and writes their headers.
 * Knows no sockets, no TLS, no protobuf. */
#include "frame.h"

#include <string.h>

/* What else may arrive on this port.  The first four bytes of each read as a length beyond any
 * maximum, so they are looked at only then. */
static const struct stranger {
	const char *start;
	size_t len;
	const char *what;
} strangers[] = {
	{"GET ", 4, "a plain HTTP request"},
	{"POST", 4, "a plain HTTP request"},
	{"PUT ", 4, "a plain HTTP request"},
	{"HEAD", 4, "a plain HTTP request"},
	{"OPTI", 4, "a plain HTTP request"},
	{"CONN", 4, "an HTTP proxy request"},
	{"PRI ", 4, "an HTTP/2 connection"},
	{"HTTP", 4, "an HTTP answer"},
	{"SSH-", 4, "an SSH greeting"},
	{"\x16\x03", 2, "a TLS handshake inside TLS"},
	{"\x15\x03", 2, "a TLS alert inside TLS"},
};

static int refuse_length(const uint8_t *at, size_t len, size_t max, struct err *e)
{
	for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
		if (memcmp(at, strangers[i].start, strangers[i].len) == 0) {
			err_set(e, ERR_PROTOCOL, "%s arrived instead of a frame",
				strangers[i].what);
			return err_remedy(e, "check address and port: here seve/1 is spoken, "
					     "inside TLS 1.3");
		}
	return err_set(e, ERR_TOO_BIG, "a frame of %zu bytes was announced, %zu are allowed", len,
		       max);
}

int frame_next(const struct buf *in, size_t max, struct frame *out, struct err *e)
{
	const struct span s = buf_span(in);
	if (s.len < 4)
		return 0;
	const size_t len =
		(size_t)s.at[0] << 24 | (size_t)s.at[1] << 16 | (size_t)s.at[2] << 8 | s.at[3];
	if (len > max)
		return refuse_length(s.at, len, max, e);
	if (s.len < FRAME_HEADER)
		return 0;
	const uint8_t type = s.at[4];
	if (type < FRAME_HELLO || type > FRAME_WATCH)
		return err_set(e, ERR_PROTOCOL, "a frame of unknown type %u arrived", type);
	if (s.at[6] || s.at[7])
		return err_set(e, ERR_PROTOCOL, "a frame header ends in %02x%02x, not in zeros",
			       s.at[6], s.at[7]);
	if (s.len - FRAME_HEADER < len)
		return 0;
	*out = (struct frame){
		.type = (enum frame_type)type,
		.flags = s.at[5],
		.payload = {s.at + FRAME_HEADER, len},
	};
	return 1;
}

void frame_header(uint8_t out[static FRAME_HEADER], enum frame_type type, size_t len)
{
	out[0] = (uint8_t)(len >> 24);
	out[1] = (uint8_t)(len >> 16);
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	out[4] = (uint8_t)type;
	out[5] = out[6] = out[7] = 0;
}

int frame_add(struct buf *out, enum frame_type type, const void *payload, size_t len)
{
	if (len > FRAME_MAX || FRAME_HEADER + len > out->max - buf_len(out))
		return -ERR_TOO_BIG;
	uint8_t *at = buf_reserve(out, FRAME_HEADER + len);
	if (!at)
		return -ERR_NOMEM;
	frame_header(at, type, len);
	if (len)
		memcpy(at + FRAME_HEADER, payload, len);
	buf_commit(out, FRAME_HEADER + len);
	return 0;
}
