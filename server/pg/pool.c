/* pool.c -- the readers: see pool.h.  Knows no tables. */
#include "pool.h"

#include "log.h"

/* Where a link stands: what its end is told by. */
struct place {
	struct pg_pool *pool;
	struct pg_link *link; /* NULL: it has closed */
};

struct pg_pool {
	uv_loop_t *loop;
	char name[16], *conninfo, *setup;
	struct pg_link_options options;
	size_t max, n; /* places[0..n) were opened */
	struct place places[PG_POOL_LINKS_MAX];
	size_t closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void pool_free(struct pg_pool *p)
{
	free(p->conninfo);
	free(p->setup);
	free(p);
}

static int pool_grow(struct pg_pool *p, struct err *e)
{
	char name[32];
	snprintf(name, sizeof name, "%s-%zu", p->name, p->n + 1);
	struct pg_link_options o = p->options;
	o.name = name;
	struct place *place = &p->places[p->n];
	place->pool = p;
	int rc = pg_link_open(p->loop, &o, &place->link, e);
	if (rc == 0)
		p->n++;
	return rc;
}

int pg_pool_open(uv_loop_t *loop, const struct pg_link_options *o, size_t readers,
		 struct pg_pool **out, struct err *e)
{
	if (readers < 1 || readers > PG_POOL_LINKS_MAX)
		return err_set(e, ERR_CONFIG, "%zu readers: 1 to %d are possible", readers,
			       PG_POOL_LINKS_MAX);
	struct pg_pool *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(e, ERR_NOMEM, "readers");
	p->loop = loop;
	p->max = readers;
	snprintf(p->name, sizeof p->name, "%s", o->name);
	p->conninfo = strdup(o->conninfo);
	p->setup = o->setup ? strdup(o->setup) : NULL;
	p->options = *o;
	p->options.name = p->name;
	p->options.conninfo = p->conninfo;
	p->options.setup = p->setup;
	int rc = p->conninfo && (p->setup || !o->setup) ? pool_grow(p, e)
							: err_set(e, ERR_NOMEM, "readers");
	if (rc < 0) {
		pool_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

static void on_link_closed(void *ctx)
{
	struct place *place = ctx;
	struct pg_pool *p = place->pool;
	place->link = NULL;
	if (--p->closing > 0)
		return;
	if (p->closed)
		p->closed(p->closed_ctx);
	pool_free(p);
}

void pg_pool_close(struct pg_pool *p, void (*closed)(void *ctx), void *ctx)
{
	if (p->closing)
		return;
	p->closed = closed;
	p->closed_ctx = ctx;
	p->closing = p->n;
	for (size_t i = 0; i < p->n; i++)
		pg_link_close(p->places[i].link, on_link_closed, &p->places[i]);
}

void pg_pool_renew(struct pg_pool *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->places[i].link)
			pg_link_renew(p->places[i].link);
}

/* The least loaded of the links that are up; one that will refuse, when none is.  Who is told that
 * the pool closes may submit once more, when other links have gone already. */
static struct pg_link *pool_choose(const struct pg_pool *p, size_t *total)
{
	struct pg_link *best = NULL, *any = NULL;
	size_t least = 0;
	*total = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct pg_link *l = p->places[i].link;
		if (!l)
			continue;
		any = any ? any : l;
		size_t load = pg_link_load(l);
		*total += load;
		if (pg_link_up(l) && (!best || load < least)) {
			best = l;
			least = load;
		}
	}
	return best ? best : any;
}

void pg_pool_submit(struct pg_pool *p, struct pg_unit *u)
{
	size_t total;
	struct pg_link *l = pool_choose(p, &total);
	if (total >= PG_POOL_QUEUE_MAX) {
		err_set(&u->err, ERR_EXHAUSTED, "%zu database queries are waiting", total);
		pg_link_refuse(l, u);
		return;
	}
	struct err e;
	if (p->n < p->max && !p->closing && total >= p->n * PG_POOL_BUSY && pool_grow(p, &e) < 0)
		log_event(LOG_WARN, "pg_pool", "links=%zu why=%s", p->n, e.text);
	pg_link_submit(l, u);
}

void pg_pool_send(struct pg_pool *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->places[i].link)
			pg_link_send(p->places[i].link);
}

size_t pg_pool_up(const struct pg_pool *p)
{
	size_t up = 0;
	for (size_t i = 0; i < p->n; i++)
		up += p->places[i].link && pg_link_up(p->places[i].link);
	return up;
}

size_t pg_pool_load(const struct pg_pool *p)
{
	size_t total;
	pool_choose(p, &total);
	return total;
}

const char *pg_pool_trouble(const struct pg_pool *p)
{
	const struct pg_link *first = p->places[0].link;
	return pg_pool_up(p) || !first ? "" : pg_link_trouble(first);
}
