/* config.c -- the settings of seved: where their values come from.  Knows what no setting means. */
#include "config.h"

#include <errno.h>
#include <libpq-fe.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"

enum { RESTART = 0, RELOAD = 1 };

static const struct conf_def defs[] = {
#define CONFIG(key, cname, ctype, cinitial, cmin, cmax, cwords, creload, chelp)                    \
	[CONFIG_##key] = {                                                                         \
		.name = (cname),                                                                   \
		.type = CONF_##ctype,                                                              \
		.initial = (cinitial),                                                             \
		.min = (cmin),                                                                     \
		.max = (cmax),                                                                     \
		.words = (cwords),                                                                 \
		.reload = (creload) == RELOAD,                                                     \
		.help = (chelp),                                                                   \
	},
#include "config.def"
#undef CONFIG
};

const struct conf_def *config_defs(void)
{
	return defs;
}

const char *config_text(const struct conf *c, enum config_key key)
{
	const char *text = c->values[key].text;
	return text ? text : "";
}

int64_t config_number(const struct conf *c, enum config_key key)
{
	return c->values[key].number;
}

static int read_file(struct conf *c, const struct config_source *from, struct err *e)
{
	if (from->file)
		return conf_read_file(c, from->file, e);
	if (access(CONFIG_FILE_DEFAULT, F_OK) < 0 && errno == ENOENT)
		return 0;
	return conf_read_file(c, CONFIG_FILE_DEFAULT, e);
}

int config_check(const struct conf *c, struct err *e)
{
	const bool database = *config_text(c, CONFIG_DATABASE),
		   embedded = *config_text(c, CONFIG_EMBEDDED);
	if (database == embedded) {
		err_set(e, ERR_CONFIG,
			database ? "both \"database\" and \"embedded\" are set"
				 : "neither \"database\" nor \"embedded\" is set");
		return err_remedy(e, "set one: --database CONNINFO for a database of yours, "
				     "--embedded DIR for a private one");
	}
	return 0;
}

int config_check_serve(const struct conf *c, struct err *e)
{
	int rc = config_check(c, e);
	if (rc < 0)
		return rc;
	const bool cert = *config_text(c, CONFIG_TLS_CERT), key = *config_text(c, CONFIG_TLS_KEY);
	if (cert != key) {
		err_set(e, ERR_CONFIG, "\"%s\" is set without \"%s\"",
			cert ? "tls-cert" : "tls-key", cert ? "tls-key" : "tls-cert");
		return err_remedy(e, "set both, or none with \"embedded\"");
	}
	if (*config_text(c, CONFIG_DATABASE) && !cert) {
		err_set(e, ERR_CONFIG, "\"database\" is set without \"tls-cert\" and \"tls-key\"");
		return err_remedy(e, "name certificate and key: there is no service without TLS");
	}
	return 0;
}

int config_load(struct conf *out, const struct config_source *from, struct err *e)
{
	struct conf c;
	int rc = conf_init(&c, defs, CONFIG_COUNT, e);
	if (rc < 0)
		return rc;
	rc = read_file(&c, from, e);
	if (rc == 0)
		rc = conf_read_env(&c, "SEVED", e);
	for (size_t i = 0; rc == 0 && i < from->n_flags; i++)
		rc = conf_set(&c, from->flags[i].name, from->flags[i].text, "flag", e);
	if (rc < 0) {
		conf_fini(&c);
		return rc;
	}
	*out = c;
	return 0;
}

void config_reload(struct conf *c, struct conf *fresh)
{
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		struct conf_value *old = &c->values[i], *new = &fresh->values[i];
		if (!strcmp(old->text ? old->text : "", new->text ? new->text : ""))
			continue;
		if (!defs[i].reload) {
			log_event(LOG_WARN, "reload", "setting=%s needs=%s", defs[i].name,
				  "restart");
			continue;
		}
		log_event(LOG_INFO, "reload", "setting=%s from=%s to=%s", defs[i].name,
			  old->text ? old->text : "", new->text ? new->text : "");
		const struct conf_value swap = *old;
		*old = *new;
		*new = swap;
	}
}

/* Rebuilds the connection string without its password. */
static int hide_password(struct conf *c, enum config_key key, struct err *e)
{
	const char *const name = defs[key].name;
	char *why = NULL;
	if (!*config_text(c, key))
		return 0;
	PQconninfoOption *options = PQconninfoParse(config_text(c, key), &why);
	if (!options) {
		err_set(e, ERR_CONFIG, "%s: %s", name, why ? why : "not a connection string");
		PQfreemem(why);
		return -ERR_CONFIG;
	}
	struct buf b;
	buf_init(&b, 4096);
	int rc = 0;
	for (const PQconninfoOption *o = options; o->keyword && rc == 0; o++) {
		if (!o->val)
			continue;
		const bool secret = *o->dispchar == '*';
		rc = buf_addf(&b, "%s%s=%s", buf_len(&b) ? " " : "", o->keyword,
			      secret ? "********" : o->val);
	}
	if (rc == 0)
		rc = buf_add(&b, "", 1);
	if (rc == 0)
		rc = conf_set(c, name, (const char *)buf_span(&b).at, c->values[key].origin, e);
	else
		err_set(e, (enum err_code) - rc, "%s: connection string too long to print", name);
	buf_fini(&b);
	PQconninfoFree(options);
	return rc;
}

int config_print(struct conf *c, FILE *out, struct err *e)
{
	int rc = hide_password(c, CONFIG_DATABASE, e);
	if (rc == 0)
		rc = hide_password(c, CONFIG_REPLICA_DATABASE, e);
	if (rc == 0)
		conf_print(c, out);
	return rc;
}
