/* conflict_text.c -- see conflict_text.h. */
#include "conflict_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "fieldopt.h"
#include "file.h"
#include "human.h"
#include "i18n.h"
#include "label.h"
#include "names.h"
#include "say.h"

enum { COLUMNS_MAX = 5, TEXT_MAX = 1024 * 1024 };

static const char *get(const struct seve_record *r, const char *field)
{
	const char *text = seve_record_get(r, field);
	return text ? text : "";
}

/* ---- the sheet ---- */

struct sheet {
	struct cli *c;
	const struct seve_record *r;
	struct seve_record *now; /* the record that it is about; NULL: deleted, or not there */
	struct seve_table *fields;
	bool moved; /* it has changed since: one more column */
	struct out out;
};

/* As it stands now, in the text form of the conflict. */
static const char *value_now(const struct sheet *s, const char *field)
{
	const char *text = s->now ? seve_record_get(s->now, field) : NULL;
	return text ? text : "";
}

static bool has_moved(const struct sheet *s)
{
	const bool was_deleted = strcmp(get(s->r, "clash"), "edit_deleted") == 0;
	if (!s->now || was_deleted)
		return s->now && was_deleted;
	for (size_t i = 0; i < seve_table_rows(s->fields); i++)
		if (strcmp(value_now(s, seve_table_get(s->fields, i, "field")),
			   seve_table_get(s->fields, i, "theirs")) != 0)
			return true;
	return false;
}

/* As people read it: references by name, times local. */
static const char *human(struct sheet *s, const char *field, const char *text)
{
	const char *kind = get(s->r, "record_kind"), *type = seve_field_type(kind, field);
	char out[HUMAN_MAX];
	if (type && *text && (strcmp(type, "id") == 0 || strcmp(type, "ids") == 0))
		return names_in_text(s->c, seve_record_territory(s->r), text);
	if (!type || strcmp(type, "instant") != 0)
		return text;
	human_time(text, out);
	return cli_printf(s->c, "%s", out);
}

/* Of a set: what was to come in and go out. */
static const char *mine(struct sheet *s, size_t row, const char *field)
{
	const char *add = seve_table_get(s->fields, row, "add"),
		   *remove = seve_table_get(s->fields, row, "remove");
	if (!*add && !*remove)
		return human(s, field, seve_table_get(s->fields, row, "mine"));
	return cli_printf(s->c, "%s%s%s%s%s", *add ? "+" : "", human(s, field, add),
			  *add && *remove ? " " : "", *remove ? "-" : "", human(s, field, remove));
}

static int put_row(struct sheet *s, const char *label, const char *base, const char *one,
		   const char *two, const char *now)
{
	const char *cells[COLUMNS_MAX] = {label, base, one, two, now};
	struct err e = {0};
	return out_row(&s->out, cells, NULL, &e) < 0 ? say_err(s->c, &e) : 0;
}

static int head_rows(struct sheet *s)
{
	char one[HUMAN_MAX], two[HUMAN_MAX];
	struct cli *c = s->c;
	int rc = put_row(s, _("Who"), "", get(s->r, "mine_by"), get(s->r, "theirs_by"), "");
	human_time(get(s->r, "mine_at"), one);
	human_time(get(s->r, "theirs_at"), two);
	if (rc == 0)
		rc = put_row(s, _("When"), "", one, two, "");
	human_time(get(s->r, "mine_client_at"), one);
	human_time(get(s->r, "theirs_client_at"), two);
	if (rc == 0 && (*one || *two))
		rc = put_row(s, _("By their clock"), "", one, two, "");
	if (rc == 0 && *get(s->r, "mine_reason"))
		rc = put_row(s, label_of("reason"), "", get(s->r, "mine_reason"), "", "");
	(void)c;
	return rc;
}

/* A side that is a deletion has no values. */
static int deletion_row(struct sheet *s)
{
	const char *clash = get(s->r, "clash"), *gone = _("deleted");
	if (strcmp(clash, "edit_deleted") == 0)
		return put_row(s, _("Record"), "", "", gone, s->now ? _("restored") : gone);
	if (strcmp(clash, "delete_edited") == 0)
		return put_row(s, _("Record"), "", gone, "", s->now ? "" : gone);
	return 0;
}

static int field_rows(struct sheet *s)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < seve_table_rows(s->fields); i++) {
		const char *field = seve_table_get(s->fields, i, "field");
		const bool clash = strcmp(seve_table_get(s->fields, i, "clash"), "yes") == 0;
		rc = put_row(s, cli_printf(s->c, "%s%s", label_of(field), clash ? " *" : ""),
			     human(s, field, seve_table_get(s->fields, i, "base")),
			     mine(s, i, field),
			     human(s, field, seve_table_get(s->fields, i, "theirs")),
			     human(s, field, value_now(s, field)));
	}
	return rc;
}

static int sheet_rows(struct sheet *s)
{
	const struct out_column columns[COLUMNS_MAX] = {
		{.name = "field", .label = label_of("field")},
		{.name = "base", .label = _("Base"), .wraps = true},
		{.name = "mine", .label = _("Mine"), .wraps = true},
		{.name = "theirs", .label = _("Theirs"), .wraps = true},
		{.name = "now", .label = _("Now"), .wraps = true}};
	struct err e = {0};
	if (out_begin(&s->out, OUT_TABLE, stdout, "", columns, s->moved ? 5 : 4, s->c->no_headers,
		      &e) < 0) {
		out_end(&s->out, NULL);
		return say_err(s->c, &e);
	}
	int rc = head_rows(s);
	if (rc == 0)
		rc = deletion_row(s);
	if (rc == 0)
		rc = field_rows(s);
	const int ended = out_end(&s->out, rc ? NULL : &e);
	return rc == 0 && ended < 0 ? say_err(s->c, &e) : rc;
}

static void tell_end(const struct sheet *s)
{
	const struct seve_record *r = s->r;
	char when[HUMAN_MAX];
	if (strcmp(get(r, "shortened"), "yes") == 0)
		say_note(s->c, "%s", _("Long values of base or theirs are in the history alone."));
	if (strcmp(get(r, "state"), "resolved") == 0) {
		human_time(get(r, "resolved_at"), when);
		say_note(s->c, _("Resolved (%s) by %s, %s."), get(r, "resolution"),
			 get(r, "resolved_by"), when);
		return;
	}
	say_note(s->c,
		 _("* clashes. Decide: seve conflict resolve %s --mine | --theirs | --field "
		   "FIELD=VALUE | --edit"),
		 names_ref(r));
}

int conflict_sheet(struct cli *c, const struct seve_record *r, const char *about)
{
	struct sheet s = {.c = c, .r = r};
	struct seve_error *err = NULL;
	if (seve_conflict_fields(r, &s.fields, &err))
		return say_seve(c, err);
	/* Without it, what stands now is not told: no reason to tell nothing. */
	if (seve_get(c->seve, seve_record_territory(r), get(r, "record_kind"), get(r, "record_id"),
		     c->where, &s.now, &err))
		seve_error_free(err);
	if (s.now && seve_record_deleted(s.now)) {
		seve_record_free(s.now);
		s.now = NULL;
	}
	s.moved = has_moved(&s);
	printf("%s: %s%s%s (%s)\n", names_ref(r), about, s.now ? ", " : "",
	       s.now ? names_label(c, seve_record_territory(r), seve_record_kind(s.now),
				   seve_record_id(s.now))
		     : "",
	       scope_slug(c, seve_record_territory(r)));
	const int rc = sheet_rows(&s);
	if (rc == 0)
		tell_end(&s);
	seve_record_free(s.now);
	seve_table_free(s.fields);
	return rc;
}

/* ---- the text to be edited ---- */

/* One line a value: a line's end stands as \n, a backslash twice. */
static int put_value(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", f);
		else if (*text == '\\')
			fputs("\\\\", f);
		else
			fputc(*text, f);
	}
	return fputc('\n', f);
}

static void put_comment(FILE *f, const char *name, const char *text)
{
	fprintf(f, "#   %-7s ", name);
	put_value(f, text);
}

static void write_text(FILE *f, const struct seve_record *r, const char *about,
		       const struct seve_table *t)
{
	fprintf(f, "# %s: %s. ", names_ref(r), about);
	fprintf(f, "%s\n", _("What stands below without # is what the record is to hold."));
	fprintf(f, "# %s\n",
		_("A line taken out leaves that field as it stands; no line at all "
		  "decides nothing."));
	fprintf(f, "# mine: %s %s; theirs: %s %s\n", get(r, "mine_by"), get(r, "mine_at"),
		get(r, "theirs_by"), get(r, "theirs_at"));
	for (size_t i = 0; i < seve_table_rows(t); i++) {
		const char *field = seve_table_get(t, i, "field");
		const char *add = seve_table_get(t, i, "add"),
			   *remove = seve_table_get(t, i, "remove");
		const bool set = *add || *remove;
		fputs("\n", f);
		put_comment(f, "base", seve_table_get(t, i, "base"));
		if (*add)
			put_comment(f, "mine +", add);
		if (*remove)
			put_comment(f, "mine -", remove);
		if (!set)
			put_comment(f, "mine", seve_table_get(t, i, "mine"));
		put_comment(f, "theirs", seve_table_get(t, i, "theirs"));
		fprintf(f, "%s = ", field);
		/* A set keeps what others put in, unless its line is written anew. */
		put_value(f, set ? "mine" : seve_table_get(t, i, "mine"));
	}
}

static char *read_value(char *text)
{
	char *to = text;
	for (char *p = text; *p; p++) {
		if (*p == '\\' && (p[1] == 'n' || p[1] == '\\'))
			*to++ = *++p == 'n' ? '\n' : '\\';
		else
			*to++ = *p;
	}
	*to = '\0';
	return text;
}

static char *trim(char *s)
{
	size_t n = strlen(s);
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
		s[--n] = '\0';
	return s + strspn(s, " \t");
}

static bool is_set_row(const struct seve_table *t, const char *field)
{
	for (size_t i = 0; i < seve_table_rows(t); i++)
		if (strcmp(seve_table_get(t, i, "field"), field) == 0)
			return *seve_table_get(t, i, "add") || *seve_table_get(t, i, "remove");
	return false;
}

static int read_line(struct cli *c, const struct seve_record *r, const struct seve_table *t,
		     char *line, struct conflict_choices *out)
{
	char *eq = strchr(line, '=');
	struct seve_choice *to = &out->list[out->n];
	if (!eq)
		return say_failure(c, ERR_INVALID, _("each line is FIELD = VALUE"),
				   _("\"%s\" has no ="), line);
	*eq = '\0';
	to->field = trim(line);
	char *value = trim(eq + 1);
	out->n++;
	to->side = SEVE_VALUE;
	if (is_set_row(t, to->field) && strcmp(value, "mine") == 0) {
		to->side = SEVE_MINE;
		return 0;
	}
	return fieldopt_value(c, get(r, "record_kind"), seve_record_territory(r), to->field,
			      read_value(value), &to->value);
}

static int read_text(struct cli *c, const struct seve_record *r, const struct seve_table *t,
		     char *text, struct conflict_choices *out)
{
	size_t lines = 1;
	int rc = 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	out->list = arena_array(&c->arena, lines, sizeof *out->list);
	if (!out->list)
		return say_nomem(c);
	out->all = SEVE_THEIRS;
	for (char *line = text, *next; rc == 0 && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line = trim(line);
		if (*line && *line != '#')
			rc = read_line(c, r, t, line, out);
	}
	if (rc == 0 && out->n == 0)
		rc = say_failure(c, ERR_CANCELLED, NULL, "%s",
				 _("the text is empty: nothing decided"));
	return rc;
}

/* The words of $VISUAL may hold options: the shell takes them apart. */
static int run_editor(struct cli *c, const char *path)
{
	const char *editor = getenv("VISUAL");
	int status = 0;
	if (!editor || !*editor)
		editor = getenv("EDITOR");
	if (!editor || !*editor)
		editor = "vi";
	const pid_t pid = fork();
	if (pid == 0) {
		const char *script = cli_printf(c, "%s \"$1\"", editor);
		execl("/bin/sh", "sh", "-c", script, "sh", path, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return say_failure(c, ERR_CANCELLED, _("set VISUAL or EDITOR to one that runs here"),
			   _("the editor \"%s\" ended with an error: nothing decided"), editor);
}

static int edit_file(struct cli *c, const struct seve_record *r, const char *about,
		     const struct seve_table *t, int fd, const char *path,
		     struct conflict_choices *out)
{
	FILE *f = fdopen(fd, "w");
	struct err e = {0};
	char *text = NULL;
	if (!f) {
		close(fd);
		return say_nomem(c);
	}
	write_text(f, r, about, t);
	if (fclose(f))
		return say_failure(c, ERR_IO, NULL, "%s: %s", path, strerror(errno));
	int rc = run_editor(c, path);
	if (rc)
		return rc;
	if (file_read(&c->arena, path, TEXT_MAX, &text, &e) < 0)
		return say_err(c, &e);
	return read_text(c, r, t, text, out);
}

int conflict_edit(struct cli *c, const struct seve_record *r, const char *about,
		  struct conflict_choices *out)
{
	const char *folder = getenv("TMPDIR");
	char *path = cli_printf(c, "%s/seve-conflict.XXXXXX", folder && *folder ? folder : "/tmp");
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	if (seve_conflict_fields(r, &t, &err))
		return say_seve(c, err);
	const int fd = mkostemp(path, O_CLOEXEC);
	int rc = fd < 0 ? say_failure(c, ERR_IO, NULL, "%s: %s", path, strerror(errno))
			: edit_file(c, r, about, t, fd, path, out);
	if (fd >= 0)
		unlink(path);
	seve_table_free(t);
	return rc;
}
