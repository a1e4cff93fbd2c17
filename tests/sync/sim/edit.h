/* edit.h -- what people write: a random mutation on what their machine shows. */
#ifndef SEVE_SIM_EDIT_H
#define SEVE_SIM_EDIT_H

#include "db.h"

struct sim;

/* Makes an edit and puts it into the outbox.  False: the machine died over it. */
bool edit_random(struct sim *s, unsigned user);

#endif
