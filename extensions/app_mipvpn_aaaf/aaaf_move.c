/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The user moves within the domain (requirement D2, doc/moves.md): whether, and with what, the cache answers
 * for the home network.  Pure.  Whoever gets keys here has shown a request that the mobile node signed for
 * this care-of address under a key that nobody has but the mobile node, its previous foreign agent, its home
 * network and us.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/mip/mip.h"
#include "extensions/app_mipvpn_aaaf/aaaf.h"

#define LIFETIME_INFINITE 0xffff	/* RFC 5944 3.3 */

static bool has_keys(const struct aaaf_session *s)
{
	return s->fa_to_mn.present && s->fa_to_ha.present && s->fa_spi >= MIP_SPI_MIN;
}

/* The session is alive, and has not been another one's in the meantime. */
static const char *refuses_session(const struct aaaf_session *s, const struct dm_amr *amr,
				   const struct mip_rrq *rrq)
{
	if (s->fa.s_addr == rrq->coa.s_addr || !strcmp(s->session, amr->session))
		return "same_fa";
	if (strcasecmp(s->fa_realm, amr->origin_realm))
		return "realm";		/* the home server takes an STR from that realm only */
	if (rrq->nai[0] && strcasecmp(rrq->nai, s->user))
		return "user";
	return has_keys(s) ? NULL : "no_keys";
}

/* What only the home network can do. */
static const char *refuses_wish(const struct aaaf_session *s, const struct dm_amr *amr,
				const struct mip_rrq *rrq)
{
	if (rrq->hoa.s_addr != s->hoa.s_addr || (amr->has_hoa && amr->hoa.s_addr != s->hoa.s_addr))
		return "home_address";
	if (rrq->ha.s_addr != s->ha.s_addr || (amr->has_ha && amr->ha.s_addr != s->ha.s_addr))
		return "home_agent";
	if (rrq->mn_ha_key.present || amr->features & DM_F_MN_HA_KEY)
		return "mn_ha_key";
	if (rrq->service_update || amr->service_update)
		return "service_update";
	if (!rrq->lifetime)
		return "deregistration";
	return rrq->mn_ha.present ? NULL : "no_mn_ha";
}

static bool fits(uint32_t lifetime, uint64_t until_ms, uint64_t now_ms)
{
	return now_ms < until_ms &&
	       UINT64_C(1000) * lifetime + AAAF_MOVE_MARGIN_MS <= until_ms - now_ms;
}

static const char *refuses_time(const struct aaaf_session *s, const struct mip_rrq *rrq, uint64_t now_ms)
{
	if (rrq->lifetime == LIFETIME_INFINITE || !fits(rrq->lifetime, s->authorised_until_ms, now_ms))
		return "lifetime";
	return fits(rrq->lifetime, s->keys_until_ms, now_ms) ? NULL : "key_lifetime";
}

static const char *refuses_proof(const struct aaaf_session *s, uint64_t last_ident,
				 const struct mip_rrq *rrq)
{
	const struct dm_msa *m = &s->fa_to_mn;
	struct mip_pfan p;

	if (!mip_pfan_get(rrq, &p))
		return "no_pfan";
	if (p.previous_fa.s_addr != s->fa.s_addr)
		return "previous_fa";
	if (p.coa.s_addr != rrq->coa.s_addr)
		return "care_of";
	if (p.spi != s->fa_spi)
		return "spi";
	if (!mip_pfan_check(rrq, (enum crypto_mac)m->algorithm, m->key.data, m->key.len))
		return "authenticator";
	return rrq->ident > last_ident ? NULL : "replay";
}

const char *aaaf_move_refuses(const struct aaaf_session *s, uint64_t last_ident, const struct dm_amr *amr,
			      const struct mip_rrq *rrq, uint64_t now_ms)
{
	const char *why = refuses_session(s, amr, rrq);

	if (!why)
		why = refuses_wish(s, amr, rrq);
	if (!why)
		why = refuses_time(s, rrq, now_ms);
	return why ? why : refuses_proof(s, last_ident, rrq);
}

static bool copy_profiles(const struct aaaf_session *s, struct in_addr fa, struct dm_vpn *to)
{
	*to = s->vpn;
	to->n = 0;
	to->p = s->vpn.n ? calloc(s->vpn.n, sizeof(*to->p)) : NULL;
	if (s->vpn.n && !to->p)
		return false;
	for (; to->n < s->vpn.n; to->n++) {
		struct vpn_profile *p = &to->p[to->n];

		*p = s->vpn.p[to->n];
		if (p->src_gw.s_addr == s->fa.s_addr)
			p->src_gw = fa;
	}
	return true;
}

bool aaaf_move_session(const struct aaaf_session *s, const struct dm_amr *amr, const struct mip_rrq *rrq,
		       struct aaaf_session *to)
{
	*to = *s;
	memcpy(to->session, amr->session, sizeof(to->session));
	memcpy(to->fa_host, amr->origin_host, sizeof(to->fa_host));
	memcpy(to->fa_realm, amr->origin_realm, sizeof(to->fa_realm));
	to->fa = rrq->coa;
	to->ident = rrq->ident;
	to->features = amr->features;
	return copy_profiles(s, rrq->coa, &to->vpn);
}

static uint32_t seconds_left(uint64_t until_ms, uint64_t now_ms)
{
	return until_ms == UINT64_MAX ? 0 : (uint32_t)((until_ms - now_ms) / 1000);
}

void aaaf_move_answer(struct aaaf_session *s, struct in_addr previous, uint64_t now_ms, struct dm_ama *out)
{
	memset(out, 0, sizeof(*out));
	out->result = DM_SUCCESS;
	memcpy(out->session, s->session, sizeof(out->session));
	memcpy(out->user, s->user, sizeof(out->user));
	memcpy(out->multi_session, s->multi_session, sizeof(out->multi_session));
	out->auth_lifetime = seconds_left(s->authorised_until_ms, now_ms);
	out->msa_lifetime = seconds_left(s->keys_until_ms, now_ms);
	out->has_hoa = out->has_ha = out->has_previous_fa = true;
	out->hoa = s->hoa;
	out->ha = s->ha;
	out->previous_fa = previous;
	out->fa_to_mn = s->fa_to_mn;
	out->fa_to_ha = s->fa_to_ha;
	out->ha_to_fa_spi = s->fa_spi;
	out->features = s->features;
	out->vpn = s->vpn;
	memset(&s->vpn, 0, sizeof(s->vpn));
}
