/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Diameter boundary: libfdcore's threads on one side, the loop on the other (like BIRD's bfd, see the
 * essay in aaa.c).  Nothing of the agent's state is touched by libfdcore's threads: they turn messages into
 * values, push them to a bounded queue and wake the loop; the loop's sends go through a bounded queue to one
 * sender thread, because fd_msg_send can block.
 */
#ifndef MIPVPN_AAA_H
#define MIPVPN_AAA_H

#include <stdbool.h>
#include <stdint.h>

#include "diameter/msg.h"

enum aaa_event_type {
	AAA_AMA,       /* answer to an AMR: session, ama (any Result-Code that is not a protocol error) */
	AAA_FAILED,    /* an AMR got no answer that can be used: session, result, text */
	AAA_HAR,       /* token, har */
	AAA_VUR,       /* token, har: of it only what a VUR has (diameter/vur.c) */
	AAA_ASR,       /* token, session */
	AAA_STA,       /* answer to an STR, or that there was none: session, result */
	AAA_PEER_UP,   /* text: peer */
	AAA_PEER_DOWN, /* text: peer; also for each failed attempt */
	AAA_DEAD       /* libfdcore could not start or has ended: text; nothing will come any more */
};
struct aaa_event {
	enum aaa_event_type type;
	char session[DM_SESSION_MAX];
	uint32_t result;      /* Result-Code; 0 = timeout */
	char text[DM_ID_MAX]; /* peer name; reason */
	uint64_t token;	      /* AAA_HAR, AAA_VUR, AAA_ASR: give back to aaa_haa/vua/asa exactly once */
	struct dm_ama *ama;   /* owned */
	struct dm_har *har;   /* owned */
};
void aaa_event_free(struct aaa_event *e); /* wipes keys; NULL is fine */

struct aaa;
/* One per process (libfdcore is one).  wake is called from any thread when events wait.  conf = freeDiameter
 * configuration file.  Returns at once: peers are connected, and tried again, in the background.  NULL =
 * reason in err. */
struct aaa *aaa_start(const char *conf, bool dumps, void (*wake)(void *user), void *user, char *err,
		      size_t err_len);
/* How long a HAR, VUR or ASR that comes from now on may wait for our answer (then 3004), in ms; default, and
 * at least, 8000.  It has to be longer than what a role takes, with its own deadlines. */
void aaa_set_patience(struct aaa *a, uint32_t ms);
void aaa_stop(struct aaa *a); /* waits for libfdcore, at most its own timers; NULL is fine */
struct aaa_event *aaa_next_event(struct aaa *a); /* loop thread; returns new or NULL */
/* All non-blocking, take nothing, copy; -1 = queue full (counted).  deadline_ms from now: then AAA_FAILED. */
int aaa_amr(struct aaa *a, const struct dm_amr *amr, uint32_t deadline_ms);
int aaa_haa(struct aaa *a, uint64_t token, const struct dm_haa *haa);
int aaa_vua(struct aaa *a, uint64_t token, const struct dm_haa *vua);
int aaa_asa(struct aaa *a, uint64_t token, uint32_t result);
int aaa_str(struct aaa *a, const struct dm_end *e);
/* Nothing is queued and no request of ours waits for its answer (a shutdown waits for it, so that STRs get
 * out). */
bool aaa_idle(struct aaa *a);
const char *aaa_identity(const struct aaa *a);
const char *aaa_realm(const struct aaa *a);

#endif
