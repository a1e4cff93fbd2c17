/* test_auth.c -- who comes in, and who no longer: invites, tokens, grants, revocation across server
 * processes, the penalty for failures. */
#include "fixture.h"

#include <string.h>

#include "clock.h"
#include "invite.h"
#include "peer.h"
#include "token.h"

struct scene {
	struct host host;
	char token[80]; /* of the account admin */
};

static void enrol(struct host *h, const char *account, char out[static 80])
{
	struct peer p;
	char code[64];
	host_invite(h, account, code);
	Seve__Welcome *w = peer_open(&p, h, NULL, code);
	assert_non_null(w);
	assert_int_equal(strlen(w->token), TOKEN_LENGTH);
	snprintf(out, 80, "%s", w->token);
	peer_free(w);
	peer_close(&p);
}

static int set_up_with(void **state, const char *const *flags)
{
	static struct scene s;
	memset(&s, 0, sizeof s);
	host_start(&s.host, flags);
	enrol(&s.host, "admin", s.token);
	*state = &s;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, NULL);
}

static int set_up_strict(void **state)
{
	static const char *const flags[] = {"penalty-loopback", "yes", NULL};
	return set_up_with(state, flags);
}

static int set_up_rated(void **state)
{
	static const char *const flags[] = {"request-rate", "1", "request-burst", "5", NULL};
	return set_up_with(state, flags);
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	clock_fake(0);
	host_stop(&s->host);
	return 0;
}

static Seve__Welcome *open_session(struct scene *s, struct peer *p)
{
	Seve__Welcome *w = peer_open(p, &s->host, s->token, NULL);
	assert_non_null(w);
	return w;
}

static void expect_refused(struct host *h, const char *token, const char *invite,
			   const char *detail)
{
	struct peer p;
	assert_null(peer_open(&p, h, token, invite));
	peer_expect_error(&p, detail);
	peer_expect_closed(&p);
	peer_close(&p);
}

static void sql(struct scene *s, const char *text)
{
	fixture_sql(s->host.db.conninfo, text);
}

/* ---- invites ----------------------------------------------------------------------------------
 */

static void an_invite_enrols_once(void **state)
{
	struct scene *s = *state;
	struct peer p;
	char code[64];
	host_invite(&s->host, "admin", code);
	Seve__Welcome *w = peer_open(&p, &s->host, NULL, code);
	assert_non_null(w);
	assert_string_equal(w->account, "admin");
	assert_int_equal(w->n_grants, 1);
	assert_int_equal(w->grants[0]->role, SEVE__ROLE__ROLE_ADMIN);
	assert_false(w->grants[0]->has_territory);
	assert_true(w->token_expires_at > clock_wall_ms());
	assert_int_equal(w->epoch, s->host.server->epoch);
	peer_free(w);
	peer_close(&p);
	expect_refused(&s->host, NULL, code, "UNAUTHENTICATED");
}

static void of_two_that_spend_an_invite_together_one_gets_in(void **state)
{
	struct scene *s = *state;
	struct peer p[4];
	char code[64];
	unsigned in = 0;
	host_invite(&s->host, "admin", code);
	for (int i = 0; i < 4; i++) {
		peer_connect(&p[i], &s->host);
		peer_secure(&p[i]);
	}
	for (int i = 0; i < 4; i++)
		peer_hello(&p[i], NULL, code);
	host_turn(&s->host, 300);
	in = (unsigned)s->host.server->priv->conns.phase[CONN_READY].n;
	assert_int_equal(in, 1);
	for (int i = 0; i < 4; i++)
		peer_close(&p[i]);
	assert_int_equal(fixture_number(s->host.db.conninfo, "SELECT count(*) FROM token"), 2);
}

static void an_expired_or_unknown_invite_is_refused(void **state)
{
	struct scene *s = *state;
	char code[64];
	host_invite(&s->host, "admin", code);
	sql(s, "UPDATE invite SET expires_at = now() - interval '1 second' WHERE spent_at IS NULL");
	expect_refused(&s->host, NULL, code, "UNAUTHENTICATED");
	code[3] = code[3] == 'a' ? 'b' : 'a';
	expect_refused(&s->host, NULL, code, "UNAUTHENTICATED");
	expect_refused(&s->host, NULL, "not a code", "UNAUTHENTICATED");
}

static void a_code_is_read_as_people_type_it(void **state)
{
	struct scene *s = *state;
	struct peer p;
	char code[64], typed[128];
	size_t n = 0;
	host_invite(&s->host, "admin", code);
	for (size_t i = 0; code[i]; i++) {
		if (i && i % 4 == 0)
			typed[n++] = i % 8 ? '-' : ' ';
		typed[n++] = (char)(code[i] >= 'a' ? code[i] - 32 : code[i]);
	}
	typed[n] = '\0';
	Seve__Welcome *w = peer_open(&p, &s->host, NULL, typed);
	assert_non_null(w);
	peer_free(w);
	peer_close(&p);
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

static void a_token_opens_a_session_and_is_not_shown_again(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__Welcome *w = open_session(s, &p);
	assert_null(w->token);
	assert_string_equal(w->account, "admin");
	assert_int_equal(w->limits->frame_max, FRAME_MAX);
	peer_free(w);
	peer_close(&p);
}

static void a_wrong_revoked_or_expired_token_is_refused(void **state)
{
	struct scene *s = *state;
	struct err e = {0};
	struct token other;
	char text[80];
	assert_int_equal(token_make(&other, &e), 0);
	expect_refused(&s->host, other.text, NULL, "UNAUTHENTICATED");
	/* The public id of one with the secret of the other fails at its check sum already. */
	snprintf(text, sizeof text, "%.14s%.51s", s->token, other.text + 14);
	expect_refused(&s->host, text, NULL, "UNAUTHENTICATED");
	expect_refused(&s->host, "svt_short", NULL, "UNAUTHENTICATED");
	expect_refused(&s->host, NULL, NULL, "UNAUTHENTICATED");
	expect_refused(&s->host, s->token, "both", "UNAUTHENTICATED");
	sql(s, "UPDATE token SET expires_at = now() - interval '1 second'");
	expect_refused(&s->host, s->token, NULL, "UNAUTHENTICATED");
	sql(s, "UPDATE token SET expires_at = now() + interval '1 day', revoked_at = now()");
	expect_refused(&s->host, s->token, NULL, "UNAUTHENTICATED");
}

/* A secret that has the right form and the right id, but is another one. */
static void a_known_id_with_another_secret_is_refused(void **state)
{
	struct scene *s = *state;
	struct err e = {0};
	struct token other;
	char change[160];
	assert_int_equal(token_make(&other, &e), 0);
	snprintf(change, sizeof change, "UPDATE token SET public_id = '%s'", other.public_id);
	sql(s, change);
	expect_refused(&s->host, other.text, NULL, "UNAUTHENTICATED");
}

static void use_is_noted_by_the_hour(void **state)
{
	struct scene *s = *state;
	struct peer p;
	sql(s, "UPDATE token SET used_at = now() - interval '30 minutes'");
	peer_free(open_session(s, &p));
	host_turn(&s->host, 100);
	peer_close(&p);
	assert_int_equal(
		fixture_number(
			s->host.db.conninfo,
			"SELECT count(*) FROM token WHERE used_at > now() - interval '1 minute'"),
		0);
	sql(s, "UPDATE token SET used_at = now() - interval '61 minutes'");
	peer_free(open_session(s, &p));
	host_turn(&s->host, 100);
	peer_close(&p);
	assert_int_equal(
		fixture_number(
			s->host.db.conninfo,
			"SELECT count(*) FROM token WHERE used_at > now() - interval '1 minute'"),
		1);
}

static void a_client_of_another_protocol_is_told_which(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__Hello m = SEVE__HELLO__INIT;
	peer_connect(&p, &s->host);
	peer_secure(&p);
	m.has_proto_min = m.has_proto_max = 1;
	m.proto_min = 7;
	m.proto_max = 9;
	m.token = s->token;
	peer_send(&p, FRAME_HELLO, &m.base);
	peer_expect_error(&p, "PROTOCOL");
	peer_close(&p);
	/* No client id. */
	peer_connect(&p, &s->host);
	peer_secure(&p);
	m.proto_min = m.proto_max = 1;
	peer_send(&p, FRAME_HELLO, &m.base);
	peer_expect_error(&p, "INVALID");
	peer_close(&p);
}

/* ---- methods ----------------------------------------------------------------------------------
 */

static Seve__Reply *invite(struct peer *p, const char *account, Seve__Role role, uint32_t territory,
			   const char *source)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__InviteCreate q = SEVE__INVITE_CREATE__INIT;
	q.account = (char *)(uintptr_t)account;
	q.has_role = 1;
	q.role = role;
	q.n_territories = territory ? 1 : 0;
	q.territories = &territory;
	q.source = (char *)(uintptr_t)source;
	r.body_case = SEVE__REQUEST__BODY_INVITE_CREATE;
	r.invite_create = &q;
	peer_request(p, &r);
	return peer_reply(p);
}

static void expect_invite_refused(struct peer *p, const char *account, Seve__Role role,
				  uint32_t territory, const char *source, const char *detail)
{
	Seve__Reply *reply = invite(p, account, role, territory, source);
	assert_non_null(reply->error);
	assert_string_equal(reply->error->detail, detail);
	peer_free(reply);
}

/* Makes an invite by the method and enrols with it. */
static void invite_and_enrol(struct scene *s, struct peer *admin, const char *account,
			     Seve__Role role, uint32_t territory, char out[static 80])
{
	struct peer p;
	char code[64] = "";
	Seve__Reply *reply = invite(admin, account, role, territory, NULL);
	assert_null(reply->error);
	const char *line = reply->invite_create->code;
	assert_int_equal(strncmp(line, "seve-invite:localhost:", 22), 0);
	const char *at = strchr(line + 22, ':');
	assert_non_null(at);
	snprintf(code, sizeof code, "%.*s", (int)strcspn(at + 1, ":"), at + 1);
	assert_int_equal(strlen(code), INVITE_CODE);
	/* The CA's certificate in DER begins with a SEQUENCE of two bytes' length. */
	assert_int_equal(strncmp(strrchr(line, ':'), ":MII", 4), 0);
	assert_null(strpbrk(strrchr(line, ':'), "+/="));
	assert_true(reply->invite_create->expires_at > clock_wall_ms() + 71 * 3600000ll);
	peer_free(reply);
	Seve__Welcome *w = peer_open(&p, &s->host, NULL, code);
	assert_non_null(w);
	snprintf(out, 80, "%s", w->token);
	peer_free(w);
	peer_close(&p);
}

static void make_territories(struct scene *s)
{
	sql(s, "INSERT INTO territory_head (slug) VALUES ('dinan'), ('redon')");
	sql(s, "SELECT set_config('seve.territories', '{1,2}', false);"
	       "INSERT INTO territory (territory_id, id, slug, name, region) VALUES"
	       " (1, gen_random_uuid(), 'dinan', 'Pays de Dinan', 'Bretagne'),"
	       " (2, gen_random_uuid(), 'redon', 'Pays de Redon', 'Bretagne')");
}

static void an_admin_invites_and_others_may_not(void **state)
{
	struct scene *s = *state;
	struct peer admin, p;
	char token[80];
	make_territories(s);
	peer_free(open_session(s, &admin));
	invite_and_enrol(s, &admin, "claire", SEVE__ROLE__ROLE_FACILITATOR, 1, token);
	Seve__Welcome *w = peer_open(&p, &s->host, token, NULL);
	assert_non_null(w);
	assert_int_equal(w->n_grants, 1);
	assert_int_equal(w->grants[0]->territory, 1);
	assert_string_equal(w->grants[0]->slug, "dinan");
	assert_string_equal(w->grants[0]->name, "Pays de Dinan");
	assert_string_equal(w->grants[0]->region, "Bretagne");
	assert_true(w->grants[0]->view != 0);
	peer_free(w);
	expect_invite_refused(&p, "x", SEVE__ROLE__ROLE_OBSERVER, 1, NULL, "DENIED");
	peer_close(&p);
	peer_close(&admin);
}

static void an_invite_that_makes_no_sense_is_refused(void **state)
{
	struct scene *s = *state;
	struct peer p;
	char longer[102];
	memset(longer, 'x', 101);
	longer[101] = '\0';
	make_territories(s);
	peer_free(open_session(s, &p));
	expect_invite_refused(&p, "a", SEVE__ROLE__ROLE_FACILITATOR, 0, NULL, "INVALID");
	expect_invite_refused(&p, "a", SEVE__ROLE__ROLE_ADMIN, 1, NULL, "INVALID");
	expect_invite_refused(&p, "a", SEVE__ROLE__ROLE_UNSPECIFIED, 1, NULL, "INVALID");
	expect_invite_refused(&p, "a", SEVE__ROLE__ROLE_IMPORTER, 1, NULL, "INVALID");
	expect_invite_refused(&p, "a", SEVE__ROLE__ROLE_OBSERVER, 1, "sirene", "INVALID");
	expect_invite_refused(&p, "", SEVE__ROLE__ROLE_OBSERVER, 1, NULL, "INVALID");
	expect_invite_refused(&p, " a", SEVE__ROLE__ROLE_OBSERVER, 1, NULL, "INVALID");
	expect_invite_refused(&p, "a\nb", SEVE__ROLE__ROLE_OBSERVER, 1, NULL, "INVALID");
	expect_invite_refused(&p, longer, SEVE__ROLE__ROLE_OBSERVER, 1, NULL, "INVALID");
	expect_invite_refused(&p, "a", SEVE__ROLE__ROLE_OBSERVER, 99, NULL, "NOT_FOUND");
	assert_int_equal(fixture_number(s->host.db.conninfo, "SELECT count(*) FROM account"), 1);
	Seve__Reply *reply = invite(&p, "partner", SEVE__ROLE__ROLE_IMPORTER, 1, "sirene");
	assert_null(reply->error);
	peer_free(reply);
	/* One account, one source in a territory. */
	expect_invite_refused(&p, "partner", SEVE__ROLE__ROLE_IMPORTER, 1, "irep", "NOT_FOUND");
	peer_close(&p);
}

static Seve__Reply *list_tokens(struct peer *p, const char *account)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__TokenList q = SEVE__TOKEN_LIST__INIT;
	q.account = (char *)(uintptr_t)account;
	r.body_case = SEVE__REQUEST__BODY_TOKEN_LIST;
	r.token_list = &q;
	peer_request(p, &r);
	return peer_reply(p);
}

static Seve__Reply *revoke_token(struct peer *p, const char *token)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__TokenRevoke q = SEVE__TOKEN_REVOKE__INIT;
	char id[TOKEN_PUBLIC + 1];
	snprintf(id, sizeof id, "%s", token + 4);
	q.public_id = id;
	r.body_case = SEVE__REQUEST__BODY_TOKEN_REVOKE;
	r.token_revoke = &q;
	peer_request(p, &r);
	return peer_reply(p);
}

static void tokens_are_listed_and_revoked_by_whom_they_belong_to(void **state)
{
	struct scene *s = *state;
	struct peer admin, p;
	char token[80];
	make_territories(s);
	peer_free(open_session(s, &admin));
	invite_and_enrol(s, &admin, "claire", SEVE__ROLE__ROLE_FACILITATOR, 1, token);
	peer_free(peer_open(&p, &s->host, token, NULL));

	Seve__Reply *reply = list_tokens(&p, NULL);
	assert_int_equal(reply->token_list->n_tokens, 1);
	assert_string_equal(reply->token_list->tokens[0]->account, "claire");
	assert_string_equal(reply->token_list->tokens[0]->device, "test");
	assert_false(reply->token_list->tokens[0]->revoked);
	peer_free(reply);
	reply = list_tokens(&p, "admin");
	assert_string_equal(reply->error->detail, "DENIED");
	peer_free(reply);
	reply = revoke_token(&p, s->token);
	assert_string_equal(reply->error->detail, "NOT_FOUND");
	peer_free(reply);
	reply = list_tokens(&admin, "claire");
	assert_int_equal(reply->token_list->n_tokens, 1);
	peer_free(reply);

	/* One's own: first the answer, then the end. */
	reply = revoke_token(&p, token);
	assert_null(reply->error);
	assert_int_equal(reply->body_case, SEVE__REPLY__BODY_DONE);
	peer_free(reply);
	peer_expect_error(&p, "UNAUTHENTICATED");
	peer_expect_closed(&p);
	peer_close(&p);
	expect_refused(&s->host, token, NULL, "UNAUTHENTICATED");
	peer_status(&admin);
	peer_close(&admin);
}

/* ---- changes while sessions are open ----------------------------------------------------------
 */

static void a_revocation_ends_sessions_in_other_processes_too(void **state)
{
	struct scene *s = *state;
	struct host second;
	struct peer admin, here, there;
	char token[80];
	make_territories(s);
	host_join(&second, &s->host, NULL);
	assert_true(second.server->epoch == s->host.server->epoch);
	peer_free(open_session(s, &admin));
	invite_and_enrol(s, &admin, "claire", SEVE__ROLE__ROLE_FACILITATOR, 1, token);
	peer_free(peer_open(&here, &s->host, token, NULL));
	peer_free(peer_open(&there, &second, token, NULL));
	const uint64_t before = uv_hrtime();
	Seve__Reply *reply = revoke_token(&admin, token);
	assert_null(reply->error);
	peer_free(reply);
	peer_expect_error(&here, "UNAUTHENTICATED");
	peer_expect_error(&there, "UNAUTHENTICATED");
	print_message("revoked in both processes after %.0f ms\n",
		      (double)(uv_hrtime() - before) / 1e6);
	peer_expect_closed(&there);
	peer_status(&admin);
	peer_close(&here);
	peer_close(&there);
	peer_close(&admin);
	host_stop(&second);
}

static size_t grants_of(struct peer *p)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__StatusRequest status = SEVE__STATUS_REQUEST__INIT;
	r.body_case = SEVE__REQUEST__BODY_STATUS;
	r.status = &status;
	peer_request(p, &r);
	Seve__Reply *reply = peer_reply(p);
	assert_null(reply->error);
	const size_t n = reply->status->n_grants;
	assert_int_equal(reply->status->n_heads, n);
	peer_free(reply);
	return n;
}

static void a_new_grant_reaches_open_sessions_everywhere(void **state)
{
	struct scene *s = *state;
	struct host second;
	struct peer admin, here, there;
	char token[80];
	make_territories(s);
	host_join(&second, &s->host, NULL);
	peer_free(open_session(s, &admin));
	invite_and_enrol(s, &admin, "claire", SEVE__ROLE__ROLE_FACILITATOR, 1, token);
	peer_free(peer_open(&here, &s->host, token, NULL));
	peer_free(peer_open(&there, &second, token, NULL));
	assert_int_equal(grants_of(&here), 1);
	Seve__Reply *reply = invite(&admin, "claire", SEVE__ROLE__ROLE_COORDINATOR, 2, NULL);
	assert_null(reply->error);
	peer_free(reply);
	host_turn(&s->host, 200);
	assert_int_equal(grants_of(&here), 2);
	assert_int_equal(grants_of(&there), 2);
	peer_close(&here);
	peer_close(&there);
	peer_close(&admin);
	host_stop(&second);
}

/* No bell rings for what is done by hand: half a minute does it. */
static void a_change_by_hand_is_found_by_the_poll(void **state)
{
	struct scene *s = *state;
	struct peer p;
	clock_fake(clock_wall_ms());
	peer_free(open_session(s, &p));
	auth_sweep(s->host.server);
	host_turn(&s->host, 50);
	sql(s, "UPDATE token SET revoked_at = now()");
	clock_fake_advance(AUTH_REFRESH_MS + 1);
	auth_sweep(s->host.server);
	peer_expect_error(&p, "UNAUTHENTICATED");
	peer_close(&p);
}

static void a_token_that_expires_ends_its_sessions(void **state)
{
	struct scene *s = *state;
	struct peer p;
	sql(s, "UPDATE token SET expires_at = now() + interval '10 seconds'");
	clock_fake(clock_wall_ms());
	peer_free(open_session(s, &p));
	clock_fake_advance(10001);
	auth_sweep(s->host.server);
	peer_expect_error(&p, "UNAUTHENTICATED");
	peer_close(&p);
}

/* ---- limits -----------------------------------------------------------------------------------
 */

static void after_ten_failures_a_source_waits(void **state)
{
	struct scene *s = *state;
	struct peer p;
	clock_fake(clock_wall_ms());
	for (int i = 0; i < 11; i++)
		expect_refused(&s->host, "svt_short", NULL, "UNAUTHENTICATED");
	/* Closed before a word. */
	peer_connect(&p, &s->host);
	peer_expect_closed(&p);
	peer_close(&p);
	assert_int_equal(s->host.server->priv->metrics.shed, 1);
	clock_fake_advance(5001);
	peer_free(open_session(s, &p));
	peer_close(&p);
	/* Success has cleared the count. */
	expect_refused(&s->host, "svt_short", NULL, "UNAUTHENTICATED");
	peer_free(open_session(s, &p));
	peer_close(&p);
}

static void a_token_that_asks_too_often_is_told_to_wait(void **state)
{
	struct scene *s = *state;
	struct peer p;
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__StatusRequest status = SEVE__STATUS_REQUEST__INIT;
	clock_fake(clock_wall_ms());
	peer_free(open_session(s, &p));
	for (int i = 0; i < 5; i++)
		peer_status(&p);
	r.body_case = SEVE__REQUEST__BODY_STATUS;
	r.status = &status;
	peer_request(&p, &r);
	Seve__Reply *reply = peer_reply(&p);
	assert_string_equal(reply->error->detail, "EXHAUSTED");
	assert_true(reply->error->retry_after_ms > 0 && reply->error->retry_after_ms <= 1001);
	peer_free(reply);
	clock_fake_advance(1001);
	peer_status(&p);
	peer_close(&p);
}

/* ---- forms ------------------------------------------------------------------------------------
 */

static void a_changed_character_breaks_a_token(void **state)
{
	(void)state;
	struct err e = {0};
	struct token t, back;
	assert_int_equal(token_make(&t, &e), 0);
	assert_int_equal(token_read(t.text, &back, &e), 0);
	assert_string_equal(t.public_id, back.public_id);
	assert_memory_equal(t.hash, back.hash, TOKEN_HASH);
	for (size_t i = 0; i < TOKEN_LENGTH; i++) {
		char text[TOKEN_LENGTH + 1];
		memcpy(text, t.text, sizeof text);
		text[i] = text[i] == 'x' ? 'y' : 'x';
		assert_int_equal(token_read(text, &back, &e), -ERR_UNAUTHENTICATED);
	}
}

static void the_line_of_an_invite_names_host_port_code_and_ca(void **state)
{
	(void)state;
	struct err e = {0};
	struct buf b;
	static const char *const bad[] = {"localhost", ":1",       "localhost:0", "localhost:70000",
					  "::1:80",    "a:b:7433", "host:port"};
	buf_init(&b, INVITE_LINE_MAX);
	assert_int_equal(invite_line(&b, "[::1]:7433", "code", "", &e), 0);
	assert_int_equal(buf_add(&b, "", 1), 0);
	assert_string_equal((const char *)buf_span(&b).at, "seve-invite:[::1]:7433:code:-");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(invite_line(&b, bad[i], "code", "", &e), -ERR_CONFIG);
	assert_int_equal(invite_line(&b, "h:1", "code", "/nowhere/ca.pem", &e), -ERR_CONFIG);
	buf_fini(&b);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(an_invite_enrols_once),
		ROW(of_two_that_spend_an_invite_together_one_gets_in),
		ROW(an_expired_or_unknown_invite_is_refused),
		ROW(a_code_is_read_as_people_type_it),
		ROW(a_token_opens_a_session_and_is_not_shown_again),
		ROW(a_wrong_revoked_or_expired_token_is_refused),
		ROW(a_known_id_with_another_secret_is_refused),
		ROW(use_is_noted_by_the_hour),
		ROW(a_client_of_another_protocol_is_told_which),
		ROW(an_admin_invites_and_others_may_not),
		ROW(an_invite_that_makes_no_sense_is_refused),
		ROW(tokens_are_listed_and_revoked_by_whom_they_belong_to),
		ROW(a_revocation_ends_sessions_in_other_processes_too),
		ROW(a_new_grant_reaches_open_sessions_everywhere),
		ROW(a_change_by_hand_is_found_by_the_poll),
		ROW(a_token_that_expires_ends_its_sessions),
		cmocka_unit_test_setup_teardown(after_ten_failures_a_source_waits, set_up_strict,
						tear_down),
		cmocka_unit_test_setup_teardown(a_token_that_asks_too_often_is_told_to_wait,
						set_up_rated, tear_down),
		cmocka_unit_test(a_changed_character_breaks_a_token),
		cmocka_unit_test(the_line_of_an_invite_names_host_port_code_and_ca),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}
