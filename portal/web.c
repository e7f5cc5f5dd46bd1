/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/web.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "portal/page.h"
#include "portal/route.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

void web_refused(const struct web_request *q, const char *why, const char *more)
{
	char name[64];

	snprintf(name, sizeof(name), "web.refused.%s", why);
	counter_inc(name);
	log_notice("web", "%s: %s %s: refused: %s%s%s", q->address, q->method, q->path, why,
		   more[0] ? ": " : "", more);
}

static struct page page_of(const struct web *w)
{
	return (struct page){.title = w->conf->title, .help = w->conf->help, .form_word = ""};
}

static void begin(struct web_reply *r, unsigned status)
{
	html_free(&r->body);
	r->status = status;
	r->type = "text/html; charset=utf-8";
	r->location = NULL;
}

void web_say(const struct web *w, struct web_reply *r, unsigned status, const char *title, const char *text)
{
	struct page p = page_of(w);

	begin(r, status);
	page_begin(&r->body, &p, title, NULL);
	html_put(&r->body, "<h1>%s</h1>\n<p>%s</p>\n<p><a href=\"/\">Go on</a></p>\n", title, text);
	page_end(&r->body, &p);
}

void web_say_database(const struct web *w, struct web_reply *r, enum db_status s)
{
	if (s == DB_REFUSED) {
		web_say(w, r, 500, "Something is wrong here",
			"The service cannot do this now. It is not your fault, and its log says why.");
		return;
	}
	web_say(w, r, 503, "Please try again in a moment",
		s == DB_BUSY ? "Too many people are using this page right now. Nothing was changed."
			     : "The service's database cannot be reached right now. Your VPNs go on as they "
			       "are. If you "
			       "have just changed something, look here again whether it was taken.");
	r->retry_after_s = 5;
}

/* Media type of a Content-Type header, without its parameters. */
static bool is_form_type(const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0;

	return n == sizeof(FORM_TYPE) - 1 && !strncasecmp(type, FORM_TYPE, n);
}

/* Browsers say where a request was made; what says nothing is judged by its form word alone. */
static bool is_foreign(const char *fetch_site)
{
	return fetch_site && strcmp(fetch_site, "same-origin") && strcmp(fetch_site, "none");
}

static bool has_form_word(const struct web *w, const struct web_request *q, enum cookie_kind kind)
{
	uint8_t token[COOKIE_TOKEN];
	bool ok = cookie_read(q->cookies, kind, w->conf->secure, token) &&
		  cookie_form_ok(token, form_get(&q->form, "word"));

	crypto_wipe(token, sizeof(token));
	return ok;
}

/* What every POST has to have; false: refused. */
static bool post_check(const struct web *w, const struct route *t, struct web_request *q, struct web_reply *r)
{
	enum form_error e;

	if (!is_form_type(q->content_type)) {
		web_refused(q, "type", "");
		web_say(w, r, 415, "This is no form", "Only what the forms of this page send is taken here.");
		return false;
	}
	e = form_decode(q->body, q->body_len, &q->form);
	if (e) {
		web_refused(q, "form", form_error_word(e));
		web_say(w, r, e == FORM_TOO_LONG ? 413 : 400, "This cannot be read",
			e == FORM_NOT_TEXT
				? "What was sent is not text, or has characters in it that no field takes."
				: "What was sent is not what the forms of this page send, or a field is too "
				  "long.");
		return false;
	}
	if (is_foreign(q->fetch_site) || !has_form_word(w, q, t->form)) {
		web_refused(q, "csrf", is_foreign(q->fetch_site) ? "another site" : "form word");
		web_say(w, r, 403, "This form is no longer valid",
			"It is from an earlier visit, or from another site, or your browser takes no "
			"cookies. Nothing was "
			"changed. Open the page again.");
		return false;
	}
	return true;
}

void web_answer(const struct web *w, struct web_request *q, struct web_reply *r)
{
	const struct route *t = route_find(q->method, q->path, &r->allow);

	counter_inc("web.requests");
	if (!t && r->allow) {
		web_refused(q, "method", "");
		web_say(w, r, 405, "Not like that", "This address is not asked in this way.");
	} else if (!t) {
		web_refused(q, "path", "");
		web_say(w, r, 404, "There is no such page", "The address may be mistyped.");
	} else if (strcmp(t->method, "POST") || post_check(w, t, q, r)) {
		begin(r, 200);
		t->answer(w, q, r);
	}
	form_wipe(&q->form);
	if (r->body.bad) {
		log_error("web", "%s %s: the page could not be made", q->method, q->path);
		html_free(&r->body);
		r->status = 500;
	}
}

void web_reply_wipe(struct web_reply *r)
{
	html_free(&r->body);
	crypto_wipe(r, sizeof(*r));
}
