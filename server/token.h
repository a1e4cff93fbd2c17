/* token.h -- the textual form of tokens: svt_PPPPPPPPPP_SSSS…_CCCCCC, public id, secret, check sum.
 * Knows no database and no connection.  Any thread.
 *
 * Underscores, so that a double click selects all of it; a prefix and a check sum, so that secret
 * scanners find it and a mistyped one is told from a revoked one.  The secret has 256 bits: a plain
 * SHA-256 of it is what the database keeps. */
#ifndef SEVED_TOKEN_H
#define SEVED_TOKEN_H

#include <stdint.h>

#include "err.h"

enum {
	TOKEN_PUBLIC = 10,
	TOKEN_SECRET = 43,
	TOKEN_LENGTH = 4 + TOKEN_PUBLIC + 1 + TOKEN_SECRET + 1 + 6,
	TOKEN_HASH = 32,
};

struct token {
	char text[TOKEN_LENGTH + 1];
	char public_id[TOKEN_PUBLIC + 1];
	uint8_t hash[TOKEN_HASH]; /* SHA-256 of the secret's characters */
};

/* A new one from getrandom(2). 0 or -ERR_INTERNAL. */
int token_make(struct token *out, struct err *e);
/* Reads one: 0, or -ERR_UNAUTHENTICATED that tells what is wrong with the form, never a part of the
 * token. */
int token_read(const char *text, struct token *out, struct err *e);

#endif
