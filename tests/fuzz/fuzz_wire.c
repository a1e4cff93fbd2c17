/* fuzz_wire.c -- any bytes as any message: what the check lets through can be unpacked, packed and
 * checked again, and the code that gets records and changes from strangers stands them. */
#include <stdlib.h>
#include <string.h>

#include "envelope.pb-c.h"
#include "fuzz.h"
#include "json.h"
#include "rules/rules.h"
#include "sync/merge.h"
#include "wire.h"

enum { MEMORY = 16 * 1024 * 1024 };

/* Holds in every build, unlike assert(). */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

static const ProtobufCMessageDescriptor *const messages[] = {
	&seve__request__descriptor, &seve__reply__descriptor, &seve__hello__descriptor,
	&seve__welcome__descriptor, &seve__body__descriptor,  &seve__change__descriptor,
	&seve__page__descriptor,
};
enum { N_MESSAGES = sizeof messages / sizeof messages[0] };

static int visit(void *ctx, const field_desc *field, const struct kind *target,
		 const uint8_t id[16])
{
	(void)target;
	*(uint8_t *)ctx ^= id[15];
	return field ? 0 : 1;
}

/* What the server does with a record before it believes it. */
static void use_body(const Seve__Body *body)
{
	static const uint8_t id[16];
	const struct kind *k = kind_of(body);
	struct problems p = {0};
	struct buf out;
	uint8_t seen = 0;
	if (!k || !kind_message(body))
		return;
	field_check_record(k, kind_message(body), &p);
	if (body->meta)
		field_check_meta(body->meta, &p);
	rules_check_state(k, NULL, kind_message(body), NULL, &p);
	CHECK(p.n <= sizeof p.list / sizeof p.list[0] && p.n + p.dropped >= p.errors);
	CHECK(field_each_ref(k, kind_message(body), visit, &seen) == 0);
	buf_init(&out, MEMORY);
	CHECK(json_add_record(&out, "t", id, 1, body) == 0);
	buf_fini(&out);
}

/* The change meets a record of its kind: one that the same change would create. */
static void use_change(struct arena *a, const Seve__Change *change)
{
	const struct kind *k = kind_by_number(change->kind);
	Seve__Change creation = *change;
	Seve__Body *current = NULL, *after = NULL;
	struct field_rev revs[] = {{0, 1, 1}, {1, 5, 2}, {3, 9, 1}};
	struct field_revs list = {revs, 3};
	struct merge out;
	struct err e;
	if (!k)
		return;
	creation.op = SEVE__CHANGE__OP__OP_CREATE;
	if (merge_overlay(a, k, NULL, &creation, &current, &e) < 0)
		return;
	struct span before = wire_pack(a, &current->base);
	if (merge_update(a, k, current, 9, &list, 1, change, &out, &e) == 0 && out.body)
		use_body(out.body);
	merge_overlay(a, k, current, change, &after, &e);
	struct span same = wire_pack(a, &current->base);
	CHECK(!same.at || (same.len == before.len && !memcmp(same.at, before.at, same.len)));
}

/* Unpacked and packed once, a message keeps its bytes. */
static void again(struct arena *a, const ProtobufCMessage *m)
{
	ProtobufCMessage *back;
	struct span once = wire_pack(a, m);
	if (!once.at ||
	    wire_unpack(a, m->descriptor, once.at, once.len, &back, NULL) == -ERR_TOO_BIG)
		return;
	CHECK(wire_check(m->descriptor, once.at, once.len, NULL) == 0);
	struct span twice = wire_pack(a, back);
	CHECK(!twice.at || (twice.len == once.len && !memcmp(twice.at, once.at, once.len)));
}

static void by_hand(const uint8_t *data, size_t size)
{
	struct wire w = {data, data + size, false};
	struct wire_field f;
	while (wire_next(&w, &f))
		CHECK(f.tag > 0 && w.at <= w.end);
	CHECK(!w.bad && w.at == w.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	const ProtobufCMessageDescriptor *d = messages[*data % N_MESSAGES];
	struct arena a;
	struct err e = {.code = ERR_OK};
	ProtobufCMessage *m = NULL;
	arena_init(&a, MEMORY);
	int rc = wire_unpack(&a, d, data + 1, size - 1, &m, &e);
	CHECK(rc == 0 || (e.code == (enum err_code) - rc && e.text[0]));
	CHECK(rc == 0 || rc == -ERR_INVALID || rc == -ERR_TOO_BIG);
	if (rc == 0) {
		by_hand(data + 1, size - 1);
		again(&a, m);
		if (d == &seve__body__descriptor)
			use_body((const Seve__Body *)m);
		if (d == &seve__change__descriptor)
			use_change(&a, (const Seve__Change *)m);
	}
	arena_fini(&a);
	return 0;
}
