/* service_access.c -- the accounts and territories that the measurements work with. */
#include <stdio.h>
#include <string.h>

#include "kind.h"
#include "peer.h"
#include "service.h"

enum { REPLY_MAX = 1024 * 1024, TOKEN_DAYS = 2 };

/* Trades an invite for a token and keeps it as NAME. */
static int enrol(struct place *place, const char *dir, const char *name, const char *code,
		 struct err *e)
{
	struct peer p;
	struct arena a;
	Seve__Welcome *w = NULL;
	arena_init(&a, REPLY_MAX);
	int rc = peer_open(&p, place, code, &a, &w, e);
	if (rc == 0 && (!w->token || strlen(w->token) >= sizeof place->token))
		rc = err_set(e, ERR_PROTOCOL, "enrolment gave no token");
	if (rc == 0) {
		memcpy(place->token, w->token, strlen(w->token) + 1);
		rc = place_save(place, dir, name, e);
	}
	peer_close(&p);
	arena_fini(&a);
	return rc;
}

/* DIR */
int service_enrol(char **arg, struct err *e)
{
	struct place place = {0};
	char code[PLACE_CODE];
	int rc = place_open(arg[0], NULL, &place, e);
	if (rc == 0)
		rc = place_invite(arg[0], code, e);
	if (rc == 0)
		rc = enrol(&place, arg[0], "admin", code, e);
	place_close(&place);
	return rc;
}

static int make_territory(struct peer *admin, char *slug, uint32_t *out, struct arena *a,
			  struct err *e)
{
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__TerritoryCreate create = SEVE__TERRITORY_CREATE__INIT;
	Seve__Territory t = SEVE__TERRITORY__INIT;
	Seve__Reply *reply;
	t.slug = t.name = slug;
	create.territory = &t;
	q.body_case = SEVE__REQUEST__BODY_TERRITORY_CREATE;
	q.territory_create = &create;
	int rc = peer_call(admin, &q, a, &reply, e);
	if (rc == 0 && reply->body_case != SEVE__REPLY__BODY_TERRITORY_CREATE)
		rc = err_set(e, ERR_PROTOCOL, "not the answer to a new territory");
	if (rc == 0)
		*out = reply->territory_create->territory;
	return rc;
}

static int make_invite(struct peer *admin, char **arg, uint32_t territory,
		       char code[static PLACE_CODE], struct arena *a, struct err *e)
{
	const struct role *role = role_by_name(arg[2]);
	Seve__Request q = SEVE__REQUEST__INIT;
	Seve__InviteCreate create = SEVE__INVITE_CREATE__INIT;
	Seve__Reply *reply;
	if (!role)
		return err_set(e, ERR_USAGE, "there is no role %s", arg[2]);
	create.account = arg[1];
	create.has_role = create.has_token_days = true;
	create.role = role->number;
	create.token_days = TOKEN_DAYS;
	create.n_territories = 1;
	create.territories = &territory;
	create.source = strcmp(arg[3], "-") != 0 ? arg[3] : NULL;
	q.body_case = SEVE__REQUEST__BODY_INVITE_CREATE;
	q.invite_create = &create;
	int rc = peer_call(admin, &q, a, &reply, e);
	if (rc == 0 &&
	    (reply->body_case != SEVE__REPLY__BODY_INVITE_CREATE || !reply->invite_create->code))
		rc = err_set(e, ERR_PROTOCOL, "not the answer to a new invite");
	return rc < 0 ? rc : place_code(reply->invite_create->code, code, e);
}

static int territory_of(struct peer *admin, char **arg, uint32_t *out, struct arena *a,
			struct err *e)
{
	struct place other = {0};
	if (strcmp(arg[4], "-") == 0)
		return make_territory(admin, arg[1], out, a, e);
	const int rc = place_open(arg[0], arg[4], &other, e);
	if (rc == 0)
		*out = other.territory;
	place_close(&other);
	return rc;
}

/* DIR NAME ROLE SOURCE|- PLACE|- */
int service_open(char **arg, struct err *e)
{
	struct place place = {0};
	struct peer admin = {.fd = -1};
	struct arena a;
	char code[PLACE_CODE];
	arena_init(&a, REPLY_MAX);
	int rc = place_open(arg[0], "admin", &place, e);
	if (rc == 0)
		rc = peer_open(&admin, &place, NULL, &a, NULL, e);
	if (rc == 0)
		rc = territory_of(&admin, arg, &place.territory, &a, e);
	if (rc == 0)
		rc = make_invite(&admin, arg, place.territory, code, &a, e);
	if (rc == 0)
		rc = enrol(&place, arg[0], arg[1], code, e);
	peer_close(&admin);
	arena_fini(&a);
	place_close(&place);
	return rc;
}
