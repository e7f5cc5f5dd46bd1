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

void world_with_pcns(struct world *w, struct mn *mn, struct vpn_profile vpn[3], uint8_t n)
{
	world_init(w, true);
	vpn[0] = world_dynamic(w, 5, 0, "s-1");
	vpn[1] = world_dynamic(w, 6, 1, "s-1");
	vpn[1].required = false;
	vpn[2] = (struct vpn_profile){.number = 7,
				      .dst = {addr("10.9.0.0"), 24},
				      .src_gw = addr(FA_ADDR),
				      .dst_gw = addr(HA_ADDR),
				      .enc_key = {.len = 16},
				      .required = true};
	w->profiles = vpn;
	w->n_profiles = n;
	w->same_session = true;
	w->aaah_relays_end = true;
	world_pcns(w);
	world_mn(w, mn, "alice@home.test", "10.1.0.10");
	world_start(w);
}

size_t world_at_pcn(struct world *w, int i, struct role_row *row)
{
	return pcn_rows(w->pcn[i], w->now, row, 1);
}

void world_with_pcns_end(struct world *w)
{
	static const struct role_event drop = {.type = EV_DROP, .text = "10.1.0.10"};
	struct role_row row;

	ha_tell(w, &drop);
	fa_tell(w, &drop);
	world_pass(w, 30000);
	CU_ASSERT_EQUAL(ha_count(w) + fa_count(w) + world_at_pcn(w, 0, &row) + world_at_pcn(w, 1, &row), 0);
	CU_ASSERT_TRUE(world_balanced(w));
	world_end(w);
}
