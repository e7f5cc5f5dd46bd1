/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mobile node with driven time, against agents that this test plays.
 */
#include "mn/mn.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

#define WALL UINT64_C(1700000000000)
static const uint8_t aaa_key[16] = "0123456789abcdef";
static const uint8_t nonce[16] = "nonce of the AAA";

struct sim {
	struct mn *mn;
	mn_ms now;
	struct mn_actions out;
	/* of the last request sent */
	unsigned sent;
	mn_ms sent_at, second_at;	/* of the last one, of the second one */
	struct mip_rrq rrq;
	struct mn_action request;
	/* of the last MN_ATTACH */
	unsigned attached, detached, announced, solicited;
	struct mn_action attach;
	int status;		/* -1 = goes on */
	char event[32];		/* of the last report */
	char text[200];
	int64_t skew_ms;	/* home agent's clock - ours */
	uint16_t sequence;
	/* How the agents answer. */
	bool forge, no_keys, unsigned_reply;
	uint32_t ident_high;	/* 0 = as it came */
};

static struct in_addr ip(const char *text)
{
	struct in_addr a;

	inet_aton(text, &a);
	return a;
}

static void take_actions(struct sim *s)
{
	for (size_t i = 0; i < s->out.n; i++) {
		const struct mn_action *a = &s->out.a[i];

		if (a->type == MN_SEND) {
			s->request = *a;
			s->sent++;
			s->sent_at = s->now;
			if (s->sent == 2)
				s->second_at = s->now;
			CU_ASSERT_EQUAL(mip_rrq_decode(s->request.data, s->request.len, &s->rrq), MIP_REJ_OK);
		} else if (a->type == MN_ATTACH) {
			s->attach = *a;
			s->attached++;
		} else if (a->type == MN_REPORT) {
			snprintf(s->event, sizeof(s->event), "%s", a->event);
			snprintf(s->text, sizeof(s->text), "%s", a->text);
		} else if (a->type == MN_END) {
			s->status = a->status;
		}
		s->detached += a->type == MN_DETACH;
		s->announced += a->type == MN_ANNOUNCE;
		s->solicited += a->type == MN_SOLICIT;
	}
}

static void tell(struct sim *s, struct mn_event *e)
{
	e->wall_ms = WALL + s->now;
	mn_event(s->mn, e, s->now, &s->out);
	take_actions(s);
}

static void tell_type(struct sim *s, enum mn_event_type type)
{
	struct mn_event e = { .type = type };

	tell(s, &e);
}

static struct mn_config config(void)
{
	struct mn_config c = {
		.nai = "alice@home.test",
		.home_address = ip("10.1.0.10"),
		.home_agent = ip("198.51.100.21"),
		.aaa = { .spi = 256, .alg = CRYPTO_HMAC_MD5, .key = { .len = 16 }, .expires = UINT64_MAX },
		.lifetime = 600,
	};

	memcpy(c.aaa.key.data, aaa_key, 16);
	return c;
}

static struct sim begin(const struct mn_config *c)
{
	struct sim s = { .now = 1000, .status = -1 };

	s.mn = mn_new(c, 12345, s.now);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.mn);
	return s;
}

/* Lets time pass, with a timer event whenever one is due. */
static void pass(struct sim *s, mn_ms ms)
{
	mn_ms until = s->now + ms;
	unsigned turns = 0;

	while (mn_next(s->mn) <= until) {
		mn_ms next = mn_next(s->mn);

		if (next > s->now)
			s->now = next;
		tell_type(s, MN_EV_TIMER);
		HARNESS_AT(++turns < 5000, "busy at %llu", (unsigned long long)s->now);
		if (turns >= 5000)
			break;
	}
	s->now = until;
}

struct agent {
	const char *addr, *coa;
	uint8_t mac;
	uint16_t flags;
	uint8_t prefix_len;
	uint16_t lifetime;
};
static const struct agent fa1 = { "10.2.1.1", "198.51.100.11", 1, MIP_ADV_F, 24, 1800 };
static const struct agent fa2 = { "10.3.1.1", "198.51.100.12", 2, MIP_ADV_F, 24, 1800 };
static const struct agent busy = { "10.4.1.1", "198.51.100.13", 3, MIP_ADV_F | MIP_ADV_B, 24, 1800 };
static const struct agent home = { "10.1.0.1", NULL, 4, MIP_ADV_H, 24, 1800 };
static const struct agent other_home = { "10.7.0.1", NULL, 5, MIP_ADV_H, 24, 1800 };

static void advertise(struct sim *s, const struct agent *a)
{
	struct mip_adv adv = { .icmp_code = 16, .icmp_lifetime = 3, .router = ip(a->addr), .has_router = true,
			       .prefix_len = a->prefix_len, .sequence = s->sequence++, .reg_lifetime = a->lifetime,
			       .flags = a->flags, .challenge_len = 8 };
	struct mn_event e = { .type = MN_EV_ADVERTISEMENT, .adv = &adv, .from = ip(a->addr),
			      .mac = { 2, 0, 0, 0, 0, a->mac } };

	memcpy(adv.challenge, &s->sequence, sizeof(s->sequence));
	if (a->coa != NULL)
		adv.coa[adv.n_coa++] = ip(a->coa);
	tell(s, &e);
}

/* Advertises once a second for so long. */
static void stay(struct sim *s, const struct agent *a, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		advertise(s, a);
		pass(s, 1000);
	}
}

static void made_key(uint8_t out[20])
{
	CU_ASSERT_EQUAL(mip_keygen_derive(aaa_key, 16, nonce, 16, "alice@home.test", ip("10.1.0.10"), out), 0);
}

static size_t build_reply(const struct sim *s, uint8_t code, uint16_t lifetime, uint8_t *msg, size_t cap)
{
	bool keys = s->rrq.mn_aaa.present && !s->no_keys && s->rrq.mn_ha_key.present;
	uint64_t ident = s->rrq.ident;
	struct wbuf w;
	uint8_t k[20];

	if (s->ident_high != 0)
		ident = (uint64_t)s->ident_high << 32 | (uint32_t)ident;
	made_key(k);
	if (s->forge)
		k[0] ^= 1;
	wbuf_init(&w, msg, cap);
	mip_rrp_put(&w, code, lifetime, ip("10.1.0.10"), ip("198.51.100.21"), ident);
	mip_ext_put_nai(&w, "alice@home.test");
	if (keys) {
		mip_ext_put_keygen_rep(&w, MIP_EXT_MN_HA_KEYGEN_REP, 3600, 256, 1000, 2, 2, nonce, 16);
		mip_ext_put_keygen_rep(&w, MIP_EXT_MN_FA_KEYGEN_REP, 3600, 256, 2000, 2, 0, nonce, 16);
	}
	if (!s->unsigned_reply)
		mip_ext_put_auth(&w, MIP_EXT_MN_HA, 1001, CRYPTO_HMAC_SHA1, k, 20);
	if (!s->unsigned_reply)
		mip_ext_put_auth(&w, MIP_EXT_MN_FA, 2001, CRYPTO_HMAC_SHA1, k, 20);
	CU_ASSERT_TRUE(wbuf_ok(&w));
	return w.len;
}

static void reply(struct sim *s, uint8_t code, uint16_t lifetime)
{
	uint8_t msg[512];
	struct mn_event e = { .type = MN_EV_REPLY, .data = msg, .len = build_reply(s, code, lifetime, msg, sizeof(msg)) };

	tell(s, &e);
}

/* A node that is registered at fa1. */
static struct sim registered(const struct mn_config *c, uint16_t lifetime)
{
	struct sim s = begin(c);

	pass(&s, 1);
	advertise(&s, &fa1);
	CU_ASSERT_EQUAL(s.sent, 1);
	reply(&s, 0, lifetime);
	CU_ASSERT_STRING_EQUAL(s.event, "registered");
	return s;
}

/* --- registering -------------------------------------------------------------------------------------------------- */

static void test_search(void)
{
	struct mn_config c = config();
	struct sim s = begin(&c);

	pass(&s, 1);
	CU_ASSERT_STRING_EQUAL(s.event, "searching");
	CU_ASSERT_EQUAL(s.solicited, 1);
	pass(&s, 10 * 60 * 1000);
	HARNESS_AT(s.solicited >= 10 && s.solicited <= 22, "%u solicitations in ten minutes", s.solicited);
	advertise(&s, &busy);
	advertise(&s, &other_home);
	CU_ASSERT_EQUAL(s.sent, 0);
	mn_free(s.mn);
}

static void test_request(void)
{
	struct mn_config c = config();
	struct sim s = begin(&c);
	const struct mip_rrq *r = &s.rrq;

	pass(&s, 1);
	advertise(&s, &fa1);
	CU_ASSERT_EQUAL(s.sent, 1);
	CU_ASSERT_EQUAL(r->flags, 0);
	CU_ASSERT_EQUAL(r->lifetime, 600);
	CU_ASSERT_EQUAL(r->hoa.s_addr, c.home_address.s_addr);
	CU_ASSERT_EQUAL(r->ha.s_addr, c.home_agent.s_addr);
	CU_ASSERT_EQUAL(r->coa.s_addr, ip("198.51.100.11").s_addr);
	CU_ASSERT_STRING_EQUAL(r->nai, "alice@home.test");
	CU_ASSERT_TRUE(llabs(mip_ident_diff_ms(r->ident, mip_ident_from_unix_ms(WALL + s.now, 0))) <= 1);
	CU_ASSERT_TRUE(r->mn_ha_key.present && r->mn_ha_key.spi >= MIP_SPI_MIN);
	CU_ASSERT_TRUE(r->mn_fa_key.present && r->mn_fa_key.spi >= MIP_SPI_MIN);
	CU_ASSERT_FALSE(r->mn_ha.present || r->mn_fa.present);
	CU_ASSERT_EQUAL(r->challenge.len, 8);
	CU_ASSERT_TRUE_FATAL(r->mn_aaa.present);
	CU_ASSERT_EQUAL(r->mn_aaa.spi, 256);
	CU_ASSERT_TRUE(mip_mn_aaa_check(r->raw, r->mn_aaa.covered, r->mn_aaa.mac, r->mn_aaa.mac_len, CRYPTO_HMAC_MD5,
					aaa_key, 16, NULL, 0));
	CU_ASSERT_EQUAL(r->mn_aaa.covered + r->mn_aaa.mac_len, r->raw_len);	/* it is the last one */
	CU_ASSERT_EQUAL(s.request.dst.s_addr, ip("10.2.1.1").s_addr);
	CU_ASSERT_EQUAL(s.request.src.s_addr, c.home_address.s_addr);
	CU_ASSERT_EQUAL(s.request.mac[5], 1);
	CU_ASSERT_EQUAL(s.request.ttl, 1);
	mn_free(s.mn);
}

static void test_request_variants(void)
{
	struct mn_config c = config();
	struct sim s;

	c.home_address.s_addr = c.home_agent.s_addr = 0;
	c.reverse_tunnel = true;
	c.aaa.alg = CRYPTO_CHAP_MD5;
	c.aaa.spi = MIP_SPI_CHAP;
	s = begin(&c);
	pass(&s, 1);
	advertise(&s, &fa1);
	CU_ASSERT_EQUAL(s.rrq.flags, MIP_T);
	CU_ASSERT_EQUAL(s.rrq.hoa.s_addr, 0);
	CU_ASSERT_EQUAL(s.rrq.ha.s_addr, 0);
	CU_ASSERT_EQUAL(s.request.src.s_addr, 0);
	CU_ASSERT_EQUAL(s.request.ttl, 255);
	CU_ASSERT_EQUAL(s.rrq.mn_aaa.spi, MIP_SPI_CHAP);
	CU_ASSERT_TRUE(mip_mn_aaa_check(s.rrq.raw, s.rrq.mn_aaa.covered, s.rrq.mn_aaa.mac, s.rrq.mn_aaa.mac_len,
					CRYPTO_CHAP_MD5, aaa_key, 16, s.rrq.challenge.data, s.rrq.challenge.len));
	reply(&s, 0, 600);
	CU_ASSERT_EQUAL(s.attach.home_address.s_addr, ip("10.1.0.10").s_addr);	/* given */
	mn_free(s.mn);
}

/* Without AAA: a configured association, no key requests, no MN-AAA. */
static void test_static_association(void)
{
	struct mn_config c = config();
	uint8_t k[20];
	struct sim s;

	memset(&c.aaa, 0, sizeof(c.aaa));
	made_key(k);
	c.ha = (struct mn_sa){ .spi = 700, .alg = CRYPTO_HMAC_SHA1, .key = { .len = 20 }, .expires = UINT64_MAX };
	memcpy(c.ha.key.data, k, 20);
	s = begin(&c);
	pass(&s, 1);
	advertise(&s, &fa1);
	CU_ASSERT_FALSE(s.rrq.mn_aaa.present || s.rrq.mn_ha_key.present || s.rrq.mn_fa_key.present);
	CU_ASSERT_TRUE_FATAL(s.rrq.mn_ha.present);
	CU_ASSERT_EQUAL(s.rrq.mn_ha.spi, 700);
	CU_ASSERT_TRUE(mip_auth_check(&s.rrq.mn_ha, s.rrq.raw, CRYPTO_HMAC_SHA1, k, 20));
	reply(&s, 0, 600);
	CU_ASSERT_EQUAL(s.attached, 1);
	mn_free(s.mn);
}

static void test_accepted(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 300);

	CU_ASSERT_EQUAL(s.attached, 1);
	CU_ASSERT_FALSE(s.attach.home);
	CU_ASSERT_EQUAL(s.attach.prefix_len, 32);
	CU_ASSERT_EQUAL(s.attach.agent.s_addr, ip("10.2.1.1").s_addr);
	CU_ASSERT_STRING_EQUAL(s.text, "registered at 10.2.1.1 for 300 s, home address 10.1.0.10");
	stay(&s, &fa1, 140);
	CU_ASSERT_EQUAL(s.sent, 1);
	stay(&s, &fa1, 115);	/* 75..125 % of two thirds */
	CU_ASSERT_TRUE_FATAL(s.sent >= 2);
	mn_free(s.mn);
}

/* With the keys that AAA made the renewal needs no AAA, and is signed for both agents. */
static void test_renewal(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 600);
	uint8_t k[20];

	made_key(k);
	pass(&s, 1500);
	advertise(&s, &fa1);
	tell_type(&s, MN_EV_RENEW);
	CU_ASSERT_EQUAL_FATAL(s.sent, 2);
	CU_ASSERT_FALSE(s.rrq.mn_aaa.present || s.rrq.mn_ha_key.present);
	CU_ASSERT_EQUAL(s.rrq.mn_ha.spi, 1000);
	CU_ASSERT_EQUAL(s.rrq.mn_fa.spi, 2000);
	CU_ASSERT_TRUE(mip_auth_check(&s.rrq.mn_ha, s.rrq.raw, CRYPTO_HMAC_SHA1, k, 20));
	CU_ASSERT_TRUE(mip_auth_check(&s.rrq.mn_fa, s.rrq.raw, CRYPTO_HMAC_SHA1, k, 20));
	CU_ASSERT_TRUE(s.rrq.mn_ha.start < s.rrq.challenge.start && s.rrq.challenge.start < s.rrq.mn_fa.start);
	reply(&s, 0, 600);
	CU_ASSERT_STRING_EQUAL(s.event, "renewed");
	CU_ASSERT_EQUAL(s.attached, 1);	/* nothing to change */
	mn_free(s.mn);
}

/* RFC 5944 3.6.3: from 1 s, doubling, each with a new Identification; never two within a second. */
static void test_retransmission(void)
{
	static const mn_ms want[] = { 0, 1000, 3000, 7000, 15000, 31000, 63000, 127000, 191000 };
	struct mn_config c = config();
	struct sim s = begin(&c);
	uint64_t last = 0;
	mn_ms first;

	pass(&s, 1);
	advertise(&s, &fa1);
	first = s.now;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		while (s.sent <= i && s.now < first + 400000) {
			advertise(&s, &fa1);
			pass(&s, 500);
		}
		HARNESS_AT(s.sent_at - first == want[i], "transmission %zu after %llu ms", i,
			   (unsigned long long)(s.sent_at - first));
		CU_ASSERT_TRUE(i == 0 || mip_ident_later(s.rrq.ident, last));
		last = s.rrq.ident;
	}
	CU_ASSERT_STRING_EQUAL(s.event, "unanswered");
	reply(&s, 0, 600);	/* the latest one is still good */
	CU_ASSERT_EQUAL(s.attached, 1);
	mn_free(s.mn);
}

/* --- replies ------------------------------------------------------------------------------------------------------ */

static void test_rejected(void)
{
	for (int kind = 0; kind < 5; kind++) {
		struct mn_config c = config();
		struct sim s = begin(&c);
		uint8_t msg[512];
		struct mn_event e = { .type = MN_EV_REPLY, .data = msg };

		pass(&s, 1);
		advertise(&s, &fa1);
		s.forge = kind == 0;
		s.no_keys = kind == 1;
		s.unsigned_reply = kind == 2;
		if (kind == 3)
			s.rrq.ident++;	/* of another */
		e.len = build_reply(&s, 0, 600, msg, sizeof(msg));
		if (kind == 4)
			msg[4] ^= 1;	/* another home address, after signing */
		tell(&s, &e);
		HARNESS_AT(s.attached == 0, "kind %d", kind);
		HARNESS_AT((strcmp(s.event, "rejected") == 0) == (kind != 3), "kind %d: %s", kind, s.text);
		for (size_t len = 0; len < e.len; len++) {
			struct mn_event cut = { .type = MN_EV_REPLY, .data = msg, .len = len };

			tell(&s, &cut);
		}
		CU_ASSERT_EQUAL(s.attached, 0);
		s.forge = s.no_keys = s.unsigned_reply = false;
		if (kind == 3)
			s.rrq.ident--;
		reply(&s, 0, 600);	/* and the right one still works */
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
	} cases[] = { { MIP_FA_LIFETIME, true }, { MIP_FA_CHALLENGE_UNKNOWN, true }, { MIP_FA_CHALLENGE_STALE, true },
		      { MIP_FA_CHALLENGE_MISSING, true }, { MIP_FA_TUNNEL_MANDATORY, true }, { MIP_HA_IDENT, true },
		      { MIP_FA_PROHIBITED, false }, { MIP_FA_RESOURCES, false }, { MIP_FA_AAA_AUTH, false },
		      { MIP_HA_RESOURCES, false }, { MIP_HA_MN_AUTH, false }, { MIP_FA_TIMEOUT, false },
		      { 127, false }, { 255, false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mn_config c = config();
		struct sim s = begin(&c);
		mn_ms first;

		pass(&s, 1);
		advertise(&s, &fa1);
		first = s.now;
		reply(&s, cases[i].code, 33);
		HARNESS_AT(strcmp(s.event, "refused") == 0, "code %u: %s", cases[i].code, s.event);
		stay(&s, &fa1, 4);
		HARNESS_AT(s.sent >= 2 && (s.second_at - first < 1400) == cases[i].quick, "code %u: after %llu ms",
			   cases[i].code, (unsigned long long)(s.second_at - first));
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
	struct mn_config c = config();
	struct sim s = begin(&c);
	unsigned answered = 0;

	pass(&s, 1);
	for (int i = 0; i < 600; i++) {
		advertise(&s, &fa1);
		if (s.sent > answered) {
			answered = s.sent;
			reply(&s, MIP_FA_CHALLENGE_UNKNOWN, 0);
		}
		pass(&s, 1000);
	}
	HARNESS_AT(s.sent >= 10 && s.sent <= 30, "%u requests in ten minutes", s.sent);
	mn_free(s.mn);
}

static void test_clock(void)
{
	struct mn_config c = config();
	struct sim s = begin(&c);
	uint64_t ours = mip_ident_from_unix_ms(WALL, 0);

	pass(&s, 1);
	advertise(&s, &fa1);
	s.ident_high = (uint32_t)(ours >> 32) + 7200;
	s.unsigned_reply = s.no_keys = true;
	reply(&s, MIP_HA_IDENT, 0);	/* anybody could say that */
	stay(&s, &fa1, 4);
	CU_ASSERT_TRUE(mip_ident_diff_ms(s.rrq.ident, ours) < 60000);
	s.unsigned_reply = s.no_keys = false;
	s.ident_high = (uint32_t)(ours >> 32) + 7200;
	reply(&s, MIP_HA_IDENT, 0);
	stay(&s, &fa1, 3);
	HARNESS_AT(llabs(mip_ident_diff_ms(s.rrq.ident, ours) - 7200000) < 15000, "%lld ms",
		   (long long)mip_ident_diff_ms(s.rrq.ident, ours));
	s.ident_high = 0;
	reply(&s, 0, 600);
	CU_ASSERT_EQUAL(s.attached, 1);
	pass(&s, 1100);
	advertise(&s, &fa1);
	tell_type(&s, MN_EV_RENEW);	/* the offset stays */
	CU_ASSERT_TRUE(mip_ident_diff_ms(s.rrq.ident, ours) > 7100000);
	mn_free(s.mn);
}

/* Keys that an agent has lost: with AAA again. */
static void test_keys_lost(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 600);

	pass(&s, 1500);
	advertise(&s, &fa1);
	tell_type(&s, MN_EV_RENEW);
	CU_ASSERT_FALSE(s.rrq.mn_aaa.present);
	s.unsigned_reply = true;
	reply(&s, MIP_FA_MN_AUTH, 0);
	s.unsigned_reply = false;
	stay(&s, &fa1, 2);
	CU_ASSERT_TRUE(s.sent >= 3);
	CU_ASSERT_TRUE(s.rrq.mn_aaa.present && s.rrq.mn_ha_key.present);
	reply(&s, 0, 600);
	CU_ASSERT_STRING_EQUAL(s.event, "renewed");
	mn_free(s.mn);
}

/* --- moving ------------------------------------------------------------------------------------------------------- */

static void test_stays(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 600);

	for (int i = 0; i < 20; i++) {
		advertise(&s, &fa1);
		advertise(&s, &fa2);
		pass(&s, 1000);
	}
	CU_ASSERT_EQUAL(s.sent, 1);	/* both are heard: no reason to go */
	mn_free(s.mn);
}

static void test_moves(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 600);
	mn_ms gone;

	stay(&s, &fa1, 3);
	gone = s.now;
	for (int i = 0; i < 6 && s.sent == 1; i++) {
		advertise(&s, &fa2);
		pass(&s, 500);
	}
	HARNESS_AT(s.sent == 2 && s.now - gone <= 1500, "after %llu ms", (unsigned long long)(s.now - gone));
	CU_ASSERT_EQUAL(s.rrq.coa.s_addr, ip("198.51.100.12").s_addr);
	CU_ASSERT_TRUE(s.rrq.mn_aaa.present);	/* the new agent shares no key with us */
	CU_ASSERT_FALSE(s.rrq.mn_fa.present);
	CU_ASSERT_EQUAL(s.detached, 0);		/* the old way works until the new one does */
	reply(&s, 0, 600);
	CU_ASSERT_EQUAL(s.attached, 2);
	CU_ASSERT_EQUAL(s.attach.agent.s_addr, ip("10.3.1.1").s_addr);
	mn_free(s.mn);
}

static void test_lost_and_expired(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 30);

	pass(&s, 4000);
	CU_ASSERT_STRING_EQUAL(s.event, "searching");
	CU_ASSERT_EQUAL(s.detached, 0);
	pass(&s, 30000);
	CU_ASSERT_EQUAL(s.detached, 1);
	advertise(&s, &fa1);
	CU_ASSERT_EQUAL(s.sent, 2);
	CU_ASSERT_TRUE(s.rrq.mn_aaa.present);
	mn_free(s.mn);
}

static void test_agent_reboots(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 600);

	s.sequence = 0xffff;
	stay(&s, &fa1, 1);
	s.sequence = 256;	/* roll-over */
	stay(&s, &fa1, 3);
	CU_ASSERT_EQUAL(s.sent, 1);
	s.sequence = 0;		/* it has started anew, and lost us */
	advertise(&s, &fa1);
	CU_ASSERT_EQUAL(s.sent, 2);
	CU_ASSERT_TRUE(s.rrq.mn_aaa.present);
	mn_free(s.mn);
}

static void test_home(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 600);
	uint8_t k[20];

	made_key(k);
	pass(&s, 2000);
	advertise(&s, &home);	/* at once, though fa1 could still be there */
	CU_ASSERT_EQUAL_FATAL(s.sent, 2);
	CU_ASSERT_EQUAL(s.detached, 1);
	CU_ASSERT_EQUAL(s.rrq.lifetime, 0);
	CU_ASSERT_EQUAL(s.rrq.coa.s_addr, s.rrq.hoa.s_addr);
	CU_ASSERT_EQUAL(s.rrq.flags, 0);
	CU_ASSERT_EQUAL(s.request.dst.s_addr, ip("198.51.100.21").s_addr);
	CU_ASSERT_EQUAL(s.request.mac[5], home.mac);
	CU_ASSERT_TRUE(mip_auth_check(&s.rrq.mn_ha, s.rrq.raw, CRYPTO_HMAC_SHA1, k, 20));
	CU_ASSERT_FALSE(s.rrq.mn_fa.present || s.rrq.challenge.len > 0);
	CU_ASSERT_EQUAL(s.announced, 0);
	reply(&s, 0, 0);
	CU_ASSERT_STRING_EQUAL(s.event, "home");
	CU_ASSERT_EQUAL(s.announced, 1);
	CU_ASSERT_TRUE(s.attach.home);
	CU_ASSERT_EQUAL(s.attach.prefix_len, 24);
	stay(&s, &home, 30);
	CU_ASSERT_EQUAL(s.sent, 2);
	for (int i = 0; i < 8; i++) {	/* and away again */
		advertise(&s, &fa2);
		pass(&s, 500);
	}
	CU_ASSERT_TRUE(s.sent >= 3);
	CU_ASSERT_EQUAL(s.detached, 2);
	CU_ASSERT_EQUAL(s.rrq.coa.s_addr, ip("198.51.100.12").s_addr);
	mn_free(s.mn);
}

static void test_starts_at_home(void)
{
	struct mn_config c = config();
	struct sim s = begin(&c);

	c.once = true;
	pass(&s, 1);
	advertise(&s, &home);
	CU_ASSERT_EQUAL(s.sent, 0);
	CU_ASSERT_TRUE(s.attached == 1 && s.attach.home);
	tell_type(&s, MN_EV_STOP);
	CU_ASSERT_EQUAL(s.detached, 1);
	CU_ASSERT_EQUAL(s.status, 0);
	mn_free(s.mn);
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static void test_stop(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 600);

	pass(&s, 2000);
	advertise(&s, &fa1);
	tell_type(&s, MN_EV_STOP);
	CU_ASSERT_EQUAL(s.sent, 2);
	CU_ASSERT_EQUAL(s.rrq.lifetime, 0);
	CU_ASSERT_EQUAL(s.rrq.coa.s_addr, ip("198.51.100.11").s_addr);
	CU_ASSERT_TRUE(s.rrq.mn_ha.present && s.rrq.mn_fa.present && !s.rrq.mn_aaa.present);
	CU_ASSERT_EQUAL(s.status, -1);
	reply(&s, 0, 0);
	CU_ASSERT_EQUAL(s.detached, 1);
	CU_ASSERT_EQUAL(s.status, 0);
	CU_ASSERT_EQUAL(mn_next(s.mn), UINT64_MAX);
	mn_free(s.mn);
}

static void test_stop_unanswered(void)
{
	struct mn_config c = config();
	struct sim s = registered(&c, 600);

	pass(&s, 2000);
	tell_type(&s, MN_EV_STOP);
	stay(&s, &fa1, 10);
	CU_ASSERT_EQUAL(s.sent, 4);
	CU_ASSERT_EQUAL(s.status, 1);
	CU_ASSERT_EQUAL(s.detached, 1);
	mn_free(s.mn);
	s = registered(&c, 600);
	pass(&s, 2000);
	tell_type(&s, MN_EV_STOP);
	tell_type(&s, MN_EV_STOP);	/* does not wait */
	CU_ASSERT_EQUAL(s.status, 1);
	CU_ASSERT_EQUAL(s.detached, 1);
	mn_free(s.mn);
	s = begin(&c);
	pass(&s, 1);
	tell_type(&s, MN_EV_STOP);	/* nothing to undo */
	CU_ASSERT_EQUAL(s.status, 0);
	mn_free(s.mn);
}

static void test_once(void)
{
	struct mn_config c = config();
	struct sim s;

	c.once = true;
	c.once_timeout_ms = 5000;
	s = registered(&c, 600);
	CU_ASSERT_EQUAL(s.status, 0);
	CU_ASSERT_EQUAL(s.detached, 0);	/* it stays */
	mn_free(s.mn);
	s = begin(&c);
	pass(&s, 1);
	advertise(&s, &fa1);
	reply(&s, MIP_FA_PROHIBITED, 0);
	CU_ASSERT_EQUAL(s.status, 1);
	mn_free(s.mn);
	s = begin(&c);
	pass(&s, 5001);
	CU_ASSERT_EQUAL(s.status, 1);
	mn_free(s.mn);
}

/* A day with lost packets, moves and agents that come and go: never more than one request per second, never busy, and
 * whenever an agent was there and answered for a minute, it is registered. */
static void test_long_run(void)
{
	struct mn_config c = config();
	struct sim s = begin(&c);
	unsigned dice = 99, answered = 0;
	mn_ms last = 0;
	bool gone_dead;

	for (int minute = 0; minute < 24 * 60; minute++) {
		const struct agent *a = dice % 3 == 0 ? &fa1 : dice % 3 == 1 ? &fa2 : NULL;

		gone_dead = dice % 7 == 0;
		for (int i = 0; i < 120; i++) {
			unsigned before = s.sent;

			dice = dice * 1103515245 + 12345;
			if (a != NULL && i % 2 == 0)
				advertise(&s, a);
			pass(&s, 500);
			HARNESS_AT(s.sent - before <= 1, "%u requests in half a second", s.sent - before);
			if (s.sent > before && last != 0)
				HARNESS_AT(s.sent_at - last >= 1000, "after %llu ms", (unsigned long long)(s.sent_at - last));
			last = s.sent > before ? s.sent_at : last;
			if (s.sent > answered && a != NULL && !gone_dead && (dice >> 16) % 3 != 0) {
				answered = s.sent;
				reply(&s, (dice >> 20) % 10 == 0 ? MIP_FA_RESOURCES : 0, 600);
			}
		}
		dice = (dice >> 8) + (unsigned)minute;
	}
	CU_ASSERT_EQUAL(s.status, -1);
	HARNESS_AT(s.attached > 100, "%u times registered", s.attached);
	mn_free(s.mn);
}

HARNESS_MAIN("mn", HARNESS_CASE(test_search), HARNESS_CASE(test_request), HARNESS_CASE(test_request_variants),
	     HARNESS_CASE(test_static_association), HARNESS_CASE(test_accepted), HARNESS_CASE(test_renewal),
	     HARNESS_CASE(test_retransmission), HARNESS_CASE(test_rejected), HARNESS_CASE(test_refusals),
	     HARNESS_CASE(test_refused_for_ever), HARNESS_CASE(test_clock), HARNESS_CASE(test_keys_lost),
	     HARNESS_CASE(test_stays), HARNESS_CASE(test_moves), HARNESS_CASE(test_lost_and_expired),
	     HARNESS_CASE(test_agent_reboots), HARNESS_CASE(test_home), HARNESS_CASE(test_starts_at_home),
	     HARNESS_CASE(test_stop), HARNESS_CASE(test_stop_unanswered), HARNESS_CASE(test_once),
	     HARNESS_CASE(test_long_run))
