/* config.h -- the settings of seved by name: rows of config.def, and where their values come from.
 * Knows what no setting means.  Start-up and reload only, but for reading a value (loop thread). */
#ifndef SEVED_CONFIG_H
#define SEVED_CONFIG_H

#include "conf.h"

enum config_key {
#define CONFIG(key, name, type, initial, min, max, words, reload, help) CONFIG_##key,
#include "config.def"
#undef CONFIG
	CONFIG_COUNT
};

#define CONFIG_FILE_DEFAULT "/etc/seve/seved.conf"

/* The rows, in the order of the keys. */
const struct conf_def *config_defs(void);

struct config_flag {
	const char *name, *text;
};

/* What the command line said: kept for reloading. */
struct config_source {
	const char *file; /* NULL: CONFIG_FILE_DEFAULT if it is there */
	const struct config_flag *flags;
	size_t n_flags;
};

/* Defaults, then file, environment (SEVED_*), flags.  On success the caller ends it with
 * conf_fini(); on failure nothing is left. */
int config_load(struct conf *out, const struct config_source *from, struct err *e);
/* What concerns several settings: exactly one of database and embedded; to serve, also a
 * certificate.  0 or -ERR_CONFIG. */
int config_check(const struct conf *c, struct err *e);
int config_check_serve(const struct conf *c, struct err *e);

/* Moves the values of reloadable settings from `fresh` and logs each change; warns of changes that
 * need a restart. */
void config_reload(struct conf *c, struct conf *fresh);

/* Prints all settings with their origin; a password in the connection string is not shown. */
int config_print(struct conf *c, FILE *out, struct err *e);

const char *config_text(const struct conf *c,
			enum config_key key); /* "" when unset; borrowed until a reload */
int64_t config_number(const struct conf *c, enum config_key key); /* durations in ms */

#endif
