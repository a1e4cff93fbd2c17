/* cmd_watch.c -- tells what changes, one line a record, as it happens. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "human.h"
#include "i18n.h"
#include "say.h"
#include "scope.h"
#include "text.h"
#include "view.h"

static const char *const names[] = {"territory", "rev", "kind", "ref",   "id",
				    "op",        "by",  "at",   "fields"};
enum { COLUMNS = sizeof names / sizeof *names };

struct watching {
	struct cli *c;
	struct cli people; /* for remarks, which are made whatever the format: silence would be
			      ambiguous */
	struct out out;
	struct out_column columns[COLUMNS];
	const uint32_t *ids;
	size_t n, in_step; /* territories; of them those that are in step */
	bool once, ended, failed, connected;
	int64_t limit; /* 0: none */
	int64_t told;
	int status;
};

/* ---- what comes ---- */

static int row(struct watching *w, const char *const *cells)
{
	struct err e = {0};
	if (out_row(&w->out, cells, NULL, &e) == 0 && fflush(w->out.file) == 0)
		return 0;
	w->failed = true;
	return 1;
}

/* For people: a table would wait for its last row. */
static int line(const struct watching *w, struct seve_change *c)
{
	const char *ref = seve_change_ref(c), *id = seve_change_id(c);
	const char *by = seve_change_by(c), *fields = seve_change_fields(c);
	const struct seve_record *r = seve_change_record(c);
	const char *name = r ? seve_record_get(r, "title") : "";
	char at[HUMAN_MAX];
	human_time(seve_change_at(c), at);
	if (!name || !*name)
		name = r ? seve_record_get(r, "name") : "";
	printf("%-16s  %s/%s%s  %s %s%s%s%s%s%s%s\n", at,
	       scope_slug(w->c, seve_change_territory(c)), *ref ? "" : "~",
	       *ref ? ref : id + strlen(id) - 6, seve_change_kind(c), seve_change_op(c),
	       name && *name ? "  " : "", name ? name : "", *by ? "  " : "", by,
	       *fields ? "  " : "", fields);
	return fflush(stdout) != 0;
}

static int changed(void *ctx, struct seve_change *c)
{
	struct watching *w = ctx;
	char rev[24];
	int rc;
	snprintf(rev, sizeof rev, "%" PRIu64, seve_change_rev(c));
	const char *const cells[COLUMNS] = {scope_slug(w->c, seve_change_territory(c)),
					    rev,
					    seve_change_kind(c),
					    seve_change_ref(c),
					    seve_change_id(c),
					    seve_change_op(c),
					    seve_change_by(c),
					    seve_change_at(c),
					    seve_change_fields(c)};
	rc = w->c->format == OUT_TABLE ? line(w, c) : row(w, cells);
	return rc || (w->limit && ++w->told >= w->limit);
}

static void complain(struct watching *w, const struct seve_error *err)
{
	say_failure(w->c, err_by_name(seve_error_code(err)), seve_error_remedy(err), "%s",
		    seve_error_message(err));
	w->status = seve_error_status(err);
}

static int lost(struct watching *w, const struct seve_error *err)
{
	w->in_step = 0;
	if (w->once) {
		complain(w, err);
		return 1;
	}
	say_warning(&w->people,
		    w->connected ? _("connection lost: %s; trying again")
				 : _("not connected: %s; trying again"),
		    seve_error_message(err));
	return 0;
}

static int state(void *ctx, uint32_t territory, enum seve_watch_state what, uint64_t rev,
		 const struct seve_error *err)
{
	struct watching *w = ctx;
	const char *slug = territory ? scope_slug(w->c, territory) : "";
	switch (what) {
	case SEVE_WATCH_IN_STEP:
		w->connected = true;
		say_note(&w->people, _("%s: in step at rev %" PRIu64 "."), slug, rev);
		return w->once && ++w->in_step >= w->n;
	case SEVE_WATCH_LOST:
		return lost(w, err);
	case SEVE_WATCH_BACK:
		if (w->connected)
			say_note(&w->people, "%s", _("Connected again."));
		return 0;
	case SEVE_WATCH_RESET:
		say_note(&w->people, _("%s: changes before this moment were not told one by one."),
			 slug);
		return 0;
	case SEVE_WATCH_REVOKED:
		say_warning(&w->people, "%s", seve_error_message(err));
		w->n--;
		return w->once && w->in_step >= w->n;
	}
	return 0;
}

static void ended(void *ctx, int status, const struct seve_error *err)
{
	struct watching *w = ctx;
	w->ended = true;
	if (err)
		complain(w, err);
	else if (!w->status)
		w->status = status;
}

/* ---- waiting ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* Signals come only while we wait, so none is missed between a look and the wait. */
static void catch_signals(sigset_t *before)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigset_t block;
	sigemptyset(&a.sa_mask);
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, before);
	sigdelset(before, SIGINT);
	sigdelset(before, SIGTERM);
}

static void wait_once(struct seve *s, const sigset_t *signals)
{
	struct pollfd p = {.fd = seve_fd(s)};
	const int events = seve_events(s), ms = seve_timeout_ms(s);
	const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
	p.events = (short)((events & 1 ? POLLIN : 0) | (events & 2 ? POLLOUT : 0));
	(void)ppoll(&p, p.fd >= 0, ms < 0 ? NULL : &t, signals);
	(void)seve_process(s, NULL);
}

static int go(struct watching *w)
{
	const struct seve_watcher want = {changed, state, ended, w};
	struct seve_error *err = NULL;
	sigset_t signals;
	if (seve_watch_start(w->c->seve, w->ids, w->n, &want, &err))
		return say_seve(w->c, err);
	catch_signals(&signals);
	(void)seve_process(w->c->seve, NULL);
	while (!w->ended && !interrupted)
		wait_once(w->c->seve, &signals);
	if (w->ended)
		return w->failed ? SEVE_FAILURE : w->status;
	seve_watch_stop(w->c->seve);
	return CLI_INTERRUPTED;
}

/* ---- starting ---- */

/* Those named; else those that this machine carries; else all that one may see. */
static int which(struct cli *c, const struct words *slugs, uint32_t **ids, size_t *n)
{
	struct territory *list;
	if (slugs->n)
		return scope_ids(c, slugs, ids, n);
	int rc = scope_all(c, true, &list, n);
	if (rc == 0 && *n == 0)
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

static int run(struct watching *w)
{
	struct cli *c = w->c;
	struct err e = {0};
	if (c->format == OUT_TABLE)
		return go(w);
	view_columns(w->columns, names, COLUMNS);
	int rc = 0;
	if (out_begin(&w->out, c->format, stdout, "seve.watch/1", w->columns, COLUMNS,
		      c->no_headers, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0)
		rc = go(w);
	const int closed = out_end(&w->out, &e);
	return rc == 0 && closed < 0 ? say_err(c, &e) : rc;
}

int cmd_watch(struct cli *c)
{
	struct watching w = {.c = c};
	struct words slugs = {0};
	const char *limit = NULL;
	const struct opt table[] = {
		{OPT_LIST, "territory", 't', &slugs, "SLUG,...",
		 N_("these territories; else those that this machine carries")},
		{OPT_FLAG, "once", 0, &w.once, NULL,
		 N_("end when all that has changed so far is told")},
		{OPT_TEXT, "limit", 'n', &limit, "N", N_("end after so many changes")},
		{.type = OPT_END},
	};
	struct err e = {0};
	uint32_t *ids = NULL;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	if (limit && text_to_int(limit, 1, INT64_MAX, &w.limit, &e) < 0)
		return say_misuse(c, &e);
	if (c->where == SEVE_REPLICA)
		return say_usage(c, NULL, "%s",
				 _("what changes elsewhere is heard from the server "
				   "only: watch without --offline"));
	int rc = cli_open(c);
	if (rc == 0)
		rc = which(c, &slugs, &ids, &w.n);
	w.ids = ids;
	w.people = *c;
	w.people.format = OUT_TABLE;
	w.people.json = false;
	return rc ? rc : run(&w);
}
