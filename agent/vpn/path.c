/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The data path (E4, E5): what the helper is asked to do in the kernel.
 *
 * A flow is open while every leg of it that ends here has a tunnel that is up: at a foreign agent the one leg
 * to the destination gateway, at a home agent the leg to the foreign agent and the leg to the enterprise's
 * gateway. Only an open flow has its rules, marks and permission in the kernel: until then, and when a tunnel
 * is lost, the default drop for the protected prefix holds its packets back, so none leaves in the clear.
 * Encapsulation only: there is no tunnel in charon, the flow is open as long as somebody wants it.
 */
#include "agent/vpn/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/counter.h"

static void request(struct vpn *v, struct nh_request *r, struct flow *f, struct protect *p, bool add)
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
	if (f)
		f->pending++;
	else
		p->pending++;
	HASH_ADD(hh, v->net_ops, cookie, sizeof(op->cookie), op);
	v->ops.net(v->user, r, op->cookie);
}

/* --- flows --- */

static void flow_request(struct vpn *v, struct flow *f, uint32_t verb, bool add)
{
	struct nh_request r = {
		.verb = verb,
		.src = {f->key.src, f->key.src_len},
		.dst = {f->key.dst, f->key.dst_len},
		.local = f->local,
		.peer = f->peer,
		.tos_up = f->tos_up,
		.tos_down = f->tos_down,
		.side = f->side,
	};

	request(v, &r, f, NULL, add);
}

static void flow_install(struct vpn *v, struct flow *f)
{
	if (f->key.encap)
		flow_request(v, f, NH_IPIP_ADD, true);
	flow_request(v, f, f->key.encap ? NH_ENCAP_ADD : NH_VPN_ADD, true);
	f->installed = true;
}

static void flow_uninstall(struct vpn *v, struct flow *f)
{
	flow_request(v, f, f->key.encap ? NH_ENCAP_DEL : NH_VPN_DEL, false);
	if (f->key.encap)
		flow_request(v, f, NH_IPIP_DEL, false);
	f->installed = false;
}

static bool flow_open(const struct flow *f)
{
	bool needed[2] = {false, false}, up[2] = {false, false};
	const struct part *p;

	LIST_FOREACH(p, &f->parts, in_flow)
	{
		bool leg = p->tunnel && p->tunnel->initiator;

		needed[leg] = true;
		up[leg] |= !p->tunnel || tunnel_is_up(p->tunnel);
	}
	return needed[0] <= up[0] && needed[1] <= up[1] && (needed[0] || needed[1]);
}

/* What we are to the flow's packets by the parts that stand: their source gateway, their destination gateway,
 * or both (a home agent between the foreign agent and an enterprise). */
static uint8_t flow_side(const struct flow *f)
{
	bool src = false, dst = false;
	const struct part *p;

	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (p->p.src_gw.s_addr == f->local.s_addr)
			src = true;
		else
			dst = true;
	}
	return src && dst ? NH_SIDE_BOTH : src ? NH_SIDE_SRC : NH_SIDE_DST;
}

/* The newest part that counts says what the marks are; true when that or our side is not what is set. */
static bool flow_retune(struct flow *f)
{
	const struct part *p;
	uint8_t side;
	bool changed;

	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (!p->retired)
			break;
	}
	if (!p)
		return false;
	side = flow_side(f);
	changed = f->tos_up != p->p.tos_up || f->tos_down != p->p.tos_down || f->side != side;
	if (changed && f->installed)
		return true;
	f->tos_up = p->p.tos_up;
	f->tos_down = p->p.tos_down;
	f->side = side;
	return false;
}

/* Behind a lost tunnel to a static gateway the protected prefix holds packets back.  A dynamic gateway's is
 * not protected (protect_of): there the flow itself stays, as long as the profile is wanted, and lets nothing
 * out in clear. */
static bool flow_stays(const struct flow *f)
{
	const struct part *p;

	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (f->installed && p->p.dst_gw_type == VPN_GW_DYNAMIC)
			return true;
	}
	return false;
}

void flow_sync(struct vpn *v, struct flow *f)
{
	bool open = flow_open(f) || flow_stays(f);

	if (f->installed && (!open || flow_retune(f)))
		flow_uninstall(v, f); /* with the marks that it was set with */
	if (!f->installed)
		flow_retune(f);
	if (open && !f->installed && !f->failed)
		flow_install(v, f);
	if (LIST_EMPTY(&f->parts) && !f->pending) {
		HASH_DEL(v->flows, f);
		free(f);
	}
}

struct flow *flow_get(struct vpn *v, struct part *part)
{
	const struct vpn_profile *p = &part->p;
	bool source = p->src_gw.s_addr == v->cfg.self.s_addr;
	struct flow probe, *f;

	memset(&probe, 0, sizeof(probe));
	probe.key.src = p->src.addr;
	probe.key.src_len = p->src.len;
	probe.key.dst = p->dst.addr;
	probe.key.dst_len = p->dst.len;
	probe.key.encap = p->security == VPN_SEC_ENCAP;
	HASH_FIND(hh, v->flows, &probe.key, sizeof(probe.key), f);
	if (!f) {
		f = calloc(1, sizeof(*f));
		if (!f)
			return NULL;
		memcpy(&f->key, &probe.key, sizeof(f->key)); /* with its padding: it is hashed */
		f->local = v->cfg.self;
		f->peer = source ? p->dst_gw : p->src_gw;
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
	flow_sync(v, f);
}

/* --- protected prefixes --- */

static void protect_request(struct vpn *v, struct protect *p, bool add)
{
	struct nh_request r = {.verb = add ? NH_PROTECT_ADD : NH_PROTECT_DEL,
			       .dst = {p->key.addr, p->key.len}};

	p->installed = add;
	request(v, &r, NULL, p, add);
}

static void protect_sync(struct vpn *v, struct protect *p)
{
	if (p->refs && !p->installed && !p->failed)
		protect_request(v, p, true);
	else if (!p->refs && p->installed)
		protect_request(v, p, false);
	if (!p->refs && !p->pending) {
		HASH_DEL(v->protects, p);
		free(p);
	}
}

/* NULL: nothing to protect (everything is no prefix to forbid), or no memory. */
struct protect *protect_get(struct vpn *v, const struct vpn_prefix *prefix)
{
	struct protect probe, *p;

	if (!prefix->len)
		return NULL;
	memset(&probe, 0, sizeof(probe));
	probe.key.addr = prefix->addr;
	probe.key.len = prefix->len;
	HASH_FIND(hh, v->protects, &probe.key, sizeof(probe.key), p);
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
		memcpy(&p->key, &probe.key, sizeof(p->key));
		HASH_ADD(hh, v->protects, key, sizeof(p->key), p);
	}
	p->refs++;
	p->failed = false;
	protect_sync(v, p);
	return p;
}

/* A PCN's correspondents are hosts of the Internet like others: they may be reached by whom they are open
 * to, and only the packets of the profile itself never go in clear, once its flow is there (E3). */
struct protect *protect_of(struct vpn *v, const struct vpn_profile *p)
{
	return p->dst_gw_type == VPN_GW_DYNAMIC ? NULL : protect_get(v, &p->dst);
}

void protect_drop(struct vpn *v, struct protect *p)
{
	p->refs--;
	protect_sync(v, p);
}

/* --- answers of the helper --- */

static void flow_done(struct vpn *v, struct flow *f, bool add, int error, const char *text)
{
	struct part *p;

	f->pending--;
	if (error && add) {
		f->failed = true;
		f->installed = false;
		snprintf(f->why, sizeof(f->why), "data path: %.80s", text);
	}
	LIST_FOREACH(p, &f->parts, in_flow)
	{
		if (f->failed && p->session->state == SESSION_INSTALLING)
			session_fail(p->session, f->why);
		else if (f->failed)
			session_down(p->session, f->why);
		session_dirty(v, p->session);
	}
	flow_sync(v, f);
}

static void protect_done(struct vpn *v, struct protect *p, bool add, int error, const char *text)
{
	struct session *s, *tmp;

	p->pending--;
	if (error && add) {
		p->failed = true;
		p->installed = false;
		snprintf(p->why, sizeof(p->why), "data path: %.80s", text);
	}
	HASH_ITER(hh, v->sessions, s, tmp)
	{
		if (s->state == SESSION_INSTALLING)
			session_dirty(v, s);
	}
	protect_sync(v, p);
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
		flow_done(v, op->flow, op->add, error, text);
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
