/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Route decision (C2), contract and list (A5), rewriting of the cache (C4).
 */
#include "tests/unit/aaah/fixture.h"

static struct route_ends ends(void)
{
	return (struct route_ends){FA, HA, HOA};
}

static bool same(struct in_addr a, struct in_addr b)
{
	return a.s_addr == b.s_addr;
}

static void test_static_gateway(void)
{
	struct pol_vpn v = fixture_vpn(7);
	struct route_ends e = ends();
	struct route_set s = {0};

	CU_ASSERT_TRUE_FATAL(route_add(&s, &v, &e));
	CU_ASSERT_EQUAL(s.n_home, 2);
	CU_ASSERT_EQUAL(s.n_foreign, 1);
	CU_ASSERT_TRUE(vpn_profile_equal(&s.home[0], &s.foreign[0]));
	CU_ASSERT_TRUE(same(s.home[0].src_gw, FA) && same(s.home[0].dst_gw, HA));
	CU_ASSERT_EQUAL(s.home[0].dst_gw_type, VPN_GW_AGENT);
	CU_ASSERT_EQUAL(s.home[0].spi_up, 4097);
	CU_ASSERT_EQUAL(s.home[0].psk.len, 0);
	CU_ASSERT_TRUE(same(s.home[1].src_gw, HA) && same(s.home[1].dst_gw, GW));
	CU_ASSERT_EQUAL(s.home[1].dst_gw_type, VPN_GW_STATIC);
	CU_ASSERT_EQUAL(s.home[1].spi_up, VPN_SPI_DEFAULT);
	CU_ASSERT_STRING_EQUAL(s.home[1].sla, "acme");
	CU_ASSERT_EQUAL(s.home[1].psk.len, 3);
	CU_ASSERT_TRUE(vpn_prefix_equal(&s.home[1].sla_src, &v.sla_home));
	CU_ASSERT_STRING_EQUAL(s.home[1].ike_local, "ha.home.test");
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(s.home[i].number, 7);
		CU_ASSERT_EQUAL(s.home[i].tos_up, 46 << 2);
		CU_ASSERT_EQUAL(s.home[i].tos_down, 34 << 2);
		CU_ASSERT_TRUE(same(s.home[i].src.addr, HOA) && s.home[i].src.len == 32);
		CU_ASSERT_TRUE(vpn_prefix_equal(&s.home[i].dst, &v.dst));
	}
}

static void test_dynamic_gateway(void)
{
	struct pol_vpn v = fixture_dynamic_vpn(7);
	struct route_ends e = ends();
	struct route_set s = {0};

	CU_ASSERT_TRUE_FATAL(route_add(&s, &v, &e));
	CU_ASSERT_EQUAL(s.n_home, 1);
	CU_ASSERT_EQUAL(s.n_foreign, 1);
	CU_ASSERT_TRUE(same(s.home[0].src_gw, FA) && same(s.home[0].dst_gw, PCN));
	CU_ASSERT_EQUAL(s.home[0].dst_gw_type, VPN_GW_DYNAMIC);
	CU_ASSERT_EQUAL(s.home[0].psk.len, 0);
	CU_ASSERT_STRING_EQUAL(s.home[0].sla, "");
	CU_ASSERT_TRUE(vpn_profile_equal(&s.home[0], &s.foreign[0]));
}

/* A5, G2: the user's own tunnel is as the user has chosen, the contract's leg as the contract says. */
static void test_security(void)
{
	static const struct {
		enum vpn_security user;
		const char *proposal;
		enum vpn_security contract;
		const char *contract_proposal;
	} rows[] = {{VPN_SEC_ESP, "aes256gcm16,aes256-sha256", VPN_SEC_ESP, "aes128gcm16-curve25519"},
		    {VPN_SEC_ESP, "null-sha256", VPN_SEC_AH, "sha384"},
		    {VPN_SEC_ESP, "", VPN_SEC_ESP, "aes128-sha256"},
		    {VPN_SEC_AH, "sha256-curve25519", VPN_SEC_ESP, ""},
		    {VPN_SEC_AH, "", VPN_SEC_AH, "sha512"},
		    {VPN_SEC_ENCAP, "", VPN_SEC_ESP, "aes128gcm16"},
		    {VPN_SEC_ENCAP, "", VPN_SEC_AH, ""}};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		bool dynamic = i & 1;
		struct pol_vpn v = dynamic ? fixture_dynamic_vpn(7) : fixture_vpn(7);
		struct route_ends e = ends();
		struct route_set s = {0};

		v.security = rows[i / 2].user;
		strcpy(v.proposal, rows[i / 2].proposal);
		v.sla_security = rows[i / 2].contract;
		strcpy(v.esp_proposal, rows[i / 2].contract_proposal);
		CU_ASSERT_TRUE_FATAL(route_add(&s, &v, &e));
		CU_ASSERT_EQUAL_FATAL(aaah_profile_keys_make(&s), 0);
		CU_ASSERT_EQUAL_FATAL(s.n_home, dynamic ? 1 : 2);
		HARNESS_AT(s.home[0].security == v.security && s.foreign[0].security == v.security, "%zu", i);
		HARNESS_AT(!strcmp(s.home[0].esp_proposal, v.proposal), "%zu: %s", i, s.home[0].esp_proposal);
		HARNESS_AT(!strcmp(s.foreign[0].esp_proposal, v.proposal), "%zu", i);
		for (size_t k = 0; k < s.n_home; k++)
			HARNESS_AT(!vpn_profile_check(&s.home[k]), "%zu: %s", i,
				   vpn_profile_check(&s.home[k]));
		if (dynamic)
			continue;
		HARNESS_AT(s.home[1].security == v.sla_security, "%zu: %d", i, s.home[1].security);
		HARNESS_AT(!strcmp(s.home[1].esp_proposal, v.esp_proposal), "%zu: %s", i,
			   s.home[1].esp_proposal);
	}
}

static void test_shared_relation_has_the_default_spi(void)
{
	struct pol_vpn v = fixture_vpn(7);
	struct route_ends e = ends();
	struct route_set s = {0};

	v.share_own = false;
	CU_ASSERT_TRUE_FATAL(route_add(&s, &v, &e));
	CU_ASSERT_EQUAL(s.home[0].spi_up, VPN_SPI_DEFAULT);
	CU_ASSERT_EQUAL(s.home[0].spi_down, VPN_SPI_DEFAULT);
	CU_ASSERT_EQUAL(aaah_profile_keys_make(&s), 0);
	CU_ASSERT_EQUAL(s.home[0].enc_key.len, 0);
	CU_ASSERT_EQUAL(s.foreign[0].auth_key.len, 0);
}

static void test_set_fills_up(void)
{
	struct route_ends e = ends();
	struct route_set s = {0};
	struct pol_vpn v;

	for (uint32_t i = 0; i < VPN_PROFILES_MAX / 2; i++) {
		v = fixture_vpn(i + 1);
		HARNESS_AT(route_add(&s, &v, &e), "VPN %u", i);
	}
	CU_ASSERT_FALSE(route_add(&s, &v, &e));
	CU_ASSERT_EQUAL(s.n_home, VPN_PROFILES_MAX);
	CU_ASSERT_EQUAL(s.n_foreign, VPN_PROFILES_MAX / 2);
}

enum sla_spoil {
	NOTHING,
	NO_GATEWAY,
	NO_SLA,
	SUSPENDED,
	ENDED,
	NOT_LISTED,
	OUTSIDE,
	WIDER,
	HOA_OUTSIDE,
	BAD_PSK,
	DYN_NO_SLA,
	DYN_HOA_OUTSIDE,
	DYN_NOT_LISTED,
	DYN_NO_KEY,
	DYN_BAD_KEY
};

static struct pol_vpn sla_vpn(enum sla_spoil how)
{
	struct pol_vpn v = fixture_vpn(1);

	v.has_gateway = how != NO_GATEWAY;
	v.has_sla = how != NO_SLA && how != DYN_NO_SLA;
	v.sla_enabled = how != SUSPENDED;
	v.sla_valid = how != ENDED;
	v.sla_listed = how != NOT_LISTED && how != DYN_NOT_LISTED;
	v.psk_bad = how == BAD_PSK;
	if (how == OUTSIDE)
		v.dst = net(10, 8, 0, 0, 24);
	if (how == WIDER)
		v.dst = net(10, 8, 0, 0, 15);
	if (how == HOA_OUTSIDE || how == DYN_HOA_OUTSIDE)
		v.sla_home = net(10, 2, 0, 0, 24);
	if (how >= DYN_NO_SLA)
		v.kind = VPN_GW_DYNAMIC;
	v.pcn_key.len = how == DYN_NO_KEY ? 0 : 32;
	v.pcn_key_bad = how == DYN_BAD_KEY;
	return v;
}

static void test_contract(void)
{
	static const struct {
		enum sla_spoil how;
		const char *says;
	} rows[] = {{NOTHING, NULL},
		    {NO_GATEWAY, "no gateway"},
		    {NO_SLA, "no contract"},
		    {SUSPENDED, "suspended"},
		    {ENDED, "not valid now"},
		    {NOT_LISTED, "not on the contract's list"},
		    {OUTSIDE, "domain"},
		    {WIDER, "domain"},
		    {HOA_OUTSIDE, "home selector"},
		    {BAD_PSK, "unwrapped"},
		    {DYN_NO_SLA, NULL},
		    {DYN_HOA_OUTSIDE, NULL},
		    {DYN_NOT_LISTED, "list"},
		    {DYN_NO_KEY, "no master key"},
		    {DYN_BAD_KEY, "master key cannot be unwrapped"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pol_vpn v = sla_vpn(rows[i].how);
		const char *why = route_sla_check(&v, HOA);

		if (!rows[i].says)
			HARNESS_AT(why == NULL, "row %zu: %s", i, why);
		else
			HARNESS_AT(why && strstr(why, rows[i].says), "row %zu: %s", i, why ? why : "allowed");
	}
}

/* Every PCN of a registration is told with a key of its own, which it can derive and nobody else is sent. */
static void test_binding_update_keys(void)
{
	struct pol_vpn v[] = {fixture_dynamic_vpn(7), fixture_vpn(8), fixture_dynamic_vpn(9)};
	struct route_ends e = ends();
	struct route_set s = {0};
	uint8_t key[32];

	v[2].pcn_key.data[0] ^= 1;
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_TRUE_FATAL(route_add(&s, &v[i], &e));
	CU_ASSERT_EQUAL_FATAL(aaah_bu_keys_make(&s, v, 3, HA), 0);
	for (size_t i = 0; i < s.n_home; i++) {
		struct vpn_profile *p = &s.home[i];
		bool dynamic = p->dst_gw_type == VPN_GW_DYNAMIC;

		HARNESS_AT(p->bu_key.len == (dynamic ? 32 : 0), "profile %zu", i);
		HARNESS_AT(strspn(p->bu_context, "0123456789abcdefghijklmnopqrstuvwxyz-") ==
				   strlen(p->bu_context) && strlen(p->bu_context) == (dynamic ? 32u : 0u),
			   "profile %zu: %s", i, p->bu_context);
		if (!dynamic)
			continue;
		CU_ASSERT_EQUAL(vpn_bu_key(&v[p->number - 7].pcn_key, HA, p->bu_context, key), 0);
		HARNESS_AT(memcmp(key, p->bu_key.data, 32) == 0, "profile %zu", i);
	}
	CU_ASSERT_STRING_NOT_EQUAL(s.home[0].bu_context, s.home[3].bu_context);
	for (size_t i = 0; i < s.n_foreign; i++)
		HARNESS_AT(!s.foreign[i].bu_key.len && !s.foreign[i].bu_context[0], "foreign %zu", i);
	CU_ASSERT_EQUAL(aaah_bu_keys_make(&s, v, 2, HA), -1);
	v[0].pcn_key.len = 0;
	CU_ASSERT_EQUAL(aaah_bu_keys_make(&s, v, 3, HA), -1);
}

/* From the cache the home agent gets what it had, and the foreign agent still does not. */
static void test_cache_keeps_binding_update_keys(void)
{
	struct pol_vpn v = fixture_dynamic_vpn(7);
	struct route_set was = {0}, now = {0};
	struct route_ends e = ends();
	struct pol_rows rows = {.cached = was.home, .n_cached = 1};

	CU_ASSERT_TRUE_FATAL(route_add(&was, &v, &e));
	CU_ASSERT_EQUAL_FATAL(aaah_bu_keys_make(&was, &v, 1, HA), 0);
	CU_ASSERT_TRUE_FATAL(route_from_cache(&now, &rows, FA, FA2));
	CU_ASSERT_TRUE(same(now.home[0].src_gw, FA2) && same(now.foreign[0].src_gw, FA2));
	CU_ASSERT_EQUAL(memcmp(&now.home[0].bu_key, &was.home[0].bu_key, sizeof(was.home[0].bu_key)), 0);
	CU_ASSERT_STRING_EQUAL(now.home[0].bu_context, was.home[0].bu_context);
	CU_ASSERT_EQUAL(now.foreign[0].bu_key.len, 0);
	CU_ASSERT_STRING_EQUAL(now.foreign[0].bu_context, "");
}

static void test_cache_is_rewritten(void)
{
	struct pol_vpn v = fixture_vpn(7);
	struct route_set was = {0}, now = {0};
	struct route_ends e = ends();
	struct vpn_profile cached[2];
	struct pol_rows rows = {.cached = cached, .n_cached = 2};

	CU_ASSERT_TRUE_FATAL(route_add(&was, &v, &e));
	CU_ASSERT_EQUAL_FATAL(aaah_profile_keys_make(&was), 0);
	memcpy(cached, was.home, sizeof(cached));
	CU_ASSERT_TRUE_FATAL(route_from_cache(&now, &rows, FA, FA2));
	CU_ASSERT_TRUE(same(now.home[0].src_gw, FA2));
	CU_ASSERT_EQUAL(now.n_foreign, 1);
	CU_ASSERT_TRUE(vpn_profile_equal(&now.home[0], &now.foreign[0]));
	CU_ASSERT_TRUE(vpn_profile_equal(&now.home[1], &was.home[1]));
	now.home[0].src_gw = FA;
	CU_ASSERT_TRUE(vpn_profile_equal(&now.home[0], &was.home[0]));
	rows.n_cached = VPN_PROFILES_MAX + 1;
	CU_ASSERT_FALSE(route_from_cache(&now, &rows, FA, FA2));
}

HARNESS_MAIN("aaah/route", HARNESS_CASE(test_static_gateway), HARNESS_CASE(test_dynamic_gateway),
	     HARNESS_CASE(test_security), HARNESS_CASE(test_shared_relation_has_the_default_spi),
	     HARNESS_CASE(test_set_fills_up), HARNESS_CASE(test_contract),
	     HARNESS_CASE(test_cache_is_rewritten), HARNESS_CASE(test_binding_update_keys),
	     HARNESS_CASE(test_cache_keeps_binding_update_keys))
