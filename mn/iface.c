/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The default route is two halves, 0.0.0.0/1 and 128.0.0.0/1: they win over any default route that is there,
 * whatever its metric, and leave it alone.
 */
#include "mn/iface.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nethelper/rt.h"
#include "nethelper/sysctl.h"

struct iface {
	char name[IFNAMSIZ];
	unsigned index;
	struct rt *rt;
	bool attached;
	struct in_addr addr;
	uint8_t len;
	bool addr_ours; /* we added it: we remove it */
	int len_before; /* prefix length that addr was there with; -1 = it was not */
	struct in_addr agent;
	unsigned held_by; /* device that the routes lead to; 0 = this one */
	char arp_ignore[16]; /* as it was; "" = not changed */
};

static const struct {
	uint32_t net;
	uint8_t len;
} halves[] = {{0, 1}, {0x80000000, 1}};

struct iface *iface_open(const char *name, char *why, size_t why_len)
{
	struct iface *i = calloc(1, sizeof(*i));

	if (i == NULL) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	snprintf(i->name, sizeof(i->name), "%s", name);
	i->index = if_nametoindex(name);
	if (i->index != 0)
		i->rt = rt_open();
	if (i->rt != NULL)
		return i;
	snprintf(why, why_len, "%s: %s", i->index == 0 ? name : "rtnetlink", strerror(errno));
	free(i);
	return NULL;
}

unsigned iface_index(const struct iface *i)
{
	return i->index;
}

void iface_close(struct iface *i)
{
	if (i == NULL)
		return;
	rt_close(i->rt);
	free(i);
}

/* RFC 5944 4.6: away from home no ARP is answered; the agent knows our link-layer address from the
 * registration. */
static void arp_quiet(struct iface *i, bool quiet)
{
	char path[64];

	snprintf(path, sizeof(path), "ipv4/conf/%s/arp_ignore", i->name);
	if (quiet && i->arp_ignore[0] == '\0') {
		sysctl_set(path, "8", i->arp_ignore, sizeof(i->arp_ignore));
	} else if (!quiet && i->arp_ignore[0] != '\0') {
		sysctl_set(path, i->arp_ignore, NULL, 0);
		i->arp_ignore[0] = '\0';
	}
}

static void drop_address(struct iface *i)
{
	if (i->addr_ours)
		rt_addr_set(i->rt, false, i->index, i->addr, i->len);
	if (i->len_before >= 0 && i->len_before != i->len)
		rt_addr_set(i->rt, true, i->index, i->addr, (uint8_t)i->len_before);
	i->addr_ours = false;
}

/* The home address may be there already, with the home link's prefix: abroad that prefix is not on
 * this link. */
static int take_address(struct iface *i, struct in_addr addr, uint8_t len)
{
	int error = 0;

	i->addr = addr;
	i->len = len;
	i->len_before = rt_addr_len(i->rt, i->index, addr);
	if (i->len_before == len)
		return 0;
	if (i->len_before >= 0)
		error = rt_addr_set(i->rt, false, i->index, addr, (uint8_t)i->len_before);
	if (error == 0)
		error = rt_addr_set(i->rt, true, i->index, addr, len);
	i->addr_ours = error == 0;
	return error;
}

static int set_routes(struct iface *i, bool add, unsigned index)
{
	int error = 0;

	for (size_t h = 0; h < sizeof(halves) / sizeof(halves[0]) && (error == 0 || !add); h++)
		error = rt_gateway_set(i->rt, add, (struct in_addr){htonl(halves[h].net)}, halves[h].len,
				       i->agent, index, i->addr);
	return error;
}

int iface_attach(struct iface *i, const struct mn_action *a, char *why, size_t why_len)
{
	struct in_addr old_agent = i->agent;
	bool had_agent = i->attached && old_agent.s_addr != a->agent.s_addr;
	const char *what = "address";
	int error = 0;

	if (i->attached && (i->addr.s_addr != a->home_address.s_addr || i->len != a->prefix_len))
		iface_detach(i);
	if (!i->attached)
		error = take_address(i, a->home_address, a->prefix_len);
	i->attached = true;
	i->agent = a->agent;
	arp_quiet(i, !a->home);
	if (error == 0) {
		what = "neighbour";
		error = rt_neigh_set(i->rt, true, a->agent, i->index, a->mac);
	}
	if (error == 0) {
		what = "routes";
		error = set_routes(i, true, i->index);
	}
	if (error == 0)
		i->held_by = 0;
	if (had_agent)
		rt_neigh_set(i->rt, false, old_agent, i->index, NULL);
	if (error != 0)
		snprintf(why, why_len, "%s of %s: %s", what, i->name, rt_why(i->rt, error));
	return error == 0 ? 0 : -1;
}

/* In place of those that are there: at no moment there are none. */
int iface_hold(struct iface *i, unsigned into, char *why, size_t why_len)
{
	int error = i->attached ? set_routes(i, true, into) : ENOTCONN;

	if (i->attached)
		i->held_by = into;
	if (error != 0)
		snprintf(why, why_len, "routes into number %u: %s", into, rt_why(i->rt, error));
	return error == 0 ? 0 : -1;
}

void iface_unhold(struct iface *i)
{
	unsigned held_by = i->held_by;

	if (held_by == 0)
		return;
	i->held_by = 0;
	if (set_routes(i, true, i->index) != 0) /* an interface that is down takes none */
		set_routes(i, false, held_by);
}

void iface_detach(struct iface *i)
{
	if (!i->attached)
		return;
	set_routes(i, false, i->held_by != 0 ? i->held_by : i->index);
	i->held_by = 0;
	rt_neigh_set(i->rt, false, i->agent, i->index, NULL);
	drop_address(i);
	arp_quiet(i, false);
	i->attached = false;
}
