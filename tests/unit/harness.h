/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a unit test needs besides CUnit's CU_ASSERT_*: one table of cases and a main that `make check`
 * understands.
 *
 *	static void test_something(void) { CU_ASSERT_EQUAL(f(1), 2); }
 *	HARNESS_MAIN("room/subject", HARNESS_CASE(test_something), HARNESS_CASE(test_other))
 *
 * The run fails when a case or an assertion fails, when a case cannot be set up, and when nothing was
 * asserted at all. In a table of inputs, HARNESS_AT(cond, "row %s", name) says which row failed.
 */
#ifndef MIPVPN_TESTS_HARNESS_H
#define MIPVPN_TESTS_HARNESS_H

#include <stdio.h>
#include <stdlib.h>

#include <CUnit/Basic.h>

struct harness_case {
	const char *name;
	void (*run)(void);
};
#define HARNESS_CASE(fn)                                                                                     \
	{                                                                                                    \
#fn, fn                                                                                      \
	}

/* An assertion that prints more words when it does not hold. */
#define HARNESS_AT(cond, ...)                                                                                \
	do {                                                                                                 \
		int harness_ok = !!(cond);                                                                   \
		if (!harness_ok) {                                                                           \
			fprintf(stderr, "\n    %s:%d: %s: ", __FILE__, __LINE__, #cond);                     \
			fprintf(stderr, __VA_ARGS__);                                                        \
		}                                                                                            \
		CU_assertImplementation(harness_ok, __LINE__, #cond, __FILE__, "", CU_FALSE);                \
	} while (0)

static inline int harness_run(const char *name, const struct harness_case *cases, size_t n)
{
	CU_pSuite suite;
	unsigned failed;

	if (CU_initialize_registry() != CUE_SUCCESS || !(suite = CU_add_suite(name, NULL, NULL)))
		return EXIT_FAILURE;
	for (size_t i = 0; i < n; i++) {
		if (!CU_add_test(suite, cases[i].name, cases[i].run))
			return EXIT_FAILURE;
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	if (CU_basic_run_tests() != CUE_SUCCESS)
		return EXIT_FAILURE;
	failed = CU_get_number_of_failures() + CU_get_number_of_tests_failed() +
		 (CU_get_number_of_asserts() == 0) + (CU_get_number_of_tests_run() != n);
	CU_cleanup_registry();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define HARNESS_MAIN(name, ...)                                                                              \
	int main(void)                                                                                       \
	{                                                                                                    \
		static const struct harness_case cases[] = {__VA_ARGS__};                                    \
                                                                                                             \
		return harness_run(name, cases, sizeof(cases) / sizeof(cases[0]));                           \
	}

#endif
