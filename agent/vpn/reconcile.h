/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The one decision of the VPN room: what is to be done next for a tunnel, given what is desired and what is
 * observed. Pure. A start, a charon restart, an event, a missed timer and the audit all change one of the two
 * and ask again.
 */
#ifndef MIPVPN_VPN_RECONCILE_H
#define MIPVPN_VPN_RECONCILE_H

#include <stdbool.h>

enum tunnel_step {
	STEP_NONE,
	STEP_LOAD_KEY,
	STEP_LOAD_CONN,
	STEP_INITIATE,
	STEP_TERMINATE,
	STEP_REKEY,
	STEP_UNLOAD_CONN,
	STEP_UNLOAD_KEY,
	STEP_FORGET /* nothing is left of it */
};
enum tunnel_state {
	TUNNEL_IDLE,
	TUNNEL_UNKNOWN, /* charon does not answer (yet) */
	TUNNEL_LOADING_KEY,
	TUNNEL_LOADING_CONN,
	TUNNEL_READY,	/* responder: loaded, the other end has not come yet */
	TUNNEL_WAITING, /* initiator: loaded, its turn or the next try has not come yet */
	TUNNEL_INITIATING,
	TUNNEL_UP,
	TUNNEL_TERMINATING,
	TUNNEL_UNLOADING,
	TUNNEL_GIVEN_UP
};

struct tunnel_desired {
	bool wanted; /* somebody needs it */
	bool initiator;
	bool backoff;	   /* the last try failed, the next one is not due yet */
	bool may_initiate; /* its turn has come (pacing) */
	bool path_first;   /* the data path is not there yet, and has to be before packets can come */
	bool hold;	   /* the peer asks to set it up anew: keep it loaded although it is up */
	bool give_up;	   /* the peer never came: keep nothing loaded */
	bool tidy;	   /* nothing stays loaded between two tries */
	bool key_waits;	   /* another secret for the same gateway is loaded */
	bool redo;	   /* its CHILD_SA is to be made anew */
};
struct tunnel_observed {
	bool known;	  /* charon's state has been read since it (re)started */
	bool busy;	  /* a command for it is in flight */
	bool terminating; /* a terminate has been accepted and not yet come true */
	bool key, conn;	  /* loaded */
	bool dialing;	  /* an initiate is under way */
	bool ike, child;  /* an IKE_SA exists; a CHILD_SA is INSTALLED */
	bool bare;	  /* an established IKE_SA has no CHILD_SA, as a look has shown */
};

enum tunnel_step vpn_reconcile(const struct tunnel_desired *d, const struct tunnel_observed *o);
enum tunnel_state vpn_tunnel_state(const struct tunnel_desired *d, const struct tunnel_observed *o);
const char *vpn_tunnel_state_name(enum tunnel_state s);

#endif
