/* oracle.c -- see oracle.h. */
#include "quarrel.h"
#include "sim.h"

enum { CHANGES_MAX = 4 };

/* A mutation being judged. */
struct trial {
	struct sim *s;
	const struct apply_job *job;
	unsigned t;
	struct trial_record {
		unsigned number;
		bool exists, acts, partial, clashed;
		const struct kind *kind; /* of the change */
		struct version next;
	} records[CHANGES_MAX];
	unsigned n;
	bool merged, clash;  /* clash: nothing of it takes effect */
	const char *refused; /* why */
};

enum sentence { GOES_ON, CLASH, REFUSED };

/* NULL: there is none, or no longer. */
static const struct version *current(const struct sim *s, unsigned t, unsigned number)
{
	const struct oracle_record *r = &s->oracle.records[t][number];

	return r->purged ? NULL : r->newest;
}

/* ---- names and values
 * ----------------------------------------------------------------------------- */

struct naming {
	struct sim *s;
	uint32_t territory;
};

static int record_number(void *ctx, const uint8_t id[16])
{
	const struct naming *n = ctx;

	return (int)db_record(n->s, n->territory, id, true) + 1;
}

void oracle_read(struct sim *s, uint32_t territory, const Seve__Body *body, struct values *out)
{
	struct naming naming = {s, territory};
	const struct values_names names = {&naming, record_number};

	values_read(body, &names, out);
}

int oracle_link(struct sim *s, uint32_t territory, const Seve__Body *body)
{
	struct values f;

	oracle_read(s, territory, body, &f);
	return f.v[VALUE_ACTION];
}

const struct version *oracle_at(const struct sim *s, uint32_t territory, unsigned record,
				uint64_t rev)
{
	const struct version *v = s->oracle.records[territory - 1][record].newest;

	while (v && v->rev > rev)
		v = v->older;
	return v;
}

/* ---- who wrote what
 * ----------------------------------------------------------------------------------- */

static bool differs(const struct version *a, const struct version *b, enum value f)
{
	if (f == VALUE_MARKS_CHANGED)
		return memcmp(a->values.marks, b->values.marks, sizeof a->values.marks) != 0;
	return a->values.v[f] != b->values.v[f];
}

/* Whether the last who wrote the field did so after `base` and was another client. */
static bool foreign(const struct version *newest, enum value f, uint64_t base, uint64_t writer)
{
	const struct version *v = newest;

	while (v->older && !v->whole && !differs(v, v->older, f))
		v = v->older;
	return v->rev > base && v->writer != writer;
}

bool oracle_foreign(const struct version *newest, uint32_t kind, uint64_t base, uint64_t writer)
{
	for (int f = 0; f < VALUES; f++)
		if (values_of_kind((enum value)f, kind) &&
		    foreign(newest, (enum value)f, base, writer))
			return true;
	return false;
}

/* ---- one change
 * ------------------------------------------------------------------------------------------ */

static struct trial_record *trial_record(struct trial *x, const Seve__Change *c)
{
	const unsigned number = db_record(x->s, x->t + 1, c->id.data, true);
	const struct version *known = current(x->s, x->t, number);
	struct trial_record *r;

	for (unsigned i = 0; i < x->n; i++)
		if (x->records[i].number == number)
			return &x->records[i];
	r = &x->records[x->n++];
	*r = (struct trial_record){
		.number = number, .exists = known != NULL, .kind = kind_by_number(c->kind)};
	if (known)
		r->next = *known;
	return r;
}

/* The record as the mutation sees it so far. */
static const struct version *seen(const struct trial *x, unsigned number)
{
	for (unsigned i = 0; i < x->n; i++)
		if (x->records[i].number == number)
			return x->records[i].acts || x->records[i].exists ? &x->records[i].next
									  : NULL;
	return current(x->s, x->t, number);
}

static enum sentence refuse(struct trial *x, const char *why)
{
	x->refused = why;
	return REFUSED;
}

static void lay_marks(struct trial_record *r, const Seve__Change *c, struct sim *s,
		      uint32_t territory)
{
	struct values add = {{0}, {0}}, remove = {{0}, {0}};

	if (c->add)
		oracle_read(s, territory, c->add, &add);
	if (c->remove)
		oracle_read(s, territory, c->remove, &remove);
	for (unsigned i = 0; i < VALUES_MARKS / 64; i++)
		r->next.values.marks[i] =
			(r->next.values.marks[i] & ~remove.marks[i]) | add.marks[i];
}

static enum sentence judge_create(struct trial *x, const Seve__Change *c, struct trial_record *r)
{
	const struct kind *k = kind_by_number(c->kind);

	if (r->exists)
		return refuse(x, "EXISTS");
	oracle_read(x->s, x->t + 1, c->set, &r->next.values);
	if (!r->next.values.v[VALUE_LEVEL])
		r->next.values.v[VALUE_LEVEL] = (int)k->level;
	if (c->kind == SEVE__BODY__KIND_ACTION && !r->next.values.v[VALUE_STATUS])
		r->next.values.v[VALUE_STATUS] = SEVE__ACTION__STATUS__STATUS_IDEA;
	if (c->kind == SEVE__BODY__KIND_TASK && !r->next.values.v[VALUE_STATE])
		r->next.values.v[VALUE_STATE] = SEVE__TASK__STATE__STATE_TODO;
	lay_marks(r, c, x->s, x->t + 1);
	r->acts = r->next.whole = true;
	return GOES_ON;
}

static enum sentence judge_update(struct trial *x, const Seve__Change *c, struct trial_record *r)
{
	const struct version *newest = current(x->s, x->t, r->number);
	const uint64_t me = x->job->author.client_short;
	struct values set = {{0}, {0}};
	bool hard = false, soft = false;

	if (r->next.deleted)
		return CLASH;
	if (c->set)
		oracle_read(x->s, x->t + 1, c->set, &set);
	for (size_t i = 0; i < c->n_mask; i++) {
		const enum value f = values_of_tag(c->kind, c->mask[i]);

		if (f == VALUES)
			sim_fail(x->s, "the oracle does not know field %u of kind %u", c->mask[i],
				 c->kind);
		if (f == VALUE_LEVEL && !set.v[f])
			set.v[f] = (int)kind_by_number(c->kind)->level;
		if (set.v[f] == r->next.values.v[f])
			continue;
		if (foreign(newest, f, c->base_rev, me)) {
			hard |= value_rows[f].hard;
			soft |= !value_rows[f].hard;
			continue;
		}
		r->next.values.v[f] = set.v[f];
	}
	if (hard)
		return CLASH;
	lay_marks(r, c, x->s, x->t + 1);
	r->partial |= soft;
	r->acts = !values_equal(&r->next.values, &newest->values);
	r->next.whole = false;
	x->merged |= soft || (r->acts && newest->rev > c->base_rev &&
			      oracle_foreign(newest, c->kind, c->base_rev, me));
	return GOES_ON;
}

static enum sentence judge_delete(struct trial *x, const Seve__Change *c, struct trial_record *r)
{
	const struct version *newest = current(x->s, x->t, r->number);

	if (r->next.deleted)
		return GOES_ON;
	if (oracle_foreign(newest, c->kind, c->base_rev, x->job->author.client_short))
		return CLASH;
	r->next.deleted = r->next.whole = r->acts = true;
	return GOES_ON;
}

static enum sentence judge_restore(struct trial *x, const Seve__Change *c, struct trial_record *r)
{
	(void)x;
	if (!r->next.deleted)
		return GOES_ON;
	if (c->base_rev != r->next.rev)
		return CLASH;
	r->next.deleted = false; /* its values are still those of its last living day */
	r->next.whole = r->acts = true;
	return GOES_ON;
}

static enum sentence judge_parent(struct trial *x, const Seve__Change *c)
{
	if (!c->base_mid)
		return GOES_ON;
	for (const struct db_verdict *v = x->s->db.now.verdicts; v; v = v->older) {
		if (v->territory != x->t + 1 || uuid_cmp(&v->client, &x->job->author.client) ||
		    v->mid != c->base_mid)
			continue;
		if (v->code == SEVE__VERDICT__CODE__CONFLICT)
			return CLASH;
		if (v->code == SEVE__VERDICT__CODE__REJECTED)
			return refuse(x, "DEPENDS");
	}
	return GOES_ON;
}

static enum sentence judge_decision(struct trial *x, const Seve__Change *c, struct trial_record *r)
{
	const struct version *newest = current(x->s, x->t, r->number);
	const int wanted = QUARREL_OPEN + (int)c->set->conflict->resolution;

	if (r->next.values.v[VALUE_CASE] == wanted)
		return GOES_ON;
	if (r->next.values.v[VALUE_CASE] != QUARREL_OPEN ||
	    oracle_foreign(newest, c->kind, c->base_rev, x->job->author.client_short))
		return CLASH;
	r->next.values.v[VALUE_CASE] = wanted;
	r->next.whole = r->acts = true;
	return GOES_ON;
}

static enum sentence judge_change(struct trial *x, const Seve__Change *c)
{
	static enum sentence (*const acts[])(struct trial *, const Seve__Change *,
					     struct trial_record *) = {
		[SEVE__CHANGE__OP__OP_CREATE] = judge_create,
		[SEVE__CHANGE__OP__OP_UPDATE] = judge_update,
		[SEVE__CHANGE__OP__OP_DELETE] = judge_delete,
		[SEVE__CHANGE__OP__OP_RESTORE] = judge_restore,
	};
	const struct kind *k = kind_by_number(c->kind);
	const bool decision = c->kind == SEVE__BODY__KIND_CONFLICT;
	enum sentence end = judge_parent(x, c);
	const bool folds = end == CLASH;
	struct trial_record *r;

	if (end == REFUSED)
		return end;
	if (x->n == CHANGES_MAX)
		sim_fail(x->s, "the oracle judges mutations of %d records at most", CHANGES_MAX);
	r = trial_record(x, c);
	if (!(k->writers & x->job->author.writes))
		return refuse(x, "DENIED");
	if (c->op != SEVE__CHANGE__OP__OP_CREATE &&
	    (r->exists ? r->next.values.v[VALUE_LEVEL] > (int)x->job->author.reads : !folds))
		return refuse(x, "GONE");
	if (folds && !decision)
		end = CLASH;
	else
		end = decision ? judge_decision(x, c, r) : acts[c->op](x, c, r);
	r->clashed |= end == CLASH || r->partial;
	x->clash |= end == CLASH;
	return end == CLASH ? GOES_ON : end;
}

/* What can be kept of a clash: a decision that came too late holds nothing. */
static enum sentence check_kept(struct trial *x)
{
	for (unsigned i = 0; i < x->n; i++) {
		const struct version *v = current(x->s, x->t, x->records[i].number);

		if (!v || !v->values.v[VALUE_ABOUT])
			return CLASH;
	}
	return refuse(x, "RESOLVED");
}

/* ---- the result must make sense
 * ---------------------------------------------------------------------------- */

static bool may_become(enum value f, int from, int to)
{
	static const struct {
		enum value value;
		int from, to;
	} moves[] = {
		{VALUE_STATUS, SEVE__ACTION__STATUS__STATUS_IDEA,
		 SEVE__ACTION__STATUS__STATUS_LEAD},
		{VALUE_STATE, SEVE__TASK__STATE__STATE_TODO, SEVE__TASK__STATE__STATE_DOING},
		{VALUE_STATE, SEVE__TASK__STATE__STATE_TODO, SEVE__TASK__STATE__STATE_DONE},
		{VALUE_STATE, SEVE__TASK__STATE__STATE_DOING, SEVE__TASK__STATE__STATE_DONE},
	};

	if (from == to)
		return true;
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		if (moves[i].value == f && moves[i].from == from && moves[i].to == to)
			return true;
	return false;
}

static bool link_stands(const struct trial *x, int link)
{
	const struct version *to = seen(x, (unsigned)link - 1);

	return to && !to->deleted && to->values.v[VALUE_LEVEL] <= (int)x->job->author.reads;
}

static enum sentence check_alive(struct trial *x, const struct trial_record *r)
{
	const struct version *known = current(x->s, x->t, r->number);
	const struct values *now = &r->next.values, *was = known ? &known->values : NULL;

	if (now->v[VALUE_PROGRESS] > 101)
		return refuse(x, "RANGE");
	if (now->v[VALUE_LEVEL] > (int)x->job->author.reads)
		return refuse(x, "DENIED");
	for (enum value f = VALUE_STATUS; f <= VALUE_STATE; f++)
		if (was && value_rows[f].form == FORM_STATE && !may_become(f, was->v[f], now->v[f]))
			return refuse(x, "STATE");
	if (known && known->deleted)
		return GOES_ON;
	if (now->v[VALUE_ACTION] && (!was || was->v[VALUE_ACTION] != now->v[VALUE_ACTION]) &&
	    !link_stands(x, now->v[VALUE_ACTION]))
		return refuse(x, "REFERENCE");
	return GOES_ON;
}

static enum sentence check_referrers(struct trial *x, const struct trial_record *r)
{
	for (unsigned i = 0; i < x->s->db.n_ids[x->t]; i++) {
		const struct version *v = seen(x, i), *was = current(x->s, x->t, i);

		if (was && was->deleted)
			continue; /* restored: not looked at, so far */
		if (v && !v->deleted && v->values.v[VALUE_ACTION] == (int)r->number + 1)
			return refuse(x, "RESTRICTED");
	}
	return GOES_ON;
}

static enum sentence check_all(struct trial *x)
{
	enum sentence end = GOES_ON;

	for (unsigned i = 0; i < x->n && end == GOES_ON; i++)
		if (x->records[i].acts)
			end = x->records[i].next.deleted ? check_referrers(x, &x->records[i])
							 : check_alive(x, &x->records[i]);
	return end;
}

/* ---- the sentence
 * ---------------------------------------------------------------------------------------------- */

static Seve__Verdict__Code expected(const struct trial *x, enum sentence end)
{
	bool acted = false, held = false;

	for (unsigned i = 0; i < x->n; i++) {
		acted |= x->records[i].acts;
		held |= x->records[i].clashed;
	}
	if (end == REFUSED)
		return SEVE__VERDICT__CODE__REJECTED;
	if (end == CLASH || (held && !acted))
		return SEVE__VERDICT__CODE__CONFLICT;
	if (x->merged)
		return SEVE__VERDICT__CODE__MERGED;
	return acted ? SEVE__VERDICT__CODE__APPLIED : SEVE__VERDICT__CODE__UNCHANGED;
}

static void take_effect(struct trial *x)
{
	struct oracle *o = &x->s->oracle;

	for (unsigned i = 0; i < x->n; i++) {
		struct oracle_record *known = &o->records[x->t][x->records[i].number];
		struct version *v;

		if (!x->records[i].acts)
			continue;
		v = SIM_NEED(x->s, arena_alloc(&x->s->arena, sizeof(struct version)));
		*v = x->records[i].next;
		v->rev = ++o->heads[x->t];
		v->writer = x->job->author.client_short;
		v->older = known->newest;
		known->newest = v;
		sim_trace(x->s, "  record %u of territory %u is at rev %llu%s",
			  x->records[i].number, x->t + 1, (unsigned long long)v->rev,
			  v->deleted ? ", deleted" : "");
		if (v->older && !v->values.v[VALUE_ABOUT] &&
		    v->values.v[VALUE_LEVEL] != v->older->values.v[VALUE_LEVEL])
			quarrel_follow(x->s, x->job, x->records[i].number,
				       v->values.v[VALUE_LEVEL]);
	}
}

static void keep_clashes(struct trial *x)
{
	for (unsigned i = 0; i < x->n; i++) {
		const struct trial_record *r = &x->records[i];
		const struct version *v = current(x->s, x->t, r->number);

		int level = v ? v->values.v[VALUE_LEVEL] : r->next.values.v[VALUE_LEVEL];

		if (!(x->clash || r->clashed) || (v && v->values.v[VALUE_ABOUT]))
			continue;
		if (!level) /* never born, and this is no creation */
			level = (int)r->kind->level;
		quarrel_keep(x->s, x->job, r->number, level, x->clash);
	}
}

static const char *code_word(Seve__Verdict__Code c)
{
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&seve__verdict__code__descriptor, (int)c);

	return v ? v->name : "?";
}

void oracle_commit(struct sim *s, const struct apply_job *j)
{
	const Seve__Mutation *m = j->mutation;
	struct trial x = {.s = s, .job = j, .t = j->territory - 1};
	enum sentence end = GOES_ON;

	for (size_t i = 0; i < m->n_changes && end == GOES_ON; i++)
		end = judge_change(&x, m->changes[i]);
	if (end == GOES_ON)
		end = x.clash ? check_kept(&x) : check_all(&x);
	sim_trace(s, "mutation %llu of %s in territory %u: %s%s%s", (unsigned long long)m->mid,
		  j->author.account, j->territory, code_word(j->verdict->code),
		  j->verdict->n_violations ? " " : "",
		  j->verdict->n_violations ? j->verdict->violations[0]->code : "");
	for (size_t i = 0; i < m->n_changes; i++)
		sim_trace(s, "  operation %d on record %u at rev %llu, %zu fields",
			  (int)m->changes[i]->op,
			  db_record(s, j->territory, m->changes[i]->id.data, true),
			  (unsigned long long)m->changes[i]->base_rev, m->changes[i]->n_mask);
	if (j->verdict->code != expected(&x, end))
		sim_fail(s, "mutation %llu of %s in territory %u is %s%s%s, and should be %s%s%s",
			 (unsigned long long)m->mid, j->author.account, j->territory,
			 code_word(j->verdict->code), j->verdict->n_violations ? ", " : "",
			 j->verdict->n_violations ? j->verdict->violations[0]->text : "",
			 code_word(expected(&x, end)), x.refused ? ", " : "",
			 x.refused ? x.refused : "");
	if (j->verdict->code == SEVE__VERDICT__CODE__REJECTED && !j->verdict->n_violations)
		sim_fail(s, "mutation %llu of %s is rejected without a reason",
			 (unsigned long long)m->mid, j->author.account);
	if (end == GOES_ON)
		take_effect(&x);
	if (end != REFUSED)
		keep_clashes(&x);
	s->oracle.last_commit_ms = s->agenda.now_ms;
}

void oracle_check_record(struct sim *s, const struct world_record *r)
{
	const unsigned t = r->key.territory - 1, number = db_record(s, t + 1, r->key.id.b, true);
	const struct version *v = s->oracle.records[t][number].newest;
	struct values f;

	if (!v || v->rev != r->rev || v->deleted != r->deleted)
		sim_fail(s,
			 "record %u of territory %u is stored at rev %llu%s, and should be at "
			 "%llu%s",
			 number, t + 1, (unsigned long long)r->rev, r->deleted ? ", deleted" : "",
			 v ? (unsigned long long)v->rev : 0, v && v->deleted ? ", deleted" : "");
	if (r->deleted)
		return;
	oracle_read(s, t + 1, r->body, &f);
	for (int i = 0; i < VALUES; i++)
		if (f.v[i] != v->values.v[i])
			sim_fail(s,
				 "record %u of territory %u is stored with field %u = %d, and "
				 "should have %d",
				 number, t + 1, value_rows[i].tag, f.v[i], v->values.v[i]);
	if (!values_equal(&f, &v->values))
		sim_fail(s,
			 "record %u of territory %u is stored with other marks than it should have",
			 number, t + 1);
}

void oracle_purged(struct sim *s, uint32_t territory, unsigned record)
{
	s->oracle.records[territory - 1][record].purged = true;
}

void oracle_rewound(struct sim *s)
{
	for (unsigned t = 0; t < SIM_TERRITORIES; t++) {
		const uint64_t head = s->db.now.heads[t].rev;

		s->oracle.heads[t] = head;
		for (unsigned i = 0; i < SIM_RECORDS; i++) {
			struct oracle_record *r = &s->oracle.records[t][i];

			while (r->newest && r->newest->rev > head)
				r->newest = r->newest->older;
			r->purged = r->newest && !s->db.now.rows[t][i];
		}
	}
	s->oracle.last_commit_ms = s->agenda.now_ms;
}
