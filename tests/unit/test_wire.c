/* test_wire.c -- common/wire.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "envelope.pb-c.h"
#include "random.h"
#include "wire.h"

enum { ARENA = 64 * 1024 * 1024, ROUNDS = 300, MUTATIONS = 40 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Messages that come from peers or from storage. */
static const ProtobufCMessageDescriptor *const messages[] = {
	&seve__request__descriptor, &seve__reply__descriptor,   &seve__hello__descriptor,
	&seve__welcome__descriptor, &seve__body__descriptor,    &seve__page__descriptor,
	&seve__empty__descriptor,   &seve__go_away__descriptor,
};

static void random_messages_pass_and_survive(void **state)
{
	(void)state;
	struct random r = random_from(31);
	struct arena a;
	arena_init(&a, ARENA);
	for (unsigned round = 0; round < ROUNDS; round++, arena_reset(&a))
		for (size_t i = 0; i < COUNT(messages); i++) {
			ProtobufCMessage *m = random_message(&r, &a, messages[i], 50), *back;
			struct span s = wire_pack(&a, m);
			struct err e = {0};
			if (wire_unpack(&a, messages[i], s.at, s.len, &back, &e) < 0)
				fail_msg("%s: %s", messages[i]->name, e.text);
			struct span again = wire_pack(&a, back);
			assert_int_equal(again.len, s.len);
			assert_memory_equal(again.at, s.at, s.len);
		}
	arena_fini(&a);
}

static void mutate(struct random *r, uint8_t *p, size_t *n)
{
	for (unsigned hits = 1 + random_below(r, 3); hits > 0 && *n > 0; hits--)
		switch (random_below(r, 4)) {
		case 0:
			p[random_below(r, (unsigned)*n)] ^= (uint8_t)(1u << random_below(r, 8));
			break;
		case 1:
			p[random_below(r, (unsigned)*n)] = (uint8_t)random_next(r);
			break;
		case 2:
			*n = random_below(r, (unsigned)*n + 1);
			break;
		default:
			memmove(p, p + 1, --*n);
		}
}

/* The bytes are copied to a block of their exact size: the sanitizer sees the first byte read too
 * far. */
static void what_passes_after_mutation_can_be_unpacked(void **state)
{
	(void)state;
	struct random r = random_from(32);
	struct arena a;
	unsigned passed = 0, refused = 0;
	arena_init(&a, ARENA);
	for (unsigned round = 0; round < ROUNDS; round++, arena_reset(&a)) {
		const ProtobufCMessageDescriptor *d = messages[random_below(&r, COUNT(messages))];
		struct span s = wire_pack(&a, random_message(&r, &a, d, 50));
		for (unsigned i = 0; i < MUTATIONS; i++) {
			size_t n = s.len;
			uint8_t *bytes = malloc(n + 1);
			memcpy(bytes, s.at, n);
			mutate(&r, bytes, &n);
			uint8_t *exact = malloc(n ? n : 1);
			memcpy(exact, bytes, n);
			ProtobufCMessage *m = NULL;
			int rc = wire_unpack(&a, d, exact, n, &m, NULL);
			assert_true(rc == 0 || rc == -ERR_INVALID);
			assert_int_equal(m != NULL, rc == 0);
			if (rc == 0)
				assert_true(wire_pack(&a, m).at != NULL);
			passed += rc == 0;
			refused += rc != 0;
			free(exact);
			free(bytes);
		}
	}
	assert_true(passed > 100 && refused > 100);
	arena_fini(&a);
}

/* A message written by hand: tags and contents as the rows say. */
struct hand {
	uint8_t at[512], *end;
};

static void wrap(struct hand *h, uint32_t tag)
{
	struct hand inner = *h;
	h->end = wire_put_bytes(h->at, tag, inner.at, (size_t)(inner.end - h->at));
}

static void errors_name_the_path(void **state)
{
	(void)state;
	struct hand h;
	h.end = wire_put_bytes(h.at, 1, "caf\xe9!", 5); /* Actor.name */
	wrap(&h, 11);                                   /* Body.actor */
	wrap(&h, 7);                                    /* Change.set */
	wrap(&h, 6);                                    /* Mutation.changes */
	wrap(&h, 1);                                    /* PushRequest.mutations */
	struct hand list = {.end = list.at};
	for (unsigned i = 0; i < 3; i++)
		list.end = wire_put_bytes(list.end, 1, NULL, 0);
	memcpy(list.end, h.at, (size_t)(h.end - h.at));
	list.end += h.end - h.at;
	wrap(&list, 13); /* Request.push */
	struct err e = {0};
	assert_int_equal(
		wire_check(&seve__request__descriptor, list.at, (size_t)(list.end - list.at), &e),
		-ERR_INVALID);
	assert_string_equal(e.text,
			    "push.mutations[3].changes[0].set.actor.name: invalid UTF-8 at byte 3");
}

static void broken_bytes_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
		const char *says;
	} rows[] = {
		{"\x08", 1, "varint"}, /* id without a value */
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "varint"}, /* 11 bytes */
		{"\x80", 1, "key"},
		{"\x00\x01", 2, "key"},                     /* tag 0 */
		{"\x80\x80\x80\x80\x80\x01\x01", 7, "key"}, /* a key of 6 bytes */
		{"\xff\xff\xff\xff\x7f\x01", 6, "key"},     /* a key beyond 32 bits */
		{"\x0b", 1, "wire type"},                   /* a group */
		{"\x0c", 1, "wire type"},
		{"\x0e", 1, "wire type"},
		{"\x0f", 1, "wire type"},
		{"\x0d\x01\x01\x01", 4, "cut"},                 /* 32 bits, one byte short */
		{"\x09\x01\x01\x01\x01\x01\x01\x01", 8, "cut"}, /* 64 bits, one byte short */
		{"\x0a\x00", 2, "id: wire type 2 instead of 0"},
		{"\x50\x01", 2, "get: wire type 0 instead of 2"},
		{"\x52\x05", 2, "beyond"},
		{"\x52\x05xxxx", 6, "beyond"},
		{"\x52\xff\xff\xff\xff\x0f", 6, "beyond"},     /* 4 GiB */
		{"\x52\xff\xff\xff\xff\xff\x01", 7, "beyond"}, /* a length of 6 bytes */
		{"\x08\x01\x08\x02", 4, "id: occurs more than once"},
		{"\x52\x00\x52\x00", 4, "get: occurs more than once"},
		{"\x52\x00\x5a\x00", 4,
		 "list: occurs more than once"}, /* two members of the oneof */
		{"\x52\x03\x1a\x01\xff", 5, "get.refs[0]: invalid UTF-8 at byte 0"},
		{"\x52\x04\x1a\x02x\x00", 6, "get.refs[0]: invalid UTF-8 at byte 1"}, /* NUL */
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = {0};
		int rc = wire_check(&seve__request__descriptor, rows[i].bytes, rows[i].n, &e);
		if (rc != -ERR_INVALID || !strstr(e.text, rows[i].says))
			fail_msg("row %zu: %d, \"%s\"", i, rc, e.text);
	}
}

static void lists_of_numbers_come_packed_or_not(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
		int rc;
		size_t count;
	} rows[] = {
		{"\x32\x03\x01\x80\x01", 5, 0, 2},         /* packed: 1, 128 */
		{"\x30\x01\x30\x02\x32\x01\x03", 7, 0, 3}, /* both */
		{"\x32\x00", 2, 0, 0},
		{"\x32\x02\x01\x80", 4, -ERR_INVALID, 0}, /* the last is cut */
		{"\x32\x0b\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 13, -ERR_INVALID, 0},
		{"\x35\x01\x01\x01\x01", 5, -ERR_INVALID, 0}, /* 32 bits */
	};
	struct arena a;
	arena_init(&a, ARENA);
	for (size_t i = 0; i < COUNT(rows); i++) {
		ProtobufCMessage *m = NULL;
		int rc = wire_unpack(&a, &seve__change__descriptor, rows[i].bytes, rows[i].n, &m,
				     NULL);
		assert_int_equal(rc, rows[i].rc);
		if (rc == 0)
			assert_int_equal(((Seve__Change *)m)->n_mask, rows[i].count);
	}
	arena_fini(&a);
}

static void unknown_fields_are_kept_up_to_a_bound(void **state)
{
	(void)state;
	static uint8_t bytes[WIRE_UNKNOWN_MAX + 16], rest[WIRE_UNKNOWN_MAX];
	struct arena a;
	ProtobufCMessage *m;
	arena_init(&a, ARENA);
	uint8_t *end = wire_put_bytes(
		bytes, 900, rest, WIRE_UNKNOWN_MAX - 4); /* with 2 bytes each of key and length */
	assert_int_equal(
		wire_unpack(&a, &seve__request__descriptor, bytes, (size_t)(end - bytes), &m, NULL),
		0);
	assert_int_equal(m->n_unknown_fields, 1);
	assert_int_equal(wire_pack(&a, m).len, end - bytes);
	struct err e = {0};
	end = wire_put_number(end, 901, 1);
	assert_int_equal(wire_check(&seve__request__descriptor, bytes, (size_t)(end - bytes), &e),
			 -ERR_INVALID);
	assert_non_null(strstr(e.text, "unknown fields"));
	arena_fini(&a);
}

static void unknown_fields_of_inner_messages_count_too(void **state)
{
	(void)state;
	struct hand h;
	static uint8_t all[8192], *end = all;
	h.end = wire_put_bytes(h.at, 900, all, 400);
	wrap(&h, 1); /* PushRequest.mutations */
	for (unsigned i = 0; i < 11; i++) {
		memcpy(end, h.at, (size_t)(h.end - h.at));
		end += h.end - h.at;
	}
	assert_int_equal(
		wire_check(&seve__push_request__descriptor, all, (size_t)(end - all), NULL),
		-ERR_INVALID);
	end -= h.end - h.at;
	assert_int_equal(
		wire_check(&seve__push_request__descriptor, all, (size_t)(end - all), NULL), 0);
}

static void many_small_members_cost_no_more_than_the_ceiling(void **state)
{
	(void)state;
	enum { N = 512 * 1024 };
	uint8_t *bytes = malloc(2 * N), *end = bytes;
	for (size_t i = 0; i < N; i++)
		end = wire_put_bytes(end, 1, NULL, 0); /* empty mutations */
	struct arena a;
	struct err e = {0};
	ProtobufCMessage *m = NULL;
	arena_init(&a, 8 * 1024 * 1024);
	assert_int_equal(
		wire_check(&seve__push_request__descriptor, bytes, (size_t)(end - bytes), &e), 0);
	assert_int_equal(wire_unpack(&a, &seve__push_request__descriptor, bytes,
				     (size_t)(end - bytes), &m, &e),
			 -ERR_TOO_BIG);
	assert_null(m);
	assert_true(a.used <= a.cap);
	arena_fini(&a);
	free(bytes);
}

static void every_ceiling_is_survived(void **state)
{
	(void)state;
	struct random r = random_from(33);
	struct arena big, small;
	arena_init(&big, ARENA);
	struct span s = wire_pack(&big, random_message(&r, &big, &seve__request__descriptor, 90));
	for (size_t cap = 0; cap < 8192; cap += 48) {
		ProtobufCMessage *m = NULL;
		arena_init(&small, cap);
		int rc = wire_unpack(&small, &seve__request__descriptor, s.at, s.len, &m, NULL);
		assert_true(rc == 0 || rc == -ERR_TOO_BIG);
		arena_fini(&small);
	}
	arena_fini(&big);
}

static void a_copy_is_equal_and_apart(void **state)
{
	(void)state;
	struct random r = random_from(34);
	struct arena a, none;
	arena_init(&a, ARENA);
	arena_init(&none, 0);
	Seve__Body *body = random_body(&r, &a, kind_by_name("actor"), 100);
	Seve__Body *copy = (Seve__Body *)wire_dup(&a, &body->base);
	assert_true(field_message_equal(&body->actor->base, &copy->actor->base));
	assert_ptr_not_equal(body->actor->name, copy->actor->name);
	assert_null(wire_dup(&none, &body->base));
	assert_null(wire_pack(&none, &body->base).at);
	arena_fini(&a);
}

static void a_full_buffer_is_an_error(void **state)
{
	(void)state;
	Seve__Minute m = SEVE__MINUTE__INIT;
	m.text = (char[]){"twelve bytes"};
	struct buf b;
	buf_init(&b, 20);
	assert_int_equal(wire_add(&b, &m.base), 0);
	assert_int_equal(buf_len(&b), 14);
	assert_int_equal(wire_add(&b, &m.base), -ERR_TOO_BIG);
	assert_int_equal(buf_len(&b), 14);
	buf_fini(&b);
}

static void fields_written_by_hand_are_read_by_hand(void **state)
{
	(void)state;
	uint8_t bytes[64];
	uint8_t *end = wire_put_number(bytes, 1, UINT64_MAX);
	end = wire_put_bytes(end, 2000, "abc", 3);
	end = wire_put_fixed64(end, 3, 0x0102030405060708);
	end = wire_put_number(end, 4, 0);
	struct wire w = {bytes, end, false};
	struct wire_field f;
	assert_true(wire_next(&w, &f));
	assert_true(f.tag == 1 && f.type == 0 && f.number == UINT64_MAX);
	assert_true(wire_next(&w, &f));
	assert_true(f.tag == 2000 && f.type == 2 && f.bytes.len == 3 &&
		    !memcmp(f.bytes.at, "abc", 3));
	assert_true(wire_next(&w, &f));
	assert_true(f.tag == 3 && f.type == 1 && f.number == 0x0102030405060708);
	assert_true(wire_next(&w, &f));
	assert_true(f.tag == 4 && f.number == 0);
	assert_false(wire_next(&w, &f));
	assert_false(w.bad);
	struct wire cut = {bytes, end - 1, false};
	while (wire_next(&cut, &f))
		;
	assert_true(cut.bad);
	assert_false(wire_next(&cut, &f));
}

static void varints_have_the_size_that_is_foretold(void **state)
{
	(void)state;
	uint8_t bytes[10];
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t v = (uint64_t)1 << bit;
		assert_int_equal(wire_put_varint(bytes, v) - bytes, wire_varint_size(v));
		assert_int_equal(wire_put_varint(bytes, v - 1) - bytes, wire_varint_size(v - 1));
	}
	assert_int_equal(wire_varint_size(UINT64_MAX), 10);
	assert_int_equal(wire_varint_size(0), 1);
}

static void reading_by_hand_agrees_with_the_unpacker(void **state)
{
	(void)state;
	struct random r = random_from(35);
	struct arena a;
	arena_init(&a, ARENA);
	for (unsigned round = 0; round < ROUNDS; round++, arena_reset(&a)) {
		Seve__Record *m =
			(Seve__Record *)random_message(&r, &a, &seve__record__descriptor, 70);
		struct span s = wire_pack(&a, &m->base);
		struct wire w = {s.at, s.at + s.len, false};
		struct wire_field f;
		uint64_t rev = 0;
		size_t body = 0;
		while (wire_next(&w, &f)) {
			if (f.tag == 3)
				rev = f.number;
			else if (f.tag == 5)
				body = f.bytes.len;
		}
		assert_false(w.bad);
		assert_int_equal(rev, m->has_rev ? m->rev : 0);
		assert_int_equal(body, m->has_body ? m->body.len : 0);
	}
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_messages_pass_and_survive),
		cmocka_unit_test(what_passes_after_mutation_can_be_unpacked),
		cmocka_unit_test(errors_name_the_path),
		cmocka_unit_test(broken_bytes_are_refused),
		cmocka_unit_test(lists_of_numbers_come_packed_or_not),
		cmocka_unit_test(unknown_fields_are_kept_up_to_a_bound),
		cmocka_unit_test(unknown_fields_of_inner_messages_count_too),
		cmocka_unit_test(many_small_members_cost_no_more_than_the_ceiling),
		cmocka_unit_test(every_ceiling_is_survived),
		cmocka_unit_test(a_copy_is_equal_and_apart),
		cmocka_unit_test(a_full_buffer_is_an_error),
		cmocka_unit_test(fields_written_by_hand_are_read_by_hand),
		cmocka_unit_test(varints_have_the_size_that_is_foretold),
		cmocka_unit_test(reading_by_hand_agrees_with_the_unpacker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
