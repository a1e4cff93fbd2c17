/* network.c -- see network.h.  Sorted arrays and bisection: a network is built once and then read.
 */
#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

int network_init(struct network *net, struct arena *a, const char *kinds, struct err *e)
{
	*net = (struct network){.arena = a, .kinds = kinds ? 0 : UINT64_MAX};
	while (kinds && *kinds) {
		char name[32];
		const size_t n = strcspn(kinds, " ");
		const struct kind *k;

		snprintf(name, sizeof name, "%.*s", (int)n, kinds);
		k = kind_by_name(name);
		if (!k || k->number >= NETWORK_KINDS)
			return err_set(e, ERR_INTERNAL, "no kind \"%s\"", name);
		net->kinds |= UINT64_C(1) << k->number;
		kinds += n + (kinds[n] == ' ');
	}
	return 0;
}

static void *grown(struct arena *a, const void *list, size_t n, size_t *room, size_t size)
{
	const size_t more = *room ? 2 * *room : 256;
	void *bigger = arena_array(a, more, size);

	if (bigger && n)
		memcpy(bigger, list, n * size);
	if (bigger)
		*room = more;
	return bigger;
}

static struct node *node_new(struct network *net, uint32_t territory, const uint8_t id[16],
			     uint64_t rev)
{
	struct node *n;

	if (net->n == net->room) {
		struct node *list = grown(net->arena, net->nodes, net->n, &net->room, sizeof *list);
		if (!list)
			return NULL;
		net->nodes = list;
	}
	n = &net->nodes[net->n++];
	*n = (struct node){.territory = territory, .rev = rev};
	memcpy(n->id.b, id, sizeof n->id.b);
	return n;
}

/* The kind of a packed body, without opening it. */
static const struct kind *peek(const void *body, size_t n)
{
	struct wire w = {.at = body, .end = (const uint8_t *)body + n};
	struct wire_field f;

	while (wire_next(&w, &f)) {
		const struct kind *k = kind_by_number(f.tag);
		if (k)
			return k;
	}
	return NULL;
}

static bool wanted(const struct network *net, const struct kind *k)
{
	return k && k->number < NETWORK_KINDS && (net->kinds >> k->number & 1);
}

int network_add(struct network *net, uint32_t territory, const uint8_t id[16], uint64_t rev,
		const void *body, size_t n, struct err *e)
{
	ProtobufCMessage *m = NULL;
	const struct kind *k = n ? peek(body, n) : NULL;
	struct node *node;

	if (n && !wanted(net, k))
		return 0;
	if (n && wire_unpack(net->arena, &seve__body__descriptor, body, n, &m, e))
		return err_prefix(e, "a record of territory %u", territory);
	node = node_new(net, territory, id, rev);
	if (!node)
		return err_set(e, ERR_NOMEM, "network");
	node->kind = k;
	node->body = (const Seve__Body *)m;
	return 0;
}

int network_add_body(struct network *net, uint32_t territory, const uint8_t id[16], uint64_t rev,
		     const Seve__Body *body, struct err *e)
{
	const struct kind *k = kind_of(body);
	struct node *node;

	if (!wanted(net, k))
		return 0;
	node = node_new(net, territory, id, rev);
	if (!node)
		return err_set(e, ERR_NOMEM, "network");
	node->kind = k;
	node->body = body;
	return 0;
}

/* ---- sealing ------------------------------------------------------------------------------------
 */

static int more(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* The newest of an id first. */
static int by_id(const void *a, const void *b)
{
	const struct node *x = a, *y = b;
	int rc = more(x->territory, y->territory);

	rc = rc ? rc : uuid_cmp(&x->id, &y->id);
	return rc ? rc : more(y->rev, x->rev);
}

static uint32_t ref_no(const struct node *n)
{
	return n->body->meta && n->body->meta->has_ref_no ? n->body->meta->ref_no : 0;
}

static int by_ref(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
	int rc = more(x->territory, y->territory);

	/* what has no number yet stands last */
	rc = rc ? rc : more(ref_no(x) - 1U, ref_no(y) - 1U);
	return rc ? rc : uuid_cmp(&x->id, &y->id);
}

static void drop_older(struct network *net)
{
	size_t kept = 0;

	for (size_t i = 0; i < net->n; i++) {
		const struct node *n = &net->nodes[i];
		const bool older = i && n->territory == net->nodes[i - 1].territory &&
				   uuid_cmp(&n->id, &net->nodes[i - 1].id) == 0;
		if (older)
			net->nodes[i].body = NULL; /* the next one compares with this id */
	}
	for (size_t i = 0; i < net->n; i++)
		if (net->nodes[i].body)
			net->nodes[kept++] = net->nodes[i];
	net->n = kept;
}

static int index_kinds(struct network *net)
{
	for (size_t i = 0; i < net->n; i++)
		net->by_kind[net->nodes[i].kind->number].n++;
	for (size_t k = 0; k < NETWORK_KINDS; k++) {
		struct nodes *of = &net->by_kind[k];

		of->list = arena_array(net->arena, of->n + 1, sizeof *of->list);
		if (!of->list)
			return -ERR_NOMEM;
		of->n = 0;
	}
	for (size_t i = 0; i < net->n; i++) {
		struct nodes *of = &net->by_kind[net->nodes[i].kind->number];

		of->list[of->n++] = &net->nodes[i];
	}
	for (size_t k = 0; k < NETWORK_KINDS; k++)
		if (net->by_kind[k].n)
			qsort(net->by_kind[k].list, net->by_kind[k].n, sizeof *net->by_kind[k].list,
			      by_ref);
	return 0;
}

struct linking {
	struct network *net;
	const struct node *from;
};

static int link_one(void *ctx, const field_desc *field, const struct kind *target,
		    const uint8_t id[16])
{
	struct linking *l = ctx;
	struct network *net = l->net;
	const struct node *to = network_find(net, l->from->territory,
					     (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)id});

	(void)target;
	if (!to)
		return 0;
	if (net->n_edges == net->edge_room) {
		struct edge *list =
			grown(net->arena, net->edges, net->n_edges, &net->edge_room, sizeof *list);
		if (!list)
			return -ERR_NOMEM;
		net->edges = list;
	}
	net->edges[net->n_edges++] = (struct edge){to, l->from, field};
	return 0;
}

static int by_target(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	int rc = (x->to > y->to) - (x->to < y->to);

	rc = rc ? rc : more(x->from->kind->number, y->from->kind->number);
	rc = rc ? rc : by_ref(&x->from, &y->from);
	return rc ? rc : more(x->field->id, y->field->id);
}

static int index_edges(struct network *net)
{
	for (size_t i = 0; i < net->n; i++) {
		struct linking l = {net, &net->nodes[i]};
		int rc = field_each_ref(l.from->kind, kind_message(l.from->body), link_one, &l);

		if (rc)
			return rc;
	}
	if (net->n_edges)
		qsort(net->edges, net->n_edges, sizeof *net->edges, by_target);
	return 0;
}

int network_seal(struct network *net, struct err *e)
{
	if (net->n)
		qsort(net->nodes, net->n, sizeof *net->nodes, by_id);
	drop_older(net);
	if (index_kinds(net) || index_edges(net))
		return err_set(e, ERR_NOMEM, "network");
	return 0;
}

/* ---- asking -------------------------------------------------------------------------------------
 */

const struct node *network_find(const struct network *net, uint32_t territory,
				ProtobufCBinaryData id)
{
	size_t low = 0, high = net->n;

	if (id.len != 16)
		return NULL;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const struct node *n = &net->nodes[mid];
		int rc = more(n->territory, territory);

		rc = rc ? rc : memcmp(n->id.b, id.data, 16);
		if (rc == 0)
			return n;
		if (rc < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct nodes network_kind(const struct network *net, const char *kind)
{
	const struct kind *k = kind_by_name(kind);

	return k && k->number < NETWORK_KINDS ? net->by_kind[k->number] : (struct nodes){NULL, 0};
}

const struct edge *network_edges(const struct network *net, const struct node *to, size_t *n)
{
	size_t low = 0, high = net->n_edges, end;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (net->edges[mid].to < to)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < net->n_edges && net->edges[end].to == to;)
		end++;
	*n = end - low;
	return net->edges ? net->edges + low : NULL;
}

const struct node *network_territory(const struct network *net, uint32_t territory)
{
	const struct nodes all = network_kind(net, "territory");

	for (size_t i = 0; i < all.n; i++)
		if (all.list[i]->territory == territory)
			return all.list[i];
	return NULL;
}

Seve__Policy network_policy(const struct network *net, uint32_t territory)
{
	Seve__Policy p = SEVE__POLICY__INIT;
	const struct node *n = network_territory(net, territory);

	if (n && n->body->territory->policy)
		p = *n->body->territory->policy;
	p.cohort_threshold = p.has_cohort_threshold ? p.cohort_threshold : 2;
	p.group_meetings_min = p.has_group_meetings_min ? p.group_meetings_min : 3;
	p.group_meetings_max = p.has_group_meetings_max ? p.group_meetings_max : 5;
	p.load_mode = p.has_load_mode ? p.load_mode : SEVE__POLICY__LOAD_MODE__LOAD_WARN;
	p.stale_days = p.has_stale_days ? p.stale_days : 30;
	p.match_radius_km = p.has_match_radius_km ? p.match_radius_km : 50;
	return p;
}

/* ---- one record ---------------------------------------------------------------------------------
 */

const char *node_name(const struct node *n)
{
	static const char *const fields[] = {"title", "name", "label", "statement", "text"};
	const ProtobufCMessage *m = kind_message(n->body);

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const field_desc *fd = field_by_name(n->kind, fields[i]);

		if (fd && field_type(fd) == FIELD_TEXT && field_present(m, fd))
			return *(char *const *)field_at(m, fd);
	}
	return "";
}

void node_ref(const struct node *n, char out[static 16])
{
	char text[UUID_TEXT];

	kind_format_ref(n->kind, ref_no(n), out);
	if (*out)
		return;
	uuid_format(&n->id, text);
	snprintf(out, 16, "~%s", text + UUID_TEXT - 1 - 6);
}

void node_state(const struct node *n, char out[static 48])
{
	const field_desc *fd = field_state(n->kind);
	const ProtobufCMessage *m = kind_message(n->body);

	out[0] = '\0';
	if (fd && field_present(m, fd))
		field_enum_word(fd->descriptor, (int)field_int(m, fd), out);
}

int64_t node_state_at(const struct node *n, bool *exact)
{
	const Seve__Meta *meta = n->body->meta;
	const bool kept = meta && meta->has_state_at;

	if (exact)
		*exact = kept;
	if (kept)
		return meta->state_at;
	return meta && meta->has_updated_at ? meta->updated_at : 0;
}

const ProtobufCMessage *node_as(const struct node *n, const ProtobufCMessageDescriptor *desc)
{
	return n && n->kind->desc == desc ? kind_message(n->body) : NULL;
}
