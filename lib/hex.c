/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/hex.h"
#include "lib/crypto.h"

#include <limits.h>

void hex_encode(const void *data, size_t len, char *out)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digit[b[i] >> 4];
		*out++ = digit[b[i] & 15];
	}
	*out = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *text, size_t digits, uint8_t *out, size_t cap)
{
	size_t len = digits / 2;

	if (digits % 2 || len > cap || len > INT_MAX)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int hi = nibble(text[2 * i]), lo = nibble(text[2 * i + 1]);

		if (hi < 0 || lo < 0) {
			crypto_wipe(out, len);
			return -1;
		}
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return (int)len;
}
