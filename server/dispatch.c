/* dispatch.c -- from a decoded request to its handler: the rows of methods.def beside Request's
 * descriptor. */
#include "dispatch.h"

enum { READ = 0, WRITE = 1 };

static struct method methods[] = {
#define METHOD(mname, mhandle, mmode, mneeds)                                                      \
	{                                                                                          \
		.name = #mname,                                                                    \
		.handle = (mhandle),                                                               \
		.write = (mmode) == WRITE,                                                         \
		.needs = (mneeds),                                                                 \
	},
#include "methods.def"
#undef METHOD
};
enum { N_METHODS = sizeof methods / sizeof methods[0], MEMBER_END = 64 };

static const struct method *by_member[MEMBER_END];

/* A row without a member keeps number 0; the self-check of the tests finds it. */
__attribute__((constructor)) static void complete(void)
{
	for (size_t i = 0; i < N_METHODS; i++) {
		const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(
			&seve__request__descriptor, methods[i].name);
		if (!f || f->id >= MEMBER_END)
			continue;
		methods[i].member = f->id;
		by_member[f->id] = &methods[i];
	}
}

const struct method *method_by_member(unsigned member)
{
	return member < MEMBER_END ? by_member[member] : NULL;
}

const struct method *method_at(size_t i)
{
	return i < N_METHODS ? &methods[i] : NULL;
}

size_t method_count(void)
{
	return N_METHODS;
}

void dispatch(struct request *r)
{
	struct err e = {0};
	r->method = method_by_member((unsigned)r->body->body_case);
	if (!r->method) {
		err_set(&e, ERR_UNKNOWN_METHOD, "the request has no body that this server knows");
		err_remedy(&e,
			   "the client is newer than the server: ask for an upgrade of the server");
		request_fail(r, &e);
		return;
	}
	if (r->method->needs && authz_may(r->who, r->method->needs, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	r->method->handle(r);
}
