/* test_queue.c -- the outbox: edits made offline, what they show, what is sent, what verdicts do.
 */
#include "support.h"

static const struct support_row two[] = {
	{1, 10, "Chaufferie bois", 1, SEVE__ACTION__STATUS__STATUS_LEAD},
	{2, 11, "Navette", 2, SEVE__ACTION__STATUS__STATUS_IDEA},
};

struct fixture {
	struct seve *s;
	struct arena arena;
	struct err e;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->s = support_open(NULL);
	arena_init(&f->arena, 16 * 1024 * 1024);
	support_replica(f->s, 11, two, 2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_fini(&f->arena);
	seve_close(f->s);
	free(f);
	return 0;
}

static void save(struct fixture *f, struct seve_record *r)
{
	struct seve_error *err = NULL;
	int queued = 0;

	if (seve_save(f->s, &r, 1, NULL, 1, &queued, NULL, &err))
		fail_msg("%s", seve_error_message(err));
	assert_int_equal(queued, 1);
}

static struct seve_record *edit(struct fixture *f, const char *name, const char *field,
				const char *value)
{
	struct seve_record *r = support_get(f->s, name);

	assert_non_null(r);
	assert_int_equal(seve_record_set(r, field, value, NULL), SEVE_OK);
	save(f, r);
	return r;
}

static const char *status_column(struct fixture *f, const char *column)
{
	static char value[64];
	struct seve_table *t = NULL;

	assert_int_equal(seve_status_local(f->s, &t, NULL), SEVE_OK);
	assert_int_equal(seve_table_rows(t), 1);
	snprintf(value, sizeof value, "%s", seve_table_get(t, 0, column));
	seve_table_free(t);
	return value;
}

static void an_offline_edit_shows_at_once_and_waits(void **state)
{
	struct fixture *f = *state;
	struct seve_record *r = edit(f, "P-1", "title", "Chaufferie collective");

	assert_true(seve_record_pending(r));
	assert_string_equal(support_title(f->s, 1), "Chaufferie collective");
	assert_string_equal(status_column(f, "pending"), "1");
	seve_record_free(r);
}

static void a_new_record_is_listed_and_named_by_its_tail(void **state)
{
	struct fixture *f = *state;
	struct seve_query *q = seve_query_new("action");
	struct seve_record *r = NULL, *again;
	struct seve_list *l = NULL;

	assert_int_equal(seve_record_new("action", TERRITORY, &r, NULL), SEVE_OK);
	assert_int_equal(seve_record_set(r, "title", "Broyeur partagé", NULL), SEVE_OK);
	save(f, r);
	assert_int_equal(seve_record_ref(r)[0], '~');
	assert_int_equal(seve_query_territory(q, TERRITORY), SEVE_OK);
	assert_int_equal(seve_list(f->s, q, SEVE_AUTO, &l, NULL), SEVE_OK);
	assert_int_equal(seve_list_count(l), 3);
	assert_string_equal(seve_record_get(seve_list_at(l, 0), "title"), "Broyeur partagé");
	assert_true(seve_record_pending(seve_list_at(l, 0)));
	/* What the server will fill in shows already. */
	assert_string_equal(seve_record_get(seve_list_at(l, 0), "status"), "idea");
	again = support_get(f->s, seve_record_ref(r));
	assert_non_null(again);
	assert_string_equal(seve_record_id(again), seve_record_id(r));
	seve_record_free(again);
	seve_record_free(r);
	seve_list_free(l);
	seve_query_free(q);
}

static void edits_of_one_record_name_the_one_before(void **state)
{
	struct fixture *f = *state;
	struct seve_record *r = edit(f, "P-1", "title", "un");
	Seve__PushRequest sent;

	seve_record_free(r);
	seve_record_free(edit(f, "P-2", "title", "autre"));
	seve_record_free(edit(f, "P-1", "next_step", "Devis"));
	support_take(f->s, &f->arena, &sent);
	assert_int_equal(sent.n_mutations, 3);
	assert_int_equal(sent.mutations[0]->mid, 1);
	assert_int_equal(sent.mutations[0]->changes[0]->base_mid, 0);
	assert_int_equal(sent.mutations[0]->changes[0]->base_rev, 10);
	assert_int_equal(sent.mutations[1]->changes[0]->base_mid, 0);
	assert_int_equal(sent.mutations[2]->mid, 3);
	assert_int_equal(sent.mutations[2]->changes[0]->base_mid, 1);
	assert_int_equal(sent.mutations[2]->changes[0]->n_mask, 1);
}

static void what_was_sent_goes_again_with_the_same_bytes(void **state)
{
	struct fixture *f = *state;
	Seve__PushRequest first, second;
	struct span a, b;

	seve_record_free(edit(f, "P-1", "title", "un"));
	support_take(f->s, &f->arena, &first);
	support_take(f->s, &f->arena, &second);
	assert_int_equal(second.n_mutations, 1);
	a = wire_pack(&f->arena, &first.mutations[0]->base);
	b = wire_pack(&f->arena, &second.mutations[0]->base);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.at, b.at, a.len);
}

static Seve__Outcome outcome(const Seve__Mutation *m, uint64_t rev, uint32_t ref_no)
{
	Seve__Outcome o = SEVE__OUTCOME__INIT;

	o.has_id = o.has_rev = true;
	o.id = m->changes[0]->id;
	o.rev = rev;
	o.has_ref_no = ref_no != 0;
	o.ref_no = ref_no;
	return o;
}

static void settle(struct fixture *f, const Seve__PushRequest *sent, size_t i,
		   Seve__Verdict__Code code, Seve__Outcome *o)
{
	Seve__Verdict v = support_verdict(sent->mutations[i]->mid, code);
	Seve__Outcome *list[] = {o};

	v.n_outcomes = o != NULL;
	v.outcomes = list;
	if (support_settle(f->s, sent, &v, NULL, &f->e))
		fail_msg("%s", f->e.text);
}

static void an_applied_edit_becomes_the_record(void **state)
{
	struct fixture *f = *state;
	Seve__PushRequest sent;
	struct seve_record *r;
	Seve__Outcome o;

	seve_record_free(edit(f, "P-1", "title", "Chaufferie collective"));
	support_take(f->s, &f->arena, &sent);
	o = outcome(sent.mutations[0], 15, 1);
	settle(f, &sent, 0, SEVE__VERDICT__CODE__APPLIED, &o);
	r = support_get(f->s, "P-1");
	assert_non_null(r);
	assert_false(seve_record_pending(r));
	assert_int_equal(seve_record_rev(r), 15);
	assert_string_equal(seve_record_get(r, "title"), "Chaufferie collective");
	assert_string_equal(seve_record_get(r, "updated_by"), "animatrice");
	assert_string_equal(status_column(f, "pending"), "0");
	seve_record_free(r);
}

static void a_created_record_gets_its_reference(void **state)
{
	struct fixture *f = *state;
	Seve__PushRequest sent;
	struct seve_record *r = NULL;
	Seve__Outcome o;

	assert_int_equal(seve_record_new("action", TERRITORY, &r, NULL), SEVE_OK);
	assert_int_equal(seve_record_set(r, "title", "Broyeur", NULL), SEVE_OK);
	save(f, r);
	seve_record_free(r);
	support_take(f->s, &f->arena, &sent);
	assert_int_equal(sent.mutations[0]->changes[0]->op, SEVE__CHANGE__OP__OP_CREATE);
	o = outcome(sent.mutations[0], 12, 3);
	settle(f, &sent, 0, SEVE__VERDICT__CODE__APPLIED, &o);
	r = support_get(f->s, "P-3");
	assert_non_null(r);
	assert_string_equal(seve_record_get(r, "title"), "Broyeur");
	assert_string_equal(seve_record_get(r, "created_by"), "animatrice");
	assert_int_equal(seve_record_rev(r), 12);
	seve_record_free(r);
}

static void a_merged_edit_shows_what_the_server_made_of_it(void **state)
{
	struct fixture *f = *state;
	ProtobufCBinaryData body =
		support_action("Chaufferie collective", 1, SEVE__ACTION__STATUS__STATUS_PLANNED);
	Seve__PushRequest sent;
	Seve__Outcome o;
	ProtobufCMessage *m;
	struct seve_record *r;

	seve_record_free(edit(f, "P-1", "title", "Chaufferie collective"));
	support_take(f->s, &f->arena, &sent);
	o = outcome(sent.mutations[0], 16, 1);
	assert_int_equal(
		wire_unpack(&f->arena, &seve__body__descriptor, body.data, body.len, &m, &f->e), 0);
	o.body = (Seve__Body *)m;
	settle(f, &sent, 0, SEVE__VERDICT__CODE__MERGED, &o);
	r = support_get(f->s, "P-1");
	assert_string_equal(seve_record_get(r, "status"), "planned");
	assert_int_equal(seve_record_rev(r), 16);
	seve_record_free(r);
	free(body.data);
}

static void an_edit_that_was_so_already_does_not_claim_a_rev_it_has_not_seen(void **state)
{
	struct fixture *f = *state;
	Seve__PushRequest sent;
	Seve__Outcome o;
	struct seve_record *r;

	seve_record_free(edit(f, "P-1", "title", "Chaufferie collective"));
	support_take(f->s, &f->arena, &sent);
	o = outcome(sent.mutations[0], 16, 1);
	settle(f, &sent, 0, SEVE__VERDICT__CODE__UNCHANGED, &o);
	r = support_get(f->s, "P-1");
	assert_int_equal(seve_record_rev(r), 10);
	assert_false(seve_record_pending(r));
	seve_record_free(r);
}

static void a_conflict_stays_is_seen_and_shows_no_more(void **state)
{
	struct fixture *f = *state;
	Seve__PushRequest sent;
	Seve__Outcome o;
	struct seve_table *t = NULL;
	uint64_t mid;

	seve_record_free(edit(f, "P-1", "status", "planned"));
	support_take(f->s, &f->arena, &sent);
	mid = sent.mutations[0]->mid;
	o = outcome(sent.mutations[0], 15, 1);
	settle(f, &sent, 0, SEVE__VERDICT__CODE__CONFLICT, &o);
	assert_string_equal(status_column(f, "pending"), "0");
	assert_string_equal(status_column(f, "conflicts"), "1");
	struct seve_record *r = support_get(f->s, "P-1");
	assert_string_equal(seve_record_get(r, "status"), "lead");
	assert_false(seve_record_pending(r));
	seve_record_free(r);
	assert_int_equal(seve_outbox(f->s, &t, NULL), SEVE_OK);
	assert_int_equal(seve_table_rows(t), 1);
	assert_string_equal(seve_table_get(t, 0, "state"), "conflict");
	assert_string_equal(seve_table_get(t, 0, "fields"), "status");
	assert_string_equal(seve_table_get(t, 0, "ref"), "P-1");
	seve_table_free(t);
	assert_int_equal(seve_outbox_drop(f->s, TERRITORY, mid, NULL), SEVE_OK);
	assert_string_equal(status_column(f, "conflicts"), "0");
}

static void a_rejection_tells_why_and_later_edits_do_not_hang_on_it(void **state)
{
	struct fixture *f = *state;
	Seve__PushRequest sent;
	Seve__Violation why = SEVE__VIOLATION__INIT, *list[] = {&why};
	Seve__Verdict v;
	struct seve_table *t = NULL;

	seve_record_free(edit(f, "P-1", "status", "sustained"));
	support_take(f->s, &f->arena, &sent);
	v = support_verdict(sent.mutations[0]->mid, SEVE__VERDICT__CODE__REJECTED);
	why.field = (char *)(uintptr_t) "action.status";
	why.code = (char *)(uintptr_t) "STATE";
	why.text = (char *)(uintptr_t) "lead -> sustained is not allowed";
	v.n_violations = 1;
	v.violations = list;
	assert_int_equal(support_settle(f->s, &sent, &v, NULL, &f->e), 0);
	assert_int_equal(seve_outbox(f->s, &t, NULL), SEVE_OK);
	assert_string_equal(seve_table_get(t, 0, "state"), "rejected");
	assert_string_equal(seve_table_get(t, 0, "code"), "STATE");
	assert_non_null(strstr(seve_table_get(t, 0, "text"), "not allowed"));
	seve_table_free(t);
	seve_record_free(edit(f, "P-1", "status", "planned"));
	support_take(f->s, &f->arena, &sent);
	assert_int_equal(sent.n_mutations, 1);
	assert_int_equal(sent.mutations[0]->changes[0]->base_mid, 0);
}

static void verdicts_that_answer_other_mutations_are_refused(void **state)
{
	struct fixture *f = *state;
	Seve__PushRequest sent;
	Seve__Verdict v = support_verdict(77, SEVE__VERDICT__CODE__APPLIED), *list[] = {&v};
	Seve__PushReply reply = SEVE__PUSH_REPLY__INIT;
	struct queue_counts counts = {0};

	seve_record_free(edit(f, "P-1", "title", "un"));
	support_take(f->s, &f->arena, &sent);
	reply.n_verdicts = 1;
	reply.verdicts = list;
	assert_int_equal(
		queue_settle(f->s->store, TERRITORY, &sent, &reply, "x", 0, 1, &counts, &f->e),
		-ERR_PROTOCOL);
	assert_string_equal(status_column(f, "pending"), "1");
}

static void a_pull_below_a_waiting_edit_is_seen_through_it(void **state)
{
	struct fixture *f = *state;
	struct seve_record *r;

	seve_record_free(edit(f, "P-1", "title", "Chaufferie collective"));
	assert_int_equal(support_page(f->s, 11, 20,
				      &(struct support_row){1, 20, "Chaufferie", 1,
							    SEVE__ACTION__STATUS__STATUS_PLANNED},
				      1, &f->e),
			 0);
	r = support_get(f->s, "P-1");
	assert_string_equal(seve_record_get(r, "title"), "Chaufferie collective");
	assert_string_equal(seve_record_get(r, "status"), "planned");
	assert_int_equal(seve_record_rev(r), 20);
	seve_record_free(r);
}

static void a_reset_keeps_the_outbox(void **state)
{
	struct fixture *f = *state;

	seve_record_free(edit(f, "P-1", "title", "Chaufferie collective"));
	assert_int_equal(replica_reset(f->s->store, TERRITORY, &f->e), 0);
	assert_int_equal(
		support_page(f->s, 0, 3, &(struct support_row){1, 3, "Autre base", 1, 0}, 1, &f->e),
		0);
	assert_int_equal(support_complete(f->s, 3, &f->e), 0);
	assert_string_equal(status_column(f, "pending"), "1");
	assert_string_equal(support_title(f->s, 1), "Chaufferie collective");
	assert_null(support_title(f->s, 2));
}

static void a_deletion_hides_and_an_undone_one_does_not_return(void **state)
{
	struct fixture *f = *state;
	struct seve_record *r = support_get(f->s, "P-2");
	Seve__PushRequest sent;
	Seve__Outcome o;
	int queued;

	assert_int_equal(seve_delete(f->s, r, "doublon", 1, &queued, NULL, NULL), SEVE_OK);
	assert_int_equal(queued, 1);
	assert_null(support_title(f->s, 2));
	support_take(f->s, &f->arena, &sent);
	assert_string_equal(sent.mutations[0]->reason, "doublon");
	o = outcome(sent.mutations[0], 15, 2);
	o.has_deleted = o.deleted = true;
	settle(f, &sent, 0, SEVE__VERDICT__CODE__APPLIED, &o);
	assert_null(support_title(f->s, 2));
	seve_record_free(r);
}

static void sets_travel_as_members_added_and_removed(void **state)
{
	struct fixture *f = *state;
	struct seve_record *r = support_get(f->s, "P-1");
	const Seve__Change *c;
	Seve__PushRequest sent;

	assert_int_equal(seve_record_set(r, "tags", "bois|énergie", NULL), SEVE_OK);
	save(f, r);
	assert_int_equal(seve_record_add(r, "tags", "chaleur", NULL), SEVE_OK);
	assert_int_equal(seve_record_remove(r, "tags", "bois", NULL), SEVE_OK);
	save(f, r);
	assert_string_equal(seve_record_get(r, "tags"), "énergie|chaleur");
	support_take(f->s, &f->arena, &sent);
	c = sent.mutations[0]->changes[0];
	assert_int_equal(c->n_mask, 0);
	assert_int_equal(c->add->action->n_tags, 2);
	c = sent.mutations[1]->changes[0];
	assert_int_equal(c->add->action->n_tags, 1);
	assert_string_equal(c->add->action->tags[0], "chaleur");
	assert_int_equal(c->remove->action->n_tags, 1);
	assert_string_equal(c->remove->action->tags[0], "bois");
	seve_record_free(r);
}

static void what_still_waits_cannot_be_dropped(void **state)
{
	struct fixture *f = *state;
	struct seve_error *err = NULL;

	seve_record_free(edit(f, "P-1", "title", "un"));
	assert_int_equal(seve_outbox_drop(f->s, TERRITORY, 1, &err), SEVE_INVALID);
	assert_string_not_equal(seve_error_remedy(err), "");
	seve_error_free(err);
	assert_int_equal(seve_outbox_drop(f->s, TERRITORY, 9, NULL), SEVE_NOT_FOUND);
}

static void a_territory_that_was_taken_away_keeps_the_edits_as_rejected(void **state)
{
	struct fixture *f = *state;
	struct seve_table *t = NULL;
	uint64_t n = 0;

	seve_record_free(edit(f, "P-1", "title", "un"));
	assert_int_equal(queue_reject_all(f->s->store, TERRITORY, "TERRITORY_REVOKED", &n, &f->e),
			 0);
	assert_int_equal(replica_purge(f->s->store, TERRITORY, &f->e), 0);
	assert_int_equal(n, 1);
	assert_null(support_title(f->s, 1));
	assert_int_equal(seve_outbox(f->s, &t, NULL), SEVE_OK);
	assert_string_equal(seve_table_get(t, 0, "state"), "rejected");
	assert_string_equal(seve_table_get(t, 0, "code"), "TERRITORY_REVOKED");
	seve_table_free(t);
}

static void without_a_replica_an_edit_rests_on_the_record_that_was_read(void **state)
{
	struct fixture *f = *state;
	ProtobufCBinaryData body = support_action("Navette", 2, SEVE__ACTION__STATUS__STATUS_IDEA);
	struct uuid id = support_id(2);
	Seve__Record wire = SEVE__RECORD__INIT;
	struct seve_record *r = NULL;
	Seve__PushRequest sent;
	Seve__Outcome o;
	sqlite3_stmt *q;

	assert_int_equal(replica_purge(f->s->store, TERRITORY, &f->e), 0);
	wire.id = (ProtobufCBinaryData){16, id.b};
	wire.kind = SEVE__BODY__KIND_ACTION;
	wire.rev = 11;
	wire.body = body;
	assert_int_equal(record_from_wire(TERRITORY, &wire, &r, &f->e), 0);
	assert_int_equal(seve_record_set(r, "title", "Navette solaire", NULL), SEVE_OK);
	save(f, r);
	assert_string_equal(support_title(f->s, 2), "Navette solaire");
	assert_int_equal(seve_record_set(r, "next_step", "Devis", NULL), SEVE_OK);
	save(f, r);
	support_take(f->s, &f->arena, &sent);
	assert_int_equal(sent.mutations[1]->changes[0]->base_rev, 11);
	o = outcome(sent.mutations[0], 12, 2);
	settle(f, &sent, 0, SEVE__VERDICT__CODE__APPLIED, &o);
	assert_string_equal(support_title(f->s, 2), "Navette solaire");
	o = outcome(sent.mutations[1], 13, 2);
	settle(f, &sent, 1, SEVE__VERDICT__CODE__APPLIED, &o);
	/* Nothing waits and nothing is carried: nothing is kept. */
	q = store_query(f->s->store, &f->e, STORE_record_get, "ib", (int64_t)TERRITORY,
			(struct span){id.b, 16});
	assert_int_equal(store_step(f->s->store, q, &f->e), 0);
	seve_record_free(r);
	free(body.data);
}

static void several_records_are_one_mutation(void **state)
{
	struct fixture *f = *state;
	struct seve_record *list[] = {support_get(f->s, "P-1"), support_get(f->s, "P-2")};
	Seve__PushRequest sent;

	assert_int_equal(seve_record_set(list[0], "progress", "10", NULL), SEVE_OK);
	assert_int_equal(seve_record_set(list[1], "progress", "20", NULL), SEVE_OK);
	assert_int_equal(seve_save(f->s, list, 2, "point mensuel", 1, NULL, NULL, NULL), SEVE_OK);
	support_take(f->s, &f->arena, &sent);
	assert_int_equal(sent.n_mutations, 1);
	assert_int_equal(sent.mutations[0]->n_changes, 2);
	seve_record_free(list[0]);
	seve_record_free(list[1]);
}

static void saving_what_was_not_edited_writes_nothing(void **state)
{
	struct fixture *f = *state;
	struct seve_record *r = support_get(f->s, "P-1");
	struct seve_table *t = NULL;
	int queued = 1;

	assert_int_equal(seve_save(f->s, &r, 1, NULL, 1, &queued, &t, NULL), SEVE_OK);
	assert_int_equal(queued, 0);
	assert_string_equal(seve_table_get(t, 0, "verdict"), "unchanged");
	assert_string_equal(status_column(f, "pending"), "0");
	seve_table_free(t);
	seve_record_free(r);
}

static void forgetting_asks_for_force_while_edits_wait(void **state)
{
	struct fixture *f = *state;

	seve_record_free(edit(f, "P-1", "title", "un"));
	assert_int_equal(seve_forget(f->s, TERRITORY, 0, NULL), SEVE_INVALID);
	assert_string_equal(support_title(f->s, 1), "un");
	assert_int_equal(seve_forget(f->s, TERRITORY, 1, NULL), SEVE_OK);
	assert_null(support_title(f->s, 1));
	assert_string_equal(status_column(f, "rejected"), "1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_offline_edit_shows_at_once_and_waits),
		TEST(a_new_record_is_listed_and_named_by_its_tail),
		TEST(edits_of_one_record_name_the_one_before),
		TEST(what_was_sent_goes_again_with_the_same_bytes),
		TEST(an_applied_edit_becomes_the_record),
		TEST(a_created_record_gets_its_reference),
		TEST(a_merged_edit_shows_what_the_server_made_of_it),
		TEST(an_edit_that_was_so_already_does_not_claim_a_rev_it_has_not_seen),
		TEST(a_conflict_stays_is_seen_and_shows_no_more),
		TEST(a_rejection_tells_why_and_later_edits_do_not_hang_on_it),
		TEST(verdicts_that_answer_other_mutations_are_refused),
		TEST(a_pull_below_a_waiting_edit_is_seen_through_it),
		TEST(a_reset_keeps_the_outbox),
		TEST(a_deletion_hides_and_an_undone_one_does_not_return),
		TEST(sets_travel_as_members_added_and_removed),
		TEST(what_still_waits_cannot_be_dropped),
		TEST(a_territory_that_was_taken_away_keeps_the_edits_as_rejected),
		TEST(without_a_replica_an_edit_rests_on_the_record_that_was_read),
		TEST(several_records_are_one_mutation),
		TEST(saving_what_was_not_edited_writes_nothing),
		TEST(forgetting_asks_for_force_while_edits_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
