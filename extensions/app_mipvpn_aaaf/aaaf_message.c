/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "diameter/codec.h"
#include "extensions/app_mipvpn_aaaf/aaaf_message.h"

const char *aaaf_command_name(uint32_t code)
{
	switch (code) {
	case DM_CC_AMR:
		return "AMR";
	case DM_CC_HAR:
		return "HAR";
	case DM_CC_VUR:
		return "VUR";
	case CC_SESSION_TERMINATION:
		return "STR";
	case CC_ABORT_SESSION:
		return "ASR";
	default:
		return NULL;
	}
}

static void copy_avp(struct msg *m, enum dm_avp which, char *out, size_t size)
{
	struct avp *avp = NULL;
	struct avp_hdr *hdr;
	size_t len;

	out[0] = '\0';
	if (fd_msg_search_avp(m, dm_dict_avp(which), &avp) || !avp || fd_msg_avp_hdr(avp, &hdr) ||
	    !hdr->avp_value)
		return;
	len = hdr->avp_value->os.len < size ? hdr->avp_value->os.len : size - 1;
	memcpy(out, hdr->avp_value->os.data, len);
	out[len] = '\0';
}

void aaaf_transaction_describe(struct aaaf_transaction *t, struct msg *request)
{
	struct msg_hdr *hdr;

	t->command = fd_msg_hdr(request, &hdr) ? NULL : aaaf_command_name(hdr->msg_code);
	copy_avp(request, DM_SESSION_ID, t->session, sizeof(t->session));
	copy_avp(request, DM_USER_NAME, t->user, sizeof(t->user));
	copy_avp(request, DM_ORIGIN_HOST, t->from, sizeof(t->from));
	copy_avp(request, DM_DESTINATION_REALM, t->realm, sizeof(t->realm));
}

uint32_t aaaf_result_of(struct msg *answer)
{
	struct avp *avp = NULL;
	struct avp_hdr *hdr;

	if (fd_msg_search_avp(answer, dm_dict_avp(DM_RESULT_CODE), &avp) || !avp || fd_msg_avp_hdr(avp, &hdr))
		return 0;
	return hdr->avp_value ? hdr->avp_value->u32 : 0;
}

void aaaf_result_set(struct msg *answer, uint32_t result)
{
	union avp_value v = {.u32 = result};
	struct avp *avp = NULL;

	if (!fd_msg_search_avp(answer, dm_dict_avp(DM_RESULT_CODE), &avp) && avp)
		(void)fd_msg_avp_setvalue(avp, &v);
}
