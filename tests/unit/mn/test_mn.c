/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Searching, requests, replies, refusals.
 */
#include "tests/unit/mn/sim.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

static void test_search(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);

	sim_pass(&s, 1);
	CU_ASSERT_STRING_EQUAL(s.event, "searching");
	CU_ASSERT_EQUAL(s.solicited, 1);
	sim_pass(&s, 10 * 60 * 1000);
	HARNESS_AT(s.solicited >= 10 && s.solicited <= 22, "%u solicitations in ten minutes", s.solicited);
	sim_advertise(&s, &sim_busy);
	sim_advertise(&s, &sim_other_home);
	CU_ASSERT_EQUAL(s.sent, 0);
	mn_free(s.mn);
}

static void test_request(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);
	const struct mip_rrq *r = &s.rrq;

	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	CU_ASSERT_EQUAL(s.sent, 1);
	CU_ASSERT_EQUAL(r->flags, 0);
	CU_ASSERT_EQUAL(r->lifetime, 600);
	CU_ASSERT_EQUAL(r->hoa.s_addr, c.home_address.s_addr);
	CU_ASSERT_EQUAL(r->ha.s_addr, c.home_agent.s_addr);
	CU_ASSERT_EQUAL(r->coa.s_addr, sim_ip("198.51.100.11").s_addr);
	CU_ASSERT_STRING_EQUAL(r->nai, "alice@home.test");
	CU_ASSERT_TRUE(llabs(mip_ident_diff_ms(r->ident, mip_ident_from_unix_ms(SIM_WALL + s.now, 0))) <= 1);
	CU_ASSERT_TRUE(r->mn_ha_key.present && r->mn_ha_key.spi >= MIP_SPI_MIN);
	CU_ASSERT_TRUE(r->mn_fa_key.present && r->mn_fa_key.spi >= MIP_SPI_MIN);
	CU_ASSERT_FALSE(r->mn_ha.present || r->mn_fa.present);
	CU_ASSERT_EQUAL(r->challenge.len, 8);
	CU_ASSERT_TRUE_FATAL(r->mn_aaa.present);
	CU_ASSERT_EQUAL(r->mn_aaa.spi, 256);
	CU_ASSERT_TRUE(mip_mn_aaa_check(r->raw, r->mn_aaa.covered, r->mn_aaa.mac, r->mn_aaa.mac_len,
					CRYPTO_HMAC_MD5, sim_aaa_key, 16, NULL, 0));
	CU_ASSERT_EQUAL(r->mn_aaa.covered + r->mn_aaa.mac_len, r->raw_len); /* it is the last one */
	CU_ASSERT_EQUAL(s.request.dst.s_addr, sim_ip("10.2.1.1").s_addr);
	CU_ASSERT_EQUAL(s.request.src.s_addr, c.home_address.s_addr);
	CU_ASSERT_EQUAL(s.request.mac[5], 1);
	CU_ASSERT_EQUAL(s.request.ttl, 1);
	mn_free(s.mn);
}

static void test_request_variants(void)
{
	struct mn_config c = sim_config();
	struct sim s;

	c.home_address.s_addr = c.home_agent.s_addr = 0;
	c.reverse_tunnel = true;
	c.aaa.alg = CRYPTO_CHAP_MD5;
	c.aaa.spi = MIP_SPI_CHAP;
	s = sim_begin(&c);
	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	CU_ASSERT_EQUAL(s.rrq.flags, MIP_T);
	CU_ASSERT_EQUAL(s.rrq.hoa.s_addr, 0);
	CU_ASSERT_EQUAL(s.rrq.ha.s_addr, 0);
	CU_ASSERT_EQUAL(s.request.src.s_addr, 0);
	CU_ASSERT_EQUAL(s.request.ttl, 255);
	CU_ASSERT_EQUAL(s.rrq.mn_aaa.spi, MIP_SPI_CHAP);
	CU_ASSERT_TRUE(mip_mn_aaa_check(s.rrq.raw, s.rrq.mn_aaa.covered, s.rrq.mn_aaa.mac,
					s.rrq.mn_aaa.mac_len, CRYPTO_CHAP_MD5, sim_aaa_key, 16,
					s.rrq.challenge.data, s.rrq.challenge.len));
	sim_reply(&s, 0, 600);
	CU_ASSERT_EQUAL(s.attach.home_address.s_addr, sim_ip("10.1.0.10").s_addr); /* given */
	mn_free(s.mn);
}

/* Without AAA: a configured association, no key requests, no MN-AAA. */
static void test_static_association(void)
{
	struct mn_config c = sim_config();
	uint8_t k[20];
	struct sim s;

	memset(&c.aaa, 0, sizeof(c.aaa));
	sim_key(k);
	c.ha = (struct mn_sa){.spi = 700, .alg = CRYPTO_HMAC_SHA1, .key = {.len = 20}, .expires = UINT64_MAX};
	memcpy(c.ha.key.data, k, 20);
	s = sim_begin(&c);
	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	CU_ASSERT_FALSE(s.rrq.mn_aaa.present || s.rrq.mn_ha_key.present || s.rrq.mn_fa_key.present);
	CU_ASSERT_TRUE_FATAL(s.rrq.mn_ha.present);
	CU_ASSERT_EQUAL(s.rrq.mn_ha.spi, 700);
	CU_ASSERT_TRUE(mip_auth_check(&s.rrq.mn_ha, s.rrq.raw, CRYPTO_HMAC_SHA1, k, 20));
	sim_reply(&s, 0, 600);
	CU_ASSERT_EQUAL(s.attached, 1);
	mn_free(s.mn);
}

static void test_accepted(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 300);

	CU_ASSERT_EQUAL(s.attached, 1);
	CU_ASSERT_FALSE(s.attach.home);
	CU_ASSERT_EQUAL(s.attach.prefix_len, 32);
	CU_ASSERT_EQUAL(s.attach.agent.s_addr, sim_ip("10.2.1.1").s_addr);
	CU_ASSERT_STRING_EQUAL(s.text, "registered at 10.2.1.1 for 300 s, home address 10.1.0.10");
	sim_stay(&s, &sim_fa1, 140);
	CU_ASSERT_EQUAL(s.sent, 1);
	sim_stay(&s, &sim_fa1, 115); /* 75..125 % of two thirds */
	CU_ASSERT_TRUE_FATAL(s.sent >= 2);
	mn_free(s.mn);
}

/* With the keys that AAA made the renewal needs no AAA, and is signed for both agents. */
static void test_renewal(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);
	uint8_t k[20];

	sim_key(k);
	sim_pass(&s, 1500);
	sim_advertise(&s, &sim_fa1);
	sim_event(&s, MN_EV_RENEW);
	CU_ASSERT_EQUAL_FATAL(s.sent, 2);
	CU_ASSERT_FALSE(s.rrq.mn_aaa.present || s.rrq.mn_ha_key.present);
	CU_ASSERT_EQUAL(s.rrq.mn_ha.spi, 1000);
	CU_ASSERT_EQUAL(s.rrq.mn_fa.spi, 2000);
	CU_ASSERT_TRUE(mip_auth_check(&s.rrq.mn_ha, s.rrq.raw, CRYPTO_HMAC_SHA1, k, 20));
	CU_ASSERT_TRUE(mip_auth_check(&s.rrq.mn_fa, s.rrq.raw, CRYPTO_HMAC_SHA1, k, 20));
	CU_ASSERT_TRUE(s.rrq.mn_ha.start < s.rrq.challenge.start &&
		       s.rrq.challenge.start < s.rrq.mn_fa.start);
	sim_reply(&s, 0, 600);
	CU_ASSERT_STRING_EQUAL(s.event, "renewed");
	CU_ASSERT_EQUAL(s.attached, 1); /* nothing to change */
	mn_free(s.mn);
}

/* F7: a full request with the extension, in front of what signs it, until one with it is granted. */
static void test_service_update(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);

	CU_ASSERT_FALSE(s.rrq.service_update);
	sim_pass(&s, 1500);
	sim_advertise(&s, &sim_fa1);
	sim_event(&s, MN_EV_RENEW);
	CU_ASSERT_FALSE(s.rrq.service_update);
	sim_event(&s, MN_EV_UPDATE); /* while that one is under way */
	CU_ASSERT_EQUAL(s.sent, 2);
	sim_reply(&s, 0, 600);
	CU_ASSERT_STRING_EQUAL(s.event, "renewed");
	sim_pass(&s, 1000);
	CU_ASSERT_EQUAL_FATAL(s.sent, 3);
	CU_ASSERT_TRUE(s.rrq.service_update && s.rrq.mn_aaa.present && s.rrq.mn_fa_key.present);
	CU_ASSERT_TRUE(mip_mn_aaa_check(s.rrq.raw, s.rrq.mn_aaa.covered, s.rrq.mn_aaa.mac,
					s.rrq.mn_aaa.mac_len, CRYPTO_HMAC_MD5, sim_aaa_key, 16, NULL, 0));
	sim_reply(&s, MIP_FA_RESOURCES, 0);
	CU_ASSERT_STRING_EQUAL(s.event, "refused");
	sim_stay(&s, &sim_fa1, 10);
	CU_ASSERT_TRUE_FATAL(s.sent > 3);
	CU_ASSERT_TRUE(s.rrq.service_update);
	sim_reply(&s, 0, 600);
	CU_ASSERT_STRING_EQUAL(s.event, "renewed");
	CU_ASSERT_EQUAL(s.attached, 1);
	sim_stay(&s, &sim_fa1, 20);
	sim_event(&s, MN_EV_RENEW);
	CU_ASSERT_FALSE(s.rrq.service_update); /* once is enough */
	mn_free(s.mn);
}

static void test_service_update_without_aaa(void)
{
	struct mn_config c = sim_config();
	struct sim s;

	c.ha = (struct mn_sa){.spi = 700, .alg = CRYPTO_HMAC_SHA1, .key = {.len = 20}, .expires = UINT64_MAX};
	memset(&c.aaa, 0, sizeof(c.aaa));
	s = sim_begin(&c);
	sim_event(&s, MN_EV_UPDATE);
	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	CU_ASSERT_EQUAL(s.sent, 1);
	CU_ASSERT_FALSE(s.rrq.service_update);
	mn_free(s.mn);
}

/* RFC 5944 3.6.3: from 1 s, doubling, each with a new Identification; never two within a second. */
static void test_retransmission(void)
{
	static const mn_ms want[] = {0, 1000, 3000, 7000, 15000, 31000, 63000, 127000, 191000};
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);
	uint64_t last = 0;
	mn_ms first;

	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	first = s.now;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		while (s.sent <= i && s.now < first + 400000) {
			sim_advertise(&s, &sim_fa1);
			sim_pass(&s, 500);
		}
		HARNESS_AT(s.sent_at - first == want[i], "transmission %zu after %llu ms", i,
			   (unsigned long long)(s.sent_at - first));
		CU_ASSERT_TRUE(i == 0 || mip_ident_later(s.rrq.ident, last));
		last = s.rrq.ident;
	}
	CU_ASSERT_STRING_EQUAL(s.event, "unanswered");
	sim_reply(&s, 0, 600); /* the latest one is still good */
	CU_ASSERT_EQUAL(s.attached, 1);
	mn_free(s.mn);
}

/* A slow network can ask for more, and not for less. */
static void test_retransmit_time(void)
{
	static const struct {
		uint32_t asked;
		mn_ms second;
	} cases[] = {{0, 1000}, {500, 1000}, {8000, 8000}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mn_config c = sim_config();
		struct sim s;
		mn_ms first;

		c.retry_ms = cases[i].asked;
		s = sim_begin(&c);
		sim_pass(&s, 1);
		sim_advertise(&s, &sim_fa1);
		first = s.now;
		sim_stay(&s, &sim_fa1, 10);
		HARNESS_AT(s.second_at - first == cases[i].second, "case %zu: after %llu ms", i,
			   (unsigned long long)(s.second_at - first));
		mn_free(s.mn);
	}
}

/* --- replies --- */

static void test_rejected(void)
{
	for (int kind = 0; kind < 5; kind++) {
		struct mn_config c = sim_config();
		struct sim s = sim_begin(&c);
		uint8_t msg[512];
		struct mn_event e = {.type = MN_EV_REPLY, .data = msg};

		sim_pass(&s, 1);
		sim_advertise(&s, &sim_fa1);
		s.forge = kind == 0;
		s.no_keys = kind == 1;
		s.unsigned_reply = kind == 2;
		if (kind == 3)
			s.rrq.ident++; /* of another */
		e.len = sim_build_reply(&s, 0, 600, msg, sizeof(msg));
		if (kind == 4)
			msg[4] ^= 1; /* another home address, after signing */
		sim_tell(&s, &e);
		HARNESS_AT(s.attached == 0, "kind %d", kind);
		HARNESS_AT((strcmp(s.event, "rejected") == 0) == (kind != 3), "kind %d: %s", kind, s.text);
		for (size_t len = 0; len < e.len; len++) {
			struct mn_event cut = {.type = MN_EV_REPLY, .data = msg, .len = len};

			sim_tell(&s, &cut);
		}
		CU_ASSERT_EQUAL(s.attached, 0);
		s.forge = s.no_keys = s.unsigned_reply = false;
		if (kind == 3)
			s.rrq.ident--;
		sim_reply(&s, 0, 600); /* and the right one still works */
		HARNESS_AT(s.attached == 1, "kind %d: %s", kind, s.text);
		mn_free(s.mn);
	}
}

/* What a refusal is followed by: at once (1 s), or with backoff. */
static void test_refusals(void)
{
	static const struct {
		uint8_t code;
		bool quick;
	} cases[] = {{MIP_FA_LIFETIME, true},
		     {MIP_FA_CHALLENGE_UNKNOWN, true},
		     {MIP_FA_CHALLENGE_STALE, true},
		     {MIP_FA_CHALLENGE_MISSING, true},
		     {MIP_FA_TUNNEL_MANDATORY, true},
		     {MIP_HA_IDENT, true},
		     {MIP_FA_PROHIBITED, false},
		     {MIP_FA_RESOURCES, false},
		     {MIP_FA_AAA_AUTH, false},
		     {MIP_HA_RESOURCES, false},
		     {MIP_HA_MN_AUTH, false},
		     {MIP_FA_TIMEOUT, false},
		     {127, false},
		     {255, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mn_config c = sim_config();
		struct sim s = sim_begin(&c);
		mn_ms first;

		sim_pass(&s, 1);
		sim_advertise(&s, &sim_fa1);
		first = s.now;
		sim_reply(&s, cases[i].code, 33);
		HARNESS_AT(strcmp(s.event, "refused") == 0, "code %u: %s", cases[i].code, s.event);
		sim_stay(&s, &sim_fa1, 4);
		HARNESS_AT(s.sent >= 2 && (s.second_at - first < 1400) == cases[i].quick,
			   "code %u: after %llu ms", cases[i].code,
			   (unsigned long long)(s.second_at - first));
		if (cases[i].code == MIP_FA_LIFETIME)
			CU_ASSERT_EQUAL(s.rrq.lifetime, 33);
		if (cases[i].code == MIP_FA_TUNNEL_MANDATORY)
			CU_ASSERT_EQUAL(s.rrq.flags, MIP_T);
		CU_ASSERT_EQUAL(s.attached, 0);
		mn_free(s.mn);
	}
}

/* An agent that says "do better" for ever is asked less and less. */
static void test_refused_for_ever(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);
	unsigned answered = 0;

	sim_pass(&s, 1);
	for (int i = 0; i < 600; i++) {
		sim_advertise(&s, &sim_fa1);
		if (s.sent > answered) {
			answered = s.sent;
			sim_reply(&s, MIP_FA_CHALLENGE_UNKNOWN, 0);
		}
		sim_pass(&s, 1000);
	}
	HARNESS_AT(s.sent >= 10 && s.sent <= 30, "%u requests in ten minutes", s.sent);
	mn_free(s.mn);
}

/* An agent that answers the first request after the second was sent: only the second one's refusal counts. */
static void test_refusal_of_an_older_request(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);
	uint8_t late[512];
	struct mn_event e = {.type = MN_EV_REPLY, .data = late};

	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	e.len = sim_build_reply(&s, 130, 0, late, sizeof(late));
	sim_pass(&s, 1500);
	CU_ASSERT_EQUAL(s.sent, 2);
	sim_tell(&s, &e);
	HARNESS_AT(strcmp(s.event, "rejected") == 0, "%s: %s", s.event, s.text);
	sim_reply(&s, 130, 0);
	HARNESS_AT(strcmp(s.event, "refused") == 0, "%s: %s", s.event, s.text);
	mn_free(s.mn);
}

/* A slow network: the second request is on its way when the first is accepted.  The home agent goes by the
 * second one from then on, so its reply is taken too, and nothing older any more. */
static void test_reply_to_a_later_request(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);
	uint8_t first[512], second[512];
	struct mn_event e1 = {.type = MN_EV_REPLY, .data = first}, e2 = {.type = MN_EV_REPLY, .data = second};

	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	e1.len = sim_build_reply(&s, 0, 600, first, sizeof(first));
	sim_pass(&s, 1500);
	CU_ASSERT_EQUAL(s.sent, 2);
	e2.len = sim_build_reply(&s, 0, 600, second, sizeof(second));
	sim_tell(&s, &e1);
	CU_ASSERT_STRING_EQUAL(s.event, "registered");
	sim_tell(&s, &e2);
	HARNESS_AT(strcmp(s.event, "renewed") == 0, "%s: %s", s.event, s.text);
	s.event[0] = '\0';
	sim_tell(&s, &e1);
	sim_tell(&s, &e2);
	HARNESS_AT(s.event[0] == '\0', "%s: %s", s.event, s.text);
	CU_ASSERT_EQUAL(s.attached, 1);
	mn_free(s.mn);
}

/* The same, and the second one is refused: what the first has brought stands. */
static void test_refusal_behind_an_acceptance(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);
	uint8_t first[512];
	struct mn_event e = {.type = MN_EV_REPLY, .data = first};

	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	e.len = sim_build_reply(&s, 0, 600, first, sizeof(first));
	sim_pass(&s, 1500);
	sim_tell(&s, &e);
	sim_reply(&s, 130, 0);
	HARNESS_AT(strcmp(s.event, "rejected") == 0, "%s: %s", s.event, s.text);
	CU_ASSERT_EQUAL(s.detached, 0);
	mn_free(s.mn);
}

static void test_clock(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_begin(&c);
	uint64_t ours = mip_ident_from_unix_ms(SIM_WALL, 0);

	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	s.ident_high = (uint32_t)(ours >> 32) + 7200;
	s.unsigned_reply = s.no_keys = true;
	sim_reply(&s, MIP_HA_IDENT, 0); /* anybody could say that */
	sim_stay(&s, &sim_fa1, 4);
	CU_ASSERT_TRUE(mip_ident_diff_ms(s.rrq.ident, ours) < 60000);
	s.unsigned_reply = s.no_keys = false;
	s.ident_high = (uint32_t)(ours >> 32) + 7200;
	sim_reply(&s, MIP_HA_IDENT, 0);
	sim_stay(&s, &sim_fa1, 3);
	HARNESS_AT(llabs(mip_ident_diff_ms(s.rrq.ident, ours) - 7200000) < 15000, "%lld ms",
		   (long long)mip_ident_diff_ms(s.rrq.ident, ours));
	s.ident_high = 0;
	sim_reply(&s, 0, 600);
	CU_ASSERT_EQUAL(s.attached, 1);
	sim_pass(&s, 1100);
	sim_advertise(&s, &sim_fa1);
	sim_event(&s, MN_EV_RENEW); /* the offset stays */
	CU_ASSERT_TRUE(mip_ident_diff_ms(s.rrq.ident, ours) > 7100000);
	mn_free(s.mn);
}

/* Keys that an agent has lost: with AAA again. */
static void test_keys_lost(void)
{
	struct mn_config c = sim_config();
	struct sim s = sim_registered(&c, 600);

	sim_pass(&s, 1500);
	sim_advertise(&s, &sim_fa1);
	sim_event(&s, MN_EV_RENEW);
	CU_ASSERT_FALSE(s.rrq.mn_aaa.present);
	s.unsigned_reply = true;
	sim_reply(&s, MIP_FA_MN_AUTH, 0);
	s.unsigned_reply = false;
	sim_stay(&s, &sim_fa1, 2);
	CU_ASSERT_TRUE(s.sent >= 3);
	CU_ASSERT_TRUE(s.rrq.mn_aaa.present && s.rrq.mn_ha_key.present);
	sim_reply(&s, 0, 600);
	CU_ASSERT_STRING_EQUAL(s.event, "renewed");
	mn_free(s.mn);
}

HARNESS_MAIN("mn/mn", HARNESS_CASE(test_search), HARNESS_CASE(test_request),
	     HARNESS_CASE(test_request_variants), HARNESS_CASE(test_static_association),
	     HARNESS_CASE(test_accepted), HARNESS_CASE(test_renewal), HARNESS_CASE(test_service_update),
	     HARNESS_CASE(test_service_update_without_aaa), HARNESS_CASE(test_retransmission),
	     HARNESS_CASE(test_retransmit_time), HARNESS_CASE(test_reply_to_a_later_request),
	     HARNESS_CASE(test_refusal_behind_an_acceptance), HARNESS_CASE(test_rejected),
	     HARNESS_CASE(test_refusals), HARNESS_CASE(test_refused_for_ever),
	     HARNESS_CASE(test_refusal_of_an_older_request), HARNESS_CASE(test_clock),
	     HARNESS_CASE(test_keys_lost))
