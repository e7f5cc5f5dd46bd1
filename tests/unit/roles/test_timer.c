/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The heap of timers against a plain search, with a fixed sequence of pseudo-random operations.
 */
#include "agent/roles/role_int.h"
#include "tests/unit/harness.h"

#define N 300

static uint32_t lcg(uint32_t *s)
{
	return (*s = *s * 1664525u + 1013904223u) >> 8;
}

static void test_against_search(void)
{
	static struct role_timer t[N];
	struct role_heap h = {0};
	uint32_t seed = 1;
	unsigned wrong = 0;

	for (int i = 0; i < N; i++)
		CU_ASSERT_TRUE_FATAL(role_heap_reserve(&h));
	for (int step = 0; step < 50000; step++) {
		struct role_timer *x = &t[lcg(&seed) % N], *first = NULL;

		if (lcg(&seed) % 3)
			role_heap_set(&h, x, lcg(&seed) % 1000);
		else
			role_heap_clear(&h, x);
		for (int i = 0; i < N; i++) {
			if (t[i].at && (!first || t[i].due < first->due))
				first = &t[i];
		}
		x = role_heap_first(&h);
		wrong += (x == NULL) != (first == NULL) || (x && x->due != first->due);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	for (int i = 0; i < N; i++)
		role_heap_release(&h, &t[i]);
	CU_ASSERT_PTR_NULL(role_heap_first(&h));
	CU_ASSERT_EQUAL(h.reserved, 0);
	role_heap_free(&h);
}

static void test_in_order(void)
{
	static struct role_timer t[64];
	struct role_heap h = {0};
	role_ms last = 0;

	for (unsigned i = 0; i < 64; i++) {
		role_heap_reserve(&h);
		role_heap_set(&h, &t[i], i * 37 % 64);
	}
	for (unsigned i = 0; i < 64; i++) {
		struct role_timer *x = role_heap_first(&h);

		CU_ASSERT_EQUAL(x->due, i);
		CU_ASSERT_TRUE(x->due >= last);
		last = x->due;
		role_heap_clear(&h, x);
	}
	role_heap_free(&h);
}

HARNESS_MAIN("roles/timer", HARNESS_CASE(test_against_search), HARNESS_CASE(test_in_order))
