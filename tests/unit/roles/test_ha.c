/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The home agent alone: every code that it can give by UDP and by HAR, and why; silence where silence is due;
 * replay, duplicates, the pool, the home link.
 */
#include "tests/unit/roles/world.h"

static struct world w;
static struct mn alice, bob;
static struct role_sa sas[4];
static struct mip_rrp rrp;

#define FA_HA_SPI 0x600

static void begin(void)
{
	world_init(&w, false);
	world_mn(&w, &alice, "", "10.1.0.10");
	world_mn(&w, &bob, "bob@home.test", "10.1.0.11");
	alice.mn_ha = (struct assoc){true, 0x500, 0x500, CRYPTO_HMAC_SHA1, "alice and her ha", 20};
	bob.mn_ha = (struct assoc){true, 0x500, 0x500, CRYPTO_HMAC_MD5, "bob and his ha", 16};
	sas[0] = (struct role_sa){
		.peer = alice.hoa, .spi = 0x500, .alg = CRYPTO_HMAC_SHA1, .key = {20, "alice and her ha"}};
	sas[1] = (struct role_sa){
		.nai = "bob@home.test", .spi = 0x500, .alg = CRYPTO_HMAC_MD5, .key = {16, "bob and his ha"}};
	sas[2] = (struct role_sa){
		.peer = addr(FA_ADDR), .spi = FA_HA_SPI, .alg = CRYPTO_HMAC_MD5, .key = {16, "fa and ha"}};
	w.hc.sas = sas;
	w.hc.n_sas = 3;
}

static void start(void)
{
	w.ha = ha_new(&w.hc, w.now);
	world_pass(&w, 0);
}

struct udp {
	struct ask a;
	enum { NO_34, GOOD_34, BAD_34, UNKNOWN_34, TWO_34 } auth;
	const char *src, *dst; /* NULL = the FA, the HA */
};

static int ha_ask(struct mn *m, const struct udp *u, size_t cut)
{
	static const uint8_t key[16] = "fa and ha";
	uint8_t buf[MIP_MSG_MAX];
	size_t len = mn_build(&w, m, &u->a, buf);
	struct wbuf b = {.base = buf, .len = len, .cap = sizeof(buf)};
	struct role_event e = {.type = EV_PACKET, .data = buf};

	for (int i = u->auth == TWO_34 ? 0 : 1; u->auth && i < 2; i++)
		mip_ext_put_auth(&b, MIP_EXT_FA_HA, u->auth == UNKNOWN_34 ? 0x777 : FA_HA_SPI,
				 CRYPTO_HMAC_MD5, key, 16);
	if (u->auth == BAD_34)
		buf[b.len - 1] ^= 1;
	e.len = cut ? cut : b.len;
	e.path = (struct role_path){.src = addr(u->src ? u->src : FA_ADDR),
				    .dst = addr(u->dst ? u->dst : HA_ADDR),
				    .sport = 5000,
				    .dport = MIP_PORT,
				    .ttl = 64};
	w.ha_len = 0;
	ha_tell(&w, &e);
	if (!w.ha_len)
		return -1;
	CU_ASSERT_EQUAL_FATAL(mip_rrp_decode(w.ha_bytes, w.ha_len, &rrp), MIP_REJ_OK);
	CU_ASSERT_EQUAL(w.from_ha.path.dst.s_addr, e.path.src.s_addr);
	CU_ASSERT_EQUAL(w.from_ha.path.src.s_addr, addr(HA_ADDR).s_addr);
	CU_ASSERT_EQUAL(w.from_ha.path.dport, 5000);
	CU_ASSERT_EQUAL((uint32_t)rrp.ident, (uint32_t)m->ident);
	CU_ASSERT_TRUE(rrp.mn_ha.present && mip_auth_check(&rrp.mn_ha, w.ha_bytes, m->mn_ha.alg,
							   sas[m == &bob].key.data, m->mn_ha.len));
	return rrp.code;
}

#define RRQ .lifetime = 300, .with_mn_ha = true

static void test_codes(void)
{
	static const struct {
		const char *name;
		int code;
		struct udp u;
	} rows[] = {
		{"accepted", 0, {{RRQ}, GOOD_34, NULL, NULL}},
		{"accepted", 1, {{RRQ, .flags = MIP_S}, GOOD_34, NULL, NULL}},
		{"accepted", 0, {{RRQ, .flags = MIP_B}, GOOD_34, NULL, NULL}},
		{"accepted", 0, {{RRQ, .flags = MIP_T}, GOOD_34, NULL, NULL}},
		{"accepted", 0, {{RRQ, .coa = "203.0.113.9", .flags = MIP_D}, NO_34, "203.0.113.9", NULL}},
		{"no_authorization", -1, {{.lifetime = 300}, GOOD_34, NULL, NULL}},
		{"no_association", -1, {{RRQ, .hoa = "10.1.0.20"}, GOOD_34, NULL, NULL}},
		{"mn_ha_wrong", 131, {{RRQ, .spoil_mn_ha = true}, GOOD_34, NULL, NULL}},
		{"mn_ha_wrong",
		 131,
		 {{RRQ, .spoil_mn_ha = true, .coa = "203.0.113.9"}, NO_34, "203.0.113.9", NULL}},
		{"ident_clock", 133, {{RRQ, .clock_off_ms = 8000}, GOOD_34, NULL, NULL}},
		{"ident_clock", 133, {{RRQ, .clock_off_ms = -8000}, GOOD_34, NULL, NULL}},
		{"fa_ha_wrong", 132, {{RRQ}, NO_34, NULL, NULL}},
		{"fa_ha_wrong", 132, {{RRQ}, BAD_34, NULL, NULL}},
		{"fa_ha_stranger", -1, {{RRQ}, UNKNOWN_34, NULL, NULL}},
		{"fa_ha_stranger", -1, {{RRQ}, GOOD_34, "203.0.113.9", NULL}},
		{"broadcast", 136, {{RRQ}, GOOD_34, NULL, "10.1.0.255"}},
		{"broadcast", 136, {{RRQ}, GOOD_34, NULL, "255.255.255.255"}},
		{"not_our_address", 136, {{RRQ, .ha = "198.51.100.22"}, GOOD_34, NULL, NULL}},
		{"not_our_address", 136, {{RRQ, .ha = "0.0.0.0"}, GOOD_34, NULL, NULL}},
		{"reserved_bits", 134, {{RRQ, .flags = MIP_X}, GOOD_34, NULL, NULL}},
		{"reserved_bits", 134, {{RRQ, .flags = MIP_R}, GOOD_34, NULL, NULL}},
		{"care_of", 134, {{RRQ, .coa = "0.0.0.0"}, GOOD_34, NULL, NULL}},
		{"care_of", 134, {{RRQ, .coa = "10.1.0.10"}, GOOD_34, NULL, NULL}},
		{"vendor", 140, {{RRQ, .cvse = true}, GOOD_34, NULL, NULL}},
		{"encapsulation", 139, {{RRQ, .flags = MIP_M}, GOOD_34, NULL, NULL}},
		{"encapsulation", 139, {{RRQ, .flags = MIP_G}, GOOD_34, NULL, NULL}},
		{"ext_unknown", -1, {{RRQ, .pad_unknown = true}, GOOD_34, NULL, NULL}},
		{"ext_duplicate", 132, {{RRQ}, TWO_34, NULL, NULL}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char counter[64];
		uint64_t before;

		begin();
		start();
		snprintf(counter, sizeof(counter), "ha.rrq.%s", rows[i].name);
		before = counter_get(counter);
		int code = ha_ask(&alice, &rows[i].u, 0);

		HARNESS_AT(code == rows[i].code, "row %zu %s: %d", i, rows[i].name, code);
		HARNESS_AT(counter_get(counter) == before + 1, "row %zu: counter %s", i, counter);
		CU_ASSERT_EQUAL(ha_count(&w), code == 0 || code == 1);
		CU_ASSERT_TRUE(code != 136 || rrp.ha.s_addr == addr(HA_ADDR).s_addr);
		CU_ASSERT_TRUE(code != 133 || rrp.ident >> 32 == w.wall / 1000 + MIP_NTP_UNIX);
		CU_ASSERT_TRUE(code < 0 || code == 133 || rrp.ident == alice.ident);
		w.wall += 1;
		CU_ASSERT_EQUAL(ha_ask(&alice, &rows[0].u, 0), 0); /* the next good one works */
		world_end(&w);
	}
}

static void test_policy(void)
{
	static const struct {
		int code;
		bool reverse, required;
		uint8_t flags;
		unsigned max;
		const char *hoa;
	} rows[] = {
		{137, false, false, MIP_T, 0, NULL},   {138, true, true, 0, 0, NULL},
		{0, true, true, MIP_T, 0, NULL},       {130, true, false, 0, 1, NULL},
		{129, true, false, 0, 0, "10.3.0.10"}, {129, true, false, 0, 0, "10.1.0.255"},
		{129, true, false, 0, 0, "10.1.0.1"},  {129, true, false, 0, 0, "10.1.0.0"},
	};
	const struct udp good = {{RRQ}, GOOD_34, NULL, NULL};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct udp u = good;

		begin();
		w.hc.reverse_tunnel = rows[i].reverse;
		w.hc.reverse_tunnel_required = rows[i].required;
		w.hc.bindings_max = rows[i].max;
		start();
		if (rows[i].max)
			CU_ASSERT_EQUAL(ha_ask(&alice, &good, 0), 0);
		u.a.flags = rows[i].flags;
		u.a.hoa = rows[i].hoa;
		int code = ha_ask(&bob, &u, 0);

		HARNESS_AT(code == rows[i].code, "row %zu: %d", i, code);
		world_end(&w);
	}
}

/* bob may not take the address that alice has. */
static void test_address_taken(void)
{
	const struct udp good = {{RRQ}, GOOD_34, NULL, NULL};
	struct udp u = good;
	struct mn carol;

	begin();
	world_mn(&w, &carol, "carol@home.test", "10.1.0.12");
	sas[3] = (struct role_sa){.nai = "carol@home.test",
				  .spi = 0x500,
				  .alg = CRYPTO_HMAC_SHA1,
				  .key = {20, "alice and her ha"}};
	carol.mn_ha = alice.mn_ha;
	w.hc.n_sas = 4;
	start();
	CU_ASSERT_EQUAL(ha_ask(&bob, &good, 0), 0);
	u.a.hoa = "10.1.0.11";
	CU_ASSERT_EQUAL(ha_ask(&carol, &u, 0), MIP_HA_PROHIBITED);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	u.a.hoa = NULL;
	w.wall++;
	CU_ASSERT_EQUAL(ha_ask(&carol, &u, 0), 0);
	world_end(&w);
}

static void test_replay_and_expiry(void)
{
	struct udp u = {{RRQ}, GOOD_34, NULL, NULL};
	uint64_t first;

	begin();
	start();
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 0);
	first = alice.ident;
	world_pass(&w, 5000);
	u.a.ident = first; /* the very same: refused, and does not prolong it */
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 133);
	u.a.ident = first - 1;
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 133);
	world_pass(&w, 294000);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	CU_ASSERT_EQUAL(w.strs[AT_HA], 0);
	u.a.ident = 0;
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 0);
	u.a.lifetime = 0;
	w.wall++;
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 0);
	u.a.lifetime = 300; /* a replay behind the deregistration */
	u.a.ident = alice.ident;
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 133);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	/* 2036: the 32 bits of seconds begin again. */
	u.a.ident = 0;
	w.wall = (0x100000000u - MIP_NTP_UNIX) * 1000u - 500;
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 0);
	w.wall += 1000;
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 0);
	CU_ASSERT_TRUE(alice.ident >> 32 == 0);
	world_end(&w);
}

static void test_lifetimes(void)
{
	static const struct {
		uint16_t want, get;
	} rows[] = {{1, 1}, {300, 300}, {900, 900}, {901, 900}, {0xffff, 900}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct udp u = {{RRQ}, GOOD_34, NULL, NULL};

		begin();
		start();
		u.a.lifetime = rows[i].want;
		CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 0);
		CU_ASSERT_EQUAL(rrp.lifetime, rows[i].get);
		world_pass(&w, rows[i].get * 1000u - 1);
		CU_ASSERT_EQUAL(ha_count(&w), 1);
		world_pass(&w, 1);
		CU_ASSERT_EQUAL(ha_count(&w), 0);
		world_end(&w);
	}
}

static void test_deregistrations(void)
{
	static const struct {
		const char *coa;
		bool left;
		int auth;
	} rows[] = {
		{FA_ADDR, false, NO_34},
		{FA_ADDR, false, GOOD_34},
		{"10.1.0.10", false, NO_34},
		{"198.51.100.99", true, NO_34},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct udp u = {{RRQ}, GOOD_34, NULL, NULL};

		begin();
		start();
		CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 0);
		u.a.lifetime = 0;
		u.a.coa = rows[i].coa;
		u.auth = rows[i].auth;
		w.wall++;
		HARNESS_AT(ha_ask(&alice, &u, 0) == 0, "row %zu: %u", i, rrp.code);
		CU_ASSERT_EQUAL(rrp.lifetime, 0);
		CU_ASSERT_EQUAL(rrp.fa_ha.present, rows[i].auth == GOOD_34);
		CU_ASSERT_EQUAL(ha_count(&w), rows[i].left);
		world_end(&w);
	}
}

/* Another foreign agent: the tunnel moves; the old one stays for what is in it, and then nothing is left of
 * it. */
static void test_moves(void)
{
	struct udp u = {{RRQ}, GOOD_34, NULL, NULL},
		   v = {{RRQ, .coa = "203.0.113.9"}, NO_34, "203.0.113.9", NULL};
	struct role_row row;

	begin();
	start();
	for (int i = 0; i < 4; i++) {
		w.wall++;
		CU_ASSERT_EQUAL(ha_ask(&alice, i % 2 ? &v : &u, 0), 0);
		CU_ASSERT_EQUAL(ha_rows(w.ha, w.now, &row, 1), 1);
		CU_ASSERT_EQUAL(row.coa.s_addr, addr(i % 2 ? "203.0.113.9" : FA_ADDR).s_addr);
		CU_ASSERT_EQUAL(w.n_ledger, i ? 4 : 3); /* tunnels, binding, proxy ARP */
	}
	world_pass(&w, 1999);
	CU_ASSERT_EQUAL(w.n_ledger, 4);
	world_pass(&w, 1);
	CU_ASSERT_EQUAL(w.n_ledger, 3);
	world_end(&w);
}

static void test_truncated(void)
{
	struct udp u = {{RRQ}, GOOD_34, NULL, NULL};
	int code;

	begin();
	start();
	for (size_t cut = 1; cut < 24 + 26 + 22; cut++) {
		w.wall++;
		code = ha_ask(&alice, &u, cut);
		if (cut <= 24) /* nothing of it is authenticated: silence */
			HARNESS_AT(code == -1, "cut at %zu: %d", cut, code);
		else /* poorly formed, or without 34 */
			HARNESS_AT(code == 134 || code == 132, "cut at %zu: %d", cut, code);
		CU_ASSERT_EQUAL(ha_count(&w), 0);
	}
	w.wall++;
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 0);
	world_end(&w);
}

/* Without a pool 130; from the pool by name, the same for the same user, until it is used up. */
static void test_pool(void)
{
	struct udp u = {{RRQ, .hoa = "0.0.0.0"}, GOOD_34, NULL, NULL};
	struct in_addr given;

	begin();
	w.hc.pool.len = 0;
	start();
	CU_ASSERT_EQUAL(ha_ask(&bob, &u, 0), MIP_HA_RESOURCES);
	world_end(&w);
	begin();
	w.hc.pool = (struct vpn_prefix){addr("10.1.0.8"), 30}; /* .8 and .11 are no hosts of it */
	start();
	CU_ASSERT_EQUAL(ha_ask(&bob, &u, 0), 0);
	given = rrp.hoa;
	CU_ASSERT_EQUAL(ntohl(given.s_addr), 0x0a010009);
	w.wall++;
	CU_ASSERT_EQUAL(ha_ask(&bob, &u, 0), 0);
	CU_ASSERT_EQUAL(rrp.hoa.s_addr, given.s_addr);
	u.a.hoa = NULL;
	w.wall++;
	CU_ASSERT_EQUAL(ha_ask(&alice, &u, 0), 0); /* .10 */
	memcpy(sas[1].nai, "dan@home.test", 14);
	u.a.hoa = "0.0.0.0";
	ha_reconfigure(w.ha, &w.hc, w.now);
	bob.nai = "dan@home.test";
	CU_ASSERT_EQUAL(ha_ask(&bob, &u, 0), MIP_HA_RESOURCES);
	world_end(&w);
}

static void test_home_link_advertisements(void)
{
	begin();
	w.hc.adv_interval_ms = 1000;
	start();
	world_pass(&w, 5000);
	CU_ASSERT_TRUE(w.advs >= 5 && w.advs <= 7);
	CU_ASSERT_EQUAL(w.adv.flags, MIP_ADV_H | MIP_ADV_T);
	CU_ASSERT_EQUAL(w.adv.n_coa, 0);
	CU_ASSERT_EQUAL(w.adv_path.ifindex, HOME);
	CU_ASSERT_EQUAL(w.adv.router.s_addr, addr("10.1.0.1").s_addr);
	world_end(&w);
}

/* HAR: each refusal is a HAA 4005 with a reply in it, or 5004 when there is nothing to reply to. */
static const struct har_row {
	int code;
	uint32_t result;
	struct ask a;
	const char *user, *assign;
	bool no_key;
} har_rows[] = {
	{0, 2001, {.lifetime = 300, .keys = true}, "bob@home.test", NULL, false},
	{0, 2001, {.lifetime = 300, .keys = true, .ha = "0.0.0.0"}, "bob@home.test", NULL, false},
	{0, 2001, {.lifetime = 300, .with_mn_ha = true}, "bob@home.test", NULL, true},
	{0, 2001, {.lifetime = 0, .keys = true}, "bob@home.test", NULL, false},
	{129, 4005, {.lifetime = 300, .keys = true}, "bob@home.test", "10.1.0.99", false},
	{129, 4005, {.lifetime = 300, .keys = true, .hoa = "10.7.0.1"}, "bob@home.test", NULL, false},
	{129, 4005, {.lifetime = 300, .keys = true, .hoa = "0.0.0.0"}, "bob@home.test", "10.7.0.1", false},
	{131, 4005, {.lifetime = 300, .with_mn_ha = true, .spoil_mn_ha = true}, "bob@home.test", NULL, true},
	{133, 4005, {.lifetime = 300, .keys = true, .clock_off_ms = 60000}, "bob@home.test", NULL, false},
	{134, 4005, {.lifetime = 300, .keys = true, .flags = MIP_X}, "bob@home.test", NULL, false},
	{134, 4005, {.lifetime = 300, .keys = true}, "eve@home.test", NULL, false},
	{134, 4005, {.lifetime = 300, .keys = true, .duplicate_nai = true}, "bob@home.test", NULL, false},
	{136, 4005, {.lifetime = 300, .keys = true, .ha = "198.51.100.22"}, "bob@home.test", NULL, false},
	{139, 4005, {.lifetime = 300, .keys = true, .flags = MIP_G}, "bob@home.test", NULL, false},
	{140, 4005, {.lifetime = 300, .keys = true, .cvse = true}, "bob@home.test", NULL, false},
};

static struct dm_har *har_make(const struct har_row *row)
{
	struct dm_har *h = calloc(1, sizeof(*h));
	uint8_t buf[MIP_MSG_MAX];

	h->rrq.len = (uint16_t)mn_build(&w, &bob, &row->a, buf);
	memcpy(h->rrq.data, buf, h->rrq.len);
	snprintf(h->user, sizeof(h->user), "%s", row->user);
	snprintf(h->session, sizeof(h->session), "har;1");
	h->has_hoa = row->assign != NULL;
	h->hoa = addr(row->assign);
	if (!row->no_key) {
		h->ha_to_mn = (struct dm_msa){.present = true, .algorithm = 2, .key = {20, "session key"}};
		h->mn_to_ha = (struct dm_msa){.present = true, .algorithm = 2, .key = {16, "nonce"}};
	}
	return h;
}

/* The one HAA among the actions. */
static const struct dm_haa *only_haa(const struct actions *out)
{
	const struct dm_haa *haa = NULL;

	for (size_t j = 0; j < out->n; j++) {
		if (out->a[j].type != ACT_HAA)
			continue;
		CU_ASSERT_PTR_NULL(haa);
		CU_ASSERT_EQUAL(out->a[j].token, 4711);
		haa = out->a[j].haa;
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(haa);
	return haa;
}

static void check_har_row(size_t i, const struct dm_har *h, const struct dm_haa *haa)
{
	const struct har_row *row = &har_rows[i];

	CU_ASSERT_EQUAL_FATAL(mip_rrp_decode(haa->rrp.data, haa->rrp.len, &rrp), MIP_REJ_OK);
	HARNESS_AT(haa->result == row->result && rrp.code == row->code, "row %zu: %u, code %u", i,
		   haa->result, rrp.code);
	if (rrp.mn_ha_key.present) /* also a refusal can be verified with the key that it announces */
		CU_ASSERT_TRUE(mip_auth_check(&rrp.mn_ha, haa->rrp.data, CRYPTO_HMAC_SHA1,
					      h->ha_to_mn.key.data, 20));
	CU_ASSERT_EQUAL(rrp.message.len > 0, rrp.code != 0);
	CU_ASSERT_EQUAL(ha_count(&w), rrp.code == 0 && row->a.lifetime);
}

static void test_har_codes(void)
{
	for (size_t i = 0; i < sizeof(har_rows) / sizeof(har_rows[0]); i++) {
		struct actions out = {0};
		struct role_event e = {.type = EV_HAR, .token = 4711};
		struct dm_har *h;

		begin();
		start();
		h = har_make(&har_rows[i]);
		e.har = h;
		e.wall_ms = w.wall;
		ha_event(w.ha, &e, w.now, &out);
		check_har_row(i, h, only_haa(&out));
		actions_clear(&out);
		free(h);
		ha_shutdown(w.ha, w.now, &out);
		actions_clear(&out);
		CU_ASSERT_EQUAL(ha_count(&w), 0);
		ha_free(w.ha);
	}
}

static void test_har_truncated(void)
{
	const struct ask a = {.lifetime = 300, .keys = true};
	struct dm_har *h = calloc(1, sizeof(*h));
	struct role_event e = {.type = EV_HAR, .har = h};
	uint8_t buf[MIP_MSG_MAX];
	size_t len;

	begin();
	start();
	snprintf(h->user, sizeof(h->user), "bob@home.test");
	snprintf(h->session, sizeof(h->session), "har;2");
	snprintf(h->origin_realm, sizeof(h->origin_realm), "home.test");
	h->ha_to_mn = (struct dm_msa){.present = true, .algorithm = 2, .key = {20, "session key"}};
	h->mn_to_ha = h->ha_to_mn;
	len = mn_build(&w, &bob, &a, buf);
	for (size_t cut = 0; cut < len; cut++) {
		memset(&h->rrq, 0xee, sizeof(h->rrq));
		memcpy(h->rrq.data, buf, cut);
		h->rrq.len = (uint16_t)cut;
		w.haa_result = 0;
		ha_tell(&w, &e);
		if (cut < 24)
			CU_ASSERT_EQUAL(w.haa_result, DM_INVALID_AVP_VALUE);
		HARNESS_AT(w.haa_result != 0 && (w.haa_result == DM_SUCCESS) == (ha_count(&w) == 1),
			   "cut at %zu: %u", cut, w.haa_result);
		/* Cut between two extensions it is a request without keys, and a good one. */
		struct role_event drop = {.type = EV_DROP, .text = "bob@home.test"};

		ha_tell(&w, &drop);
		world_pass(&w, 16000);
		len = mn_build(&w, &bob, &a, buf);
	}
	free(h);
	world_end(&w);
}

/* Two HARs of one user at once: the newer one wins, the older is answered, no tunnel is left. */
static void test_superseded(void)
{
	const struct ask a = {.lifetime = 300, .keys = true};
	struct dm_har *h = calloc(1, sizeof(*h));
	struct vpn_profile p = {.number = 1};
	struct role_event e = {.type = EV_HAR, .har = h}, up = {.type = EV_VPN_UP};
	uint8_t buf[MIP_MSG_MAX];

	begin();
	w.vpn[AT_HA] = VPN_HANGS;
	start();
	snprintf(h->user, sizeof(h->user), "bob@home.test");
	snprintf(h->origin_realm, sizeof(h->origin_realm), "home.test");
	h->ha_to_mn = (struct dm_msa){.present = true, .algorithm = 2, .key = {20, "session key"}};
	h->mn_to_ha = h->ha_to_mn;
	h->vpn.n = 1;
	h->vpn.p = &p;
	for (int i = 0; i < 3; i++) { /* har;0, har;1, har;1 again */
		w.wall += 1000;
		h->rrq.len = (uint16_t)mn_build(&w, &bob, &a, buf);
		memcpy(h->rrq.data, buf, h->rrq.len);
		snprintf(h->session, sizeof(h->session), "har;%d", i ? 1 : 0);
		w.haa_result = 0;
		ha_tell(&w, &e);
		CU_ASSERT_EQUAL(w.haa_result, i ? DM_MIP_REPLY_FAILURE : 0);
		CU_ASSERT_EQUAL(ha_count(&w), 1);
		CU_ASSERT_EQUAL(w.n_ledger, 1);
	}
	up.session = "har;1";
	ha_tell(&w, &up);
	CU_ASSERT_EQUAL(w.haa_result, DM_SUCCESS);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	free(h);
	world_end(&w);
}

HARNESS_MAIN("roles/ha", HARNESS_CASE(test_codes), HARNESS_CASE(test_policy),
	     HARNESS_CASE(test_address_taken), HARNESS_CASE(test_replay_and_expiry),
	     HARNESS_CASE(test_lifetimes), HARNESS_CASE(test_deregistrations), HARNESS_CASE(test_moves),
	     HARNESS_CASE(test_truncated), HARNESS_CASE(test_pool),
	     HARNESS_CASE(test_home_link_advertisements), HARNESS_CASE(test_har_codes),
	     HARNESS_CASE(test_har_truncated), HARNESS_CASE(test_superseded))
