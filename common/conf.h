/* conf.h -- settings from one table: default < file < environment < flags, each remembered with its
 * origin. Knows no setting.  Start-up only. */
#ifndef SEVE_CONF_H
#define SEVE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

enum conf_type { CONF_TEXT, CONF_INT, CONF_BOOL, CONF_SIZE, CONF_DURATION, CONF_ENUM };

struct conf_def {
	const char *name; /* "listen-port": the flag's name; the file's key and, upper-cased with
			     '_', the variable's */
	enum conf_type type;
	const char *initial; /* default, as text */
	int64_t min, max;    /* CONF_INT, CONF_SIZE (bytes), CONF_DURATION (ms) */
	const char *words;   /* CONF_ENUM: "text|json" */
	bool reload;         /* SIGHUP may change it */
	const char *help;
};

struct conf_value {
	char *text;
	int64_t number;     /* CONF_BOOL: 0 or 1; CONF_ENUM: index of the word */
	const char *origin; /* "default", "file", "environment", "flag" */
};

struct conf {
	const struct conf_def *defs;
	size_t n;
	struct conf_value *values; /* n of them, in the order of defs */
};

int conf_init(struct conf *c, const struct conf_def *defs, size_t n, struct err *e);
void conf_fini(struct conf *c);
/* "key = value" lines, # comments (libinih).  An unknown key is an error that names the line and
 * the nearest known key. */
int conf_read_file(struct conf *c, const char *path, struct err *e);
/* Variables PREFIX_NAME. */
int conf_read_env(struct conf *c, const char *prefix, struct err *e);
int conf_set(struct conf *c, const char *name, const char *text, const char *origin, struct err *e);
/* Prints every setting, its value, its origin and whether it is reloadable. */
void conf_print(const struct conf *c, FILE *out);

#endif
