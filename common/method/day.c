/* day.c -- see day.h. */
#include "day.h"

#include <stdio.h>
#include <string.h>

#include "rules/workload.h"
#include "text.h"

int month_parse(const char *text, struct month *out, struct err *e)
{
	char day[16];
	int32_t first;

	snprintf(day, sizeof day, "%.10s-01", text);
	if (strlen(text) != 7 || text_to_date(day, &first, NULL) < 0) {
		err_set(e, ERR_INVALID, "\"%.20s\" is not a month", text);
		return err_remedy(e, "write it like 2026-11");
	}
	*out = month_of(first);
	return 0;
}

struct month month_of(int32_t day)
{
	const struct workload_month m = workload_month(day);

	return (struct month){m.first, m.last};
}

void month_format(int32_t day, char out[static 16])
{
	text_from_date(day, out);
	out[7] = '\0';
}

int32_t day_of(int64_t ms)
{
	return (int32_t)(ms >= 0 ? ms / DAY_MS : -((-ms + DAY_MS - 1) / DAY_MS));
}
