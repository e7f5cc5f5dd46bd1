/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Requests under way.  Their number is bounded (66), each has a deadline, and each ends in exactly one
 * answer.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/fa_int.h"

static const struct role_refusal net_unreachable = {"net_unreachable", MIP_FA_HOME_NET,
						    "home network unreachable"};
static const struct role_refusal host_unreachable = {"host_unreachable", MIP_FA_HOME_HOST,
						     "home agent unreachable"};
static const struct role_refusal port_unreachable = {"port_unreachable", MIP_FA_HOME_PORT,
						     "no home agent at its port"};
static const struct role_refusal ha_unreachable = {"ha_unreachable", MIP_FA_HA_UNREACHABLE,
						   "home agent unreachable (ICMP error)"};
static const struct role_refusal vpn_timeout = {"vpn_timeout", MIP_FA_RESOURCES,
						"the tunnels did not come up in time"};

static role_ms deadline(const struct fa *fa, enum fa_state state, role_ms now)
{
	return now + fa->cfg.aaa_timeout_ms + (state == FA_AAA ? FA_SAFETY_MS : 0);
}

static bool copy_request(struct fa_pending *p, const struct fa_req *r, const char *session)
{
	p->session = role_dup(session);
	p->key = role_dup(r->key);
	p->nai = role_dup(r->rrq.nai);
	p->path = r->e->path;
	p->wall_ms = r->e->wall_ms;
	p->flags = r->rrq.flags;
	p->lifetime = r->rrq.lifetime;
	p->hoa = r->rrq.hoa;
	p->ha = r->rrq.ha;
	p->coa = r->rrq.coa;
	p->ident = r->rrq.ident;
	p->authentic = r->authentic;
	if (r->v)
		p->mn_fa = r->v->mn_fa;
	p->mn_spi = r->rrq.mn_fa_key.present ? r->rrq.mn_fa_key.spi : 0;
	p->challenge.len = (uint8_t)r->rrq.challenge.len;
	if (p->challenge.len)
		memcpy(p->challenge.data, r->rrq.challenge.data, p->challenge.len);
	return p->session && p->key && p->nai;
}

/* A PFAN is for the AAA; the home agent may be asked behind that. */
static bool copy_pfan(const struct fa *fa, struct fa_pending *p, const struct fa_req *r)
{
	struct mip_pfan f;

	if (p->state != FA_AAA || !fa->cfg.smooth_handoff || !mip_pfan_get(&r->rrq, &f) ||
	    !role_same_addr(f.coa, r->rrq.coa) || role_any_addr(f.previous_fa) ||
	    fa_is_own(fa, f.previous_fa))
		return true;
	p->has_previous = true;
	p->previous_fa = f.previous_fa;
	p->handoff_lifetime = f.lifetime;
	return fa_move_keep(p, &r->rrq);
}

static void pending_free(struct fa_pending *p)
{
	fa_grant_wipe(&p->grant);
	fa_move_wipe(&p->move);
	free(p->session);
	free(p->key);
	free(p->nai);
	crypto_wipe(p, sizeof(*p));
	free(p);
}

struct fa_pending *fa_pending_new(struct fa *fa, const struct fa_req *r, enum fa_state state,
				  const char *session)
{
	struct fa_pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->state = state;
	if (!copy_request(p, r, session) || !copy_pfan(fa, p, r) || !role_heap_reserve(&fa->heap)) {
		pending_free(p);
		return NULL;
	}
	p->timer.kind = FA_T_PENDING;
	role_heap_set(&fa->heap, &p->timer, deadline(fa, state, r->now));
	TAILQ_INSERT_TAIL(&fa->pendings, p, link);
	fa->n_pending++;
	if (p->session[0])
		HASH_ADD_KEYPTR(hh, fa->pend_by_session, p->session, strlen(p->session), p);
	return p;
}

void fa_pending_end(struct fa *fa, struct fa_pending *p)
{
	if (p->session[0])
		HASH_DELETE(hh, fa->pend_by_session, p);
	TAILQ_REMOVE(&fa->pendings, p, link);
	fa->n_pending--;
	role_heap_release(&fa->heap, &p->timer);
	pending_free(p);
}

void fa_grant_wipe(struct fa_grant *g)
{
	free(g->aaa_host);
	free(g->aaa_realm);
	free(g->rrp);
	fa_later_wipe(g);
	crypto_wipe(g, sizeof(*g));
}

static bool same_challenge(const struct fa_challenge *a, struct mip_bytes b)
{
	return a->len == b.len && (!b.len || memcmp(a->data, b.data, b.len) == 0);
}

/* RFC 4721 3.2: equal in all but the Identification and what depends on it, from the same station. */
struct fa_pending *fa_pending_same(const struct fa *fa, const struct fa_req *r)
{
	struct fa_pending *p;

	TAILQ_FOREACH(p, &fa->pendings, link)
	{
		if (strcmp(p->key, r->key) == 0 && p->path.ifindex == r->e->path.ifindex &&
		    memcmp(p->path.mac, r->e->path.mac, sizeof(p->path.mac)) == 0 &&
		    p->flags == r->rrq.flags && p->lifetime == r->rrq.lifetime &&
		    role_same_addr(p->hoa, r->rrq.hoa) && role_same_addr(p->ha, r->rrq.ha) &&
		    role_same_addr(p->coa, r->rrq.coa) && same_challenge(&p->challenge, r->rrq.challenge))
			return p;
	}
	return NULL;
}

static bool is_later(const struct fa_pending *p, const struct fa_pending *than)
{
	return strcmp(p->key, than->key) == 0 && mip_ident_later(p->ident, than->ident);
}

bool fa_pending_newer(const struct fa *fa, const struct fa_pending *p)
{
	const struct fa_pending *q;

	TAILQ_FOREACH(q, &fa->pendings, link)
	{
		if (is_later(q, p))
			return true;
	}
	return false;
}

/* A renewal that went straight to the home agent leaves the session as it is: what the AAA has made of an
 * earlier request at the same time is the session by now. */
void fa_pending_overtake(struct fa *fa, const struct fa_pending *p, bool session)
{
	struct fa_pending *q;

	TAILQ_FOREACH(q, &fa->pendings, link)
	{
		if (!is_later(p, q))
			continue;
		q->overtaken = true;
		q->superseded = q->superseded || session || q->state == FA_RELAYED;
	}
}

/* No STR for what the home AAA has granted: it has the later session in its place, and both are one and the
 * same at the home agent.  The AAAF's own answer is taken back, that is only its own. */
void fa_pending_supersede(struct fa *fa, struct fa_pending *p, struct actions *out)
{
	char who[ROLE_WHO_MAX];

	role_count("fa.rrp", "superseded");
	role_log(out, LOG_LVL_INFO, "visitor %s: %s -> superseded by a later request",
		 role_who(p->nai, p->hoa, who), fa_state_word[p->state]);
	fa_move_undo(fa, p, out);
	if (p->state == FA_MOVING)
		fa_str(fa, p->session, p->nai, NULL, NULL, DM_TERM_BAD_ANSWER, out);
	fa_pending_end(fa, p);
}

void fa_pending_sweep(struct fa *fa, struct actions *out)
{
	struct fa_pending *p = TAILQ_FIRST(&fa->pendings), *next;

	for (; p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->superseded && (p->state == FA_TUNNELS || p->state == FA_MOVING))
			fa_pending_supersede(fa, p, out);
	}
}

enum dm_termination fa_pending_cause(const struct fa_pending *p)
{
	bool aaafs = p->state == FA_MOVING || (p->has_previous && !p->grant.aaa_host);

	return aaafs ? DM_TERM_BAD_ANSWER : DM_TERM_ADMINISTRATIVE;
}

void fa_pending_undo(struct fa *fa, struct fa_pending *p, struct actions *out)
{
	struct fa_visitor *v = fa_visitor_find(fa, p->key);

	fa_move_undo(fa, p, out);
	if (p->state == FA_RELAYED)
		return;
	fa_str(fa, p->session, p->nai, p->grant.aaa_host, p->grant.aaa_realm, fa_pending_cause(p), out);
	/* Known to have been granted: for the AAAH it is this session by now that the visitor has. */
	if (v && v->aaa && p->grant.aaa_host && p->state != FA_MOVING)
		fa_visitor_end(fa, v, "its renewal failed", FA_NO_STR, out);
}

void fa_pending_due(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out)
{
	bool tunnels = p->state == FA_TUNNELS || p->move.replied;
	const struct role_refusal *why = tunnels ? &vpn_timeout : &fa_timeout;

	fa_pending_undo(fa, p, out); /* an answer on its way must not leave anything behind */
	fa_fail(fa, p, why, NULL, now, out);
}

static const struct role_refusal *icmp_meaning(const struct role_event *e)
{
	if (e->icmp_type != 3)
		return &ha_unreachable;
	switch (e->icmp_code) {
	case 0:
	case 6:
	case 9:
	case 11:
		return &net_unreachable;
	case 1:
	case 7:
	case 10:
	case 12:
		return &host_unreachable;
	case 3:
		return &port_unreachable;
	default:
		return &ha_unreachable;
	}
}

bool fa_pending_install(struct fa *fa, struct fa_pending *p, const struct vpn_profile *set, uint8_t n,
			struct actions *out)
{
	const struct fa_visitor *v = fa_visitor_find(fa, p->key);
	struct in_addr previous = p->grant.previous_fa;
	bool moves = !role_any_addr(previous) && !fa_is_own(fa, previous);
	struct action *a;

	if (moves)
		fa_move_route(fa, p, out);
	a = role_act(out, ACT_VPN_INSTALL, p->session);
	if (!a || !role_act_profiles(a, set, n)) {
		if (a)
			out->n--;
		return false;
	}
	a->deadline_ms = fa->cfg.vpn_timeout_ms;
	a->late_child = (v && v->vpn) || moves;
	p->vpn = true;
	return true;
}

bool fa_pending_accept(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out)
{
	struct fa_visitor *v = fa_visitor_grant(fa, p, now, out);

	if (!v)
		return false;
	fa_relay_reply(fa, p, v, p->grant.rrp, p->grant.rrp_len, 0, out);
	fa_later_install(fa, v, &p->grant, out);
	fa_pending_end(fa, p);
	return true;
}

bool fa_pending_asks_ha(const struct fa_pending *p)
{
	return p->state == FA_RELAYED || (p->state == FA_MOVING && !p->move.replied);
}

/* The error's quotation names the request when the kernel hands it over; else all to that home agent are
 * meant. */
static bool icmp_means(const struct role_event *e, const struct fa_pending *p)
{
	struct mip_rrq q = {0};

	if (!fa_pending_asks_ha(p) || !role_same_addr(p->ha, e->path.dst))
		return false;
	if (e->data)
		mip_rrq_decode(e->data, e->len, &q);
	return !q.raw || q.ident == p->ident;
}

void fa_icmp(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	struct fa_pending *p = TAILQ_FIRST(&fa->pendings), *next;

	for (; p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (!icmp_means(e, p))
			continue;
		fa_pending_undo(fa, p, out);
		fa_fail(fa, p, icmp_meaning(e), NULL, now, out);
	}
}
