/* resume.c -- see resume.h. */
#include "resume.h"

#include <openssl/sha.h>
#include <string.h>

#include "bug.h"

int resume_read(const Seve__ResumeReply *r, struct resume_point *out, struct err *e)
{
	if (!r->epoch || r->last_mid > INT64_MAX ||
	    (r->has_hash && r->hash.len != sizeof out->hash))
		return err_set(e, ERR_PROTOCOL, "the answer to a resume makes no sense");
	*out = (struct resume_point){r->epoch, r->last_mid, r->has_hash, {0}};
	if (r->has_hash)
		memcpy(out->hash, r->hash.data, sizeof out->hash);
	return 0;
}

bool resume_trusts(const struct resume_point *p, struct span own)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	if (!p->last_mid || !p->has_hash || !own.at)
		return true;
	SHA256(own.at, own.len, hash);
	return !memcmp(hash, p->hash, sizeof hash);
}

bool resume_lost(const struct resume_point *p, bool trusts, uint64_t mid, uint64_t epoch)
{
	if (SEVE_BUG(lost_forgotten))
		return false;
	return epoch != p->epoch && (!trusts || mid > p->last_mid || SEVE_BUG(offered_twice));
}

bool resume_renames(const struct resume_point *p, bool trusts, uint64_t mid)
{
	return !trusts || mid > p->last_mid;
}

bool resume_needed(const struct resume_state *s, uint64_t epoch)
{
	if (s->numbers && s->numbers != epoch && (s->waits || s->settled))
		return true;
	return s->waits && ((s->cursor && s->cursor != epoch) || s->verify);
}

void resume_fork_begin(struct resume_fork *f, uint64_t cursor, uint64_t verify, uint64_t epoch)
{
	f->open = false;
	if (!verify) {
		f->open = cursor && cursor != epoch;
		f->rev = f->open ? 0 : -1;
	} else if (verify != epoch) {
		f->rev = 0;
	}
}

void resume_fork_keep(struct resume_fork *f, bool brought, uint64_t rev)
{
	if (f->open && !brought && (int64_t)rev > f->rev)
		f->rev = (int64_t)rev;
}

uint64_t resume_fork_bound(const struct resume_fork *f, uint64_t numbers, uint64_t epoch)
{
	if (SEVE_BUG(fork_ignored))
		return RESUME_NO_FORK;
	if (f)
		return f->rev < 0 ? RESUME_NO_FORK : (uint64_t)f->rev;
	return numbers && numbers != epoch ? 0 : RESUME_NO_FORK;
}

/* The fresh number of an old one; 0: none.  The list ascends. */
static uint64_t fresh(const uint64_t *old, size_t n, uint64_t mid, uint64_t last)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t at = lo + (hi - lo) / 2;

		if (old[at] < mid)
			lo = at + 1;
		else
			hi = at;
	}
	return lo < n && old[lo] == mid ? last + 1 + lo : 0;
}

int resume_renumber(struct arena *a, Seve__Mutation *const *list, size_t n, uint64_t last,
		    uint64_t fork, struct err *e)
{
	uint64_t *old = arena_array(a, n + 1, sizeof *old);

	if (!old)
		return err_set(e, ERR_NOMEM, "numbering %zu edits anew", n);
	for (size_t i = 0; i < n; i++)
		old[i] = list[i]->mid;
	for (size_t i = 0; i < n; i++) {
		list[i]->has_mid = true;
		list[i]->mid = last + 1 + i;
		for (size_t k = 0; k < list[i]->n_changes; k++) {
			Seve__Change *c = list[i]->changes[k];
			uint64_t parent = c->base_mid ? fresh(old, i, c->base_mid, last) : 0;

			if (!parent && c->base_mid <= last)
				parent = c->base_mid;
			c->base_mid = parent;
			c->has_base_mid = parent != 0;
			if (c->base_rev > fork)
				c->base_rev = fork;
		}
	}
	return 0;
}
