/* cmd_login.c -- entering a server with an invite, and the profiles of this machine. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "file.h"
#include "i18n.h"
#include "say.h"
#include "view.h"

enum { INVITE_MAX = 16 * 1024 };

struct invite_line {
	char *server, *code, *ca_pem; /* ca_pem NULL: the system's authorities */
};

static void invite_free(struct invite_line *i)
{
	free(i->server);
	free(i->code);
	free(i->ca_pem);
}

/* ---- where the invite comes from ---- */

static int read_from(struct cli *c, const char *path, char **line)
{
	struct err e = {0};
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!file)
		return say_failure(c, ERR_NOT_FOUND, NULL, _("cannot open %s"), path);
	const int rc = file_read_line(&c->arena, file, INVITE_MAX, line, &e);
	if (file != stdin)
		fclose(file);
	return rc < 0 ? say_err(c, &e) : 0;
}

static int read_invite(struct cli *c, const char *path, char **line)
{
	const char *arg = c->args.n ? c->args.at[0] : NULL;
	const bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
	if (arg && strcmp(arg, "-") != 0) {
		say_warning(c, "%s",
			    _("Others on this machine can read a command's arguments: better seve "
			      "login - next time."));
		*line = cli_printf(c, "%s", arg);
		return 0;
	}
	if (path && strcmp(path, "-") != 0)
		return read_from(c, path, line);
	if (!arg && !path && !terminal)
		return say_usage(
			c,
			_("seve login - reads it from standard input, --invite-file from a file"),
			"%s", _("where is the invite?"));
	if (terminal)
		fprintf(stderr, "%s ", _("Invite:"));
	return read_from(c, "-", line);
}

/* ---- the profile ---- */

static int check_free(struct cli *c, const struct profile *p, const char *server, bool replace)
{
	if (!p->server || strcmp(p->server, server) == 0 || replace)
		return 0;
	return say_failure(c, ERR_EXISTS,
			   _("choose another name with --profile NAME, or --replace this one"),
			   _("profile \"%s\" belongs to the server %s"), p->name, p->server);
}

/* The new token lies beside the old one until the server has given it: a login that fails changes
 * nothing. */
struct enrolment {
	const char *ca_file, *token_file;
};

static int set_all(struct seve_options *o, const struct profile *p, const struct invite_line *i,
		   const struct enrolment *n)
{
	return seve_options_set(o, "server", i->server) ||
	       seve_options_set(o, "token-file", n->token_file) ||
	       seve_options_set(o, "store", p->store) ||
	       seve_options_set(o, "agent", "seve/" SEVE_VERSION_TEXT) ||
	       (i->ca_pem && seve_options_set(o, "ca-file", n->ca_file));
}

static int enroll(struct cli *c, const struct profile *p, const struct invite_line *i,
		  const struct enrolment *n, const char *device)
{
	struct seve_error *err = NULL;
	struct seve_options *o = seve_options_new();
	int rc = 0;
	if (!o || set_all(o, p, i, n))
		rc = say_nomem(c);
	else if (seve_open(o, &c->seve, &err) || seve_enroll(c->seve, i->code, device, &err))
		rc = say_seve(c, err);
	seve_options_free(o);
	return rc;
}

static int move(struct cli *c, const char *from, const char *to)
{
	return rename(from, to) == 0 ? 0 : say_failure(c, ERR_IO, NULL, _("cannot write %s"), to);
}

/* The address comes last: without it there is no profile. */
static int keep(struct cli *c, const struct profile *p, const struct invite_line *i,
		const struct enrolment *n)
{
	struct err e = {0};
	int rc = 0;
	if (i->ca_pem)
		rc = move(c, n->ca_file, p->ca_file);
	else
		unlink(p->ca_file);
	if (rc == 0)
		rc = move(c, n->token_file, p->token_file);
	const char *line = cli_printf(c, "%s\n", i->server);
	if (rc == 0 && file_write(p->server_file, line, 0600, &e) < 0)
		rc = say_err(c, &e);
	return rc;
}

static int tell_who(struct cli *c, const struct profile *p)
{
	struct seve_table *who = NULL;
	if (seve_whoami(c->seve, &who, NULL))
		return 0;
	say_note(c, _("You are %s on %s (profile %s)."), seve_table_get(who, 0, "account"),
		 p->server, p->name);
	seve_table_free(who);
	return 0;
}

static int login(struct cli *c, const struct invite_line *i, const char *device, bool replace)
{
	struct err e = {0};
	struct profile *p = &c->profile;
	char host[256] = "";
	if (profile_find(&c->arena, c->profile_name, p, &e) < 0)
		return say_err(c, &e);
	int rc = check_free(c, p, i->server, replace);
	if (rc)
		return rc;
	const struct enrolment n = {.ca_file = cli_printf(c, "%s.new", p->ca_file),
				    .token_file = cli_printf(c, "%s.new", p->token_file)};
	if (profile_make(p, &e) < 0 ||
	    (i->ca_pem && file_write(n.ca_file, i->ca_pem, 0600, &e) < 0))
		return say_err(c, &e);
	if (!device && gethostname(host, sizeof host - 1) == 0)
		device = host;
	rc = enroll(c, p, i, &n, device);
	if (rc == 0)
		rc = keep(c, p, i, &n);
	unlink(n.ca_file);
	unlink(n.token_file);
	p->server = i->server;
	return rc ? rc : tell_who(c, p);
}

int cmd_login(struct cli *c)
{
	const char *device = NULL, *path = NULL;
	bool replace = false;
	const struct opt table[] = {
		{OPT_TEXT, "invite-file", 0, &path, "FILE|-", N_("read the invite from a file")},
		{OPT_TEXT, "device", 0, &device, "NAME",
		 N_("what to call this machine; else its host name")},
		{OPT_FLAG, "replace", 0, &replace, NULL, N_("give the profile to another server")},
		{.type = OPT_END},
	};
	struct invite_line i = {0};
	struct seve_error *err = NULL;
	char *line = NULL;
	if (!cli_options(c, table, 0, 1))
		return c->status;
	int rc = read_invite(c, path, &line);
	if (rc)
		return rc;
	if (seve_invite_parse(line, &i.server, &i.code, &i.ca_pem, &err))
		return say_seve(c, err);
	rc = login(c, &i, device, replace);
	c->profile.server = NULL;
	invite_free(&i);
	return rc;
}

/* ---- profiles ---- */

int cmd_profile_list(struct cli *c)
{
	static const char *const names[] = {"profile", "server", "current"};
	struct out_column columns[3];
	struct words profiles = {0};
	struct profile p;
	struct err e = {0};
	struct out o;
	if (!cli_options(c, NULL, 0, 0))
		return c->status;
	if (profile_find(&c->arena, c->profile_name, &c->profile, &e) < 0 ||
	    profile_names(&c->arena, &profiles, &e) < 0)
		return say_err(c, &e);
	view_columns(columns, names, 3);
	int rc = out_begin(&o, c->format, stdout, "seve.profile.list/1", columns, 3, c->no_headers,
			   &e);
	for (size_t i = 0; rc == 0 && i < profiles.n; i++) {
		rc = profile_find(&c->arena, profiles.at[i], &p, &e);
		const char *cells[] = {p.name, rc == 0 ? p.server : NULL,
				       strcmp(profiles.at[i], c->profile.name) == 0 ? "yes" : ""};
		if (rc == 0)
			rc = out_row(&o, cells, NULL, &e);
	}
	const int ended = out_end(&o, rc < 0 ? NULL : &e);
	return rc < 0 || ended < 0 ? say_err(c, &e) : 0;
}

int cmd_profile_show(struct cli *c)
{
	static const char *const names[] = {"setting", "value"};
	struct out_column columns[2];
	struct err e = {0};
	struct out o;
	if (!cli_options(c, NULL, 0, 1))
		return c->status;
	struct profile p;
	const char *name = c->args.n ? c->args.at[0] : c->profile_name;
	if (profile_find(&c->arena, name, &p, &e) < 0)
		return say_err(c, &e);
	const char *const rows[][2] = {
		{"profile", p.name},          {"origin", p.origin},
		{"server", p.server},         {"ca-file", p.has_ca ? p.ca_file : ""},
		{"token-file", p.token_file}, {"store", p.store},
	};
	view_columns(columns, names, 2);
	int rc = out_begin(&o, c->format, stdout, "seve.profile.show/1", columns, 2, c->no_headers,
			   &e);
	for (size_t i = 0; rc == 0 && i < sizeof rows / sizeof *rows; i++)
		rc = out_row(&o, rows[i], NULL, &e);
	const int ended = out_end(&o, rc < 0 ? NULL : &e);
	return rc < 0 || ended < 0 ? say_err(c, &e) : 0;
}

int cmd_profile_use(struct cli *c)
{
	struct err e = {0};
	struct profile p;
	if (!cli_options(c, NULL, 1, 1))
		return c->status;
	if (profile_find(&c->arena, c->args.at[0], &p, &e) < 0)
		return say_err(c, &e);
	if (access(p.server_file, R_OK) != 0)
		return say_failure(c, ERR_NOT_FOUND, _("seve profile list tells which there are"),
				   _("there is no profile \"%s\""), p.name);
	return profile_use(&c->arena, p.name, &e) < 0 ? say_err(c, &e) : 0;
}
