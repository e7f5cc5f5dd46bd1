/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/utf8.h"

#include <stdint.h>

/* How many bytes follow the first one, and the smallest code point that needs so many. */
static int following(uint8_t c, uint32_t *code, uint32_t *least)
{
	if (c >= 0xc2 && c <= 0xdf) {
		*code = c & 0x1f;
		*least = 0x80;
		return 1;
	}
	if (c >= 0xe0 && c <= 0xef) {
		*code = c & 0x0f;
		*least = 0x800;
		return 2;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		*code = c & 0x07;
		*least = 0x10000;
		return 3;
	}
	return -1;
}

size_t utf8_char(const char *s, size_t len)
{
	const uint8_t *p = (const uint8_t *)s;
	uint32_t code, least;
	int more;

	if (!len)
		return 0;
	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	more = following(p[0], &code, &least);
	if (more < 0 || (size_t)more >= len)
		return 0;
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || code < 0xa0)
		return 0;
	return (size_t)more + 1;
}

bool utf8_text(const char *s, size_t len)
{
	while (len) {
		size_t n = utf8_char(s, len);

		if (!n)
			return false;
		s += n;
		len -= n;
	}
	return true;
}
