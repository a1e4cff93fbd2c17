/* lists.c -- see lists.h.  The strings are made by lists2c.awk: sorted entries of one width. */
#include "lists.h"

#include <stddef.h>
#include <string.h>

extern const char list_naf2[], list_waste[], list_communes[], list_communes_former[];
extern const size_t list_naf2_size, list_waste_size, list_communes_size, list_communes_former_size;

enum { NAF = 6, WASTE = 7, COMMUNE = 5, FORMER = 11 };

/* The entry that begins with `code`, of which `n` characters count; NULL: none. */
static const char *find(const char *list, size_t size, size_t width, const char *code, size_t n)
{
	size_t low = 0, high = size / width;
	if (strlen(code) != n)
		return NULL;
	while (low < high) {
		const size_t middle = (low + high) / 2;
		const int order = strncmp(code, list + middle * width, n);
		if (order == 0)
			return list + middle * width;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool lists_naf2(const char *code)
{
	return find(list_naf2, list_naf2_size, NAF, code, NAF) != NULL;
}

enum lists_waste lists_waste(const char *code)
{
	const char *entry = find(list_waste, list_waste_size, WASTE, code, WASTE - 1);
	if (!entry)
		return LISTS_WASTE_NONE;
	return entry[WASTE - 1] == '*' ? LISTS_WASTE_HAZARDOUS : LISTS_WASTE_PLAIN;
}

enum lists_commune lists_commune(const char *code, char now[static 6])
{
	now[0] = '\0';
	if (find(list_communes, list_communes_size, COMMUNE, code, COMMUNE))
		return LISTS_COMMUNE;
	const char *entry =
		find(list_communes_former, list_communes_former_size, FORMER, code, COMMUNE);
	if (!entry)
		return LISTS_COMMUNE_NONE;
	memcpy(now, entry + COMMUNE + 1, COMMUNE);
	now[COMMUNE] = '\0';
	return entry[COMMUNE] == 'D'   ? LISTS_COMMUNE_DELEGATED
	       : entry[COMMUNE] == 'A' ? LISTS_COMMUNE_ASSOCIATED
				       : LISTS_COMMUNE_DISTRICT;
}
