/* handlers.h -- what handlers keep beside requests, opened and closed with the server.  The
 * handlers themselves are declared by dispatch.h from methods.def.  Loop thread only. */
#ifndef SEVED_HANDLERS_H
#define SEVED_HANDLERS_H

#include "err.h"

struct server;

/* Gets that arrive together travel together. */
int getter_open(struct server *s, struct err *e);
/* After the readers have closed: nothing is under way any more. */
void getter_close(struct server *s);

/* Import runs under way. */
int imports_open(struct server *s, struct err *e);
void imports_close(struct server *s);

#endif
