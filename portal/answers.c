/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The start page, static files, and changes.
 */
#include "portal/answers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "portal/page.h"

/* The session's handle for the database, and the word of its forms; false: no cookie. */
static bool session_of(const struct web *w, const struct web_request *q, char handle[COOKIE_HEX],
		       char word[COOKIE_HEX])
{
	uint8_t token[COOKIE_TOKEN];
	bool ok = cookie_read(q->cookies, COOKIE_SESSION, w->conf->secure, token) &&
		  !cookie_handle(token, handle) && !cookie_form_word(token, word);

	crypto_wipe(token, sizeof(token));
	return ok;
}

void answer_overview(const struct web *w, const struct web_request *q, struct web_reply *r, const char *done,
		     const struct page_fault *fault)
{
	char handle[COOKIE_HEX], word[COOKIE_HEX];
	struct page p = {w->conf->title, w->conf->help, word};
	struct store_view *v;
	enum db_status s = DB_OK;
	bool in = false;

	if (!session_of(w, q, handle, word)) {
		answer_sign_in_page(w, q, r, "", NULL, NULL);
		return;
	}
	v = malloc(sizeof(*v));
	if (!v)
		s = DB_BUSY;
	else
		s = store_view(w->db, handle, v, &in);
	if (s)
		web_say_database(w, r, s);
	else if (!in)
		answer_sign_in_page(w, q, r, "", NULL, NULL);
	else
		page_overview(&r->body, &p, v, done, fault);
	free(v);
	crypto_wipe(word, sizeof(word));
}

void answer_home(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	static const struct {
		const char *word, *text;
	} done[] = {
		{"add", "The destination was added."},
		{"change", "Your choice was saved."},
		{"remove", "The destination was removed."},
		{NULL, NULL},
	};
	size_t i = 0;

	while (done[i].word && strcmp(done[i].word, q->done))
		i++;
	answer_overview(w, q, r, done[i].text, NULL);
}

/* --- changes --- */

static void pause_ms(long ms)
{
	struct timespec t = {.tv_nsec = ms * 1000000};

	nanosleep(&t, NULL);
}

/* The AAAH hears of the change at once.  The page is shown when the user's session is as he wants it, or
 * when that takes too long: then it says what is still to come. */
static void wait_settled(const struct web *w, const char *handle)
{
	bool settled = false;

	for (uint32_t waited = 0; waited < w->conf->live_wait_ms && !settled; waited += 50) {
		if (waited)
			pause_ms(50);
		if (store_settled(w->db, handle, &settled))
			return;
	}
	counter_inc(settled ? "web.settled" : "web.unsettled");
}

/* Why a change was refused, for people; and the field that it is about. */
static const struct refusal {
	const char *word;
	unsigned status;
	const char *text, *field;
} refusals[] = {
	{"no-network", 422,
	 "Enter an IPv4 address, or a network such as 10.9.0.0/28 whose host bits are zero.", "part"},
	{"not-allowed", 422, "None of your contracts opens this destination to you.", "part"},
	{"exists", 422, "You have chosen this destination already.", "network"},
	{"too-many", 422, "You have 32 destinations, which is as many as there can be. Remove one first.",
	 "network"},
	{"long-name", 422, "The name is too long: at most 60 characters.", "name"},
	{"no-class", 422, "This quality cannot be chosen.", NULL},
	{"no-security", 422, "This kind of security cannot be chosen.", NULL},
	{"no-vpn", 404, "You have no such VPN any more.", NULL},
	{"stopped", 403, "Your provider has switched this VPN off; it cannot be changed here.", NULL},
	{"suspended", 403, "Your subscription is suspended; nothing can be changed.", NULL},
	{NULL, 422, "The service did not take it.", NULL},
};

static void changed(const struct web *w, const struct web_request *q, struct web_reply *r, const char *handle,
		    const char *word, const char *home, struct page_fault *fault)
{
	const struct refusal *f = refusals;

	if (!strcmp(word, "ok")) {
		counter_inc("web.changed");
		log_info("web", "%s: %s: done", q->address, q->path);
		wait_settled(w, handle);
		r->status = 303;
		r->location = home;
		return;
	}
	web_refused(q, word, "");
	if (!strcmp(word, "signed-out")) {
		answer_sign_in_page(w, q, r, "", "You were signed out in the meantime. Sign in again.",
				    "nai");
		r->status = 403;
		return;
	}
	while (f->word && strcmp(f->word, word))
		f++;
	fault->text = f->text;
	fault->field = f->field;
	answer_overview(w, q, r, NULL, fault);
	if (r->status == 200)
		r->status = f->status;
}

typedef enum db_status (*store_fn)(struct db *, const char *, const struct store_choice *, char[16]);

static void change(const struct web *w, const struct web_request *q, struct web_reply *r, store_fn fn,
		   const struct store_choice *c, const char *home, struct page_fault *fault)
{
	char handle[COOKIE_HEX], form_word[COOKIE_HEX], word[16];
	enum db_status s;

	if (!session_of(w, q, handle, form_word)) {
		answer_sign_in_page(w, q, r, "", NULL, NULL);
		return;
	}
	crypto_wipe(form_word, sizeof(form_word));
	s = fn(w->db, handle, c, word);
	if (s)
		web_say_database(w, r, s);
	else
		changed(w, q, r, handle, word, home, fault);
}

void answer_add(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	const char *network = form_get(&q->form, "network"), *part = form_get(&q->form, "part");
	struct store_choice c = {.destination = part[strspn(part, " ")] ? part : network,
				 .name = form_get(&q->form, "name"),
				 .up = form_get(&q->form, "up"),
				 .down = form_get(&q->form, "down"),
				 .security = form_get(&q->form, "security")};
	struct page_fault fault = {.name = c.name,
				   .network = network,
				   .part = part,
				   .up = c.up,
				   .down = c.down,
				   .security = c.security};

	change(w, q, r, store_add, &c, "/?done=add", &fault);
}

void answer_change(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	struct store_choice c = {.number = form_get(&q->form, "number"),
				 .up = form_get(&q->form, "up"),
				 .down = form_get(&q->form, "down"),
				 .security = form_get(&q->form, "security")};
	struct page_fault fault = {0};

	change(w, q, r, store_change, &c, "/?done=change", &fault);
}

void answer_remove(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	struct store_choice c = {.number = form_get(&q->form, "number")};
	struct page_fault fault = {0};

	change(w, q, r, store_remove, &c, "/?done=remove", &fault);
}

/* --- the same for everybody --- */

static void fixed(struct web_reply *r, const char *type, const char *text)
{
	r->type = type;
	r->keep = true;
	/* Goes through no escaping: it is ours from the first byte to the last. */
	r->body.text = strdup(text);
	r->body.len = r->body.text ? strlen(text) : 0;
	r->body.cap = r->body.len;
	r->body.bad = !r->body.text;
}

void answer_style(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	fixed(r, "text/css; charset=utf-8", page_style);
}

void answer_icon(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	fixed(r, "image/svg+xml", page_icon);
}

void answer_health(const struct web *w, const struct web_request *q, struct web_reply *r)
{
	int version;
	enum db_status s = store_version(w->db, &version);

	fixed(r, "text/plain; charset=utf-8",
	      s				     ? "no database\n"
	      : version < STORE_SCHEMA_LEAST ? "old schema\n"
					     : "ok\n");
	r->keep = false;
	if (s || version < STORE_SCHEMA_LEAST)
		r->status = 503;
}
