/* test_merge.c -- common/sync/merge.c, merge_patch.c: one case at a time */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sync/merge.h"

enum { ARENA = 1024 * 1024 };
enum {
	TITLE = 1,
	KIND = 2,
	STATUS = 3,
	DESCRIPTION = 21,
	TAGS = 22,
	LEVEL = META_TAG + 1,
	REFS = META_TAG + 7
};
enum { ANNE = 100, BELA = 200 }; /* writers */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An action as it stands, its field revisions, and a change by Anne. */
struct scene {
	struct arena a;
	Seve__Action action, set, add, remove;
	Seve__Meta meta, set_meta, add_meta, remove_meta;
	Seve__Body current, set_body, add_body, remove_body;
	struct field_rev revs[8];
	struct field_revs list;
	uint64_t rev;
	uint32_t mask[8];
	Seve__Change change;
	struct merge out;
	struct err e;
};

static void body_init(Seve__Body *b, Seve__Meta *meta, Seve__Action *m)
{
	seve__body__init(b);
	seve__meta__init(meta);
	seve__action__init(m);
	b->meta = meta;
	kind_set_message(kind_by_name("action"), b, &m->base);
}

static int fresh(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	if (!s)
		return -1;
	arena_init(&s->a, ARENA);
	body_init(&s->current, &s->meta, &s->action);
	body_init(&s->set_body, &s->set_meta, &s->set);
	body_init(&s->add_body, &s->add_meta, &s->add);
	body_init(&s->remove_body, &s->remove_meta, &s->remove);
	static char title[] = "Heat", description[] = "Old words";
	s->action.title = title;
	s->action.description = description;
	s->action.has_status = 1;
	s->action.status = SEVE__ACTION__STATUS__STATUS_IDEA;
	s->meta.has_level = 1;
	s->meta.level = SEVE__LEVEL__LEVEL_NETWORK;
	s->revs[0] = (struct field_rev){0, 5, ANNE};
	s->list = (struct field_revs){s->revs, 1};
	s->rev = 5;
	seve__change__init(&s->change);
	s->change.op = SEVE__CHANGE__OP__OP_UPDATE;
	s->change.base_rev = 5;
	s->change.mask = s->mask;
	s->change.set = &s->set_body;
	*state = s;
	return 0;
}

static int used(void **state)
{
	struct scene *s = *state;
	arena_fini(&s->a);
	free(s);
	return 0;
}

static void mask(struct scene *s, uint32_t tag)
{
	s->mask[s->change.n_mask++] = tag;
}

/* A later write by somebody. */
static void written(struct scene *s, uint32_t tag, uint64_t rev, uint64_t writer)
{
	s->revs[s->list.n++] = (struct field_rev){tag, rev, writer};
	if (rev > s->rev)
		s->rev = rev;
}

static int merge(struct scene *s)
{
	return merge_update(&s->a, kind_by_name("action"), &s->current, s->rev, &s->list, ANNE,
			    &s->change, &s->out, &s->e);
}

static void set_title(struct scene *s, char *title)
{
	mask(s, TITLE);
	s->set.title = title;
}

static void set_status(struct scene *s, Seve__Action__Status status)
{
	mask(s, STATUS);
	s->set.has_status = 1;
	s->set.status = status;
}

static void an_author_who_saw_the_latest_is_applied(void **state)
{
	struct scene *s = *state;
	set_title(s, (char[]){"Waste heat"});
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_APPLIED);
	assert_false(s->out.partial);
	assert_int_equal(s->out.n_changed, 1);
	assert_int_equal(s->out.changed[0], TITLE);
	assert_int_equal(s->out.n_clash, 0);
	assert_string_equal(s->out.body->action->title, "Waste heat");
	assert_string_equal(s->out.body->action->description, "Old words");
	assert_string_equal(s->action.title, "Heat");
}

static void equal_values_change_nothing(void **state)
{
	struct scene *s = *state;
	set_title(s, (char[]){"Heat"});
	written(s, TITLE, 9, BELA);
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_UNCHANGED);
	assert_int_equal(s->out.n_changed, 0);
	assert_int_equal(s->out.n_clash, 0);
	assert_non_null(s->out.body);
}

static void edits_of_other_fields_are_merged(void **state)
{
	struct scene *s = *state;
	set_title(s, (char[]){"Waste heat"});
	written(s, STATUS, 6, BELA);
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_MERGED);
	assert_int_equal(s->out.n_changed, 1);
}

static void own_edits_never_clash(void **state)
{
	struct scene *s = *state;
	set_status(s, SEVE__ACTION__STATUS__STATUS_LEAD);
	written(s, STATUS, 6, ANNE);
	written(s, TITLE, 7, ANNE);
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_APPLIED);
	assert_int_equal(s->out.body->action->status, SEVE__ACTION__STATUS__STATUS_LEAD);
}

static void a_revision_that_no_field_explains_is_merged(void **state)
{
	struct scene *s = *state;
	set_title(s, (char[]){"Waste heat"});
	s->rev = 8; /* say, a restoration */
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_MERGED);
	s->change.base_rev = 8;
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_APPLIED);
}

static void a_hard_clash_applies_nothing(void **state)
{
	struct scene *s = *state;
	set_title(s, (char[]){"Waste heat"});
	set_status(s, SEVE__ACTION__STATUS__STATUS_LEAD);
	mask(s, DESCRIPTION);
	s->set.description = (char[]){"New words"};
	written(s, STATUS, 6, BELA);
	written(s, DESCRIPTION, 7, BELA);
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_CONFLICT);
	assert_false(s->out.partial);
	assert_null(s->out.body);
	assert_int_equal(s->out.n_changed, 0);
	assert_int_equal(s->out.n_clash, 2);
	assert_int_equal(s->out.clash[0], STATUS);
	assert_int_equal(s->out.clash[1], DESCRIPTION);
}

static void a_soft_clash_keeps_only_its_field_back(void **state)
{
	struct scene *s = *state;
	set_status(s, SEVE__ACTION__STATUS__STATUS_LEAD);
	mask(s, DESCRIPTION);
	s->set.description = (char[]){"New words"};
	written(s, DESCRIPTION, 7, BELA);
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_CONFLICT);
	assert_true(s->out.partial);
	assert_int_equal(s->out.n_changed, 1);
	assert_int_equal(s->out.changed[0], STATUS);
	assert_int_equal(s->out.n_clash, 1);
	assert_int_equal(s->out.clash[0], DESCRIPTION);
	assert_string_equal(s->out.body->action->description, "Old words");
}

static void a_masked_field_that_is_absent_is_cleared(void **state)
{
	struct scene *s = *state;
	mask(s, DESCRIPTION);
	s->change.set = NULL;
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_APPLIED);
	assert_null(s->out.body->action->description);
	assert_non_null(s->action.description);
}

static void what_the_mask_does_not_name_is_ignored(void **state)
{
	struct scene *s = *state;
	s->set.title = (char[]){"Not masked"};
	set_status(s, SEVE__ACTION__STATUS__STATUS_LEAD);
	mask(s, STATUS); /* twice is once */
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.n_changed, 1);
	assert_string_equal(s->out.body->action->title, "Heat");
}

static void creation_counts_for_fields_that_were_never_edited(void **state)
{
	struct scene *s = *state;
	s->revs[0].writer = BELA;
	s->change.base_rev = 0;
	set_status(s, SEVE__ACTION__STATUS__STATUS_LEAD);
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_CONFLICT);
	assert_null(s->out.body);
}

static void sets_are_joined_whoever_wrote_last(void **state)
{
	struct scene *s = *state;
	char *now[] = {"heat", "steam"}, *add[] = {"steam", "winter"}, *remove[] = {"heat"};
	s->action.tags = now;
	s->action.n_tags = 2;
	s->add.tags = add;
	s->add.n_tags = 2;
	s->remove.tags = remove;
	s->remove.n_tags = 1;
	s->change.add = &s->add_body;
	s->change.remove = &s->remove_body;
	written(s, TAGS, 9, BELA);
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_MERGED);
	assert_int_equal(s->out.changed[0], TAGS);
	assert_int_equal(s->out.body->action->n_tags, 2);
	assert_string_equal(s->out.body->action->tags[0], "steam");
	assert_string_equal(s->out.body->action->tags[1], "winter");
	assert_int_equal(s->action.n_tags, 2);
	assert_string_equal(s->action.tags[0], "heat");
}

static void a_set_may_be_replaced_as_a_whole(void **state)
{
	struct scene *s = *state;
	char *now[] = {"heat"}, *set[] = {"cold"};
	s->action.tags = now;
	s->action.n_tags = 1;
	s->set.tags = set;
	s->set.n_tags = 1;
	mask(s, TAGS);
	written(s, TAGS, 9, BELA);
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.n_clash, 0);
	assert_string_equal(s->out.body->action->tags[0], "cold");
}

static void the_level_is_a_hard_field(void **state)
{
	struct scene *s = *state;
	mask(s, LEVEL);
	s->set_meta.has_level = 1;
	s->set_meta.level = SEVE__LEVEL__LEVEL_TEAM;
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_APPLIED);
	assert_int_equal(s->out.changed[0], LEVEL);
	assert_int_equal(s->out.body->meta->level, SEVE__LEVEL__LEVEL_TEAM);
	assert_int_equal(s->meta.level, SEVE__LEVEL__LEVEL_NETWORK);
	written(s, LEVEL, 9, BELA);
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_CONFLICT);
	assert_null(s->out.body);
	assert_int_equal(s->out.clash[0], LEVEL);
}

static void a_cleared_level_is_the_kinds_own(void **state)
{
	struct scene *s = *state;
	mask(s, LEVEL);
	s->meta.level = SEVE__LEVEL__LEVEL_TEAM;
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.body->meta->level, SEVE__LEVEL__LEVEL_NETWORK);
	s->meta.level = SEVE__LEVEL__LEVEL_NETWORK;
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_UNCHANGED);
}

static Seve__ExternalRef ref(char *source, char *key)
{
	Seve__ExternalRef r = SEVE__EXTERNAL_REF__INIT;
	r.source = source;
	r.key = key;
	return r;
}

static void references_are_told_apart_by_source_and_key(void **state)
{
	struct scene *s = *state;
	char cci[] = "cci", sirene[] = "sirene", one[] = "1", two[] = "2";
	Seve__ExternalRef a = ref(cci, one), b = ref(cci, two), c = ref(sirene, one),
			  again = ref(cci, one);
	Seve__ExternalRef *now[] = {&a, &b}, *add[] = {&again, &c}, *remove[] = {&b};
	s->meta.refs = now;
	s->meta.n_refs = 2;
	s->add_meta.refs = add;
	s->add_meta.n_refs = 2;
	s->remove_meta.refs = remove;
	s->remove_meta.n_refs = 1;
	s->change.set = NULL;
	s->change.add = &s->add_body;
	s->change.remove = &s->remove_body;
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.n_changed, 1);
	assert_int_equal(s->out.changed[0], REFS);
	assert_int_equal(s->out.body->meta->n_refs, 2);
	assert_ptr_equal(s->out.body->meta->refs[0], &a);
	assert_ptr_equal(s->out.body->meta->refs[1], &c);
	assert_int_equal(s->meta.n_refs, 2);
	s->change.remove = NULL;
	s->add_meta.n_refs = 1;
	assert_int_equal(merge(s), 0);
	assert_int_equal(s->out.result, MERGE_UNCHANGED);
}

static void senseless_changes_are_refused(void **state)
{
	static const struct {
		uint32_t tag;
		const char *says;
	} rows[] = {{0, "SCHEMA_TOO_NEW"},          {500, "SCHEMA_TOO_NEW"},
		    {META_TAG, "SCHEMA_TOO_NEW"},   {META_TAG + 99, "SCHEMA_TOO_NEW"},
		    {UINT32_MAX, "SCHEMA_TOO_NEW"}, {META_TAG + 2, "server alone"},
		    {META_TAG + 5, "server alone"}, {REFS, "added and removed"}};
	struct scene *s = *state;
	s->change.n_mask = 1;
	for (size_t i = 0; i < COUNT(rows); i++) {
		s->mask[0] = rows[i].tag;
		assert_int_equal(merge(s), -ERR_INVALID);
		if (!strstr(s->e.text, rows[i].says))
			fail_msg("%u: %s", rows[i].tag, s->e.text);
		if (rows[i].says[0] == 'S')
			assert_int_equal(strncmp(s->e.text, "SCHEMA_TOO_NEW", 14), 0);
	}
	s->change.n_mask = 0;
	s->change.add = &s->add_body;
	s->add.title = (char[]){"x"};
	assert_int_equal(merge(s), -ERR_INVALID);
	assert_non_null(strstr(s->e.text, "title is no set"));
	s->add.title = NULL;
	s->add_meta.created_by = (char[]){"x"};
	assert_int_equal(merge(s), -ERR_INVALID);
	assert_non_null(strstr(s->e.text, "created_by is no set"));
	assert_null(s->out.body);
}

static void bodies_of_other_kinds_are_refused(void **state)
{
	struct scene *s = *state;
	Seve__Task task = SEVE__TASK__INIT;
	kind_set_message(kind_by_name("task"), &s->set_body, &task.base);
	assert_int_equal(merge(s), -ERR_INVALID);
	kind_set_message(kind_by_name("action"), &s->set_body, &s->set.base);
	kind_set_message(kind_by_name("task"), &s->current, &task.base);
	assert_int_equal(merge(s), -ERR_INVALID);
}

static void members_unknown_here_are_refused(void **state)
{
	struct scene *s = *state;
	uint8_t one[] = {1};
	ProtobufCMessageUnknownField unknown = {77, PROTOBUF_C_WIRE_TYPE_VARINT, 1, one};
	s->change.add = &s->add_body;
	s->add.base.n_unknown_fields = 1;
	s->add.base.unknown_fields = &unknown;
	assert_int_equal(merge(s), -ERR_INVALID);
	assert_int_equal(strncmp(s->e.text, "SCHEMA_TOO_NEW", 14), 0);
}

static void a_full_arena_is_an_error(void **state)
{
	struct scene *s = *state;
	set_title(s, (char[]){"Waste heat"});
	char *add[] = {"steam"};
	s->add.tags = add;
	s->add.n_tags = 1;
	s->change.add = &s->add_body;
	for (size_t cap = 0;; cap += 64) {
		struct arena a;
		struct merge out = {0};
		arena_init(&a, cap);
		int rc = merge_update(&a, kind_by_name("action"), &s->current, s->rev, &s->list,
				      ANNE, &s->change, &out, NULL);
		assert_true(rc == 0 || rc == -ERR_NOMEM);
		assert_int_equal(out.body != NULL, rc == 0);
		arena_fini(&a);
		if (rc == 0)
			break;
	}
}

/* ---- overlay --------------------------------------------------------------------------------- */

static void an_overlay_shows_the_change_at_once(void **state)
{
	struct scene *s = *state;
	const struct kind *k = kind_by_name("action");
	Seve__Body *out = NULL;
	set_title(s, (char[]){"Waste heat"});
	mask(s, LEVEL);
	s->set_meta.has_level = 1;
	s->set_meta.level = SEVE__LEVEL__LEVEL_PUBLIC;
	assert_int_equal(merge_overlay(&s->a, k, &s->current, &s->change, &out, NULL), 0);
	assert_string_equal(out->action->title, "Waste heat");
	assert_string_equal(out->action->description, "Old words");
	assert_int_equal(out->meta->level, SEVE__LEVEL__LEVEL_PUBLIC);
	assert_string_equal(s->action.title, "Heat");
}

static void an_overlay_of_a_creation_has_state_and_level(void **state)
{
	struct scene *s = *state;
	Seve__Body *out = NULL;
	char *tags[] = {"steam"};
	s->change.op = SEVE__CHANGE__OP__OP_CREATE;
	s->set.title = (char[]){"New"};
	s->add.tags = tags;
	s->add.n_tags = 1;
	s->change.add = &s->add_body;
	assert_int_equal(merge_overlay(&s->a, kind_by_name("action"), NULL, &s->change, &out, NULL),
			 0);
	assert_string_equal(out->action->title, "New");
	assert_int_equal(out->action->status, SEVE__ACTION__STATUS__STATUS_IDEA);
	assert_int_equal(out->action->n_tags, 1);
	assert_int_equal(out->meta->level, SEVE__LEVEL__LEVEL_NETWORK);
}

static void an_overlay_of_a_deletion_is_nothing(void **state)
{
	struct scene *s = *state;
	const struct kind *k = kind_by_name("action");
	Seve__Body *out = &s->current;
	s->change.op = SEVE__CHANGE__OP__OP_DELETE;
	assert_int_equal(merge_overlay(&s->a, k, &s->current, &s->change, &out, NULL), 0);
	assert_null(out);
	s->change.op = SEVE__CHANGE__OP__OP_UPDATE;
	assert_int_equal(merge_overlay(&s->a, k, NULL, &s->change, &out, &s->e), -ERR_NOT_FOUND);
	s->change.op = SEVE__CHANGE__OP__OP_UNSPECIFIED;
	assert_int_equal(merge_overlay(&s->a, k, &s->current, &s->change, &out, &s->e),
			 -ERR_INVALID);
	s->change.op = (Seve__Change__Op)9;
	assert_int_equal(merge_overlay(&s->a, k, &s->current, &s->change, &out, &s->e),
			 -ERR_INVALID);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, fresh, used)
	const struct CMUnitTest tests[] = {
		ROW(an_author_who_saw_the_latest_is_applied),
		ROW(equal_values_change_nothing),
		ROW(edits_of_other_fields_are_merged),
		ROW(own_edits_never_clash),
		ROW(a_revision_that_no_field_explains_is_merged),
		ROW(a_hard_clash_applies_nothing),
		ROW(a_soft_clash_keeps_only_its_field_back),
		ROW(a_masked_field_that_is_absent_is_cleared),
		ROW(what_the_mask_does_not_name_is_ignored),
		ROW(creation_counts_for_fields_that_were_never_edited),
		ROW(sets_are_joined_whoever_wrote_last),
		ROW(a_set_may_be_replaced_as_a_whole),
		ROW(the_level_is_a_hard_field),
		ROW(a_cleared_level_is_the_kinds_own),
		ROW(references_are_told_apart_by_source_and_key),
		ROW(senseless_changes_are_refused),
		ROW(bodies_of_other_kinds_are_refused),
		ROW(members_unknown_here_are_refused),
		ROW(a_full_arena_is_an_error),
		ROW(an_overlay_shows_the_change_at_once),
		ROW(an_overlay_of_a_creation_has_state_and_level),
		ROW(an_overlay_of_a_deletion_is_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
