/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/hex.h"
#include "lib/vpn_profile.h"
#include "tests/unit/harness.h"

#include <arpa/inet.h>
#include <string.h>

static struct in_addr ip(const char *text)
{
	struct in_addr a = {0};

	CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET, text, &a), 1);
	return a;
}

static struct vpn_prefix prefix(const char *text)
{
	struct vpn_prefix p;

	CU_ASSERT_TRUE_FATAL(vpn_prefix_parse(text, &p));
	return p;
}

/* FA to HA, with keys of this session. */
static struct vpn_profile agent_profile(void)
{
	struct vpn_profile p = {.number = 7,
				.src = prefix("10.1.0.10"),
				.dst = prefix("10.9.0.0/24"),
				.tos_up = 184,
				.tos_down = 136,
				.security = VPN_SEC_ESP,
				.src_gw = ip("198.51.100.11"),
				.dst_gw = ip("198.51.100.21"),
				.dst_gw_type = VPN_GW_AGENT,
				.spi_up = 4096,
				.spi_down = 4097,
				.required = true,
				.esp_proposal = "aes128gcm16-curve25519"};

	p.enc_key.len = 16;
	for (uint8_t i = 0; i < 16; i++)
		p.enc_key.data[i] = i;
	p.auth_key.len = 20;
	memset(p.auth_key.data, 0xff, 20);
	return p;
}

/* HA to the enterprise's gateway, as the SLA says. */
static struct vpn_profile static_profile(void)
{
	struct vpn_profile p = agent_profile();

	p.src_gw = ip("198.51.100.21");
	p.dst_gw = ip("198.51.100.31");
	p.dst_gw_type = VPN_GW_STATIC;
	strcpy(p.sla, "acme-1");
	p.sla_src = prefix("10.1.0.0/24");
	p.sla_dst = prefix("10.9.0.0/24");
	strcpy(p.ike_local, "ha.home.test");
	strcpy(p.ike_remote, "gw.acme.test");
	strcpy(p.ike_proposal, "aes256gcm16-prfsha256-x25519,aes128-sha256-curve25519");
	p.psk.len = 32;
	memset(p.psk.data, 0x0f, 32);
	return p;
}

static void test_prefix_text(void)
{
	static const struct {
		const char *text, *again; /* NULL = refused */
	} rows[] = {{"10.9.0.0/24", "10.9.0.0/24"},
		    {"192.0.2.1", "192.0.2.1/32"},
		    {"192.0.2.1/32", "192.0.2.1/32"},
		    {"0.0.0.0/0", "0.0.0.0/0"},
		    {"255.255.255.255/32", "255.255.255.255/32"},
		    {"128.0.0.0/1", "128.0.0.0/1"},
		    {"10.9.0.1/24", NULL},
		    {"10.9.0.0/33", NULL},
		    {"10.9.0.0/", NULL},
		    {"10.9.0.0/-1", NULL},
		    {"10.9.0.0/024", NULL},
		    {"10.9.0.0/2 4", NULL},
		    {"10.9.0.0/24/1", NULL},
		    {"10.9.0", NULL},
		    {"", NULL},
		    {"/24", NULL},
		    {" 10.9.0.0", NULL},
		    {"1.2.3.4.5", NULL},
		    {"10.9.0.0.0.0.0.0.0.0.0", NULL},
		    {"0.0.0.1/0", NULL}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpn_prefix p;
		char buf[VPN_PREFIX_STRLEN];
		bool ok = vpn_prefix_parse(rows[i].text, &p);

		HARNESS_AT(ok == (rows[i].again != NULL), "'%s'", rows[i].text);
		if (ok)
			CU_ASSERT_STRING_EQUAL(vpn_prefix_str(&p, buf), rows[i].again);
	}
}

static void test_prefix_has(void)
{
	struct vpn_prefix net = prefix("10.9.0.0/24"), all = prefix("0.0.0.0/0"), one = prefix("10.9.0.5");

	CU_ASSERT_TRUE(vpn_prefix_has(&net, ip("10.9.0.0")));
	CU_ASSERT_TRUE(vpn_prefix_has(&net, ip("10.9.0.255")));
	CU_ASSERT_FALSE(vpn_prefix_has(&net, ip("10.9.1.0")));
	CU_ASSERT_FALSE(vpn_prefix_has(&net, ip("10.8.255.255")));
	CU_ASSERT_TRUE(vpn_prefix_has(&all, ip("255.1.2.3")));
	CU_ASSERT_TRUE(vpn_prefix_has(&one, ip("10.9.0.5")));
	CU_ASSERT_FALSE(vpn_prefix_has(&one, ip("10.9.0.4")));
	CU_ASSERT_TRUE(vpn_prefix_equal(&net, &net));
	CU_ASSERT_FALSE(vpn_prefix_equal(&net, &one));
	net.len = 40;
	CU_ASSERT_FALSE(vpn_prefix_has(&net, ip("10.9.0.0")));
}

static void test_good_profiles(void)
{
	struct vpn_profile p = agent_profile();

	CU_ASSERT_PTR_NULL(vpn_profile_check(&p));
	p.spi_up = p.spi_down = VPN_SPI_DEFAULT;
	p.enc_key.len = p.auth_key.len = 0;
	CU_ASSERT_PTR_NULL(vpn_profile_check(&p));
	p = static_profile();
	CU_ASSERT_PTR_NULL(vpn_profile_check(&p));
	p.enc_key.len = p.auth_key.len = 0; /* the way to a static gateway is guarded by the SLA's key */
	CU_ASSERT_PTR_NULL(vpn_profile_check(&p));
}

#define BAD(change, says)                                                                                    \
	do {                                                                                                 \
		struct vpn_profile p = static_profile();                                                     \
		const char *why;                                                                             \
		change;                                                                                      \
		why = vpn_profile_check(&p);                                                                 \
		HARNESS_AT(why &&strstr(why, says), "%s: %s", #change, why ? why : "taken");                 \
	} while (0)

static void test_bad_selectors_and_gateways(void)
{
	BAD(p.number = 0, "number");
	BAD(p.src.len = 24, "source");
	BAD(p.dst.addr = ip("10.9.0.1"), "destination");
	BAD(p.dst.len = 33, "destination");
	BAD(p.tos_up = 1, "ECN");
	BAD(p.tos_down = 2, "ECN");
	BAD(p.security = 0, "security");
	BAD(p.security = 4, "security");
	BAD(p.src_gw.s_addr = 0, "missing");
	BAD(p.dst_gw.s_addr = 0, "missing");
	BAD(p.dst_gw = p.src_gw, "same");
	BAD(p.dst_gw_type = 4, "type of gateway");
}

static void test_bad_keys_and_sla(void)
{
	BAD(p.enc_key.len = 65, "too long");
	BAD(p.auth_key.len = 65, "too long");
	BAD(p.psk.len = 255, "too long");
	BAD(p.spi_up = 255, "reserved");
	BAD(p.spi_down = 0, "reserved");
	BAD(p.spi_up = p.spi_down = VPN_SPI_DEFAULT, "default SPI");
	BAD(p.dst_gw_type = VPN_GW_AGENT; p.enc_key.len = p.auth_key.len = 0, "no keys");
	BAD(p.sla[0] = '\0', "needs an SLA");
	BAD(p.sla[0] = '/', "SLA name");
	BAD(p.sla[0] = 'A', "SLA name");
	BAD(memset(p.sla, 'a', sizeof(p.sla)), "SLA name");
	BAD(p.sla_dst.len = 1, "selector");
	BAD(p.ike_local[2] = '\n', "identity");
	BAD(memset(p.ike_remote, 'a', sizeof(p.ike_remote)), "identity");
	BAD(strcpy(p.esp_proposal, "aes}"), "proposal");
	BAD(strcpy(p.ike_proposal, "aes 128"), "proposal");
	BAD(memset(p.esp_proposal, 'a', sizeof(p.esp_proposal)), "proposal");
}

static void test_equal(void)
{
	struct vpn_profile a = static_profile(), b;

#define DIFFERS(change)                                                                                      \
	b = static_profile();                                                                                \
	CU_ASSERT_TRUE(vpn_profile_equal(&a, &b));                                                           \
	b.change;                                                                                            \
	HARNESS_AT(!vpn_profile_equal(&a, &b), "%s", #change)
	DIFFERS(number++);
	DIFFERS(src.addr = ip("10.1.0.11"));
	DIFFERS(dst.len = 25);
	DIFFERS(tos_up = 0);
	DIFFERS(tos_down = 0);
	DIFFERS(security = VPN_SEC_AH);
	DIFFERS(src_gw = ip("192.0.2.1"));
	DIFFERS(dst_gw = ip("192.0.2.1"));
	DIFFERS(dst_gw_type = VPN_GW_DYNAMIC);
	DIFFERS(spi_up++);
	DIFFERS(spi_down++);
	DIFFERS(enc_key.data[15]++);
	DIFFERS(enc_key.len--);
	DIFFERS(auth_key.data[0]++);
	DIFFERS(required = false);
	DIFFERS(esp_proposal[0] = 'x');
	DIFFERS(sla[0] = 'x');
	DIFFERS(sla_src.len = 25);
	DIFFERS(sla_dst.len = 25);
	DIFFERS(ike_local[0] = 'x');
	DIFFERS(ike_remote[0] = 'x');
	DIFFERS(ike_proposal[0] = 'x');
	DIFFERS(psk.data[31]++);
	b = static_profile();
	b.enc_key.data[20] = 1; /* behind its length: not part of it */
	CU_ASSERT_TRUE(vpn_profile_equal(&a, &b));
}

/* The numbers are Python's. */
static void test_key_material(void)
{
	struct vpn_profile p = agent_profile();
	uint8_t psk[32], other[32];
	char text[65], kid[9], id[VPN_ID_MAX];

	CU_ASSERT_EQUAL(vpn_profile_psk(&p, psk), 0);
	hex_encode(psk, 32, text);
	CU_ASSERT_STRING_EQUAL(text, "9c549bfbd09803124695b571147deaf95956b25c3904d9c970ecff54dbd5d89e");
	CU_ASSERT_EQUAL(vpn_profile_kid(&p, kid), 0);
	CU_ASSERT_STRING_EQUAL(kid, "faf7477f");
	CU_ASSERT_EQUAL(vpn_profile_ike_id(&p, p.src_gw, id), 0);
	CU_ASSERT_STRING_EQUAL(id, "7-4096-4097-faf7477f@198.51.100.11");
	p.spi_down++;
	CU_ASSERT_EQUAL(vpn_profile_psk(&p, other), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(psk, other, 32), 0);
	p.enc_key.len = p.auth_key.len = 0;
	CU_ASSERT_EQUAL(vpn_profile_psk(&p, psk), -1);
	CU_ASSERT_EQUAL(vpn_profile_kid(&p, kid), -1);
	CU_ASSERT_EQUAL(vpn_profile_ike_id(&p, p.dst_gw, id), 0);
	CU_ASSERT_STRING_EQUAL(id, "7-4096-4098-shared@198.51.100.21");
}

static void test_json_round_trip(void)
{
	struct vpn_profile in[2] = {agent_profile(), static_profile()}, out;
	char err[128];

	for (int i = 0; i < 2; i++) {
		json_t *j = vpn_profile_json(&in[i], true);

		CU_ASSERT_PTR_NOT_NULL_FATAL(j);
		HARNESS_AT(vpn_profile_from_json(j, &out, err, sizeof(err)) == 0, "%s", err);
		CU_ASSERT_TRUE(vpn_profile_equal(&in[i], &out));
		json_decref(j);
	}
}

static void test_json_hides_keys(void)
{
	struct vpn_profile p = static_profile();
	json_t *j = vpn_profile_json(&p, false);
	char *text = json_dumps(j, JSON_COMPACT);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_PTR_NULL(strstr(text, "key"));
	CU_ASSERT_PTR_NULL(strstr(text, "psk"));
	CU_ASSERT_PTR_NULL(strstr(text, "0f0f"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"dst_gw_type\":\"static\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"sla\":\"acme-1\""));
	free(text);
	json_decref(j);
}

#define GOOD                                                                                                 \
	"'number':1,'src':'10.1.0.1','dst':'10.9.0.0/"                                                       \
	"24','security':'esp','src_gw':'192.0.2.1','dst_gw':'192.0.2.2',"                                    \
	"'dst_gw_type':'agent','spi_up':256,'spi_down':256"

static void test_json_refusals(void)
{
	static const struct {
		const char *text, *says; /* NULL = taken */
	} rows[] = {
		{"{" GOOD "}", NULL},
		{"{" GOOD ",'tos_up':255}", NULL},
		{"{" GOOD ",'tos_up':256}", "malformed member tos_up"},
		{"{" GOOD ",'tos_up':-1}", "malformed member tos_up"},
		{"{" GOOD ",'tos_up':'1'}", "malformed member tos_up"},
		{"{" GOOD ",'required':1}", "malformed member required"},
		{"{" GOOD ",'enc_key':'0'}", "malformed member enc_key"},
		{"{" GOOD ",'enc_key':7}", "malformed member enc_key"},
		{"{" GOOD ",'sla':null}", "malformed member sla"},
		{"{" GOOD ",'colour':1}", "unknown member colour"},
		{"{" GOOD ",'number':4294967296}", "malformed member number"},
		{"{" GOOD ",'security':'none'}", "malformed member security"},
		{"{" GOOD ",'dst_gw_type':0}", "malformed member dst_gw_type"},
		{"{" GOOD ",'src_gw':'x'}", "malformed member src_gw"},
		{"{" GOOD ",'dst':'10.9.0.1/24'}", "malformed member dst"},
		{"{'number':1}", "missing member src"},
		{"[]", "not an object"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpn_profile p;
		char text[512], err[128] = "";
		json_t *j;

		snprintf(text, sizeof(text), "%s", rows[i].text);
		for (char *q = text; (q = strchr(q, '\''));)
			*q = '"';
		j = json_loads(text, 0, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(j);
		HARNESS_AT(vpn_profile_from_json(j, &p, err, sizeof(err)) == (rows[i].says ? -1 : 0), "%s",
			   text);
		HARNESS_AT(!rows[i].says || !strcmp(err, rows[i].says), "%s: %s", text, err);
		json_decref(j);
	}
}

static void test_json_long_text(void)
{
	struct vpn_profile p = agent_profile();
	json_t *j = vpn_profile_json(&p, true);
	char text[VPN_NAME_MAX + 1], err[128];

	memset(text, 'a', sizeof(text));
	text[VPN_NAME_MAX] = '\0';
	json_object_set_new(j, "esp_proposal", json_string(text));
	CU_ASSERT_EQUAL(vpn_profile_from_json(j, &p, err, sizeof(err)), -1);
	json_object_set_new(j, "esp_proposal", json_string(text + 1));
	CU_ASSERT_EQUAL(vpn_profile_from_json(j, &p, err, sizeof(err)), 0);
	json_object_set_new(j, "esp_proposal", json_stringn("a\0b", 3));
	CU_ASSERT_EQUAL(vpn_profile_from_json(j, &p, err, sizeof(err)), -1);
	json_decref(j);
}

static void test_wipe(void)
{
	struct vpn_profile p = static_profile(), zero;

	memset(&zero, 0, sizeof(zero));
	vpn_profile_wipe(&p);
	CU_ASSERT_EQUAL(memcmp(&p, &zero, sizeof(p)), 0);
}

static struct vpn_key handoff_key(void)
{
	struct vpn_key k = {.len = 32};

	for (uint8_t i = 0; i < 32; i++)
		k.data[i] = i;
	return k;
}

static void expect_hex(const uint8_t *have, size_t len, const char *hex)
{
	char text[2 * 64 + 1];

	hex_encode(have, len, text);
	CU_ASSERT_STRING_EQUAL(text, hex);
}

/* Vectors: RFC 5869 by hand in Python (hmac, hashlib). */
static void test_handoff(void)
{
	struct vpn_profile p = agent_profile(), out, back;
	struct vpn_key key = handoff_key();
	struct in_addr new = ip("198.51.100.12"), old = ip("198.51.100.11");
	uint8_t k[32];

	CU_ASSERT_EQUAL(vpn_handoff_auth_key(&key, k), 0);
	expect_hex(k, 32, "79461d5d3553657f0c0dcb78d503da66610469cb3b915085e8b06e8d5ebfb039");
	CU_ASSERT_EQUAL(vpn_handoff_seal_key(&key, k), 0);
	expect_hex(k, 32, "85f480639710b341e96abe34184875625ca985992f63cf5ebeef8c7205094e6d");
	p.number = 7;
	CU_ASSERT_EQUAL(vpn_handoff_profile(&p, new, old, &key, &out), 0);
	expect_hex(out.enc_key.data, out.enc_key.len,
		   "d03e1db775afc5acca95f7a47779867d61533d30a4733f7782c4392c17c192de");
	expect_hex(out.auth_key.data, out.auth_key.len,
		   "94c9f3aaf9483096133e59c7e9898bd97a8c36c7612b595c617dc90dc8696d04");
	CU_ASSERT_EQUAL(out.spi_up, 0x88254651u);
	CU_ASSERT_EQUAL(out.spi_down, 0xc65d6b49u);
	CU_ASSERT_PTR_NULL(vpn_profile_check(&out));
	CU_ASSERT_EQUAL(out.dst_gw_type, VPN_GW_HANDOFF);
	CU_ASSERT_EQUAL(out.src_gw.s_addr, new.s_addr);
	CU_ASSERT_EQUAL(out.dst_gw.s_addr, old.s_addr);
	CU_ASSERT_FALSE(out.required);
	CU_ASSERT_EQUAL(out.tos_up | out.tos_down, 0);
	CU_ASSERT_TRUE(vpn_prefix_equal(&out.src, &p.src) && vpn_prefix_equal(&out.dst, &p.dst));
	CU_ASSERT_STRING_EQUAL(out.esp_proposal, p.esp_proposal);
	/* The way back, and each profile, have keys of their own. */
	CU_ASSERT_EQUAL(vpn_handoff_profile(&p, old, new, &key, &back), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(&back.enc_key, &out.enc_key, sizeof(out.enc_key)), 0);
	CU_ASSERT_FALSE(vpn_profile_equal(&out, &back));
	back = out;
	back.dst_gw_type = VPN_GW_AGENT;
	CU_ASSERT_FALSE(vpn_profile_equal(&out, &back));
}

static void test_handoff_refusals(void)
{
	struct vpn_profile p = agent_profile(), out, shown;
	struct vpn_key key = handoff_key();
	struct in_addr new = ip("198.51.100.12"), old = ip("198.51.100.11");
	uint8_t k[32], wire[2048];
	char err[128];
	json_t *j;

	p.spi_up = p.spi_down = VPN_SPI_DEFAULT; /* the shared relation's tunnels get own keys, too */
	p.enc_key.len = p.auth_key.len = 0;
	CU_ASSERT_EQUAL(vpn_handoff_profile(&p, new, old, &key, &out), 0);
	CU_ASSERT_EQUAL(out.enc_key.len, 32);
	CU_ASSERT_PTR_NULL(vpn_profile_check(&out));
	/* It never leaves the agent. */
	CU_ASSERT_EQUAL(vpn_wire_encode(&out, wire, sizeof(wire)), 0);
	j = vpn_profile_json(&out, true);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "dst_gw_type")), "handoff");
	CU_ASSERT_EQUAL(vpn_profile_from_json(j, &shown, err, sizeof(err)), -1);
	CU_ASSERT_STRING_EQUAL(err, "malformed member dst_gw_type");
	json_decref(j);
	p.security = VPN_SEC_ENCAP;
	CU_ASSERT_EQUAL(vpn_handoff_profile(&p, new, old, &key, &out), -1);
	p.security = VPN_SEC_ESP;
	key.len = 0;
	CU_ASSERT_EQUAL(vpn_handoff_profile(&p, new, old, &key, &out), -1);
	CU_ASSERT_EQUAL(out.enc_key.len, 0);
	CU_ASSERT_EQUAL(vpn_handoff_auth_key(&key, k), -1);
	CU_ASSERT_EQUAL(vpn_handoff_seal_key(&key, k), -1);
	out = agent_profile();
	out.dst_gw_type = (enum vpn_gw_type)4;
	CU_ASSERT_STRING_EQUAL(vpn_profile_check(&out), "unknown type of gateway");
}

HARNESS_MAIN("lib/vpn_profile", HARNESS_CASE(test_prefix_text), HARNESS_CASE(test_prefix_has),
	     HARNESS_CASE(test_good_profiles), HARNESS_CASE(test_bad_selectors_and_gateways),
	     HARNESS_CASE(test_bad_keys_and_sla), HARNESS_CASE(test_equal), HARNESS_CASE(test_key_material),
	     HARNESS_CASE(test_json_round_trip), HARNESS_CASE(test_json_hides_keys),
	     HARNESS_CASE(test_json_refusals), HARNESS_CASE(test_json_long_text), HARNESS_CASE(test_wipe),
	     HARNESS_CASE(test_handoff), HARNESS_CASE(test_handoff_refusals))
