/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets that wait: in order, bounded by number and by length, the oldest first to go.
 */
#include "nethelper/hold_queue.h"

#include <stdlib.h>
#include <string.h>

#include "nethelper/proto.h"
#include "tests/unit/harness.h"

static unsigned put(struct hold_queue *q, uint32_t number, size_t len)
{
	static uint8_t packet[65536];

	memcpy(packet, &number, sizeof(number));
	return hold_queue_put(q, packet, len, number % 3 == 0);
}

/* The oldest is this one. */
static void expect(struct hold_queue *q, uint32_t number, size_t len)
{
	struct held_packet *p = hold_queue_take(q);
	uint32_t got = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	memcpy(&got, p->data, sizeof(got));
	HARNESS_AT(got == number && p->len == len && p->covered == (number % 3 == 0), "number %u: %u", number, got);
	free(p);
}

static void test_order(void)
{
	struct hold_queue q = {0};

	CU_ASSERT_PTR_NULL(hold_queue_take(&q));
	for (uint32_t i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(put(&q, i, 20 + i), 0);
	for (uint32_t i = 0; i < 50; i++)
		expect(&q, i, 20 + i);
	CU_ASSERT_EQUAL(put(&q, 100, 120), 0);
	for (uint32_t i = 50; i < 101; i++)
		expect(&q, i, 20 + i);
	CU_ASSERT_PTR_NULL(hold_queue_take(&q));
	CU_ASSERT(q.n == 0 && q.bytes == 0 && q.last == NULL);
	CU_ASSERT_EQUAL(put(&q, 7, 20), 0); /* empty, and used again */
	expect(&q, 7, 20);
}

static void test_too_many(void)
{
	struct hold_queue q = {0};
	unsigned lost = 0;

	for (uint32_t i = 0; i < NH_HOLD_PACKETS + 88; i++)
		lost += put(&q, i, 100);
	CU_ASSERT_EQUAL(lost, 88);
	CU_ASSERT_EQUAL(q.n, NH_HOLD_PACKETS);
	expect(&q, 88, 100);
	hold_queue_clear(&q);
	CU_ASSERT(q.n == 0 && q.bytes == 0 && q.first == NULL);
}

static void test_too_long(void)
{
	struct hold_queue q = {0};

	for (uint32_t i = 0; i < 16; i++)
		CU_ASSERT_EQUAL(put(&q, i, 65000), 0);
	CU_ASSERT_EQUAL(put(&q, 16, 65000), 1); /* 17 * 65000 > 1 MiB */
	CU_ASSERT_EQUAL(put(&q, 17, 65535), 1);
	CU_ASSERT(q.bytes <= NH_HOLD_BYTES);
	expect(&q, 2, 65000);
	hold_queue_clear(&q);
}

static uint16_t sum(const uint8_t *p)
{
	uint32_t s = 0;

	for (int i = 0; i < 20; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

/* For every TTL the checksum stays right (the sum of a right header is ffff). */
static void test_ttl(void)
{
	for (unsigned ttl = 0; ttl < 256; ttl++) {
		uint8_t p[20] = {0x45, 0, 0, 20, 1, 2, 0, 0, (uint8_t)ttl, 17, 0, 0, 10, 9, 0, 5, 10, 1, 0, 10};
		uint16_t s = (uint16_t)~sum(p);

		p[10] = (uint8_t)(s >> 8);
		p[11] = (uint8_t)s;
		hold_ttl_restore(p);
		HARNESS_AT(p[8] == (ttl == 255 ? 255 : ttl + 1) && sum(p) == 0xffff, "ttl %u: %u, sum %x", ttl, p[8],
			   sum(p));
	}
}

HARNESS_MAIN("nethelper/hold", HARNESS_CASE(test_order), HARNESS_CASE(test_too_many), HARNESS_CASE(test_too_long),
	     HARNESS_CASE(test_ttl))
