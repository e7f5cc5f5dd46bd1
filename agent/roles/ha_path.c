/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The data path of a binding: IP-in-IP tunnel, route, proxy ARP (RFC 5944 4.2, 4.6), and how it moves:
 *
 *	move: tunnel to next --carries, or in time--> binding points there --2 s--> old tunnel goes
 *
 * Another move meanwhile: a next that was never used goes the same way as an old tunnel.
 */
#include <string.h>

#include "agent/roles/ha_int.h"

static struct action *path_action(const struct ha *ha, const struct ha_binding *b, enum action_type type,
				  struct in_addr peer, struct actions *out)
{
	struct action *a = role_act(out, type, b->session);

	if (!a)
		return NULL;
	a->hoa = b->hoa;
	a->local = ha->cfg.addr;
	a->peer = peer;
	a->ifindex = ha->cfg.home_ifindex;
	memcpy(a->mac, ha->cfg.home_mac, sizeof(a->mac));
	return a;
}

void ha_path_up(struct ha *ha, struct ha_binding *b, struct actions *out)
{
	b->path.at = b->coa;
	path_action(ha, b, ACT_TUNNEL_ADD, b->coa, out);
	path_action(ha, b, ACT_BINDING_ADD, b->coa, out);
	if (ha->cfg.home_ifindex)
		path_action(ha, b, ACT_PROXY_ARP_ADD, b->coa, out);
}

static void linger_drop(const struct ha *ha, struct ha_path *p, uint8_t i, struct actions *out)
{
	if (out)
		path_action(ha, p->of, ACT_TUNNEL_DEL, p->linger[i].peer, out);
	p->n_linger--;
	memmove(&p->linger[i], &p->linger[i + 1], (p->n_linger - i) * sizeof(p->linger[0]));
}

static void linger(const struct ha *ha, struct ha_path *p, struct in_addr peer, role_ms now,
		   struct actions *out)
{
	if (p->n_linger == HA_LINGER_MAX)
		linger_drop(ha, p, 0, out);
	p->linger[p->n_linger].peer = peer;
	p->linger[p->n_linger++].until = now + HA_LINGER_MS;
}

/* One that lingers is taken back: moves to and fro do not pile up tunnels. */
static void tunnel_get(const struct ha *ha, struct ha_path *p, struct in_addr peer, struct actions *out)
{
	for (uint8_t i = 0; i < p->n_linger; i++) {
		if (role_same_addr(p->linger[i].peer, peer)) {
			linger_drop(ha, p, i, NULL);
			return;
		}
	}
	path_action(ha, p->of, ACT_TUNNEL_ADD, peer, out);
}

/* The helper replaces the route: there is no moment without one. */
static void point_to_next(const struct ha *ha, struct ha_path *p, role_ms now, struct actions *out)
{
	path_action(ha, p->of, ACT_BINDING_ADD, p->next, out);
	linger(ha, p, p->at, now, out);
	p->at = p->next;
	p->switch_at = 0;
}

static void arm(struct ha *ha, struct ha_path *p)
{
	role_ms due = p->switch_at ? p->switch_at : ROLE_NEVER;

	if (p->n_linger && p->linger[0].until < due)
		due = p->linger[0].until;
	if (due == ROLE_NEVER)
		role_heap_clear(&ha->heap, &p->timer);
	else
		role_heap_set(&ha->heap, &p->timer, due);
}

void ha_path_move(struct ha *ha, struct ha_binding *b, uint32_t wait, role_ms now, struct actions *out)
{
	struct ha_path *p = &b->path;

	if (p->switch_at)
		linger(ha, p, p->next, now, out);
	p->switch_at = 0;
	if (!role_same_addr(p->at, b->coa)) {
		tunnel_get(ha, p, b->coa, out);
		p->next = b->coa;
		p->switch_at = now + wait;
		if (!wait)
			point_to_next(ha, p, now, out);
	}
	arm(ha, p);
}

void ha_path_carries(struct ha *ha, struct ha_binding *b, role_ms now, struct actions *out)
{
	if (!b->path.switch_at)
		return;
	point_to_next(ha, &b->path, now, out);
	arm(ha, &b->path);
}

void ha_path_due(struct ha *ha, struct ha_path *p, role_ms now, struct actions *out)
{
	if (p->switch_at && p->switch_at <= now)
		point_to_next(ha, p, now, out);
	while (p->n_linger && p->linger[0].until <= now)
		linger_drop(ha, p, 0, out);
	arm(ha, p);
}

/* RFC 5944 4.6: first stop answering for it, then tell the link who has it now. */
void ha_path_down(struct ha *ha, struct ha_binding *b, const uint8_t mac[6], struct actions *out)
{
	static const uint8_t unknown[6];
	struct ha_path *p = &b->path;
	struct action *a;

	path_action(ha, b, ACT_BINDING_DEL, p->at, out);
	path_action(ha, b, ACT_TUNNEL_DEL, p->at, out);
	if (p->switch_at)
		path_action(ha, b, ACT_TUNNEL_DEL, p->next, out);
	p->switch_at = 0;
	while (p->n_linger)
		linger_drop(ha, p, 0, out);
	arm(ha, p);
	a = ha->cfg.home_ifindex ? path_action(ha, b, ACT_PROXY_ARP_DEL, p->at, out) : NULL;
	if (a)
		memcpy(a->mac, mac ? mac : unknown, sizeof(a->mac));
}
