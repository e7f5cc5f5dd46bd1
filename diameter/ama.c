/* SPDX-License-Identifier: BSD-3-Clause
 *
 * AA-Mobile-Node-Answer (RFC 4004 5.2): AAAH -> AAAF -> FA.
 */
#include <string.h>

#include "diameter/codec.h"
#include "diameter/field.h"

static const struct dm_field fields[] = {
	DM_FIELD(DM_SESSION_ID, DM_TEXT, DM_REQ, struct dm_ama, session),
	DM_FIELD_CONST(DM_AUTH_APPLICATION_ID, DM_APPLICATION_ID),
	DM_FIELD(DM_RESULT_CODE, DM_NUMBER, DM_REQ, struct dm_ama, result),
	DM_FIELD(DM_ORIGIN_HOST, DM_OWN, DM_REQ, struct dm_ama, origin_host),
	DM_FIELD(DM_ORIGIN_REALM, DM_OWN, DM_REQ, struct dm_ama, origin_realm),
	DM_FIELD(DM_ACCT_MULTI_SESSION_ID, DM_TEXT, DM_OPT, struct dm_ama, multi_session),
	DM_FIELD(DM_USER_NAME, DM_NAI, DM_OPT, struct dm_ama, user),
	DM_FIELD(DM_AUTHORIZATION_LIFETIME, DM_NUMBER, DM_OPT, struct dm_ama, auth_lifetime),
	DM_FIELD(DM_ERROR_MESSAGE, DM_NOTE, DM_OPT, struct dm_ama, error),
	DM_FIELD(DM_FEATURE_VECTOR, DM_NUMBER, DM_OPT, struct dm_ama, features),
	DM_FIELD_RANGE(DM_REG_REPLY, DM_BYTES, DM_OPT, struct dm_ama, rrp, DM_RRP_MIN, DM_RR_MAX),
	DM_FIELD_MSA(DM_FA_TO_MN_MSA, struct dm_ama, fa_to_mn, dm_msa_fa_to_mn),
	DM_FIELD_MSA(DM_FA_TO_HA_MSA, struct dm_ama, fa_to_ha, dm_msa_fa_to_ha),
	DM_FIELD(DM_HA_TO_FA_SPI, DM_NUMBER, DM_OPT, struct dm_ama, ha_to_fa_spi),
	DM_FIELD(DM_MSA_LIFETIME, DM_NUMBER, DM_OPT, struct dm_ama, msa_lifetime),
	DM_FIELD_HAS(DM_HOME_AGENT_ADDRESS, DM_INET, struct dm_ama, ha, has_ha),
	DM_FIELD_HAS(DM_MOBILE_NODE_ADDRESS, DM_INET, struct dm_ama, hoa, has_hoa),
	DM_FIELD_HAS(DM_PREVIOUS_FA, DM_INET, struct dm_ama, previous_fa, has_previous_fa),
	DM_FIELD(DM_PROFILE_CACHE, DM_BOOL, DM_OPT, struct dm_ama, vpn.cached),
	DM_FIELD(DM_PROFILE, DM_PROFILES, DM_OPT, struct dm_ama, vpn),
	DM_FIELD(DM_HANDOFF_KEY, DM_KEY, DM_OPT, struct dm_ama, vpn.handoff),
	DM_FIELD_REPEATED(DM_REFUSED_VPN, struct dm_ama, refused, n_refused, dm_refused_fields),
	DM_FIELDS_END
};

int dm_ama_answer(const struct dm_ama *a, struct msg **m)
{
	return dm_answer_write(a->result, fields + 1, a, m);
}

int dm_ama_parse(struct msg *m, struct dm_ama *out, char *err, size_t err_len)
{
	struct dm_complaint c = { err, err_len, 0 };

	memset(out, 0, sizeof(*out));
	if (dm_message_read(m, fields, out, &c) ||
	    dm_success_check(out->result, out->rrp.len || out->ha_to_fa_spi, out->has_hoa, out->has_ha, &c))
		return (int)c.result;
	return 0;
}
