/* dispatch.h -- from a decoded request to its handler: the rows of methods.def.  Loop thread only.
 */
#ifndef SEVED_DISPATCH_H
#define SEVED_DISPATCH_H

#include "request.h"

struct method {
	const char *name;
	unsigned member; /* number in Request.body */
	void (*handle)(struct request *r);
	bool write;
	unsigned needs; /* role_may */
};

/* NULL for a number that this server does not know. */
const struct method *method_by_member(unsigned member);
const struct method *method_at(size_t i);
size_t method_count(void);

/* Checks the row's right and calls the handler, or fails the request. */
void dispatch(struct request *r);

#define METHOD(member, handler, mode, needs) void handler(struct request *r);
#include "methods.def"
#undef METHOD

#endif
