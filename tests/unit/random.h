/* random.h -- numbers and messages from a seed: the same seed gives the same test.
 * Knows the descriptors, and of the fields what common/field.h says. */
#ifndef SEVE_TEST_RANDOM_H
#define SEVE_TEST_RANDOM_H

#include "arena.h"
#include "field.h"

struct random {
	uint64_t state;
};

struct random random_from(uint64_t seed);
uint64_t random_next(struct random *r);
unsigned random_below(struct random *r, unsigned n); /* 0 … n - 1 */

/* Text of 1 to `most` characters, with the awkward ones: separators, quotes, blanks, accents,
 * emoji. */
char *random_text(struct random *r, struct arena *a, unsigned most);
/* A record id. */
ProtobufCBinaryData random_id(struct random *r, struct arena *a);
/* Sets one field to a value that a record may hold (formats of partners' numbers aside). */
void random_field(struct random *r, struct arena *a, ProtobufCMessage *m, const field_desc *fd);
/* A message in which each field is present with a chance of `percent`. */
ProtobufCMessage *random_message(struct random *r, struct arena *a,
				 const ProtobufCMessageDescriptor *desc, unsigned percent);
/* A body of this kind, with meta. */
Seve__Body *random_body(struct random *r, struct arena *a, const struct kind *k, unsigned percent);

#endif
