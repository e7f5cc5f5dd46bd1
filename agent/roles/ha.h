/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The home agent (E2): mobility bindings, home addresses, proxy ARP, registrations by UDP and by HAR.  RFC
 * 5944 3.8, RFC 3024, RFC 4004.  Pure; see role.h.
 */
#ifndef MIPVPN_HA_H
#define MIPVPN_HA_H

#include "agent/roles/role.h"

struct ha_config {
	struct in_addr addr; /* home agent address, also the gateway address */
	struct vpn_prefix home_prefix;
	unsigned home_ifindex; /* 0 = virtual home network: no ARP, no advertisements */
	char home_ifname[16];
	struct in_addr home_addr; /* address on the home link */
	uint8_t home_mac[6];
	char diameter_host[DM_ID_MAX], diameter_realm[DM_ID_MAX];
	uint16_t lifetime_max;	  /* s, default 1800 */
	uint32_t adv_interval_ms; /* home link advertisements; 0 = none */
	uint32_t clock_skew_ms;	  /* default 7000 */
	bool reverse_tunnel, reverse_tunnel_required;
	unsigned bindings_max;	   /* default 4096 */
	uint32_t vpn_timeout_ms;   /* default 3000; shorter than the FA's and AAAs' deadlines */
	struct vpn_prefix pool;	   /* home addresses when the AAAH assigned none; len 0 = none */
	const struct role_sa *sas; /* configured MN-HA (by nai or peer = home address), FA-HA */
	size_t n_sas;
};

struct ha;
struct ha *ha_new(const struct ha_config *c, role_ms now);
void ha_free(struct ha *ha);
void ha_reconfigure(struct ha *ha, const struct ha_config *c, role_ms now);
void ha_event(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out);
role_ms ha_next(const struct ha *ha);
size_t ha_rows(const struct ha *ha, role_ms now, struct role_row *rows, size_t max);
/* What PCNs have been told (F4), for the console; borrowed for the call, keys and all. */
struct ha_told {
	const char *session;
	const struct vpn_profile *profile;
	const char *state; /* static word */
	char why[DM_ERROR_MAX];
	uint32_t left_s; /* of what the PCN has */
};
void ha_told_each(const struct ha *ha, role_ms now, void (*fn)(void *user, const struct ha_told *t),
		  void *user);
void ha_shutdown(struct ha *ha, role_ms now, struct actions *out);

#endif
