/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/page.h"

#include <string.h>

void page_begin(struct html *h, const struct page *p, const char *heading, const char *nai)
{
	html_put(h,
		 "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		 "<title>%s - %s</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n"
		 "<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n</head>\n<body>\n"
		 "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
		 "<header><div class=\"wide\">\n<a class=\"brand\" href=\"/\">%s</a>\n",
		 heading, p->title, p->title);
	if (nai)
		html_put(h,
			 "<form class=\"who\" method=\"post\" action=\"/sign-out\">\n"
			 "<input type=\"hidden\" name=\"word\" value=\"%s\">\n"
			 "<span>%s</span>\n<button class=\"quiet\">Sign out</button>\n</form>\n",
			 p->form_word, nai);
	html_put(h, "</div></header>\n<main id=\"main\" class=\"wide\" tabindex=\"-1\">\n");
}

void page_end(struct html *h, const struct page *p)
{
	html_put(h, "</main>\n");
	if (p->help[0])
		html_put(h, "<footer class=\"wide\"><p>%s</p></footer>\n", p->help);
	html_put(h, "</body>\n</html>\n");
}

void page_fault_box(struct html *h, const struct page_fault *fault)
{
	if (!fault || !fault->text)
		return;
	html_put(h, "<div class=\"box fault\" role=\"alert\" aria-labelledby=\"fault\">\n"
		    "<h2 id=\"fault\">That did not work</h2>\n");
	if (fault->field)
		html_put(h, "<p><a href=\"#%s\">%s</a></p>\n</div>\n", fault->field, fault->text);
	else
		html_put(h, "<p>%s</p>\n</div>\n", fault->text);
}

void page_sign_in(struct html *h, const struct page *p, const char *nai, const struct page_fault *fault)
{

	page_begin(h, p, fault && fault->text ? "Error: sign in" : "Sign in", NULL);
	page_fault_box(h, fault);
	html_put(h,
		 "<h1>Sign in</h1>\n<form class=\"card narrow\" method=\"post\" action=\"/sign-in\">\n"
		 "<input type=\"hidden\" name=\"word\" value=\"%s\">\n"
		 "<div class=\"field\"><label for=\"nai\">User name</label>\n"
		 "<p class=\"hint\" id=\"nai-hint\">As your device uses it, for example "
		 "alice@home.example</p>\n"
		 "<input id=\"nai\" name=\"nai\" type=\"text\" value=\"%s\" maxlength=\"253\" required "
		 "autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" ",
		 p->form_word, nai);
	/* Attributes have no other way in than these two literals. */
	html_put(h, fault && fault->field
			    ? "aria-invalid=\"true\" aria-describedby=\"fault nai-hint\"></div>\n"
			    : "aria-describedby=\"nai-hint\"></div>\n");
	html_put(h, "<div class=\"field\"><label for=\"password\">Password</label>\n"
		    "<input id=\"password\" name=\"password\" type=\"password\" maxlength=\"500\" required "
		    "autocomplete=\"current-password\"></div>\n"
		    "<button class=\"main\">Sign in</button>\n</form>\n");
	page_end(h, p);
}

void page_time(struct html *h, long seconds)
{
	long n = seconds < 0 ? 0 : seconds;
	const char *unit = "second";

	if (n >= 2 * 86400) {
		n /= 86400;
		unit = "day";
	} else if (n >= 2 * 3600) {
		n /= 3600;
		unit = "hour";
	} else if (n >= 120) {
		n /= 60;
		unit = "minute";
	}
	html_put(h, "%d %s%s", (int)n, unit, n == 1 ? "" : "s");
}

static void registration(struct html *h, const struct store_visit *v)
{
	if (!v->enabled) {
		html_put(h, "<p class=\"box fault\" role=\"alert\">Your subscription is suspended: nothing "
			    "can be set up or "
			    "changed. Ask your provider.</p>\n");
		return;
	}
	if (!v->online) {
		html_put(h, "<p class=\"net\"><span class=\"tag off\">Not registered</span> Your device is "
			    "not on the network "
			    "now. What you choose here is set up when it registers.</p>\n");
		return;
	}
	html_put(h,
		 "<p class=\"net\"><span class=\"tag on\">Registered</span> Your device is in the network of "
		 "<b>%s</b> with "
		 "the address %s, for ",
		 v->visited, v->home_address);
	page_time(h, v->since_s);
	html_put(h, " now.</p>\n");
}

void page_overview(struct html *h, const struct page *p, const struct store_view *v, const char *done,
		   const struct page_fault *fault)
{
	page_begin(h, p, fault && fault->text ? "Error: your VPNs" : "Your VPNs", v->visit.nai);
	page_fault_box(h, fault);
	if (done)
		html_put(h, "<div class=\"box good\" role=\"status\"><p>%s</p></div>\n", done);
	html_put(h, "<h1>Your VPNs</h1>\n");
	registration(h, &v->visit);
	page_vpns(h, p, v);
	if (v->visit.enabled)
		page_add_form(h, p, v, fault);
	page_end(h, p);
}
