/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/html.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portal/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

static void raw(struct html *h, const char *s, size_t n)
{
	if (n == 0)
		return; /* an empty text may have no memory */
	if (h->bad || n > HTML_MAX - h->len) {
		h->bad = true;
		return;
	}
	if (h->len + n > h->cap) {
		size_t cap = h->cap ? h->cap : 4096;
		char *p;

		while (cap < h->len + n)
			cap *= 2;
		p = realloc(h->text, cap);
		if (!p) {
			h->bad = true;
			return;
		}
		h->text = p;
		h->cap = cap;
	}
	memcpy(h->text + h->len, s, n);
	h->len += n;
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	}
	return NULL;
}

static void escaped(struct html *h, const char *s)
{
	size_t left = s ? strlen(s) : 0;

	while (left) {
		size_t n = utf8_char(s, left);
		const char *e = entity(*s);

		if (!n)
			raw(h, REPLACEMENT, 3);
		else if (e)
			raw(h, e, strlen(e));
		else
			raw(h, s, n);
		n = n ? n : 1;
		s += n;
		left -= n;
	}
}

static void number(struct html *h, int v)
{
	char buf[16];

	raw(h, buf, (size_t)snprintf(buf, sizeof(buf), "%d", v));
}

void html_put(struct html *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	while (*fmt) {
		size_t n = strcspn(fmt, "%");

		raw(h, fmt, n);
		fmt += n;
		if (!*fmt)
			break;
		if (fmt[1] == 's')
			escaped(h, va_arg(ap, const char *));
		else if (fmt[1] == 'd')
			number(h, va_arg(ap, int));
		else if (fmt[1] == '%')
			raw(h, "%", 1);
		else
			h->bad = true;
		if (h->bad)
			break;
		fmt += 2;
	}
	va_end(ap);
}

void html_free(struct html *h)
{
	free(h->text);
	*h = (struct html){0};
}
