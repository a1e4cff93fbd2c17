/* proxy.c -- see proxy.h.  The loop belongs to the thread; plan and counts are shared under a lock.
 */
#include "proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

enum { PIECE = 64 * 1024, BACKLOG = 64 };

union handle {
	uv_handle_t any;
	uv_stream_t stream;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
};

struct pair;

struct end {
	union handle h;
	struct pair *pair;
	enum proxy_way way; /* of what is read here */
};

struct way {
	uint64_t passed;
	bool ended;            /* no more is passed on */
	uv_timer_t timer;      /* until the piece goes on */
	char *piece;           /* read, waits */
	size_t n;              /* its length */
	bool eof;              /* the reader has ended */
	unsigned char head[5]; /* of PostgreSQL's message under way */
	size_t have;
	uint64_t rest; /* bytes of its body that are still to come */
	char tag[8];   /* begin of the body */
	size_t tagged;
};

struct pair {
	struct proxy *proxy;
	struct end ends[PROXY_WAYS]; /* [PROXY_UP] reads from the client */
	struct way ways[PROXY_WAYS];
	struct proxy_plan plan;
	unsigned open; /* handles */
	bool dead;
};

struct proxy {
	uv_thread_t thread;
	uv_loop_t loop;
	union handle listener;
	uv_async_t wake;
	uv_mutex_t lock;
	struct proxy_plan plan;
	struct proxy_seen seen;
	char to_path[300];
	unsigned to_port;
	bool pipes;
};

struct write {
	uv_write_t req;
	char bytes[];
};

/* ---- ending
 * ------------------------------------------------------------------------------------ */

static void closed(uv_handle_t *h)
{
	struct pair *c = h->data;

	if (--c->open)
		return;
	uv_mutex_lock(&c->proxy->lock);
	c->proxy->seen.open--;
	uv_mutex_unlock(&c->proxy->lock);
	free(c->ways[PROXY_UP].piece);
	free(c->ways[PROXY_DOWN].piece);
	free(c);
}

static void pair_close(struct pair *c)
{
	if (c->dead)
		return;
	c->dead = true;
	for (int w = 0; w < PROXY_WAYS; w++) {
		uv_close(&c->ends[w].h.any, closed);
		uv_close((uv_handle_t *)&c->ways[w].timer, closed);
	}
}

/* As a lost machine would: the other ends are not told in peace. */
static void pair_cut(struct pair *c)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	for (int w = 0; w < PROXY_WAYS; w++) {
		uv_os_fd_t fd;

		if (!uv_fileno(&c->ends[w].h.any, &fd))
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	}
	pair_close(c);
	uv_mutex_lock(&c->proxy->lock);
	c->proxy->seen.cuts++;
	uv_mutex_unlock(&c->proxy->lock);
}

/* ---- PostgreSQL's messages
 * --------------------------------------------------------------------- */

/* Whether the answer to a COMMIT ends within these bytes; *before: how many of them stand before
 * that message. */
static bool commit_in(struct way *w, const char *bytes, size_t n, size_t *before)
{
	size_t begin = 0;

	for (size_t i = 0; i < n; i++) {
		if (w->have < sizeof w->head) {
			if (!w->have)
				begin = i;
			w->head[w->have++] = (unsigned char)bytes[i];
			if (w->have < sizeof w->head)
				continue;
			w->rest = ((uint64_t)w->head[1] << 24 | (uint64_t)w->head[2] << 16 |
				   (uint64_t)w->head[3] << 8 | w->head[4]);
			w->rest -= w->rest >= 4 ? 4 : w->rest;
			w->tagged = 0;
		} else {
			if (w->tagged < sizeof w->tag)
				w->tag[w->tagged++] = bytes[i];
			w->rest--;
		}
		if (w->rest)
			continue;
		w->have = 0;
		if (w->head[0] == 'C' && w->tagged >= 7 && !memcmp(w->tag, "COMMIT", 7)) {
			*before = begin;
			return true;
		}
	}
	return false;
}

/* ---- passing on
 * -------------------------------------------------------------------------------- */

static void go_on(struct pair *c, enum proxy_way way);

static void written(uv_write_t *req, int status)
{
	struct pair *c = req->data;

	free(req);
	if (status < 0)
		pair_close(c);
}

static void send_on(struct pair *c, enum proxy_way way, const char *bytes, size_t n)
{
	struct write *w = malloc(sizeof *w + n);
	uv_buf_t buf;

	if (!w) {
		pair_close(c);
		return;
	}
	memcpy(w->bytes, bytes, n);
	buf = uv_buf_init(w->bytes, (unsigned)n);
	w->req.data = c;
	c->ways[way].passed += n;
	uv_mutex_lock(&c->proxy->lock);
	c->proxy->seen.bytes[way] = c->ways[way].passed;
	uv_mutex_unlock(&c->proxy->lock);
	if (uv_write(&w->req, &c->ends[!way].h.stream, &buf, 1, written) < 0) {
		free(w);
		pair_close(c);
	}
}

static void shut(uv_shutdown_t *req, int status)
{
	(void)status;
	free(req);
}

/* The way ends; the other goes on. */
static void half_close(struct pair *c, enum proxy_way way)
{
	uv_shutdown_t *req = malloc(sizeof *req);

	if (c->ways[way].ended) {
		free(req);
		return;
	}
	c->ways[way].ended = true;
	if (!req || uv_shutdown(req, &c->ends[!way].h.stream, shut) < 0)
		free(req);
	if (c->ways[!way].ended)
		pair_close(c);
}

static bool commit_is_cut(struct pair *c, enum proxy_way way, const char *bytes, size_t n)
{
	struct proxy *p = c->proxy;
	size_t before = 0;
	bool cut;

	if (!p->pipes || way != PROXY_DOWN || !commit_in(&c->ways[way], bytes, n, &before))
		return false;
	uv_mutex_lock(&p->lock);
	cut = p->plan.cut_commit;
	p->plan.cut_commit = false;
	uv_mutex_unlock(&p->lock);
	if (cut)
		pair_cut(c);
	return cut;
}

static void pass(struct pair *c, enum proxy_way way, const char *bytes, size_t n)
{
	const struct proxy_fault *f = &c->plan.ways[way];
	struct way *w = &c->ways[way];

	if (w->ended || commit_is_cut(c, way, bytes, n))
		return;
	if (w->passed + n > f->cut_at) {
		if (f->cut_at > w->passed)
			send_on(c, way, bytes, f->cut_at - w->passed);
		if (!c->dead)
			pair_cut(c);
		return;
	}
	if (w->passed + n > f->half_at) {
		if (f->half_at > w->passed)
			send_on(c, way, bytes, f->half_at - w->passed);
		if (c->dead)
			return;
		uv_mutex_lock(&c->proxy->lock);
		c->proxy->seen.halves++;
		uv_mutex_unlock(&c->proxy->lock);
		half_close(c, way);
		return;
	}
	send_on(c, way, bytes, n);
}

static void allocate(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	const struct end *e = (const struct end *)(const void *)h;
	const struct proxy_fault *f = &e->pair->plan.ways[e->way];

	(void)hint;
	*buf = uv_buf_init(malloc(PIECE),
			   f->rate && f->rate / 20 < PIECE ? f->rate / 20 + 1 : PIECE);
}

static void due(uv_timer_t *t)
{
	struct pair *c = t->data;
	const enum proxy_way way = t == &c->ways[PROXY_UP].timer ? PROXY_UP : PROXY_DOWN;
	struct way *w = &c->ways[way];
	char *piece = w->piece;

	w->piece = NULL;
	pass(c, way, piece, w->n);
	free(piece);
	if (!c->dead && !w->ended)
		go_on(c, way);
}

static void have_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	const struct end *e = (const struct end *)(const void *)s;
	struct pair *c = e->pair;
	const struct proxy_fault *f = &c->plan.ways[e->way];
	struct way *w = &c->ways[e->way];
	uint64_t wait = f->delay_ms;

	if (n < 0) {
		free(buf->base);
		uv_read_stop(s);
		if (n == UV_EOF)
			half_close(c, e->way);
		else
			pair_close(c);
		return;
	}
	if (f->rate)
		wait += (uint64_t)n * 1000 / f->rate;
	if (!wait) {
		pass(c, e->way, buf->base, (size_t)n);
		free(buf->base);
		return;
	}
	uv_read_stop(s);
	w->piece = buf->base;
	w->n = (size_t)n;
	uv_timer_start(&w->timer, due, wait, 0);
}

static void go_on(struct pair *c, enum proxy_way way)
{
	if (uv_read_start(&c->ends[way].h.stream, allocate, have_read) < 0)
		pair_close(c);
}

/* ---- beginning
 * --------------------------------------------------------------------------------- */

static void connected(uv_connect_t *req, int status)
{
	struct pair *c = req->data;

	free(req);
	if (c->dead)
		return;
	if (status < 0) {
		pair_close(c);
		return;
	}
	/* A cut at byte 0 of the way down comes with the connection. */
	if (!c->plan.ways[PROXY_UP].cut_at || !c->plan.ways[PROXY_DOWN].cut_at) {
		pair_cut(c);
		return;
	}
	go_on(c, PROXY_UP);
	if (!c->dead)
		go_on(c, PROXY_DOWN);
}

static void end_init(struct proxy *p, struct pair *c, enum proxy_way way)
{
	struct end *e = &c->ends[way];

	e->pair = c;
	e->way = way;
	if (p->pipes)
		uv_pipe_init(&p->loop, &e->h.pipe, 0);
	else
		uv_tcp_init(&p->loop, &e->h.tcp);
	uv_timer_init(&p->loop, &c->ways[way].timer);
	e->h.any.data = c->ways[way].timer.data = c;
	c->open += 2;
}

static void take_plan(struct proxy *p, struct pair *c)
{
	uv_mutex_lock(&p->lock);
	c->plan = p->plan.connections ? p->plan : proxy_untouched();
	if (p->plan.connections && p->plan.connections != UINT32_MAX)
		p->plan.connections--;
	p->seen.connections++;
	p->seen.open++;
	p->seen.bytes[PROXY_UP] = p->seen.bytes[PROXY_DOWN] = 0;
	uv_mutex_unlock(&p->lock);
}

static void accepted(uv_stream_t *listener, int status)
{
	struct proxy *p = listener->data;
	struct pair *c = calloc(1, sizeof *c);
	uv_connect_t *req = malloc(sizeof *req);
	struct sockaddr_in to;
	int rc;

	if (status < 0 || !c || !req) {
		free(c);
		free(req);
		return;
	}
	c->proxy = p;
	take_plan(p, c);
	end_init(p, c, PROXY_UP);
	end_init(p, c, PROXY_DOWN);
	req->data = c;
	rc = uv_accept(listener, &c->ends[PROXY_UP].h.stream);
	if (!rc && p->pipes) {
		uv_pipe_connect(req, &c->ends[PROXY_DOWN].h.pipe, p->to_path, connected);
		return;
	}
	if (!rc)
		rc = uv_ip4_addr("127.0.0.1", (int)p->to_port, &to);
	if (!rc)
		rc = uv_tcp_connect(req, &c->ends[PROXY_DOWN].h.tcp, (struct sockaddr *)&to,
				    connected);
	if (rc < 0) {
		free(req);
		pair_close(c);
	}
}

static void close_one(uv_handle_t *h, void *ctx)
{
	struct proxy *p = ctx;

	if (uv_is_closing(h))
		return;
	if (h == &p->listener.any || h == (uv_handle_t *)&p->wake)
		uv_close(h, NULL);
	else if (h->type == UV_TIMER || h->type == UV_TCP || h->type == UV_NAMED_PIPE)
		pair_close(h->data);
}

static void woken(uv_async_t *a)
{
	struct proxy *p = a->data;

	uv_walk(&p->loop, close_one, p);
}

static void run(void *ctx)
{
	struct proxy *p = ctx;

	uv_run(&p->loop, UV_RUN_DEFAULT);
}

static int open_listener(struct proxy *p, const char *path, unsigned *port)
{
	struct sockaddr_in at;
	int n = sizeof at, rc;

	if (path) {
		rc = uv_pipe_init(&p->loop, &p->listener.pipe, 0);
		return rc ? rc : uv_pipe_bind(&p->listener.pipe, path);
	}
	rc = uv_tcp_init(&p->loop, &p->listener.tcp);
	if (!rc)
		rc = uv_ip4_addr("127.0.0.1", 0, &at);
	if (!rc)
		rc = uv_tcp_bind(&p->listener.tcp, (const struct sockaddr *)&at, 0);
	if (!rc)
		rc = uv_tcp_getsockname(&p->listener.tcp, (struct sockaddr *)&at, &n);
	if (!rc)
		*port = ntohs(at.sin_port);
	return rc;
}

struct proxy *proxy_start(const char *listen_path, const char *to_path, unsigned to_port,
			  unsigned *port)
{
	struct proxy *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->pipes = listen_path != NULL;
	p->to_port = to_port;
	p->plan = proxy_untouched();
	snprintf(p->to_path, sizeof p->to_path, "%s", to_path ? to_path : "");
	if (uv_loop_init(&p->loop) || uv_mutex_init(&p->lock) ||
	    open_listener(p, listen_path, port) ||
	    uv_listen(&p->listener.stream, BACKLOG, accepted) ||
	    uv_async_init(&p->loop, &p->wake, woken)) {
		free(p);
		return NULL;
	}
	p->listener.any.data = p->wake.data = p;
	if (uv_thread_create(&p->thread, run, p)) {
		free(p);
		return NULL;
	}
	return p;
}

void proxy_stop(struct proxy *p)
{
	uv_async_send(&p->wake);
	uv_thread_join(&p->thread);
	uv_loop_close(&p->loop);
	uv_mutex_destroy(&p->lock);
	free(p);
}

/* ---- plans
 * ------------------------------------------------------------------------------------- */

struct proxy_plan proxy_untouched(void)
{
	const struct proxy_fault none = {PROXY_NEVER, PROXY_NEVER, 0, 0};

	return (struct proxy_plan){.ways = {none, none}};
}

void proxy_set(struct proxy *p, const struct proxy_plan *plan)
{
	uv_mutex_lock(&p->lock);
	p->plan = *plan;
	uv_mutex_unlock(&p->lock);
}

struct proxy_seen proxy_look(struct proxy *p)
{
	struct proxy_seen seen;

	uv_mutex_lock(&p->lock);
	seen = p->seen;
	uv_mutex_unlock(&p->lock);
	return seen;
}
