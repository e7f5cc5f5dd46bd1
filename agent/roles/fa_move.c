/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A move within the domain at the new foreign agent (D2, doc/moves.md): the AAAF has answered from its cache,
 * so the home agent is asked by UDP with 34 under the session's key, and the tunnels are begun behind that.
 * Registered is who has both: the home agent's yes and the tunnels.  The AAAH has not been asked: when it
 * comes to nothing, an STR for the AAAF alone (fa_pending_cause) makes the old session the user's again.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/fa_int.h"

bool fa_move_keep(struct fa_pending *p, const struct mip_rrq *q)
{
	p->move.request = malloc(q->ha_part ? q->ha_part : 1);
	if (!p->move.request)
		return false;
	memcpy(p->move.request, q->raw, q->ha_part);
	p->move.len = q->ha_part;
	return true;
}

void fa_move_wipe(struct fa_move *m)
{
	if (m->profiles)
		crypto_wipe(m->profiles, m->n * sizeof(*m->profiles));
	free(m->profiles);
	free(m->request);
}

static bool keys(struct fa_pending *p, const struct dm_ama *a)
{
	struct fa_grant *g = &p->grant;

	if (!a->ha_to_fa_spi || !role_assoc_set(&g->fa_ha, a->ha_to_fa_spi, a->fa_to_ha.spi, &a->fa_to_ha))
		return false;
	/* The mobile node goes on with the SPI that it has for a foreign agent: the same number. */
	role_assoc_set(&g->mn_fa, a->ha_to_fa_spi, a->fa_to_mn.spi, &a->fa_to_mn);
	return true;
}

static bool take_answer(struct fa_pending *p, const struct dm_ama *a)
{
	struct fa_grant *g = &p->grant;

	g->auth_lifetime = a->auth_lifetime;
	g->msa_lifetime = a->msa_lifetime;
	g->n_profiles = p->move.n = a->vpn.n;
	fa_grant_handoff(g, a);
	g->aaa_host = role_dup(""); /* an STR goes to the user's realm: the AAAF has only answered for it */
	g->aaa_realm = role_dup("");
	p->move.profiles = calloc(a->vpn.n ? a->vpn.n : 1, sizeof(*p->move.profiles));
	if (!g->aaa_host || !g->aaa_realm || !p->move.profiles) {
		p->move.n = p->move.profiles ? p->move.n : 0;
		return false;
	}
	if (a->vpn.n) /* a user without VPN: nothing, and no array */
		memcpy(p->move.profiles, a->vpn.p, a->vpn.n * sizeof(*a->vpn.p));
	return true;
}

static struct in_addr home_of(const struct fa_pending *p)
{
	return role_any_addr(p->grant.hoa) ? p->hoa : p->grant.hoa;
}

static bool hoa_is_here(const struct fa *fa, const struct fa_pending *but, struct in_addr hoa)
{
	const struct fa_pending *p;
	struct fa_visitor *v;

	HASH_FIND(hh_hoa, fa->by_hoa, &hoa, sizeof(hoa), v);
	if (v)
		return true;
	TAILQ_FOREACH(p, &fa->pendings, link)
	{
		if (p != but && p->move.routed && role_same_addr(p->move.route.hoa, hoa))
			return true;
	}
	return false;
}

struct fa_route fa_move_route_of(const struct fa *fa, const struct fa_pending *p)
{
	struct fa_route r = {.hoa = home_of(p),
			     .ha = role_any_addr(p->grant.hoa) ? p->ha : p->grant.ha,
			     .coa = fa->cfg.coa,
			     .ifindex = p->path.ifindex,
			     .reverse = p->flags & MIP_T};

	memcpy(r.mac, p->path.mac, sizeof(r.mac));
	return r;
}

void fa_move_route(struct fa *fa, struct fa_pending *p, struct actions *out)
{
	struct fa_route r = fa_move_route_of(fa, p);

	p->move.on_way = true;
	if (p->move.routed || fa_visitor_find(fa, p->key) || hoa_is_here(fa, p, r.hoa))
		return;
	p->move.route = r;
	p->move.routed = true;
	fa_route_up(&r, p->session, out);
}

static void unroute(struct fa_pending *p, struct actions *out)
{
	if (p->move.routed)
		fa_route_down(&p->move.route, p->session, out);
	p->move.routed = false;
}

static struct fa_pending *on_way(struct fa *fa, struct in_addr hoa)
{
	struct fa_pending *p;

	TAILQ_FOREACH(p, &fa->pendings, link)
	{
		if (p->move.on_way && role_same_addr(home_of(p), hoa))
			break;
	}
	return p;
}

bool fa_move_inherit(struct fa *fa, const struct fa_route *r)
{
	struct fa_pending *p = on_way(fa, r->hoa);
	struct fa_route want;

	if (!p || p->move.routed)
		return false;
	want = fa_move_route_of(fa, p);
	if (!fa_route_same(&want, r))
		return false;
	p->move.route = *r;
	return p->move.routed = true;
}

void fa_move_reroute(struct fa *fa, struct in_addr hoa, struct actions *out)
{
	struct fa_pending *p = on_way(fa, hoa);

	if (p)
		fa_move_route(fa, p, out);
}

bool fa_move_take_route(struct fa *fa, struct fa_pending *p, const struct fa_route *want, struct actions *out)
{
	struct fa_pending *q;
	bool same = p->move.routed && fa_route_same(&p->move.route, want);

	if (same)
		p->move.routed = false;
	unroute(p, out);
	TAILQ_FOREACH(q, &fa->pendings, link)
	{
		if (q->move.routed && role_same_addr(q->move.route.hoa, want->hoa))
			unroute(q, out);
	}
	return same;
}

static void relay(const struct fa *fa, const struct fa_pending *p, struct actions *out)
{
	uint8_t mem[MIP_MSG_MAX];
	struct wbuf w;
	struct role_view fa_ha;

	if (!role_assoc_view(&p->grant.fa_ha, &fa_ha))
		return;
	wbuf_init(&w, mem, sizeof(mem));
	wbuf_bytes(&w, p->move.request, p->move.len);
	role_put_auth(&w, MIP_EXT_FA_HA, &fa_ha);
	fa_core_send(fa->cfg.coa, p->ha, &w, out);
}

/* late_child: the tunnels replace what carries packets (doc/moves.md). */
static bool install(struct fa *fa, struct fa_pending *p, struct actions *out)
{
	p->move.early = !p->move.replied;
	return fa_pending_install(fa, p, p->move.profiles, p->move.n, out);
}

static void fail(struct fa *fa, struct fa_pending *p, const struct role_refusal *why, const char *text,
		 role_ms now, struct actions *out)
{
	fa_pending_undo(fa, p, out);
	fa_fail(fa, p, why, text, now, out);
}

void fa_move_begin(struct fa *fa, struct fa_pending *p, const struct dm_ama *a, role_ms now,
		   struct actions *out)
{
	static const struct role_refusal poor_answer = {"poor_answer", MIP_FA_UNSPECIFIED,
							"the AAAF's answer lacks something"};
	char who[ROLE_WHO_MAX];

	p->state = FA_MOVING;
	if (!p->move.request || !p->lifetime || !keys(p, a)) {
		fail(fa, p, &poor_answer, NULL, now, out);
		return;
	}
	if (!take_answer(p, a)) {
		fail(fa, p, &fa_resources, NULL, now, out);
		return;
	}
	role_heap_set(&fa->heap, &p->timer, now + fa->cfg.aaa_timeout_ms);
	role_log(out, LOG_LVL_INFO, "visitor %s: aaa -> moving, %u profiles", role_who(p->nai, p->hoa, who),
		 p->move.n);
	/* What is sent waits for what the helper is asked in front of it.  The home agent sends to one
	 * without VPN at once, to others when their tunnels carry. */
	if (!p->move.n)
		fa_move_route(fa, p, out);
	relay(fa, p, out);
	if (fa->cfg.early_ike && p->move.n && !install(fa, p, out))
		fail(fa, p, &fa_resources, NULL, now, out);
}

void fa_move_again(struct fa *fa, struct fa_pending *p, const struct fa_req *r, struct actions *out)
{
	uint8_t *request;

	if (p->move.replied)
		return;
	request = malloc(r->rrq.ha_part ? r->rrq.ha_part : 1);
	if (!request)
		return;
	memcpy(request, r->rrq.raw, r->rrq.ha_part);
	free(p->move.request);
	p->move.request = request;
	p->move.len = r->rrq.ha_part;
	p->ident = r->rrq.ident;
	p->path = r->e->path;
	relay(fa, p, out);
}

static bool take_reply(struct fa_pending *p, const struct mip_rrp *r)
{
	struct fa_grant *g = &p->grant;

	g->rrp = malloc(r->mn_part ? r->mn_part : 1);
	if (!g->rrp)
		return false;
	memcpy(g->rrp, r->raw, r->mn_part);
	g->rrp_len = r->mn_part;
	g->hoa = r->hoa;
	g->ha = r->ha;
	g->lifetime = r->lifetime;
	p->move.replied = true;
	return true;
}

static void grant(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out)
{
	if (!fa_pending_accept(fa, p, now, out))
		fail(fa, p, &fa_resources, NULL, now, out);
}

void fa_move_replied(struct fa *fa, struct fa_pending *p, const struct mip_rrp *r, role_ms now,
		     struct actions *out)
{
	bool ok = take_reply(p, r);

	fa_pending_overtake(fa, p, true);
	if (ok)
		fa_handout_back(fa_visitor_find(fa, p->key), out);
	if (ok && p->move.n && !p->vpn)
		ok = install(fa, p, out);
	if (!ok) {
		fail(fa, p, &fa_resources, NULL, now, out);
		fa_pending_sweep(fa, out);
		return;
	}
	fa_handin_start(fa, p, now, out);
	fa_pending_sweep(fa, out); /* behind that: a smooth handoff under way is p's now */
	role_heap_set(&fa->heap, &p->timer, now + fa->cfg.vpn_timeout_ms * 2 + FA_SAFETY_MS);
	if (p->move.up || !p->move.n)
		grant(fa, p, now, out);
}

void fa_move_up(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out)
{
	p->move.up = true;
	if (p->move.replied)
		grant(fa, p, now, out);
}

/* The other end may have heard of us too late for an attempt begun early: that one may fail. */
void fa_move_failed(struct fa *fa, struct fa_pending *p, const char *text, role_ms now, struct actions *out)
{
	p->vpn = p->move.up = false;
	role_count("fa.vpn", p->move.early ? "early_failed" : "failed");
	if (p->move.early && !p->move.replied)
		return;
	if (!p->move.early || !install(fa, p, out))
		fail(fa, p, &fa_resources, text, now, out);
}

void fa_move_undo(struct fa *fa, struct fa_pending *p, struct actions *out)
{
	bool routed = p->move.routed;

	fa_handin_end_of(fa, home_of(p), p->session, out);
	if (p->vpn)
		role_act(out, ACT_VPN_REMOVE, p->session);
	p->vpn = false;
	unroute(p, out);
	p->move.on_way = false;
	if (routed)
		fa_move_reroute(fa, home_of(p), out);
}
