/* support.c -- see support.h. */
#include "support.h"

#include <ftw.h>
#include <unistd.h>

struct seve *support_open(const char *store)
{
	struct seve_options *o = seve_options_new();
	struct seve_error *err = NULL;
	struct seve *s = NULL;

	assert_non_null(o);
	assert_int_equal(seve_options_set(o, "store", store ? store : ":memory:"), SEVE_OK);
	if (seve_open(o, &s, &err))
		print_error("%s\n", seve_error_message(err));
	seve_error_free(err);
	seve_options_free(o);
	assert_non_null(s);
	return s;
}

char *support_folder(void)
{
	const char *base = getenv("TMPDIR");
	char *path = NULL;

	assert_true(asprintf(&path, "%s/seve-client-XXXXXX", base ? base : "/tmp") > 0);
	assert_non_null(mkdtemp(path));
	return path;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void support_remove(char *folder)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
}

struct uuid support_id(unsigned n)
{
	struct uuid u = {{0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80}};

	u.b[14] = (uint8_t)(n >> 8);
	u.b[15] = (uint8_t)n;
	return u;
}

ProtobufCBinaryData support_action(const char *title, uint32_t ref_no, Seve__Action__Status status)
{
	Seve__Body body = SEVE__BODY__INIT;
	Seve__Meta meta = SEVE__META__INIT;
	Seve__Action action = SEVE__ACTION__INIT;
	ProtobufCBinaryData out;

	meta.has_level = true;
	meta.level = SEVE__LEVEL__LEVEL_NETWORK;
	meta.has_ref_no = ref_no != 0;
	meta.ref_no = ref_no;
	meta.has_updated_at = true;
	meta.updated_at = 1700000000000 + ref_no;
	action.title = (char *)(uintptr_t)title;
	action.has_status = status != SEVE__ACTION__STATUS__STATUS_UNSPECIFIED;
	action.status = status;
	body.meta = &meta;
	body.kind_case = SEVE__BODY__KIND_ACTION;
	body.action = &action;
	out.len = seve__body__get_packed_size(&body);
	out.data = malloc(out.len);
	assert_non_null(out.data);
	seve__body__pack(&body, out.data);
	return out;
}

int support_page(struct seve *s, uint64_t from, uint64_t to, const struct support_row *rows,
		 size_t n, struct err *e)
{
	Seve__Page page = SEVE__PAGE__INIT;
	Seve__Record *records = calloc(n + 1, sizeof *records),
		     **list = calloc(n + 1, sizeof *list);
	struct uuid *ids = calloc(n + 1, sizeof *ids);
	int rc;

	assert_true(records && list && ids);
	for (size_t i = 0; i < n; i++) {
		seve__record__init(&records[i]);
		ids[i] = support_id(rows[i].id);
		records[i].id = (ProtobufCBinaryData){16, ids[i].b};
		records[i].kind = SEVE__BODY__KIND_ACTION;
		records[i].rev = rows[i].rev;
		records[i].has_deleted = records[i].deleted = !rows[i].title;
		if (rows[i].title)
			records[i].body =
				support_action(rows[i].title, rows[i].ref_no, rows[i].status);
		list[i] = &records[i];
	}
	page.territory = TERRITORY;
	page.from_rev = from;
	page.to_rev = to;
	page.n_records = n;
	page.records = list;
	rc = replica_apply(s->store, &page, 1, 2, e);
	for (size_t i = 0; i < n; i++)
		free(records[i].body.data);
	free(records);
	free(list);
	free(ids);
	return rc;
}

int support_complete(struct seve *s, uint64_t rev, struct err *e)
{
	Seve__PullReply r = SEVE__PULL_REPLY__INIT;

	r.territory = TERRITORY;
	r.epoch = 1;
	r.view = 2;
	r.head_rev = rev;
	return replica_complete(s->store, &r, 1700000000000, e);
}

void support_replica(struct seve *s, uint64_t rev, const struct support_row *rows, size_t n)
{
	struct err e = {0};

	assert_int_equal(replica_make(s->store, TERRITORY, &e), 0);
	if (support_page(s, 0, rev, rows, n, &e) || support_complete(s, rev, &e))
		fail_msg("%s", e.text);
}

struct seve_record *support_get(struct seve *s, const char *name)
{
	struct seve_error *err = NULL;
	struct seve_record *r = NULL;

	if (seve_get(s, TERRITORY, NULL, name, SEVE_REPLICA, &r, &err))
		seve_error_free(err);
	return r;
}

const char *support_title(struct seve *s, unsigned id)
{
	static char title[200];
	struct uuid u = support_id(id);
	char text[UUID_TEXT];
	struct seve_record *r;

	uuid_format(&u, text);
	r = support_get(s, text);
	if (!r || seve_record_deleted(r)) {
		seve_record_free(r);
		return NULL;
	}
	snprintf(title, sizeof title, "%s", seve_record_get(r, "title"));
	seve_record_free(r);
	return title;
}

void support_take(struct seve *s, struct arena *a, Seve__PushRequest *out)
{
	struct err e = {0};

	seve__push_request__init(out);
	if (queue_take(s->store, a, TERRITORY, 500, out, &e))
		fail_msg("%s", e.text);
}

Seve__Verdict support_verdict(uint64_t mid, Seve__Verdict__Code code)
{
	Seve__Verdict v = SEVE__VERDICT__INIT;

	v.has_mid = v.has_code = true;
	v.mid = mid;
	v.code = code;
	return v;
}

int support_settle(struct seve *s, const Seve__PushRequest *sent, Seve__Verdict *verdict,
		   struct queue_counts *counts, struct err *e)
{
	Seve__PushReply reply = SEVE__PUSH_REPLY__INIT;
	Seve__PushRequest one = SEVE__PUSH_REQUEST__INIT;
	struct queue_counts mine = {0};

	for (size_t i = 0; i < sent->n_mutations; i++)
		if (sent->mutations[i]->mid == verdict->mid) {
			one.n_mutations = 1;
			one.mutations = &sent->mutations[i];
		}
	reply.n_verdicts = 1;
	reply.verdicts = &verdict;
	return queue_settle(s->store, TERRITORY, &one, &reply, "animatrice", 1700000001000, 1,
			    counts ? counts : &mine, e);
}
