/* scene.h -- a server with one account that has enrolled: what the tests of connections and
 * requests begin with. */
#ifndef TESTS_PG_SCENE_H
#define TESTS_PG_SCENE_H

#include "fixture.h"

#include <libpq-fe.h>

#include "peer.h"

struct scene {
	struct host host;
	char token[80]; /* of the account admin */
};

/* Set-up with flags (pairs of name and value, ended by NULL), without any; tear-down, which lets
 * the clock go too. */
int scene_start(void **state, const char *const *flags);
int scene_set_up(void **state);
int scene_tear_down(void **state);

struct conns *scene_conns(struct scene *s);
/* A session by the token. */
void scene_open(struct scene *s, struct peer *p);
/* A request for the status, which reads territory_head. */
Seve__Request scene_status(Seve__StatusRequest *body);
/* Readers of territory_head wait until the connection is ended by PQfinish(). */
PGconn *scene_hold(struct scene *s);
/* Waits for a reply that is this error. */
void scene_expect_failure(struct peer *p, uint64_t id, const char *detail);

#endif
