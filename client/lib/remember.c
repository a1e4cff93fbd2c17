/* remember.c -- what the store keeps of a Welcome (see client.h), and the questions that are
 * answered from it. */
#include <inttypes.h>

#include "client.h"
#include "clock.h"
#include "kind.h"
#include "replica.h"
#include "table.h"
#include "text.h"

/* ---- remembering
 * ------------------------------------------------------------------------------------------- */

static const char *text(const char *s)
{
	return s ? s : "";
}

static int put_number(struct store *st, const char *key, int64_t v, struct err *e)
{
	char number[32];

	snprintf(number, sizeof number, "%" PRId64, v);
	return store_meta_set(st, key, number, e);
}

/* A store belongs to one account on one server: another's outbox must not be sent under this name,
 * nor another's records be read.  An empty one changes hands. */
static int same_owner(struct seve *s, const Seve__Welcome *w, struct err *e)
{
	char account[128];
	sqlite3_stmt *q;
	int rc = store_meta_get(s->store, "account", account, sizeof account, e);

	if (rc || !*account || strcmp(account, text(w->account)) == 0)
		return rc;
	q = store_query(s->store, e, STORE_status_territories, "");
	rc = store_step(s->store, q, e);
	store_done(q);
	if (rc <= 0)
		return rc;
	err_set(e, ERR_PRECONDITION, "the store belongs to account %s, the token to %s", account,
		text(w->account));
	return err_remedy(e, "use a store (a profile) of its own for each account");
}

static int put_grants(struct store *st, const Seve__Welcome *w, struct err *e)
{
	int rc = store_run(st, e, STORE_territory_ungrant, "");

	for (size_t i = 0; !rc && i < w->n_grants; i++) {
		const Seve__Grant *g = w->grants[i];
		const struct role *role = role_by_number((int)g->role);

		if (!g->has_territory || !g->territory)
			continue;
		rc = store_run(st, e, STORE_territory_put,
			       "ittttt"
			       "ii",
			       (int64_t)g->territory, text(g->slug), text(g->name), text(g->region),
			       role ? role->name : "", text(g->source), (int64_t)g->view,
			       (int64_t)1);
	}
	return rc;
}

static int remember_in(struct seve *s, const Seve__Welcome *w, struct err *e)
{
	int rc = same_owner(s, w, e);

	if (!rc)
		rc = store_meta_set(s->store, "account", text(w->account), e);
	if (!rc)
		rc = store_meta_set(s->store, "server", text(w->server), e);
	if (!rc)
		rc = put_number(s->store, "epoch", (int64_t)w->epoch, e);
	if (!rc)
		rc = put_number(s->store, "clock_skew_ms", w->clock_ms - clock_wall_ms(), e);
	return rc ? rc : put_grants(s->store, w, e);
}

int client_remember(struct seve *s, const Seve__Welcome *w, struct err *e)
{
	int rc = store_begin(s->store, e);

	if (!rc)
		rc = store_end(s->store, remember_in(s, w, e), e);
	if (rc)
		return rc;
	s->epoch = w->epoch;
	s->skew_ms = w->clock_ms - clock_wall_ms();
	snprintf(s->account, sizeof s->account, "%s", text(w->account));
	return 0;
}

/* ---- what is withheld
 * ---------------------------------------------------------------------------------------------
 */

static void withheld_key(uint32_t territory, char out[static 32])
{
	snprintf(out, 32, "withheld.%" PRIu32, territory);
}

int client_remember_withheld(struct seve *s, uint32_t territory, const Seve__PullReply *pull,
			     struct err *e)
{
	char key[32];

	if (!pull->has_withheld)
		return 0;
	withheld_key(territory, key);
	return put_number(s->store, key, (int64_t)pull->withheld, e);
}

int seve_withheld(struct seve *s, uint32_t territory, uint64_t *n, struct seve_error **err)
{
	char key[32], value[32] = "", slug[REPLICA_NAME];
	struct err e = {0};
	int64_t number;

	withheld_key(territory, key);
	if (store_meta_get(s->store, key, value, sizeof value, &e))
		return error_out(err, &e);
	if (!*value) {
		err_set(&e, ERR_NOT_FOUND, "the territory %s has not been read whole yet",
			replica_name(s->store, territory, slug));
		err_remedy(&e, "synchronise it first");
	} else if (text_to_int(value, 0, INT64_MAX, &number, &e) == 0) {
		*n = (uint64_t)number;
	}
	return error_out(err, &e);
}

/* ---- who am I
 * -------------------------------------------------------------------------------------------------
 */

int seve_whoami(struct seve *s, struct seve_table **out, struct seve_error **err)
{
	static const char *const columns[] = {"account", "server", "epoch", "clock_skew_ms", NULL};
	struct seve_table *t;
	struct err e = {0};

	if (!*s->account && client_connect(s, &e))
		return error_out(err, &e);
	t = table_new(columns);
	table_row(t);
	for (size_t i = 0; columns[i]; i++) {
		char value[256];

		if (store_meta_get(s->store, columns[i], value, sizeof value, &e)) {
			seve_table_free(t);
			return error_out(err, &e);
		}
		table_put(t, columns[i], "%s", value);
	}
	table_finish(t, out, &e);
	return error_out(err, &e);
}

/* ---- territories
 * --------------------------------------------------------------------------------------------------
 */

static void put_instant(struct seve_table *t, const char *column, int64_t ms)
{
	char instant[32];

	if (!ms)
		return;
	text_from_instant(ms, instant);
	table_put(t, column, "%s", instant);
}

static int list_territories(struct seve *s, struct seve_table *t, struct err *e)
{
	sqlite3_stmt *q = store_query(s->store, e, STORE_territory_list, "");
	int rc;

	while ((rc = store_step(s->store, q, e)) == 1) {
		table_row(t);
		table_put(t, "territory", "%" PRId64, store_int(q, 0));
		table_put(t, "slug", "%s", store_text(q, 1));
		table_put(t, "name", "%s", store_text(q, 2));
		table_put(t, "region", "%s", store_text(q, 3));
		table_put(t, "role", "%s", store_text(q, 4));
		table_put(t, "source", "%s", store_text(q, 5));
		table_put(t, "replica", "%s", store_int(q, 6) ? "yes" : "no");
		table_put(t, "rev", "%" PRId64, store_int(q, 7));
		put_instant(t, "synced_at", store_int(q, 8));
	}
	return rc;
}

int seve_territories(struct seve *s, struct seve_table **out, struct seve_error **err)
{
	static const char *const columns[] = {"territory", "slug",    "name", "region",    "role",
					      "source",    "replica", "rev",  "synced_at", NULL};
	struct seve_table *t;
	struct err e = {0};

	/* What was true at the last connection, when there is none now; what was refused is told.
	 */
	if (client_connect(s, &e) && (!client_retryable(&e) || !*s->account))
		return error_out(err, &e);
	e.code = ERR_OK;
	t = table_new(columns);
	if (list_territories(s, t, &e))
		seve_table_free(t);
	else
		table_finish(t, out, &e);
	return error_out(err, &e);
}

/* 1: found. */
static int find_territory(struct seve *s, const char *slug, uint32_t *out, struct err *e)
{
	sqlite3_stmt *q = store_query(s->store, e, STORE_territory_by_slug, "t", slug);
	int rc = store_step(s->store, q, e);

	if (rc == 1)
		*out = (uint32_t)store_int(q, 0);
	store_done(q);
	return rc;
}

static int territory_in(struct seve *s, const char *slug, uint32_t *out, struct err *e)
{
	int64_t number;
	int rc;

	if (text_to_int(slug, 1, UINT32_MAX, &number, NULL) == 0) {
		*out = (uint32_t)number;
		return 0;
	}
	rc = find_territory(s, slug, out, e);
	if (rc < 0)
		return rc;
	if (!rc && s->options.server) {
		rc = client_connect(s, e);
		if (!rc)
			rc = find_territory(s, slug, out, e);
		if (rc < 0)
			return rc;
	}
	if (rc)
		return 0;
	err_set(e, ERR_NOT_FOUND, "there is no territory \"%s\" among yours", slug);
	return err_remedy(e, "seve territory list shows those that you may read");
}

int seve_territory_id(struct seve *s, const char *slug, uint32_t *out, struct seve_error **err)
{
	struct err e = {0};

	if (!slug || !*slug)
		err_set(&e, ERR_USAGE, "no territory");
	else
		territory_in(s, slug, out, &e);
	return error_out(err, &e);
}
