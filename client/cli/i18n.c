/* i18n.c -- locale and catalogue.  Works on machines without generated locales: C.UTF-8 for
 * characters and messages, LANGUAGE for the catalogue.  LC_NUMERIC stays C, so that a decimal point
 * is one everywhere. */
#include "i18n.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "seve.h"

#ifndef SEVE_LOCALE_DIR
#define SEVE_LOCALE_DIR "/usr/share/locale"
#endif

static const char *language = "en";

static const char *wanted_language(const char *lang)
{
	static const char *const variables[] = {"SEVE_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES",
						"LANG"};
	for (size_t i = 0; !lang && i < sizeof variables / sizeof *variables; i++) {
		const char *value = getenv(variables[i]);
		if (value && *value)
			lang = value;
	}
	return lang && strncmp(lang, "fr", 2) == 0 ? "fr" : "en";
}

/* The catalogue beside the running program: installed (PREFIX/bin/../share/locale), or in the build
 * folder (client/po). */
static int find_catalogue(char *out, size_t size)
{
	static const char *const places[] = {"../share/locale", "po"};
	char exe[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (n <= 0)
		return 0;
	exe[n] = '\0';
	char *slash = strrchr(exe, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char file[PATH_MAX + 64];
		snprintf(file, sizeof file, "%s/%s/fr/LC_MESSAGES/seve.mo", exe, places[i]);
		if (access(file, R_OK) == 0)
			return snprintf(out, size, "%s/%s", exe, places[i]) < (int)size;
	}
	return 0;
}

static const char *say_local(const char *english)
{
	return gettext(english);
}

void i18n_start(const char *lang)
{
	if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
	setlocale(LC_MESSAGES, "C.UTF-8");
	language = wanted_language(lang);
	setenv("LANGUAGE", language, 1);
	char dir[PATH_MAX];
	bindtextdomain("seve", find_catalogue(dir, sizeof dir) ? dir : SEVE_LOCALE_DIR);
	bind_textdomain_codeset("seve", "UTF-8");
	textdomain("seve");
	seve_translate_with(say_local);
}

const char *i18n_language(void)
{
	return language;
}

size_t i18n_width(const char *s)
{
	size_t width = 0;
	mbstate_t state = {0};
	for (size_t left = strlen(s); left;) {
		wchar_t wide;
		const size_t n = mbrtowc(&wide, s, left, &state);
		if (n == 0 || n > left)
			return width + left;
		const int cells = wcwidth(wide);
		width += cells > 0 ? (size_t)cells : 0;
		s += n;
		left -= n;
	}
	return width;
}
