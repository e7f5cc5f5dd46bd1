/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shared by the net*.c files; nobody else includes it.  A do_...() carries out one verb: 0 or an errno,
 * n->why then has the reason in words when strerror() does not say enough.
 */
#ifndef MIPVPN_NH_NET_IMPL_H
#define MIPVPN_NH_NET_IMPL_H

#include <uthash.h>

#include "nethelper/arp.h"
#include "nethelper/fw.h"
#include "nethelper/ipip.h"
#include "nethelper/net.h"
#include "nethelper/nft.h"
#include "nethelper/rt.h"
#include "nethelper/sysctl.h"

struct tunnel {
	struct tunnel_ends {
		struct in_addr local, peer;
	} ends; /* key */
	char name[IFNAMSIZ];
	unsigned ifindex;
	struct ipip_dev *dev; /* NULL = the kernel's */
	unsigned refs;	      /* NH_IPIP_ADD */
	unsigned uses;	      /* bindings, reverse tunnels, encapsulated profiles */
	UT_hash_handle hh;
};
struct visitor_entry {
	struct in_addr addr; /* key */
	unsigned ifindex;
	UT_hash_handle hh;
};
struct binding_entry {
	struct in_addr addr; /* key */
	struct tunnel *tunnel;
	UT_hash_handle hh;
};
struct reverse_entry {
	struct in_addr addr; /* key */
	char link[IFNAMSIZ];
	struct tunnel *tunnel;
	UT_hash_handle hh;
};
struct path_entry { /* routing of one profile */
	struct path_key {
		struct vpn_prefix src, dst;
	} key;
	struct path_leg {
		unsigned refs;
		struct tunnel *tunnel; /* NULL = charon's table */
	} leg[2];		       /* [here_is_src] */
	UT_hash_handle hh;
};
struct home_link { /* whose proxy_delay we changed */
	char name[IFNAMSIZ];
	char old_delay[16];
};
struct net {
	const struct nh_allowed *allowed;
	const char *vici_path;
	int epoll_fd;
	struct rt *rt;
	struct nft *nft;
	struct fw *fw;
	struct arp *arp;
	struct ipip *ipip; /* NULL = the kernel has ipip */
	struct tunnel *tunnels;
	struct visitor_entry *visitors;
	struct binding_entry *bindings;
	struct reverse_entry *reverses;
	struct path_entry *paths;
	unsigned mip_rule_users;
	unsigned pcn_users; /* prefixes that the rule to NH_TABLE_PCN is there for */
	struct home_link homes[NH_IFS_MAX];
	size_t n_homes;
	uint64_t now_ms;
	char why[160];
};

__attribute__((format(printf, 3, 4))) int net_fail(struct net *n, int error, const char *fmt, ...);
int net_rt_fail(struct net *n, int error, const char *what); /* error 0 = 0 */

struct tunnel *tunnel_find(struct net *n, const struct nh_request *r); /* NULL: n->why says so */
void tunnel_use(struct tunnel *t);
void tunnel_release(struct net *n, struct tunnel *t); /* of a use */
void tunnel_forget_all(struct net *n);
uint32_t tunnel_table(const struct tunnel *t);
int do_ipip_add(struct net *n, const struct nh_request *r);
int do_ipip_del(struct net *n, const struct nh_request *r);

int do_visitor_add(struct net *n, const struct nh_request *r);
int do_visitor_del(struct net *n, const struct nh_request *r);
int do_binding_add(struct net *n, const struct nh_request *r);
int do_binding_del(struct net *n, const struct nh_request *r);
int do_reverse_add(struct net *n, const struct nh_request *r);
int do_reverse_del(struct net *n, const struct nh_request *r);
int do_proxy_arp_add(struct net *n, const struct nh_request *r);
int do_proxy_arp_del(struct net *n, const struct nh_request *r);
int do_garp(struct net *n, const struct nh_request *r);
void hosts_forget_all(struct net *n); /* also gives proxy_delay back */

int do_vpn_add(struct net *n, const struct nh_request *r);
int do_vpn_del(struct net *n, const struct nh_request *r);
int do_protect_add(struct net *n, const struct nh_request *r);
int do_protect_del(struct net *n, const struct nh_request *r);
int do_pcn_add(struct net *n, const struct nh_request *r);
int do_pcn_del(struct net *n, const struct nh_request *r);
int do_watch_add(struct net *n, const struct nh_request *r);
int do_watch_del(struct net *n, const struct nh_request *r);
int do_encap_add(struct net *n, const struct nh_request *r);
int do_encap_del(struct net *n, const struct nh_request *r);
void paths_forget_all(struct net *n);

#endif
