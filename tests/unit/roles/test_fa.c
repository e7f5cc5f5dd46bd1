/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The foreign agent alone: every code that it can give, and why; silence where silence is due; challenges,
 * advertisements, deadlines.
 */
#include "tests/unit/roles/world.h"

static struct world w;
static struct mn alice, bob;

static void begin(bool aaa)
{
	world_init(&w, aaa);
	world_mn(&w, &alice, "alice@home.test", "10.1.0.10");
	world_mn(&w, &bob, "bob@home.test", "10.1.0.11");
}

#define FULL .lifetime = 300, .with_aaa = true, .with_challenge = true
#define PLAIN .lifetime = 300, .with_mn_ha = true, .with_mn_fa = true
static const struct ask good = {.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true};
static const uint8_t none[16] = "not advertised";

static void reply_is_sound(const struct mn *m, uint8_t code)
{
	CU_ASSERT_EQUAL(m->rrp.code, code);
	CU_ASSERT_EQUAL(m->rrp.ident, m->ident);
	CU_ASSERT_EQUAL(m->path.dport, 4000);
	CU_ASSERT_EQUAL(m->path.sport, MIP_PORT);
	CU_ASSERT_EQUAL(m->path.ifindex, LINK);
	CU_ASSERT_TRUE(m->rrp.message.len > 0);
	CU_ASSERT_EQUAL(m->rrp.message_from, 2);
}

/* One thing wrong, one code, one counter; and the next good request works. */
static void test_codes_aaa(void)
{
	static const struct {
		const char *name;
		int code;
		struct ask a;
		bool no_nai;
	} rows[] = {
		{"reserved_bits", 70, {FULL, .flags = MIP_X}, false},
		{"reserved_bits", 70, {FULL, .flags = MIP_R}, false},
		{"care_of", 77, {FULL, .coa = "10.2.1.9"}, false},
		{"care_of",
		 77,
		 {.lifetime = 300, .coa = "10.2.1.9", .flags = MIP_D, .with_aaa = true},
		 false},
		{"co_located", 70, {FULL, .flags = MIP_D}, false},
		{"no_nai", 97, {FULL}, true},
		{"vendor", 100, {FULL, .cvse = true}, false},
		{"own_address", 194, {FULL, .ha = FA_ADDR}, false},
		{"own_address", 194, {FULL, .ha = FA_LINK_ADDR}, false},
		{"mn_fa_unknown", 67, {.lifetime = 300, .with_mn_fa = true, .with_challenge = true}, false},
		{"lifetime", 69, {.lifetime = 601, .with_aaa = true, .with_challenge = true}, false},
		{"lifetime", 69, {.lifetime = 0xffff, .with_aaa = true, .with_challenge = true}, false},
		{"encapsulation", 72, {FULL, .flags = MIP_M}, false},
		{"encapsulation", 72, {FULL, .flags = MIP_G}, false},
		{"style_without_t", 70, {FULL, .style = true}, false},
		{"too_distant", 76, {FULL, .flags = MIP_T, .ttl = 254}, false},
		{"delivery_style", 79, {FULL, .flags = MIP_T, .style = true}, false},
		{"missing_challenge", 105, {.lifetime = 300, .with_aaa = true}, false},
		{"unknown_challenge", 104, {FULL, .challenge = none, .challenge_len = 16}, false},
		{"unknown_challenge", 104, {FULL, .challenge = none, .challenge_len = 4}, false},
		{"nai", 70, {.lifetime = 300, .duplicate_nai = true, .with_aaa = true}, false},
		{"bare_challenge", -1, {.lifetime = 300, .with_challenge = true}, false},
		{"ext_unknown", -1, {.lifetime = 300, .pad_unknown = true, .with_aaa = true}, false},
		{"no_link", -1, {FULL, .ifindex = 99}, false},
		{"aaa_auth", 108, {FULL, .keys = true, .spoil_aaa = true}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char counter[64];
		uint64_t before;

		begin(true);
		world_start(&w);
		alice.mn_fa = (struct assoc){true, 0x999, 0x999, CRYPTO_HMAC_MD5, "0123456789abcdef", 16};
		snprintf(counter, sizeof(counter), "fa.rrq.%s", rows[i].name);
		if (strcmp(rows[i].name, "nai") == 0)
			snprintf(counter, sizeof(counter), "fa.rrq.ext_duplicate");
		before = counter_get(counter);
		alice.nai = rows[i].no_nai ? "" : "alice@home.test";
		mn_hear(&w, &alice);
		int code = mn_send(&w, &alice, &rows[i].a);

		HARNESS_AT(code == rows[i].code, "row %zu %s: code %d", i, rows[i].name, code);
		HARNESS_AT(counter_get(counter) == before + 1, "row %zu: counter %s", i, counter);
		if (code > 0)
			reply_is_sound(&alice, (uint8_t)code);
		if (code == 69)
			CU_ASSERT_EQUAL(alice.rrp.lifetime, 600);
		CU_ASSERT_EQUAL(fa_count(&w), 0);
		alice.nai = "alice@home.test";
		world_pass(&w, 1000);
		mn_hear(&w, &alice);
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &good), 0);
		world_end(&w);
	}
}

static const struct ask plain = {.lifetime = 300, .with_mn_ha = true, .with_mn_fa = true};

/* Without AAA: configured associations, RFC 5944 and nothing else. */
static struct role_sa sas[3];

static void begin_plain(void)
{
	begin(false);
	sas[0] = (struct role_sa){
		.nai = "alice@home.test", .spi = 0x400, .alg = CRYPTO_HMAC_MD5, .key = {16, "mn-fa key"}};
	sas[1] = (struct role_sa){
		.nai = "alice@home.test", .spi = 0x500, .alg = CRYPTO_HMAC_SHA256, .key = {32, "mn-ha key"}};
	sas[2] = (struct role_sa){
		.peer = addr(HA_ADDR), .spi = 0x600, .alg = CRYPTO_HMAC_MD5, .key = {16, "fa-ha key"}};
	static struct role_sa at_ha[2];

	at_ha[0] = sas[1];
	at_ha[1] = sas[2];
	at_ha[1].peer = addr(FA_ADDR);
	w.fc.sas = sas;
	w.fc.n_sas = 3;
	w.hc.sas = at_ha;
	w.hc.n_sas = 2;
	alice.mn_fa = (struct assoc){true, 0x400, 0x400, CRYPTO_HMAC_MD5, "mn-fa key", 16};
	alice.mn_ha = (struct assoc){true, 0x500, 0x500, CRYPTO_HMAC_SHA256, "mn-ha key", 32};
	/* The FA looks MN-FA up by NAI: the MN-HA one must not be found there. */
	sas[1].nai[0] = 'x';
}

static void test_plain(void)
{
	begin_plain();
	world_start(&w);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &plain), 0);
	CU_ASSERT_TRUE(alice.right32 && alice.right33);
	CU_ASSERT_EQUAL(alice.rrp.lifetime, 300);
	CU_ASSERT_EQUAL(w.sessions, 0);
	CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 2);
	struct ask a = plain;

	a.lifetime = 0;
	w.wall += 1000;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 0);
	CU_ASSERT_EQUAL(w.strs[AT_FA] + w.strs[AT_HA], 0);
	world_end(&w);
}

static void test_codes_plain(void)
{
	static const struct {
		const char *name;
		int code;
		struct ask a;
		const char *nai;
	} rows[] = {
		{"mn_fa_missing", 67, {.lifetime = 300, .with_mn_ha = true}, "alice@home.test"},
		{"mn_fa_wrong", 67, {PLAIN, .spoil_mn_fa = true}, "alice@home.test"},
		{"no_home_agent", 90, {PLAIN, .ha = "0.0.0.0"}, "alice@home.test"},
		{"no_home_address", 96, {.lifetime = 300, .hoa = "0.0.0.0", .with_mn_ha = true}, ""},
		{"reverse_unavailable", 74, {PLAIN, .flags = MIP_T}, "alice@home.test"},
		{"reverse_required", 75, {PLAIN}, "alice@home.test"},
		{"visitors_full", 66, {.lifetime = 300, .with_mn_ha = true}, "bob@home.test"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_plain();
		w.fc.reverse_tunnel = rows[i].code != 74;
		w.fc.reverse_tunnel_required = rows[i].code == 75;
		w.fc.visitors_max = rows[i].code == 66 ? 1 : 0;
		world_start(&w);
		if (rows[i].code == 66)
			CU_ASSERT_EQUAL(mn_send(&w, &alice, &plain), 0);
		w.wall += 1000;
		alice.nai = rows[i].nai;
		int code = mn_send(&w, &alice, &rows[i].a);

		HARNESS_AT(code == rows[i].code, "row %zu %s: code %d", i, rows[i].name, code);
		alice.nai = "alice@home.test";
		world_end(&w);
	}
}

/* 33 twice. */
static void test_duplicate_mn_fa(void)
{
	uint8_t buf[MIP_MSG_MAX];

	begin_plain();
	world_start(&w);
	size_t len = mn_build(&w, &alice, &plain, buf);

	memcpy(buf + len, buf + len - 22, 22);
	CU_ASSERT_EQUAL(mn_send_bytes(&w, &alice, &plain, buf, len + 22), MIP_FA_MN_AUTH);
	world_end(&w);
}

static void test_icmp(void)
{
	static const struct {
		uint8_t type, icmp;
		int code;
	} rows[] = {
		{3, 0, 80},  {3, 1, 81},  {3, 3, 82}, {3, 2, 88},
		{3, 13, 88}, {11, 0, 88}, {3, 6, 80}, {3, 10, 81},
	};
	uint8_t buf[MIP_MSG_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct role_event e = {
			.type = EV_ICMP_ERROR, .icmp_type = rows[i].type, .icmp_code = rows[i].icmp};

		begin_plain();
		w.cut_fa_ha = true;
		world_start(&w);
		e.len = mn_build(&w, &alice, &plain, buf);
		e.data = i % 2 ? buf : NULL;
		CU_ASSERT_EQUAL(mn_send_bytes(&w, &alice, &plain, buf, e.len), -1);
		e.path.dst = addr("198.51.100.99");
		fa_tell(&w, &e);
		CU_ASSERT_EQUAL(alice.replies, 0); /* of another home agent */
		e.path.dst = addr(HA_ADDR);
		fa_tell(&w, &e);
		HARNESS_AT(alice.replies == 1 && alice.rrp.code == rows[i].code, "row %zu: %u", i,
			   alice.rrp.code);
		world_end(&w);
	}
}

static void test_timeout_and_retransmission(void)
{
	begin_plain();
	w.cut_fa_ha = true;
	world_start(&w);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &plain), -1);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &plain), -1);
	CU_ASSERT_EQUAL(w.to_ha, 2);	  /* relayed again */
	CU_ASSERT_EQUAL(fa_count(&w), 1); /* one entry */
	world_pass(&w, 6100);
	CU_ASSERT_EQUAL(alice.replies, 1);
	reply_is_sound(&alice, MIP_FA_TIMEOUT);
	CU_ASSERT_TRUE(alice.right33);
	world_end(&w);
}

static void test_aaa_results(void)
{
	static const struct {
		uint32_t result;
		int code;
		bool failed;
	} rows[] = {
		{4001, 108, false}, {5003, 65, false}, {5030, 65, false}, {3002, 80, false},
		{3003, 80, false},  {3004, 66, false}, {4006, 88, false}, {5024, 65, false},
		{5012, 64, false},  {5005, 64, false}, {3002, 80, true},  {3004, 66, true},
		{0, 78, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct role_event e = {
			.type = EV_AAA_FAILED, .result = rows[i].result, .session = w.amr_session};

		begin(true);
		w.answer = rows[i].failed ? 0 : rows[i].result;
		w.deaf = rows[i].failed;
		world_start(&w);
		mn_hear(&w, &alice);
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &good), rows[i].failed ? -1 : rows[i].code);
		if (rows[i].failed)
			fa_tell(&w, &e);
		HARNESS_AT(alice.replies == 1 && alice.rrp.code == rows[i].code, "row %zu: %u", i,
			   alice.rrp.code);
		CU_ASSERT_EQUAL(w.strs[AT_FA], rows[i].failed && !rows[i].result);
		world_end(&w);
	}
}

/* The AAA never answers; then it does, too late: what it began is ended. */
static void test_aaa_late(void)
{
	struct dm_ama a = {.result = DM_SUCCESS};
	struct role_event e = {.type = EV_AMA, .session = w.amr_session, .ama = &a};

	begin(true);
	w.deaf = true;
	world_start(&w);
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &good), -1);
	world_pass(&w, 500);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &good), -1); /* same challenge: tolerated, not asked twice */
	CU_ASSERT_EQUAL(fa_count(&w), 1);
	world_pass(&w, 9000);
	CU_ASSERT_EQUAL(alice.rrp.code, MIP_FA_TIMEOUT);
	CU_ASSERT_EQUAL(w.strs[AT_FA], 1);
	snprintf(a.user, sizeof(a.user), "alice@home.test");
	fa_tell(&w, &e);
	CU_ASSERT_EQUAL(w.strs[AT_FA], 2);
	CU_ASSERT_EQUAL(alice.replies, 1);
	world_end(&w);
}

static void test_pending_is_bounded(void)
{
	static char nai[100][32];
	static struct mn m[100];
	unsigned full = 0, silent = 0;

	begin(true);
	w.fc.pending_max = 5;
	w.deaf = true;
	world_start(&w);
	for (int i = 0; i < 100; i++) {
		snprintf(nai[i], sizeof(nai[i]), "m%d@home.test", i);
		w.n_mn = 0;
		world_mn(&w, &m[i], nai[i], "10.1.0.50");
		m[i].mac[5] = (uint8_t)i;
		mn_hear(&w, &m[i]);
		int code = mn_send(&w, &m[i], &good);

		full += code == MIP_FA_RESOURCES;
		silent += code < 0;
	}
	CU_ASSERT_EQUAL(silent, 5);
	CU_ASSERT_EQUAL(full, 95);
	CU_ASSERT_EQUAL(fa_count(&w), 5);
	world_pass(&w, 1000);
	CU_ASSERT_TRUE(w.adv.flags & MIP_ADV_B); /* busy, and says so */
	world_end(&w);
}

static void test_truncated(void)
{
	uint8_t buf[MIP_MSG_MAX];
	int code;

	begin(true);
	world_start(&w);
	for (size_t cut = 0;; cut++) {
		world_pass(&w, 1000);
		mn_hear(&w, &alice);
		size_t len = mn_build(&w, &alice, &good, buf);

		if (cut >= len)
			break;
		uint8_t *exact = malloc(cut ? cut : 1); /* so that the sanitizer sees a read behind it */

		memcpy(exact, buf, cut);
		code = mn_send_bytes(&w, &alice, &good, exact, cut);
		free(exact);
		if (cut < 24)
			HARNESS_AT(code == -1, "cut at %zu: %d", cut, code);
		else /* poorly formed; or it ends between extensions: silence, 105, 108 ... */
			HARNESS_AT(code == -1 || (code >= 64 && code < 128), "cut at %zu: %d", cut, code);
		CU_ASSERT_EQUAL(fa_count(&w), 0);
	}
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &good), 0);
	world_end(&w);
}

/* What comes from the home agent's side. */
static void test_replies(void)
{
	static const struct {
		const char *name;
		int code;
		uint8_t reply;
		const char *hoa, *ha;
		bool nai, sign, cut, cvse;
	} rows[] = {
		{"fa_ha_auth", 68, 0, "10.1.0.10", HA_ADDR, true, false, false, false},
		{"poor_reply", 71, 0, "10.1.0.10", HA_ADDR, true, true, true, false},
		{"reply_no_nai", 97, 0, "10.1.0.10", HA_ADDR, false, true, false, false},
		{"reply_no_ha", 98, 0, "10.1.0.10", "0.0.0.0", true, true, false, false},
		{"cvse_ha", 101, 0, "10.1.0.10", HA_ADDR, true, true, false, true},
		{"refused", 129, 129, "10.1.0.10", HA_ADDR, true, true, false, false},
		{"no_match", -1, 0, "10.1.0.99", HA_ADDR, true, true, false, false},
		{"added", 0, 0, "10.1.0.10", HA_ADDR, true, true, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t mem[512];
		struct wbuf b;
		struct role_event e = {.type = EV_PACKET, .data = mem};

		begin_plain();
		w.cut_fa_ha = true;
		world_start(&w);
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &plain), -1);
		wbuf_init(&b, mem, sizeof(mem));
		mip_rrp_put(&b, rows[i].reply, 300, addr(rows[i].hoa), addr(rows[i].ha), alice.ident);
		if (rows[i].nai)
			mip_ext_put_nai(&b, "alice@home.test");
		if (rows[i].cvse)
			wbuf_bytes(&b, "\x26\x00\x00\x06\x00\x00\x00\x09\x00\x01", 10);
		mip_ext_put_auth(&b, MIP_EXT_MN_HA, 0x500, CRYPTO_HMAC_SHA256, sas[1].key.data, 32);
		mip_ext_put_auth(&b, MIP_EXT_FA_HA, rows[i].sign ? 0x600 : 0x601, CRYPTO_HMAC_MD5,
				 sas[2].key.data, 16);
		e.len = b.len - rows[i].cut;
		e.path.src = addr("198.51.100.77");
		fa_tell(&w, &e);
		CU_ASSERT_EQUAL(alice.replies, 0); /* not from that home agent */
		e.path.src = addr(HA_ADDR);
		fa_tell(&w, &e);
		HARNESS_AT((alice.replies ? alice.rrp.code : -1) == rows[i].code, "row %zu %s: %d", i,
			   rows[i].name, alice.replies ? alice.rrp.code : -1);
		if (alice.replies) {
			CU_ASSERT_TRUE(alice.right33);
			CU_ASSERT_FALSE(alice.rrp.fa_ha.present);
			unsigned n = alice.replies;

			fa_tell(&w, &e);
			CU_ASSERT_EQUAL(alice.replies, n); /* the same again answers nothing */
		}
		CU_ASSERT_EQUAL(alice.replies && alice.right32, rows[i].code == 0 || rows[i].code == 129);
		world_end(&w);
	}
}

/* A home address of zero in an accepted reply: 99.  A challenge that is not the one sent: 109 beside the
 * HA's code. */
static void test_reply_without_address(void)
{
	struct ask a = plain;

	for (int differs = 0; differs < 2; differs++) {
		uint8_t mem[512];
		struct wbuf b;
		struct role_event e = {.type = EV_PACKET, .data = mem};

		begin_plain();
		w.cut_fa_ha = true;
		world_start(&w);
		a.hoa = differs ? NULL : "0.0.0.0";
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), -1);
		wbuf_init(&b, mem, sizeof(mem));
		mip_rrp_put(&b, 0, 300, addr(differs ? "10.1.0.10" : "0.0.0.0"), addr(HA_ADDR), alice.ident);
		mip_ext_put_nai(&b, "alice@home.test");
		mip_ext_put_auth(&b, MIP_EXT_MN_HA, 0x500, CRYPTO_HMAC_SHA256, sas[1].key.data, 32);
		if (differs)
			mip_ext_put_challenge(&b, none, 16);
		mip_ext_put_auth(&b, MIP_EXT_FA_HA, 0x600, CRYPTO_HMAC_MD5, sas[2].key.data, 16);
		e.len = b.len;
		e.path.src = addr(HA_ADDR);
		fa_tell(&w, &e);
		CU_ASSERT_EQUAL(alice.replies, 1);
		CU_ASSERT_EQUAL(alice.rrp.code, differs ? 0 : MIP_FA_NO_HOA);
		CU_ASSERT_EQUAL(alice.rrp.fa_error, differs ? MIP_FA_HA_CHALLENGE : 0);
		CU_ASSERT_EQUAL(fa_count(&w), 0);
		world_end(&w);
	}
}

HARNESS_MAIN("roles/fa", HARNESS_CASE(test_codes_aaa), HARNESS_CASE(test_plain),
	     HARNESS_CASE(test_codes_plain), HARNESS_CASE(test_duplicate_mn_fa), HARNESS_CASE(test_icmp),
	     HARNESS_CASE(test_timeout_and_retransmission), HARNESS_CASE(test_aaa_results),
	     HARNESS_CASE(test_aaa_late), HARNESS_CASE(test_pending_is_bounded), HARNESS_CASE(test_truncated),
	     HARNESS_CASE(test_replies), HARNESS_CASE(test_reply_without_address))
