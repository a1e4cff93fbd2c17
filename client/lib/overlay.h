/* overlay.h -- what records show while edits wait: computed anew, inside the caller's transaction,
 * when what is below or above changes. Knows no network.  One thread at a time per store. */
#ifndef SEVE_LIB_OVERLAY_H
#define SEVE_LIB_OVERLAY_H

#include "outbox.h"
#include "store.h"

/* The record as the server has it, as far as the store knows: kind is NULL when it does not.  Lives
 * in the arena. */
int overlay_base(struct store *s, struct arena *a, uint32_t territory, const uint8_t id[16],
		 struct outbox_view *out, struct err *e);
/* The record as it is shown; *waiting tells whether edits wait on it (NULL is fine). */
int overlay_shown(struct store *s, struct arena *a, uint32_t territory, const uint8_t id[16],
		  struct outbox_view *out, bool *waiting, struct err *e);
/* Lays the waiting edits of the record over a view that came from elsewhere (the server). */
int overlay_fold(struct store *s, struct arena *a, uint32_t territory, const uint8_t id[16],
		 struct outbox_view *v, bool *waiting, struct err *e);

/* Computes one record anew: its overlay goes when nothing waits. */
int overlay_refresh(struct store *s, uint32_t territory, const uint8_t id[16], struct err *e);
/* The same for every record below which something has moved, or for all. */
int overlay_refresh_stale(struct store *s, uint32_t territory, bool all, struct err *e);

/* Writes what the server has of a record, if that is not older than what the store knows. */
int overlay_put_base(struct store *s, uint32_t territory, const uint8_t id[16],
		     const struct outbox_view *v, struct err *e);

#endif
