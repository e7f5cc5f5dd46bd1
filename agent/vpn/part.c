/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Parts: one profile of one session at this gateway, with its tunnel, its flow and what it protects.
 */
#include "agent/vpn/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_TRIES 9

/* The first tunnel of the name (or NAME-2, -3...) that is free or means the same. */
static struct tunnel *tunnel_for(struct vpn *v, const struct vpn_profile *p)
{
	char name[TUNNEL_NAME_MAX], numbered[TUNNEL_NAME_MAX + 4];
	struct tunnel *t;

	vpn_name_profile(v, p, vpn_initiates(v, p), name);
	for (int i = 1; i <= NAME_TRIES; i++) {
		snprintf(numbered, sizeof(numbered), i == 1 ? "%s" : "%s-%d", name, i);
		t = tunnel_find(v, numbered);
		if (!t)
			return tunnel_get(v, numbered);
		if (!LIST_EMPTY(&t->parts) && vpn_same_tunnel(&LIST_FIRST(&t->parts)->p, p))
			return t;
	}
	return NULL;
}

/* One that lingered may be the newest of its flow, which charon and the kernel send into until it is gone;
 * the other end has thrown its own away before it can answer a DELETE.  So it goes at once, with a single
 * DELETE that may be lost.  Any other is deleted as IKE does it, until there is an answer: if the other end
 * missed it and the user came back there, it would take a tunnel for up that nobody is at the end of. */
static bool hides_older(const struct part *p)
{
	const struct tunnel *t = p->tunnel;
	struct part *q;

	if (!p->flow)
		return false;
	LIST_FOREACH(q, &p->flow->parts, in_flow)
	{
		if (!q->tunnel || q->tunnel == t || q->tunnel->source != t->source) /* the flow's other leg */
			continue;
		if (tunnel_is_up(q->tunnel) && q->tunnel->up_at <= t->up_at)
			return true;
	}
	return false;
}

void part_free(struct vpn *v, struct part *p)
{
	bool left = p->tunnel && p->retired && p->lingers && tunnel_is_up(p->tunnel);
	bool at_once = left && hides_older(p);

	LIST_REMOVE(p, in_session);
	if (p->flow)
		flow_drop(v, p);
	if (p->tunnel)
		tunnel_del_part(p->tunnel, p, at_once ? 0 : left ? TERMINATE_LEFT_MS : TERMINATE_MS);
	for (int i = 0; i < 2; i++) {
		if (p->protect[i])
			protect_drop(v, p->protect[i]);
	}
	vpn_profile_wipe(&p->p);
	free(p);
}

struct part *part_new(struct vpn *v, struct session *s, const struct vpn_profile *profile, bool late)
{
	struct part *p = calloc(1, sizeof(*p));
	struct tunnel *t;

	if (!p)
		return NULL;
	p->p = *profile;
	p->session = s;
	p->fresh = true;
	LIST_INSERT_HEAD(&s->parts, p, in_session);
	p->protect[0] = protect_of(v, profile);
	if (profile->dst_gw_type == VPN_GW_STATIC && profile->sla_dst.len &&
	    !vpn_prefix_equal(&profile->sla_dst, &profile->dst))
		p->protect[1] = protect_get(v, &profile->sla_dst);
	if (profile->security != VPN_SEC_ENCAP) {
		t = tunnel_for(v, profile);
		if (!t)
			goto fail;
		tunnel_add_part(t, p, late);
	}
	if (!flow_get(v, p))
		goto fail;
	flow_sync(v, p->flow);
	return p;
fail:
	part_free(v, p);
	return NULL;
}

struct part *part_find(struct session *s, const struct vpn_profile *p)
{
	struct part *have;

	LIST_FOREACH(have, &s->parts, in_session)
	{
		if (vpn_profile_equal(&have->p, p))
			return have;
	}
	return NULL;
}

static bool path_done_for(const struct part *p)
{
	for (int i = 0; i < 2; i++) {
		if (p->protect[i] && p->protect[i]->pending)
			return false;
	}
	return !p->flow->pending && !p->flow->failed;
}

/* The session does not do without it.  A handoff is all or nothing (its answer is 0 or 130).  While an old
 * connection of the contract stands in the new one may take its time. */
bool part_needed(const struct part *p)
{
	return (p->p.required || p->p.dst_gw_type == VPN_GW_HANDOFF) && !part_has_stand_in(p);
}

bool part_done(const struct part *p)
{
	const struct tunnel *t = p->tunnel;

	if (t && !tunnel_is_ready(t))
		return !part_needed(p) && t->tries; /* tried in vain, and the session may live without */
	if (t && t->settle_at != NEVER)
		return false;
	return path_done_for(p);
}

bool part_carries(const struct part *p)
{
	const struct tunnel *t = p->tunnel;

	return !t || tunnel_is_up(t) || t->give_up || (!part_needed(p) && t->tries);
}

bool part_ends(const struct part *p)
{
	return p->retired && p->lingers && p->tunnel && !tunnel_is_up(p->tunnel);
}

const char *part_protect_failed(const struct part *p)
{
	for (int i = 0; i < 2; i++) {
		if (p->protect[i] && p->protect[i]->failed)
			return p->protect[i]->why;
	}
	return NULL;
}
