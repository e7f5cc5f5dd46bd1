/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/buf.h"
#include "tests/unit/harness.h"

#include <string.h>

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void test_reads_in_network_order(void)
{
	struct rbuf r;

	rbuf_init(&r, bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(rbuf_u8(&r), 0x01);
	CU_ASSERT_EQUAL(rbuf_u16(&r), 0x0203);
	CU_ASSERT_EQUAL(rbuf_u32(&r), 0x04050607);
	CU_ASSERT_EQUAL(rbuf_u64(&r), 0x08090a0b0c0d0e0fu);
	CU_ASSERT_EQUAL(rbuf_left(&r), 0);
	CU_ASSERT_TRUE(rbuf_ok(&r));
}

static void test_overrun_is_sticky(void)
{
	for (size_t len = 0; len < 8; len++) {
		struct rbuf r;

		rbuf_init(&r, bytes, len);
		HARNESS_AT(rbuf_u64(&r) == 0, "len %zu", len);
		CU_ASSERT_FALSE(rbuf_ok(&r));
		CU_ASSERT_EQUAL(rbuf_left(&r), 0);
		CU_ASSERT_EQUAL(rbuf_u8(&r), 0);
		CU_ASSERT_PTR_NULL(rbuf_bytes(&r, 0));
	}
}

static void test_copy_zeroes_on_overrun(void)
{
	struct rbuf r;
	uint8_t dst[4] = {9, 9, 9, 9};

	rbuf_init(&r, bytes, 3);
	CU_ASSERT_FALSE(rbuf_copy(&r, dst, 4));
	CU_ASSERT_EQUAL(dst[0] | dst[1] | dst[2] | dst[3], 0);
	rbuf_init(&r, bytes, 4);
	CU_ASSERT_TRUE(rbuf_copy(&r, dst, 4));
	CU_ASSERT_EQUAL(memcmp(dst, bytes, 4), 0);
	CU_ASSERT_TRUE(rbuf_copy(&r, dst, 0));
}

static void test_sub_cursor(void)
{
	struct rbuf r, sub;

	rbuf_init(&r, bytes, 6);
	sub = rbuf_sub(&r, 4);
	CU_ASSERT_EQUAL(rbuf_left(&sub), 4);
	CU_ASSERT_EQUAL(rbuf_left(&r), 2);
	CU_ASSERT_EQUAL(rbuf_u32(&sub), 0x01020304);
	CU_ASSERT_EQUAL(rbuf_u8(&sub), 0);
	CU_ASSERT_FALSE(rbuf_ok(&sub));
	CU_ASSERT_TRUE(rbuf_ok(&r));
	sub = rbuf_sub(&r, 3);
	CU_ASSERT_FALSE(rbuf_ok(&sub));
	CU_ASSERT_FALSE(rbuf_ok(&r));
	CU_ASSERT_EQUAL(rbuf_left(&sub), 0);
}

static void test_empty_input(void)
{
	struct rbuf r;

	rbuf_init(&r, NULL, 0);
	CU_ASSERT_EQUAL(rbuf_left(&r), 0);
	CU_ASSERT_TRUE(rbuf_ok(&r));
	CU_ASSERT_EQUAL(rbuf_u16(&r), 0);
	CU_ASSERT_FALSE(rbuf_ok(&r));
}

static void test_writes_what_reads_read(void)
{
	uint8_t mem[sizeof(bytes)];
	struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem));
	wbuf_u8(&w, 1);
	wbuf_u16(&w, 0x0203);
	wbuf_u32(&w, 0x04050607);
	wbuf_u64(&w, 0x08090a0b0c0d0e0fu);
	CU_ASSERT_TRUE(wbuf_ok(&w));
	CU_ASSERT_EQUAL(w.len, sizeof(bytes));
	CU_ASSERT_EQUAL(memcmp(mem, bytes, sizeof(bytes)), 0);
}

static void test_write_overrun_keeps_memory(void)
{
	uint8_t mem[4] = {0, 0, 0, 0x5a};
	struct wbuf w;

	wbuf_init(&w, mem, 3);
	wbuf_u16(&w, 0x0102);
	wbuf_u16(&w, 0x0304);
	CU_ASSERT_FALSE(wbuf_ok(&w));
	CU_ASSERT_EQUAL(w.len, 2);
	wbuf_u8(&w, 7);
	CU_ASSERT_EQUAL(w.len, 2);
	CU_ASSERT_EQUAL(mem[2], 0);
	CU_ASSERT_EQUAL(mem[3], 0x5a);
}

static void test_patch(void)
{
	uint8_t mem[8];
	struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem));
	wbuf_u32(&w, 0);
	wbuf_patch_u8(&w, 0, 0xaa);
	wbuf_patch_u16(&w, 2, 0xbbcc);
	CU_ASSERT_TRUE(wbuf_ok(&w));
	CU_ASSERT_EQUAL(memcmp(mem, "\xaa\x00\xbb\xcc", 4), 0);
	wbuf_patch_u16(&w, 3, 1);
	CU_ASSERT_FALSE(wbuf_ok(&w));
	CU_ASSERT_EQUAL(mem[3], 0xcc);
}

HARNESS_MAIN("lib/buf", HARNESS_CASE(test_reads_in_network_order), HARNESS_CASE(test_overrun_is_sticky),
	     HARNESS_CASE(test_copy_zeroes_on_overrun), HARNESS_CASE(test_sub_cursor),
	     HARNESS_CASE(test_empty_input), HARNESS_CASE(test_writes_what_reads_read),
	     HARNESS_CASE(test_write_overrun_keeps_memory), HARNESS_CASE(test_patch))
