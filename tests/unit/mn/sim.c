/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/mn/sim.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

const uint8_t sim_aaa_key[16] = "0123456789abcdef";
static const uint8_t nonce[16] = "nonce of the AAA";

const struct sim_agent sim_fa1 = {"10.2.1.1", "198.51.100.11", 1, MIP_ADV_F, 24, 1800};
const struct sim_agent sim_fa2 = {"10.3.1.1", "198.51.100.12", 2, MIP_ADV_F, 24, 1800};
const struct sim_agent sim_busy = {"10.4.1.1", "198.51.100.13", 3, MIP_ADV_F | MIP_ADV_B, 24, 1800};
const struct sim_agent sim_home = {"10.1.0.1", NULL, 4, MIP_ADV_H, 24, 1800};
const struct sim_agent sim_other_home = {"10.7.0.1", NULL, 5, MIP_ADV_H, 24, 1800};

struct in_addr sim_ip(const char *text)
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
			if (a->took_us > 0)
				s->took_us = a->took_us;
		} else if (a->type == MN_END) {
			s->status = a->status;
		}
		s->detached += a->type == MN_DETACH;
		s->held += a->type == MN_HOLD;
		s->unheld += a->type == MN_UNHOLD;
		s->announced += a->type == MN_ANNOUNCE;
		s->solicited += a->type == MN_SOLICIT;
	}
}

void sim_tell(struct sim *s, struct mn_event *e)
{
	e->wall_ms = SIM_WALL + s->now;
	e->now_us = s->now * 1000;
	mn_event(s->mn, e, s->now, &s->out);
	take_actions(s);
}

void sim_event(struct sim *s, enum mn_event_type type)
{
	struct mn_event e = {.type = type};

	sim_tell(s, &e);
}

struct mn_config sim_config(void)
{
	struct mn_config c = {
		.nai = "alice@home.test",
		.home_address = sim_ip("10.1.0.10"),
		.home_agent = sim_ip("198.51.100.21"),
		.aaa = {.spi = 256, .alg = CRYPTO_HMAC_MD5, .key = {.len = 16}, .expires = UINT64_MAX},
		.lifetime = 600,
		.smooth_handoff = true,
	};

	memcpy(c.aaa.key.data, sim_aaa_key, 16);
	return c;
}

struct sim sim_begin(const struct mn_config *c)
{
	struct sim s = {.now = 1000, .status = -1};

	s.mn = mn_new(c, 12345, s.now);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.mn);
	return s;
}

/* Lets time pass, with a timer event whenever one is due. */
void sim_pass(struct sim *s, mn_ms ms)
{
	mn_ms until = s->now + ms;
	unsigned turns = 0;

	while (mn_next(s->mn) <= until) {
		mn_ms next = mn_next(s->mn);

		if (next > s->now)
			s->now = next;
		sim_event(s, MN_EV_TIMER);
		HARNESS_AT(++turns < 5000, "busy at %llu", (unsigned long long)s->now);
		if (turns >= 5000)
			break;
	}
	s->now = until;
}

void sim_advertise(struct sim *s, const struct sim_agent *a)
{
	struct mip_adv adv = {.icmp_code = 16,
			      .icmp_lifetime = 3,
			      .router = sim_ip(a->addr),
			      .has_router = true,
			      .prefix_len = a->prefix_len,
			      .sequence = s->sequence++,
			      .reg_lifetime = a->lifetime,
			      .flags = a->flags,
			      .challenge_len = 8};
	struct mn_event e = {.type = MN_EV_ADVERTISEMENT,
			     .adv = &adv,
			     .from = sim_ip(a->addr),
			     .mac = {2, 0, 0, 0, 0, a->mac}};

	memcpy(adv.challenge, &s->sequence, sizeof(s->sequence));
	if (a->coa != NULL)
		adv.coa[adv.n_coa++] = sim_ip(a->coa);
	sim_tell(s, &e);
}

/* Advertises once a second for so long. */
void sim_stay(struct sim *s, const struct sim_agent *a, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		sim_advertise(s, a);
		sim_pass(s, 1000);
	}
}

void sim_key(uint8_t out[20])
{
	CU_ASSERT_EQUAL(
		mip_keygen_derive(sim_aaa_key, 16, nonce, 16, "alice@home.test", sim_ip("10.1.0.10"), out),
		0);
}

size_t sim_build_reply(const struct sim *s, uint8_t code, uint16_t lifetime, uint8_t *msg, size_t cap)
{
	bool aaa = s->rrq.mn_aaa.present && !s->no_keys;
	bool fa_key = aaa && s->rrq.mn_fa_key.present && !s->moved_key && !s->no_fa;
	uint64_t ident = s->rrq.ident;
	struct wbuf w;
	uint8_t k[20];

	if (s->ident_high != 0)
		ident = (uint64_t)s->ident_high << 32 | (uint32_t)ident;
	sim_key(k);
	if (s->forge)
		k[0] ^= 1;
	wbuf_init(&w, msg, cap);
	mip_rrp_put(&w, code, lifetime, sim_ip("10.1.0.10"), sim_ip("198.51.100.21"), ident);
	mip_ext_put_nai(&w, "alice@home.test");
	if (aaa && s->rrq.mn_ha_key.present)
		mip_ext_put_keygen_rep(&w, MIP_EXT_MN_HA_KEYGEN_REP, 3600, 256, 1000, 2, 2, nonce, 16);
	if (fa_key)
		mip_ext_put_keygen_rep(&w, MIP_EXT_MN_FA_KEYGEN_REP, 3600, 256, 2000, 2, 0, nonce, 16);
	if (!s->unsigned_reply)
		mip_ext_put_auth(&w, MIP_EXT_MN_HA, 1001, CRYPTO_HMAC_SHA1, k, 20);
	if (!s->unsigned_reply && !s->no_fa)
		mip_ext_put_auth(&w, MIP_EXT_MN_FA, 2001, CRYPTO_HMAC_SHA1, k, 20);
	CU_ASSERT_TRUE(wbuf_ok(&w));
	return w.len;
}

void sim_reply(struct sim *s, uint8_t code, uint16_t lifetime)
{
	uint8_t msg[512];
	struct mn_event e = {.type = MN_EV_REPLY,
			     .data = msg,
			     .len = sim_build_reply(s, code, lifetime, msg, sizeof(msg))};

	sim_tell(s, &e);
}

/* A node that is registered at sim_fa1. */
struct sim sim_registered(const struct mn_config *c, uint16_t lifetime)
{
	struct sim s = sim_begin(c);

	sim_pass(&s, 1);
	sim_advertise(&s, &sim_fa1);
	CU_ASSERT_EQUAL(s.sent, 1);
	sim_reply(&s, 0, lifetime);
	CU_ASSERT_STRING_EQUAL(s.event, "registered");
	return s;
}
