/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/buf.h"
#include "lib/hex.h"
#include "lib/vpn_profile.h"
#include "tests/unit/harness.h"

#include <arpa/inet.h>
#include <string.h>

static struct vpn_profile profile(void)
{
	struct vpn_profile p = {.number = 5,
				.tos_up = 184,
				.tos_down = 136,
				.security = VPN_SEC_ESP,
				.dst_gw_type = VPN_GW_DYNAMIC,
				.spi_up = 5001,
				.spi_down = 5002,
				.required = true,
				.esp_proposal = "aes256gcm16"};

	vpn_prefix_parse("10.1.0.15/32", &p.src);
	vpn_prefix_parse("203.0.113.0/24", &p.dst);
	inet_pton(AF_INET, "198.51.100.11", &p.src_gw);
	inet_pton(AF_INET, "198.51.100.32", &p.dst_gw);
	p.enc_key.len = p.auth_key.len = 32;
	memset(p.enc_key.data, 0xe1, 32);
	memset(p.auth_key.data, 0xa2, 32);
	return p;
}

static struct vpn_key master_key(void)
{
	struct vpn_key k = {.len = 32};

	for (uint8_t i = 0; i < 32; i++)
		k.data[i] = i;
	return k;
}

/* Made with hmac and hashlib of Python (RFC 5869 by hand). */
static void test_keys(void)
{
	static const char *const want[3] = {
		"60e3944ca1d4152f39da48c9802b37084fda25aa1cbec1d339efa6adad7d5f6d",
		"d21d456f2d422fe64f9c00138f9e45d045eccb15c90fa88e9e3870bb8a8afe85",
		"b7b89910f4a2e8a1750006ae4bc9c78758908a873620c2a26e17b5ecd6247f65"};
	struct vpn_key m = master_key(), none = {0};
	struct in_addr ha;
	uint8_t key[3][32];
	char hex[65];

	inet_pton(AF_INET, "198.51.100.21", &ha);
	CU_ASSERT_EQUAL(vpn_bu_key(&m, ha, "s-17", key[0]), 0);
	CU_ASSERT_EQUAL(vpn_bu_seal_key(key[0], key[1]), 0);
	CU_ASSERT_EQUAL(vpn_bu_auth_key(key[0], key[2]), 0);
	for (int i = 0; i < 3; i++) {
		hex_encode(key[i], 32, hex);
		CU_ASSERT_STRING_EQUAL(hex, want[i]);
	}
	CU_ASSERT_EQUAL(vpn_bu_key(&none, ha, "s-17", key[0]), -1);
	CU_ASSERT_EQUAL(vpn_bu_key(&m, ha, "", key[0]), -1);
}

static void test_round_trip(void)
{
	struct vpn_profile p = profile(), q;
	uint8_t bytes[1024];
	char err[128] = "";
	size_t n = vpn_wire_encode(&p, bytes, sizeof(bytes));

	CU_ASSERT_TRUE_FATAL(n > 0);
	CU_ASSERT_EQUAL(vpn_wire_decode(bytes, n, &q, err, sizeof(err)), 0);
	CU_ASSERT_STRING_EQUAL(err, "");
	CU_ASSERT_TRUE(vpn_profile_equal(&p, &q));
	CU_ASSERT_EQUAL(vpn_wire_encode(&p, bytes, n - 1), 0);
}

/* Neither what the AAAH gave the home agent nor a contract leaves it. */
static void test_secrets_stay(void)
{
	struct vpn_profile p = profile(), q;
	uint8_t bytes[1024];
	char err[128];
	size_t n;

	p.bu_key.len = 32;
	memset(p.bu_key.data, 0x77, 32);
	memcpy(p.bu_context, "s-17", 5);
	memcpy(p.sla, "acme", 5);
	p.psk.len = 16;
	n = vpn_wire_encode(&p, bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(vpn_wire_decode(bytes, n, &q, err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(q.bu_key.len, 0);
	CU_ASSERT_EQUAL(q.psk.len, 0);
	CU_ASSERT_STRING_EQUAL(q.bu_context, "");
	CU_ASSERT_STRING_EQUAL(q.sla, "");
}

/* Refused but where a cut leaves whole members and only optional ones are missing (behind type 12). */
static bool whole(const uint8_t *bytes, size_t n)
{
	struct rbuf r;
	uint8_t type = 0;

	rbuf_init(&r, bytes, n);
	while (rbuf_left(&r)) {
		type = rbuf_u8(&r);
		rbuf_bytes(&r, rbuf_u16(&r));
	}
	return rbuf_ok(&r) && type >= 12;
}

static void test_truncated_everywhere(void)
{
	struct vpn_profile p = profile(), q;
	static const uint8_t zero[sizeof(struct vpn_profile)];
	uint8_t bytes[1024];
	char err[128];
	size_t n = vpn_wire_encode(&p, bytes, sizeof(bytes)), refused = 0;

	for (size_t i = 0; i < n; i++) {
		int rc;

		err[0] = '\0';
		rc = vpn_wire_decode(bytes, i, &q, err, sizeof(err));
		HARNESS_AT((rc == 0) == whole(bytes, i), "length %zu: %s", i, err);
		refused += rc < 0 && err[0] && memcmp(&q, zero, sizeof(q)) == 0;
	}
	CU_ASSERT_EQUAL(refused, n - 4); /* whole ones end behind 12, 13, 14 and 15 */
}

struct bad {
	const char *name;
	uint8_t type;
	uint8_t value[8];
	uint8_t len;
	const char *why;
};

static void test_malformed(void)
{
	static const struct bad cases[] = {
		{"twice", 1, {0, 0, 0, 9}, 4, "twice: number"},
		{"short text with a NUL", 16, {'a', 0, 'b'}, 3, "malformed member ike_proposal"},
		{"boolean 2", 14, {2}, 1, "malformed member required"},
		{"long number", 4, {1, 2}, 2, "malformed member tos_up"},
		{"security 9", 6, {9}, 1, "malformed member security"},
		{"gateway type 3", 9, {3}, 1, "malformed member dst_gw_type"},
	};
	struct vpn_profile p = profile(), q;
	char err[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[1024], whole[1024];
		size_t n = vpn_wire_encode(&p, whole, sizeof(whole));
		struct rbuf r;
		struct wbuf w;

		wbuf_init(&w, bytes, sizeof(bytes));
		rbuf_init(&r, whole, n);
		while (rbuf_left(&r)) { /* all but the member itself, unless it is to come twice */
			uint8_t type = rbuf_u8(&r);
			uint16_t len = rbuf_u16(&r);
			const uint8_t *v = rbuf_bytes(&r, len);

			if (type == cases[i].type && i)
				continue;
			wbuf_u8(&w, type);
			wbuf_u16(&w, len);
			wbuf_bytes(&w, v, len);
		}
		wbuf_u8(&w, cases[i].type);
		wbuf_u16(&w, cases[i].len);
		wbuf_bytes(&w, cases[i].value, cases[i].len);
		CU_ASSERT_EQUAL(vpn_wire_decode(bytes, w.len, &q, err, sizeof(err)), -1);
		CU_ASSERT_STRING_EQUAL(err, cases[i].why);
	}
}

static void test_unknown_member_is_skipped(void)
{
	struct vpn_profile p = profile(), q;
	uint8_t bytes[1024];
	char err[128];
	size_t n = vpn_wire_encode(&p, bytes, sizeof(bytes));

	memcpy(bytes + n, "\xc8\x00\x02xy", 5);
	CU_ASSERT_EQUAL(vpn_wire_decode(bytes, n + 5, &q, err, sizeof(err)), 0);
	CU_ASSERT_TRUE(vpn_profile_equal(&p, &q));
}

HARNESS_MAIN("lib/vpn_wire", HARNESS_CASE(test_keys), HARNESS_CASE(test_round_trip),
	     HARNESS_CASE(test_secrets_stay), HARNESS_CASE(test_truncated_everywhere),
	     HARNESS_CASE(test_malformed), HARNESS_CASE(test_unknown_member_is_skipped))
