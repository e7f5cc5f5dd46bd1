/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/route.h"

#include <string.h>

#include "portal/answers.h"

static const struct route routes[] = {
	{"GET", "/", answer_home, 0},
	{"POST", "/sign-in", answer_sign_in, COOKIE_FORM},
	{"POST", "/sign-out", answer_sign_out, COOKIE_SESSION},
	{"POST", "/vpn/add", answer_add, COOKIE_SESSION},
	{"POST", "/vpn/change", answer_change, COOKIE_SESSION},
	{"POST", "/vpn/remove", answer_remove, COOKIE_SESSION},
	{"GET", "/style.css", answer_style, 0},
	{"GET", "/icon.svg", answer_icon, 0},
	{"GET", "/health", answer_health, 0},
};

const struct route *route_find(const char *method, const char *path, const char **allow)
{
	if (!strcmp(method, "HEAD"))
		method = "GET";
	*allow = NULL;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, path))
			continue;
		if (!strcmp(routes[i].method, method))
			return &routes[i];
		*allow = strcmp(routes[i].method, "GET") ? "POST" : "GET, HEAD";
	}
	return NULL;
}
