/* scene.c -- see scene.h. */
#include "scene.h"

#include <stdio.h>

static struct uuid client(uint8_t n)
{
	struct uuid u = uuid_v7();

	u.b[15] = n;
	return u;
}

int scene_set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	arena_init(&f->arena, 64 * 1024 * 1024);
	world_init(&f->world, &f->arena, 1700000000000);
	world_head(&f->world, TERRITORY, true);
	f->facilitator = (struct apply_author){.account = "anne",
					       .client = client(1),
					       .reads = SEVE__LEVEL__LEVEL_TEAM,
					       .writes = KIND_BY_F};
	f->coordinator = (struct apply_author){.account = "nord",
					       .client = client(2),
					       .reads = SEVE__LEVEL__LEVEL_NETWORK,
					       .writes = KIND_BY_C};
	f->importer = (struct apply_author){.account = "cci",
					    .client = client(3),
					    .reads = SEVE__LEVEL__LEVEL_NETWORK,
					    .writes = KIND_BY_I,
					    .source = "cci"};
	f->facilitator.client_short = 1;
	f->coordinator.client_short = 2;
	f->importer.client_short = 3;
	*state = f;
	return 0;
}

int scene_tear_down(void **state)
{
	struct fixture *f = *state;

	world_fini(&f->world);
	arena_fini(&f->arena);
	free(f);
	return 0;
}

/* A body from "field=value" pairs, NULL at the end, and the mask that names them. */
static Seve__Body *body_of(struct fixture *f, const char *kind, Seve__Change *c, va_list ap)
{
	const struct kind *k = kind_by_name(kind);
	ProtobufCMessage *m = arena_zalloc(&f->arena, k->desc->sizeof_message);
	Seve__Body *body = arena_zalloc(&f->arena, sizeof *body);
	const char *pair;

	protobuf_c_message_init(k->desc, m);
	seve__body__init(body);
	c->mask = arena_array(&f->arena, 32, sizeof *c->mask);
	while ((pair = va_arg(ap, const char *))) {
		const char *eq = strchr(pair, '=');
		char *name = arena_strndup(&f->arena, pair, (size_t)(eq - pair));
		const field_desc *fd = field_by_name(k, name);

		assert_non_null(fd);
		assert_int_equal(field_from_text(&f->arena, m, fd, eq + 1, &f->err), 0);
		c->mask[c->n_mask++] = fd->id;
	}
	kind_set_message(k, body, m);
	return body;
}

Seve__Change *change(struct fixture *f, Seve__Change__Op op, const char *kind,
		     const struct uuid *id, uint64_t base_rev, ...)
{
	Seve__Change *c = arena_alloc(&f->arena, sizeof *c);
	va_list ap;

	seve__change__init(c);
	c->has_op = c->has_id = c->has_kind = true;
	c->op = op;
	c->id = (ProtobufCBinaryData){16, arena_memdup(&f->arena, id->b, 16)};
	c->kind = kind_by_name(kind)->number;
	c->has_base_rev = true;
	c->base_rev = base_rev;
	va_start(ap, base_rev);
	c->set = body_of(f, kind, c, ap);
	va_end(ap);
	return c;
}

Seve__Mutation *mutation(struct fixture *f, uint64_t mid, size_t n, Seve__Change **list)
{
	Seve__Mutation *m = arena_alloc(&f->arena, sizeof *m);

	seve__mutation__init(m);
	m->has_mid = true;
	m->mid = mid;
	m->n_changes = n;
	m->changes = arena_memdup(&f->arena, list, n * sizeof *list);
	return m;
}

const Seve__Verdict *apply(struct fixture *f, const struct apply_author *who, Seve__Mutation *m)
{
	struct apply_job j = {.territory = TERRITORY, .author = *who, .mutation = m};

	int rc = apply_job(&f->world, &j, &f->err);

	/* The world is its own database: all that explains a clash is there. */
	if (rc == APPLY_MORE) {
		assert_null(j.verdict);
		j.explained = true;
		rc = apply_job(&f->world, &j, &f->err);
	}
	assert_int_equal(rc, 0);
	return j.verdict;
}

const Seve__Verdict *push(struct fixture *f, const struct apply_author *who, Seve__Change *c)
{
	return apply(f, who, mutation(f, ++f->mids[who->client_short - 1], 1, &c));
}

struct uuid make(struct fixture *f, const char *kind, const char *pair, const char *pair2)
{
	struct uuid id = uuid_v7();
	const Seve__Verdict *v =
		push(f, &f->facilitator,
		     change(f, SEVE__CHANGE__OP__OP_CREATE, kind, &id, 0, pair, pair2, NULL));

	assert_int_equal(v->code, SEVE__VERDICT__CODE__APPLIED);
	return id;
}

const struct world_record *record(struct fixture *f, const struct uuid *id)
{
	return world_record(&f->world, TERRITORY, id, false);
}

void assert_violation(const Seve__Verdict *v, const char *code)
{
	assert_int_equal(v->code, SEVE__VERDICT__CODE__REJECTED);
	for (size_t i = 0; i < v->n_violations; i++)
		if (!strcmp(v->violations[i]->code, code))
			return;
	fail_msg("no violation %s among %zu, the first is %s: %s", code, v->n_violations,
		 v->n_violations ? v->violations[0]->code : "-",
		 v->n_violations ? v->violations[0]->text : "-");
}

const char *pair_id(struct fixture *f, const char *field, const struct uuid *id)
{
	char text[UUID_TEXT];

	uuid_format(id, text);
	return arena_printf(&f->arena, "%s=%s", field, text);
}
