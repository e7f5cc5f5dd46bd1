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
#include "nethelper/hold_queue.h"
#include "nethelper/ipip.h"
#include "nethelper/net.h"
#include "nethelper/nft.h"
#include "nethelper/rt.h"
#include "nethelper/sysctl.h"
#include "nethelper/tun.h"

struct tunnel {
	struct tunnel_ends {
		struct in_addr local, peer;
	} ends; /* key */
	char name[IFNAMSIZ];
	unsigned ifindex;
	struct ipip_dev *dev; /* NULL = the kernel's */
	unsigned refs;	      /* NH_IPIP_ADD */
	unsigned uses;	      /* bindings, forwards, reverse tunnels, encapsulated profiles */
	UT_hash_handle hh;
};
struct visitor_entry {
	struct in_addr addr; /* key */
	unsigned ifindex;
	uint64_t order; /* of visitor and binding of one address the later one has the route */
	UT_hash_handle hh;
};
struct binding_entry {
	struct in_addr addr; /* key */
	struct tunnel *tunnel;
	uint64_t order;
	UT_hash_handle hh;
};
struct forward_entry {	     /* before visitor and binding */
	struct in_addr addr; /* key */
	struct tunnel *tunnel;
	UT_hash_handle hh;
};
struct route_entry {	     /* what table NH_TABLE_MIP has */
	struct in_addr addr; /* key */
	unsigned ifindex;
	UT_hash_handle hh;
};
struct hold_entry {
	struct in_addr addr; /* key */
	struct hold_queue queue;
	uint64_t until;
	unsigned lost;
	bool ending;
	UT_hash_handle hh;
};
struct hold {
	struct watch watch; /* first */
	struct net *net;
	int fd; /* -1 = there is no device */
	unsigned ifindex;
	uint64_t remove_at; /* when nothing is held */
	struct hold_entry *entries;
	uint8_t packet[65536];
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
	struct path_leg { /* of several tunnels (a move) the last is in force */
		struct path_via {
			struct tunnel *tunnel; /* NULL = charon's table; then it is the only one */
			unsigned refs;
		} via[FW_LEG_TUNNELS];
		unsigned n;
	} leg[2]; /* [here_is_src] */
	UT_hash_handle hh;
};
struct home_link { /* whose proxy_delay we changed */
	char name[IFNAMSIZ];
	char old_delay[16];
};
#define NET_LATE_MAX 64 /* more than that go at once */

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
	struct forward_entry *forwards;
	struct route_entry *routes;
	uint64_t order;
	struct hold hold;
	struct path_entry *paths;
	struct rt_rule late[NET_LATE_MAX]; /* to be removed behind the transaction */
	size_t n_late;
	unsigned mip_rule_users; /* routes */
	unsigned pcn_users;	 /* prefixes that the rule to NH_TABLE_PCN is there for */
	struct home_link homes[NH_IFS_MAX];
	size_t n_homes;
	uint64_t now_ms;
	uint32_t value; /* for the reply */
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
int do_forward_add(struct net *n, const struct nh_request *r);
int do_forward_del(struct net *n, const struct nh_request *r);
int do_reverse_add(struct net *n, const struct nh_request *r);
int do_reverse_del(struct net *n, const struct nh_request *r);
int do_proxy_arp_add(struct net *n, const struct nh_request *r);
int do_proxy_arp_del(struct net *n, const struct nh_request *r);
int do_garp(struct net *n, const struct nh_request *r);
void hosts_forget_all(struct net *n); /* also gives proxy_delay back */

int do_hold_add(struct net *n, const struct nh_request *r);
int do_hold_del(struct net *n, const struct nh_request *r);
void holds_open(struct net *n);
void holds_release(struct net *n); /* behind the transaction of the batch that asked for it */
uint64_t holds_next(const struct net *n);
void holds_tick(struct net *n);
void holds_forget_all(struct net *n);

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
/* net_late.c */
void late_rule_del(struct net *n, const struct rt_rule *rule);
/* It is to be added: true = it is still there. */
bool late_rule_keep(struct net *n, const struct rt_rule *rule);
void late_rules_release(struct net *n);
void paths_forget_all(struct net *n);
/* Is a packet between this mobile node and this correspondent one of a profile's? */
bool path_covers(struct net *n, struct in_addr user, struct in_addr correspondent);

#endif
