/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The foreign agent (E1): visitor list, advertisements, relaying of registrations, challenge.  RFC 5944 3.7,
 * RFC 4721, RFC 3024, RFC 4004.  Pure; see role.h.
 */
#ifndef MIPVPN_FA_H
#define MIPVPN_FA_H

#include "agent/roles/role.h"

#define FA_LINKS_MAX 16
struct fa_link { /* an interface on which mobile nodes are served */
	unsigned ifindex;
	char name[16];
	struct in_addr addr; /* the FA's address on it: router address of the advertisements */
	uint8_t prefix_len;
	uint8_t mac[6];
};
struct fa_config {
	struct in_addr coa; /* care-of address = this gateway's address (C2) */
	char diameter_host[DM_ID_MAX], diameter_realm[DM_ID_MAX];
	bool aaa; /* registrations pass AAA (false: plain RFC 5944, straight to the HA) */
	struct fa_link links[FA_LINKS_MAX];
	size_t n_links;
	uint16_t lifetime_max;	   /* s, advertised; default 1800 */
	uint32_t adv_interval_ms;  /* default 1000; 0 = only when solicited */
	uint16_t adv_lifetime;	   /* s, default 3 * interval */
	bool icmp_code16;	   /* default true */
	bool challenge;		   /* default true */
	unsigned challenge_window; /* 2.. */
	bool reverse_tunnel, reverse_tunnel_required;
	unsigned pending_max;	   /* default 64 */
	unsigned visitors_max;	   /* default 4096 */
	uint32_t aaa_timeout_ms;   /* default 7000: then code 78 */
	uint32_t vpn_timeout_ms;   /* default 4000 */
	bool smooth_handoff;	   /* default true; false: Binding Updates are refused (129), none are sent */
	uint16_t handoff_lifetime; /* s, 1..60, default 10: the longest that a previous FA forwards */
	bool early_ike;		   /* default true: begin with IKE behind the relayed request of a move */
	uint32_t clock_skew_ms;	   /* of Binding Updates, default 7000 */
	const struct role_sa *sas; /* configured MN-FA, FA-HA associations; borrowed */
	size_t n_sas;
	const struct in_addr *own_addrs; /* all addresses of this node (194) */
	size_t n_own_addrs;
};

struct fa;						   /* opaque */
struct fa *fa_new(const struct fa_config *c, role_ms now); /* copies the configuration */
void fa_free(struct fa *fa);				   /* wipes keys */
void fa_reconfigure(struct fa *fa, const struct fa_config *c, role_ms now);
void fa_event(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
role_ms fa_next(const struct fa *fa); /* when EV_TIMER is due; UINT64_MAX = never */
size_t fa_rows(const struct fa *fa, role_ms now, struct role_row *rows, size_t max);
void fa_shutdown(struct fa *fa, role_ms now, struct actions *out); /* everything down, STR for each session */

#endif
