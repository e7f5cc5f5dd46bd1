/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The foreign agent: its making, its configuration, and the one entrance for events.  The subjects:
 *
 *	fa_adv.c	advertisements and challenges (RFC 5944 2, RFC 4721)
 *	fa_request.c	a Registration Request comes in: check, then to the AAA or to the HA
 *	fa_check.c	the checks, in their order (RFC 5944 3.7.2)
 *	fa_pending.c	requests under way: retransmissions, deadlines, ICMP errors
 *	fa_aaa.c	AMR, AMA, ASR, STR (RFC 4004)
 *	fa_reply.c	Registration Replies: the HA's to the mobile node, and our own
 *	fa_visitor.c	the visitor list; fa_route.c: its data path
 *	fa_move.c	a move within the domain, at the new foreign agent (D2)
 *	fa_handin.c	smooth handoff, newcomer; fa_bu.c, fa_handout.c: previous foreign agent (F5);
 *			fa_handoff.c: what both share
 *
 * Not thread-safe: one loop owns it.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/fa_int.h"
#include "lib/counter.h"

static void config_defaults(struct fa_config *c)
{
	if (!c->lifetime_max)
		c->lifetime_max = 1800;
	if (!c->adv_lifetime) {
		uint32_t s = c->adv_interval_ms * 3 / 1000;

		c->adv_lifetime = (uint16_t)(s < 3 ? 3 : s > 9000 ? 9000 : s);
	}
	if (c->challenge_window < 2)
		c->challenge_window = 2;
	if (c->challenge_window > FA_WINDOW_MAX)
		c->challenge_window = FA_WINDOW_MAX;
	if (!c->pending_max)
		c->pending_max = 64;
	if (!c->visitors_max)
		c->visitors_max = 4096;
	if (!c->aaa_timeout_ms)
		c->aaa_timeout_ms = 7000;
	if (!c->vpn_timeout_ms)
		c->vpn_timeout_ms = 4000;
	if (!c->handoff_lifetime)
		c->handoff_lifetime = 10;
	if (c->handoff_lifetime > FA_HANDOFF_MAX)
		c->handoff_lifetime = FA_HANDOFF_MAX;
	if (!c->clock_skew_ms)
		c->clock_skew_ms = 7000;
	if (c->n_links > FA_LINKS_MAX)
		c->n_links = FA_LINKS_MAX;
}

/* Everything that the configuration lends is copied; false without memory. */
static bool config_take(struct fa *fa, const struct fa_config *c)
{
	struct role_sa *sas = role_sa_copy(c->sas, c->n_sas);
	struct in_addr *own = c->n_own_addrs ? calloc(c->n_own_addrs, sizeof(*own)) : NULL;

	if ((c->n_sas && !sas) || (c->n_own_addrs && !own)) {
		role_sa_free(sas, c->n_sas);
		free(own);
		return false;
	}
	if (own)
		memcpy(own, c->own_addrs, c->n_own_addrs * sizeof(*own));
	role_sa_free(fa->sas, fa->cfg.n_sas);
	free(fa->own);
	fa->cfg = *c;
	fa->cfg.sas = fa->sas = sas;
	fa->cfg.own_addrs = fa->own = own;
	config_defaults(&fa->cfg);
	return true;
}

static bool reserve_own_timers(struct fa *fa)
{
	for (int i = 0; i < FA_LINKS_MAX + 1; i++) {
		if (!role_heap_reserve(&fa->heap))
			return false;
	}
	return true;
}

struct fa *fa_new(const struct fa_config *c, role_ms now)
{
	struct fa *fa = calloc(1, sizeof(*fa));

	if (!fa)
		return NULL;
	TAILQ_INIT(&fa->pendings);
	if (!config_take(fa, c) || !reserve_own_timers(fa)) {
		fa_free(fa);
		return NULL;
	}
	crypto_random(&fa->session_hi, sizeof(fa->session_hi));
	crypto_random(&fa->chal.seed, sizeof(fa->chal.seed));
	crypto_random(fa->chal.secret, sizeof(fa->chal.secret));
	fa_adv_start(fa, now);
	return fa;
}

void fa_free(struct fa *fa)
{
	struct fa_visitor *v, *next;
	struct actions gone = {0};

	if (!fa)
		return;
	while (!TAILQ_EMPTY(&fa->pendings))
		fa_pending_end(fa, TAILQ_FIRST(&fa->pendings));
	HASH_ITER(hh, fa->by_key, v, next)
	fa_visitor_end(fa, v, "agent ends", FA_NO_STR, &gone);
	while (fa->handins)
		fa_handin_end(fa, fa->handins, &gone);
	actions_clear(&gone);
	role_sa_free(fa->sas, fa->cfg.n_sas);
	free(fa->own);
	role_heap_free(&fa->heap);
	crypto_wipe(fa, sizeof(*fa));
	free(fa);
}

/* Visitors of a link that is gone fall due at once: the next EV_TIMER takes them down. */
void fa_reconfigure(struct fa *fa, const struct fa_config *c, role_ms now)
{
	struct fa_visitor *v, *next;

	if (!config_take(fa, c)) {
		counter_inc("roles.no_memory");
		return;
	}
	fa_adv_start(fa, now);
	HASH_ITER(hh, fa->by_key, v, next)
	{
		if (!fa_link_of(fa, v->ifindex) || !role_same_addr(v->coa, fa->cfg.coa))
			role_heap_set(&fa->heap, &v->timer, now);
	}
}

const struct fa_link *fa_link_of(const struct fa *fa, unsigned ifindex)
{
	for (size_t i = 0; i < fa->cfg.n_links; i++) {
		if (fa->cfg.links[i].ifindex == ifindex)
			return &fa->cfg.links[i];
	}
	return NULL;
}

bool fa_is_own(const struct fa *fa, struct in_addr a)
{
	if (role_any_addr(a) || role_ones_addr(a))
		return false;
	for (size_t i = 0; i < fa->cfg.n_own_addrs; i++) {
		if (role_same_addr(fa->own[i], a))
			return true;
	}
	for (size_t i = 0; i < fa->cfg.n_links; i++) {
		if (role_same_addr(fa->cfg.links[i].addr, a))
			return true;
	}
	return role_same_addr(fa->cfg.coa, a);
}

/* Source of a reply: what the request was sent to, when that was one of ours and no group (RFC 5944
 * 3.7.2.3). */
struct in_addr fa_local_addr(const struct fa *fa, const struct fa_link *l, struct in_addr wanted)
{
	return fa_is_own(fa, wanted) ? wanted : l->addr;
}

bool fa_ha_assoc(const struct fa *fa, struct in_addr ha, uint32_t spi, struct role_view *out)
{
	return role_sa_view(fa->sas, fa->cfg.n_sas, ha, NULL, spi, out);
}

static void timers_due(struct fa *fa, uint64_t wall_ms, role_ms now, struct actions *out)
{
	struct role_timer *t;

	while ((t = role_heap_first(&fa->heap)) && t->due <= now) {
		switch ((enum fa_timer_kind)t->kind) {
		case FA_T_VISITOR:
			fa_visitor_end(fa, ROLE_OF(t, struct fa_visitor), "expired", DM_TERM_SESSION_TIMEOUT,
				       out);
			break;
		case FA_T_PENDING:
			fa_pending_due(fa, ROLE_OF(t, struct fa_pending), now, out);
			break;
		case FA_T_HANDIN:
			fa_handin_due(fa, ROLE_OF(t, struct fa_handin), wall_ms, now, out);
			break;
		case FA_T_BEACON:
		case FA_T_CHALLENGE:
			fa_adv_due(fa, t, now, out);
			break;
		}
	}
}

static void vpn_up(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	struct fa_visitor *v = fa_visitor_by_session(fa, e->session);
	struct fa_pending *p;

	HASH_FIND_STR(fa->pend_by_session, e->session, p);
	fa_handin_event(fa, e, now, out);
	fa_handout_event(fa, e, out);
	if (v && !p) {
		v->completing = false;
		fa_update_end(fa, v, DM_SUCCESS, "", out);
	}
	if (p && p->state == FA_MOVING) {
		fa_move_up(fa, p, now, out);
	} else if (p && p->state == FA_TUNNELS && !fa_pending_accept(fa, p, now, out)) {
		fa_pending_undo(fa, p, out);
		fa_fail(fa, p, &fa_resources, NULL, now, out);
	}
}

static void vpn_failed(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	struct fa_visitor *v = fa_visitor_by_session(fa, e->session);
	struct fa_pending *p;

	HASH_FIND_STR(fa->pend_by_session, e->session, p);
	fa_handin_event(fa, e, now, out);
	fa_handout_event(fa, e, out);
	if (p && p->state == FA_MOVING) {
		fa_move_failed(fa, p, e->text, now, out);
	} else if (p && p->state == FA_TUNNELS) {
		counter_inc("fa.vpn.failed");
		p->vpn = false; /* the VPN room has taken down its part by itself */
		fa_pending_undo(fa, p, out);
		fa_fail(fa, p, &fa_resources, e->text, now, out);
	} else if (v && e->type == EV_VPN_FAILED && fa_update_failed(fa, v, e->text, out)) {
		counter_inc("fa.vpn.not_updated");
	} else if (v && v->completing && e->type == EV_VPN_FAILED) { /* what stood still stands */
		v->completing = false;
		v->vpn = !v->bare;
		counter_inc("fa.vpn.not_completed");
	} else if (v && !v->out.on) {
		counter_inc("fa.vpn.down");
		fa_visitor_end(fa, v, e->text ? e->text : "tunnel lost", DM_TERM_LINK_BROKEN, out);
	}
}

void fa_event(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	switch (e->type) {
	case EV_PACKET:
		if (e->path.ifindex)
			fa_request(fa, e, now, out);
		else
			fa_core_packet(fa, e, now, out);
		break;
	case EV_SOLICIT:
		fa_solicit(fa, e, now, out);
		break;
	case EV_ICMP_ERROR:
		fa_icmp(fa, e, now, out);
		break;
	case EV_AMA:
		fa_ama(fa, e, now, out);
		break;
	case EV_AAA_FAILED:
		fa_aaa_failed(fa, e, now, out);
		break;
	case EV_VUR:
		fa_update(fa, e, out);
		break;
	case EV_ASR:
		fa_asr(fa, e, now, out);
		break;
	case EV_VPN_UP:
		vpn_up(fa, e, now, out);
		break;
	case EV_VPN_FAILED:
	case EV_VPN_DOWN:
		vpn_failed(fa, e, now, out);
		break;
	case EV_DROP:
		fa_visitor_drop(fa, e->text, now, out);
		break;
	case EV_VPN_CARRIES:
	case EV_TIMER:
		break;
	case EV_FIRST_PACKET:
	case EV_HAR:
		counter_inc("fa.event.not_ours");
		break;
	}
	timers_due(fa, e->wall_ms, now, out);
}

role_ms fa_next(const struct fa *fa)
{
	const struct role_timer *t = role_heap_first(&fa->heap);

	return t ? t->due : ROLE_NEVER;
}

const char *const fa_state_word[] = {
	[FA_AAA] = "aaa", [FA_TUNNELS] = "tunnels", [FA_RELAYED] = "relayed", [FA_MOVING] = "moving"};

static void pending_row(const struct fa_pending *p, struct role_row *r)
{
	*r = (struct role_row){.hoa = p->hoa,
			       .coa = p->coa,
			       .ha = p->ha,
			       .state = fa_state_word[p->state],
			       .lifetime_s = p->lifetime,
			       .since_wall_ms = p->wall_ms};
	role_copy(r->session, sizeof(r->session), p->session);
	role_copy(r->nai, sizeof(r->nai), p->nai);
	r->reverse_tunnel = p->flags & MIP_T;
}

static void visitor_row(const struct fa_visitor *v, role_ms now, struct role_row *r)
{
	*r = (struct role_row){.hoa = v->hoa,
			       .coa = v->coa,
			       .ha = v->ha,
			       .state = v->out.on ? "handed-off" : "registered",
			       .lifetime_s = v->lifetime,
			       .since_wall_ms = v->since_wall_ms,
			       .n_profiles = v->n_profiles,
			       .reverse_tunnel = v->reverse};
	r->left_s = v->expires > now ? (uint32_t)((v->expires - now) / 1000) : 0;
	role_copy(r->session, sizeof(r->session), v->session);
	role_copy(r->nai, sizeof(r->nai), v->nai);
}

size_t fa_rows(const struct fa *fa, role_ms now, struct role_row *rows, size_t max)
{
	size_t n = 0;
	const struct fa_visitor *v;
	const struct fa_pending *p;

	for (v = fa->by_key; v && n < max; v = v->hh.next)
		visitor_row(v, now, &rows[n++]);
	TAILQ_FOREACH(p, &fa->pendings, link)
	{
		if (n < max)
			pending_row(p, &rows[n++]);
	}
	return n;
}

void fa_shutdown(struct fa *fa, role_ms now, struct actions *out)
{
	struct fa_visitor *v, *next;

	while (!TAILQ_EMPTY(&fa->pendings)) {
		struct fa_pending *p = TAILQ_FIRST(&fa->pendings);

		fa_pending_undo(fa, p, out);
		fa_fail(fa, p, &fa_resources, "foreign agent shuts down", now, out);
	}
	HASH_ITER(hh, fa->by_key, v, next)
	fa_visitor_end(fa, v, "agent shuts down", DM_TERM_ADMINISTRATIVE, out);
}
