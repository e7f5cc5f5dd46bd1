/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The escaping writer, and pages full of text that wants to be markup.
 */
#include "portal/page.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

#define EVIL "<script>\"'&--></title>"
#define TAME "&lt;script&gt;&quot;&#39;&amp;--&gt;&lt;/title&gt;"

static char *text_of(struct html *h)
{
	html_put(h, "%s", "");
	return h->len ? strndup(h->text, h->len) : strdup("");
}

static void is(struct html *h, const char *want)
{
	char *got = text_of(h);

	HARNESS_AT(got && !strcmp(got, want), "got %s", got ? got : "nothing");
	free(got);
	html_free(h);
}

static void test_put(void)
{
	const char *volatile nothing = NULL;
	struct html h = {0};

	html_put(&h, "<b class=\"%s\">%s, %d %%</b>", "a\"b", "x<y", -5);
	is(&h, "<b class=\"a&quot;b\">x&lt;y, -5 %</b>");
	html_put(&h, "%s", EVIL);
	is(&h, TAME);
	html_put(&h, "%s|%s", nothing, "");
	is(&h, "|");
	html_put(&h, "%s",
		 "a\xff"
		 "b\x01"
		 "c\xc3\xbc\xe2");
	is(&h, "a\xef\xbf\xbd"
	       "b\xef\xbf\xbd"
	       "c\xc3\xbc\xef\xbf\xbd");
}

static void test_bounds(void)
{
	static char big[4096];
	struct html h = {0};

	memset(big, '<', sizeof(big) - 1);
	for (unsigned i = 0; i < HTML_MAX / sizeof(big) && !h.bad; i++)
		html_put(&h, "%s", big);
	CU_ASSERT_TRUE(h.bad);
	CU_ASSERT_TRUE(h.len <= HTML_MAX);
	html_free(&h);
	CU_ASSERT_FALSE(h.bad);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	const char *volatile unknown = "%x";

	html_put(&h, unknown, 1);
#pragma GCC diagnostic pop
	CU_ASSERT_TRUE(h.bad);
	html_free(&h);
}

/* Each text of a view is the same evil one. */
static struct store_view *evil_view(const char *state)
{
	struct store_view *v = calloc(1, sizeof(*v));
	struct store_vpn *n = &v->vpn[0];
	char *texts[] = {v->visit.nai,	       v->visit.visited,   n->name,
			 n->objection,	       v->network[0].name, v->network[0].contract,
			 v->cls[0].description};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		strcpy(texts[i], EVIL);
	strcpy(n->number, "<1\">");
	strcpy(n->destination, "<dest\">");
	strcpy(n->up_class, "<up\">");
	strcpy(n->security, "<sec\">");
	strcpy(n->state, state);
	strcpy(v->network[0].network, "<net\">");
	strcpy(v->cls[0].name, "<cls\">");
	strcpy(v->visit.home_address, "<home\">");
	v->visit.enabled = v->visit.online = n->in_session = true;
	v->n_vpns = v->n_networks = v->n_classes = 1;
	return v;
}

static bool is_tame(const char *page)
{
	static const char *const evil[] = {"<script", "<dest", "<up", "<sec", "<net",
					   "<cls",    "<home", "<1",  "'&-"};

	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		if (strstr(page, evil[i]))
			return false;
	}
	return strstr(page, "<!DOCTYPE html>") == page && strstr(page, "</html>");
}

static void test_overview(void)
{
	static const char *const states[] = {"on",	"changing", "waiting",	 "offline", "leaving",
					     "refused", "stopped",  "suspended", EVIL + 12};
	struct page p = {EVIL, EVIL, EVIL};
	struct page_fault f = {EVIL, "part", EVIL, EVIL, EVIL, EVIL, EVIL, EVIL};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct store_view *v = evil_view(states[i]);
		struct html h = {0};
		char *page;

		page_overview(&h, &p, v, EVIL, &f);
		page = text_of(&h);
		HARNESS_AT(!h.bad && is_tame(page), "state %s", states[i]);
		HARNESS_AT(strstr(page, TAME) != NULL, "state %s", states[i]);
		free(page);
		html_free(&h);
		free(v);
	}
}

static void test_words(void)
{
	struct page p = {"t", "", "w"};
	struct store_view *v = evil_view("stopped");
	struct html h = {0};
	char *page;

	page_overview(&h, &p, v, NULL, NULL);
	page = text_of(&h);
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "Your provider has switched it off"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "It still stands"));
	CU_ASSERT_PTR_NULL(strstr(page, "/vpn/remove"));
	CU_ASSERT_PTR_NULL(strstr(page, "role=\"status\""));
	free(page);
	html_free(&h);
	v->visit.enabled = false;
	page_overview(&h, &p, v, NULL, NULL);
	page = text_of(&h);
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "Your subscription is suspended"));
	CU_ASSERT_PTR_NULL(strstr(page, "/vpn/add"));
	free(page);
	html_free(&h);
	free(v);
}

static void test_sign_in_page(void)
{
	struct page p = {EVIL, EVIL, EVIL};
	struct page_fault f = {.text = EVIL, .field = "nai"};
	struct html h = {0};
	char *page;

	page_sign_in(&h, &p, EVIL, &f);
	page = text_of(&h);
	CU_ASSERT_TRUE(is_tame(page));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "aria-invalid=\"true\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "role=\"alert\""));
	free(page);
	html_free(&h);
}

static void test_time(void)
{
	static const struct {
		long s;
		const char *words;
	} cases[] = {{-1, "0 seconds"},	    {1, "1 second"},   {119, "119 seconds"}, {120, "2 minutes"},
		     {7199, "119 minutes"}, {7200, "2 hours"}, {172800, "2 days"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct html h = {0};

		page_time(&h, cases[i].s);
		is(&h, cases[i].words);
	}
}

HARNESS_MAIN("portal/html", HARNESS_CASE(test_put), HARNESS_CASE(test_bounds), HARNESS_CASE(test_overview),
	     HARNESS_CASE(test_words), HARNESS_CASE(test_sign_in_page), HARNESS_CASE(test_time))
