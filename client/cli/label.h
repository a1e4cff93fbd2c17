/* label.h -- headings of fields for people, in their language.  Knows only labels.def. */
#ifndef SEVE_CLI_LABEL_H
#define SEVE_CLI_LABEL_H

/* The translated label, or the field's own name. */
const char *label_of(const char *field);

#endif
