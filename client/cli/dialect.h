/* dialect.h -- CSV as French spreadsheets open it: ';' between cells, a byte order mark, a decimal
 * comma, and no cell that the spreadsheet would take for a formula.  Knows no record. */
#ifndef SEVE_CLI_DIALECT_H
#define SEVE_CLI_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a spreadsheet would reckon with this text: it begins with = + - @, a tab or a line end,
 * perhaps behind apostrophes.  Plain numbers do not count. */
bool dialect_is_formula(const char *text);
/* The text without the apostrophe that was put before it; the text itself where none was. */
const char *dialect_plain(const char *text);

#endif
