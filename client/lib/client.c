/* client.c -- see client.h: opening, connecting, asking, waiting. */
#include "client.h"

#include <poll.h>
#include <sys/random.h>

#include "clock.h"
#include "sync.h"
#include "watch.h"

static const char version[] = SEVE_VERSION;

const char *seve_version(void)
{
	return version;
}

/* ---- options
 * ---------------------------------------------------------------------------------------- */

struct seve_options *seve_options_new(void)
{
	struct seve_options *o = calloc(1, sizeof *o);

	if (o)
		o->timeout_ms = CLIENT_TIMEOUT_MS;
	return o;
}

static void options_clear(struct seve_options *o)
{
	free(o->server);
	free(o->ca_file);
	free(o->token_file);
	free(o->store);
	free(o->agent);
	memset(o, 0, sizeof *o);
}

void seve_options_free(struct seve_options *o)
{
	if (!o)
		return;
	options_clear(o);
	free(o);
}

static char **option_text(struct seve_options *o, const char *key)
{
	const struct {
		const char *key;
		char **at;
	} list[] = {
		{"server", &o->server}, {"ca-file", &o->ca_file}, {"token-file", &o->token_file},
		{"store", &o->store},   {"agent", &o->agent},
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (strcmp(list[i].key, key) == 0)
			return list[i].at;
	return NULL;
}

static int option_timeout(struct seve_options *o, const char *value)
{
	char *end;
	unsigned long ms = strtoul(value, &end, 10);

	if (!*value || *end || ms < 1 || ms > 3600000)
		return SEVE_USAGE;
	o->timeout_ms = (uint32_t)ms;
	return SEVE_OK;
}

int seve_options_set(struct seve_options *o, const char *key, const char *value)
{
	char **at, *copy;

	if (!o || !key || !value)
		return SEVE_USAGE;
	if (strcmp(key, "timeout-ms") == 0)
		return option_timeout(o, value);
	at = option_text(o, key);
	if (!at)
		return SEVE_USAGE;
	copy = strdup(value);
	if (!copy)
		return SEVE_FAILURE;
	free(*at);
	*at = copy;
	return SEVE_OK;
}

static int options_copy(const struct seve_options *from, struct seve_options *to, struct err *e)
{
	static const char *const keys[] = {"server", "ca-file", "token-file", "store", "agent"};

	to->timeout_ms = from->timeout_ms;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *value = *option_text((struct seve_options *)(uintptr_t)from, keys[i]);

		if (value && seve_options_set(to, keys[i], value) != SEVE_OK)
			return err_set(e, ERR_NOMEM, "options");
	}
	return 0;
}

/* ---- opening
 * ------------------------------------------------------------------------------------------- */

static int welcomed(void *ctx, const Seve__Welcome *w, struct err *e)
{
	struct seve *s = ctx;
	int rc;

	/* First: the invite is spent, so the token must not be lost whatever comes next. */
	if (w->token && *w->token) {
		free(s->new_token);
		s->new_token = strdup(w->token);
		if (!s->new_token)
			return err_set(e, ERR_NOMEM, "token");
	}
	rc = client_remember(s, w, e);
	s->welcome = !rc;
	return rc;
}

static int open_in(struct seve *s, const struct seve_options *o, struct err *e)
{
	int rc = options_copy(o, &s->options, e);

	if (!rc)
		rc = store_open(s->options.store ? s->options.store : ":memory:", &s->store, e);
	if (!rc)
		rc = store_meta_get(s->store, "account", s->account, sizeof s->account, e);
	return rc;
}

int seve_open(const struct seve_options *o, struct seve **out, struct seve_error **err)
{
	struct seve *s = calloc(1, sizeof *s);
	struct err e = {0};

	if (!s) {
		err_set(&e, ERR_NOMEM, "handle");
		return error_out(err, &e);
	}
	session_init(&s->session);
	s->session.on_welcome = welcomed;
	s->session.ctx = s;
	if (open_in(s, o, &e)) {
		seve_close(s);
		return error_out(err, &e);
	}
	*out = s;
	return SEVE_OK;
}

void seve_close(struct seve *s)
{
	if (!s)
		return;
	watch_drop(s);
	sync_drop(s);
	session_fini(&s->session);
	tls_ctx_free(s->tls);
	store_close(s->store);
	if (s->new_token)
		explicit_bzero(s->new_token, strlen(s->new_token));
	free(s->new_token);
	options_clear(&s->options);
	free(s);
}

/* ---- connecting
 * -------------------------------------------------------------------------------------------- */

static int start_session(struct seve *s, const char *token, const char *invite, const char *device,
			 struct err *e)
{
	Seve__Hello hello = SEVE__HELLO__INIT;
	int rc = 0;

	if (!s->options.server) {
		err_set(e, ERR_CONFIG, "no server is configured");
		return err_remedy(e, "log in first, or give the server's address");
	}
	if (!s->tls)
		rc = tls_ctx_client(s->options.ca_file, NULL, &s->tls, e);
	if (rc)
		return rc;
	hello.has_proto_min = hello.has_proto_max = hello.has_schema = true;
	hello.proto_min = hello.proto_max = SESSION_PROTO;
	hello.schema = SESSION_SCHEMA;
	hello.has_client_id = true;
	hello.client_id = (ProtobufCBinaryData){16, s->store->client_id.b};
	hello.token = (char *)(uintptr_t)token;
	hello.invite = (char *)(uintptr_t)invite;
	hello.device = (char *)(uintptr_t)device;
	hello.agent =
		s->options.agent ? s->options.agent : (char *)(uintptr_t) "libseve/" SEVE_VERSION;
	hello.has_clock_ms = true;
	hello.clock_ms = clock_wall_ms();
	s->welcome = false;
	return session_start(&s->session, s->tls, s->options.server, &hello, e);
}

int client_online(struct seve *s, struct err *e)
{
	char token[CLIENT_TOKEN_MAX];
	int rc;

	if (s->session.state != SESSION_CLOSED)
		return 0;
	rc = client_read_token(s->options.token_file, token, e);
	if (!rc)
		rc = start_session(s, token, NULL, NULL, e);
	explicit_bzero(token, sizeof token);
	return rc;
}

void client_hang_up(struct seve *s)
{
	int (*on_welcome)(void *, const Seve__Welcome *, struct err *) = s->session.on_welcome;

	session_fini(&s->session);
	session_init(&s->session);
	s->session.on_welcome = on_welcome;
	s->session.ctx = s;
	s->welcome = false;
}

int64_t client_now_ms(const struct seve *s)
{
	return clock_wall_ms() + s->skew_ms;
}

/* ---- waiting
 * ---------------------------------------------------------------------------------------------------
 */

bool client_retryable(const struct err *e)
{
	return e->code != ERR_OK && err_class(e->code) != ERR_PERMANENT && e->code != ERR_NOMEM &&
	       e->code != ERR_IO;
}

uint32_t client_backoff_ms(unsigned n, const struct err *why)
{
	uint64_t ceiling = (uint64_t)CLIENT_BACKOFF_MS << (n > 8 ? 8 : n ? n - 1 : 0);
	uint32_t random = 0;

	if (ceiling > CLIENT_BACKOFF_MAX_MS)
		ceiling = CLIENT_BACKOFF_MAX_MS;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = (uint32_t)clock_mono_ms();
	random %= (uint32_t)ceiling + 1;
	return random > why->retry_after_ms ? random : why->retry_after_ms;
}

void client_wait(struct seve *s, uint64_t until_ms)
{
	struct pollfd p = {.fd = session_fd(&s->session)};
	uint64_t now = clock_mono_ms(), wake = session_wake_ms(&s->session);
	int events = session_events(&s->session), timeout;

	if (watch_wake_ms(s) < wake)
		wake = watch_wake_ms(s);
	if (wake > until_ms)
		wake = until_ms;
	timeout = wake <= now ? 0 : wake - now > 60000 ? 60000 : (int)(wake - now);
	p.events = (short)((events & 1 ? POLLIN : 0) | (events & 2 ? POLLOUT : 0));
	/* An interruption is a wake-up like any other. */
	(void)poll(&p, p.fd >= 0, timeout);
	/* Whoever waits learns of a loss from the call's own end. */
	(void)session_process(&s->session, NULL);
	sync_poke(s);
	watch_poke(s);
}

static void pause_ms(struct seve *s, uint32_t ms)
{
	uint64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until)
		client_wait(s, until);
}

/* ---- asking
 * --------------------------------------------------------------------------------------------------------
 */

struct ask {
	bool done;
	const Seve__Reply *reply;
	struct err err;
};

static void ask_done(void *ctx, const Seve__Reply *reply, const struct err *err)
{
	struct ask *a = ctx;

	a->done = true;
	a->reply = reply;
	if (err)
		a->err = *err;
}

static int ask_once(struct seve *s, Seve__Request *req, struct arena *a, bool writes,
		    const Seve__Reply **out, struct err *e)
{
	struct ask ask = {0};
	struct call_want want = {.done = ask_done,
				 .ctx = &ask,
				 .arena = a,
				 .timeout_ms = s->options.timeout_ms,
				 .writes = writes};
	int rc = client_online(s, e);

	if (!rc)
		rc = session_submit(&s->session, req, &want, NULL, e);
	if (rc)
		return rc;
	while (!ask.done)
		client_wait(s, UINT64_MAX);
	if (ask.err.code) {
		*e = ask.err;
		return -(int)e->code;
	}
	*out = ask.reply;
	return 0;
}

int client_ask(struct seve *s, Seve__Request *req, struct arena *a, bool writes, bool again,
	       const Seve__Reply **out, struct err *e)
{
	for (unsigned try = 1;; try++) {
		int rc;

		*e = (struct err){0}; /* of the try before */
		rc = ask_once(s, req, a, writes, out, e);
		if (!rc || try == CLIENT_TRIES || !client_retryable(e) ||
		    (!again && e->code == ERR_OUTCOME))
			return rc;
		pause_ms(s, client_backoff_ms(try, e));
	}
}

static int connect_once(struct seve *s, struct err *e)
{
	int rc = client_online(s, e);

	while (!rc && !s->welcome) {
		struct pollfd p = {.fd = session_fd(&s->session)};
		uint64_t now = clock_mono_ms(), wake = session_wake_ms(&s->session);
		int events = session_events(&s->session);

		p.events = (short)((events & 1 ? POLLIN : 0) | (events & 2 ? POLLOUT : 0));
		(void)poll(&p, 1, wake <= now ? 0 : wake - now > 60000 ? 60000 : (int)(wake - now));
		rc = session_process(&s->session, e);
	}
	return rc;
}

int client_connect(struct seve *s, struct err *e)
{
	for (unsigned try = 1;; try++) {
		int rc;

		*e = (struct err){0}; /* of the try before */
		rc = connect_once(s, e);
		if (!rc || try == CLIENT_TRIES || !client_retryable(e))
			return rc;
		pause_ms(s, client_backoff_ms(try, e));
	}
}

int seve_connect(struct seve *s, struct seve_error **err)
{
	struct err e = {0};

	client_connect(s, &e);
	return error_out(err, &e);
}

/* ---- enrolment
 * ------------------------------------------------------------------------------------------------------
 */

static int keep_token(struct seve *s, struct err *e)
{
	int rc = client_write_secret(s->options.token_file, s->new_token, e);

	explicit_bzero(s->new_token, strlen(s->new_token));
	free(s->new_token);
	s->new_token = NULL;
	return rc;
}

static int enroll_in(struct seve *s, const char *code, const char *device, struct err *e)
{
	struct err later = {0};
	int rc;

	if (!s->options.token_file) {
		err_set(e, ERR_USAGE, "no token-file to write the new token to");
		return err_remedy(e, "set the option token-file");
	}
	client_hang_up(s);
	rc = start_session(s, NULL, code, device, e);
	/* Never tried again by itself: the code may have been spent. */
	while (!rc && !s->welcome)
		rc = connect_once(s, e);
	if (!s->new_token)
		return rc ? rc
			  : err_set(e, ERR_PROTOCOL,
				    "the server accepted the invite, but sent no token");
	if (keep_token(s, &later) && !rc) {
		*e = later;
		return -(int)e->code;
	}
	return rc;
}

int seve_enroll(struct seve *s, const char *invite_code, const char *device,
		struct seve_error **err)
{
	struct err e = {0};

	if (!invite_code || !*invite_code)
		err_set(&e, ERR_USAGE, "no invite code");
	else
		enroll_in(s, invite_code, device, &e);
	return error_out(err, &e);
}
