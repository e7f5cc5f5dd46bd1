/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bytes as hex digits: key files, configuration, JSON with keys, the console.  Pure.
 */
#ifndef MIPVPN_HEX_H
#define MIPVPN_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Writes 2 * len lower case digits and a NUL. */
void hex_encode(const void *data, size_t len, char *out);
/* digits must be even, hex and fit; bytes written, or -1 (what was written so far is wiped). */
int hex_decode(const char *text, size_t digits, uint8_t *out, size_t cap);

#endif
