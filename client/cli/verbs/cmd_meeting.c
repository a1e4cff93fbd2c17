/* cmd_meeting.c -- a meeting as it goes: held, with who was there; its minutes; closed. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "deed.h"
#include "file.h"
#include "i18n.h"
#include "names.h"
#include "say.h"

/* ---- hold ---- */

struct holding {
	struct deed deed;
	struct words present, excused, absent;
	struct seve_record *meeting;
	struct seve_list *attendances; /* that stand already */
};

/* The attendance of an actor, whether it was invited or not. */
static int attendance_of(struct holding *h, const char *actor, struct seve_record **out)
{
	struct deed *d = &h->deed;
	for (size_t i = 0; i < seve_list_count(h->attendances); i++) {
		const struct seve_record *a = seve_list_at(h->attendances, i);
		if (strcmp(seve_record_get(a, "actor_id"), actor) == 0)
			return deed_copy(d, a, out);
	}
	int rc = deed_new(d, "attendance", out);
	const struct deed_value values[] = {
		{"meeting_id", seve_record_id(h->meeting)}, {"actor_id", actor}, {NULL, NULL}};
	return rc ? rc : deed_fill(d, *out, values);
}

static int attend(struct holding *h, const struct words *lists, const char *status)
{
	struct words actors = {0};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < lists->n; i++)
		rc = words_add_list(&h->deed.c->arena, &actors, lists->at[i]) ? say_nomem(h->deed.c)
									      : 0;
	for (size_t i = 0; rc == 0 && i < actors.n; i++) {
		const char *id;
		struct seve_record *r;
		rc = names_id(h->deed.c, h->deed.territory, "actor", actors.at[i], &id);
		if (rc == 0)
			rc = attendance_of(h, id, &r);
		if (rc == 0)
			rc = deed_set(&h->deed, r, "status", status);
	}
	return rc;
}

static int hold(struct holding *h)
{
	struct deed *d = &h->deed;
	int rc = deed_take(d, "meeting", d->c->args.at[0], &h->meeting);
	if (rc == 0)
		rc = deed_set(d, h->meeting, "state", "held");
	if (rc == 0)
		rc = deed_list(d, "attendance", "meeting_id", seve_record_id(h->meeting),
			       &h->attendances);
	if (rc == 0)
		rc = attend(h, &h->present, "present");
	if (rc == 0)
		rc = attend(h, &h->excused, "excused");
	if (rc == 0)
		rc = attend(h, &h->absent, "absent");
	return rc ? rc : deed_save(d, 1, _("held"));
}

int cmd_meeting_hold(struct cli *c)
{
	struct holding h = {.deed = {.c = c}};
	const struct opt table[] = {
		{OPT_LIST, "present", 'p', &h.present, "ACTOR,…", N_("who was there")},
		{OPT_LIST, "excused", 0, &h.excused, "ACTOR,…", N_("who was excused")},
		{OPT_LIST, "absent", 0, &h.absent, "ACTOR,…", N_("who was not there")},
		DEED_OPTIONS(h.deed),
	};
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = deed_end(&h.deed, hold(&h));
	seve_list_free(h.attendances);
	return rc;
}

/* ---- close ---- */

int cmd_meeting_close(struct cli *c)
{
	struct deed d = {.c = c};
	struct seve_record *meeting;
	const struct opt table[] = {DEED_OPTIONS(d)};
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = deed_take(&d, "meeting", c->args.at[0], &meeting);
	if (rc == 0)
		rc = deed_set(&d, meeting, "state", "closed");
	if (rc == 0)
		rc = deed_save(&d, 1, _("closed"));
	return deed_end(&d, rc);
}

/* ---- minutes ---- */

enum { MINUTES_MAX = 16 * 1024 };

/* The text, or what stands on standard input. */
static int read_text(struct cli *c, const char *word, const char **out)
{
	static char text[MINUTES_MAX + 1];
	if (strcmp(word, "-") != 0) {
		*out = word;
		return 0;
	}
	size_t n = fread(text, 1, sizeof text, stdin);
	if (n > MINUTES_MAX)
		return say_failure(c, ERR_TOO_BIG, _("cut it into several"),
				   _("minutes of more than %d bytes"), MINUTES_MAX);
	while (n && strchr(" \n\r\t", text[n - 1]))
		n--;
	text[n] = '\0';
	*out = text;
	return 0;
}

static int add_minute(struct deed *d, const char *kind, const char *action)
{
	struct seve_record *meeting = NULL, *minute;
	const char *text = NULL, *action_id = NULL;
	int rc = names_record(d->c, d->slug, "meeting", d->c->args.at[0], &meeting);
	if (rc)
		return rc;
	d->territory = seve_record_territory(meeting);
	if (action)
		rc = names_id(d->c, d->territory, "action", action, &action_id);
	if (rc == 0)
		rc = read_text(d->c, d->c->args.at[1], &text);
	if (rc == 0)
		rc = deed_new(d, "minute", &minute);
	if (rc == 0) {
		const struct deed_value values[] = {{"meeting_id", seve_record_id(meeting)},
						    {"kind", kind},
						    {"text", text},
						    {"action_id", action_id},
						    {NULL, NULL}};
		rc = deed_fill(d, minute, values);
	}
	seve_record_free(meeting);
	return rc ? rc : deed_save(d, 1, _("added"));
}

int cmd_meeting_minutes(struct cli *c)
{
	struct deed d = {.c = c};
	const char *action = NULL;
	bool decision = false;
	const struct opt table[] = {
		{OPT_FLAG, "decision", 0, &decision, NULL, N_("what was decided, not only said")},
		{OPT_TEXT, "action", 0, &action, "REFERENCE", N_("about this action")},
		DEED_OPTIONS(d),
	};
	if (!cli_options(c, table, 2, 2))
		return c->status;
	return deed_end(&d, add_minute(&d, decision ? "decision" : "information", action));
}
