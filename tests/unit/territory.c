/* territory.c -- see territory.h. */
#include "territory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

void made_init(struct made *m)
{
	struct err e = {0};

	*m = (struct made){0};
	arena_init(&m->arena, 512 * 1024 * 1024);
	assert_int_equal(network_init(&m->net, &m->arena, NULL, &e), 0);
}

void made_fini(struct made *m)
{
	arena_fini(&m->arena);
}

static void set_meta(Seve__Meta *meta, const char *name, const char *value)
{
	int64_t ms = 0;

	if (strcmp(name, "ref") == 0) {
		meta->has_ref_no = true;
		meta->ref_no = (uint32_t)strtoul(value, NULL, 10);
		return;
	}
	assert_int_equal(text_to_instant(value, &ms, NULL), 0);
	if (strcmp(name, "created_at") == 0)
		meta->has_created_at = true, meta->created_at = ms;
	else if (strcmp(name, "updated_at") == 0)
		meta->has_updated_at = true, meta->updated_at = ms;
	else if (strcmp(name, "state_at") == 0)
		meta->has_state_at = true, meta->state_at = ms;
	else
		fail_msg("no field %s", name);
}

const char *made_add(struct made *m, uint32_t territory, const char *kind, ...)
{
	const struct kind *k = kind_by_name(kind);
	ProtobufCMessage *msg = field_new_message(&m->arena, k->desc);
	Seve__Body *body = arena_alloc(&m->arena, sizeof *body);
	struct uuid id = {{0}};
	struct err e = {0};
	const char *pair;
	char text[UUID_TEXT];
	va_list ap;

	assert_true(msg && body);
	seve__body__init(body);
	body->meta = arena_alloc(&m->arena, sizeof *body->meta);
	seve__meta__init(body->meta);
	va_start(ap, kind);
	while ((pair = va_arg(ap, const char *))) {
		const char *value = strchr(pair, '=') + 1;
		char *name = arena_strndup(&m->arena, pair, (size_t)(value - 1 - pair));
		const field_desc *fd = field_by_name(k, name);

		if (!fd)
			set_meta(body->meta, name, value);
		else if (field_from_text(&m->arena, msg, fd, value, &e))
			fail_msg("%s", e.text);
	}
	va_end(ap);
	kind_set_message(k, body, msg);
	m->n++;
	id.b[0] = (uint8_t)(m->n >> 16);
	id.b[1] = (uint8_t)(m->n >> 8);
	id.b[2] = (uint8_t)m->n;
	id.b[6] = 0x70;
	id.b[8] = 0x80;
	assert_int_equal(network_add_body(&m->net, territory, id.b, 1, body, &e), 0);
	uuid_format(&id, text);
	return arena_strdup(&m->arena, text);
}

void made_seal(struct made *m)
{
	struct err e = {0};

	assert_int_equal(network_seal(&m->net, &e), 0);
}

const struct node *made_find(const struct made *m, const char *name)
{
	for (size_t i = 0; i < m->net.n; i++)
		if (strcmp(node_name(&m->net.nodes[i]), name) == 0)
			return &m->net.nodes[i];
	return NULL;
}
