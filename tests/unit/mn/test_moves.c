/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From one agent to another, home, and the end; and a day of it.
 */
#include "tests/unit/mn/sim.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

static void test_stays(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);

	for (int i = 0; i < 20; i++) {
		sim_advertise(&s, &sim_fa1);
		sim_advertise(&s, &sim_fa2);
		sim_pass(&s, 1000);
	}
	CU_ASSERT_EQUAL(s.sent, 1); /* both are heard: no reason to go */
	mn_free(s.mn);
}

static void test_moves(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);
	mn_ms gone;

	sim_stay(&s, &sim_fa1, 3);
	gone = s.now;
	for (int i = 0; i < 6 && s.sent == 1; i++) {
		sim_advertise(&s, &sim_fa2);
		sim_pass(&s, 500);
	}
	HARNESS_AT(s.sent == 2 && s.now - gone <= 1500, "after %llu ms", (unsigned long long)(s.now - gone));
	CU_ASSERT_EQUAL(s.rrq.coa.s_addr, sim_ip("198.51.100.12").s_addr);
	CU_ASSERT_TRUE(s.rrq.mn_aaa.present); /* the new agent shares no key with us */
	CU_ASSERT_FALSE(s.rrq.mn_fa.present);
	CU_ASSERT_EQUAL(s.detached, 0); /* the old way works until the new one does */
	sim_reply(&s, 0, 600);
	CU_ASSERT_EQUAL(s.attached, 2);
	CU_ASSERT_EQUAL(s.attach.agent.s_addr, sim_ip("10.3.1.1").s_addr);
	mn_free(s.mn);
}

static void test_lost_and_expired(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 30);

	sim_pass(&s, 4000);
	CU_ASSERT_STRING_EQUAL(s.event, "searching");
	CU_ASSERT_EQUAL(s.detached, 0);
	sim_pass(&s, 30000);
	CU_ASSERT_EQUAL(s.detached, 1);
	sim_advertise(&s, &sim_fa1);
	CU_ASSERT_EQUAL(s.sent, 2);
	CU_ASSERT_TRUE(s.rrq.mn_aaa.present);
	mn_free(s.mn);
}

static void test_agent_reboots(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);

	s.sequence = 0xffff;
	sim_stay(&s, &sim_fa1, 1);
	s.sequence = 256; /* roll-over */
	sim_stay(&s, &sim_fa1, 3);
	CU_ASSERT_EQUAL(s.sent, 1);
	s.sequence = 0; /* it has started anew, and lost us */
	sim_advertise(&s, &sim_fa1);
	CU_ASSERT_EQUAL(s.sent, 2);
	CU_ASSERT_TRUE(s.rrq.mn_aaa.present);
	mn_free(s.mn);
}

static void test_home(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);
	uint8_t k[20];

	sim_key(k);
	sim_pass(&s, 2000);
	sim_advertise(&s, &sim_home); /* at once, though fa1 could still be there */
	CU_ASSERT_EQUAL_FATAL(s.sent, 2);
	CU_ASSERT_TRUE(s.detached == 0 && s.held == 1); /* fa1 is gone: what is sent now goes out at home */
	CU_ASSERT_EQUAL(s.rrq.lifetime, 0);
	CU_ASSERT_EQUAL(s.rrq.coa.s_addr, s.rrq.hoa.s_addr);
	CU_ASSERT_EQUAL(s.rrq.flags, 0);
	CU_ASSERT_EQUAL(s.request.dst.s_addr, sim_ip("198.51.100.21").s_addr);
	CU_ASSERT_EQUAL(s.request.mac[5], sim_home.mac);
	CU_ASSERT_TRUE(mip_auth_check(&s.rrq.mn_ha, s.rrq.raw, CRYPTO_HMAC_SHA1, k, 20));
	CU_ASSERT_FALSE(s.rrq.mn_fa.present || s.rrq.challenge.len > 0);
	CU_ASSERT_EQUAL(s.announced, 0);
	sim_reply(&s, 0, 0);
	CU_ASSERT_STRING_EQUAL(s.event, "home");
	CU_ASSERT_EQUAL(s.announced, 1);
	CU_ASSERT_TRUE(s.attach.home);
	CU_ASSERT_EQUAL(s.attach.prefix_len, 24);
	sim_stay(&s, &sim_home, 30);
	CU_ASSERT_EQUAL(s.sent, 2);
	for (int i = 0; i < 8; i++) { /* and away again */
		sim_advertise(&s, &sim_fa2);
		sim_pass(&s, 500);
	}
	CU_ASSERT_TRUE(s.sent >= 3);
	CU_ASSERT_EQUAL(s.detached, 1);
	CU_ASSERT_EQUAL(s.rrq.coa.s_addr, sim_ip("198.51.100.12").s_addr);
	mn_free(s.mn);
}

static void test_starts_at_home(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);

	c.once = true;
	sim_pass(&s, 1);
	sim_advertise(&s, &sim_home);
	CU_ASSERT_EQUAL(s.sent, 0);
	CU_ASSERT_TRUE(s.attached == 1 && s.attach.home);
	sim_event(&s, MN_EV_STOP);
	CU_ASSERT_EQUAL(s.detached, 1);
	CU_ASSERT_EQUAL(s.status, 0);
	mn_free(s.mn);
}

/* --- the end --- */

static void test_stop(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);

	sim_pass(&s, 2000);
	sim_advertise(&s, &sim_fa1);
	sim_event(&s, MN_EV_STOP);
	CU_ASSERT_EQUAL(s.sent, 2);
	CU_ASSERT_EQUAL(s.rrq.lifetime, 0);
	CU_ASSERT_EQUAL(s.rrq.coa.s_addr, sim_ip("198.51.100.11").s_addr);
	CU_ASSERT_TRUE(s.rrq.mn_ha.present && s.rrq.mn_fa.present && !s.rrq.mn_aaa.present);
	CU_ASSERT_EQUAL(s.status, -1);
	sim_reply(&s, 0, 0);
	CU_ASSERT_EQUAL(s.detached, 1);
	CU_ASSERT_EQUAL(s.status, 0);
	CU_ASSERT_EQUAL(mn_next(s.mn), UINT64_MAX);
	mn_free(s.mn);
}

static void test_stop_unanswered(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);

	sim_pass(&s, 2000);
	sim_event(&s, MN_EV_STOP);
	sim_stay(&s, &sim_fa1, 10);
	CU_ASSERT_EQUAL(s.sent, 4);
	CU_ASSERT_EQUAL(s.status, 1);
	CU_ASSERT_EQUAL(s.detached, 1);
	mn_free(s.mn);
	s = sim_registered(&c, 600);
	sim_pass(&s, 2000);
	sim_event(&s, MN_EV_STOP);
	sim_event(&s, MN_EV_STOP); /* does not wait */
	CU_ASSERT_EQUAL(s.status, 1);
	CU_ASSERT_EQUAL(s.detached, 1);
	mn_free(s.mn);
	s = sim_begin(&c);
	sim_pass(&s, 1);
	sim_event(&s, MN_EV_STOP); /* nothing to undo */
	CU_ASSERT_EQUAL(s.status, 0);
	mn_free(s.mn);
}

static void test_once(void)
{
	struct mn_config c = sim_config();
	struct sim s;

	c.once = true;
	c.once_timeout_ms = 5000;
	s = sim_registered(&c, 600);
	CU_ASSERT_EQUAL(s.status, 0);
	CU_ASSERT_EQUAL(s.detached, 0); /* it stays */
	mn_free(s.mn);
	s = sim_begin(&c);
	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	sim_reply(&s, MIP_FA_PROHIBITED, 0);
	CU_ASSERT_EQUAL(s.status, 1);
	mn_free(s.mn);
	s = sim_begin(&c);
	sim_pass(&s, 5001);
	CU_ASSERT_EQUAL(s.status, 1);
	mn_free(s.mn);
}

/* A day with lost packets, moves and agents that come and go: never more than one request per second to an agent, never
 * sim_busy, and whenever an agent was there and answered for a minute, it is registered. */
static void test_long_run(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);
	unsigned dice = 99, answered = 0;
	struct in_addr to = {0};
	mn_ms last = 0;
	bool gone_dead;

	for (int minute = 0; minute < 24 * 60; minute++) {
		const struct sim_agent *a = dice % 3 == 0 ? &sim_fa1 : dice % 3 == 1 ? &sim_fa2 : NULL;

		gone_dead = dice % 7 == 0;
		for (int i = 0; i < 120; i++) {
			unsigned before = s.sent;

			dice = dice * 1103515245 + 12345;
			if (a != NULL && i % 2 == 0)
				sim_advertise(&s, a);
			sim_pass(&s, 500);
			HARNESS_AT(s.sent - before <= 1, "%u requests in half a second", s.sent - before);
			if (s.sent > before && last != 0 && s.request.dst.s_addr == to.s_addr)
				HARNESS_AT(s.sent_at - last >= 1000, "after %llu ms",
					   (unsigned long long)(s.sent_at - last));
			last = s.sent > before ? s.sent_at : last;
			to = s.request.dst;
			if (s.sent > answered && a != NULL && !gone_dead && (dice >> 16) % 3 != 0) {
				answered = s.sent;
				sim_reply(&s, (dice >> 20) % 10 == 0 ? MIP_FA_RESOURCES : 0, 600);
			}
		}
		dice = (dice >> 8) + (unsigned)minute;
	}
	CU_ASSERT_EQUAL(s.status, -1);
	HARNESS_AT(s.attached > 100, "%u times registered", s.attached);
	mn_free(s.mn);
}

HARNESS_MAIN("mn/moves", HARNESS_CASE(test_stays), HARNESS_CASE(test_moves),
	     HARNESS_CASE(test_lost_and_expired), HARNESS_CASE(test_agent_reboots), HARNESS_CASE(test_home),
	     HARNESS_CASE(test_starts_at_home), HARNESS_CASE(test_stop), HARNESS_CASE(test_stop_unanswered),
	     HARNESS_CASE(test_once), HARNESS_CASE(test_long_run))
