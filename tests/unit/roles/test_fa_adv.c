/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The foreign agent on its link: challenges (RFC 4721), advertisements, solicitations, the limit of denials.
 */
#include <malloc.h>

#include "tests/unit/roles/world.h"

static struct world w;
static struct mn alice, bob;

static void begin(bool aaa)
{
	world_init(&w, aaa);
	world_mn(&w, &alice, "alice@home.test", "10.1.0.10");
	world_mn(&w, &bob, "bob@home.test", "10.1.0.11");
}

static const struct ask good = {.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true};

/* A flood of requests that nobody can authenticate costs no memory, and alice's challenge is still good. */
static void test_flood(void)
{
	struct ask a = good;
	uint8_t heard[16];
	size_t before;

	begin(true);
	world_start(&w);
	mn_hear(&w, &alice);
	memcpy(heard, alice.challenge, 16);
	a.spoil_aaa = true;
	a.challenge_len = 16;
	a.challenge = heard;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), MIP_FA_AAA_AUTH);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 4000; i++) {
		static char nai[32];

		snprintf(nai, sizeof(nai), "x%d@home.test", i);
		bob.nai = nai;
		bob.mac[4] = (uint8_t)i;
		mn_send(&w, &bob, &a);
	}
	CU_ASSERT_TRUE(mallinfo2().uordblks <=
		       before + 16384); /* names of counters and the like, whatever their number */
	CU_ASSERT_EQUAL(fa_count(&w), 0);
	memcpy(alice.challenge, heard, 16);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &good), 0);
	world_end(&w);
}

static void test_challenge_rules(void)
{
	struct ask a = good;
	uint8_t old[16], heard[16];

	begin(true);
	world_start(&w);
	world_pass(&w, 5000);
	mn_hear(&w, &alice);
	memcpy(old, alice.challenge, 16);
	world_pass(&w, 1000);
	mn_hear(&w, &alice);
	memcpy(heard, alice.challenge, 16);
	CU_ASSERT_NOT_EQUAL(memcmp(old, heard, 16), 0);
	/* Unauthenticated attempts with it do not use it up. */
	a.spoil_aaa = true;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), MIP_FA_AAA_AUTH);
	a.spoil_aaa = false;
	memcpy(alice.challenge, heard, 16);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	/* Used, and so are those advertised before it: stale, until the window has passed: unknown. */
	a.challenge_len = 16;
	a.challenge = heard;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), MIP_FA_CHALLENGE_STALE);
	world_pass(&w, 1000);
	a.challenge = old;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), MIP_FA_CHALLENGE_UNKNOWN); /* out of the window of 2 */
	world_pass(&w, 1000);
	a.challenge = heard;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), MIP_FA_CHALLENGE_STALE); /* its last one is remembered */
	/* bob may use what alice has used. */
	world_pass(&w, 1000);
	mn_hear(&w, &alice);
	mn_hear(&w, &bob);
	a.challenge = NULL;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	CU_ASSERT_EQUAL(mn_send(&w, &bob, &a), 0);
	/* The one in the reply is bob's, long after, once. */
	world_pass(&w, 60000);
	memcpy(heard, bob.challenge, 16);
	CU_ASSERT_EQUAL(mn_send(&w, &bob, &a), 0);
	memcpy(old, bob.challenge, 16);
	memcpy(bob.challenge, heard, 16);
	CU_ASSERT_EQUAL(mn_send(&w, &bob, &a), MIP_FA_CHALLENGE_STALE);
	a.challenge = old;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), MIP_FA_CHALLENGE_UNKNOWN);
	world_end(&w);
}

/* Somebody else names alice: her session, and the challenge that she holds, stay what they are. */
static void test_impostor(void)
{
	struct ask a = good,
		   r = {.lifetime = 300, .with_mn_ha = true, .with_mn_fa = true, .with_challenge = true};
	struct mn eve;

	begin(true);
	world_start(&w);
	mn_join(&w, &alice, 300);
	eve = alice;
	eve.mac[5] = 66;
	eve.aaa.key[0] ^= 1;
	w.mn[w.n_mn++] = &eve;
	world_pass(&w, 1000);
	mn_hear(&w, &eve);
	CU_ASSERT_EQUAL(mn_send(&w, &eve, &a), MIP_FA_AAA_AUTH);
	memset(eve.mn_fa.key, 0, 20);
	world_pass(&w, 1000);
	mn_hear(&w, &eve);
	CU_ASSERT_EQUAL(mn_send(&w, &eve, &r), MIP_FA_MN_AUTH);
	CU_ASSERT_EQUAL(fa_count(&w), 1);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &r), 0);
	world_end(&w);
}

static void test_denials_are_limited(void)
{
	struct ask a = {.flags = MIP_G, .lifetime = 300, .with_aaa = true, .with_challenge = true};
	int answered = 0;

	begin(true);
	world_start(&w);
	mn_hear(&w, &alice);
	for (int i = 0; i < 30; i++) {
		answered += mn_send(&w, &alice, &a) >= 0;
		world_pass(&w, 100);
	}
	CU_ASSERT_EQUAL(answered, 3);
	mn_hear(&w, &bob);
	CU_ASSERT_EQUAL(mn_send(&w, &bob, &a), MIP_FA_ENCAP); /* not bob's fault */
	world_end(&w);
}

static void test_advertisements(void)
{
	struct role_event s = {.type = EV_SOLICIT, .path = {.ifindex = LINK, .mac = {2, 0, 0, 0, 0, 1}}};
	unsigned n;

	begin(true);
	world_start(&w);
	CU_ASSERT_EQUAL(w.adv.sequence, 0);
	CU_ASSERT_EQUAL(w.adv.flags, MIP_ADV_F | MIP_ADV_T);
	CU_ASSERT_EQUAL(w.adv.reg_lifetime, 600);
	CU_ASSERT_EQUAL(w.adv.coa[0].s_addr, addr(FA_ADDR).s_addr);
	CU_ASSERT_EQUAL(w.adv.router.s_addr, addr(FA_LINK_ADDR).s_addr);
	CU_ASSERT_EQUAL(w.adv.challenge_len, 16);
	CU_ASSERT_EQUAL(w.adv.icmp_code, 16);
	CU_ASSERT_EQUAL(w.adv_path.ttl, 1);
	n = w.advs;
	world_pass(&w, 10000);
	CU_ASSERT_TRUE(w.advs - n >= 10 && w.advs - n <= 12); /* an interval, less up to an eighth */
	CU_ASSERT_EQUAL(w.adv.sequence, w.advs - 1);
	s.path.src = addr("10.1.0.10");
	n = w.advs;
	for (int i = 0; i < 100; i++)
		fa_tell(&w, &s);
	CU_ASSERT_EQUAL(w.advs - n, 5); /* a flood of questions is not a flood of answers */
	CU_ASSERT_EQUAL(w.adv_path.dst.s_addr, addr("10.1.0.10").s_addr);
	CU_ASSERT_EQUAL(w.adv_path.mac[5], 1);
	while (w.adv.sequence < 0xff00)
		world_pass(&w, 100000);
	for (int i = 0; i < 300 && w.adv.sequence >= 0xff00; i++)
		world_pass(&w, 1000);
	CU_ASSERT_TRUE(w.adv.sequence >= 0x100 &&
		       w.adv.sequence < 0x104); /* not 0: that would tell a restart */
	world_end(&w);
}

static void test_reconfigure(void)
{
	begin(true);
	w.n_profiles = 1;
	world_start(&w);
	mn_join(&w, &alice, 300);
	fa_reconfigure(w.fa, &w.fc, w.now);
	world_pass(&w, 100);
	CU_ASSERT_EQUAL(fa_count(&w), 1);
	w.fc.n_links = 0;
	fa_reconfigure(w.fa, &w.fc, w.now);
	world_pass(&w, 0);
	CU_ASSERT_EQUAL(fa_count(&w), 0);
	CU_ASSERT_EQUAL(fa_next(w.fa) == UINT64_MAX, false); /* challenges still turn */
	world_end(&w);
}

HARNESS_MAIN("roles/fa_adv", HARNESS_CASE(test_flood), HARNESS_CASE(test_challenge_rules),
	     HARNESS_CASE(test_impostor), HARNESS_CASE(test_denials_are_limited),
	     HARNESS_CASE(test_advertisements), HARNESS_CASE(test_reconfigure))
