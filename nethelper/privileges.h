/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIPVPN_NH_PRIVILEGES_H
#define MIPVPN_NH_PRIVILEGES_H

#include <stddef.h>

/* Keeps CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE of what the process has and gives up all else,
 * for good (bounding set, no_new_privs).  The user stays: charon's socket belongs to root.  -1 with a reason
 * when one of the three is missing. */
int privileges_drop(char *why, size_t why_len);

#endif
