/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent/mip/mip.h"
#include "tests/unit/harness.h"
#include "tests/unit/mip/message.h"
#include "tests/unit/mip/vectors.h"

static bool aaa_ok(const uint8_t *msg, size_t len, enum crypto_mac alg, const void *chal, size_t chal_len)
{
	struct mip_rrq m;

	CU_ASSERT_EQUAL_FATAL(mip_rrq_decode(msg, len, &m), MIP_REJ_OK);
	CU_ASSERT_TRUE_FATAL(m.mn_aaa.present);
	return mip_mn_aaa_check(m.raw, m.mn_aaa.covered, m.mn_aaa.mac, m.mn_aaa.mac_len, alg, key_aaa,
				sizeof(key_aaa), chal, chal_len);
}

static void test_mn_ha(void)
{
	struct mip_rrq m;

	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_mn_ha, sizeof(rrq_mn_ha), &m), MIP_REJ_OK);
	CU_ASSERT_TRUE(mip_auth_check(&m.mn_ha, m.raw, CRYPTO_HMAC_MD5, key_mn_ha, 16));
	CU_ASSERT_FALSE(mip_auth_check(&m.mn_ha, m.raw, CRYPTO_HMAC_MD5, key_fa_ha, 16));
	CU_ASSERT_FALSE(mip_auth_check(&m.mn_ha, m.raw, CRYPTO_HMAC_MD5, key_mn_ha, 15));
	CU_ASSERT_FALSE(mip_auth_check(&m.mn_ha, m.raw, CRYPTO_HMAC_SHA1, key_mn_ha, 16));
	CU_ASSERT_FALSE(mip_auth_check(&m.mn_ha, m.raw, CRYPTO_KEYED_MD5, key_mn_ha, 16));
	CU_ASSERT_FALSE(mip_auth_check(&m.fa_ha, m.raw, CRYPTO_HMAC_MD5, key_mn_ha, 16)); /* absent */
}

static void test_keyed_md5(void)
{
	struct mip_rrq m;

	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_keyed_md5, sizeof(rrq_keyed_md5), &m), MIP_REJ_OK);
	CU_ASSERT_TRUE(mip_auth_check(&m.mn_ha, m.raw, CRYPTO_KEYED_MD5, key_mn_ha, 16));
	CU_ASSERT_FALSE(mip_auth_check(&m.mn_ha, m.raw, CRYPTO_HMAC_MD5, key_mn_ha, 16));
}

static void test_all_authenticators_of_one_message(void)
{
	struct mip_rrq q;
	struct mip_rrp p;

	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_to_fa, sizeof(rrq_to_fa), &q), MIP_REJ_OK);
	CU_ASSERT_TRUE(mip_auth_check(&q.mn_ha, q.raw, CRYPTO_HMAC_MD5, key_mn_ha, 16));
	CU_ASSERT_TRUE(mip_auth_check(&q.mn_fa, q.raw, CRYPTO_HMAC_SHA1, key_mn_ha, 16));
	CU_ASSERT_TRUE(aaa_ok(rrq_to_fa, sizeof(rrq_to_fa), CRYPTO_HMAC_SHA256, NULL, 0));
	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_relayed, sizeof(rrq_relayed), &q), MIP_REJ_OK);
	CU_ASSERT_TRUE(mip_auth_check(&q.fa_ha, q.raw, CRYPTO_HMAC_SHA1, key_fa_ha, 16));
	CU_ASSERT_EQUAL(mip_rrp_decode(rrp_from_ha, sizeof(rrp_from_ha), &p), MIP_REJ_OK);
	CU_ASSERT_TRUE(mip_auth_check(&p.mn_ha, p.raw, CRYPTO_HMAC_SHA1, key_mn_ha, 16));
	CU_ASSERT_TRUE(mip_auth_check(&p.fa_ha, p.raw, CRYPTO_HMAC_SHA1, key_fa_ha, 16));
	CU_ASSERT_EQUAL(mip_rrp_decode(rrp_to_mn, sizeof(rrp_to_mn), &p), MIP_REJ_OK);
	CU_ASSERT_TRUE(mip_auth_check(&p.mn_fa, p.raw, CRYPTO_HMAC_SHA1, key_mn_ha, 16));
}

/* Every byte of the message up to the SPI is covered, and every byte of the MAC counts. */
static void test_coverage(void)
{
	for (size_t i = 0; i < sizeof(rrq_mn_ha); i++) {
		uint8_t copy[sizeof(rrq_mn_ha)];
		struct mip_auth a = {
			.present = true, .mac = copy + 30, .mac_len = 16, .start = 24, .covered = 30};

		memcpy(copy, rrq_mn_ha, sizeof(copy));
		CU_ASSERT_TRUE(mip_auth_check(&a, copy, CRYPTO_HMAC_MD5, key_mn_ha, 16));
		copy[i] ^= 0x01;
		HARNESS_AT(!mip_auth_check(&a, copy, CRYPTO_HMAC_MD5, key_mn_ha, 16), "byte %zu", i);
	}
	for (size_t i = 0; i < sizeof(rrq_first_chap); i++) {
		uint8_t copy[sizeof(rrq_first_chap)];
		size_t covered = sizeof(copy) - 16;

		memcpy(copy, rrq_first_chap, sizeof(copy));
		copy[i] ^= 0x80;
		HARNESS_AT(!mip_mn_aaa_check(copy, covered, copy + covered, 16, CRYPTO_CHAP_MD5, key_aaa, 16,
					     challenge, sizeof(challenge)),
			   "byte %zu", i);
	}
}

static void test_mac_of_another_length(void)
{
	struct mip_rrq m;

	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_mn_ha, sizeof(rrq_mn_ha), &m), MIP_REJ_OK);
	for (uint16_t n = 0; n < 16; n++) {
		m.mn_ha.mac_len = n; /* a shorter one would be easier to guess */
		CU_ASSERT_FALSE(mip_auth_check(&m.mn_ha, m.raw, CRYPTO_HMAC_MD5, key_mn_ha, 16));
		CU_ASSERT_FALSE(mip_mn_aaa_check(m.raw, m.mn_ha.covered, m.mn_ha.mac, n, CRYPTO_HMAC_MD5,
						 key_mn_ha, 16, NULL, 0));
	}
	CU_ASSERT_FALSE(mip_auth_check(&m.mn_ha, m.raw, (enum crypto_mac)0, key_mn_ha, 16));
	m.mn_ha.mac_len = 16;
	CU_ASSERT_FALSE(mip_auth_check(&m.mn_ha, m.raw, CRYPTO_HMAC_MD5, NULL, 0));
}

static void test_mn_aaa(void)
{
	CU_ASSERT_TRUE(aaa_ok(rrq_first, sizeof(rrq_first), CRYPTO_HMAC_MD5, NULL, 0));
	CU_ASSERT_TRUE(aaa_ok(rrq_first_sha1, sizeof(rrq_first_sha1), CRYPTO_HMAC_SHA1, NULL, 0));
	CU_ASSERT_FALSE(aaa_ok(rrq_first, sizeof(rrq_first), CRYPTO_HMAC_SHA1, NULL, 0));
	CU_ASSERT_FALSE(aaa_ok(rrq_first, sizeof(rrq_first), CRYPTO_CHAP_MD5, challenge, sizeof(challenge)));
}

static void test_mn_aaa_chap(void)
{
	struct mip_rrq m;

	CU_ASSERT_TRUE(aaa_ok(rrq_first_chap, sizeof(rrq_first_chap), CRYPTO_CHAP_MD5, challenge,
			      sizeof(challenge)));
	CU_ASSERT_FALSE(aaa_ok(rrq_first_chap, sizeof(rrq_first_chap), CRYPTO_CHAP_MD5, challenge, 7));
	CU_ASSERT_FALSE(aaa_ok(rrq_first_chap, sizeof(rrq_first_chap), CRYPTO_CHAP_MD5, NULL, 0));
	/* A challenge of 250 bytes: its first byte and its last 237 count. */
	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_long_chap, sizeof(rrq_long_chap), &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.mn_aaa.spi, MIP_SPI_CHAP);
	CU_ASSERT_TRUE(aaa_ok(rrq_long_chap, sizeof(rrq_long_chap), CRYPTO_CHAP_MD5, m.challenge.data, 250));
	/* Without a foreign agent: challenge zero. */
	CU_ASSERT_TRUE(aaa_ok(rrq_zero_chap, sizeof(rrq_zero_chap), CRYPTO_CHAP_MD5, NULL, 0));
}

static void test_writing_chap(void)
{
	struct wbuf *w = message_new();

	put_rrq(w, MIP_T);
	mip_ext_put_nai(w, "alice@home.test");
	mip_ext_put_keygen_req(w, MIP_EXT_MN_HA_KEYGEN_REQ, 1001);
	mip_ext_put_keygen_req(w, MIP_EXT_MN_FA_KEYGEN_REQ, 1002);
	mip_ext_put_challenge(w, challenge, sizeof(challenge));
	mip_ext_put_mn_aaa(w, 0x300, CRYPTO_CHAP_MD5, key_aaa, sizeof(key_aaa), challenge, sizeof(challenge));
	CU_ASSERT_EQUAL(w->len, sizeof(rrq_first_chap));
	CU_ASSERT_EQUAL(memcmp(w->base, rrq_first_chap, sizeof(rrq_first_chap)), 0);
}

static void test_key_too_long_for_chap(void)
{
	static const uint8_t key[800];
	struct wbuf *w = message_new();

	put_rrq(w, 0);
	mip_ext_put_mn_aaa(w, 0x300, CRYPTO_CHAP_MD5, key, sizeof(key), challenge, sizeof(challenge));
	CU_ASSERT_FALSE(wbuf_ok(w));
}

static void test_key_generation(void)
{
	static const uint8_t long_nonce[2000];
	uint8_t key[20], zero[20] = {0};

	CU_ASSERT_EQUAL(mip_keygen_derive(key_aaa, 16, keygen_nonce, 20, "alice@home.test", TEST_HOA, key),
			0);
	CU_ASSERT_EQUAL(memcmp(key, keygen_by_nai, 20), 0);
	CU_ASSERT_EQUAL(mip_keygen_derive(key_aaa, 16, keygen_nonce, 20, "", TEST_HOA, key), 0);
	CU_ASSERT_EQUAL(memcmp(key, keygen_by_hoa, 20), 0);
	CU_ASSERT_EQUAL(mip_keygen_derive(key_aaa, 16, long_nonce, sizeof(long_nonce), "", TEST_HOA, key),
			-1);
	CU_ASSERT_EQUAL(memcmp(key, zero, 20), 0);
}

HARNESS_MAIN("mip/auth", HARNESS_CASE(test_mn_ha), HARNESS_CASE(test_keyed_md5),
	     HARNESS_CASE(test_all_authenticators_of_one_message), HARNESS_CASE(test_coverage),
	     HARNESS_CASE(test_mac_of_another_length), HARNESS_CASE(test_mn_aaa),
	     HARNESS_CASE(test_mn_aaa_chap), HARNESS_CASE(test_writing_chap),
	     HARNESS_CASE(test_key_too_long_for_chap), HARNESS_CASE(test_key_generation))
