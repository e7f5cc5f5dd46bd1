/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A Registration Request by UDP: from a foreign agent, a co-located mobile node, or a mobile node that has
 * come home. It is answered at once, unless it moves a user with VPNs (ha_move.c).
 */
#include <string.h>

#include "agent/roles/ha_int.h"

const struct role_refusal ha_no_memory = {"resources", MIP_HA_RESOURCES, "insufficient resources"};

void ha_req_name(struct ha *ha, struct ha_req *r)
{
	bool by_address = !role_any_addr(r->rrq.hoa) && !role_ones_addr(r->rrq.hoa);

	r->nai = r->har ? r->har->user : r->rrq.nai;
	r->b = ha_binding_by_nai(ha, r->nai);
	if (!r->b && by_address)
		r->b = ha_binding_by_hoa(ha, r->rrq.hoa);
	if (r->b && r->nai[0] && r->b->nai[0] && strcmp(r->nai, r->b->nai) != 0)
		r->b = NULL; /* somebody else's: check_home_address says so */
	if (!r->nai[0] && r->b)
		r->nai = r->b->nai;
	r->key = r->nai[0] ? r->nai : role_addr_str(r->rrq.hoa, r->key_mem);
	r->m = ha_memory_find(ha, r->key);
}

static void log_refusal(const struct ha_req *r, const struct role_refusal *why, struct actions *out)
{
	char who[ROLE_WHO_MAX], from[INET_ADDRSTRLEN];
	bool security =
		why->code == MIP_HA_MN_AUTH || why->code == MIP_HA_FA_AUTH || why->code == MIP_HA_IDENT;

	role_count("ha.rrq", why->name);
	role_log(out, security ? LOG_LVL_WARN : LOG_LVL_INFO, "binding %s: request from %s %s, code %u: %s",
		 role_who(r->nai ? r->nai : "", r->rrq.hoa, who), role_addr_str(r->e->path.src, from),
		 why->code ? "refused" : "dropped", why->code, why->text);
}

static void assoc_of(const struct role_view *v, struct role_assoc *a)
{
	*a = (struct role_assoc){.spi_in = v->spi_in, .spi_out = v->spi_out, .alg = (uint8_t)v->alg};
	a->len = (uint8_t)(v->len > sizeof(a->key) ? sizeof(a->key) : v->len);
	if (a->len)
		memcpy(a->key, v->key, a->len);
}

/* 32 goes with the association that the request came under, 34 with the one of its foreign agent. */
static void sign_with(struct ha_req *r)
{
	assoc_of(&r->mn_ha, &r->answer->mn_ha);
	assoc_of(&r->fa_ha, &r->answer->fa_ha);
}

static void refuse(struct ha *ha, struct ha_req *r, const struct role_refusal *why, struct actions *out)
{
	log_refusal(r, why, out);
	if (!why->code)
		return;
	sign_with(r);
	ha_reply_udp(ha, r, why->code, why->text, out);
}

/* The later Identification wins: a registration under way is over, for it would bring its keys and its
 * care-of address (after a deregistration: a binding) when the mobile node has a newer answer already.  Not
 * one that a deregistration of another care-of address leaves alone; and what changes only the VPNs is in
 * nobody's way who stays where he is. */
static bool is_overtaken(const struct ha_req *r, const struct ha_pending *p)
{
	bool here = role_same_addr(p->coa, r->rrq.coa);

	if (!role_same_addr(p->answer.hoa, r->hoa))
		return false;
	if (!r->rrq.lifetime)
		return !p->udp && !p->update && (here || role_same_addr(r->rrq.coa, r->hoa));
	return r->moves || !here || !p->update;
}

static void overtake(struct ha *ha, const struct ha_req *r, struct actions *out)
{
	struct ha_pending *p, *next, *own = r->b && r->moves ? ha_move_of(ha, r->b) : NULL;

	for (p = TAILQ_FIRST(&ha->pendings); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p != own && is_overtaken(r, p))
			ha_pending_cancel(ha, p, "superseded by a newer request", out);
	}
}

static void deregister(struct ha *ha, struct ha_req *r, struct actions *out)
{
	bool all = role_same_addr(r->rrq.coa, r->hoa);
	bool home = r->e->path.ifindex != 0;
	struct role_assoc *key = r->b && r->b->mn_ha.len   ? &r->b->mn_ha
				 : r->m && r->m->mn_ha.len ? &r->m->mn_ha
							   : NULL;
	struct role_assoc copy = {0};
	struct ha_pending *move = r->b ? ha_move_of(ha, r->b) : NULL;

	if (move && role_same_addr(move->coa, r->rrq.coa))
		ha_pending_cancel(ha, move, "deregistered", out);
	if (key)
		copy = *key;
	ha_memory_note(ha, r->key, r->rrq.ident, key ? &copy : NULL, r->now);
	crypto_wipe(&copy, sizeof(copy));
	if (r->b && (all || role_same_addr(r->rrq.coa, r->b->coa))) {
		ha_binding_end(ha, r->b, home ? "deregistered at home" : "deregistered", DM_TERM_LOGOUT,
			       home ? r->e->path.mac : NULL, out);
		r->b = NULL;
	}
	role_count("ha.rrq", "deregistered");
	ha_reply_udp(ha, r, ha_accept_code(r), NULL, out);
}

static void bind_at(struct ha *ha, struct ha_req *r, struct actions *out)
{
	struct ha_grant g = {.nai = r->nai,
			     .hoa = r->hoa,
			     .coa = r->rrq.coa,
			     .reverse = r->rrq.flags & MIP_T,
			     .wall_ms = r->e->wall_ms};

	g.lifetime = r->rrq.lifetime < ha->cfg.lifetime_max ? r->rrq.lifetime : ha->cfg.lifetime_max;
	r->answer->lifetime = g.lifetime;
	ha_memory_note(ha, r->key, r->rrq.ident, NULL, r->now);
	if (!ha_binding_grant(ha, &g, r->now, out)) {
		refuse(ha, r, &ha_no_memory, out);
		return;
	}
	role_count("ha.rrq", "accepted");
	ha_reply_udp(ha, r, ha_accept_code(r), NULL, out);
}

/* Malformed, but from one that we share a key with: 134, so that it knows.  To all others silence. */
static void undecoded(struct ha *ha, struct ha_req *r, enum mip_reject rej, struct actions *out)
{
	struct role_refusal why = {mip_reject_str(rej), MIP_HA_POOR_REQUEST, ha_poor_request.text};

	if (rej == MIP_REJ_EXT_DUPLICATE && r->rrq.fa_ha.present)
		why.code = MIP_HA_FA_AUTH; /* nothing but 34 may come behind 34 */
	r->rrq.nai[0] = 0;
	r->answer->nai[0] = 0;
	r->nai = "";
	if (r->rrq.raw && rej != MIP_REJ_EXT_UNKNOWN)
		r->b = ha_binding_by_hoa(ha, r->rrq.hoa);
	if (!r->rrq.raw || rej == MIP_REJ_EXT_UNKNOWN ||
	    !((r->b && role_assoc_view(&r->b->mn_ha, &r->mn_ha)) ||
	      role_sa_view(ha->sas, ha->cfg.n_sas, r->rrq.hoa, NULL, 0, &r->mn_ha)))
		why.code = 0;
	refuse(ha, r, &why, out);
}

static void examine(struct ha *ha, struct ha_req *r, struct actions *out)
{
	const struct role_refusal *why;

	ha_req_name(ha, r);
	why = ha_check(ha, r);
	if (why) {
		ha_check_relay(ha, r);
		refuse(ha, r, why, out);
		return;
	}
	sign_with(r);
	r->answer->hoa = r->hoa;
	overtake(ha, r, out);
	if (r->moves)
		ha_move(ha, r, out);
	else if (r->rrq.lifetime)
		bind_at(ha, r, out);
	else
		deregister(ha, r, out);
}

void ha_request(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out)
{
	struct ha_answer answer;
	struct ha_req r = {.e = e, .now = now, .answer = &answer};
	enum mip_reject rej;

	if (!e->len || e->data[0] != MIP_RRQ) {
		role_count("ha.core", "not_a_request");
		return;
	}
	if (e->path.ifindex && e->path.ifindex != ha->cfg.home_ifindex) {
		role_count("ha.rrq", "no_link");
		return;
	}
	role_count("ha.rrq", "received");
	rej = mip_rrq_decode(e->data, e->len, &r.rrq);
	ha_answer_init(ha, &r, &answer);
	if (rej)
		undecoded(ha, &r, rej, out);
	else
		examine(ha, &r, out);
	crypto_wipe(&answer, sizeof(answer));
}
