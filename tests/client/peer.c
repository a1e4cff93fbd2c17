/* peer.c -- see peer.h. */
#include "peer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "envelope.pb-c.h"
#include "frame.h"
#include "support.h"
#include "tls.h"

struct peer_private {
	SSL_CTX *ctx;
	struct tls tls;
	struct buf out, plain;
	struct arena arena;
	int fd;
	bool cut;            /* this connection ends */
	Seve__Request *held; /* a chunk whose answer waits for the next one's */
	struct arena held_arena;
};

static void peer_send(struct peer *p, enum frame_type type, const ProtobufCMessage *m)
{
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *bytes = malloc(n + 1);
	struct buf frame;
	struct err e;

	assert_non_null(bytes);
	buf_init(&frame, FRAME_MAX + FRAME_HEADER);
	protobuf_c_message_pack(m, bytes);
	assert_int_equal(frame_add(&frame, type, bytes, n), 0);
	assert_int_equal(tls_write(&p->priv->tls, buf_span(&frame).at, buf_len(&frame), &e), 0);
	buf_fini(&frame);
	free(bytes);
}

static void reply(struct peer *p, const Seve__Request *q, Seve__Reply *r)
{
	r->has_id = true;
	r->id = q->id;
	peer_send(p, FRAME_REPLY, &r->base);
}

static void reply_error(struct peer *p, const Seve__Request *q, enum err_code code)
{
	Seve__Reply r = SEVE__REPLY__INIT;
	Seve__Error e = SEVE__ERROR__INIT;

	e.has_code = e.has_class_ = true;
	e.code = err_rpc(code);
	e.detail = (char *)(uintptr_t)err_name(code);
	e.message = (char *)(uintptr_t) "as the script says";
	e.class_ = err_class(code) == ERR_RETRYABLE ? SEVE__ERROR__CLASS__RETRYABLE
						    : SEVE__ERROR__CLASS__PERMANENT;
	r.error = &e;
	reply(p, q, &r);
}

static bool take(unsigned *n)
{
	return *n ? (*n)--, true : false;
}

static bool flush(struct peer_private *v)
{
	while (buf_len(&v->out)) {
		struct span s = buf_span(&v->out);
		ssize_t n = send(v->fd, s.at, s.len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		buf_consume(&v->out, (size_t)n);
	}
	return true;
}

/* ---- methods ----------------------------------------------------------------------------------
 */

static void on_hello(struct peer *p, const Seve__Hello *hello)
{
	Seve__Welcome w = SEVE__WELCOME__INIT;
	Seve__Grant grant = SEVE__GRANT__INIT, *list[] = {&grant};

	if (take(&p->script.cut_hello)) {
		p->priv->cut = true;
		return;
	}
	w.has_proto = w.has_epoch = w.has_clock_ms = true;
	w.proto = 1;
	w.epoch = 1;
	w.clock_ms = 1700000000000;
	w.account = (char *)(uintptr_t)(p->script.account ? p->script.account : "animatrice");
	w.server = (char *)(uintptr_t) "peer/1";
	w.token = hello->invite ? (char *)(uintptr_t) "svt_new" : NULL;
	grant.has_role = grant.has_territory = grant.has_view = true;
	grant.role = SEVE__ROLE__ROLE_FACILITATOR;
	grant.territory = PEER_TERRITORY;
	grant.view = 2;
	grant.slug = (char *)(uintptr_t) "nord";
	grant.name = (char *)(uintptr_t) "Nord";
	w.n_grants = 1;
	w.grants = list;
	peer_send(p, FRAME_WELCOME, &w.base);
}

static uint64_t hash_of(struct arena *a, const Seve__Mutation *m)
{
	struct span s = wire_pack(a, &m->base);
	uint64_t h = 1469598103934665603u;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ s.at[i]) * 1099511628211u;
	return h;
}

static void on_push(struct peer *p, const Seve__Request *q)
{
	Seve__Verdict verdicts[PEER_LOG], *list[PEER_LOG];
	Seve__Violation why = SEVE__VIOLATION__INIT, *whys[] = {&why};
	Seve__Outcome outcomes[PEER_LOG], *outcome_lists[PEER_LOG][1];
	Seve__Reply r = SEVE__REPLY__INIT;
	Seve__PushReply push = SEVE__PUSH_REPLY__INIT;

	p->seen.pushes++;
	why.code = (char *)(uintptr_t) "STATE";
	why.text = (char *)(uintptr_t) "not allowed";
	for (size_t i = 0; i < q->push->n_mutations && i < PEER_LOG; i++) {
		const Seve__Mutation *m = q->push->mutations[i];

		if (p->seen.mutations < PEER_LOG) {
			p->seen.mids[p->seen.mutations] = m->mid;
			p->seen.hashes[p->seen.mutations++] = hash_of(&p->priv->arena, m);
		}
		verdicts[i] =
			support_verdict(m->mid, p->script.refuse ? SEVE__VERDICT__CODE__REJECTED
								 : SEVE__VERDICT__CODE__APPLIED);
		seve__outcome__init(&outcomes[i]);
		outcomes[i].has_id = outcomes[i].has_rev = true;
		outcomes[i].id = m->changes[0]->id;
		outcomes[i].rev = p->script.rows + m->mid;
		outcome_lists[i][0] = &outcomes[i];
		verdicts[i].n_outcomes = p->script.refuse ? 0 : 1;
		verdicts[i].outcomes = outcome_lists[i];
		verdicts[i].n_violations = p->script.refuse;
		verdicts[i].violations = whys;
		list[i] = &verdicts[i];
	}
	if (take(&p->script.cut_push)) {
		p->priv->cut = true;
		return;
	}
	if (q->push->n_mutations > 1 && take(&p->script.too_big)) {
		reply_error(p, q, ERR_TOO_BIG);
		return;
	}
	if (take(&p->script.busy)) {
		reply_error(p, q, ERR_UNAVAILABLE);
		return;
	}
	push.n_verdicts = q->push->n_mutations;
	push.verdicts = list;
	r.body_case = SEVE__REPLY__BODY_PUSH;
	r.push = &push;
	reply(p, q, &r);
}

static void send_rows(struct peer *p, const Seve__Request *q, uint64_t from, uint64_t to)
{
	Seve__Page page = SEVE__PAGE__INIT;
	Seve__Record records[2], *list[2];
	struct uuid ids[2];
	char title[32];

	page.has_request = page.has_territory = page.has_from_rev = page.has_to_rev = true;
	page.request = q->id;
	page.territory = PEER_TERRITORY;
	page.from_rev = from;
	page.to_rev = to;
	page.records = list;
	for (uint64_t rev = from + 1; rev <= to; rev++) {
		Seve__Record *r = &records[page.n_records];

		seve__record__init(r);
		snprintf(title, sizeof title, "Action %u", (unsigned)rev);
		ids[page.n_records] = support_id((unsigned)rev);
		r->has_id = r->has_kind = r->has_rev = r->has_body = true;
		r->id = (ProtobufCBinaryData){16, ids[page.n_records].b};
		r->kind = SEVE__BODY__KIND_ACTION;
		r->rev = rev;
		r->body = support_action(title, (uint32_t)rev, SEVE__ACTION__STATUS__STATUS_LEAD);
		list[page.n_records++] = r;
	}
	peer_send(p, FRAME_PAGE, &page.base);
	for (size_t i = 0; i < page.n_records; i++)
		free(records[i].body.data);
}

static void on_pull(struct peer *p, const Seve__Request *q)
{
	Seve__Reply r = SEVE__REPLY__INIT;
	Seve__PullReply pull = SEVE__PULL_REPLY__INIT;
	uint64_t rev = q->pull->rev;

	if (p->seen.pulls < PEER_LOG)
		p->seen.pull_revs[p->seen.pulls++] = rev;
	if (take(&p->script.resets)) {
		reply_error(p, q, ERR_RESET_REQUIRED);
		return;
	}
	for (; rev < p->script.rows; rev = rev + 2 < p->script.rows ? rev + 2 : p->script.rows) {
		send_rows(p, q, rev, rev + 2 < p->script.rows ? rev + 2 : p->script.rows);
		if (take(&p->script.cut_pull)) {
			p->priv->cut = true;
			return;
		}
	}
	pull.has_territory = pull.has_epoch = pull.has_view = pull.has_head_rev = true;
	pull.territory = PEER_TERRITORY;
	pull.epoch = 1;
	pull.view = 2;
	pull.head_rev = rev;
	r.body_case = SEVE__REPLY__BODY_PULL;
	r.pull = &pull;
	reply(p, q, &r);
}

static void on_import_begin(struct peer *p, const Seve__Request *q)
{
	Seve__Reply r = SEVE__REPLY__INIT;
	Seve__ImportReply import = SEVE__IMPORT_REPLY__INIT;

	import.has_run = true;
	import.run = ++p->seen.runs;
	r.body_case = SEVE__REPLY__BODY_IMPORT;
	r.import = &import;
	reply(p, q, &r);
}

static void answer_rows(struct peer *p, const Seve__Request *q)
{
	Seve__Reply r = SEVE__REPLY__INIT;
	Seve__ImportReply import = SEVE__IMPORT_REPLY__INIT;
	size_t n = q->import_rows->n_rows;
	Seve__RowVerdict *verdicts = calloc(n, sizeof *verdicts), **list = calloc(n, sizeof *list);

	assert_true(verdicts && list);
	for (size_t i = 0; i < n; i++) {
		seve__row_verdict__init(&verdicts[i]);
		verdicts[i].has_line = verdicts[i].has_code = true;
		verdicts[i].line = q->import_rows->rows[i]->line;
		verdicts[i].code = p->seen.runs > 1 ? SEVE__ROW_VERDICT__CODE__UNCHANGED
						    : SEVE__ROW_VERDICT__CODE__CREATED;
		list[i] = &verdicts[i];
	}
	import.has_run = true;
	import.run = q->import_rows->run;
	import.n_rows = n;
	import.rows = list;
	r.body_case = SEVE__REPLY__BODY_IMPORT;
	r.import = &import;
	reply(p, q, &r);
	free(verdicts);
	free(list);
}

static void on_import_rows(struct peer *p, const Seve__Request *q)
{
	struct peer_private *v = p->priv;

	p->seen.chunks++;
	if (take(&p->script.cut_import)) {
		v->cut = true;
		return;
	}
	if (p->script.reverse && !v->held) {
		v->held = (Seve__Request *)wire_dup(&v->held_arena, &q->base);
		assert_non_null(v->held);
		return;
	}
	answer_rows(p, q);
	if (v->held) {
		/* Long enough apart that the client sees the one without the other. */
		flush(v);
		poll(NULL, 0, 30);
		answer_rows(p, v->held);
		v->held = NULL;
		arena_reset(&v->held_arena);
	}
}

static void on_import_end(struct peer *p, const Seve__Request *q)
{
	Seve__Reply r = SEVE__REPLY__INIT;
	Seve__ImportReply import = SEVE__IMPORT_REPLY__INIT;

	import.has_head_rev = true;
	import.head_rev = 99;
	r.body_case = SEVE__REPLY__BODY_IMPORT;
	r.import = &import;
	reply(p, q, &r);
}

static void on_get(struct peer *p, const Seve__Request *q)
{
	Seve__Reply r = SEVE__REPLY__INIT;
	Seve__GetReply get = SEVE__GET_REPLY__INIT;

	r.body_case = SEVE__REPLY__BODY_GET;
	r.get = &get;
	reply(p, q, &r);
}

static void on_request(struct peer *p, const Seve__Request *q)
{
	Seve__GoAway bye = SEVE__GO_AWAY__INIT;

	if (p->script.silent)
		return;
	if (take(&p->script.go_away))
		peer_send(p, FRAME_GOAWAY, &bye.base);
	if (p->script.gone) {
		reply_error(p, q, ERR_NOT_FOUND);
		return;
	}
	switch ((int)q->body_case) {
	case SEVE__REQUEST__BODY_PUSH:
		on_push(p, q);
		break;
	case SEVE__REQUEST__BODY_PULL:
		on_pull(p, q);
		break;
	case SEVE__REQUEST__BODY_IMPORT_BEGIN:
		on_import_begin(p, q);
		break;
	case SEVE__REQUEST__BODY_IMPORT_ROWS:
		on_import_rows(p, q);
		break;
	case SEVE__REQUEST__BODY_IMPORT_END:
		on_import_end(p, q);
		break;
	case SEVE__REQUEST__BODY_GET:
		on_get(p, q);
		break;
	default:
		p->seen.others++;
		if (take(&p->script.cut_other))
			p->priv->cut = true;
		else
			reply_error(p, q, ERR_UNKNOWN_METHOD);
	}
}

/* ---- connections --------------------------------------------------------------------------------
 */

static void on_frames(struct peer *p)
{
	struct peer_private *v = p->priv;
	struct frame f;
	struct err e;

	while (!v->cut && frame_next(&v->plain, FRAME_MAX, &f, &e) == 1) {
		ProtobufCMessage *m = NULL;

		arena_reset(&v->arena);
		if (f.type == FRAME_HELLO && !wire_unpack(&v->arena, &seve__hello__descriptor,
							  f.payload.at, f.payload.len, &m, &e))
			on_hello(p, (const Seve__Hello *)m);
		else if (f.type == FRAME_REQUEST &&
			 !wire_unpack(&v->arena, &seve__request__descriptor, f.payload.at,
				      f.payload.len, &m, &e))
			on_request(p, (const Seve__Request *)m);
		buf_consume(&v->plain, FRAME_HEADER + f.payload.len);
	}
}

static void serve(struct peer *p)
{
	struct peer_private *v = p->priv;
	struct pollfd fds[2] = {{.fd = v->fd, .events = POLLIN},
				{.fd = p->stop[0], .events = POLLIN}};
	uint8_t bytes[16384];
	struct err e;

	v->cut = false;
	v->held = NULL;
	memset(&v->tls, 0, sizeof v->tls);
	assert_int_equal(tls_init(&v->tls, v->ctx, NULL, &v->out, &e), 0);
	while (!v->cut && poll(fds, 2, -1) > 0 && !fds[1].revents) {
		ssize_t n = recv(v->fd, bytes, sizeof bytes, 0);

		if (n <= 0 || tls_feed(&v->tls, bytes, (size_t)n, &v->plain, &e) < 0)
			break;
		on_frames(p);
		if (!flush(v))
			break;
	}
	flush(v);
	tls_fini(&v->tls);
	buf_fini(&v->out);
	buf_fini(&v->plain);
	close(v->fd);
}

static void *run(void *ctx)
{
	struct peer *p = ctx;
	struct pollfd fds[2] = {{.fd = p->listener, .events = POLLIN},
				{.fd = p->stop[0], .events = POLLIN}};

	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		p->priv->fd = accept(p->listener, NULL, NULL);
		if (p->priv->fd < 0)
			continue;
		p->seen.connections++;
		serve(p);
	}
	return NULL;
}

void peer_start(struct peer *p, const char *cert_file, const char *key_file)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	struct err e = {0};

	memset(&p->seen, 0, sizeof p->seen);
	p->priv = calloc(1, sizeof *p->priv);
	assert_non_null(p->priv);
	buf_init(&p->priv->out, 16 * FRAME_MAX);
	buf_init(&p->priv->plain, 4 * FRAME_MAX);
	arena_init(&p->priv->arena, 64 * FRAME_MAX);
	arena_init(&p->priv->held_arena, 64 * FRAME_MAX);
	if (tls_ctx_server(cert_file, key_file, &p->priv->ctx, &e))
		fail_msg("%s", e.text);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(p->listener, 8), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&at, &len), 0);
	snprintf(p->address, sizeof p->address, "127.0.0.1:%u", ntohs(at.sin_port));
	assert_int_equal(pipe(p->stop), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
}

void peer_stop(struct peer *p)
{
	assert_int_equal(write(p->stop[1], "x", 1), 1);
	pthread_join(p->thread, NULL);
	close(p->stop[0]);
	close(p->stop[1]);
	close(p->listener);
	tls_ctx_free(p->priv->ctx);
	arena_fini(&p->priv->arena);
	arena_fini(&p->priv->held_arena);
	free(p->priv);
	p->priv = NULL;
}
