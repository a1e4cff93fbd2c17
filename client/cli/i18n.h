/* i18n.h -- marks what people read: the command line speaks French and English.
 * Keys, codes, command and option names are never marked.  Knows no message. */
#ifndef SEVE_CLI_I18N_H
#define SEVE_CLI_I18N_H

#include <libintl.h>
#include <stddef.h>

#define _(s)  gettext(s)
#define N_(s) s /* marked here, translated where it is shown */

/* Once, before the first text: character set, language of messages and the catalogue's place.
 * `lang` is the word of --lang or NULL; then SEVE_LANG, LANGUAGE, LC_ALL, LC_MESSAGES, LANG decide.
 */
void i18n_start(const char *lang);

/* "fr" or "en", as i18n_start() found. */
const char *i18n_language(void);

/* How many cells of a terminal this UTF-8 text takes. */
size_t i18n_width(const char *s);

#endif
