/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The home agent's side of dynamic gateways (F4, F8, F9): which PCN has been told of which profile, and
 * telling it.
 *
 *	none --HAR--> pending --BA 0--> stands --lifetime--> lapsed
 *	                 \--BA 128.., silence--> refused
 *	any --binding or pending ends--> leaving --BA, or tried enough--> gone
 *
 * A struct ha_bu belongs to a Diameter session (of a binding, or of a HAR under way); leaving ones belong
 * to nobody.
 */
#ifndef MIPVPN_HA_BU_H
#define MIPVPN_HA_BU_H

#include <sys/queue.h>
#include <uthash.h>

#include "agent/mip/binding.h"
#include "agent/roles/ha_int.h"

enum ha_bu_state { HA_BU_NONE, HA_BU_PENDING, HA_BU_STANDS, HA_BU_LAPSED, HA_BU_REFUSED, HA_BU_LEAVING };

struct ha_bu_pause { /* no Binding Update on anybody's word before until */
	role_ms until;
	uint32_t ms; /* the last pause */
};
struct ha_bu_before {
	char *session; /* of the binding that stands */
	struct vpn_profile profile;
};
struct ha_bu {
	struct role_timer timer;
	LIST_ENTRY(ha_bu) link;
	struct ha_bu_set *set;
	char *session;		    /* "" = leaving */
	struct vpn_profile profile; /* with the key of its Binding Updates */
	struct in_addr cn;	    /* whom the last one was addressed to */
	enum ha_bu_state state;
	bool waits;	   /* a HAR under way waits for the answer */
	bool told;	   /* the PCN may have it: has to be told of the end, too */
	uint64_t ident;	   /* of the last one */
	uint16_t lifetime; /* s, of the last one; 0 = it forgets */
	uint8_t status;	   /* of its acknowledgement */
	bool hint_auth;	   /* somebody said 131 without being able to prove it: a word for the operator */
	unsigned tries;	   /* of the last one; 0 = it has been answered */
	role_ms give_up, expires;	      /* when to stop trying; of what the PCN has */
	struct ha_bu_pause requests, packets; /* F8; F9 and Binding Warnings */
	bool of_har;			      /* what it says is a HAR's under way */
	struct ha_bu_before *before;	      /* what it says again when that HAR fails; NULL = nothing */
};
struct ha_bu_set { /* of one mobile node */
	UT_hash_handle hh;
	struct in_addr hoa;
	LIST_HEAD(, ha_bu) bus;
	bool watched; /* ACT_WATCH_ADD is out */
};

/* The dynamic profiles of a HAR: sends, and returns how many answers the HAA waits for. false = no memory. */
bool ha_bu_start(struct ha *ha, const struct ha_pending *p, const struct dm_har *h,
		 const struct role_event *e, role_ms now, unsigned *waits, struct actions *out);
/* A move by UDP (ha_move.c): those of its session hear the new care-of address; waits for the required
 * ones. */
bool ha_bu_move(struct ha *ha, const struct ha_pending *p, role_ms now, unsigned *waits, struct actions *out);
bool ha_bu_dynamic(const struct ha *ha,
		   const struct vpn_profile *p); /* the PCN's and the FA's affair, not ours */
/* A binding goes on: those of its session are told of lifetime and care-of address (E7).  Nobody waits. */
void ha_bu_renew(struct ha *ha, const struct ha_binding *b, const struct ha_grant *g, role_ms now,
		 struct actions *out);
/* The HAR or move is granted: what it did not name leaves.  What was refused stays, for a correspondent's
 * packet to
 * try again (F9). */
void ha_bu_settle(struct ha *ha, struct in_addr hoa, const char *session, struct actions *out);
/* The HAR or move is refused: the PCNs hear again what the standing binding says, or that there is nothing.
 * */
void ha_bu_give_back(struct ha *ha, struct in_addr hoa, const char *session, struct actions *out);
/* The session of a binding is over. */
void ha_bu_leave(struct ha *ha, struct in_addr hoa, const char *session, struct actions *out);
/* Binding Acknowledge, Request, Warning. */
void ha_bu_packet(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out);
void ha_bu_first_packet(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out);
void ha_bu_due(struct ha *ha, struct ha_bu *u, role_ms now, struct actions *out);
/* Best-effort VPNs of session that did not come up. */
void ha_bu_refused(const struct ha *ha, struct in_addr hoa, const char *session, struct dm_haa *h);
void ha_bu_free(struct ha *ha);

/* ha_aaa.c: the HAR that waits for u has its answer; why NULL = accepted */
void ha_pending_answered(struct ha *ha, struct ha_bu *u, const char *why, role_ms now, struct actions *out);

#endif
