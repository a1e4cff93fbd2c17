/* user_verify.c -- see user_verify.h.
 *
 *   RESUME ─the same history─► fresh numbers ─► PUSH
 *      └─another one─► MANIFEST ⟲ GET ─► fresh numbers, and the manifest's cursor ─► PUSH */
#include "user_verify.h"

#include "check.h"
#include "cursor.h"
#include "manifest.h"
#include "sim.h"

enum { RESUMES_MOST = 3 };

static void read_replica(struct sim *s, unsigned user, struct depot_replica *out)
{
	struct user *u = &s->users[user];

	if (u->depot.ops->replica(&u->depot, u->at + 1, out))
		sim_fail(s, "reading the cursor");
}

/* ---- numbers --------------------------------------------------------------------------------- */

bool user_resumes(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__ResumeRequest resume = SEVE__RESUME_REQUEST__INIT;
	struct depot_replica r;
	struct resume_state held;

	if (u->pushed)
		return false;
	read_replica(s, user, &r);
	if (u->point.epoch) { /* the comparison tells what its revs are worth */
		user_compares(s, user, &r);
		return true;
	}
	if (u->depot.ops->numbers(&u->depot, u->at + 1, &held))
		sim_fail(s, "reading the numbers");
	u->resume |= !u->begun && resume_needed(&held, u->epoch);
	u->begun = true;
	if (!u->resume)
		return false;
	resume.has_territory = true;
	resume.territory = u->at + 1;
	q.body_case = SEVE__REQUEST__BODY_RESUME;
	q.resume = &resume;
	user_send(s, user, USER_RESUME, &q);
	return true;
}

void user_hears_refusal(struct sim *s, unsigned user, bool reused)
{
	struct user *u = &s->users[user];

	if (u->resumes++ == RESUMES_MOST)
		sim_fail(s, "%s finds no numbers that the server takes", u->account);
	u->resume = true;
	u->refused = reused;
	u->call = USER_NO_CALL;
	user_go(s, user);
}

static void numbered(struct user *u)
{
	u->point = (struct resume_point){0};
	u->resume = u->refused = false;
}

/* True: the machine died. */
static bool number_anew(struct sim *s, unsigned user, bool compared)
{
	struct user *u = &s->users[user];

	if (user_died(
		    s, user,
		    u->depot.ops->renumber(&u->depot, u->at + 1, &u->point, u->refused, compared)))
		return true;
	numbered(u);
	check_numbers(s, user, u->at + 1);
	return false;
}

void user_hears_resumed(struct sim *s, unsigned user, const Seve__ResumeReply *reply)
{
	struct user *u = &s->users[user];
	struct depot_replica r;
	struct err e;

	if (resume_read(reply, &u->point, &e))
		sim_fail(s, "%s", e.text);
	if (u->point.epoch != u->epoch) { /* the next Welcome tells what is there now */
		user_give_up(s, user);
		return;
	}
	read_replica(s, user, &r);
	if (r.verify_epoch || (r.epoch && r.epoch != u->epoch)) {
		if (user_starts_over(s, user, &r))
			return;
		read_replica(s, user, &r);
		if (!r.verify_epoch) { /* loaded anew: the numbers wait for the next round */
			numbered(u);
			u->pushed = true;
		}
	} else if (number_anew(s, user, false)) {
		return;
	}
	u->call = USER_NO_CALL;
	user_go(s, user);
}

/* ---- comparing ------------------------------------------------------------------------------- */

bool user_starts_over(struct sim *s, unsigned user, const struct depot_replica *r)
{
	struct user *u = &s->users[user];
	const bool begun = r->rev || r->verify_epoch;

	u->n_fetch = 0;
	if (cursor_way(r->complete, begun) == CURSOR_LOAD)
		return user_died(s, user, u->depot.ops->reset(&u->depot, u->at + 1));
	if (r->verify_epoch == u->epoch && r->verify_view == u->views[u->at])
		return false; /* it goes on where it was left */
	return user_died(s, user,
			 u->depot.ops->verify(&u->depot, u->at + 1, u->epoch, u->views[u->at]));
}

void user_compares(struct sim *s, unsigned user, struct depot_replica *r)
{
	struct user *u = &s->users[user];
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__GetRequest get = SEVE__GET_REQUEST__INIT;
	Seve__ManifestRequest m = SEVE__MANIFEST_REQUEST__INIT;
	ProtobufCBinaryData ids[SIM_RECORDS];

	get.has_territory = m.has_territory = true;
	get.territory = m.territory = u->at + 1;
	get.n_ids = u->n_fetch;
	get.ids = ids;
	for (unsigned i = 0; i < u->n_fetch; i++)
		ids[i] = (ProtobufCBinaryData){16, u->fetch[i]};
	m.has_after = r->verify_begun;
	m.after = (ProtobufCBinaryData){16, r->verify_after};
	if (u->n_fetch) {
		q.body_case = SEVE__REQUEST__BODY_GET;
		q.get = &get;
	} else {
		q.body_case = SEVE__REQUEST__BODY_MANIFEST;
		q.manifest = &m;
	}
	user_send(s, user, u->n_fetch ? USER_GET : USER_MANIFEST, &q);
}

/* True: the machine died. */
static bool page_dealt_with(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];

	if (!u->page_more && u->point.epoch)
		return number_anew(s, user, true);
	return user_died(
		s, user,
		u->depot.ops->verified(&u->depot, u->at + 1, u->page_more ? u->page_last : NULL));
}

static void page_end(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];

	u->n_fetch = 0;
	if (page_dealt_with(s, user))
		return;
	u->call = USER_NO_CALL;
	user_go(s, user);
}

/* Begun under another epoch or other rights. */
static void compare_anew(struct sim *s, unsigned user, const Seve__ManifestReply *m)
{
	struct user *u = &s->users[user];

	u->n_fetch = 0;
	if (user_died(s, user, u->depot.ops->verify(&u->depot, u->at + 1, m->epoch, m->view)))
		return;
	u->call = USER_NO_CALL;
	user_go(s, user);
}

void user_hears_manifest(struct sim *s, unsigned user, const Seve__ManifestReply *m)
{
	struct user *u = &s->users[user];
	int rc;

	if (m->epoch != u->epoch) { /* the next Welcome tells what is there now */
		user_give_up(s, user);
		return;
	}
	rc = u->depot.ops->compare(&u->depot, m, u->fetch, &u->n_fetch);
	if (rc == -ERR_RESET_REQUIRED) {
		compare_anew(s, user, m);
		return;
	}
	if (user_died(s, user, rc))
		return;
	s->counts.manifests++;
	sim_trace(s, "%s compares territory %u of rev %llu: %zu entries, %u differ", u->account,
		  u->at + 1, (unsigned long long)m->head_rev, m->entries.len / MANIFEST_ENTRY,
		  u->n_fetch);
	u->page_more = m->more;
	if (m->entries.len)
		memcpy(u->page_last, manifest_last((struct span){m->entries.data, m->entries.len}),
		       16);
	u->call = USER_NO_CALL;
	if (u->n_fetch)
		user_go(s, user);
	else
		page_end(s, user);
}

void user_hears_fetched(struct sim *s, unsigned user, const Seve__GetReply *r)
{
	struct user *u = &s->users[user];

	if (!user_died(s, user, u->depot.ops->fetched(&u->depot, u->at + 1, r)))
		page_end(s, user);
}
