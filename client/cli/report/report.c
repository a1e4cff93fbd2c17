/* report.c -- see report.h. */
#include "report.h"

const char *report_ref(struct cli *c, const struct node *n)
{
	char ref[16];
	if (!n)
		return "";
	node_ref(n, ref);
	return cli_printf(c, "%s", ref);
}

const char *report_id(struct cli *c, const struct node *n)
{
	char id[UUID_TEXT];
	if (!n)
		return "";
	uuid_format(&n->id, id);
	return cli_printf(c, "%s", id);
}

const char *report_name(struct cli *c, const struct node *n)
{
	const char *name = n ? node_name(n) : "";
	return *name ? name : report_ref(c, n);
}

const char *report_state(struct cli *c, const struct node *n)
{
	char state[48];
	node_state(n, state);
	return cli_printf(c, "%s", state);
}
