/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VPNs that the home agent could not set up and that the user need not have (MIPVPN-Refused in the AMA).
 * Their tunnels are not waited for: the registration goes on without them, the reply says so, and then the
 * whole set is given to the VPN room, which leaves alone what stands and goes on trying the others.  So
 * such a VPN comes up by itself when its gateway can be reached again, and has been told by the home agent
 * (F9).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roles/fa_int.h"

static bool is_refused(const struct dm_ama *a, uint32_t number)
{
	for (uint8_t i = 0; i < a->n_refused; i++) {
		if (a->refused[i].number == number)
			return true;
	}
	return false;
}

uint8_t fa_later_split(const struct dm_ama *a, struct vpn_profile now[VPN_PROFILES_MAX])
{
	uint8_t n = 0;

	for (uint8_t i = 0; i < a->vpn.n && i < VPN_PROFILES_MAX; i++) {
		const struct vpn_profile *p = &a->vpn.p[i];

		if (p->required || !is_refused(a, p->number))
			now[n++] = *p;
	}
	return n;
}

static char *refused_text(const struct dm_ama *a)
{
	char text[FA_MESSAGE_MAX] = "";

	for (uint8_t i = 0; i < a->n_refused; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at, "%sVPN %u: %s", at ? "; " : "", a->refused[i].number,
			 a->refused[i].text);
	}
	return strdup(text);
}

bool fa_later_keep(struct fa_grant *g, const struct dm_ama *a)
{
	size_t size = a->vpn.n * sizeof(*g->later);

	if (!a->n_refused)
		return true;
	g->message = refused_text(a);
	if (!g->message)
		return false;
	if (!a->vpn.n)
		return true;
	g->later = malloc(size);
	if (!g->later)
		return false;
	memcpy(g->later, a->vpn.p, size);
	g->n_later = a->vpn.n;
	return true;
}

void fa_later_wipe(struct fa_grant *g)
{
	if (g->later)
		crypto_wipe(g->later, g->n_later * sizeof(*g->later));
	free(g->later);
	free(g->message);
}

void fa_later_install(struct fa *fa, struct fa_visitor *v, const struct fa_grant *g, struct actions *out)
{
	struct action *a = g->n_later ? role_act(out, ACT_VPN_INSTALL, v->session) : NULL;
	char who[ROLE_WHO_MAX];

	if (!a)
		return;
	if (!role_act_profiles(a, g->later, g->n_later)) {
		out->n--;
		return;
	}
	a->deadline_ms = fa->cfg.vpn_timeout_ms;
	v->bare = !v->vpn;
	v->vpn = v->completing = true;
	role_log(out, LOG_LVL_WARN, "visitor %s: registered without: %s", role_who(v->nai, v->hoa, who),
		 g->message);
}
