/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What an AMR may ask of this network, and what this network says in it (RFC 4004 7.5).  Pure.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "extensions/app_mipvpn_aaaf/aaaf.h"

#define ONLY_AAAF (DM_F_FOREIGN_HA | DM_F_HA_IN_FOREIGN)

static bool is_listed(const conf_text *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(v[i], name))
			return true;
	return false;
}
#define LISTED(list, name) is_listed((list).v, (list).n, name)

/* TLS vouches for the peer, so an Origin-Host counts only from the peer of that name or from one of our
 * relays. */
const char *aaaf_policy_refuses(const struct aaaf_conf *c, const struct dm_amr *a, const char *peer,
				uint32_t *result)
{
	*result = DM_AUTHORIZATION_REJECTED;
	if (strcasecmp(peer, a->origin_host) && !LISTED(c->relays, peer))
		return "Origin-Host is not the peer that sent it";
	if (!LISTED(c->foreign_agents, a->origin_host) && !LISTED(c->foreign_agent_realms, a->origin_realm))
		return "not a foreign agent of this network";
	*result = DM_REALM_NOT_SERVED;
	if (c->home_realms.n && !LISTED(c->home_realms, a->dest_realm))
		return "no roaming agreement with the home realm";
	*result = DM_SUCCESS;
	return NULL;
}

static uint32_t revised_features(const struct aaaf_conf *c, const struct dm_amr *a)
{
	uint32_t f = a->features & ~(uint32_t)ONLY_AAAF;

	if (f & DM_F_HA_REQUESTED)
		return f & DM_F_HOA_HOME_ONLY || !c->candidate_home_agent[0] ? f : f | DM_F_FOREIGN_HA;
	return a->ha_host[0] && LISTED(c->home_agents, a->ha_host) ? f | DM_F_HA_IN_FOREIGN : f;
}

/* 347 is for sessions whose home agent is, or may become, one of this network (RFC 4004 7.10). */
bool aaaf_policy_revise(const struct aaaf_conf *c, const char *own_host, const char *own_realm,
			struct dm_amr *a)
{
	uint32_t before = a->features;
	bool had = a->ha_candidate[0] || a->originating_host[0];

	a->features = revised_features(c, a);
	a->ha_candidate[0] = a->originating_host[0] = a->originating_realm[0] = '\0';
	if (a->features & DM_F_FOREIGN_HA)
		snprintf(a->ha_candidate, sizeof(a->ha_candidate), "%s", c->candidate_home_agent);
	if (a->features & ONLY_AAAF) {
		snprintf(a->originating_host, sizeof(a->originating_host), "%s", own_host);
		snprintf(a->originating_realm, sizeof(a->originating_realm), "%s", own_realm);
	}
	return had || a->features != before || a->originating_host[0];
}
