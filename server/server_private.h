/* server_private.h -- the parts of the server that its own modules share; handlers and the writer
 * see server.h only. */
#ifndef SEVED_SERVER_PRIVATE_H
#define SEVED_SERVER_PRIVATE_H

#include "auth.h"
#include "bell.h"
#include "config.h"
#include "conn.h"
#include "heads.h"
#include "listener.h"
#include "metrics.h"
#include "request.h"
#include "server.h"

/* SERVING ──server_drain()──► DRAINING ──connections gone──► STOPPING ──links gone──► STOPPED */
enum server_state { SERVER_SERVING, SERVER_DRAINING, SERVER_STOPPING, SERVER_STOPPED };

struct server_private {
	enum server_state state;
	struct conns conns;
	struct requests requests;
	struct listener listener;
	struct auth auth;
	struct metrics metrics;
	struct bell *ring;
	uv_timer_t tick;     /* 1 s */
	uv_prepare_t before; /* the loop sleeps */
	uv_check_t after;    /* it has polled */
	uint64_t drain_until_ms;
	unsigned closing; /* handles and links whose close callbacks are still to come */
	char *conninfo;
};

/* One of priv->closing is gone. */
void server_closed_one(struct server *s);

#endif
