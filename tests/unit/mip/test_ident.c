/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent/mip/mip.h"
#include "tests/unit/harness.h"

#include <string.h>

#define ERA_UNIX_MS UINT64_C(2085978496000) /* 2036-02-07 06:28:16 UTC: NTP seconds are zero */

static void test_known_times(void)
{
	CU_ASSERT_EQUAL(mip_ident_from_unix_ms(0, 0), (uint64_t)2208988800u << 32);
	CU_ASSERT_EQUAL(mip_ident_from_unix_ms(500, 0), (uint64_t)2208988800u << 32 | 0x80000000u);
	CU_ASSERT_EQUAL(mip_ident_from_unix_ms(ERA_UNIX_MS, 0), 0);
	CU_ASSERT_EQUAL(mip_ident_from_unix_ms(ERA_UNIX_MS - 1000, 0), (uint64_t)0xffffffffu << 32);
}

/* Noise does not leave its millisecond. */
static void test_noise(void)
{
	for (uint64_t ms = 0; ms < 1000; ms++) {
		uint64_t low = mip_ident_from_unix_ms(ms, 0), high = mip_ident_from_unix_ms(ms, 4294966u);
		uint64_t next = mip_ident_from_unix_ms(ms + 1, 0);

		HARNESS_AT(low < high && high < next, "ms %u", (unsigned)ms);
		HARNESS_AT(mip_ident_from_unix_ms(ms, UINT32_MAX) < next, "ms %u", (unsigned)ms);
	}
}

static void test_differences(void)
{
	static const struct {
		uint64_t a_ms, b_ms;
	} rows[] = {{1000, 1000},
		    {1007000, 1000000},
		    {1000000, 1007000},
		    {ERA_UNIX_MS + 2000, ERA_UNIX_MS - 3000},
		    {ERA_UNIX_MS - 3000, ERA_UNIX_MS + 2000},
		    {ERA_UNIX_MS, ERA_UNIX_MS - 1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t a = mip_ident_from_unix_ms(rows[i].a_ms, 0),
			 b = mip_ident_from_unix_ms(rows[i].b_ms, 0);
		int64_t want = (int64_t)(rows[i].a_ms - rows[i].b_ms), got = mip_ident_diff_ms(a, b);

		HARNESS_AT(got >= want - 1 && got <= want + 1, "row %zu: %ld", i, (long)got);
		CU_ASSERT_EQUAL(mip_ident_later(a, b), want > 0);
		CU_ASSERT_EQUAL(mip_ident_later(b, a), want < 0);
	}
}

static void test_back_to_unix(void)
{
	static const uint64_t ms[] = {1700000000000u, ERA_UNIX_MS - 1, ERA_UNIX_MS, ERA_UNIX_MS + 12345};

	for (size_t i = 0; i < 4; i++) {
		for (int64_t off = -7000; off <= 7000; off += 3500) {
			uint64_t then = (uint64_t)((int64_t)ms[i] + off),
				 got = mip_ident_unix_ms(mip_ident_from_unix_ms(then, 4294966u), ms[i]);

			HARNESS_AT(got >= then - 1 && got <= then + 1, "%zu, %ld: %lu", i, (long)off,
				   (unsigned long)got);
		}
	}
	CU_ASSERT_EQUAL(mip_ident_unix_ms(mip_ident_from_unix_ms(0, 0) - 1, 0), 0);
}

static void test_one_unit_later(void)
{
	CU_ASSERT_TRUE(mip_ident_later(1, 0));
	CU_ASSERT_TRUE(mip_ident_later(0, UINT64_MAX));
	CU_ASSERT_FALSE(mip_ident_later(5, 5));
	CU_ASSERT_FALSE(mip_ident_later(UINT64_MAX, 0));
}

static void test_codes_have_words(void)
{
	CU_ASSERT_STRING_EQUAL(mip_code_str(0), "accepted");
	CU_ASSERT_STRING_EQUAL(mip_code_str(MIP_HA_IDENT), "home agent: identification mismatch");
	CU_ASSERT_STRING_EQUAL(mip_code_str(255), "unknown code");
	for (int c = 0; c < 256; c++)
		CU_ASSERT_TRUE(strlen(mip_code_str((uint8_t)c)) > 0);
}

static void test_rejects_fit_counter_names(void)
{
	for (int r = 0; r <= MIP_REJ_HEADER; r++) {
		const char *s = mip_reject_str((enum mip_reject)r);

		CU_ASSERT_TRUE(*s && strspn(s, "abcdefghijklmnopqrstuvwxyz_") == strlen(s));
	}
	CU_ASSERT_STRING_EQUAL(mip_reject_str((enum mip_reject)99), "unknown");
}

HARNESS_MAIN("mip/ident and codes", HARNESS_CASE(test_known_times), HARNESS_CASE(test_noise),
	     HARNESS_CASE(test_differences), HARNESS_CASE(test_back_to_unix),
	     HARNESS_CASE(test_one_unit_later),
	     HARNESS_CASE(test_codes_have_words), HARNESS_CASE(test_rejects_fit_counter_names))
