/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the database says, as plain structs: the input of every decision of the AAAH (requirements A, C).  Free of
 * libpq and of freeDiameter; keys are unwrapped already.  Who holds a struct pol_rows ends it with pol_rows_wipe().
 */
#ifndef MIPVPN_AAAH_POLICY_H
#define MIPVPN_AAAH_POLICY_H

#include "diameter/msg.h"
#include "lib/crypto.h"
#include "lib/vpn_profile.h"

enum pol_roaming { POL_ROAM_OK, POL_ROAM_UNKNOWN, POL_ROAM_SUSPENDED, POL_ROAM_CARE_OF };

struct pol_user {
	bool found, enabled;
	bool key_bad; /* the stored key does not unwrap: wrong key file, or a row copied from elsewhere */
	struct vpn_key key; /* MN-AAA */
	uint32_t spi;
	enum crypto_mac alg;
	bool has_hoa; /* fixed home address; else dynamic */
	struct in_addr hoa;
	struct in_addr ha;
	char ha_host[DM_ID_MAX], ha_realm[DM_ID_MAX];
	bool ha_enabled;
	uint32_t max_lifetime;	  /* s, 0 = as configured */
	enum pol_roaming roaming; /* of the realm that the AMR came from */
};

/* The live session of the user, if he has one (C4). */
struct pol_session {
	bool live;
	char ha_session[DM_SESSION_MAX], fa_session[DM_SESSION_MAX], multi[DM_SESSION_MAX];
	struct in_addr fa, hoa;
	struct vpn_key handoff;
};

/* One VPN instance (A1) with the gateway (A4) and the contract (A5) that its destination meets. */
struct pol_vpn {
	uint32_t number;
	bool share_own; /* vpnshare = 1 */
	struct vpn_prefix dst;
	uint8_t dscp_up, dscp_down;
	uint32_t spi_up, spi_down;
	enum vpn_security security;  /* of the user's own tunnel */
	char proposal[VPN_NAME_MAX]; /* its algorithms; "" = the agents' default; none with VPN_SEC_ENCAP */
	bool required;
	bool has_gateway;
	struct in_addr gateway;
	enum vpn_gw_type kind; /* VPN_GW_STATIC or VPN_GW_DYNAMIC */
	struct vpn_key pcn_key; /* master key of a dynamic one */
	bool pcn_key_bad;	/* it does not unwrap */
	bool has_sla, sla_enabled, sla_valid, sla_listed;
	bool psk_bad; /* the contract's key does not unwrap */
	char sla[VPN_NAME_MAX];
	enum vpn_security sla_security; /* of the contract's connection: ESP or AH, 0 = no contract */
	struct vpn_prefix sla_domain, sla_home;
	char ike_local[VPN_ID_MAX], ike_remote[VPN_ID_MAX];
	char ike_proposal[VPN_NAME_MAX], esp_proposal[VPN_NAME_MAX];
	struct vpn_key psk;
};

struct pol_rows {
	struct pol_user user;
	struct pol_session session;
	struct pol_vpn *vpns; /* owned */
	size_t n_vpns;
	struct vpn_profile *cached; /* owned; the live session's, as the home agent got them */
	size_t n_cached;
	bool cached_bad; /* a cached key does not unwrap: read the VPNs again */
};
void pol_rows_wipe(struct pol_rows *r);

/* A session as it is stored: session id of either side, who and where, and what was sent.  Borrows everything. */
struct pol_put {
	const char *nai, *ha_session, *ha_host, *ha_realm, *fa_session, *fa_host, *fa_realm, *multi;
	struct in_addr hoa, ha, fa;
	const struct vpn_key *handoff;
	uint32_t lasting_s;
	const struct vpn_profile *home; /* the foreign agent's are those whose source gateway it is */
	size_t n_home;
	uint64_t asked_ms; /* Unix time, by the Identification of the request */
	uint32_t age_ms; /* since the policy was read */
	bool recheck;	 /* there was a change of it since */
};

/* A running session that a change concerns: this node is to look at it (note 16). */
struct pol_live {
	uint64_t session, serial;
	bool sent; /* the new set is stored, and the gateways may have been told */
	uint32_t tries; /* this one included */
	char nai[DM_ID_MAX];
	struct in_addr ha, fa;
	char ha_session[DM_SESSION_MAX], ha_host[DM_ID_MAX], ha_realm[DM_ID_MAX];
	char fa_session[DM_SESSION_MAX], fa_host[DM_ID_MAX], fa_realm[DM_ID_MAX];
	bool fa_ended; /* the foreign agent has no part in it any more */
};

/* What the end of a session has found: whom else to tell. */
struct pol_end {
	bool found;
	bool ended; /* the whole session */
	char nai[DM_ID_MAX];
	char other_session[DM_SESSION_MAX], other_host[DM_ID_MAX], other_realm[DM_ID_MAX]; /* "" = nobody */
};

#endif
