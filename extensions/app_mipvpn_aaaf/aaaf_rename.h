/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Translation of Session-Ids in libfdcore's messages; parsed by the dictionary, 0 or errno.
 */
#ifndef MIPVPN_AAAF_RENAME_H
#define MIPVPN_AAAF_RENAME_H

#include <freeDiameter/extension.h>

/* A request whose Session-Id is was gets another one, and another Destination-Host (NULL: stays). */
int aaaf_rename(struct msg *m, const char *own_host, const char *was, const char *session, const char *host);
/* m, the answer to request (or request itself), is called again what request was; 0 too when it never had
 * another name. */
int aaaf_rename_back(struct msg *request, struct msg *m, const char *own_host);

#endif
