/* notify.h -- tells systemd how the service is: sd_notify(3)'s protocol, without its library. Knows
 * no states. */
#ifndef SEVED_NOTIFY_H
#define SEVED_NOTIFY_H

/* Sends "READY=1", "STOPPING=1" …; without $NOTIFY_SOCKET, or when nobody hears, nothing happens.
 */
void notify_send(const char *state);

#endif
