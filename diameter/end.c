/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The end of a session: Session-Termination-Request and Abort-Session-Request (RFC 6733 8.4, 8.5), and the
 * answers that carry nothing but a result.  Their header names application 2, not 0: freeDiameter 1.2.1
 * forwards nothing of application 0, and these pass through the AAAF (doc/protocol.md).
 */
#include <stdio.h>
#include <string.h>

#include "diameter/codec.h"
#include "diameter/field.h"

#define END_FIELDS                                                                                           \
	DM_FIELD(DM_SESSION_ID, DM_TEXT, DM_REQ, struct dm_end, session),                                    \
		DM_FIELD(DM_ORIGIN_HOST, DM_OWN, DM_REQ, struct dm_end, origin_host),                        \
		DM_FIELD(DM_ORIGIN_REALM, DM_OWN, DM_REQ, struct dm_end, origin_realm),                      \
		DM_FIELD(DM_DESTINATION_REALM, DM_IDENTITY, DM_REQ, struct dm_end, dest_realm),              \
		DM_FIELD(DM_DESTINATION_HOST, DM_IDENTITY, DM_OPT, struct dm_end, dest_host),                \
		DM_FIELD_CONST(DM_AUTH_APPLICATION_ID, DM_APPLICATION_ID),                                   \
		DM_FIELD(DM_USER_NAME, DM_NAI, DM_OPT, struct dm_end, user)

static const struct dm_field str_fields[] = {
	END_FIELDS, DM_FIELD(DM_TERMINATION_CAUSE, DM_NUMBER, DM_REQ, struct dm_end, cause), DM_FIELDS_END
};
static const struct dm_field asr_fields[] = { END_FIELDS, DM_FIELDS_END };

struct plain {
	uint32_t result;
	char origin_host[DM_ID_MAX], origin_realm[DM_ID_MAX];
	char error[DM_ERROR_MAX];
};
static const struct dm_field plain_fields[] = {
	DM_FIELD(DM_RESULT_CODE, DM_NUMBER, DM_REQ, struct plain, result),
	DM_FIELD(DM_ORIGIN_HOST, DM_OWN, DM_REQ, struct plain, origin_host),
	DM_FIELD(DM_ORIGIN_REALM, DM_OWN, DM_REQ, struct plain, origin_realm),
	DM_FIELD(DM_ERROR_MESSAGE, DM_NOTE, DM_OPT, struct plain, error),
	DM_FIELDS_END
};

int dm_str_build(const struct dm_end *e, struct msg **out)
{
	return dm_request_write(CC_SESSION_TERMINATION, str_fields, e, out);
}

int dm_asr_build(const struct dm_end *e, struct msg **out)
{
	return dm_request_write(CC_ABORT_SESSION, asr_fields, e, out);
}

int dm_plain_answer(uint32_t result, const char *error, struct msg **m)
{
	struct plain p = { .result = result };

	snprintf(p.error, sizeof(p.error), "%s", error ? error : "");
	return dm_answer_write(result, plain_fields, &p, m);
}

int dm_end_parse(struct msg *m, struct dm_end *out, char *err, size_t err_len)
{
	struct dm_complaint c = { err, err_len, 0 };
	struct msg_hdr *hdr;

	memset(out, 0, sizeof(*out));
	if (fd_msg_hdr(m, &hdr))
		return DM_UNABLE_TO_COMPLY;
	return dm_message_read(m, hdr->msg_code == CC_ABORT_SESSION ? asr_fields : str_fields, out, &c);
}

int dm_plain_parse(struct msg *m, uint32_t *result, char *err, size_t err_len)
{
	struct dm_complaint c = { err, err_len, 0 };
	struct plain p = { 0 };
	int rc = dm_message_read(m, plain_fields, &p, &c);

	*result = p.result;
	if (!rc)
		snprintf(err, err_len, "%s", p.error);
	return rc;
}
