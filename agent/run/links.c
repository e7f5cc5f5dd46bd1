/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the kernel knows of interfaces.  Reading it needs no privilege.
 */
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>

#include "agent/run/agent.h"

static uint8_t mask_len(const struct sockaddr *sa)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)sa;

	return sa ? (uint8_t)__builtin_popcount(sin->sin_addr.s_addr) : 32;
}

static void take(struct link *l, const struct ifaddrs *i)
{
	if (i->ifa_addr->sa_family == AF_PACKET) {
		const struct sockaddr_ll *ll = (const struct sockaddr_ll *)(const void *)i->ifa_addr;

		l->ifindex = (unsigned)ll->sll_ifindex;
		memcpy(l->mac, ll->sll_addr, sizeof(l->mac));
	} else if (i->ifa_addr->sa_family == AF_INET && !l->addr.s_addr) {
		l->addr = ((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
		l->prefix_len = mask_len(i->ifa_netmask);
	}
}

bool links_lookup(struct link *l)
{
	struct ifaddrs *all, *i;

	l->ifindex = 0;
	l->addr.s_addr = 0;
	if (getifaddrs(&all))
		return false;
	for (i = all; i; i = i->ifa_next) {
		if (i->ifa_addr && (i->ifa_flags & IFF_UP) && strcmp(i->ifa_name, l->name) == 0)
			take(l, i);
	}
	freeifaddrs(all);
	return l->ifindex && l->addr.s_addr;
}

size_t links_own_addrs(struct in_addr *out, size_t max)
{
	struct ifaddrs *all, *i;
	size_t n = 0;

	if (getifaddrs(&all))
		return 0;
	for (i = all; i && n < max; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			out[n++] = ((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
	}
	freeifaddrs(all);
	return n;
}
