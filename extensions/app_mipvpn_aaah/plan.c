/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaah/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- may he? -------------------------------------------------------------------------------------------------------- */

static bool roaming_check(const struct pol_user *u, const struct dm_amr *amr, struct aaah_verdict *v)
{
	switch (u->roaming) {
	case POL_ROAM_OK:
		return true;
	case POL_ROAM_SUSPENDED:
		return aaah_refuse(v, DM_AUTHORIZATION_REJECTED, "aaah.amr.roaming_suspended",
				   "roaming with %s is suspended", amr->origin_realm);
	case POL_ROAM_CARE_OF:
		return aaah_refuse(v, DM_AUTHORIZATION_REJECTED, "aaah.amr.roaming_care_of",
				   "the care-of address is not one of %s", amr->origin_realm);
	default:
		return aaah_refuse(v, DM_AUTHORIZATION_REJECTED, "aaah.amr.roaming_unknown",
				   "no roaming agreement with %s", amr->origin_realm);
	}
}

static bool user_check(const struct plan_rules *rules, const struct dm_amr *amr, const struct mip_rrq *rrq,
		       const struct pol_user *u, struct aaah_verdict *v)
{
	if (!u->found)
		return aaah_refuse(v, DM_USER_UNKNOWN, "aaah.amr.user_unknown", "unknown user");
	if (!roaming_check(u, amr, v) || !aaah_auth_check(amr, rrq, u, rules->algorithms, v))
		return false;
	if (!u->enabled)
		return aaah_refuse(v, DM_AUTHORIZATION_REJECTED, "aaah.amr.user_disabled",
				   "the user is switched off");
	return true;
}

static bool home_agent_check(const struct mip_rrq *rrq, const struct pol_user *u, struct aaah_verdict *v)
{
	if (!aaah_addr_is_wanted(rrq->ha) && rrq->ha.s_addr != u->ha.s_addr)
		return aaah_refuse(v, DM_NO_FOREIGN_HA_SERVICE, "aaah.amr.foreign_ha",
				   "the home agent of the request is not the user's");
	if (!u->ha_enabled)
		return aaah_refuse(v, DM_HA_NOT_AVAILABLE, "aaah.amr.ha_disabled",
				   "the home agent is out of service");
	return true;
}

bool plan_admit(const struct plan_rules *rules, const struct dm_amr *amr, const struct mip_rrq *rrq,
		const struct pol_rows *rows, enum plan_address *need, struct in_addr *hoa,
		struct aaah_verdict *v)
{
	const struct pol_user *u = &rows->user;

	if (!user_check(rules, amr, rrq, u, v) || !home_agent_check(rrq, u, v))
		return false;
	*need = u->has_hoa ? PLAN_HOA_KNOWN : PLAN_HOA_ALLOCATE;
	*hoa = u->hoa;
	if (u->has_hoa && !aaah_addr_is_wanted(rrq->hoa) && rrq->hoa.s_addr != u->hoa.s_addr)
		return aaah_refuse(v, DM_AUTHORIZATION_REJECTED, "aaah.amr.home_address",
				   "the home address of the request is not the user's");
	return true;
}

/* --- what he gets --------------------------------------------------------------------------------------------------- */

static void leave_out(struct plan *out, uint32_t number, const char *why)
{
	size_t at = strlen(out->left_out);

	out->n_left_out++;
	snprintf(out->left_out + at, sizeof(out->left_out) - at, "%sVPN %u: %s", at ? "; " : "", number, why);
}

static bool routes_fresh(const struct plan_rules *rules, const struct pol_rows *rows, struct plan *out,
			 struct aaah_verdict *v)
{
	const struct route_ends ends = {out->fa, out->ha, out->hoa};

	for (size_t i = 0; i < rows->n_vpns; i++) {
		const struct pol_vpn *vpn = &rows->vpns[i];
		const char *why = route_sla_check(vpn, out->hoa);

		if (!why && !route_add(&out->route, vpn, &ends))
			why = "too many VPNs for one registration";
		if (!why)
			continue;
		if (rules->refuse_not_permitted && vpn->required)
			return aaah_refuse(v, DM_AUTHORIZATION_REJECTED, "aaah.vpn.not_permitted",
					   "VPN %u: %s", vpn->number, why);
		leave_out(out, vpn->number, why);
	}
	if (aaah_profile_keys_make(&out->route) ||
	    aaah_bu_keys_make(&out->route, rows->vpns, rows->n_vpns, out->ha))
		return aaah_refuse(v, DM_UNABLE_TO_COMPLY, "aaah.keys.random", "no keys could be made");
	if (out->live && !rows->cached_bad) /* at another foreign agent its profiles are none that were there */
		aaah_keys_keep(&out->route, rows, out->ha);
	return true;
}

/* C4: the cache with the foreign agent rewritten.  Keys stay with the same foreign agent; a new one gets new ones. */
static bool routes_cached(const struct pol_rows *rows, struct plan *out, struct aaah_verdict *v)
{
	if (!route_from_cache(&out->route, rows, out->was_fa, out->fa))
		return aaah_refuse(v, DM_UNABLE_TO_COMPLY, "aaah.cache.size",
				   "too many profiles in the cache");
	if (out->moved && aaah_profile_keys_make(&out->route))
		return aaah_refuse(v, DM_UNABLE_TO_COMPLY, "aaah.keys.random", "no keys could be made");
	return true;
}

static uint32_t least_nonzero(uint32_t a, uint32_t b)
{
	return b && b < a ? b : a;
}

static void plan_frame(const struct plan_rules *rules, const struct dm_amr *amr, const struct mip_rrq *rrq,
		       const struct pol_rows *rows, struct in_addr hoa, struct plan *out)
{
	const struct pol_session *s = &rows->session;

	out->fa = rrq->coa;
	out->ha = rows->user.ha;
	out->hoa = hoa;
	out->deregister = rrq->lifetime == 0;
	out->live = s->live && s->hoa.s_addr == hoa.s_addr;
	out->was_fa = out->live ? s->fa : out->fa;
	out->moved = out->was_fa.s_addr != out->fa.s_addr;
	out->lifetime =
		least_nonzero(least_nonzero(rules->lifetime, rows->user.max_lifetime), amr->auth_lifetime);
	out->msa_lifetime = rules->msa_lifetime > out->lifetime ? rules->msa_lifetime : out->lifetime;
}

static bool plan_handoff(const struct pol_rows *rows, struct plan *out)
{
	out->handoff = rows->session.handoff;
	if (out->live && out->handoff.len)
		return true;
	out->handoff.len = AAAH_HANDOFF_KEY_LEN;
	return crypto_random(out->handoff.data, AAAH_HANDOFF_KEY_LEN) == 0;
}

bool plan_make(const struct plan_rules *rules, const struct dm_amr *amr, const struct mip_rrq *rrq,
	       const struct pol_rows *rows, struct in_addr hoa, const char *new_session, struct plan *out,
	       struct aaah_verdict *v)
{
	bool from_cache;

	memset(out, 0, sizeof(*out));
	plan_frame(rules, amr, rrq, rows, hoa, out);
	snprintf(out->ha_session, sizeof(out->ha_session), "%s",
		 out->live ? rows->session.ha_session : new_session);
	if (!aaah_addr_is_wanted(rrq->hoa) && rrq->hoa.s_addr != hoa.s_addr)
		return aaah_refuse(v, DM_AUTHORIZATION_REJECTED, "aaah.amr.home_address",
				   "the home address of the request is not the user's");
	if (!out->deregister) {
		from_cache = out->live && !amr->service_update;
		if (!(from_cache ? routes_cached(rows, out, v) : routes_fresh(rules, rows, out, v)))
			return false;
	}
	if (aaah_msas_make(&rows->user, amr, rrq, hoa, &out->msas) || !plan_handoff(rows, out))
		return aaah_refuse(v, DM_UNABLE_TO_COMPLY, "aaah.keys.random", "no keys could be made");
	return true;
}

/* As it is required where it stands already. */
static void soften(struct vpn_profile *p, const struct pol_rows *rows)
{
	p->required = false;
	for (size_t i = 0; i < rows->n_cached; i++) {
		if (rows->cached[i].number == p->number && rows->cached[i].dst_gw_type == p->dst_gw_type)
			p->required = rows->cached[i].required;
	}
}

bool plan_live(const struct plan_rules *rules, const struct pol_rows *rows, struct plan *out,
	       struct aaah_verdict *v)
{
	struct plan_rules lenient = *rules;

	memset(out, 0, sizeof(*out));
	out->fa = out->was_fa = rows->session.fa;
	out->ha = rows->user.ha;
	out->hoa = rows->session.hoa;
	out->live = true;
	snprintf(out->ha_session, sizeof(out->ha_session), "%s", rows->session.ha_session);
	lenient.refuse_not_permitted = false;
	if (!routes_fresh(&lenient, rows, out, v))
		return false;
	for (size_t i = 0; i < out->route.n_home; i++)
		soften(&out->route.home[i], rows);
	for (size_t i = 0; i < out->route.n_foreign; i++)
		soften(&out->route.foreign[i], rows);
	return true;
}

bool plan_live_same(const struct plan *p, const struct pol_rows *rows)
{
	if (rows->cached_bad || p->route.n_home != rows->n_cached)
		return false;
	for (size_t i = 0; i < rows->n_cached; i++) {
		if (!vpn_profile_equal(&p->route.home[i], &rows->cached[i]) ||
		    strcmp(p->route.home[i].bu_context, rows->cached[i].bu_context) != 0)
			return false;
	}
	return true;
}

void plan_wipe(struct plan *p)
{
	crypto_wipe(p, sizeof(*p));
}

/* --- messages ------------------------------------------------------------------------------------------------------- */

static void copy_id(char to[DM_ID_MAX], const char *from)
{
	snprintf(to, DM_ID_MAX, "%s", from);
}

static int vpn_fill(struct dm_vpn *v, const struct vpn_profile *p, size_t n)
{
	v->cached = true;
	v->n = 0;
	v->p = n ? malloc(n * sizeof(*p)) : NULL;
	if (n && !v->p)
		return -1;
	if (n)
		memcpy(v->p, p, n * sizeof(*p));
	v->n = (uint8_t)n;
	return 0;
}

int plan_vur(const struct plan *p, bool home, struct dm_har *out)
{
	memset(out, 0, sizeof(*out));
	return home ? vpn_fill(&out->vpn, p->route.home, p->route.n_home)
		    : vpn_fill(&out->vpn, p->route.foreign, p->route.n_foreign);
}

int plan_har(const struct plan *p, const struct dm_amr *amr, const struct pol_rows *rows, struct dm_har *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->session, sizeof(out->session), "%s", p->ha_session);
	copy_id(out->dest_host, rows->user.ha_host);
	copy_id(out->dest_realm, rows->user.ha_realm);
	copy_id(out->user, amr->user);
	out->rrq = amr->rrq;
	out->auth_lifetime = p->lifetime;
	out->msa_lifetime = p->msa_lifetime;
	out->features = amr->features;
	out->has_hoa = out->has_ha = true;
	out->hoa = p->hoa;
	out->ha = p->ha;
	out->mn_to_ha = p->msas.mn_to_ha;
	out->mn_to_fa = p->msas.mn_to_fa;
	out->ha_to_mn = p->msas.ha_to_mn;
	out->ha_to_fa = p->msas.ha_to_fa;
	copy_id(out->originating_host, amr->originating_host);
	copy_id(out->originating_realm, amr->originating_realm);
	return vpn_fill(&out->vpn, p->route.home, p->route.n_home);
}

/* A refusal of the home agent goes on as it is: its Registration Reply says more to the mobile node than we could. */
static void ama_refusal(const struct dm_haa *haa, struct dm_ama *out)
{
	bool ours = haa->result == DM_BAD_KEY || haa->result == DM_FILTER_NOT_SUPPORTED;

	out->result = ours ? haa->result : haa->rrp.len ? DM_MIP_REPLY_FAILURE : DM_HA_NOT_AVAILABLE;
	snprintf(out->error, sizeof(out->error), "%s", haa->error[0] ? haa->error : "the home agent refused");
	out->rrp = haa->rrp;
}

static void ama_keys(const struct plan *p, const struct dm_haa *haa, struct dm_ama *out)
{
	out->fa_to_mn = p->msas.fa_to_mn;
	if (haa->fa_to_mn_spi)
		out->fa_to_mn.spi = haa->fa_to_mn_spi;
	out->fa_to_ha = p->msas.fa_to_ha;
	out->fa_to_ha.spi = haa->fa_to_ha_spi;
	out->fa_to_ha.present = p->msas.fa_to_ha.present && haa->fa_to_ha_spi >= MIP_SPI_MIN;
	out->vpn.handoff.len = p->handoff.len;
	memcpy(out->vpn.handoff.data, p->handoff.data, p->handoff.len);
}

/* What the home agent could not set up and does not insist on.  The foreign agent has their profiles all the same: it
 * tries them later, when the registration is through. */
static void ama_refused(const struct dm_haa *haa, struct dm_ama *out)
{
	for (size_t i = 0; i < haa->n_refused && i < DM_REFUSED_MAX; i++) {
		size_t at = strlen(out->error);

		out->refused[out->n_refused++] = haa->refused[i];
		snprintf(out->error + at, sizeof(out->error) - at, "%sVPN %u: %s", at ? "; " : "",
			 haa->refused[i].number, haa->refused[i].text);
	}
}

int plan_ama(const struct plan *p, const struct dm_amr *amr, const struct dm_haa *haa, struct dm_ama *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->session, sizeof(out->session), "%s", amr->session);
	copy_id(out->user, amr->user);
	if (haa->result != DM_SUCCESS) {
		ama_refusal(haa, out);
		return 0;
	}
	out->result = DM_SUCCESS;
	snprintf(out->multi_session, sizeof(out->multi_session), "%s", haa->multi_session);
	out->auth_lifetime = p->lifetime;
	out->msa_lifetime = p->msa_lifetime;
	out->features = amr->features;
	out->rrp = haa->rrp;
	out->has_hoa = out->has_ha = true;
	out->hoa = haa->has_hoa ? haa->hoa : p->hoa;
	out->ha = haa->has_ha ? haa->ha : p->ha;
	out->has_previous_fa = haa->has_previous_fa; /* the row may not have seen the last moves (D2) */
	out->previous_fa = haa->previous_fa;
	ama_keys(p, haa, out);
	ama_refused(haa, out);
	return vpn_fill(&out->vpn, p->route.foreign, p->route.n_foreign);
}

struct pol_put plan_put(const struct plan *p, const struct plan_rules *rules, const struct dm_amr *amr,
			const struct dm_haa *haa, const struct pol_rows *rows)
{
	const struct pol_put put = {
		.nai = amr->user,
		.ha_session = p->ha_session,
		.ha_host = rows->user.ha_host,
		.ha_realm = rows->user.ha_realm,
		.fa_session = amr->session,
		.fa_host = amr->origin_host,
		.fa_realm = amr->origin_realm,
		.multi = haa->multi_session[0] ? haa->multi_session : rows->session.multi,
		.hoa = p->hoa,
		.ha = p->ha,
		.fa = p->fa,
		.handoff = &p->handoff,
		.lasting_s = p->lifetime + rules->grace,
		.home = p->route.home,
		.n_home = p->route.n_home,
	};

	return put;
}
