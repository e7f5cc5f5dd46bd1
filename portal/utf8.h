/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UTF-8 (RFC 3629), as it comes from outside.  Pure.
 */
#ifndef MIPVPN_PORTAL_UTF8_H
#define MIPVPN_PORTAL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at s (1..4), or 0: not UTF-8, or a control character (C0, DEL, C1). */
size_t utf8_char(const char *s, size_t len);
/* All of it, without a control character. */
bool utf8_text(const char *s, size_t len);

#endif
