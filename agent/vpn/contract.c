/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A contract's connection that becomes another one (A5): key, identities, algorithms, selectors or gateway.
 *
 * The users of the contract share the tunnel.  Their new profiles share another one, which is set up beside
 * it, once for all of them.  Each user's old part stands in until the new tunnel is up: it is used, repaired
 * when it is lost, and counts as his path.  So a gateway that does not know of the new contract yet costs
 * nobody anything; the new tunnel is tried again by its own clock, however many ask for it.  What one user
 * has changed beside that does not wait for it.
 *
 * Two secrets for one gateway are never in charon at a time (contract_key_waits): with both loaded it takes
 * the one that fits, and the old one could open the new tunnel.
 */
#include "agent/vpn/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/counter.h"

#define SALTS 600u

/* charon puts two connections that are alike into one IKE_SA, and then does not authenticate the second: each
 * is rekeyed at another time. */
void contract_tunnel(struct tunnel *t, const struct vpn_profile *p)
{
	if (!t->salt)
		t->salt = (uint16_t)(++t->v->next_salt % SALTS + 1);
	t->ts_src = p->sla_src;
	t->ts_dst = p->sla_dst;
}

static bool is_contract(const struct part *p)
{
	return p->tunnel && p->tunnel->fixed;
}

/* Is now another connection of the same contract for the same VPN? */
static bool replaces(const struct part *now, const struct part *was)
{
	return now != was && !now->retired && was->retired && is_contract(now) && is_contract(was) &&
	       now->tunnel != was->tunnel && now->p.number == was->p.number &&
	       !strcmp(now->p.sla, was->p.sla);
}

static bool could_stand_in(const struct part *p)
{
	return p->stands_in || (!p->lingers && tunnel_is_up(p->tunnel));
}

bool part_has_stand_in(const struct part *p)
{
	const struct part *was;

	LIST_FOREACH(was, &p->session->parts, in_session)
	{
		if (replaces(p, was) && could_stand_in(was))
			return true;
	}
	return false;
}

static struct part *successor_of(const struct part *was)
{
	struct part *p;

	LIST_FOREACH(p, &was->session->parts, in_session)
	{
		if (replaces(p, was))
			return p;
	}
	return NULL;
}

void contract_keep(struct session *s)
{
	struct part *p;

	LIST_FOREACH(p, &s->parts, in_session)
	{
		const struct part *next = is_contract(p) ? successor_of(p) : NULL;

		p->stands_in = next && could_stand_in(p) && !tunnel_is_up(next->tunnel);
	}
}

bool contract_settle(struct session *s)
{
	bool any = false;
	struct part *p;

	LIST_FOREACH(p, &s->parts, in_session)
	{
		const struct part *next = p->stands_in ? successor_of(p) : NULL;

		if (!p->stands_in || (next && !tunnel_is_up(next->tunnel)))
			continue;
		p->stands_in = false;
		p->lingers = any = true;
	}
	return any;
}

void contract_waits(const struct session *s, char *out, size_t out_len)
{
	char peer[INET_ADDRSTRLEN];
	const struct part *p;

	out[0] = '\0';
	LIST_FOREACH(p, &s->parts, in_session)
	{
		const struct part *next = p->stands_in ? successor_of(p) : NULL;

		if (!next)
			continue;
		inet_ntop(AF_INET, &next->tunnel->peer, peer, sizeof(peer));
		if (next->tunnel->why[0])
			snprintf(out, out_len, "VPN %u: %s", p->p.number, next->tunnel->why);
		else
			snprintf(out, out_len, "VPN %u: gateway %s: not up yet", p->p.number, peer);
		counter_inc("vpn.contract.waits");
		return;
	}
}

void contract_lost(const struct tunnel *t)
{
	const struct part *p;

	LIST_FOREACH(p, &t->parts, in_tunnel)
	{
		struct part *next = p->stands_in ? successor_of(p) : NULL;

		if (next && next->tunnel->retry_at)
			tunnel_retry_now(
				next->tunnel); /* the other gateway's new configuration, most likely */
	}
}

bool contract_key_waits(const struct tunnel *t)
{
	const struct tunnel *o;

	/* One that is up loads none, unless it is held for the other end. */
	if (!t->fixed || t->key || (tunnel_is_up(t) && t->hold_until == NEVER))
		return false;
	for (o = t->v->tunnels; o; o = o->hh.next) {
		if (o != t && o->fixed && o->peer.s_addr == t->peer.s_addr &&
		    (o->key || o->busy == STEP_LOAD_KEY))
			return true;
	}
	return false;
}

void contract_key_gone(struct tunnel *t)
{
	struct tunnel *o;

	if (!t->fixed)
		return;
	for (o = t->v->tunnels; o; o = o->hh.next) {
		if (o != t && o->fixed && o->peer.s_addr == t->peer.s_addr)
			tunnel_dirty(o);
	}
}

/* charon's user-space IPsec (always in UDP) has one route to a network for all tunnels there.  It goes with
 * the tunnel that made it, if another one has the same network but other selectors.  A CHILD_SA that is
 * made anew brings it back. */
void contract_gone(const struct tunnel *t)
{
	struct tunnel *o;

	if (!t->fixed || !t->stats.udp)
		return;
	for (o = t->v->tunnels; o; o = o->hh.next) {
		if (o != t && o->fixed && tunnel_is_up(o) && o->stats.udp &&
		    vpn_prefix_equal(&o->ts_dst, &t->ts_dst) && !vpn_prefix_equal(&o->ts_src, &t->ts_src)) {
			o->redo = true;
			tunnel_dirty(o);
		}
	}
}
