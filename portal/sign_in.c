/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signing in and out.  A sign-in makes a new token always, so a token that somebody has planted is worth
 * nothing.
 */
#include <string.h>

#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "portal/answers.h"
#include "portal/page.h"

#define TURN_WAIT_MS 15000 /* for who signs in when very many do */

void answer_sign_in_page(const struct web *w, const struct web_request *q, struct web_reply *r,
			 const char *nai, const char *fault, const char *field)
{
	uint8_t token[COOKIE_TOKEN];
	char word[COOKIE_HEX];
	struct page p = {w->conf->title, w->conf->help, word};
	struct page_fault f = {.text = fault, .field = field};

	if (!cookie_read(q->cookies, COOKIE_FORM, w->conf->secure, token)) {
		if (crypto_random(token, sizeof(token))) {
			web_say_database(w, r, DB_REFUSED);
			return;
		}
		cookie_write(COOKIE_FORM, w->conf->secure, token, r->cookie[0]);
	}
	if (cookie_form_word(token, word))
		web_say_database(w, r, DB_REFUSED);
	else
		page_sign_in(&r->body, &p, nai, &f);
	crypto_wipe(token, sizeof(token));
}

/* What stands in the log for what somebody typed: a password in the wrong field must not. */
static const char *loggable(const char *nai)
{
	return strchr(nai, '@') && !strchr(nai, ' ') ? nai : "(no user name)";
}

static void refuse(const struct web *w, const struct web_request *q, struct web_reply *r, unsigned status,
		   const char *why, const char *text)
{
	const char *nai = form_get(&q->form, "nai");

	web_refused(q, why, loggable(nai));
	answer_sign_in_page(w, q, r, nai, text, "nai");
	r->status = status;
}

static void refuse_limit(const struct web *w, const struct web_request *q, struct web_reply *r,
			 const struct store_attempt *a)
{
	bool busy = !strcmp(a->outcome, "busy");

	refuse(w, q, r, busy ? 503 : 429, a->outcome,
	       busy ? "Too many people are signing in right now. Try again in a moment."
	       : a->wait_s > 60
		       ? "There were too many attempts to sign in. Try again in a quarter of an hour."
		       : "There were too many attempts to sign in. Try again in a minute.");
	r->retry_after_s = a->wait_s;
}

/* The session is made; the browser gets its cookie, and the one of the form goes. */
static void signed_in(const struct web *w, const struct web_request *q, struct web_reply *r,
		      const uint8_t token[COOKIE_TOKEN], const char *nai)
{
	uint8_t old[COOKIE_TOKEN];
	char handle[COOKIE_HEX];
	bool was_in;

	if (cookie_read(q->cookies, COOKIE_SESSION, w->conf->secure, old) && !cookie_handle(old, handle))
		store_sign_out(w->db, handle, &was_in); /* or it ends by itself */
	cookie_write(COOKIE_SESSION, w->conf->secure, token, r->cookie[0]);
	cookie_write(COOKIE_FORM, w->conf->secure, NULL, r->cookie[1]);
	counter_inc("web.signed_in");
	log_notice("web", "%s: %s has signed in", q->address, nai);
	r->status = 303;
	r->location = "/";
}

static void finish(const struct web *w, const struct web_request *q, struct web_reply *r, const char *attempt,
		   const char *hash)
{
	uint8_t token[COOKIE_TOKEN];
	char handle[COOKIE_HEX], outcome[12] = "", nai[256] = "";
	enum db_status s = DB_REFUSED;

	if (!crypto_random(token, sizeof(token)) && !cookie_handle(token, handle))
		s = store_sign_in_finish(w->db, attempt, hash, handle, (int)w->conf->idle_s,
					 (int)w->conf->most_s, outcome, nai);
	if (s)
		web_say_database(w, r, s);
	else if (!strcmp(outcome, "ok"))
		signed_in(w, q, r, token, nai);
	else if (!strcmp(outcome, "stale"))
		refuse(w, q, r, 503, "stale", "That took too long. Try again.");
	else
		refuse(w, q, r, 403, "password", "User name or password is wrong.");
	crypto_wipe(token, sizeof(token));
}

/* Within a turn: few sign-ins at once, whatever comes of them. */
static void in_turn(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	char hash[PASSWORD_HASH];
	struct store_attempt a;
	enum db_status s = store_sign_in_begin(w->db, form_get(&q->form, "nai"), q->address, &a);

	if (s)
		web_say_database(w, r, s);
	else if (strcmp(a.outcome, "ok"))
		refuse_limit(w, q, r, &a);
	else if (password_hash(form_get(&q->form, "password"), a.setting, hash))
		web_say_database(w, r, DB_REFUSED);
	else
		finish(w, q, r, a.id, hash);
	crypto_wipe(hash, sizeof(hash));
}

void answer_sign_in(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	const char *nai = form_get(&q->form, "nai"), *password = form_get(&q->form, "password");

	if (!nai[strspn(nai, " ")] || !password[0]) {
		refuse(w, q, r, 422, "empty", "Enter your user name and your password.");
		return;
	}
	if (!password_enter(TURN_WAIT_MS)) {
		refuse(w, q, r, 503, "turn",
		       "Too many people are signing in right now. Try again in a moment.");
		r->retry_after_s = 5;
		return;
	}
	in_turn(w, q, r);
	password_leave();
}

void answer_sign_out(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	uint8_t token[COOKIE_TOKEN];
	char handle[COOKIE_HEX];
	enum db_status s = DB_OK;
	bool was_in;

	if (cookie_read(q->cookies, COOKIE_SESSION, w->conf->secure, token) && !cookie_handle(token, handle))
		s = store_sign_out(w->db, handle, &was_in);
	crypto_wipe(token, sizeof(token));
	if (s) {
		web_say_database(w, r, s);
		return;
	}
	counter_inc("web.signed_out");
	cookie_write(COOKIE_SESSION, w->conf->secure, NULL, r->cookie[0]);
	r->status = 303;
	r->location = "/";
}
