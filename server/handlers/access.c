/* access.c -- invites and tokens: who may come in, and who no longer. */
#include "clock.h"
#include "config.h"
#include "dispatch.h"
#include "invite.h"
#include "log.h"
#include "pg/load.h"
#include "server.h"
#include "text.h"
#include "token.h"

enum {
	EXPIRES_HOURS = 72,
	EXPIRES_HOURS_MAX = 30 * 24,
	TOKEN_DAYS = 400,         /* of a person's device */
	TOKEN_DAYS_IMPORTER = 90, /* of a partner's script */
	TOKEN_DAYS_MAX = 3650,
	ACCOUNT_MAX = 100, /* characters, as in the table */
	SOURCE_MAX = 63,
	TERRITORIES_MAX = 200,
	TOKENS_MAX = 1000, /* listed */
};

struct access {
	struct request *request;
	struct pg_stmt *stmt;
	struct invite invite;
	const char *account;
};

/* One statement is all that these methods ask, in sight of the records of `territories`. */
static struct access *access_new(struct request *r, const char *sql, void (*done)(struct pg_unit *),
				 const uint32_t *territories, size_t n, struct pg_unit **out)
{
	struct access *a = arena_zalloc(&r->arena, sizeof *a);
	struct pg_unit *u = a ? pg_unit_new(&r->arena, a, done) : NULL;
	if (!u || (n && load_territories(u, territories, n)))
		return NULL;
	a->request = r;
	a->stmt = pg_unit_add(u, pg_sql(sql));
	*out = u;
	return a->stmt ? a : NULL;
}

static void fail(struct request *r, enum err_code code, const char *what)
{
	struct err e = {0};
	err_set(&e, code, "%s", what);
	request_fail(r, &e);
}

static void submit(struct access *a, struct pg_unit *u)
{
	if (pg_params_bad(&a->stmt->params))
		fail(a->request, ERR_NOMEM, "access");
	else
		pg_pool_submit(a->request->server->readers, u);
}

/* A failed unit ends the request. */
static bool failed(struct pg_unit *u)
{
	struct access *a = u->owner;
	const struct err e = u->err;
	if (!e.code)
		return false;
	pg_unit_clear(u);
	request_fail(a->request, &e);
	return true;
}

/* ---- invites ----------------------------------------------------------------------------------
 */

static bool is_label(const char *s, size_t max)
{
	size_t n = 0;
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if (*p < ' ' || *p == 0x7f)
			return false;
		n += (*p & 0xc0) != 0x80;
	}
	return n >= 1 && n <= max && *s != ' ' && s[strlen(s) - 1] != ' ';
}

/* The kind of record that a role is bound to, or NULL. */
static const struct kind *bound_to(const struct role *role)
{
	if (role->may & ROLE_MAY_OWN_ACTOR)
		return kind_by_name("actor");
	return role->may & ROLE_MAY_OWN_ACTION ? kind_by_name("action") : NULL;
}

/* A partner's actor, a pilot's action: by reference, since who invites may not read records. */
static int check_scope(const Seve__InviteCreate *q, const struct role *role, uint32_t *ref_no,
		       struct err *e)
{
	const struct kind *bound = bound_to(role), *named = NULL;

	*ref_no = 0;
	if (!bound && !(q->scope && *q->scope))
		return 0;
	if (!bound) {
		err_set(e, ERR_INVALID, "scope: role %s is bound to no record", role->name);
		return err_remedy(e, "leave it out");
	}
	if (q->n_territories != 1)
		return err_set(e, ERR_INVALID,
			       "territories: role %s is for one %s, so for one territory",
			       role->name, bound->name);
	if (!q->scope || !*q->scope || kind_parse_ref(q->scope, &named, ref_no, e) ||
	    named != bound || *ref_no > INT32_MAX) {
		err_set(e, ERR_INVALID, "scope: role %s needs the reference of one %s", role->name,
			bound->name);
		return err_remedy(e, "for example %c-3", bound->prefix);
	}
	return 0;
}

static int check_role(const Seve__InviteCreate *q, const struct role *role, struct err *e)
{
	if (!role) {
		err_set(e, ERR_INVALID, "role: missing or not known to this server");
		return err_remedy(e, "one of %s", role_list());
	}
	const bool server_wide = role->may & ROLE_MAY_ACCOUNTS,
		   partner = role->may & ROLE_MAY_OWN_SOURCE;
	if (server_wide && q->n_territories > 0)
		return err_set(e, ERR_INVALID, "territories: role %s is for the server as a whole",
			       role->name);
	if (!server_wide && q->n_territories == 0) {
		err_set(e, ERR_INVALID, "territories: role %s needs at least one", role->name);
		return err_remedy(e, "name it: --territory SLUG");
	}
	if (partner != (q->source && *q->source)) {
		err_set(e, ERR_INVALID,
			partner ? "source: role %s needs the name of the partner's system"
				: "source: role %s has none",
			role->name);
		return err_remedy(e, partner ? "name it: --source NAME" : "leave it out");
	}
	if (partner && !is_label(q->source, SOURCE_MAX))
		return err_set(e, ERR_INVALID, "source: 1 to %d characters without controls",
			       SOURCE_MAX);
	return 0;
}

static int check_invite(const Seve__InviteCreate *q, struct err *e)
{
	if (!q->account || !is_label(q->account, ACCOUNT_MAX))
		return err_set(e, ERR_INVALID,
			       "account: 1 to %d characters without controls or outer blanks",
			       ACCOUNT_MAX);
	if (q->n_territories > TERRITORIES_MAX)
		return err_set(e, ERR_INVALID, "territories: at most %d in one invite",
			       TERRITORIES_MAX);
	for (size_t i = 0; i < q->n_territories; i++)
		if (q->territories[i] == AUTHZ_SERVER_WIDE || q->territories[i] > INT32_MAX)
			return err_set(e, ERR_INVALID, "territories: %u is no territory",
				       q->territories[i]);
	if (q->expires_hours > EXPIRES_HOURS_MAX)
		return err_set(e, ERR_INVALID, "expires_hours: at most %d", EXPIRES_HOURS_MAX);
	if (q->token_days > TOKEN_DAYS_MAX)
		return err_set(e, ERR_INVALID, "token_days: at most %d", TOKEN_DAYS_MAX);
	const struct role *role = role_by_number((int)q->role);
	uint32_t ref_no;
	int rc = check_role(q, role, e);
	return rc ? rc : check_scope(q, role, &ref_no, e);
}

static int invite_answer(struct access *a, const PGresult *rows, struct buf *line, struct err *e)
{
	if (PQntuples(rows) == 0) {
		err_set(e, ERR_NOT_FOUND,
			"a territory, or the record that the role is for, does not exist; or %s "
			"has this role there for another source or actor",
			a->account);
		return err_remedy(
			e,
			"check the territories and references; a second source or actor needs an "
			"account of its own");
	}
	char address[300];
	server_address(a->request->server, address, sizeof address);
	return invite_line(line, address, a->invite.code,
			   config_text(a->request->server->conf, CONFIG_TLS_CA), e);
}

static void invited(struct pg_unit *u)
{
	struct access *a = u->owner;
	struct request *r = a->request;
	if (failed(u))
		return;
	struct buf line;
	struct err e = {0};
	buf_init(&line, INVITE_LINE_MAX);
	int rc = invite_answer(a, a->stmt->result, &line, &e);
	if (rc == 0 && buf_add(&line, "", 1) < 0)
		rc = err_set(&e, ERR_TOO_BIG, "the invite is too long");
	const bool made = PQntuples(a->stmt->result) > 0;
	const int64_t expires = made ? pg_get_instant(a->stmt->result, 0, 1) : 0;
	const int account_id = made ? pg_get_int4(a->stmt->result, 0, 0) : 0;
	pg_unit_clear(u);
	if (made) {
		log_event(LOG_INFO, "invited", "by=%s account_id=%d role=%s", r->who->token_id,
			  account_id, role_by_number((int)r->body->invite_create->role)->name);
		server_access_changed(r->server); /* an account that is there may have new grants */
	}
	if (rc < 0) {
		request_fail(r, &e);
	} else {
		Seve__InviteCreated created = SEVE__INVITE_CREATED__INIT;
		Seve__Reply reply = SEVE__REPLY__INIT;
		created.code = (char *)(uintptr_t)buf_span(&line).at;
		created.has_expires_at = 1;
		created.expires_at = expires;
		reply.body_case = SEVE__REPLY__BODY_INVITE_CREATE;
		reply.invite_create = &created;
		request_reply(r, &reply);
	}
	buf_fini(&line);
}

static void add_invite(struct access *a, const Seve__InviteCreate *q)
{
	struct pg_params *p = &a->stmt->params;
	const struct role *role = role_by_number((int)q->role);
	const int days = role->may & ROLE_MAY_OWN_SOURCE ? TOKEN_DAYS_IMPORTER : TOKEN_DAYS;
	struct pg_array territories;
	pg_array_init(&territories, &a->request->arena, PG_INT4);
	for (size_t i = 0; i < q->n_territories; i++)
		pg_array_int4(&territories, (int32_t)q->territories[i]);
	if (q->n_territories == 0)
		pg_array_int4(&territories, AUTHZ_SERVER_WIDE);
	pg_params_text(p, q->account);
	pg_params_int4(p, (int32_t)q->role);
	pg_params_array(p, &territories);
	pg_params_text(p, q->source ? q->source : "");
	pg_params_bytes(p, a->invite.hash, sizeof a->invite.hash);
	pg_params_int4(p, q->token_days ? (int32_t)q->token_days : days);
	pg_params_int4(p, q->expires_hours ? (int32_t)q->expires_hours : EXPIRES_HOURS);
	const struct kind *bound = bound_to(role);
	uint32_t ref_no = 0;
	struct err ignored = {0};
	if (bound)
		check_scope(q, role, &ref_no, &ignored); /* it was fine */
	pg_params_int4(p, bound ? (int32_t)bound->number : 0);
	pg_params_int4(p, (int32_t)ref_no);
	pg_params_bool(p, role->may & ROLE_MAY_OWN_ACTOR);
}

void handle_invite_create(struct request *r)
{
	const Seve__InviteCreate *q = r->body->invite_create;
	struct err e = {0};
	struct pg_unit *u;
	if (check_invite(q, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	struct access *a =
		access_new(r, "access_invite", invited, q->territories, q->n_territories, &u);
	if (!a) {
		fail(r, ERR_NOMEM, "invite");
		return;
	}
	a->account = q->account;
	if (invite_make(&a->invite, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	add_invite(a, q);
	submit(a, u);
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

static Seve__TokenInfo *token_info(struct arena *arena, const PGresult *r, int row)
{
	Seve__TokenInfo *t = arena_alloc(arena, sizeof *t);
	if (!t)
		return NULL;
	seve__token_info__init(t);
	t->public_id = (char *)(uintptr_t)pg_get_text(r, row, 0);
	t->account = (char *)(uintptr_t)pg_get_text(r, row, 1);
	t->device = (char *)(uintptr_t)pg_get_text(r, row, 2);
	t->has_created_at = t->has_expires_at = t->has_revoked = 1;
	t->created_at = pg_get_instant(r, row, 3);
	t->expires_at = pg_get_instant(r, row, 4);
	t->has_last_used_at = !pg_is_null(r, row, 5);
	t->last_used_at = pg_get_instant(r, row, 5);
	t->revoked = pg_get_bool(r, row, 6);
	return t;
}

static void reply_tokens(struct request *r, const PGresult *rows)
{
	Seve__TokenListReply list = SEVE__TOKEN_LIST_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	const int n = PQntuples(rows);
	list.tokens = arena_array(&r->arena, (size_t)n + 1, sizeof *list.tokens);
	for (int i = 0; list.tokens && i < n; i++) {
		list.tokens[i] = token_info(&r->arena, rows, i);
		if (!list.tokens[i])
			break;
		list.n_tokens++;
	}
	if (list.n_tokens != (size_t)n) {
		fail(r, ERR_NOMEM, "token list");
		return;
	}
	reply.body_case = SEVE__REPLY__BODY_TOKEN_LIST;
	reply.token_list = &list;
	request_reply(r, &reply);
}

/* The reply borrows texts of the rows, and the unit goes with the request: the rows outlive both.
 */
static void listed(struct pg_unit *u)
{
	struct access *a = u->owner;
	if (failed(u))
		return;
	PGresult *rows = a->stmt->result;
	a->stmt->result = NULL;
	pg_unit_clear(u);
	reply_tokens(a->request, rows);
	PQclear(rows);
}

void handle_token_list(struct request *r)
{
	const char *account = r->body->token_list->account;
	struct err e = {0};
	struct pg_unit *u;
	const bool own = !account || !*account || !strcmp(account, r->who->account);
	if (!own && authz_may(r->who, ROLE_MAY_ACCOUNTS, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	struct access *a = access_new(r, "access_list", listed, NULL, 0, &u);
	if (!a) {
		fail(r, ERR_NOMEM, "token list");
		return;
	}
	pg_params_text(&a->stmt->params, own ? r->who->account : account);
	pg_params_int4(&a->stmt->params, TOKENS_MAX);
	submit(a, u);
}

static void revoked(struct pg_unit *u)
{
	struct access *a = u->owner;
	struct request *r = a->request;
	struct server *s = r->server;
	if (failed(u))
		return;
	const bool found = PQntuples(a->stmt->result) > 0;
	pg_unit_clear(u);
	if (!found) {
		struct err e = {0};
		err_set(&e, ERR_NOT_FOUND, "there is no token %s of yours", a->account);
		err_remedy(&e, "`seve token list` shows them; tokens of others need an admin");
		request_fail(r, &e);
		return;
	}
	log_event(LOG_INFO, "token_revoked", "by=%s token=%s", r->who->token_id, a->account);
	Seve__Empty done = SEVE__EMPTY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	reply.body_case = SEVE__REPLY__BODY_DONE;
	reply.done = &done;
	/* First the answer: it may be the asker's own session that ends now. */
	request_reply(r, &reply);
	server_access_changed(s);
}

void handle_token_revoke(struct request *r)
{
	const char *id = r->body->token_revoke->public_id;
	struct err e = {0};
	struct pg_unit *u;
	if (!id || strlen(id) != TOKEN_PUBLIC) {
		err_set(&e, ERR_INVALID,
			"public_id: the %d characters that stand in the list of tokens",
			TOKEN_PUBLIC);
		request_fail(r, &e);
		return;
	}
	struct access *a = access_new(r, "access_revoke", revoked, NULL, 0, &u);
	if (!a) {
		fail(r, ERR_NOMEM, "token");
		return;
	}
	a->account = id;
	pg_params_text(&a->stmt->params, id);
	pg_params_int4(&a->stmt->params, r->who->account_id);
	pg_params_bool(&a->stmt->params, authz_may(r->who, ROLE_MAY_ACCOUNTS, NULL) == 0);
	submit(a, u);
}
