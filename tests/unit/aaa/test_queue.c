/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The containers on the thread boundary: bounds, order, waiting, deadlines.
 */
#include <pthread.h>

#include "agent/aaa/queue.h"
#include "tests/unit/harness.h"

static int freed;

static void count_free(void *item)
{
	freed++;
}

static void test_queue_is_bounded_and_in_order(void)
{
	struct aaa_queue *q = aaa_queue_new(3);
	int v[5];

	CU_ASSERT_PTR_NULL(aaa_queue_pop(q));
	for (int round = 0; round < 3; round++) { /* past the end of the ring */
		CU_ASSERT_EQUAL(aaa_queue_push(q, &v[0]), 0);
		CU_ASSERT_EQUAL(aaa_queue_push(q, &v[1]), 0);
		CU_ASSERT_PTR_EQUAL(aaa_queue_pop(q), &v[0]);
		CU_ASSERT_EQUAL(aaa_queue_push(q, &v[2]), 0);
		CU_ASSERT_EQUAL(aaa_queue_push(q, &v[3]), 0);
		CU_ASSERT_EQUAL(aaa_queue_push(q, &v[4]), -1);
		CU_ASSERT_EQUAL(aaa_queue_len(q), 3);
		CU_ASSERT_PTR_EQUAL(aaa_queue_pop(q), &v[1]);
		CU_ASSERT_PTR_EQUAL(aaa_queue_pop(q), &v[2]);
		CU_ASSERT_PTR_EQUAL(aaa_queue_pop(q), &v[3]);
	}
	aaa_queue_push(q, &v[0]);
	freed = 0;
	aaa_queue_free(q, count_free);
	CU_ASSERT_EQUAL(freed, 1);
}

static void *pusher(void *q)
{
	static int item;

	aaa_queue_push(q, &item);
	return &item;
}

static void test_queue_wait(void)
{
	struct aaa_queue *q = aaa_queue_new(1);
	uint64_t t0 = aaa_now_ms();
	pthread_t t;
	void *item, *got;

	CU_ASSERT_PTR_NULL(aaa_queue_wait(q, t0 + 20)); /* the deadline */
	CU_ASSERT(aaa_now_ms() >= t0 + 20);
	aaa_queue_kick(q);
	CU_ASSERT_PTR_NULL(aaa_queue_wait(q, UINT64_MAX)); /* a kick that came before the wait is not lost */
	pthread_create(&t, NULL, pusher, q);
	got = aaa_queue_wait(q, UINT64_MAX);
	pthread_join(t, &item);
	CU_ASSERT_PTR_EQUAL(got, item);
	aaa_queue_free(q, count_free);
}

static void test_table_gives_each_once(void)
{
	struct aaa_table *t = aaa_table_new(2);
	int v[3];
	uint64_t a = aaa_table_put(t, &v[0], 100), b = aaa_table_put(t, &v[1], 50);

	CU_ASSERT(a && b && a != b);
	CU_ASSERT_EQUAL(aaa_table_put(t, &v[2], 10), 0); /* full */
	CU_ASSERT_PTR_EQUAL(aaa_table_take(t, a), &v[0]);
	CU_ASSERT_PTR_NULL(aaa_table_take(t, a));
	CU_ASSERT_PTR_NULL(aaa_table_take(t, 0));
	CU_ASSERT(aaa_table_put(t, &v[2], 10) > b); /* ids are never used again */
	freed = 0;
	aaa_table_free(t, count_free);
	CU_ASSERT_EQUAL(freed, 2);
}

static void test_table_expires_in_order(void)
{
	struct aaa_table *t = aaa_table_new(8);
	static const uint64_t deadline[] = {30, 10, 20, 10};
	int v[4];

	CU_ASSERT_EQUAL(aaa_table_next(t), UINT64_MAX);
	for (int i = 0; i < 4; i++)
		aaa_table_put(t, &v[i], deadline[i]);
	CU_ASSERT_EQUAL(aaa_table_next(t), 10);
	CU_ASSERT_PTR_NULL(aaa_table_expired(t, 9));
	CU_ASSERT_PTR_EQUAL(aaa_table_expired(t, 25), &v[1]);
	CU_ASSERT_PTR_EQUAL(aaa_table_expired(t, 25), &v[3]);
	CU_ASSERT_PTR_EQUAL(aaa_table_expired(t, 25), &v[2]);
	CU_ASSERT_PTR_NULL(aaa_table_expired(t, 25));
	CU_ASSERT_EQUAL(aaa_table_next(t), 30);
	CU_ASSERT_EQUAL(aaa_table_len(t), 1);
	aaa_table_free(t, count_free);
}

HARNESS_MAIN("aaa/queue", HARNESS_CASE(test_queue_is_bounded_and_in_order), HARNESS_CASE(test_queue_wait),
	     HARNESS_CASE(test_table_gives_each_once), HARNESS_CASE(test_table_expires_in_order))
