/* raw_push.c -- pushes a mutation as it is, through the library: no command of ours stands between.
 * Usage: e2e_raw_push SERVER CA-FILE TOKEN-FILE SLUG REASON CHANGE...
 * A change is "KIND NAME field=value field=value": NAME is a reference, an id, or new; "KIND NAME
 * delete", alone, deletes the record; a value that
 * begins with '@' is the id of the record that this reference names, '_' in a value is a blank.
 * Says CODE: text of each violation and warning; the exit status is the library's. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seve.h>

enum { CHANGES = 32 };

struct push {
	struct seve *s;
	uint32_t territory;
	struct seve_record *list[CHANGES];
	size_t n;
	bool deletes;
};

static int failed(const char *what, struct seve_error *err)
{
	int status = err ? seve_error_status(err) : SEVE_FAILURE;

	fprintf(stderr, "%s: %s\n", what, err ? seve_error_message(err) : "out of memory");
	seve_error_free(err);
	return status;
}

static int set_field(struct push *p, struct seve_record *r, char *word, struct seve_error **err)
{
	char *value = strchr(word, '=');
	struct seve_record *other = NULL;
	int rc;

	if (!value)
		return SEVE_USAGE;
	*value++ = '\0';
	if (*value == '@') {
		rc = seve_get(p->s, p->territory, NULL, value + 1, SEVE_SERVER, &other, err);
		if (!rc)
			rc = seve_record_set(r, word, seve_record_id(other), err);
		seve_record_free(other);
		return rc;
	}
	for (char *c = value; strchr(word, '_') == NULL && *c; c++)
		if (*c == '_' && !seve_field_word(seve_record_kind(r), word, 0))
			*c = ' ';
	return seve_record_set(r, word, value, err);
}

static int add_change(struct push *p, char *text, struct seve_error **err)
{
	char *rest = text, *kind = strsep(&rest, " "), *name = strsep(&rest, " ");
	struct seve_record *r = NULL;
	int rc;

	if (!name || p->n == CHANGES)
		return SEVE_USAGE;
	if (strcmp(name, "new") == 0)
		rc = seve_record_new(kind, p->territory, &r, err);
	else
		rc = seve_get(p->s, p->territory, kind, name, SEVE_SERVER, &r, err);
	if (rc)
		return rc;
	p->list[p->n++] = r;
	if (rest && strcmp(rest, "delete") == 0) {
		p->deletes = true;
		return p->n == 1 ? 0 : SEVE_USAGE;
	}
	while (!rc && rest && *rest)
		rc = set_field(p, r, strsep(&rest, " "), err);
	return rc;
}

static void tell(const struct seve_table *report)
{
	for (size_t i = 0; report && i < seve_table_rows(report); i++)
		printf("%s %s: %s\n", seve_table_get(report, i, "verdict"),
		       seve_table_get(report, i, "code"), seve_table_get(report, i, "text"));
}

static int push(struct push *p, const char *reason)
{
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	int rc;

	reason = *reason ? reason : NULL;
	rc = p->deletes ? seve_delete(p->s, p->list[0], reason, 0, NULL, &report, &err)
			: seve_save(p->s, p->list, p->n, reason, 0, NULL, &report, &err);
	tell(report);
	seve_table_free(report);
	return rc ? failed("push", err) : 0;
}

static int open_as(char **argv, struct seve **out, struct seve_error **err)
{
	struct seve_options *o = seve_options_new();
	int rc = !o || seve_options_set(o, "server", argv[1]) ||
		 seve_options_set(o, "ca-file", argv[2]) ||
		 seve_options_set(o, "token-file", argv[3]) ||
		 seve_options_set(o, "store", ":memory:");

	if (!rc)
		rc = seve_open(o, out, err);
	seve_options_free(o);
	return rc;
}

int main(int argc, char **argv)
{
	struct seve_error *err = NULL;
	struct push p = {.n = 0};
	int rc;

	if (argc < 7)
		return SEVE_USAGE;
	rc = open_as(argv, &p.s, &err);
	if (!rc)
		rc = seve_territory_id(p.s, argv[4], &p.territory, &err);
	for (int i = 6; !rc && i < argc; i++)
		rc = add_change(&p, argv[i], &err);
	rc = rc ? failed("change", err) : push(&p, argv[5]);
	for (size_t i = 0; i < p.n; i++)
		seve_record_free(p.list[i]);
	seve_close(p.s);
	return rc;
}
