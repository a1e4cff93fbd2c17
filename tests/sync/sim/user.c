/* user.c -- see user.h.
 *
 *   offline ─tick─► HELLO ─welcome─► (user_verify.c) PUSH ⟲ verdicts ─nothing waits─► PULL ⟲ pages
 * ─complete─► the next territory … idle ─tick─► PUSH ▲ (a lost connection, a death or a wait too
 * long leads from anywhere) */
#include "sim.h"

#include "bug.h"
#include "check.h"
#include "user_verify.h"
#include "wire.h"

enum {
	PUSH_MOST = 8,
	TIMEOUT_MS = 700,
	RESTART_MS = 400,
	CALM_MS = 20,
	OVERLAP_ID = 1000000,
	AWAIT_MS = 10000
};

static void go_round(struct sim *s, unsigned user);
static void tick(struct sim *s, unsigned user, unsigned generation);

static void plan(struct sim *s, unsigned user, unsigned in_ms, agenda_call call,
		 unsigned generation)
{
	if (!agenda_add(&s->agenda, in_ms, call, user, generation))
		sim_fail(s, "the agenda is full");
}

static void plan_tick(struct sim *s, unsigned user)
{
	plan(s, user, 1 + sim_dice(s, s->calm ? CALM_MS : s->climate.tick_ms), tick,
	     s->users[user].generation);
}

/* ---- life and death
 * ---------------------------------------------------------------------------------- */

static void restart(struct sim *s, unsigned user, unsigned generation)
{
	struct user *u = &s->users[user];

	if (u->generation != generation || u->alive)
		return;
	u->alive = true;
	plan_tick(s, user);
}

/* What a session knows, and the machine does not keep. */
static void user_forget(struct user *u)
{
	u->n_fetch = 0;
	u->point = (struct resume_point){0};
	u->begun = u->resume = u->refused = false;
	u->resumes = 0;
}

void user_crash(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];

	sim_trace(s, "%s dies", u->account);
	s->counts.restarts++;
	user_forget(u);
	u->alive = false;
	u->generation++;
	u->call = USER_NO_CALL;
	u->overlap = 0;
	u->welcomed = false;
	if (u->link != NET_NONE) {
		const unsigned link = u->link;

		u->link = NET_NONE;
		net_close_user(s, link);
	}
	u->depot.ops->reopen(&u->depot);
	check_replica_reopened(s, user);
	plan(s, user, 1 + sim_dice(s, RESTART_MS), restart, u->generation);
}

bool user_died(struct sim *s, unsigned user, int rc)
{
	if (!rc)
		return false;
	if (rc != -ERR_IO)
		sim_fail(s, "the machine of %s: %s", s->users[user].account,
			 err_meaning((enum err_code) - rc));
	user_crash(s, user);
	return true;
}

void user_begin(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];

	snprintf(u->account, sizeof u->account, "user-%u", user);
	for (unsigned i = 0; i < sizeof u->client.b; i++)
		u->client.b[i] = (uint8_t)sim_dice(s, 256);
	if (s->plan.folder)
		depot_sqlite_open(s, user, &u->client, &u->depot);
	else
		depot_memory_open(s, user, &u->client, &u->depot);
	u->link = NET_NONE;
	u->alive = true;
	arena_init(&u->arena, 1 << 22);
	plan_tick(s, user);
}

void user_end(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];

	if (u->depot.ops)
		u->depot.ops->close(&u->depot);
	arena_fini(&u->arena);
}

/* ---- the connection
 * ------------------------------------------------------------------------------------- */

void user_lost(struct sim *s, unsigned user, unsigned link)
{
	struct user *u = &s->users[user];

	if (u->link != link)
		return;
	u->link = NET_NONE;
	user_forget(u);
	u->welcomed = false;
	u->call = USER_NO_CALL;
	u->overlap = 0;
	u->generation++;
	plan_tick(s, user);
}

void user_give_up(struct sim *s, unsigned user)
{
	const unsigned link = s->users[user].link;

	user_lost(s, user, link);
	net_close_user(s, link);
}

static void too_long(struct sim *s, unsigned user, unsigned generation)
{
	const struct user *u = &s->users[user];

	if (u->alive && u->generation == generation && u->call != USER_NO_CALL) {
		sim_trace(s, "%s has waited too long", u->account);
		user_give_up(s, user);
	}
}

static void await(struct sim *s, unsigned user, enum user_call call)
{
	struct user *u = &s->users[user];

	u->call = call;
	u->overlap = 0;
	u->request++;
	u->generation++;
	plan(s, user, s->calm ? AWAIT_MS : TIMEOUT_MS, too_long, u->generation);
}

static void connect_to(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];
	Seve__Hello hello = SEVE__HELLO__INIT;

	u->link = net_open(s, user, sim_dice(s, SIM_SERVERS));
	if (u->link == NET_NONE) {
		plan_tick(s, user);
		return;
	}
	hello.has_client_id = true;
	hello.client_id = (ProtobufCBinaryData){16, u->client.b};
	await(s, user, USER_HELLO);
	net_send(s, u->link, NET_UP, FRAME_HELLO, &hello.base);
}

static void tick(struct sim *s, unsigned user, unsigned generation)
{
	struct user *u = &s->users[user];

	if (!u->alive || u->generation != generation)
		return;
	if (u->link == NET_NONE) {
		connect_to(s, user);
	} else if (u->welcomed && u->call == USER_NO_CALL) {
		u->dirty = false;
		go_round(s, user);
	}
}

/* ---- going round the territories
 * ---------------------------------------------------------------------------- */

static void move_on(struct user *u)
{
	u->at = (u->at + 1) % SIM_TERRITORIES;
	u->left--;
	u->pushed = false;
	user_forget(u);
}

static void next(struct sim *s, unsigned user)
{
	move_on(&s->users[user]);
	user_go(s, user);
}

static void go_round(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];

	u->at = sim_dice(s, SIM_TERRITORIES);
	u->left = SIM_TERRITORIES;
	u->pushed = false;
	user_go(s, user);
}

void user_send(struct sim *s, unsigned user, enum user_call call, Seve__Request *q)
{
	struct user *u = &s->users[user];

	if (sim_step(s)) {
		user_crash(s, user);
		return;
	}
	await(s, user, call);
	q->has_id = true;
	q->id = u->request;
	net_send(s, u->link, NET_UP, FRAME_REQUEST, &q->base);
}

static Seve__PullRequest pull_of(const struct user *u, const struct depot_replica *r)
{
	Seve__PullRequest pull = SEVE__PULL_REQUEST__INIT;

	pull.has_territory = pull.has_epoch = pull.has_view = pull.has_rev = pull.has_start = true;
	pull.start = r->start;
	pull.territory = u->at + 1;
	pull.epoch = r->epoch;
	pull.view = r->view;
	pull.rev = r->rev;
	return pull;
}

/* A pull beside the push that has just been sent: pages of before its commit may come after its
 * verdicts. */
static void overlap(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];
	Seve__Request q = SEVE__REQUEST__INIT;
	struct depot_replica r;
	Seve__PullRequest pull;

	if (u->depot.ops->replica(&u->depot, u->at + 1, &r))
		sim_fail(s, "reading the cursor");
	if (u->call != USER_PUSH || !r.exists || r.loading || r.epoch != u->epoch ||
	    r.view != u->views[u->at] || !sim_strikes(s, SIM_OVERLAPS, 3))
		return;
	s->counts.overlaps++;
	u->overlap = u->request + OVERLAP_ID;
	pull = pull_of(u, &r);
	q.has_id = true;
	q.id = u->overlap;
	q.body_case = SEVE__REQUEST__BODY_PULL;
	q.pull = &pull;
	net_send(s, u->link, NET_UP, FRAME_REQUEST, &q.base);
}

/* True: something was sent, or the machine died. */
static bool go_push(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];
	Seve__Request q = SEVE__REQUEST__INIT;

	if (u->pushed)
		return false;
	arena_reset(&u->arena);
	seve__push_request__init(&u->sent);
	if (user_died(s, user,
		      u->depot.ops->take(&u->depot, &u->arena, u->at + 1,
					 1 + sim_dice(s, PUSH_MOST), &u->sent)))
		return true;
	u->pushed = !u->sent.n_mutations;
	if (u->pushed)
		return false;
	q.body_case = SEVE__REQUEST__BODY_PUSH;
	q.push = &u->sent;
	user_send(s, user, USER_PUSH, &q);
	overlap(s, user);
	return true;
}

static bool go_pull(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__PullRequest pull;
	struct depot_replica r;

	if (u->roles[u->at] && user_died(s, user, u->depot.ops->make(&u->depot, u->at + 1)))
		return true;
	if (u->depot.ops->replica(&u->depot, u->at + 1, &r))
		sim_fail(s, "reading the cursor");
	if (!r.exists)
		return false;
	if (r.verify_epoch) {
		user_compares(s, user, &r);
		return true;
	}
	pull = pull_of(u, &r);
	q.body_case = SEVE__REQUEST__BODY_PULL;
	q.pull = &pull;
	user_send(s, user, USER_PULL, &q);
	return true;
}

void user_go(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];

	while (u->left) {
		if (user_resumes(s, user) || go_push(s, user) || go_pull(s, user))
			return;
		move_on(u);
	}
	plan_tick(s, user);
}

/* ---- what comes back
 * ----------------------------------------------------------------------------------------- */

static void hear_welcome(struct sim *s, unsigned user, const Seve__Welcome *w)
{
	struct user *u = &s->users[user];

	memset(u->roles, 0, sizeof u->roles);
	memset(u->views, 0, sizeof u->views);
	for (size_t i = 0; i < w->n_grants; i++) {
		u->roles[w->grants[i]->territory - 1] = w->grants[i]->role;
		u->views[w->grants[i]->territory - 1] = w->grants[i]->view;
	}
	u->epoch = w->epoch;
	u->welcomed = true;
	u->call = USER_NO_CALL;
	go_round(s, user);
}

/* As the library does: verdicts bring records as this session's rights show them.  True: the
 * machine died. */
static bool fit_cursor(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];
	struct depot_replica r;

	if (u->depot.ops->replica(&u->depot, u->at + 1, &r))
		sim_fail(s, "reading the cursor");
	if ((!r.epoch && !r.view) || (r.epoch == u->epoch && r.view == u->views[u->at]))
		return false;
	return user_starts_over(s, user, &r);
}

static void hear_verdicts(struct sim *s, unsigned user, const Seve__PushReply *r)
{
	struct user *u = &s->users[user];
	int rc;

	if (fit_cursor(s, user))
		return;
	rc = u->depot.ops->settle(&u->depot, u->at + 1, &u->sent, r, u->account,
				  (int64_t)s->agenda.now_ms);

	check_verdicts(s, user, u->at + 1, r);
	if (user_died(s, user, rc))
		return;
	check_settled(s, user, u->at + 1, r);
	if (u->overlap) { /* goes on as the pull of this round */
		u->call = USER_PULL;
		u->request = u->overlap;
		u->overlap = 0;
		return;
	}
	u->call = USER_NO_CALL;
	user_go(s, user);
}

/* True: the machine died. */
static bool take_pulled(struct sim *s, unsigned user, const Seve__PullReply *r)
{
	struct user *u = &s->users[user];
	const Seve__Role role = s->net.links[u->link].roles[u->at];
	const int rc = u->depot.ops->complete(&u->depot, r);

	if (user_died(s, user, rc))
		return true;
	if (r->epoch == s->db.epoch) /* else it tells of a time that never was */
		check_complete(s, user, u->at + 1, r->head_rev, role);
	return false;
}

static void hear_pulled(struct sim *s, unsigned user, const Seve__PullReply *r)
{
	struct user *u = &s->users[user];

	if (take_pulled(s, user, r))
		return;
	u->call = USER_NO_CALL;
	next(s, user);
}

static void hear_page(struct sim *s, unsigned user, const Seve__Page *p)
{
	struct user *u = &s->users[user];
	const Seve__Role role = s->net.links[u->link].roles[u->at];

	if ((u->call != USER_PULL || p->request != u->request) &&
	    (!u->overlap || p->request != u->overlap))
		return; /* of a call that was given up */
	if (user_died(s, user, u->depot.ops->page(&u->depot, p, u->epoch, u->views[u->at])))
		return;
	check_page(s, user, p, role);
}

/* The right to read the territory is gone: what waits there cannot be sent any more. */
static void hear_revoked(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];
	const uint32_t territory = u->at + 1;

	s->counts.revocations++;
	sim_trace(s, "%s forgets territory %u", u->account, territory);
	if (user_died(s, user, u->depot.ops->revoke(&u->depot, territory)))
		return;
	check_revoked(s, user, territory);
	u->call = USER_NO_CALL;
	next(s, user);
}

static void hear_reset(struct sim *s, unsigned user)
{
	struct user *u = &s->users[user];
	struct depot_replica r;

	s->counts.resets++;
	sim_trace(s, "%s loads territory %u anew", u->account, u->at + 1);
	memset(u->seen[u->at], 0, sizeof u->seen[u->at]);
	if (u->depot.ops->replica(&u->depot, u->at + 1, &r))
		sim_fail(s, "reading the cursor");
	if (user_starts_over(s, user, &r))
		return;
	u->call = USER_NO_CALL;
	user_go(s, user);
}

/* A pull beside the push has ended before it. */
static void hear_overlap(struct sim *s, unsigned user, const Seve__Reply *reply)
{
	struct user *u = &s->users[user];
	const enum err_code code = reply->error ? err_by_name(reply->error->detail) : ERR_OK;
	struct depot_replica r;

	u->overlap = 0;
	if (code == ERR_RESET_REQUIRED) {
		s->counts.resets++;
		memset(u->seen[u->at], 0, sizeof u->seen[u->at]);
		if (u->depot.ops->replica(&u->depot, u->at + 1, &r))
			sim_fail(s, "reading the cursor");
		(void)user_starts_over(s, user, &r);
	} else if (!reply->error) {
		(void)take_pulled(s, user, reply->pull);
	} /* else the push is told the same */
}

static void hear_error(struct sim *s, unsigned user, const Seve__Error *e)
{
	const enum err_code code = err_by_name(e->detail);

	if (e->class_ == SEVE__ERROR__CLASS__RETRYABLE ||
	    e->class_ == SEVE__ERROR__CLASS__UNKNOWN_OUTCOME)
		user_give_up(s, user);
	else if (code == ERR_NOT_FOUND)
		hear_revoked(s, user);
	else if (code == ERR_RESET_REQUIRED && s->users[user].call == USER_PULL)
		hear_reset(s, user);
	else if ((code == ERR_OUT_OF_ORDER || code == ERR_MID_REUSED) &&
		 s->users[user].call == USER_PUSH)
		user_hears_refusal(s, user, code == ERR_MID_REUSED);
	else
		sim_fail(s, "%s was told %s", s->users[user].account, e->detail);
}

static void hear_reply(struct sim *s, unsigned user, const Seve__Reply *r)
{
	struct user *u = &s->users[user];

	if (u->call == USER_NO_CALL ||
	    (r->id != u->request && (!u->overlap || r->id != u->overlap)))
		return;
	if (sim_step(s)) {
		user_crash(s, user);
		return;
	}
	if (r->id == u->overlap) {
		hear_overlap(s, user, r);
		return;
	}
	if (r->error)
		hear_error(s, user, r->error);
	else if (r->body_case == SEVE__REPLY__BODY_PUSH && u->call == USER_PUSH)
		hear_verdicts(s, user, r->push);
	else if (r->body_case == SEVE__REPLY__BODY_PULL && u->call == USER_PULL)
		hear_pulled(s, user, r->pull);
	else if (r->body_case == SEVE__REPLY__BODY_MANIFEST && u->call == USER_MANIFEST)
		user_hears_manifest(s, user, r->manifest);
	else if (r->body_case == SEVE__REPLY__BODY_GET && u->call == USER_GET)
		user_hears_fetched(s, user, r->get);
	else if (r->body_case == SEVE__REPLY__BODY_RESUME && u->call == USER_RESUME)
		user_hears_resumed(s, user, r->resume);
	else
		sim_fail(s, "%s was answered something else than asked", u->account);
}

static void hear_frame(struct sim *s, unsigned user, enum frame_type type, struct span bytes)
{
	const ProtobufCMessageDescriptor *d = type == FRAME_WELCOME ? &seve__welcome__descriptor
					      : type == FRAME_PAGE  ? &seve__page__descriptor
								    : &seve__reply__descriptor;
	ProtobufCMessage *m;
	struct err e;

	if (wire_unpack(&s->arena, d, bytes.at, bytes.len, &m, &e))
		sim_fail(s, "an answer: %s", e.text);
	if (type == FRAME_WELCOME)
		hear_welcome(s, user, (const Seve__Welcome *)m);
	else if (type == FRAME_PAGE)
		hear_page(s, user, (const Seve__Page *)m);
	else
		hear_reply(s, user, (const Seve__Reply *)m);
}

void user_hears(struct sim *s, unsigned link)
{
	const unsigned user = s->net.links[link].user;
	enum frame_type type;
	struct span bytes;

	while (s->users[user].link == link && net_take(s, link, NET_DOWN, &type, &bytes))
		hear_frame(s, user, type, bytes);
}
