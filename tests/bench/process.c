/* process.c -- what another process costs: see process.h. */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static int thread_cpu_ns(pid_t pid, const char *thread, uint64_t *ns)
{
	char path[320];
	uint64_t one;
	snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, thread);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0; /* it has just ended */
	if (fscanf(f, "%" SCNu64, &one) == 1)
		*ns += one;
	fclose(f);
	return 1;
}

int process_cpu_ns(pid_t pid, uint64_t *ns, struct err *e)
{
	char path[64];
	int threads = 0;
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *d = opendir(path);
	if (!d)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	*ns = 0;
	for (struct dirent *t = readdir(d); t; t = readdir(d))
		if (t->d_name[0] != '.')
			threads += thread_cpu_ns(pid, t->d_name, ns);
	closedir(d);
	return threads ? 0 : err_set(e, ERR_IO, "%s: no CPU times (CONFIG_SCHED_INFO)", path);
}

int process_memory(pid_t pid, struct process_memory *out, struct err *e)
{
	char path[64], line[256];
	uint64_t kb;
	struct process_memory m = {0};
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "Rss: %" SCNu64 " kB", &kb) == 1)
			m.rss = kb * 1024;
		else if (sscanf(line, "Pss: %" SCNu64 " kB", &kb) == 1)
			m.pss = kb * 1024;
	}
	fclose(f);
	if (!m.rss)
		return err_set(e, ERR_IO, "%s: no Rss in it", path);
	*out = m;
	return 0;
}

int process_files(uint64_t needed, struct err *e)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return err_set(e, ERR_IO, "limit of open files: %s", strerror(errno));
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0)
		return err_set(e, ERR_IO, "limit of open files: %s", strerror(errno));
	if (l.rlim_cur >= needed)
		return 0;
	err_set(e, ERR_EXHAUSTED, "%llu files may be open, %llu are needed",
		(unsigned long long)l.rlim_cur, (unsigned long long)needed);
	return err_remedy(e, "raise the hard limit (ulimit -Hn)");
}
