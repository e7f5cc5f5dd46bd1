/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A Registration Request from a link: decode, check, then to the AAA, to the home agent, or refused.
 */
#include <string.h>

#include "agent/roles/fa_int.h"

static const struct role_refusal not_for_us = {"no_link", 0, "came over a link that we do not serve"};
static const struct role_refusal undecodable = {"undecodable", 0, "not a Registration Request"};

/* Bytes for the HA, and 34 last when we share a key with it.  Deregistrations carry no 34 (RFC 5944
 * 3.7.3.2). */
static void relay_to_ha(struct fa *fa, const struct fa_req *r, struct actions *out)
{
	uint8_t mem[MIP_MSG_MAX];
	struct wbuf w;
	struct role_view fa_ha;

	wbuf_init(&w, mem, sizeof(mem));
	wbuf_bytes(&w, r->rrq.raw, r->rrq.ha_part);
	if (r->rrq.lifetime && ((r->v && role_same_addr(r->v->ha, r->rrq.ha) && r->now < r->v->msa_until &&
				 role_assoc_view(&r->v->fa_ha, &fa_ha)) ||
				fa_ha_assoc(fa, r->rrq.ha, 0, &fa_ha)))
		role_put_auth(&w, MIP_EXT_FA_HA, &fa_ha);
	fa_core_send(fa->cfg.coa, r->rrq.ha, &w, out);
}

static void ask_ha(struct fa *fa, struct fa_req *r, struct actions *out)
{
	struct fa_pending *p = fa_pending_new(fa, r, FA_RELAYED, "");

	if (!p) {
		fa_deny(fa, r, &fa_resources, out);
		return;
	}
	if (r->authentic)
		fa_challenge_used(fa, r->v, r->key, r->rrq.challenge.data, r->rrq.challenge.len);
	relay_to_ha(fa, r, out);
	char who[ROLE_WHO_MAX];

	role_log(out, LOG_LVL_DEBUG, "visitor %s: %s -> relayed, lifetime %u", role_who(p->nai, p->hoa, who),
		 r->v ? "registered" : "none", p->lifetime);
}

/* The same request again.  Relayed ones are relayed again; what is with the AAA is not asked twice: the
 * first answer serves, and a second transaction would only set up the same tunnels again. */
static void again(struct fa *fa, struct fa_req *r, struct actions *out)
{
	role_count("fa.rrq", "retransmission");
	if (r->same->state == FA_MOVING)
		fa_move_again(fa, r->same, r, out);
	if (r->same->state != FA_RELAYED)
		return;
	r->same->ident = r->rrq.ident;
	r->same->path = r->e->path;
	relay_to_ha(fa, r, out);
}

static void silent(const struct role_event *e, const char *reason, const char *text, struct actions *out)
{
	char addr[INET_ADDRSTRLEN];

	role_count("fa.rrq", reason);
	role_log(out, LOG_LVL_INFO, "request from %s dropped: %s", role_addr_str(e->path.src, addr), text);
}

/* What the codec refuses: silence when there is nothing to answer to or the RFC wants it (unknown
 * extension below 128), else 70. */
static void undecoded(struct fa *fa, struct fa_req *r, enum mip_reject rej, struct actions *out)
{
	struct role_refusal why = {mip_reject_str(rej), MIP_FA_POOR_REQUEST, fa_poor_request.text};

	if (rej == MIP_REJ_EXT_DUPLICATE && r->rrq.mn_fa.present)
		why.code = MIP_FA_MN_AUTH; /* nothing but 33 and 34 may come behind 33 */
	if (!r->rrq.raw || rej == MIP_REJ_EXT_UNKNOWN) {
		silent(r->e, why.name, mip_reject_str(rej), out);
		return;
	}
	r->rrq.nai[0] = 0; /* may be what is malformed */
	fa_deny(fa, r, &why, out);
}

static void name_key(struct fa *fa, struct fa_req *r)
{
	r->key = r->rrq.nai[0] ? r->rrq.nai : role_addr_str(r->rrq.hoa, r->key_mem);
	r->v = fa_visitor_find(fa, r->key);
}

void fa_request(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	struct fa_req r = {.e = e, .now = now, .link = fa_link_of(fa, e->path.ifindex)};
	const struct role_refusal *why;
	enum mip_reject rej;

	if (!r.link) {
		silent(e, not_for_us.name, not_for_us.text, out);
		return;
	}
	if (!e->len || e->data[0] != MIP_RRQ) {
		silent(e, undecodable.name, undecodable.text, out);
		return;
	}
	role_count("fa.rrq", "received");
	rej = mip_rrq_decode(e->data, e->len, &r.rrq);
	name_key(fa, &r);
	if (rej) {
		undecoded(fa, &r, rej, out);
		return;
	}
	why = fa_check(fa, &r);
	if (why && !why->code)
		silent(e, why->name, why->text, out);
	else if (why)
		fa_deny(fa, &r, why, out);
	else if (r.same)
		again(fa, &r, out);
	else if (r.direct)
		ask_ha(fa, &r, out);
	else
		fa_ask_aaa(fa, &r, out);
}
