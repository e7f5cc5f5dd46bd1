/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The home agent as a Diameter server to the AAAH (RFC 4004 5.3, 5.4): a HAR brings the request, the keys and
 * the VPN profiles; the HAA leaves when all that this node can do is done, or has failed (E8).  Each HAR is
 * answered once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roles/ha_bu.h"
#include "agent/roles/ha_int.h"

const struct role_refusal ha_vpn_failed = {"vpn_failed", MIP_HA_RESOURCES, "a tunnel could not be set up"};
const struct role_refusal ha_ended = {"ended", MIP_HA_RESOURCES, "ended while it was set up"};

void ha_str(const struct ha *ha, const struct ha_binding *b, enum dm_termination cause, struct actions *out)
{
	struct role_end e = {.session = b->session,
			     .user = b->nai,
			     .origin_host = ha->cfg.diameter_host,
			     .origin_realm = ha->cfg.diameter_realm,
			     .dest_host = b->aaa_host,
			     .dest_realm = b->aaa_realm,
			     .cause = cause};

	role_str(out, &e);
}

/* --- HAA --- */

static struct dm_haa *haa_new(const struct ha *ha, const char *session, const char *user, uint64_t token,
			      uint32_t result, struct actions *out)
{
	struct dm_haa *h = calloc(1, sizeof(*h));
	struct action *a = h ? role_act(out, ACT_HAA, session) : NULL;

	if (!a) {
		free(h);
		return NULL;
	}
	a->haa = h;
	a->token = token;
	a->result = h->result = result;
	role_copy(h->session, sizeof(h->session), session);
	role_copy(h->user, sizeof(h->user), user);
	role_copy(h->origin_host, sizeof(h->origin_host), ha->cfg.diameter_host);
	role_copy(h->origin_realm, sizeof(h->origin_realm), ha->cfg.diameter_realm);
	return h;
}

static void haa_put_reply(const struct ha *ha, struct dm_haa *h, const struct ha_answer *a, uint8_t code,
			  const char *text, uint64_t wall_ms)
{
	struct wbuf w;

	wbuf_init(&w, h->rrp.data, sizeof(h->rrp.data));
	ha_reply_put(ha, a, code, text, wall_ms, &w);
	h->rrp.len = wbuf_ok(&w) ? (uint16_t)w.len : 0;
	h->has_ha = true;
	h->ha = ha->cfg.addr;
	h->has_hoa = !role_any_addr(a->hoa);
	h->hoa = a->hoa;
}

static void haa_refuse(const struct ha *ha, const struct ha_pending *p, const struct ha_answer *a,
		       const struct role_refusal *why, const char *text, struct actions *out)
{
	struct dm_haa *h = haa_new(ha, p->session, p->nai, p->token, DM_MIP_REPLY_FAILURE, out);
	char who[ROLE_WHO_MAX];

	role_count("ha.har", why->name);
	role_log(out, LOG_LVL_NOTICE, "binding %s: refused, code %u: %s", role_who(p->nai, a->hoa, who),
		 why->code, text);
	if (!h)
		return;
	haa_put_reply(ha, h, a, why->code, text, p->wall_ms);
	role_copy(h->error, sizeof(h->error), text);
}

static void haa_accept(const struct ha *ha, const struct ha_pending *p, uint8_t code, struct actions *out)
{
	struct dm_haa *h = haa_new(ha, p->session, p->nai, p->token, DM_SUCCESS, out);

	if (!h)
		return;
	haa_put_reply(ha, h, &p->answer, code, NULL, p->wall_ms);
	h->fa_to_ha_spi = p->answer.fa_ha.len ? p->answer.fa_ha.spi_in : 0;
	h->fa_to_mn_spi = p->answer.fa_nonce.len ? p->answer.fa_to_mn_spi : 0;
	h->has_previous_fa = !role_any_addr(p->previous_fa);
	h->previous_fa = p->previous_fa;
	h->vpn_cached = p->n_profiles > 0;
	ha_bu_refused(ha, p->answer.hoa, p->session, h);
	snprintf(h->multi_session, sizeof(h->multi_session), "%.200s;%" PRIu32 ";%" PRIu32 ";multi",
		 ha->cfg.diameter_host, (uint32_t)(p->multi >> 32), (uint32_t)p->multi);
}

/* --- waiting for tunnels --- */

struct ha_pending *ha_pending_of(const struct ha *ha, const char *session)
{
	struct ha_pending *p = NULL;

	if (session)
		HASH_FIND_STR(ha->pend_by_session, session, p);
	return p;
}

void ha_set_wipe(struct ha_set *s)
{
	if (s->p)
		crypto_wipe(s->p, s->n * sizeof(*s->p));
	free(s->p);
	*s = (struct ha_set){0};
}

void ha_set_grant(struct ha_binding *b, struct ha_pending *p)
{
	ha_set_wipe(&b->set);
	b->set = p->set;
	p->set = (struct ha_set){0};
	b->vpn_other = false;
}

static bool set_copy(struct ha_set *s, const struct vpn_profile *p, uint8_t n)
{
	ha_set_wipe(s);
	s->p = n ? malloc(n * sizeof(*p)) : NULL;
	if (!s->p)
		return !n;
	memcpy(s->p, p, n * sizeof(*p));
	s->n = n;
	return true;
}

void ha_set_at(const struct ha *ha, struct vpn_profile *p, uint8_t n, struct in_addr coa)
{
	for (uint8_t i = 0; i < n; i++) {
		if (!role_same_addr(p[i].src_gw, ha->cfg.addr))
			p[i].src_gw = coa;
	}
}

void ha_vpn_restore(const struct ha *ha, struct ha_binding *b, struct actions *out)
{
	struct action *a = b->set.n ? role_act(out, ACT_VPN_INSTALL, b->session) : NULL;

	if (!a)
		return;
	if (!role_act_profiles(a, b->set.p, b->set.n)) {
		out->n--;
		return;
	}
	ha_set_at(ha, a->profiles, a->n_profiles, b->coa); /* he may have moved since by UDP */
	a->deadline_ms = ha->cfg.vpn_timeout_ms;
	b->vpn_coa = b->coa;
	b->vpn_other = false;
}

static void pending_free(struct ha_pending *p)
{
	ha_set_wipe(&p->set);
	free(p->session);
	free(p->nai);
	free(p->aaa_host);
	free(p->aaa_realm);
	free(p->contract_waits);
	crypto_wipe(p, sizeof(*p));
	free(p);
}

void ha_pending_end(struct ha *ha, struct ha_pending *p)
{
	HASH_DELETE(hh, ha->pend_by_session, p);
	TAILQ_REMOVE(&ha->pendings, p, link);
	ha->n_pending--;
	role_heap_release(&ha->heap, &p->timer);
	pending_free(p);
}

void ha_pending_refuse(struct ha *ha, struct ha_pending *p, const struct role_refusal *why, const char *text,
		       struct actions *out)
{
	if (!text || !text[0])
		text = why->text;
	if (p->udp) {
		ha_move_refuse(ha, p, why, text, out);
		return;
	}
	if (p->update) {
		ha_update_refuse(ha, p, text, out);
		return;
	}
	haa_refuse(ha, p, &p->answer, why, text, out);
	ha_bu_give_back(ha, p->answer.hoa, p->session, out);
	ha_pending_end(ha, p);
}

void ha_pending_take_back(struct ha *ha, struct ha_pending *p, const struct role_refusal *why,
			  const char *text, struct actions *out)
{
	struct ha_binding *b = ha_binding_by_session(ha, p->session);

	if (p->udp)
		ha_move_undo(ha, p, out);
	else if (p->n_local && b && b->vpn) /* the binding that it was to renew stands on other ones */
		ha_vpn_restore(ha, b, out);
	else if (p->n_local)
		role_act(out, ACT_VPN_REMOVE, p->session);
	ha_pending_refuse(ha, p, why, text, out);
}

void ha_pending_cancel(struct ha *ha, struct ha_pending *p, const char *text, struct actions *out)
{
	ha_pending_take_back(ha, p, &ha_ended, text, out);
}

/* This HAR will have tunnels here: they take the place of its session's. */
static bool installs(const struct ha *ha, const struct ha_req *r)
{
	bool any = false;

	for (uint8_t i = 0; i < r->har->vpn.n; i++)
		any = any || !ha_bu_dynamic(ha, &r->har->vpn.p[i]);
	return any && r->rrq.lifetime;
}

/* A newer request of the same user makes one under way pointless. */
static void supersede(struct ha *ha, const struct ha_req *r, struct actions *out)
{
	struct ha_pending *p = TAILQ_FIRST(&ha->pendings), *next;

	for (; p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (strcmp(p->nai, r->nai) != 0 && strcmp(p->session, r->har->session) != 0)
			continue;
		if (strcmp(p->session, r->har->session) == 0 && installs(ha, r))
			ha_pending_refuse(ha, p, &ha_ended, "superseded by a newer request", out);
		else
			ha_pending_cancel(ha, p, "superseded by a newer request", out);
	}
}

static uint64_t multi_of(struct ha *ha, const struct ha_binding *b)
{
	return b && b->multi ? b->multi : (uint64_t)ha->multi_hi << 32 | ++ha->multi_lo;
}

struct ha_pending *ha_pending_alloc(struct ha *ha, const char *session, const char *nai, const char *host,
				    const char *realm)
{
	struct ha_pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->session = role_dup(session);
	p->nai = role_dup(nai);
	p->aaa_host = role_dup(host);
	p->aaa_realm = role_dup(realm);
	if (!p->session || !p->nai || !p->aaa_host || !p->aaa_realm || !role_heap_reserve(&ha->heap)) {
		pending_free(p);
		return NULL;
	}
	p->timer.kind = HA_T_PENDING;
	return p;
}

void ha_pending_add(struct ha *ha, struct ha_pending *p)
{
	HASH_ADD_KEYPTR(hh, ha->pend_by_session, p->session, strlen(p->session), p);
	TAILQ_INSERT_TAIL(&ha->pendings, p, link);
	ha->n_pending++;
}

static struct ha_pending *pending_new(struct ha *ha, const struct ha_req *r)
{
	const struct dm_har *h = r->har;
	struct ha_pending *p = ha_pending_alloc(ha, h->session, h->user, h->origin_host, h->origin_realm);

	if (!p)
		return NULL;
	p->token = r->e->token;
	p->wall_ms = r->e->wall_ms;
	p->multi = multi_of(ha, r->b);
	p->coa = r->rrq.coa;
	p->reverse = r->rrq.flags & MIP_T;
	p->code = ha_accept_code(r);
	p->n_profiles = h->vpn.n;
	p->answer = *r->answer;
	ha_pending_add(ha, p);
	return p;
}

/* D2: a foreign agent that the AAAH has not heard of is one from which the binding came by UDP. */
static void note_previous(const struct ha *ha, struct ha_pending *p)
{
	const struct ha_binding *b = ha_binding_by_hoa(ha, p->answer.hoa);

	if (b && !role_same_addr(b->coa, p->coa))
		p->previous_fa = b->coa;
}

/* Everything that it stands for is done: bind, and say so. */
static void complete(struct ha *ha, struct ha_pending *p, role_ms now, struct actions *out)
{
	struct ha_grant g = {.nai = p->nai,
			     .session = p->session,
			     .aaa_host = p->aaa_host,
			     .aaa_realm = p->aaa_realm,
			     .hoa = p->answer.hoa,
			     .coa = p->coa,
			     .lifetime = p->answer.lifetime,
			     .reverse = p->reverse,
			     .vpn = p->n_local > 0,
			     .carries = p->carries,
			     .n_profiles = p->n_profiles,
			     .msa_lifetime = p->answer.msa_lifetime,
			     .mn_ha = p->new_keys ? &p->answer.mn_ha : NULL,
			     .fa_ha = &p->answer.fa_ha,
			     .wall_ms = p->wall_ms,
			     .multi = p->multi};
	struct ha_binding *b;

	note_previous(ha, p);
	p->n_local = 0; /* the tunnels are the binding's; should that end by this, p is still ours */
	b = ha_binding_grant(ha, &g, now, out);
	if (!b) {
		p->n_local = g.vpn;
		ha_pending_take_back(ha, p, &ha_no_memory, NULL, out);
		return;
	}
	ha_set_grant(b, p);
	role_count("ha.har", "accepted");
	haa_accept(ha, p, p->code, out);
	ha_bu_settle(ha, p->answer.hoa, p->session, out);
	ha_pending_end(ha, p);
}

void ha_pending_check(struct ha *ha, struct ha_pending *p, role_ms now, struct actions *out)
{
	if (p->vpn_waits || p->bu_waits)
		return;
	if (p->udp)
		ha_move_complete(ha, p, now, out);
	else if (p->update)
		ha_update_complete(ha, p, out);
	else
		complete(ha, p, now, out);
}

void ha_vpn_up(struct ha *ha, const char *session, const char *waits, role_ms now, struct actions *out)
{
	struct ha_pending *p = ha_pending_of(ha, session);
	struct ha_binding *b = ha_binding_by_session(ha, session);

	if (b && p && !p->udp) {
		b->vpn_coa = p->coa;
		b->vpn_other = true;
	}
	if (b)
		b->vpn_up = b->vpn_coa;
	if (!p)
		return;
	p->vpn_waits = false;
	free(p->contract_waits);
	p->contract_waits = waits && waits[0] ? role_dup(waits) : NULL;
	ha_pending_check(ha, p, now, out);
}

void ha_vpn_carries(struct ha *ha, const char *session, role_ms now, struct actions *out)
{
	struct ha_pending *p = ha_pending_of(ha, session);
	struct ha_binding *b = ha_binding_by_session(ha, session);

	if (p)
		p->carries = true; /* of what it waits for: the grant moves the packets */
	else if (b)
		ha_path_carries(ha, b, now, out);
}

void ha_pending_answered(struct ha *ha, struct ha_bu *u, const char *why, role_ms now, struct actions *out)
{
	struct ha_pending *p = ha_pending_of(ha, u->session);

	if (!p)
		return;
	if (why && u->profile.required) {
		ha_pending_take_back(ha, p, &ha_vpn_failed, why, out);
		return;
	}
	p->bu_waits--;
	ha_pending_check(ha, p, now, out);
}

static bool install_local(const struct ha *ha, struct ha_pending *p, const struct dm_har *h,
			  struct actions *out)
{
	struct vpn_profile local[VPN_PROFILES_MAX];
	struct action *a;
	bool ok = true;

	for (uint8_t i = 0; i < h->vpn.n && i < VPN_PROFILES_MAX; i++) {
		if (!ha_bu_dynamic(ha, &h->vpn.p[i]))
			local[p->n_local++] = h->vpn.p[i];
	}
	a = p->n_local ? role_act(out, ACT_VPN_INSTALL, p->session) : NULL;
	if (p->n_local)
		ok = a && set_copy(&p->set, local, p->n_local) && role_act_profiles(a, local, p->n_local);
	if (a && !ok)
		out->n--;
	if (a && ok)
		a->deadline_ms = ha->cfg.vpn_timeout_ms;
	p->vpn_waits = p->n_local > 0;
	crypto_wipe(local, sizeof(local));
	return ok;
}

/* What this node is a gateway of, and what PCNs are told of, at the same time. */
bool ha_pending_install(struct ha *ha, struct ha_pending *p, const struct dm_har *h,
			const struct role_event *e, role_ms now, struct actions *out)
{
	char who[ROLE_WHO_MAX];

	if (!install_local(ha, p, h, out) || !ha_bu_start(ha, p, h, e, now, &p->bu_waits, out))
		return false;
	role_heap_set(&ha->heap, &p->timer, now + ha->cfg.vpn_timeout_ms + HA_SAFETY_MS);
	role_log(out, LOG_LVL_INFO, "binding %s: none -> tunnels, %s with %u profiles",
		 role_who(p->nai, p->answer.hoa, who), p->update ? "VUR" : "HAR", p->n_profiles);
	return true;
}

/* --- HAR --- */

static void har_refuse(struct ha *ha, const struct ha_req *r, const struct role_refusal *why,
		       struct actions *out)
{
	struct ha_pending p = {.session = (char *)r->har->session,
			       .nai = (char *)r->har->user,
			       .token = r->e->token,
			       .wall_ms = r->e->wall_ms};

	haa_refuse(ha, &p, r->answer, why, why->text, out);
}

static void har_deregister(struct ha *ha, struct ha_req *r, struct ha_pending *p, struct actions *out)
{
	ha_memory_note(ha, r->key, r->rrq.ident, NULL, r->now);
	if (r->b && (role_same_addr(r->rrq.coa, r->hoa) || role_same_addr(r->rrq.coa, r->b->coa)))
		ha_binding_end(ha, r->b, "deregistered through the AAA", HA_NO_STR, NULL, out);
	role_count("ha.har", "deregistered");
	haa_accept(ha, p, p->code, out);
	ha_pending_end(ha, p);
}

static uint16_t granted_lifetime(const struct ha *ha, const struct ha_req *r)
{
	uint32_t s = r->rrq.lifetime;

	if (s > ha->cfg.lifetime_max)
		s = ha->cfg.lifetime_max;
	if (r->har->auth_lifetime && s > r->har->auth_lifetime)
		s = r->har->auth_lifetime;
	return (uint16_t)s;
}

/* Without new keys for the mobile node the reply is made with those that it has. */
static bool fill_keys(struct ha_req *r)
{
	struct role_assoc *a = &r->answer->mn_ha;

	if (a->len)
		return true;
	a->spi_in = r->mn_ha.spi_in;
	a->spi_out = r->mn_ha.spi_out;
	a->alg = (uint8_t)r->mn_ha.alg;
	a->len = (uint8_t)(r->mn_ha.len > sizeof(a->key) ? sizeof(a->key) : r->mn_ha.len);
	if (a->len)
		memcpy(a->key, r->mn_ha.key, a->len);
	return false;
}

static void begin(struct ha *ha, struct ha_req *r, bool new_keys, struct actions *out)
{
	struct ha_pending *p;

	p = ha->n_pending < HA_PENDING_MAX ? pending_new(ha, r) : NULL;
	if (!p) {
		har_refuse(ha, r, &ha_no_memory, out);
		return;
	}
	p->new_keys = new_keys;
	if (!r->rrq.lifetime) {
		har_deregister(ha, r, p, out);
		return;
	}
	ha_memory_note(ha, r->key, r->rrq.ident, NULL, r->now);
	if (!p->n_profiles)
		complete(ha, p, r->now, out);
	else if (!ha_pending_install(ha, p, r->har, r->e, r->now, out))
		ha_pending_take_back(ha, p, &ha_no_memory, NULL, out);
}

/* The tunnels of a request that is superseded go when those of the new one are wanted: what both have in
 * common, a contract's above all, is taken over however half-made it is. */
static void har_grant(struct ha *ha, struct ha_req *r, struct actions *out)
{
	bool new_keys = fill_keys(r);
	size_t from = out->n, n;

	r->answer->hoa = r->hoa;
	r->answer->lifetime = granted_lifetime(ha, r);
	supersede(ha, r, out);
	n = out->n - from;
	begin(ha, r, new_keys, out);
	role_act_later(out, from, n, ACT_VPN_REMOVE);
}

/* Nothing that could be answered as a Registration Request. */
static void har_undecodable(struct ha *ha, const struct role_event *e, enum mip_reject rej,
			    struct actions *out)
{
	struct dm_haa *h = haa_new(ha, e->har->session, e->har->user, e->token, DM_INVALID_AVP_VALUE, out);

	role_count("ha.har", mip_reject_str(rej));
	if (h)
		snprintf(h->error, sizeof(h->error), "MIP-Reg-Request: %s", mip_reject_str(rej));
}

void ha_har(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out)
{
	struct ha_answer answer;
	struct ha_req r = {.e = e, .now = now, .har = e->har, .answer = &answer};
	const struct role_refusal *why;
	enum mip_reject rej = mip_rrq_decode(e->har->rrq.data, e->har->rrq.len, &r.rrq);

	role_count("ha.har", "received");
	if (!r.rrq.raw) {
		har_undecodable(ha, e, rej, out);
		return;
	}
	if (rej)
		r.rrq.nai[0] = 0;
	ha_answer_init(ha, &r, &answer);
	ha_req_name(ha, &r);
	why = rej ? &ha_poor_request : ha_check(ha, &r);
	if (why) {
		fill_keys(&r);
		har_refuse(ha, &r, why, out);
	} else {
		har_grant(ha, &r, out);
	}
	crypto_wipe(&answer, sizeof(answer));
}

void ha_asr(struct ha *ha, const struct role_event *e, struct actions *out)
{
	struct ha_binding *b = ha_binding_by_session(ha, e->session);
	struct ha_pending *p = ha_pending_of(ha, e->session);
	bool known = b || p;
	struct action *a;

	if (p && !p->udp && !p->update) /* these end with their binding */
		ha_pending_cancel(ha, p, "ended by the AAAH (ASR)", out);
	if (b)
		ha_binding_end(ha, b, "ended by the AAAH (ASR)", HA_NO_STR, NULL, out);
	a = role_act(out, ACT_ASA, e->session);
	if (a) {
		a->token = e->token;
		a->result = known ? DM_SUCCESS : DM_UNKNOWN_SESSION;
	}
	role_count("ha.asr", known ? "ended" : "unknown");
}
