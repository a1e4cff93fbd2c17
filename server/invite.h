/* invite.h -- the one line that enrols somebody: seve-invite:HOST:PORT:CODE:CA.
 * Knows no database.  Any thread.
 *
 * CODE is the single-use secret in base 32; CA is the certificate of the server's private CA, DER
 * in base64url without padding, or "-" when clients are to trust the system's CAs. */
#ifndef SEVED_INVITE_H
#define SEVED_INVITE_H

#include <stdint.h>

#include "buf.h"
#include "err.h"

enum {
	INVITE_CODE = 24, /* characters: 120 bits */
	INVITE_HASH = 32,
	INVITE_LINE_MAX = 8192,
};

struct invite {
	char code[INVITE_CODE + 1];
	uint8_t hash[INVITE_HASH]; /* SHA-256 of the code: what the database keeps */
};

/* A new code from getrandom(2).  0 or -ERR_INTERNAL. */
int invite_make(struct invite *out, struct err *e);
/* Hash of a code as somebody typed it: either case, blanks and dashes ignored.  0 or
 * -ERR_UNAUTHENTICATED. */
int invite_read(const char *code, struct invite *out, struct err *e);

/* Adds the line.  `address` is "host:port" ("[::1]:7433"); `ca_file` a PEM file, or "" for none.
 * 0, -ERR_CONFIG for a bad address or CA file, -ERR_TOO_BIG. */
int invite_line(struct buf *out, const char *address, const char *code, const char *ca_file,
		struct err *e);

#endif
