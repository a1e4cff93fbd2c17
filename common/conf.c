/* conf.c -- settings from one table: default < file < environment < flags, with their origin.
 * Knows no setting. */
#include "conf.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { NAME_MAX_BYTES = 64, LINE_BYTES = 4096, NEAR = 3 };

/* The later beats the earlier, in whatever order they are read. */
static const char *const origins[] = {"default", "file", "environment", "flag"};
enum { ORIGINS = sizeof origins / sizeof *origins };

static unsigned rank(const char *origin)
{
	unsigned i = 0;
	while (i < ORIGINS && strcmp(origins[i], origin) != 0)
		i++;
	return i;
}

static int read_bool(const char *text, int64_t *out, struct err *e)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		for (int v = 0; v < 2; v++)
			if (strcmp(text, words[i][v]) == 0) {
				*out = v;
				return 0;
			}
	return err_set(e, ERR_CONFIG, "\"%.60s\" is neither yes nor no", text);
}

/* A number with k, M or G behind it (of 1024), in bytes. */
static int read_size(const struct conf_def *d, const char *text, int64_t *out, struct err *e)
{
	static const char units[] = "kMG";
	char digits[24];
	const size_t n = strspn(text, "0123456789");
	const char *unit = text[n] ? strchr(units, text[n]) : NULL;
	if (n == 0 || n >= sizeof digits || (text[n] && (!unit || text[n + 1])))
		return err_set(e, ERR_CONFIG, "\"%.60s\" is not a size (4096, 64k, 16M, 2G)", text);
	memcpy(digits, text, n);
	digits[n] = '\0';
	int64_t v;
	int rc = text_to_int(digits, 0, INT64_MAX, &v, e);
	if (rc < 0)
		return rc;
	const int shift = unit ? 10 * (int)(unit - units + 1) : 0;
	if (v > INT64_MAX >> shift || v << shift < d->min || v << shift > d->max)
		return err_set(e, ERR_CONFIG, "%.60s is not between %lld and %lld bytes", text,
			       (long long)d->min, (long long)d->max);
	*out = v << shift;
	return 0;
}

static int read_duration(const struct conf_def *d, const char *text, int64_t *out, struct err *e)
{
	int64_t v;
	int rc = text_to_duration(text, &v, e);
	if (rc < 0)
		return rc;
	if (v < d->min || v > d->max)
		return err_set(e, ERR_CONFIG, "%.60s is not between %lld and %lld ms", text,
			       (long long)d->min, (long long)d->max);
	*out = v;
	return 0;
}

static int read_enum(const struct conf_def *d, const char *text, int64_t *out, struct err *e)
{
	const size_t n = strlen(text);
	int64_t i = 0;
	for (const char *p = d->words; n > 0; i++) {
		const size_t len = strcspn(p, "|");
		if (len == n && memcmp(p, text, n) == 0) {
			*out = i;
			return 0;
		}
		if (!p[len])
			break;
		p += len + 1;
	}
	return err_set(e, ERR_CONFIG, "\"%.60s\" is none of %s", text, d->words);
}

static int read_value(const struct conf_def *d, const char *text, int64_t *out, struct err *e)
{
	switch (d->type) {
	case CONF_TEXT:
		*out = 0;
		return 0;
	case CONF_INT:
		return text_to_int(text, d->min, d->max, out, e);
	case CONF_BOOL:
		return read_bool(text, out, e);
	case CONF_SIZE:
		return read_size(d, text, out, e);
	case CONF_DURATION:
		return read_duration(d, text, out, e);
	case CONF_ENUM:
		return read_enum(d, text, out, e);
	}
	return err_set(e, ERR_INTERNAL, "setting of no type");
}

static int put(struct conf *c, size_t i, const char *text, const char *origin, struct err *e)
{
	struct conf_value *v = &c->values[i];
	const unsigned r = rank(origin);
	if (r == ORIGINS)
		return err_set(e, ERR_INTERNAL, "settings have no origin \"%s\"", origin);
	int64_t number;
	if (read_value(&c->defs[i], text, &number, e) < 0) {
		if (e)
			e->code = ERR_CONFIG;
		err_prefix(e, "%s", c->defs[i].name);
		return -ERR_CONFIG;
	}
	if (v->origin && r < rank(v->origin))
		return 0;
	char *copy = strdup(text);
	if (!copy)
		return err_set(e, ERR_NOMEM, "settings");
	free(v->text);
	v->text = copy;
	v->number = number;
	v->origin = origins[r];
	return 0;
}

int conf_init(struct conf *c, const struct conf_def *defs, size_t n, struct err *e)
{
	struct conf new = {defs, n, calloc(n ? n : 1, sizeof *new.values)};
	if (!new.values)
		return err_set(e, ERR_NOMEM, "settings");
	for (size_t i = 0; i < n; i++) {
		int rc = put(&new, i, defs[i].initial, "default", e);
		if (rc < 0) {
			conf_fini(&new);
			return rc;
		}
	}
	*c = new;
	return 0;
}

void conf_fini(struct conf *c)
{
	for (size_t i = 0; c->values && i < c->n; i++)
		free(c->values[i].text);
	free(c->values);
	c->values = NULL;
}

static int unknown(const struct conf *c, const char *name, struct err *e)
{
	const char *nearest = NULL;
	unsigned best = NEAR + 1;
	for (size_t i = 0; i < c->n; i++) {
		unsigned d = text_distance(name, c->defs[i].name, NEAR);
		if (d < best) {
			best = d;
			nearest = c->defs[i].name;
		}
	}
	err_set(e, ERR_CONFIG, "there is no setting \"%.60s\"", name);
	return nearest ? err_remedy(e, "did you mean \"%s\"?", nearest) : -ERR_CONFIG;
}

int conf_set(struct conf *c, const char *name, const char *text, const char *origin, struct err *e)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->defs[i].name, name) == 0)
			return put(c, i, text, origin, e);
	return unknown(c, name, e);
}

/* A file being read: libinih asks for lines and hands back keys and values. */
struct reading {
	struct conf *conf;
	FILE *file;
	struct err *e;
	int line;
	int rc;
};

static char *next_line(char *out, int size, void *stream)
{
	struct reading *r = stream;
	if (r->rc < 0 || !fgets(out, size, r->file))
		return NULL;
	r->line++;
	const size_t n = strlen(out);
	if (!text_is_utf8(out, n, NULL))
		r->rc = err_set(r->e, ERR_CONFIG, "not UTF-8");
	else if ((n == 0 || out[n - 1] != '\n') && !feof(r->file))
		r->rc = err_set(r->e, ERR_CONFIG, "longer than %d bytes, or not text", size - 2);
	else if (out[strspn(out, " \t")] == '[')
		r->rc = err_set(r->e, ERR_CONFIG, "there are no sections: only \"key = value\"");
	return r->rc < 0 ? NULL : out;
}

static int take_pair(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	(void)section;
	r->rc = conf_set(r->conf, name, value, "file", r->e);
	return r->rc == 0;
}

/* libinih's own limits are those of small machines, and it would cut values at " ;". */
static void set_up_inih(void)
{
	ini_max_line = LINE_BYTES;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_stop_on_first_error = true;
}

/* libinih takes one handler argument, and one for the reader: here they are the same thing. */
int conf_read_file(struct conf *c, const char *path, struct err *e)
{
	struct reading r = {.conf = c, .file = fopen(path, "re"), .e = e};
	if (!r.file)
		return err_set(e, ERR_CONFIG, "%s: %s", path, strerror(errno));
	set_up_inih();
	int bad_line = ini_parse_stream(next_line, &r, take_pair, &r);
	if (r.rc == 0 && ferror(r.file))
		r.rc = err_set(e, ERR_CONFIG, "%s", strerror(errno));
	else if (r.rc == 0 && bad_line < 0)
		r.rc = err_set(e, ERR_NOMEM, "settings");
	else if (r.rc == 0 && bad_line > 0)
		r.rc = err_set(e, ERR_CONFIG, "not \"key = value\"");
	fclose(r.file);
	if (r.rc < 0)
		err_prefix(e, "%s:%d", path, r.line);
	return r.rc;
}

int conf_read_env(struct conf *c, const char *prefix, struct err *e)
{
	for (size_t i = 0; i < c->n; i++) {
		char name[NAME_MAX_BYTES];
		int n = snprintf(name, sizeof name, "%s_%s", prefix, c->defs[i].name);
		if (n < 0 || n >= (int)sizeof name)
			return err_set(e, ERR_INTERNAL, "setting %s: name too long",
				       c->defs[i].name);
		for (char *p = name; *p; p++)
			*p = (char)(*p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		const char *text = getenv(name);
		int rc = text ? put(c, i, text, "environment", e) : 0;
		if (rc < 0) {
			err_prefix(e, "variable %s", name);
			return rc;
		}
	}
	return 0;
}

void conf_print(const struct conf *c, FILE *out)
{
	int widest = 0;
	for (size_t i = 0; i < c->n; i++) {
		int n = (int)strlen(c->defs[i].name);
		widest = n > widest ? n : widest;
	}
	for (size_t i = 0; i < c->n; i++)
		fprintf(out, "%-*s = %-32s # %s%s\n", widest, c->defs[i].name, c->values[i].text,
			c->values[i].origin, c->defs[i].reload ? ", reloadable" : "");
}
