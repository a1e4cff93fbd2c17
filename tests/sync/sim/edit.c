/* edit.c -- see edit.h. */
#include "edit.h"

#include "check.h"
#include "quarrel.h"
#include "sim.h"

enum { CHOICES = 4, PROGRESS_SIDES = 108, LEVEL_TAG = 10001 };

static unsigned mark_of(const struct sim *s, unsigned user, uint32_t territory)
{
	return user * (VALUES_MARKS / SIM_USERS) + (unsigned)s->users[user].made[territory - 1] + 1;
}

static Seve__Body *body_new(struct sim *s, uint32_t kind)
{
	const struct kind *k = kind_by_number(kind);
	Seve__Body *b = SIM_NEED(s, (Seve__Body *)arena_alloc(&s->arena, sizeof *b));
	ProtobufCMessage *m =
		SIM_NEED(s, (ProtobufCMessage *)arena_zalloc(&s->arena, k->desc->sizeof_message));

	seve__body__init(b);
	protobuf_c_message_init(k->desc, m);
	kind_set_message(k, b, m);
	return b;
}

static char *word(struct sim *s, const char *word)
{
	return SIM_NEED(s, arena_printf(&s->arena, "%s %u", word, sim_dice(s, CHOICES)));
}

static char **tag(struct sim *s, unsigned mark)
{
	char **list = SIM_NEED(s, (char **)arena_array(&s->arena, 1, sizeof(char *)));

	list[0] = SIM_NEED(s, arena_printf(&s->arena, "m%u", mark));
	return list;
}

static void fill_action(struct sim *s, Seve__Change *c, bool new)
{
	Seve__Action *a = c->set->action;

	if (new || !sim_dice(s, 3)) {
		a->title = word(s, "title");
		c->mask[c->n_mask++] = 1;
	}
	if (!new && !sim_dice(s, 5)) {
		a->has_status = true;
		a->status =
			sim_dice(s, 3)
				? SEVE__ACTION__STATUS__STATUS_LEAD
				: (Seve__Action__Status)(1 +
							 sim_dice(
								 s,
								 SEVE__ACTION__STATUS__STATUS_SUSTAINED));
		if (a->status != SEVE__ACTION__STATUS__STATUS_LEAD)
			a->status = sim_dice(s, 2) ? SEVE__ACTION__STATUS__STATUS_SUSTAINED
						   : SEVE__ACTION__STATUS__STATUS_IDEA;
		c->mask[c->n_mask++] = 3;
	}
	if (!sim_dice(s, 4)) {
		a->has_progress = sim_dice(s, 6) != 0;
		a->progress = a->has_progress ? sim_dice(s, PROGRESS_SIDES) : 0;
		c->mask[c->n_mask++] = 14;
	}
	if (!sim_dice(s, 3)) {
		a->has_target_on = sim_dice(s, 5) != 0;
		a->target_on = a->has_target_on ? (int32_t)sim_dice(s, CHOICES) : 0;
		c->mask[c->n_mask++] = 16;
	}
	if (!sim_dice(s, 3)) {
		a->next_step = sim_dice(s, 5) ? word(s, "step") : NULL;
		c->mask[c->n_mask++] = 17;
	}
}

/* A live action that is shown; false: none was found. */
static bool some_action(struct sim *s, unsigned user, uint32_t territory, struct uuid *out)
{
	struct depot *d = &s->users[user].depot;
	const unsigned n = s->db.n_ids[territory - 1];

	for (unsigned tries = 0; n && tries < 4; tries++) {
		struct outbox_view v;

		*out = s->db.ids[territory - 1][sim_dice(s, n)];
		if (d->ops->shown(d, &s->arena, territory, out, &v))
			sim_fail(s, "reading what is shown");
		if (v.kind && v.kind->number == SEVE__BODY__KIND_ACTION && !v.deleted)
			return true;
	}
	return false;
}

static void fill_task(struct sim *s, unsigned user, uint32_t territory, Seve__Change *c, bool new)
{
	Seve__Task *t = c->set->task;
	struct uuid action;

	if (new || !sim_dice(s, 3)) {
		t->text = word(s, "task");
		c->mask[c->n_mask++] = 4;
	}
	if ((new || !sim_dice(s, 3)) && some_action(s, user, territory, &action)) {
		t->has_action_id = true;
		t->action_id.len = 16;
		t->action_id.data = SIM_NEED(s, (uint8_t *)arena_memdup(&s->arena, action.b, 16));
		c->mask[c->n_mask++] = 1;
	}
	if (!sim_dice(s, 3)) {
		t->has_due_on = true;
		t->due_on = (int32_t)sim_dice(s, CHOICES);
		c->mask[c->n_mask++] = 5;
	}
	if (!new && !sim_dice(s, 4)) {
		t->has_state = true;
		t->state = (Seve__Task__State)(1 + sim_dice(s, SEVE__TASK__STATE__STATE_DONE));
		c->mask[c->n_mask++] = 6;
	}
}

static void fill_level(struct sim *s, Seve__Change *c)
{
	Seve__Meta *meta = SIM_NEED(s, (Seve__Meta *)arena_alloc(&s->arena, sizeof *meta));

	seve__meta__init(meta);
	meta->has_level = true;
	meta->level = (Seve__Level)(SEVE__LEVEL__LEVEL_PUBLIC + sim_dice(s, 3));
	c->set->meta = meta;
	c->mask[c->n_mask++] = LEVEL_TAG;
}

static void fill(struct sim *s, unsigned user, uint32_t territory, Seve__Change *c)
{
	const bool new = c->op == SEVE__CHANGE__OP__OP_CREATE;

	c->mask = SIM_NEED(s, (uint32_t *)arena_array(&s->arena, 16, sizeof *c->mask));
	c->set = body_new(s, c->kind);
	if (c->kind == SEVE__BODY__KIND_ACTION)
		fill_action(s, c, new);
	else
		fill_task(s, user, territory, c, new);
	if (sim_has(s, SIM_LEVELS) && !sim_dice(s, s->climate.level_sides))
		fill_level(s, c);
}

static Seve__Change *change_new(struct sim *s, Seve__Change__Op op, const struct uuid *id,
				uint32_t kind)
{
	Seve__Change *c = SIM_NEED(s, (Seve__Change *)arena_alloc(&s->arena, sizeof *c));

	seve__change__init(c);
	c->has_op = c->has_id = c->has_kind = c->has_base_rev = true;
	c->op = op;
	c->id.len = 16;
	c->id.data = SIM_NEED(s, (uint8_t *)arena_memdup(&s->arena, id->b, 16));
	c->kind = kind;
	return c;
}

static struct uuid new_id(struct sim *s)
{
	struct uuid u;

	for (unsigned i = 0; i < sizeof u.b; i++)
		u.b[i] = (uint8_t)sim_dice(s, 256);
	u.b[6] = (uint8_t)(0x70 | (u.b[6] & 15));
	u.b[8] = (uint8_t)(0x80 | (u.b[8] & 63));
	return u;
}

static Seve__Change *change_create(struct sim *s, unsigned user, uint32_t territory,
				   unsigned *record)
{
	const uint32_t kind = sim_has(s, SIM_LINKS) && !sim_dice(s, 3) ? SEVE__BODY__KIND_TASK
								       : SEVE__BODY__KIND_ACTION;
	const struct uuid id = new_id(s);
	Seve__Change *c = change_new(s, SEVE__CHANGE__OP__OP_CREATE, &id, kind);

	fill(s, user, territory, c);
	*record = db_record(s, territory, id.b, true);
	return c;
}

/* The record's set of marks gains one that tells of this edit, and now and then loses another. */
static void mark(struct sim *s, Seve__Change *c, const struct outbox_view *v, unsigned mark)
{
	c->add = body_new(s, c->kind);
	c->add->action->n_tags = 1;
	c->add->action->tags = tag(s, mark);
	if (v && v->body && v->body->action->n_tags && !sim_dice(s, 6)) {
		const Seve__Action *a = v->body->action;

		c->remove = body_new(s, c->kind);
		c->remove->action->n_tags = 1;
		c->remove->action->tags =
			SIM_NEED(s, (char **)arena_array(&s->arena, 1, sizeof(char *)));
		c->remove->action->tags[0] = SIM_NEED(
			s, arena_strdup(&s->arena, a->tags[sim_dice(s, (unsigned)a->n_tags)]));
	}
}

static Seve__Change *change_known(struct sim *s, unsigned user, uint32_t territory, unsigned record)
{
	struct depot *d = &s->users[user].depot;
	const struct uuid *id = &s->db.ids[territory - 1][record];
	struct outbox_view v, base;
	Seve__Change *c;

	if (d->ops->shown(d, &s->arena, territory, id, &v) ||
	    d->ops->base(d, &s->arena, territory, id, &base))
		sim_fail(s, "reading what is shown");
	if (!v.kind)
		return NULL;
	if (v.kind->number == SEVE__BODY__KIND_CONFLICT) {
		struct uuid about;

		c = quarrel_decide(s, id, &v, &about);
		if (!c)
			return NULL;
	} else if (v.deleted) {
		if (!sim_has(s, SIM_DELETES) || sim_dice(s, 3))
			return NULL;
		c = change_new(s, SEVE__CHANGE__OP__OP_RESTORE, id, v.kind->number);
	} else if (sim_has(s, SIM_DELETES) && !sim_dice(s, s->climate.delete_sides)) {
		c = change_new(s, SEVE__CHANGE__OP__OP_DELETE, id, v.kind->number);
	} else {
		c = change_new(s, SEVE__CHANGE__OP__OP_UPDATE, id, v.kind->number);
		fill(s, user, territory, c);
		if (v.kind->number == SEVE__BODY__KIND_ACTION)
			mark(s, c, &v, mark_of(s, user, territory));
	}
	c->base_rev = base.rev;
	return c;
}

static void add_second(struct sim *s, unsigned user, Seve__Mutation *m)
{
	const unsigned n = s->db.n_ids[m->territory - 1], record = n ? sim_dice(s, n) : 0;

	if (!n || !sim_has(s, SIM_PAIRS) || sim_dice(s, 5) ||
	    !memcmp(s->db.ids[m->territory - 1][record].b, m->changes[0]->id.data, 16))
		return;
	m->changes[1] = change_known(s, user, m->territory, record);
	m->n_changes += m->changes[1] != NULL;
}

/* With the decision goes, most of the time, the edit that it stands for. */
static void add_decided(struct sim *s, unsigned user, Seve__Mutation *m, unsigned *marked)
{
	struct depot *d = &s->users[user].depot;
	struct outbox_view v;
	struct uuid id;
	unsigned about;

	memcpy(id.b, m->changes[0]->id.data, sizeof id.b);
	if (d->ops->shown(d, &s->arena, m->territory, &id, &v))
		sim_fail(s, "reading what is shown");
	if (!v.body || !sim_dice(s, 4))
		return;
	about = db_record(s, m->territory, v.body->conflict->record_id.data, true);
	m->changes[1] = change_known(s, user, m->territory, about);
	m->n_changes += m->changes[1] != NULL;
	if (m->changes[1] && m->changes[1]->add)
		*marked = about;
}

static struct user_base look_at_base(struct sim *s, unsigned user, uint32_t territory,
				     const Seve__Change *c)
{
	struct depot *d = &s->users[user].depot;
	const unsigned record = db_record(s, territory, c->id.data, true);
	struct outbox_view v;

	if (d->ops->base(d, &s->arena, territory, &s->db.ids[territory - 1][record], &v))
		sim_fail(s, "reading what is shown");
	return (struct user_base){c->base_rev, check_stands(s, territory, record, &v)};
}

static bool put(struct sim *s, unsigned user, Seve__Mutation *m, unsigned marked)
{
	struct user *u = &s->users[user];
	const uint64_t serial = u->made[m->territory - 1] + 1;
	struct user_edit edit = {.made = true, .record = marked, .rewinds = s->rewinds};
	enum outbox_state states[SIM_EDITS + 1];
	bool died;

	m->has_client_time_ms = true;
	m->client_time_ms = (int64_t)serial;
	for (size_t i = 0; i < m->n_changes; i++)
		edit.bases[i] = look_at_base(s, user, m->territory, m->changes[i]);
	died = user_died(s, user, u->depot.ops->add(&u->depot, m));
	/* Whoever died does not know whether it was committed: their machine does. */
	if (died && u->depot.ops->fates(&u->depot, m->territory, states))
		sim_fail(s, "reading the outbox");
	if (died && states[serial] == OUTBOX_DONE)
		return false;
	u->edits[m->territory - 1][serial] = edit;
	u->made[m->territory - 1] = serial;
	u->dirty = true;
	s->counts.edits++;
	return !died;
}

bool edit_random(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];
	const uint32_t territory = 1 + sim_dice(s, SIM_TERRITORIES);
	const unsigned t = territory - 1, n = s->db.n_ids[t];
	Seve__Change *changes[2] = {NULL, NULL};
	Seve__Mutation m = SEVE__MUTATION__INIT;
	struct depot_replica r;
	unsigned record = SIM_RECORDS;

	if (u->depot.ops->replica(&u->depot, territory, &r))
		sim_fail(s, "reading the cursor");
	if (!r.complete || u->made[t] == SIM_EDITS)
		return true;
	m.has_territory = true;
	m.territory = territory;
	m.changes = changes;
	m.n_changes = 1;
	if (n < s->climate.records && (n < 2 || !sim_dice(s, 7))) {
		changes[0] = change_create(s, user, territory, &record);
		if (changes[0]->kind == SEVE__BODY__KIND_ACTION)
			mark(s, changes[0], NULL, mark_of(s, user, territory));
	} else if (n) {
		record = sim_dice(s, n);
		changes[0] = change_known(s, user, territory, record);
	}
	if (!changes[0])
		return true;
	if (!changes[0]->add)
		record = SIM_RECORDS;
	if (changes[0]->kind == SEVE__BODY__KIND_CONFLICT)
		add_decided(s, user, &m, &record);
	else
		add_second(s, user, &m);
	s->edits_left--;
	return put(s, user, &m, record);
}
