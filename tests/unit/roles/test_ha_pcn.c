/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A whole world: mobile node, FA, HA and two PCNs that talk in memory (F4, F8, F9, E7).
 */
#include "agent/roles/ha_bu.h"
#include "agent/roles/pcn_int.h"
#include "tests/unit/roles/world.h"

static struct world w;
static struct mn alice;
static struct vpn_profile vpn[3];

static void begin(uint8_t n)
{
	world_with_pcns(&w, &alice, vpn, n);
}

static struct role_row row;

static size_t at_pcn(int i)
{
	return world_at_pcn(&w, i, &row);
}

static void finish(void)
{
	world_with_pcns_end(&w);
	CU_ASSERT_EQUAL(w.hars, w.haas);
}

static int ask(uint16_t lifetime)
{
	struct ask a = {.lifetime = lifetime, .with_mn_ha = true, .with_mn_fa = true, .with_challenge = true};

	return mn_send(&w, &alice, &a);
}

static void first_packet(const char *cn)
{
	ha_tell(&w, &(struct role_event){.type = EV_FIRST_PACKET,
					 .path = {.src = addr(cn), .dst = addr("10.1.0.10")}});
}

/* --- F4 --- */

static void test_f4(void)
{
	begin(1);
	mn_join(&w, &alice, 300);
	CU_ASSERT_EQUAL_FATAL(at_pcn(0), 1);
	CU_ASSERT_EQUAL(at_pcn(1), 0);
	at_pcn(0);
	CU_ASSERT_EQUAL(row.coa.s_addr, addr(FA_ADDR).s_addr);
	CU_ASSERT_EQUAL(row.hoa.s_addr, alice.hoa.s_addr);
	CU_ASSERT_EQUAL(row.lifetime_s, 300);
	CU_ASSERT_EQUAL(w.wire[AT_HA].n + w.wire[AT_PCN].n, 2); /* one update, one acknowledgement */
	CU_ASSERT_EQUAL(ask(0), 0);
	CU_ASSERT_EQUAL(at_pcn(0), 0); /* deregistered: everything is gone at the PCN */
	finish();
}

static void test_reply_waits_for_the_pcn(void)
{
	struct ask a = {.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true};

	for (int up = 0; up < 2; up++) {
		begin(3);
		w.vpn[AT_PCN] = VPN_HANGS;
		mn_hear(&w, &alice);
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), -1);
		world_pass(&w, 1700);
		CU_ASSERT_EQUAL(alice.replies,
				0); /* the HA has asked again, the PCN has not answered twice */
		CU_ASSERT_EQUAL(w.wire[AT_PCN].n, 0);
		world_vpn_answers(&w, AT_PCN, up);
		CU_ASSERT_EQUAL(alice.replies, 1);
		CU_ASSERT_EQUAL(alice.rrp.code, up ? 0 : MIP_HA_RESOURCES);
		world_pass(&w, 100);
		CU_ASSERT_EQUAL(at_pcn(0), up);
		CU_ASSERT_EQUAL(at_pcn(1), up); /* taken back */
		finish();
	}
}

static void test_wrong_master_key(void)
{
	struct ask a = {.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true};
	struct pcn_config c;

	begin(1);
	c = w.pc[0];
	c.master.data[7] ^= 1;
	pcn_reconfigure(w.pcn[0], &c, w.now);
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), -1);
	world_pass(&w, 3100);
	CU_ASSERT_EQUAL(alice.rrp.code, MIP_HA_RESOURCES);
	CU_ASSERT_PTR_NOT_NULL(strstr(w.haa.error, "master key"));
	CU_ASSERT_EQUAL(at_pcn(0), 0);
	finish();
}

/* Best-effort: one PCN is away, everything else comes up, and the AAAH hears which one did not. */
static void test_mixed_one_away(void)
{
	struct ask a = {.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true};

	begin(3);
	w.cut[AT_PCN2] = true;
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), -1);
	world_pass(&w, 3100);
	CU_ASSERT_EQUAL(alice.rrp.code, 0);
	CU_ASSERT_EQUAL(w.haa.n_refused, 1);
	CU_ASSERT_EQUAL(w.haa.refused[0].number, 6);
	CU_ASSERT_EQUAL(at_pcn(0), 1);
	finish();
}

/* --- E7 --- */

static void test_moves(void)
{
	begin(3);
	mn_join(&w, &alice, 300);
	world_pass(&w, 2000);
	vpn[0].src_gw = vpn[1].src_gw = vpn[2].src_gw = addr("198.51.100.12");
	mn_join(&w, &alice, 300);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(at_pcn(i), 1);
		CU_ASSERT_EQUAL(row.coa.s_addr, addr("198.51.100.12").s_addr);
	}
	finish();
}

static void test_renewals(void)
{
	begin(2);
	mn_join(&w, &alice, 300);
	for (int i = 0; i < 5; i++) {
		world_pass(&w, 200000);
		CU_ASSERT_EQUAL(ask(300), 0);
		CU_ASSERT_EQUAL(at_pcn(0), 1);
		CU_ASSERT_EQUAL(row.left_s, 300);
	}
	w.same_session = false; /* and through the AAA, in a new session */
	mn_join(&w, &alice, 250);
	CU_ASSERT_EQUAL(at_pcn(0), 1);
	CU_ASSERT_EQUAL(row.left_s, 250);
	world_pass(&w, 251000); /* nobody renews: each by its own clock */
	CU_ASSERT_EQUAL(at_pcn(0) + at_pcn(1) + ha_count(&w), 0);
	finish();
}

/* --- F8: the PCN gives less than the registration, so it asks, and is answered while the VPN stands --- */

static void test_f8(void)
{
	struct pcn_config c;

	begin(1);
	c = w.pc[0];
	c.lifetime_max = 20;
	pcn_reconfigure(w.pcn[0], &c, w.now);
	mn_join(&w, &alice, 300);
	for (int i = 0; i < 14; i++) {
		world_pass(&w, 18100);
		CU_ASSERT_EQUAL(at_pcn(0), 1);
		CU_ASSERT_TRUE(row.left_s >= 18);
	}
	CU_ASSERT_EQUAL(w.wire[AT_PCN].n, 1 + 2 * 14); /* a request and an acknowledgement each time */
	w.cut[AT_HA] = true;			       /* the HA dies: asked again, then all is removed */
	world_pass(&w, 20000);
	CU_ASSERT_EQUAL(at_pcn(0), 0);
	CU_ASSERT_TRUE(w.wire[AT_PCN].n <= 1 + 2 * 14 + 3);
	w.cut[AT_HA] = false;
	finish();
}

static void test_f8_lost_requests(void)
{
	struct pcn_config c;

	begin(1);
	c = w.pc[0];
	c.lifetime_max = 100;
	pcn_reconfigure(w.pcn[0], &c, w.now);
	mn_join(&w, &alice, 500);
	w.cut[AT_PCN] = true;
	world_pass(&w, 92000); /* asked at 90 and 91 s, in vain */
	CU_ASSERT_EQUAL(at_pcn(0), 1);
	CU_ASSERT_STRING_EQUAL(row.state, "asking");
	w.cut[AT_PCN] = false;
	world_pass(&w, 1100); /* and at 93 */
	CU_ASSERT_EQUAL(at_pcn(0), 1);
	CU_ASSERT_STRING_EQUAL(row.state, "ready");
	CU_ASSERT_TRUE(row.left_s > 98);
	finish();
}

/* --- F9: the PCN has lost it, a packet of a correspondent comes to the HA --- */

static void test_f9(void)
{
	unsigned told;

	begin(1);
	mn_join(&w, &alice, 300);
	world_pass(&w, 2000);
	world_tell(&w, AT_PCN, &(struct role_event){.type = EV_DROP, .text = "10.1.0.10"});
	CU_ASSERT_EQUAL(at_pcn(0), 0);
	told = w.wire[AT_HA].n;
	first_packet("203.0.113.5");
	CU_ASSERT_EQUAL(at_pcn(0), 1);
	CU_ASSERT_EQUAL(row.lifetime_s, 298);
	CU_ASSERT_EQUAL(w.wire[AT_HA].n, told + 1);
	for (int i = 0; i < 50; i++) /* within 5 s nothing more */
		first_packet("203.0.113.6");
	CU_ASSERT_EQUAL(w.wire[AT_HA].n, told + 1);
	first_packet("192.0.2.1"); /* not of that VPN */
	CU_ASSERT_EQUAL(w.wire[AT_HA].n, told + 1);
	world_pass(&w, 5000);
	first_packet("203.0.113.6");
	CU_ASSERT_EQUAL(w.wire[AT_HA].n, told + 2);
	finish();
}

/* --- thousands of steps in no order --- */

static uint32_t seed;

static uint32_t dice(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void replay(int from, int to, const struct in_addr *src)
{
	struct world_wire x = w.wire[from];
	struct role_event e = {.type = EV_PACKET, .path = x.path, .data = x.bytes, .len = x.len};

	if (!x.len)
		return;
	if (src)
		e.path.src = *src;
	if (dice(2))
		x.bytes[dice((uint32_t)x.len)] ^= (uint8_t)(1u << dice(8));
	if (!dice(4))
		e.len = dice((uint32_t)x.len + 1);
	world_tell(&w, to, &e);
}

static void step(void)
{
	static const char *const text[] = {"10.1.0.10", "alice@home.test", "nobody"};
	struct ask join = {.lifetime = (uint16_t)(1 + dice(300)),
			   .keys = true,
			   .with_aaa = true,
			   .with_challenge = true};
	struct role_event drop = {.type = EV_DROP, .text = text[dice(3)]};

	for (int r = 0; r < ROLES; r++) {
		w.cut[r] = r != AT_FA && !dice(8);
		w.vpn[r] = dice(8) ? VPN_COMES_UP : VPN_HANGS;
		if (w.vpn[r] == VPN_HANGS && w.vpn_session[r][0])
			w.vpn[r] = VPN_COMES_UP;
	}
	w.n_profiles = (uint8_t)dice(4);
	w.same_session = dice(2);
	vpn[0].src_gw = addr(dice(2) ? FA_ADDR : "198.51.100.12");
	vpn[0].required = dice(2);
	switch (dice(10)) {
	case 0:
	case 1:
		mn_hear(&w, &alice);
		mn_send(&w, &alice, &join);
		break;
	case 2:
		if (alice.mn_ha.have && alice.mn_fa.have)
			ask(dice(3) ? (uint16_t)(1 + dice(300)) : 0);
		break;
	case 3:
		world_tell(&w, (int)dice(ROLES), &drop);
		break;
	case 4:
		replay(AT_HA, AT_PCN + (int)dice(2), NULL);
		break;
	case 5:
		replay(AT_PCN + (int)dice(2), AT_HA, NULL);
		break;
	case 6:
		first_packet(dice(2) ? "203.0.113.5" : "203.0.114.7");
		break;
	case 7:
		world_pass(&w, dice(100000));
		break;
	default:
		world_pass(&w, dice(3000));
	}
}

static void test_random(void)
{
	for (uint32_t s = 1; s <= 4; s++) {
		seed = s;
		begin(3);
		w.random = true;
		for (int i = 0; i < 3000; i++)
			step();
		memset(w.cut, 0, sizeof(w.cut));
		memset(w.vpn_session, 0, sizeof(w.vpn_session));
		world_pass(&w, 2000000); /* longer than any lifetime */
		CU_ASSERT_EQUAL(ha_count(&w) + fa_count(&w) + at_pcn(0) + at_pcn(1), 0);
		CU_ASSERT_TRUE(world_balanced(&w));
		CU_ASSERT_EQUAL(w.hars, w.haas);
		CU_ASSERT_EQUAL(pcn_next(w.pcn[0]), UINT64_MAX);
		w.reply_before_vpn = 0;
		world_end(&w);
	}
}

/* What one VPN costs: 4,096 bindings with one each are 5 MiB at the home agent and 2 at the PCN. */
static void test_memory(void)
{
	HARNESS_AT(sizeof(struct ha_bu) + sizeof(struct ha_bu_set) < 1280 + 64, "%zu", sizeof(struct ha_bu));
	HARNESS_AT(sizeof(struct pcn_entry) < 512, "%zu", sizeof(struct pcn_entry));
}

HARNESS_MAIN("roles/ha_pcn", HARNESS_CASE(test_f4), HARNESS_CASE(test_reply_waits_for_the_pcn),
	     HARNESS_CASE(test_wrong_master_key), HARNESS_CASE(test_mixed_one_away), HARNESS_CASE(test_moves),
	     HARNESS_CASE(test_renewals), HARNESS_CASE(test_f8), HARNESS_CASE(test_f8_lost_requests),
	     HARNESS_CASE(test_f9), HARNESS_CASE(test_memory), HARNESS_CASE(test_random))
