/* SPDX-License-Identifier: BSD-3-Clause
 *
 * yescrypt by libcrypt.  One hash takes 50 to 100 ms of a processor and 16 MB, so only as many are made at
 * once as there are processors (4..16), and who would have to wait for too long is told so.
 */
#ifndef MIPVPN_PORTAL_PASSWORD_H
#define MIPVPN_PORTAL_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_HASH 384 /* CRYPT_OUTPUT_SIZE */
#define PASSWORD_MAX 511  /* bytes */

/* Waits up to wait_ms for a turn, which ends with password_leave(); false: too many want one. */
bool password_enter(unsigned wait_ms);
void password_leave(void);
/* crypt(3); within a turn.  -1: not a setting of yescrypt.  out is to be wiped by the caller. */
int password_hash(const char *password, const char *setting, char out[PASSWORD_HASH]);
/* A new salt, and the hash with it, for mipvpn.portal_set_password().  -1: libcrypt has no yescrypt. */
int password_new(const char *password, char out[PASSWORD_HASH]);
/* Reads one line from standard input (without echo on a terminal) and prints its hash.  Exit status. */
int password_command(void);

#endif
