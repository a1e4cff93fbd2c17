/* failure.c -- an error as the wire carries it.  Knows no connection. */
#include "failure.h"

/* protobuf-c's strings are not const; packing only reads them. */
static char *borrow(const char *s)
{
	return (char *)(uintptr_t)s;
}

void failure_fill(Seve__Error *out, const struct err *e)
{
	seve__error__init(out);
	out->has_code = 1;
	out->code = err_rpc(e->code);
	out->detail = borrow(err_name(e->code));
	out->message = borrow(e->text);
	if (*e->remedy)
		out->remedy = borrow(e->remedy);
	out->has_class_ = 1;
	switch (err_class(e->code)) {
	case ERR_PERMANENT:
		out->class_ = SEVE__ERROR__CLASS__PERMANENT;
		break;
	case ERR_RETRYABLE:
		out->class_ = SEVE__ERROR__CLASS__RETRYABLE;
		break;
	case ERR_UNKNOWN_OUTCOME:
		out->class_ = SEVE__ERROR__CLASS__UNKNOWN_OUTCOME;
		break;
	}
	if (e->retry_after_ms) {
		out->has_retry_after_ms = 1;
		out->retry_after_ms = e->retry_after_ms;
	}
}
