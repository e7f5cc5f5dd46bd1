/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every way in which a session ends: deregistration through the FA, through the AAA, at home; expiry; the
 * operator at either end; ASR; a lost tunnel.  Afterwards nothing is left at either end.
 */
#include "tests/unit/roles/world.h"

static struct world w;
static struct mn alice, bob;

static void begin(uint8_t profiles)
{
	world_init(&w, true);
	w.n_profiles = profiles;
	w.aaah_relays_end = true;
	world_mn(&w, &alice, "alice@home.test", "10.1.0.10");
	world_mn(&w, &bob, "bob@home.test", "10.1.0.11");
	world_start(&w);
}

static const struct ask dereg = {.with_mn_ha = true, .with_mn_fa = true, .with_challenge = true};
static const struct ask join = {.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true};

static void test_deregister_via_fa(void)
{
	begin(1);
	mn_join(&w, &alice, 300);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &dereg), 0);
	CU_ASSERT_TRUE(alice.right32);
	CU_ASSERT_TRUE(alice.right33); /* although the AAAH's ASR was here before the reply */
	CU_ASSERT_EQUAL(alice.rrp.lifetime, 0);
	CU_ASSERT_EQUAL(w.strs[AT_HA], 1);
	CU_ASSERT_EQUAL(w.str_cause, DM_TERM_LOGOUT);
	CU_ASSERT_EQUAL(w.strs[AT_FA], 0);
	CU_ASSERT_FALSE(w.garp_mn);
	CU_ASSERT_TRUE(world_balanced(&w));
	CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 0);
	world_pass(&w, 3000);
	mn_join(&w, &alice, 300); /* and again, with new keys */
	world_end(&w);
}

/* The HA can verify it: the AAA is not asked, whatever else the request carries. */
static void test_deregister_direct(void)
{
	struct ask a = {.with_mn_ha = true, .with_aaa = true, .with_challenge = true};

	begin(1);
	mn_join(&w, &alice, 300);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	CU_ASSERT_EQUAL(w.sessions, 1);
	CU_ASSERT_EQUAL(w.to_ha, 1);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

/* The node has lost its keys, and deregisters by MN-AAA: AMR and HAR with lifetime 0. */
static void test_deregister_via_aaa(void)
{
	struct ask a = {.keys = true, .with_aaa = true, .with_challenge = true};

	begin(1);
	mn_join(&w, &alice, 300);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	CU_ASSERT_EQUAL(alice.rrp.lifetime, 0);
	CU_ASSERT_TRUE(alice.right32);
	CU_ASSERT_EQUAL(w.sessions, 2);
	CU_ASSERT_EQUAL(w.strs[AT_FA] + w.strs[AT_HA], 0);
	CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

static void test_deregister_at_home(void)
{
	struct ask a = {.with_mn_ha = true, .coa = "10.1.0.10", .dst = "10.1.0.1"};

	begin(1);
	mn_join(&w, &alice, 300);
	CU_ASSERT_EQUAL(mn_send_home(&w, &alice, &a), 0);
	CU_ASSERT_TRUE(alice.right32);
	CU_ASSERT_EQUAL(alice.path.ifindex, HOME);
	CU_ASSERT_EQUAL(alice.path.src.s_addr, addr("10.1.0.1").s_addr);
	CU_ASSERT_EQUAL(alice.path.dst.s_addr, addr("10.1.0.10").s_addr);
	CU_ASSERT_TRUE(w.garp_mn);
	CU_ASSERT_TRUE(world_balanced(&w)); /* the AAAH told the FA */
	CU_ASSERT_EQUAL(w.asa_result, DM_SUCCESS);
	/* The reply was lost: the retransmission gets one too, a replay does not count. */
	w.wall += 1000;
	CU_ASSERT_EQUAL(mn_send_home(&w, &alice, &a), 0);
	a.lifetime = 300; /* the key is kept for that, and not to register again */
	a.coa = FA_ADDR;
	CU_ASSERT_EQUAL(mn_send_home(&w, &alice, &a), -1);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	a.lifetime = 0;
	a.coa = "10.1.0.10";
	w.wall += 1000;
	CU_ASSERT_EQUAL(mn_send_home(&w, &alice, &a), 0);
	a.ident = alice.ident;
	CU_ASSERT_EQUAL(mn_send_home(&w, &alice, &a), MIP_HA_IDENT);
	a.ident = 0;
	world_pass(&w, 20000);
	CU_ASSERT_EQUAL(mn_send_home(&w, &alice, &a), -1); /* the key is gone by now */
	world_end(&w);
}

static void test_expiry(void)
{
	begin(1);
	mn_join(&w, &alice, 300);
	w.aaah_relays_end = false;
	world_pass(&w, 299000);
	CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 2);
	world_pass(&w, 2000);
	CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 0);
	CU_ASSERT_EQUAL(w.strs[AT_FA], 1);
	CU_ASSERT_EQUAL(w.strs[AT_HA], 1);
	CU_ASSERT_EQUAL(w.str_cause, DM_TERM_SESSION_TIMEOUT);
	CU_ASSERT_EQUAL(alice.replies, 1);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

static void test_drop(void)
{
	static const char *const text[] = {"alice@home.test", "10.1.0.10", NULL};

	for (int at = AT_FA; at <= AT_HA; at++) {
		for (int i = 0; i < 3; i++) {
			struct role_event e = {.type = EV_DROP, .text = text[i]};

			begin(1);
			mn_join(&w, &alice, 300);
			mn_join(&w, &bob, 300);
			char bobs[2][DM_SESSION_MAX];

			memcpy(bobs[0], w.amr_session, sizeof(bobs[0]));
			memcpy(bobs[1], w.har_session, sizeof(bobs[1]));
			w.aaah_relays_end = false;
			if (!e.text) /* by session: bob's */
				e.text = bobs[at];
			if (at == AT_FA)
				fa_tell(&w, &e);
			else
				ha_tell(&w, &e);
			CU_ASSERT_EQUAL(fa_count(&w), at == AT_FA ? 1 : 2);
			CU_ASSERT_EQUAL(ha_count(&w), at == AT_HA ? 1 : 2);
			CU_ASSERT_EQUAL(w.strs[at], 1);
			CU_ASSERT_EQUAL(w.str_cause, DM_TERM_ADMINISTRATIVE);
			world_end(&w);
		}
	}
}

/* Dropped while the tunnels of its renewal come up: all goes, once. */
static void test_drop_while_renewing(void)
{
	struct role_event drop = {.type = EV_DROP, .text = "alice@home.test"};

	for (int i = 0; i < 4; i++) {
		begin(1);
		w.same_session = i & 2;
		mn_join(&w, &alice, 300);
		w.vpn[i & 1 ? AT_HA : AT_FA] = VPN_HANGS;
		world_pass(&w, 1000);
		mn_hear(&w, &alice);
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), -1);
		if (i & 1)
			ha_tell(&w, &drop);
		else
			fa_tell(&w, &drop);
		CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 0);
		CU_ASSERT_TRUE(world_balanced(&w));
		world_end(&w);
	}
}

static void test_asr(void)
{
	struct role_event e = {.type = EV_ASR, .token = 5};

	for (int at = AT_FA; at <= AT_HA; at++) {
		begin(2);
		mn_join(&w, &alice, 300);
		e.session = at == AT_FA ? w.amr_session : w.har_session;
		for (int twice = 0; twice < 2; twice++) {
			if (at == AT_FA)
				fa_tell(&w, &e);
			else
				ha_tell(&w, &e);
			CU_ASSERT_EQUAL(w.asa_result, twice ? DM_UNKNOWN_SESSION : DM_SUCCESS);
		}
		CU_ASSERT_EQUAL(at == AT_FA ? fa_count(&w) : ha_count(&w), 0);
		CU_ASSERT_EQUAL(w.strs[AT_FA] + w.strs[AT_HA], 0);
		world_end(&w);
	}
}

static void test_vpn_down(void)
{
	struct role_event e = {.type = EV_VPN_DOWN, .text = "peer is dead"};

	for (int at = AT_FA; at <= AT_HA; at++) {
		begin(1);
		mn_join(&w, &alice, 300);
		e.session = at == AT_FA ? w.amr_session : w.har_session;
		if (at == AT_FA)
			fa_tell(&w, &e);
		else
			ha_tell(&w, &e);
		CU_ASSERT_EQUAL(w.strs[at], 1);
		CU_ASSERT_EQUAL(w.str_cause, DM_TERM_LINK_BROKEN);
		CU_ASSERT_TRUE(world_balanced(&w));
		world_end(&w);
	}
}

/* The HA has given alice's address to bob, and nobody has told the FA. */
static void test_address_given_to_another(void)
{
	struct role_event drop = {.type = EV_DROP, .text = "alice@home.test"};

	begin(1);
	w.assign = "10.1.0.77";
	alice.hoa.s_addr = bob.hoa.s_addr = 0;
	mn_join(&w, &alice, 300);
	w.aaah_relays_end = false;
	ha_tell(&w, &drop);
	mn_join(&w, &bob, 300);
	CU_ASSERT_EQUAL(fa_count(&w), 1);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	world_end(&w);
}

HARNESS_MAIN("roles/ends", HARNESS_CASE(test_deregister_via_fa), HARNESS_CASE(test_deregister_direct),
	     HARNESS_CASE(test_deregister_via_aaa), HARNESS_CASE(test_deregister_at_home),
	     HARNESS_CASE(test_expiry), HARNESS_CASE(test_drop), HARNESS_CASE(test_drop_while_renewing),
	     HARNESS_CASE(test_asr), HARNESS_CASE(test_vpn_down), HARNESS_CASE(test_address_given_to_another))
