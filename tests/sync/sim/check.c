/* check.c -- see check.h. */
#include "check.h"

#include "quarrel.h"
#include "sim.h"

/* ---- verdicts
 * ---------------------------------------------------------------------------------------- */

const struct db_verdict *check_stored(struct sim *s, unsigned user, uint32_t territory,
				      uint64_t serial)
{
	for (const struct db_verdict *v = s->db.now.verdicts; v; v = v->older)
		if (v->territory == territory && v->serial == serial &&
		    !uuid_cmp(&v->client, &s->users[user].client))
			return v;
	return NULL;
}

/* The serial number of what a verdict answers: in the order of what was sent. */
static uint64_t serial_of(const struct sim *s, unsigned user, size_t i)
{
	return (uint64_t)s->users[user].sent.mutations[i]->client_time_ms;
}

void check_verdicts(struct sim *s, unsigned user, uint32_t territory, const Seve__PushReply *r)
{
	for (size_t i = 0; i < r->n_verdicts; i++) {
		const Seve__Verdict *v = r->verdicts[i];
		const uint64_t serial = serial_of(s, user, i);
		const struct db_verdict *held = check_stored(s, user, territory, serial);
		uint8_t bytes[8192];

		if (!held && s->users[user].edits[territory - 1][serial].rewound)
			continue; /* told before the database forgot it */
		if (!held)
			sim_fail(s,
				 "mutation %llu of %s was acknowledged, and the database does not "
				 "know it",
				 (unsigned long long)v->mid, s->users[user].account);
		if (protobuf_c_message_get_packed_size(&v->base) != held->bytes.len ||
		    held->bytes.len > sizeof bytes ||
		    protobuf_c_message_pack(&v->base, bytes) != held->bytes.len ||
		    memcmp(bytes, held->bytes.at, held->bytes.len))
			sim_fail(s,
				 "mutation %llu of %s was answered otherwise than its verdict says",
				 (unsigned long long)v->mid, s->users[user].account);
	}
}

/* ---- records
 * ------------------------------------------------------------------------------------------- */

static void look(struct sim *s, unsigned user, uint32_t territory, unsigned record, struct arena *a,
		 struct outbox_view *out)
{
	struct depot *d = &s->users[user].depot;

	if (d->ops->base(d, a, territory, &s->db.ids[territory - 1][record], out))
		sim_fail(s, "reading a record of the replica");
}

static void read_fates(struct sim *s, unsigned user, uint32_t territory,
		       enum outbox_state out[SIM_EDITS + 1])
{
	struct depot *d = &s->users[user].depot;

	if (d->ops->fates(d, territory, out))
		sim_fail(s, "reading the outbox");
}

/* What the replica says of a revision is what that revision was. */
static void check_true(struct sim *s, unsigned user, uint32_t territory, unsigned record,
		       const struct outbox_view *v)
{
	const struct version *truth =
		v->kind && v->rev ? oracle_at(s, territory, record, v->rev) : NULL;
	struct depot_replica r;
	struct values f;

	if (s->users[user].depot.ops->replica(&s->users[user].depot, territory, &r))
		sim_fail(s, "reading the cursor");
	if (s->counts.rewound && (r.loading || r.epoch != s->db.epoch))
		return; /* of a time that never was, until the load is complete */
	if (!v->kind || !v->rev || !truth)
		return;
	if (v->deleted)
		return;
	oracle_read(s, territory, v->body, &f);
	if (truth->rev != v->rev || truth->deleted)
		sim_fail(s, "%s holds record %u of territory %u at rev %llu, which is another's",
			 s->users[user].account, record, territory, (unsigned long long)v->rev);
	for (int i = 0; i < VALUES; i++)
		if (f.v[i] != truth->values.v[i])
			sim_fail(s,
				 "%s holds record %u of territory %u at rev %llu with field %u = "
				 "%d: it was %d",
				 s->users[user].account, record, territory,
				 (unsigned long long)v->rev, value_rows[i].tag, f.v[i],
				 truth->values.v[i]);
	if (!values_equal(&f, &truth->values))
		sim_fail(s,
			 "%s holds record %u of territory %u at rev %llu with other marks than it "
			 "had",
			 s->users[user].account, record, territory, (unsigned long long)v->rev);
}

static void check_not_back(struct sim *s, unsigned user, uint32_t territory, unsigned record,
			   const struct outbox_view *v)
{
	struct user *u = &s->users[user];
	uint64_t *seen = &u->seen[territory - 1][record];
	struct depot_replica r;

	if (u->depot.ops->replica(&u->depot, territory, &r))
		sim_fail(s, "reading the cursor");
	if (r.loading)
		*seen = 0; /* a standby that answers from the beginning may be behind what was seen
			    */
	if (v->kind && v->rev < *seen)
		sim_fail(s, "%s saw record %u of territory %u at rev %llu, and now at %llu",
			 s->users[user].account, record, territory, (unsigned long long)*seen,
			 (unsigned long long)v->rev);
	*seen = v->kind ? v->rev : 0;
}

static void check_records(struct sim *s, unsigned user, uint32_t territory)
{
	struct arena *a = &s->scratch;

	arena_reset(a);
	for (unsigned i = 0; i < s->db.n_ids[territory - 1]; i++) {
		struct outbox_view v;

		look(s, user, territory, i, a, &v);
		check_true(s, user, territory, i, &v);
		check_not_back(s, user, territory, i, &v);
	}
}

void check_settled(struct sim *s, unsigned user, uint32_t territory, const Seve__PushReply *r)
{
	struct user *u = &s->users[user];
	enum outbox_state states[SIM_EDITS + 1];

	read_fates(s, user, territory, states);
	for (size_t i = 0; i < r->n_verdicts; i++) {
		const Seve__Verdict *v = r->verdicts[i];
		const uint64_t serial = serial_of(s, user, i);

		if (states[serial] != outbox_judge(v))
			sim_fail(s, "edit %llu of %s has its verdict, and is %s",
				 (unsigned long long)serial, u->account,
				 outbox_word(states[serial]));
		u->edits[territory - 1][serial].code = v->code;
		for (size_t k = 0; k < v->n_outcomes; k++)
			if (v->outcomes[k]->rev > u->known[territory - 1])
				u->known[territory - 1] = v->outcomes[k]->rev;
	}
	check_records(s, user, territory);
}

/* Whoever loses a role between a push and its verdict keeps what they wrote themselves: the server
 * answers with the verdict alone, and has never shown the record to them. */
static bool own_work(struct sim *s, unsigned user, uint32_t territory, unsigned record,
		     const struct outbox_view *v)
{
	const struct version *truth = oracle_at(s, territory, record, v->rev);

	return truth && truth->rev == v->rev && truth->writer == uuid_short(&s->users[user].client);
}

/* All that is visible at rev `at` or before and has not moved since must be there; all that is not
 * must not. */
static void check_holds(struct sim *s, unsigned user, uint32_t territory, uint64_t at,
			Seve__Role role, bool loading)
{
	struct arena *a = &s->scratch;

	arena_reset(a);
	for (unsigned i = 0; i < s->db.n_ids[territory - 1]; i++) {
		const struct version *truth = oracle_at(s, territory, i, at);
		const bool visible = truth && !truth->deleted &&
				     truth->values.v[VALUE_LEVEL] <= (int)db_reads(role);
		struct outbox_view v;

		look(s, user, territory, i, a, &v);
		if (visible && (!v.kind || v.rev < truth->rev))
			sim_fail(
				s,
				"%s is at rev %llu of territory %u and lacks record %u of rev %llu",
				s->users[user].account, (unsigned long long)at, territory, i,
				(unsigned long long)truth->rev);
		if (!visible && !loading && v.kind && !v.deleted && v.rev <= at &&
		    !own_work(s, user, territory, i, &v))
			sim_fail(s,
				 "%s is at rev %llu of territory %u and still holds record %u of "
				 "rev %llu%s",
				 s->users[user].account, (unsigned long long)at, territory, i,
				 (unsigned long long)v.rev,
				 truth && !truth->deleted ? ", above its role" : ", which is gone");
	}
}

/* A page of several: rows that moved past the cursor meanwhile come again later. */
static void check_cursor(struct sim *s, unsigned user, uint32_t territory, Seve__Role role)
{
	struct user *u = &s->users[user];
	struct depot_replica r;
	struct arena *a = &s->scratch;

	if (u->depot.ops->replica(&u->depot, territory, &r))
		sim_fail(s, "reading the cursor");
	arena_reset(a);
	for (unsigned i = 0; i < s->db.n_ids[territory - 1]; i++) {
		const struct db_row *row = s->db.now.rows[territory - 1][i];
		struct outbox_view v;

		if (!row || row->rev > r.rev || r.epoch != s->db.epoch)
			continue;
		look(s, user, territory, i, a, &v);
		if (!row->deleted && row->level <= db_reads(role) && (!v.kind || v.rev < row->rev))
			sim_fail(s,
				 "%s has cursor %llu of territory %u and lacks record %u of rev "
				 "%llu",
				 u->account, (unsigned long long)r.rev, territory, i,
				 (unsigned long long)row->rev);
	}
}

static void check_levels(struct sim *s, unsigned user, const Seve__Page *p, Seve__Role role)
{
	if (role == SEVE__ROLE__ROLE_UNSPECIFIED)
		sim_fail(s, "%s was sent a page of territory %u, which it may not read",
			 s->users[user].account, p->territory);
	for (size_t i = 0; i < p->n_records; i++) {
		const Seve__Record *r = p->records[i];
		const unsigned n = db_record(s, p->territory, r->id.data, false);
		const struct version *truth =
			n == SIM_RECORDS ? NULL : oracle_at(s, p->territory, n, r->rev);

		if (!r->deleted && truth && truth->rev == r->rev &&
		    truth->values.v[VALUE_LEVEL] > (int)db_reads(role))
			sim_fail(s,
				 "%s was sent record %u of territory %u, which is above its role",
				 s->users[user].account, n, p->territory);
	}
}

void check_page(struct sim *s, unsigned user, const Seve__Page *p, Seve__Role role)
{
	check_levels(s, user, p, role);
	check_cursor(s, user, p->territory, role);
	check_records(s, user, p->territory);
}

void check_complete(struct sim *s, unsigned user, uint32_t territory, uint64_t head,
		    Seve__Role role)
{
	if (head > s->db.now.heads[territory - 1].rev)
		sim_fail(s, "%s was told head %llu of territory %u, which is beyond it",
			 s->users[user].account, (unsigned long long)head, territory);
	check_holds(s, user, territory, head, role, false);
	check_records(s, user, territory);
}

void check_revoked(struct sim *s, unsigned user, uint32_t territory)
{
	struct user *u = &s->users[user];
	struct arena *a = &s->scratch;
	enum outbox_state states[SIM_EDITS + 1];

	arena_reset(a);
	for (unsigned i = 0; i < s->db.n_ids[territory - 1]; i++) {
		struct outbox_view v;

		if (u->depot.ops->shown(&u->depot, a, territory, &s->db.ids[territory - 1][i], &v))
			sim_fail(s, "reading what is shown");
		if (v.kind)
			sim_fail(s,
				 "%s may not read territory %u any more and still holds record %u",
				 u->account, territory, i);
		u->seen[territory - 1][i] = 0;
	}
	read_fates(s, user, territory, states);
	for (uint64_t n = 1; n <= u->made[territory - 1]; n++) {
		struct user_edit *edit = &u->edits[territory - 1][n];

		if (outbox_waits(states[n]))
			sim_fail(s, "edit %llu of %s still waits in a territory that was taken",
				 (unsigned long long)n, u->account);
		edit->refused_here |=
			states[n] == OUTBOX_REJECTED && !check_stored(s, user, territory, n);
		edit->let_go |= states[n] == OUTBOX_DONE;
	}
}

/* What was written to disk is what is found again: no edit less, no record that was not so. */
void check_replica_reopened(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];

	for (unsigned t = 0; t < SIM_TERRITORIES; t++) {
		enum outbox_state states[SIM_EDITS + 1];
		struct depot_replica r;

		if (u->depot.ops->replica(&u->depot, t + 1, &r))
			sim_fail(s, "reading the cursor");
		if (!r.exists || r.loading)
			memset(u->seen[t], 0, sizeof u->seen[t]);
		check_records(s, user, t + 1);
		read_fates(s, user, t + 1, states);
		for (uint64_t n = 1; n <= u->made[t]; n++) {
			struct user_edit *edit = &u->edits[t][n];
			const bool held = check_stored(s, user, t + 1, n);

			edit->refused_here |= states[n] == OUTBOX_REJECTED && !held;
			edit->let_go |= states[n] == OUTBOX_DONE && !r.exists;
			if (states[n] == OUTBOX_DONE && !edit->code && !edit->rewound && !held)
				sim_fail(s, "edit %llu of %s in territory %u was kept, and is gone",
					 (unsigned long long)n, u->account, t + 1);
		}
	}
}

/* ---- the database
 * ---------------------------------------------------------------------------------------------- */

/* A restoration does not look at what the record points at, so far. */
static bool ever_restored(const struct sim *s, uint32_t territory, unsigned record)
{
	for (const struct version *v = s->oracle.records[territory - 1][record].newest; v;
	     v = v->older)
		if (v->deleted)
			return true;
	return false;
}

static void check_link(struct sim *s, uint32_t territory, const struct db_state *d, unsigned record)
{
	const struct db_row *row = d->rows[territory - 1][record];
	const struct db_row *to =
		row->link ? d->rows[territory - 1][(unsigned)row->link - 1] : NULL;

	if (!row->deleted && row->link && (!to || to->deleted) &&
	    !ever_restored(s, territory, record))
		sim_fail(s, "record %u of territory %u points at record %d, which is gone", record,
			 territory, row->link - 1);
}

void check_snapshot(struct sim *s, uint32_t territory, const struct db_state *d)
{
	const uint64_t head = d->heads[territory - 1].rev;
	uint64_t seen[SIM_RECORDS];
	unsigned n = 0;

	for (unsigned i = 0; i < s->db.n_ids[territory - 1]; i++) {
		const struct db_row *row = d->rows[territory - 1][i];
		const struct version *truth = oracle_at(s, territory, i, head);

		if (!row && truth && !truth->deleted)
			sim_fail(s,
				 "the head of territory %u is %llu, and record %u of rev %llu is "
				 "missing",
				 territory, (unsigned long long)head, i,
				 (unsigned long long)truth->rev);
		if (!row)
			continue;
		if (!truth || row->rev != truth->rev)
			sim_fail(s,
				 "the head of territory %u is %llu, and record %u is at rev %llu "
				 "instead of %llu",
				 territory, (unsigned long long)head, i,
				 (unsigned long long)row->rev,
				 truth ? (unsigned long long)truth->rev : 0);
		for (unsigned k = 0; k < n; k++)
			if (seen[k] == row->rev)
				sim_fail(s, "rev %llu of territory %u is of two records",
					 (unsigned long long)row->rev, territory);
		seen[n++] = row->rev;
		check_link(s, territory, d, i);
	}
}

void check_results(struct sim *s)
{
	for (const struct db_verdict *v = s->db.now.verdicts; v; v = v->older)
		for (const struct db_verdict *w = v->older; w; w = w->older)
			if (v->mid == w->mid && v->territory == w->territory &&
			    !uuid_cmp(&v->client, &w->client))
				sim_fail(s, "mutation %llu of territory %u has two verdicts",
					 (unsigned long long)v->mid, v->territory);
}

/* ---- the end
 * -----------------------------------------------------------------------------------------------
 */

/* What the database has lost is to be sent again. */
static bool unsettled(struct sim *s, unsigned user, uint32_t territory, uint64_t serial,
		      enum outbox_state state)
{
	const struct user_edit *edit = &s->users[user].edits[territory - 1][serial];

	return edit->rewound && !edit->let_go && state == OUTBOX_DONE &&
	       !check_stored(s, user, territory, serial);
}

bool check_user_clean(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];

	for (unsigned t = 0; t < SIM_TERRITORIES; t++) {
		const bool granted = s->db.roles[user][t] != SEVE__ROLE__ROLE_UNSPECIFIED;
		enum outbox_state states[SIM_EDITS + 1];
		struct depot_replica r;

		if (u->depot.ops->replica(&u->depot, t + 1, &r))
			sim_fail(s, "reading the cursor");
		if (granted != r.exists)
			return false;
		if (granted && (!r.complete || r.loading || r.rev != s->db.now.heads[t].rev ||
				r.epoch != s->db.epoch || r.view != db_view(s->db.roles[user][t])))
			return false;
		read_fates(s, user, t + 1, states);
		for (uint64_t n = 1; n <= u->made[t]; n++)
			if (outbox_waits(states[n]) || unsettled(s, user, t + 1, n, states[n]))
				return false;
	}
	return u->alive;
}

static bool ever_marked(const struct sim *s, uint32_t territory, unsigned record, unsigned mark)
{
	for (const struct version *v = s->oracle.records[territory - 1][record].newest; v;
	     v = v->older)
		if (values_marked(&v->values, mark))
			return true;
	return false;
}

/* Each edit is in effect, in a conflict, or refused with a reason: and only one of these. */
static void check_edit(struct sim *s, unsigned user, uint32_t territory, uint64_t serial,
		       enum outbox_state state)
{
	const struct user_edit *edit = &s->users[user].edits[territory - 1][serial];
	const struct db_verdict *held = check_stored(s, user, territory, serial);
	const unsigned mark = user * (VALUES_MARKS / SIM_USERS) + (unsigned)serial;
	const bool marked =
		edit->record != SIM_RECORDS && ever_marked(s, territory, edit->record, mark);

	if (!held && !edit->refused_here && !(edit->rewound && edit->let_go) &&
	    state != OUTBOX_REJECTED) /* by a history that is gone: its author was told */
		sim_fail(s, "edit %llu of %s in territory %u has vanished",
			 (unsigned long long)serial, s->users[user].account, territory);
	if (edit->record == SIM_RECORDS || !held)
		return;
	if ((held->code == SEVE__VERDICT__CODE__CONFLICT ||
	     held->code == SEVE__VERDICT__CODE__REJECTED) &&
	    marked)
		sim_fail(s, "edit %llu of %s was refused and took effect",
			 (unsigned long long)serial, s->users[user].account);
	if (held->code == SEVE__VERDICT__CODE__CONFLICT &&
	    !quarrel_held(s, territory, edit->record, mark))
		sim_fail(s, "edit %llu of %s clashed, and no conflict has ever held it",
			 (unsigned long long)serial, s->users[user].account);
	if ((held->code == SEVE__VERDICT__CODE__APPLIED ||
	     held->code == SEVE__VERDICT__CODE__MERGED) &&
	    !marked)
		sim_fail(s, "edit %llu of %s was acknowledged and is lost",
			 (unsigned long long)serial, s->users[user].account);
}

static void check_same(struct sim *s, unsigned user, uint32_t territory)
{
	const Seve__Role role = s->db.roles[user][territory - 1];
	struct arena *a = &s->scratch;

	arena_reset(a);
	for (unsigned i = 0; i < s->db.n_ids[territory - 1]; i++) {
		const struct db_row *row = s->db.now.rows[territory - 1][i];
		const bool visible = row && !row->deleted && row->level <= db_reads(role);
		struct outbox_view v;

		look(s, user, territory, i, a, &v);
		if (!visible && v.kind && !v.deleted && own_work(s, user, territory, i, &v))
			continue;
		if (visible != (v.kind && !v.deleted) || (visible && v.rev != row->rev))
			sim_fail(s, "%s does not hold record %u of territory %u as the server does",
				 s->users[user].account, i, territory);
	}
}

void check_user_end(struct sim *s, unsigned user)
{
	for (unsigned t = 0; t < SIM_TERRITORIES; t++) {
		enum outbox_state states[SIM_EDITS + 1];

		if (s->db.roles[user][t] != SEVE__ROLE__ROLE_UNSPECIFIED)
			check_same(s, user, t + 1);
		read_fates(s, user, t + 1, states);
		for (uint64_t n = 1; n <= s->users[user].made[t]; n++)
			check_edit(s, user, t + 1, n, states[n]);
	}
}
