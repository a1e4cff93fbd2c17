/* lists.h -- official lists of codes, built in: NAF rév. 2, the European List of Waste, the
 * communes. Where they come from stands at the head of each file of lists/.  Knows no records.
 * Constant data: any thread. */
#ifndef SEVE_LISTS_H
#define SEVE_LISTS_H

#include <stdbool.h>

/* "20.14Z" is a sub-class of NAF rév. 2. */
bool lists_naf2(const char *code);

enum lists_waste { LISTS_WASTE_NONE, LISTS_WASTE_PLAIN, LISTS_WASTE_HAZARDOUS };
/* Six digits. */
enum lists_waste lists_waste(const char *code);

enum lists_commune {
	LISTS_COMMUNE_NONE,
	LISTS_COMMUNE,           /* of 2026 */
	LISTS_COMMUNE_DELEGATED, /* merged into another: *now is that one's code */
	LISTS_COMMUNE_ASSOCIATED,
	LISTS_COMMUNE_DISTRICT, /* of Paris, Lyon or Marseille: *now is the city's code */
};
/* Five characters.  `now` gets a code where the commune has become part of another, else "". */
enum lists_commune lists_commune(const char *code, char now[static 6]);

#endif
