/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pages.  Pure: what they show is an argument, and goes through html_put().
 */
#ifndef MIPVPN_PORTAL_PAGE_H
#define MIPVPN_PORTAL_PAGE_H

#include "portal/html.h"
#include "portal/store.h"

struct page {
	const char *title, *help; /* of the installation */
	const char *form_word;	  /* hidden in each form */
};
/* What went wrong with what was sent, and what was sent: it is shown again. */
struct page_fault {
	const char *text;  /* NULL = nothing */
	const char *field; /* id of the field that it is about, or NULL */
	const char *name, *network, *part, *up, *down, *security; /* of the form "add", or NULL */
};

void page_begin(struct html *h, const struct page *p, const char *heading, const char *nai);
void page_end(struct html *h, const struct page *p);
void page_sign_in(struct html *h, const struct page *p, const char *nai, const struct page_fault *fault);
/* done: what was done, in words, or NULL. */
void page_overview(struct html *h, const struct page *p, const struct store_view *v, const char *done,
		   const struct page_fault *fault);
/* The box at the top, linked to the field. */
void page_fault_box(struct html *h, const struct page_fault *fault);
/* Parts of the overview. */
void page_vpns(struct html *h, const struct page *p, const struct store_view *v);
void page_add_form(struct html *h, const struct page *p, const struct store_view *v,
		   const struct page_fault *fault);
/* The three choices that a VPN has; suffix makes ids unique. */
struct page_choice {
	const char *suffix, *up, *down, *security, *up_default, *down_default;
};
void page_choices(struct html *h, const struct store_view *v, const struct page_choice *c);
/* "2 hours", "5 minutes". */
void page_time(struct html *h, long seconds);

extern const char page_style[], page_icon[];

#endif
