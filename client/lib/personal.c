/* personal.c -- what the server holds on a person, and taking it out, there and here. */
#include <stdlib.h>

#include "client.h"
#include "json.h"
#include "replica.h"
#include "store.h"
#include "text.h"
#include "wire.h"

enum { ASK_MAX = 8 * 1024 * 1024, EXPORT_MAX = 64 * 1024 * 1024 };

/* ---- the document ------------------------------------------------------------------------------
 */

static int add_pair(struct buf *b, const char *name, const char *text)
{
	int rc;

	if (!text)
		return 0;
	rc = buf_addf(b, ",\"%s\":", name);
	return rc ? rc : json_add_string(b, text);
}

static int add_body(struct buf *b, struct arena *a, const Seve__HeldItem *i, struct err *e)
{
	ProtobufCMessage *m;
	int rc;

	if (!i->has_body || i->id.len != 16)
		return 0;
	if (wire_unpack(a, &seve__body__descriptor, i->body.data, i->body.len, &m, e))
		return -(int)e->code;
	if (!kind_of((const Seve__Body *)m))
		return 0; /* newer than this program */
	rc = buf_addf(b, ",\"record\":");
	return rc ? rc
		  : json_add_record(b, NULL, i->id.data, i->has_rev ? i->rev : 0,
				    (const Seve__Body *)m);
}

static int add_message(struct buf *b, struct arena *a, const char *name,
		       const ProtobufCMessageDescriptor *desc, ProtobufCBinaryData bytes,
		       struct err *e)
{
	ProtobufCMessage *m;
	int rc;

	if (!bytes.len)
		return 0;
	if (wire_unpack(a, desc, bytes.data, bytes.len, &m, e))
		return -(int)e->code;
	rc = buf_addf(b, ",\"%s\":", name);
	return rc ? rc : json_add_message(b, m);
}

static int add_item(struct buf *b, struct arena *a, const Seve__HeldItem *i, struct err *e)
{
	char at[32] = "";
	int rc = buf_addf(b, "{\"place\":");

	if (i->has_at)
		text_from_instant(i->at, at);
	rc = rc ? rc : json_add_string(b, i->place ? i->place : "");
	rc = rc ? rc : add_pair(b, "at", *at ? at : NULL);
	rc = rc ? rc : add_pair(b, "by", i->by);
	rc = rc ? rc : add_pair(b, "reason", i->reason);
	rc = rc ? rc : add_pair(b, "source", i->source);
	rc = rc ? rc : add_pair(b, "key", i->key);
	rc = rc ? rc : add_body(b, a, i, e);
	rc = rc ? rc : add_message(b, a, "remark", &seve__row_verdict__descriptor, i->remark, e);
	return rc ? rc : buf_add(b, "}", 1);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

struct export
{
	struct buf json;
	uint8_t next[64];
	size_t next_len, n;
};

/* One page, laid behind those before. */
static int ask_page(struct seve *s, uint32_t territory, const struct uuid *id, struct export *x,
		    struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__HeldRequest held = SEVE__HELD_REQUEST__INIT;
	const Seve__Reply *reply;
	struct arena a;
	int rc;

	held.has_territory = held.has_id = true;
	held.territory = territory;
	held.id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)id->b};
	held.has_after = x->next_len != 0;
	held.after = (ProtobufCBinaryData){x->next_len, x->next};
	req.body_case = SEVE__REQUEST__BODY_HELD;
	req.held = &held;
	arena_init(&a, ASK_MAX);
	rc = client_ask(s, &req, &a, false, true, &reply, e);
	if (!rc &&
	    (reply->body_case != SEVE__REPLY__BODY_HELD || reply->held->next.len > sizeof x->next))
		rc = err_set(e, ERR_PROTOCOL, "the answer is of another kind than the question");
	for (size_t i = 0; !rc && i < reply->held->n_items; i++) {
		rc = x->n++ ? buf_add(&x->json, ",\n", 2) : 0;
		rc = rc ? rc : add_item(&x->json, &a, reply->held->items[i], e);
		if (rc && !e->code)
			err_set(e, (enum err_code) - rc,
				"what is held does not fit into a document");
	}
	if (!rc) {
		x->next_len = reply->held->next.len;
		if (x->next_len)
			memcpy(x->next, reply->held->next.data, x->next_len);
	}
	arena_fini(&a);
	return rc;
}

static int contact_id(const char *text, struct uuid *out, struct err *e)
{
	if (!text || uuid_parse(text, out, NULL))
		return err_set(e, ERR_USAGE, "a contact is named by its id, not \"%.60s\"",
			       text ? text : "");
	return 0;
}

int seve_contact_export(struct seve *s, uint32_t territory, const char *id, char **json,
			struct seve_error **err)
{
	static const char head[] = "{\"schema\":\"seve.contact.export/1\",\"items\":[\n";
	struct export x = {.n = 0};
	struct err e = {0};
	struct uuid u;
	char *text;
	int rc = contact_id(id, &u, &e);

	buf_init(&x.json, EXPORT_MAX);
	rc = rc ? rc : buf_add(&x.json, head, sizeof head - 1);
	do
		rc = rc ? rc : ask_page(s, territory, &u, &x, &e);
	while (!rc && x.next_len);
	rc = rc ? rc : buf_add(&x.json, "\n]}", sizeof "\n]}");
	if (!rc) {
		text = strdup((const char *)buf_span(&x.json).at);
		if (text)
			*json = text;
		else
			err_set(&e, ERR_NOMEM, "what is held");
	} else if (!e.code) {
		err_set(&e, (enum err_code) - rc, "what is held");
	}
	buf_fini(&x.json);
	return error_out(err, &e);
}

int seve_contact_erase(struct seve *s, uint32_t territory, const char *id, struct seve_error **err)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__EraseRequest erase = SEVE__ERASE_REQUEST__INIT;
	const Seve__Reply *reply;
	struct err e = {0};
	struct arena a;
	struct uuid u;

	if (contact_id(id, &u, &e))
		return error_out(err, &e);
	erase.has_territory = erase.has_id = true;
	erase.territory = territory;
	erase.id = (ProtobufCBinaryData){16, u.b};
	req.body_case = SEVE__REQUEST__BODY_ERASE;
	req.erase = &erase;
	arena_init(&a, ASK_MAX);
	/* Sent again after a lost connection: it does what is left to do. */
	if (client_ask(s, &req, &a, true, true, &reply, &e) == 0 &&
	    reply->body_case != SEVE__REPLY__BODY_DONE)
		err_set(&e, ERR_PROTOCOL, "the answer is of another kind than the question");
	arena_fini(&a);
	/* Where nothing is carried no page will say so. */
	if (!e.code)
		replica_forget_person(s->store, territory, u.b, &e);
	return error_out(err, &e);
}
