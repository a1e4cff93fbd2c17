/* authz.c -- rights from grants: the union of what the roles of a territory give.  Knows no sockets
 * and no SQL. */
#include "authz.h"

#include <stdlib.h>
#include <string.h>

struct principal *principal_ref(struct principal *p)
{
	p->refs++;
	return p;
}

void principal_unref(struct principal *p)
{
	if (!p || --p->refs > 0)
		return;
	free(p->grants);
	free(p);
}

static bool applies(const struct grant *g, uint32_t territory)
{
	return g->territory == territory || g->territory == AUTHZ_SERVER_WIDE;
}

struct rights authz_rights(const struct principal *p, uint32_t territory)
{
	struct rights r = {.reads = SEVE__LEVEL__LEVEL_UNSPECIFIED};
	const char *source = NULL;
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct grant *g = &p->grants[i];
		if (!applies(g, territory))
			continue;
		if (g->role->reads > r.reads)
			r.reads = g->role->reads;
		if (g->role->may & (ROLE_MAY_OWN_ACTOR | ROLE_MAY_OWN_ACTION))
			r.own |= g->role->writes_as;
		else
			r.writes |= g->role->writes_as;
		if (g->role->may & ROLE_MAY_OWN_ACTOR)
			r.actor = g->scope;
		if (g->role->may & ROLE_MAY_OWN_SOURCE && !source)
			source = g->source;
		if (g->role->may & ROLE_MAY_ACCOUNTS)
			r.server_wide = true;
	}
	/* Whoever may write there by another role is not bound to a source. */
	if (!(r.writes & ~(unsigned)KIND_BY_I))
		r.source = source;
	return r;
}

const struct uuid *authz_piloted(const struct principal *p, uint32_t territory, size_t n)
{
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct grant *g = &p->grants[i];
		if (g->role->may & ROLE_MAY_OWN_ACTION && applies(g, territory) && n-- == 0)
			return &g->scope;
	}
	return NULL;
}

/* The role that counts most in a territory: what a message names. */
static const struct grant *strongest(const struct principal *p, uint32_t territory)
{
	const struct grant *best = NULL;
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct grant *g = &p->grants[i];
		if (!applies(g, territory))
			continue;
		if (!best || g->role->reads > best->role->reads)
			best = g;
	}
	return best;
}

/* Name of a territory, which a server-wide grant does not carry. */
static const char *territory_name(const struct principal *p, uint32_t territory,
				  char number[static 16])
{
	for (size_t i = 0; i < p->n_grants; i++)
		if (p->grants[i].territory == territory && *p->grants[i].slug)
			return p->grants[i].slug;
	snprintf(number, 16, "%u", territory);
	return number;
}

int authz_write(const struct principal *p, uint32_t territory, const struct kind *k, struct err *e)
{
	const struct rights r = authz_rights(p, territory);
	if ((r.writes | r.own) & k->writers)
		return 0;
	char number[16];
	const char *where = territory_name(p, territory, number);
	const struct grant *g = strongest(p, territory);
	if (!g) {
		err_set(e, ERR_DENIED, "account %s has no role in territory %s", p->account, where);
		return err_remedy(e, "ask an admin of the server for an invite to that territory");
	}
	err_set(e, ERR_DENIED, "role %s may not write %s records in %s", g->role->name, k->name,
		where);
	return err_remedy(
		e, "ask a facilitator of that territory to write it, or an admin for another role");
}

/* An admin of the territory is told that it is there: the admin's own list shows it. */
static int reads_nothing(const struct principal *p, uint32_t territory, struct err *e)
{
	char number[16];
	const struct grant *g = strongest(p, territory);
	if (!g || !(g->role->may & ROLE_MAY_TERRITORIES)) {
		err_set(e, ERR_NOT_FOUND, "territory %u is not among yours", territory);
		return err_remedy(e, "`seve territory list` shows them; an admin gives access");
	}
	err_set(e, ERR_NOT_FOUND, "role %s reads and writes no records, those of %s either",
		g->role->name, territory_name(p, territory, number));
	return err_remedy(e, "do it as a facilitator of that territory: seve invite create --role "
			     "facilitator makes one");
}

int authz_read(const struct principal *p, uint32_t territory, struct rights *out, struct err *e)
{
	const struct rights r = authz_rights(p, territory);
	if (r.reads == SEVE__LEVEL__LEVEL_UNSPECIFIED)
		return reads_nothing(p, territory, e);
	*out = r;
	return 0;
}

bool authz_sees(const struct rights *r, const struct kind *k, Seve__Level level, struct span owner)
{
	if (level <= r->reads)
		return true;
	return k && k->writers & KIND_BY_P && !uuid_is_nil(&r->actor) &&
	       owner.len == sizeof r->actor.b && !memcmp(owner.at, r->actor.b, owner.len);
}

int authz_may(const struct principal *p, unsigned may, struct err *e)
{
	unsigned have = 0;
	for (size_t i = 0; i < p->n_grants; i++)
		have |= p->grants[i].role->may;
	if ((have & may) == may)
		return 0;
	static const struct {
		unsigned bit;
		const char *what;
	} words[] = {
		{ROLE_MAY_ACCOUNTS, "manage accounts"},
		{ROLE_MAY_TERRITORIES, "create territories"},
		{ROLE_MAY_OWN_SOURCE, "import as a partner"},
	};
	const char *what = "do this";
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (may & words[i].bit & ~have)
			what = words[i].what;
	err_set(e, ERR_DENIED, "account %s has no role that may %s", p->account, what);
	return err_remedy(e, "ask an admin of the server");
}

/* The finaliser of splitmix64: the same number in every process and release. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t authz_view(const struct principal *p, uint32_t territory)
{
	const struct rights r = authz_rights(p, territory);
	if (r.reads == SEVE__LEVEL__LEVEL_UNSPECIFIED)
		return 0;
	uint64_t x = mix((uint64_t)r.reads * 0x9e3779b97f4a7c15u);
	/* A partner of another actor sees other records. */
	return uuid_is_nil(&r.actor) ? x : mix(x ^ uuid_short(&r.actor));
}
