/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Registration Replies at the foreign agent (RFC 5944 3.7.3): the home agent's, which are checked and passed
 * on, and the foreign agent's own refusals.  Each one to a mobile node carries a challenge for its next
 * request, then 33 when we share a key with the node.
 */
#include <arpa/inet.h>
#include <string.h>

#include "agent/roles/fa_int.h"

#define DENIAL_MS 1000

const struct role_refusal fa_poor_reply = {"poor_reply", MIP_FA_POOR_REPLY,
					   "the home agent's reply is malformed"};
const struct role_refusal fa_timeout = {"timeout", MIP_FA_TIMEOUT, "no answer in time"};
const struct role_refusal fa_resources = {"resources", MIP_FA_RESOURCES, "insufficient resources"};
static const struct role_refusal ha_auth = {"fa_ha_auth", MIP_FA_HA_AUTH,
					    "the home agent failed authentication"};
static const struct role_refusal vendor_ha = {"cvse_ha", MIP_FA_CVSE_HA,
					      "critical vendor extension in the reply"};
static const struct role_refusal reply_no_nai = {"reply_no_nai", MIP_FA_NO_NAI, "no NAI in the reply"};
static const struct role_refusal reply_no_ha = {"reply_no_ha", MIP_FA_NO_HA, "no home agent in the reply"};
static const struct role_refusal reply_no_hoa = {"reply_no_hoa", MIP_FA_NO_HOA,
						 "no home address in the reply"};
static const struct role_refusal visitor_gone = {"visitor_gone", MIP_FA_TIMEOUT,
						 "the session ended while it was renewed"};

/* Where the reply goes: back to the station that asked, whatever addresses it has by now (RFC 5944
 * 3.7.2.3). */
static struct role_path reply_path(const struct fa *fa, const struct role_path *q, struct in_addr hoa)
{
	struct role_path p = {.ifindex = q->ifindex,
			      .sport = MIP_PORT,
			      .dport = q->sport,
			      .ttl = ROLE_REPLY_TTL,
			      .dst = hoa};
	const struct fa_link *l = fa_link_of(fa, q->ifindex);

	memcpy(p.mac, q->mac, sizeof(p.mac));
	p.src = l ? fa_local_addr(fa, l, q->dst) : fa->cfg.coa;
	if (role_any_addr(hoa))
		p.dst.s_addr = INADDR_BROADCAST;
	return p;
}

/* 132, then 33. */
static void finish(struct fa *fa, struct wbuf *w, struct fa_visitor *v, const char *key, bool renew,
		   const struct role_view *mn_fa)
{
	uint8_t c[FA_CHALLENGE_LEN];

	if (fa_challenge_offer(fa, v, key, renew, c))
		mip_ext_put_challenge(w, c, sizeof(c));
	if (mn_fa->len)
		role_put_auth(w, MIP_EXT_MN_FA, mn_fa);
}

/* At most one denial a second for each mobile node (RFC 5944 3.7.2.3), remembered in fixed space. */
static bool may_deny(struct fa *fa, const struct fa_req *r)
{
	uint64_t h = role_hash(r->key, strlen(r->key), fa->chal.seed);
	size_t i;

	h = role_hash(r->e->path.mac, sizeof(r->e->path.mac), h);
	i = h % FA_SEEN;
	if (fa->denied[i].at && fa->denied[i].who == (uint32_t)(h >> 32) &&
	    r->now < fa->denied[i].at + DENIAL_MS) {
		role_count("fa.rrq", "denial_limited");
		return false;
	}
	fa->denied[i].who = (uint32_t)(h >> 32);
	fa->denied[i].at = r->now ? r->now : 1;
	return true;
}

static void put_denial(struct wbuf *w, const struct role_refusal *why, const char *text, uint16_t lifetime,
		       struct in_addr hoa, struct in_addr ha, uint64_t ident, const char *nai)
{
	mip_rrp_put(w, why->code, lifetime, hoa, ha, ident);
	if (nai[0])
		mip_ext_put_nai(w, nai);
	mip_ext_put_message(w, 2, text ? text : why->text);
}

void fa_deny(struct fa *fa, const struct fa_req *r, const struct role_refusal *why, struct actions *out)
{
	uint8_t mem[1024];
	struct wbuf w;
	char who[ROLE_WHO_MAX];
	struct role_view none = {0};
	struct role_path p = reply_path(fa, &r->e->path, r->rrq.hoa);
	uint16_t life = why->code == MIP_FA_LIFETIME ? fa->cfg.lifetime_max : r->rrq.lifetime;

	role_count("fa.rrq", why->name);
	role_log(out, LOG_LVL_INFO, "visitor %s: refused, code %u: %s", role_who(r->rrq.nai, r->rrq.hoa, who),
		 why->code, why->text);
	if (!may_deny(fa, r))
		return;
	wbuf_init(&w, mem, sizeof(mem));
	put_denial(&w, why, NULL, life, r->rrq.hoa, r->rrq.ha, r->rrq.ident, r->rrq.nai);
	finish(fa, &w, r->v, r->key, r->authentic, r->authentic ? &r->mn_fa : &none);
	role_send(out, &p, IPPROTO_UDP, &w);
}

/* The key that a reply is signed with: the visitor's (as it was when he asked, if he is gone), or a
 * configured one. */
static struct role_view sign_view(const struct fa *fa, const struct fa_pending *p, const struct fa_visitor *v)
{
	struct role_view view = {0};

	if (p->state == FA_MOVING && role_assoc_view(&p->grant.mn_fa, &view))
		return view;
	if (!role_assoc_view(v ? &v->mn_fa : &p->mn_fa, &view))
		role_sa_view(fa->sas, fa->cfg.n_sas, p->hoa, p->nai, 0, &view);
	return view;
}

void fa_fail(struct fa *fa, struct fa_pending *p, const struct role_refusal *why, const char *text,
	     role_ms now, struct actions *out)
{
	uint8_t mem[1024];
	struct wbuf w;
	char who[ROLE_WHO_MAX];
	struct fa_visitor *v = fa_visitor_find(fa, p->key);
	struct role_view sign = sign_view(fa, p, v);
	struct role_path path = reply_path(fa, &p->path, p->hoa);

	(void)now;
	role_count("fa.rrq", why->name);
	role_log(out, LOG_LVL_NOTICE, "visitor %s: %s -> refused, code %u: %s", role_who(p->nai, p->hoa, who),
		 fa_state_word[p->state], why->code, text && text[0] ? text : why->text);
	wbuf_init(&w, mem, sizeof(mem));
	put_denial(&w, why, text && text[0] ? text : NULL, p->lifetime, p->hoa, p->ha, p->ident, p->nai);
	finish(fa, &w, v, p->key, p->authentic, &sign);
	role_send(out, &path, IPPROTO_UDP, &w);
	fa_pending_end(fa, p);
}

void fa_relay_reply(struct fa *fa, struct fa_pending *p, struct fa_visitor *v, const uint8_t *rrp, size_t len,
		    uint8_t fa_error, struct actions *out)
{
	uint8_t mem[MIP_MSG_MAX];
	struct wbuf w;
	struct role_view sign = sign_view(fa, p, v);
	struct role_path path = reply_path(fa, &p->path, p->hoa);

	wbuf_init(&w, mem, sizeof(mem));
	wbuf_bytes(&w, rrp, len);
	if (p->grant.message)
		mip_ext_put_message(&w, 2, p->grant.message);
	if (fa_error)
		mip_ext_put_fa_error(&w, fa_error);
	/* One who deregisters is forgotten with this reply, and a challenge of his own with him. */
	finish(fa, &w, v, p->key, p->authentic && p->lifetime, &sign);
	role_send(out, &path, IPPROTO_UDP, &w);
}

static bool accepted(const struct mip_rrp *r)
{
	return r->code == MIP_ACCEPTED || r->code == MIP_ACCEPTED_NO_SIMUL;
}

const struct role_refusal *fa_reply_check(struct fa *fa, const struct fa_pending *p, const struct mip_rrp *r,
					  const struct role_view *fa_ha)
{
	(void)fa;
	if (fa_ha && p->lifetime && !role_view_verifies(fa_ha, &r->fa_ha, r->raw))
		return &ha_auth;
	if (r->cvse)
		return &vendor_ha;
	if (!accepted(r))
		return NULL;
	if (p->nai[0] && strcmp(p->nai, r->nai) != 0)
		return &reply_no_nai;
	if (role_any_addr(r->ha))
		return &reply_no_ha;
	if (role_any_addr(r->hoa))
		return &reply_no_hoa;
	return NULL;
}

bool fa_challenge_differs(const struct fa_pending *p, const struct mip_rrp *r)
{
	return r->challenge.len && (r->challenge.len != p->challenge.len ||
				    memcmp(r->challenge.data, p->challenge.data, p->challenge.len) != 0);
}

static bool answers(const struct fa_pending *p, const struct role_event *e, const struct mip_rrp *r)
{
	if (!fa_pending_asks_ha(p) || (uint32_t)p->ident != (uint32_t)r->ident ||
	    !role_same_addr(p->ha, e->path.src))
		return false;
	if (role_any_addr(p->hoa) || role_ones_addr(p->hoa))
		return strcmp(p->nai, r->nai) == 0;
	return role_same_addr(p->hoa, r->hoa);
}

static struct fa_pending *find_answered(const struct fa *fa, const struct role_event *e,
					const struct mip_rrp *r)
{
	struct fa_pending *p;

	TAILQ_FOREACH(p, &fa->pendings, link)
	{
		if (answers(p, e, r))
			return p;
	}
	return NULL;
}

/* The association that 34 has to be made with; false = there is none with this home agent. */
static bool expected_fa_ha(const struct fa *fa, const struct fa_pending *p, const struct fa_visitor *v,
			   struct role_view *out)
{
	if (p->state == FA_MOVING)
		return role_assoc_view(&p->grant.fa_ha, out);
	if (v && role_same_addr(v->ha, p->ha) && role_assoc_view(&v->fa_ha, out))
		return true;
	return fa_ha_assoc(fa, p->ha, 0, out);
}

/* Accepted, and nothing wrong with it. */
static void take(struct fa *fa, struct fa_pending *p, struct fa_visitor *v, const struct mip_rrp *r,
		 role_ms now, struct actions *out)
{
	char who[ROLE_WHO_MAX];

	fa_pending_overtake(fa, p, !r->lifetime || !p->lifetime);
	fa_pending_sweep(fa, out);
	if (!r->lifetime || !p->lifetime) {
		fa_move_undo(fa, p, out);
		fa_relay_reply(fa, p, v, r->raw, r->mn_part, 0, out);
		role_log(out, LOG_LVL_INFO, "visitor %s: deregistration accepted",
			 role_who(p->nai, p->hoa, who));
		if (v) /* the HA tells the AAAH */
			fa_visitor_end(fa, v, "deregistered", FA_NO_STR, out);
		fa_pending_end(fa, p);
		return;
	}
	if (fa->cfg.aaa && !(v && v->aaa && !v->out.on)) {
		fa_fail(fa, p, &visitor_gone, NULL, now, out);
		return;
	}
	p->grant.hoa = r->hoa;
	p->grant.ha = r->ha;
	p->grant.lifetime = r->lifetime;
	v = fa_visitor_grant(fa, p, now, out);
	if (!v) {
		fa_fail(fa, p, &fa_resources, NULL, now, out);
		return;
	}
	fa_relay_reply(fa, p, v, r->raw, r->mn_part, 0, out);
	fa_pending_end(fa, p);
}

static void take_reply(struct fa *fa, struct fa_pending *p, const struct mip_rrp *r, role_ms now,
		       struct actions *out)
{
	struct fa_visitor *v = fa_visitor_find(fa, p->key);
	struct role_view view;
	bool have = expected_fa_ha(fa, p, v, &view);
	const struct role_refusal *why = fa_reply_check(fa, p, r, have ? &view : NULL);
	char who[ROLE_WHO_MAX];

	if (accepted(r) ? p->superseded : p->overtaken) {
		fa_pending_supersede(fa, p, out);
	} else if (why) {
		fa_pending_undo(fa, p, out);
		fa_fail(fa, p, why, NULL, now, out);
	} else if (!accepted(r) || fa_challenge_differs(p, r)) {
		bool differs = accepted(r);

		role_count("fa.rrp", differs ? "ha_challenge" : "refused");
		role_log(out, LOG_LVL_NOTICE, "visitor %s: %s -> refused, home agent's code %u%s",
			 role_who(p->nai, p->hoa, who), fa_state_word[p->state], r->code,
			 differs ? ", with another challenge" : "");
		fa_pending_undo(fa, p, out);
		fa_relay_reply(fa, p, v, r->raw, r->mn_part, differs ? MIP_FA_HA_CHALLENGE : 0, out);
		fa_pending_end(fa, p);
	} else if (p->state == FA_MOVING && r->lifetime) {
		fa_move_replied(fa, p, r, now, out);
	} else {
		take(fa, p, v, r, now, out);
	}
}

void fa_core_packet(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	struct mip_rrp r = {0};
	struct fa_pending *p;
	enum mip_reject rej;

	if (e->len && e->data[0] == BIND_UPDATE) {
		fa_bu(fa, e, now, out);
		return;
	}
	if (e->len && e->data[0] == BIND_ACK) {
		fa_handin_ack(fa, e, out);
		return;
	}
	if (!e->len || e->data[0] != MIP_RRP) {
		role_count("fa.core", "not_a_reply");
		return;
	}
	rej = mip_rrp_decode(e->data, e->len, &r);
	p = r.raw ? find_answered(fa, e, &r) : NULL;
	if (rej)
		role_count("fa.rrp", mip_reject_str(rej));
	if (!p) {
		role_count("fa.rrp", "no_match");
		return;
	}
	if (rej == MIP_REJ_EXT_UNKNOWN)
		return;
	if (rej) {
		fa_pending_undo(fa, p, out);
		fa_fail(fa, p, &fa_poor_reply, NULL, now, out);
	} else
		take_reply(fa, p, &r, now, out);
}
