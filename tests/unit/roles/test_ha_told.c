/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What makes the home agent tell a PCN once more (F8, F9): Binding Requests, Binding Warnings, a
 * correspondent's first packet, and how often.
 */
#include "tests/unit/roles/told.h"

static void test_requests(void)
{
	joined(1);
	request(DYN, "203.0.113.5", "10.1.0.10");
	CU_ASSERT_EQUAL(told(DYN), 2);
	CU_ASSERT_EQUAL(last_lifetime(DYN), 299); /* what is left */
	CU_ASSERT_EQUAL(w.told[DYN].path.dst.s_addr, addr("203.0.113.5").s_addr);
	answer(DYN, (struct answer){0});
	request(DYN, "203.0.113.5", "10.1.0.10"); /* too soon */
	CU_ASSERT_EQUAL(told(DYN), 2);
	world_pass(&w, 1000);
	request(DYN, "203.0.113.5", "10.1.0.10");
	CU_ASSERT_EQUAL(told(DYN), 3);
	answer(DYN, (struct answer){0});
	world_pass(&w, 5000);
	request(DYN + 4, "203.0.113.5", "10.1.0.10"); /* silence: no such VPN, another PCN's host, nobody */
	request(DYN, "203.0.114.5", "10.1.0.10");
	request(DYN, "203.0.113.5", "10.1.0.99");
	CU_ASSERT_EQUAL(told(DYN), 3);
	end_it(BY_DROP);
	answer(DYN, (struct answer){0});
	world_pass(&w, 5000);
	request(DYN, "203.0.113.5", "10.1.0.10");
	CU_ASSERT_EQUAL(told(DYN), 4);
	CU_ASSERT_EQUAL(last_lifetime(DYN), 0);
	finish();
}

/* Ten minutes of packets from a thousand correspondents, one each 100 ms. */
static void test_flood(void)
{
	unsigned actions, before;

	joined(1);
	before = told(DYN);
	actions = 0;
	for (int i = 0; i < 2500; i++) {
		char cn[20];
		unsigned a = w.actions;

		snprintf(cn, sizeof(cn), "203.0.%d.%d", 113 + i % 4, 2 + i % 250);
		first_packet(cn, i % 3 ? "10.1.0.10" : "10.1.0.99");
		actions += w.actions - a;
		world_pass(&w, 100);
	}
	CU_ASSERT_TRUE(told(DYN) > before);
	/* 5, 10, 20, 40, 60, 60 ... s, each said at most five times as nobody answers */
	HARNESS_AT(told(DYN) - before <= 8 * 4, "%u", told(DYN) - before);
	HARNESS_AT(actions <= 2 * 8, "%u", actions);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	finish();
}

static void test_first_packet(void)
{
	joined(1);
	CU_ASSERT_EQUAL(renew(200), 0);
	world_pass(&w, 5000); /* its gateway was away: refused */
	first_packet("203.0.113.77", "10.1.0.10");
	CU_ASSERT_EQUAL(w.told[DYN].path.dst.s_addr, addr("203.0.113.77").s_addr);
	CU_ASSERT_EQUAL(last_lifetime(DYN), 195);
	answer(DYN, (struct answer){0});
	finish();
}

static void test_warning(void)
{
	struct bind_msg m = {
		.type = BIND_WARNING, .hoa = addr("10.1.0.10"), .n_targets = 2, .key_context = "s-1"};

	joined(1);
	m.targets[0] = addr("192.0.2.1");
	m.targets[1] = addr("203.0.113.9");
	for (int i = 0; i < 50; i++)
		send_bind(&m, &(struct answer){0}, addr("198.51.100.11"));
	CU_ASSERT_EQUAL(told(DYN), 2);
	CU_ASSERT_EQUAL(w.told[DYN].path.dst.s_addr, addr("203.0.113.9").s_addr);
	finish();
}

HARNESS_MAIN("roles/ha_told", HARNESS_CASE(test_requests), HARNESS_CASE(test_flood),
	     HARNESS_CASE(test_first_packet), HARNESS_CASE(test_warning))
