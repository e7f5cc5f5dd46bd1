/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Smooth handoff at the previous foreign agent (F5, doc/moves.md): what still arrives for a visitor
 * who has moved on is held, then sent after him through tunnels to the new foreign agent. The hold
 * ends when that stands or has failed; all of it ends with the lifetime, or when he is back.
 */
#include "agent/roles/fa_int.h"

#define PREFIX "handoff-out:"

static struct action *act(const struct fa_visitor *v, enum action_type type, struct actions *out)
{
	return fa_handoff_act(&(struct fa_handoff){PREFIX, v->hoa, v->out.local, v->out.peer}, type, out);
}

static void release(struct fa_visitor *v, struct actions *out)
{
	if (v->out.hold)
		act(v, ACT_HOLD_DEL, out);
	v->out.hold = false;
}

static void tunnels_down(struct fa_visitor *v, struct actions *out)
{
	struct fa_handout *o = &v->out;

	if (o->forward)
		act(v, ACT_FORWARD_DEL, out);
	if (o->vpn)
		act(v, ACT_VPN_REMOVE, out);
	if (o->tunnel)
		act(v, ACT_TUNNEL_DEL, out);
	o->forward = o->vpn = o->tunnel = false;
}

void fa_handout_stop(struct fa_visitor *v, struct actions *out)
{
	tunnels_down(v, out);
	release(v, out);
	v->out.waiting = false;
	v->out.status = BIND_UNSPECIFIED;
}

void fa_handout_back(struct fa_visitor *v, struct actions *out)
{
	if (!v || !v->out.on)
		return;
	fa_handout_stop(v, out);
	v->out.peer.s_addr = INADDR_ANY;
}

static void answer(const struct fa_visitor *v, struct actions *out)
{
	const struct fa_handout *o = &v->out;

	fa_bu_ack(v, o->local, o->peer, o->ident, o->status, out);
}

static void done(struct fa_visitor *v, struct actions *out)
{
	char who[ROLE_WHO_MAX], addr[INET_ADDRSTRLEN];

	v->out.waiting = false;
	v->out.status = BIND_OK;
	v->out.forward = act(v, ACT_FORWARD_ADD, out);
	release(v, out);
	answer(v, out);
	role_count("fa.handoff", "forwarding");
	role_log(out, LOG_LVL_INFO, "visitor %s: packets go to %s", role_who(v->nai, v->hoa, who),
		 role_addr_str(v->out.peer, addr));
}

/* Packets go onto the visitor's link, where nobody is: never elsewhere in clear. */
static void failed(struct fa_visitor *v, const char *text, struct actions *out)
{
	char who[ROLE_WHO_MAX];
	bool waited = v->out.waiting;

	fa_handout_stop(v, out);
	v->out.status = BIND_RESOURCES;
	if (waited)
		answer(v, out);
	role_count("fa.handoff", "out_failed");
	role_log(out, LOG_LVL_NOTICE, "visitor %s: smooth handoff failed: %s", role_who(v->nai, v->hoa, who),
		 text ? text : "tunnel lost");
}

/* The session's profiles are read before it is left. */
static void tunnels_up(struct fa *fa, struct fa_visitor *v, uint16_t lifetime, struct actions *out)
{
	struct fa_handout *o = &v->out;
	struct action *a = v->vpn ? act(v, ACT_VPN_HANDOFF, out) : NULL;

	if (a) {
		role_copy(a->from, sizeof(a->from), v->session);
		a->key = v->handoff;
		a->deadline_ms = fa->cfg.vpn_timeout_ms;
		o->vpn = true;
		a = role_act(out, ACT_VPN_LEAVE, v->session);
		if (a)
			a->deadline_ms = lifetime * 1000u;
	}
	o->tunnel = act(v, ACT_TUNNEL_ADD, out);
	o->waiting = o->vpn;
}

static void begin(struct fa *fa, struct fa_bu *u, uint16_t lifetime, role_ms now, struct actions *out)
{
	struct fa_visitor *v = u->v;
	struct fa_handout *o = &v->out;
	role_ms end = now + (role_ms)lifetime * 1000;
	char who[ROLE_WHO_MAX], addr[INET_ADDRSTRLEN];

	if (!u->h.soft && !o->hold)
		o->hold = act(v, ACT_HOLD_ADD, out);
	tunnels_down(v, out); /* to where he was before, if he has moved from here twice */
	o->on = true;
	o->local = v->coa;
	o->peer = u->m.coa;
	o->ident = u->m.ident;
	fa_handin_pass(fa, v->hoa, v->session, NULL);
	role_heap_set(&fa->heap, &v->timer, end < v->expires ? end : v->expires);
	role_count("fa.visitor", "handed_off");
	role_log(out, LOG_LVL_NOTICE, "visitor %s: registered -> handed off to %s, %s, %u s",
		 role_who(v->nai, v->hoa, who), role_addr_str(o->peer, addr), u->h.soft ? "soft" : "hard",
		 lifetime);
	tunnels_up(fa, v, lifetime, out);
	if (!o->waiting)
		done(v, out);
}

static void forget(struct fa *fa, struct fa_bu *u, struct actions *out)
{
	fa_bu_ack(u->v, u->e->path.dst, u->m.coa, u->m.ident, BIND_OK, out);
	u->v->out.on = true; /* its session is not ours to end */
	fa_visitor_end(fa, u->v, "has moved on", FA_NO_STR, out);
}

void fa_handout_start(struct fa *fa, struct fa_bu *u, role_ms now, struct actions *out)
{
	struct fa_visitor *v = u->v;
	struct fa_handout *o = &v->out;
	uint16_t lifetime = u->m.lifetime;

	if (lifetime > fa->cfg.handoff_lifetime)
		lifetime = fa->cfg.handoff_lifetime;
	v->bu_ident = u->m.ident;
	if (!lifetime) {
		forget(fa, u, out);
	} else if (o->on && role_same_addr(o->peer, u->m.coa)) {
		o->ident = u->m.ident;
		if (!o->waiting)
			answer(v, out);
	} else {
		begin(fa, u, lifetime, now, out);
	}
}

static struct fa_visitor *named(const struct fa *fa, const char *session)
{
	struct in_addr hoa;
	struct fa_visitor *v;

	if (!fa_handoff_named(PREFIX, session, &hoa))
		return NULL;
	HASH_FIND(hh_hoa, fa->by_hoa, &hoa, sizeof(hoa), v);
	return v && v->out.on && v->out.vpn ? v : NULL;
}

void fa_handout_event(struct fa *fa, const struct role_event *e, struct actions *out)
{
	struct fa_visitor *v = named(fa, e->session);

	if (!v)
		return;
	if (e->type == EV_VPN_UP) {
		if (v->out.waiting)
			done(v, out);
		return;
	}
	if (e->type == EV_VPN_FAILED)
		v->out.vpn = false; /* taken down already */
	failed(v, e->text, out);
}
