/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Session-Ids of messages that pass by, of a session that the home server knows under another name (D2).  What
 * the request was called travels in a Proxy-Info of ours (RFC 6733 6.2.2), so there is no table of
 * transactions; it is read from the request that libfdcore keeps, not from the answer.
 */
#include <errno.h>
#include <string.h>

#include "diameter/codec.h"
#include "extensions/app_mipvpn_aaaf/aaaf_rename.h"

static int set_text(struct avp *avp, const char *text, size_t len)
{
	union avp_value v = { .os = { (uint8_t *)text, len } };

	return fd_msg_avp_setvalue(avp, &v);
}

static int add_text(msg_or_avp *parent, enum dm_avp which, const char *text)
{
	struct avp *avp = NULL;
	int rc = fd_msg_avp_new(dm_dict_avp(which), 0, &avp);

	if (!rc)
		rc = set_text(avp, text, strlen(text));
	if (!rc)
		rc = fd_msg_avp_add(parent, MSG_BRW_LAST_CHILD, avp);
	if (rc && avp)
		fd_msg_free(avp);
	return rc;
}

static int add_proxy_info(struct msg *m, const char *host, const char *state)
{
	struct avp *avp = NULL;
	int rc = fd_msg_avp_new(dm_dict_avp(DM_PROXY_INFO), 0, &avp);

	if (!rc)
		rc = add_text(avp, DM_PROXY_HOST, host);
	if (!rc)
		rc = add_text(avp, DM_PROXY_STATE, state);
	if (!rc)
		rc = fd_msg_avp_add(m, MSG_BRW_LAST_CHILD, avp);
	if (rc && avp)
		fd_msg_free(avp);
	return rc;
}

/* 0, also when there is none: who has not named a Destination-Host does not need one. */
static int replace(struct msg *m, enum dm_avp which, const char *text, size_t len)
{
	struct avp *avp = NULL;

	if (fd_msg_search_avp(m, dm_dict_avp(which), &avp) || !avp)
		return which == DM_SESSION_ID ? ENOENT : 0;
	return set_text(avp, text, len);
}

int aaaf_rename(struct msg *m, const char *own_host, const char *was, const char *session, const char *host)
{
	int rc = add_proxy_info(m, own_host, was);

	if (!rc)
		rc = replace(m, DM_SESSION_ID, session, strlen(session));
	if (!rc && host)
		rc = replace(m, DM_DESTINATION_HOST, host, strlen(host));
	return rc;
}

static const union avp_value *member(struct avp *group, enum dm_avp which)
{
	struct avp *a = NULL;
	struct avp_hdr *hdr;

	for (fd_msg_browse(group, MSG_BRW_FIRST_CHILD, &a, NULL); a; fd_msg_browse(a, MSG_BRW_NEXT, &a, NULL))
		if (!fd_msg_avp_hdr(a, &hdr) && hdr->avp_code == dm_avp_ids[which].code && !hdr->avp_vendor)
			return hdr->avp_value;
	return NULL;
}

/* The last one: whatever a peer has put in stands in front of it. */
static struct avp *own_proxy_info(struct msg *m, const char *own_host)
{
	struct avp *a = NULL, *found = NULL;
	struct avp_hdr *hdr;
	const union avp_value *host;

	for (fd_msg_browse(m, MSG_BRW_FIRST_CHILD, &a, NULL); a; fd_msg_browse(a, MSG_BRW_NEXT, &a, NULL)) {
		if (fd_msg_avp_hdr(a, &hdr) || hdr->avp_code != dm_avp_ids[DM_PROXY_INFO].code ||
		    hdr->avp_vendor)
			continue;
		host = member(a, DM_PROXY_HOST);
		if (host && host->os.len == strlen(own_host) &&
		    !memcmp(host->os.data, own_host, host->os.len))
			found = a;
	}
	return found;
}

int aaaf_rename_back(struct msg *request, struct msg *m, const char *own_host)
{
	struct avp *info = own_proxy_info(request, own_host), *theirs;
	const union avp_value *was = info ? member(info, DM_PROXY_STATE) : NULL;
	int rc;

	if (!was)
		return 0;
	rc = replace(m, DM_SESSION_ID, (const char *)was->os.data, was->os.len);
	theirs = own_proxy_info(m, own_host);
	if (theirs)
		fd_msg_free(theirs);
	return rc;
}
