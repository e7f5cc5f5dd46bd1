/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIPVPN_NH_SYSCTL_H
#define MIPVPN_NH_SYSCTL_H

#include <stddef.h>

/* Writes one value below /proc/sys/net of this network namespace; old (may be NULL) gets what was there.
 * CAP_NET_ADMIN is enough.  0 or an errno. */
int sysctl_set(const char *path, const char *value, char *old, size_t old_len);

#endif
