/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The home agent's checks of a Registration Request, one function each, in the order of the table at the end
 * (RFC 5944 3.8.2.1, RFC 3024 5, RFC 3115).  The first that finds something decides.  What came in a HAR has
 * been authenticated by the AAAH, so the checks of authenticators are for UDP; the others are for both.
 */
#include <arpa/inet.h>
#include <string.h>

#include "agent/roles/ha_int.h"

#define REFUSAL(id, code_, text_) static const struct role_refusal id = {#id, code_, text_}

const struct role_refusal ha_poor_request = {"poor_request", MIP_HA_POOR_REQUEST, "extensions are malformed"};
REFUSAL(no_authorization, 0, "no MN-HA authentication");
REFUSAL(no_association, 0, "no association with this mobile node");
REFUSAL(mn_ha_unknown, MIP_HA_MN_AUTH, "MN-HA authentication under an unknown SPI");
REFUSAL(mn_ha_wrong, MIP_HA_MN_AUTH, "MN-HA authenticator is wrong");
REFUSAL(no_key, MIP_HA_MN_AUTH, "no MN-HA association, and no key from the AAAH");
REFUSAL(ident_replay, MIP_HA_IDENT, "the Identification is not newer than the last one");
REFUSAL(ident_clock, MIP_HA_IDENT, "the Identification is too far from our clock");
REFUSAL(under_way, 0, "this very request is under way");
REFUSAL(fa_ha_wrong, MIP_HA_FA_AUTH, "FA-HA authentication is missing or wrong");
REFUSAL(fa_ha_stranger, 0, "FA-HA authentication, and no association with that foreign agent");
REFUSAL(broadcast, MIP_HA_UNKNOWN_HA, "home agent discovery by broadcast");
REFUSAL(not_our_address, MIP_HA_UNKNOWN_HA, "the home agent's address is not ours");
REFUSAL(reserved_bits, MIP_HA_POOR_REQUEST, "reserved bits are set");
REFUSAL(care_of, MIP_HA_POOR_REQUEST, "the care-of address is none");
REFUSAL(nai_mismatch, MIP_HA_POOR_REQUEST, "the NAI is not the user's that the AAAH names");
REFUSAL(vendor, MIP_HA_CVSE_MN, "a critical vendor extension that we do not know");
REFUSAL(encapsulation, MIP_HA_ENCAP, "minimal and GRE encapsulation are not offered");
REFUSAL(reverse_unavailable, MIP_HA_NO_TUNNEL, "reverse tunnel is not offered");
REFUSAL(reverse_required, MIP_HA_TUNNEL_MANDATORY, "reverse tunnel is mandatory here");
REFUSAL(not_served, MIP_HA_PROHIBITED, "the home address is not of this network");
REFUSAL(not_the_aaas, MIP_HA_PROHIBITED, "the home address is not the one that the AAAH assigned");
REFUSAL(taken, MIP_HA_PROHIBITED, "the home address is another user's");
REFUSAL(no_pool, MIP_HA_RESOURCES, "no home address to give");
REFUSAL(needs_aaa, MIP_HA_PROHIBITED, "a user with VPNs changes the foreign agent through the AAA");
REFUSAL(bindings_full, MIP_HA_RESOURCES, "too many bindings");

bool ha_is_own(const struct ha *ha, struct in_addr a)
{
	return role_same_addr(a, ha->cfg.addr) ||
	       (!role_any_addr(ha->cfg.home_addr) && role_same_addr(a, ha->cfg.home_addr));
}

/* The association of this mobile node with this SPI (0 = any). */
static bool mn_ha_view(const struct ha *ha, const struct ha_req *r, uint32_t spi, struct role_view *out)
{
	if (r->b && r->now < r->b->msa_until && role_assoc_view(&r->b->mn_ha, out) &&
	    (!spi || out->spi_in == spi))
		return true;
	/* Just deregistered: its retransmission, and nothing else, may still use the key. */
	if (!r->b && r->m && !r->rrq.lifetime && role_assoc_view(&r->m->mn_ha, out) &&
	    (!spi || out->spi_in == spi))
		return true;
	return role_sa_view(ha->sas, ha->cfg.n_sas, r->rrq.hoa, r->nai, spi, out);
}

static const struct role_refusal *check_association(struct ha *ha, struct ha_req *r)
{
	if (!r->rrq.mn_ha.present)
		return &no_authorization;
	r->spi_known = mn_ha_view(ha, r, r->rrq.mn_ha.spi, &r->mn_ha);
	return r->spi_known || mn_ha_view(ha, r, 0, &r->mn_ha) ? NULL : &no_association;
}

static const struct role_refusal *check_mn_ha(struct ha *ha, struct ha_req *r)
{
	if (!r->spi_known)
		return &mn_ha_unknown;
	return role_view_verifies(&r->mn_ha, &r->rrq.mn_ha, r->rrq.raw) ? NULL : &mn_ha_wrong;
}

/* In a HAR: keys of the AAAH, or 32 under an association that we know.  Keys that we know and a 32 that is
 * wrong: no. */
static const struct role_refusal *check_har_key(struct ha *ha, struct ha_req *r)
{
	bool known = r->rrq.mn_ha.present && mn_ha_view(ha, r, r->rrq.mn_ha.spi, &r->mn_ha);

	if (known && !role_view_verifies(&r->mn_ha, &r->rrq.mn_ha, r->rrq.raw))
		return &mn_ha_wrong;
	if (!known)
		known = mn_ha_view(ha, r, 0, &r->mn_ha);
	return known || r->answer->mn_ha.len ? NULL : &no_key;
}

static const struct role_refusal *check_nai(struct ha *ha, struct ha_req *r)
{
	return r->rrq.nai[0] && strcmp(r->rrq.nai, r->har->user) != 0 ? &nai_mismatch : NULL;
}

/* The network has doubled it: a 133 now would end what its foreign agent waits for. */
static bool is_under_way(const struct ha *ha, const struct ha_req *r)
{
	const struct ha_pending *p = r->b && !r->har ? ha_move_of(ha, r->b) : NULL;

	return p && p->answer.ident == r->rrq.ident && role_same_addr(p->coa, r->rrq.coa);
}

static const struct role_refusal *check_ident(struct ha *ha, struct ha_req *r)
{
	int64_t off = mip_ident_diff_ms(r->rrq.ident, mip_ident_from_unix_ms(r->e->wall_ms, 0));

	if (off > (int64_t)ha->cfg.clock_skew_ms || off < -(int64_t)ha->cfg.clock_skew_ms)
		return &ident_clock;
	/* As one number within an era; the difference of the two is small or the first check has failed. */
	if (is_under_way(ha, r))
		return &under_way;
	if (r->m && (int64_t)(r->rrq.ident - r->m->ident) <= 0)
		return &ident_replay;
	return NULL;
}

/* The association with the foreign agent that sent this: the session's, when it is the binding's or can
 * show that it
 * has the key (it is where the user moves to), or a configured one. */
static bool fa_ha_view(const struct ha *ha, struct ha_req *r)
{
	const struct mip_auth *a = &r->rrq.fa_ha;
	struct in_addr src = r->e->path.src;

	if (r->b && r->now < r->b->msa_until && role_assoc_view(&r->b->fa_ha, &r->fa_ha)) {
		r->knows_session = role_view_verifies(&r->fa_ha, a, r->rrq.raw);
		if (r->knows_session || role_same_addr(r->b->coa, src))
			return true;
	}
	r->fa_ha.len = 0;
	return role_sa_view(ha->sas, ha->cfg.n_sas, src, NULL, a->present ? a->spi : 0, &r->fa_ha);
}

void ha_check_relay(struct ha *ha, struct ha_req *r)
{
	if (r->fa_ha.len || !r->rrq.fa_ha.present)
		return;
	if (!fa_ha_view(ha, r) || !role_view_verifies(&r->fa_ha, &r->rrq.fa_ha, r->rrq.raw))
		r->fa_ha.len = 0;
}

static const struct role_refusal *check_fa_ha(struct ha *ha, struct ha_req *r)
{
	const struct mip_auth *a = &r->rrq.fa_ha;

	if (!fa_ha_view(ha, r))
		return a->present ? &fa_ha_stranger : NULL;
	if (r->rrq.lifetime && !role_view_verifies(&r->fa_ha, a, r->rrq.raw))
		return &fa_ha_wrong;
	if (!r->rrq.lifetime && !a->present)
		r->fa_ha.len = 0; /* a deregistration is neither asked with 34 nor answered with it */
	return NULL;
}

static bool is_broadcast(const struct ha *ha, struct in_addr a)
{
	const struct vpn_prefix *p = &ha->cfg.home_prefix;
	uint32_t host = p->len >= 32 ? 0 : 0xffffffffu >> p->len;

	return role_ones_addr(a) || IN_MULTICAST(ntohl(a.s_addr)) ||
	       (host > 1 && vpn_prefix_has(p, a) && (ntohl(a.s_addr) & host) == host);
}

static const struct role_refusal *check_address(struct ha *ha, struct ha_req *r)
{
	if (r->har && (role_any_addr(r->rrq.ha) || role_ones_addr(r->rrq.ha)))
		return NULL; /* the AAAH has chosen us */
	if (!r->har && is_broadcast(ha, r->e->path.dst))
		return &broadcast;
	return ha_is_own(ha, r->rrq.ha) ? NULL : &not_our_address;
}

static const struct role_refusal *check_reserved(struct ha *ha, struct ha_req *r)
{
	if (r->rrq.flags & (MIP_X | MIP_R))
		return &reserved_bits;
	if (r->rrq.lifetime && (role_any_addr(r->rrq.coa) || role_same_addr(r->rrq.coa, r->rrq.hoa)))
		return &care_of;
	return NULL;
}

static const struct role_refusal *check_vendor(struct ha *ha, struct ha_req *r)
{
	return r->rrq.cvse ? &vendor : NULL;
}

static const struct role_refusal *check_encapsulation(struct ha *ha, struct ha_req *r)
{
	return r->rrq.flags & (MIP_M | MIP_G) ? &encapsulation : NULL;
}

static const struct role_refusal *check_reverse(struct ha *ha, struct ha_req *r)
{
	bool t = r->rrq.flags & MIP_T;

	if (t && !ha->cfg.reverse_tunnel)
		return &reverse_unavailable;
	return !t && ha->cfg.reverse_tunnel_required && r->rrq.lifetime ? &reverse_required : NULL;
}

/* What the mobile node wants, what the AAAH has assigned, what it has, or one of the pool. */
static const struct role_refusal *choose_address(struct ha *ha, struct ha_req *r)
{
	bool wants = !role_any_addr(r->rrq.hoa) && !role_ones_addr(r->rrq.hoa);
	bool assigned =
		r->har && r->har->has_hoa && !role_any_addr(r->har->hoa) && !role_ones_addr(r->har->hoa);

	if (assigned && wants && !role_same_addr(r->har->hoa, r->rrq.hoa))
		return &not_the_aaas;
	if (assigned)
		r->hoa = r->har->hoa;
	else if (wants)
		r->hoa = r->rrq.hoa;
	else if (r->b)
		r->hoa = r->b->hoa;
	else if (!r->rrq.lifetime || !ha_pool_take(ha, r->nai, &r->hoa))
		return &no_pool;
	return NULL;
}

static const struct role_refusal *check_home_address(struct ha *ha, struct ha_req *r)
{
	const struct role_refusal *why = choose_address(ha, r);

	if (why)
		return why;
	if (!ha_serves(ha, r->hoa))
		return &not_served;
	return ha_is_free(ha, r->hoa, r->nai) ? NULL : &taken;
}

/* A foreign agent that users with VPNs move to needs their keys and profiles.  One that has the session's
 * key got them
 * together with it. */
static const struct role_refusal *check_move(struct ha *ha, struct ha_req *r)
{
	const struct ha_binding *b = r->b;
	bool elsewhere = b && !role_same_addr(b->coa, r->rrq.coa);

	if (!r->rrq.lifetime || !b || (!elsewhere && !ha_move_of(ha, b)))
		return NULL;
	if (r->rrq.flags & MIP_D)
		return elsewhere && b->vpn ? &needs_aaa : NULL;
	r->moves = b->n_profiles && r->knows_session && role_same_addr(r->rrq.coa, r->e->path.src);
	return r->moves || !elsewhere || !b->n_profiles ? NULL : &needs_aaa;
}

static const struct role_refusal *check_limits(struct ha *ha, struct ha_req *r)
{
	if (!r->rrq.lifetime || r->b)
		return NULL;
	return HASH_COUNT(ha->by_hoa) + ha->n_pending >= ha->cfg.bindings_max ? &bindings_full : NULL;
}

const struct role_refusal *ha_check(struct ha *ha, struct ha_req *r)
{
	enum { UDP = 1, HAR = 2, BOTH = 3 };
	static const struct {
		const struct role_refusal *(*check)(struct ha *, struct ha_req *);
		int when;
	} checks[] = {
		{check_association, UDP},    {check_mn_ha, UDP},     {check_nai, HAR},
		{check_har_key, HAR},	     {check_ident, BOTH},    {check_fa_ha, UDP},
		{check_address, BOTH},	     {check_reserved, BOTH}, {check_vendor, BOTH},
		{check_encapsulation, BOTH}, {check_reverse, BOTH},  {check_home_address, BOTH},
		{check_move, UDP},	     {check_limits, BOTH},
	};
	const struct role_refusal *why = NULL;

	for (size_t i = 0; !why && i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (checks[i].when & (r->har ? HAR : UDP))
			why = checks[i].check(ha, r);
	}
	return why;
}
