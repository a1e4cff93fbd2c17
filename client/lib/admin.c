/* admin.c -- territories, invites and tokens: methods of the server, one request each. */
#include "client.h"
#include "kind.h"
#include "record.h"
#include "table.h"
#include "text.h"

enum { ASK_MAX = 8 * 1024 * 1024, TERRITORY_MADE = 2 /* in the store: known without a grant */ };

static int ask(struct seve *s, Seve__Request *req, struct arena *a, bool writes,
	       Seve__Reply__BodyCase want, const Seve__Reply **reply, struct err *e)
{
	/* A write whose outcome is unknown is not repeated: what it makes would be there twice. */
	int rc = client_ask(s, req, a, writes, !writes, reply, e);

	if (!rc && (*reply)->body_case != want)
		rc = err_set(e, ERR_PROTOCOL, "the answer is of another kind than the question");
	return rc;
}

/* ---- territories
 * -----------------------------------------------------------------------------------------------
 */

static int create_in(struct seve *s, const struct seve_record *values, struct arena *a,
		     uint32_t *territory, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__TerritoryCreate create = SEVE__TERRITORY_CREATE__INIT;
	const Seve__Territory *t;
	const Seve__Reply *reply;
	int rc;

	if (values->kind->number != SEVE__BODY__KIND_TERRITORY || !values->body)
		return err_set(e, ERR_USAGE, "a territory is made from a record of kind territory");
	t = values->body->territory;
	create.territory = values->body->territory;
	req.body_case = SEVE__REQUEST__BODY_TERRITORY_CREATE;
	req.territory_create = &create;
	rc = ask(s, &req, a, true, SEVE__REPLY__BODY_TERRITORY_CREATE, &reply, e);
	if (rc)
		return rc;
	*territory = reply->territory_create->territory;
	/* So that its name can be used at once, before a grant tells it. */
	return store_run(s->store, e, STORE_territory_put, "itttttii", (int64_t)*territory,
			 t->slug ? t->slug : "", t->name ? t->name : "", t->region ? t->region : "",
			 "admin", "", (int64_t)0, (int64_t)TERRITORY_MADE);
}

int seve_territory_create(struct seve *s, const struct seve_record *values, uint32_t *territory,
			  struct seve_error **err)
{
	struct err e = {0};
	struct arena a;
	uint32_t made = 0;

	arena_init(&a, ASK_MAX);
	if (create_in(s, values, &a, &made, &e) == 0)
		*territory = made;
	arena_fini(&a);
	return error_out(err, &e);
}

/* ---- invites
 * ------------------------------------------------------------------------------------------------------
 */

static int find_role(const char *name, Seve__Role *out, struct err *e)
{
	const struct role *role = name ? role_by_name(name) : NULL;

	if (role) {
		*out = role->number;
		return 0;
	}
	err_set(e, ERR_INVALID, "there is no role \"%s\"", name ? name : "");
	return err_remedy(e, "roles: %s", role_list());
}

int seve_invite(struct seve *s, const char *account, const char *role, const uint32_t *territories,
		size_t n, const char *scope, unsigned expires_hours, unsigned token_days,
		char **code, struct seve_error **err)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__InviteCreate invite = SEVE__INVITE_CREATE__INIT;
	const Seve__Reply *reply;
	struct err e = {0};
	struct arena a;
	char *copy;

	if (find_role(role, &invite.role, &e))
		return error_out(err, &e);
	invite.has_role = true;
	invite.account = (char *)(uintptr_t)account;
	invite.n_territories = n;
	invite.territories = (uint32_t *)(uintptr_t)territories;
	if (scope && *scope) {
		if (role_by_name(role)->may & ROLE_MAY_OWN_SOURCE)
			invite.source = (char *)(uintptr_t)scope;
		else
			invite.scope = (char *)(uintptr_t)scope;
	}
	invite.has_expires_hours = expires_hours != 0;
	invite.expires_hours = expires_hours;
	invite.has_token_days = token_days != 0;
	invite.token_days = token_days;
	req.body_case = SEVE__REQUEST__BODY_INVITE_CREATE;
	req.invite_create = &invite;
	arena_init(&a, ASK_MAX);
	if (ask(s, &req, &a, true, SEVE__REPLY__BODY_INVITE_CREATE, &reply, &e) == 0) {
		copy = strdup(reply->invite_create->code ? reply->invite_create->code : "");
		if (copy)
			*code = copy;
		else
			err_set(&e, ERR_NOMEM, "invite");
	}
	arena_fini(&a);
	return error_out(err, &e);
}

/* ---- tokens
 * -----------------------------------------------------------------------------------------------------------
 */

static void put_instant(struct seve_table *t, const char *column, bool has, int64_t ms)
{
	char text[32] = "";

	if (has && ms)
		text_from_instant(ms, text);
	table_put(t, column, "%s", text);
}

static void token_row(struct seve_table *t, const Seve__TokenInfo *i)
{
	table_row(t);
	table_put(t, "public_id", "%s", i->public_id ? i->public_id : "");
	table_put(t, "account", "%s", i->account ? i->account : "");
	table_put(t, "device", "%s", i->device ? i->device : "");
	put_instant(t, "created_at", i->has_created_at, i->created_at);
	put_instant(t, "expires_at", i->has_expires_at, i->expires_at);
	put_instant(t, "last_used_at", i->has_last_used_at, i->last_used_at);
	table_put(t, "revoked", "%s", i->revoked ? "yes" : "no");
}

int seve_tokens(struct seve *s, const char *account, struct seve_table **out,
		struct seve_error **err)
{
	static const char *const columns[] = {"public_id",  "account",      "device",  "created_at",
					      "expires_at", "last_used_at", "revoked", NULL};
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__TokenList list = SEVE__TOKEN_LIST__INIT;
	const Seve__Reply *reply;
	struct err e = {0};
	struct arena a;

	list.account = account && *account ? (char *)(uintptr_t)account : NULL;
	req.body_case = SEVE__REQUEST__BODY_TOKEN_LIST;
	req.token_list = &list;
	arena_init(&a, ASK_MAX);
	if (ask(s, &req, &a, false, SEVE__REPLY__BODY_TOKEN_LIST, &reply, &e) == 0) {
		struct seve_table *t = table_new(columns);

		for (size_t i = 0; i < reply->token_list->n_tokens; i++)
			token_row(t, reply->token_list->tokens[i]);
		table_finish(t, out, &e);
	}
	arena_fini(&a);
	return error_out(err, &e);
}

int seve_token_revoke(struct seve *s, const char *public_id, struct seve_error **err)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__TokenRevoke revoke = SEVE__TOKEN_REVOKE__INIT;
	const Seve__Reply *reply;
	struct err e = {0};
	struct arena a;

	revoke.public_id = (char *)(uintptr_t)public_id;
	req.body_case = SEVE__REQUEST__BODY_TOKEN_REVOKE;
	req.token_revoke = &revoke;
	arena_init(&a, ASK_MAX);
	/* Revoking twice is revoking. */
	if (client_ask(s, &req, &a, true, true, &reply, &e) == 0 &&
	    reply->body_case != SEVE__REPLY__BODY_DONE)
		err_set(&e, ERR_PROTOCOL, "the answer is of another kind than the question");
	arena_fini(&a);
	return error_out(err, &e);
}
