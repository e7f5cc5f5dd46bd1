/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaah/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool aaah_refuse(struct aaah_verdict *v, uint32_t result, const char *counter, const char *fmt, ...)
{
	va_list ap;

	v->result = result;
	v->counter = counter;
	va_start(ap, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	return false;
}

bool aaah_addr_is_wanted(struct in_addr a)
{
	return a.s_addr == INADDR_ANY || a.s_addr == INADDR_BROADCAST;
}

/* A care-of address becomes a gateway address in other machines' IPsec policies: only a plain unicast one will do. */
static bool unicast(struct in_addr a)
{
	uint32_t h = ntohl(a.s_addr);

	return h != 0 && (h >> 24) != 0 && (h >> 24) != 127 && h < 0xe0000000u;
}

static bool auth_avps_agree(const struct dm_amr *amr, const struct mip_rrq *rrq, struct aaah_verdict *v)
{
	const struct mip_auth *a = &rrq->mn_aaa;

	if (!a->present)
		return aaah_refuse(v, DM_AUTHENTICATION_REJECTED, "aaah.amr.no_mn_aaa",
				   "the Registration Request has no MN-AAA authentication extension");
	if (amr->auth_input_len != a->covered || amr->auth_offset != (uint32_t)(a->mac - rrq->raw) ||
	    amr->auth_len != a->mac_len || amr->aaa_spi != a->spi)
		return aaah_refuse(
			v, DM_INVALID_AVP_VALUE, "aaah.amr.auth_avp",
			"MIP-MN-AAA-Auth does not describe the authenticator of the Registration Request");
	if (amr->challenge.len != 0 && rrq->challenge.len != 0 &&
	    (amr->challenge.len != rrq->challenge.len ||
	     memcmp(amr->challenge.data, rrq->challenge.data, amr->challenge.len) != 0))
		return aaah_refuse(v, DM_INVALID_AVP_VALUE, "aaah.amr.challenge_avp",
				   "MIP-FA-Challenge is not the challenge of the Registration Request");
	return true;
}

static bool address_avps_agree(const struct dm_amr *amr, const struct mip_rrq *rrq, struct aaah_verdict *v)
{
	if (amr->has_hoa && !aaah_addr_is_wanted(amr->hoa) && amr->hoa.s_addr != rrq->hoa.s_addr)
		return aaah_refuse(
			v, DM_INVALID_AVP_VALUE, "aaah.amr.home_address_avp",
			"MIP-Mobile-Node-Address is not the home address of the Registration Request");
	if (amr->has_ha && !aaah_addr_is_wanted(amr->ha) && !aaah_addr_is_wanted(rrq->ha) &&
	    amr->ha.s_addr != rrq->ha.s_addr)
		return aaah_refuse(
			v, DM_INVALID_AVP_VALUE, "aaah.amr.home_agent_avp",
			"MIP-Home-Agent-Address is not the home agent of the Registration Request");
	return true;
}

bool aaah_request_check(const struct dm_amr *amr, struct mip_rrq *rrq, struct aaah_verdict *v)
{
	enum mip_reject rej = mip_rrq_decode(amr->rrq.data, amr->rrq.len, rrq);

	if (rej != MIP_REJ_OK)
		return aaah_refuse(v, DM_INVALID_AVP_VALUE, "aaah.amr.rrq", "MIP-Reg-Request: %s",
				   mip_reject_str(rej));
	if (rrq->nai[0] && strcmp(rrq->nai, amr->user) != 0)
		return aaah_refuse(v, DM_INVALID_AVP_VALUE, "aaah.amr.user_name",
				   "User-Name is not the NAI of the Registration Request");
	if (!unicast(rrq->coa))
		return aaah_refuse(v, DM_INVALID_AVP_VALUE, "aaah.amr.care_of", "unusable care-of address");
	return auth_avps_agree(amr, rrq, v) && address_avps_agree(amr, rrq, v);
}
