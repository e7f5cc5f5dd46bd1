/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Registration Requests, in the order of RFC 5944 3.6.1 and RFC 4721 3.2:
 * fixed | NAI, NAI carrying, key requests, service update (134), previous FA (96) | MN-HA (32) |
 * challenge (132) | MN-AAA (36) | MN-FA (33).
 */
#include "mn/mn_impl.h"

#include <string.h>

#define HANDOFF_S 10 /* how long the previous foreign agent sends after us what still comes to it */

uint32_t mn_random(struct mn *mn) /* xorshift64* */
{
	mn->rng ^= mn->rng >> 12;
	mn->rng ^= mn->rng << 25;
	mn->rng ^= mn->rng >> 27;
	return (uint32_t)((mn->rng * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

/* Timestamps have to grow (RFC 5944 5.7.1), also when the clock stands still or goes back. */
static uint64_t next_ident(struct mn *mn)
{
	uint64_t ident = mip_ident_from_unix_ms(mn->wall_ms + (uint64_t)mn->clock_offset_ms, mn_random(mn));

	if (mn->last_ident != 0 && !mip_ident_later(ident, mn->last_ident))
		ident = mn->last_ident + 1 + mn_random(mn) % 4096;
	mn->last_ident = ident;
	mn->attempt.idents[mn->attempt.sent % MN_IDENTS] = (uint32_t)ident;
	return ident;
}

/* On a move: the previous agent can go on delivering over its link until the tunnel to the new one stands. */
static bool both_heard(struct mn *mn)
{
	const struct mn_agent *previous = mn_agents_by_coa(&mn->agents, mn->reg_coa);

	return mn->c.smooth_handoff && mn->attempt.kind == MN_REGISTER && mn->registered && !mn->link_down &&
	       mn->reg_coa.s_addr != mn->agent->coa.s_addr && previous != NULL && previous != mn->agent &&
	       mn_agent_well(previous, mn->now);
}

static void put_fixed(struct mn *mn, struct wbuf *w)
{
	const struct mn_attempt *t = &mn->attempt;
	struct in_addr coa = t->kind == MN_LEAVE_HOME	   ? mn->home_address
			     : t->kind == MN_LEAVE_FOREIGN ? mn->reg_coa
							   : mn->agent->coa;
	uint8_t flags = mn->tunnel && t->kind != MN_LEAVE_HOME ? MIP_T : 0;

	if (both_heard(mn))
		flags |= MIP_S;
	mip_rrq_put(w, flags, t->lifetime, mn->home_address, mn->home_agent, coa, next_ident(mn));
	if (mn->c.nai[0] != '\0')
		mip_ext_put_nai(w, mn->c.nai);
	if (mn->ha_nai[0] != '\0')
		mip_ext_put_nai_carry(w, 1, mn->ha_nai);
	if (mn->aaah_nai[0] != '\0')
		mip_ext_put_nai_carry(w, 2, mn->aaah_nai);
}

static void put_key_requests(struct mn *mn, struct wbuf *w)
{
	bool outlasts = mn->keys.ha.expires >= mn->now + mn->attempt.lifetime * 1000u;

	mn->spi_ha = MIP_SPI_MIN + mn_random(mn) % 0x7fffff00;
	mn->spi_fa = MIP_SPI_MIN + mn_random(mn) % 0x7fffff00;
	/* With 42 only the AAAH can answer a move, which takes longer. */
	if (mn->c.ha.key.len == 0 && !(mn->attempt.pfan && outlasts))
		mip_ext_put_keygen_req(w, MIP_EXT_MN_HA_KEYGEN_REQ, mn->spi_ha);
	mip_ext_put_keygen_req(w, MIP_EXT_MN_FA_KEYGEN_REQ, mn->spi_fa);
}

static void put_sa(struct wbuf *w, uint8_t type, const struct mn_sa *sa)
{
	mip_ext_put_auth(w, type, sa->spi, sa->alg, sa->key.data, sa->key.len);
}

static void put_previous_fa(struct mn *mn, struct wbuf *w)
{
	const struct mn_sa *fa = &mn->keys.fa;
	struct mip_pfan p = {
		.lifetime = HANDOFF_S, .previous_fa = mn->keys.fa_coa, .coa = mn->agent->coa, .spi = fa->spi};

	mip_ext_put_pfan(w, &p, fa->alg, fa->key.data, fa->key.len);
}

static void put_extensions(struct mn *mn, struct wbuf *w, bool aaa)
{
	struct mn_agent *fa = mn->attempt.kind != MN_LEAVE_HOME ? mn->agent : NULL;
	const struct mn_sa *k = &mn->c.aaa;

	if (aaa && mn->attempt.lifetime > 0)
		put_key_requests(mn, w);
	if (aaa && mn->attempt.update)
		mip_ext_put_nvse(w, MIP_VENDOR, MIP_VENDOR_SERVICE_UPDATE, NULL, 0);
	if (mn->attempt.pfan)
		put_previous_fa(mn, w);
	if (mn->keys.ha.key.len > 0)
		put_sa(w, MIP_EXT_MN_HA, &mn->keys.ha);
	if (fa != NULL && fa->challenge_len > 0) {
		mip_ext_put_challenge(w, fa->challenge, fa->challenge_len);
		fa->challenge_used = true;
	}
	if (aaa)
		mip_ext_put_mn_aaa(w, k->spi, k->alg, k->key.data, k->key.len,
				   fa != NULL ? fa->challenge : NULL, fa != NULL ? fa->challenge_len : 0);
	if (fa != NULL && mn->keys.fa.key.len > 0 && mn->keys.fa_coa.s_addr == fa->coa.s_addr)
		put_sa(w, MIP_EXT_MN_FA, &mn->keys.fa);
}

static const char *missing(const struct mn *mn, bool aaa)
{
	bool via_fa = mn->attempt.kind != MN_LEAVE_HOME;

	if (!aaa && mn->keys.ha.key.len == 0)
		return "there is no key to sign the request with";
	if (aaa && mn->c.aaa.alg == CRYPTO_CHAP_MD5 && via_fa && mn->agent->challenge_len == 0)
		return "algorithm chap needs a challenge, and the agent gives none";
	return NULL;
}

static void address(const struct mn *mn, struct mn_action *a)
{
	a->src = mn->home_address;
	a->dst = mn->attempt.kind == MN_LEAVE_HOME ? mn->home_agent : mn->agent->addr;
	memcpy(a->mac, mn->agent->mac, sizeof(a->mac));
	a->ttl = mn->tunnel ? 255 : 1; /* RFC 3024 4.1: 255 lets the FA see that we are its neighbour */
}

bool mn_request_build(struct mn *mn, struct mn_action *a, const char **why)
{
	bool aaa = mn->c.aaa.key.len > 0 && (mn->attempt.full || mn->keys.ha.key.len == 0);
	struct wbuf w;

	*why = missing(mn, aaa);
	if (*why != NULL)
		return false;
	wbuf_init(&w, a->data, sizeof(a->data));
	put_fixed(mn, &w);
	put_extensions(mn, &w, aaa);
	address(mn, a);
	a->len = w.len;
	if (!wbuf_ok(&w))
		*why = "the request does not fit a packet";
	return wbuf_ok(&w);
}
