/* queue.c -- see queue.h. */
#include "queue.h"

#include "overlay.h"
#include "reoffer.h"
#include "replica.h"
#include "wire.h"

enum { ARENA_MAX = 16 * 1024 * 1024 };

static struct span id_of(const Seve__Change *c)
{
	return (struct span){c->id.data, c->id.len};
}

/* ---- adding
 * ------------------------------------------------------------------------------------------ */

static int next_mid(struct store *s, uint32_t territory, uint64_t *out, struct err *e)
{
	sqlite3_stmt *q = store_query(s, e, STORE_outbox_next, "i", (int64_t)territory);
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	*out = (uint64_t)store_int(q, 0);
	/* To its end: the row was written when the first step came back, the statement ends here.
	 */
	while ((rc = store_step(s, q, e)) == 1)
		;
	return rc;
}

static int last_mid(struct store *s, uint32_t territory, struct span id, uint64_t *out,
		    struct err *e)
{
	sqlite3_stmt *q = store_query(s, e, STORE_touch_last, "ib", (int64_t)territory, id);
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	*out = (uint64_t)store_int(q, 0);
	store_done(q);
	return 0;
}

/* Client, mid, parents. */
static int fill_in(struct store *s, Seve__Mutation *m, struct err *e)
{
	int rc = next_mid(s, m->territory, &m->mid, e);

	m->has_mid = true;
	m->has_client_id = true;
	m->client_id = (ProtobufCBinaryData){16, s->client_id.b};
	for (size_t i = 0; !rc && i < m->n_changes; i++) {
		rc = last_mid(s, m->territory, id_of(m->changes[i]), &m->changes[i]->base_mid, e);
		m->changes[i]->has_base_mid = m->changes[i]->base_mid != 0;
	}
	return rc;
}

static int keep_bases(struct store *s, const Seve__Mutation *m, const struct outbox_view *bases,
		      struct err *e)
{
	struct replica r;
	int rc = replica_get(s, m->territory, &r, e);

	for (size_t i = 0; !rc && !r.exists && i < m->n_changes; i++)
		if (bases[i].kind && bases[i].rev)
			rc = overlay_put_base(s, m->territory, m->changes[i]->id.data, &bases[i],
					      e);
	return rc;
}

static int add_in(struct store *s, struct arena *a, Seve__Mutation *m,
		  const struct outbox_view *bases, int64_t now_ms, struct err *e)
{
	struct span bytes;
	int rc = fill_in(s, m, e);

	if (rc)
		return rc;
	bytes = wire_pack(a, &m->base);
	if (!bytes.at)
		return err_set(e, ERR_NOMEM, "edit");
	if (bytes.len > QUEUE_CHUNK_BYTES)
		return err_set(e, ERR_TOO_BIG, "an edit of %zu bytes; at most %d", bytes.len,
			       QUEUE_CHUNK_BYTES);
	rc = store_run(s, e, STORE_outbox_add, "iiib", (int64_t)m->territory, (int64_t)m->mid,
		       now_ms, bytes);
	if (!rc)
		rc = keep_bases(s, m, bases, e);
	for (size_t i = 0; !rc && i < m->n_changes; i++)
		rc = store_run(s, e, STORE_touch_add, "ibi", (int64_t)m->territory,
			       id_of(m->changes[i]), (int64_t)m->mid);
	for (size_t i = 0; !rc && i < m->n_changes; i++)
		rc = overlay_refresh(s, m->territory, m->changes[i]->id.data, e);
	return rc;
}

int queue_add(struct store *s, Seve__Mutation *m, const struct outbox_view *bases, int64_t now_ms,
	      struct err *e)
{
	struct arena a;
	int rc = store_begin(s, e);

	if (rc)
		return rc;
	arena_init(&a, ARENA_MAX);
	rc = store_end(s, add_in(s, &a, m, bases, now_ms, e), e);
	arena_fini(&a);
	return rc;
}

/* ---- sending
 * ------------------------------------------------------------------------------------------ */

/* Copies of the waiting entries, no more than one request can hold. */
static int read_waiting(struct store *s, struct arena *a, uint32_t territory, size_t most,
			struct span *list, size_t *sizes, size_t *n, struct err *e)
{
	sqlite3_stmt *q = store_query(s, e, STORE_outbox_waiting, "i", (int64_t)territory);
	size_t bytes = 0;
	int rc = 0;

	*n = 0;
	while (*n < most && bytes <= QUEUE_CHUNK_BYTES && (rc = store_step(s, q, e)) == 1) {
		struct span m = store_bytes(q, 1);

		list[*n].at = arena_memdup(a, m.at, m.len);
		list[*n].len = sizes[*n] = m.len;
		if (!list[*n].at) {
			rc = err_set(e, ERR_NOMEM, "outbox");
			break;
		}
		bytes += m.len;
		++*n;
	}
	store_done(q);
	return rc < 0 ? rc : 0;
}

static int take_in(struct store *s, struct arena *a, uint32_t territory, size_t most,
		   Seve__PushRequest *out, struct err *e)
{
	struct span *list = arena_array(a, QUEUE_CHUNK_MUTATIONS, sizeof *list);
	size_t *sizes = arena_array(a, QUEUE_CHUNK_MUTATIONS, sizeof *sizes);
	size_t n;
	int rc;

	out->mutations = arena_array(a, QUEUE_CHUNK_MUTATIONS, sizeof(Seve__Mutation *));
	if (!list || !sizes || !out->mutations)
		return err_set(e, ERR_NOMEM, "outbox");
	rc = read_waiting(s, a, territory, most, list, sizes, &n, e);
	if (rc || !n)
		return rc;
	n = outbox_chunk(sizes, n, most, QUEUE_CHUNK_BYTES);
	for (size_t i = 0; !rc && i < n; i++) {
		ProtobufCMessage *m = NULL;

		rc = wire_unpack(a, &seve__mutation__descriptor, list[i].at, list[i].len, &m, e);
		out->mutations[i] = (Seve__Mutation *)m;
	}
	if (rc)
		return err_prefix(e, "an entry of the outbox");
	out->n_mutations = n;
	/* Verdicts come in order: all before the first that waits are stored. */
	out->acked_mid = out->mutations[0]->mid - 1;
	out->has_acked_mid = out->acked_mid != 0;
	return store_run(s, e, STORE_outbox_sent, "iii", (int64_t)territory,
			 (int64_t)out->mutations[0]->mid, (int64_t)out->mutations[n - 1]->mid);
}

int queue_take(struct store *s, struct arena *a, uint32_t territory, size_t most,
	       Seve__PushRequest *out, struct err *e)
{
	int rc = store_begin(s, e);

	if (rc)
		return rc;
	out->n_mutations = 0;
	if (most > QUEUE_CHUNK_MUTATIONS)
		most = QUEUE_CHUNK_MUTATIONS;
	rc = store_end(s, take_in(s, a, territory, most, out, e), e);
	if (rc)
		out->n_mutations = 0;
	return rc;
}

/* ---- settling
 * ------------------------------------------------------------------------------------------- */

struct settling {
	struct store *store;
	struct arena *arena;
	uint32_t territory;
	const char *account;
	int64_t now_ms;
	uint64_t epoch;
	bool carried; /* the territory has a replica */
};

static bool seen_before(const Seve__Mutation *m, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (m->changes[j]->id.len == 16 &&
		    memcmp(m->changes[j]->id.data, m->changes[i]->id.data, 16) == 0)
			return true;
	return false;
}

static int settle_done(struct settling *g, const Seve__Mutation *m, const Seve__Verdict *v,
		       struct err *e)
{
	int64_t territory = g->territory;
	const struct span told = outbox_lean(g->arena, v);
	int rc =
		told.at ? reoffer_keep(g->store, g->territory, m->mid, g->now_ms, g->epoch, told, e)
			: err_set(e, ERR_NOMEM, "verdict");

	if (!rc)
		rc = store_run(g->store, e, STORE_outbox_delete, "ii", territory, (int64_t)m->mid);
	for (size_t i = 0; !rc && i < m->n_changes; i++) {
		const uint8_t *id = m->changes[i]->id.data;
		struct outbox_view view, before;

		if (m->changes[i]->id.len != 16 || seen_before(m, i))
			continue;
		rc = overlay_base(g->store, g->arena, g->territory, id, &view, e);
		before = view;
		if (!rc)
			rc = outbox_settle(g->arena, &view, id, m, v, g->account, g->now_ms, e);
		if (!rc && view.rev > before.rev)
			rc = overlay_put_base(g->store, g->territory, id, &view, e);
		/* What was held back as a whole is nothing that later edits build upon. */
		if (!rc)
			rc = store_run(g->store, e,
				       v->code == SEVE__VERDICT__CODE__CONFLICT ? STORE_touch_delete
										: STORE_touch_older,
				       "ibi", territory, id_of(m->changes[i]), (int64_t)m->mid);
	}
	return rc;
}

static int settle_kept(struct settling *g, const Seve__Mutation *m, const Seve__Verdict *v,
		       enum outbox_state state, struct err *e)
{
	int64_t territory = g->territory;
	struct span bytes = wire_pack(g->arena, &v->base);
	int rc;

	if (!bytes.at)
		return err_set(e, ERR_NOMEM, "verdict");
	rc = store_run(g->store, e, STORE_outbox_keep, "iiibt", territory, (int64_t)m->mid,
		       (int64_t)state, bytes, "");
	for (size_t i = 0; !rc && i < m->n_changes; i++) {
		const Seve__Change *c = m->changes[i];
		const Seve__Outcome *o = c->id.len == 16 ? outbox_outcome(v, c->id.data) : NULL;

		rc = store_run(g->store, e, STORE_touch_delete, "ibi", territory, id_of(c),
			       (int64_t)m->mid);
		if (!rc && o && o->body && kind_of(o->body)) {
			struct outbox_view now = {kind_of(o->body), false, o->rev, o->ref_no,
						  o->body};

			rc = overlay_put_base(g->store, g->territory, c->id.data, &now, e);
		}
	}
	return rc;
}

/* Refused because the person's data were erased. */
static bool is_of_erased(const Seve__Verdict *v)
{
	for (size_t i = 0; i < v->n_violations; i++)
		if (v->violations[i]->code && !strcmp(v->violations[i]->code, "ERASED"))
			return true;
	return false;
}

/* The edit holds the person's data too: what is kept tells what it was about, no more. */
static int settle_blank(struct settling *g, const Seve__Mutation *m, struct err *e)
{
	Seve__Mutation blank = *m;
	Seve__Change *changes = arena_array(g->arena, m->n_changes + 1, sizeof *changes);
	struct span bytes;

	blank.changes = arena_array(g->arena, m->n_changes + 1, sizeof *blank.changes);
	blank.reason = NULL;
	if (!changes || !blank.changes)
		return err_set(e, ERR_NOMEM, "edit");
	for (size_t i = 0; i < m->n_changes; i++) {
		changes[i] = *m->changes[i];
		changes[i].set = changes[i].add = changes[i].remove = NULL;
		blank.changes[i] = &changes[i];
	}
	bytes = wire_pack(g->arena, &blank.base);
	return bytes.at ? store_run(g->store, e, STORE_outbox_blank, "iib", (int64_t)g->territory,
				    (int64_t)m->mid, bytes)
			: err_set(e, ERR_NOMEM, "edit");
}

/* What is shown; and where nothing is carried and nothing waits, the record is of no more use. */
static int settle_shown(struct settling *g, const Seve__Mutation *m, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < m->n_changes; i++) {
		struct outbox_view ignored;
		bool waiting = true;

		if (m->changes[i]->id.len != 16)
			continue;
		rc = overlay_refresh(g->store, g->territory, m->changes[i]->id.data, e);
		if (rc || g->carried)
			continue;
		rc = overlay_shown(g->store, g->arena, g->territory, m->changes[i]->id.data,
				   &ignored, &waiting, e);
		if (!rc && !waiting)
			rc = store_run(g->store, e, STORE_record_delete, "ib",
				       (int64_t)g->territory, id_of(m->changes[i]));
	}
	return rc;
}

static void count(struct queue_counts *n, const Seve__Verdict *v)
{
	switch (outbox_judge(v)) {
	case OUTBOX_CONFLICT:
		n->conflicts++;
		return;
	case OUTBOX_REJECTED:
		n->rejected++;
		return;
	case OUTBOX_DONE:
		if (outbox_conflict(v))
			n->conflicts++;
		else if (v->code == SEVE__VERDICT__CODE__MERGED)
			n->merged++;
		else if (v->code == SEVE__VERDICT__CODE__UNCHANGED)
			n->unchanged++;
		else
			n->applied++;
		return;
	case OUTBOX_PENDING:
	case OUTBOX_SENT:
		return;
	}
}

static int settle_all(struct settling *g, const Seve__PushRequest *sent,
		      const Seve__PushReply *reply, struct err *e)
{
	struct replica r;
	int rc = replica_get(g->store, g->territory, &r, e);

	if (rc)
		return rc;
	g->carried = r.exists;
	for (size_t i = 0; !rc && i < sent->n_mutations; i++) {
		const Seve__Mutation *m = sent->mutations[i];
		const Seve__Verdict *v = reply->verdicts[i];
		enum outbox_state state = outbox_judge(v);

		rc = state == OUTBOX_DONE ? settle_done(g, m, v, e)
					  : settle_kept(g, m, v, state, e);
		if (!rc && is_of_erased(v))
			rc = settle_blank(g, m, e);
		if (!rc)
			rc = settle_shown(g, m, e);
		arena_reset(g->arena);
	}
	return rc ? rc
		  : reoffer_settled(g->store, g->territory,
				    sent->mutations[sent->n_mutations - 1]->mid, g->now_ms,
				    g->epoch, e);
}

int queue_settle(struct store *s, uint32_t territory, const Seve__PushRequest *sent,
		 const Seve__PushReply *reply, const char *account, int64_t now_ms, uint64_t epoch,
		 struct queue_counts *counts, struct err *e)
{
	struct arena a;
	struct settling g = {s, &a, territory, account, now_ms, epoch, false};
	uint64_t mids[QUEUE_CHUNK_MUTATIONS];
	int rc;

	for (size_t i = 0; i < sent->n_mutations; i++)
		mids[i] = sent->mutations[i]->mid;
	rc = outbox_answers(mids, sent->n_mutations, reply, e);
	if (!rc)
		rc = store_begin(s, e);
	if (rc)
		return rc;
	arena_init(&a, ARENA_MAX);
	rc = store_end(s, settle_all(&g, sent, reply, e), e);
	arena_fini(&a);
	for (size_t i = 0; !rc && i < reply->n_verdicts; i++)
		count(counts, reply->verdicts[i]);
	return rc;
}

static int kept_verdict(struct arena *a, struct span bytes, const Seve__Verdict **out,
			struct err *e)
{
	ProtobufCMessage *m = NULL;
	const int rc =
		bytes.at ? wire_unpack(a, &seve__verdict__descriptor, bytes.at, bytes.len, &m, e)
			 : 0;

	*out = (const Seve__Verdict *)m;
	return rc ? err_prefix(e, "a verdict of the outbox") : 0;
}

/* 1: it is there. */
static int find_fate(struct store *s, struct arena *a, uint32_t territory, uint64_t mid,
		     enum outbox_state *state, const Seve__Verdict **verdict, struct err *e)
{
	sqlite3_stmt *q =
		store_query(s, e, STORE_outbox_get, "ii", (int64_t)territory, (int64_t)mid);
	int rc = store_step(s, q, e);

	if (rc == 1) {
		*state = (enum outbox_state)store_int(q, 0);
		rc = kept_verdict(a, store_bytes(q, 2), verdict, e);
		store_done(q);
		return rc ? rc : 1;
	}
	if (rc)
		return rc;
	q = store_query(s, e, STORE_settled_get, "ii", (int64_t)territory, (int64_t)mid);
	rc = store_step(s, q, e);
	if (rc != 1)
		return rc;
	*state = OUTBOX_DONE;
	rc = kept_verdict(a, store_bytes(q, 0), verdict, e);
	store_done(q);
	return rc ? rc : *verdict != NULL;
}

int queue_fate(struct store *s, struct arena *a, uint32_t territory, uint64_t mid,
	       enum outbox_state *state, const Seve__Verdict **verdict, struct err *e)
{
	char slug[REPLICA_NAME];
	int rc = store_begin(s, e);

	*verdict = NULL;
	if (rc)
		return rc;
	rc = find_fate(s, a, territory, mid, state, verdict, e);
	if (!rc)
		rc = err_set(e, ERR_NOT_FOUND,
			     "edit %llu of the territory %s is not in the outbox any more, and no "
			     "verdict on it is known",
			     (unsigned long long)mid, replica_name(s, territory, slug));
	return store_end(s, rc < 0 ? rc : 0, e);
}

/* ---- what does not wait
 * ----------------------------------------------------------------------------------- */

static int reject_in(struct store *s, uint32_t territory, const char *code, uint64_t *n,
		     struct err *e)
{
	int rc = store_run(s, e, STORE_outbox_reject, "it", (int64_t)territory, code);

	if (rc)
		return rc;
	*n += (uint64_t)store_changes(s);
	rc = store_run(s, e, STORE_touch_purge, "i", (int64_t)territory);
	if (!rc)
		rc = store_run(s, e, STORE_settled_purge, "i", (int64_t)territory);
	return rc ? rc : store_run(s, e, STORE_overlay_purge, "i", (int64_t)territory);
}

int queue_reject_all(struct store *s, uint32_t territory, const char *code, uint64_t *n,
		     struct err *e)
{
	int rc = store_begin(s, e);

	return rc ? rc : store_end(s, reject_in(s, territory, code, n, e), e);
}

/* The entry, copied into the arena; it must not wait.  `mutation` NULL: not wanted. */
static int find_settled(struct store *s, struct arena *a, uint32_t territory, uint64_t mid,
			struct span *mutation, struct err *e)
{
	sqlite3_stmt *q =
		store_query(s, e, STORE_outbox_get, "ii", (int64_t)territory, (int64_t)mid);
	enum outbox_state state;
	char slug[REPLICA_NAME];
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	if (!rc) {
		err_set(e, ERR_NOT_FOUND, "the outbox holds no edit %llu of the territory %s",
			(unsigned long long)mid, replica_name(s, territory, slug));
		return err_remedy(e, "seve outbox list shows what it holds");
	}
	state = (enum outbox_state)store_int(q, 0);
	if (mutation) {
		*mutation = store_bytes(q, 1);
		mutation->at = arena_memdup(a, mutation->at, mutation->len);
		rc = mutation->at ? 0 : err_set(e, ERR_NOMEM, "edit");
	}
	store_done(q);
	if (rc < 0)
		return rc;
	if (outbox_waits(state)) {
		err_set(e, ERR_PRECONDITION,
			"edit %llu of the territory %s is %s: it is still to be sent",
			(unsigned long long)mid, replica_name(s, territory, slug),
			outbox_word(state));
		return err_remedy(
			e,
			"synchronise first; an edit that is in effect is undone by another edit");
	}
	return 0;
}

int queue_drop(struct store *s, uint32_t territory, uint64_t mid, struct err *e)
{
	int rc = find_settled(s, NULL, territory, mid, NULL, e);

	return rc ? rc
		  : store_run(s, e, STORE_outbox_delete, "ii", (int64_t)territory, (int64_t)mid);
}

/* What its author was looking at stays as it was: what others have written since is still not seen.
 */
static int retry_in(struct store *s, struct arena *a, uint32_t territory, uint64_t mid,
		    int64_t now_ms, uint64_t *new_mid, struct err *e)
{
	struct outbox_view *bases;
	Seve__Mutation *m;
	ProtobufCMessage *read;
	struct span bytes;
	int rc = find_settled(s, a, territory, mid, &bytes, e);

	if (!rc)
		rc = wire_unpack(a, &seve__mutation__descriptor, bytes.at, bytes.len, &read, e);
	if (!rc)
		rc = store_run(s, e, STORE_outbox_delete, "ii", (int64_t)territory, (int64_t)mid);
	if (rc)
		return rc;
	m = (Seve__Mutation *)read;
	bases = arena_array(a, m->n_changes, sizeof *bases);
	if (!bases)
		return err_set(e, ERR_NOMEM, "edit");
	rc = add_in(s, a, m, bases, now_ms, e);
	if (!rc)
		*new_mid = m->mid;
	return rc;
}

int queue_retry(struct store *s, uint32_t territory, uint64_t mid, int64_t now_ms,
		uint64_t *new_mid, struct err *e)
{
	struct arena a;
	int rc = store_begin(s, e);

	if (rc)
		return rc;
	arena_init(&a, ARENA_MAX);
	rc = store_end(s, retry_in(s, &a, territory, mid, now_ms, new_mid, e), e);
	arena_fini(&a);
	return rc;
}

int queue_count(struct store *s, uint32_t territory, uint64_t *waiting, uint64_t *conflicts,
		uint64_t *rejected, struct err *e)
{
	sqlite3_stmt *q = store_query(s, e, STORE_outbox_counts, "i", (int64_t)territory);
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	*waiting = (uint64_t)store_int(q, 0);
	*conflicts = (uint64_t)store_int(q, 1);
	*rejected = (uint64_t)store_int(q, 2);
	store_done(q);
	return 0;
}
