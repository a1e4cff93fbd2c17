/* log.h -- one event a line on standard error: key=value, or JSON.  Never secrets, never personal data: ids only.
 * Knows no events.  Any thread (one write(2) a line). */
#ifndef SEVE_LOG_H
#define SEVE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON, LOG_JOURNAL }; /* journal: text with the <N> prefix of sd-daemon(3) */

/* Sets what is written; starts as LOG_INFO, LOG_TEXT. */
void log_setup(enum log_level level, enum log_format format);
bool log_wants(enum log_level level);

/* Writes one line: time, level, `event` (a fixed word, "conn_closed"), then pairs from the format, which must read
 * "key=%d other=%s": text values are quoted and escaped where they hold anything but printable ASCII without blanks.
 * Example: log_event(LOG_INFO, "listening", "port=%u tls=%s", port, "1.3"); */
void log_event(enum log_level level, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
