/* log.c -- one event a line on standard error, in text, JSON or for the journal.
 *
 * What a value is, is told by the format, never by the text that came out: a hostile value can
 * neither end its pair nor its line. */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

enum {
	LINE_MAX_BYTES = 4096,
	VALUES_MAX = 3072,
	FORMAT_MAX = 512,
	TAIL = 8,
	NUMBER_MAX = 32,
	ESCAPE_MAX = 6
};

struct line {
	size_t n;
	char at[LINE_MAX_BYTES];
};

static _Atomic int wanted = LOG_INFO;
static _Atomic int shape = LOG_TEXT;

static const struct level {
	const char *name;
	char journal; /* sd-daemon(3) */
} levels[] = {
	[LOG_ERROR] = {"error", '3'},
	[LOG_WARN] = {"warn", '4'},
	[LOG_INFO] = {"info", '6'},
	[LOG_DEBUG] = {"debug", '7'},
};

void log_setup(enum log_level level, enum log_format format)
{
	atomic_store_explicit(&wanted, (int)level, memory_order_relaxed);
	atomic_store_explicit(&shape, (int)format, memory_order_relaxed);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&wanted, memory_order_relaxed);
}

/* Always leaves TAIL bytes for closing the line. */
static size_t room(const struct line *l)
{
	return l->n < sizeof l->at - TAIL ? sizeof l->at - TAIL - l->n : 0;
}

/* Adds all of it or nothing. */
static void add(struct line *l, const char *p, size_t n)
{
	if (n <= room(l)) {
		memcpy(l->at + l->n, p, n);
		l->n += n;
	}
}

static void add_text(struct line *l, const char *s)
{
	add(l, s, strlen(s));
}

/* Length of the printable character at p, 0 if it must be escaped: controls (U+0080 to U+009F steer
 * terminals too), quotes, backslashes and what is not UTF-8. */
static size_t printable(const char *p, size_t left)
{
	const unsigned char c = (unsigned char)*p;
	if (c < 0x80)
		return c >= ' ' && c != 0x7f && c != '"' && c != '\\';
	const size_t len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (len > left || !text_is_utf8(p, len, NULL))
		return 0;
	return c == 0xc2 && (unsigned char)p[1] < 0xa0 ? 0 : len;
}

static void add_quoted(struct line *l, const char *p, size_t n, bool json)
{
	add_text(l, "\"");
	for (size_t i = 0; i < n && room(l) >= ESCAPE_MAX;) {
		size_t len = printable(p + i, n - i);
		char escape[ESCAPE_MAX + 1];
		if (len > 0) {
			add(l, p + i, len);
			i += len;
			continue;
		}
		const unsigned char c = (unsigned char)p[i++];
		if (c == '"' || c == '\\')
			snprintf(escape, sizeof escape, "\\%c", c);
		else if (json)
			snprintf(escape, sizeof escape, "\\u%04x", c < 0x80 ? c : 0xfffdu);
		else
			snprintf(escape, sizeof escape, "\\x%02x", c);
		add_text(l, escape);
	}
	l->at[l->n++] = '"'; /* of the tail, if need be */
}

static bool is_plain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] == 0x7f || p[i] == '"' || p[i] == '\\' || p[i] == '=')
			return false;
	return n > 0;
}

/* What no longer fits is cut or left out, but the line stays well-formed. */
static void add_pair(struct line *l, const char *key, size_t key_n, const char *value, size_t n,
		     bool number)
{
	const bool json = atomic_load_explicit(&shape, memory_order_relaxed) == LOG_JSON;
	if (room(l) < key_n + NUMBER_MAX)
		return;
	add_text(l, json ? ",\"" : " ");
	add(l, key, key_n);
	add_text(l, json ? "\":" : "=");
	if (json ? number : is_plain(value, n))
		add(l, value, n < room(l) ? n : room(l));
	else
		add_quoted(l, value, n, json);
}

/* One "key=%d" of a format. */
struct pair {
	const char *key;
	size_t key_n;
	size_t value_at; /* in the format, behind '=' */
	size_t end;
	bool number;
};

static struct pair pair_at(const char *fmt, size_t at)
{
	struct pair p = {.key = fmt + at};
	size_t equals = at + strcspn(fmt + at, "= ");
	p.key_n = equals - at;
	p.value_at = equals + (fmt[equals] == '=');
	p.end = equals + strcspn(fmt + equals, " ");
	p.number = fmt[p.value_at] == '%' && strchr("diu", fmt[p.end - 1]) != NULL;
	return p;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the front of a checked format */
/* How much text the first n bytes of the format give. */
static size_t length_of(const char *fmt, size_t n, va_list ap)
{
	char front[FORMAT_MAX];
	memcpy(front, fmt, n);
	front[n] = '\0';
	va_list copy;
	va_copy(copy, ap);
	int len = vsnprintf(NULL, 0, front, copy);
	va_end(copy);
	return len < 0 ? 0 : len < VALUES_MAX ? (size_t)len : VALUES_MAX - 1;
}
#pragma GCC diagnostic pop

static __attribute__((format(printf, 2, 0))) void add_pairs(struct line *l, const char *fmt,
							    va_list ap)
{
	char values[VALUES_MAX];
	if (!fmt || strlen(fmt) >= FORMAT_MAX)
		return;
	va_list copy;
	va_copy(copy, ap);
	int n = vsnprintf(values, sizeof values, fmt, copy);
	va_end(copy);
	if (n < 0)
		return;
	for (size_t at = strspn(fmt, " "); fmt[at];) {
		const struct pair p = pair_at(fmt, at);
		const size_t from = length_of(fmt, p.value_at, ap);
		const size_t to = length_of(fmt, p.end, ap);
		add_pair(l, p.key, p.key_n, values + from, to - from,
			 p.number && to < VALUES_MAX - 1);
		at = p.end + strspn(fmt + p.end, " ");
	}
}

static void add_time(struct line *l)
{
	const int64_t ms = clock_wall_ms();
	const time_t s = (time_t)(ms / 1000);
	struct tm tm;
	char text[40];
	gmtime_r(&s, &tm);
	const size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof text - n, ".%03uZ", (unsigned)(ms % 1000));
	add_text(l, text);
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	if (!log_wants(level))
		return;
	const int format = atomic_load_explicit(&shape, memory_order_relaxed);
	const bool json = format == LOG_JSON;
	struct line l = {.n = 0};
	if (json) {
		add_text(&l, "{\"time\":\"");
		add_time(&l);
		add_text(&l, "\",\"level\":\"");
	} else if (format == LOG_JOURNAL) {
		/* The journal has a clock of its own. */
		const char prefix[] = {'<', levels[level].journal, '>', '\0'};
		add_text(&l, prefix);
	} else {
		add_time(&l);
		add_text(&l, " ");
	}
	add_text(&l, levels[level].name);
	add_text(&l, json ? "\",\"event\":\"" : " ");
	add_text(&l, event);
	add_text(&l, json ? "\"" : "");
	va_list ap;
	va_start(ap, fmt);
	add_pairs(&l, fmt, ap);
	va_end(ap);
	memcpy(l.at + l.n, json ? "}\n" : "\n", json ? 2 : 1);
	l.n += json ? 2 : 1;
	/* Nowhere is left to say that standard error is gone. */
	ssize_t written = write(STDERR_FILENO, l.at, l.n);
	(void)written;
}
