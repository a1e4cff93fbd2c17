/* proxy.h -- a connection's bad luck, on purpose: stands between a client and a server, over TCP on
 * loopback or unix sockets, and delays, throttles, half-closes or cuts at byte k, each way by
 * itself.  Runs in a thread of its own.  Knows no TLS and no frames; of PostgreSQL's messages only
 * where one ends, to cut between a COMMIT and its reply. */
#ifndef TESTS_PROXY_H
#define TESTS_PROXY_H

#include <stdbool.h>
#include <stdint.h>

enum proxy_way { PROXY_UP, PROXY_DOWN, PROXY_WAYS }; /* to the server, to the client */

#define PROXY_NEVER UINT64_MAX

struct proxy_fault {
	uint64_t cut_at;   /* both ends are reset before this byte of this way is passed on */
	uint64_t half_at;  /* the way ends (shutdown) before this byte; the other goes on */
	unsigned delay_ms; /* each piece waits */
	unsigned rate;     /* bytes a second, 0: any */
};

/* Of each connection made after it was set; `connections` of them, the others pass untouched. */
struct proxy_plan {
	struct proxy_fault ways[PROXY_WAYS];
	unsigned connections;
	bool cut_commit; /* resets both ends in place of PostgreSQL's answer to the next COMMIT */
};

struct proxy_seen {
	unsigned long connections, cuts, halves;
	uint64_t bytes[PROXY_WAYS]; /* of the newest connection */
	unsigned open;
};

struct proxy;
/* Listens; *port is the TCP port.  Paths instead of ports: unix sockets. */
struct proxy *proxy_start(const char *listen_path, const char *to_path, unsigned to_port,
			  unsigned *port);
void proxy_stop(struct proxy *p);

/* Plans nothing. */
struct proxy_plan proxy_untouched(void);
void proxy_set(struct proxy *p, const struct proxy_plan *plan);
struct proxy_seen proxy_look(struct proxy *p);

#endif
