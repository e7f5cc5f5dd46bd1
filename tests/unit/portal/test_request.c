/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What stands before an answer: cookie and form word, address, limit, route, configuration; and the
 * password's hash.
 */
#include <stdio.h>
#include <string.h>

#include "portal/client.h"
#include "portal/config.h"
#include "portal/cookie.h"
#include "portal/limit.h"
#include "portal/password.h"
#include "portal/route.h"
#include "tests/unit/harness.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void test_cookie_read(void)
{
	static const struct {
		const char *header;
		bool secure, found;
	} cases[] = {
		{NULL, true, false},
		{"", true, false},
		{"__Host-mipvpn=" HEX, true, true},
		{"a=b; __Host-mipvpn=" HEX "; c=d", true, true},
		{"a=b;__Host-mipvpn=" HEX, true, true},
		{"mipvpn=" HEX, true, false}, /* one that a sibling could have planted */
		{"mipvpn=" HEX, false, true},
		{"__Host-mipvpn=" HEX, false, false},
		{"__Host-mipvpn=" HEX "; __Host-mipvpn=" OTHER, true, false},
		{"__Host-mipvpn=" HEX "; __Host-mipvpn=", true, false},
		{"__Host-mipvpn=" HEX "0", true, false},
		{"__Host-mipvpn=0011", true, false},
		{"__Host-mipvpn=", true, false},
		{"__Host-mipvpn", true, false},
		{"x__Host-mipvpn=" HEX, true, false},
		{"__Host-mipvpn-form=" HEX, true, false},
		{"__Host-mipvpn=g" HEX, true, false},
		{";;; ;", true, false},
	};
	uint8_t token[COOKIE_TOKEN], zero[COOKIE_TOKEN] = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = cookie_read(cases[i].header, COOKIE_SESSION, cases[i].secure, token);

		HARNESS_AT(found == cases[i].found, "row %zu", i);
		HARNESS_AT(found ? token[1] == 0x11 : !memcmp(token, zero, sizeof(zero)), "row %zu", i);
	}
	CU_ASSERT_TRUE(cookie_read("mipvpn=" HEX "; mipvpn-form=" OTHER, COOKIE_FORM, false, token));
	CU_ASSERT_EQUAL(token[0], 0xff);
}

static void test_cookie_write(void)
{
	uint8_t token[COOKIE_TOKEN] = {0x12}, back[COOKIE_TOKEN];
	char text[COOKIE_HEADER_MAX];

	cookie_write(COOKIE_SESSION, true, token, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "; Path=/; HttpOnly; SameSite=Strict; Secure"));
	CU_ASSERT_PTR_NULL(strstr(text, "Domain"));
	CU_ASSERT_TRUE(cookie_read(text, COOKIE_SESSION, true, back));
	CU_ASSERT_EQUAL(memcmp(token, back, COOKIE_TOKEN), 0);
	cookie_write(COOKIE_FORM, false, NULL, text);
	CU_ASSERT_STRING_EQUAL(text, "mipvpn-form=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
}

static void test_form_word(void)
{
	uint8_t a[COOKIE_TOKEN] = {1}, b[COOKIE_TOKEN] = {2};
	char word[COOKIE_HEX], other[COOKIE_HEX], handle[COOKIE_HEX];

	CU_ASSERT_EQUAL(cookie_form_word(a, word), 0);
	CU_ASSERT_EQUAL(cookie_form_word(b, other), 0);
	CU_ASSERT_EQUAL(cookie_handle(a, handle), 0);
	CU_ASSERT_EQUAL(strlen(word), 64);
	CU_ASSERT_STRING_NOT_EQUAL(word, handle);
	CU_ASSERT_TRUE(cookie_form_ok(a, word));
	CU_ASSERT_FALSE(cookie_form_ok(a, other));
	CU_ASSERT_FALSE(cookie_form_ok(b, word));
	CU_ASSERT_FALSE(cookie_form_ok(a, ""));
	word[63] = '\0';
	CU_ASSERT_FALSE(cookie_form_ok(a, word));
}

static void test_client(void)
{
	static const struct {
		const char *header, *address;
	} cases[] = {{NULL, NULL},
		     {"", NULL},
		     {"192.0.2.1", "192.0.2.1"},
		     {"10.0.0.1, 192.0.2.1", "192.0.2.1"},
		     {"evil, 2001:DB8::1 ", "2001:db8::1"},
		     {"192.0.2.1, evil", NULL},
		     {"192.0.2.1,", NULL},
		     {"::ffff:192.0.2.7", "192.0.2.7"},
		     {"192.0.2.1:80", NULL},
		     {"1111111111111111111111111111111111111111111111111111", NULL}};
	char got[CLIENT_TEXT];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = client_forwarded(cases[i].header, got);

		HARNESS_AT(found == !!cases[i].address && (!found || !strcmp(got, cases[i].address)),
			   "row %zu", i);
	}
	CU_ASSERT_TRUE(client_is_loopback("127.0.0.2"));
	CU_ASSERT_TRUE(client_is_loopback("::1"));
	CU_ASSERT_FALSE(client_is_loopback("0.0.0.0"));
	CU_ASSERT_FALSE(client_is_loopback("localhost"));
	CU_ASSERT_TRUE(client_same("::ffff:192.0.2.1", "192.0.2.1"));
	CU_ASSERT_FALSE(client_same("192.0.2.1", "192.0.2.2"));
	CU_ASSERT_FALSE(client_same("x", "x"));
}

static void test_limit(void)
{
	struct limit *l = limit_new(2, 3);
	char address[32];

	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(limit_take(l, "192.0.2.1", 1000), 0);
	CU_ASSERT_EQUAL(limit_take(l, "192.0.2.1", 1000), 500);
	CU_ASSERT_EQUAL(limit_take(l, "192.0.2.1", 1499), 1);
	CU_ASSERT_EQUAL(limit_take(l, "192.0.2.1", 1500), 0);
	CU_ASSERT_NOT_EQUAL(limit_take(l, "192.0.2.1", 1500), 0);
	CU_ASSERT_EQUAL(limit_take(l, "192.0.2.2", 1500), 0);
	CU_ASSERT_EQUAL(limit_take(l, "192.0.2.1", 1000000), 0);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(limit_take(l, i ? "2001:db8::2" : "2001:db8::1", 5), 0);
	CU_ASSERT_NOT_EQUAL(limit_take(l, "2001:db8::3", 5), 0); /* one /64 */
	CU_ASSERT_EQUAL(limit_take(l, "2001:db8:0:1::3", 5), 0);
	for (unsigned i = 0; i < 100000; i++) { /* more addresses than there is room for */
		snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		if (limit_take(l, address, 2000000 + i))
			CU_FAIL("a new address is let in");
	}
	limit_free(l);
}

static void test_routes(void)
{
	static const struct {
		const char *method, *path, *allow;
		bool found;
	} cases[] = {{"GET", "/", NULL, true},
		     {"HEAD", "/", NULL, true},
		     {"POST", "/", "GET, HEAD", false},
		     {"POST", "/sign-in", NULL, true},
		     {"GET", "/sign-in", "POST", false},
		     {"GET", "/vpn", NULL, false},
		     {"GET", "", NULL, false},
		     {"GET", "//", NULL, false},
		     {"POST", "/vpn/add/", NULL, false},
		     {"get", "/", "GET, HEAD", false},
		     {"GET", "/../etc/passwd", NULL, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *allow = "x";
		const struct route *r = route_find(cases[i].method, cases[i].path, &allow);

		HARNESS_AT(!!r == cases[i].found, "row %zu", i);
		HARNESS_AT(cases[i].allow ? allow && !strcmp(allow, cases[i].allow) : !allow, "row %zu", i);
	}
}

static void test_config(void)
{
	static const struct {
		const char *text, *says; /* NULL = good */
	} cases[] = {
		{"proxy = \"127.0.0.1\"", NULL},
		{"proxy = \"::1\"\nlisten = \"::\"", NULL},
		{"plain-http = true", NULL},
		{"tls-certificate = \"/c\"\ntls-key = \"/k\"\nlisten = \"0.0.0.0\"", NULL},
		{"", "one of these is needed"},
		{"proxy = \"127.0.0.1\"\nplain-http = true", "and no more"},
		{"tls-key = \"/k\"", "go together"},
		{"plain-http = true\nlisten = \"192.0.2.1\"", "loopback"},
		{"plain-http = true\nlisten = \"somewhere\"", "no address"},
		{"plain-http = true\nsession-idle = 3600\nsession-most = 600", "longer than session-most"},
		{"plain-http = true\nport = 70000", "port"},
	};
	struct conf_errors errs;
	struct web_config c;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = web_config_parse("f", cases[i].text, &c, &errs);

		HARNESS_AT(!rc == !cases[i].says, "row %zu: %s", i, errs.text);
		HARNESS_AT(!rc || strstr(errs.text, cases[i].says), "row %zu: %s", i, errs.text);
		if (!rc)
			web_config_free(&c);
	}
}

static void test_password(void)
{
	char a[PASSWORD_HASH], b[PASSWORD_HASH];

	CU_ASSERT_EQUAL(password_new("correct horse", a), 0);
	CU_ASSERT_EQUAL(strncmp(a, "$y$", 3), 0);
	CU_ASSERT_EQUAL(password_hash("correct horse", a, b), 0);
	CU_ASSERT_STRING_EQUAL(a, b);
	*strrchr(a, '$') = '\0'; /* the setting alone, as the database gives it */
	CU_ASSERT_EQUAL(password_hash("correct horse", a, b), 0);
	CU_ASSERT_EQUAL(strncmp(a, b, strlen(a)), 0);
	CU_ASSERT_EQUAL(password_hash("correct horsf", a, a), 0);
	CU_ASSERT_STRING_NOT_EQUAL(a, b);
	/* A made-up salt of the database's is one that libcrypt takes. */
	CU_ASSERT_EQUAL(password_hash("x", "$y$j9T$zzzzzzzzzzzzzzzzzzzzz1", b), 0);
	CU_ASSERT_EQUAL(password_hash("x", "$6$abcdefgh$", b), -1);
	CU_ASSERT_EQUAL(password_hash("x", "", b), -1);
	CU_ASSERT_EQUAL(password_hash("x", "$y$", b), -1);
	CU_ASSERT_EQUAL(b[0], '\0');
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_TRUE(password_enter(0));
	CU_ASSERT_FALSE(password_enter(10));
	password_leave();
	CU_ASSERT_TRUE(password_enter(0));
}

HARNESS_MAIN("portal/request", HARNESS_CASE(test_cookie_read), HARNESS_CASE(test_cookie_write),
	     HARNESS_CASE(test_form_word), HARNESS_CASE(test_client), HARNESS_CASE(test_limit),
	     HARNESS_CASE(test_routes), HARNESS_CASE(test_config), HARNESS_CASE(test_password))
