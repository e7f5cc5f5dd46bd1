/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN room of the world: moves of sessions.
 */
#include "tests/unit/roles/world.h"

void world_vpn_note(struct world *w, int role, const struct action *a)
{
	size_t n = strlen(w->vpn_order);

	if (a->n_profiles)
		w->vpn_first[role] = a->profiles[0];
	if (role == AT_HA)
		snprintf(w->vpn_order + n, sizeof(w->vpn_order) - n, "%c%.40s ",
			 a->type == ACT_VPN_INSTALL ? '+' : '-', a->session);
}

void world_vpn_move(struct world *w, int role, const struct action *a)
{
	struct role_event e = {.type = EV_VPN_UP, .session = a->session, .text = "by chance"};

	CU_ASSERT_TRUE(a->deadline_ms > 0);
	CU_ASSERT_TRUE(ledger_vpn(w, role, a->session, true)); /* of what is there */
	w->moved.n++;
	w->moved.from = a->local;
	w->moved.to = a->peer;
	snprintf(w->moved.session, sizeof(w->moved.session), "%s", a->session);
	if (w->vpn[role] == VPN_HANGS) {
		snprintf(w->vpn_session[role], sizeof(w->vpn_session[role]), "%s", a->session);
		w->vpn_had[role] = true;
		return;
	}
	if (strcmp(w->vpn_session[role], a->session) == 0)
		w->vpn_session[role][0] = 0;
	if (w->vpn[role] == VPN_FAILS)
		e.type = EV_VPN_FAILED;
	world_tell(w, role, &e);
}
