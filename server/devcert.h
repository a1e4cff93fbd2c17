/* devcert.h -- a development certificate authority in a folder, and a server certificate for this
 * machine made by it. Knows no TLS sessions and no database.  Blocking: start-up only.
 *
 * FOLDER/ca.pem ca.key (10 years)   FOLDER/server.pem server.key (397 days, renewed when fewer than
 * 30 are left) */
#ifndef SEVED_DEVCERT_H
#define SEVED_DEVCERT_H

#include "err.h"

struct devcert {
	char cert_file[512], key_file[512], ca_file[512];
};

/* Makes what is missing: ECDSA P-256, for localhost, 127.0.0.1 and ::1; keys readable by this user
 * only. A CA that lacks one of its two files, or has expired, is an error: clients have pinned it.
 */
int devcert_ensure(const char *folder, struct devcert *out, struct err *e);

#endif
