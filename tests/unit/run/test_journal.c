/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "agent/run/journal.h"
#include "tests/unit/harness.h"

static void test_keeps_the_last(void)
{
	struct journal *j = journal_new(3);
	char text[8];

	CU_ASSERT_PTR_NULL(journal_at(j, 0));
	for (int i = 0; i < 8; i++) {
		snprintf(text, sizeof(text), "e%d", i);
		journal_add(j, (uint64_t)i, LOG_LVL_INFO, text);
		CU_ASSERT_EQUAL(journal_len(j), i < 3 ? (size_t)i + 1 : 3);
		CU_ASSERT_STRING_EQUAL(journal_at(j, journal_len(j) - 1)->text, text);
	}
	CU_ASSERT_STRING_EQUAL(journal_at(j, 0)->text, "e5");
	CU_ASSERT_EQUAL(journal_at(j, 0)->wall_ms, 5);
	CU_ASSERT_PTR_NULL(journal_at(j, 3));
	journal_free(j);
}

static void test_long_text_is_cut(void)
{
	struct journal *j = journal_new(1);
	char text[2 * JOURNAL_TEXT_MAX];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	journal_add(j, 0, LOG_LVL_WARN, text);
	CU_ASSERT_EQUAL(strlen(journal_at(j, 0)->text), JOURNAL_TEXT_MAX - 1);
	journal_free(j);
}

HARNESS_MAIN("run/journal", HARNESS_CASE(test_keeps_the_last), HARNESS_CASE(test_long_text_is_cut))
