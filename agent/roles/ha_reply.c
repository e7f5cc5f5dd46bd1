/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Registration Replies of the home agent.  Order of the extensions: 131 NAI, 136 HA and AAAH, 145 text, 43,
 * 41, then 32; behind it, for the foreign agent, the challenge as received, and 34 (RFC 5944 3.8.3, RFC 3957
 * 5, RFC 4721 3.3).
 */
#include <stdio.h>
#include <string.h>

#include "agent/roles/ha_int.h"

static void take_key(struct dm_key *to, const struct dm_msa *from)
{
	to->len = 0;
	if (from->present && from->key.len && from->key.len <= DM_NONCE_MAX)
		*to = from->key;
}

/* Keys and nonces of the AAAH; the SPIs that name what we verify are our choice (RFC 4004 9). */
static void take_keys(const struct ha_req *r, struct ha_answer *a)
{
	const struct dm_har *h = r->har;
	uint32_t mn_spi = r->rrq.mn_ha_key.present ? r->rrq.mn_ha_key.spi : h->ha_to_mn.spi;

	a->msa_lifetime = h->msa_lifetime;
	a->key_lifetime = h->msa_lifetime ? h->msa_lifetime : UINT32_MAX;
	if (h->auth_lifetime && h->auth_lifetime < a->key_lifetime)
		a->key_lifetime = h->auth_lifetime;
	a->aaa_spi = r->rrq.mn_aaa.spi;
	if (h->mn_to_ha.present && mn_spi >= MIP_SPI_MIN) {
		a->ha_spi = h->mn_to_ha.spi >= MIP_SPI_MIN ? h->mn_to_ha.spi : role_spi_new();
		if (role_assoc_set(&a->mn_ha, a->ha_spi, mn_spi, &h->ha_to_mn))
			take_key(&a->ha_nonce, &h->mn_to_ha);
	}
	if (h->mn_to_fa.present && r->rrq.mn_fa_key.present) {
		a->fa_spi = h->mn_to_fa.spi >= MIP_SPI_MIN ? h->mn_to_fa.spi : role_spi_new();
		a->fa_to_mn_spi = r->rrq.mn_fa_key.spi;
		take_key(&a->fa_nonce, &h->mn_to_fa);
	}
	if (h->ha_to_fa.present && h->ha_to_fa.spi >= MIP_SPI_MIN)
		role_assoc_set(&a->fa_ha, role_spi_new(), h->ha_to_fa.spi, &h->ha_to_fa);
}

void ha_answer_init(const struct ha *ha, const struct ha_req *r, struct ha_answer *a)
{
	*a = (struct ha_answer){.hoa = r->rrq.hoa, .ident = r->rrq.ident, .lifetime = r->rrq.lifetime};
	role_copy(a->nai, sizeof(a->nai), r->rrq.nai);
	if (r->rrq.challenge.len) {
		a->challenge.len = (uint8_t)r->rrq.challenge.len;
		memcpy(a->challenge.data, r->rrq.challenge.data, a->challenge.len);
	}
	if (!r->har)
		return;
	snprintf(a->aaah_nai, sizeof(a->aaah_nai), "%.126s@%.126s", r->har->origin_host,
		 r->har->origin_realm);
	take_keys(r, a);
}

static void put_nais(const struct ha *ha, const struct ha_answer *a, struct wbuf *w)
{
	char own[MIP_NAI_MAX + 1];

	if (a->nai[0])
		mip_ext_put_nai(w, a->nai);
	if (!a->aaah_nai[0])
		return;
	snprintf(own, sizeof(own), "%.126s@%.126s", ha->cfg.diameter_host, ha->cfg.diameter_realm);
	mip_ext_put_nai_carry(w, 1, own);
	mip_ext_put_nai_carry(w, 2, a->aaah_nai);
}

static void put_nonces(const struct ha_answer *a, struct wbuf *w)
{
	if (a->ha_nonce.len)
		mip_ext_put_keygen_rep(w, MIP_EXT_MN_HA_KEYGEN_REP, a->key_lifetime, a->aaa_spi, a->ha_spi,
				       a->mn_ha.alg, 2, a->ha_nonce.data, a->ha_nonce.len);
	if (a->fa_nonce.len)
		mip_ext_put_keygen_rep(w, MIP_EXT_MN_FA_KEYGEN_REP, a->key_lifetime, a->aaa_spi, a->fa_spi,
				       CRYPTO_HMAC_SHA1, 0, a->fa_nonce.data, a->fa_nonce.len);
}

/* 133: low half from the request, high half our clock, so that the mobile node can set its own (RFC 5944
 * 5.7.1). */
static uint64_t reply_ident(const struct ha_answer *a, uint8_t code, uint64_t wall_ms)
{
	if (code != MIP_HA_IDENT)
		return a->ident;
	return (mip_ident_from_unix_ms(wall_ms, 0) & 0xffffffff00000000u) | (uint32_t)a->ident;
}

void ha_reply_put(const struct ha *ha, const struct ha_answer *a, uint8_t code, const char *text,
		  uint64_t wall_ms, struct wbuf *w)
{
	struct role_view v;

	mip_rrp_put(w, code, a->lifetime, a->hoa, ha->cfg.addr, reply_ident(a, code, wall_ms));
	put_nais(ha, a, w);
	if (text && text[0])
		mip_ext_put_message(w, 1, text);
	put_nonces(a, w);
	if (role_assoc_view(&a->mn_ha, &v))
		role_put_auth(w, MIP_EXT_MN_HA, &v);
	if (a->challenge.len)
		mip_ext_put_challenge(w, a->challenge.data, a->challenge.len);
	if (role_assoc_view(&a->fa_ha, &v))
		role_put_auth(w, MIP_EXT_FA_HA, &v);
}

uint8_t ha_accept_code(const struct ha_req *r)
{
	return r->rrq.flags & MIP_S ? MIP_ACCEPTED_NO_SIMUL : MIP_ACCEPTED;
}

static struct role_path back(const struct ha *ha, const struct role_path *q)
{
	struct role_path p = *q;

	p.src = ha_is_own(ha, q->dst) ? q->dst : ha->cfg.addr;
	p.dst = q->src;
	p.sport = MIP_PORT;
	p.dport = q->sport;
	p.ttl = ROLE_REPLY_TTL;
	return p;
}

void ha_reply_send(const struct ha *ha, const struct ha_answer *a, const struct role_path *q, uint8_t code,
		   const char *text, uint64_t wall_ms, struct actions *out)
{
	uint8_t mem[MIP_MSG_MAX];
	struct wbuf w;
	struct role_path p = back(ha, q);

	wbuf_init(&w, mem, sizeof(mem));
	ha_reply_put(ha, a, code, text, wall_ms, &w);
	role_send(out, &p, IPPROTO_UDP, &w);
}

void ha_reply_udp(struct ha *ha, const struct ha_req *r, uint8_t code, const char *text, struct actions *out)
{
	ha_reply_send(ha, r->answer, &r->e->path, code, text, r->e->wall_ms, out);
}
