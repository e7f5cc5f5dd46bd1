/* SPDX-License-Identifier: BSD-3-Clause
 *
 * rtnetlink, as little of it as the helper and the mobile node need.  Everything made here carries our
 * protocol number, so that rt_flush() also finds what a helper left that was killed.  Calls wait for the
 * kernel's acknowledgement and return 0 or an errno; rt_why() then has the kernel's own words.
 */
#ifndef MIPVPN_NH_RT_H
#define MIPVPN_NH_RT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/vpn_profile.h"

#define RT_PROTOCOL 143	  /* in routes, rules and neighbours (free in /etc/iproute2/rt_protos) */
#define RT_ALIAS "mipvpn" /* first word of the alias of our links */

struct rt;
struct rt *rt_open(void); /* NULL with errno */
void rt_close(struct rt *rt);
const char *rt_why(const struct rt *rt, int error);

struct rt_rule {
	uint32_t pref, table;
	struct vpn_prefix src, dst; /* len 0 = any */
	const char *iif;	    /* NULL = any */
	uint32_t mark;		    /* 0 = any */
};
int rt_rule_set(struct rt *rt, bool add, const struct rt_rule *rule);
/* dst/len out of oif, link scope; an existing one to the same destination is replaced. */
int rt_route_set(struct rt *rt, bool add, uint32_t table, struct in_addr dst, uint8_t len, unsigned oif);
/* Every destination is this host: for packets that a rule sends to the table. */
int rt_local_set(struct rt *rt, bool add, uint32_t table);
/* dst/len by way of gateway, which need not be in a connected prefix, with source address src. */
int rt_gateway_set(struct rt *rt, bool add, struct in_addr dst, uint8_t len, struct in_addr gateway,
		   unsigned oif, struct in_addr src);
int rt_addr_set(struct rt *rt, bool add, unsigned ifindex, struct in_addr addr, uint8_t len);
/* Prefix length that the interface has addr with, or -1 when it does not have it. */
int rt_addr_len(struct rt *rt, unsigned ifindex, struct in_addr addr);
int rt_neigh_set(struct rt *rt, bool add, struct in_addr addr, unsigned ifindex, const uint8_t mac[6]);
int rt_proxy_set(struct rt *rt, bool add, struct in_addr addr, unsigned ifindex);
int rt_ipip_add(struct rt *rt, const char *name, struct in_addr local, struct in_addr peer);
int rt_link_up(struct rt *rt, unsigned ifindex, unsigned mtu); /* mtu 0 = leave it; sets our alias */
int rt_link_del(struct rt *rt, unsigned ifindex);
/* Removes all rules, routes, neighbours, proxy neighbours and kernel tunnels of ours.  The first
 * error, or 0. */
int rt_flush(struct rt *rt);

#endif
