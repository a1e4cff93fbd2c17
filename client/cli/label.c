/* label.c -- see label.h. */
#include "label.h"

#include <stddef.h>
#include <string.h>

#include "i18n.h"

static const struct {
	const char *field, *text;
} labels[] = {
#define LABEL(field, text) {field, text},
#include "labels.def"
#undef LABEL
};

const char *label_of(const char *field)
{
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (strcmp(labels[i].field, field) == 0)
			return _(labels[i].text);
	return field;
}
