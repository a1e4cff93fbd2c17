/* test_tls.c -- common/tls*.c: client and server in one process, bytes carried by hand,
 * certificates made here. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki.h"
#include "tls.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { BIG = 1024 * 1024, ROOM = BIG + 65536 };

struct side {
	SSL_CTX *ctx;
	struct tls tls;
	struct buf out, plain;
	struct err err;
	int rc; /* of the last feed */
};

struct pair {
	struct side client, server;
	size_t step; /* at most this many bytes in one feed */
};

/* Both contexts; a test may change them before pair_start(). */
static struct pair *pair_new(void)
{
	struct pair *p = calloc(1, sizeof *p);
	assert_non_null(p);
	p->step = 1000;
	struct side *const both[] = {&p->client, &p->server};
	for (size_t i = 0; i < 2; i++) {
		buf_init(&both[i]->out, ROOM);
		buf_init(&both[i]->plain, ROOM);
	}
	assert_int_equal(tls_ctx_client(pki.ca, NULL, &p->client.ctx, NULL), 0);
	assert_int_equal(tls_ctx_server(pki.cert, pki.key, &p->server.ctx, NULL), 0);
	return p;
}

static void pair_start(struct pair *p, const char *name)
{
	struct side *c = &p->client, *s = &p->server;
	assert_int_equal(tls_init(&c->tls, c->ctx, name, &c->out, &c->err), 0);
	assert_int_equal(tls_init(&s->tls, s->ctx, NULL, &s->out, &s->err), 0);
	c->rc = tls_feed(&c->tls, NULL, 0, &c->plain, &c->err);
}

static void pair_free(struct pair *p)
{
	struct side *const both[] = {&p->client, &p->server};
	for (size_t i = 0; i < 2; i++) {
		tls_fini(&both[i]->tls);
		tls_fini(&both[i]->tls);
		tls_ctx_free(both[i]->ctx);
		buf_fini(&both[i]->out);
		buf_fini(&both[i]->plain);
	}
	free(p);
}

static bool carry(struct side *from, struct side *to, size_t step)
{
	struct span s = buf_span(&from->out);
	if (s.len == 0)
		return false;
	if (s.len > step)
		s.len = step;
	if (to->rc == 0)
		to->rc = tls_feed(&to->tls, s.at, s.len, &to->plain, &to->err);
	buf_consume(&from->out, s.len);
	return true;
}

/* Until neither side has anything to say. */
static void talk(struct pair *p)
{
	bool more = true;
	while (more) {
		more = carry(&p->client, &p->server, p->step);
		more |= carry(&p->server, &p->client, p->step);
	}
}

static struct pair *connected(size_t step)
{
	struct pair *p = pair_new();
	p->step = step;
	pair_start(p, "localhost");
	talk(p);
	assert_true(p->client.tls.ready && p->server.tls.ready);
	return p;
}

static void both_sides_agree_on_tls_1_3_and_seve_1(void **state)
{
	(void)state;
	struct pair *p = connected(1000);
	const unsigned char *alpn;
	unsigned n;
	assert_string_equal(SSL_get_version(p->server.tls.ssl), "TLSv1.3");
	SSL_get0_alpn_selected(p->server.tls.ssl, &alpn, &n);
	assert_int_equal(n, 6);
	assert_memory_equal(alpn, "seve/1", 6);
	assert_string_equal(SSL_get_cipher(p->client.tls.ssl), "TLS_AES_128_GCM_SHA256");
	/* No tickets: after the handshake the server has said nothing more. */
	assert_int_equal(SSL_SESSION_has_ticket(SSL_get0_session(p->client.tls.ssl)), 0);
	pair_free(p);
}

static void bytes_arrive_whole_when_fed_one_by_one(void **state)
{
	(void)state;
	struct pair *p = connected(1);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(tls_write(&p->client.tls, "question", 8, NULL), 0);
		assert_int_equal(tls_write(&p->server.tls, "answer", 6, NULL), 0);
		assert_int_equal(buf_len(&p->server.plain), (size_t)i * 8);
		talk(p);
	}
	assert_int_equal(buf_len(&p->server.plain), 160);
	assert_int_equal(buf_len(&p->client.plain), 120);
	assert_memory_equal(buf_span(&p->server.plain).at + 152, "question", 8);
	assert_memory_equal(buf_span(&p->client.plain).at + 114, "answer", 6);
	pair_free(p);
}

static void a_mebibyte_goes_through_unchanged_each_way(void **state)
{
	(void)state;
	uint8_t *bytes = malloc(BIG);
	assert_non_null(bytes);
	for (uint32_t i = 0, x = 1; i < BIG; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
	static const size_t steps[] = {777, 16384, 65536, ROOM};
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct pair *p = connected(steps[i]);
		assert_int_equal(tls_write(&p->client.tls, bytes, BIG, NULL), 0);
		assert_int_equal(tls_write(&p->server.tls, bytes, BIG, NULL), 0);
		/* 64 records of 16 KiB, 22 bytes more for each. */
		assert_int_equal(buf_len(&p->client.out), BIG + 64 * 22);
		talk(p);
		assert_int_equal(buf_len(&p->server.plain), BIG);
		assert_memory_equal(buf_span(&p->server.plain).at, bytes, BIG);
		assert_memory_equal(buf_span(&p->client.plain).at, bytes, BIG);
		pair_free(p);
	}
	free(bytes);
}

static void names_and_addresses_of_the_certificate_are_accepted(void **state)
{
	(void)state;
	static const char *const good[] = {"localhost", "127.0.0.1", "::1", "dinan.example.org"};
	for (size_t i = 0; i < COUNT(good); i++) {
		struct pair *p = pair_new();
		pair_start(p, good[i]);
		talk(p);
		assert_true(p->client.tls.ready && p->server.tls.ready);
		pair_free(p);
	}
}

/* Both sides must fail; the texts must tell why. */
static void assert_refused(struct pair *p, const char *name, const char *client_says,
			   const char *server_says)
{
	pair_start(p, name);
	talk(p);
	const struct side *c = &p->client, *s = &p->server;
	if (client_says) {
		assert_int_equal(c->rc, -ERR_TLS);
		assert_non_null(strstr(c->err.text, client_says));
		assert_true(c->err.remedy[0]);
	}
	if (server_says) {
		assert_int_equal(s->rc, -ERR_TLS);
		assert_non_null(strstr(s->err.text, server_says));
		assert_true(s->err.remedy[0]);
	}
	assert_false(c->tls.ready && s->tls.ready);
	assert_int_equal(tls_write(client_says ? &p->client.tls : &p->server.tls, "x", 1, NULL),
			 -ERR_TLS);
	assert_int_equal(buf_len(&c->plain) + buf_len(&s->plain), 0);
	pair_free(p);
}

static void another_name_or_address_is_refused(void **state)
{
	(void)state;
	assert_refused(pair_new(), "example.net", "another name", "refuses our certificate");
	assert_refused(pair_new(), "example.org", "another name", NULL);
	assert_refused(pair_new(), "a.b.example.org", "another name", NULL);
	assert_refused(pair_new(), "127.0.0.2", "another address", "refuses our certificate");
	assert_refused(pair_new(), "leaf", "another name", NULL);
}

static void a_certificate_of_an_unknown_ca_is_refused(void **state)
{
	(void)state;
	struct pair *p = pair_new();
	tls_ctx_free(p->client.ctx);
	assert_int_equal(tls_ctx_client(pki.other_ca, NULL, &p->client.ctx, NULL), 0);
	assert_refused(p, "localhost", "unknown CA", "does not know who signed");
	p = pair_new();
	tls_ctx_free(p->client.ctx);
	assert_int_equal(tls_ctx_client(NULL, NULL, &p->client.ctx, NULL), 0);
	assert_refused(p, "localhost", "unknown CA", "does not know who signed");
}

static void an_expired_certificate_is_refused_by_the_client(void **state)
{
	(void)state;
	struct pair *p = pair_new();
	/* tls_ctx_server() would refuse it. */
	assert_int_equal(SSL_CTX_use_certificate_file(p->server.ctx, pki.expired, SSL_FILETYPE_PEM),
			 1);
	assert_int_equal(
		SSL_CTX_use_PrivateKey_file(p->server.ctx, pki.other_key, SSL_FILETYPE_PEM), 1);
	assert_refused(p, "localhost", "expired", "expired");
}

static void another_alpn_is_refused_in_the_handshake(void **state)
{
	(void)state;
	struct pair *p = pair_new();
	SSL_CTX_set_alpn_protos(p->client.ctx, (const unsigned char *)"\x02h2\x06seve/2", 10);
	assert_refused(p, "localhost", "server does not speak", "client does not offer");
}

static void a_client_without_alpn_is_refused(void **state)
{
	(void)state;
	struct pair *p = pair_new();
	SSL_CTX_set_alpn_protos(p->client.ctx, NULL, 0);
	assert_refused(p, "localhost", "seve/1", "seve/1");
}

static void a_server_without_alpn_is_refused(void **state)
{
	(void)state;
	struct pair *p = pair_new();
	SSL_CTX_set_alpn_select_cb(p->server.ctx, NULL, NULL);
	assert_refused(p, "localhost", "seve/1", NULL);
}

static void tls_1_2_is_refused_from_either_side(void **state)
{
	(void)state;
	struct pair *p = pair_new();
	SSL_CTX_set_min_proto_version(p->client.ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(p->client.ctx, TLS1_2_VERSION);
	assert_refused(p, "localhost", "TLS 1.3", "TLS 1.3");
	p = pair_new();
	SSL_CTX_set_min_proto_version(p->server.ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(p->server.ctx, TLS1_2_VERSION);
	assert_refused(p, "localhost", "TLS 1.3", "TLS 1.3");
}

static void other_groups_are_refused(void **state)
{
	(void)state;
	struct pair *p = pair_new();
	assert_true(SSL_CTX_set1_groups_list(p->client.ctx, "P-521"));
	assert_refused(p, "localhost", NULL, "key exchange");
}

static void strangers_are_named_and_get_an_alert(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *says;
	} rows[] = {
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "a plain HTTP request"},
		{"POST /x HTTP/1.1\r\n\r\n", "a plain HTTP request"},
		{"CONNECT example.org:443 HTTP/1.1\r\n\r\n", "an HTTP proxy request"},
		{"SSH-2.0-client\r\n", "not TLS"},
		{"\x16\x03\x01\xff\xff\x01\x01\x01\x01\x01\x01", NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pair *p = pair_new();
		struct side *s = &p->server;
		pair_start(p, "localhost");
		assert_int_equal(
			tls_feed(&s->tls, rows[i].bytes, strlen(rows[i].bytes), &s->plain, &s->err),
			-ERR_TLS);
		if (rows[i].says) {
			assert_non_null(strstr(s->err.text, rows[i].says));
			assert_non_null(strstr(s->err.remedy, "port"));
		}
		assert_int_equal(tls_feed(&s->tls, "x", 1, &s->plain, &s->err), -ERR_TLS);
		pair_free(p);
	}
}

static void errors_left_by_others_are_not_taken_for_ours(void **state)
{
	(void)state;
	struct pair *p = connected(1000);
	assert_int_equal(tls_write(&p->client.tls, "hello", 5, NULL), 0);
	ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
	talk(p);
	assert_int_equal(p->server.rc, 0);
	assert_int_equal(buf_len(&p->server.plain), 5);
	ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
	assert_int_equal(tls_feed(&p->server.tls, "garbage", 7, &p->server.plain, &p->server.err),
			 -ERR_TLS);
	assert_null(strstr(p->server.err.text, "key values"));
	assert_int_equal(ERR_peek_error(), 0);
	pair_free(p);
}

static void a_changed_byte_ends_the_session(void **state)
{
	(void)state;
	struct pair *p = connected(1000);
	assert_int_equal(tls_write(&p->client.tls, "money: 100", 10, NULL), 0);
	uint8_t bytes[100];
	struct span s = buf_span(&p->client.out);
	assert_in_range(s.len, 10, sizeof bytes);
	memcpy(bytes, s.at, s.len);
	bytes[7] ^= 1;
	assert_int_equal(tls_feed(&p->server.tls, bytes, s.len, &p->server.plain, &p->server.err),
			 -ERR_TLS);
	assert_non_null(strstr(p->server.err.text, "changed on the way"));
	assert_true(buf_len(&p->server.out) > 0);
	assert_int_equal(buf_len(&p->server.plain), 0);
	pair_free(p);
}

static void close_notify_closes_one_direction_once(void **state)
{
	(void)state;
	struct pair *p = connected(1);
	assert_int_equal(tls_write(&p->client.tls, "last", 4, NULL), 0);
	tls_close(&p->client.tls);
	const size_t len = buf_len(&p->client.out);
	tls_close(&p->client.tls);
	assert_int_equal(buf_len(&p->client.out), len);
	talk(p);
	assert_int_equal(p->server.rc, 0);
	assert_true(p->server.tls.closed);
	assert_false(p->client.tls.closed);
	assert_memory_equal(buf_span(&p->server.plain).at, "last", 4);
	/* The other direction still works, and what follows close_notify is not read. */
	assert_int_equal(tls_write(&p->server.tls, "bye", 3, NULL), 0);
	tls_close(&p->server.tls);
	talk(p);
	assert_memory_equal(buf_span(&p->client.plain).at, "bye", 3);
	assert_true(p->client.tls.closed);
	assert_int_equal(tls_feed(&p->server.tls, "junk", 4, &p->server.plain, NULL), 0);
	pair_free(p);
}

static void a_stream_cut_short_is_not_taken_for_a_close(void **state)
{
	(void)state;
	struct pair *p = connected(1000);
	assert_int_equal(tls_write(&p->client.tls, "whole", 5, NULL), 0);
	assert_int_equal(tls_write(&p->client.tls, "half", 4, NULL), 0);
	struct span s = buf_span(&p->client.out);
	assert_int_equal(tls_feed(&p->server.tls, s.at, s.len - 1, &p->server.plain, NULL), 0);
	assert_int_equal(buf_len(&p->server.plain), 5);
	assert_false(p->server.tls.closed);
	assert_true(p->server.tls.ready);
	pair_free(p);
}

static void nothing_is_written_before_the_handshake(void **state)
{
	(void)state;
	struct pair *p = pair_new();
	pair_start(p, "localhost");
	const size_t len = buf_len(&p->client.out);
	struct err e;
	assert_int_equal(tls_write(&p->client.tls, "early", 5, &e), -ERR_TLS);
	tls_close(&p->client.tls);
	assert_int_equal(buf_len(&p->client.out), len);
	talk(p);
	assert_true(p->client.tls.ready);
	assert_int_equal(tls_write(&p->client.tls, NULL, 0, &e), 0);
	assert_int_equal(buf_len(&p->client.out), 0);
	pair_free(p);
}

static void full_buffers_are_errors_and_not_losses(void **state)
{
	(void)state;
	static const uint8_t bytes[5000];
	struct err e;
	struct pair *p = connected(1000);
	p->server.plain.max = 4000;
	assert_int_equal(tls_write(&p->client.tls, bytes, sizeof bytes, NULL), 0);
	talk(p);
	assert_int_equal(p->server.rc, -ERR_TOO_BIG);
	pair_free(p);
	p = connected(1000);
	p->client.out.max = 4000;
	assert_int_equal(tls_write(&p->client.tls, bytes, sizeof bytes, &e), -ERR_TOO_BIG);
	assert_int_equal(tls_write(&p->client.tls, bytes, 1, &e), -ERR_TLS);
	pair_free(p);
}

static void a_session_outlives_its_context(void **state)
{
	(void)state;
	struct pair *p = connected(1000);
	tls_ctx_free(p->server.ctx);
	p->server.ctx = NULL;
	assert_int_equal(tls_write(&p->server.tls, "still here", 10, NULL), 0);
	talk(p);
	assert_memory_equal(buf_span(&p->client.plain).at, "still here", 10);
	pair_free(p);
}

static void assert_no_server(const char *cert, const char *key, const char *says)
{
	SSL_CTX *ctx = NULL;
	struct err e;
	assert_int_equal(tls_ctx_server(cert, key, &ctx, &e), -ERR_CONFIG);
	assert_null(ctx);
	assert_non_null(strstr(e.text, says));
}

static void a_server_checks_its_files_when_it_starts(void **state)
{
	(void)state;
	assert_no_server(pki.cert, pki.other_key, "does not belong");
	assert_no_server(pki.expired, pki.other_key, "expired on 20");
	assert_no_server("/nowhere/cert.pem", pki.key, "No such file");
	assert_no_server(pki.cert, "/nowhere/key.pem", "No such file");
	assert_no_server(pki.key, pki.key, pki.key);
	assert_no_server(pki.cert, pki.locked_key, pki.locked_key);
}

static void a_client_checks_whom_it_shall_trust(void **state)
{
	(void)state;
	SSL_CTX *ctx = NULL;
	struct err e;
	assert_int_equal(tls_ctx_client("/nowhere/ca.pem", NULL, &ctx, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.text, "No such file"));
	assert_int_equal(tls_ctx_client(pki.key, NULL, &ctx, &e), -ERR_CONFIG);
	assert_non_null(strstr(e.text, "no certificate in it"));
	assert_int_equal(tls_ctx_client(NULL, "", &ctx, &e), -ERR_CONFIG);
	assert_int_equal(tls_ctx_client(NULL,
					"-----BEGIN CERTIFICATE-----\nAAAA\n"
					"-----END CERTIFICATE-----\n",
					&ctx, &e),
			 -ERR_CONFIG);
	assert_null(ctx);
}

static void trust_may_come_from_memory(void **state)
{
	(void)state;
	char pem[4096];
	FILE *f = fopen(pki.ca, "r");
	assert_non_null(f);
	size_t n = fread(pem, 1, sizeof pem - 1, f);
	pem[n] = '\0';
	fclose(f);
	struct pair *p = pair_new();
	tls_ctx_free(p->client.ctx);
	assert_int_equal(tls_ctx_client("/nowhere", pem, &p->client.ctx, NULL), 0);
	pair_start(p, "localhost");
	talk(p);
	assert_true(p->client.tls.ready && p->server.tls.ready);
	pair_free(p);
}

static void a_pin_is_the_hash_of_the_certificate(void **state)
{
	(void)state;
	char pin[65], expected[65];
	FILE *f = fopen(pki.ca, "r");
	X509 *cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	unsigned char *der = NULL, digest[32];
	int n = i2d_X509(cert, &der);
	assert_true(n > 0);
	assert_true(EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL));
	for (size_t i = 0; i < 32; i++)
		snprintf(expected + 2 * i, 3, "%02x", digest[i]);
	OPENSSL_free(der);
	X509_free(cert);
	assert_int_equal(tls_ca_pin(pki.ca, pin, NULL), 0);
	assert_string_equal(pin, expected);
	assert_int_equal(tls_ca_pin("/nowhere", pin, NULL), -ERR_CONFIG);
	assert_int_equal(tls_ca_pin(pki.key, pin, NULL), -ERR_CONFIG);
	assert_string_equal(pin, expected);
}

static void a_client_must_say_whom_it_expects(void **state)
{
	(void)state;
	struct pair *p = pair_new();
	struct err e;
	assert_int_equal(tls_init(&p->client.tls, p->client.ctx, "", &p->client.out, &e),
			 -ERR_INVALID);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_agree_on_tls_1_3_and_seve_1),
		cmocka_unit_test(bytes_arrive_whole_when_fed_one_by_one),
		cmocka_unit_test(a_mebibyte_goes_through_unchanged_each_way),
		cmocka_unit_test(names_and_addresses_of_the_certificate_are_accepted),
		cmocka_unit_test(another_name_or_address_is_refused),
		cmocka_unit_test(a_certificate_of_an_unknown_ca_is_refused),
		cmocka_unit_test(an_expired_certificate_is_refused_by_the_client),
		cmocka_unit_test(another_alpn_is_refused_in_the_handshake),
		cmocka_unit_test(a_client_without_alpn_is_refused),
		cmocka_unit_test(a_server_without_alpn_is_refused),
		cmocka_unit_test(tls_1_2_is_refused_from_either_side),
		cmocka_unit_test(other_groups_are_refused),
		cmocka_unit_test(strangers_are_named_and_get_an_alert),
		cmocka_unit_test(errors_left_by_others_are_not_taken_for_ours),
		cmocka_unit_test(a_changed_byte_ends_the_session),
		cmocka_unit_test(close_notify_closes_one_direction_once),
		cmocka_unit_test(a_stream_cut_short_is_not_taken_for_a_close),
		cmocka_unit_test(nothing_is_written_before_the_handshake),
		cmocka_unit_test(full_buffers_are_errors_and_not_losses),
		cmocka_unit_test(a_session_outlives_its_context),
		cmocka_unit_test(a_server_checks_its_files_when_it_starts),
		cmocka_unit_test(a_client_checks_whom_it_shall_trust),
		cmocka_unit_test(trust_may_come_from_memory),
		cmocka_unit_test(a_pin_is_the_hash_of_the_certificate),
		cmocka_unit_test(a_client_must_say_whom_it_expects),
	};
	return cmocka_run_group_tests(tests, pki_make, pki_remove);
}
