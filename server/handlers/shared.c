/* shared.c -- see shared.h.
 *
 * A page is news while nothing has been heard of a newer head: a reader who could see a record when
 * the page was read is not sent it after its level was raised.  Nor is it news in another epoch,
 * whose history may have reached the same revs by other records. */
#include "handlers/shared.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "handlers/handlers.h"
#include "handlers/page.h"
#include "heads.h"
#include "server_private.h"

/* Out of memory leaves the tables as they were. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct kept {
	struct shared_page page;  /* first: it is what others see */
	struct kept *prev, *next; /* oldest first */
	UT_hash_handle hh;
	bool listed; /* in table and list */
};

/* The pages of one answer. */
struct making {
	struct shared_pages *all;
	struct shared_key key;
	uint64_t head;
	struct page_writer writer;
	struct shared_page *first; /* the one that was asked for, referenced */
};

struct shared_read {
	struct making make;
	struct page_read read;
	struct shared_waiter *waiters;
	UT_hash_handle hh;
};

struct shared_pages {
	struct server *server;
	struct kept *table, *oldest;
	struct shared_read *reads;
	const struct news *news;
	size_t bytes;
};

int shared_open(struct server *s, struct shared_pages **out, struct err *e)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return err_set(e, ERR_NOMEM, "shared pages");
	(*out)->server = s;
	return 0;
}

size_t shared_bytes(const struct shared_pages *all)
{
	return all->bytes;
}

/* ---- what is kept
 * ----------------------------------------------------------------------------------------- */

static size_t weight(const struct kept *k)
{
	return k->page.n + SHARED_OVERHEAD;
}

/* Nobody finds it any more; it goes with its last reference. */
static void unlist(struct shared_pages *all, struct kept *k)
{
	if (!k->listed)
		return;
	HASH_DEL(all->table, k);
	DL_DELETE(all->oldest, k);
	k->listed = false;
	shared_unref(all, &k->page);
}

void shared_unref(struct shared_pages *all, struct shared_page *p)
{
	struct kept *k = (struct kept *)p;
	if (--p->refs > 0)
		return;
	all->bytes -= weight(k);
	free(p->bytes);
	free(k);
}

static struct kept *find(struct shared_pages *all, const struct shared_key *key)
{
	struct kept *k = NULL;
	HASH_FIND(hh, all->table, key, sizeof *key, k);
	return k;
}

/* One reference is the table's, one the caller's. */
static struct kept *keep(struct shared_pages *all, const struct shared_key *key)
{
	struct kept *old = find(all, key), *k = calloc(1, sizeof *k);
	if (!k)
		return NULL;
	if (old)
		unlist(all, old);
	k->page.key = *key;
	k->page.refs = 1;
	const unsigned before = HASH_COUNT(all->table);
	HASH_ADD(hh, all->table, page.key, sizeof k->page.key, k);
	if (HASH_COUNT(all->table) > before) {
		DL_APPEND(all->oldest, k);
		k->listed = true;
		k->page.refs++;
	}
	return k;
}

static bool is_news(const struct shared_pages *all, const struct kept *k)
{
	return k->page.key.epoch == all->server->epoch &&
	       k->page.head >= heads_known(all->server, k->page.key.territory);
}

void shared_sweep(struct shared_pages *all)
{
	struct kept *k, *next;
	DL_FOREACH_SAFE(all->oldest, k, next)
	if (!is_news(all, k))
		unlist(all, k);
}

static void make_room(struct shared_pages *all)
{
	while (all->bytes > SHARED_BYTES && all->oldest)
		unlist(all, all->oldest);
}

/* ---- making
 * -----------------------------------------------------------------------------------------------
 */

static int keep_page(struct page_writer *w, uint64_t to)
{
	struct making *m = w->ctx;
	struct shared_key key = m->key;
	key.from = w->from;
	if (m->first)
		key.start = w->start;
	struct kept *k = keep(m->all, &key);
	if (!k)
		return -ERR_NOMEM;
	k->page.bytes = malloc(PAGE_HEADROOM + w->n);
	if (k->page.bytes) {
		memcpy(k->page.bytes + PAGE_HEADROOM, w->bytes + PAGE_HEADROOM, w->n);
		k->page.n = w->n;
	}
	m->all->bytes += weight(k);
	k->page.to = to;
	k->page.start = w->start;
	k->page.head = m->head;
	k->page.whole = to == m->head;
	if (!k->page.bytes) {
		unlist(m->all, k);
		shared_unref(m->all, &k->page);
		return -ERR_NOMEM;
	}
	if (!m->first)
		m->first = &k->page;
	else
		shared_unref(m->all, &k->page);
	return 0;
}

static int make_begin(struct making *m, uint64_t head, uint64_t start)
{
	if (page_writer_init(&m->writer, m->key.territory, m->key.from, SHARED_PAGE) < 0)
		return -ERR_NOMEM;
	m->head = head;
	m->writer.send = keep_page;
	m->writer.ctx = m;
	m->writer.start = start;
	return 0;
}

void shared_offer(struct shared_pages *all, const struct news *news)
{
	all->news = news;
}

/* The page from what was just committed, for who was in step before; NULL: it is to be read. */
static struct shared_page *make_of_news(struct shared_pages *all, const struct shared_key *key,
					const struct rights *rights)
{
	const struct news *news = all->news;
	if (!news || !news->n || news->territory != key->territory || news->from != key->from ||
	    news->epoch != key->epoch || key->start)
		return NULL;
	struct making m = {.all = all, .key = *key};
	if (make_begin(&m, news->to, 0) < 0)
		return NULL;
	const int rc = page_write_news(&m.writer, news, rights);
	page_writer_fini(&m.writer);
	if (rc < 0 && m.first) {
		shared_unref(all, m.first);
		m.first = NULL;
	}
	make_room(all);
	return m.first;
}

/* ---- reading
 * ---------------------------------------------------------------------------------------------- */

static void read_free(struct shared_read *r)
{
	page_read_fini(&r->read);
	page_writer_fini(&r->make.writer);
	free(r);
}

static void tell(struct shared_read *r, const struct err *why)
{
	struct shared_waiter *w;
	while ((w = r->waiters)) {
		DL_DELETE(r->waiters, w);
		w->read = NULL;
		w->ready(w, why ? NULL : r->make.first, why);
	}
}

/* Whether who stands at the key's rev may go on with what was read, and the pages of it. */
static int write_pages(struct shared_read *r, struct err *e)
{
	const struct page_read *p = &r->read;
	const struct shared_key *key = &r->make.key;
	const struct cursor c = {.rev = key->from,
				 .start = key->start == SHARED_FRESH ? p->head : key->start};
	if (cursor_refuse(cursor_check_read(&c, c.rev, p->head, p->purged), c.rev, e) < 0)
		return -ERR_RESET_REQUIRED;
	if (make_begin(&r->make, p->head, c.start) < 0 || page_write(&r->make.writer, p) < 0)
		return err_set(e, ERR_NOMEM, "page");
	return 0;
}

static void read_done(struct page_read *p)
{
	struct shared_read *r = p->owner;
	struct shared_pages *all = r->make.all;
	struct err e = p->err;
	HASH_DEL(all->reads, r); /* who asks from now on may want a newer one */
	if (!e.code)
		write_pages(r, &e);
	tell(r, e.code ? &e : NULL);
	const uint32_t territory = r->make.key.territory;
	const bool stands = !e.code && r->make.key.epoch == all->server->epoch;
	const uint64_t head = stands ? p->head : 0;
	if (r->make.first)
		shared_unref(all, r->make.first);
	read_free(r);
	make_room(all);
	heads_note(all->server, territory, head);
}

static struct shared_read *read_new(struct shared_pages *all, const struct shared_key *key,
				    const struct rights *rights)
{
	struct shared_read *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->make.key = *key;
	r->make.all = all;
	page_read_init(&r->read, all->server, key->territory, rights, r, read_done);
	r->read.from = key->from;
	r->read.most = SHARED_ROWS;
	const unsigned before = HASH_COUNT(all->reads);
	HASH_ADD(hh, all->reads, make.key, sizeof r->make.key, r);
	if (HASH_COUNT(all->reads) > before)
		return r;
	read_free(r);
	return NULL;
}

static struct shared_read *read_start(struct shared_pages *all, const struct shared_key *key,
				      const struct rights *rights)
{
	struct shared_read *r = read_new(all, key, rights);
	if (!r || page_ask(&r->read) == 0)
		return r;
	HASH_DEL(all->reads, r);
	read_free(r);
	return NULL;
}

int shared_take(struct shared_pages *all, const struct shared_key *key, const struct rights *rights,
		struct shared_waiter *w, struct shared_page **out)
{
	struct kept *k = find(all, key);
	if (k && is_news(all, k)) {
		k->page.refs++;
		all->server->priv->metrics.watch_shared++;
		*out = &k->page;
		return 1;
	}
	*out = make_of_news(all, key, rights);
	if (*out) {
		all->server->priv->metrics.watch_news++;
		return 1;
	}
	struct shared_read *r = NULL;
	HASH_FIND(hh, all->reads, key, sizeof *key, r);
	if (r) {
		all->server->priv->metrics.watch_shared++;
	} else {
		r = read_start(all, key, rights);
		if (!r)
			return -ERR_NOMEM;
		all->server->priv->metrics.watch_reads++;
	}
	w->read = r;
	DL_APPEND(r->waiters, w);
	return 0;
}

void shared_leave(struct shared_waiter *w)
{
	if (!w->read)
		return;
	DL_DELETE(w->read->waiters, w);
	w->read = NULL;
}

void shared_close(struct shared_pages *all)
{
	struct kept *k, *next;
	if (!all)
		return;
	DL_FOREACH_SAFE(all->oldest, k, next)
	unlist(all, k);
	free(all);
}
