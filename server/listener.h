/* listener.h -- the listening socket: binds, accepts, pauses when too many connections wait for
 * authentication. Knows no TLS and no frames.  Loop thread only. */
#ifndef SEVED_LISTENER_H
#define SEVED_LISTENER_H

#include <stdbool.h>
#include <uv.h>

#include "err.h"

struct server;

struct listener {
	uv_tcp_t tcp;
	unsigned port; /* the one that is listened on */
	bool open;
	bool waiting; /* a connection stands in the kernel's queue until others have authenticated
		       */
};

/* Listens on listen-address and listen-port.  0, or an error that names the address. */
int listener_open(struct server *s, struct err *e);
/* Writes port-file, if that is set. */
int listener_announce(const struct server *s, struct err *e);
/* Accepts again what was left waiting, if it may now. */
void listener_resume(struct server *s);
/* Idempotent. */
void listener_close(struct server *s);

#endif
