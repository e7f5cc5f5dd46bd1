/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The one way to write a page.  What is literal in the format is markup; everything that is put in is
 * escaped, so text of a user or of the database cannot become markup, whatever it is.
 *
 *	html_put(h, "<td class=\"%s\">%s, %d s</td>", class, name, seconds);
 */
#ifndef MIPVPN_PORTAL_HTML_H
#define MIPVPN_PORTAL_HTML_H

#include <stdbool.h>
#include <stddef.h>

#define HTML_MAX (1u << 20) /* bytes of a page */

struct html {
	char *text; /* not NUL-terminated; html_free() */
	size_t len, cap;
	bool bad; /* out of memory, over HTML_MAX, or a format that is none: the page is not to be sent */
};

/* %s: text, escaped for content and for attributes in double quotes; NULL is "".  %d: int.  %%: one
 * percent sign. Nothing else.  Bytes that are not UTF-8, and control characters, become U+FFFD. */
void html_put(struct html *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void html_free(struct html *h);

#endif
