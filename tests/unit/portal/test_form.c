/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/form.h"

#include <string.h>

#include "portal/utf8.h"
#include "tests/unit/harness.h"

static enum form_error decode(const char *s, struct form *f)
{
	return form_decode(s, strlen(s), f);
}

static void test_good(void)
{
	struct form f;

	CU_ASSERT_EQUAL(decode("", &f), FORM_OK);
	CU_ASSERT_EQUAL(f.n, 0);
	CU_ASSERT_EQUAL(decode("a=1&b=x+y%20z&c=&d&%65=%3d%26%2B%25", &f), FORM_OK);
	CU_ASSERT_EQUAL(f.n, 5);
	CU_ASSERT_STRING_EQUAL(form_get(&f, "a"), "1");
	CU_ASSERT_STRING_EQUAL(form_get(&f, "b"), "x y z");
	CU_ASSERT_STRING_EQUAL(form_get(&f, "c"), "");
	CU_ASSERT_STRING_EQUAL(form_get(&f, "d"), "");
	CU_ASSERT_STRING_EQUAL(form_get(&f, "e"), "=&+%");
	CU_ASSERT_STRING_EQUAL(form_get(&f, "nothing"), "");
	CU_ASSERT_EQUAL(decode("n=%C3%BC%E2%9C%93%F0%9F%94%92", &f), FORM_OK);
	CU_ASSERT_STRING_EQUAL(form_get(&f, "n"), "\xc3\xbc\xe2\x9c\x93\xf0\x9f\x94\x92");
	CU_ASSERT_EQUAL(decode("a=1&", &f), FORM_OK);
	CU_ASSERT_EQUAL(decode("a=b=c", &f), FORM_OK);
	CU_ASSERT_STRING_EQUAL(form_get(&f, "a"), "b=c");
}

static void test_bad(void)
{
	static const struct {
		const char *body;
		enum form_error e;
	} cases[] = {
		{"=1", FORM_BAD_CODE},
		{"a=1&&b=2", FORM_BAD_CODE},
		{"&", FORM_BAD_CODE},
		{"a=%", FORM_BAD_CODE},
		{"a=%4", FORM_BAD_CODE},
		{"a=%g0", FORM_BAD_CODE},
		{"a=%+1", FORM_BAD_CODE},
		{"a=1&a=2", FORM_TWICE},
		{"a=1&%61=2", FORM_TWICE},
		{"a=%00", FORM_NOT_TEXT},
		{"a=%0a", FORM_NOT_TEXT},
		{"a=%7f", FORM_NOT_TEXT},
		{"a=\xff", FORM_NOT_TEXT},
		{"a=%c3", FORM_NOT_TEXT},
		{"a=%c0%af", FORM_NOT_TEXT},
		{"a=%c2%80", FORM_NOT_TEXT},
		{"%ff=1", FORM_NOT_TEXT},
		{"a=%ed%a0%80", FORM_NOT_TEXT},
		{"a=%f4%90%80%80", FORM_NOT_TEXT},
		{"a&b&c&d&e&f&g&h&i&j&k&l&m", FORM_TOO_MANY},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1", FORM_TOO_LONG},
	};
	struct form f;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum form_error e = decode(cases[i].body, &f);

		HARNESS_AT(e == cases[i].e, "%s: %s", cases[i].body, form_error_word(e));
		HARNESS_AT(f.n == 0 && !form_get(&f, "a")[0], "%s: nothing is left", cases[i].body);
	}
}

static void test_limits(void)
{
	char body[FORM_BODY_MAX + 2] = "a=";
	struct form f;

	memset(body + 2, 'x', sizeof(body) - 2);
	CU_ASSERT_EQUAL(form_decode(body, 2 + FORM_VALUE_MAX, &f), FORM_OK);
	CU_ASSERT_EQUAL(strlen(form_get(&f, "a")), FORM_VALUE_MAX);
	CU_ASSERT_EQUAL(form_decode(body, 3 + FORM_VALUE_MAX, &f), FORM_TOO_LONG);
	memset(body, '&', sizeof(body));
	CU_ASSERT_EQUAL(form_decode(body, FORM_BODY_MAX + 1, &f), FORM_TOO_LONG);
	memset(&f, 0xff, sizeof(f));
	form_wipe(&f);
	CU_ASSERT_EQUAL(f.n, 0);
	CU_ASSERT_EQUAL(f.field[FORM_FIELDS_MAX - 1].value[FORM_VALUE_MAX], 0);
}

static void test_utf8(void)
{
	static const struct {
		const char *s;
		size_t n;
	} cases[] = {{"a", 1},
		     {" ", 1},
		     {"\x1f", 0},
		     {"\x7f", 0},
		     {"\xc2\xa0", 2},
		     {"\xc2\x9f", 0},
		     {"\xc1\xbf", 0},
		     {"\xdf\xbf", 2},
		     {"\xe0\xa0\x80", 3},
		     {"\xe0\x9f\xbf", 0},
		     {"\xed\x9f\xbf", 3},
		     {"\xed\xa0\x80", 0},
		     {"\xef\xbf\xbf", 3},
		     {"\xf0\x90\x80\x80", 4},
		     {"\xf0\x8f\xbf\xbf", 0},
		     {"\xf4\x8f\xbf\xbf", 4},
		     {"\xf4\x90\x80\x80", 0},
		     {"\xf5\x80\x80\x80", 0},
		     {"\x80", 0},
		     {"\xe2\x9c", 0},
		     {"", 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		HARNESS_AT(utf8_char(cases[i].s, strlen(cases[i].s)) == cases[i].n, "row %zu", i);
	CU_ASSERT_TRUE(utf8_text("", 0));
	CU_ASSERT_TRUE(utf8_text("a\xc3\xbc", 3));
	CU_ASSERT_FALSE(utf8_text("a\xc3\xbc", 2));
	CU_ASSERT_FALSE(utf8_text("a\0b", 3));
}

HARNESS_MAIN("portal/form", HARNESS_CASE(test_good), HARNESS_CASE(test_bad), HARNESS_CASE(test_limits),
	     HARNESS_CASE(test_utf8))
