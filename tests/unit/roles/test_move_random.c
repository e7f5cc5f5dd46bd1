/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Thousands of steps in no order: a mobile node moves between three foreign agents, tunnels fail or
 * hang, answers come in any order, Binding Updates are lost, come twice or late, operators drop, sessions
 * end, time goes by. Whatever happens: each ADD has its DEL, and after the last lifetime nothing is left.
 * The seed is fixed, so is every run.
 */
#include "tests/unit/roles/moves.h"

#define STEPS 8000

static struct moves m;
static uint32_t seed;
static char old_session[DM_SESSION_MAX];

static uint32_t dice(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static enum vpn_policy policy(void)
{
	if (dice(4))
		return VPN_COMES_UP;
	return dice(2) && m.n_vpn < MV_HANGING - 8 ? VPN_HANGS : VPN_FAILS;
}

static void any_request(void)
{
	struct move_ask a = {.lifetime = dice(8) ? (uint16_t)(1 + dice(600)) : MV_DEREGISTER,
			     .no_pfan = !dice(5),
			     .soft = dice(2),
			     .renewal = !dice(3),
			     .pfan_lifetime = dice(6) ? (uint16_t)(1 + dice(20)) : MV_DEREGISTER,
			     .previous = dice(4) ? 0 : 1 + (int)dice(FAS)};

	moves_ask(&m, (int)dice(FAS), &a);
}

static void any_event(void)
{
	static const char *const handoffs[] = {"handoff-in:" MV_HOA, "handoff-out:" MV_HOA};
	int fa = (int)dice(FAS);
	struct role_event e = {.type = dice(2) ? EV_ASR : EV_DROP, .session = old_session, .text = MV_NAI};

	switch (dice(4)) {
	case 0:
		e.type = EV_VPN_DOWN;
		e.session = handoffs[dice(2)];
		for (size_t i = 0; i < m.n_vpn; i++) {
			if (strcmp(m.vpn[i].session, e.session) == 0)
				return; /* a tunnel that never stood is not lost */
		}
		break;
	case 1:
		if (dice(2))
			e.session = m.session[fa];
		break;
	case 2:
		if (m.n_vpn)
			moves_answer(&m, dice(3));
		return;
	default:
		if (m.bu_len)
			moves_bu(&m, fa);
		return;
	}
	moves_tell(&m, fa, &e);
	memcpy(old_session, m.session[dice(FAS)], sizeof(old_session));
}

static void step(void)
{
	for (int i = 0; i < FAS; i++) {
		m.install[i] = policy();
		m.handoff[i] = policy();
	}
	m.aaa = dice(2) ? MV_AAAF : dice(8) ? MV_AAAH : MV_SILENT;
	m.n_profiles = (uint8_t)dice(3);
	m.no_previous = !dice(5);
	m.no_fa_ha = !dice(30);
	m.ha_code = dice(8) ? 0 : MIP_HA_IDENT;
	m.ha_silent = !dice(6);
	m.ha_forged = !dice(20);
	m.late = !dice(3);
	m.lose_bu = !dice(5);
	m.lose_ba = !dice(5);
	moves_trace_clear(&m);
	while (m.n_held && (dice(2) || m.n_held == 8))
		moves_late(&m, dice((uint32_t)m.n_held));
	switch (dice(8)) {
	case 0:
		any_event();
		break;
	case 1:
	case 2:
		moves_pass(&m, dice(3000));
		break;
	case 3:
		moves_pass(&m, dice(4) ? dice(400) : dice(100000));
		break;
	default:
		any_request();
	}
}

static void run(uint32_t first)
{
	seed = first;
	moves_init(&m);
	m.fc[2].early_ike = false;
	moves_start(&m);
	for (int i = 0; i < STEPS && !m.book.ledger_errors; i++)
		step();
	HARNESS_AT(!m.book.ledger_errors, "seed %u", first);
	m.late = false;
	while (m.n_held)
		moves_late(&m, 0);
	moves_pass(&m, 1000000);
	for (int i = 0; i < FAS; i++)
		HARNESS_AT(!moves_state(&m, i)[0], "agent %d: %s", i, moves_state(&m, i));
	CU_ASSERT_TRUE(world_balanced(&m.book));
	moves_end(&m);
}

static void test_random(void)
{
	for (uint32_t s = 1; s <= 5; s++)
		run(s);
	CU_ASSERT_TRUE(counter_get("fa.handoff.forwarding") > 500);
	CU_ASSERT_TRUE(counter_get("fa.handoff.out_failed") > 100);
	CU_ASSERT_TRUE(counter_get("fa.vpn.early_failed") > 100);
}

HARNESS_MAIN("roles/move_random", HARNESS_CASE(test_random))
