/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The control protocol: lines that are whole, half, oversized or garbage.
 */
#include <string.h>

#include "agent/run/ctl_proto.h"
#include "tests/unit/harness.h"

static void test_lines(void)
{
	static const struct {
		const char *bytes;
		size_t len, max;
		enum ctl_line want;
		size_t line_len;
	} row[] = {
		{"", 0, 8, CTL_LINE_MORE, 0},	       {"abc", 3, 8, CTL_LINE_MORE, 0},
		{"abc\n", 4, 8, CTL_LINE_DONE, 3},     {"\n", 1, 8, CTL_LINE_DONE, 0},
		{"a\nb\n", 4, 8, CTL_LINE_DONE, 1},    {"abcdefgh", 8, 8, CTL_LINE_TOO_LONG, 0},
		{"abcdefg\n", 8, 8, CTL_LINE_DONE, 7}, {"a\0b\n", 4, 8, CTL_LINE_DONE, 3},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		size_t n = 99;

		HARNESS_AT(ctl_line_find(row[i].bytes, row[i].len, row[i].max, &n) == row[i].want, "row %zu",
			   i);
		HARNESS_AT(n == row[i].line_len, "row %zu: %zu", i, n);
	}
}

static void test_bad_requests(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"null",
		"[]",
		"{}",
		"\"show\"",
		"{\"command\":1}",
		"{\"command\":null}",
		"{\"command\":\"show\"",
		"{\"command\":\"show\"} x",
		"{\"command\":\"a\",\"command\":\"b\"}",
		"\xff\xfe",
		"{\"command\":\"\xc3\"}",
		"{\"key\":\"00112233\",",
	};
	char err[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *j = ctl_request_parse(bad[i], strlen(bad[i]), err, sizeof(err));

		HARNESS_AT(!j, "row %zu: %s", i, bad[i]);
		HARNESS_AT(err[0] && !strstr(err, "00112233"), "row %zu: %s", i, err);
		json_decref(j);
	}
	CU_ASSERT_PTR_NULL(ctl_request_parse("{\"command\":\"a\0b\"}", 17, err, sizeof(err)));
}

static void test_half_requests(void)
{
	static const char whole[] = "{\"command\": \"show\", \"what\": \"status\"}";
	char err[64];
	json_t *j;

	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		CU_ASSERT_PTR_NULL(ctl_request_parse(whole, n, err, sizeof(err)));
	j = ctl_request_parse(whole, sizeof(whole) - 1, err, sizeof(err));
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "what")), "status");
	json_decref(j);
}

static void test_responses(void)
{
	json_t *j = ctl_response_error("no %s\n", "such \"thing\"");
	size_t len;
	char *line = ctl_line_make(j, &len);

	CU_ASSERT(len == strlen("{\"ok\":false,\"error\":\"no such \\\"thing\\\"\"}\n"));
	CU_ASSERT(line && memcmp(line, "{\"ok\":false,\"error\":\"no such \\\"thing\\\"\"}\n", len) == 0);
	free(line);
	json_decref(j);
	j = ctl_response_error("unknown \"%.2s\"", "a\303\274"); /* ends in the middle of a letter */
	line = ctl_line_make(j, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(line); /* there is an answer */
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "error")), "unknown \"a?\"");
	free(line);
	json_decref(j);
	j = ctl_response_ok(json_array());
	CU_ASSERT(json_is_true(json_object_get(j, "ok")) && json_is_array(json_object_get(j, "result")));
	json_decref(j);
	j = ctl_response_ok(NULL);
	CU_ASSERT(json_is_object(json_object_get(j, "result")));
	json_decref(j);
}

HARNESS_MAIN("run/ctl_proto", HARNESS_CASE(test_lines), HARNESS_CASE(test_bad_requests),
	     HARNESS_CASE(test_half_requests), HARNESS_CASE(test_responses))
