/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What comes back from PCNs, and what makes the home agent speak: Binding Acknowledge, Request (F8),
 * Warning, and the first packet of a correspondent (F9).  Requests, warnings and packets prove nothing, so
 * all they can do is to make us repeat what is true to the PCN that it concerns, and no more often than the
 * pause allows: 1 s for requests, doubling while nobody answers; 5 s for packets and warnings, doubling
 * while they go on; 60 s at most.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/ha_bu_int.h"

#define QUIET_FIRST_MS 1000
#define QUIET_PACKET_MS 5000
#define QUIET_MOST_MS 60000

uint16_t ha_bu_left_s(const struct ha *ha, const struct ha_bu *u, role_ms now)
{
	const struct ha_binding *b = ha_binding_by_session(ha, u->session);

	if (!b || b->expires <= now)
		return 0;
	if (b->expires == ROLE_NEVER)
		return MIP_LIFETIME_INFINITE;
	return (uint16_t)((b->expires - now) / 1000);
}

static bool pause_over(struct ha_bu_pause *p, uint32_t first_ms, role_ms now)
{
	if (now < p->until)
		return false;
	if (now - p->until >= QUIET_MOST_MS)
		p->ms = 0;
	p->ms = p->ms ? p->ms * 2 : first_ms;
	if (p->ms > QUIET_MOST_MS)
		p->ms = QUIET_MOST_MS;
	p->until = now + p->ms;
	return true;
}

/* Tells cn's gateway once more, on somebody's word. */
static void tell(struct ha *ha, struct ha_bu *u, struct in_addr cn, const struct role_event *e,
		 const char *why, role_ms now, struct actions *out)
{
	uint16_t lifetime = ha_bu_left_s(ha, u, now);
	bool request = e->type == EV_PACKET && e->data[0] == BIND_REQUEST;

	if (!lifetime || u->of_har ||
	    !(request ? pause_over(&u->requests, QUIET_FIRST_MS, now)
		      : pause_over(&u->packets, QUIET_PACKET_MS, now))) {
		role_count("ha.bu", "not_now");
		return;
	}
	u->cn = cn;
	u->hint_auth = false;
	u->give_up = now + ha->cfg.vpn_timeout_ms;
	ha_bu_state(u, u->state == HA_BU_STANDS ? HA_BU_STANDS : HA_BU_PENDING, LOG_LVL_INFO, why, out);
	ha_bu_update(ha, u, lifetime, e->wall_ms, now, out);
}

/* --- Binding Acknowledge --- */

static bool ack_is_for(const struct ha *ha, const struct ha_bu *u, const struct bind_msg *m)
{
	uint8_t auth[32];
	bool ok = u->profile.number == m->profile && !strcmp(u->profile.bu_context, m->key_context) &&
		  role_same_addr(m->key_ha, ha->cfg.addr) &&
		  vpn_bu_auth_key(u->profile.bu_key.data, auth) == 0 && bind_auth_check(m, auth);

	crypto_wipe(auth, sizeof(auth));
	return ok;
}

/* Not to be believed, but of use to the operator when the deadline comes. */
static void note_hint(struct ha_bu_set *s, const struct bind_msg *m)
{
	struct ha_bu *u;

	LIST_FOREACH(u, &s->bus, link)
	{
		if (u->ident == m->ident && m->status == BIND_AUTH)
			u->hint_auth = true;
	}
}

static void acknowledged(struct ha *ha, struct ha_bu_set *s, const struct bind_msg *m, role_ms now,
			 struct actions *out)
{
	struct ha_bu *u;

	LIST_FOREACH(u, &s->bus, link)
	{
		if (!ack_is_for(ha, u, m))
			continue;
		if (u->ident != m->ident)
			role_count("ha.ba", "old");
		else if (m->status == BIND_AUTH) /* its key is ours: it speaks of a forgery in our name */
			role_count("ha.ba", "of_a_forgery");
		else if (u->tries) /* else it has been answered already */
			ha_bu_answered(ha, u, m->status, now, out);
		return;
	}
	role_count("ha.ba", "not_authentic");
	note_hint(s, m);
}

/* --- Binding Request and Warning --- */

static void requested(struct ha *ha, struct ha_bu_set *s, const struct bind_msg *m,
		      const struct role_event *e, role_ms now, struct actions *out)
{
	struct ha_bu *u;

	LIST_FOREACH(u, &s->bus, link)
	{
		if (u->state == HA_BU_LEAVING || (m->profile && m->profile != u->profile.number) ||
		    !vpn_prefix_has(&u->profile.dst, e->path.src))
			continue;
		tell(ha, u, e->path.src, e, "requested by the gateway", now, out);
	}
}

static void warned(struct ha *ha, struct ha_bu_set *s, const struct bind_msg *m, const struct role_event *e,
		   role_ms now, struct actions *out)
{
	struct ha_bu *u;

	LIST_FOREACH(u, &s->bus, link)
	{
		for (uint8_t i = 0; i < m->n_targets && u->state != HA_BU_LEAVING; i++) {
			if (vpn_prefix_has(&u->profile.dst, m->targets[i])) {
				tell(ha, u, m->targets[i], e, "Binding Warning", now, out);
				break;
			}
		}
	}
}

void ha_bu_packet(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out)
{
	struct bind_msg m;
	enum mip_reject rej = bind_decode(e->data, e->len, &m);
	struct ha_bu_set *s = m.raw ? ha_bu_set_find(ha, m.hoa) : NULL;

	if (rej)
		role_count("ha.bind", mip_reject_str(rej));
	else if (!s)
		role_count("ha.bind", "no_such_vpn");
	else if (m.type == BIND_ACK)
		acknowledged(ha, s, &m, now, out);
	else if (m.type == BIND_REQUEST)
		requested(ha, s, &m, e, now, out);
	else if (m.type == BIND_WARNING)
		warned(ha, s, &m, e, now, out);
	else
		role_count("ha.bind", "update_to_home_agent");
}

/* A packet that comes here says that its gateway has no binding, whatever it has acknowledged: it may have
 * restarted. */
void ha_bu_first_packet(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out)
{
	struct ha_bu_set *s = ha_bu_set_find(ha, e->path.dst);
	struct ha_bu *u;

	role_count("ha.bu", "first_packet");
	if (!s)
		return;
	LIST_FOREACH(u, &s->bus, link)
	{
		if (u->state != HA_BU_LEAVING && !u->tries && vpn_prefix_has(&u->profile.dst, e->path.src))
			tell(ha, u, e->path.src, e, "first packet of a correspondent", now, out);
	}
}
