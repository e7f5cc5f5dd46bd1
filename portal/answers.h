/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the routes answer (route.c); called by web_answer() when the request has passed its checks.
 */
#ifndef MIPVPN_PORTAL_ANSWERS_H
#define MIPVPN_PORTAL_ANSWERS_H

#include "portal/web.h"

void answer_home(const struct web *w, const struct web_request *q, struct web_reply *r);
void answer_sign_in(const struct web *w, const struct web_request *q, struct web_reply *r);
void answer_sign_out(const struct web *w, const struct web_request *q, struct web_reply *r);
void answer_add(const struct web *w, const struct web_request *q, struct web_reply *r);
void answer_change(const struct web *w, const struct web_request *q, struct web_reply *r);
void answer_remove(const struct web *w, const struct web_request *q, struct web_reply *r);
void answer_style(const struct web *w, const struct web_request *q, struct web_reply *r);
void answer_icon(const struct web *w, const struct web_request *q, struct web_reply *r);
void answer_health(const struct web *w, const struct web_request *q, struct web_reply *r);

/* The sign-in page with a form of its own cookie; nai: what the field holds; fault may be NULL. */
void answer_sign_in_page(const struct web *w, const struct web_request *q, struct web_reply *r,
			 const char *nai, const char *fault, const char *field);
/* The overview for the session of the request, or the sign-in page when there is none. */
struct page_fault;
void answer_overview(const struct web *w, const struct web_request *q, struct web_reply *r, const char *done,
		     const struct page_fault *fault);

#endif
