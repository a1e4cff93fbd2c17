/* push.c -- mutations from a client: each becomes a job of the group-commit writer, the reply waits
 * for all of their commits. */
#include <string.h>

#include "dispatch.h"
#include "pg/writer.h"
#include "purge.h"
#include "server.h"
#include "wire.h"

enum { PUSH_MUTATIONS_MAX = 500 };

struct push {
	struct request *request;
	struct writer_job *jobs;
	Seve__Verdict **verdicts;
	size_t n, left;
	struct err err; /* the first that went wrong: the client sends all again, what is done is
			   answered from its verdict */
};

static void push_finish(struct push *p)
{
	Seve__PushReply push = SEVE__PUSH_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;

	if (p->err.code) {
		request_fail(p->request, &p->err);
		return;
	}
	push.n_verdicts = p->n;
	push.verdicts = p->verdicts;
	reply.body_case = SEVE__REPLY__BODY_PUSH;
	reply.push = &push;
	request_reply(p->request, &reply);
}

/* A verdict lives in the batch's arena: it is copied unless the reply is packed before this
 * returns. */
static void push_job_done(struct writer_job *j)
{
	struct push *p = j->owner;
	size_t i = (size_t)(j - p->jobs);

	p->left--;
	if (j->err.code) {
		if (!p->err.code)
			p->err = j->err;
	} else if (p->left) {
		p->verdicts[i] =
			(Seve__Verdict *)wire_dup(&p->request->arena, &j->work.verdict->base);
		if (!p->verdicts[i] && !p->err.code)
			err_set(&p->err, ERR_OUTCOME, "out of memory after the commit");
	} else {
		p->verdicts[i] = j->work.verdict;
	}
	if (!p->left)
		push_finish(p);
}

/* The actions that the author pilots: copied, as the session's grants may change meanwhile. */
static int push_piloted(struct request *r, uint32_t territory, struct apply_author *author,
			struct err *e)
{
	struct uuid *list;
	size_t n = 0;

	while (authz_piloted(r->who, territory, n))
		n++;
	if (!n)
		return 0;
	list = arena_array(&r->arena, n, sizeof *list);
	if (!list)
		return err_set(e, ERR_NOMEM, "push");
	for (size_t i = 0; i < n; i++)
		list[i] = *authz_piloted(r->who, territory, i);
	author->piloted = list;
	author->n_piloted = n;
	return 0;
}

static int push_job(struct request *r, const Seve__Mutation *m, struct writer_job *j, struct err *e)
{
	struct rights rights;
	int rc;

	if (m->client_id.len != 16 || memcmp(m->client_id.data, r->who->client_id.b, 16))
		return err_set(e, ERR_DENIED,
			       "a mutation must carry the client id of this session");
	if (!m->mid || m->mid > INT64_MAX)
		return err_set(e, ERR_INVALID, "mid: counts from 1");
	rc = authz_read(r->who, m->territory, &rights, e);
	if (rc)
		return rc;
	rc = push_piloted(r, m->territory, &j->work.author, e);
	if (rc)
		return rc;
	j->work.territory = m->territory;
	j->work.author.account = r->who->account;
	j->work.author.client = r->who->client_id;
	j->work.author.client_short = r->who->client_short;
	j->work.author.reads = rights.source && rights.reads < SEVE__LEVEL__LEVEL_NETWORK
				       ? SEVE__LEVEL__LEVEL_NETWORK
				       : rights.reads;
	j->work.author.writes = rights.writes;
	j->work.author.own = rights.own;
	j->work.author.actor = rights.actor;
	j->work.author.source = rights.source;
	j->work.mutation = m;
	j->bytes = j->work.packed.len;
	return 0;
}

/* The bytes of each mutation as they came: a retry is known by them. */
static int push_bytes(struct request *r, struct push *p, struct err *e)
{
	static const uint32_t path[] = {SEVE__REQUEST__BODY_PUSH, 1};
	struct wire w = {r->payload.at, r->payload.at + r->payload.len, false};
	struct wire_field f;
	unsigned depth = 0;
	size_t n = 0;

	while (n < p->n && wire_next(&w, &f)) {
		struct span *packed = &p->jobs[n].work.packed;

		if (f.tag != path[depth] || f.type != 2)
			continue;
		if (depth == 0) {
			w = (struct wire){f.bytes.at, f.bytes.at + f.bytes.len, false};
			depth++;
			continue;
		}
		*packed = (struct span){arena_memdup(&r->arena, f.bytes.at, f.bytes.len),
					f.bytes.len};
		if (!packed->at)
			return err_set(e, ERR_NOMEM, "mutation");
		n++;
	}
	return n == p->n ? 0 : err_set(e, ERR_INTERNAL, "push: mutations and their bytes differ");
}

static struct push *push_new(struct request *r, size_t n)
{
	struct push *p = arena_zalloc(&r->arena, sizeof *p);

	if (!p)
		return NULL;
	p->request = r;
	p->n = p->left = n;
	p->jobs = arena_array(&r->arena, n, sizeof *p->jobs);
	p->verdicts = arena_array(&r->arena, n, sizeof *p->verdicts);
	return p->jobs && p->verdicts ? p : NULL;
}

static int push_start(struct request *r, struct err *e)
{
	const Seve__PushRequest *body = r->body->push;
	struct push *p;

	if (!body->n_mutations || body->n_mutations > PUSH_MUTATIONS_MAX)
		return err_set(e, ERR_INVALID, "a push holds 1 to %d mutations, this one %zu",
			       PUSH_MUTATIONS_MAX, body->n_mutations);
	p = push_new(r, body->n_mutations);
	if (!p)
		return err_set(e, ERR_NOMEM, "push of %zu mutations", body->n_mutations);
	if (push_bytes(r, p, e))
		return -(int)e->code;
	for (size_t i = 0; i < p->n; i++) {
		if (push_job(r, body->mutations[i], &p->jobs[i], e))
			return err_prefix(e, "mutations[%zu]", i);
		p->jobs[i].owner = p;
		p->jobs[i].done = push_job_done;
	}
	if (body->acked_mid && body->acked_mid < body->mutations[0]->mid)
		purge_taken(r->server->purge, body->mutations[0]->territory, &r->who->client_id,
			    body->acked_mid);
	return writer_submit_all(r->server->writer, p->jobs, p->n, e);
}

void handle_push(struct request *r)
{
	struct err e;

	if (push_start(r, &e))
		request_fail(r, &e);
}
