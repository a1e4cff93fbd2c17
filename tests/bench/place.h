/* place.h -- where a bench client works: the server of a bench folder, a token, a territory.
 * Knows no sockets.
 *
 * DIR/port           the server's port                DIR/server          its embedded folder
 * DIR/places/NAME    "TOKEN TERRITORY": an account made by service_access.c */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include "tls.h"

struct place {
	uint16_t port;
	SSL_CTX *tls;
	char token[256]; /* "" before enrolment */
	uint32_t territory;
};

/* Reads the port, the CA and, with `name` not NULL, the account of that name. */
int place_open(const char *dir, const char *name, struct place *out, struct err *e);
void place_close(struct place *p);

/* Writes token and territory under a name. */
int place_save(const struct place *p, const char *dir, const char *name, struct err *e);

enum { PLACE_CODE = 64 };

/* The code of an invite's line. */
int place_code(const char *line, char code[static PLACE_CODE], struct err *e);
/* The code of the invite that the server wrote when its database was made. */
int place_invite(const char *dir, char code[static PLACE_CODE], struct err *e);

#endif
