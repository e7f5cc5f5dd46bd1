/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A request and its reply, without HTTP's wire: web_answer() checks what is common to all routes, calls
 * the one that fits, and always leaves a reply.  Thread-safe.
 */
#ifndef MIPVPN_PORTAL_WEB_H
#define MIPVPN_PORTAL_WEB_H

#include "portal/config.h"
#include "portal/cookie.h"
#include "portal/db.h"
#include "portal/form.h"
#include "portal/html.h"

struct web {
	const struct web_config *conf;
	struct db *db;
};

struct web_request {
	const char *method, *path;
	const char *done;    /* the query's "done", or "" */
	const char *cookies; /* header, or NULL; likewise the next two */
	const char *content_type, *fetch_site;
	char address[CLIENT_TEXT]; /* whose */
	const char *body;
	size_t body_len;
	struct form form; /* of a POST, decoded by web_answer() */
};

struct web_reply {
	unsigned status;
	const char *type; /* Content-Type */
	struct html body;
	const char *location, *allow;	   /* headers, or NULL */
	char cookie[2][COOKIE_HEADER_MAX]; /* "" = none */
	int retry_after_s;		   /* 0 = none */
	bool keep;			   /* may be kept by the browser: it is the same for everybody */
};

void web_answer(const struct web *w, struct web_request *q, struct web_reply *r);
void web_reply_wipe(struct web_reply *r);

/* For routes.  A page that says one thing; a link leads back. */
void web_say(const struct web *w, struct web_reply *r, unsigned status, const char *title, const char *text);
/* A reply for a database that gives none. */
void web_say_database(const struct web *w, struct web_reply *r, enum db_status s);
/* Counts under "web.refused." + why and logs it. */
void web_refused(const struct web_request *q, const char *why, const char *more);

#endif
