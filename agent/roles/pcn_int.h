/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of the proxy correspondent node.  What a home agent has told for one profile of one mobile node is
 * a
 *
 *	none --BU--> installing --up--> ready --90 % of the lifetime--> asking --BU--> installing ...
 *	                 \--failed--> gone           \--expired, BU that deletes, tunnel lost, dropped--> gone
 *
 * struct pcn_entry.  In the state gone it holds no VPN any more, only the last Identification, for as long
 * as an old Binding Update could pass the timestamp check.
 */
#ifndef MIPVPN_PCN_INT_H
#define MIPVPN_PCN_INT_H

#include <uthash.h>

#include "agent/mip/binding.h"
#include "agent/roles/pcn.h"
#include "agent/roles/role_int.h"

#define PCN_SESSION_MAX 64
#define PCN_SAFETY_MS 500 /* longer than the VPN room's own deadline */
#define PCN_REFUSALS_PER_S 20
#define PCN_GONE_PER_ENTRY 2 /* remembered, for each one that may be live */

enum pcn_state { PCN_NONE, PCN_INSTALLING, PCN_READY, PCN_ASKING, PCN_GONE };

struct pcn_name { /* hashed: no padding */
	struct in_addr ha, hoa;
	uint32_t number; /* of the profile */
};
struct pcn_entry {
	struct role_timer timer;
	UT_hash_handle hh, hh_session;
	struct pcn_name name;
	char session[PCN_SESSION_MAX];
	enum pcn_state state;
	bool stands;		/* the VPN room has something of ours */
	bool gone_after;	/* what is being installed replaces nothing: a failure ends the entry */
	struct in_addr coa, cn; /* cn: whom the last BU was for; we speak in its name */
	char context[VPN_NAME_MAX];
	struct { /* what stands while an update of it is being installed */
		struct in_addr coa, cn;
		char context[VPN_NAME_MAX];
		uint16_t lifetime;
	} before;
	uint64_t ident;	   /* of the last BU that was taken */
	uint8_t status;	   /* that it was answered with */
	uint16_t lifetime; /* s, of the last BU */
	role_ms expires;   /* of what stands */
	unsigned asked;	   /* Binding Requests since then */
	uint64_t since_wall_ms;
};

struct pcn_budget { /* of answers in one second */
	role_ms since;
	unsigned spent; /* in that second */
};
struct pcn {
	struct pcn_config cfg;
	struct role_heap heap;
	struct pcn_entry *entries, *by_session;
	unsigned n_live;		     /* not gone */
	struct pcn_budget strangers, agents; /* refusals: of who proves nothing, of who has the key */
};

/* One Binding Update while it is looked at. */
struct pcn_req {
	const struct role_event *e;
	role_ms now;
	struct bind_msg m;
	uint8_t auth_key[32], seal_key[32];
	struct pcn_entry *entry;    /* or NULL */
	struct vpn_profile profile; /* when it does not delete */
	bool authentic;
	bool deletes, again; /* again: a retransmission of the one taken last */
	char why[128];	     /* more than the refusal's own text, or "" */
};

/* pcn_check.c: NULL = take it */
const struct role_refusal *pcn_check(struct pcn *pcn, struct pcn_req *r);

/* pcn_update.c */
void pcn_packet(struct pcn *pcn, const struct role_event *e, role_ms now, struct actions *out);
void pcn_installed(struct pcn *pcn, struct pcn_entry *x, role_ms now, struct actions *out);
void pcn_not_installed(struct pcn *pcn, struct pcn_entry *x, const char *why, role_ms now,
		       struct actions *out);
void pcn_lost(struct pcn *pcn, struct pcn_entry *x, const char *why, role_ms now, struct actions *out);

/* pcn_entry.c */
struct pcn_entry *pcn_entry_find(const struct pcn *pcn, const struct pcn_name *name);
struct pcn_entry *pcn_entry_by_session(const struct pcn *pcn, const char *session);
/* NULL without memory, or with too much to remember. */
struct pcn_entry *pcn_entry_new(struct pcn *pcn, const struct pcn_name *name, uint64_t wall_ms);
void pcn_entry_state(struct pcn *pcn, struct pcn_entry *x, enum pcn_state to, enum log_level level,
		     const char *why, struct actions *out);
/* Takes down what stands, and keeps the Identification for a while. */
void pcn_entry_end(struct pcn *pcn, struct pcn_entry *x, const char *why, role_ms now, struct actions *out);
void pcn_entry_forget(struct pcn *pcn, struct pcn_entry *x);

/* pcn_request.c (F8) */
void pcn_lifetime_start(struct pcn *pcn, struct pcn_entry *x, role_ms now);
void pcn_lifetime_due(struct pcn *pcn, struct pcn_entry *x, uint64_t wall_ms, role_ms now,
		      struct actions *out);

/* The keys of the home agent and session that name says; false when they cannot be made. */
bool pcn_keys(const struct pcn *pcn, struct in_addr ha, const char *context, uint8_t auth[32],
	      uint8_t seal[32]);
/* Signs w and sends it in the name of cn. */
void pcn_send(const struct pcn *pcn, struct in_addr cn, struct in_addr ha, struct wbuf *w,
	      const uint8_t auth[32], struct actions *out);

#endif
