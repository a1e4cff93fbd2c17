/* profile.h -- which server, with which token and store: a folder of small files under
 * XDG_CONFIG_HOME/seve/profiles/NAME. server   host:port        ca.pem   the only authority
 * trusted, where there is one        token   of this machine, 0600 The store lies in
 * XDG_DATA_HOME/seve/NAME.db.  Knows no connection.  SEVE_SERVER, SEVE_CA_FILE, SEVE_TOKEN_FILE and
 * SEVE_STORE replace single values. */
#ifndef SEVE_CLI_PROFILE_H
#define SEVE_CLI_PROFILE_H

#include <stdbool.h>

#include "arena.h"
#include "err.h"
#include "opts.h"

struct profile {
	const char *name;
	const char *origin; /* where the name comes from: "option", "SEVE_PROFILE", "profile use",
			       "default" */
	const char *dir;
	const char *server; /* NULL: nobody has logged in */
	const char *server_file, *ca_file, *token_file, *store;
	bool has_ca;
};

/* Finds the profile: `name` or NULL for the one in use.  -ERR_INVALID for a name that is none. */
int profile_find(struct arena *a, const char *name, struct profile *out, struct err *e);
/* Names of all profiles, sorted. */
int profile_names(struct arena *a, struct words *out, struct err *e);
/* Makes this one the profile of later runs. */
int profile_use(struct arena *a, const char *name, struct err *e);
/* Makes the folders of profile and store. */
int profile_make(const struct profile *p, struct err *e);

#endif
