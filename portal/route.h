/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which request is answered by what: one table.
 */
#ifndef MIPVPN_PORTAL_ROUTE_H
#define MIPVPN_PORTAL_ROUTE_H

#include "portal/web.h"

struct route {
	const char *method, *path; /* HEAD is as GET */
	void (*answer)(const struct web *w, const struct web_request *q, struct web_reply *r);
	/* For POST: whose form word must be in the form, and what is shown when it is not. */
	enum cookie_kind form;
};

/* The route; or NULL, and *allow the methods that the path has, NULL when there is no such path. */
const struct route *route_find(const char *method, const char *path, const char **allow);

#endif
