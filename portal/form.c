/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/form.h"

#include <string.h>

#include "lib/crypto.h"
#include "lib/hex.h"
#include "portal/utf8.h"

/* Decodes into out of cap bytes, with a NUL. */
static enum form_error decode(const char *s, size_t len, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)s[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (len - i < 3 || hex_decode(s + i + 1, 2, &c, 1) != 1)
				return FORM_BAD_CODE;
			i += 2;
		}
		if (n + 1 >= cap)
			return FORM_TOO_LONG;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return utf8_text(out, n) ? FORM_OK : FORM_NOT_TEXT;
}

static enum form_error take_field(const char *s, size_t len, struct form *out)
{
	const char *eq = memchr(s, '=', len);
	size_t name_len = eq ? (size_t)(eq - s) : len;
	struct form_field *f = &out->field[out->n];
	enum form_error e;

	if (!name_len)
		return FORM_BAD_CODE;
	if (out->n == FORM_FIELDS_MAX)
		return FORM_TOO_MANY;
	e = decode(s, name_len, f->name, sizeof(f->name));
	if (e)
		return e;
	for (unsigned i = 0; i < out->n; i++) {
		if (!strcmp(out->field[i].name, f->name))
			return FORM_TWICE;
	}
	e = eq ? decode(eq + 1, len - name_len - 1, f->value, sizeof(f->value)) : FORM_OK;
	out->n += !e;
	return e;
}

enum form_error form_decode(const char *body, size_t len, struct form *out)
{
	enum form_error e = len > FORM_BODY_MAX ? FORM_TOO_LONG : FORM_OK;

	memset(out, 0, sizeof(*out));
	while (!e && len) {
		const char *amp = memchr(body, '&', len);
		size_t n = amp ? (size_t)(amp - body) : len;

		e = take_field(body, n, out);
		n += amp != NULL;
		body += n;
		len -= n;
	}
	if (e)
		form_wipe(out);
	return e;
}

const char *form_get(const struct form *f, const char *name)
{
	for (unsigned i = 0; i < f->n; i++) {
		if (!strcmp(f->field[i].name, name))
			return f->field[i].value;
	}
	return "";
}

void form_wipe(struct form *f)
{
	crypto_wipe(f, sizeof(*f));
}

const char *form_error_word(enum form_error e)
{
	static const char *const words[] = {
		[FORM_OK] = "ok",
		[FORM_TOO_LONG] = "too-long",
		[FORM_TOO_MANY] = "too-many",
		[FORM_BAD_CODE] = "bad-code",
		[FORM_NOT_TEXT] = "not-text",
		[FORM_TWICE] = "twice",
	};

	return words[e];
}
