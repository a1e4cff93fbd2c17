/* service.h -- what bench_service can do: one row of the table in service.c each. */
#ifndef BENCH_SERVICE_H
#define BENCH_SERVICE_H

#include "err.h"

/* All take their arguments (as many as the table says) and print one JSON object, or nothing. */
int service_enrol(char **arg, struct err *e);
int service_open(char **arg, struct err *e);
int service_import(char **arg, struct err *e);
int service_snapshot(char **arg, struct err *e);
int service_push(char **arg, struct err *e);
int service_point(char **arg, struct err *e);
int service_idle(char **arg, struct err *e);
int service_watch(char **arg, struct err *e);
int service_delta(char **arg, struct err *e);
int service_start(char **arg, struct err *e);

/* The argument as a number of 1 to 2^31 - 1, or a negative error. */
int service_number(const char *text, const char *what, struct err *e);

#endif
