/* failure.h -- an error as the wire carries it.  Knows no connection.  Any thread. */
#ifndef SEVED_FAILURE_H
#define SEVED_FAILURE_H

#include "envelope.pb-c.h"
#include "err.h"

/* Fills `out`, which borrows the texts of `e`. */
void failure_fill(Seve__Error *out, const struct err *e);

#endif
