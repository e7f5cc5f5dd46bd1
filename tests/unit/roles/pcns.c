/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The PCNs of the world: what they stand for, and the wire between them and the home agent.
 */
#include "tests/unit/roles/world.h"

void world_pcns(struct world *w)
{
	for (int i = 0; i < 2; i++)
		w->pcn[i] = pcn_new(&w->pc[i], w->now);
}

struct vpn_profile world_dynamic(const struct world *w, uint32_t number, int pcn, const char *context)
{
	struct vpn_profile p = {.number = number,
				.src = {addr("10.1.0.10"), 32},
				.dst = w->pc[pcn].prefixes[0],
				.tos_up = 0xb8,
				.tos_down = 0x88,
				.security = VPN_SEC_ESP,
				.src_gw = addr(FA_ADDR),
				.dst_gw = w->pc[pcn].addr,
				.dst_gw_type = VPN_GW_DYNAMIC,
				.spi_up = 5001,
				.spi_down = 5002,
				.enc_key = {.len = 32},
				.auth_key = {.len = 32},
				.required = true,
				.bu_key = {.len = 32}};

	memset(p.enc_key.data, 0xe1, 32);
	memset(p.auth_key.data, 0xa1, 32);
	snprintf(p.bu_context, sizeof(p.bu_context), "%s", context);
	CU_ASSERT_EQUAL_FATAL(vpn_bu_key(&w->pc[pcn].master, addr(HA_ADDR), context, p.bu_key.data), 0);
	return p;
}

/* A PCN takes what goes to any host behind it. */
void world_binding_send(struct world *w, int role, const struct role_event *e)
{
	struct world_wire *wire = &w->wire[role], *told;
	struct bind_msg m;
	unsigned n;

	CU_ASSERT_TRUE_FATAL(e->len <= sizeof(wire->bytes));
	wire->n++;
	wire->path = e->path;
	wire->len = e->len;
	memcpy(wire->bytes, e->data, e->len);
	CU_ASSERT_EQUAL_FATAL(bind_decode(wire->bytes, wire->len, &m), MIP_REJ_OK);
	if (m.type == BIND_UPDATE) {
		told = &w->told[m.profile % 16];
		n = told->n + 1;
		*told = *wire;
		told->n = n;
	}
	if (w->cut[role])
		return;
	if (role != AT_HA && w->ha)
		ha_tell(w, e);
	for (int i = 0; role == AT_HA && i < 2; i++) {
		if (w->pcn[i] && !w->cut[AT_PCN + i] && vpn_prefix_has(&w->pc[i].prefixes[0], e->path.dst))
			world_tell(w, AT_PCN + i, e);
	}
}
