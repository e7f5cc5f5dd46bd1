/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VPN-Update-Request and -Answer, our own command: AAAH -> HA or FA, of a session that stands
 * (doc/protocol.md).  To the program it is a HAR without a registration, and its answer a HAA without a
 * reply: the same structs.
 */
#include <string.h>

#include "diameter/codec.h"
#include "diameter/field.h"

static const struct dm_field request_fields[] = {
	DM_FIELD(DM_SESSION_ID, DM_TEXT, DM_REQ, struct dm_har, session),
	DM_FIELD_CONST(DM_AUTH_APPLICATION_ID, DM_APPLICATION_ID),
	DM_FIELD(DM_ORIGIN_HOST, DM_OWN, DM_REQ, struct dm_har, origin_host),
	DM_FIELD(DM_ORIGIN_REALM, DM_OWN, DM_REQ, struct dm_har, origin_realm),
	DM_FIELD(DM_DESTINATION_REALM, DM_IDENTITY, DM_REQ, struct dm_har, dest_realm),
	DM_FIELD(DM_DESTINATION_HOST, DM_IDENTITY, DM_OPT, struct dm_har, dest_host),
	DM_FIELD(DM_USER_NAME, DM_NAI, DM_REQ, struct dm_har, user),
	DM_FIELD(DM_PROFILE_CACHE, DM_BOOL, DM_OPT, struct dm_har, vpn.cached),
	DM_FIELD(DM_PROFILE, DM_PROFILES, DM_OPT, struct dm_har, vpn),
	DM_FIELDS_END
};
static const struct dm_field answer_fields[] = {
	DM_FIELD(DM_SESSION_ID, DM_TEXT, DM_REQ, struct dm_haa, session),
	DM_FIELD_CONST(DM_AUTH_APPLICATION_ID, DM_APPLICATION_ID),
	DM_FIELD(DM_RESULT_CODE, DM_NUMBER, DM_REQ, struct dm_haa, result),
	DM_FIELD(DM_ORIGIN_HOST, DM_OWN, DM_REQ, struct dm_haa, origin_host),
	DM_FIELD(DM_ORIGIN_REALM, DM_OWN, DM_REQ, struct dm_haa, origin_realm),
	DM_FIELD(DM_USER_NAME, DM_NAI, DM_OPT, struct dm_haa, user),
	DM_FIELD(DM_ERROR_MESSAGE, DM_NOTE, DM_OPT, struct dm_haa, error),
	DM_FIELD_REPEATED(DM_REFUSED_VPN, struct dm_haa, refused, n_refused, dm_refused_fields),
	DM_FIELDS_END
};

int dm_vur_build(const struct dm_har *u, struct msg **out)
{
	return dm_request_write(DM_CC_VUR, request_fields, u, out);
}

int dm_vua_answer(const struct dm_haa *u, struct msg **m)
{
	return dm_answer_write(u->result, answer_fields + 1, u, m);
}

int dm_vur_parse(struct msg *m, struct dm_har *out, char *err, size_t err_len)
{
	struct dm_complaint c = { err, err_len, 0 };

	memset(out, 0, sizeof(*out));
	return dm_message_read(m, request_fields, out, &c);
}

int dm_vua_parse(struct msg *m, struct dm_haa *out, char *err, size_t err_len)
{
	struct dm_complaint c = { err, err_len, 0 };

	memset(out, 0, sizeof(*out));
	return dm_message_read(m, answer_fields, out, &c);
}
