/* call.c -- see call.h. */
#include "call.h"

#include <utlist.h>

#include "clock.h"
#include "frame.h"

int calls_add(struct calls *c, Seve__Request *req, const struct call_want *want, uint64_t *id,
	      struct err *e)
{
	struct call *call = calloc(1, sizeof *call);

	if (!call)
		return err_set(e, ERR_NOMEM, "request");
	call->id = c->last_id + 1;
	call->want = *want;
	call->deadline_ms = want->lasts ? UINT64_MAX : clock_mono_ms() + want->timeout_ms;
	req->has_id = true;
	req->id = call->id;
	req->has_timeout_ms = !want->streams && !want->lasts;
	req->timeout_ms = want->timeout_ms;
	call->n = seve__request__get_packed_size(req);
	call->bytes = call->n <= FRAME_MAX ? malloc(call->n ? call->n : 1) : NULL;
	if (!call->bytes) {
		size_t n = call->n;

		free(call);
		return n > FRAME_MAX
			       ? err_set(e, ERR_TOO_BIG, "a request of %zu bytes; a frame holds %d",
					 n, FRAME_MAX)
			       : err_set(e, ERR_NOMEM, "request");
	}
	seve__request__pack(req, call->bytes);
	c->last_id = call->id;
	DL_APPEND(c->waiting, call);
	if (id)
		*id = call->id;
	return 0;
}

struct call *calls_send_next(struct calls *c)
{
	struct call *call = c->waiting;

	DL_DELETE(c->waiting, call);
	DL_APPEND(c->flying, call);
	c->n_flying++;
	return call;
}

void call_sent(struct call *call)
{
	free(call->bytes);
	call->bytes = NULL;
}

struct call *calls_flying(const struct calls *c, uint64_t id)
{
	struct call *call;

	DL_FOREACH (c->flying, call)
		if (call->id == id)
			return call;
	return NULL;
}

static bool is_flying(const struct call *call)
{
	return call->bytes == NULL;
}

static void take_out(struct calls *c, struct call *call)
{
	if (is_flying(call)) {
		DL_DELETE(c->flying, call);
		c->n_flying--;
	} else {
		DL_DELETE(c->waiting, call);
	}
}

void calls_end(struct calls *c, struct call *call, const Seve__Reply *reply, const struct err *err)
{
	struct call_want want = call->want;

	take_out(c, call);
	free(call->bytes);
	free(call);
	want.done(want.ctx, reply, err);
}

bool calls_forget(struct calls *c, uint64_t id)
{
	struct call *call = calls_flying(c, id);
	bool sent = call != NULL;

	if (!call) {
		DL_FOREACH (c->waiting, call)
			if (call->id == id)
				break;
	}
	if (!call)
		return false;
	take_out(c, call);
	free(call->bytes);
	free(call);
	return sent;
}

void calls_fail_all(struct calls *c, const struct err *cause)
{
	struct call *list = c->flying, *call, *next;

	/* Detached first: `done` may submit anew. */
	DL_CONCAT(list, c->waiting);
	c->flying = c->waiting = NULL;
	c->n_flying = 0;
	DL_FOREACH_SAFE(list, call, next)
	{
		struct err err = *cause;

		if (is_flying(call) && call->want.writes && err_class(err.code) != ERR_PERMANENT)
			err.code = ERR_OUTCOME;
		DL_DELETE(list, call);
		call->want.done(call->want.ctx, NULL, &err);
		free(call->bytes);
		free(call);
	}
}

uint64_t calls_deadline(const struct calls *c)
{
	uint64_t least = UINT64_MAX;
	struct call *call;

	DL_FOREACH (c->flying, call)
		least = call->deadline_ms < least ? call->deadline_ms : least;
	DL_FOREACH (c->waiting, call)
		least = call->deadline_ms < least ? call->deadline_ms : least;
	return least;
}

struct call *calls_late(const struct calls *c, uint64_t now_ms)
{
	struct call *call;

	DL_FOREACH (c->flying, call)
		if (call->deadline_ms <= now_ms)
			return call;
	DL_FOREACH (c->waiting, call)
		if (call->deadline_ms <= now_ms)
			return call;
	return NULL;
}

bool calls_empty(const struct calls *c)
{
	return !c->flying && !c->waiting;
}
