/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A form's body: what is taken is text, bounded, and no markup once it is written; encoded again it is the
 * same form. The same bytes as a Cookie header and as X-Forwarded-For.
 */
#include "portal/client.h"
#include "portal/cookie.h"
#include "portal/form.h"
#include "portal/html.h"
#include "portal/utf8.h"
#include "tests/fuzz/check.h"

#include <stdio.h>
#include <string.h>

static size_t encode(const char *s, char *out)
{
	size_t n = 0;

	for (; *s; s++)
		n += (size_t)sprintf(out + n, "%%%02x", (unsigned char)*s);
	return n;
}

static void check_again(const struct form *f)
{
	static char body[3 * FORM_FIELDS_MAX * (FORM_NAME_MAX + FORM_VALUE_MAX + 4)];
	struct form g;
	size_t n = 0;

	for (unsigned i = 0; i < f->n; i++) {
		n += encode(f->field[i].name, body + n);
		body[n++] = '=';
		n += encode(f->field[i].value, body + n);
		body[n++] = '&';
	}
	if (n > FORM_BODY_MAX)
		return;
	FUZZ_CHECK(form_decode(body, n, &g) == FORM_OK && g.n == f->n);
	for (unsigned i = 0; i < f->n; i++)
		FUZZ_CHECK(!strcmp(form_get(&g, f->field[i].name), f->field[i].value));
}

static void check_html(const char *value)
{
	struct html h = {0};

	html_put(&h, "%s", value);
	FUZZ_CHECK(!h.bad);
	for (size_t i = 0; i < h.len; i++)
		FUZZ_CHECK(!strchr("<>\"'", h.text[i]) && (unsigned char)h.text[i] >= 0x20);
	FUZZ_CHECK(utf8_text(h.text, h.len));
	html_free(&h);
}

static void check_headers(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), address[CLIENT_TEXT];
	uint8_t token[COOKIE_TOKEN];

	if (!text)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	cookie_read(text, COOKIE_SESSION, true, token);
	cookie_read(text, COOKIE_FORM, false, token);
	if (client_forwarded(text, address))
		FUZZ_CHECK(client_same(address, address));
	check_html(text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct form f;

	if (form_decode((const char *)data, size, &f) == FORM_OK) {
		FUZZ_CHECK(size <= FORM_BODY_MAX && f.n <= FORM_FIELDS_MAX);
		for (unsigned i = 0; i < f.n; i++) {
			FUZZ_CHECK(f.field[i].name[0] && utf8_text(f.field[i].name, strlen(f.field[i].name)));
			FUZZ_CHECK(utf8_text(f.field[i].value, strlen(f.field[i].value)));
			check_html(f.field[i].value);
		}
		check_again(&f);
	} else {
		FUZZ_CHECK(f.n == 0);
	}
	check_headers(data, size);
	return 0;
}
