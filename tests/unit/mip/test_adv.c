/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent/mip/mip.h"
#include "agent/mip/wire.h"
#include "tests/unit/harness.h"
#include "tests/unit/mip/message.h"
#include "tests/unit/mip/vectors.h"

static void test_decode(void)
{
	struct mip_adv a;

	CU_ASSERT_EQUAL(mip_adv_decode(adv_full, sizeof(adv_full), &a), MIP_REJ_OK);
	CU_ASSERT_EQUAL(a.icmp_code, 16);
	CU_ASSERT_EQUAL(a.icmp_lifetime, 3);
	CU_ASSERT_TRUE(a.has_router);
	CU_ASSERT_EQUAL(a.router.s_addr, htonl(0x0a020101));
	CU_ASSERT_EQUAL(a.prefix_len, 24);
	CU_ASSERT_EQUAL(a.sequence, 7);
	CU_ASSERT_EQUAL(a.reg_lifetime, 1800);
	CU_ASSERT_EQUAL(a.flags, MIP_ADV_R | MIP_ADV_F | MIP_ADV_T | MIP_ADV_U);
	CU_ASSERT_EQUAL(a.n_coa, 2);
	CU_ASSERT_EQUAL(a.coa[0].s_addr, TEST_COA.s_addr);
	CU_ASSERT_EQUAL(a.coa[1].s_addr, TEST_HA.s_addr);
	CU_ASSERT_EQUAL(a.challenge_len, sizeof(challenge));
	CU_ASSERT_EQUAL(memcmp(a.challenge, challenge, sizeof(challenge)), 0);
}

static void test_put_gives_the_vector(void)
{
	struct mip_adv a;
	struct wbuf *w = message_new();

	CU_ASSERT_EQUAL(mip_adv_decode(adv_full, sizeof(adv_full), &a), MIP_REJ_OK);
	mip_adv_put(w, &a);
	CU_ASSERT_EQUAL(w->len, sizeof(adv_full));
	CU_ASSERT_EQUAL(memcmp(w->base, adv_full, sizeof(adv_full)), 0);
	a.n_coa = MIP_ADV_COA_MAX + 1;
	mip_adv_put(w, &a);
	CU_ASSERT_FALSE(wbuf_ok(w));
}

/* With a checksum that is right for what is left. */
static enum mip_reject decode_sum(const void *data, size_t len, struct mip_adv *a)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum mip_reject rej;
	struct wbuf w;

	CU_ASSERT_FATAL(copy != NULL);
	if (len)
		memcpy(copy, data, len);
	wbuf_init(&w, copy, len);
	w.len = len;
	if (len >= 4) {
		wbuf_patch_u16(&w, 2, 0);
		wbuf_patch_u16(&w, 2, mip_sum_fold(mip_sum(0, copy, len)));
	}
	rej = mip_adv_decode(copy, len, a);
	free(copy);
	return rej;
}

static void test_truncated_at_every_length(void)
{
	size_t ok = 0, without_agent = 0;

	for (size_t n = 0; n < sizeof(adv_full); n++) {
		struct mip_adv a;
		enum mip_reject rej = decode_sum(adv_full, n, &a);

		HARNESS_AT(rej == MIP_REJ_TRUNCATED || rej == MIP_REJ_OK || rej == MIP_REJ_TYPE, "%zu: %s", n,
			   mip_reject_str(rej));
		ok += rej == MIP_REJ_OK;
		without_agent += rej == MIP_REJ_TYPE;
	}
	CU_ASSERT_EQUAL(ok, 2);		   /* behind 16, behind 19 */
	CU_ASSERT_EQUAL(without_agent, 1); /* a plain router's */
}

static void test_checksum(void)
{
	for (size_t i = 0; i < sizeof(adv_full); i++) {
		uint8_t copy[sizeof(adv_full)];
		struct mip_adv a;

		memcpy(copy, adv_full, sizeof(copy));
		copy[i] ^= 0x10;
		HARNESS_AT(mip_adv_decode(copy, sizeof(copy), &a) != MIP_REJ_OK, "byte %zu", i);
	}
}

#define HEAD "\x09\x10\0\0\1\2\0\3\x0a\2\1\1\0\0\0\0"
#define AGENT "\x10\x0a\0\7\7\x08\x10\0\xc6\x33\x64\x0b"

static const struct {
	const char *name;
	const char *data;
	size_t len;
	enum mip_reject want;
} table[] = {
#define X(name, data, want)                                                                                  \
	{                                                                                                    \
		name, data, sizeof(data) - 1, want                                                           \
	}
	X("agent", HEAD AGENT, MIP_REJ_OK),
	X("padding", HEAD "\0" AGENT "\0", MIP_REJ_OK),
	X("no addresses", "\x09\0\0\0\0\2\0\3" AGENT, MIP_REJ_OK),
	X("bigger entries", "\x09\0\0\0\1\3\0\3\x0a\2\1\1\0\0\0\0zzzz" AGENT, MIP_REJ_OK),
	X("small entries", "\x09\0\0\0\1\1\0\3\x0a\2\1\1" AGENT, MIP_REJ_HEADER),
	X("another type", "\x0a\x10\0\0\0\0\0\0", MIP_REJ_TYPE),
	X("another code", "\x09\1\0\0\0\2\0\3" AGENT, MIP_REJ_TYPE),
	X("plain router", HEAD, MIP_REJ_TYPE),
	X("16 twice", HEAD AGENT AGENT, MIP_REJ_EXT_DUPLICATE),
	X("16 too short", HEAD "\x10\5\0\7\7\x08\x20", MIP_REJ_EXT_LENGTH),
	X("16 with half an address", HEAD "\x10\x08\0\7\7\x08\x10\0\xc6\x33", MIP_REJ_EXT_LENGTH),
	X("F without care-of address", HEAD "\x10\6\0\7\7\x08\x10\0", MIP_REJ_EXT_LENGTH),
	X("home agent without one", HEAD "\x10\6\0\7\7\x08\x20\0", MIP_REJ_OK),
	X("19 of another number", HEAD AGENT "\x13\2\x18\x18", MIP_REJ_EXT_LENGTH),
	X("19 above 32", HEAD AGENT "\x13\1\x21", MIP_REJ_EXT_LENGTH),
	X("24 empty", HEAD AGENT "\x18\0", MIP_REJ_EXT_LENGTH),
	X("unknown", HEAD AGENT "\x7f\0", MIP_REJ_EXT_UNKNOWN),
	X("skipped", HEAD AGENT "\x80\1x\x80\1x", MIP_REJ_OK),
	X("cut", HEAD AGENT "\x80\2x", MIP_REJ_TRUNCATED),
};

static void test_every_reject(void)
{
	struct mip_adv a;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum mip_reject rej = decode_sum(table[i].data, table[i].len, &a);

		HARNESS_AT(rej == table[i].want, "%s: %s", table[i].name, mip_reject_str(rej));
	}
	CU_ASSERT_EQUAL(decode_sum(HEAD AGENT, sizeof(HEAD AGENT) - 1, &a), MIP_REJ_OK);
	CU_ASSERT_EQUAL(a.prefix_len, 255);
	CU_ASSERT_EQUAL(a.challenge_len, 0);
}

static void test_more_addresses_than_we_keep(void)
{
	struct mip_adv a;
	struct wbuf *w = message_new();

	wbuf_bytes(w, HEAD, sizeof(HEAD) - 1);
	wbuf_u16(w, 16 << 8 | (6 + 4 * 20));
	wbuf_bytes(w, "\0\7\7\x08\x10\0", 6);
	for (uint32_t i = 1; i <= 20; i++)
		wbuf_u32(w, i);
	CU_ASSERT_EQUAL(decode_sum(w->base, w->len, &a), MIP_REJ_OK);
	CU_ASSERT_EQUAL(a.n_coa, MIP_ADV_COA_MAX);
	CU_ASSERT_EQUAL(a.coa[7].s_addr, htonl(8));
}

static void test_solicitation(void)
{
	uint8_t copy[sizeof(solicitation)];
	struct wbuf *w = message_new();

	mip_solicit_put(w);
	CU_ASSERT_EQUAL(w->len, sizeof(solicitation));
	CU_ASSERT_EQUAL(memcmp(w->base, solicitation, sizeof(solicitation)), 0);
	CU_ASSERT_TRUE(mip_solicit_ok(solicitation, sizeof(solicitation)));
	for (size_t n = 0; n < sizeof(solicitation); n++)
		CU_ASSERT_FALSE(mip_solicit_ok(solicitation, n));
	for (size_t i = 0; i < sizeof(copy); i++) {
		memcpy(copy, solicitation, sizeof(copy));
		copy[i] ^= 1;
		CU_ASSERT_FALSE(mip_solicit_ok(copy, sizeof(copy)));
	}
}

HARNESS_MAIN("mip/adv", HARNESS_CASE(test_decode), HARNESS_CASE(test_put_gives_the_vector),
	     HARNESS_CASE(test_truncated_at_every_length), HARNESS_CASE(test_checksum),
	     HARNESS_CASE(test_every_reject), HARNESS_CASE(test_more_addresses_than_we_keep),
	     HARNESS_CASE(test_solicitation))
