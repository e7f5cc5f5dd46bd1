/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Route decision (C2) and the contract's say in it (A5).  Pure: rows and addresses in, profiles out; no keys are made
 * here (keys.h puts them in).
 *
 *   static gateway:   the home agent gets {FA -> HA, agent} and {HA -> GW, static, with the contract's data};
 *                     the foreign agent gets {FA -> HA, agent}.            Path: FA = HA = GW
 *                     FA -> HA is as the VPN says (security, proposal), HA -> GW as the contract does
 *   dynamic gateway:  both get {FA -> PCN, dynamic}; the home agent's has the key of its Binding Updates too
 *                     (keys.h), which nobody else is told.  Path: FA = PCN
 */
#ifndef MIPVPN_AAAH_ROUTE_H
#define MIPVPN_AAAH_ROUTE_H

#include "extensions/app_mipvpn_aaah/policy.h"

struct route_ends {
	struct in_addr fa, ha, hoa; /* care-of address, home agent, home address of the mobile node */
};
struct route_set {
	struct vpn_profile home[VPN_PROFILES_MAX], foreign[VPN_PROFILES_MAX]; /* to HA in HAR, to FA in AMA */
	size_t n_home, n_foreign;
};

/* Why this user may not have this VPN now, in words (static text), or NULL when he may. */
const char *route_sla_check(const struct pol_vpn *vpn, struct in_addr hoa);

/* Adds the profiles of one VPN that passed route_sla_check(); false when the set is full (nothing added then). */
bool route_add(struct route_set *set, const struct pol_vpn *vpn, const struct route_ends *ends);

/* A live session (C4): the cached profiles with the foreign agent was_fa replaced. */
bool route_from_cache(struct route_set *set, const struct pol_rows *rows, struct in_addr was_fa,
		      struct in_addr fa);

void route_wipe(struct route_set *set);

#endif
