/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Registration Request (RFC 5944 3.3).  Order of extensions as a mobile node writes them: those for the home
 * agent, 32, 132, 36, those for the foreign agent, 33; a foreign agent cuts behind 32 or 36 and puts 34 last.
 */
#include "agent/mip/wire.h"

#include <string.h>

static bool rrq_fixed(struct rbuf *r, struct mip_rrq *m)
{
	m->flags = rbuf_u8(r);
	m->lifetime = rbuf_u16(r);
	rbuf_copy(r, &m->hoa.s_addr, 4);
	rbuf_copy(r, &m->ha.s_addr, 4);
	rbuf_copy(r, &m->coa.s_addr, 4);
	m->ident = rbuf_u64(r);
	return rbuf_ok(r);
}

/* An extension behind the authenticator that has to cover it is not authenticated. */
static enum mip_reject rrq_order(const struct mip_rrq *m, uint8_t type)
{
	bool late = false;

	if (m->fa_ha.present)
		return mip_ext_behind(MIP_EXT_FA_HA, type);
	if (m->mn_fa.present && type != MIP_EXT_FA_HA)
		return mip_ext_behind(MIP_EXT_MN_FA, type);
	if (type == MIP_EXT_NAI)
		late = m->mn_ha.present || m->mn_aaa.present;
	if (type == MIP_EXT_MN_FA_KEYGEN_REQ || type == MIP_EXT_MN_HA_KEYGEN_REQ)
		late = m->mn_aaa.present;
	return late ? MIP_REJ_EXT_ORDER : MIP_REJ_OK;
}

static enum mip_reject rrq_encap_style(const struct mip_ext *e, struct mip_rrq *m)
{
	if (m->encap_style)
		return MIP_REJ_EXT_DUPLICATE;
	m->encap_style = true;
	return e->len ? MIP_REJ_EXT_LENGTH : MIP_REJ_OK;
}

static enum mip_reject rrq_ext(const struct mip_ext *e, struct mip_rrq *m)
{
	switch (e->type) {
	case MIP_EXT_MN_HA:
		return mip_ext_get_auth(e, &m->mn_ha);
	case MIP_EXT_MN_FA:
		return mip_ext_get_auth(e, &m->mn_fa);
	case MIP_EXT_FA_HA:
		return mip_ext_get_auth(e, &m->fa_ha);
	case MIP_EXT_GENERAL_AUTH:
		return mip_ext_get_mn_aaa(e, &m->mn_aaa);
	case MIP_EXT_CVSE:
		return mip_ext_get_cvse(e, &m->cvse);
	case MIP_EXT_MN_FA_KEYGEN_REQ:
		return mip_ext_get_keygen_req(e, &m->mn_fa_key);
	case MIP_EXT_MN_HA_KEYGEN_REQ:
		return mip_ext_get_keygen_req(e, &m->mn_ha_key);
	case MIP_EXT_PFAN:
		return mip_ext_get_bytes(e, &m->pfan);
	case MIP_EXT_ENCAP_STYLE:
		return rrq_encap_style(e, m);
	case MIP_EXT_NAI:
		return mip_ext_get_nai(e, m->nai);
	case MIP_EXT_CHALLENGE:
		return mip_ext_get_challenge(e, &m->challenge);
	case MIP_EXT_NVSE:
		return mip_ext_get_nvse(e, &m->service_update);
	case MIP_EXT_NAI_CARRY:
		return mip_ext_get_nai_carry(e, m->ha_nai, m->aaah_nai);
	default:
		return e->type < MIP_FIRST_SKIPPABLE ? MIP_REJ_EXT_UNKNOWN : MIP_REJ_OK;
	}
}

static enum mip_reject rrq_take(const struct mip_ext *e, void *message)
{
	struct mip_rrq *m = message;
	enum mip_reject rej = rrq_order(m, e->type);

	return rej ? rej : rrq_ext(e, m);
}

static uint16_t auth_end(const struct mip_auth *a)
{
	return a->present ? (uint16_t)(a->covered + a->mac_len) : 0;
}

static uint16_t rrq_ha_part(const struct mip_rrq *m)
{
	uint16_t ha = auth_end(&m->mn_ha), aaa = auth_end(&m->mn_aaa);

	if (ha || aaa)
		return ha > aaa ? ha : aaa;
	if (m->mn_fa.present)
		return m->mn_fa.start;
	return m->fa_ha.present ? m->fa_ha.start : m->raw_len;
}

enum mip_reject mip_rrq_decode(const void *msg, size_t len, struct mip_rrq *out)
{
	struct rbuf r;
	enum mip_reject rej;

	memset(out, 0, sizeof(*out));
	if (len > MIP_MSG_MAX)
		return MIP_REJ_TOO_LONG;
	rbuf_init(&r, msg, len);
	if (rbuf_u8(&r) != MIP_RRQ)
		return len ? MIP_REJ_TYPE : MIP_REJ_TRUNCATED;
	if (!rrq_fixed(&r, out))
		return MIP_REJ_TRUNCATED;
	out->raw = msg;
	out->raw_len = (uint16_t)len;
	rej = mip_ext_walk(&r, out->raw, rrq_take, out);
	out->ha_part = rrq_ha_part(out);
	return rej;
}
