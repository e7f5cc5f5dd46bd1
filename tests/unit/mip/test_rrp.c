/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent/mip/mip.h"
#include "tests/unit/harness.h"
#include "tests/unit/mip/message.h"
#include "tests/unit/mip/vectors.h"

static enum mip_reject decode_rrp_bytes(struct mip_rrp *m, const void *ext, size_t len)
{
	struct wbuf *w = message_new();

	put_rrp(w, 0, 600);
	wbuf_bytes(w, ext, len);
	return mip_rrp_decode(w->base, w->len, m);
}

static void test_from_the_home_agent(void)
{
	struct mip_rrp m;

	CU_ASSERT_EQUAL(mip_rrp_decode(rrp_from_ha, sizeof(rrp_from_ha), &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.code, MIP_ACCEPTED);
	CU_ASSERT_EQUAL(m.lifetime, 600);
	CU_ASSERT_EQUAL(m.hoa.s_addr, TEST_HOA.s_addr);
	CU_ASSERT_EQUAL(m.ha.s_addr, TEST_HA.s_addr);
	CU_ASSERT_EQUAL(m.ident, TEST_IDENT);
	CU_ASSERT_STRING_EQUAL(m.nai, "alice@home.test");
	CU_ASSERT_STRING_EQUAL(m.ha_nai, "ha.home.test");
	CU_ASSERT_STRING_EQUAL(m.aaah_nai, "aaah.home.test");
	CU_ASSERT_TRUE(m.mn_ha.present && m.fa_ha.present && !m.mn_fa.present);
	/* The foreign agent takes 34 away. */
	CU_ASSERT_EQUAL(m.mn_part, m.fa_ha.start);
}

static void test_key_generation_replies(void)
{
	struct mip_rrp m;

	CU_ASSERT_EQUAL(mip_rrp_decode(rrp_from_ha, sizeof(rrp_from_ha), &m), MIP_REJ_OK);
	CU_ASSERT_TRUE(m.mn_ha_key.present && m.mn_fa_key.present);
	CU_ASSERT_EQUAL(m.mn_ha_key.lifetime, 600);
	CU_ASSERT_EQUAL(m.mn_ha_key.aaa_spi, 0x300);
	CU_ASSERT_EQUAL(m.mn_ha_key.spi, 2001);
	CU_ASSERT_EQUAL(m.mn_ha_key.algorithm, 2);
	CU_ASSERT_EQUAL(m.mn_ha_key.replay, 2);
	CU_ASSERT_EQUAL(m.mn_ha_key.nonce.len, 20);
	CU_ASSERT_EQUAL(memcmp(m.mn_ha_key.nonce.data, keygen_nonce, 20), 0);
	CU_ASSERT_EQUAL(m.mn_fa_key.lifetime, 601);
	CU_ASSERT_EQUAL(m.mn_fa_key.aaa_spi, 0x301);
	CU_ASSERT_EQUAL(m.mn_fa_key.spi, 2002);
	CU_ASSERT_EQUAL(m.mn_fa_key.replay, 0);
	CU_ASSERT_EQUAL(m.mn_fa_key.nonce.len, 16);
	CU_ASSERT_EQUAL(memcmp(m.mn_fa_key.nonce.data, keygen_nonce, 16), 0);
}

static void test_at_the_mobile_node(void)
{
	struct mip_rrp m;

	CU_ASSERT_EQUAL(mip_rrp_decode(rrp_to_mn, sizeof(rrp_to_mn), &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.mn_fa.spi, 2002);
	CU_ASSERT_EQUAL(m.challenge.len, sizeof(challenge));
	CU_ASSERT_EQUAL(m.mn_part, m.mn_ha.covered + m.mn_ha.mac_len);
	CU_ASSERT_EQUAL(m.raw[m.mn_part], MIP_EXT_CHALLENGE);
}

static void test_refused_says_why(void)
{
	struct mip_rrp m;

	CU_ASSERT_EQUAL(mip_rrp_decode(rrp_refused, sizeof(rrp_refused), &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.code, MIP_HA_RESOURCES);
	CU_ASSERT_EQUAL(m.message_from, 1); /* the first one told why */
	CU_ASSERT_EQUAL(m.message.len, 15);
	CU_ASSERT_EQUAL(memcmp(m.message.data, "gateway is dead", 15), 0);
	CU_ASSERT_EQUAL(m.fa_error, MIP_FA_HA_CHALLENGE);
	CU_ASSERT_EQUAL(m.mn_part, sizeof(rrp_refused));
}

static void test_truncated_at_every_length(void)
{
	size_t borders = 0;

	for (size_t n = 0; n < sizeof(rrp_from_ha); n++) {
		uint8_t *copy = malloc(n ? n : 1);
		struct mip_rrp m;
		enum mip_reject rej;

		CU_ASSERT_FATAL(copy != NULL);
		memcpy(copy, rrp_from_ha, n);
		rej = mip_rrp_decode(copy, n, &m);
		HARNESS_AT(rej == MIP_REJ_TRUNCATED || (rej == MIP_REJ_OK && n >= 20), "%zu: %s", n,
			   mip_reject_str(rej));
		CU_ASSERT_EQUAL(m.raw != NULL, n >= 20);
		borders += rej == MIP_REJ_OK;
		free(copy);
	}
	CU_ASSERT_EQUAL(borders, 7); /* fixed, 131, 136, 136, 43, 41, 32 */
}

#define NONCE "0123456789abcdef"
#define EXT43 "\x2b\1\0\x20\0\0\0\1\0\0\1\0\0\0\1\0\0\2\0\2" NONCE
#define EXT41 "\x29\1\0\x1e\0\0\0\1\0\0\1\0\0\0\1\0\0\2" NONCE
#define AUTH32 "\x20\x05\0\0\1\0m"
#define AUTH33 "\x21\x05\0\0\1\0m"
#define AUTH34 "\x22\x05\0\0\1\0m"

static const struct {
	const char *name;
	const char *ext;
	size_t len;
	enum mip_reject want;
} table[] = {
#define X(name, ext, want)                                                                                   \
	{                                                                                                    \
		name, ext, sizeof(ext) - 1, want                                                             \
	}
	X("nothing", "", MIP_REJ_OK),
	X("43", EXT43, MIP_REJ_OK),
	X("43 twice", EXT43 EXT43, MIP_REJ_EXT_DUPLICATE),
	X("43 of another subtype", "\x2b\2\0\x20\0\0\0\1\0\0\1\0\0\0\1\0\0\2\0\2" NONCE, MIP_REJ_EXT_UNKNOWN),
	X("43 with a short nonce",
	  "\x2b\1\0\x1f\0\0\0\1\0\0\1\0\0\0\1\0\0\2\0\2"
	  "0123456789abcde",
	  MIP_REJ_EXT_LENGTH),
	X("43 with SPI 255", "\x2b\1\0\x20\0\0\0\1\0\0\1\0\0\0\0\xff\0\2\0\2" NONCE, MIP_REJ_SPI),
	X("43 behind 32", AUTH32 EXT43, MIP_REJ_EXT_ORDER),
	X("41", EXT41, MIP_REJ_OK),
	X("41 behind 32", AUTH32 EXT41, MIP_REJ_OK),
	X("41 behind 33", AUTH33 EXT41, MIP_REJ_EXT_ORDER),
	X("41 too short",
	  "\x29\1\0\x1d\0\0\0\1\0\0\1\0\0\0\1\0\0\2"
	  "0123456789abcde",
	  MIP_REJ_EXT_LENGTH),
	X("32 twice", AUTH32 AUTH32, MIP_REJ_EXT_DUPLICATE),
	X("33 twice", AUTH33 AUTH33, MIP_REJ_EXT_DUPLICATE),
	X("34 twice", AUTH34 AUTH34, MIP_REJ_EXT_DUPLICATE),
	X("behind 34", AUTH34 "\x84\1c", MIP_REJ_EXT_ORDER),
	X("behind 33", AUTH33 "\x91\2\2x", MIP_REJ_EXT_ORDER),
	X("36 is no reply's", "\x24\1\0\x14\0\0\1\0" NONCE, MIP_REJ_EXT_UNKNOWN),
	X("42 is no reply's", "\x2a\1\0\4\0\0\1\0", MIP_REJ_EXT_UNKNOWN),
	X("45", "\x2d\2\0\x6d", MIP_REJ_OK),
	X("45 too long", "\x2d\3\0\x6d\0", MIP_REJ_EXT_LENGTH),
	X("45 of another subtype", "\x2d\2\1\x6d", MIP_REJ_EXT_UNKNOWN),
	X("45 twice", "\x2d\2\0\x6d\x2d\2\0\x6d", MIP_REJ_EXT_DUPLICATE),
	X("145 empty", "\x91\0", MIP_REJ_EXT_LENGTH),
	X("145 of another subtype", "\x91\2\3x", MIP_REJ_OK),
	X("38", "\x26\0\0\6\0\0\0\x09\0\1", MIP_REJ_OK),
	X("38 too short", "\x26\0\0\1x", MIP_REJ_CVSE),
	X("bad NAI", "\x83\1 ", MIP_REJ_NAI),
	X("unknown", "\x77\0", MIP_REJ_EXT_UNKNOWN),
	X("skipped", "\xf7\1x", MIP_REJ_OK),
};

static void test_every_reject(void)
{
	uint8_t msg[MIP_MSG_MAX + 1] = {MIP_RRP};
	struct mip_rrp m;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum mip_reject rej = decode_rrp_bytes(&m, table[i].ext, table[i].len);

		HARNESS_AT(rej == table[i].want, "%s: %s", table[i].name, mip_reject_str(rej));
		CU_ASSERT_EQUAL(m.ident, TEST_IDENT);
		CU_ASSERT_TRUE(m.mn_part >= 20);
	}
	CU_ASSERT_EQUAL(mip_rrp_decode(msg, sizeof(msg), &m), MIP_REJ_TOO_LONG);
	CU_ASSERT_EQUAL(mip_rrp_decode(rrq_fixed, sizeof(rrq_fixed), &m), MIP_REJ_TYPE);
}

static void test_writing_gives_the_vector(void)
{
	struct wbuf *w = message_new();

	put_rrp(w, 0, 600);
	mip_ext_put_nai(w, "alice@home.test");
	mip_ext_put_nai_carry(w, 1, "ha.home.test");
	mip_ext_put_nai_carry(w, 2, "aaah.home.test");
	mip_ext_put_keygen_rep(w, MIP_EXT_MN_HA_KEYGEN_REP, 600, 0x300, 2001, 2, 2, keygen_nonce, 20);
	mip_ext_put_keygen_rep(w, MIP_EXT_MN_FA_KEYGEN_REP, 601, 0x301, 2002, 2, 2, keygen_nonce, 16);
	mip_ext_put_auth(w, MIP_EXT_MN_HA, 2001, CRYPTO_HMAC_SHA1, key_mn_ha, sizeof(key_mn_ha));
	mip_ext_put_auth(w, MIP_EXT_FA_HA, 0x500, CRYPTO_HMAC_SHA1, key_fa_ha, sizeof(key_fa_ha));
	CU_ASSERT_EQUAL(w->len, sizeof(rrp_from_ha));
	CU_ASSERT_EQUAL(memcmp(w->base, rrp_from_ha, sizeof(rrp_from_ha)), 0);

	w = message_new();
	put_rrp(w, MIP_HA_RESOURCES, 0);
	mip_ext_put_message(w, 1, "gateway is dead");
	mip_ext_put_message(w, 2, "it is");
	mip_ext_put_fa_error(w, MIP_FA_HA_CHALLENGE);
	CU_ASSERT_EQUAL(w->len, sizeof(rrp_refused));
	CU_ASSERT_EQUAL(memcmp(w->base, rrp_refused, sizeof(rrp_refused)), 0);
}

/* A long text is cut, but not within a character. */
static void test_message_is_cut(void)
{
	char text[301];
	struct mip_rrp m;
	struct wbuf *w = message_new();

	memset(text, 'a', 300);
	text[300] = '\0';
	put_rrp(w, 130, 0);
	mip_ext_put_message(w, 1, text);
	CU_ASSERT_EQUAL(mip_rrp_decode(w->base, w->len, &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.message.len, 253);
	memcpy(text + 251, "\xe2\x82\xac", 3); /* bytes 252 to 254 */
	w = message_new();
	put_rrp(w, 130, 0);
	mip_ext_put_message(w, 1, text);
	CU_ASSERT_EQUAL(mip_rrp_decode(w->base, w->len, &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.message.len, 251);
}

HARNESS_MAIN("mip/rrp", HARNESS_CASE(test_from_the_home_agent), HARNESS_CASE(test_key_generation_replies),
	     HARNESS_CASE(test_at_the_mobile_node), HARNESS_CASE(test_refused_says_why),
	     HARNESS_CASE(test_truncated_at_every_length), HARNESS_CASE(test_every_reject),
	     HARNESS_CASE(test_writing_gives_the_vector), HARNESS_CASE(test_message_is_cut))
