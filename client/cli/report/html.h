/* html.h -- a page of HTML as it is written: everything that comes from records goes through here
 * and is escaped.  Knows no record.  Errors of the stream show when the file is kept. */
#ifndef SEVE_CLI_HTML_H
#define SEVE_CLI_HTML_H

#include <stdint.h>
#include <stdio.h>

/* Text between tags or in a quoted attribute.  Control characters become U+FFFD. */
void html_text(FILE *file, const char *s);
/* Markup with holes: what %s and %u stand for is escaped, the format itself is not.  %s, %u, %zu
 * and
 * %% only. */
void html_put(FILE *file, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A name from outside: <bdi>, so that its direction stays its own. */
void html_name(FILE *file, const char *s);
/* <time>, as people of the language write a day; nothing for INT32_MIN. */
void html_day(FILE *file, int32_t day);
/* <data>, as they write a number, with at most two decimals. */
void html_number(FILE *file, double v);
/* A bar of `part` in `whole` (0 to 100 %), which only repeats what stands beside it. */
void html_bar(FILE *file, double part, double whole, const char *class);
/* <head> up to and with </head>: no script, nothing from elsewhere, this style and no other. */
void html_head(FILE *file, const char *lang, const char *title, const char *style);

#endif
