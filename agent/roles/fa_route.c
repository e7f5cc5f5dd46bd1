/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The plain path of a visitor: IP-in-IP with the home agent, route and pinned neighbour, reverse tunnel.
 * Each ADD has its DEL.
 */
#include <string.h>

#include "agent/roles/fa_int.h"

static void act(const struct fa_route *r, const char *session, enum action_type type, struct actions *out)
{
	struct action *a = role_act(out, type, session);

	if (!a)
		return;
	a->hoa = r->hoa;
	a->local = r->coa;
	a->peer = r->ha;
	a->ifindex = r->ifindex;
	memcpy(a->mac, r->mac, sizeof(a->mac));
}

void fa_route_up(const struct fa_route *r, const char *session, struct actions *out)
{
	act(r, session, ACT_TUNNEL_ADD, out);
	act(r, session, ACT_VISITOR_ADD, out);
	if (r->reverse)
		act(r, session, ACT_REVERSE_ADD, out);
}

void fa_route_down(const struct fa_route *r, const char *session, struct actions *out)
{
	if (r->reverse)
		act(r, session, ACT_REVERSE_DEL, out);
	act(r, session, ACT_VISITOR_DEL, out);
	act(r, session, ACT_TUNNEL_DEL, out);
}

bool fa_route_same(const struct fa_route *a, const struct fa_route *b)
{
	return role_same_addr(a->hoa, b->hoa) && role_same_addr(a->ha, b->ha) &&
	       role_same_addr(a->coa, b->coa) && a->ifindex == b->ifindex &&
	       memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && a->reverse == b->reverse;
}
