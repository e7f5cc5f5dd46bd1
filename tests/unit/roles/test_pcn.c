/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The proxy correspondent node alone (E3, F4, F8): each refusal with its status or silence, what is forged,
 * replayed, cut or spoilt disturbs nothing that stands, retransmissions, lifetimes, ends.
 */
#include "tests/unit/roles/update.h"

static unsigned removed;

static void begin(void)
{
	world_init(&w, false);
	world_pcns(&w);
}

static struct bind_msg ba;

/* Status of the acknowledgement, -1 = silence.  What comes back has to be right in every other respect. */
static int deliver(const uint8_t *data, size_t len)
{
	struct role_event e = {.type = EV_PACKET, .path = bu_path, .data = data, .len = len};
	unsigned before = w.wire[AT_PCN].n;

	world_tell(&w, AT_PCN, &e);
	if (w.wire[AT_PCN].n == before)
		return -1;
	CU_ASSERT_EQUAL(w.wire[AT_PCN].n, before + 1);
	CU_ASSERT_EQUAL_FATAL(bind_decode(w.wire[AT_PCN].bytes, w.wire[AT_PCN].len, &ba), MIP_REJ_OK);
	CU_ASSERT_EQUAL(ba.type, BIND_ACK);
	return ba.status;
}

static bool ba_is_right(void)
{
	static const struct update plain;
	const struct role_path *p = &w.wire[AT_PCN].path;
	uint8_t auth[32], seal[32];

	update_keys(&plain, ba.key_context, auth, seal);
	return bind_auth_check(&ba, auth) && ba.ident == last_ident &&
	       p->dst.s_addr == addr(HA_ADDR).s_addr && p->src.s_addr == bu_path.dst.s_addr &&
	       p->sport == MIP_PORT && p->dport == MIP_PORT;
}

static int send_update(struct update u)
{
	update_build(&u);
	return deliver(bu, bu_len);
}

static size_t rows(struct role_row *r)
{
	static struct role_row some[64];
	size_t n = pcn_rows(w.pcn[0], w.now, some, 64);

	if (r && n)
		*r = some[0];
	return n;
}

static size_t live(void)
{
	return rows(NULL);
}

/* --- F4 --- */

static void test_installs_then_answers(void)
{
	struct role_row r;

	begin();
	w.vpn[AT_PCN] = VPN_HANGS;
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), -1); /* not before it is ready (E3) */
	CU_ASSERT_STRING_EQUAL(w.vpn_session[AT_PCN], "pcn:10.1.0.10:5:198.51.100.21");
	CU_ASSERT_EQUAL(deliver(bu, bu_len), -1); /* retransmitted meanwhile */
	world_vpn_answers(&w, AT_PCN, true);
	CU_ASSERT_EQUAL(w.wire[AT_PCN].n, 1);
	CU_ASSERT_EQUAL_FATAL(bind_decode(w.wire[AT_PCN].bytes, w.wire[AT_PCN].len, &ba), MIP_REJ_OK);
	CU_ASSERT_EQUAL(ba.status, 0);
	CU_ASSERT_EQUAL(ba.profile, 5);
	CU_ASSERT_TRUE(ba_is_right());
	CU_ASSERT_EQUAL_FATAL(rows(&r), 1);
	CU_ASSERT_EQUAL(r.lifetime_s, 300);
	CU_ASSERT_STRING_EQUAL(r.state, "ready");
	world_end(&w);
}

static void test_retransmission(void)
{
	unsigned actions;

	begin();
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	actions = w.actions;
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(deliver(bu, bu_len), 0);
		CU_ASSERT_TRUE(ba_is_right());
	}
	CU_ASSERT_EQUAL(w.actions, actions + 3); /* answers, and nothing else */
	world_end(&w);
}

/* --- refusals --- */

static const struct refusal_row {
	const char *name;
	int status;
	struct update u;
} refusals[] = {
	{"type", -1, {.lifetime = 300, .is_request = true}},
	{"not_ours", -1, {.lifetime = 300, .dst = "203.0.114.5"}},
	{"not_ours", -1, {.lifetime = 300, .dst = PCN_ADDR}},
	{"no_key_name", -1, {.lifetime = 300, .context = ""}},
	{"no_authenticator", -1, {.lifetime = 300, .subtype = -1}},
	{"no_authenticator", -1, {.lifetime = 300, .subtype = BIND_SUBTYPE_HANDOFF}},
	{"other_sender", -1, {.lifetime = 300, .src = "198.51.100.22"}},
	{"other_sender", -1, {.lifetime = 300, .key_ha = "198.51.100.22"}},
	{"bad_authenticator", 131, {.lifetime = 300, .spoil = true}},
	{"bad_authenticator", 131, {.lifetime = 300, .other_master = true}},
	{"bad_authenticator", 131, {.lifetime = 0, .spoil = true}},
	{"cvse", 134, {.lifetime = 300, .cvse = true}},
	{"no_identification", 133, {.lifetime = 300, .no_ident = true}},
	{"no_identification", 133, {.lifetime = 0, .no_ident = true}},
	{"stale", 133, {.lifetime = 300, .off_ms = -8000}},
	{"stale", 133, {.lifetime = 300, .off_ms = 8000}},
	{"replay", 133, {.lifetime = 300, .off_ms = -6000}},
	{"replay", 133, {.lifetime = 0, .off_ms = -6000}},
	{"bad_profile", 134, {.lifetime = 300, .other_seal = true}},
	{"bad_profile", 134, {.lifetime = 300, .no_profile = true}},
	{"other_profile", 134, {.lifetime = 300, .profile_number = 6}},
	{"other_profile", 134, {.lifetime = 300, .profile_hoa = "10.1.0.11"}},
	{"other_profile", 134, {.lifetime = 300, .profile_coa = "198.51.100.12"}},
	{"other_gateway", 129, {.lifetime = 300, .profile_gw = PCN2_ADDR}},
	{"other_gateway", 129, {.lifetime = 300, .profile_gw = FA_ADDR, .coa = "198.51.100.12"}},
	{"other_prefix", 129, {.lifetime = 300, .profile_dst = "203.0.112.0/22"}},
	{"other_prefix", 129, {.lifetime = 300, .profile_dst = "10.9.0.0/24"}},
	{"other_prefix", 129, {.lifetime = 300, .profile_dst = "203.0.113.128/25"}}, /* the CN is not in it */
};

static void expect_refusal(const struct refusal_row *r, bool standing)
{
	char counter[64];
	uint64_t before;
	int status;

	snprintf(counter, sizeof(counter), "pcn.bu.%s", r->name);
	if (r->u.is_request)
		snprintf(counter, sizeof(counter), "pcn.bu.not_update");
	before = counter_get(counter);
	status = send_update(r->u);
	HARNESS_AT(status == r->status, "%s: %d", r->name, status);
	HARNESS_AT(counter_get(counter) == before + 1, "%s", counter);
	HARNESS_AT(live() == standing, "%s", r->name);
	/* 131 is signed with a key that who sent it does not have, in one case */
	if (status > 0 && status != BIND_AUTH && !r->u.no_ident)
		HARNESS_AT(ba_is_right(), "%s", r->name);
}

/* With something standing, and without; a thing that stands goes on standing, untouched. */
static void test_refusals(void)
{
	struct role_row before, after;

	begin();
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	world_pass(&w, 1000);
	rows(&before);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		world_pass(&w, 60); /* 20 refusals in a second are the most */
		expect_refusal(&refusals[i], true);
		rows(&after);
		CU_ASSERT_EQUAL(after.coa.s_addr, before.coa.s_addr);
		CU_ASSERT_EQUAL(after.lifetime_s, before.lifetime_s);
		CU_ASSERT_STRING_EQUAL(after.state, before.state);
	}
	world_end(&w);
	begin();
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		world_pass(&w, 100);
		if (strcmp(refusals[i].name, "replay") != 0)
			expect_refusal(&refusals[i], false);
	}
	CU_ASSERT_TRUE(world_balanced(&w)); /* and none of them left anything */
	world_end(&w);
}

/* --- damage --- */

static void test_every_length_and_bit(void)
{
	uint8_t damaged[MIP_MSG_MAX];
	size_t len;

	begin();
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	world_pass(&w, 1000);
	update_build(&(struct update){.lifetime = 600, .coa = "198.51.100.12"});
	len = bu_len;
	for (size_t i = 0; i < len; i++) {
		HARNESS_AT(deliver(bu, i) == -1, "cut at %zu", i);
		CU_ASSERT_EQUAL(live(), 1);
	}
	for (size_t i = 0; i < len * 8; i++) {
		int status;

		memcpy(damaged, bu, len);
		damaged[i / 8] ^= (uint8_t)(1u << i % 8);
		status = deliver(damaged, len);
		HARNESS_AT(status == -1 || status == BIND_AUTH, "bit %zu: %d", i, status);
	}
	CU_ASSERT_EQUAL(live(), 1);
	for (size_t extra = 1; extra < 40;
	     extra++) { /* nothing but padding may stand behind the authenticator */
		memcpy(damaged, bu, len);
		memset(damaged + len, MIP_EXT_CVSE, extra);
		HARNESS_AT(deliver(damaged, len + extra) == -1, "%zu more", extra);
	}
	memset(damaged, 0, sizeof(damaged));
	damaged[0] = BIND_UPDATE;
	CU_ASSERT_EQUAL(deliver(damaged, sizeof(damaged)), -1);
	CU_ASSERT_EQUAL(deliver(damaged, 65000), -1); /* refused by its length, never read */
	CU_ASSERT_EQUAL(deliver(bu, len), 0);	      /* unspoilt it is taken */
	world_end(&w);
}

static void test_replay_of_all(void)
{
	static uint8_t old[8][MIP_MSG_MAX];
	size_t old_len[8];
	struct role_row r;

	begin();
	for (int i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL(send_update((struct update){.lifetime = (uint16_t)(300 + i)}), 0);
		memcpy(old[i], bu, bu_len);
		old_len[i] = bu_len;
		world_pass(&w, 100);
	}
	for (int i = 0; i < 7; i++)
		CU_ASSERT_EQUAL(deliver(old[i], old_len[i]), BIND_IDENT);
	CU_ASSERT_EQUAL(deliver(old[7], old_len[7]), 0);
	bu_path.dst = addr("203.0.113.77"); /* readdressed: answered as before, in the first one's name */
	CU_ASSERT_EQUAL(deliver(old[7], old_len[7]), 0);
	CU_ASSERT_EQUAL(w.wire[AT_PCN].path.src.s_addr, addr(CN).s_addr);
	rows(&r);
	CU_ASSERT_EQUAL(r.lifetime_s, 307);
	bu_path.dst = addr(CN);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 0}), 0);
	for (int i = 0; i < 8; i++) /* gone, and remembered */
		CU_ASSERT_EQUAL(deliver(old[i], old_len[i]), BIND_IDENT);
	world_pass(&w, 16000);
	for (int i = 0; i < 8; i++) /* forgotten, and too old */
		CU_ASSERT_EQUAL(deliver(old[i], old_len[i]), BIND_IDENT);
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

/* A flood of forgeries is answered 20 times a second, and does not silence the answers to who has the key. */
static void test_refusal_rate(void)
{
	unsigned answered = 0;

	begin();
	world_pass(&w, 5000);
	for (int i = 0; i < 1000; i++)
		answered += send_update((struct update){.lifetime = 300, .spoil = true}) == BIND_AUTH;
	CU_ASSERT_EQUAL(answered, 20);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300, .off_ms = -9000}), BIND_IDENT);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	answered = 0;
	for (int i = 0; i < 1000; i++)
		answered += send_update((struct update){.lifetime = 300, .off_ms = -9000}) == BIND_IDENT;
	CU_ASSERT_EQUAL(answered, 19);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300, .spoil = true}), BIND_AUTH);
	world_end(&w);
}

/* --- the tunnel --- */

static void test_tunnel_fails(void)
{
	struct role_row r;

	begin();
	w.vpn[AT_PCN] = VPN_FAILS;
	w.vpn[AT_PCN] = VPN_HANGS;
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), -1);
	world_vpn_answers(&w, AT_PCN, false);
	CU_ASSERT_EQUAL(w.wire[AT_PCN].n, 1);
	bind_decode(w.wire[AT_PCN].bytes, w.wire[AT_PCN].len, &ba);
	CU_ASSERT_EQUAL(ba.status, BIND_RESOURCES);
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_EQUAL(deliver(bu, bu_len), BIND_RESOURCES); /* asked again: the same answer */
	CU_ASSERT_TRUE(world_balanced(&w));
	w.vpn[AT_PCN] = VPN_COMES_UP;
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	w.vpn[AT_PCN] = VPN_HANGS; /* a renewal fails: what stood stands until its own end */
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 600}), -1);
	world_vpn_answers(&w, AT_PCN, false);
	CU_ASSERT_EQUAL_FATAL(rows(&r), 1);
	CU_ASSERT_STRING_EQUAL(r.state, "ready");
	world_pass(&w, 300000);
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

/* The VPN room says nothing: refused, and whatever it has is taken down, of a renewal, too. */
static void test_tunnel_late(void)
{
	for (int renewal = 0; renewal < 2; renewal++) {
		begin();
		if (renewal)
			CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
		w.vpn[AT_PCN] = VPN_HANGS;
		CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), -1);
		world_pass(&w, 2500);
		bind_decode(w.wire[AT_PCN].bytes, w.wire[AT_PCN].len, &ba);
		CU_ASSERT_EQUAL(ba.status, BIND_RESOURCES);
		CU_ASSERT_EQUAL(live(), 0);
		CU_ASSERT_TRUE(world_balanced(&w));
		world_end(&w);
	}
}

static void test_tunnel_lost(void)
{
	struct role_event down = {
		.type = EV_VPN_DOWN, .session = "pcn:10.1.0.10:5:198.51.100.21", .text = "dead"};

	begin();
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	world_tell(&w, AT_PCN, &down);
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	CU_ASSERT_EQUAL(deliver(bu, bu_len), BIND_UNSPECIFIED); /* not "accepted": it is not there */
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	w.vpn[AT_PCN] = VPN_HANGS;
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), -1);
	world_tell(&w, AT_PCN, &down); /* while it was renewed */
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_tell(&w, AT_PCN, &down); /* known already */
	world_end(&w);
}

/* --- F8 --- */

static unsigned asked_by(role_ms ms)
{
	world_pass(&w, ms);
	return w.wire[AT_PCN].n;
}

static void test_asks(void)
{
	static const struct update plain;
	uint8_t auth[32], seal[32];
	struct bind_msg m;

	begin();
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 100}), 0);
	CU_ASSERT_EQUAL(asked_by(89999), 1);
	CU_ASSERT_EQUAL(asked_by(1), 2); /* at 90 % */
	CU_ASSERT_EQUAL_FATAL(bind_decode(w.wire[AT_PCN].bytes, w.wire[AT_PCN].len, &m), MIP_REJ_OK);
	update_keys(&plain, "s-1", auth, seal);
	CU_ASSERT_EQUAL(m.type, BIND_REQUEST);
	CU_ASSERT_EQUAL(m.hoa.s_addr, addr(HOA).s_addr);
	CU_ASSERT_EQUAL(m.profile, 5);
	CU_ASSERT_TRUE(bind_auth_check(&m, auth));
	CU_ASSERT_EQUAL(w.wire[AT_PCN].path.src.s_addr, addr(CN).s_addr);
	CU_ASSERT_EQUAL(w.wire[AT_PCN].path.dst.s_addr, addr(HA_ADDR).s_addr);
	CU_ASSERT_EQUAL(asked_by(999), 2);
	CU_ASSERT_EQUAL(asked_by(1), 3); /* 1 s */
	CU_ASSERT_EQUAL(asked_by(1999), 3);
	CU_ASSERT_EQUAL(asked_by(1), 4); /* 2 s */
	CU_ASSERT_EQUAL(asked_by(3999), 4);
	CU_ASSERT_EQUAL(asked_by(1), 5); /* 4 s: that is 97 s */
	CU_ASSERT_EQUAL(live(), 1);
	CU_ASSERT_EQUAL(asked_by(2999), 5);
	CU_ASSERT_EQUAL(live(), 1);
	CU_ASSERT_EQUAL(asked_by(1), 5); /* silence ends it */
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	CU_ASSERT_EQUAL(asked_by(100000), 5);
	CU_ASSERT_EQUAL(pcn_next(w.pcn[0]), UINT64_MAX); /* and is forgotten */
	world_end(&w);
}

static void test_answer_keeps(void)
{
	begin();
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 100}), 0);
	for (int i = 0; i < 5; i++) {
		unsigned n = w.wire[AT_PCN].n;

		CU_ASSERT_EQUAL(asked_by(90000), n + 1);
		CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 100}), 0);
		CU_ASSERT_EQUAL(live(), 1);
	}
	world_pass(&w, 100000);
	CU_ASSERT_EQUAL(live(), 0);
	world_end(&w);
}

static void test_lifetimes(void)
{
	struct role_row r;

	begin();
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 1}), 0); /* short: asked once at 0.9 s */
	CU_ASSERT_EQUAL(asked_by(1000), 2);
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 0xffff}), 0); /* no more than we want */
	rows(&r);
	CU_ASSERT_EQUAL(r.lifetime_s, 1800);
	world_pass(&w, 1800000);
	CU_ASSERT_EQUAL(live(), 0);
	world_end(&w);
}

/* --- ends --- */

static void test_deletes(void)
{
	begin();
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 0}), 0); /* what is not there */
	CU_ASSERT_TRUE(ba_is_right());
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300, .number = 6}), 0);
	CU_ASSERT_EQUAL(live(), 2);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300, .coa = HOA}), 0); /* back at home */
	CU_ASSERT_EQUAL(live(), 1);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 0, .number = 6}), 0);
	CU_ASSERT_EQUAL(deliver(bu, bu_len), 0); /* retransmitted */
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	w.vpn[AT_PCN] = VPN_HANGS; /* while it is set up */
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), -1);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 0}), 0);
	world_tell(&w, AT_PCN,
		   &(struct role_event){.type = EV_VPN_UP, .session = "pcn:10.1.0.10:5:198.51.100.21"});
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

static void test_drop_and_shutdown(void)
{
	struct actions out = {0};

	begin();
	for (uint32_t n = 5; n < 8; n++)
		CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300, .number = n}), 0);
	world_tell(&w, AT_PCN,
		   &(struct role_event){.type = EV_DROP, .text = "pcn:10.1.0.10:6:198.51.100.21"});
	CU_ASSERT_EQUAL(live(), 2);
	world_tell(&w, AT_PCN, &(struct role_event){.type = EV_DROP, .text = "10.1.0.99"});
	world_tell(&w, AT_PCN, &(struct role_event){.type = EV_DROP});
	CU_ASSERT_EQUAL(live(), 2);
	world_tell(&w, AT_PCN, &(struct role_event){.type = EV_DROP, .text = HOA});
	CU_ASSERT_EQUAL(live(), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	pcn_shutdown(w.pcn[0], w.now, &out);
	for (size_t i = 0; i < out.n; i++)
		removed += out.a[i].type == ACT_VPN_REMOVE;
	CU_ASSERT_EQUAL(removed, 1);
	actions_clear(&out);
	pcn_free(w.pcn[0]);
	pcn_free(w.pcn[1]);
}

/* --- bounds --- */

static void test_full(void)
{
	unsigned taken = 0, remembered = 0;

	world_init(&w, false);
	w.pc[0].entries_max = 10;
	world_pcns(&w);
	for (uint32_t n = 1; n <= 15; n++)
		taken += send_update((struct update){.lifetime = 300, .number = n}) == 0;
	CU_ASSERT_EQUAL(taken, 10);
	CU_ASSERT_EQUAL(ba.status, BIND_RESOURCES);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 600, .number = 1}), 0); /* renewals go on */
	for (uint32_t n = 100; n <= 200; n++) /* the memory of what is gone is bounded, too */
		remembered += send_update((struct update){.lifetime = 0, .number = n}) == 0;
	CU_ASSERT_EQUAL(remembered, 101);
	CU_ASSERT_EQUAL(live(), 10);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 0, .number = 1}), 0);
	CU_ASSERT_EQUAL(live(), 9);
	world_pass(&w, 20000);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 600, .number = 77}), 0);
	world_end(&w);
}

static void test_reconfigured(void)
{
	struct pcn_config c;

	begin();
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	c = w.pc[0];
	c.prefixes[0].addr = addr("203.0.115.0");
	pcn_reconfigure(w.pcn[0], &c, w.now);
	CU_ASSERT_EQUAL(live(), 1);
	c = w.pc[0];
	c.spi = 300; /* ours; the home agent's is its own affair */
	pcn_reconfigure(w.pcn[0], &c, w.now);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), 0);
	CU_ASSERT_EQUAL(ba.auth.spi, 300);
	c.prefixes[0].addr = addr("203.0.115.0");
	pcn_reconfigure(w.pcn[0], &c, w.now);
	CU_ASSERT_EQUAL(send_update((struct update){.lifetime = 300}), -1);
	world_pass(&w, 300000);
	CU_ASSERT_EQUAL(live(), 0);
	world_end(&w);
}

HARNESS_MAIN("roles/pcn", HARNESS_CASE(test_installs_then_answers), HARNESS_CASE(test_retransmission),
	     HARNESS_CASE(test_refusals), HARNESS_CASE(test_every_length_and_bit),
	     HARNESS_CASE(test_replay_of_all), HARNESS_CASE(test_refusal_rate),
	     HARNESS_CASE(test_tunnel_fails), HARNESS_CASE(test_tunnel_late), HARNESS_CASE(test_tunnel_lost),
	     HARNESS_CASE(test_asks), HARNESS_CASE(test_answer_keeps), HARNESS_CASE(test_lifetimes),
	     HARNESS_CASE(test_deletes), HARNESS_CASE(test_drop_and_shutdown), HARNESS_CASE(test_full),
	     HARNESS_CASE(test_reconfigured))
