/* cmd_sync.c -- synchronising, what this machine carries, and the outbox. */
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cli.h"
#include "clock.h"
#include "command.h"
#include "human.h"
#include "i18n.h"
#include "progress.h"
#include "say.h"
#include "scope.h"
#include "text.h"
#include "view.h"

/* ---- what the outbox holds ---- */

static uint32_t territory_at(const struct seve_table *t, size_t row)
{
	int64_t id = 0;
	return text_to_int(seve_table_get(t, row, "territory"), 1, UINT32_MAX, &id, NULL) == 0
		       ? (uint32_t)id
		       : 0;
}

static bool is_refused(const struct seve_table *t, size_t row)
{
	const char *state = seve_table_get(t, row, "state");
	return strcmp(state, "conflict") == 0 || strcmp(state, "rejected") == 0;
}

/* Why the server did not take an edit; on standard error, since standard output is the report. */
static void tell_refused(struct cli *c)
{
	struct seve_table *t = NULL;
	if (seve_outbox(c->seve, &t, NULL))
		return;
	for (size_t i = 0; i < seve_table_rows(t); i++) {
		if (!is_refused(t, i))
			continue;
		const char *ref = seve_table_get(t, i, "ref");
		const char *slug = scope_slug(c, territory_at(t, i));
		say_warning(c, "%s: %s/%s %s: %s (%s)", seve_table_get(t, i, "state"), slug,
			    *ref ? ref : seve_table_get(t, i, "id"), seve_table_get(t, i, "fields"),
			    seve_table_get(t, i, "text"), seve_table_get(t, i, "code"));
		say_warning(
			c,
			_("      offer it again: seve outbox retry %s --territory %s; done with "
			  "it: seve outbox drop %s --territory %s"),
			seve_table_get(t, i, "mid"), slug, seve_table_get(t, i, "mid"), slug);
	}
	seve_table_free(t);
}

/* ---- sync ---- */

/* What people want to see; programs get all of it. */
static const char *const table_columns[] = {"territory", "state",  "pushed", "merged", "conflicts",
					    "rejected",  "pulled", "rev",    "message"};
static const char *const all_columns[] = {"territory", "state",    "pushed", "applied",  "merged",
					  "conflicts", "rejected", "pulled", "verified", "again",
					  "withheld",  "rev",      "message"};
enum { COLUMNS_MAX = sizeof all_columns / sizeof *all_columns };

struct run {
	struct cli *c;
	struct out out;
	const char *const *names; /* of the columns */
	struct out_column columns[COLUMNS_MAX];
	size_t n;
	int status; /* the worst of this round */
	bool again; /* something failed that may go well later */
	uint64_t clashed, refused, moved, withheld;
};

static uint64_t count_at(const struct seve_table *t, size_t row, const char *name)
{
	int64_t n = 0;
	return text_to_int(seve_table_get(t, row, name), 0, INT64_MAX, &n, NULL) == 0 ? (uint64_t)n
										      : 0;
}

/* A state that is an error which the same again may get over. */
static bool may_go_well(const char *state)
{
	const enum err_code code = err_by_name(state);
	return code != ERR_OK && err_class(code) != ERR_PERMANENT;
}

static int add_rows(struct run *r, const struct seve_table *t)
{
	struct err e = {0};
	for (size_t i = 0; t && i < seve_table_rows(t); i++) {
		const char *cells[COLUMNS_MAX];
		for (size_t k = 0; k < r->n; k++)
			cells[k] = seve_table_get(t, i, k == 0 ? "slug" : r->names[k]);
		r->clashed += count_at(t, i, "conflicts");
		r->refused += count_at(t, i, "rejected");
		r->moved += count_at(t, i, "pushed") + count_at(t, i, "pulled");
		r->withheld += count_at(t, i, "withheld");
		r->again |= may_go_well(seve_table_get(t, i, "state"));
		if (out_row(&r->out, cells, NULL, &e) < 0)
			return say_err(r->c, &e);
	}
	return 0;
}

static int sync_one(struct run *r, uint32_t territory)
{
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	struct progress p;
	progress_start(&p, r->c);
	const int status = seve_sync(r->c->seve, territory, progress_sync, &p, &report, &err);
	progress_end(&p);
	if (status) {
		r->again |= status == SEVE_RETRY;
		say_seve(r->c, err);
		r->status = r->status && r->status != status ? SEVE_PARTIAL : status;
	}
	const int rc = add_rows(r, report);
	seve_table_free(report);
	return rc;
}

/* Those named; else those that this machine carries; else, the first time, all that one may see. */
static int which(struct cli *c, const struct words *slugs, uint32_t **ids, size_t *n)
{
	struct territory *list;
	static uint32_t all[] = {0};
	if (slugs->n)
		return scope_ids(c, slugs, ids, n);
	int rc = scope_all(c, true, &list, n);
	if (rc == 0 && *n) {
		*ids = all;
		*n = 1;
		return 0;
	}
	if (rc == 0)
		rc = scope_all(c, false, &list, n);
	if (rc)
		return rc;
	if (*n == 0)
		return say_failure(c, ERR_NOT_FOUND, _("ask its administrator for an invite"),
				   _("there is no territory that you may see"));
	*ids = arena_array(&c->arena, *n, sizeof **ids);
	if (!*ids)
		return say_nomem(c);
	for (size_t i = 0; i < *n; i++)
		(*ids)[i] = list[i].id;
	return 0;
}

static int begin_report(struct run *r)
{
	struct err e = {0};
	struct cli *c = r->c;
	const bool table = c->format == OUT_TABLE;
	r->names = table ? table_columns : all_columns;
	r->n = table ? sizeof table_columns / sizeof *table_columns : COLUMNS_MAX;
	view_columns(r->columns, r->names, r->n);
	return out_begin(&r->out, c->format, stdout, "seve.sync/1", r->columns, r->n, c->no_headers,
			 &e) < 0
		       ? say_err(c, &e)
		       : 0;
}

static int sync_round(struct run *r, const uint32_t *ids, size_t n)
{
	int rc = 0;
	r->status = 0;
	r->again = false;
	r->moved = r->withheld = 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = sync_one(r, ids[i]);
	return rc;
}

/* ---- until nothing waits any more ---- */

enum { PATIENCE_MS = 600000, PAUSE_MS = 1000, PAUSE_MAX_MS = 60000 };

static int waiting(struct cli *c, uint64_t *out)
{
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	*out = 0;
	if (seve_status_local(c->seve, &t, &err))
		return say_seve(c, err);
	for (size_t i = 0; i < seve_table_rows(t); i++)
		*out += count_at(t, i, "pending");
	seve_table_free(t);
	return 0;
}

/* Full jitter: from nothing to the ceiling, so that clients that failed together do not come back
 * together. */
static void pause_up_to(uint64_t ceiling_ms)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = (uint32_t)clock_mono_ms();
	const uint64_t ms = random % (ceiling_ms + 1);
	const struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	(void)nanosleep(&t, NULL); /* an interruption only makes it shorter */
}

/* Rounds, until all went well and nothing waits, or trying again is of no use, or the time is up.
 * What keeps failing in one territory does not keep the others. */
static int rounds(struct run *r, const uint32_t *ids, size_t n, uint64_t patience_ms)
{
	const uint64_t until = clock_mono_ms() + patience_ms;
	uint64_t pause = PAUSE_MS, left = 0;
	for (;;) {
		int rc = sync_round(r, ids, n);
		if (rc == 0)
			rc = waiting(r->c, &left);
		if (rc || (!r->again && !(left && r->moved)))
			return rc;
		const uint64_t now = clock_mono_ms();
		if (now >= until)
			return 0;
		if (r->moved)
			pause = PAUSE_MS;
		pause_up_to(pause < until - now ? pause : until - now);
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
}

static int sync_all(struct run *r, const uint32_t *ids, size_t n, bool until_clean,
		    uint64_t patience_ms)
{
	struct err e = {0};
	int rc = begin_report(r);
	if (rc == 0)
		rc = until_clean ? rounds(r, ids, n, patience_ms) : sync_round(r, ids, n);
	const int ended = out_end(&r->out, rc ? NULL : &e);
	return rc == 0 && ended < 0 ? say_err(r->c, &e) : rc;
}

/* With --until-clean, --timeout is for the whole. */
static int read_patience(struct cli *c, bool until_clean, uint64_t *out)
{
	struct err e = {0};
	int64_t ms = PATIENCE_MS;
	if (until_clean && c->timeout) {
		if (text_to_duration(c->timeout, &ms, &e) < 0)
			return say_misuse(c, &e);
		c->timeout = NULL;
	}
	*out = (uint64_t)ms;
	return 0;
}

/* What is left when nothing more can be done. */
static int ending(struct run *r, bool until_clean)
{
	uint64_t left = 0;
	if (r->withheld)
		say_note(r->c, _("%" PRIu64 " records are above the level that you may read."),
			 r->withheld);
	if (r->refused || r->clashed)
		tell_refused(r->c);
	if (r->clashed)
		say_warning(r->c, "%s",
			    _("conflict: others had changed the same meanwhile. Both versions are "
			      "kept: seve conflict list"));
	if (r->status || !until_clean)
		return r->status ? r->status : r->refused || r->clashed ? SEVE_PARTIAL : 0;
	const int rc = waiting(r->c, &left);
	return rc ? rc : left || r->refused || r->clashed ? SEVE_PARTIAL : 0;
}

int cmd_sync(struct cli *c)
{
	struct words slugs = {0};
	bool until_clean = false;
	const struct opt table[] = {
		{OPT_LIST, "territory", 't', &slugs, "SLUG,...",
		 N_("this territory; from now on this machine carries it")},
		{OPT_FLAG, "until-clean", 0, &until_clean, NULL,
		 N_("again and again until nothing waits, at most for --timeout (10m)")},
		{.type = OPT_END},
	};
	struct run r = {.c = c};
	uint64_t patience_ms = 0;
	uint32_t *ids;
	size_t n = 0;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	int rc = read_patience(c, until_clean, &patience_ms);
	if (rc == 0)
		rc = cli_open(c);
	if (rc == 0)
		rc = which(c, &slugs, &ids, &n);
	if (rc == 0)
		rc = sync_all(&r, ids, n, until_clean, patience_ms);
	return rc ? rc : ending(&r, until_clean);
}

/* ---- status ---- */

static void tell_account(struct cli *c)
{
	struct seve_table *who = NULL;
	const char *account = "";
	if (seve_whoami(c->seve, &who, NULL) == SEVE_OK && seve_table_rows(who))
		account = cli_printf(c, "%s", seve_table_get(who, 0, "account"));
	seve_table_free(who);
	say_note(c, _("Account %s on %s (profile %s)."), *account ? account : "?",
		 c->profile.server, c->profile.name);
}

int cmd_status(struct cli *c)
{
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	if (!cli_options(c, NULL, 0, 0))
		return c->status;
	int rc = cli_open(c);
	if (rc)
		return rc;
	if (seve_status_local(c->seve, &t, &err))
		return say_seve(c, err);
	tell_account(c);
	if (seve_table_rows(t) || c->format != OUT_TABLE)
		rc = view_table(c, "seve.status/1",
				"territory,rev,synced_at,pending,conflicts,rejected", t);
	else
		say_note(c, "%s",
			 _("This machine carries no territory: seve sync --territory SLUG."));
	seve_table_free(t);
	return rc;
}

/* ---- outbox ---- */

int cmd_outbox_list(struct cli *c)
{
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	if (!cli_options(c, NULL, 0, 0))
		return c->status;
	int rc = cli_open(c);
	if (rc)
		return rc;
	if (seve_outbox(c->seve, &t, &err))
		return say_seve(c, err);
	const char *columns = c->format == OUT_TABLE ? "territory,mid,state,ref,fields,text" : NULL;
	rc = view_table(c, "seve.outbox.list/1", columns, t);
	seve_table_free(t);
	return rc;
}

/* The only territory in the outbox that has this number. */
static int find_mid(struct cli *c, uint64_t mid, uint32_t *territory)
{
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	size_t hits = 0;
	if (seve_outbox(c->seve, &t, &err))
		return say_seve(c, err);
	for (size_t i = 0; i < seve_table_rows(t); i++) {
		if (count_at(t, i, "mid") != mid)
			continue;
		*territory = territory_at(t, i);
		hits++;
	}
	seve_table_free(t);
	if (hits == 0)
		return say_failure(c, ERR_NOT_FOUND, _("seve outbox list tells the numbers"),
				   _("there is no edit %" PRIu64 " in the outbox"), mid);
	return hits == 1 ? 0
			 : say_usage(c, NULL,
				     _("several territories have an edit %" PRIu64
				       ": say --territory"),
				     mid);
}

/* The entry that the command names. */
static int choose_entry(struct cli *c, uint32_t *territory, int64_t *mid)
{
	const char *slug = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &slug, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct err e = {0};
	*mid = 0;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	if (text_to_int(c->args.at[0], 1, INT64_MAX, mid, &e) < 0)
		return say_misuse(c, &e);
	const int rc = cli_open(c);
	if (rc)
		return rc;
	return slug ? scope_find(c, slug, territory) : find_mid(c, (uint64_t)*mid, territory);
}

int cmd_outbox_retry(struct cli *c)
{
	struct seve_error *err = NULL;
	uint32_t territory = 0;
	uint64_t number = 0;
	int64_t mid;
	int rc = choose_entry(c, &territory, &mid);
	if (rc || !mid)
		return rc;
	if (seve_outbox_retry(c->seve, territory, (uint64_t)mid, &number, &err))
		return say_seve(c, err);
	say_note(c, _("It waits as number %" PRIu64 "; seve sync sends it."), number);
	return 0;
}

int cmd_outbox_drop(struct cli *c)
{
	struct seve_error *err = NULL;
	uint32_t territory = 0;
	int64_t mid;
	int rc = choose_entry(c, &territory, &mid);
	if (rc == 0 && mid && seve_outbox_drop(c->seve, territory, (uint64_t)mid, &err))
		rc = say_seve(c, err);
	return rc;
}
