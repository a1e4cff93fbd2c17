/* fuzz_text.c -- any bytes as text: UTF-8 is judged as utf8proc judges it, and what reads as a
 * date, a time, a number or an id writes and reads back as the same. */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "fuzz.h"
#include "text.h"
#include "uuid.h"

/* Holds in every build, unlike assert(). */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

static void check_utf8(const uint8_t *data, size_t size)
{
	size_t at = 0, bad = SIZE_MAX;
	while (at < size && data[at]) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(data + at, (utf8proc_ssize_t)(size - at), &c);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	CHECK(text_is_utf8(data, size, &bad) == (at == size));
	CHECK(at == size || bad == at);
}

static void check_times(const char *s)
{
	int32_t days, days_again;
	int64_t ms, ms_again;
	char date[16], instant[32];
	if (text_to_date(s, &days, NULL) == 0) {
		text_from_date(days, date);
		CHECK(text_to_date(date, &days_again, NULL) == 0 && days == days_again);
	}
	if (text_to_instant(s, &ms, NULL) == 0) {
		text_from_instant(ms, instant);
		CHECK(text_to_instant(instant, &ms_again, NULL) == 0 && ms == ms_again);
	}
	if (text_to_duration(s, &ms, NULL) == 0)
		CHECK(ms >= 0);
}

static void check_numbers(const char *s)
{
	int64_t n;
	double d, again;
	char text[32];
	if (text_to_int(s, -1000, 1000, &n, NULL) == 0)
		CHECK(n >= -1000 && n <= 1000 && text_to_double(s, &d, NULL) == 0);
	if (text_to_double(s, &d, NULL) == 0) {
		text_from_double(d, text);
		CHECK(text_to_double(text, &again, NULL) == 0);
		CHECK(memcmp(&d, &again, sizeof d) == 0);
	}
}

static void check_words(const char *s)
{
	struct uuid u, again;
	char text[UUID_TEXT];
	if (uuid_parse(s, &u, NULL) == 0) {
		uuid_format(&u, text);
		CHECK(uuid_parse(text, &again, NULL) == 0 && uuid_cmp(&u, &again) == 0);
	}
	char *folded = text_fold(s);
	CHECK(!folded || text_is_utf8(folded, strlen(folded), NULL));
	free(folded);
	CHECK(text_distance(s, s, 3) == 0);
	CHECK(text_distance(s, "listen-port", 3) == text_distance("listen-port", s, 3));
	text_luhn(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_utf8(data, size);
	char *s = malloc(size + 1);
	if (!s)
		return 0;
	memcpy(s, data, size);
	s[size] = '\0';
	check_times(s);
	check_numbers(s);
	check_words(s);
	free(s);
	return 0;
}
