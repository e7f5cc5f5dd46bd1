/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Registration Reply (RFC 5944 3.4).  Order of extensions as a home agent writes them: those for the mobile
 * node (with 43, 41), 32, those for the foreign agent, 34; the foreign agent cuts behind 32, adds its own,
 * and 33 last.
 */
#include "agent/mip/wire.h"

#include <string.h>

static bool rrp_fixed(struct rbuf *r, struct mip_rrp *m)
{
	m->code = rbuf_u8(r);
	m->lifetime = rbuf_u16(r);
	rbuf_copy(r, &m->hoa.s_addr, 4);
	rbuf_copy(r, &m->ha.s_addr, 4);
	m->ident = rbuf_u64(r);
	return rbuf_ok(r);
}

/* 33 and 34 are last on their way; the key of 32 is known only from a 43 in front of it (RFC 3957 7). */
static enum mip_reject rrp_order(const struct mip_rrp *m, uint8_t type)
{
	if (m->fa_ha.present)
		return mip_ext_behind(MIP_EXT_FA_HA, type);
	if (m->mn_fa.present)
		return mip_ext_behind(MIP_EXT_MN_FA, type);
	return type == MIP_EXT_MN_HA_KEYGEN_REP && m->mn_ha.present ? MIP_REJ_EXT_ORDER : MIP_REJ_OK;
}

static enum mip_reject rrp_ext(const struct mip_ext *e, struct mip_rrp *m)
{
	switch (e->type) {
	case MIP_EXT_MN_HA:
		return mip_ext_get_auth(e, &m->mn_ha);
	case MIP_EXT_MN_FA:
		return mip_ext_get_auth(e, &m->mn_fa);
	case MIP_EXT_FA_HA:
		return mip_ext_get_auth(e, &m->fa_ha);
	case MIP_EXT_CVSE:
		return mip_ext_get_cvse(e, &m->cvse);
	case MIP_EXT_MN_FA_KEYGEN_REP:
		return mip_ext_get_keygen_rep(e, &m->mn_fa_key);
	case MIP_EXT_MN_HA_KEYGEN_REP:
		return mip_ext_get_keygen_rep(e, &m->mn_ha_key);
	case MIP_EXT_FA_ERROR:
		return mip_ext_get_fa_error(e, &m->fa_error);
	case MIP_EXT_NAI:
		return mip_ext_get_nai(e, m->nai);
	case MIP_EXT_CHALLENGE:
		return mip_ext_get_challenge(e, &m->challenge);
	case MIP_EXT_NAI_CARRY:
		return mip_ext_get_nai_carry(e, m->ha_nai, m->aaah_nai);
	case MIP_EXT_MESSAGE:
		return mip_ext_get_message(e, &m->message, &m->message_from);
	default:
		return e->type < MIP_FIRST_SKIPPABLE ? MIP_REJ_EXT_UNKNOWN : MIP_REJ_OK;
	}
}

static enum mip_reject rrp_take(const struct mip_ext *e, void *message)
{
	struct mip_rrp *m = message;
	enum mip_reject rej = rrp_order(m, e->type);

	return rej ? rej : rrp_ext(e, m);
}

static uint16_t rrp_mn_part(const struct mip_rrp *m)
{
	if (m->mn_ha.present)
		return (uint16_t)(m->mn_ha.covered + m->mn_ha.mac_len);
	return m->fa_ha.present ? m->fa_ha.start : m->raw_len;
}

enum mip_reject mip_rrp_decode(const void *msg, size_t len, struct mip_rrp *out)
{
	struct rbuf r;
	enum mip_reject rej;

	memset(out, 0, sizeof(*out));
	if (len > MIP_MSG_MAX)
		return MIP_REJ_TOO_LONG;
	rbuf_init(&r, msg, len);
	if (rbuf_u8(&r) != MIP_RRP)
		return len ? MIP_REJ_TYPE : MIP_REJ_TRUNCATED;
	if (!rrp_fixed(&r, out))
		return MIP_REJ_TRUNCATED;
	out->raw = msg;
	out->raw_len = (uint16_t)len;
	rej = mip_ext_walk(&r, out->raw, rrp_take, out);
	out->mn_part = rrp_mn_part(out);
	return rej;
}
