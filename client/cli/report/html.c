/* html.c -- see html.h. */
#include "html.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "i18n.h"
#include "sha256.h"
#include "text.h"

void html_text(FILE *file, const char *s)
{
	for (const unsigned char *p = (const unsigned char *)(s ? s : ""); *p; p++) {
		if (*p == '&')
			fputs("&amp;", file);
		else if (*p == '<')
			fputs("&lt;", file);
		else if (*p == '>')
			fputs("&gt;", file);
		else if (*p == '"')
			fputs("&quot;", file);
		else if (*p == '\'')
			fputs("&#39;", file);
		else if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)
			fputs("\xef\xbf\xbd", file);
		else
			putc(*p, file);
	}
}

void html_put(FILE *file, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	for (const char *p = fmt; *p; p++) {
		if (*p != '%') {
			putc(*p, file);
			continue;
		}
		p++;
		if (*p == 's')
			html_text(file, va_arg(ap, const char *));
		else if (*p == 'u')
			fprintf(file, "%u", va_arg(ap, unsigned));
		else if (*p == 'z' && p[1] == 'u') {
			fprintf(file, "%zu", va_arg(ap, size_t));
			p++;
		} else
			putc(*p, file);
	}
	va_end(ap);
}

void html_name(FILE *file, const char *s)
{
	html_put(file, "<bdi>%s</bdi>", s);
}

/* Short names of months, in the order of the year. */
static const char *month_name(unsigned month)
{
	static const char *const names[] = {N_("Jan"),  N_("Feb"),  N_("Mar"),  N_("Apr"),
					    N_("May"),  N_("June"), N_("July"), N_("Aug"),
					    N_("Sept"), N_("Oct"),  N_("Nov"),  N_("Dec")};
	return month >= 1 && month <= 12 ? _(names[month - 1]) : "";
}

void html_day(FILE *file, int32_t day)
{
	char text[16];
	unsigned y, m, d;
	if (day == INT32_MIN)
		return;
	text_from_date(day, text);
	if (sscanf(text, "%u-%u-%u", &y, &m, &d) == 3)
		html_put(file, "<time datetime=\"%s\">%u\xc2\xa0%s\xc2\xa0%u</time>", text, d,
			 month_name(m), y);
}

void html_number(FILE *file, double v)
{
	const double cents = round(fabs(v) * 100), whole = floor(cents / 100);
	const unsigned rest = (unsigned)fmod(cents, 100);
	const bool french = strcmp(i18n_language(), "fr") == 0;
	const char *thousand = french ? "\xe2\x80\xaf" : ",", *point = french ? "," : ".";
	char plain[32], digits[40];
	text_from_double(v < 0 ? -cents / 100 : cents / 100, plain);
	if (whole > 1e15) {
		html_put(file, "<data value=\"%s\">%s</data>", plain, plain);
		return;
	}
	snprintf(digits, sizeof digits, "%.0f", whole);
	html_put(file, "<data value=\"%s\">%s", plain, v < 0 && cents > 0 ? "\xe2\x88\x92" : "");
	for (size_t i = 0, n = strlen(digits); i < n; i++) {
		putc(digits[i], file);
		if (i + 1 < n && (n - i - 1) % 3 == 0)
			fputs(thousand, file);
	}
	if (rest)
		fprintf(file, rest % 10 ? "%s%02u" : "%s%u", point, rest % 10 ? rest : rest / 10);
	fputs("</data>", file);
}

void html_bar(FILE *file, double part, double whole, const char *class)
{
	const double share = whole > 0 ? part / whole : 0;
	const unsigned width = (unsigned)(100 * (share < 0 ? 0 : share > 1 ? 1 : share) + 0.5);
	html_put(file,
		 "<svg class=\"bar %s\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" "
		 "aria-hidden=\"true\"><rect class=\"of\" width=\"100\" height=\"6\"/>"
		 "<rect class=\"part\" width=\"%u\" height=\"6\"/></svg>",
		 class, width);
}

/* base64, as a policy names the digest of a style. */
static void put_digest(FILE *file, const char *text)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t d[SHA256_BYTES + 1] = {0};
	sha256(text, strlen(text), d);
	/* 32 bytes are 10 threes and a two */
	for (size_t i = 0; i < SHA256_BYTES; i += 3) {
		const unsigned three = (unsigned)d[i] << 16 | (unsigned)d[i + 1] << 8 |
				       (i + 2 < SHA256_BYTES ? d[i + 2] : 0U);
		putc(letters[three >> 18], file);
		putc(letters[three >> 12 & 63], file);
		putc(letters[three >> 6 & 63], file);
		putc(i + 2 < SHA256_BYTES ? letters[three & 63] : '=', file);
	}
}

void html_head(FILE *file, const char *lang, const char *title, const char *style)
{
	html_put(file,
		 "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
		 "&#39;none&#39;; "
		 "base-uri &#39;none&#39;; form-action &#39;none&#39;; style-src &#39;sha256-",
		 lang);
	put_digest(file, style);
	html_put(file,
		 "&#39;\">\n<meta name=\"viewport\" content=\"width=device-width, "
		 "initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
		 "<title>%s</title>\n<style>",
		 title);
	fputs(style, file);
	fputs("</style>\n</head>\n", file);
}
