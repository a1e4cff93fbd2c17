/* metrics.c -- counters of the server as one JSON object.  Knows nobody who counts. */
#include "metrics.h"

#include <stdbool.h>

size_t metrics_json(const struct metrics *m, char *out, size_t size)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
#define COUNTER(name, text) {#name, m->name},
#include "metrics.def"
#undef COUNTER
	};
	const size_t count = sizeof rows / sizeof rows[0];
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		const int got =
			snprintf(out + n, size - n, "%s\"%s\":%llu%s", i ? "," : "{", rows[i].name,
				 (unsigned long long)rows[i].value, i + 1 < count ? "" : "}");
		if (got < 0 || (size_t)got >= size - n)
			return 0;
		n += (size_t)got;
	}
	return n;
}
