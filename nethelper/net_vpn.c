/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Profiles' routing: one rule per profile and direction that leaves through a tunnel of ours, into charon's
 * table or into that of an IP-in-IP device.  What may pass and how it is marked is fw's.
 */
#include "nethelper/net_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* By pointer and memcpy only: it is hashed with its padding, which an assignment need not copy. */
static void key_of(const struct nh_request *r, struct path_key *k)
{
	memset(k, 0, sizeof(*k));
	k->src.addr = r->src.addr;
	k->src.len = r->src.len;
	k->dst.addr = r->dst.addr;
	k->dst.len = r->dst.len;
}

static struct path_entry *path_find(struct net *n, const struct path_key *k)
{
	struct path_entry *p;

	HASH_FIND(hh, n->paths, k, sizeof(*k), p);
	return p;
}

static struct path_entry *path_need(struct net *n, const struct path_key *k)
{
	struct path_entry *p = path_find(n, k);

	if (p == NULL) {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return NULL;
		memcpy(&p->key, k, sizeof(*k));
		HASH_ADD(hh, n->paths, key, sizeof(p->key), p);
	}
	return p;
}

static void path_end(struct net *n, struct path_entry *p)
{
	if (p->leg[0].n > 0 || p->leg[1].n > 0)
		return;
	HASH_DEL(n->paths, p);
	free(p);
}

/* The source gateway tunnels what goes up, the destination gateway what comes down. */
static int leg_rule(struct net *n, bool add, const struct path_entry *p, bool here_is_src,
		    const struct tunnel *t)
{
	struct rt_rule rule = {.pref = NH_PREF_VPN,
			       .table = t != NULL ? tunnel_table(t) : NH_TABLE_CHARON,
			       .src = here_is_src ? p->key.src : p->key.dst,
			       .dst = here_is_src ? p->key.dst : p->key.src};

	if (t == NULL && !add)
		late_rule_del(n, &rule);
	if (t == NULL && (!add || late_rule_keep(n, &rule)))
		return 0;
	return net_rt_fail(n, rt_rule_set(n->rt, add, &rule), "setting the rule of the profile");
}

/* What the mobile node sends through an IP-in-IP tunnel comes out at the destination gateway's end of it. */
static int leg_source(struct net *n, bool add, const struct path_entry *p, bool here_is_src,
		      const struct tunnel *t)
{
	return t != NULL && !here_is_src ? fw_tunnel_source(n->fw, add, t->name, p->key.src.addr) : 0;
}

static struct path_via *leg_find(struct path_leg *leg, const struct tunnel *t)
{
	for (unsigned i = 0; i < leg->n; i++)
		if (leg->via[i].tunnel == t)
			return &leg->via[i];
	return NULL;
}

/* The kernel takes the first of two rules that are the same but for their table: one is added before the
 * other goes, and no packet is without. */
static int leg_switch(struct net *n, const struct path_entry *p, bool here_is_src, const struct path_via *to,
		      const struct path_via *from)
{
	int error = to != NULL ? leg_rule(n, true, p, here_is_src, to->tunnel) : 0;

	if (error == 0 && from != NULL)
		leg_rule(n, false, p, here_is_src, from->tunnel);
	return error;
}

static void leg_take_out(struct path_leg *leg, struct path_via *v)
{
	size_t behind = (size_t)(&leg->via[leg->n] - v) - 1;

	memmove(v, v + 1, behind * sizeof(*v));
	leg->n--;
}

/* t is the leg's way from now on. */
static int leg_lead(struct net *n, struct path_entry *p, bool here_is_src, struct tunnel *t)
{
	struct path_leg *leg = &p->leg[here_is_src];
	struct path_via *old = leg_find(leg, t), *last = leg->n > 0 ? &leg->via[leg->n - 1] : NULL;
	struct path_via way = old != NULL ? *old : (struct path_via){.tunnel = t};
	int error = 0;

	if (old != NULL && old == last)
		return 0;
	if (old == NULL)
		error = leg_source(n, true, p, here_is_src, t);
	if (error != 0)
		return error;
	error = leg_switch(n, p, here_is_src, &way, last);
	if (error != 0) {
		if (old == NULL)
			leg_source(n, false, p, here_is_src, t);
		return error;
	}
	if (old != NULL)
		leg_take_out(leg, old);
	else if (t != NULL)
		tunnel_use(t);
	leg->via[leg->n++] = way;
	return 0;
}

/* v has no user any more; the one before it takes over. */
static void leg_leave(struct net *n, struct path_entry *p, bool here_is_src, struct path_via *v)
{
	struct path_leg *leg = &p->leg[here_is_src];
	struct path_via *before = leg->n > 1 ? &leg->via[leg->n - 2] : NULL;
	struct tunnel *t = v->tunnel;

	if (v == &leg->via[leg->n - 1])
		leg_switch(n, p, here_is_src, before, v);
	leg_source(n, false, p, here_is_src, t);
	leg_take_out(leg, v);
	if (t != NULL)
		tunnel_release(n, t);
}

static struct fw_vpn fw_part(const struct nh_request *r, bool here_is_src, const struct tunnel *t)
{
	return (struct fw_vpn){.src = r->src.addr,
			       .dst = r->dst,
			       .here_is_src = here_is_src,
			       .tos_up = r->tos_up,
			       .tos_down = r->tos_down,
			       .tunnel = t != NULL ? t->name : NULL};
}

static int leg_hold(struct net *n, struct path_entry *p, const struct nh_request *r, bool here_is_src,
		    struct tunnel *t)
{
	struct path_leg *leg = &p->leg[here_is_src];
	struct fw_vpn part = fw_part(r, here_is_src, t);
	int error;

	if (leg->n > 0 && (leg->via[0].tunnel == NULL) != (t == NULL))
		return net_fail(n, EEXIST, "these packets already have a tunnel of another kind");
	if (leg_find(leg, t) == NULL && leg->n == FW_LEG_TUNNELS)
		return net_fail(n, EBUSY, "these packets have too many tunnels already");
	error = fw_vpn_add(n->fw, &part);
	if (error != 0)
		return error;
	error = leg_lead(n, p, here_is_src, t);
	if (error == 0)
		leg->via[leg->n - 1].refs++;
	else
		fw_vpn_del(n->fw, &part);
	return error;
}

static bool leg_stands(struct path_entry *p, bool here_is_src, const struct tunnel *t)
{
	return p != NULL && leg_find(&p->leg[here_is_src], t) != NULL;
}

static void leg_release(struct net *n, struct path_entry *p, const struct nh_request *r, bool here_is_src,
			struct tunnel *t)
{
	struct path_via *v = leg_find(&p->leg[here_is_src], t);
	struct fw_vpn part = fw_part(r, here_is_src, t);

	fw_vpn_del(n->fw, &part);
	if (--v->refs == 0)
		leg_leave(n, p, here_is_src, v);
}

static int path_add(struct net *n, const struct nh_request *r, struct tunnel *t)
{
	bool dst = r->side != NH_SIDE_SRC, src = r->side != NH_SIDE_DST;
	struct path_key k;
	struct path_entry *p;
	int error;

	key_of(r, &k);
	p = path_need(n, &k);
	error = p != NULL ? 0 : ENOMEM;
	if (error == 0 && dst)
		error = leg_hold(n, p, r, false, t);
	if (error == 0 && src) {
		error = leg_hold(n, p, r, true, t);
		if (error != 0 && dst)
			leg_release(n, p, r, false, t);
	}
	if (p != NULL)
		path_end(n, p);
	return error;
}

static int path_del(struct net *n, const struct nh_request *r, struct tunnel *t)
{
	bool dst = r->side != NH_SIDE_SRC, src = r->side != NH_SIDE_DST;
	struct path_key k;
	struct path_entry *p;

	key_of(r, &k);
	p = path_find(n, &k);
	if ((dst && !leg_stands(p, false, t)) || (src && !leg_stands(p, true, t)))
		return net_fail(n, ENOENT, "there is no such profile here");
	if (dst)
		leg_release(n, p, r, false, t);
	if (src)
		leg_release(n, p, r, true, t);
	path_end(n, p);
	return 0;
}

int do_vpn_add(struct net *n, const struct nh_request *r)
{
	return path_add(n, r, NULL);
}

int do_vpn_del(struct net *n, const struct nh_request *r)
{
	return path_del(n, r, NULL);
}

int do_encap_add(struct net *n, const struct nh_request *r)
{
	struct tunnel *t = tunnel_find(n, r);

	return t != NULL ? path_add(n, r, t) : ENOENT;
}

int do_encap_del(struct net *n, const struct nh_request *r)
{
	struct tunnel *t = tunnel_find(n, r);

	return t != NULL ? path_del(n, r, t) : ENOENT;
}

int do_protect_add(struct net *n, const struct nh_request *r)
{
	return fw_protect(n->fw, true, &r->dst);
}

int do_protect_del(struct net *n, const struct nh_request *r)
{
	return fw_protect(n->fw, false, &r->dst) == 0 ? 0
						      : net_fail(n, ENOENT, "that prefix is not protected");
}

/* --- Binding Updates: a PCN's correspondents, a home agent's first packets --- */

static int pcn_route(struct net *n, bool add)
{
	static const struct rt_rule rule = {.pref = NH_PREF_PCN, .table = NH_TABLE_PCN, .mark = NH_MARK_PCN};
	int error = rt_local_set(n->rt, add, NH_TABLE_PCN);

	if (error == 0 || !add)
		error = rt_rule_set(n->rt, add, &rule);
	return net_rt_fail(n, error, "setting the route of Binding Updates");
}

int do_pcn_add(struct net *n, const struct nh_request *r)
{
	int error = n->pcn_users == 0 ? pcn_route(n, true) : 0;

	if (error == 0)
		error = fw_pcn(n->fw, true, &r->dst);
	if (error == 0)
		n->pcn_users++;
	return error;
}

int do_pcn_del(struct net *n, const struct nh_request *r)
{
	if (fw_pcn(n->fw, false, &r->dst) != 0)
		return net_fail(n, ENOENT, "that prefix is not a PCN's");
	return --n->pcn_users == 0 ? pcn_route(n, false) : 0;
}

int do_watch_add(struct net *n, const struct nh_request *r)
{
	return fw_watch(n->fw, true, r->addr);
}

int do_watch_del(struct net *n, const struct nh_request *r)
{
	return fw_watch(n->fw, false, r->addr) == 0 ? 0 : net_fail(n, ENOENT, "that address is not watched");
}

bool path_covers(struct net *n, struct in_addr user, struct in_addr correspondent)
{
	struct nh_request r = {.src = {.addr = user, .len = 32}};
	uint32_t host = ntohl(correspondent.s_addr);
	struct path_key k;

	for (unsigned len = 0; n->paths != NULL && len <= 32; len++) {
		r.dst.len = (uint8_t)len;
		r.dst.addr.s_addr = len == 0 ? 0 : htonl(host & (UINT32_MAX << (32 - len)));
		key_of(&r, &k);
		if (path_find(n, &k) != NULL)
			return true;
	}
	return false;
}

void paths_forget_all(struct net *n)
{
	struct path_entry *p, *p2;

	HASH_ITER(hh, n->paths, p, p2)
	{
		HASH_DEL(n->paths, p);
		free(p);
	}
	n->pcn_users = 0;
	n->n_late = 0;
}
