/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The open connections, so that clients that say nothing cannot keep others out.  A connection waits for its
 * client (no whole request yet, or an answer that is not read) or is busy with a request.  When there are too
 * many, one that waits is shut for each that comes: of the address that has most of them waiting, the one
 * that has waited longest.  Any thread may call.
 */
#ifndef MIPVPN_PORTAL_CROWD_H
#define MIPVPN_PORTAL_CROWD_H

#include <stdbool.h>

#include "portal/client.h"

struct crowd;
struct guest; /* a connection */

/* Shuts some when there are more than `most`.  NULL without memory. */
struct crowd *crowd_new(unsigned most);
void crowd_free(struct crowd *c); /* all guests have left; NULL is fine */

/* A connection has come, and waits.  fd is borrowed until crowd_leave() and at most shut down here, never
 * closed.  NULL without memory: it is not counted then, which the other functions take. */
struct guest *crowd_enter(struct crowd *c, int fd, const char *address);
void crowd_leave(struct crowd *c, struct guest *g);
/* true: its whole request is here.  false: it waits again, from now on. */
void crowd_busy(struct crowd *c, struct guest *g, bool busy);

#endif
