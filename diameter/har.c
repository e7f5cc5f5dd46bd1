/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Home-Agent-MIP-Request (RFC 4004 5.3): AAAH -> HA.
 */
#include <string.h>

#include "diameter/codec.h"
#include "diameter/field.h"

static const struct dm_field aaaf_fields[] = {
	DM_FIELD(DM_ORIGIN_REALM, DM_IDENTITY, DM_REQ, struct dm_har, originating_realm),
	DM_FIELD(DM_ORIGIN_HOST, DM_IDENTITY, DM_REQ, struct dm_har, originating_host),
	DM_FIELDS_END
};
static const struct dm_field fields[] = {
	DM_FIELD(DM_SESSION_ID, DM_TEXT, DM_REQ, struct dm_har, session),
	DM_FIELD_CONST(DM_AUTH_APPLICATION_ID, DM_APPLICATION_ID),
	DM_FIELD(DM_AUTHORIZATION_LIFETIME, DM_NUMBER, DM_REQ, struct dm_har, auth_lifetime),
	DM_FIELD_CONST(DM_AUTH_SESSION_STATE, 0),	/* STATE_MAINTAINED */
	DM_FIELD_RANGE(DM_REG_REQUEST, DM_BYTES, DM_REQ, struct dm_har, rrq, DM_RRQ_MIN, DM_RR_MAX),
	DM_FIELD(DM_ORIGIN_HOST, DM_OWN, DM_REQ, struct dm_har, origin_host),
	DM_FIELD(DM_ORIGIN_REALM, DM_OWN, DM_REQ, struct dm_har, origin_realm),
	DM_FIELD(DM_USER_NAME, DM_NAI, DM_REQ, struct dm_har, user),
	DM_FIELD(DM_DESTINATION_REALM, DM_IDENTITY, DM_REQ, struct dm_har, dest_realm),
	DM_FIELD(DM_FEATURE_VECTOR, DM_NUMBER, DM_REQ, struct dm_har, features),
	DM_FIELD(DM_DESTINATION_HOST, DM_IDENTITY, DM_OPT, struct dm_har, dest_host),
	DM_FIELD_MSA(DM_MN_TO_HA_MSA, struct dm_har, mn_to_ha, dm_msa_mn_to_ha),
	DM_FIELD_MSA(DM_MN_TO_FA_MSA, struct dm_har, mn_to_fa, dm_msa_mn_to_fa),
	DM_FIELD_MSA(DM_HA_TO_MN_MSA, struct dm_har, ha_to_mn, dm_msa_ha_to_mn),
	DM_FIELD_MSA(DM_HA_TO_FA_MSA, struct dm_har, ha_to_fa, dm_msa_ha_to_fa),
	DM_FIELD(DM_MSA_LIFETIME, DM_NUMBER, DM_OPT, struct dm_har, msa_lifetime),
	DM_FIELD_GROUP(DM_ORIGINATING_FOREIGN_AAA, DM_OPT, 0, aaaf_fields),
	DM_FIELD_HAS(DM_MOBILE_NODE_ADDRESS, DM_INET, struct dm_har, hoa, has_hoa),
	DM_FIELD_HAS(DM_HOME_AGENT_ADDRESS, DM_INET, struct dm_har, ha, has_ha),
	DM_FIELD(DM_PROFILE_CACHE, DM_BOOL, DM_OPT, struct dm_har, vpn.cached),
	DM_FIELD(DM_PROFILE, DM_PROFILES, DM_OPT, struct dm_har, vpn),
	DM_FIELD(DM_HANDOFF_KEY, DM_KEY, DM_OPT, struct dm_har, vpn.handoff),
	DM_FIELDS_END
};

int dm_har_build(const struct dm_har *h, struct msg **out)
{
	return dm_request_write(DM_CC_HAR, fields, h, out);
}

int dm_har_parse(struct msg *m, struct dm_har *out, char *err, size_t err_len)
{
	struct dm_complaint c = { err, err_len, 0 };

	memset(out, 0, sizeof(*out));
	if (dm_message_read(m, fields, out, &c) || dm_rrq_check(&out->rrq, &c))
		return (int)c.result;
	return 0;
}
