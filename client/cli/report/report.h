/* report.h -- what the views share: how a record of a network is named in a cell. */
#ifndef SEVE_CLI_REPORT_H
#define SEVE_CLI_REPORT_H

#include "gather.h"
#include "method/load.h"

/* "" for NULL. */
const char *report_ref(struct cli *c, const struct node *n);
const char *report_id(struct cli *c, const struct node *n);
/* The record's name, else its reference; "" for NULL. */
const char *report_name(struct cli *c, const struct node *n);
const char *report_state(struct cli *c, const struct node *n);

/* The matrix as it was on a day: of `all` the entries of the latest date up to it, by quadrant and
 * weight. */
void report_matrix(struct nodes *all, int32_t on);

/* Adds the hours that the network's organisations promised elsewhere: only the server knows them,
 * and tells them to those who run a network.  Without them *partial is set and a warning said. */
int report_add_elsewhere(struct cli *c, const struct gathered *g, struct load *l, struct month m,
			 bool *partial);

/* After an actor took a position: says on standard error what it carries this month.  Says nothing
 * where that cannot be found out. */
void report_position(struct cli *c, const struct seve_record *position);

#endif
