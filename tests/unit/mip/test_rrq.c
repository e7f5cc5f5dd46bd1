/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent/mip/mip.h"
#include "tests/unit/harness.h"
#include "tests/unit/mip/message.h"
#include "tests/unit/mip/vectors.h"

#include <string.h>

static enum mip_reject decode_rrq_bytes(struct mip_rrq *m, const void *ext, size_t len)
{
	struct wbuf *w = message_new();

	put_rrq(w, 0);
	wbuf_bytes(w, ext, len);
	return mip_rrq_decode(w->base, w->len, m);
}

static void test_fixed_part(void)
{
	struct mip_rrq m;

	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_fixed, sizeof(rrq_fixed), &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.flags, 0);
	CU_ASSERT_EQUAL(m.lifetime, 600);
	CU_ASSERT_EQUAL(m.hoa.s_addr, htonl(0x0a01000a));
	CU_ASSERT_EQUAL(m.ha.s_addr, htonl(0xc6336415));
	CU_ASSERT_EQUAL(m.coa.s_addr, htonl(0xc633640b));
	CU_ASSERT_EQUAL(m.ident, 0xec00000012345678u);
	CU_ASSERT_EQUAL(m.raw_len, 24);
	CU_ASSERT_EQUAL(m.ha_part, 24);
	CU_ASSERT_FALSE(m.mn_ha.present || m.mn_fa.present || m.fa_ha.present || m.mn_aaa.present);
}

static void test_first_registration(void)
{
	struct mip_rrq m;

	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_first, sizeof(rrq_first), &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.flags, MIP_T);
	CU_ASSERT_STRING_EQUAL(m.nai, "alice@home.test");
	CU_ASSERT_TRUE(m.mn_ha_key.present && m.mn_fa_key.present);
	CU_ASSERT_EQUAL(m.mn_ha_key.spi, 1001);
	CU_ASSERT_EQUAL(m.mn_fa_key.spi, 1002);
	CU_ASSERT_EQUAL(m.challenge.len, sizeof(challenge));
	CU_ASSERT_EQUAL(memcmp(m.challenge.data, challenge, sizeof(challenge)), 0);
	CU_ASSERT_TRUE(m.mn_aaa.present);
	CU_ASSERT_EQUAL(m.mn_aaa.spi, 0x300);
	CU_ASSERT_EQUAL(m.mn_aaa.mac_len, 16);
	CU_ASSERT_EQUAL(m.mn_aaa.covered, sizeof(rrq_first) - 16);
	CU_ASSERT_EQUAL(m.mn_aaa.start, sizeof(rrq_first) - 24);
	CU_ASSERT_EQUAL(m.ha_part, sizeof(rrq_first));
}

static void test_everything_at_the_foreign_agent(void)
{
	struct mip_rrq m;

	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_to_fa, sizeof(rrq_to_fa), &m), MIP_REJ_OK);
	CU_ASSERT_STRING_EQUAL(m.ha_nai, "ha.home.test");
	CU_ASSERT_STRING_EQUAL(m.aaah_nai, "aaah.home.test");
	CU_ASSERT_TRUE(m.service_update && m.encap_style);
	CU_ASSERT_FALSE(m.cvse);
	CU_ASSERT_EQUAL(m.pfan.len, 20);
	CU_ASSERT_EQUAL(m.mn_aaa.mac_len, 32);
	CU_ASSERT_EQUAL(m.mn_fa.mac_len, 20);
	/* What the home agent gets ends with MN-AAA: 130, 96 and 33 are the foreign agent's. */
	CU_ASSERT_EQUAL(m.ha_part, m.mn_aaa.covered + 32);
	CU_ASSERT_EQUAL(m.raw[m.ha_part], MIP_EXT_ENCAP_STYLE);
}

static void test_part_for_the_home_agent(void)
{
	struct mip_rrq m;

	CU_ASSERT_EQUAL(mip_rrq_decode(rrq_relayed, sizeof(rrq_relayed), &m), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.ha_part, sizeof(rrq_mn_ha));
	CU_ASSERT_EQUAL(m.fa_ha.start, sizeof(rrq_mn_ha));
	/* Without an authenticator for the home agent: all but 33 and 34. */
	CU_ASSERT_EQUAL(decode_rrq_bytes(&m, "\x21\x05\0\0\1\0x", 7), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.ha_part, 24);
}

static void test_truncated_at_every_length(void)
{
	size_t borders = 0;

	for (size_t n = 0; n < sizeof(rrq_to_fa); n++) {
		uint8_t *copy = malloc(n ? n : 1); /* exact: a sanitizer sees a read behind it */
		struct mip_rrq m;
		enum mip_reject rej;

		CU_ASSERT_FATAL(copy != NULL);
		memcpy(copy, rrq_to_fa, n);
		rej = mip_rrq_decode(copy, n, &m);
		HARNESS_AT(rej == MIP_REJ_TRUNCATED || (rej == MIP_REJ_OK && n >= 24), "%zu: %s", n,
			   mip_reject_str(rej));
		CU_ASSERT_EQUAL(m.raw != NULL, n >= 24);
		CU_ASSERT_EQUAL(m.lifetime, n >= 4 ? 600 : 0);
		borders += rej == MIP_REJ_OK;
		free(copy);
	}
	/* Complete only where an extension ends: fixed, 131, 136, 136, 134, 32, 132, 36, 130, 96. */
	CU_ASSERT_EQUAL(borders, 10);
}

/* Extensions behind the fixed part, and what the decoder says. */
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
#define AUTH32 "\x20\x05\0\0\1\0m"
#define AUTH33 "\x21\x05\0\0\1\0m"
#define AUTH34 "\x22\x05\0\0\1\0m"
#define AUTH36 "\x24\1\0\x14\0\0\1\0mmmmmmmmmmmmmmmm"
	X("padding", "\0\0\0", MIP_REJ_OK),
	X("unknown, must be known", "\x6f\0", MIP_REJ_EXT_UNKNOWN),
	X("unknown, may be skipped", "\xc8\2xx", MIP_REJ_OK),
	X("last skippable", "\xff\0", MIP_REJ_OK),
	X("first skippable", "\x80\0", MIP_REJ_OK),
	X("last that must be known", "\x7f\0", MIP_REJ_EXT_UNKNOWN),
	X("reply's extension 43", "\x2b\1\0\4\0\0\1\0", MIP_REJ_EXT_UNKNOWN),
	X("reply's extension 45", "\x2d\2\0\x6d", MIP_REJ_EXT_UNKNOWN),
	X("length behind the end", "\xc8\3xx", MIP_REJ_TRUNCATED),
	X("no length", "\xc8", MIP_REJ_TRUNCATED),
	X("long form without length", "\x24\1\0", MIP_REJ_TRUNCATED),
	X("32 without MAC", "\x20\4\0\0\1\0", MIP_REJ_EXT_LENGTH),
	X("32 without SPI", "\x20\0", MIP_REJ_EXT_LENGTH),
	X("32 with SPI 256", AUTH32, MIP_REJ_OK),
	X("32 with SPI 255", "\x20\5\0\0\0\xffm", MIP_REJ_SPI),
	X("33 with SPI 0", "\x21\5\0\0\0\0m", MIP_REJ_SPI),
	X("34 with SPI 2", "\x22\5\0\0\0\2m", MIP_REJ_SPI),
	X("32 twice", AUTH32 AUTH32, MIP_REJ_EXT_DUPLICATE),
	X("33 twice", AUTH33 AUTH33, MIP_REJ_EXT_DUPLICATE),
	X("34 twice", AUTH34 AUTH34, MIP_REJ_EXT_DUPLICATE),
	X("32 33 34", AUTH32 AUTH33 AUTH34, MIP_REJ_OK),
	X("32 34 33", AUTH32 AUTH34 AUTH33, MIP_REJ_EXT_ORDER),
	X("behind 34", AUTH34 "\xc8\0", MIP_REJ_EXT_ORDER),
	X("behind 33", AUTH33 "\x82\0", MIP_REJ_EXT_ORDER),
	X("padding behind 34", AUTH34 "\0", MIP_REJ_OK),
	X("36", AUTH36, MIP_REJ_OK),
	X("36 twice", AUTH36 AUTH36, MIP_REJ_EXT_DUPLICATE),
	X("36 of another subtype", "\x24\2\0\x14\0\0\1\0mmmmmmmmmmmmmmmm", MIP_REJ_EXT_UNKNOWN),
	X("36 with SPI 2 (CHAP)", "\x24\1\0\x14\0\0\0\2mmmmmmmmmmmmmmmm", MIP_REJ_OK),
	X("36 with SPI 3", "\x24\1\0\x14\0\0\0\3mmmmmmmmmmmmmmmm", MIP_REJ_SPI),
	X("36 with a short MAC", "\x24\1\0\x13\0\0\1\0mmmmmmmmmmmmmmm", MIP_REJ_EXT_LENGTH),
	X("NAI", "\x83\3a@b", MIP_REJ_OK),
	X("NAI without realm", "\x83\1a", MIP_REJ_OK),
	X("empty NAI", "\x83\0", MIP_REJ_NAI),
	X("NAI with two @", "\x83\5a@b@c", MIP_REJ_NAI),
	X("NAI with NUL", "\x83\3a\0b", MIP_REJ_NAI),
	X("NAI with a blank", "\x83\3a b", MIP_REJ_NAI),
	X("NAI with a newline", "\x83\3a\nb", MIP_REJ_NAI),
	X("NAI with DEL",
	  "\x83\3a\x7f"
	  "b",
	  MIP_REJ_NAI),
	X("NAI not ASCII", "\x83\3a\xc3\xa9", MIP_REJ_NAI),
	X("NAI twice", "\x83\1a\x83\1a", MIP_REJ_EXT_DUPLICATE),
	X("NAI behind 32", AUTH32 "\x83\1a", MIP_REJ_EXT_ORDER),
	X("NAI behind 36", AUTH36 "\x83\1a", MIP_REJ_EXT_ORDER),
	X("40", "\x28\1\0\4\0\0\1\0", MIP_REJ_OK),
	X("40 twice", "\x28\1\0\4\0\0\1\0\x28\1\0\4\0\0\1\0", MIP_REJ_EXT_DUPLICATE),
	X("40 of another subtype", "\x28\2\0\4\0\0\1\0", MIP_REJ_EXT_UNKNOWN),
	X("40 too long", "\x28\1\0\5\0\0\1\0x", MIP_REJ_EXT_LENGTH),
	X("40 too short", "\x28\1\0\3\0\0\1", MIP_REJ_EXT_LENGTH),
	X("42 with SPI 255", "\x2a\1\0\4\0\0\0\xff", MIP_REJ_SPI),
	X("42 behind 32", AUTH32 "\x2a\1\0\4\0\0\1\0", MIP_REJ_OK),
	X("42 behind 36", AUTH36 "\x2a\1\0\4\0\0\1\0", MIP_REJ_EXT_ORDER),
	X("130", "\x82\0", MIP_REJ_OK),
	X("130 with data", "\x82\1x", MIP_REJ_EXT_LENGTH),
	X("130 twice", "\x82\0\x82\0", MIP_REJ_EXT_DUPLICATE),
	X("132", "\x84\1c", MIP_REJ_OK),
	X("132 empty", "\x84\0", MIP_REJ_EXT_LENGTH),
	X("132 twice", "\x84\1c\x84\1c", MIP_REJ_EXT_DUPLICATE),
	X("96", "\x60\1p", MIP_REJ_OK),
	X("96 empty", "\x60\0", MIP_REJ_EXT_LENGTH),
	X("136 empty", "\x88\0", MIP_REJ_EXT_LENGTH),
	X("136 without a name", "\x88\1\1", MIP_REJ_NAI),
	X("136 of another subtype", "\x88\2\7x", MIP_REJ_OK),
	X("136 twice", "\x88\2\1x\x88\2\1x", MIP_REJ_EXT_DUPLICATE),
	X("38 too short", "\x26\0\0\5\0\0\0\x09\0", MIP_REJ_CVSE),
	X("38", "\x26\0\0\6\0\0\0\x09\0\1", MIP_REJ_OK),
	X("134 too short", "\x86\7\0\0\0\0\0\x09\0", MIP_REJ_EXT_LENGTH),
};

static void test_every_reject(void)
{
	bool seen[MIP_REJ_HEADER + 1] = {false};
	uint8_t msg[MIP_MSG_MAX + 1] = {MIP_RRQ};
	struct mip_rrq m;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum mip_reject rej = decode_rrq_bytes(&m, table[i].ext, table[i].len);

		HARNESS_AT(rej == table[i].want, "%s: %s", table[i].name, mip_reject_str(rej));
		/* An answer can be built whatever the extensions were. */
		CU_ASSERT_EQUAL(m.lifetime, 600);
		CU_ASSERT_EQUAL(m.ident, 0xec00000012345678u);
		CU_ASSERT_PTR_NOT_NULL(m.raw);
		CU_ASSERT_TRUE(m.ha_part >= 24);
		seen[rej] = true;
	}
	for (int r = MIP_REJ_EXT_LENGTH; r <= MIP_REJ_CVSE; r++)
		HARNESS_AT(seen[r], "%s", mip_reject_str((enum mip_reject)r));
	CU_ASSERT_EQUAL(mip_rrq_decode(msg, sizeof(msg), &m), MIP_REJ_TOO_LONG);
	CU_ASSERT_PTR_NULL(m.raw);
	CU_ASSERT_EQUAL(mip_rrq_decode(rrp_from_ha, sizeof(rrp_from_ha), &m), MIP_REJ_TYPE);
	CU_ASSERT_PTR_NULL(m.raw);
	CU_ASSERT_EQUAL(mip_rrq_decode(NULL, 0, &m), MIP_REJ_TRUNCATED);
}

static void test_longest_names(void)
{
	uint8_t ext[2 + 255] = {MIP_EXT_NAI, 254};
	struct mip_rrq m;

	memset(ext + 2, 'n', 255);
	CU_ASSERT_EQUAL(decode_rrq_bytes(&m, ext, 2 + 254), MIP_REJ_OK);
	CU_ASSERT_EQUAL(strlen(m.nai), 254);
	ext[1] = 255;
	CU_ASSERT_EQUAL(decode_rrq_bytes(&m, ext, 2 + 255), MIP_REJ_NAI);
	ext[0] = MIP_EXT_CHALLENGE;
	CU_ASSERT_EQUAL(decode_rrq_bytes(&m, ext, 2 + 255), MIP_REJ_EXT_LENGTH);
	ext[1] = 254;
	CU_ASSERT_EQUAL(decode_rrq_bytes(&m, ext, 2 + 254), MIP_REJ_OK);
	CU_ASSERT_EQUAL(m.challenge.len, 254);
}

static void test_vendor_extensions(void)
{
	struct mip_rrq m;
	uint8_t mem[64];
	struct wbuf w;

	CU_ASSERT_EQUAL(decode_rrq_bytes(&m, "\x86\x08\0\0\0\0\0\x09\0\1", 10), MIP_REJ_OK);
	CU_ASSERT_FALSE(m.service_update); /* of vendor 9 */
	CU_ASSERT_EQUAL(decode_rrq_bytes(&m, "\x26\0\0\6\0\0\0\x09\0\1", 10), MIP_REJ_OK);
	CU_ASSERT_TRUE(m.cvse);
	wbuf_init(&w, mem, sizeof(mem));
	mip_ext_put_nvse(&w, MIP_VENDOR, MIP_VENDOR_SERVICE_UPDATE, NULL, 0);
	CU_ASSERT_EQUAL(decode_rrq_bytes(&m, mem, w.len), MIP_REJ_OK);
	CU_ASSERT_TRUE(m.service_update);
	wbuf_init(&w, mem, sizeof(mem));
	mip_ext_put_nvse(&w, MIP_VENDOR, 99, "value", 5);
	CU_ASSERT_EQUAL(decode_rrq_bytes(&m, mem, w.len), MIP_REJ_OK);
	CU_ASSERT_FALSE(m.service_update);
}

/* What we write is, byte for byte, what Python wrote. */
static void test_writing_gives_the_vectors(void)
{
	uint8_t mem[MIP_MSG_MAX];
	struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem));
	put_rrq(&w, MIP_T);
	mip_ext_put_nai(&w, "alice@home.test");
	mip_ext_put_nai_carry(&w, 1, "ha.home.test");
	mip_ext_put_nai_carry(&w, 2, "aaah.home.test");
	mip_ext_put_nvse(&w, 32473, 1, NULL, 0);
	mip_ext_put_auth(&w, MIP_EXT_MN_HA, 1001, CRYPTO_HMAC_MD5, key_mn_ha, sizeof(key_mn_ha));
	mip_ext_put_challenge(&w, challenge, sizeof(challenge));
	mip_ext_put_mn_aaa(&w, 0x300, CRYPTO_HMAC_SHA256, key_aaa, sizeof(key_aaa), NULL, 0);
	mip_ext_put_encap_style(&w);
	wbuf_u16(&w, 96 << 8 | 20);
	for (uint8_t i = 0; i < 20; i++)
		wbuf_u8(&w, i);
	mip_ext_put_auth(&w, MIP_EXT_MN_FA, 1002, CRYPTO_HMAC_SHA1, key_mn_ha, sizeof(key_mn_ha));
	CU_ASSERT_TRUE(wbuf_ok(&w));
	CU_ASSERT_EQUAL(w.len, sizeof(rrq_to_fa));
	CU_ASSERT_EQUAL(memcmp(mem, rrq_to_fa, sizeof(rrq_to_fa)), 0);

	wbuf_init(&w, mem, sizeof(mem));
	put_rrq(&w, MIP_T);
	mip_ext_put_nai(&w, "alice@home.test");
	mip_ext_put_keygen_req(&w, MIP_EXT_MN_HA_KEYGEN_REQ, 1001);
	mip_ext_put_keygen_req(&w, MIP_EXT_MN_FA_KEYGEN_REQ, 1002);
	mip_ext_put_challenge(&w, challenge, sizeof(challenge));
	mip_ext_put_mn_aaa(&w, 0x300, CRYPTO_HMAC_MD5, key_aaa, sizeof(key_aaa), NULL, 0);
	CU_ASSERT_EQUAL(w.len, sizeof(rrq_first));
	CU_ASSERT_EQUAL(memcmp(mem, rrq_first, sizeof(rrq_first)), 0);
}

static void test_what_cannot_be_written(void)
{
	char name[300];
	uint8_t mem[1024];
	struct wbuf w;

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	wbuf_init(&w, mem, sizeof(mem));
	mip_ext_put_nai(&w, name);
	CU_ASSERT_FALSE(wbuf_ok(&w));
	wbuf_init(&w, mem, sizeof(mem));
	mip_ext_put_nai(&w, "");
	CU_ASSERT_FALSE(wbuf_ok(&w));
	wbuf_init(&w, mem, sizeof(mem));
	mip_ext_put_challenge(&w, name, 255);
	CU_ASSERT_FALSE(wbuf_ok(&w));
	wbuf_init(&w, mem, sizeof(mem));
	mip_ext_put_nvse(&w, 1, 1, name, 248);
	CU_ASSERT_FALSE(wbuf_ok(&w));
	wbuf_init(&w, mem, 30);
	put_rrq(&w, 0);
	mip_ext_put_auth(&w, MIP_EXT_MN_HA, 256, CRYPTO_HMAC_MD5, key_mn_ha, sizeof(key_mn_ha));
	CU_ASSERT_FALSE(wbuf_ok(&w));
	wbuf_init(&w, mem, sizeof(mem));
	mip_ext_put_auth(&w, MIP_EXT_MN_HA, 256, (enum crypto_mac)77, key_mn_ha, sizeof(key_mn_ha));
	CU_ASSERT_FALSE(wbuf_ok(&w));
}

HARNESS_MAIN("mip/rrq", HARNESS_CASE(test_fixed_part), HARNESS_CASE(test_first_registration),
	     HARNESS_CASE(test_everything_at_the_foreign_agent), HARNESS_CASE(test_part_for_the_home_agent),
	     HARNESS_CASE(test_truncated_at_every_length), HARNESS_CASE(test_every_reject),
	     HARNESS_CASE(test_longest_names), HARNESS_CASE(test_vendor_extensions),
	     HARNESS_CASE(test_writing_gives_the_vectors), HARNESS_CASE(test_what_cannot_be_written))
