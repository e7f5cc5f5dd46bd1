/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Giving up root for good.
 */
#ifndef MIPVPN_RUN_PRIVS_H
#define MIPVPN_RUN_PRIVS_H

#include <stddef.h>

/* Makes the directory of path when it is missing, for user; called while still root.  0, or -1 with a reason.
 */
int privs_make_dir(const char *path, const char *user, char *err, size_t err_len);
/* Becomes user with that user's groups and nothing else: no capabilities, no new privileges by exec.  Not an
 * error when the process is that user already.  0, or -1 with a reason (the process must end then). */
int privs_drop(const char *user, char *err, size_t err_len);

#endif
