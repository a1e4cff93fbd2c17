/* rule.c -- see rule.h. */
#include "rules/rule.h"

#include <stdio.h>
#include <string.h>

const void *rule_next(const struct facts *f, const ProtobufCMessageDescriptor *type, size_t *at)
{
	while (*at < f->n) {
		const ProtobufCMessage *m = kind_message(f->list[(*at)++].body);

		if (m && m->descriptor == type)
			return m;
	}
	return NULL;
}

const struct fact *rule_find(const struct facts *f, const ProtobufCMessageDescriptor *type,
			     const ProtobufCBinaryData *id)
{
	for (size_t i = 0; id->len == 16 && i < f->n; i++) {
		const ProtobufCMessage *m = kind_message(f->list[i].body);

		if (m && m->descriptor == type && memcmp(f->list[i].id.b, id->data, 16) == 0)
			return &f->list[i];
	}
	return NULL;
}

Seve__Policy rules_policy(const Seve__Policy *own)
{
	Seve__Policy p = SEVE__POLICY__INIT;

	p.has_cohort_threshold = p.has_group_meetings_min = p.has_group_meetings_max = true;
	p.has_load_mode = p.has_stale_days = p.has_match_radius_km = true;
	p.cohort_threshold = own && own->has_cohort_threshold ? own->cohort_threshold : 2;
	p.group_meetings_min = own && own->has_group_meetings_min ? own->group_meetings_min : 3;
	p.group_meetings_max = own && own->has_group_meetings_max ? own->group_meetings_max : 5;
	p.load_mode = own && own->load_mode == SEVE__POLICY__LOAD_MODE__LOAD_REFUSE
			      ? SEVE__POLICY__LOAD_MODE__LOAD_REFUSE
			      : SEVE__POLICY__LOAD_MODE__LOAD_WARN;
	p.stale_days = own && own->has_stale_days ? own->stale_days : 30;
	p.match_radius_km = own && own->has_match_radius_km ? own->match_radius_km : 50;
	return p;
}

Seve__Policy rule_policy(const struct facts *f)
{
	size_t at = 0;
	const Seve__Territory *t = rule_next(f, &seve__territory__descriptor, &at);

	return rules_policy(t ? t->policy : NULL);
}

bool rule_waived(const struct facts *f)
{
	return f->imported || (f->reason && f->reason[strspn(f->reason, " \t\n")]);
}

bool rule_same_id(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

/* What people call it: its reference, else the beginning of its title, name or text. */
static void one_name(const Seve__Body *body, char *out, size_t size)
{
	const struct kind *k = kind_of(body);
	const field_desc *sort = k ? field_by_name(k, k->sort) : NULL;
	const ProtobufCMessage *m = kind_message(body);
	char ref[16] = "";

	if (k && body->meta && body->meta->has_ref_no)
		kind_format_ref(k, body->meta->ref_no, ref);
	if (*ref)
		snprintf(out, size, "%s", ref);
	else if (sort && field_type(sort) == FIELD_TEXT && field_present(m, sort))
		snprintf(out, size, "\"%.24s\"", *(char *const *)field_at(m, sort));
	else
		snprintf(out, size, "?");
}

void rule_name(struct rule_names *names, const Seve__Body *body)
{
	char name[40];
	int n;

	names->n++;
	one_name(body, name, sizeof name);
	if (names->len + strlen(name) + 20 > sizeof names->text)
		return;
	n = snprintf(names->text + names->len, sizeof names->text - names->len, "%s%s",
		     names->len ? ", " : "", name);
	names->len += n > 0 ? (size_t)n : 0;
	names->shown++;
}

const char *rule_names_end(struct rule_names *names)
{
	if (names->shown < names->n)
		snprintf(names->text + names->len, sizeof names->text - names->len, ", … (+%zu)",
			 names->n - names->shown);
	return names->text;
}
