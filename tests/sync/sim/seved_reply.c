/* seved_reply.c -- see seved_reply.h: sessions, pushes, pulls. */
#include "seved_reply.h"

#include "check.h"
#include "cursor.h"
#include "manifest.h"
#include "sim.h"
#include "wire.h"

enum { PAGE_ROWS = 9 };

struct seved_push {
	unsigned link, generation; /* of the link */
	uint64_t request;
	unsigned n, left;
	struct seved_job *jobs;
	struct span *verdicts;
	enum err_code failed;
};

struct seved_pull {
	uint64_t request, asked, records;
	struct cursor cursor;
	uint32_t territory;
	Seve__Role role;
	bool standby, read;       /* read: `snapshot` holds the state that the page is made of */
	struct db_state snapshot; /* what was committed when the statement began */
};

static struct link *link_at(struct sim *s, unsigned link)
{
	return &s->net.links[link];
}

static bool still_there(struct sim *s, unsigned link, unsigned generation)
{
	const struct link *l = link_at(s, link);

	return l->used && l->generation == generation && l->server_open;
}

static void reply_error(struct sim *s, unsigned link, uint64_t request, enum err_code code)
{
	Seve__Reply reply = SEVE__REPLY__INIT;
	Seve__Error error = SEVE__ERROR__INIT;

	error.has_code = error.has_class_ = true;
	error.code = err_rpc(code);
	error.detail = (char *)(uintptr_t)err_name(code);
	error.class_ = err_class(code) == ERR_RETRYABLE ? SEVE__ERROR__CLASS__RETRYABLE
		       : err_class(code) == ERR_UNKNOWN_OUTCOME
			       ? SEVE__ERROR__CLASS__UNKNOWN_OUTCOME
			       : SEVE__ERROR__CLASS__PERMANENT;
	reply.has_id = true;
	reply.id = request;
	reply.error = &error;
	net_send(s, link, NET_DOWN, FRAME_REPLY, &reply.base);
}

/* ---- sessions
 * -------------------------------------------------------------------------------------- */

static void hear_hello(struct sim *s, unsigned link)
{
	struct link *l = link_at(s, link);
	Seve__Welcome w = SEVE__WELCOME__INIT;
	Seve__Grant grants[SIM_TERRITORIES], *list[SIM_TERRITORIES];

	for (unsigned t = 0; t < SIM_TERRITORIES; t++) {
		const Seve__Role role = s->db.roles[l->user][t];
		Seve__Grant *g = &grants[t];

		l->roles[t] = role;
		if (role == SEVE__ROLE__ROLE_UNSPECIFIED)
			continue;
		seve__grant__init(g);
		g->has_role = g->has_territory = g->has_view = true;
		g->role = role;
		g->territory = t + 1;
		g->view = db_view(role);
		list[w.n_grants++] = g;
	}
	l->welcomed = true;
	w.has_epoch = true;
	w.epoch = s->db.epoch;
	w.grants = list;
	net_send(s, link, NET_DOWN, FRAME_WELCOME, &w.base);
}

void seved_rights_changed(struct sim *s, unsigned user)
{
	for (unsigned i = 0; i < NET_LINKS; i++)
		if (link_at(s, i)->used && link_at(s, i)->user == user)
			net_close_server(s, i);
}

static Seve__Role role_in(struct sim *s, unsigned link, uint32_t territory)
{
	return territory && territory <= SIM_TERRITORIES ? link_at(s, link)->roles[territory - 1]
							 : SEVE__ROLE__ROLE_UNSPECIFIED;
}

static void hear_resume(struct sim *s, unsigned link, uint64_t request,
			const Seve__ResumeRequest *q)
{
	const struct uuid *client = &s->users[link_at(s, link)->user].client;
	Seve__Reply reply = SEVE__REPLY__INIT;
	Seve__ResumeReply r = SEVE__RESUME_REPLY__INIT;

	if (role_in(s, link, q->territory) == SEVE__ROLE__ROLE_UNSPECIFIED || !s->db.up) {
		reply_error(s, link, request, s->db.up ? ERR_NOT_FOUND : ERR_UNAVAILABLE);
		return;
	}
	r.has_epoch = r.has_last_mid = true;
	r.epoch = s->db.epoch;
	for (const struct db_verdict *v = s->db.now.verdicts; v; v = v->older)
		if (v->territory == q->territory && v->mid > r.last_mid &&
		    !uuid_cmp(&v->client, client)) {
			r.last_mid = v->mid;
			r.has_hash = true;
			r.hash = (ProtobufCBinaryData){sizeof v->hash,
						       (uint8_t *)(uintptr_t)v->hash};
		}
	reply.has_id = true;
	reply.id = request;
	reply.body_case = SEVE__REPLY__BODY_RESUME;
	reply.resume = &r;
	net_send(s, link, NET_DOWN, FRAME_REPLY, &reply.base);
}

/* ---- pushing
 * ------------------------------------------------------------------------------------------ */

static void push_reply(struct sim *s, struct seved_push *p)
{
	Seve__Reply reply = SEVE__REPLY__INIT;
	Seve__PushReply push = SEVE__PUSH_REPLY__INIT;

	if (!still_there(s, p->link, p->generation))
		return;
	if (p->failed) {
		reply_error(s, p->link, p->request, p->failed);
		return;
	}
	push.n_verdicts = p->n;
	push.verdicts =
		SIM_NEED(s, (Seve__Verdict **)arena_array(&s->arena, p->n, sizeof *push.verdicts));
	for (unsigned i = 0; i < p->n; i++) {
		ProtobufCMessage *m;
		struct err e;

		if (wire_unpack(&s->arena, &seve__verdict__descriptor, p->verdicts[i].at,
				p->verdicts[i].len, &m, &e))
			sim_fail(s, "a verdict: %s", e.text);
		push.verdicts[i] = (Seve__Verdict *)m;
	}
	reply.has_id = true;
	reply.id = p->request;
	reply.body_case = SEVE__REPLY__BODY_PUSH;
	reply.push = &push;
	net_send(s, p->link, NET_DOWN, FRAME_REPLY, &reply.base);
}

static void job_ended(struct sim *s, struct seved_job *j)
{
	if (!--j->push->left)
		push_reply(s, j->push);
}

void seved_job_refused(struct sim *s, struct seved_job *j, const struct err *e)
{
	sim_trace(s, "mutation %llu is not decided: %s", (unsigned long long)j->work.mutation->mid,
		  e->text);
	j->work.verdict = NULL;
	if (!j->push->failed)
		j->push->failed = e->code;
}

void seved_job_failed(struct sim *s, struct seved_job *j, enum err_code code)
{
	if (!j->push->failed)
		j->push->failed = code;
	job_ended(s, j);
}

void seved_job_done(struct sim *s, struct seved_job *j)
{
	if (j->work.verdict) {
		const struct span bytes = wire_pack(&s->arena, &j->work.verdict->base);

		(void)SIM_NEED(s, bytes.at);
		j->push->verdicts[j->index] = bytes;
	}
	job_ended(s, j);
}

static void push_job(struct sim *s, unsigned link, struct seved_push *p, unsigned i,
		     const Seve__Mutation *m)
{
	struct user *u = &s->users[link_at(s, link)->user];
	struct seved_job *j = &p->jobs[i];
	const Seve__Role role = role_in(s, link, m->territory);

	j->push = p;
	j->index = i;
	j->work.territory = m->territory;
	j->work.mutation = m;
	j->work.author = (struct apply_author){
		.account = u->account, .reads = db_reads(role), .writes = db_writes(role)};
	memcpy(j->work.author.client.b, m->client_id.data, 16);
	j->work.author.client_short = uuid_short(&j->work.author.client);
}

static void hear_push(struct sim *s, unsigned link, uint64_t request, const Seve__PushRequest *q)
{
	const unsigned server = link_at(s, link)->server;
	struct seved_push *p = SIM_NEED(s, arena_zalloc(&s->arena, sizeof(struct seved_push)));

	p->link = link;
	p->generation = link_at(s, link)->generation;
	p->request = request;
	p->n = p->left = (unsigned)q->n_mutations;
	p->jobs = SIM_NEED(s, arena_array(&s->arena, p->n, sizeof *p->jobs));
	p->verdicts = SIM_NEED(s, arena_array(&s->arena, p->n, sizeof *p->verdicts));
	for (unsigned i = 0; i < p->n; i++) {
		if (role_in(s, link, q->mutations[i]->territory) == SEVE__ROLE__ROLE_UNSPECIFIED) {
			reply_error(s, link, request, ERR_NOT_FOUND);
			return;
		}
		push_job(s, link, p, i, q->mutations[i]);
	}
	for (unsigned i = 0; i < p->n; i++)
		seved_submit(s, server, &p->jobs[i]);
	seved_kick(s, server);
}

/* ---- pulling
 * ------------------------------------------------------------------------------------------- */

static void pull_end(struct sim *s, unsigned link, const struct seved_pull *p, uint64_t head)
{
	Seve__Reply reply = SEVE__REPLY__INIT;
	Seve__PullReply pull = SEVE__PULL_REPLY__INIT;

	pull.has_territory = pull.has_epoch = pull.has_view = pull.has_head_rev = pull.has_records =
		true;
	pull.territory = p->territory;
	pull.epoch = s->db.epoch;
	pull.view = db_view(p->role);
	pull.head_rev = head;
	pull.records = p->records;
	reply.has_id = true;
	reply.id = p->request;
	reply.body_case = SEVE__REPLY__BODY_PULL;
	reply.pull = &pull;
	s->counts.pulls++;
	net_send(s, link, NET_DOWN, FRAME_REPLY, &reply.base);
}

static const struct db_row *row_at(const struct sim *s, const struct db_state *d,
				   uint32_t territory, uint64_t rev, unsigned *number)
{
	for (unsigned i = 0; i < s->db.n_ids[territory - 1]; i++) {
		const struct db_row *row = d->rows[territory - 1][i];

		*number = i;
		if (row && row->rev == rev)
			return row;
	}
	return NULL;
}

/* One row as the reader may see it; false: nothing of it is told. */
static bool page_record(struct sim *s, const struct seved_pull *p, const struct db_row *row,
			unsigned number, Seve__Record *out)
{
	const bool hidden = row->level > db_reads(p->role);

	/* Not by the cursor: it may have passed the narrowing while the record lay ahead of it. */
	if (hidden &&
	    (SEVE_BUG(narrow_by_cursor) ? row->narrowed_rev <= p->cursor.rev : !row->narrowed_rev))
		return false;
	if ((hidden || row->deleted) && cursor_skips(&p->cursor, row->rev))
		return false;
	seve__record__init(out);
	out->has_id = out->has_kind = out->has_rev = true;
	out->id = (ProtobufCBinaryData){16, s->db.ids[p->territory - 1][number].b};
	out->kind = row->kind->number;
	out->rev = row->rev;
	if (hidden || row->deleted) {
		out->has_deleted = out->deleted = true;
	} else {
		out->has_body = true;
		out->body =
			(ProtobufCBinaryData){row->body.len, (uint8_t *)(uintptr_t)row->body.at};
	}
	return true;
}

/* One statement: a page and the head, of one snapshot.  True: it was the last. */
static bool pull_page(struct sim *s, unsigned link, struct seved_pull *p, const struct db_state *d)
{
	const uint64_t head = d->heads[p->territory - 1].rev;
	Seve__Page page = SEVE__PAGE__INIT;
	Seve__Record records[PAGE_ROWS], *list[PAGE_ROWS];
	const unsigned most = 1 + sim_dice(s, s->climate.page_rows);
	unsigned rows = 0, number;
	uint64_t rev = p->asked;

	page.has_request = page.has_territory = page.has_from_rev = page.has_to_rev = true;
	page.request = p->request;
	page.territory = p->territory;
	page.from_rev = p->asked;
	page.records = list;
	page.has_start = p->cursor.start != 0;
	page.start = p->cursor.start;
	while (rev < head && rows < most) {
		const struct db_row *row = row_at(s, d, p->territory, ++rev, &number);

		if (!row)
			continue;
		rows++;
		if (page_record(s, p, row, number, &records[page.n_records])) {
			list[page.n_records] = &records[page.n_records];
			page.n_records++;
		}
	}
	page.to_rev = rows < most ? head : rev;
	p->asked = page.to_rev;
	p->records += page.n_records;
	s->counts.pages++;
	sim_trace(s, "user-%u gets territory %u from rev %llu to %llu%s: %zu records, role %d",
		  link_at(s, link)->user, p->territory, (unsigned long long)page.from_rev,
		  (unsigned long long)page.to_rev, p->standby ? " of the standby" : "",
		  page.n_records, (int)p->role);
	net_send(s, link, NET_DOWN, FRAME_PAGE, &page.base);
	return rows < most;
}

static enum err_code pull_refuses(const struct sim *s, unsigned link, const struct seved_pull *p,
				  const struct db_state *d)
{
	const struct db_head *h = &d->heads[p->territory - 1];

	/* A standby behind the cursor, or behind a verdict that the reader has had, would show its
	 * acknowledged edits undone. */
	if (p->standby && (h->rev < p->cursor.rev ||
			   h->rev < s->users[s->net.links[link].user].known[p->territory - 1]))
		return ERR_UNAVAILABLE;
	if (cursor_check_read(&p->cursor, p->asked, h->rev, h->purged_rev))
		return ERR_RESET_REQUIRED;
	return ERR_OK;
}

static void pull_step(struct sim *s, unsigned link, unsigned generation);

static void pull_next(struct sim *s, unsigned link)
{
	if (!agenda_add(&s->agenda, 1 + sim_dice(s, s->climate.read_ms), pull_step, link,
			link_at(s, link)->generation))
		sim_fail(s, "the agenda is full");
}

/* A statement begins, and its result comes later: what is committed meanwhile is not in it. */
static void pull_step(struct sim *s, unsigned link, unsigned generation)
{
	struct seved_pull *p = link_at(s, link)->pull;
	enum err_code code = ERR_OK;

	if (!still_there(s, link, generation) || !p)
		return;
	p->read = !p->read;
	if (!s->db.up) {
		code = ERR_UNAVAILABLE;
	} else if (p->read) {
		p->snapshot = p->standby ? s->db.standby : s->db.now;
		if (cursor_is_fresh(&p->cursor) && !p->asked && !p->cursor.start)
			p->cursor.start = p->snapshot.heads[p->territory - 1].rev;
		check_snapshot(s, p->territory, &p->snapshot);
		code = pull_refuses(s, link, p, &p->snapshot);
	} else if (pull_page(s, link, p, &p->snapshot)) {
		link_at(s, link)->pull = NULL;
		pull_end(s, link, p, p->snapshot.heads[p->territory - 1].rev);
		return;
	}
	if (code) {
		link_at(s, link)->pull = NULL;
		reply_error(s, link, p->request, code);
	} else {
		pull_next(s, link);
	}
}

void seved_pulls_lost(struct sim *s, unsigned server)
{
	for (unsigned i = 0; i < NET_LINKS; i++) {
		struct link *l = link_at(s, i);

		if (!l->used || l->server != server || !l->pull)
			continue;
		reply_error(s, i, l->pull->request, ERR_UNAVAILABLE);
		l->pull = NULL;
	}
}

static enum err_code pull_check(struct sim *s, const Seve__PullRequest *q, Seve__Role role)
{
	if (role == SEVE__ROLE__ROLE_UNSPECIFIED)
		return ERR_NOT_FOUND;
	const struct cursor c = {q->epoch, q->view, q->rev, q->start};

	if (cursor_check(&c, s->db.epoch, db_view(role)))
		return ERR_RESET_REQUIRED;
	return ERR_OK;
}

static void hear_pull(struct sim *s, unsigned link, uint64_t request, const Seve__PullRequest *q)
{
	const Seve__Role role = role_in(s, link, q->territory);
	const enum err_code code = pull_check(s, q, role);
	struct seved_pull *p;

	if (code) {
		reply_error(s, link, request, code);
		return;
	}
	p = SIM_NEED(s, arena_zalloc(&s->arena, sizeof(struct seved_pull)));
	p->request = request;
	p->cursor = (struct cursor){q->epoch, q->view, q->rev, q->start};
	p->asked = q->rev;
	p->territory = q->territory;
	p->role = role;
	p->standby = sim_strikes(s, SIM_STANDBY, 3);
	link_at(s, link)->pull = p;
	pull_next(s, link);
}

/* ---- the manifest, and what it shows to differ
 * ------------------------------------------------------------ */

static bool sees(const struct db_row *row, Seve__Role role)
{
	return row && !row->deleted && row->level <= db_reads(role);
}

/* A pull after a comparison must not be answered by a standby that has not seen what the comparison
 * showed, or found gone. */
static void has_shown(struct sim *s, unsigned link, uint32_t territory)
{
	uint64_t *known = &s->users[link_at(s, link)->user].known[territory - 1];
	const uint64_t head = s->db.now.heads[territory - 1].rev;

	*known = *known < head ? head : *known;
}

/* The visible record with the next greater id; SIM_RECORDS: none. */
static unsigned next_entry(const struct sim *s, uint32_t territory, Seve__Role role,
			   const uint8_t *after)
{
	unsigned best = SIM_RECORDS;

	for (unsigned i = 0; i < s->db.n_ids[territory - 1]; i++) {
		const uint8_t *id = s->db.ids[territory - 1][i].b;

		if (sees(s->db.now.rows[territory - 1][i], role) &&
		    (!after || memcmp(id, after, 16) > 0) &&
		    (best == SIM_RECORDS || memcmp(id, s->db.ids[territory - 1][best].b, 16) < 0))
			best = i;
	}
	return best;
}

static void hear_manifest(struct sim *s, unsigned link, uint64_t request,
			  const Seve__ManifestRequest *q)
{
	const Seve__Role role = role_in(s, link, q->territory);
	const unsigned limit = 1 + sim_dice(s, PAGE_ROWS);
	uint8_t entries[PAGE_ROWS * MANIFEST_ENTRY];
	Seve__Reply reply = SEVE__REPLY__INIT;
	Seve__ManifestReply m = SEVE__MANIFEST_REPLY__INIT;
	const uint8_t *after = q->has_after ? q->after.data : NULL;

	if (role == SEVE__ROLE__ROLE_UNSPECIFIED || !s->db.up) {
		reply_error(s, link, request, s->db.up ? ERR_NOT_FOUND : ERR_UNAVAILABLE);
		return;
	}
	m.entries.data = entries;
	for (unsigned i = 0; i < limit; i++) {
		const unsigned n = next_entry(s, q->territory, role, after);
		const struct db_row *row;

		if (n == SIM_RECORDS)
			break;
		row = s->db.now.rows[q->territory - 1][n];
		after = s->db.ids[q->territory - 1][n].b;
		memcpy(entries + m.entries.len, after, 16);
		manifest_check(row->rev, row->body, entries + m.entries.len + MANIFEST_ID);
		m.entries.len += MANIFEST_ENTRY;
	}
	m.has_territory = m.has_epoch = m.has_view = m.has_head_rev = m.has_entries = m.has_more =
		true;
	m.territory = q->territory;
	m.epoch = s->db.epoch;
	m.view = db_view(role);
	m.head_rev = s->db.now.heads[q->territory - 1].rev;
	m.more = m.entries.len == limit * MANIFEST_ENTRY;
	reply.has_id = true;
	reply.id = request;
	has_shown(s, link, q->territory);
	reply.body_case = SEVE__REPLY__BODY_MANIFEST;
	reply.manifest = &m;
	net_send(s, link, NET_DOWN, FRAME_REPLY, &reply.base);
}

static void hear_get(struct sim *s, unsigned link, uint64_t request, const Seve__GetRequest *q)
{
	const Seve__Role role = role_in(s, link, q->territory);
	Seve__Record records[SIM_RECORDS], *list[SIM_RECORDS];
	Seve__Reply reply = SEVE__REPLY__INIT;
	Seve__GetReply get = SEVE__GET_REPLY__INIT;

	if (role == SEVE__ROLE__ROLE_UNSPECIFIED || !s->db.up) {
		reply_error(s, link, request, s->db.up ? ERR_NOT_FOUND : ERR_UNAVAILABLE);
		return;
	}
	get.records = list;
	for (size_t i = 0; i < q->n_ids; i++) {
		const unsigned n = db_record(s, q->territory, q->ids[i].data, false);
		const struct db_row *row =
			n == SIM_RECORDS ? NULL : s->db.now.rows[q->territory - 1][n];
		Seve__Record *out = &records[get.n_records];

		if (!sees(row, role))
			continue;
		seve__record__init(out);
		out->has_id = out->has_kind = out->has_rev = out->has_body = true;
		out->id = q->ids[i];
		out->kind = row->kind->number;
		out->rev = row->rev;
		out->body =
			(ProtobufCBinaryData){row->body.len, (uint8_t *)(uintptr_t)row->body.at};
		list[get.n_records++] = out;
	}
	reply.has_id = true;
	reply.id = request;
	has_shown(s, link, q->territory);
	reply.body_case = SEVE__REPLY__BODY_GET;
	reply.get = &get;
	net_send(s, link, NET_DOWN, FRAME_REPLY, &reply.base);
}

/* ---- requests
 * ------------------------------------------------------------------------------------------- */

static void hear_request(struct sim *s, unsigned link, struct span bytes)
{
	ProtobufCMessage *m;
	const Seve__Request *q;
	struct err e;

	if (wire_unpack(&s->arena, &seve__request__descriptor, bytes.at, bytes.len, &m, &e))
		sim_fail(s, "a request: %s", e.text);
	q = (const Seve__Request *)m;
	if (q->body_case == SEVE__REQUEST__BODY_PUSH)
		hear_push(s, link, q->id, q->push);
	else if (q->body_case == SEVE__REQUEST__BODY_PULL)
		hear_pull(s, link, q->id, q->pull);
	else if (q->body_case == SEVE__REQUEST__BODY_MANIFEST)
		hear_manifest(s, link, q->id, q->manifest);
	else if (q->body_case == SEVE__REQUEST__BODY_GET)
		hear_get(s, link, q->id, q->get);
	else if (q->body_case == SEVE__REQUEST__BODY_RESUME)
		hear_resume(s, link, q->id, q->resume);
	else
		sim_fail(s, "a request of another kind: %d", (int)q->body_case);
}

void seved_hears(struct sim *s, unsigned link)
{
	const unsigned generation = link_at(s, link)->generation;
	enum frame_type type;
	struct span payload;

	while (still_there(s, link, generation) && net_take(s, link, NET_UP, &type, &payload)) {
		if (type == FRAME_HELLO)
			hear_hello(s, link);
		else if (type == FRAME_REQUEST && link_at(s, link)->welcomed)
			hear_request(s, link, payload);
		else
			sim_fail(s, "a frame of type %d out of place", (int)type);
	}
}
