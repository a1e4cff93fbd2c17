/* net.h -- connections as streams of bytes: late, in parts, cut anywhere.  What a user gave up may
 * still arrive at the server. Knows frames only as bytes. */
#ifndef SEVE_SIM_NET_H
#define SEVE_SIM_NET_H

#include "db.h"
#include "envelope.pb-c.h"
#include "frame.h"

struct sim;

enum { NET_LINKS = 24, NET_NONE = NET_LINKS };
enum net_way { NET_UP, NET_DOWN, NET_WAYS };

struct seved_pull;

struct link {
	bool used, user_open, server_open;
	bool eof_told; /* the user knows that the server's end is closed */
	unsigned user, server, generation;
	struct buf fly[NET_WAYS]; /* under way */
	struct buf in[NET_WAYS];  /* arrived, not read yet */
	unsigned planned[NET_WAYS];
	/* The server's session. */
	bool welcomed;
	Seve__Role roles[SIM_TERRITORIES];
	struct seved_pull *pull; /* under way, or NULL */
};

struct net {
	struct link links[NET_LINKS];
};

/* A new connection; NET_NONE: the server is down, or there are too many. */
unsigned net_open(struct sim *s, unsigned user, unsigned server);
void net_send(struct sim *s, unsigned link, enum net_way way, enum frame_type type,
	      const ProtobufCMessage *m);
/* One end closes.  What the user sent may still arrive. */
void net_close_user(struct sim *s, unsigned link);
void net_close_server(struct sim *s, unsigned link);
/* All connections of a server that died. */
void net_server_gone(struct sim *s, unsigned server);
/* The connection breaks for both ends, in the middle of what is under way. */
void net_cut(struct sim *s, unsigned link);
/* Takes the next whole frame that has arrived.  False: there is none. */
bool net_take(struct sim *s, unsigned link, enum net_way way, enum frame_type *type,
	      struct span *payload);
void net_end(struct sim *s);

#endif
