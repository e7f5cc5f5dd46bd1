/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent/mip/mip.h"
#include "tests/unit/harness.h"
#include "tests/unit/mip/message.h"
#include "tests/unit/mip/vectors.h"

#include <string.h>

#define AT 41 /* where 96 begins in the vectors: behind the fixed part and the NAI */
#define OLD_FA ((struct in_addr){htonl(0xc633640c)})

static const struct {
	const uint8_t *msg;
	size_t len;
	enum crypto_mac alg;
} vectors[] = {
	{rrq_pfan_sha1, sizeof(rrq_pfan_sha1), CRYPTO_HMAC_SHA1},
	{rrq_pfan_md5, sizeof(rrq_pfan_md5), CRYPTO_HMAC_MD5},
	{rrq_pfan_sha256, sizeof(rrq_pfan_sha256), CRYPTO_HMAC_SHA256},
};

static void test_reading(void)
{
	for (size_t i = 0; i < 3; i++) {
		struct mip_rrq q;
		struct mip_pfan p;

		CU_ASSERT_EQUAL(mip_rrq_decode(vectors[i].msg, vectors[i].len, &q), MIP_REJ_OK);
		CU_ASSERT_EQUAL(q.pfan.start, AT);
		CU_ASSERT_TRUE(mip_pfan_get(&q, &p));
		CU_ASSERT_EQUAL(p.lifetime, 10);
		CU_ASSERT_EQUAL(p.previous_fa.s_addr, OLD_FA.s_addr);
		CU_ASSERT_EQUAL(p.coa.s_addr, TEST_COA.s_addr);
		CU_ASSERT_EQUAL(p.spi, 0x1002);
		CU_ASSERT_EQUAL(p.mac_len, crypto_mac_size(vectors[i].alg));
		for (size_t j = 0; j < 3; j++) /* right under its own algorithm only */
			CU_ASSERT_EQUAL(mip_pfan_check(&q, vectors[j].alg, key_mn_ha, 16), i == j);
		CU_ASSERT_FALSE(mip_pfan_check(&q, vectors[i].alg, key_fa_ha, 16));
		CU_ASSERT_FALSE(mip_pfan_check(&q, vectors[i].alg, key_mn_ha, 0));
	}
}

static bool right(const uint8_t *msg, size_t len)
{
	struct mip_rrq q;

	return !mip_rrq_decode(msg, len, &q) && mip_pfan_check(&q, CRYPTO_HMAC_SHA1, key_mn_ha, 16);
}

/* Home address, Identification and the extension are covered but for the address of the previous foreign
 * agent, which the draft leaves out: it is where the Binding Update goes.  Flags, lifetime of the
 * registration, home agent and care-of address are not: 32 covers them. */
static void test_coverage(void)
{
	for (size_t i = 1; i < sizeof(rrq_pfan_sha1); i++) {
		bool fixed = (i >= 4 && i < 8) || (i >= 16 && i < 24);
		bool ext = i >= AT && !(i >= AT + 4 && i < AT + 8);
		uint8_t copy[sizeof(rrq_pfan_sha1)];

		memcpy(copy, rrq_pfan_sha1, sizeof(copy));
		copy[i] ^= 2;
		if (i < 24 || i >= AT)
			HARNESS_AT(right(copy, sizeof(copy)) == !(fixed || ext), "byte %zu", i);
	}
	CU_ASSERT_TRUE(right(rrq_pfan_sha1, sizeof(rrq_pfan_sha1)));
}

static void test_malformed(void)
{
	uint8_t msg[256];
	struct mip_pfan p;
	struct mip_rrq q;

	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_fixed, sizeof(rrq_fixed), &q), MIP_REJ_OK);
	CU_ASSERT_FALSE(mip_pfan_get(&q, &p)); /* absent */
	CU_ASSERT_FALSE(mip_pfan_check(&q, CRYPTO_HMAC_SHA1, key_mn_ha, 16));
	for (uint8_t len = 1; len <= 34; len++) {
		memcpy(msg, rrq_pfan_sha1, sizeof(rrq_pfan_sha1));
		msg[AT + 1] = len;
		CU_ASSERT_EQUAL(mip_rrq_decode(msg, (size_t)AT + 2 + len, &q), MIP_REJ_OK);
		CU_ASSERT_EQUAL(mip_pfan_get(&q, &p), len > 14);
		CU_ASSERT_EQUAL(mip_pfan_check(&q, CRYPTO_HMAC_SHA1, key_mn_ha, 16), len == 34);
	}
	memcpy(msg, rrq_pfan_sha1, sizeof(rrq_pfan_sha1));
	memcpy(msg + AT + 12, "\0\0\0\xff", 4); /* a reserved SPI */
	CU_ASSERT_EQUAL(mip_rrq_decode(msg, sizeof(rrq_pfan_sha1), &q), MIP_REJ_OK);
	CU_ASSERT_FALSE(mip_pfan_get(&q, &p));
	memset(&q, 0, sizeof(q)); /* a message that could not be read */
	CU_ASSERT_FALSE(mip_pfan_check(&q, CRYPTO_HMAC_SHA1, key_mn_ha, 16));
}

static void test_writing_gives_the_vectors(void)
{
	struct mip_pfan p = {.lifetime = 10, .previous_fa = OLD_FA, .coa = TEST_COA, .spi = 0x1002};

	for (size_t i = 0; i < 3; i++) {
		struct wbuf *w = message_new();

		put_rrq(w, MIP_S | MIP_T);
		mip_ext_put_nai(w, "alice@home.test");
		mip_ext_put_pfan(w, &p, vectors[i].alg, key_mn_ha, 16);
		CU_ASSERT_TRUE(wbuf_ok(w));
		CU_ASSERT_EQUAL_FATAL(w->len, vectors[i].len);
		CU_ASSERT_EQUAL(memcmp(w->base, vectors[i].msg, w->len), 0);
	}
}

static void test_what_cannot_be_written(void)
{
	struct mip_pfan p = {.lifetime = 10, .previous_fa = OLD_FA, .coa = TEST_COA, .spi = 0x1002};
	uint8_t mem[24 + 35];
	struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem)); /* no request in front of it */
	mip_ext_put_pfan(&w, &p, CRYPTO_HMAC_SHA1, key_mn_ha, 16);
	CU_ASSERT_FALSE(wbuf_ok(&w));
	wbuf_init(&w, mem, sizeof(mem)); /* one byte too few */
	put_rrq(&w, 0);
	mip_ext_put_pfan(&w, &p, CRYPTO_HMAC_SHA1, key_mn_ha, 16);
	CU_ASSERT_FALSE(wbuf_ok(&w));
	wbuf_init(&w, mem, sizeof(mem));
	put_rrq(&w, 0);
	mip_ext_put_pfan(&w, &p, (enum crypto_mac)77, key_mn_ha, 16);
	CU_ASSERT_FALSE(wbuf_ok(&w));
	wbuf_init(&w, mem, sizeof(mem));
	put_rrq(&w, 0);
	mip_ext_put_pfan(&w, &p, CRYPTO_HMAC_SHA1, key_mn_ha, 0);
	CU_ASSERT_FALSE(wbuf_ok(&w));
}

HARNESS_MAIN("mip/pfan", HARNESS_CASE(test_reading), HARNESS_CASE(test_coverage),
	     HARNESS_CASE(test_malformed), HARNESS_CASE(test_writing_gives_the_vectors),
	     HARNESS_CASE(test_what_cannot_be_written))
