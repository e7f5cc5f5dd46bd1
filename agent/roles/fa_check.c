/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The foreign agent's checks of a Registration Request, one function each, in the order of the table at the
 * end (RFC 5944 3.7.2.1, RFC 3024 4, RFC 4721 3.2).  The first that finds something decides.
 * doc/registration.md has the same table in words.
 */
#include <string.h>

#include "agent/roles/fa_int.h"

#define REFUSAL(id, code_, text_) static const struct role_refusal id = {#id, code_, text_}

const struct role_refusal fa_poor_request = {"poor_request", MIP_FA_POOR_REQUEST, "extensions are malformed"};
REFUSAL(reserved_bits, MIP_FA_POOR_REQUEST, "reserved bits are set");
REFUSAL(co_located, MIP_FA_POOR_REQUEST, "D is set, and the care-of address is ours");
REFUSAL(care_of, MIP_FA_COA, "the care-of address is not ours");
REFUSAL(no_nai, MIP_FA_NO_NAI, "no NAI, and the AAA needs one with a realm");
REFUSAL(no_home_address, MIP_FA_NONZERO_HOA, "neither home address nor NAI");
REFUSAL(vendor, MIP_FA_CVSE_MN, "a critical vendor extension that we do not know");
REFUSAL(own_address, MIP_FA_INVALID_HA, "the home agent's address is the foreign agent's");
REFUSAL(no_home_agent, MIP_FA_NONZERO_HA, "no home agent named, and no AAA to choose one");
REFUSAL(mn_fa_missing, MIP_FA_MN_AUTH, "no MN-FA authentication, and there is an association");
REFUSAL(mn_fa_unknown, MIP_FA_MN_AUTH, "MN-FA authentication under an unknown SPI");
REFUSAL(mn_fa_wrong, MIP_FA_MN_AUTH, "MN-FA authenticator is wrong");
REFUSAL(lifetime, MIP_FA_LIFETIME, "lifetime longer than advertised");
REFUSAL(encapsulation, MIP_FA_ENCAP, "minimal and GRE encapsulation are not offered");
REFUSAL(style_without_t, MIP_FA_POOR_REQUEST, "delivery style without reverse tunnel");
REFUSAL(reverse_unavailable, MIP_FA_NO_TUNNEL, "reverse tunnel is not offered");
REFUSAL(too_distant, MIP_FA_TTL, "reverse tunnel asked for with an IP TTL below 255");
REFUSAL(delivery_style, MIP_FA_STYLE, "encapsulating delivery style is not offered");
REFUSAL(reverse_required, MIP_FA_TUNNEL_MANDATORY, "reverse tunnel is mandatory here");
REFUSAL(bare_challenge, 0, "challenge without an authentication behind it");
REFUSAL(missing_challenge, MIP_FA_CHALLENGE_MISSING, "no challenge");
REFUSAL(unknown_challenge, MIP_FA_CHALLENGE_UNKNOWN, "the challenge is none of the last ones");
REFUSAL(stale_challenge, MIP_FA_CHALLENGE_STALE, "the challenge has been used");
REFUSAL(no_mn_aaa, MIP_FA_MN_AUTH, "no MN-AAA authentication, and the AAA has to be asked");
REFUSAL(pending_full, MIP_FA_RESOURCES, "too many requests under way");
REFUSAL(visitors_full, MIP_FA_RESOURCES, "too many visitors");

static const struct role_refusal *check_reserved(struct fa *fa, struct fa_req *r)
{
	return r->rrq.flags & (MIP_X | MIP_R) ? &reserved_bits : NULL;
}

static const struct role_refusal *check_coa(struct fa *fa, struct fa_req *r)
{
	bool ours = role_same_addr(r->rrq.coa, fa->cfg.coa);

	if (ours)
		return r->rrq.flags & MIP_D ? &co_located : NULL;
	return r->rrq.lifetime ? &care_of : NULL; /* R is not advertised: no co-located ones through us */
}

static const struct role_refusal *check_identity(struct fa *fa, struct fa_req *r)
{
	const char *at = strchr(r->rrq.nai, '@');

	if (fa->cfg.aaa && !(at && at != r->rrq.nai && at[1]))
		return &no_nai;
	if (!r->rrq.nai[0] && (role_any_addr(r->rrq.hoa) || role_ones_addr(r->rrq.hoa)))
		return &no_home_address;
	return NULL;
}

static const struct role_refusal *check_vendor(struct fa *fa, struct fa_req *r)
{
	return r->rrq.cvse ? &vendor : NULL;
}

static const struct role_refusal *check_home_agent(struct fa *fa, struct fa_req *r)
{
	if (fa_is_own(fa, r->rrq.ha))
		return &own_address;
	if (!fa->cfg.aaa && (role_any_addr(r->rrq.ha) || role_ones_addr(r->rrq.ha)))
		return &no_home_agent;
	return NULL;
}

/* The association that 33 names, or any when spi is 0. */
static bool mn_fa_view(const struct fa *fa, const struct fa_req *r, uint32_t spi, struct role_view *out)
{
	if (r->v && r->now < r->v->msa_until && role_assoc_view(&r->v->mn_fa, out) &&
	    (!spi || out->spi_in == spi))
		return true;
	return role_sa_view(fa->sas, fa->cfg.n_sas, r->rrq.hoa, r->rrq.nai, spi, out);
}

/* A node that has lost its keys comes back with MN-AAA: then the AAAH decides, not an association it
 * forgot. */
static const struct role_refusal *check_mn_fa(struct fa *fa, struct fa_req *r)
{
	const struct mip_auth *a = &r->rrq.mn_fa;
	bool by_aaa = fa->cfg.aaa && r->rrq.mn_aaa.present;

	if (!a->present)
		return mn_fa_view(fa, r, 0, &r->mn_fa) && !by_aaa ? &mn_fa_missing : NULL;
	if (!mn_fa_view(fa, r, a->spi, &r->mn_fa))
		return by_aaa ? NULL : &mn_fa_unknown;
	if (!role_view_verifies(&r->mn_fa, a, r->rrq.raw))
		return &mn_fa_wrong;
	r->authentic = true;
	return NULL;
}

static const struct role_refusal *check_lifetime(struct fa *fa, struct fa_req *r)
{
	return r->rrq.lifetime > fa->cfg.lifetime_max ? &lifetime : NULL;
}

static const struct role_refusal *check_encapsulation(struct fa *fa, struct fa_req *r)
{
	return r->rrq.flags & (MIP_M | MIP_G) ? &encapsulation : NULL;
}

static const struct role_refusal *check_reverse(struct fa *fa, struct fa_req *r)
{
	bool t = r->rrq.flags & MIP_T;

	if (r->rrq.encap_style && !t)
		return &style_without_t;
	if (t && !fa->cfg.reverse_tunnel)
		return &reverse_unavailable;
	if (t && r->e->path.ttl != 255)
		return &too_distant;
	if (r->rrq.encap_style)
		return &delivery_style;
	if (!t && fa->cfg.reverse_tunnel_required && r->rrq.lifetime)
		return &reverse_required;
	return NULL;
}

/* A retransmission of what is under way brings its challenge again: tolerated. */
static const struct role_refusal *check_challenge(struct fa *fa, struct fa_req *r)
{
	if (r->rrq.challenge.len && !r->rrq.mn_fa.present && !r->rrq.mn_aaa.present)
		return &bare_challenge;
	r->same = fa_pending_same(fa, r);
	if (!fa->cfg.challenge || r->same)
		return NULL;
	if (!r->rrq.challenge.len)
		return r->authentic ? NULL : &missing_challenge;
	switch (fa_challenge_look(fa, r->v, r->key, r->rrq.challenge)) {
	case FA_CH_UNKNOWN:
		return &unknown_challenge;
	case FA_CH_STALE:
		return &stale_challenge;
	case FA_CH_FRESH:
		break;
	}
	return NULL;
}

/* Of what the AAAH has authorized the registration has to be covered to its end. */
static bool is_authorized(const struct fa_visitor *v, const struct fa_req *r)
{
	role_ms end = r->now + (role_ms)r->rrq.lifetime * 1000;

	return end <= v->auth_until && r->now < v->msa_until;
}

/* While the AAAH's authorization lasts, and with the keys that it made, the HA is asked directly (RFC 4004
 * 2.1).  A deregistration that the HA can verify goes there in any case: taking down needs nobody's
 * permission but the HA's. */
static bool can_go_direct(const struct fa *fa, const struct fa_req *r)
{
	const struct fa_visitor *v = r->v;
	struct role_view fa_ha;

	if (!fa->cfg.aaa)
		return true;
	if (!r->rrq.mn_ha.present || role_any_addr(r->rrq.ha) || role_ones_addr(r->rrq.ha))
		return false;
	if (!r->rrq.lifetime)
		return true;
	if (!v || !r->authentic || !is_authorized(v, r))
		return false;
	if (r->rrq.mn_fa_key.present || r->rrq.mn_ha_key.present || r->rrq.service_update)
		return false;
	if (v->out.on ||
	    (fa->cfg.smooth_handoff && r->rrq.pfan.len)) /* he has moved: his session is another's */
		return false;
	return role_same_addr(v->ha, r->rrq.ha) && role_same_addr(v->hoa, r->rrq.hoa) &&
	       (role_assoc_view(&v->fa_ha, &fa_ha) || fa_ha_assoc(fa, v->ha, 0, &fa_ha));
}

static const struct role_refusal *check_aaa(struct fa *fa, struct fa_req *r)
{
	r->direct = can_go_direct(fa, r);
	return r->direct || r->rrq.mn_aaa.present ? NULL : &no_mn_aaa;
}

static const struct role_refusal *check_room(struct fa *fa, struct fa_req *r)
{
	if (r->same)
		return NULL;
	if (fa->n_pending >= fa->cfg.pending_max)
		return &pending_full;
	if (!r->v && r->rrq.lifetime && HASH_COUNT(fa->by_key) + fa->n_pending >= fa->cfg.visitors_max)
		return &visitors_full;
	return NULL;
}

const struct role_refusal *fa_check(struct fa *fa, struct fa_req *r)
{
	static const struct role_refusal *(*const checks[])(struct fa *, struct fa_req *) = {
		check_reserved,	  check_coa,	   check_identity, check_vendor,
		check_home_agent, check_mn_fa,	   check_lifetime, check_encapsulation,
		check_reverse,	  check_challenge, check_aaa,	   check_room,
	};
	const struct role_refusal *why = NULL;

	for (size_t i = 0; !why && i < sizeof(checks) / sizeof(checks[0]); i++)
		why = checks[i](fa, r);
	return why;
}
