/* digest.c -- see digest.h. */
#include "digest.h"

#include <stdlib.h>
#include <string.h>

const char *digest_word(enum digest_what w)
{
	static const char *const words[] = {"created", "state", "changed"};

	return words[w];
}

/* The record that a record of this kind is about: the first of these fields that is present. */
static const struct {
	const char *kind;
	const char *fields[3];
} about[] = {
	{"contact", {"actor_id"}},
	{"availability", {"actor_id"}},
	{"interview_note", {"interview_id"}},
	{"assessment", {"action_id", "actor_id"}},
	{"problem", {"actor_id"}},
	{"resource", {"actor_id"}},
	{"match", {"action_id", "need_id"}},
	{"idea", {"action_id", "meeting_id"}},
	{"decision", {"action_id"}},
	{"position", {"action_id", "group_id"}},
	{"attendance", {"meeting_id"}},
	{"minute", {"action_id", "meeting_id"}},
	{"task", {"action_id", "meeting_id"}},
	{"knowhow", {"contact_id"}},
	{"benefit", {"action_id"}},
};

static const struct node *subject_of(const struct network *net, const struct node *n)
{
	const ProtobufCMessage *m = kind_message(n->body);

	for (size_t i = 0; i < sizeof about / sizeof *about; i++) {
		if (strcmp(about[i].kind, n->kind->name) != 0)
			continue;
		for (size_t k = 0; k < 3 && about[i].fields[k]; k++) {
			const field_desc *fd = field_by_name(n->kind, about[i].fields[k]);
			const ProtobufCBinaryData *id =
				fd && field_present(m, fd) ? field_at(m, fd) : NULL;
			const struct node *to = id ? network_find(net, n->territory, *id) : NULL;

			if (to)
				return to;
		}
	}
	return n;
}

struct group {
	struct digest_event e;
	int64_t newest; /* of its subject */
};

static int by_subject(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->e.subject != y->e.subject)
		return x->e.subject < y->e.subject ? -1 : 1;
	if (x->e.at != y->e.at)
		return x->e.at > y->e.at ? -1 : 1;
	return (x->e.node > y->e.node) - (x->e.node < y->e.node);
}

static int by_newest(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->newest != y->newest)
		return x->newest > y->newest ? -1 : 1;
	return by_subject(a, b);
}

static bool changed(const struct network *net, const struct node *n, int64_t since,
		    struct digest_event *out)
{
	const Seve__Meta *meta = n->body->meta;

	if (!meta || !meta->has_updated_at || meta->updated_at < since)
		return false;
	*out = (struct digest_event){subject_of(net, n), n, DIGEST_CHANGED, meta->updated_at,
				     meta->updated_by ? meta->updated_by : ""};
	if (meta->has_created_at && meta->created_at >= since)
		out->what = DIGEST_CREATED;
	else if (meta->has_state_at && meta->state_at >= since)
		out->what = DIGEST_STATE;
	return true;
}

int digest_make(const struct network *net, int64_t since_ms, struct arena *a,
		struct digest_event **out, size_t *n, struct err *e)
{
	struct group *list = arena_array(a, net->n + 1, sizeof *list);
	size_t kept = 0;

	*out = arena_array(a, net->n + 1, sizeof **out);
	if (!list || !*out)
		return err_set(e, ERR_NOMEM, "digest");
	for (size_t i = 0; i < net->n; i++)
		kept += changed(net, &net->nodes[i], since_ms, &list[kept].e);
	if (kept)
		qsort(list, kept, sizeof *list, by_subject);
	for (size_t i = 0; i < kept; i++)
		list[i].newest = i && list[i].e.subject == list[i - 1].e.subject
					 ? list[i - 1].newest
					 : list[i].e.at;
	if (kept)
		qsort(list, kept, sizeof *list, by_newest);
	for (size_t i = 0; i < kept; i++)
		(*out)[i] = list[i].e;
	*n = kept;
	return 0;
}
