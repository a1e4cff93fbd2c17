/* guess.c -- see guess.h. */
#include "import/guess.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "field.h"
#include "i18n.h"
#include "text.h"

/* ---- names ---- */

void guess_word(const char *name, char out[static 64])
{
	char *folded = text_fold(name);
	size_t n = 0;
	for (const char *p = folded ? folded : name; *p && n < 62; p++) {
		const bool letter = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
		if (letter)
			out[n++] = *p;
		else if (n && out[n - 1] != '_')
			out[n++] = '_';
	}
	while (n && out[n - 1] == '_')
		n--;
	out[n] = '\0';
	free(folded);
}

const char *guess_field(const struct kind *k, const char *word)
{
	static const struct {
		const char *header, *kind, *field;
	} rows[] = {
#define HEADER(header, kind, field) {header, #kind, #field},
#include "headers.def"
#undef HEADER
	};
	static const char *const endings[] = {"", "_id", "_on", "_at", "_ids"};
	char name[80];
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		snprintf(name, sizeof name, "%s%s", word, endings[i]);
		const field_desc *fd = field_by_name(k, name);
		if (fd)
			return fd->name;
	}
	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			const bool mine = strcmp(rows[i].kind, k->name) == 0;
			if (strcmp(rows[i].header, word) == 0 &&
			    (pass == 0 ? mine : strcmp(rows[i].kind, "ANY") == 0) &&
			    field_by_name(k, rows[i].field))
				return rows[i].field;
		}
	return NULL;
}

/* ---- cells ---- */

static bool digits(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "0123456789") == n;
}

static void look_at(struct guess_column *c, const char *s)
{
	char solid[32];
	size_t n = 0;
	for (const char *p = s; *p && n < sizeof solid - 1; p++)
		if (*p != ' ')
			solid[n++] = *p;
	solid[n] = '\0';
	const size_t number = strspn(s, "0123456789");
	c->filled++;
	c->blanks += n && strlen(s) != n;
	c->siret += digits(solid, 14) || digits(solid, 13);
	c->siren += digits(solid, 9) || digits(solid, 8);
	c->five += digits(s, 5);
	c->four += digits(s, 4);
	c->small_number += number && !s[number] && number < 4;
	c->decimal += number && s[number] == '.' && s[number + 1] == '0' && !s[number + 2];
	c->naf += n >= 5 && n <= 6 && strspn(solid, "0123456789.") == n - 1 &&
		  solid[n - 1] >= 'A' && solid[n - 1] <= 'Z';
	c->iso_date += strlen(s) >= 10 && s[4] == '-' && s[7] == '-';
	c->fr_date += strlen(s) >= 10 && s[2] == '/' && s[5] == '/';
	c->latlon += strchr(s, ',') && strspn(s, "0123456789.,- ") == strlen(s) && strchr(s, '.');
	c->html += strstr(s, "</") || strstr(s, "&amp;") || strstr(s, "<br");
	c->lines += strchr(s, '\n') != NULL;
}

struct seen {
	UT_hash_handle hh;
	char key[];
};

/* Whether (column, value) is new. */
static int is_new(struct seen **all, struct arena *a, size_t column, const char *value)
{
	const char *key = arena_printf(a, "%zu/%s", column, value);
	struct seen *s = NULL;
	if (!key)
		return -ERR_NOMEM;
	HASH_FIND_STR(*all, key, s);
	if (s)
		return 0;
	s = arena_alloc(a, sizeof *s + strlen(key) + 1);
	if (!s)
		return -ERR_NOMEM;
	memcpy(s->key, key, strlen(key) + 1);
	HASH_ADD_STR(*all, key, s);
	return 1;
}

int guess_look(struct guess *g, struct arena *a, struct reader *r, struct err *e)
{
	struct reader_row row;
	struct seen *all = NULL;
	int rc = 0, fresh = 0;
	g->a = a;
	g->columns = arena_array(a, READER_COLUMNS_MAX, sizeof *g->columns);
	if (!g->columns)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	for (size_t i = 0; i < READER_COLUMNS_MAX; i++)
		g->columns[i].unique = true;
	while (fresh >= 0 && g->rows < GUESS_ROWS && (rc = reader_next(r, &row, e)) == 1) {
		g->rows++;
		for (size_t i = 0; !row.broken && i < row.n && i < READER_COLUMNS_MAX; i++) {
			struct guess_column *c = &g->columns[i];
			if (!*row.cells[i])
				continue;
			look_at(c, row.cells[i]);
			fresh = strlen(row.cells[i]) < 200 ? is_new(&all, a, i, row.cells[i]) : 1;
			if (fresh < 0)
				break;
			c->unique &= fresh == 1;
		}
	}
	HASH_CLEAR(hh, all);
	char *const *names = reader_columns(r, &g->n);
	for (size_t i = 0; i < g->n; i++) {
		g->columns[i].name = names[i];
		guess_word(names[i], g->columns[i].word);
	}
	return fresh < 0 ? err_set(e, ERR_NOMEM, _("reading the file")) : rc < 0 ? rc : 0;
}

static bool mostly(const struct guess_column *c, unsigned n)
{
	return c->filled && n * 10 >= c->filled * 8;
}

/* ---- which kind ---- */

const struct kind *guess_kind(const struct guess *g)
{
	static const char *const kinds[] = {"actor",   "action",     "meeting", "position",
					    "contact", "attendance", "group",   "task"};
	const struct kind *best = kind_by_name("actor");
	size_t most = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct kind *k = kind_by_name(kinds[i]);
		size_t points = 0;
		for (size_t c = 0; c < g->n; c++) {
			points += guess_field(k, g->columns[c].word) != NULL;
			if (i == 0)
				points += mostly(&g->columns[c], g->columns[c].siret) ||
					  mostly(&g->columns[c], g->columns[c].naf);
		}
		if (points > most) {
			most = points;
			best = k;
		}
	}
	return best;
}

/* ---- the mapping ---- */

/* By the name, else by what stands in it. */
static const char *field_of(const struct guess *g, const struct guess_column *c)
{
	const char *field = guess_field(g->kind, c->word);
	if (field || strcmp(g->kind->name, "actor") != 0)
		return field;
	if (mostly(c, c->siret))
		return "siret";
	if (mostly(c, c->siren))
		return "siren";
	return mostly(c, c->naf) ? "naf_code" : NULL;
}

static int key_points(const struct guess *g, const struct guess_column *c)
{
	static const char *const words[] = {"key",         "cle",       "id",        "identifiant",
					    "external_id", "uid",       "code",      "reference",
					    "numero",      "id_unique", "feature_id"};
	int points = c->unique && c->filled == g->rows ? 10 : 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(c->word, words[i]) == 0)
			points += 20 - (int)i;
	if (strncmp(c->word, "id_", 3) == 0 || strncmp(c->word, "identifiant", 11) == 0)
		points += 5;
	if (mostly(c, c->siret) && c->unique)
		points += 8;
	if (mostly(c, c->siren) && c->unique)
		points += 4;
	return c->filled * 2 >= g->rows ? points : 0;
}

static const struct guess_column *key_of(const struct guess *g)
{
	const struct guess_column *best = NULL;
	int most = 0;
	for (size_t i = 0; i < g->n; i++) {
		const int points = key_points(g, &g->columns[i]);
		if (points > most) {
			most = points;
			best = &g->columns[i];
		}
	}
	return best;
}

static int add_name(struct buf *out, const char *name)
{
	const bool plain = *name && !strpbrk(name, "=,+:\"()") && !strchr("[#* ", *name) &&
			   strcmp(name, "key") != 0 && strcmp(name, "ignore") != 0 &&
			   name[strlen(name) - 1] != ' ';
	int rc = plain ? 0 : buf_add(out, "\"", 1);
	for (const char *p = name; rc == 0 && *p; p++)
		rc = buf_add(out, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
	return rc || plain ? rc : buf_add(out, "\"", 1);
}

struct steps {
	char text[160];
};

static void step(struct steps *s, const char *word)
{
	const size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof s->text - n, "%s%s", n ? ", " : " : ", word);
}

static bool is_ref(const struct kind *k, const char *field)
{
	const field_desc *fd = field_by_name(k, field);
	return field_type(fd) == FIELD_ID || field_type(fd) == FIELD_IDS;
}

static void repairs(const struct guess *g, const struct guess_column *c, const char *field,
		    bool again, struct steps *s)
{
	const field_desc *fd = field_by_name(g->kind, field);
	const bool code = strcmp(field, "siret") == 0 || strcmp(field, "siren") == 0;
	if (is_ref(g->kind, field))
		step(s, field_rule(g->kind, fd).target ? "ref" : "ref(actor)");
	if (c->blanks && code)
		step(s, "strip_spaces");
	if (c->decimal &&
	    (code || strcmp(field, "postal_code") == 0 || strcmp(field, "insee_code") == 0))
		step(s, "integer");
	if (strcmp(field, "siren") == 0)
		step(s, "pad(9)");
	if (strcmp(field, "postal_code") == 0)
		step(s, "pad5");
	if (strcmp(field, "naf_code") == 0)
		step(s, "naf");
	if (c->html)
		step(s, "html");
	if (c->lines && (strcmp(field, "name") == 0 || strcmp(field, "title") == 0 ||
			 strcmp(field, "address") == 0 || strcmp(field, "place") == 0))
		step(s, "one_line");
	if (mostly(c, c->fr_date) && field_type(fd) == FIELD_INSTANT)
		step(s, "date(DD/MM/YYYY)");
	if (again && (strcmp(field, "address") == 0 || field_type(fd) == FIELD_TEXTS))
		step(s, field_type(fd) == FIELD_TEXTS ? "join(|)" : "join");
}

static bool used_elsewhere(const struct guess *g, const char *field, size_t but)
{
	for (size_t i = 0; i < g->n; i++) {
		const char *other = i == but ? NULL : field_of(g, &g->columns[i]);
		if (other && strcmp(other, field) == 0)
			return true;
	}
	return false;
}

static int add_rule(const struct guess *g, size_t i, struct buf *out)
{
	const struct guess_column *c = &g->columns[i];
	struct steps s = {""};
	const char *field = field_of(g, c);
	int rc = add_name(out, c->name);
	if (c->latlon && mostly(c, c->latlon) && strcmp(g->kind->name, "actor") == 0) {
		rc = rc ? rc : buf_addf(out, " = lat : before_comma\n");
		rc = rc ? rc : add_name(out, c->name);
		return rc ? rc : buf_addf(out, " = lon : after_comma\n");
	}
	repairs(g, c, field, used_elsewhere(g, field, i), &s);
	return rc ? rc : buf_addf(out, " = %s%s\n", field, s.text);
}

static bool is_mapped(const struct guess *g, const struct guess_column *c)
{
	return field_of(g, c) || (mostly(c, c->latlon) && strcmp(g->kind->name, "actor") == 0);
}

static int add_ignored(const struct guess *g, const struct guess_column *key, struct buf *out)
{
	int rc = 0;
	bool first = true;
	for (size_t i = 0; rc == 0 && i < g->n; i++) {
		const struct guess_column *c = &g->columns[i];
		if (c == key || is_mapped(g, c))
			continue;
		rc = buf_addf(out, "%s", first ? "ignore = " : ", ");
		rc = rc ? rc : add_name(out, c->name);
		first = false;
	}
	return rc || first ? rc : buf_add(out, "\n", 1);
}

/* Fields that a record must have and that no column looks like. */
static int add_missing(const struct guess *g, struct buf *out)
{
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < g->kind->desc->n_fields; i++) {
		const field_desc *fd = &g->kind->desc->fields[i];
		if (!(field_rule(g->kind, fd).flags & FIELD_REQUIRED) ||
		    used_elsewhere(g, fd->name, READER_COLUMNS_MAX))
			continue;
		if (field_type(fd) == FIELD_ENUM) {
			char words[120];
			field_enum_words(fd->descriptor, words, sizeof words);
			const size_t n = strcspn(words, ",");
			rc = buf_addf(out, "# one of: %s\n%s := %.*s\n", words, fd->name, (int)n,
				      words);
		} else {
			rc = buf_addf(
				out,
				"# %s is required, and no column looks like it:\n# COLUMN = %s\n",
				fd->name, fd->name);
		}
	}
	return rc;
}

/* Words of an enumeration are the partner's until a [values] section says what they mean. */
static int add_values(const struct guess *g, struct buf *out)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < g->n; i++) {
		const char *field = field_of(g, &g->columns[i]);
		const field_desc *fd = field ? field_by_name(g->kind, field) : NULL;
		char words[200];
		if (!fd || field_type(fd) != FIELD_ENUM)
			continue;
		field_enum_words(fd->descriptor, words, sizeof words);
		rc = buf_addf(out, "[values] %s\n# their word = one of: %s\n", field, words);
	}
	return rc;
}

int guess_write(const struct guess *g, struct buf *out)
{
	const struct guess_column *key = key_of(g);
	int rc = buf_addf(out, "# proposed by seve import guess: read it, mend it\n[kind] %s\n",
			  g->kind->name);
	if (rc == 0)
		rc = buf_addf(out,
			      key ? "key = " : "# no column looks like a key:\n# key = COLUMN");
	if (rc == 0 && key)
		rc = add_name(out, key->name);
	if (rc == 0 && key && key->blanks && mostly(key, key->siret))
		rc = buf_addf(out, " : strip_spaces");
	if (rc == 0 && key && key->decimal)
		rc = buf_addf(out, " : integer");
	if (rc == 0)
		rc = buf_add(out, "\n", 1);
	if (rc == 0)
		rc = add_missing(g, out);
	for (size_t i = 0; rc == 0 && i < g->n; i++)
		if (is_mapped(g, &g->columns[i]))
			rc = add_rule(g, i, out);
	if (rc == 0)
		rc = add_ignored(g, key, out);
	return rc ? rc : add_values(g, out);
}
