/* tls_err.h -- OpenSSL's reasons as errors that a person can act on.  Inside of tls_*.c only. */
#ifndef SEVE_TLS_ERR_H
#define SEVE_TLS_ERR_H

#include "err.h"

typedef struct ssl_st SSL;

/* Turns the oldest entry of this thread's OpenSSL queue (and, on a client, the verdict on the
 * certificate) into text and remedy.  Returns -ERR_TLS, or -ERR_NOMEM. */
int tls_err_set(const SSL *ssl, struct err *e);

/* The oldest entry's reason in words, or "unknown reason". */
const char *tls_err_reason(void);

#endif
