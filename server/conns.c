/* conns.c -- all connections of a server together: the sweep, draining, the turn of the loop. Knows
 * no frames. */
#include "conn.h"

#include "clock.h"
#include "handlers/handlers.h"
#include "log.h"
#include "server_private.h"
#include "session.pb-c.h"

int conns_init(struct conns *all, struct err *e)
{
	*all = (struct conns){.sources = sources_new()};
	if (!all->sources)
		return err_set(e, ERR_NOMEM, "connections");
	/* Two reads' worth: decrypting never grows. */
	buf_init(&all->plain, 2 * sizeof((struct server *)0)->scratch);
	buf_init(&all->frame, FRAME_HEADER + FRAME_MAX);
	return 0;
}

void conns_fini(struct conns *all)
{
	sources_free(all->sources);
	buf_fini(&all->plain);
	buf_fini(&all->frame);
	all->sources = NULL;
}

size_t conns_unauthenticated(const struct conns *all)
{
	return all->phase[CONN_ACCEPTED].n + all->phase[CONN_HANDSHAKE].n +
	       all->phase[CONN_HELLO].n;
}

void conns_turn(struct server *s)
{
	struct conns *all = &s->priv->conns;
	requests_wake(s);
	/* What settles may come back, but each time it has taken frames or sent bytes. */
	while (all->turn)
		conn_settle(all->turn);
}

void conns_flush(struct server *s)
{
	for (struct conn *c = s->priv->conns.turn, *next; c; c = next) {
		next = c->turn_next;
		conn_flush(c);
	}
}

/* Those whose peer takes nothing; a connection without bytes to send is not looked at twice. */
static void sweep_stalled(struct server *s, struct conn_list *l, uint64_t now)
{
	const uint64_t limit = (uint64_t)config_number(s->conf, CONFIG_STALL_TIMEOUT);
	for (struct conn *c = l->first, *next; c; c = next) {
		next = c->next;
		if (!conn_stalled(c, now, limit))
			continue;
		struct err e = {0};
		err_set(&e, ERR_DEADLINE, "nothing was taken for %llu ms",
			(unsigned long long)limit);
		err_remedy(&e, "connect again, and read what the server sends");
		s->priv->metrics.slow_consumers++;
		conn_fail(c, &e, "slow_consumer");
	}
}

void conns_sweep(struct server *s)
{
	struct conns *all = &s->priv->conns;
	const uint64_t now = clock_mono_ms();
	for (size_t i = 0; i < CONN_PHASES; i++) {
		struct conn_list *l = &all->phase[i];
		/* Each overdue one leaves the front of its list. */
		while (l->first && l->first->deadline_ms <= now)
			conn_overdue(l->first, now);
	}
	sweep_stalled(s, &all->phase[CONN_READY], now);
	sources_sweep(all->sources, now);
}

void conns_drain(struct server *s)
{
	struct conns *all = &s->priv->conns;
	for (size_t i = 0; i < CONN_READY; i++)
		while (all->phase[i].first)
			conn_kill(all->phase[i].first, "draining");
	Seve__GoAway bye = SEVE__GO_AWAY__INIT;
	bye.reason = "the server is stopping";
	bye.has_retry_after_ms = 1;
	uint32_t spread = 0;
	for (struct conn *c = all->phase[CONN_READY].first, *next; c; c = next) {
		next = c->next;
		/* Spread over 2 s, so that a thousand clients do not come back in one moment. */
		bye.retry_after_ms = 1000 + spread++ * 7919 % 2000;
		conn_send(c, FRAME_GOAWAY, &bye.base);
		c->going = true;
		conn_touch(c);
	}
}

void conns_expel(struct server *s, const struct err *why)
{
	struct conns *all = &s->priv->conns;
	uint32_t spread = 0;
	for (struct conn *c = all->phase[CONN_READY].first, *next; c; c = next) {
		struct err e = *why;
		next = c->next;
		e.retry_after_ms = 100 + spread++ * 7919 % 2000;
		conn_fail(c, &e, "expelled");
	}
}

void conns_kill(struct server *s)
{
	struct conns *all = &s->priv->conns;
	for (size_t i = 0; i < CONN_PHASES; i++)
		while (all->phase[i].first)
			conn_kill(all->phase[i].first, "stopping");
}

void conns_follow(struct server *s)
{
	struct conns *all = &s->priv->conns;
	for (struct conn *c = all->phase[CONN_READY].first, *next; c; c = next) {
		next = c->next;
		if (c->who->closed) {
			struct err e = {0};
			err_set(&e, ERR_UNAUTHENTICATED, "%s", c->who->closed);
			err_remedy(&e, "log in again with a new invite");
			conn_fail(c, &e, "access");
		} else if (c->who->successor) {
			struct principal *old = c->who;
			c->who = principal_ref(old->successor);
			principal_unref(old);
		}
	}
	watches_follow(s);
}
