/* authz.h -- who a session belongs to and what it may do: grants and the two tables
 * (common/roles.def, common/kinds.def). Knows no sockets and no SQL.  Loop thread only; a principal
 * is shared by reference count. */
#ifndef SEVED_AUTHZ_H
#define SEVED_AUTHZ_H

#include "buf.h"
#include "kind.h"
#include "uuid.h"

enum { AUTHZ_SERVER_WIDE = 0 }; /* territory of an admin's grant */

struct grant {
	const struct role *role;
	uint32_t territory;
	char slug[48], region[64];
	char name[160];
	char source[64];   /* importer */
	struct uuid scope; /* partner: the actor; pilot: the action; nil: none */
};

struct principal {
	unsigned refs;
	int32_t account_id;
	char account[104]; /* its name */
	char token_id[24];
	struct uuid client_id; /* of Hello */
	uint64_t client_short; /* uuid_short() of it */
	size_t n_grants;
	struct grant *grants;
	int64_t expires_ms;          /* of the token, wall clock */
	double allowance;            /* requests that may come now (request-rate) */
	uint64_t allowance_ms;       /* when it was last reckoned, monotonic */
	struct principal *successor; /* auth.c: sessions are to go over to it */
	const char *closed;          /* auth.c: sessions are to end, and why */
};

struct principal *principal_ref(struct principal *p);
void principal_unref(struct principal *p); /* frees at zero; NULL is fine */

/* What the principal may do in one territory: the union of its grants there. */
struct rights {
	Seve__Level reads;  /* LEVEL_UNSPECIFIED: not a member */
	unsigned writes;    /* kind_writers, of any record */
	unsigned own;       /* kind_writers, of the records of `actor` and of the piloted actions
			       (authz_piloted) only */
	struct uuid actor;  /* a partner's: its records of the kinds that partners write are read
			       whatever their level; nil: none */
	const char *source; /* set when the only right to write is an importer's: records of this
			       source */
	bool server_wide;   /* an admin */
};
struct rights authz_rights(const struct principal *p, uint32_t territory);

/* The n-th action that the principal pilots there; NULL past the end.  Borrowed. */
const struct uuid *authz_piloted(const struct principal *p, uint32_t territory, size_t n);

/* May it write records of this kind?  0, or -ERR_DENIED that names role, kind and territory. */
int authz_write(const struct principal *p, uint32_t territory, const struct kind *k, struct err *e);
/* May it read the territory at all?  0, or -ERR_NOT_FOUND: that a territory exists is not told to
 * strangers. */
int authz_read(const struct principal *p, uint32_t territory, struct rights *out, struct err *e);
/* Whether a record is there for the reader: by its level, or as one of the own actor, of a kind
 * that partners write.  `owner`: the record's actor, or empty. */
bool authz_sees(const struct rights *r, const struct kind *k, Seve__Level level, struct span owner);
/* Any grant whose role carries this right (enum role_may).  0 or -ERR_DENIED. */
int authz_may(const struct principal *p, unsigned may, struct err *e);
/* Hash of what the principal may read in a territory: a cursor made under another view is not
 * continued. */
uint64_t authz_view(const struct principal *p, uint32_t territory);

#endif
