/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Thousands of steps in no order: one user moves between three foreign agents by UDP and by HAR, rooms and
 * PCNs
 * hang or fail, sessions end, time goes by.  Whatever happens: each ADD has its DEL, the binding points to
 * a tunnel
 * that stands, each HAR has its HAA, tunnels are few, and after the last lifetime nothing is left.
 */
#include "tests/unit/roles/ha_moves.h"

#define STEPS 4000

static uint32_t seed;

static uint32_t dice(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static const char *any_fa(void)
{
	static const char *const fas[] = {FA_ADDR, FA_B, FA_C};

	return fas[dice(3)];
}

/* Where the last reply goes is not always where this request came from. */
static void any_udp(void)
{
	struct from f = {.fa = any_fa(), .lifetime = dice(6) ? (uint16_t)(1 + dice(300)) : 0};
	uint8_t buf[MIP_MSG_MAX];
	struct ask a = {
		.lifetime = f.lifetime, .with_mn_ha = true, .coa = f.fa, .flags = dice(8) ? 0 : MIP_D};
	struct wbuf b = {.base = buf, .cap = sizeof(buf)};
	struct role_event e = {.type = EV_PACKET, .data = buf, .path = {.dst = addr(HA_ADDR)}};

	learn_spi();
	world_pass(&w, 1);
	a.clock_off_ms = dice(5) ? 0 : -(int64_t)dice(50);
	b.len = mn_build(&w, &alice, &a, buf);
	if (dice(8))
		mip_ext_put_auth(&b, MIP_EXT_FA_HA, ha_spi, CRYPTO_HMAC_SHA1, fa_ha_key, 20);
	buf[b.len - 1] ^= !dice(12);
	e.len = b.len;
	e.path.src = addr(dice(10) ? f.fa : any_fa());
	ha_tell(&w, &e);
}

static void any_har(void)
{
	char session[16];

	snprintf(session, sizeof(session), "s-%u", dice(4));
	by_har(session, any_fa(), dice(8) ? (uint16_t)(1 + dice(300)) : 0);
}

static void any_event(void)
{
	static const enum role_event_type types[] = {EV_ASR, EV_DROP, EV_VPN_CARRIES, EV_VPN_CARRIES,
						     EV_VPN_CARRIES};
	char session[16];
	struct role_event e = {.type = types[dice(5)], .session = session, .text = "10.1.0.10"};

	snprintf(session, sizeof(session), "s-%u", dice(4));
	ha_tell(&w, &e);
}

static void step(void)
{
	for (int r = AT_HA; r < ROLES; r++) {
		w.cut[r] = !dice(12);
		/* A failure in the midst of what causes it would overtake the actions behind it: that comes
		 * by
		 * world_vpn_answers(). */
		w.vpn[r] = dice(2) ? VPN_COMES_UP : VPN_HANGS;
		if (w.vpn[r] == VPN_HANGS && w.vpn_session[r][0])
			w.vpn[r] = VPN_COMES_UP;
	}
	switch (dice(10)) {
	case 0:
		any_event();
		break;
	case 1:
	case 2:
		any_har();
		break;
	case 3:
		for (int r = AT_HA; r < ROLES; r++) {
			if (w.vpn_session[r][0])
				world_vpn_answers(&w, r, dice(3));
		}
		break;
	case 4:
	case 5:
		world_pass(&w, dice(4) ? dice(1500) : dice(60000));
		break;
	default:
		any_udp();
	}
	CU_ASSERT_TRUE(tunnels() <= 6);
}

static void test_random(void)
{
	uint64_t before = counter_get("ha.rrq.moved");

	for (uint32_t s = 1; s <= 6; s++) {
		seed = s;
		begin(s % 3 != 0, (uint8_t)(s % 2));
		w.random = true;
		for (int i = 0; i < STEPS; i++)
			step();
		memset(w.cut, 0, sizeof(w.cut));
		memset(w.vpn_session, 0, sizeof(w.vpn_session));
		w.vpn[AT_HA] = w.vpn[AT_PCN] = w.vpn[AT_PCN2] = VPN_COMES_UP;
		world_pass(&w, 1000000);
		CU_ASSERT_EQUAL(ha_count(&w), 0);
		CU_ASSERT_TRUE(world_balanced(&w));
		CU_ASSERT_EQUAL(w.hars, w.haas);
		world_end(&w);
	}
	CU_ASSERT_TRUE(counter_get("ha.rrq.moved") > before + 500);
}

HARNESS_MAIN("roles/ha_move_random", HARNESS_CASE(test_random))
