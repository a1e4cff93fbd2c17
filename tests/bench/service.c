/* service.c -- bench_service: a client of the service that measures. */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static const struct mode {
	const char *name, *args;
	int least; /* arguments */
	int (*run)(char **arg, struct err *e);
} modes[] = {
	{"enrol", "DIR", 1, service_enrol},
	{"open", "DIR NAME ROLE SOURCE|- PLACE|- (the territory of another place, or a new one)", 5,
	 service_open},
	{"import", "DIR NAME actor|action FIRST N CSV PID", 7, service_import},
	{"snapshot", "DIR NAME TIMES PID", 4, service_snapshot},
	{"push", "DIR NAME CONNECTIONS SECONDS CSV PID", 6, service_push},
	{"point", "DIR NAME CONNECTIONS SECONDS REFERENCES PID", 6, service_point},
	{"idle", "DIR NAME CONNECTIONS PID", 4, service_idle},
	{"watch", "DIR NAME WATCHERS STALLED TIMES CSV PID", 7, service_watch},
	{"delta", "DIR NAME CHANGES TIMES CSV", 5, service_delta},
	{"start", "DIR NAME REFERENCE SEVED [FLAG...] (starts it, asks, ends it)", 4,
	 service_start},
};
enum { MODES = sizeof modes / sizeof *modes };

int service_number(const char *text, const char *what, struct err *e)
{
	int64_t n;
	const int rc = text_to_int(text, 1, INT32_MAX, &n, e);
	return rc < 0 ? err_prefix(e, "%s", what) : (int)n;
}

static int usage(void)
{
	for (int i = 0; i < MODES; i++)
		fprintf(stderr, "usage: bench_service %s %s\n", modes[i].name, modes[i].args);
	return 2;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	const struct mode *m = modes;
	while (m < modes + MODES && (argc < 2 || strcmp(m->name, argv[1]) != 0))
		m++;
	if (m == modes + MODES || argc - 2 < m->least)
		return usage();
	if (m->run(argv + 2, &e) == 0)
		return fflush(stdout) == 0 ? 0 : 1;
	fprintf(stderr, "bench_service %s: %s%s%s\n", m->name, e.text, *e.remedy ? ": " : "",
		e.remedy);
	return 1;
}
