/* peer.h -- a client as a test wants it: frames over TLS to a server that runs on the same loop.
 * Every wait turns that loop.  Failures end the test. */
#ifndef TESTS_PG_PEER_H
#define TESTS_PG_PEER_H

#include "fixture.h"
#include "frame.h"
#include "server_private.h"
#include "tls.h"

/* A server on a loop of the test's own, with a database of its own. */
struct host {
	uv_loop_t loop;
	struct fixture_db db;
	struct conf conf;
	struct server *server;
};

/* `flags` are pairs of name and value, ended by NULL. */
void host_start(struct host *h, const char *const *flags);
/* Another server over the same database, on the loop of the first. */
void host_join(struct host *h, struct host *first, const char *const *flags);
/* Halts it and waits; ends the loop, if it is its own. */
void host_stop(struct host *h);
/* The code of a new invite for the admin account NAME. */
void host_invite(const struct host *h, const char *account, char out[static 64]);

struct peer {
	struct host *host;
	int fd;
	SSL_CTX *ctx;
	struct tls tls;
	struct buf out, plain;
	bool closed; /* by the server */
	bool deaf;   /* takes nothing from the socket */
	bool mute;   /* keeps in `out` what it would send */
	uint64_t last_id;
};

/* Connects the socket, nothing more. */
void peer_connect(struct peer *p, struct host *h);
/* TLS up to readiness. */
void peer_secure(struct peer *p);
/* Connects, secures, says Hello with a token or an invite; returns the Welcome, NULL if the answer
 * was an Error. */
Seve__Welcome *peer_open(struct peer *p, struct host *h, const char *token, const char *invite);
void peer_close(struct peer *p);

void peer_hello(struct peer *p, const char *token, const char *invite);
/* Bytes as they are, past TLS. */
void peer_raw(struct peer *p, const void *bytes, size_t n);
void peer_send(struct peer *p, enum frame_type type, const ProtobufCMessage *m);
void peer_send_bytes(struct peer *p, enum frame_type type, const void *payload, size_t n);
/* Fills in an id, if there is none, and sends; returns the id. */
uint64_t peer_request(struct peer *p, Seve__Request *r);

/* Waits for a frame of this type and unpacks it; any other frame fails the test.  Free with
 * protobuf_c_message_free_unpacked(). */
ProtobufCMessage *peer_expect(struct peer *p, enum frame_type type,
			      const ProtobufCMessageDescriptor *desc);
Seve__Reply *peer_reply(struct peer *p);
/* Waits for an Error frame and checks its detail. */
void peer_expect_error(struct peer *p, const char *detail);
void peer_expect_closed(struct peer *p);
/* Sends a StatusRequest and waits for its answer. */
void peer_status(struct peer *p);
void peer_free(void *message);

/* One turn of both ends: for a test that waits for what may be of several types. */
void peer_pump(struct peer *p);

/* Turns the loop for a while. */
void host_turn(struct host *h, unsigned ms);
/* Moves the fake clock and sweeps, as the seconds would have done. */
void host_pass(struct host *h, int64_t ms);

#endif
