/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Session tokens: 32 random bytes in a cookie, and what is derived of them.  Pure but for crypto_random().
 * Two cookies: one of the session, and one for the form of the sign-in, which exists before there is a
 * session.
 */
#ifndef MIPVPN_PORTAL_COOKIE_H
#define MIPVPN_PORTAL_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COOKIE_TOKEN 32	      /* bytes */
#define COOKIE_HEX 65	      /* as hex digits, with a NUL */
#define COOKIE_HEADER_MAX 192 /* a Set-Cookie header */

enum cookie_kind { COOKIE_SESSION, COOKIE_FORM };

/* The token of a Cookie header (NULL: there is none).  secure: the names that only a secure origin can
 * set.  false: not there, there twice, or no token. */
bool cookie_read(const char *header, enum cookie_kind kind, bool secure, uint8_t token[COOKIE_TOKEN]);
/* A Set-Cookie header; token NULL takes the cookie away. */
void cookie_write(enum cookie_kind kind, bool secure, const uint8_t *token, char out[COOKIE_HEADER_MAX]);

/* What the database is asked with: SHA-256 of the token as hex digits.  -1 when OpenSSL refuses. */
int cookie_handle(const uint8_t token[COOKIE_TOKEN], char out[COOKIE_HEX]);
/* The hidden field of each form: HMAC-SHA-256 under the token, hex.  Whoever has not the cookie cannot
 * know it. */
int cookie_form_word(const uint8_t token[COOKIE_TOKEN], char out[COOKIE_HEX]);
bool cookie_form_ok(const uint8_t token[COOKIE_TOKEN], const char *word); /* constant time */

#endif
