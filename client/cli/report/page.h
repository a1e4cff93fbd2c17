/* page.h -- the state of a territory as one page of HTML, to be handed out: what its sections
 * share. A section only writes what stands in the network that it is given. */
#ifndef SEVE_CLI_PAGE_H
#define SEVE_CLI_PAGE_H

#include <stdio.h>

#include "gather.h"
#include "html.h"
#include "method/load.h"

struct page {
	struct cli *c;
	FILE *file;
	const struct network *net; /* what may stand on the page */
	const struct network
		*all; /* what the account may read: only sums without names are made of it */
	struct arena *arena;
	uint32_t territory;
	const char *level; /* up to which records stand on the page */
	size_t left_out;   /* records above it */
	bool counted;
	uint64_t withheld; /* records above what the account may read, where counted */
	bool partial;      /* hours given elsewhere are not known */
	struct load load;
	int64_t now_ms, age_ms; /* age_ms: of the replica, -1: from the server */
	int32_t today;
	struct err err;
};

/* Whether a record may stand on the page. */
bool page_shows(const struct page *p, const struct node *n);

/* Each writes what stands in one section, below its heading, and returns 0 or an error code, told
 * in page.err. */
int page_summary(struct page *p);
int page_phases(struct page *p);
int page_actors(struct page *p);
int page_matrix(struct page *p);
int page_plan(struct page *p);
int page_conversion(struct page *p);
int page_groups(struct page *p);
int page_meetings(struct page *p);
int page_load(struct page *p);
int page_benefits(struct page *p);
int page_growth(struct page *p);
int page_knowhow(struct page *p);
int page_stalled(struct page *p);
int page_about(struct page *p);

extern const char page_style[];

/* A paragraph that stands in the place of an empty table. */
void page_none(struct page *p, const char *text);
/* A sentence below a table. */
void page_note(struct page *p, const char *text);
struct page_heading {
	const char *text;  /* as marked, not yet translated */
	const char *class; /* "n" above numbers, or NULL */
};
/* <table> with a caption for those who do not see it, and a row of headings. */
void page_table(struct page *p, const char *caption, const struct page_heading *headings, size_t n);
void page_table_end(struct page *p);
/* <td> of a count, a number, a name; a day. */
void page_count(struct page *p, uint64_t v);
void page_number(struct page *p, double v);
void page_cell(struct page *p, const char *text);
void page_name(struct page *p, const char *name);
void page_day(struct page *p, bool has, int32_t day);
/* The word of an enumeration's value for people: page_word(p, "action", &desc, value). */
const char *page_word(struct page *p, const char *enumeration, const ProtobufCEnumDescriptor *d,
		      int value);

#endif
