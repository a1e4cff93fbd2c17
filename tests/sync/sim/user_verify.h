/* user_verify.h -- how a user's machine finds back when the server's history, or the rights, are
 * not those that it knew: numbers first, then a comparison; as the library does (sync_verify.c).
 * Private to user*.c. */
#ifndef SEVE_SIM_USER_VERIFY_H
#define SEVE_SIM_USER_VERIFY_H

#include "user.h"

/* Of user.c: one request; what comes next; a connection that is of no use any more. */
void user_send(struct sim *s, unsigned user, enum user_call call, Seve__Request *q);
void user_go(struct sim *s, unsigned user);
void user_give_up(struct sim *s, unsigned user);

/* Before anything is pushed.  True: something was sent, or the machine died. */
bool user_resumes(struct sim *s, unsigned user);
/* The server takes none of our numbers, or has other mutations under them. */
void user_hears_refusal(struct sim *s, unsigned user, bool reused);
void user_hears_resumed(struct sim *s, unsigned user, const Seve__ResumeReply *r);

/* The cursor is of no use: by the manifest, or from the beginning.  True: the machine died. */
bool user_starts_over(struct sim *s, unsigned user, const struct depot_replica *r);
/* Asks for what the page before showed to differ, else for the next page. */
void user_compares(struct sim *s, unsigned user, struct depot_replica *r);
void user_hears_manifest(struct sim *s, unsigned user, const Seve__ManifestReply *m);
void user_hears_fetched(struct sim *s, unsigned user, const Seve__GetReply *r);

#endif
