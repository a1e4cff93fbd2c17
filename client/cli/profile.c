/* profile.c -- see profile.h. */
#include "profile.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "i18n.h"

enum { SMALL = 1024 };

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* XDG: a relative path in the variable is ignored, as the specification says. */
static const char *base_dir(struct arena *a, const char *variable, const char *below_home)
{
	const char *set = environment(variable), *home = environment("HOME");
	if (set && *set == '/')
		return arena_printf(a, "%s/seve", set);
	return arena_printf(a, "%s/%s/seve", home ? home : "", below_home);
}

static int check_name(const char *name, struct err *e)
{
	const size_t n = strlen(name);
	if (n >= 1 && n <= 40 && *name != '.' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n)
		return 0;
	err_set(e, ERR_INVALID, _("\"%.60s\" cannot be the name of a profile"), name);
	return err_remedy(e,
			  _("1 to 40 letters, digits, '.', '_' or '-', no '.' at the beginning"));
}

/* The first line of a small file, or NULL where there is none. */
static int read_line(struct arena *a, const char *path, const char **out, struct err *e)
{
	char *text = NULL;
	const int rc = file_read(a, path, SMALL, &text, e);
	if (rc == -ERR_NOT_FOUND) {
		*out = NULL;
		return 0;
	}
	if (rc < 0)
		return rc;
	text[strcspn(text, "\r\n")] = '\0';
	*out = *text ? text : NULL;
	return 0;
}

static int choose_name(struct arena *a, const char *config, struct profile *p, struct err *e)
{
	const char *current = NULL, *variable = environment("SEVE_PROFILE");
	if (p->name) {
		p->origin = "option";
	} else if (variable) {
		p->name = variable;
		p->origin = "SEVE_PROFILE";
	} else {
		const char *path = arena_printf(a, "%s/current", config);
		const int rc =
			path ? read_line(a, path, &current, e) : err_set(e, ERR_NOMEM, "profile");
		if (rc < 0)
			return rc;
		p->name = current ? current : "default";
		p->origin = current ? "profile use" : "default";
	}
	return check_name(p->name, e);
}

static const char *value(struct arena *a, const char *variable, const char *dir, const char *file)
{
	const char *set = environment(variable);
	return set ? set : arena_printf(a, "%s/%s", dir, file);
}

int profile_find(struct arena *a, const char *name, struct profile *out, struct err *e)
{
	struct profile p = {.name = name};
	const char *config = base_dir(a, "XDG_CONFIG_HOME", ".config");
	const char *data = base_dir(a, "XDG_DATA_HOME", ".local/share");
	if (!config || !data)
		return err_set(e, ERR_NOMEM, "profile");
	int rc = choose_name(a, config, &p, e);
	if (rc < 0)
		return rc;
	p.dir = arena_printf(a, "%s/profiles/%s", config, p.name);
	if (!p.dir)
		return err_set(e, ERR_NOMEM, "profile");
	p.server_file = arena_printf(a, "%s/server", p.dir);
	p.ca_file = value(a, "SEVE_CA_FILE", p.dir, "ca.pem");
	p.token_file = value(a, "SEVE_TOKEN_FILE", p.dir, "token");
	const char *db = arena_printf(a, "%s.db", p.name);
	p.store = db ? value(a, "SEVE_STORE", data, db) : NULL;
	if (!p.server_file || !p.ca_file || !p.token_file || !p.store)
		return err_set(e, ERR_NOMEM, "profile");
	p.server = environment("SEVE_SERVER");
	if (!p.server)
		rc = read_line(a, p.server_file, &p.server, e);
	p.has_ca = access(p.ca_file, R_OK) == 0;
	if (rc == 0)
		*out = p;
	return rc;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int profile_names(struct arena *a, struct words *out, struct err *e)
{
	const char *config = base_dir(a, "XDG_CONFIG_HOME", ".config");
	const char *path = config ? arena_printf(a, "%s/profiles", config) : NULL;
	if (!path)
		return err_set(e, ERR_NOMEM, "profiles");
	DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	int rc = 0;
	for (struct dirent *d; rc == 0 && (d = readdir(dir));) {
		if (check_name(d->d_name, NULL) < 0)
			continue;
		const char *name = arena_strdup(a, d->d_name);
		if (!name || words_add(a, out, name) < 0)
			rc = err_set(e, ERR_NOMEM, "profiles");
	}
	closedir(dir);
	if (out->n)
		qsort(out->at, out->n, sizeof *out->at, compare);
	return rc;
}

int profile_use(struct arena *a, const char *name, struct err *e)
{
	const char *config = base_dir(a, "XDG_CONFIG_HOME", ".config");
	const char *path = config ? arena_printf(a, "%s/current", config) : NULL;
	const char *text = arena_printf(a, "%s\n", name);
	if (!path || !text)
		return err_set(e, ERR_NOMEM, "profile");
	const int rc = file_make_dir(config, e);
	return rc < 0 ? rc : file_write(path, text, 0600, e);
}

int profile_make(const struct profile *p, struct err *e)
{
	char store[4096];
	const int rc = file_make_dir(p->dir, e);
	if (rc < 0)
		return rc;
	if (strcmp(p->store, ":memory:") == 0)
		return 0;
	if (snprintf(store, sizeof store, "%s", p->store) >= (int)sizeof store)
		return err_set(e, ERR_INVALID, _("the path is too long: %.60s…"), p->store);
	char *slash = strrchr(store, '/');
	if (!slash || slash == store)
		return 0;
	*slash = '\0';
	return file_make_dir(store, e);
}
