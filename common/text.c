/* text.c -- UTF-8, folding, distances, numbers.  Dates, instants and durations are in text_time.c.
 * Knows no records and no locale. */
#include "text.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { DISTANCE_MAX = 128 }; /* characters; longer words are not names that somebody mistyped */

/* Length of the well-formed multi-byte character at p (RFC 3629 §4), 0 if it is not one. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
	const uint8_t c = p[0];
	uint8_t low = 0x80, high = 0xbf;
	size_t n;
	if (c >= 0xc2 && c <= 0xdf)
		n = 2;
	else if ((c & 0xf0) == 0xe0)
		n = 3;
	else if (c >= 0xf0 && c <= 0xf4)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool text_is_utf8(const void *bytes, size_t n, size_t *bad)
{
	const uint8_t *p = bytes;
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
	size_t i = 0;
	while (i < n) {
		uint64_t w;
		while (n - i >= sizeof w) {
			memcpy(&w, p + i, sizeof w);
			/* No byte has its top bit set, and none is zero. */
			if ((w | ((w - ones) & ~w)) & tops)
				break;
			i += sizeof w;
		}
		/* The rest, or up to the end of what stopped the words. */
		for (size_t stop = i + sizeof w; i < n && i < stop;) {
			size_t len = p[i] < 0x80 ? p[i] != 0 : utf8_sequence(p + i, n - i);
			if (len == 0) {
				if (bad)
					*bad = i;
				return false;
			}
			i += len;
		}
	}
	return true;
}

char *text_fold(const char *s)
{
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s, 0, &out,
					  UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPAT |
						  UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD |
						  UTF8PROC_STRIPMARK | UTF8PROC_IGNORE);
	if (n < 0) {
		free(out);
		return NULL;
	}
	return (char *)out;
}

/* Characters of s, or -1 when there are more than DISTANCE_MAX; a stray byte counts as one. */
static int characters(const char *s, utf8proc_int32_t out[static DISTANCE_MAX])
{
	size_t left = strlen(s);
	int n = 0;
	for (const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)s; left > 0; n++) {
		utf8proc_int32_t c;
		utf8proc_ssize_t len = utf8proc_iterate(p, (utf8proc_ssize_t)left, &c);
		if (len <= 0) {
			c = -(utf8proc_int32_t)*p;
			len = 1;
		}
		if (n == DISTANCE_MAX)
			return -1;
		out[n] = c;
		p += len;
		left -= (size_t)len;
	}
	return n;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned text_distance(const char *a, const char *b, unsigned max)
{
	utf8proc_int32_t x[DISTANCE_MAX], y[DISTANCE_MAX];
	const int n = characters(a, x), m = characters(b, y);
	if (n < 0 || m < 0)
		return strcmp(a, b) == 0 ? 0 : max + 1;
	if ((unsigned)abs(n - m) > max)
		return max + 1;
	/* Three rows of the table: this one, the last, and the one before it for swaps. */
	unsigned rows[3][DISTANCE_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	for (int j = 0; j <= m; j++)
		last[j] = before[j] = (unsigned)j;
	for (int i = 1; i <= n; i++) {
		now[0] = (unsigned)i;
		for (int j = 1; j <= m; j++) {
			unsigned d = last[j - 1] + (x[i - 1] != y[j - 1]);
			d = least(d, least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
				d = least(d, before[j - 2] + 1);
			now[j] = d;
		}
		unsigned *oldest = before;
		before = last;
		last = now;
		now = oldest;
	}
	return least(last[m], max + 1);
}

int text_to_int(const char *s, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	const bool negative = *s == '-';
	int64_t v = 0;
	bool fits = true;
	const char *p = s + negative;
	const char *digits = p;
	for (; *p >= '0' && *p <= '9'; p++)
		fits = fits && !__builtin_mul_overflow(v, 10, &v) &&
		       !__builtin_sub_overflow(v, *p - '0', &v);
	if (p == digits || *p)
		return err_set(e, ERR_INVALID, "\"%.60s\" is not a whole number", s);
	/* Built downwards, since the least int64_t has no positive twin. */
	fits = fits && (negative || !__builtin_sub_overflow(0, v, &v));
	if (!fits || v < min || v > max)
		return err_set(e, ERR_INVALID, "%.60s is not between %lld and %lld", s,
			       (long long)min, (long long)max);
	*out = v;
	return 0;
}

static locale_t c_locale;

static void c_locale_new(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* The program that uses us may have set a locale with a decimal comma. */
static locale_t into_c_locale(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, c_locale_new);
	return uselocale(c_locale);
}

static const char *skip_digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

/* [-]digits[.digits][e[+-]digits], and nothing else that strtod() would take. */
static bool is_decimal(const char *s)
{
	const char *p = s + (*s == '-'), *q = skip_digits(p);
	if (q == p)
		return false;
	if (*q == '.') {
		p = q + 1;
		q = skip_digits(p);
		if (q == p)
			return false;
	}
	if (*q == 'e' || *q == 'E') {
		p = q + 1 + (q[1] == '+' || q[1] == '-');
		q = skip_digits(p);
		if (q == p)
			return false;
	}
	return *q == '\0';
}

int text_to_double(const char *s, double *out, struct err *e)
{
	if (!is_decimal(s))
		return err_set(e, ERR_INVALID, "\"%.60s\" is not a number", s);
	locale_t old = into_c_locale();
	double v = strtod(s, NULL);
	uselocale(old);
	if (!isfinite(v))
		return err_set(e, ERR_INVALID, "%.60s is too large", s);
	*out = v;
	return 0;
}

void text_from_double(double v, char out[static 32])
{
	char text[48] = ""; /* 24 are enough, but that is beyond what compilers can tell */
	locale_t old = into_c_locale();
	/* Where 15 digits read back as v, no shorter text does unless "%g" finds it too: it drops
	 * final zeros.  Only subnormal numbers have fewer digits than that to tell. */
	for (int digits = isnormal(v) || v == 0 ? 15 : 1; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	uselocale(old);
	memcpy(out, text, 31);
	out[31] = '\0';
}

bool text_luhn(const char *digits)
{
	const size_t n = strlen(digits);
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		unsigned d = (unsigned)(digits[i] - '0') << ((n - i) % 2 == 0);
		sum += d > 9 ? d - 9 : d;
	}
	return n > 0 && sum % 10 == 0;
}

void text_lower_word(const char *s, char *out, size_t size)
{
	size_t i = 0;
	for (; i + 1 < size && s[i]; i++)
		out[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a' : s[i]);
	if (size)
		out[i] = '\0';
}
