/* bootstrap.h -- the first way in: an admin account and an invite for it, straight into the
 * database. Knows no connections.  Blocking: start-up and the command `seved bootstrap` only. */
#ifndef SEVED_BOOTSTRAP_H
#define SEVED_BOOTSTRAP_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"

/* Makes the account, if it is not there, an admin, and adds its invite's line to `out`, without a
 * newline. `address` is the host:port that the line names; `ca_file` "" for none. */
int bootstrap_invite(const char *conninfo, const char *account, const char *address,
		     const char *ca_file, struct buf *out, struct err *e);
/* Whether anybody has ever enrolled. */
int bootstrap_is_used(const char *conninfo, bool *out, struct err *e);
/* Writes a line to a file of mode 0600, whole or not at all; a file that is there is replaced. */
int bootstrap_write(const char *path, const struct buf *line, struct err *e);

#endif
