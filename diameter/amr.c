/* SPDX-License-Identifier: BSD-3-Clause
 *
 * AA-Mobile-Node-Request (RFC 4004 5.1): FA -> AAAF -> AAAH.
 */
#include <string.h>

#include "diameter/codec.h"
#include "diameter/field.h"

static const struct dm_field auth_fields[] = {
	DM_FIELD(DM_MN_AAA_SPI, DM_NUMBER, DM_REQ, struct dm_amr, aaa_spi),
	DM_FIELD(DM_AUTH_INPUT_DATA_LENGTH, DM_NUMBER, DM_REQ, struct dm_amr, auth_input_len),
	DM_FIELD(DM_AUTHENTICATOR_LENGTH, DM_NUMBER, DM_REQ, struct dm_amr, auth_len),
	DM_FIELD(DM_AUTHENTICATOR_OFFSET, DM_NUMBER, DM_REQ, struct dm_amr, auth_offset),
	DM_FIELDS_END
};
static const struct dm_field aaaf_fields[] = {
	DM_FIELD(DM_ORIGIN_REALM, DM_IDENTITY, DM_REQ, struct dm_amr, originating_realm),
	DM_FIELD(DM_ORIGIN_HOST, DM_IDENTITY, DM_REQ, struct dm_amr, originating_host),
	DM_FIELDS_END
};
static const struct dm_field ha_fields[] = {
	DM_FIELD(DM_DESTINATION_REALM, DM_IDENTITY, DM_REQ, struct dm_amr, ha_realm),
	DM_FIELD(DM_DESTINATION_HOST, DM_IDENTITY, DM_REQ, struct dm_amr, ha_host),
	DM_FIELDS_END
};
static const struct dm_field fields[] = {
	DM_FIELD(DM_SESSION_ID, DM_TEXT, DM_REQ, struct dm_amr, session),
	DM_FIELD_CONST(DM_AUTH_APPLICATION_ID, DM_APPLICATION_ID),
	DM_FIELD(DM_USER_NAME, DM_NAI, DM_REQ, struct dm_amr, user),
	DM_FIELD(DM_DESTINATION_REALM, DM_IDENTITY, DM_REQ, struct dm_amr, dest_realm),
	DM_FIELD(DM_ORIGIN_HOST, DM_OWN, DM_REQ, struct dm_amr, origin_host),
	DM_FIELD(DM_ORIGIN_REALM, DM_OWN, DM_REQ, struct dm_amr, origin_realm),
	DM_FIELD_RANGE(DM_REG_REQUEST, DM_BYTES, DM_REQ, struct dm_amr, rrq, DM_RRQ_MIN, DM_RR_MAX),
	DM_FIELD_GROUP(DM_MN_AAA_AUTH, DM_REQ, 0, auth_fields),
	DM_FIELD(DM_DESTINATION_HOST, DM_IDENTITY, DM_OPT, struct dm_amr, dest_host),
	DM_FIELD_HAS(DM_MOBILE_NODE_ADDRESS, DM_INET, struct dm_amr, hoa, has_hoa),
	DM_FIELD_HAS(DM_HOME_AGENT_ADDRESS, DM_INET, struct dm_amr, ha, has_ha),
	DM_FIELD(DM_FEATURE_VECTOR, DM_NUMBER, DM_OPT, struct dm_amr, features),
	DM_FIELD_GROUP(DM_ORIGINATING_FOREIGN_AAA, DM_OPT, 0, aaaf_fields),
	DM_FIELD(DM_AUTHORIZATION_LIFETIME, DM_NUMBER, DM_OPT, struct dm_amr, auth_lifetime),
	DM_FIELD(DM_FA_CHALLENGE, DM_KEY, DM_OPT, struct dm_amr, challenge),
	DM_FIELD(DM_CANDIDATE_HOME_AGENT_HOST, DM_IDENTITY, DM_OPT, struct dm_amr, ha_candidate),
	DM_FIELD_GROUP(DM_HOME_AGENT_HOST, DM_OPT, 0, ha_fields),
	DM_FIELD(DM_HA_TO_FA_SPI, DM_NUMBER, DM_OPT, struct dm_amr, ha_to_fa_spi),
	DM_FIELD_HAS(DM_PREVIOUS_FA, DM_INET, struct dm_amr, previous_fa, has_previous_fa),
	DM_FIELD(DM_SERVICE_UPDATE, DM_BOOL, DM_OPT, struct dm_amr, service_update),
	DM_FIELDS_END
};

/* What an AAAF may change in an AMR on its way (RFC 4004 7.5). */
static const struct dm_field revised[] = {
	DM_FIELD(DM_FEATURE_VECTOR, DM_NUMBER, DM_REQ, struct dm_amr, features),
	DM_FIELD(DM_CANDIDATE_HOME_AGENT_HOST, DM_IDENTITY, DM_OPT, struct dm_amr, ha_candidate),
	DM_FIELD_GROUP(DM_ORIGINATING_FOREIGN_AAA, DM_OPT, 0, aaaf_fields),
	DM_FIELDS_END
};

/* 338..340 point into 320: whoever verifies the authenticator may rely on them. */
static uint32_t check_auth(const struct dm_amr *a, struct dm_complaint *c)
{
	uint32_t len = a->rrq.len;

	if (a->auth_input_len > len)
		return dm_complain(c, DM_INVALID_AVP_VALUE, DM_AUTH_INPUT_DATA_LENGTH,
				   "%u, the request has %u", a->auth_input_len, len);
	if (a->auth_offset > len || a->auth_len > len - a->auth_offset)
		return dm_complain(c, DM_INVALID_AVP_VALUE, DM_AUTHENTICATOR_OFFSET,
				   "%u + %u, the request has %u", a->auth_offset, a->auth_len, len);
	return 0;
}

int dm_amr_build(const struct dm_amr *a, struct msg **out)
{
	return dm_request_write(DM_CC_AMR, fields, a, out);
}

int dm_amr_parse(struct msg *m, struct dm_amr *out, char *err, size_t err_len)
{
	struct dm_complaint c = { err, err_len, 0 };

	memset(out, 0, sizeof(*out));
	if (dm_message_read(m, fields, out, &c) || dm_rrq_check(&out->rrq, &c) || check_auth(out, &c))
		return (int)c.result;
	return 0;
}

int dm_amr_revise(struct msg *m, const struct dm_amr *a)
{
	for (const struct dm_field *f = revised; f->kind; f++) {
		struct avp *avp = NULL;

		if (!fd_msg_search_avp(m, dm_dict_avp(f->avp), &avp) && avp)
			fd_msg_free(avp);
	}
	return dm_fields_write(m, revised, a);
}
