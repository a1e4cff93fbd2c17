/* log.h -- one event a line on standard error: key=value, or JSON.  Never secrets, never personal
 * data: ids only. Knows no events.  Any thread (one write(2) a line). */
#ifndef SEVE_LOG_H
#define SEVE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
/* Journal: text with the <N> prefix of sd-daemon(3), without the time, which the journal has of its
 * own. */
enum log_format { LOG_TEXT, LOG_JSON, LOG_JOURNAL };

/* Sets what is written; starts as LOG_INFO, LOG_TEXT. */
void log_setup(enum log_level level, enum log_format format);
bool log_wants(enum log_level level);

/* Writes one line: time, level, `event` (a fixed word, "conn_closed"), then pairs from the format,
 * which must read "key=%d other=%s" (or be NULL): text values are quoted and escaped where they
 * hold anything but printable ASCII without blanks. Where one value ends and the next begins is
 * told by the blanks of the format, never by those of a value. A line has at most 4 KiB: what no
 * longer fits is cut or left out.  A format of 512 bytes or more gives no pairs. Example:
 * log_event(LOG_INFO, "listening", "port=%u tls=%s", port, "1.3"); */
void log_event(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
