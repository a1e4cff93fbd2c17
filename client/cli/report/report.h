/* report.h -- what the views share: how a record of a network is named in a cell. */
#ifndef SEVE_CLI_REPORT_H
#define SEVE_CLI_REPORT_H

#include "gather.h"

/* "" for NULL. */
const char *report_ref(struct cli *c, const struct node *n);
const char *report_id(struct cli *c, const struct node *n);
/* The record's name, else its reference; "" for NULL. */
const char *report_name(struct cli *c, const struct node *n);
const char *report_state(struct cli *c, const struct node *n);

/* After an actor took a position: says on standard error what it carries this month.  Says nothing
 * where that cannot be found out. */
void report_position(struct cli *c, const struct seve_record *position);

#endif
