/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/rt.h"

#include <errno.h>
#include <net/if.h> /* before <linux/if.h>, which then leaves out what it has in common */
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>

struct rt {
	struct mnl_socket *nl;
	uint32_t seq;
	char why[128]; /* the kernel's words about the last error; "" = none */
};
union message {
	struct nlmsghdr h;
	char room[1024];
};

struct rt *rt_open(void)
{
	struct rt *rt = calloc(1, sizeof(*rt));
	int on = 1;

	if (rt == NULL)
		return NULL;
	rt->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (rt->nl == NULL || mnl_socket_bind(rt->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		rt_close(rt);
		return NULL;
	}
	mnl_socket_setsockopt(rt->nl, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(rt->nl, NETLINK_CAP_ACK, &on, sizeof(on));
	rt->seq = (uint32_t)time(NULL);
	return rt;
}

void rt_close(struct rt *rt)
{
	if (rt != NULL && rt->nl != NULL)
		mnl_socket_close(rt->nl);
	free(rt);
}

const char *rt_why(const struct rt *rt, int error)
{
	return rt->why[0] != '\0' ? rt->why : strerror(error);
}

static int ext_ack_attr(const struct nlattr *a, void *user)
{
	struct rt *rt = user;

	if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		snprintf(rt->why, sizeof(rt->why), "%s", mnl_attr_get_str(a));
	return MNL_CB_OK;
}

/* The errno in an NLMSG_ERROR message; NETLINK_CAP_ACK makes the kernel leave out our request's body. */
static int ack_error(struct rt *rt, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

	if (e->error != 0 && (h->nlmsg_flags & NLM_F_ACK_TLVS) && (h->nlmsg_flags & NLM_F_CAPPED))
		mnl_attr_parse(h, sizeof(*e), ext_ack_attr, rt);
	return -e->error;
}

/* Sends and waits for the acknowledgement of this request; older ones are skipped. */
static int talk(struct rt *rt, struct nlmsghdr *h)
{
	char buf[8192];

	rt->why[0] = '\0';
	h->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = ++rt->seq;
	if (mnl_socket_sendto(rt->nl, h, h->nlmsg_len) < 0)
		return errno;
	for (;;) {
		int left = (int)mnl_socket_recvfrom(rt->nl, buf, sizeof(buf));
		const struct nlmsghdr *a = (const struct nlmsghdr *)buf;

		if (left < 0 && errno == EINTR)
			continue;
		if (left < 0)
			return errno;
		for (; mnl_nlmsg_ok(a, left); a = mnl_nlmsg_next(a, &left))
			if (a->nlmsg_seq == rt->seq && a->nlmsg_type == NLMSG_ERROR)
				return ack_error(rt, a);
	}
}

static struct nlmsghdr *start(union message *m, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(m);

	h->nlmsg_type = type;
	h->nlmsg_flags = flags;
	return h;
}

int rt_rule_set(struct rt *rt, bool add, const struct rt_rule *rule)
{
	union message m;
	struct nlmsghdr *h = start(&m, add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct fib_rule_hdr *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	int error;

	r->family = AF_INET;
	r->action = FR_ACT_TO_TBL;
	r->src_len = rule->src.len;
	r->dst_len = rule->dst.len;
	mnl_attr_put_u32(h, FRA_PRIORITY, rule->pref);
	mnl_attr_put_u32(h, FRA_TABLE, rule->table);
	mnl_attr_put_u8(h, FRA_PROTOCOL, RT_PROTOCOL);
	if (rule->src.len > 0)
		mnl_attr_put_u32(h, FRA_SRC, rule->src.addr.s_addr);
	if (rule->dst.len > 0)
		mnl_attr_put_u32(h, FRA_DST, rule->dst.addr.s_addr);
	if (rule->iif != NULL)
		mnl_attr_put_strz(h, FRA_IIFNAME, rule->iif);
	if (rule->mark != 0) {
		mnl_attr_put_u32(h, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(h, FRA_FWMASK, UINT32_MAX);
	}
	error = talk(rt, h);
	return add && error == EEXIST ? 0 : error;
}

struct route {
	uint32_t table;
	struct in_addr dst;
	uint8_t len, scope, type;
	unsigned oif;
};

static int route_set(struct rt *rt, bool add, const struct route *route)
{
	union message m;
	struct nlmsghdr *h =
		start(&m, add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->rtm_family = AF_INET;
	r->rtm_dst_len = route->len;
	r->rtm_table = RT_TABLE_UNSPEC;
	r->rtm_protocol = RT_PROTOCOL;
	r->rtm_scope = route->scope;
	r->rtm_type = route->type;
	mnl_attr_put_u32(h, RTA_TABLE, route->table);
	if (route->len > 0)
		mnl_attr_put_u32(h, RTA_DST, route->dst.s_addr);
	mnl_attr_put_u32(h, RTA_OIF, route->oif);
	return talk(rt, h);
}

int rt_route_set(struct rt *rt, bool add, uint32_t table, struct in_addr dst, uint8_t len, unsigned oif)
{
	struct route r = {table, dst, len, RT_SCOPE_LINK, RTN_UNICAST, oif};

	return route_set(rt, add, &r);
}

int rt_local_set(struct rt *rt, bool add, uint32_t table)
{
	struct route r = {table, {0}, 0, RT_SCOPE_HOST, RTN_LOCAL, if_nametoindex("lo")};

	return route_set(rt, add, &r);
}

int rt_gateway_set(struct rt *rt, bool add, struct in_addr dst, uint8_t len, struct in_addr gateway,
		   unsigned oif, struct in_addr src)
{
	union message m;
	struct nlmsghdr *h =
		start(&m, add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->rtm_family = AF_INET;
	r->rtm_dst_len = len;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = RT_PROTOCOL;
	r->rtm_scope = RT_SCOPE_UNIVERSE;
	r->rtm_type = RTN_UNICAST;
	r->rtm_flags = RTNH_F_ONLINK;
	if (len > 0)
		mnl_attr_put_u32(h, RTA_DST, dst.s_addr);
	mnl_attr_put_u32(h, RTA_GATEWAY, gateway.s_addr);
	mnl_attr_put_u32(h, RTA_OIF, oif);
	mnl_attr_put_u32(h, RTA_PREFSRC, src.s_addr);
	return talk(rt, h);
}

int rt_addr_set(struct rt *rt, bool add, unsigned ifindex, struct in_addr addr, uint8_t len)
{
	union message m;
	struct nlmsghdr *h = start(&m, add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct ifaddrmsg *a = mnl_nlmsg_put_extra_header(h, sizeof(*a));

	a->ifa_family = AF_INET;
	a->ifa_prefixlen = len;
	a->ifa_scope = RT_SCOPE_UNIVERSE;
	a->ifa_index = ifindex;
	mnl_attr_put_u32(h, IFA_LOCAL, addr.s_addr);
	mnl_attr_put_u32(h, IFA_ADDRESS, addr.s_addr);
	return talk(rt, h);
}

static struct nlmsghdr *neigh_start(union message *m, bool add, struct in_addr addr, unsigned ifindex,
				    uint8_t flags)
{
	struct nlmsghdr *h =
		start(m, add ? RTM_NEWNEIGH : RTM_DELNEIGH, add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct ndmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));

	n->ndm_family = AF_INET;
	n->ndm_ifindex = (int)ifindex;
	n->ndm_state = NUD_PERMANENT;
	n->ndm_flags = flags;
	mnl_attr_put_u32(h, NDA_DST, addr.s_addr);
	if (add)
		mnl_attr_put_u8(h, NDA_PROTOCOL, RT_PROTOCOL);
	return h;
}

int rt_neigh_set(struct rt *rt, bool add, struct in_addr addr, unsigned ifindex, const uint8_t mac[6])
{
	union message m;
	struct nlmsghdr *h = neigh_start(&m, add, addr, ifindex, 0);

	if (add)
		mnl_attr_put(h, NDA_LLADDR, 6, mac);
	return talk(rt, h);
}

int rt_proxy_set(struct rt *rt, bool add, struct in_addr addr, unsigned ifindex)
{
	union message m;

	return talk(rt, neigh_start(&m, add, addr, ifindex, NTF_PROXY));
}

int rt_ipip_add(struct rt *rt, const char *name, struct in_addr local, struct in_addr peer)
{
	union message m;
	struct nlmsghdr *h = start(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data;

	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "ipip");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_IPTUN_LOCAL, local.s_addr);
	mnl_attr_put_u32(h, IFLA_IPTUN_REMOTE, peer.s_addr);
	mnl_attr_put_u8(h, IFLA_IPTUN_TTL, 64);
	mnl_attr_put_u8(h, IFLA_IPTUN_TOS,
			1); /* 1 = inherit: an encapsulated packet has the inner one's TOS (E5) */
	mnl_attr_put_u8(h, IFLA_IPTUN_PMTUDISC, 1);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return talk(rt, h);
}

int rt_link_up(struct rt *rt, unsigned ifindex, unsigned mtu)
{
	union message m;
	struct nlmsghdr *h = start(&m, RTM_NEWLINK, 0);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifi_index = (int)ifindex;
	i->ifi_flags = IFF_UP;
	i->ifi_change = IFF_UP;
	mnl_attr_put_strz(h, IFLA_IFALIAS, RT_ALIAS);
	if (mtu > 0)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	return talk(rt, h);
}

int rt_link_del(struct rt *rt, unsigned ifindex)
{
	union message m;
	struct nlmsghdr *h = start(&m, RTM_DELLINK, 0);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifi_index = (int)ifindex;
	return talk(rt, h);
}

/* --- dumps --- */

/* type with a fixed part of body_len bytes; cb sees each answer. */
static int dump(struct rt *rt, uint16_t type, const void *body, size_t body_len, mnl_cb_t cb, void *user)
{
	union message m;
	struct nlmsghdr *h = start(&m, type, NLM_F_REQUEST | NLM_F_DUMP);
	char buf[32768];
	int more = 1;

	memcpy(mnl_nlmsg_put_extra_header(h, body_len), body, body_len);
	h->nlmsg_seq = ++rt->seq;
	if (mnl_socket_sendto(rt->nl, h, h->nlmsg_len) < 0)
		return errno;
	while (more > 0) {
		ssize_t n = mnl_socket_recvfrom(rt->nl, buf, sizeof(buf));

		if (n < 0)
			return errno;
		more = mnl_cb_run(buf, (size_t)n, rt->seq, mnl_socket_get_portid(rt->nl), cb, user);
	}
	return more < 0 ? errno : 0;
}

static const struct nlattr *find_attr(const struct nlmsghdr *h, size_t header, uint16_t type)
{
	struct nlattr *a;

	mnl_attr_for_each(a, h, header) if (mnl_attr_get_type(a) == type) return a;
	return NULL;
}

struct addr_search {
	unsigned ifindex;
	struct in_addr addr;
	int len;
};

static int addr_seen(const struct nlmsghdr *h, void *user)
{
	const struct ifaddrmsg *a = mnl_nlmsg_get_payload(h);
	const struct nlattr *local = find_attr(h, sizeof(*a), IFA_LOCAL);
	struct addr_search *s = user;

	if (local != NULL && a->ifa_index == s->ifindex && mnl_attr_get_u32(local) == s->addr.s_addr)
		s->len = a->ifa_prefixlen;
	return MNL_CB_OK;
}

int rt_addr_len(struct rt *rt, unsigned ifindex, struct in_addr addr)
{
	struct ifaddrmsg of = {.ifa_family = AF_INET};
	struct addr_search s = {.ifindex = ifindex, .addr = addr, .len = -1};

	return dump(rt, RTM_GETADDR, &of, sizeof(of), addr_seen, &s) == 0 ? s.len : -1;
}

/* --- flush: dump a kind, keep copies of ours, delete them one by one --- */

struct flush_kind {
	uint16_t get, del;
	size_t header; /* of the family's fixed part */
	uint8_t neigh_flags;
	bool (*ours)(const struct nlmsghdr *h);
};
struct flush_list {
	const struct flush_kind *kind;
	struct nlmsghdr **m;
	size_t n;
};

static bool route_ours(const struct nlmsghdr *h)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(h);

	return r->rtm_protocol == RT_PROTOCOL;
}

static bool rule_ours(const struct nlmsghdr *h)
{
	const struct nlattr *a = find_attr(h, sizeof(struct fib_rule_hdr), FRA_PROTOCOL);

	return a != NULL && mnl_attr_get_u8(a) == RT_PROTOCOL;
}

static bool neigh_ours(const struct nlmsghdr *h)
{
	const struct nlattr *a = find_attr(h, sizeof(struct ndmsg), NDA_PROTOCOL);

	return a != NULL && mnl_attr_get_u8(a) == RT_PROTOCOL;
}

static bool link_ours(const struct nlmsghdr *h)
{
	const struct nlattr *a = find_attr(h, sizeof(struct ifinfomsg), IFLA_IFALIAS);

	return a != NULL && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 &&
	       strcmp(mnl_attr_get_str(a), RT_ALIAS) == 0;
}

static int flush_collect(const struct nlmsghdr *h, void *user)
{
	struct flush_list *l = user;
	struct nlmsghdr **grown;

	if (!l->kind->ours(h))
		return MNL_CB_OK;
	grown = realloc(l->m, (l->n + 1) * sizeof(*grown));
	if (grown == NULL)
		return MNL_CB_ERROR;
	l->m = grown;
	l->m[l->n] = malloc(h->nlmsg_len);
	if (l->m[l->n] == NULL)
		return MNL_CB_ERROR;
	memcpy(l->m[l->n++], h, h->nlmsg_len);
	return MNL_CB_OK;
}

static int flush_dump(struct rt *rt, struct flush_list *l)
{
	union {
		uint8_t family; /* all of them begin with it */
		struct fib_rule_hdr rule;
		struct rtmsg route;
		struct ndmsg neigh;
		struct ifinfomsg link;
	} body = {0};

	body.family = l->kind->get == RTM_GETLINK ? AF_UNSPEC : AF_INET;
	if (l->kind->get == RTM_GETNEIGH)
		body.neigh.ndm_flags = l->kind->neigh_flags;
	return dump(rt, l->kind->get, &body, l->kind->header, flush_collect, l);
}

static int flush_delete(struct rt *rt, struct flush_list *l, int error)
{
	for (size_t i = 0; i < l->n; i++) {
		int e = 0;

		l->m[i]->nlmsg_type = l->kind->del;
		l->m[i]->nlmsg_flags = 0;
		if (l->kind->get == RTM_GETLINK) /* the whole description of a link is no good request */
			e = rt_link_del(
				rt,
				(unsigned)((struct ifinfomsg *)mnl_nlmsg_get_payload(l->m[i]))->ifi_index);
		else
			e = talk(rt, l->m[i]);
		if (e != 0 && e != ENOENT && e != ESRCH && e != ENODEV && error == 0)
			error = e;
		free(l->m[i]);
	}
	free(l->m);
	return error;
}

int rt_flush(struct rt *rt)
{
	static const struct flush_kind kinds[] = {
		{RTM_GETRULE, RTM_DELRULE, sizeof(struct fib_rule_hdr), 0, rule_ours},
		{RTM_GETROUTE, RTM_DELROUTE, sizeof(struct rtmsg), 0, route_ours},
		{RTM_GETNEIGH, RTM_DELNEIGH, sizeof(struct ndmsg), 0, neigh_ours},
		{RTM_GETNEIGH, RTM_DELNEIGH, sizeof(struct ndmsg), NTF_PROXY, neigh_ours},
		{RTM_GETLINK, RTM_DELLINK, sizeof(struct ifinfomsg), 0, link_ours},
	};
	int error = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct flush_list l = {.kind = &kinds[i]};
		int e = flush_dump(rt, &l);

		e = flush_delete(rt, &l, e);
		if (error == 0)
			error = e;
	}
	return error;
}
