/* page_parts.c -- see page.h: what sections are made of. */
#include <string.h>

#include "cli.h"
#include "i18n.h"
#include "page.h"
#include "wording.h"

void page_none(struct page *p, const char *text)
{
	html_put(p->file, "<p class=\"none\">%s</p>\n", text);
}

void page_note(struct page *p, const char *text)
{
	html_put(p->file, "<p class=\"note\">%s</p>\n", text);
}

void page_table(struct page *p, const char *caption, const struct page_heading *headings, size_t n)
{
	html_put(p->file, "<div class=\"scroll\"><table>\n<caption>%s</caption>\n<thead><tr>",
		 caption);
	for (size_t i = 0; i < n; i++) {
		if (headings[i].class)
			html_put(p->file, "<th scope=\"col\" class=\"%s\">", headings[i].class);
		else
			fputs("<th scope=\"col\">", p->file);
		html_put(p->file, "%s</th>", _(headings[i].text));
	}
	fputs("</tr></thead>\n<tbody>\n", p->file);
}

void page_table_end(struct page *p)
{
	fputs("</tbody>\n</table></div>\n", p->file);
}

void page_count(struct page *p, uint64_t v)
{
	page_number(p, (double)v);
}

void page_number(struct page *p, double v)
{
	fputs("<td class=\"n\">", p->file);
	html_number(p->file, v);
	fputs("</td>", p->file);
}

void page_cell(struct page *p, const char *text)
{
	html_put(p->file, "<td>%s</td>", text);
}

void page_name(struct page *p, const char *name)
{
	fputs("<td>", p->file);
	html_name(p->file, name);
	fputs("</td>", p->file);
}

void page_day(struct page *p, bool has, int32_t day)
{
	fputs("<td>", p->file);
	if (has)
		html_day(p->file, day);
	fputs("</td>", p->file);
}

const char *page_word(struct page *p, const char *enumeration, const ProtobufCEnumDescriptor *d,
		      int value)
{
	char word[48];
	field_enum_word(d, value, word);
	return *word ? wording(cli_printf(p->c, "%s.%s", enumeration, word)) : "";
}
