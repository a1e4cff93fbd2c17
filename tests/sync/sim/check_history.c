/* check_history.c -- see check.h: what holds across histories, where a database forgets commits and
 * machines send again what it lost. */
#include "check.h"

#include "sim.h"

static struct user *author_of(struct sim *s, const struct apply_job *j)
{
	for (unsigned i = 0; i < s->n_users; i++)
		if (!uuid_cmp(&s->users[i].client, &j->author.client))
			return &s->users[i];
	sim_fail(s, "a mutation of nobody's");
}

bool check_stands(struct sim *s, uint32_t territory, unsigned record, const struct outbox_view *v)
{
	const struct version *truth = oracle_at(s, territory, record, v->rev);
	struct values f;

	if (!v->kind || !v->rev)
		return true; /* nothing was seen */
	if (!truth || truth->rev != v->rev)
		return false;
	if (v->deleted)
		return true; /* or withdrawn from this reader */
	if (truth->deleted)
		return false;
	oracle_read(s, territory, v->body, &f);
	return values_equal(&f, &truth->values);
}

/* The greatest rev that the author may say to have seen: histories that were left since ended at
 * their forks.  What had never been when it was looked at is of one that was left before. */
static uint64_t seen_at_most(const struct sim *s, uint32_t territory, const struct user_edit *edit,
			     const struct user_base *base)
{
	uint64_t most = UINT64_MAX, left = 0;

	for (unsigned i = edit->rewinds; i < s->rewinds; i++)
		if (s->forks[i][territory - 1] < most)
			most = s->forks[i][territory - 1];
	if (base->stood)
		return most;
	for (unsigned i = 0; i < edit->rewinds; i++)
		if (s->forks[i][territory - 1] < base->rev && s->forks[i][territory - 1] > left)
			left = s->forks[i][territory - 1];
	return left < most ? left : most;
}

void check_judged(struct sim *s, const struct apply_job *j)
{
	const Seve__Mutation *m = j->mutation;
	const struct user *u = author_of(s, j);
	const uint64_t serial = (uint64_t)m->client_time_ms;
	const struct user_edit *edit = &u->edits[j->territory - 1][serial];

	for (const struct db_verdict *v = s->db.now.verdicts; v; v = v->older)
		if (v->territory == j->territory && v->serial == serial &&
		    !uuid_cmp(&v->client, &u->client))
			sim_fail(s,
				 "edit %llu of %s takes effect as mutation %llu and again as %llu",
				 (unsigned long long)serial, u->account, (unsigned long long)v->mid,
				 (unsigned long long)m->mid);
	for (size_t i = 0; i < m->n_changes; i++) {
		const uint64_t most = seen_at_most(s, j->territory, edit, &edit->bases[i]);

		if (m->changes[i]->base_rev > most)
			sim_fail(s,
				 "edit %llu of %s says that rev %llu of territory %u was seen: of "
				 "this history nothing after %llu was",
				 (unsigned long long)serial, u->account,
				 (unsigned long long)m->changes[i]->base_rev, j->territory,
				 (unsigned long long)most);
	}
}

void check_rewound(struct sim *s, const struct db_verdict *before)
{
	if (s->rewinds == SIM_FORKS)
		sim_fail(s, "the model has room for %d lost histories", SIM_FORKS);
	for (unsigned t = 0; t < SIM_TERRITORIES; t++)
		s->forks[s->rewinds][t] = s->db.now.heads[t].rev;
	s->rewinds++;
	for (unsigned i = 0; i < s->n_users; i++) {
		struct user *u = &s->users[i];

		memset(u->known, 0, sizeof u->known);
		for (const struct db_verdict *v = before; v; v = v->older)
			if (!uuid_cmp(&v->client, &u->client) &&
			    !check_stored(s, i, v->territory, v->serial))
				u->edits[v->territory - 1][v->serial].rewound = true;
	}
}

void check_numbers(struct sim *s, unsigned user, uint32_t territory)
{
	struct user *u = &s->users[user];
	enum outbox_state states[SIM_EDITS + 1];

	if (u->epoch != s->db.epoch)
		return; /* it will find out */
	if (u->depot.ops->fates(&u->depot, territory, states))
		sim_fail(s, "reading the outbox");
	for (uint64_t n = 1; n <= u->made[territory - 1]; n++) {
		const struct user_edit *edit = &u->edits[territory - 1][n];

		if (edit->rewound && !edit->let_go && states[n] == OUTBOX_DONE &&
		    !check_stored(s, user, territory, n))
			sim_fail(s,
				 "the database has lost edit %llu of %s, which is not sent again",
				 (unsigned long long)n, u->account);
		s->counts.again += edit->rewound && outbox_waits(states[n]);
	}
}
