/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The data path (E4, E5): what the helper is asked to do in the kernel.
 *
 * A flow is open while every leg of it that ends here has a tunnel that is up: at a foreign agent the one leg
 * to the destination gateway, at a home agent the leg to the foreign agent and the leg to the enterprise's
 * gateway. Only an open flow has its rules, marks and permission in the kernel: until then, and when a tunnel
 * is lost, the default drop for the protected prefix holds its packets back, so none leaves in the clear.
 * A tunnel that the other end completes (late) opens its flow before it is up, and keeps it open: the packets
 * behind it come at once. What goes the other way is held back by the filter: into a tunnel or nowhere.
 * Encapsulation only: there is no tunnel in charon, that leg is up as long as somebody wants it.
 *
 * At a home agent the two legs may be of different kinds: encapsulation to the foreign agent, IPsec to the
 * enterprise's gateway. Those are two flows of the same packets, and they open and close together: each looks
 * at the legs of both. The kernel knows them apart, so the order counts: the way on (to the enterprise)
 * stands, confirmed by the helper, before the other flow lets packets in, and it goes after it. An agent's
 * part (VPN_GW_AGENT) where we are the destination gateway never opens anything alone: its path goes on
 * behind us.
 */
#include "agent/vpn/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/counter.h"

void path_request(struct vpn *v, struct nh_request *r, struct flow *f, struct protect *p, bool add)
{
	struct net_op *op = calloc(1, sizeof(*op));

	if (!op) {
		counter_inc("vpn.no_memory");
		return;
	}
	op->cookie = ++v->next_cookie;
	op->flow = f;
	op->protect = p;
	op->add = add;
	op->device = r->verb == NH_IPIP_ADD || r->verb == NH_IPIP_DEL;
	if (f)
		f->pending++;
	else
		p->pending++;
	HASH_ADD(hh, v->net_ops, cookie, sizeof(op->cookie), op);
	v->ops.net(v->user, r, op->cookie);
}

/* --- flows --- */

struct tuning { /* how a flow is set in the kernel */
	uint8_t tos_up, tos_down, side;
};

static void flow_request(struct vpn *v, struct flow *f, uint32_t verb, const struct tuning *as)
{
	bool add = verb == NH_VPN_ADD || verb == NH_ENCAP_ADD || verb == NH_IPIP_ADD;
	struct nh_request r = {
		.verb = verb,
		.src = {f->key.src, f->key.src_len},
		.dst = {f->key.dst, f->key.dst_len},
		.local = f->local,
		.peer = f->key.peer,
		.tos_up = as->tos_up,
		.tos_down = as->tos_down,
		.side = as->side,
	};

	path_request(v, &r, f, NULL, add);
}

static struct tuning tuning_set(const struct flow *f)
{
	return (struct tuning){f->tos_up, f->tos_down, f->side};
}

/* The path, without the device that an encapsulated one goes through. */
static void flow_path(struct vpn *v, struct flow *f, bool add, const struct tuning *as)
{
	static const uint32_t verbs[2][2] = {{NH_VPN_DEL, NH_VPN_ADD}, {NH_ENCAP_DEL, NH_ENCAP_ADD}};

	flow_request(v, f, verbs[f->key.encap][add], as);
}

static bool flow_wanted(const struct flow *f)
{
	const struct part *p;

	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (!p->retired)
			return true;
	}
	return false;
}

/* Does o lead f's packets to another peer? */
static bool is_rival(const struct flow *f, const struct flow *o)
{
	return o && o != f && o->installed && !o->replaced && o->key.encap &&
	       o->key.src.s_addr == f->key.src.s_addr && o->key.dst.s_addr == f->key.dst.s_addr &&
	       o->key.dst_len == f->key.dst_len;
}

/* With the helper, the last one added counts. The flows of the same packets are those of the same user. */
static void flow_replaces(const struct flow *f)
{
	const struct part *any = LIST_FIRST(&f->parts);
	struct part *p;

	LIST_FOREACH(p, &any->session->parts, in_session)
	{
		if (is_rival(f, p->flow))
			p->flow->replaced = true;
	}
}

/* Wanted, and nobody who is wanted, too, has its place. */
static bool flow_is_back(const struct flow *f)
{
	const struct part *any = LIST_FIRST(&f->parts), *p;

	if (!f->installed || !f->replaced || !flow_wanted(f))
		return false;
	LIST_FOREACH(p, &any->session->parts, in_session)
	{
		if (is_rival(f, p->flow) && flow_wanted(p->flow))
			return false;
	}
	return true;
}

static void flow_install(struct vpn *v, struct flow *f, const struct tuning *as)
{
	f->tos_up = as->tos_up;
	f->tos_down = as->tos_down;
	f->side = as->side;
	if (f->key.encap) {
		flow_request(v, f, NH_IPIP_ADD, as);
		f->device = true;
		flow_replaces(f);
	}
	flow_path(v, f, true, as);
	f->installed = true;
	f->replaced = false;
}

static void device_release(struct vpn *v, struct flow *f)
{
	struct tuning as = tuning_set(f);

	if (f->device)
		flow_request(v, f, NH_IPIP_DEL, &as);
	f->device = false;
}

static void flow_uninstall(struct vpn *v, struct flow *f)
{
	struct tuning as = tuning_set(f);

	flow_path(v, f, false, &as); /* of this peer: another's, which has replaced it, stays */
	device_release(v, f);
	f->installed = f->replaced = false;
}

/* A handoff's tunnel is a leg of the flow from the moment when it is up; before, it changes nothing. */
static bool part_joins(const struct part *p)
{
	return p->p.dst_gw_type != VPN_GW_HANDOFF || (p->tunnel && tunnel_is_up(p->tunnel));
}

/* The leg that a part is: toward the source (we are its destination gateway), or toward the destination. */
static bool leg_of(const struct flow *f, const struct part *p)
{
	return p->p.src_gw.s_addr == f->local.s_addr;
}

static bool same_packets(const struct flow *a, const struct flow *b)
{
	return a->key.src.s_addr == b->key.src.s_addr && a->key.src_len == b->key.src_len &&
	       a->key.dst.s_addr == b->key.dst.s_addr && a->key.dst_len == b->key.dst_len;
}

/* The flow of p, when it is another one of f's packets. */
static struct flow *other_flow(const struct flow *f, const struct part *p)
{
	return p->flow && p->flow != f && same_packets(p->flow, f) ? p->flow : NULL;
}

struct legs {
	bool needed[2], up[2]; /* [1]: toward the destination, we are the source gateway */
};

static void legs_add(struct legs *l, const struct flow *f, const struct part *p)
{
	bool leg = leg_of(f, p);

	if (!part_joins(p))
		return;
	l->needed[leg] = true;
	if (!leg && p->p.dst_gw_type == VPN_GW_AGENT)
		l->needed[1] = true;
	/* What the other end completes must find the path there: its packets come at once. */
	if (!p->flow->failed)
		l->up[leg] |= !p->tunnel || tunnel_is_up(p->tunnel) || p->tunnel->late;
}

static bool flow_open(const struct flow *f)
{
	struct legs l = {{false, false}, {false, false}};
	const struct part *p, *q;

	LIST_FOREACH(p, &f->parts, in_flow)
	{
		legs_add(&l, f, p);
		LIST_FOREACH(q, &p->session->parts, in_session)
		{
			if (other_flow(f, q))
				legs_add(&l, f, q);
		}
	}
	return l.needed[0] <= l.up[0] && l.needed[1] <= l.up[1] && (l.needed[0] || l.needed[1]);
}

static bool part_stands(const struct part *p)
{
	return !p->flow->failed && (!p->tunnel || tunnel_is_up(p->tunnel) || p->tunnel->late);
}

/* The kernel has one kind of path for a leg.  When a profile changes between encapsulation and a tunnel of
 * charon's, the old path goes just before the new one comes: when that has its tunnel, and no sooner. */
static bool part_yields(const struct part *p)
{
	const struct flow *f = p->flow;
	const struct part *q;

	LIST_FOREACH(q, &p->session->parts, in_session)
	{
		if (q->retired == p->retired || !other_flow(f, q) || q->flow->key.encap == f->key.encap ||
		    leg_of(f, q) != leg_of(f, p))
			continue;
		if (p->retired ? part_stands(q) : !part_stands(p))
			return true;
	}
	return false;
}

/* By the parts that count. */
static void flow_legs(const struct flow *f, bool leg[2])
{
	const struct part *p;

	leg[0] = leg[1] = false;
	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (part_joins(p) && !part_yields(p))
			leg[leg_of(f, p)] = true;
	}
}

/* All of its parts yield. */
static bool flow_yields(const struct flow *f)
{
	const struct part *p;
	bool any = false;

	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (!part_joins(p))
			continue;
		if (!part_yields(p))
			return false;
		any = true;
	}
	return any;
}

/* What we are to the flow's packets by the parts that stand: their source gateway, their destination
 * gateway, or both (a home agent between the foreign agent and an enterprise; the foreign agent that the
 * user has left). */
static uint8_t flow_side(const struct flow *f)
{
	bool leg[2];

	flow_legs(f, leg);
	if (!leg[0] && !leg[1])
		return f->side;
	return leg[0] && leg[1] ? NH_SIDE_BOTH : leg[1] ? NH_SIDE_SRC : NH_SIDE_DST;
}

/* The newest part that counts says what the marks are; a handoff has nothing to say about them. */
static struct tuning flow_tuning(const struct flow *f)
{
	struct tuning as = tuning_set(f);
	const struct part *p, *best = NULL;

	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (p->p.dst_gw_type != VPN_GW_HANDOFF && (!best || (best->retired && !p->retired)))
			best = p;
	}
	if (best) {
		as.tos_up = best->p.tos_up;
		as.tos_down = best->p.tos_down;
	}
	as.side = flow_side(f);
	return as;
}

/* New before old: the helper counts, and the marks are those of the last one added. */
static void flow_retune(struct vpn *v, struct flow *f, const struct tuning *as)
{
	struct tuning old = tuning_set(f);

	if (old.tos_up == as->tos_up && old.tos_down == as->tos_down && old.side == as->side)
		return;
	flow_path(v, f, true, as);
	flow_path(v, f, false, &old);
	f->tos_up = as->tos_up;
	f->tos_down = as->tos_down;
	f->side = as->side;
}

/* Behind a lost tunnel to a static gateway the protected prefix holds packets back.  A dynamic gateway's is
 * not protected (protect_of): there the flow itself stays, as long as the profile is wanted, and lets nothing
 * out in clear. */
static bool flow_stays(const struct flow *f)
{
	const struct part *p;

	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (f->installed && (p->p.dst_gw_type == VPN_GW_DYNAMIC ||
				     (p->p.dst_gw_type == VPN_GW_HANDOFF && !p->protect[0])))
			return true;
	}
	return false;
}

/* A move back: this peer's path counts again.  The helper counts each add; ours remains one. */
static void flow_take_back(struct vpn *v, struct flow *f)
{
	struct tuning as = tuning_set(f);

	flow_replaces(f);
	flow_path(v, f, true, &as);
	flow_path(v, f, false, &as);
	f->replaced = false;
}

/* The other flow, through which these packets go on, is in the kernel. */
static bool way_on_stands(const struct flow *f)
{
	const struct part *any = LIST_FIRST(&f->parts), *p;

	LIST_FOREACH(p, &any->session->parts, in_session)
	{
		const struct flow *o = other_flow(f, p);

		if (o && flow_side(o) != NH_SIDE_DST && (!o->installed || o->pending))
			return false;
	}
	return true;
}

static void flow_close(struct vpn *v, struct flow *f)
{
	if (f->installed && (flow_yields(f) || (!flow_open(f) && !flow_stays(f))))
		flow_uninstall(v, f); /* with the marks that it was set with */
}

/* An encapsulated one that is not wanted any more would take the packets from the one that is. */
static void flow_make(struct vpn *v, struct flow *f)
{
	struct tuning as = flow_tuning(f);

	if (f->installed)
		flow_retune(v, f, &as);
	else if (flow_open(f) && !f->failed && !flow_yields(f) && (!f->key.encap || flow_wanted(f)) &&
		 (flow_side(f) != NH_SIDE_DST || way_on_stands(f)))
		flow_install(v, f, &as);
}

static void flow_back(struct vpn *v, struct flow *f)
{
	if (flow_is_back(f))
		flow_take_back(v, f);
}

/* Does it with f, and with the other flows of its packets in the session: with those that lead on, or with
 * the rest. */
static void flows_each(struct vpn *v, struct flow *f, struct session *s, bool on,
		       void (*does)(struct vpn *, struct flow *))
{
	const struct part *p;

	if ((flow_side(f) != NH_SIDE_DST) == on)
		does(v, f);
	LIST_FOREACH(p, &s->parts, in_session)
	{
		struct flow *o = other_flow(f, p);

		if (o && (flow_side(o) != NH_SIDE_DST) == on)
			does(v, o);
	}
}

static void flow_sync_in(struct vpn *v, struct flow *f, struct session *s)
{
	flows_each(v, f, s, false, flow_close);
	flows_each(v, f, s, true, flow_close);
	flows_each(v, f, s, true, flow_make);
	flows_each(v, f, s, false, flow_make);
	flows_each(v, f, s, true, flow_back);
	flows_each(v, f, s, false, flow_back);
}

static void flow_end(struct vpn *v, struct flow *f)
{
	if (!LIST_EMPTY(&f->parts) || f->pending)
		return;
	HASH_DEL(v->flows, f);
	free(f);
}

void flow_sync(struct vpn *v, struct flow *f)
{
	struct part *any = LIST_FIRST(&f->parts);

	if (any)
		flow_sync_in(v, f, any->session);
	else
		flow_end(v, f);
}

struct flow *flow_get(struct vpn *v, struct part *part)
{
	const struct vpn_profile *p = &part->p;
	struct flow probe, *f;

	memset(&probe, 0, sizeof(probe));
	probe.key.src = p->src.addr;
	probe.key.src_len = p->src.len;
	probe.key.dst = p->dst.addr;
	probe.key.dst_len = p->dst.len;
	probe.key.encap = p->security == VPN_SEC_ENCAP;
	if (probe.key.encap)
		probe.key.peer = vpn_is_source(v, p) ? p->dst_gw : p->src_gw;
	HASH_FIND(hh, v->flows, &probe.key, sizeof(probe.key), f);
	if (!f) {
		f = calloc(1, sizeof(*f));
		if (!f)
			return NULL;
		memcpy(&f->key, &probe.key, sizeof(f->key)); /* with its padding: it is hashed */
		f->local = v->cfg.self;
		LIST_INIT(&f->parts);
		HASH_ADD(hh, v->flows, key, sizeof(f->key), f);
	}
	f->failed = false;
	LIST_INSERT_HEAD(&f->parts, part, in_flow);
	part->flow = f;
	return f;
}

void flow_drop(struct vpn *v, struct part *part)
{
	struct flow *f = part->flow;

	LIST_REMOVE(part, in_flow);
	part->flow = NULL;
	flow_sync_in(v, f, part->session);
	flow_end(v, f);
}

/* --- answers of the helper --- */

/* What was refused is not there. */
static void flow_refused(struct vpn *v, struct flow *f, const struct net_op *op, const char *text)
{
	f->failed = true;
	f->installed = f->replaced = false;
	if (op->device)
		f->device = false;
	else
		device_release(v, f);
	snprintf(f->why, sizeof(f->why), "data path: %.80s", text);
}

static void flow_done(struct vpn *v, struct flow *f, const struct net_op *op, int error, const char *text)
{
	struct part *p;

	f->pending--;
	if (error && op->add)
		flow_refused(v, f, op, text);
	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (f->failed && p->session->state == SESSION_INSTALLING)
			session_fail(p->session, f->why);
		else if (f->failed)
			session_down(p->session, f->why);
		session_dirty(v, p->session);
		if (p->tunnel)
			tunnel_dirty(p->tunnel);
	}
	flow_sync(v, f);
}

void path_done(struct vpn *v, uint64_t cookie, int error, const char *text)
{
	struct net_op *op;

	HASH_FIND(hh, v->net_ops, &cookie, sizeof(cookie), op);
	if (!op)
		return;
	HASH_DEL(v->net_ops, op);
	if (error) {
		counter_inc(op->add ? "vpn.net.add_failed" : "vpn.net.del_failed");
		vpn_say(v, LOG_LVL_WARN, "the network helper refused: %s",
			text && text[0] ? text : strerror(error));
	}
	text = text && text[0] ? text : error ? strerror(error) : "";
	if (op->flow)
		flow_done(v, op->flow, op, error, text);
	else
		protect_done(v, op->protect, op->add, error, text);
	free(op);
}

void path_free(struct vpn *v)
{
	struct flow *f, *ftmp;
	struct protect *p, *ptmp;
	struct net_op *op, *otmp;

	HASH_ITER(hh, v->flows, f, ftmp)
	{
		HASH_DEL(v->flows, f);
		free(f);
	}
	HASH_ITER(hh, v->protects, p, ptmp)
	{
		HASH_DEL(v->protects, p);
		free(p);
	}
	HASH_ITER(hh, v->net_ops, op, otmp)
	{
		HASH_DEL(v->net_ops, op);
		free(op);
	}
}
