/* query.c -- see query.h. */
#include "query.h"

#include "error.h"
#include "text.h"

enum { QUERY_ARENA_MAX = 1024 * 1024 };

struct seve_query *seve_query_new(const char *kind)
{
	const struct kind *k = kind ? kind_by_name(kind) : NULL;
	struct seve_query *q = k ? calloc(1, sizeof *q) : NULL;

	if (!q)
		return NULL;
	arena_init(&q->arena, QUERY_ARENA_MAX);
	q->kind = k;
	return q;
}

void seve_query_free(struct seve_query *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->n_filters; i++)
		free(q->filters[i].folded);
	arena_fini(&q->arena);
	free(q);
}

int seve_query_territory(struct seve_query *q, uint32_t territory)
{
	for (size_t i = 0; i < q->n_territories; i++)
		if (q->territories[i] == territory)
			return SEVE_OK;
	if (!territory || q->n_territories == QUERY_TERRITORIES_MAX)
		return SEVE_USAGE;
	q->territories[q->n_territories++] = territory;
	return SEVE_OK;
}

void seve_query_limit(struct seve_query *q, size_t n)
{
	q->limit = n;
}

/* ---- reading a filter
 * ------------------------------------------------------------------------------------- */

static int read_op(const char *op, Seve__Filter__Op *out, struct err *e)
{
	static const struct {
		const char *text;
		Seve__Filter__Op op;
	} list[] = {
		{"=", SEVE__FILTER__OP__EQ},       {"!=", SEVE__FILTER__OP__NE},
		{"<", SEVE__FILTER__OP__LT},       {"<=", SEVE__FILTER__OP__LE},
		{">", SEVE__FILTER__OP__GT},       {">=", SEVE__FILTER__OP__GE},
		{"~", SEVE__FILTER__OP__CONTAINS}, {"null", SEVE__FILTER__OP__NULL},
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		if (strcmp(list[i].text, op) == 0) {
			*out = list[i].op;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "\"%s\" is not an operator: = != < <= > >= ~ null", op);
}

static enum query_meta meta_of(const char *field)
{
	if (strcmp(field, "updated_at") == 0)
		return QUERY_UPDATED_AT;
	if (strcmp(field, "level") == 0)
		return QUERY_LEVEL;
	return strcmp(field, "ref_no") == 0 ? QUERY_REF_NO : QUERY_FIELD;
}

static int read_meta(struct query_filter *f, struct err *e)
{
	const char *value = f->wire.value;
	int level, rc;

	if (f->wire.op > SEVE__FILTER__OP__GE)
		return err_set(e, ERR_INVALID, "%s cannot be filtered in this way", f->wire.field);
	if (f->meta == QUERY_UPDATED_AT)
		return text_to_instant(value, &f->number, e);
	if (f->meta == QUERY_REF_NO)
		return text_to_int(value, 0, INT32_MAX, &f->number, e);
	rc = field_enum_number(&seve__level__descriptor, value, &level, e);
	if (!rc)
		f->number = level;
	return rc;
}

static int read_value(struct seve_query *q, struct query_filter *f, struct err *e)
{
	enum field_type t = field_type(f->fd);
	ProtobufCMessage *m;
	int rc;

	if (f->wire.op == SEVE__FILTER__OP__NULL) {
		f->number = strcmp(f->wire.value, "yes") == 0;
		if (!f->number && strcmp(f->wire.value, "no") != 0)
			return err_set(e, ERR_INVALID, "%s: null is yes or no, not %s",
				       f->wire.field, f->wire.value);
		return 0;
	}
	if (f->wire.op == SEVE__FILTER__OP__CONTAINS && !field_is_set(t)) {
		if (t != FIELD_TEXT && t != FIELD_ENUM)
			return err_set(e, ERR_INVALID,
				       "%s is neither text nor a list: it contains nothing",
				       f->wire.field);
		f->folded = text_fold(f->wire.value);
		return f->folded ? 0 : err_set(e, ERR_NOMEM, "filter");
	}
	if (f->wire.op != SEVE__FILTER__OP__CONTAINS && field_is_set(t)) {
		err_set(e, ERR_INVALID, "%s is a list: it can only be asked what it contains",
			f->wire.field);
		return err_remedy(e, "use ~");
	}
	m = field_new_message(&q->arena, q->kind->desc);
	if (!m)
		return err_set(e, ERR_NOMEM, "filter");
	rc = field_from_text(&q->arena, m, f->fd, f->wire.value, e);
	f->value = m;
	return rc;
}

static int filter_in(struct seve_query *q, const char *field, const char *op, const char *value,
		     struct err *e)
{
	struct query_filter *f = &q->filters[q->n_filters];
	int rc;

	if (!field || !op || !value)
		return err_set(e, ERR_USAGE, "a filter has a field, an operator and a value");
	if (q->n_filters == QUERY_FILTERS_MAX)
		return err_set(e, ERR_INVALID, "more than %d filters", QUERY_FILTERS_MAX);
	memset(f, 0, sizeof *f);
	seve__filter__init(&f->wire);
	f->fd = field_by_name(q->kind, field);
	f->meta = f->fd ? QUERY_FIELD : meta_of(field);
	if (!f->fd && f->meta == QUERY_FIELD)
		return err_set(e, ERR_INVALID, "%s has no field \"%s\" to filter by", q->kind->name,
			       field);
	if (f->fd && (field_type(f->fd) == FIELD_MESSAGE || field_type(f->fd) == FIELD_MESSAGES))
		return err_set(e, ERR_INVALID, "%s.%s cannot be filtered by", q->kind->name, field);
	rc = read_op(op, &f->wire.op, e);
	if (rc)
		return rc;
	f->wire.has_op = true;
	f->wire.field = arena_strdup(&q->arena, field);
	f->wire.value = arena_strdup(&q->arena, value);
	if (!f->wire.field || !f->wire.value)
		return err_set(e, ERR_NOMEM, "filter");
	rc = f->meta == QUERY_FIELD ? read_value(q, f, e) : read_meta(f, e);
	if (rc)
		return err_prefix(e, "filter on %s", field);
	q->n_filters++;
	return 0;
}

int seve_query_filter(struct seve_query *q, const char *field, const char *op, const char *value,
		      struct seve_error **err)
{
	struct err e = {0};

	filter_in(q, field, op, value, &e);
	return error_out(err, &e);
}

/* ---- comparing
 * ------------------------------------------------------------------------------------------------
 */

static int sign_of(bool less, bool more)
{
	return less ? -1 : more;
}

static int compare_words(const field_desc *fd, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	char x[48], y[48];

	field_enum_word(fd->descriptor, (int)field_int(a, fd), x);
	field_enum_word(fd->descriptor, (int)field_int(b, fd), y);
	return strcmp(x, y);
}

static int compare_ids(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	int rc = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);

	return rc ? rc : sign_of(a->len<b->len, a->len> b->len);
}

int query_compare(const field_desc *fd, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	switch (field_type(fd)) {
	case FIELD_TEXT:
		return strcmp(*(char *const *)field_at(a, fd), *(char *const *)field_at(b, fd));
	case FIELD_ENUM:
		return compare_words(fd, a, b);
	case FIELD_BOOL:
	case FIELD_INT:
	case FIELD_DATE:
	case FIELD_INSTANT:
		return sign_of(field_int(a, fd) < field_int(b, fd),
			       field_int(a, fd) > field_int(b, fd));
	case FIELD_UINT:
		return sign_of(field_uint(a, fd) < field_uint(b, fd),
			       field_uint(a, fd) > field_uint(b, fd));
	case FIELD_DOUBLE:
		return sign_of(field_double(a, fd) < field_double(b, fd),
			       field_double(a, fd) > field_double(b, fd));
	case FIELD_ID:
		return compare_ids(field_at(a, fd), field_at(b, fd));
	case FIELD_TEXTS:
	case FIELD_IDS:
	case FIELD_MESSAGE:
	case FIELD_MESSAGES:
		break;
	}
	return 0;
}

int query_order(const struct kind *k, const Seve__Body *a, const uint8_t a_id[16],
		const Seve__Body *b, const uint8_t b_id[16])
{
	const field_desc *fd = field_by_name(k, k->sort);
	const ProtobufCMessage *x = kind_message(a), *y = kind_message(b);
	bool has_x = field_present(x, fd), has_y = field_present(y, fd);
	int rc = 0;

	if (has_x != has_y)
		return has_x ? -1 : 1;
	if (has_x)
		rc = query_compare(fd, x, y);
	return rc ? rc : memcmp(a_id, b_id, 16);
}

/* ---- matching
 * ---------------------------------------------------------------------------------------------------
 */

static bool op_holds(Seve__Filter__Op op, int order)
{
	switch (op) {
	case SEVE__FILTER__OP__EQ:
		return order == 0;
	case SEVE__FILTER__OP__NE:
		return order != 0;
	case SEVE__FILTER__OP__LT:
		return order < 0;
	case SEVE__FILTER__OP__LE:
		return order <= 0;
	case SEVE__FILTER__OP__GT:
		return order > 0;
	case SEVE__FILTER__OP__GE:
		return order >= 0;
	case SEVE__FILTER__OP__CONTAINS:
	case SEVE__FILTER__OP__NULL:
	case _SEVE__FILTER__OP_IS_INT_SIZE:
		break;
	}
	return false;
}

static bool has_member(const struct query_filter *f, const ProtobufCMessage *m)
{
	struct span wanted;

	if (!field_count(f->value, f->fd))
		return false;
	wanted = field_member(f->value, f->fd, 0);
	for (size_t i = 0; i < field_count(m, f->fd); i++) {
		struct span one = field_member(m, f->fd, i);

		if (one.len == wanted.len && memcmp(one.at, wanted.at, one.len) == 0)
			return true;
	}
	return false;
}

static bool has_text(const struct query_filter *f, const ProtobufCMessage *m)
{
	char word[48], *folded;
	const char *text = word;
	bool found;

	if (field_type(f->fd) == FIELD_ENUM)
		field_enum_word(f->fd->descriptor, (int)field_int(m, f->fd), word);
	else
		text = *(char *const *)field_at(m, f->fd);
	folded = text_fold(text);
	found = folded && strstr(folded, f->folded) != NULL;
	free(folded);
	return found;
}

static bool field_passes(const struct query_filter *f, const ProtobufCMessage *m)
{
	bool present = field_present(m, f->fd);

	if (f->wire.op == SEVE__FILTER__OP__NULL)
		return present != (f->number != 0);
	if (f->wire.op == SEVE__FILTER__OP__CONTAINS)
		return present &&
		       (field_is_set(field_type(f->fd)) ? has_member(f, m) : has_text(f, m));
	/* What is absent differs from every value, and is neither less nor more. */
	if (!present || !field_present(f->value, f->fd))
		return f->wire.op == SEVE__FILTER__OP__NE &&
		       present != field_present(f->value, f->fd);
	return op_holds(f->wire.op, query_compare(f->fd, m, f->value));
}

static bool meta_passes(const struct query_filter *f, uint32_t ref_no, const Seve__Meta *meta)
{
	bool present = false;
	int64_t v = 0;

	if (f->meta == QUERY_REF_NO) {
		present = ref_no != 0;
		v = ref_no;
	} else if (f->meta == QUERY_LEVEL && meta) {
		present = meta->has_level;
		v = meta->level;
	} else if (meta) {
		present = meta->has_updated_at;
		v = meta->updated_at;
	}
	if (!present)
		return f->wire.op == SEVE__FILTER__OP__NE;
	return op_holds(f->wire.op, sign_of(v<f->number, v> f->number));
}

bool query_matches(const struct seve_query *q, uint32_t ref_no, const Seve__Body *body)
{
	for (size_t i = 0; i < q->n_filters; i++) {
		const struct query_filter *f = &q->filters[i];
		bool passes = f->meta == QUERY_FIELD ? field_passes(f, kind_message(body))
						     : meta_passes(f, ref_no, body->meta);

		if (!passes)
			return false;
	}
	return true;
}
