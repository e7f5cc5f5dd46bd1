/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One registration, from what the database says to the HAR and the AMA (C1-C5).  Pure but for fresh keys.
 *
 *   plan_admit()   may he register at all, and from there?        -> refusal, or which home address
 *   plan_make()    home address known: profiles, keys, lifetimes  -> struct plan
 *   plan_har()     plan -> Home-Agent-MIP-Request
 *   plan_ama()     plan + Home-Agent-MIP-Answer -> AA-Mobile-Node-Answer
 */
#ifndef MIPVPN_AAAH_PLAN_H
#define MIPVPN_AAAH_PLAN_H

#include "extensions/app_mipvpn_aaah/auth.h"
#include "extensions/app_mipvpn_aaah/keys.h"
#include "extensions/app_mipvpn_aaah/route.h"

/* The part of the configuration that decisions need. */
struct plan_rules {
	unsigned algorithms;   /* AAAH_ALG_* accepted */
	uint32_t lifetime;     /* s, longest authorisation */
	uint32_t msa_lifetime; /* s, of the session keys; at least lifetime (RFC 4004 9.13) */
	uint32_t grace;	       /* s, a session is kept after its authorisation */
	bool refuse_not_permitted; /* a VPN that no contract permits refuses the registration (else: is left out) */
};

enum plan_address { PLAN_HOA_KNOWN, PLAN_HOA_ALLOCATE };

struct plan {
	struct in_addr fa, ha, hoa, was_fa;
	bool live;	 /* the user's session goes on: same Session-Id with the home agent */
	bool moved;	 /* at another foreign agent than before */
	bool deregister; /* RRQ lifetime 0: no tunnels, and the session ends */
	uint32_t lifetime, msa_lifetime;
	char ha_session[DM_SESSION_MAX];
	struct route_set route;
	struct aaah_msas msas;
	struct vpn_key handoff;
	unsigned n_left_out;
	char left_out[DM_ERROR_MAX]; /* "VPN 4: the user is not on the contract's list; ..." for the log */
};

/* true and *need / *hoa filled in, or false with v. */
bool plan_admit(const struct plan_rules *rules, const struct dm_amr *amr, const struct mip_rrq *rrq,
		const struct pol_rows *rows, enum plan_address *need, struct in_addr *hoa,
		struct aaah_verdict *v);

/* new_session: Session-Id to use when there is no live session.  true, or false with v (5003, 5012); out is to be
 * ended with plan_wipe() in both cases. */
bool plan_make(const struct plan_rules *rules, const struct dm_amr *amr, const struct mip_rrq *rrq,
	       const struct pol_rows *rows, struct in_addr hoa, const char *new_session, struct plan *out,
	       struct aaah_verdict *v);
void plan_wipe(struct plan *p);

/* out is to be ended with dm_har_wipe() / dm_ama_wipe(); 0, -1 = no memory. */
int plan_har(const struct plan *p, const struct dm_amr *amr, const struct pol_rows *rows, struct dm_har *out);
int plan_ama(const struct plan *p, const struct dm_amr *amr, const struct dm_haa *haa, struct dm_ama *out);

/* A running session, of which a change has been made: what he is to have now, with the keys that he has where
 * nothing is different (C5).  A VPN that no contract permits is left out, and no VPN that is new is one that
 * he cannot be without: that is a question for a registration.  rows has user, session, VPNs and the cached
 * profiles.  As plan_make(). */
bool plan_live(const struct plan_rules *rules, const struct pol_rows *rows, struct plan *out,
	       struct aaah_verdict *v);
bool plan_live_same(const struct plan *p, const struct pol_rows *rows); /* as the gateways have it */
/* The profiles for the home agent, or the foreign agent; ends with dm_har_wipe().  0, -1 = no memory. */
int plan_vur(const struct plan *p, bool home, struct dm_har *out);

/* The row to store: borrows plan, amr and haa. */
struct pol_put plan_put(const struct plan *p, const struct plan_rules *rules, const struct dm_amr *amr,
			const struct dm_haa *haa, const struct pol_rows *rows);

#endif
