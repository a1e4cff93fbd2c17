/* net.c -- see net.h. */
#include "sim.h"

#include "wire.h"

enum { FLY_MAX = 4 * 1024 * 1024, LATENCY_MS = 20, SLOW_MS = 900 };

static struct link *link_at(struct sim *s, unsigned link)
{
	return &s->net.links[link];
}

unsigned net_open(struct sim *s, unsigned user, unsigned server)
{
	for (unsigned i = 0; i < NET_LINKS; i++) {
		struct link *l = link_at(s, i);
		const unsigned generation = l->generation + 1;

		if (l->used || !s->servers[server].up)
			continue;
		*l = (struct link){.used = true, .user_open = true, .server_open = true};
		l->user = user;
		l->server = server;
		l->generation = generation;
		for (int w = 0; w < NET_WAYS; w++) {
			buf_init(&l->fly[w], FLY_MAX);
			buf_init(&l->in[w], FLY_MAX);
		}
		return i;
	}
	return NET_NONE;
}

static void link_free(struct link *l)
{
	for (int w = 0; w < NET_WAYS; w++) {
		buf_fini(&l->fly[w]);
		buf_fini(&l->in[w]);
	}
	l->used = false;
	l->generation++;
}

static void free_if_done(struct sim *s, unsigned link)
{
	struct link *l = link_at(s, link);

	if (l->used && !l->user_open && !l->server_open)
		link_free(l);
}

/* ---- delivering
 * ---------------------------------------------------------------------------------- */

static void deliver(struct sim *s, unsigned who, unsigned generation);

static void plan(struct sim *s, unsigned link, enum net_way way)
{
	unsigned late = 1 + sim_dice(s, LATENCY_MS);

	if (sim_strikes(s, SIM_DELAYS, 12))
		late += sim_dice(s, SLOW_MS);
	link_at(s, link)->planned[way]++;
	if (!agenda_add(&s->agenda, late, deliver, link * NET_WAYS + way,
			link_at(s, link)->generation))
		sim_fail(s, "the agenda is full");
}

static void arrived(struct sim *s, unsigned link, enum net_way way)
{
	const struct link *l = link_at(s, link);

	if (way == NET_UP && l->server_open)
		seved_hears(s, link);
	if (way == NET_DOWN && l->user_open)
		user_hears(s, link);
}

static void deliver(struct sim *s, unsigned who, unsigned generation)
{
	const unsigned link = who / NET_WAYS;
	const enum net_way way = who % NET_WAYS;
	struct link *l = link_at(s, link);
	size_t n;

	if (!l->used || l->generation != generation)
		return;
	l->planned[way]--;
	n = buf_len(&l->fly[way]);
	if (n && l->planned[way])
		n = 1 + sim_dice(s, (unsigned)n); /* the rest comes with the next one */
	if (n && buf_add(&l->in[way], buf_span(&l->fly[way]).at, n))
		sim_fail(s, "more than %d bytes wait to be read", FLY_MAX);
	buf_consume(&l->fly[way], n);
	if (n)
		arrived(s, link, way);
	if (!l->used || l->generation != generation)
		return;
	/* The end of the stream comes after its last byte. */
	if (way == NET_DOWN && !l->server_open && l->user_open && !buf_len(&l->fly[NET_DOWN])) {
		l->user_open = false;
		user_lost(s, l->user, link);
	}
	if (way == NET_UP && !l->user_open && l->server_open && !buf_len(&l->fly[NET_UP]) &&
	    !l->planned[NET_UP]) {
		l->server_open = false;
	}
	free_if_done(s, link);
}

void net_send(struct sim *s, unsigned link, enum net_way way, enum frame_type type,
	      const ProtobufCMessage *m)
{
	struct link *l = link_at(s, link);
	struct span bytes;

	if (!l->used || !l->user_open || !l->server_open) {
		if (way == NET_UP || !l->used || !l->user_open)
			return; /* into the void */
	}
	bytes = wire_pack(&s->arena, m);
	(void)SIM_NEED(s, bytes.at);
	if (frame_add(&l->fly[way], type, bytes.at, bytes.len))
		sim_fail(s, "a frame of %zu bytes cannot be sent", bytes.len);
	plan(s, link, way);
}

bool net_take(struct sim *s, unsigned link, enum net_way way, enum frame_type *type,
	      struct span *payload)
{
	struct link *l = link_at(s, link);
	struct frame f;
	struct err e;
	int rc;

	if (!l->used)
		return false;
	rc = frame_next(&l->in[way], FRAME_MAX, &f, &e);
	if (rc < 0)
		sim_fail(s, "frames: %s", e.text);
	if (!rc)
		return false;
	*type = f.type;
	payload->len = f.payload.len;
	payload->at =
		SIM_NEED(s, (const uint8_t *)arena_memdup(&s->arena, f.payload.at, f.payload.len));
	buf_consume(&l->in[way], FRAME_HEADER + f.payload.len);
	return true;
}

/* ---- closing
 * --------------------------------------------------------------------------------------- */

void net_close_user(struct sim *s, unsigned link)
{
	struct link *l = link_at(s, link);

	if (!l->used || !l->user_open)
		return;
	l->user_open = false;
	buf_consume(&l->fly[NET_DOWN], buf_len(&l->fly[NET_DOWN]));
	if (l->server_open)
		plan(s, link, NET_UP); /* so that the end arrives */
	free_if_done(s, link);
}

void net_close_server(struct sim *s, unsigned link)
{
	struct link *l = link_at(s, link);

	if (!l->used || !l->server_open)
		return;
	l->server_open = false;
	buf_consume(&l->fly[NET_UP], buf_len(&l->fly[NET_UP]));
	if (l->user_open)
		plan(s, link, NET_DOWN);
	free_if_done(s, link);
}

void net_server_gone(struct sim *s, unsigned server)
{
	for (unsigned i = 0; i < NET_LINKS; i++)
		if (link_at(s, i)->used && link_at(s, i)->server == server)
			net_close_server(s, i);
}

void net_cut(struct sim *s, unsigned link)
{
	struct link *l = link_at(s, link);

	s->counts.cuts++;
	sim_trace(s, "connection %u of user %u is cut, %zu bytes up and %zu down under way", link,
		  l->user, buf_len(&l->fly[NET_UP]), buf_len(&l->fly[NET_DOWN]));
	for (enum net_way w = 0; w < NET_WAYS; w++) {
		size_t n = buf_len(&l->fly[w]);
		const unsigned generation = l->generation;

		n = n ? sim_dice(s, (unsigned)n + 1) : 0;
		if (n && buf_add(&l->in[w], buf_span(&l->fly[w]).at, n))
			sim_fail(s, "more than %d bytes wait to be read", FLY_MAX);
		buf_consume(&l->fly[w], buf_len(&l->fly[w]));
		if (n)
			arrived(s, link, w);
		if (!l->used || l->generation != generation)
			return;
	}
	net_close_server(s, link);
	if (l->used && l->user_open) {
		l->user_open = false;
		user_lost(s, l->user, link);
		free_if_done(s, link);
	}
}

void net_end(struct sim *s)
{
	for (unsigned i = 0; i < NET_LINKS; i++)
		if (link_at(s, i)->used)
			link_free(link_at(s, i));
}
