/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent/mip/binding.h"
#include "tests/unit/harness.h"

#include <arpa/inet.h>
#include <string.h>

/* Both made with struct and hmac of Python. */
static const uint8_t delete_update[] = {
	0x12, 0xc0, 0x00, 0x00, 0x0a, 0x01, 0x00, 0x0f, 0x0a, 0x01, 0x00, 0x0f, 0xec, 0x00, 0x00, 0x00, 0x12,
	0x34, 0x56, 0x78, 0x26, 0x00, 0x00, 0x13, 0x00, 0x00, 0x7e, 0xd9, 0x00, 0x03, 0xc6, 0x33, 0x64, 0x15,
	0x00, 0x00, 0x00, 0x05, 0x04, 0x73, 0x2d, 0x31, 0x37, 0x24, 0xc8, 0x00, 0x24, 0x00, 0x00, 0x01, 0x00,
	0xb5, 0x9f, 0xde, 0xcf, 0xee, 0x43, 0x5e, 0xed, 0xe7, 0x3a, 0x46, 0x78, 0xc5, 0xe4, 0x88, 0x4b, 0xb5,
	0xcb, 0x3d, 0x99, 0x78, 0x26, 0x4d, 0x20, 0x2a, 0x00, 0xd5, 0xea, 0x10, 0x43, 0x53, 0x90};
static const uint8_t refusal[] = {0x13, 0x00, 0x00, 0x83, 0x0a, 0x01, 0x00, 0x0f,
				  0xec, 0x00, 0x00, 0x00, 0x12, 0x34, 0x56, 0x78};

static uint8_t seal_key[32], auth_key[32];

static struct in_addr ip(const char *text)
{
	struct in_addr a = {0};

	inet_pton(AF_INET, text, &a);
	return a;
}

static void make_keys(void)
{
	struct vpn_key master = {.len = 32};
	uint8_t bu[32];

	for (uint8_t i = 0; i < 32; i++)
		master.data[i] = i;
	vpn_bu_key(&master, ip("198.51.100.21"), "s-17", bu);
	vpn_bu_seal_key(bu, seal_key);
	vpn_bu_auth_key(bu, auth_key);
}

static struct bind_msg update(void)
{
	struct bind_msg m = {.type = BIND_UPDATE,
			     .flags = BIND_A,
			     .lifetime = 600,
			     .has_ident = true,
			     .ident = 0xec00000012345678u,
			     .profile = 5,
			     .key_context = "s-17"};

	m.hoa = ip("10.1.0.15");
	m.coa = ip("198.51.100.11");
	m.key_ha = ip("198.51.100.21");
	return m;
}

static struct vpn_profile profile(void)
{
	struct vpn_profile p = {.number = 5,
				.security = VPN_SEC_ESP,
				.dst_gw_type = VPN_GW_DYNAMIC,
				.spi_up = 5001,
				.spi_down = 5002,
				.required = true};

	vpn_prefix_parse("10.1.0.15", &p.src);
	vpn_prefix_parse("203.0.113.0/24", &p.dst);
	p.src_gw = ip("198.51.100.11");
	p.dst_gw = ip("198.51.100.32");
	p.enc_key.len = p.auth_key.len = 32;
	memset(p.enc_key.data, 0xe1, 32);
	return p;
}

static size_t make_update(uint8_t *bytes, size_t cap)
{
	struct bind_msg m = update();
	struct vpn_profile p = profile();
	struct wbuf w;

	make_keys();
	wbuf_init(&w, bytes, cap);
	bind_put(&w, &m);
	bind_put_profile(&w, &m, &p, seal_key);
	bind_put_auth(&w, BIND_SUBTYPE_ROUTE, 256, auth_key);
	return wbuf_ok(&w) ? w.len : 0;
}

static void test_golden(void)
{
	struct bind_msg m;
	uint8_t out[256];
	struct wbuf w;

	make_keys();
	CU_ASSERT_EQUAL(bind_decode(delete_update, sizeof(delete_update), &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.type, BIND_UPDATE);
	CU_ASSERT_EQUAL(m.lifetime, 0);
	CU_ASSERT_EQUAL(m.coa.s_addr, m.hoa.s_addr);
	CU_ASSERT_EQUAL(m.profile, 5);
	CU_ASSERT_EQUAL(m.key_ha.s_addr, ip("198.51.100.21").s_addr);
	CU_ASSERT_STRING_EQUAL(m.key_context, "s-17");
	CU_ASSERT_EQUAL(m.auth.spi, 256);
	CU_ASSERT_TRUE(bind_auth_check(&m, auth_key));
	CU_ASSERT_FALSE(bind_auth_check(&m, seal_key));
	wbuf_init(&w, out, sizeof(out));
	bind_put(&w, &m);
	bind_put_number(&w, &m);
	bind_put_auth(&w, BIND_SUBTYPE_ROUTE, 256, auth_key);
	CU_ASSERT_EQUAL_FATAL(w.len, sizeof(delete_update));
	CU_ASSERT_EQUAL(memcmp(out, delete_update, w.len), 0);
	CU_ASSERT_EQUAL(bind_decode(refusal, sizeof(refusal), &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.status, BIND_AUTH);
	CU_ASSERT_EQUAL(m.ident, 0xec00000012345678u);
}

static void test_profile(void)
{
	struct vpn_profile p = profile(), q;
	struct bind_msg m;
	uint8_t bytes[MIP_MSG_MAX];
	char err[128] = "";
	size_t n = make_update(bytes, sizeof(bytes));

	CU_ASSERT_EQUAL_FATAL(bind_decode(bytes, n, &m), MIP_REJ_OK);
	CU_ASSERT_TRUE(bind_auth_check(&m, auth_key));
	CU_ASSERT_EQUAL(bind_open_profile(&m, seal_key, &q, err, sizeof(err)), 0);
	CU_ASSERT_TRUE(vpn_profile_equal(&p, &q));
	CU_ASSERT_EQUAL(bind_open_profile(&m, auth_key, &q, err, sizeof(err)), -1);
	CU_ASSERT_STRING_EQUAL(err, "the seal of the profile is wrong");
	CU_ASSERT_PTR_NULL(memmem(bytes, n, p.enc_key.data, 4)); /* nothing of it in clear */
	CU_ASSERT_PTR_NULL(memmem(bytes, n, &p.dst.addr, 4));
}

/* One bit anywhere: no longer authentic, and in front of the seal's end no longer to be opened. */
static void test_tampered(void)
{
	struct vpn_profile q;
	uint8_t bytes[MIP_MSG_MAX];
	char err[128];
	size_t n = make_update(bytes, sizeof(bytes)), opened = 0, authentic = 0, decoded = 0;

	for (size_t i = 0; i < n; i++) {
		struct bind_msg m;

		bytes[i] ^= 0x10;
		if (bind_decode(bytes, n, &m) == MIP_REJ_OK) {
			decoded++;
			authentic += bind_auth_check(&m, auth_key);
			if (i < (size_t)m.sealed_aad + m.sealed.len)
				opened += bind_open_profile(&m, seal_key, &q, err, sizeof(err)) == 0;
		}
		bytes[i] ^= 0x10;
	}
	CU_ASSERT_TRUE(decoded > n / 2);
	CU_ASSERT_EQUAL(authentic, 0);
	CU_ASSERT_EQUAL(opened, 0);
}

static void test_truncated_everywhere(void)
{
	struct bind_msg m;
	uint8_t bytes[MIP_MSG_MAX];
	size_t n = make_update(bytes, sizeof(bytes));

	for (size_t i = 0; i < n; i++) {
		enum mip_reject rej = bind_decode(bytes, i, &m);

		/* What ends between two extensions is whole, but says nothing without its authenticator. */
		HARNESS_AT(rej != MIP_REJ_OK || !m.auth.present, "length %zu", i);
		CU_ASSERT_EQUAL(m.raw != NULL, i >= 20);
	}
}

static void test_warning_and_request(void)
{
	struct bind_msg m = {.type = BIND_WARNING, .n_targets = 2}, d;
	uint8_t bytes[64];
	struct wbuf w;

	m.hoa = ip("10.1.0.15");
	m.targets[0] = ip("203.0.113.5");
	m.targets[1] = ip("203.0.113.6");
	wbuf_init(&w, bytes, sizeof(bytes));
	bind_put(&w, &m);
	CU_ASSERT_EQUAL(w.len, 16);
	CU_ASSERT_EQUAL(bind_decode(bytes, w.len, &d), MIP_REJ_OK);
	CU_ASSERT_EQUAL(d.n_targets, 2);
	CU_ASSERT_EQUAL(d.targets[1].s_addr, m.targets[1].s_addr);
	CU_ASSERT_EQUAL(bind_decode(bytes, 8, &d), MIP_REJ_TRUNCATED);
	CU_ASSERT_EQUAL(bind_decode(bytes, 15, &d), MIP_REJ_TRUNCATED);
	m = (struct bind_msg){.type = BIND_REQUEST, .ident = 7, .hoa = m.hoa};
	wbuf_init(&w, bytes, sizeof(bytes));
	bind_put(&w, &m);
	CU_ASSERT_EQUAL(w.len, 16);
	CU_ASSERT_EQUAL(bind_decode(bytes, w.len, &d), MIP_REJ_OK);
	CU_ASSERT_EQUAL(d.ident, 7);
}

static void test_refusals(void)
{
	static const struct {
		const char *name;
		const char *ext;
		size_t len;
		enum mip_reject want;
	} cases[] = {
		{"unknown low type", "\x05\x00", 2, MIP_REJ_EXT_UNKNOWN},
		{"unknown high type", "\xc8\x01x", 3, MIP_REJ_OK},
		{"MN-AAA in a BU", "\x24\x01\x00\x08\x00\x00\x01\x00zzzz", 12, MIP_REJ_EXT_UNKNOWN},
		{"reserved SPI", "\x24\xc8\x00\x08\x00\x00\x00\x05zzzz", 12, MIP_REJ_SPI},
		{"short authenticator", "\x24\xc8\x00\x04\x00\x00\x01\x00", 8, MIP_REJ_EXT_LENGTH},
		{"short vendor extension", "\x26\x00\x00\x02\x00\x00", 6, MIP_REJ_CVSE},
		{"context with a NUL",
		 "\x26\x00\x00\x11\x00\x00\x7e\xd9\x00\x03\x0a\x00\x00\x01\x00\x00\x00\x05\x02"
		 "a\x00",
		 21, MIP_REJ_CVSE},
		{"no seal",
		 "\x26\x00\x00\x10\x00\x00\x7e\xd9\x00\x02\x0a\x00\x00\x01\x00\x00\x00\x05\x01"
		 "a",
		 20, MIP_REJ_CVSE},
		{"handoff without a seal", "\x26\x00\x00\x0a\x00\x00\x7e\xd9\x00\x04xxxx", 14, MIP_REJ_CVSE},
		{"behind the authenticator", "\x24\xc8\x00\x08\x00\x00\x01\x00zzzz\xc8\x00", 14,
		 MIP_REJ_EXT_ORDER},
		{"two authenticators",
		 "\x24\xc8\x00\x08\x00\x00\x01\x00zzzz\x24\xc8\x00\x08\x00\x00\x01\x00zzzz", 24,
		 MIP_REJ_EXT_DUPLICATE},
	};
	uint8_t bytes[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bind_msg m = update(), d;
		struct wbuf w;

		wbuf_init(&w, bytes, sizeof(bytes));
		bind_put(&w, &m);
		wbuf_bytes(&w, cases[i].ext, cases[i].len);
		HARNESS_AT(bind_decode(bytes, w.len, &d) == cases[i].want, "%s", cases[i].name);
		CU_ASSERT_EQUAL(d.hoa.s_addr, m.hoa.s_addr);
	}
}

static size_t make_handoff(uint8_t *bytes, size_t cap, const struct bind_handoff *h)
{
	struct bind_msg m = update();
	struct wbuf w;

	make_keys();
	wbuf_init(&w, bytes, cap);
	bind_put(&w, &m);
	bind_put_handoff(&w, h, seal_key);
	bind_put_auth(&w, BIND_SUBTYPE_HANDOFF, 256, auth_key);
	return wbuf_ok(&w) ? w.len : 0;
}

static void test_handoff(void)
{
	struct bind_handoff h = {.soft = true, .request = 0xec00000012345678u}, got;
	struct vpn_profile p;
	struct bind_msg m;
	uint8_t bytes[MIP_MSG_MAX];
	char err[128];
	size_t n = make_handoff(bytes, sizeof(bytes), &h);

	CU_ASSERT_EQUAL_FATAL(bind_decode(bytes, n, &m), MIP_REJ_OK);
	CU_ASSERT_TRUE(m.handoff && bind_auth_check(&m, auth_key));
	CU_ASSERT_EQUAL(m.auth_subtype, BIND_SUBTYPE_HANDOFF);
	CU_ASSERT_EQUAL(bind_open_handoff(&m, seal_key, &got), 0);
	CU_ASSERT_TRUE(got.soft && got.request == h.request);
	CU_ASSERT_EQUAL(bind_open_handoff(&m, auth_key, &got), -1);
	CU_ASSERT_EQUAL(bind_open_profile(&m, seal_key, &p, err, sizeof(err)), -1);
	CU_ASSERT_EQUAL(make_handoff(bytes, 40, &h), 0);
	n = make_handoff(bytes, sizeof(bytes), &(struct bind_handoff){0});
	CU_ASSERT_EQUAL(bind_decode(bytes, n, &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(bind_open_handoff(&m, seal_key, &got), 0);
	CU_ASSERT_FALSE(got.soft || got.request);
	n = make_update(bytes, sizeof(bytes)); /* a profile is no handoff */
	CU_ASSERT_EQUAL(bind_decode(bytes, n, &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(bind_open_handoff(&m, seal_key, &got), -1);
}

/* Sealed by somebody who has the key, and still looked at: members unknown, cut, too long. */
static void test_handoff_members(void)
{
	static const struct {
		const char *plain;
		size_t len;
		int want;
	} cases[] = {{"\x01\x00\x01\x01", 4, 0},      {"\x09\x00\x02xx\x01\x00\x01\x01", 9, 0},
		     {"\x01\x00\x02\x01\x01", 5, -1}, {"\x01\x00\x01", 3, -1},
		     {"\x02\x00\x04xxxx", 7, -1},     {"\x01", 1, -1}};

	make_keys();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[256], sealed[64];
		struct bind_msg m = update(), d;
		struct bind_handoff h;
		struct wbuf w;

		wbuf_init(&w, bytes, sizeof(bytes));
		bind_put(&w, &m);
		wbuf_bytes(&w, "\x26\x00\x00", 3);
		wbuf_u8(&w, (uint8_t)(6 + cases[i].len + CRYPTO_SEAL_EXTRA));
		wbuf_bytes(&w, "\x00\x00\x7e\xd9\x00\x04", 6);
		crypto_seal(seal_key, bytes, w.len, cases[i].plain, cases[i].len, sealed);
		wbuf_bytes(&w, sealed, cases[i].len + CRYPTO_SEAL_EXTRA);
		CU_ASSERT_EQUAL(bind_decode(bytes, w.len, &d), MIP_REJ_OK);
		HARNESS_AT(bind_open_handoff(&d, seal_key, &h) == cases[i].want, "case %zu", i);
		HARNESS_AT(cases[i].want || h.soft, "case %zu", i);
	}
}

static void test_too_long(void)
{
	static uint8_t bytes[MIP_MSG_MAX + 1] = {BIND_UPDATE};
	struct bind_msg m;

	CU_ASSERT_EQUAL(bind_decode(bytes, sizeof(bytes), &m), MIP_REJ_TOO_LONG);
	CU_ASSERT_EQUAL(bind_decode("\x01", 1, &m), MIP_REJ_TYPE);
	CU_ASSERT_EQUAL(bind_decode("", 0, &m), MIP_REJ_TRUNCATED);
	CU_ASSERT_EQUAL(make_update(bytes, 100), 0);
}

HARNESS_MAIN("agent/mip/binding", HARNESS_CASE(test_golden), HARNESS_CASE(test_profile),
	     HARNESS_CASE(test_tampered), HARNESS_CASE(test_truncated_everywhere),
	     HARNESS_CASE(test_warning_and_request), HARNESS_CASE(test_refusals), HARNESS_CASE(test_handoff),
	     HARNESS_CASE(test_handoff_members), HARNESS_CASE(test_too_long))
