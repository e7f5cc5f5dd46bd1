/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Home-Agent-MIP-Answer (RFC 4004 5.4): HA -> AAAH.
 */
#include <string.h>

#include "diameter/codec.h"
#include "diameter/field.h"

static const struct dm_field fields[] = {
	DM_FIELD(DM_SESSION_ID, DM_TEXT, DM_REQ, struct dm_haa, session),
	DM_FIELD_CONST(DM_AUTH_APPLICATION_ID, DM_APPLICATION_ID),
	DM_FIELD(DM_RESULT_CODE, DM_NUMBER, DM_REQ, struct dm_haa, result),
	DM_FIELD(DM_ORIGIN_HOST, DM_OWN, DM_REQ, struct dm_haa, origin_host),
	DM_FIELD(DM_ORIGIN_REALM, DM_OWN, DM_REQ, struct dm_haa, origin_realm),
	DM_FIELD(DM_ACCT_MULTI_SESSION_ID, DM_TEXT, DM_OPT, struct dm_haa, multi_session),
	DM_FIELD(DM_USER_NAME, DM_NAI, DM_OPT, struct dm_haa, user),
	DM_FIELD(DM_ERROR_MESSAGE, DM_NOTE, DM_OPT, struct dm_haa, error),
	DM_FIELD_RANGE(DM_REG_REPLY, DM_BYTES, DM_OPT, struct dm_haa, rrp, DM_RRP_MIN, DM_RR_MAX),
	DM_FIELD_HAS(DM_HOME_AGENT_ADDRESS, DM_INET, struct dm_haa, ha, has_ha),
	DM_FIELD_HAS(DM_MOBILE_NODE_ADDRESS, DM_INET, struct dm_haa, hoa, has_hoa),
	DM_FIELD(DM_FA_TO_HA_SPI, DM_NUMBER, DM_OPT, struct dm_haa, fa_to_ha_spi),
	DM_FIELD(DM_FA_TO_MN_SPI, DM_NUMBER, DM_OPT, struct dm_haa, fa_to_mn_spi),
	DM_FIELD_HAS(DM_PREVIOUS_FA, DM_INET, struct dm_haa, previous_fa, has_previous_fa),
	DM_FIELD(DM_PROFILE_CACHE, DM_BOOL, DM_OPT, struct dm_haa, vpn_cached),
	DM_FIELD_REPEATED(DM_REFUSED_VPN, struct dm_haa, refused, n_refused, dm_refused_fields),
	DM_FIELDS_END
};

int dm_haa_answer(const struct dm_haa *h, struct msg **m)
{
	return dm_answer_write(h->result, fields + 1, h, m);
}

int dm_haa_parse(struct msg *m, struct dm_haa *out, char *err, size_t err_len)
{
	struct dm_complaint c = { err, err_len, 0 };

	memset(out, 0, sizeof(*out));
	if (dm_message_read(m, fields, out, &c) ||
	    dm_success_check(out->result, out->rrp.len, out->has_hoa, out->has_ha, &c))
		return (int)c.result;
	return 0;
}
