/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What freeDiameter 1.2.1 needs to stay up and to be quick.  doc/freediameter.md says what happens without.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "diameter/codec.h"
#include "lib/counter.h"
#include "lib/crypto.h"

#define REPLACEMENT '?'

static unsigned overwrite_nuls(uint8_t *data, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		if (!data[i]) {
			data[i] = REPLACEMENT;
			n++;
		}
	return n;
}

/* libfdproto asserts that a Session-Id has no NUL.  The AVP is parsed here, before anybody else looks at
 * it. */
void dm_session_id_clean(struct msg *m)
{
	struct avp *avp = NULL;
	struct avp_hdr *hdr;

	if (fd_msg_browse(m, MSG_BRW_FIRST_CHILD, &avp, NULL))
		return;
	while (avp) {
		if (!fd_msg_avp_hdr(avp, &hdr) && hdr->avp_code == dm_avp_ids[DM_SESSION_ID].code &&
		    !(hdr->avp_flags & AVP_FLAG_VENDOR)) {
			if (!hdr->avp_value)
				(void)fd_msg_parse_dict(avp, fd_g_config->cnf_dict, NULL);
			if (hdr->avp_value && overwrite_nuls(hdr->avp_value->os.data, hdr->avp_value->os.len))
				counter_inc("diameter.session_id.nul");
		}
		if (fd_msg_browse(avp, MSG_BRW_NEXT, &avp, NULL))
			return;
	}
}

static void dump(struct msg *m, struct peer_hdr *peer)
{
	char *text = NULL;
	size_t len = 0;

	fd_log_debug("received from %s: %s", peer ? peer->info.pi_diamid : "?",
		     fd_msg_dump_treeview(&text, &len, NULL, m, NULL, 0, 1) ? text : "out of memory");
	free(text);
}

static void on_received(enum fd_hook_type type, struct msg *m, struct peer_hdr *peer, void *other,
			struct fd_hook_permsgdata *pmd, void *dumps)
{
	dm_session_id_clean(m);
	if (dumps)
		dump(m, peer);	/* the default hook is gone because this one is here */
}

static void on_anything(enum fd_hook_type type, struct msg *m, struct peer_hdr *peer, void *other,
			struct fd_hook_permsgdata *pmd, void *data)
{
}

/* The default hooks print the whole message that went wrong, session keys and all. */
static void on_trouble(enum fd_hook_type type, struct msg *m, struct peer_hdr *peer, void *other,
		       struct fd_hook_permsgdata *pmd, void *data)
{
	static const struct { enum fd_hook_type type; const char *what; } names[] = {
		{ HOOK_MESSAGE_FAILOVER, "sent again" }, { HOOK_MESSAGE_PARSING_ERROR, "malformed" },
		{ HOOK_MESSAGE_PARSING_ERROR2, "refused as malformed" },
		{ HOOK_MESSAGE_ROUTING_ERROR, "not routed" },
		{ HOOK_MESSAGE_DROPPED, "dropped" },
	};
	const char *what = "in trouble", *why = other && m ? other : "";
	struct msg_hdr *hdr = NULL;
	DiamId_t source = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].type == type)
			what = names[i].what;
	counter_inc("diameter.message.trouble");
	if (m && !fd_msg_hdr(m, &hdr))
		(void)fd_msg_source_get(m, &source, NULL);
	if (!source && peer)
		source = peer->info.pi_diamid;
	fd_log_error("message %s: %s %u of application %u, end-to-end 0x%08x, from %s%s%s", what,
		     hdr && !(hdr->msg_flags & CMD_FLAG_REQUEST) ? "answer" : "request",
		     hdr ? hdr->msg_code : 0, hdr ? hdr->msg_appl : 0, hdr ? hdr->msg_eteid : 0,
		     source ? source : "this node", *why ? ": " : "", why);
}

int dm_workarounds_install(bool dumps)
{
	static bool yes;
	struct fd_hook_hdl *received, *quiet;
	int rc = dm_nodelay_install();

	if (!rc)
		rc = fd_hook_register(HOOK_MASK(HOOK_MESSAGE_RECEIVED), on_received, dumps ? &yes : NULL,
				      NULL, &received);
	if (rc || dumps)
		return rc;
	rc = fd_hook_register(HOOK_MASK(HOOK_MESSAGE_LOCAL, HOOK_MESSAGE_SENDING, HOOK_MESSAGE_SENT,
					HOOK_MESSAGE_ROUTING_FORWARD, HOOK_MESSAGE_ROUTING_LOCAL),
			      on_anything, NULL, NULL, &quiet);
	if (!rc)
		rc = fd_hook_register(HOOK_MASK(HOOK_MESSAGE_FAILOVER, HOOK_MESSAGE_PARSING_ERROR,
						HOOK_MESSAGE_PARSING_ERROR2, HOOK_MESSAGE_ROUTING_ERROR,
						HOOK_MESSAGE_DROPPED), on_trouble, NULL, NULL, &quiet);
	/* Only one extension may have this one; whoever has it is as good. */
	if (rc)
		return rc;
	rc = fd_hook_register(HOOK_MASK(HOOK_DATA_RECEIVED), on_anything, NULL, NULL, &quiet);
	return rc == EEXIST ? 0 : rc;
}

static bool has_candidate(struct fd_list *candidates)
{
	for (struct fd_list *li = candidates->next; li != candidates; li = li->next)
		if (((struct rtd_candidate *)li)->score >= 0)
			return true;
	return false;
}

/* Gives the request's sender an answer of our own making.  Takes m. */
static void fail_request(struct msg *m)
{
	void (*answered)(void *, struct msg **) = NULL;
	void (*expired)(void *, DiamId_t, size_t, struct msg **) = NULL;
	void *data = NULL;

	counter_inc("diameter.request.no_peer");
	if (fd_msg_anscb_get(m, &answered, &expired, &data) || !answered ||
	    dm_plain_answer(DM_UNABLE_TO_DELIVER, "no connected peer for it", &m))
		answered = NULL;
	if (answered)
		answered(data, &m);
	if (m)
		fd_msg_free(m);
}

static int guard_route(void *data, struct msg **pmsg, struct fd_list *candidates)
{
	struct msg_hdr *hdr;
	DiamId_t source = NULL;
	struct msg *m = *pmsg;

	if (fd_msg_hdr(m, &hdr) || !(hdr->msg_flags & CMD_FLAG_REQUEST))
		return 0;
	if (fd_msg_source_get(m, &source, NULL) || source || has_candidate(candidates))
		return 0;
	*pmsg = NULL;
	fail_request(m);
	return 0;
}

int dm_route_guard_install(void)
{
	struct fd_rt_out_hdl *handle;

	/* after all others have given their scores */
	return fd_rt_out_register(guard_route, NULL, -1000, &handle);
}

int dm_session_new(char out[DM_SESSION_MAX])
{
	static atomic_uint counter;
	uint64_t random;

	if (crypto_random(&random, sizeof(random)))
		return EAGAIN;
	snprintf(out, DM_SESSION_MAX, "%.200s;%lu;%u;%016lx", fd_g_config->cnf_diamid,
		 (unsigned long)time(NULL), atomic_fetch_add(&counter, 1), (unsigned long)random);
	return 0;
}
