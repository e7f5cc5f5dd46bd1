/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sending Binding Updates (draft-ietf-mobileip-optim-09 4.3).  A retransmission is the same message with a
 * fresh seal: its Identification names it, and the PCN answers it again without doing anything again.
 */
#include <string.h>

#include "agent/roles/ha_bu_int.h"

#define RESEND_MS 500 /* then 1 s, 2 s, 4 s */
#define RESEND_DOUBLINGS 3
#define JITTER_MS 100

static bool keys(const struct ha_bu *u, uint8_t auth[32], uint8_t seal[32])
{
	return u->profile.bu_key.len == 32 && vpn_bu_auth_key(u->profile.bu_key.data, auth) == 0 &&
	       vpn_bu_seal_key(u->profile.bu_key.data, seal) == 0;
}

static void write_update(const struct ha *ha, const struct ha_bu *u, struct wbuf *w)
{
	struct bind_msg m = {.type = BIND_UPDATE,
			     .flags = BIND_A,
			     .lifetime = u->lifetime,
			     .hoa = u->set->hoa,
			     .coa = u->lifetime ? u->profile.src_gw : u->set->hoa,
			     .has_ident = true,
			     .ident = u->ident,
			     .key_ha = ha->cfg.addr,
			     .profile = u->profile.number};
	uint8_t auth[32], seal[32];

	role_copy(m.key_context, sizeof(m.key_context), u->profile.bu_context);
	if (!keys(u, auth, seal))
		w->bad = true;
	bind_put(w, &m);
	if (u->lifetime)
		bind_put_profile(w, &m, &u->profile, seal);
	else
		bind_put_number(w, &m);
	bind_put_auth(w, BIND_SUBTYPE_ROUTE, MIP_SPI_MIN, auth);
	crypto_wipe(auth, sizeof(auth));
	crypto_wipe(seal, sizeof(seal));
}

/* Spread by the Identification: tests stay what they are, and a thousand of them do not march in step. */
static role_ms again_at(const struct ha_bu *u, role_ms now)
{
	unsigned doublings = u->tries < RESEND_DOUBLINGS ? u->tries : RESEND_DOUBLINGS;
	role_ms due = now + ((role_ms)RESEND_MS << doublings) + u->ident % JITTER_MS;

	return due < u->give_up ? due : u->give_up;
}

void ha_bu_send(struct ha *ha, struct ha_bu *u, role_ms now, struct actions *out)
{
	struct role_path path = {.src = ha->cfg.addr,
				 .dst = u->cn,
				 .sport = MIP_PORT,
				 .dport = MIP_PORT,
				 .ttl = ROLE_REPLY_TTL};
	uint8_t mem[MIP_MSG_MAX];
	struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem));
	write_update(ha, u, &w);
	role_count("ha.bu", "sent");
	role_send(out, &path, IPPROTO_UDP, &w);
	u->told = u->told || u->lifetime;
	role_heap_set(&ha->heap, &u->timer, again_at(u, now));
	u->tries++;
}

void ha_bu_update(struct ha *ha, struct ha_bu *u, uint16_t lifetime, uint64_t wall_ms, role_ms now,
		  struct actions *out)
{
	uint64_t ident = mip_ident_from_unix_ms(wall_ms, ++ha->bu_noise);

	u->ident = u->ident && !mip_ident_later(ident, u->ident) ? u->ident + 1 : ident;
	u->lifetime = lifetime;
	u->status = BIND_OK;
	u->tries = 0;
	if (lifetime)
		u->expires = lifetime == MIP_LIFETIME_INFINITE ? ROLE_NEVER : now + (role_ms)lifetime * 1000;
	ha_bu_send(ha, u, now, out);
}
