/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Lifetimes (F8).  An entry that nobody renews asks its home agent by Binding Requests (draft 4.2): at 90 %
 * of the lifetime, again after 1, 2, 4 ... s, and ends when the lifetime does.  A home agent without that
 * VPN stays silent.
 */
#include <string.h>

#include "agent/roles/pcn_int.h"

#define ASK_FIRST_MS 1000
#define ASK_MOST 6 /* then every 32 s */

static role_ms ask_at(const struct pcn *pcn, const struct pcn_entry *x, role_ms now)
{
	return now + (role_ms)x->lifetime * 10 * pcn->cfg.request_percent;
}

void pcn_lifetime_start(struct pcn *pcn, struct pcn_entry *x, role_ms now)
{
	x->asked = 0;
	x->expires = now + (role_ms)x->lifetime * 1000;
	role_heap_set(&pcn->heap, &x->timer, ask_at(pcn, x, now));
}

static void ask(const struct pcn *pcn, struct pcn_entry *x, uint64_t wall_ms, struct actions *out)
{
	struct bind_msg m = {.type = BIND_REQUEST,
			     .hoa = x->name.hoa,
			     .has_ident = true,
			     .ident = mip_ident_from_unix_ms(wall_ms, x->asked),
			     .key_ha = x->name.ha,
			     .profile = x->name.number};
	uint8_t mem[MIP_MSG_MAX], auth[32], seal[32];
	struct wbuf w;

	role_copy(m.key_context, sizeof(m.key_context), x->context);
	wbuf_init(&w, mem, sizeof(mem));
	bind_put(&w, &m);
	bind_put_number(&w, &m);
	role_count("pcn.request", "sent");
	if (pcn_keys(pcn, x->name.ha, x->context, auth, seal))
		pcn_send(pcn, x->cn, x->name.ha, &w, auth, out);
	crypto_wipe(auth, sizeof(auth));
	crypto_wipe(seal, sizeof(seal));
}

void pcn_lifetime_due(struct pcn *pcn, struct pcn_entry *x, uint64_t wall_ms, role_ms now,
		      struct actions *out)
{
	role_ms next;

	if (now >= x->expires) {
		pcn_entry_end(pcn, x, "expired: the home agent has not renewed it", now, out);
		return;
	}
	if (x->state == PCN_READY)
		pcn_entry_state(pcn, x, PCN_ASKING, LOG_LVL_INFO, "little of its lifetime is left", out);
	ask(pcn, x, wall_ms, out);
	next = now + ((role_ms)ASK_FIRST_MS << (x->asked < ASK_MOST ? x->asked : ASK_MOST - 1));
	x->asked++;
	role_heap_set(&pcn->heap, &x->timer, next < x->expires ? next : x->expires);
}
