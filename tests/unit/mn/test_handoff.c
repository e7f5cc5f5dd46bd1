/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Moves that lose nothing: what the new foreign agent is told, links that fade, and what is sent while there is
 * none.
 */
#include <string.h>

#include "tests/unit/harness.h"
#include "tests/unit/mn/sim.h"

static struct in_addr coa1, coa2;

/* Registered at fa1, fa2 is heard as well. */
static struct sim between(const struct mn_config *c)
{
	struct sim s = sim_registered(c, 600);

	coa1 = sim_ip("198.51.100.11");
	coa2 = sim_ip("198.51.100.12");
	sim_pass(&s, 2000);
	sim_advertise(&s, &sim_fa1);
	sim_advertise(&s, &sim_fa2);
	sim_pass(&s, 100);
	CU_ASSERT_EQUAL(s.sent, 1);
	return s;
}

static void check_notification(const struct sim *s)
{
	struct mip_pfan p;
	uint8_t k[20];

	sim_key(k);
	CU_ASSERT_EQUAL(s->rrq.coa.s_addr, coa2.s_addr);
	CU_ASSERT_TRUE_FATAL(mip_pfan_get(&s->rrq, &p));
	CU_ASSERT_TRUE(mip_pfan_check(&s->rrq, CRYPTO_HMAC_SHA1, k, 20));
	CU_ASSERT_TRUE(p.lifetime == 10 && p.spi == 2000);
	CU_ASSERT_TRUE(p.previous_fa.s_addr == coa1.s_addr && p.coa.s_addr == coa2.s_addr);
	CU_ASSERT_TRUE(mip_auth_check(&s->rrq.mn_ha, s->rrq.raw, CRYPTO_HMAC_SHA1, k, 20));
	CU_ASSERT_TRUE(s->rrq.pfan.start < s->rrq.mn_ha.start && s->rrq.pfan.start < s->rrq.ha_part);
	CU_ASSERT_TRUE(s->rrq.mn_aaa.present && s->rrq.challenge.len > 0);
	CU_ASSERT_TRUE(s->rrq.mn_fa_key.present && !s->rrq.mn_ha_key.present && !s->rrq.mn_fa.present);
}

static void test_fading_link(void)
{
	struct mn_config c = sim_config();
	struct sim s = between(&c);

	sim_event(&s, MN_EV_FADE);
	CU_ASSERT_EQUAL_FATAL(s.sent, 2); /* at once */
	check_notification(&s);
	CU_ASSERT_EQUAL(s.rrq.flags, MIP_S);
	CU_ASSERT_TRUE(s.attached == 1 && s.detached == 0 && s.held == 0); /* the old way until then */
	s.moved_key = true;
	sim_pass(&s, 40);
	sim_reply(&s, MIP_ACCEPTED_NO_SIMUL, 600);
	CU_ASSERT_STRING_EQUAL(s.event, "registered");
	CU_ASSERT_EQUAL(s.took_us, 40000);
	CU_ASSERT_TRUE(s.attached == 2 && s.attach.agent.s_addr == sim_ip("10.3.1.1").s_addr);
	for (int i = 0; i < 20; i++) { /* both go on being heard: it stays */
		sim_advertise(&s, &sim_fa1);
		sim_advertise(&s, &sim_fa2);
		sim_pass(&s, 1000);
	}
	CU_ASSERT_EQUAL(s.sent, 2);
	sim_event(&s, MN_EV_RENEW);
	CU_ASSERT_EQUAL_FATAL(s.sent, 3); /* the key has come along */
	CU_ASSERT_TRUE(s.rrq.mn_fa.present && s.rrq.mn_fa.spi == 2000);
	CU_ASSERT_FALSE(s.rrq.mn_aaa.present || s.rrq.pfan.len > 0);
	CU_ASSERT_EQUAL(s.rrq.flags, 0);
	mn_free(s.mn);
}

/* A reply without a foreign agent's authenticator, or with a wrong one: registered, and AAA makes the next key. */
static void test_key_did_not_come_along(void)
{
	for (int wrong = 0; wrong < 2; wrong++) {
		struct mn_config c = sim_config();
		struct sim s = between(&c);
		uint8_t msg[512];
		struct mn_event e = {.type = MN_EV_REPLY, .data = msg};

		sim_event(&s, MN_EV_FADE);
		s.moved_key = true;
		s.no_fa = !wrong;
		e.len = sim_build_reply(&s, 0, 600, msg, sizeof(msg));
		if (wrong)
			msg[e.len - 1] ^= 1;
		sim_tell(&s, &e);
		CU_ASSERT_STRING_EQUAL(s.event, "registered");
		sim_pass(&s, 1500);
		sim_advertise(&s, &sim_fa2);
		sim_event(&s, MN_EV_RENEW);
		CU_ASSERT_EQUAL_FATAL(s.sent, 3);
		CU_ASSERT_TRUE(s.rrq.mn_aaa.present && s.rrq.mn_fa_key.present && !s.rrq.mn_fa.present);
		CU_ASSERT_EQUAL(s.rrq.pfan.len, 0);
		mn_free(s.mn);
	}
}

static void test_new_key(void)
{
	struct mn_config c = sim_config();
	struct sim s = between(&c);

	sim_event(&s, MN_EV_FADE);
	sim_reply(&s, 0, 600); /* with 41: another domain */
	CU_ASSERT_STRING_EQUAL(s.event, "registered");
	sim_pass(&s, 1500);
	sim_advertise(&s, &sim_fa2);
	sim_event(&s, MN_EV_RENEW);
	CU_ASSERT_TRUE(s.sent == 3 && s.rrq.mn_fa.present && !s.rrq.mn_aaa.present);
	mn_free(s.mn);
}

/* Who does not know extension 96 is silent, or says 70; who has lost our keys says 131. */
static void test_without(void)
{
	static const uint8_t codes[] = {0, MIP_FA_POOR_REQUEST, MIP_HA_MN_AUTH, MIP_FA_CHALLENGE_STALE};

	for (size_t i = 0; i < sizeof(codes); i++) {
		struct mn_config c = sim_config();
		struct sim s = between(&c);
		mn_ms first;

		sim_event(&s, MN_EV_FADE);
		CU_ASSERT_TRUE(s.rrq.pfan.len > 0);
		first = s.now;
		if (codes[i] != 0)
			sim_reply(&s, codes[i], 0);
		while (s.sent == 2 && s.now < first + 5000) {
			sim_advertise(&s, &sim_fa2);
			sim_pass(&s, 100);
		}
		HARNESS_AT(s.sent == 3 && s.sent_at - first == 1000, "code %u: after %llu ms", codes[i],
			   (unsigned long long)(s.sent_at - first));
		CU_ASSERT_EQUAL(s.rrq.pfan.len > 0, codes[i] == MIP_FA_CHALLENGE_STALE);
		CU_ASSERT_EQUAL(s.rrq.mn_ha_key.present, codes[i] != MIP_FA_CHALLENGE_STALE);
		sim_reply(&s, 0, 600);
		CU_ASSERT_STRING_EQUAL(s.event, "registered");
		mn_free(s.mn);
	}
}

static void test_switched_off(void)
{
	struct mn_config c = sim_config();
	struct sim s;

	c.smooth_handoff = false;
	s = between(&c);
	sim_event(&s, MN_EV_FADE);
	CU_ASSERT_EQUAL(s.sent, 2);
	CU_ASSERT_TRUE(s.rrq.pfan.len == 0 && s.rrq.flags == 0 && s.rrq.mn_ha_key.present);
	mn_free(s.mn);
}

/* An MN-HA key that ends before the new registration would: a new one is asked for. */
static void test_old_keys(void)
{
	struct mn_config c = sim_config();
	struct sim s;

	c.lifetime = 60;
	s = between(&c);
	while (s.sent == 1 || !s.rrq.mn_aaa.present) { /* the keys last for an hour */
		unsigned before = s.sent;

		sim_advertise(&s, &sim_fa1);
		sim_advertise(&s, &sim_fa2);
		sim_pass(&s, 1000);
		if (s.sent > before && !s.rrq.mn_aaa.present)
			sim_reply(&s, 0, 60);
	}
	HARNESS_AT(s.now > 3500000 && s.now < 3602000, "%llu ms", (unsigned long long)s.now);
	CU_ASSERT_EQUAL(s.rrq.pfan.len, 0);
	sim_event(&s, MN_EV_FADE);
	CU_ASSERT_TRUE(s.rrq.coa.s_addr == coa2.s_addr && s.rrq.mn_ha_key.present);
	mn_free(s.mn);
}

/* --- which agent --- */

static void test_fades_there_and_back(void)
{
	struct mn_config c = sim_config();
	struct sim s = between(&c);

	sim_event(&s, MN_EV_FADE);
	sim_reply(&s, 0, 600);
	sim_pass(&s, 500);
	sim_event(&s, MN_EV_FADE); /* this one now: the other one, though it has faded before */
	CU_ASSERT_TRUE(s.sent == 3 && s.rrq.coa.s_addr == coa1.s_addr);
	sim_reply(&s, 0, 600);
	for (int i = 0; i < 5; i++) { /* fa2 is not heard any more, fa1 is the only one */
		sim_advertise(&s, &sim_fa1);
		sim_pass(&s, 1000);
	}
	sim_event(&s, MN_EV_FADE);
	CU_ASSERT_EQUAL(s.sent, 3);
	sim_advertise(&s, &sim_fa2); /* as soon as there is another one */
	CU_ASSERT_TRUE(s.sent == 4 && s.rrq.coa.s_addr == coa2.s_addr);
	mn_free(s.mn);
}

/* The one that faded is better than none. */
static void test_only_the_faded_one_is_left(void)
{
	struct mn_config c = sim_config();
	struct sim s = between(&c);

	sim_event(&s, MN_EV_FADE);
	sim_reply(&s, 0, 600);
	for (int i = 0; i < 5; i++) {
		sim_advertise(&s, &sim_fa1);
		sim_pass(&s, 1000);
	}
	CU_ASSERT_TRUE(s.sent >= 3 && s.rrq.coa.s_addr == coa1.s_addr);
	mn_free(s.mn);
}

/* Five requests at once, then one per second on average. */
static void test_ping_pong(void)
{
	struct mn_config c = sim_config();
	struct sim s = between(&c);
	mn_ms began = s.now;

	sim_pass(&s, 10000);
	sim_advertise(&s, &sim_fa1);
	for (unsigned i = 0; i < 200; i++) {
		unsigned before = s.sent;

		sim_advertise(&s, &sim_fa1);
		sim_advertise(&s, &sim_fa2);
		sim_event(&s, MN_EV_FADE);
		if (i < 4)
			HARNESS_AT(s.sent == before + 1, "move %u waits", i);
		sim_pass(&s, 50);
		if (s.sent > before)
			sim_reply(&s, 0, 600);
	}
	HARNESS_AT(s.sent >= 10 && s.sent <= 1 + 5 + 20, "%u requests in %llu ms", s.sent,
		   (unsigned long long)(s.now - began));
	sim_stay(&s, &sim_fa1, 5);
	CU_ASSERT_EQUAL(s.rrq.coa.s_addr, coa1.s_addr);
	mn_free(s.mn);
}

/* --- cuts --- */

static void test_cut(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);
	unsigned solicited;

	coa1 = sim_ip("198.51.100.11");
	coa2 = sim_ip("198.51.100.12");
	sim_pass(&s, 300); /* within the first one's second */
	solicited = s.solicited;
	sim_event(&s, MN_EV_LINK_DOWN);
	CU_ASSERT_EQUAL(s.held, 1);
	sim_pass(&s, 50);
	sim_event(&s, MN_EV_LINK_UP);
	CU_ASSERT_TRUE(s.held == 1 && s.solicited == solicited + 1);
	sim_advertise(&s, &sim_fa2);
	CU_ASSERT_STRING_EQUAL(s.event, "registering");
	CU_ASSERT_EQUAL_FATAL(s.sent, 2);
	check_notification(&s);
	CU_ASSERT_EQUAL(s.rrq.flags, 0); /* fa1 cannot reach us */
	sim_pass(&s, 50);
	CU_ASSERT_TRUE(s.attached == 1 && s.unheld == 0);
	sim_reply(&s, 0, 600);
	CU_ASSERT_TRUE(s.attached == 2 && s.held == 1 && s.unheld == 0); /* ATTACH lets go */
	sim_stay(&s, &sim_fa2, 5);
	CU_ASSERT_EQUAL(s.unheld, 0);
	mn_free(s.mn);
}

/* The cable was pulled and put back: what was held goes by the way that stands, without waiting for a reply. */
static void test_cut_and_back(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);

	sim_pass(&s, 2000);
	sim_event(&s, MN_EV_LINK_DOWN);
	sim_advertise(&s, &sim_fa1); /* was in a queue */
	CU_ASSERT_EQUAL(s.attached, 1);
	sim_event(&s, MN_EV_LINK_UP);
	CU_ASSERT_EQUAL(s.attached, 1);
	sim_advertise(&s, &sim_fa1);
	CU_ASSERT_TRUE(s.attached == 2 && s.unheld == 0);
	CU_ASSERT_TRUE(s.sent == 2 && s.rrq.pfan.len == 0 && s.rrq.mn_fa.present);
	mn_free(s.mn);
}

static void test_gives_up(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);

	sim_pass(&s, 2000);
	sim_event(&s, MN_EV_LINK_DOWN);
	sim_pass(&s, 2999);
	CU_ASSERT_EQUAL(s.unheld, 0);
	sim_pass(&s, 1);
	CU_ASSERT_TRUE(s.unheld == 1 && s.detached == 0);
	sim_pass(&s, 10000);
	CU_ASSERT_TRUE(s.unheld == 1 && s.held == 1);
	sim_event(&s, MN_EV_LINK_UP); /* again, now that there is hope */
	CU_ASSERT_EQUAL(s.held, 2);
	sim_event(&s, MN_EV_STOP);
	CU_ASSERT_EQUAL(s.detached, 1);
	mn_free(s.mn);
	s = sim_begin(&c);
	sim_pass(&s, 1);
	sim_event(&s, MN_EV_LINK_DOWN); /* no routes yet, nothing to hold */
	sim_event(&s, MN_EV_LINK_UP);
	CU_ASSERT_EQUAL(s.held, 0);
	mn_free(s.mn);
}

/* No carrier tells of it, but fa1 is silent where it should not be. */
static void test_silent_cut(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);

	coa1 = sim_ip("198.51.100.11");
	coa2 = sim_ip("198.51.100.12");
	sim_stay(&s, &sim_fa1, 2);
	for (int i = 0; i < 4 && s.sent == 1; i++) {
		CU_ASSERT_EQUAL(s.held, 0);
		sim_advertise(&s, &sim_fa2);
		sim_pass(&s, 500);
	}
	check_notification(&s);
	CU_ASSERT_TRUE(s.held == 1 && s.rrq.flags == 0);
	CU_ASSERT_STRING_EQUAL(s.event, "registering");
	sim_reply(&s, 0, 600);
	CU_ASSERT_TRUE(s.attached == 2 && s.unheld == 0);
	mn_free(s.mn);
}

HARNESS_MAIN("mn/handoff", HARNESS_CASE(test_fading_link), HARNESS_CASE(test_key_did_not_come_along),
	     HARNESS_CASE(test_new_key), HARNESS_CASE(test_without), HARNESS_CASE(test_switched_off),
	     HARNESS_CASE(test_old_keys), HARNESS_CASE(test_fades_there_and_back),
	     HARNESS_CASE(test_only_the_faded_one_is_left), HARNESS_CASE(test_ping_pong),
	     HARNESS_CASE(test_cut), HARNESS_CASE(test_cut_and_back), HARNESS_CASE(test_gives_up),
	     HARNESS_CASE(test_silent_cut))
