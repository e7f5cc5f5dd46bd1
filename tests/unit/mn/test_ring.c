/* SPDX-License-Identifier: BSD-3-Clause */
#include "mn/ring.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

static void put_number(struct mn_ring *r, unsigned number, size_t len)
{
	uint8_t packet[65536] = {0};

	memcpy(packet, &number, sizeof(number));
	mn_ring_put(r, packet, len);
}

static unsigned take_number(struct mn_ring *r, size_t *len)
{
	const uint8_t *p = mn_ring_first(r, len);
	unsigned number = UINT32_MAX;

	if (p != NULL)
		memcpy(&number, p, sizeof(number));
	mn_ring_pop(r);
	return number;
}

static void test_order(void)
{
	static struct mn_ring r;
	size_t len = 0;

	CU_ASSERT_PTR_NULL(mn_ring_first(&r, &len));
	mn_ring_pop(&r); /* nothing there */
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 300; i++)
			put_number(&r, i, 20 + i);
		for (unsigned i = 0; i < 300; i++) {
			CU_ASSERT_EQUAL(take_number(&r, &len), i);
			CU_ASSERT_EQUAL(len, 20 + i);
		}
		CU_ASSERT_TRUE(r.n == 0 && r.bytes == 0 && r.dropped == 0);
	}
}

static void test_oldest_goes(void)
{
	static struct mn_ring r;
	size_t len;

	for (unsigned i = 0; i < MN_RING_PACKETS + 3; i++)
		put_number(&r, i, 100);
	CU_ASSERT_TRUE(r.n == MN_RING_PACKETS && r.dropped == 3);
	CU_ASSERT_EQUAL(take_number(&r, &len), 3);
	mn_ring_clear(&r);
	CU_ASSERT_TRUE(r.n == 0 && r.bytes == 0 && r.dropped == 0);
	for (unsigned i = 0; i < 17; i++)
		put_number(&r, i, 65536); /* sixteen of them are a megabyte */
	CU_ASSERT_TRUE(r.n == 16 && r.bytes == MN_RING_BYTES && r.dropped == 1);
	CU_ASSERT_EQUAL(take_number(&r, &len), 1);
	put_number(&r, 99, 0);
	CU_ASSERT_TRUE(r.n == 15 && r.dropped == 2); /* an empty one is none */
	mn_ring_clear(&r);
}

HARNESS_MAIN("mn/ring", HARNESS_CASE(test_order), HARNESS_CASE(test_oldest_goes))
