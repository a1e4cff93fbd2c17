/* seved.c -- see seved.h.
 *
 *   IDLE ─jobs─► LOCK ─all heads─► LOAD ─decided─► COMMIT ─► replies, IDLE      (each arrow takes
 * time, and can be the last) */
#include "sim.h"

#include "seved_reply.h"
#include "wire.h"

enum { RESTART_MS = 300, BELL_MS = 30, POLL_MS = 15000, DEAF_MS = 400 };

static struct seved *server_at(struct sim *s, unsigned server)
{
	return &s->servers[server];
}

static void plan(struct sim *s, uint64_t in_ms, agenda_call call, unsigned server)
{
	if (!agenda_add(&s->agenda, in_ms, call, server, server_at(s, server)->generation))
		sim_fail(s, "the agenda is full");
}

static bool alive(struct sim *s, unsigned server, unsigned generation)
{
	return server_at(s, server)->up && server_at(s, server)->generation == generation;
}

/* ---- the doorbell
 * ----------------------------------------------------------------------------------- */

static void heads_read(struct sim *s, unsigned server)
{
	for (unsigned t = 0; t < SIM_TERRITORIES; t++)
		server_at(s, server)->known[t] = s->db.now.heads[t].rev;
}

static void heads_poll(struct sim *s, unsigned server, unsigned generation)
{
	if (!alive(s, server, generation))
		return;
	if (s->db.up)
		heads_read(s, server);
	plan(s, POLL_MS, heads_poll, server);
}

static void listen_again(struct sim *s, unsigned server, unsigned generation)
{
	struct seved *d = server_at(s, server);

	if (!alive(s, server, generation) || d->listens)
		return;
	if (!s->db.up) {
		plan(s, DEAF_MS, listen_again, server);
		return;
	}
	d->listens = true;
	d->listens_since_ms = s->agenda.now_ms;
	if (!SEVE_BUG(no_reread))
		heads_read(s, server);
}

void seved_deaf(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);

	if (!d->up || !d->listens)
		return;
	d->listens = false;
	plan(s, 1 + sim_dice(s, DEAF_MS), listen_again, server);
}

static void bell_rings(struct sim *s, unsigned server, unsigned generation)
{
	if (alive(s, server, generation) && server_at(s, server)->listens)
		heads_read(s, server); /* the payload is a hint: the head rows are the truth */
}

/* NOTIFY after a commit: for whoever listens now. */
static void bell_ring(struct sim *s)
{
	for (unsigned i = 0; i < SIM_SERVERS; i++)
		if (server_at(s, i)->up && server_at(s, i)->listens)
			plan(s, 1 + sim_dice(s, BELL_MS), bell_rings, i);
}

void seved_check_heads(struct sim *s)
{
	for (unsigned i = 0; i < SIM_SERVERS; i++) {
		const struct seved *d = server_at(s, i);

		if (!d->up || !d->listens)
			continue;
		for (unsigned t = 0; t < SIM_TERRITORIES; t++)
			if (d->known[t] != s->db.now.heads[t].rev)
				sim_fail(s,
					 "server %u has listened for %llu ms and takes %llu for "
					 "the head of territory %u, which is %llu",
					 i,
					 (unsigned long long)(s->agenda.now_ms -
							      d->listens_since_ms),
					 (unsigned long long)d->known[t], t + 1,
					 (unsigned long long)s->db.now.heads[t].rev);
	}
}

/* ---- starting and dying
 * -------------------------------------------------------------------------------- */

void seved_start(struct sim *s, unsigned server, unsigned generation)
{
	struct seved *d = server_at(s, server);

	if (d->up || d->generation != generation)
		return;
	d->up = true;
	d->first = d->last = NULL;
	d->state = SEVED_IDLE;
	d->listens = false;
	heads_read(s, server);
	listen_again(s, server, generation);
	if (!d->listens)
		plan(s, DEAF_MS, listen_again, server);
	plan(s, POLL_MS, heads_poll, server);
}

static void batch_forget(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);

	db_unlock(s, server);
	if (d->open)
		world_fini(&d->world);
	d->open = false;
	arena_reset(&d->arena);
	d->state = SEVED_IDLE;
	d->n_jobs = 0;
}

void seved_crash(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);

	if (!d->up)
		return;
	sim_trace(s, "server %u dies", server);
	s->counts.restarts++;
	d->up = false;
	d->generation++;
	batch_forget(s, server);
	net_server_gone(s, server);
	plan(s, 1 + sim_dice(s, RESTART_MS), seved_start, server);
}

void seved_end(struct sim *s, unsigned server)
{
	batch_forget(s, server);
	arena_fini(&server_at(s, server)->arena);
}

/* ---- the writer
 * ------------------------------------------------------------------------------------------- */

static void batch_step(struct sim *s, unsigned server, unsigned generation);

static void batch_next(struct sim *s, unsigned server)
{
	plan(s, 1 + sim_dice(s, s->climate.step_ms), batch_step, server);
}

static void batch_lock_list(struct sim *s, struct seved *d)
{
	d->n_locks = d->locked = 0;
	for (unsigned i = 0; i < d->n_jobs; i++) {
		const uint32_t t = d->jobs[i]->work.territory;
		bool known = false;

		for (unsigned k = 0; k < d->n_locks; k++)
			known |= d->locks[k] == t;
		if (!known)
			d->locks[d->n_locks++] = t;
	}
	for (unsigned i = 1; i < d->n_locks && !SEVE_BUG(unsorted_locks); i++)
		for (unsigned k = i; k > 0 && d->locks[k] < d->locks[k - 1]; k--) {
			const uint32_t t = d->locks[k];

			d->locks[k] = d->locks[k - 1];
			d->locks[k - 1] = t;
		}
	(void)s;
}

static void batch_form(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);
	const unsigned most = 1 + sim_dice(s, SEVED_BATCH);

	d->n_jobs = 0;
	while (d->first && d->n_jobs < most) {
		d->jobs[d->n_jobs++] = d->first;
		d->first = d->first->next;
	}
	if (!d->first)
		d->last = NULL;
	batch_lock_list(s, d);
	world_init(&d->world, &d->arena, (int64_t)s->agenda.now_ms);
	d->open = true;
	d->state = SEVED_LOCK;
	batch_next(s, server);
}

void seved_kick(struct sim *s, unsigned server)
{
	if (server_at(s, server)->state == SEVED_IDLE && server_at(s, server)->first)
		batch_form(s, server);
}

static void batch_fail(struct sim *s, unsigned server, enum err_code code)
{
	struct seved *d = server_at(s, server);
	struct seved_job *jobs[SEVED_BATCH];
	const unsigned n = d->n_jobs;

	memcpy(jobs, d->jobs, sizeof jobs);
	batch_forget(s, server);
	for (unsigned i = 0; i < n; i++)
		seved_job_failed(s, jobs[i], code);
	seved_kick(s, server);
}

static void batch_locks(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);

	if (!db_lock(s, d->locks[d->locked], server)) {
		batch_next(s, server);
		return;
	}
	if (++d->locked == d->n_locks)
		d->state = SEVED_LOAD;
	batch_next(s, server);
}

/* Reads, then decides: from here to the commit nothing of it is seen by anybody. */
static void batch_decide(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);
	const struct apply_job *jobs[SEVED_BATCH];

	for (unsigned i = 0; i < d->n_jobs; i++)
		jobs[i] = &d->jobs[i]->work;
	db_load(s, &d->world, jobs, d->n_jobs);
	for (unsigned i = 0; i < d->n_jobs; i++) {
		struct seved_job *j = d->jobs[i];
		struct err e = {0};

		int rc;

		j->work.verdict = NULL;
		j->work.replayed = j->work.explained = false;
		rc = apply_job(&d->world, &j->work, &e);
		if (rc == APPLY_MORE) {
			db_explain(s, &d->world, &jobs[i], 1);
			j->work.explained = true;
			rc = apply_job(&d->world, &j->work, &e);
		}
		if (rc)
			seved_job_refused(s, j, &e);
	}
	db_sequence(s, &d->world);
	d->state = SEVED_COMMIT;
	batch_next(s, server);
}

static void batch_commit(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);
	struct apply_job *stored[SEVED_BATCH];
	unsigned n = 0;

	for (unsigned i = 0; i < d->n_jobs; i++) {
		if (d->jobs[i]->work.verdict && !d->jobs[i]->work.replayed)
			stored[n++] = &d->jobs[i]->work;
		s->counts.replayed += d->jobs[i]->work.verdict && d->jobs[i]->work.replayed;
	}
	db_commit(s, &d->world, stored, n);
	bell_ring(s);
}

/* COMMIT has been sent: whether it arrived is known to the database alone. */
static void batch_finish(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);
	struct seved_job *jobs[SEVED_BATCH];
	const unsigned n = d->n_jobs;

	if (sim_step(s)) {
		seved_crash(s, server);
		return;
	}
	batch_commit(s, server);
	if (sim_step(s)) {
		seved_crash(s, server);
		return;
	}
	memcpy(jobs, d->jobs, sizeof jobs);
	for (unsigned i = 0; i < n; i++)
		seved_job_done(s, jobs[i]);
	batch_forget(s, server);
	seved_kick(s, server);
}

static void batch_step(struct sim *s, unsigned server, unsigned generation)
{
	struct seved *d = server_at(s, server);

	if (!alive(s, server, generation))
		return;
	if (!s->db.up) {
		if (d->state != SEVED_IDLE)
			batch_fail(s, server, ERR_UNAVAILABLE);
		return;
	}
	if (d->state != SEVED_COMMIT && sim_step(s)) {
		seved_crash(s, server);
		return;
	}
	switch (d->state) {
	case SEVED_IDLE:
		break;
	case SEVED_LOCK:
		batch_locks(s, server);
		break;
	case SEVED_LOAD:
		batch_decide(s, server);
		break;
	case SEVED_COMMIT:
		batch_finish(s, server);
		break;
	}
}

void seved_db_lost(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);

	if (!d->up)
		return;
	d->listens = false;
	plan(s, 1 + sim_dice(s, DEAF_MS), listen_again, server);
	seved_pulls_lost(s, server);
	if (d->state == SEVED_IDLE)
		return;
	if (d->state == SEVED_COMMIT && sim_dice(s, 2)) {
		batch_commit(s, server); /* it had arrived: nobody knows */
		batch_fail(s, server, ERR_OUTCOME);
	} else {
		batch_fail(s, server, d->state == SEVED_COMMIT ? ERR_OUTCOME : ERR_UNAVAILABLE);
	}
}

void seved_epoch_changed(struct sim *s, unsigned server)
{
	struct seved *d = server_at(s, server);

	if (!d->up)
		return;
	sim_trace(s, "server %u ends its sessions", server);
	net_server_gone(s, server);
	d->first = d->last = NULL;
	if (d->state != SEVED_IDLE)
		batch_fail(s, server, ERR_UNAVAILABLE);
}

void seved_submit(struct sim *s, unsigned server, struct seved_job *j)
{
	struct seved *d = server_at(s, server);

	j->next = NULL;
	if (d->last)
		d->last->next = j;
	else
		d->first = j;
	d->last = j;
}
