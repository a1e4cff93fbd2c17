/* peak.c -- bench_peak COMMAND...: runs it and tells, as one JSON line on standard error, how long
 * it took, the most memory that it held and its exit status. */
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock_ns.h"

int main(int argc, char **argv)
{
	struct rusage used;
	int status;
	if (argc < 2) {
		fputs("usage: bench_peak COMMAND...\n", stderr);
		return 2;
	}
	const uint64_t from = clock_ns();
	const pid_t pid = fork();
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid) {
		fprintf(stderr, "bench_peak: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	const double seconds = (double)(clock_ns() - from) / 1e9;
	const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fprintf(stderr, "{\"seconds\":%.3f,\"peak\":%ld,\"status\":%d}\n", seconds,
		used.ru_maxrss * 1024, code);
	return code;
}
