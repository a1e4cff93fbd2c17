/* say.c -- "seve: cause" and the remedy on a line of its own; errors as JSON for programs. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "cli.h"
#include "i18n.h"
#include "json.h"

enum { LINE_MAX_BYTES = 2000, JSON_MAX_BYTES = 64 * 1024 };

struct complaint {
	const char *code, *message, *remedy;
	bool retryable;
	unsigned retry_after_ms;
	const struct seve_table *remarks;
};

bool say_to_terminal(void)
{
	return isatty(STDERR_FILENO) != 0;
}

void say_clean(char *s)
{
	unsigned char *p = (unsigned char *)s;
	for (; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) /* C1 in UTF-8 */
			p[0] = p[1] = '?';
	}
}

static int add_remarks(struct buf *out, const struct seve_table *t)
{
	static const char *const names[] = {"field", "code", "text"};
	int rc = buf_addf(out, ",\"remarks\":[");
	for (size_t i = 0; t && i < seve_table_rows(t); i++) {
		for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
			rc |= buf_addf(out, "%s\"%s\":", k ? "," : i ? ",{" : "{", names[k]);
			rc |= json_add_string(out, seve_table_get(t, i, names[k]));
		}
		rc |= buf_addf(out, "}");
	}
	return rc | buf_addf(out, "]");
}

static void say_json(const struct complaint *it)
{
	struct buf out;
	buf_init(&out, JSON_MAX_BYTES);
	int rc = buf_addf(&out, "{\"error\":{\"code\":");
	rc |= json_add_string(&out, it->code);
	rc |= buf_addf(&out, ",\"message\":");
	rc |= json_add_string(&out, it->message);
	rc |= buf_addf(&out, ",\"remedy\":");
	rc |= json_add_string(&out, it->remedy);
	rc |= buf_addf(&out, ",\"retryable\":%s,\"retry_after_ms\":%u",
		       it->retryable ? "true" : "false", it->retry_after_ms);
	if (it->remarks && seve_table_rows(it->remarks))
		rc |= add_remarks(&out, it->remarks);
	rc |= buf_addf(&out, "}}\n");
	if (rc == 0)
		fwrite(buf_span(&out).at, 1, buf_len(&out), stderr);
	else
		fputs("{\"error\":{\"code\":\"INTERNAL\",\"message\":\"\",\"remedy\":\"\"}}\n",
		      stderr);
	buf_fini(&out);
}

static void say(const struct cli *c, const struct complaint *it)
{
	if (c->json || c->format == OUT_JSON || c->format == OUT_JSONL) {
		say_json(it);
		return;
	}
	char message[LINE_MAX_BYTES], remedy[LINE_MAX_BYTES];
	snprintf(message, sizeof message, "%s", it->message);
	snprintf(remedy, sizeof remedy, "%s", it->remedy);
	say_clean(message);
	say_clean(remedy);
	fflush(stdout);
	fprintf(stderr, "seve: %s\n", message);
	if (*remedy)
		fprintf(stderr, "      %s\n", remedy);
}

int say_err(const struct cli *c, const struct err *e)
{
	say(c, &(struct complaint){.code = err_name(e->code),
				   .message = e->text[0] ? e->text : err_meaning(e->code),
				   .remedy = e->remedy,
				   .retryable = err_class(e->code) != ERR_PERMANENT,
				   .retry_after_ms = e->retry_after_ms});
	return err_exit_status(e->code);
}

int say_misuse(const struct cli *c, struct err *e)
{
	e->code = ERR_USAGE;
	return say_err(c, e);
}

/* Rules and fields by their codes; what the message has told already is not told again. */
static void tell_remarks(const struct cli *c, const struct seve_table *t, const char *told)
{
	for (size_t i = 0; t && i < seve_table_rows(t); i++) {
		const char *field = seve_table_get(t, i, "field");
		const char *text = seve_table_get(t, i, "text");
		if (!*text)
			continue;
		if (strstr(told, text))
			text = "";
		say_warning(c, "      %s%s%s (%s)", field, *field && *text ? ": " : "", text,
			    seve_table_get(t, i, "code"));
	}
}

int say_refusal(const struct cli *c, struct seve_error *e, const struct seve_table *remarks)
{
	if (!e) {
		tell_remarks(c, remarks, "");
		return 0;
	}
	say(c, &(struct complaint){.code = seve_error_code(e),
				   .message = seve_error_message(e),
				   .remedy = seve_error_remedy(e),
				   .retryable = seve_error_retryable(e) != 0,
				   .retry_after_ms = seve_error_retry_after_ms(e),
				   .remarks = remarks});
	tell_remarks(c, remarks, seve_error_message(e));
	const int status = seve_error_status(e);
	seve_error_free(e);
	return status ? status : SEVE_FAILURE;
}

int say_seve(const struct cli *c, struct seve_error *e)
{
	return e ? say_refusal(c, e, NULL) : say_nomem(c);
}

int say_usage(const struct cli *c, const char *remedy, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	say(c, &(struct complaint){.code = err_name(ERR_USAGE),
				   .message = text,
				   .remedy = remedy ? remedy : ""});
	return SEVE_USAGE;
}

int say_failure(const struct cli *c, enum err_code code, const char *remedy, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	say(c, &(struct complaint){.code = err_name(code),
				   .message = text,
				   .remedy = remedy ? remedy : "",
				   .retryable = err_class(code) != ERR_PERMANENT});
	return err_exit_status(code);
}

int say_nomem(const struct cli *c)
{
	return say_failure(c, ERR_NOMEM, NULL, "%s", _("out of memory"));
}

static void __attribute__((format(printf, 1, 0))) line(const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	vsnprintf(text, sizeof text, fmt, ap);
	say_clean(text);
	fflush(stdout);
	fprintf(stderr, "%s\n", text);
}

void say_note(const struct cli *c, const char *fmt, ...)
{
	if (c->quiet || c->json || c->format != OUT_TABLE)
		return;
	va_list ap;
	va_start(ap, fmt);
	line(fmt, ap);
	va_end(ap);
}

void say_warning(const struct cli *c, const char *fmt, ...)
{
	if (c->json || c->format == OUT_JSON || c->format == OUT_JSONL)
		return;
	va_list ap;
	va_start(ap, fmt);
	line(fmt, ap);
	va_end(ap);
}
