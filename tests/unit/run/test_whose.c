/* SPDX-License-Identifier: BSD-3-Clause
 *
 * With several roles in one daemon: who gets a message, whose is a session.
 */
#include "agent/run/whose.h"

#include <arpa/inet.h>

#include "agent/mip/binding.h"
#include "tests/unit/harness.h"

static enum role_id whose(enum bind_type type, uint8_t subtype, size_t cut)
{
	static const uint8_t key[32] = {1};
	struct bind_msg m = {.type = type, .lifetime = 10, .has_ident = true, .ident = 1};
	uint8_t data[512];
	struct wbuf w;

	inet_aton("10.1.0.10", &m.hoa);
	inet_aton("198.51.100.12", &m.coa);
	wbuf_init(&w, data, sizeof(data));
	bind_put(&w, &m);
	if (subtype)
		bind_put_auth(&w, subtype, 256, key);
	return whose_message(data, w.len - cut);
}

static void test_binding_messages(void)
{
	CU_ASSERT_EQUAL(whose(BIND_UPDATE, BIND_SUBTYPE_HANDOFF, 0), ROLE_FA);
	CU_ASSERT_EQUAL(whose(BIND_ACK, BIND_SUBTYPE_HANDOFF, 0), ROLE_FA);
	CU_ASSERT_EQUAL(whose(BIND_UPDATE, BIND_SUBTYPE_ROUTE, 0), ROLE_NONE);
	CU_ASSERT_EQUAL(whose(BIND_ACK, BIND_SUBTYPE_ROUTE, 0), ROLE_HA);
	CU_ASSERT_EQUAL(whose(BIND_ACK, 0, 0), ROLE_HA);
	CU_ASSERT_EQUAL(whose(BIND_UPDATE, 0, 0), ROLE_NONE);
	CU_ASSERT_EQUAL(whose(BIND_UPDATE, BIND_SUBTYPE_HANDOFF, 5), ROLE_NONE); /* truncated */
	CU_ASSERT_EQUAL(whose(BIND_ACK, BIND_SUBTYPE_HANDOFF, 5), ROLE_HA);
	CU_ASSERT_EQUAL(whose(BIND_WARNING, 0, 0), ROLE_HA);
	CU_ASSERT_EQUAL(whose(BIND_REQUEST, 0, 0), ROLE_HA);
}

static void test_registration_messages(void)
{
	const uint8_t rrq = MIP_RRQ, rrp = MIP_RRP, other = 99;

	CU_ASSERT_EQUAL(whose_message(&rrq, 1), ROLE_HA);
	CU_ASSERT_EQUAL(whose_message(&rrp, 1), ROLE_FA);
	CU_ASSERT_EQUAL(whose_message(&other, 1), ROLE_NONE);
	CU_ASSERT_EQUAL(whose_message(NULL, 0), ROLE_NONE);
}

static void test_sessions(void)
{
	CU_ASSERT(whose_is_handoff("handoff-in:10.1.0.10"));
	CU_ASSERT(whose_is_handoff("handoff-out:10.1.0.10"));
	CU_ASSERT(!whose_is_handoff("fa.example;1;2;handoff-in:"));
	CU_ASSERT(!whose_is_handoff("handoff"));
	CU_ASSERT(!whose_is_handoff(""));
}

HARNESS_MAIN("run/whose", HARNESS_CASE(test_binding_messages), HARNESS_CASE(test_registration_messages),
	     HARNESS_CASE(test_sessions))
