/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mobile nodes: visitors on our links, bindings into tunnels, reverse tunnels, proxy ARP on the home link.
 */
#include "nethelper/net_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "lib/log.h"

/* --- the rule that leads to NH_TABLE_MIP: there while something is in it --- */

static const struct rt_rule mip_rule = {.pref = NH_PREF_MIP, .table = NH_TABLE_MIP};

static int mip_rule_hold(struct net *n)
{
	int error = n->mip_rule_users == 0 ? rt_rule_set(n->rt, true, &mip_rule) : 0;

	if (error == 0)
		n->mip_rule_users++;
	return net_rt_fail(n, error, "adding the rule for visitors and bindings");
}

static void mip_rule_release(struct net *n)
{
	if (--n->mip_rule_users == 0)
		rt_rule_set(n->rt, false, &mip_rule);
}

/* --- routes: of what is known of an address, what counts now --- */

static unsigned route_wanted(struct net *n, struct in_addr addr)
{
	struct visitor_entry *v;
	struct binding_entry *b;
	struct forward_entry *f;

	HASH_FIND(hh, n->forwards, &addr, sizeof(addr), f);
	if (f != NULL)
		return f->tunnel->ifindex;
	HASH_FIND(hh, n->visitors, &addr, sizeof(addr), v);
	HASH_FIND(hh, n->bindings, &addr, sizeof(addr), b);
	if (v != NULL && (b == NULL || b->order < v->order))
		return v->ifindex;
	return b != NULL ? b->tunnel->ifindex : 0;
}

static struct route_entry *route_need(struct net *n, struct in_addr addr)
{
	struct route_entry *r;

	HASH_FIND(hh, n->routes, &addr, sizeof(addr), r);
	if (r != NULL)
		return r;
	r = mip_rule_hold(n) == 0 ? calloc(1, sizeof(*r)) : NULL;
	if (r == NULL)
		return NULL;
	r->addr = addr;
	HASH_ADD(hh, n->routes, addr, sizeof(r->addr), r);
	return r;
}

static void route_end(struct net *n, struct in_addr addr)
{
	struct route_entry *r;

	HASH_FIND(hh, n->routes, &addr, sizeof(addr), r);
	if (r == NULL)
		return;
	rt_route_set(n->rt, false, NH_TABLE_MIP, addr, 32, r->ifindex);
	HASH_DEL(n->routes, r);
	free(r);
	mip_rule_release(n);
}

/* Brings the route of addr to what is known of it; one replaces the other, so that no packet is lost in between. */
static int route_settle(struct net *n, struct in_addr addr)
{
	unsigned ifindex = route_wanted(n, addr);
	struct route_entry *r;
	int error;

	if (ifindex == 0) {
		route_end(n, addr);
		return 0;
	}
	r = route_need(n, addr);
	if (r == NULL)
		return ENOMEM;
	error = rt_route_set(n->rt, true, NH_TABLE_MIP, addr, 32, ifindex);
	if (error == 0)
		r->ifindex = ifindex;
	return net_rt_fail(n, error, "setting the host route");
}

/* --- visitors --- */

static struct visitor_entry *visitor_find(struct net *n, struct in_addr addr)
{
	struct visitor_entry *v;

	HASH_FIND(hh, n->visitors, &addr, sizeof(addr), v);
	return v;
}

static void visitor_end(struct net *n, struct visitor_entry *v)
{
	fw_visitor_del(n->fw, v->addr);
	rt_neigh_set(n->rt, false, v->addr, v->ifindex, NULL);
	HASH_DEL(n->visitors, v);
	route_settle(n, v->addr);
	free(v);
}

int do_visitor_del(struct net *n, const struct nh_request *r)
{
	struct visitor_entry *v = visitor_find(n, r->addr);

	if (v == NULL)
		return net_fail(n, ENOENT, "there is no such visitor");
	visitor_end(n, v);
	return 0;
}

static int visitor_set(struct net *n, struct visitor_entry *v, const struct nh_request *r)
{
	unsigned old = v->ifindex;
	char link[IFNAMSIZ];
	int error;

	if (!n->allowed->name_of(r->ifindex, link))
		return ENODEV;
	v->ifindex = r->ifindex;
	v->order = ++n->order;
	error = net_rt_fail(n, rt_neigh_set(n->rt, true, v->addr, v->ifindex, r->mac),
			    "pinning the neighbour");
	if (error == 0)
		error = route_settle(n, v->addr);
	if (error == 0)
		error = fw_visitor_add(n->fw, v->addr, link, r->mac);
	if (old != 0 && old != v->ifindex)
		rt_neigh_set(n->rt, false, v->addr, old, NULL);
	return error;
}

/* Also for one that is there: it may have come to another link, or with another card. */
int do_visitor_add(struct net *n, const struct nh_request *r)
{
	struct visitor_entry *v = visitor_find(n, r->addr);
	char why[sizeof(n->why)];
	int error;

	if (v == NULL) {
		v = calloc(1, sizeof(*v));
		if (v == NULL)
			return ENOMEM;
		v->addr = r->addr;
		HASH_ADD(hh, n->visitors, addr, sizeof(v->addr), v);
	}
	error = visitor_set(n, v, r);
	if (error == 0)
		return 0;
	memcpy(why, n->why, sizeof(why));
	visitor_end(n, v);
	memcpy(n->why, why, sizeof(why));
	return error;
}

/* --- bindings --- */

static void binding_leave_tunnel(struct net *n, struct binding_entry *b)
{
	fw_tunnel_source(n->fw, false, b->tunnel->name, b->addr);
	tunnel_release(n, b->tunnel);
	b->tunnel = NULL;
}

static int binding_enter_tunnel(struct net *n, struct binding_entry *b, struct tunnel *t)
{
	int error = fw_tunnel_source(n->fw, true, t->name, b->addr);

	if (error != 0)
		return error;
	b->tunnel = t;
	tunnel_use(t);
	return 0;
}

static int binding_move(struct net *n, struct binding_entry *b, struct tunnel *t)
{
	struct binding_entry old = *b;
	int error;

	if (b->tunnel == t)
		return 0;
	error = binding_enter_tunnel(n, b, t);
	if (error != 0)
		return error;
	b->order = ++n->order;
	error = route_settle(n, b->addr);
	if (error == 0) {
		binding_leave_tunnel(n, &old);
		return 0;
	}
	binding_leave_tunnel(n, b);
	b->tunnel = old.tunnel;
	b->order = old.order;
	return error;
}

static void binding_end(struct net *n, struct binding_entry *b)
{
	HASH_DEL(n->bindings, b);
	route_settle(n, b->addr);
	binding_leave_tunnel(n, b);
	free(b);
}

static int binding_new(struct net *n, struct in_addr addr, struct tunnel *t)
{
	struct binding_entry *b = calloc(1, sizeof(*b));
	int error;

	if (b == NULL)
		return ENOMEM;
	b->addr = addr;
	error = binding_enter_tunnel(n, b, t);
	if (error != 0) {
		free(b);
		return error;
	}
	b->order = ++n->order;
	HASH_ADD(hh, n->bindings, addr, sizeof(b->addr), b);
	error = route_settle(n, addr);
	if (error != 0)
		binding_end(n, b);
	return error;
}

int do_binding_add(struct net *n, const struct nh_request *r)
{
	struct tunnel *t = tunnel_find(n, r);
	struct binding_entry *b;

	if (t == NULL)
		return ENOENT;
	HASH_FIND(hh, n->bindings, &r->addr, sizeof(r->addr), b);
	return b != NULL ? binding_move(n, b, t) : binding_new(n, r->addr, t);
}

int do_binding_del(struct net *n, const struct nh_request *r)
{
	struct binding_entry *b;

	HASH_FIND(hh, n->bindings, &r->addr, sizeof(r->addr), b);
	if (b == NULL)
		return net_fail(n, ENOENT, "there is no such binding");
	if (r->peer.s_addr != 0 && r->peer.s_addr != b->tunnel->ends.peer.s_addr)
		return net_fail(n, ENOENT, "the binding is with another care-of address");
	binding_end(n, b);
	return 0;
}

/* --- visitors who have moved on --- */

static struct forward_entry *forward_find(struct net *n, struct in_addr addr)
{
	struct forward_entry *f;

	HASH_FIND(hh, n->forwards, &addr, sizeof(addr), f);
	return f;
}

static void forward_end(struct net *n, struct forward_entry *f)
{
	fw_forward(n->fw, false, f->addr);
	HASH_DEL(n->forwards, f);
	route_settle(n, f->addr);
	tunnel_release(n, f->tunnel);
	free(f);
}

static int forward_new(struct net *n, struct in_addr addr, struct tunnel *t)
{
	struct forward_entry *f = calloc(1, sizeof(*f));
	int error;

	if (f == NULL)
		return ENOMEM;
	f->addr = addr;
	f->tunnel = t;
	tunnel_use(t);
	HASH_ADD(hh, n->forwards, addr, sizeof(f->addr), f);
	error = fw_forward(n->fw, true, addr);
	if (error == 0)
		error = route_settle(n, addr);
	if (error != 0)
		forward_end(n, f);
	return error;
}

static int forward_move(struct net *n, struct forward_entry *f, struct tunnel *t)
{
	struct tunnel *old = f->tunnel;
	int error;

	f->tunnel = t;
	tunnel_use(t);
	error = route_settle(n, f->addr);
	if (error != 0)
		f->tunnel = old;
	tunnel_release(n, error == 0 ? old : t);
	return error;
}

int do_forward_add(struct net *n, const struct nh_request *r)
{
	struct forward_entry *f = forward_find(n, r->addr);
	struct tunnel *t = tunnel_find(n, r);

	if (t == NULL)
		return ENOENT;
	return f != NULL ? forward_move(n, f, t) : forward_new(n, r->addr, t);
}

int do_forward_del(struct net *n, const struct nh_request *r)
{
	struct forward_entry *f = forward_find(n, r->addr);

	if (f == NULL)
		return net_fail(n, ENOENT, "nothing is forwarded for that address");
	forward_end(n, f);
	return 0;
}

/* --- reverse tunnels --- */

/* Two rules: what the visitor sends to the agent itself stays here, the rest goes into the tunnel. */
static int reverse_rules(struct net *n, bool add, const struct reverse_entry *e)
{
	struct vpn_prefix from = {.addr = e->addr, .len = 32};
	struct rt_rule local = {.pref = NH_PREF_LOCAL, .table = RT_TABLE_LOCAL, .src = from, .iif = e->link};
	struct rt_rule tunnel = {
		.pref = NH_PREF_REVERSE, .table = tunnel_table(e->tunnel), .src = from, .iif = e->link};
	int error = rt_rule_set(n->rt, add, &local);

	if (error != 0 && add)
		return net_rt_fail(n, error, "adding the rule for the visitor's local packets");
	error = rt_rule_set(n->rt, add, &tunnel);
	if (error != 0 && add)
		rt_rule_set(n->rt, false, &local);
	return net_rt_fail(n, error, "setting the rule of the reverse tunnel");
}

int do_reverse_del(struct net *n, const struct nh_request *r)
{
	struct reverse_entry *e;

	HASH_FIND(hh, n->reverses, &r->addr, sizeof(r->addr), e);
	if (e == NULL)
		return net_fail(n, ENOENT, "there is no such reverse tunnel");
	reverse_rules(n, false, e);
	tunnel_release(n, e->tunnel);
	HASH_DEL(n->reverses, e);
	free(e);
	return 0;
}

static int reverse_new(struct net *n, const struct nh_request *r, struct tunnel *t)
{
	struct reverse_entry *e = calloc(1, sizeof(*e));
	int error = ENODEV;

	if (e == NULL)
		return ENOMEM;
	e->addr = r->addr;
	e->tunnel = t;
	if (n->allowed->name_of(r->ifindex, e->link))
		error = reverse_rules(n, true, e);
	if (error != 0) {
		free(e);
		return error;
	}
	tunnel_use(t);
	HASH_ADD(hh, n->reverses, addr, sizeof(e->addr), e);
	return 0;
}

int do_reverse_add(struct net *n, const struct nh_request *r)
{
	struct tunnel *t = tunnel_find(n, r);
	struct reverse_entry *e;
	int error;

	if (t == NULL)
		return ENOENT;
	HASH_FIND(hh, n->reverses, &r->addr, sizeof(r->addr), e);
	tunnel_use(t); /* removing the old entry must not take the device down */
	if (e != NULL)
		do_reverse_del(n, r);
	error = reverse_new(n, r, t);
	tunnel_release(n, t);
	return error;
}

/* --- the home link --- */

/* The kernel answers proxied addresses after a random delay of up to 0.8 s, made for many proxies on a link.
 * Here is one, and a host waits. */
static void home_no_delay(struct net *n, const char *name)
{
	struct home_link *h = &n->homes[n->n_homes];
	char path[96];

	for (size_t i = 0; i < n->n_homes; i++)
		if (strcmp(n->homes[i].name, name) == 0)
			return;
	if (n->n_homes == NH_IFS_MAX)
		return;
	snprintf(path, sizeof(path), "ipv4/neigh/%s/proxy_delay", name);
	if (sysctl_set(path, "0", h->old_delay, sizeof(h->old_delay)) != 0)
		return;
	snprintf(h->name, sizeof(h->name), "%s", name);
	n->n_homes++;
}

static void homes_restore(struct net *n)
{
	char path[96];

	for (size_t i = 0; i < n->n_homes; i++) {
		snprintf(path, sizeof(path), "ipv4/neigh/%s/proxy_delay", n->homes[i].name);
		sysctl_set(path, n->homes[i].old_delay, NULL, 0);
	}
	n->n_homes = 0;
}

int do_proxy_arp_add(struct net *n, const struct nh_request *r)
{
	char name[IFNAMSIZ];

	if (n->allowed->name_of(r->ifindex, name))
		home_no_delay(n, name);
	return net_rt_fail(n, rt_proxy_set(n->rt, true, r->addr, r->ifindex), "adding the proxy ARP entry");
}

int do_proxy_arp_del(struct net *n, const struct nh_request *r)
{
	return net_rt_fail(n, rt_proxy_set(n->rt, false, r->addr, r->ifindex),
			   "removing the proxy ARP entry");
}

int do_garp(struct net *n, const struct nh_request *r)
{
	return net_rt_fail(n, arp_announce(n->arp, r->addr, r->ifindex, r->mac, n->now_ms),
			   "sending gratuitous ARP");
}

void hosts_forget_all(struct net *n)
{
	struct visitor_entry *v, *v2;
	struct binding_entry *b, *b2;
	struct reverse_entry *e, *e2;
	struct forward_entry *f, *f2;
	struct route_entry *r, *r2;

	HASH_ITER(hh, n->forwards, f, f2)
	{
		HASH_DEL(n->forwards, f);
		free(f);
	}
	HASH_ITER(hh, n->routes, r, r2)
	{
		HASH_DEL(n->routes, r);
		free(r);
	}
	HASH_ITER(hh, n->visitors, v, v2)
	{
		HASH_DEL(n->visitors, v);
		free(v);
	}
	HASH_ITER(hh, n->bindings, b, b2)
	{
		HASH_DEL(n->bindings, b);
		free(b);
	}
	HASH_ITER(hh, n->reverses, e, e2)
	{
		HASH_DEL(n->reverses, e);
		free(e);
	}
	n->mip_rule_users = 0;
	homes_restore(n);
}
