/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The foreign agent as a Diameter client (RFC 4004 5.1, 5.2, 7.5): AMR out of a Registration Request, AMA
 * back, the end of sessions.  Each AMR has a Session-Id of its own; when it is granted, it takes the place of
 * the visitor's earlier one, which the AAAH forgets at the same moment, so that no STR is sent for that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roles/fa_int.h"

static void new_session(struct fa *fa, char out[DM_SESSION_MAX])
{
	snprintf(out, DM_SESSION_MAX, "%.200s;%u;%u;fa", fa->cfg.diameter_host, fa->session_hi,
		 ++fa->session_lo);
}

static uint32_t features(const struct fa *fa, const struct fa_req *r)
{
	const struct mip_rrq *q = &r->rrq;
	struct role_view v;
	uint32_t f = 0;

	if (role_any_addr(q->hoa) || role_ones_addr(q->hoa))
		f |= DM_F_HOA_REQUESTED;
	if (role_any_addr(q->ha) || role_ones_addr(q->ha))
		f |= DM_F_HA_REQUESTED;
	if (role_ones_addr(q->ha))
		f |= DM_F_HOA_HOME_ONLY;
	if (q->mn_ha_key.present || (f & (DM_F_HOA_REQUESTED | DM_F_HA_REQUESTED)))
		f |= DM_F_MN_HA_KEY;
	if (q->mn_fa_key.present)
		f |= DM_F_MN_FA_KEY;
	if (!fa_ha_assoc(fa, q->ha, 0, &v))
		f |= DM_F_FA_HA_KEY;
	return f;
}

static void amr_auth(struct dm_amr *a, const struct mip_rrq *q)
{
	a->rrq.len = q->ha_part > DM_RR_MAX ? DM_RR_MAX : q->ha_part;
	memcpy(a->rrq.data, q->raw, a->rrq.len);
	a->auth_input_len = q->mn_aaa.covered;
	a->auth_offset = q->mn_aaa.covered;
	a->auth_len = q->mn_aaa.mac_len;
	a->aaa_spi = q->mn_aaa.spi;
	a->challenge.len = (uint8_t)q->challenge.len;
	if (q->challenge.len)
		memcpy(a->challenge.data, q->challenge.data, q->challenge.len);
}

/* The agents that the mobile node names (RFC 3846) are believed when they are of its own realm. */
static void amr_hosts(struct dm_amr *a, const struct mip_rrq *q)
{
	char host[DM_ID_MAX], realm[DM_ID_MAX];

	if (role_nai_split(q->aaah_nai, host, realm) && strcmp(realm, a->dest_realm) == 0)
		role_copy(a->dest_host, sizeof(a->dest_host), host);
	if (role_nai_split(q->ha_nai, host, realm)) {
		role_copy(a->ha_host, sizeof(a->ha_host), host);
		role_copy(a->ha_realm, sizeof(a->ha_realm), realm);
	}
}

static void amr_fill(const struct fa *fa, const struct fa_req *r, const struct fa_pending *p,
		     struct dm_amr *a)
{
	const struct mip_rrq *q = &r->rrq;

	role_copy(a->session, sizeof(a->session), p->session);
	role_copy(a->origin_host, sizeof(a->origin_host), fa->cfg.diameter_host);
	role_copy(a->origin_realm, sizeof(a->origin_realm), fa->cfg.diameter_realm);
	role_copy(a->user, sizeof(a->user), q->nai);
	role_copy(a->dest_realm, sizeof(a->dest_realm), strchr(q->nai, '@') + 1);
	amr_auth(a, q);
	amr_hosts(a, q);
	a->has_hoa = !role_any_addr(q->hoa);
	a->hoa = q->hoa;
	a->has_ha = !role_any_addr(q->ha) && !role_ones_addr(q->ha);
	a->ha = q->ha;
	a->features = features(fa, r);
	a->ha_to_fa_spi = a->features & DM_F_FA_HA_KEY ? p->fa_spi : 0;
	a->service_update = q->service_update;
	a->has_previous_fa = p->has_previous;
	a->previous_fa = p->previous_fa;
}

void fa_ask_aaa(struct fa *fa, struct fa_req *r, struct actions *out)
{
	char session[DM_SESSION_MAX], who[ROLE_WHO_MAX];
	struct dm_amr *amr = calloc(1, sizeof(*amr));
	struct fa_pending *p;
	struct action *a;

	new_session(fa, session);
	p = amr ? fa_pending_new(fa, r, FA_AAA, session) : NULL;
	a = p ? role_act(out, ACT_AMR, session) : NULL;
	if (!a) {
		free(amr);
		if (p)
			fa_pending_end(fa, p);
		fa_deny(fa, r, &fa_resources, out);
		return;
	}
	p->fa_spi = role_spi_new();
	amr_fill(fa, r, p, amr);
	a->amr = amr;
	a->deadline_ms = fa->cfg.aaa_timeout_ms;
	role_log(out, LOG_LVL_DEBUG, "visitor %s: %s -> aaa, lifetime %u, session %s",
		 role_who(p->nai, p->hoa, who), r->v ? "registered" : "none", p->lifetime, session);
}

void fa_str(struct fa *fa, const char *session, const char *user, const char *host, const char *realm,
	    enum dm_termination cause, struct actions *out)
{
	const char *at = strchr(user, '@');
	struct role_end e = {.session = session,
			     .user = user,
			     .origin_host = fa->cfg.diameter_host,
			     .origin_realm = fa->cfg.diameter_realm,
			     .dest_host = host,
			     .dest_realm = realm,
			     .cause = cause};

	if (!realm || !realm[0])
		e.dest_realm = at ? at + 1 : "";
	role_str(out, &e);
}

/* RFC 4004 leaves the mapping open; doc/registration.md has this table. */
static const struct role_refusal *result_meaning(uint32_t result)
{
	static const struct {
		uint32_t result;
		struct role_refusal why;
	} map[] = {
		{0, {"aaa_timeout", MIP_FA_TIMEOUT, "no answer from the AAA in time"}},
		{DM_UNABLE_TO_DELIVER, {"aaa_unreachable", MIP_FA_HOME_NET, "home AAA unreachable"}},
		{DM_REALM_NOT_SERVED, {"aaa_realm", MIP_FA_HOME_NET, "no way to the home realm"}},
		{DM_TOO_BUSY, {"aaa_busy", MIP_FA_RESOURCES, "home AAA too busy"}},
		{DM_AUTHENTICATION_REJECTED, {"aaa_auth", MIP_FA_AAA_AUTH, "MN-AAA authentication failed"}},
		{DM_AUTHORIZATION_REJECTED, {"aaa_prohibited", MIP_FA_PROHIBITED, "not authorized"}},
		{DM_USER_UNKNOWN, {"aaa_user", MIP_FA_PROHIBITED, "user unknown"}},
		{DM_NO_FOREIGN_HA_SERVICE,
		 {"aaa_foreign_ha", MIP_FA_PROHIBITED, "no foreign home agent allowed"}},
		{DM_HA_NOT_AVAILABLE, {"aaa_no_ha", MIP_FA_HA_UNREACHABLE, "home agent not available"}},
		{DM_MIP_REPLY_FAILURE, {"aaa_ha_failed", MIP_FA_HA_UNREACHABLE, "home agent refused"}},
	};
	static const struct role_refusal other = {"aaa_other", MIP_FA_UNSPECIFIED, "the AAA refused"};

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		if (map[i].result == result)
			return &map[i].why;
	}
	return &other;
}

static struct fa_pending *pending_of(struct fa *fa, const char *session)
{
	struct fa_pending *p = NULL;

	if (session)
		HASH_FIND_STR(fa->pend_by_session, session, p);
	return p;
}

static void undo(struct fa *fa, struct fa_pending *p, const struct dm_ama *a, struct actions *out)
{
	if (!p->grant.aaa_host)
		p->grant.aaa_host = role_dup(a->origin_host);
	if (!p->grant.aaa_realm)
		p->grant.aaa_realm = role_dup(a->origin_realm);
	fa_pending_undo(fa, p, out);
}

/* A 2001 that we cannot make use of: the AAAH must end what it has just begun. */
static void give_up(struct fa *fa, struct fa_pending *p, const struct dm_ama *a,
		    const struct role_refusal *why, role_ms now, struct actions *out)
{
	if (a->result == DM_SUCCESS)
		undo(fa, p, a, out);
	fa_fail(fa, p, why, NULL, now, out);
}

static bool grant_fill(struct fa_pending *p, const struct dm_ama *a, const struct mip_rrp *r)
{
	struct fa_grant *g = &p->grant;

	g->hoa = r->hoa;
	g->ha = r->ha;
	g->lifetime = r->lifetime;
	g->auth_lifetime = a->auth_lifetime;
	g->msa_lifetime = a->msa_lifetime;
	g->n_profiles = a->vpn.n;
	fa_grant_handoff(g, a);
	if (p->mn_spi && r->mn_fa_key.present)
		role_assoc_set(&g->mn_fa, r->mn_fa_key.spi, p->mn_spi, &a->fa_to_mn);
	g->aaa_host = role_dup(a->origin_host);
	g->aaa_realm = role_dup(a->origin_realm);
	g->rrp = malloc(r->mn_part ? r->mn_part : 1);
	if (!fa_later_keep(g, a) || !g->aaa_host || !g->aaa_realm || !g->rrp)
		return false;
	memcpy(g->rrp, r->raw, r->mn_part);
	g->rrp_len = r->mn_part;
	return true;
}

/* What the mobile node has to wait for. */
static bool install_first(struct fa *fa, struct fa_pending *p, const struct dm_ama *a, role_ms now,
			  struct actions *out)
{
	struct vpn_profile set[VPN_PROFILES_MAX];
	uint8_t n = fa_later_split(a, set);
	char who[ROLE_WHO_MAX];
	bool ok;

	fa_handout_back(fa_visitor_find(fa, p->key), out);
	ok = !n || fa_pending_install(fa, p, set, n, out);
	crypto_wipe(set, sizeof(set));
	if (!ok)
		return false;
	fa_handin_start(fa, p, now, out);
	if (!n)
		return fa_pending_accept(fa, p, now, out);
	p->state = FA_TUNNELS;
	role_heap_set(&fa->heap, &p->timer, now + fa->cfg.vpn_timeout_ms + FA_SAFETY_MS);
	role_log(out, LOG_LVL_INFO, "visitor %s: aaa -> tunnels, %u profiles",
		 role_who(p->nai, p->grant.hoa, who), n);
	return true;
}

static void granted(struct fa *fa, struct fa_pending *p, const struct dm_ama *a, const struct mip_rrp *r,
		    role_ms now, struct actions *out)
{
	struct fa_visitor *v = fa_visitor_find(fa, p->key);

	fa_pending_overtake(fa, p, true);
	if (!r->lifetime || !p->lifetime) { /* a deregistration that went through the AAA */
		fa_relay_reply(fa, p, v, r->raw, r->mn_part, 0, out);
		if (v)
			fa_visitor_end(fa, v, "deregistered", FA_NO_STR, out);
		fa_pending_end(fa, p);
	} else if (!grant_fill(p, a, r) || !install_first(fa, p, a, now, out)) {
		give_up(fa, p, a, &fa_resources, now, out);
	}
	fa_pending_sweep(fa, out);
}

/* The home agent said no, and the AAAH passes its words on.  It ends a request when a newer one of the same
 * node comes: the node waits for the answer to that. */
static void refused(struct fa *fa, struct fa_pending *p, const struct dm_ama *a, const struct mip_rrp *r,
		    struct actions *out)
{
	char who[ROLE_WHO_MAX];

	if (a->result != DM_SUCCESS && fa_pending_newer(fa, p)) {
		fa_pending_supersede(fa, p, out);
		return;
	}
	role_count("fa.rrp", "refused");
	role_log(out, LOG_LVL_NOTICE, "visitor %s: aaa -> refused, AMA %u, home agent's code %u%s%.*s",
		 role_who(p->nai, p->hoa, who), a->result, r->code, r->message.len ? ": " : "",
		 (int)r->message.len, r->message.len ? (const char *)r->message.data : "");
	if (a->result == DM_SUCCESS)
		undo(fa, p, a, out);
	fa_relay_reply(fa, p, fa_visitor_find(fa, p->key), r->raw, r->mn_part, 0, out);
	fa_pending_end(fa, p);
}

static void with_reply(struct fa *fa, struct fa_pending *p, const struct dm_ama *a, role_ms now,
		       struct actions *out)
{
	struct mip_rrp r = {0};
	struct role_view view;
	const struct role_refusal *why;
	bool success = a->result == DM_SUCCESS;
	bool have = role_assoc_set(&p->grant.fa_ha, p->fa_spi, a->fa_to_ha.spi, &a->fa_to_ha);

	if (mip_rrp_decode(a->rrp.data, a->rrp.len, &r) || (uint32_t)r.ident != (uint32_t)p->ident) {
		give_up(fa, p, a, &fa_poor_reply, now, out);
		return;
	}
	/* A refusal may come without the keys; the Diameter association vouches for it. */
	have = success && (have ? role_assoc_view(&p->grant.fa_ha, &view) : fa_ha_assoc(fa, r.ha, 0, &view));
	why = fa_reply_check(fa, p, &r, have ? &view : NULL);
	if (why)
		give_up(fa, p, a, why, now, out);
	else if (!success || r.code > MIP_ACCEPTED_NO_SIMUL)
		refused(fa, p, a, &r, out);
	else if (fa_challenge_differs(p, &r)) {
		role_count("fa.rrp", "ha_challenge");
		undo(fa, p, a, out);
		fa_relay_reply(fa, p, fa_visitor_find(fa, p->key), r.raw, r.mn_part, MIP_FA_HA_CHALLENGE,
			       out);
		fa_pending_end(fa, p);
	} else
		granted(fa, p, a, &r, now, out);
}

/* The AAAF's own answer to a move (D2), of which the AAAH knows nothing. */
static bool is_aaafs_own(const struct dm_ama *a)
{
	return a->result == DM_SUCCESS && !a->rrp.len && a->has_previous_fa;
}

static void end_late(struct fa *fa, const char *session, const struct dm_ama *a, struct actions *out)
{
	if (is_aaafs_own(a))
		fa_str(fa, session, a->user, NULL, NULL, DM_TERM_BAD_ANSWER, out);
	else
		fa_str(fa, session, a->user, a->origin_host, a->origin_realm, DM_TERM_ADMINISTRATIVE, out);
}

static void overtaken(struct fa *fa, struct fa_pending *p, const struct dm_ama *a, struct actions *out)
{
	if (is_aaafs_own(a))
		p->state = FA_MOVING;
	fa_pending_supersede(fa, p, out);
}

void fa_ama(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	const struct dm_ama *a = e->ama;
	struct fa_pending *p = pending_of(fa, e->session);

	if (!p || p->state != FA_AAA) {
		role_count("fa.ama", "late");
		if (a->result == DM_SUCCESS && !p && e->session && !fa_visitor_by_session(fa, e->session))
			end_late(fa, e->session, a, out);
		return;
	}
	role_count("fa.ama", a->result == DM_SUCCESS ? "success" : "failure");
	if (a->result == DM_SUCCESS || a->rrp.len) { /* MN-AAA was right */
		p->authentic = true;
		fa_challenge_used(fa, fa_visitor_find(fa, p->key), p->key, p->challenge.data,
				  p->challenge.len);
	}
	if (a->result == DM_SUCCESS ? p->superseded : p->overtaken)
		overtaken(fa, p, a, out);
	else if (a->rrp.len)
		with_reply(fa, p, a, now, out);
	else if (is_aaafs_own(a))
		fa_move_begin(fa, p, a, now, out);
	else if (a->result == DM_SUCCESS)
		give_up(fa, p, a, &fa_poor_reply, now, out);
	else
		fa_fail(fa, p, result_meaning(a->result), a->error, now, out);
}

void fa_aaa_failed(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	struct fa_pending *p = pending_of(fa, e->session);

	if (!p || p->state != FA_AAA) {
		role_count("fa.ama", "late");
		return;
	}
	if (!e->result) /* the answer may still come to the AAAH's session table: end it there */
		fa_str(fa, p->session, p->nai, NULL, NULL, fa_pending_cause(p), out);
	fa_fail(fa, p, result_meaning(e->result), NULL, now, out);
}

void fa_asr(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	static const struct role_refusal ended = {"ended_by_aaa", MIP_FA_PROHIBITED, "ended by the home AAA"};
	struct fa_pending *p = pending_of(fa, e->session);
	struct fa_visitor *v = fa_visitor_by_session(fa, e->session);
	struct action *a;

	if (p && !v) /* the session that it was to renew is over with it */
		v = fa_visitor_find(fa, p->key);
	if (v)
		fa_visitor_end(fa, v, "ended by the AAAH (ASR)", FA_NO_STR, out);
	if (p) {
		fa_move_undo(fa, p, out);
		fa_fail(fa, p, &ended, NULL, now, out);
	}
	a = role_act(out, ACT_ASA, e->session);
	if (a) {
		a->token = e->token;
		a->result = p || v ? DM_SUCCESS : DM_UNKNOWN_SESSION;
	}
	role_count("fa.asr", p || v ? "ended" : "unknown");
}
