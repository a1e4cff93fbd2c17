/* wording.c -- see wording.h. */
#include "wording.h"

#include <stddef.h>
#include <string.h>

#include "i18n.h"

static const struct {
	const char *key, *text;
} words[] = {
#define WORD(key, text) {key, text},
#include "words.def"
#undef WORD
};

static const char *text_of(const char *key)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].key, key) == 0)
			return words[i].text;
	return NULL;
}

const char *wording(const char *key)
{
	const char *text = text_of(key), *dot = strchr(key, '.');
	if (text)
		return _(text);
	return dot ? dot + 1 : key;
}

int wording_has(const char *key)
{
	return text_of(key) != NULL;
}
