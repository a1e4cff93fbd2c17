/* cmd_import_workbook.c -- a network's own spreadsheet, saved as one CSV file a sheet, in one
 * command: actors before what points to them, then the rest, then the states that need the links.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "cli.h"
#include "command.h"
#include "field.h"
#include "file.h"
#include "i18n.h"
#include "import/guess.h"
#include "import/options.h"
#include "import/run.h"
#include "say.h"
#include "scope.h"
#include "suggest.h"

enum { FILES_MAX = 32, MAP_MAX = 1024 * 1024 };

struct sheet {
	const char *path, *stem, *map;
	const struct kind *kind;
	struct run run;
	bool open, placed;
};

struct workbook {
	struct cli *c;
	struct import_options o;
	const char *folder, *rejects;
	struct sheet *sheets, *order[FILES_MAX];
	size_t n;
};

/* ---- the files ---- */

/* "acteurs.csv" and "Actors.csv" are actors. */
static const struct kind *kind_of_stem(const char *stem)
{
	char word[64];
	guess_word(stem, word);
	const char *noun = command_noun(word);
	if (!noun || !kind_by_name(noun))
		noun = suggest_synonym(word);
	return noun ? kind_by_name(noun) : NULL;
}

static int add_file(struct workbook *w, const char *name)
{
	const size_t n = strlen(name);
	struct sheet *s = &w->sheets[w->n];
	struct stat st;
	if (n < 5 || strcasecmp(name + n - 4, ".csv") != 0)
		return 0;
	if (w->n == FILES_MAX)
		return say_failure(w->c, ERR_TOO_BIG, NULL, _("more than %d files in %s"),
				   FILES_MAX, w->folder);
	s->stem = cli_printf(w->c, "%.*s", (int)n - 4, name);
	s->path = cli_printf(w->c, "%s/%s", w->folder, name);
	s->kind = kind_of_stem(s->stem);
	if (!s->kind)
		return say_failure(w->c, ERR_INVALID,
				   _("name it like what it holds: actors.csv, actions.csv, "
				     "positions.csv, meetings.csv"),
				   _("%s: of which kind are its records?"), s->path);
	const char *map = cli_printf(w->c, "%s/%s.map", w->folder, s->stem);
	s->map = stat(map, &st) == 0 ? map : NULL;
	w->n++;
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int find_files(struct workbook *w)
{
	struct dirent **list = NULL;
	const int n = scandir(w->folder, &list, NULL, by_name);
	int rc = 0;
	if (n < 0)
		return say_failure(w->c, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, NULL, "%s: %s",
				   w->folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = add_file(w, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	if (rc == 0 && w->n == 0)
		rc = say_failure(
			w->c, ERR_INVALID,
			_("save each sheet as CSV: actors.csv, actions.csv, positions.csv, "
			  "meetings.csv"),
			_("there is no CSV file in %s"), w->folder);
	return rc;
}

/* ---- their order ---- */

static bool points_to(const struct kind *from, const struct kind *to)
{
	for (unsigned i = 0; i < from->desc->n_fields; i++) {
		const field_desc *fd = &from->desc->fields[i];
		const enum field_type t = field_type(fd);
		if ((t == FIELD_ID || t == FIELD_IDS) && field_rule(from, fd).target == to)
			return true;
	}
	return false;
}

static bool is_ready(const struct workbook *w, const struct sheet *s)
{
	for (size_t i = 0; i < w->n; i++)
		if (!w->sheets[i].placed && w->sheets[i].kind != s->kind &&
		    points_to(s->kind, w->sheets[i].kind))
			return false;
	return true;
}

/* What is pointed to comes first; where kinds point to each other, the lower number does. */
static void put_in_order(struct workbook *w)
{
	for (size_t placed = 0; placed < w->n; placed++) {
		struct sheet *next = NULL;
		for (int strict = 1; strict >= 0 && !next; strict--)
			for (size_t i = 0; i < w->n; i++) {
				struct sheet *s = &w->sheets[i];
				if (!s->placed && (!strict || is_ready(w, s)) &&
				    (!next || s->kind->number < next->kind->number))
					next = s;
			}
		next->placed = true;
		w->order[placed] = next;
	}
}

/* ---- mappings ---- */

/* Without STEM.map: what seve import guess would propose, so that headers in French and English do.
 */
static int guessed_map(struct workbook *w, struct sheet *s, struct mapping *out)
{
	struct err e = {0};
	struct reader *r = NULL;
	struct guess g = {.kind = s->kind};
	struct buf text;
	FILE *file = fopen(s->path, "re");
	if (!file)
		return say_failure(w->c, ERR_IO, NULL, "%s: %s", s->path, strerror(errno));
	buf_init(&text, MAP_MAX);
	int rc = reader_open(file, s->path, &w->o.run.reader, &r, &e);
	if (rc == 0)
		rc = guess_look(&g, &w->c->arena, r, &e);
	if (rc == 0 && (guess_write(&g, &text) < 0 || buf_add(&text, "", 1) < 0))
		rc = err_set(&e, ERR_NOMEM, "mapping");
	if (rc == 0)
		rc = mapping_parse(&w->c->arena, s->stem, (const char *)buf_span(&text).at, out,
				   &e);
	buf_fini(&text);
	reader_close(r);
	fclose(file);
	if (rc == 0)
		return 0;
	err_prefix(&e, "%s", s->path);
	err_remedy(&e, _("seve import guess %s proposes a mapping: put it, mended, into %s/%s.map"),
		   s->path, w->folder, s->stem);
	return say_err(w->c, &e);
}

static void tell_ignored(const struct workbook *w, const struct sheet *s)
{
	const char *all = "";
	for (size_t i = 0; !s->map && i < s->run.mapping.n_ignored; i++)
		all = cli_printf(w->c, "%s%s%s", all, *all ? ", " : "", s->run.mapping.ignored[i]);
	if (*all)
		say_warning(w->c, _("%s: no field for these columns, they are left out: %s"),
			    s->path, all);
}

static int open_sheet(struct workbook *w, struct sheet *s)
{
	struct run_options o = w->o.run;
	struct mapping guessed = {0};
	int rc = 0;
	o.mapping = s->map;
	if (w->rejects)
		o.rejects = cli_printf(w->c, "%s/%s.csv", w->rejects, s->stem);
	if (!s->map) {
		rc = guessed_map(w, s, &guessed);
		o.parsed = &guessed;
	}
	if (rc == 0)
		rc = run_open(&s->run, w->c, s->kind, s->path, &o);
	s->run.o.parsed = NULL;
	s->open = true;
	s->run.puts_off = true;
	if (rc == 0)
		tell_ignored(w, s);
	return rc;
}

/* ---- sending and telling ---- */

static int send_sheets(struct workbook *w, uint32_t territory, struct keys *keys)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < w->n; i++)
		rc = run_send(&w->order[i]->run, territory, keys);
	for (size_t i = 0; rc == 0 && i < w->n; i++)
		rc = run_late(&w->order[i]->run);
	return rc;
}

static int write_report(struct workbook *w, FILE *file)
{
	struct buf out;
	int rc = 0;
	fputs("{\"schema\":\"seve.workbook/1\",\"files\":[", file);
	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		buf_init(&out, MAP_MAX);
		rc = report_json(&w->order[i]->run.report, &out) ? say_nomem(w->c) : 0;
		if (rc == 0)
			fprintf(file, "%s%.*s", i ? "," : "", (int)buf_len(&out) - 1,
				(const char *)buf_span(&out).at);
		buf_fini(&out);
	}
	fputs("]}\n", file);
	return rc;
}

static int keep_report(struct workbook *w)
{
	struct err e = {0};
	struct file_draft d;
	if (!w->o.report)
		return 0;
	if (file_draft_open(&d, w->o.report, 0600, &e) < 0)
		return say_err(w->c, &e);
	int rc = write_report(w, d.file);
	if (rc == 0 && file_draft_keep(&d, &e) < 0)
		rc = say_err(w->c, &e);
	file_draft_drop(&d);
	return rc;
}

static int tell(struct workbook *w)
{
	struct err e = {0};
	int rc = keep_report(w), worst = 0;
	size_t refused = 0;
	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		struct run *r = &w->order[i]->run;
		const int status = report_status(&r->report);
		if (w->rejects && rejects_keep(&r->rejects, &e) < 0)
			rc = say_err(w->c, &e);
		refused += status == SEVE_INVALID;
		worst = status ? SEVE_PARTIAL : worst;
		if (rc == 0 && w->c->format == OUT_TABLE) {
			printf("%s%s\n", i ? "\n" : "", w->order[i]->path);
			rc = report_print(&r->report);
		}
	}
	if (rc == 0 && w->c->format != OUT_TABLE)
		rc = write_report(w, stdout);
	return rc ? rc : refused == w->n ? SEVE_INVALID : worst;
}

static int import_all(struct workbook *w)
{
	struct err e = {0};
	uint32_t territory = 0;
	int rc = find_files(w);
	if (rc)
		return rc;
	put_in_order(w);
	if (w->rejects && file_make_dir(w->rejects, &e) < 0)
		return say_err(w->c, &e);
	for (size_t i = 0; rc == 0 && i < w->n; i++)
		rc = open_sheet(w, w->order[i]);
	if (rc == 0)
		rc = cli_open(w->c);
	if (rc == 0)
		rc = scope_choose(w->c, w->o.territory, &territory);
	struct keys *keys = rc == 0 ? keys_new(territory, w->o.run.source) : NULL;
	if (rc == 0 && !keys)
		rc = say_nomem(w->c);
	if (rc == 0)
		rc = send_sheets(w, territory, keys);
	keys_free(keys);
	return rc ? rc : tell(w);
}

int cmd_import_workbook(struct cli *c)
{
	struct workbook w = {.c = c};
	const struct opt table[] = {
		{OPT_TEXT, "source", 's', &w.o.run.source, "NAME",
		 N_("whose keys the files hold; the network's own old list, for example: old")},
		{OPT_TEXT, "territory", 't', &w.o.territory, "SLUG",
		 N_("where the records belong")},
		{OPT_FLAG, "dry-run", 0, &w.o.run.dry_run, NULL, N_("do everything but keep it")},
		{OPT_TEXT, "rejects", 0, &w.rejects, "DIR",
		 N_("write the rejected rows there, a file a sheet")},
		{OPT_TEXT, "report", 0, &w.o.report, "FILE", N_("write the report as JSON")},
		{OPT_TEXT, "max-errors", 0, &w.o.most_errors, "N",
		 N_("stop after so many rejected rows")},
		{OPT_TEXT, "encoding", 0, &w.o.run.reader.encoding, "NAME",
		 N_("utf-8, latin1, iso-8859-15, windows-1252; else found out")},
		{OPT_TEXT, "separator", 0, &w.o.separator, "C",
		 N_("between the cells; else found out")},
		{.type = OPT_END},
	};
	if (!cli_options(c, table, 1, 1))
		return c->status;
	w.folder = c->args.at[0];
	w.sheets = calloc(FILES_MAX, sizeof *w.sheets);
	if (!w.sheets)
		return say_nomem(c);
	int rc = import_options_check(c, &w.o);
	if (rc == 0 && !w.o.run.source)
		w.o.run.source = "old";
	if (rc == 0)
		rc = import_all(&w);
	for (size_t i = 0; i < w.n; i++)
		if (w.sheets[i].open)
			run_close(&w.sheets[i].run);
	free(w.sheets);
	return rc;
}
