/* sample.c -- records as the network has them: see sample.h. */
#include "sample.h"

#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 256, ARENA_MAX = 1024 * 1024, COLUMNS = 5 };

/* ---- reading ----------------------------------------------------------------------------------
 */

static const char *const headers[COLUMNS] = {"Nom_Etablissement", "Adresse", "Code_Postal",
					     "Commune", "Code_APE"};

struct reading {
	struct sample *s;
	size_t line, column;
	int at[COLUMNS]; /* column of each header, or -1 */
	struct sample_row row;
	bool failed;
};

static char **cell(struct reading *r, int i)
{
	char **const cells[COLUMNS] = {&r->row.name, &r->row.address, &r->row.postal_code,
				       &r->row.commune, &r->row.naf};
	return cells[i];
}

static void on_cell(void *text, size_t n, void *ctx)
{
	struct reading *r = ctx;
	for (int i = 0; i < COLUMNS; i++) {
		if (r->line == 0 && strlen(headers[i]) == n && memcmp(headers[i], text, n) == 0)
			r->at[i] = (int)r->column;
		if (r->line == 0 || r->at[i] != (int)r->column)
			continue;
		*cell(r, i) = arena_strndup(&r->s->arena, text, n);
		r->failed |= !*cell(r, i);
	}
	r->column++;
}

static void on_row(int c, void *ctx)
{
	struct reading *r = ctx;
	(void)c;
	if (r->line++ > 0 && r->row.name && r->row.naf && strlen(r->row.naf) == 5 &&
	    r->s->n < ROWS_MAX)
		r->s->rows[r->s->n++] = r->row;
	r->row = (struct sample_row){0};
	r->column = 0;
}

static int read_all(struct reading *r, FILE *f, const char *csv, struct err *e)
{
	struct csv_parser parser;
	char bytes[8192];
	size_t n;
	if (csv_init(&parser, CSV_STRICT | CSV_APPEND_NULL))
		return err_set(e, ERR_NOMEM, "%s", csv);
	bool good = true;
	while (good && (n = fread(bytes, 1, sizeof bytes, f)) > 0)
		good = csv_parse(&parser, bytes, n, on_cell, on_row, r) == n;
	good = good && csv_fini(&parser, on_cell, on_row, r) == 0;
	csv_free(&parser);
	if (!good || ferror(f) || r->failed || !r->s->n)
		return err_set(e, ERR_INVALID, "%s: cannot be read", csv);
	return 0;
}

int sample_open(struct sample *s, const char *csv, struct err *e)
{
	*s = (struct sample){0};
	arena_init(&s->arena, ARENA_MAX);
	s->rows = arena_array(&s->arena, ROWS_MAX, sizeof *s->rows);
	struct reading r = {.s = s, .at = {-1, -1, -1, -1, -1}};
	FILE *f = fopen(csv, "r");
	int rc = f ? read_all(&r, f, csv, e) : err_set(e, ERR_IO, "%s: %s", csv, strerror(errno));
	if (f)
		fclose(f);
	if (rc < 0)
		sample_close(s);
	return rc;
}

void sample_close(struct sample *s)
{
	arena_fini(&s->arena);
	*s = (struct sample){0};
}

/* ---- making -----------------------------------------------------------------------------------
 */

/* Appends the digit that makes the Luhn sum of the whole a multiple of ten. */
static void add_luhn(char *digits)
{
	const size_t n = strlen(digits);
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(digits[n - 1 - i] - '0') * (i % 2 == 0 ? 2 : 1);
		sum += d > 9 ? d - 9 : d;
	}
	digits[n] = (char)('0' + (10 - sum % 10) % 10);
	digits[n + 1] = '\0';
}

static void identifiers(size_t i, char siren[static 16], char siret[static 24])
{
	snprintf(siren, 12, "%08zu", 30000000 + i % 70000000);
	add_luhn(siren);
	snprintf(siret, 20, "%s%04zu", siren, (size_t)1 + i % 97);
	add_luhn(siret);
}

static uint32_t actor_tags[] = {1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 18};
static uint32_t action_tags[] = {1, 2, 3, 4, 6, 7, 8, 9, 16, 17, 18, 21, 22};

struct sample_mask sample_actor_mask(void)
{
	return (struct sample_mask){sizeof actor_tags / sizeof *actor_tags, actor_tags};
}

struct sample_mask sample_action_mask(void)
{
	return (struct sample_mask){sizeof action_tags / sizeof *action_tags, action_tags};
}

Seve__Body *sample_actor(const struct sample *s, size_t i, struct arena *a)
{
	static char industry[] = "industrie", network[] = "cercle pionnier", revision[] = "2",
		    band[] = "12";
	static char *tags[] = {industry, network};
	const struct sample_row *row = &s->rows[i % s->n];
	char siren[16], siret[24];
	Seve__Body *body = arena_alloc(a, sizeof *body);
	Seve__Actor *m = arena_alloc(a, sizeof *m);
	if (!body || !m)
		return NULL;
	identifiers(i, siren, siret);
	seve__body__init(body);
	seve__actor__init(m);
	body->kind_case = SEVE__BODY__KIND_ACTOR;
	body->actor = m;
	m->name = arena_printf(a, "%s, site %zu", row->name, i / s->n + 1);
	m->has_category = m->has_state = m->has_lat = m->has_lon = true;
	m->category = SEVE__ACTOR__CATEGORY__CATEGORY_COMPANY;
	m->state = SEVE__ACTOR__STATE__STATE_PROSPECT;
	m->siren = arena_strdup(a, siren);
	m->siret = arena_strdup(a, siret);
	m->naf_code = arena_printf(a, "%.2s.%.3s", row->naf, row->naf + 2);
	m->naf_revision = revision;
	m->size_band = band;
	m->address = arena_printf(a, "%zu %s", i % 300 + 1, row->address ? row->address : "");
	m->postal_code = row->postal_code;
	m->insee_code = arena_printf(a, "59%03zu", i % 650 + 1);
	m->commune = row->commune;
	m->lat = 50.1 + (double)(i % 8999) * 1e-4;
	m->lon = 1.6 + (double)(i % 12007) * 1e-4;
	m->n_tags = 2;
	m->tags = tags;
	return m->name && m->siren && m->siret && m->naf_code && m->address && m->insee_code ? body
											     : NULL;
}

Seve__Body *sample_action(const struct sample *s, size_t i, struct arena *a)
{
	static char next[] = "Chiffrer le gisement avec les deux sites", tag[] = "chaleur fatale";
	static char *tags[] = {tag};
	const struct sample_row *from = &s->rows[i % s->n], *to = &s->rows[(i * 7 + 3) % s->n];
	Seve__Body *body = arena_alloc(a, sizeof *body);
	Seve__Action *m = arena_alloc(a, sizeof *m);
	if (!body || !m)
		return NULL;
	seve__body__init(body);
	seve__action__init(m);
	body->kind_case = SEVE__BODY__KIND_ACTION;
	body->action = m;
	m->title = arena_printf(a, "Piste %zu : flux de %s", i, from->name);
	m->has_kind = m->has_status = m->has_origin = m->has_horizon = m->has_scope = true;
	m->kind = SEVE__ACTION__KIND__KIND_EXCHANGE;
	m->status = i % 3 ? SEVE__ACTION__STATUS__STATUS_LEAD : SEVE__ACTION__STATUS__STATUS_IDEA;
	m->origin = SEVE__ACTION__ORIGIN__ORIGIN_WORKSHOP;
	m->horizon = SEVE__ACTION__HORIZON__HORIZON_MEDIUM;
	m->scope = SEVE__ACTION__SCOPE__SCOPE_SMALL;
	m->has_effort = m->has_promise = m->has_target_on = m->has_next_step_due_on = true;
	m->effort = (uint32_t)(i % 5 + 1);
	m->promise = (uint32_t)(i / 5 % 5 + 1);
	m->target_on = 20900 + (int32_t)(i % 700);
	m->next_step = next;
	m->next_step_due_on = 20800 + (int32_t)(i % 90);
	m->description = arena_printf(
		a, "%s pourrait céder à %s (%s) ce qui est jeté aujourd'hui : %zu t par an.",
		from->name, to->name, to->commune ? to->commune : "", i % 900 + 20);
	m->n_tags = 1;
	m->tags = tags;
	return m->title && m->description ? body : NULL;
}
