/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the agent may ask for.  This is the wall between the unprivileged agent and the kernel: a request is
 * carried out only when nh_check() found nothing wrong with it.  Pure; fuzzed (tests/fuzz/fuzz_nethelper.c).
 */
#ifndef MIPVPN_NH_CHECK_H
#define MIPVPN_NH_CHECK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "nethelper/proto.h"

#define NH_IFS_MAX 32

/* The helper's own arguments: the agent cannot change them. */
struct nh_allowed {
	char links[NH_IFS_MAX][IFNAMSIZ]; /* --link: mobile nodes are served there */
	size_t n_links;
	char homes[NH_IFS_MAX][IFNAMSIZ]; /* --home: home links */
	size_t n_homes;
	/* Name of an interface by its index, false when there is none.  if_indextoname() in the program. */
	bool (*name_of)(unsigned ifindex, char name[IFNAMSIZ]);
};

/* NULL when the request may be carried out; else the reason (static text), with *error set to an errno. */
const char *nh_check(const struct nh_request *r, const struct nh_allowed *a, int *error);
/* A name that we are ready to put into an nftables text: 1..15 of [A-Za-z0-9._-]. */
bool nh_ifname_ok(const char *name);
const char *nh_verb_str(uint32_t verb); /* static; "unknown" */

#endif
