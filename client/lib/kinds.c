/* kinds.c -- the kinds and their fields, for programs that work on any of them. */
#include "field.h"
#include "seve.h"

const char *seve_kind_name(size_t i)
{
	return i < kind_count() ? kind_at(i)->name : NULL;
}

const char *seve_kind_field(const char *kind, size_t i)
{
	const struct kind *k = kind ? kind_by_name(kind) : NULL;

	return k && i < k->desc->n_fields ? k->desc->fields[i].name : NULL;
}

static const field_desc *find(const char *kind, const char *field)
{
	const struct kind *k = kind ? kind_by_name(kind) : NULL;

	return k && field ? field_by_name(k, field) : NULL;
}

const char *seve_field_type(const char *kind, const char *field)
{
	static const char *const names[] = {
		[FIELD_TEXT] = "text",
		[FIELD_BOOL] = "bool",
		[FIELD_INT] = "int",
		[FIELD_UINT] = "uint",
		[FIELD_DOUBLE] = "double",
		[FIELD_ENUM] = "enum",
		[FIELD_DATE] = "date",
		[FIELD_INSTANT] = "instant",
		[FIELD_ID] = "id",
		[FIELD_TEXTS] = "texts",
		[FIELD_IDS] = "ids",
		[FIELD_MESSAGE] = "message",
		[FIELD_MESSAGES] = "messages",
	};
	const field_desc *fd = find(kind, field);

	return fd ? names[field_type(fd)] : NULL;
}

const char *seve_field_word(const char *kind, const char *field, size_t i)
{
	static _Thread_local char word[48];
	const field_desc *fd = find(kind, field);
	const ProtobufCEnumDescriptor *ed;

	if (!fd || field_type(fd) != FIELD_ENUM)
		return NULL;
	ed = fd->descriptor;
	/* The first value is *_UNSPECIFIED: absent. */
	if (i + 1 >= ed->n_values)
		return NULL;
	field_enum_word(ed, ed->values[i + 1].value, word);
	return word;
}
