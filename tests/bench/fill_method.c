/* fill_method.c -- writes a territory for the bench of the method through the library, as any
 * client would: actors with the hours that they have, planned actions, positions, needs and offers.
 * fill_method SERVER CA-FILE TOKEN-FILE TERRITORY ACTORS ACTIONS POSITIONS CARDS */
#include <seve.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, ID = 40 };

static struct seve *handle;
static uint32_t territory;
static struct seve_record *batch[BATCH];
static size_t n_batch;

static void die(const char *what, struct seve_error *e)
{
	fprintf(stderr, "fill_method: %s: %s\n", what, e ? seve_error_message(e) : "out of memory");
	exit(1);
}

static void flush(void)
{
	struct seve_error *e = NULL;
	int queued = 0;

	if (n_batch && seve_save(handle, batch, n_batch, "bench", 0, &queued, NULL, &e))
		die("save", e);
	if (queued)
		die("the server is not reachable", NULL);
	for (size_t i = 0; i < n_batch; i++)
		seve_record_free(batch[i]);
	n_batch = 0;
}

/* A record of "field", "value" pairs, NULL at the end; its id goes to `id` unless NULL. */
static void add(const char *kind, char id[ID], ...)
{
	struct seve_error *e = NULL;
	struct seve_record *r;
	const char *field;
	va_list ap;

	if (seve_record_new(kind, territory, &r, &e))
		die(kind, e);
	va_start(ap, id);
	while ((field = va_arg(ap, const char *)))
		if (seve_record_set(r, field, va_arg(ap, const char *), &e))
			die(field, e);
	va_end(ap);
	if (id)
		snprintf(id, ID, "%s", seve_record_id(r));
	batch[n_batch++] = r;
	if (n_batch == BATCH)
		flush();
}

static void open_handle(char **argv)
{
	struct seve_options *o = seve_options_new();
	struct seve_error *e = NULL;

	if (!o || seve_options_set(o, "server", argv[1]) ||
	    seve_options_set(o, "ca-file", argv[2]) || seve_options_set(o, "token-file", argv[3]) ||
	    seve_options_set(o, "store", ":memory:") || seve_open(o, &handle, &e) ||
	    seve_territory_id(handle, argv[4], &territory, &e))
		die("open", e);
	seve_options_free(o);
}

int main(int argc, char **argv)
{
	static const char *const stances[] = {"pilot", "contributor", "beneficiary"};
	static const char *const families[] = {"materials",       "energy",    "water",
					       "equipment",       "transport", "service",
					       "by_product_waste"};
	static const char *const words[] = {"palettes", "chaleur", "eau",   "presse",
					    "navette",  "conseil", "sable", "bois",
					    "carton",   "vapeur",  "froid", "quai"};
	static char actors[100000][ID], actions[100000][ID];
	char text[64], lat[32], lon[32];

	if (argc != 9)
		return 2;
	open_handle(argv);
	const long n_actors = strtol(argv[5], NULL, 10), n_actions = strtol(argv[6], NULL, 10),
		   n_positions = strtol(argv[7], NULL, 10), n_cards = strtol(argv[8], NULL, 10);
	for (long i = 0; i < n_actors && i < 100000; i++) {
		snprintf(text, sizeof text, "Acteur %ld", i);
		snprintf(lat, sizeof lat, "%.4f", 50.5 + (double)(i * 7919 % 1000) / 1500);
		snprintf(lon, sizeof lon, "%.4f", 2.0 + (double)(i * 104729 % 1000) / 1200);
		add("actor", actors[i], "name", text, "lat", lat, "lon", lon, "state", "member",
		    NULL);
		add("availability", NULL, "actor_id", actors[i], "from_on", "2020-01-01",
		    "hours_month", "20", NULL);
	}
	for (long i = 0; i < n_actions && i < 100000; i++) {
		snprintf(text, sizeof text, "Action %ld", i);
		add("action", actions[i], "title", text, "status", "planned", "treatment",
		    "to_implement", NULL);
	}
	for (long i = 0; i < n_positions; i++)
		add("position", NULL, "actor_id", actors[i * 7919 % n_actors], "action_id",
		    actions[i % n_actions], "stance", stances[i % 3], NULL);
	for (long i = 0; i < n_cards; i++) {
		snprintf(text, sizeof text, "%s %s lot %ld", words[i * 31 % 12], words[i * 17 % 11],
			 i % 97);
		add("resource", NULL, "actor_id", actors[i * 7907 % n_actors], "stance",
		    i % 2 ? "need" : "capacity", "family", families[i / 2 % 7], "label", text,
		    "unit", i % 3 ? "t" : "m3", "state", "open", NULL);
	}
	flush();
	seve_close(handle);
	return 0;
}
