/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Smooth handoff at the new foreign agent (F5, doc/moves.md): once the home agent has said yes, tunnels for what
 * still arrives at the previous one are loaded, and then a Binding Update asks it to send that here.  Nothing
 * of this delays or fails the registration.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/fa_int.h"

#define PREFIX "handoff-in:"
#define SENDS 4 /* at once, and after 0.5, 1 and 2 s */
#define RESEND_MS 500
#define JITTER_MS 100
#define GRACE_MS 1000 /* longer than the previous one forwards */

void fa_grant_handoff(struct fa_grant *g, const struct dm_ama *a)
{
	if (a->has_previous_fa)
		g->previous_fa = a->previous_fa;
	if (a->vpn.handoff.len > sizeof(g->handoff.data))
		return;
	g->handoff.len = a->vpn.handoff.len;
	memcpy(g->handoff.data, a->vpn.handoff.data, g->handoff.len);
}

static struct fa_handin *find(const struct fa *fa, struct in_addr hoa)
{
	struct fa_handin *h;

	HASH_FIND(hh, fa->handins, &hoa, sizeof(hoa), h);
	return h;
}

static struct action *act(const struct fa_handin *h, enum action_type type, struct actions *out)
{
	return fa_handoff_act(&(struct fa_handoff){PREFIX, h->hoa, h->local, h->peer}, type, out);
}

void fa_handin_end(struct fa *fa, struct fa_handin *h, struct actions *out)
{
	if (h->vpn)
		act(h, ACT_VPN_REMOVE, out);
	if (h->tunnel)
		act(h, ACT_TUNNEL_DEL, out);
	HASH_DELETE(hh, fa->handins, h);
	role_heap_release(&fa->heap, &h->timer);
	crypto_wipe(h, sizeof(*h));
	free(h);
}

void fa_handin_end_of(struct fa *fa, struct in_addr hoa, const char *session, struct actions *out)
{
	struct fa_handin *h = find(fa, hoa);

	if (h && strcmp(h->session, session) == 0)
		fa_handin_end(fa, h, out);
}

void fa_handin_pass(struct fa *fa, struct in_addr hoa, const char *from, const char *to)
{
	struct fa_handin *h = find(fa, hoa);

	if (!h || strcmp(h->session, from) != 0)
		return;
	if (to)
		role_copy(h->session, sizeof(h->session), to);
	else
		h->answered = true;
}

static uint16_t lifetime_of(const struct fa *fa, const struct fa_pending *p)
{
	bool said = p->has_previous && role_same_addr(p->previous_fa, p->grant.previous_fa);
	uint16_t s = said ? p->handoff_lifetime : fa->cfg.handoff_lifetime;

	return s > fa->cfg.handoff_lifetime ? fa->cfg.handoff_lifetime : s;
}

static struct fa_handin *handin_new(struct fa *fa, const struct fa_pending *p, role_ms now)
{
	struct fa_handin *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	if (vpn_handoff_auth_key(&p->grant.handoff, h->auth) ||
	    vpn_handoff_seal_key(&p->grant.handoff, h->seal) || !role_heap_reserve(&fa->heap)) {
		crypto_wipe(h, sizeof(*h));
		free(h);
		return NULL;
	}
	h->hoa = p->grant.hoa;
	h->local = fa->cfg.coa;
	h->peer = p->grant.previous_fa;
	role_copy(h->session, sizeof(h->session), p->session);
	h->lifetime = lifetime_of(fa, p);
	h->soft = p->flags & MIP_S;
	h->request = p->ident;
	h->timer.kind = FA_T_HANDIN;
	h->ends = now + fa->cfg.vpn_timeout_ms + FA_SAFETY_MS;
	role_heap_set(&fa->heap, &h->timer, h->ends);
	HASH_ADD(hh, fa->handins, hoa, sizeof(h->hoa), h);
	return h;
}

/* Lifetime 0 asks for nothing but to be forgotten, and a session without VPNs has no tunnels to copy. */
static void prepare(struct fa *fa, struct fa_handin *h, const struct fa_pending *p, role_ms now,
		    struct actions *out)
{
	struct action *a = h->lifetime && p->vpn ? act(h, ACT_VPN_HANDOFF, out) : NULL;

	if (a) {
		role_copy(a->from, sizeof(a->from), p->session);
		a->key = p->grant.handoff;
		a->role_src = true;
		a->deadline_ms = fa->cfg.vpn_timeout_ms;
		h->vpn = true;
	}
	h->tunnel = h->lifetime && act(h, ACT_TUNNEL_ADD, out);
	if (h->vpn)
		return;
	h->ready = true;
	role_heap_set(&fa->heap, &h->timer, now); /* sends as soon as this event is done with */
}

void fa_handin_start(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out)
{
	const struct fa_grant *g = &p->grant;
	struct fa_handin *h = find(fa, g->hoa);
	char who[ROLE_WHO_MAX], addr[INET_ADDRSTRLEN];

	if (!fa->cfg.smooth_handoff || !g->handoff.len || role_any_addr(g->previous_fa) ||
	    fa_is_own(fa, g->previous_fa))
		return;
	if (h)
		fa_handin_end(fa, h, out);
	h = handin_new(fa, p, now);
	if (!h) {
		role_count("roles", "no_memory");
		return;
	}
	prepare(fa, h, p, now, out);
	role_log(out, LOG_LVL_INFO, "visitor %s: smooth handoff from %s", role_who(p->nai, g->hoa, who),
		 role_addr_str(h->peer, addr));
}

/* Each Binding Update has a later Identification than the one before, whatever the clock does. */
static uint64_t next_ident(const struct fa_handin *h, uint64_t wall_ms)
{
	uint32_t noise = 0;
	uint64_t ident;

	crypto_random(&noise, sizeof(noise));
	ident = mip_ident_from_unix_ms(wall_ms, noise);
	return h->sent && !mip_ident_later(ident, h->last) ? h->last + 1 : ident;
}

static void send_update(struct fa_handin *h, uint64_t wall_ms, struct actions *out)
{
	uint8_t mem[256];
	struct wbuf w;
	struct bind_handoff what = {.soft = h->soft, .request = h->request};
	struct bind_msg m = {.type = BIND_UPDATE,
			     .flags = BIND_A,
			     .lifetime = h->lifetime,
			     .hoa = h->hoa,
			     .coa = h->local,
			     .has_ident = true,
			     .ident = next_ident(h, wall_ms)};

	h->last = m.ident;
	if (!h->sent++)
		h->first = m.ident;
	wbuf_init(&w, mem, sizeof(mem));
	bind_put(&w, &m);
	bind_put_handoff(&w, &what, h->seal);
	bind_put_auth(&w, BIND_SUBTYPE_HANDOFF, MIP_SPI_MIN, h->auth);
	fa_core_send(h->local, h->peer, &w, out);
	role_count("fa.handoff", h->sent == 1 ? "update" : "update_again");
}

/* The last one sent may be the one that arrives, so the end is counted from it. */
void fa_handin_due(struct fa *fa, struct fa_handin *h, uint64_t wall_ms, role_ms now, struct actions *out)
{
	role_ms again;

	if (now >= h->ends) {
		fa_handin_end(fa, h, out);
		return;
	}
	if (!h->ready || h->answered || h->sent >= SENDS) {
		role_heap_set(&fa->heap, &h->timer, h->ends);
		return;
	}
	send_update(h, wall_ms, out);
	again = now + ((role_ms)RESEND_MS << (h->sent - 1)) + h->last % JITTER_MS;
	h->ends = now + (role_ms)h->lifetime * 1000 + GRACE_MS;
	if (h->ends <= again)
		h->ends = again + GRACE_MS;
	role_heap_set(&fa->heap, &h->timer, h->sent < SENDS ? again : h->ends);
}

void fa_handin_event(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	struct in_addr hoa;
	struct fa_handin *h = fa_handoff_named(PREFIX, e->session, &hoa) ? find(fa, hoa) : NULL;

	if (!h || !h->vpn)
		return;
	if (e->type == EV_VPN_UP) {
		h->ready = true;
		fa_handin_due(fa, h, e->wall_ms, now, out);
		return;
	}
	role_count("fa.handoff", "in_failed");
	if (e->type == EV_VPN_FAILED)
		h->vpn = false; /* taken down already */
	fa_handin_end(fa, h, out);
}

static struct fa_handin *answered(const struct fa *fa, const struct role_event *e, struct bind_msg *m)
{
	struct fa_handin *h = NULL;

	if (bind_decode(e->data, e->len, m) == MIP_REJ_OK && m->auth_subtype == BIND_SUBTYPE_HANDOFF)
		h = find(fa, m->hoa);
	return h && h->sent && role_same_addr(h->peer, e->path.src) ? h : NULL;
}

void fa_handin_ack(struct fa *fa, const struct role_event *e, struct actions *out)
{
	struct bind_msg m;
	struct fa_handin *h = answered(fa, e, &m);
	char who[ROLE_WHO_MAX];

	if (!h) {
		role_count("fa.ba", "no_match");
	} else if (!bind_auth_check(&m, h->auth)) {
		role_count("fa.ba", "not_authentic");
	} else if (mip_ident_later(h->first, m.ident) || mip_ident_later(m.ident, h->last)) {
		role_count("fa.ba", "old");
	} else {
		role_count("fa.ba", m.status ? "refused" : "accepted");
		role_log(out, m.status ? LOG_LVL_NOTICE : LOG_LVL_INFO, "visitor %s: smooth handoff: %s",
			 role_who("", h->hoa, who), bind_status_str(m.status));
		h->answered = true;
		if (m.status || !h->lifetime)
			fa_handin_end(fa, h, out);
	}
}
