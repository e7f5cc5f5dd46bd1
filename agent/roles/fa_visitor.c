/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The visitor list (RFC 5944 3.7.1) and what belongs to a visitor outside of us: tunnel to the home agent,
 * route and pinned neighbour, reverse tunnel, VPN profiles.  Each ADD has its DEL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roles/fa_int.h"

struct fa_visitor *fa_visitor_find(const struct fa *fa, const char *key)
{
	struct fa_visitor *v;

	HASH_FIND_STR(fa->by_key, key, v);
	return v;
}

struct fa_visitor *fa_visitor_by_session(const struct fa *fa, const char *session)
{
	struct fa_visitor *v = NULL;

	if (session)
		HASH_FIND(hh_session, fa->by_session, session, strlen(session), v);
	return v;
}

static struct fa_route route_of(const struct fa_visitor *v)
{
	struct fa_route r = {
		.hoa = v->hoa, .ha = v->ha, .coa = v->coa, .ifindex = v->ifindex, .reverse = v->reverse};

	memcpy(r.mac, v->mac, sizeof(r.mac));
	return r;
}

static void path_down(const struct fa_visitor *v, struct actions *out)
{
	struct fa_route r = route_of(v);

	fa_route_down(&r, v->session, out);
}

static void visitor_free(struct fa_visitor *v)
{
	free(v->key);
	free(v->nai);
	free(v->session);
	free(v->aaa_host);
	free(v->aaa_realm);
	crypto_wipe(v, sizeof(*v));
	free(v);
}

static struct fa_visitor *visitor_new(struct fa *fa, const struct fa_pending *p)
{
	struct fa_visitor *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->key = role_dup(p->key);
	v->nai = role_dup(p->nai);
	v->session = role_dup("");
	v->aaa_host = role_dup("");
	v->aaa_realm = role_dup("");
	if (!v->key || !v->nai || !v->session || !v->aaa_host || !v->aaa_realm ||
	    !role_heap_reserve(&fa->heap)) {
		visitor_free(v);
		return NULL;
	}
	v->timer.kind = FA_T_VISITOR;
	HASH_ADD_KEYPTR(hh, fa->by_key, v->key, strlen(v->key), v);
	return v;
}

/* The home agent has the last word on who holds an address: an entry of another name for it goes. */
static void displace(struct fa *fa, const struct fa_visitor *v, struct in_addr hoa, struct actions *out)
{
	struct fa_visitor *other;

	HASH_FIND(hh_hoa, fa->by_hoa, &hoa, sizeof(hoa), other);
	if (other && other != v)
		fa_visitor_end(fa, other, "its home address was given to another", DM_TERM_ADMINISTRATIVE,
			       out);
}

static void path_set(struct fa *fa, struct fa_visitor *v, struct fa_pending *p, struct actions *out)
{
	struct fa_route is = route_of(v), want = fa_move_route_of(fa, p);
	bool was = !role_any_addr(v->hoa);

	if (was && fa_route_same(&is, &want))
		return;
	displace(fa, v, want.hoa, out);
	if (was) {
		path_down(v, out);
		HASH_DELETE(hh_hoa, fa->by_hoa, v);
	}
	v->hoa = want.hoa;
	v->ha = want.ha;
	v->coa = want.coa;
	v->ifindex = want.ifindex;
	memcpy(v->mac, want.mac, sizeof(v->mac));
	v->reverse = want.reverse;
	HASH_ADD(hh_hoa, fa->by_hoa, hoa, sizeof(v->hoa), v);
	if (!fa_move_take_route(fa, p, &want, out))
		fa_route_up(&want, v->session, out);
}

/* A Binding Update that was recorded is not taken again for one who has come back. */
static uint64_t *moved_slot(struct fa *fa, const struct fa_visitor *v)
{
	size_t i = role_hash(&v->hoa, sizeof(v->hoa), fa->chal.seed) % FA_MOVED;

	if (!role_same_addr(fa->moved[i].hoa, v->hoa))
		fa->moved[i].ident = 0;
	fa->moved[i].hoa = v->hoa;
	return &fa->moved[i].ident;
}

/* He is here (again): packets for him take his link. */
static void path_grant(struct fa *fa, struct fa_visitor *v, struct fa_pending *p, struct actions *out)
{
	bool same = role_same_addr(v->hoa, p->grant.hoa);

	if (!same)
		fa_handout_stop(v, out);
	path_set(fa, v, p, out);
	if (same)
		fa_handout_stop(v, out);
	v->out.on = false;
	v->ident = p->ident;
	if (!same)
		v->bu_ident = *moved_slot(fa, v);
}

static bool session_name(struct fa *fa, struct fa_visitor *v, const char *name)
{
	char *session = role_dup(name);

	if (!session)
		return false;
	if (v->session[0])
		HASH_DELETE(hh_session, fa->by_session, v);
	free(v->session);
	v->session = session;
	HASH_ADD_KEYPTR(hh_session, fa->by_session, v->session, strlen(v->session), v);
	return true;
}

/* A session granted by the AAAH takes the place of the earlier one: its tunnels are up by now, the earlier
 * ones go. */
static bool session_set(struct fa *fa, struct fa_visitor *v, struct fa_pending *p, struct actions *out)
{
	char earlier[DM_SESSION_MAX];

	role_copy(earlier, sizeof(earlier), v->session);
	fa_update_end(fa, v, DM_TOO_BUSY, "superseded by a registration", out);
	if (!session_name(fa, v, p->session))
		return false;
	if (v->vpn)
		role_act(out, ACT_VPN_REMOVE, earlier);
	fa_handin_pass(fa, v->hoa, earlier, v->session);
	v->handoff = p->grant.handoff;
	v->vpn = p->vpn;
	p->vpn = false;
	v->completing = false;
	v->n_profiles = p->grant.n_profiles;
	v->aaa = true;
	free(v->aaa_host);
	free(v->aaa_realm);
	v->aaa_host = p->grant.aaa_host;
	v->aaa_realm = p->grant.aaa_realm;
	p->grant.aaa_host = p->grant.aaa_realm = NULL;
	return true;
}

/* Without AAA a session has a name too, for the console. */
static bool session_local(struct fa *fa, struct fa_visitor *v)
{
	char name[DM_SESSION_MAX];

	snprintf(name, sizeof(name), "fa:%s", v->key);
	return session_name(fa, v, name);
}

static role_ms until(role_ms now, uint32_t seconds)
{
	return now + (role_ms)seconds * 1000;
}

static void keys_set(struct fa_visitor *v, const struct fa_grant *g, role_ms now)
{
	if (g->mn_fa.len)
		v->mn_fa = g->mn_fa;
	if (g->fa_ha.len)
		v->fa_ha = g->fa_ha;
	if (g->mn_fa.len || g->fa_ha.len || !v->msa_until)
		v->msa_until = g->msa_lifetime ? until(now, g->msa_lifetime) : ROLE_NEVER;
	v->auth_until = g->auth_lifetime ? until(now, g->auth_lifetime) : v->expires;
}

static void lifetime_set(struct fa *fa, struct fa_visitor *v, const struct fa_pending *p, role_ms now)
{
	uint16_t s = p->grant.lifetime;

	if (s > fa->cfg.lifetime_max)
		s = fa->cfg.lifetime_max;
	v->lifetime = s;
	v->expires = s == MIP_LIFETIME_INFINITE ? ROLE_NEVER : until(now, s);
	role_heap_set(&fa->heap, &v->timer, v->expires);
}

struct fa_visitor *fa_visitor_grant(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out)
{
	struct fa_visitor *v = fa_visitor_find(fa, p->key);
	bool fresh = !v;
	char who[ROLE_WHO_MAX];

	if (!v)
		v = visitor_new(fa, p);
	if (!v)
		return NULL;
	if (p->session[0] ? !session_set(fa, v, p, out) : fresh && !session_local(fa, v)) {
		if (fresh)
			fa_visitor_end(fa, v, "no memory", FA_NO_STR, out);
		return NULL;
	}
	path_grant(fa, v, p, out);
	lifetime_set(fa, v, p, now);
	if (p->session[0] || fresh)
		keys_set(v, &p->grant, now);
	if (fresh) {
		v->since_wall_ms = p->wall_ms;
		fa_challenge_used(fa, v, p->key, p->challenge.data, p->challenge.len);
	}
	role_count("fa.visitor", fresh ? "added" : "renewed");
	role_log(out, fresh ? LOG_LVL_NOTICE : LOG_LVL_INFO,
		 "visitor %s: %s -> registered, lifetime %u, %u profiles", role_who(v->nai, v->hoa, who),
		 fa_state_word[p->state], v->lifetime, v->n_profiles);
	return v;
}

void fa_visitor_end(struct fa *fa, struct fa_visitor *v, const char *why, int cause, struct actions *out)
{
	struct fa_route is = route_of(v);
	char who[ROLE_WHO_MAX];

	role_count("fa.visitor", "ended");
	role_log(out, LOG_LVL_NOTICE, "visitor %s: %s -> gone, %s", role_who(v->nai, v->hoa, who),
		 v->out.on ? "handed off" : "registered", why);
	fa_update_end(fa, v, DM_UNKNOWN_SESSION, why, out);
	fa_handin_end_of(fa, v->hoa, v->session, out);
	fa_handout_stop(v, out);
	if (!role_any_addr(v->hoa)) {
		if (v->bu_ident)
			*moved_slot(fa, v) = v->bu_ident;
		HASH_DELETE(hh_hoa, fa->by_hoa, v);
		if (!fa_move_inherit(fa, &is))
			path_down(v, out);
	}
	if (v->vpn)
		role_act(out, ACT_VPN_REMOVE, v->session);
	if (v->aaa && cause != FA_NO_STR && !v->out.on)
		fa_str(fa, v->session, v->nai, v->aaa_host, v->aaa_realm, (enum dm_termination)cause, out);
	if (v->session[0])
		HASH_DELETE(hh_session, fa->by_session, v);
	HASH_DELETE(hh, fa->by_key, v);
	fa_move_reroute(fa, v->hoa, out);
	role_heap_release(&fa->heap, &v->timer);
	visitor_free(v);
}

static bool names(const char *text, const char *nai, const char *session, struct in_addr hoa)
{
	char addr[INET_ADDRSTRLEN];

	return strcmp(text, nai) == 0 || strcmp(text, session) == 0 ||
	       strcmp(text, role_addr_str(hoa, addr)) == 0;
}

void fa_visitor_drop(struct fa *fa, const char *text, role_ms now, struct actions *out)
{
	static const struct role_refusal dropped = {"dropped", MIP_FA_PROHIBITED, "dropped by the operator"};
	struct fa_visitor *v, *next_v;
	struct fa_pending *p = TAILQ_FIRST(&fa->pendings), *next_p;

	if (!text || !text[0])
		return;
	for (; p; p = next_p) {
		next_p = TAILQ_NEXT(p, link);
		if (!names(text, p->nai, p->session, p->hoa))
			continue;
		fa_pending_undo(fa, p, out);
		fa_fail(fa, p, &dropped, NULL, now, out);
	}
	HASH_ITER(hh, fa->by_key, v, next_v)
	{
		if (names(text, v->nai, v->session, v->hoa))
			fa_visitor_end(fa, v, "dropped by the operator", DM_TERM_ADMINISTRATIVE, out);
	}
}
