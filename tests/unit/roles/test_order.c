/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Requests of one mobile node that are under way at the same time, and answers in any order: whatever it is,
 * foreign and home agent end with what the node has, which goes by the latest request that was granted.
 */
#include "tests/unit/roles/world.h"

#define STEPS 3000

static struct world w;
static struct mn alice;
static const struct ask join = {.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true};
static const struct ask rereg = {
	.lifetime = 300, .with_mn_ha = true, .with_mn_fa = true, .with_challenge = true};
static const struct ask dereg = {.with_mn_ha = true, .with_mn_fa = true, .with_challenge = true};

static void begin(uint8_t profiles, bool same_session)
{
	world_init(&w, true);
	w.n_profiles = profiles;
	w.same_session = same_session;
	w.aaah_relays_end = true;
	w.fc.aaa_timeout_ms = 600000; /* what is held is not given up */
	world_mn(&w, &alice, "alice@home.test", "10.1.0.10");
	world_start(&w);
}

static int ask(const struct ask *a)
{
	world_pass(&w, 1000);
	mn_hear(&w, &alice);
	return mn_send(&w, &alice, a);
}

static void two_held(uint8_t profiles, bool same_session)
{
	begin(profiles, same_session);
	w.hold_ama = true;
	CU_ASSERT_EQUAL(ask(&join), -1);
	CU_ASSERT_EQUAL(ask(&join), -1);
	CU_ASSERT_EQUAL_FATAL(w.n_held, 2);
	w.hold_ama = false;
}

/* The node can renew and leave: all have the keys that it has. */
static void agree(void)
{
	CU_ASSERT_EQUAL(fa_count(&w), 1);
	CU_ASSERT_EQUAL(ask(&rereg), 0);
	CU_ASSERT_TRUE(alice.right32 && alice.right33);
	CU_ASSERT_EQUAL(ask(&dereg), 0);
	CU_ASSERT_EQUAL(fa_count(&w), 0);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

static void test_older_last(void)
{
	for (uint8_t n = 0; n < 6; n++) {
		uint64_t before = counter_get("fa.rrp.superseded");

		two_held(n / 2, n % 2);
		world_ama_arrives(&w, 1);
		CU_ASSERT_EQUAL(alice.replies, 1);
		world_ama_arrives(&w, 0);
		CU_ASSERT_EQUAL(alice.stale, 0); /* nobody waits for it */
		CU_ASSERT_EQUAL(counter_get("fa.rrp.superseded"), before + 1);
		CU_ASSERT_EQUAL(w.strs[AT_FA], 0);
		agree();
	}
}

static void test_older_first(void)
{
	for (uint8_t n = 0; n < 6; n++) {
		two_held(n / 2, n % 2);
		world_ama_arrives(&w, 0);
		CU_ASSERT_EQUAL(alice.replies, 1);
		world_ama_arrives(&w, 0);
		CU_ASSERT_EQUAL(alice.replies, 2);
		agree();
	}
}

/* The older one waits for its tunnels, which the other end has taken down. */
static void test_older_in_tunnels(void)
{
	two_held(1, true);
	w.vpn[AT_FA] = VPN_HANGS;
	world_ama_arrives(&w, 0);
	CU_ASSERT_EQUAL(alice.replies, 0);
	world_ama_arrives(&w, 0);
	CU_ASSERT_EQUAL(fa_count(&w), 1);
	world_vpn_answers(&w, AT_FA, true);
	w.vpn[AT_FA] = VPN_COMES_UP;
	CU_ASSERT_EQUAL(alice.replies, 1);
	CU_ASSERT_EQUAL(w.strs[AT_FA], 0);
	agree();
}

/* The newer one's tunnels fail: what the AAAH has is that one, and it ends. */
static void test_newer_fails(void)
{
	two_held(1, true);
	w.vpn[AT_FA] = VPN_HANGS;
	world_ama_arrives(&w, 1);
	world_ama_arrives(&w, 0);
	CU_ASSERT_EQUAL(alice.replies, 0);
	world_vpn_answers(&w, AT_FA, false);
	CU_ASSERT_EQUAL(alice.rrp.code, MIP_FA_RESOURCES);
	CU_ASSERT_EQUAL(w.strs[AT_FA], 1);
	CU_ASSERT_EQUAL(fa_count(&w), 0);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	world_end(&w);
}

/* Superseded at the home agent, and that is heard of after the newer one's yes. */
static void test_refusal_comes_last(void)
{
	begin(1, false);
	w.hold_ama = true;
	w.vpn[AT_HA] = VPN_HANGS;
	ask(&join);
	ask(&join);
	world_vpn_answers(&w, AT_HA, true);
	w.vpn[AT_HA] = VPN_COMES_UP;
	w.hold_ama = false;
	CU_ASSERT_EQUAL_FATAL(w.n_held, 2);
	CU_ASSERT_EQUAL(w.held[0].a.result, DM_MIP_REPLY_FAILURE);
	world_ama_arrives(&w, 1);
	world_ama_arrives(&w, 0);
	CU_ASSERT_EQUAL(alice.replies, 1);
	CU_ASSERT_EQUAL(alice.stale, 0);
	agree();
}

/* He has left when the answer to an earlier request comes: he does not come back by it. */
static void test_left_meanwhile(void)
{
	for (uint8_t n = 0; n < 2; n++) {
		begin(n, true);
		mn_join(&w, &alice, 300);
		w.hold_ama = true;
		CU_ASSERT_EQUAL(ask(&(struct ask){.lifetime = 300,
						  .with_aaa = true,
						  .with_mn_ha = true,
						  .with_mn_fa = true,
						  .with_challenge = true,
						  .keys = true}),
				-1);
		w.no_keys = false;
		/* By home agent and keys of before: the newer ones are not here yet, so it is the AAAH's. */
		CU_ASSERT_EQUAL(ask(&(struct ask){.with_aaa = true, .with_challenge = true, .keys = true,
						  .ha = "0.0.0.0"}),
				-1);
		w.hold_ama = false;
		CU_ASSERT_EQUAL_FATAL(w.n_held, 2);
		world_ama_arrives(&w, 1);
		CU_ASSERT_EQUAL(fa_count(&w), 1); /* the earlier one, under way */
		world_ama_arrives(&w, 0);
		CU_ASSERT_EQUAL(fa_count(&w), 0);
		CU_ASSERT_EQUAL(ha_count(&w), 0);
		world_end(&w);
	}
}

/* --- any order --- */

static uint32_t seed;

static uint32_t dice(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void step(void)
{
	for (int i = 0; i < 2; i++) {
		w.vpn[i] = w.vpn_session[i][0] ? VPN_COMES_UP : dice(3) ? VPN_COMES_UP : VPN_HANGS;
	}
	switch (dice(6)) {
	case 0:
		if (w.vpn_session[dice(2)][0])
			world_vpn_answers(&w, w.vpn_session[AT_FA][0] ? AT_FA : AT_HA, dice(4));
		break;
	case 1:
	case 2:
		if (w.n_held)
			world_ama_arrives(&w, dice((uint32_t)w.n_held));
		break;
	case 3:
		if (alice.mn_ha.have && alice.mn_fa.have)
			ask(dice(3) ? &rereg : &dereg);
		break;
	default:
		if (w.n_held < 6)
			ask(&join);
	}
}

/* All that is under way comes to its end; then the node's last word has to count. */
static void settle(void)
{
	w.hold_ama = false;
	w.vpn[AT_FA] = w.vpn[AT_HA] = VPN_COMES_UP;
	for (int i = 0; i < 2; i++) {
		if (w.vpn_session[AT_HA][0])
			world_vpn_answers(&w, AT_HA, true);
		while (w.n_held)
			world_ama_arrives(&w, dice((uint32_t)w.n_held));
		if (w.vpn_session[AT_FA][0])
			world_vpn_answers(&w, AT_FA, true);
	}
	world_pass(&w, 10000);
}

static bool registered(void)
{
	struct role_row row;

	return fa_rows(w.fa, w.now, &row, 1) && strcmp(row.state, "registered") == 0;
}

static void run(uint32_t first)
{
	unsigned left = 0;

	seed = first;
	begin(1, first % 2);
	for (int i = 0; i < STEPS; i++) {
		w.hold_ama = true;
		step();
		if (dice(12))
			continue;
		settle();
		CU_ASSERT_TRUE(fa_count(&w) <= 1 && ha_count(&w) <= 1);
		if (!registered())
			continue;
		HARNESS_AT(ask(&rereg) == 0, "seed %u, step %d: not renewed", first, i);
		HARNESS_AT(ask(&dereg) == 0 && !fa_count(&w) && !ha_count(&w), "seed %u, step %d: not left",
			   first, i);
		left++;
	}
	CU_ASSERT_TRUE(left > 50);
	settle();
	world_pass(&w, 1000000);
	CU_ASSERT_TRUE(world_balanced(&w));
	CU_ASSERT_EQUAL(w.hars, w.haas);
	w.reply_before_vpn = 0;
	world_end(&w);
}

static void test_any_order(void)
{
	for (uint32_t s = 1; s <= 6; s++)
		run(s);
}

HARNESS_MAIN("roles/order", HARNESS_CASE(test_older_last), HARNESS_CASE(test_older_first),
	     HARNESS_CASE(test_older_in_tunnels), HARNESS_CASE(test_newer_fails),
	     HARNESS_CASE(test_refusal_comes_last), HARNESS_CASE(test_left_meanwhile),
	     HARNESS_CASE(test_any_order))
