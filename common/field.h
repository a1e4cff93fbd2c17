/* field.h -- one field of a record, whatever the kind: type, text form, comparison, validation, all
 * from the descriptor. Knows no kind by name, no storage.  Values live in the caller's arena; any
 * thread. */
#ifndef SEVE_FIELD_H
#define SEVE_FIELD_H

#include <stdarg.h>

#include "arena.h"
#include "buf.h"
#include "kind.h"
#include "phrase.h"

/* From the field's protobuf type and the suffix of its name. */
enum field_type {
	FIELD_TEXT,
	FIELD_BOOL,
	FIELD_INT, /* int32, sint32, int64 … */
	FIELD_UINT,
	FIELD_DOUBLE,
	FIELD_ENUM,
	FIELD_DATE,     /* *_on */
	FIELD_INSTANT,  /* *_at */
	FIELD_ID,       /* *_id */
	FIELD_TEXTS,    /* repeated string: a set */
	FIELD_IDS,      /* *_ids: a set */
	FIELD_MESSAGE,  /* one nested message: compared and set as a whole */
	FIELD_MESSAGES, /* repeated nested messages: as a whole */
};

enum field_flags {
	FIELD_REQUIRED = 1,
	FIELD_HARD = 2,
	FIELD_SOFT = 4,
	FIELD_PERSONAL = 8,
	FIELD_UNIQUE = 16,
	FIELD_PILOT = 32,
};

enum field_check {
	FIELD_CHECK_NONE,
	FIELD_CHECK_SLUG,   /* a-z 0-9 -, 2..40 */
	FIELD_CHECK_SIREN,  /* 9 digits; a wrong Luhn sum warns */
	FIELD_CHECK_SIRET,  /* 14 digits; a wrong Luhn sum warns */
	FIELD_CHECK_RNA,    /* W + 9 digits */
	FIELD_CHECK_NAF,    /* 20.14Z, of NAF rév. 2 unless the record says another revision */
	FIELD_CHECK_INSEE,  /* 5 characters: digits, or 2A/2B first; one that is no commune warns */
	FIELD_CHECK_WASTE,  /* six digits of the European list, perhaps with blanks and a final * */
	FIELD_CHECK_POSTAL, /* what a spreadsheet made of a postal code is named */
	FIELD_CHECK_EMAIL,  /* one @, no blanks */
};

enum {
	FIELD_TEXT_MAX = 16 * 1024,   /* bytes of one text, or of one member of a list */
	FIELD_LIST_MAX = 1000,        /* members of a list */
	FIELD_RECORD_MAX = 64 * 1024, /* bytes of a packed record */
	FIELD_REFS_MAX = 50,          /* external references of a record */
	FIELD_REF_MAX = 200,          /* bytes of a reference's source or key */
};

typedef ProtobufCFieldDescriptor field_desc;

struct field_rule {                /* the row of fields.def, or the default for this type */
	unsigned flags;            /* with exactly one of HARD and SOFT */
	const struct kind *target; /* of FIELD_ID(S): NULL = any kind */
	enum field_check check;
	bool ranged;
	double least, greatest;
};

enum field_type field_type(const field_desc *fd);
bool field_is_set(enum field_type t); /* pushed as add/remove, never clashes */
struct field_rule field_rule(const struct kind *k, const field_desc *fd);
/* The same for a field of a nested message (policy, objectives …); slower. */
struct field_rule field_rule_nested(const ProtobufCMessageDescriptor *desc, const field_desc *fd);
/* The field that holds the kind's state, or NULL. */
const field_desc *field_state(const struct kind *k);
/* Whether a record entered another state: `before` NULL is its creation.  False for a kind without
 * states. */
bool field_state_entered(const struct kind *k, const ProtobufCMessage *before,
			 const ProtobufCMessage *after);
/* By name in the kind's message, NULL if there is none. */
const field_desc *field_by_name(const struct kind *k, const char *name);
const field_desc *field_by_tag(const struct kind *k, uint32_t tag);

/* Where the value lies in the generated struct: a scalar, a `char *`, a ProtobufCBinaryData, a
 * message pointer, or, of a repeated field, the pointer to its array.  field_mark() says that n
 * values (0 or 1 for a singular field) are there. */
const void *field_at(const ProtobufCMessage *m, const field_desc *fd);
void *field_at_mut(ProtobufCMessage *m, const field_desc *fd);
void field_mark(ProtobufCMessage *m, const field_desc *fd, size_t n);
size_t field_size(const field_desc *fd); /* bytes of one value in the struct or in the array */
/* Of a repeated field: how many members; and of FIELD_TEXTS and FIELD_IDS, the bytes of one. */
size_t field_count(const ProtobufCMessage *m, const field_desc *fd);
struct span field_member(const ProtobufCMessage *m, const field_desc *fd, size_t i);

/* Scalars of any width: bool, enum, int, date, instant (field_int), uint, double.  Putting also
 * marks the field as present. */
int64_t field_int(const ProtobufCMessage *m, const field_desc *fd);
uint64_t field_uint(const ProtobufCMessage *m, const field_desc *fd);
double field_double(const ProtobufCMessage *m, const field_desc *fd);
void field_put_int(ProtobufCMessage *m, const field_desc *fd, int64_t v);
void field_put_uint(ProtobufCMessage *m, const field_desc *fd, uint64_t v);
void field_put_double(ProtobufCMessage *m, const field_desc *fd, double v);

bool field_present(const ProtobufCMessage *m, const field_desc *fd);
void field_clear(ProtobufCMessage *m, const field_desc *fd);
/* Copies the value, or its absence; strings, bytes, lists and messages are shared with `from`: same
 * arena, same life. */
void field_copy(ProtobufCMessage *to, const ProtobufCMessage *from, const field_desc *fd);
/* Equal presence and value; sets compare without order. */
bool field_equal(const ProtobufCMessage *a, const ProtobufCMessage *b, const field_desc *fd);
/* All fields of two messages of one type. */
bool field_message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b);
/* Of a set field. */
bool field_sets_equal(const ProtobufCMessage *a, const ProtobufCMessage *b, const field_desc *fd);
/* Set fields: members of `add` joined to `m`, those of `remove` (either may be NULL) taken out;
 * order kept, no duplicates added. Returns whether anything changed (0 or 1), or -ERR_NOMEM. */
int field_set_edit(struct arena *a, ProtobufCMessage *m, const ProtobufCMessage *add,
		   const ProtobufCMessage *remove, const field_desc *fd);

/* A new, empty message in the arena; NULL when memory is out. */
ProtobufCMessage *field_new_message(struct arena *a, const ProtobufCMessageDescriptor *desc);

/* Text form: what the command line takes and CSV holds.  Lists are joined with '|'; inside a member
 * '|', '\' and blanks at either end stand behind a '\'.  Booleans are yes and no; nested messages
 * are JSON, an object or an array of objects. An absent field is "".  Ids are canonical text.  0 or
 * -ERR_NOMEM / -ERR_TOO_BIG. */
int field_to_text(const ProtobufCMessage *m, const field_desc *fd, struct buf *out);
/* Sets the field from text; "" clears it.  Also reads true, false, oui, non, 1, 0; 23/11/2026; a
 * decimal comma; blanks around '|'. 0, or -ERR_INVALID that names field, value and what is allowed;
 * -ERR_NOMEM. */
int field_from_text(struct arena *a, ProtobufCMessage *m, const field_desc *fd, const char *text,
		    struct err *e);
/* The same for a text that is not empty, without the field's name in the error: for callers that
 * say themselves where it stood. */
int field_read(struct arena *a, ProtobufCMessage *m, const field_desc *fd, const char *text,
	       struct err *e);

/* Words of an enumeration: "in_progress" <-> 5.  Unknown numbers become their decimal digits. */
void field_enum_word(const ProtobufCEnumDescriptor *ed, int number, char out[static 48]);
int field_enum_number(const ProtobufCEnumDescriptor *ed, const char *word, int *out, struct err *e);
/* A value that may be written: named, and not 0 *_UNSPECIFIED. */
bool field_enum_known(const ProtobufCEnumDescriptor *ed, int number);
/* "idea, lead, planned" for error messages and help. */
void field_enum_words(const ProtobufCEnumDescriptor *ed, char *out, size_t size);

/* A problem with one field of a record. */
struct problem {
	char field[64];       /* path: "action.progress" */
	char code[24];        /* "REQUIRED", "RANGE", "FORMAT", "ENUM", "LUHN", "TOO_LONG" */
	char text[240];       /* in the language of this process */
	struct phrase phrase; /* the same, for a reader elsewhere */
	bool warning;
};
struct problems {
	struct problem list[16];
	size_t n;       /* stored; */
	size_t dropped; /* more than fit */
	size_t errors;  /* those that are no warnings, dropped ones included */
};
/* Empties it: what is not counted is not looked at. */
void problems_init(struct problems *p);
void problem_add(struct problems *p, bool warning, const char *field, const char *code,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

void problem_addv(struct problems *p, bool warning, const char *field, const char *code,
		  const char *fmt, va_list args) __attribute__((format(printf, 5, 0)));

/* Checks every field of a record against its rule: required, range, format, known enumeration
 * value, id form, length. Adds to `out`. */
void field_check_record(const struct kind *k, const ProtobufCMessage *m, struct problems *out);

/* Checks what clients may write of a record's meta: level and external references. */
void field_check_meta(const Seve__Meta *meta, struct problems *out);

/* Calls `fn` for each id in a reference field of the record (FIELD_ID, FIELD_IDS, and ids inside
 * nested messages). `field` is the top-level field.  Stops at the first non-zero return and returns
 * it. */
int field_each_ref(const struct kind *k, const ProtobufCMessage *m,
		   int (*fn)(void *ctx, const field_desc *field, const struct kind *target,
			     const uint8_t id[16]),
		   void *ctx);

#endif
