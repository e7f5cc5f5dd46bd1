/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The home agent: its making, its configuration, and the one entrance for events.  The subjects:
 *
 *	ha_request.c	a Registration Request by UDP: check, bind or unbind, reply
 *	ha_check.c	the checks, in their order (RFC 5944 3.8.2)
 *	ha_reply.c	building Registration Replies
 *	ha_aaa.c	HAR, HAA, ASR, STR (RFC 4004), and waiting for tunnels
 *	ha_update.c	another set of VPNs for a binding that stands
 *	ha_binding.c	the mobility bindings, their data path, and replay memory
 *	ha_pool.c	home addresses
 *
 * Not thread-safe: one loop owns it.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/ha_bu.h"
#include "agent/roles/ha_int.h"
#include "lib/counter.h"

static void config_defaults(struct ha_config *c)
{
	if (!c->lifetime_max)
		c->lifetime_max = 1800;
	if (!c->clock_skew_ms)
		c->clock_skew_ms = 7000;
	if (!c->bindings_max)
		c->bindings_max = 4096;
	if (!c->vpn_timeout_ms)
		c->vpn_timeout_ms = 3000;
}

static bool config_take(struct ha *ha, const struct ha_config *c)
{
	struct role_sa *sas = role_sa_copy(c->sas, c->n_sas);

	if (c->n_sas && !sas)
		return false;
	role_sa_free(ha->sas, ha->cfg.n_sas);
	ha->cfg = *c;
	ha->cfg.sas = ha->sas = sas;
	config_defaults(&ha->cfg);
	return true;
}

static void beacon_start(struct ha *ha, role_ms now)
{
	struct role_beacon *b = &ha->beacon;

	b->timer.kind = HA_T_BEACON;
	b->ifindex = ha->cfg.home_ifindex;
	b->addr = ha->cfg.home_addr;
	b->prefix_len = ha->cfg.home_prefix.len;
	if (b->ifindex && ha->cfg.adv_interval_ms)
		role_heap_set(&ha->heap, &b->timer, now);
	else
		role_heap_clear(&ha->heap, &b->timer);
}

struct ha *ha_new(const struct ha_config *c, role_ms now)
{
	struct ha *ha = calloc(1, sizeof(*ha));

	if (!ha)
		return NULL;
	TAILQ_INIT(&ha->pendings);
	if (!config_take(ha, c) || !role_heap_reserve(&ha->heap)) {
		ha_free(ha);
		return NULL;
	}
	crypto_random(&ha->multi_hi, sizeof(ha->multi_hi));
	beacon_start(ha, now);
	return ha;
}

void ha_free(struct ha *ha)
{
	struct ha_binding *b, *next_b;
	struct ha_memory *m, *next_m;
	struct actions gone = {0};

	if (!ha)
		return;
	while (!TAILQ_EMPTY(&ha->pendings))
		ha_pending_end(ha, TAILQ_FIRST(&ha->pendings));
	HASH_ITER(hh, ha->by_hoa, b, next_b)
	ha_binding_end(ha, b, "agent ends", HA_NO_STR, NULL, &gone);
	ha_bu_free(ha);
	HASH_ITER(hh, ha->memory, m, next_m)
	ha_memory_end(ha, m);
	actions_clear(&gone);
	role_sa_free(ha->sas, ha->cfg.n_sas);
	role_heap_free(&ha->heap);
	crypto_wipe(ha, sizeof(*ha));
	free(ha);
}

/* Bindings that the new configuration would not make fall due at once: the next EV_TIMER takes them down. */
void ha_reconfigure(struct ha *ha, const struct ha_config *c, role_ms now)
{
	struct ha_binding *b, *next;

	if (!config_take(ha, c)) {
		counter_inc("roles.no_memory");
		return;
	}
	beacon_start(ha, now);
	HASH_ITER(hh, ha->by_hoa, b, next)
	{
		if (!ha_serves(ha, b->hoa))
			role_heap_set(&ha->heap, &b->timer, now);
	}
}

static void advertise(struct ha *ha, const struct role_path *to, struct actions *out)
{
	uint32_t s = ha->cfg.adv_interval_ms * 3 / 1000;
	struct mip_adv a = {.icmp_code = 16,
			    .icmp_lifetime = (uint16_t)(s < 3	   ? 3
							: s > 9000 ? 9000
								   : s),
			    .reg_lifetime = ha->cfg.lifetime_max,
			    .flags = MIP_ADV_H};

	if (ha->cfg.reverse_tunnel)
		a.flags |= MIP_ADV_T;
	role_beacon_send(&ha->beacon, &a, to, out);
}

static void solicit(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out)
{
	if (ha->cfg.home_ifindex && e->path.ifindex == ha->cfg.home_ifindex && ha->cfg.adv_interval_ms &&
	    role_beacon_may_answer(&ha->beacon, now))
		advertise(ha, &e->path, out);
}

/* The VPN room has missed its own deadline: nothing is known of the tunnels, those of a renewed session
 * included. */
static void vpn_late(struct ha *ha, struct ha_pending *p, struct actions *out)
{
	static const struct role_refusal late = {"vpn_timeout", MIP_HA_RESOURCES,
						 "the tunnels did not come up in time"};
	struct ha_binding *b = ha_binding_by_session(ha, p->session);

	if (p->udp || p->update) {
		ha_pending_take_back(ha, p, &late, NULL, out);
		return;
	}
	if (b && b->vpn) {
		p->n_local = 0; /* it is refused here, and not by the binding's end */
		ha_binding_end(ha, b, "its renewal failed", DM_TERM_LINK_BROKEN, NULL, out);
	} else if (p->n_local) {
		role_act(out, ACT_VPN_REMOVE, p->session);
	}
	ha_pending_refuse(ha, p, &late, NULL, out);
}

static void timers_due(struct ha *ha, role_ms now, struct actions *out)
{
	struct role_timer *t;

	while ((t = role_heap_first(&ha->heap)) && t->due <= now) {
		switch ((enum ha_timer_kind)t->kind) {
		case HA_T_BINDING:
			ha_binding_end(ha, ROLE_OF(t, struct ha_binding), "expired", DM_TERM_SESSION_TIMEOUT,
				       NULL, out);
			break;
		case HA_T_PENDING:
			vpn_late(ha, ROLE_OF(t, struct ha_pending), out);
			break;
		case HA_T_MEMORY:
			ha_memory_end(ha, ROLE_OF(t, struct ha_memory));
			break;
		case HA_T_PATH:
			ha_path_due(ha, ROLE_OF(t, struct ha_path), now, out);
			break;
		case HA_T_BU:
			ha_bu_due(ha, ROLE_OF(t, struct ha_bu), now, out);
			break;
		case HA_T_BEACON:
			advertise(ha, NULL, out);
			role_heap_set(&ha->heap, t, role_beacon_next(now, ha->cfg.adv_interval_ms));
			break;
		}
	}
}

static void vpn_failed(struct ha *ha, const struct role_event *e, struct actions *out)
{
	struct ha_pending *p = ha_pending_of(ha, e->session);
	struct ha_binding *b = ha_binding_by_session(ha, e->session);

	if (p && (p->udp || p->update) && e->type == EV_VPN_DOWN)
		p = NULL; /* what stood is lost, and its move or update with it */
	if (p) {
		counter_inc("ha.vpn.failed");
		if (b && b->vpn)
			b->vpn_coa = b->vpn_up; /* gone back by itself, but maybe not far enough */
		if (b && b->vpn && b->vpn_other)
			ha_vpn_restore(ha, b, out);
		else
			ha_move_undo(ha, p, out);
		ha_pending_refuse(ha, p, &ha_vpn_failed, e->text, out);
	} else if (b) {
		counter_inc("ha.vpn.down");
		ha_binding_end(ha, b, e->text ? e->text : "tunnel lost", DM_TERM_LINK_BROKEN, NULL, out);
	}
}

static bool names(const char *text, const char *nai, const char *session, struct in_addr hoa)
{
	char addr[INET_ADDRSTRLEN];

	return strcmp(text, nai) == 0 || strcmp(text, session) == 0 ||
	       strcmp(text, role_addr_str(hoa, addr)) == 0;
}

static void drop(struct ha *ha, const char *text, struct actions *out)
{
	struct ha_pending *p = TAILQ_FIRST(&ha->pendings), *next_p;
	struct ha_binding *b, *next;

	if (!text || !text[0])
		return;
	for (; p; p = next_p) {
		next_p = TAILQ_NEXT(p, link);
		/* A move ends with its binding. */
		if (!p->udp && !p->update && names(text, p->nai, p->session, p->answer.hoa))
			ha_pending_cancel(ha, p, "dropped by the operator", out);
	}
	HASH_ITER(hh, ha->by_hoa, b, next)
	{
		if (names(text, b->nai, b->session, b->hoa))
			ha_binding_end(ha, b, "dropped by the operator", DM_TERM_ADMINISTRATIVE, NULL, out);
	}
}

static void packet(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out)
{
	if (e->len && e->data[0] >= BIND_WARNING && e->data[0] <= BIND_ACK)
		ha_bu_packet(ha, e, now, out);
	else
		ha_request(ha, e, now, out);
}

void ha_event(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out)
{
	ha->now = now;
	ha->wall_ms = e->wall_ms;
	switch (e->type) {
	case EV_PACKET:
		packet(ha, e, now, out);
		break;
	case EV_FIRST_PACKET:
		ha_bu_first_packet(ha, e, now, out);
		break;
	case EV_SOLICIT:
		solicit(ha, e, now, out);
		break;
	case EV_HAR:
		ha_har(ha, e, now, out);
		break;
	case EV_VUR:
		ha_update(ha, e, now, out);
		break;
	case EV_ASR:
		ha_asr(ha, e, out);
		break;
	case EV_VPN_UP:
		ha_vpn_up(ha, e->session, e->text, now, out);
		break;
	case EV_VPN_FAILED:
	case EV_VPN_DOWN:
		vpn_failed(ha, e, out);
		break;
	case EV_DROP:
		drop(ha, e->text, out);
		break;
	case EV_VPN_CARRIES:
		ha_vpn_carries(ha, e->session, now, out);
		break;
	case EV_TIMER:
		break;
	case EV_ICMP_ERROR: /* a reply did not arrive: its mobile node asks again */
	case EV_AMA:
	case EV_AAA_FAILED:
		counter_inc("ha.event.not_ours");
		break;
	}
	timers_due(ha, now, out);
}

role_ms ha_next(const struct ha *ha)
{
	const struct role_timer *t = role_heap_first(&ha->heap);

	return t ? t->due : ROLE_NEVER;
}

static void binding_row(const struct ha *ha, const struct ha_binding *b, role_ms now, struct role_row *r)
{
	*r = (struct role_row){.hoa = b->hoa,
			       .coa = b->coa,
			       .ha = ha->cfg.addr,
			       .state = "registered",
			       .lifetime_s = b->lifetime,
			       .since_wall_ms = b->since_wall_ms,
			       .n_profiles = b->n_profiles,
			       .reverse_tunnel = b->reverse};
	r->left_s = b->expires > now ? (uint32_t)((b->expires - now) / 1000) : 0;
	role_copy(r->session, sizeof(r->session), b->session);
	role_copy(r->nai, sizeof(r->nai), b->nai);
}

static void pending_row(const struct ha *ha, const struct ha_pending *p, struct role_row *r)
{
	*r = (struct role_row){.hoa = p->answer.hoa,
			       .coa = p->coa,
			       .ha = ha->cfg.addr,
			       .state = "tunnels",
			       .lifetime_s = p->answer.lifetime,
			       .since_wall_ms = p->wall_ms,
			       .n_profiles = p->n_profiles,
			       .reverse_tunnel = p->reverse};
	role_copy(r->session, sizeof(r->session), p->session);
	role_copy(r->nai, sizeof(r->nai), p->nai);
}

size_t ha_rows(const struct ha *ha, role_ms now, struct role_row *rows, size_t max)
{
	const struct ha_binding *b;
	const struct ha_pending *p;
	size_t n = 0;

	for (b = ha->by_hoa; b && n < max; b = b->hh.next)
		binding_row(ha, b, now, &rows[n++]);
	TAILQ_FOREACH(p, &ha->pendings, link)
	{
		if (n < max)
			pending_row(ha, p, &rows[n++]);
	}
	return n;
}

void ha_shutdown(struct ha *ha, role_ms now, struct actions *out)
{
	struct ha_binding *b, *next;

	ha->wall_ms += now - ha->now; /* the last event may be long ago */
	ha->now = now;
	while (!TAILQ_EMPTY(&ha->pendings))
		ha_pending_cancel(ha, TAILQ_FIRST(&ha->pendings), "home agent shuts down", out);
	HASH_ITER(hh, ha->by_hoa, b, next)
	ha_binding_end(ha, b, "agent shuts down", DM_TERM_ADMINISTRATIVE, NULL, out);
}
