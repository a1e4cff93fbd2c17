/* error.c -- see error.h. */
#include "error.h"

#include <stdio.h>
#include <string.h>

#include "phrase.h"

struct seve_error {
	struct err e;
};

int error_status(enum err_code code)
{
	int status = code == ERR_OK ? SEVE_OK : err_exit_status(code);

	if (status >= SEVE_OK && status <= SEVE_INVALID)
		return status;
	return code == ERR_CONFIG ? SEVE_USAGE : SEVE_FAILURE;
}

int error_out(struct seve_error **out, const struct err *e)
{
	if (e->code == ERR_OK)
		return SEVE_OK;
	if (out) {
		*out = malloc(sizeof **out);
		if (*out)
			(*out)->e = *e;
	}
	return error_status(e->code);
}

static enum err_code code_by_number(uint32_t rpc, Seve__Error__Class class)
{
	if (class == SEVE__ERROR__CLASS__RETRYABLE)
		return ERR_UNAVAILABLE;
	if (class == SEVE__ERROR__CLASS__UNKNOWN_OUTCOME)
		return ERR_OUTCOME;
	for (int c = 1; c < ERR_COUNT; c++) {
		enum err_code code = (enum err_code)c;

		if (err_rpc(code) == rpc && err_class(code) == ERR_PERMANENT)
			return code;
	}
	return ERR_INTERNAL;
}

const char *error_violation(const Seve__Violation *v, char *out, size_t size)
{
	if (!v->phrase ||
	    !phrase_say(v->phrase, (const char *const *)v->args, v->n_args, out, size))
		snprintf(out, size, "%s", v->text ? phrase_local(v->text) : "");
	return out;
}

const char *error_violations(Seve__Violation *const *list, size_t n, char *out, size_t size)
{
	size_t at = 0;

	*out = '\0';
	for (size_t i = 0; i < n && at < size; i++) {
		const char *code = list[i]->code ? list[i]->code : "";
		const bool same = !i || (list[0]->code && !strcmp(code, list[0]->code));
		char text[ERROR_VIOLATION];

		error_violation(list[i], text, sizeof text);
		at += (size_t)snprintf(out + at, size - at, "%s%s%s%s", i ? "; " : "",
				       same ? "" : code, same ? "" : ": ", text);
	}
	return out;
}

int error_from_wire(struct err *e, const Seve__Error *w)
{
	enum err_code code = ERR_INTERNAL;
	const char *text =
		phrase_local(w->message && *w->message ? w->message : "the server gave no reason");
	char why[ERROR_VIOLATION];

	if (w->detail)
		code = err_by_name(w->detail);
	if (code == ERR_INTERNAL && (!w->detail || strcmp(w->detail, err_name(ERR_INTERNAL)) != 0))
		code = code_by_number(w->code, w->class_);
	if (code == ERR_OK)
		code = ERR_INTERNAL;
	if (w->n_violations && w->violations[0]->text)
		err_set(e, code, "%s: %s: %s", text,
			w->violations[0]->field ? w->violations[0]->field : "?",
			error_violation(w->violations[0], why, sizeof why));
	else
		err_set(e, code, "%s", text);
	if (w->remedy && *w->remedy)
		err_remedy(e, "%s", phrase_local(w->remedy));
	e->retry_after_ms = w->retry_after_ms;
	return -(int)code;
}

void seve_error_free(struct seve_error *e)
{
	free(e);
}

int seve_error_status(const struct seve_error *e)
{
	return e ? error_status(e->e.code) : SEVE_FAILURE;
}

const char *seve_error_code(const struct seve_error *e)
{
	return err_name(e ? e->e.code : ERR_NOMEM);
}

const char *seve_error_message(const struct seve_error *e)
{
	return e ? e->e.text : "out of memory";
}

const char *seve_error_remedy(const struct seve_error *e)
{
	return e ? e->e.remedy : "";
}

int seve_error_retryable(const struct seve_error *e)
{
	return e && err_class(e->e.code) != ERR_PERMANENT;
}

unsigned seve_error_retry_after_ms(const struct seve_error *e)
{
	return e ? e->e.retry_after_ms : 0;
}

void seve_translate_with(const char *(*translate)(const char *english))
{
	phrase_translate_with(translate);
}
