/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IP-in-IP tunnels, one device mipN per pair of ends: the kernel's ipip, or ours in user space.  Each device
 * has a table of its own with nothing but a default route into it; reverse tunnels and encapsulated profiles
 * look there.
 */
#include "nethelper/net_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"

#define NAMES_MAX 65536

uint32_t tunnel_table(const struct tunnel *t)
{
	return NH_TABLE_REVERSE + t->ifindex;
}

struct tunnel *tunnel_find(struct net *n, const struct nh_request *r)
{
	struct tunnel_ends ends = {.local = r->local, .peer = r->peer};
	struct tunnel *t;

	HASH_FIND(hh, n->tunnels, &ends, sizeof(ends), t);
	if (t == NULL)
		net_fail(n, ENOENT, "there is no such tunnel: ipip-add comes first");
	return t;
}

void tunnel_use(struct tunnel *t)
{
	t->uses++;
}

static void tunnel_remove(struct net *n, struct tunnel *t)
{
	if (t->dev != NULL)
		ipip_del(n->ipip, t->dev);
	else if (t->ifindex != 0)
		rt_link_del(n->rt, t->ifindex);
	free(t);
}

static void tunnel_end(struct net *n, struct tunnel *t)
{
	if (t->refs > 0 || t->uses > 0)
		return;
	HASH_DEL(n->tunnels, t);
	tunnel_remove(n, t);
}

void tunnel_release(struct net *n, struct tunnel *t)
{
	t->uses--;
	tunnel_end(n, t);
}

void tunnel_forget_all(struct net *n)
{
	struct tunnel *t, *t2;

	HASH_ITER(hh, n->tunnels, t, t2)
	{
		HASH_DEL(n->tunnels, t);
		tunnel_remove(n, t);
	}
}

/* RFC 2003: the outer source is ours.  Binding to it is the kernel's own answer to whether it is. */
static bool is_local(struct in_addr addr)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = addr};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static int make_device(struct net *n, struct tunnel *t)
{
	int error = EEXIST;

	for (unsigned i = 0; i < NAMES_MAX && error == EEXIST; i++) {
		snprintf(t->name, sizeof(t->name), "mip%u", i);
		if (if_nametoindex(t->name) != 0)
			continue;
		if (n->ipip == NULL) {
			error = rt_ipip_add(n->rt, t->name, t->ends.local, t->ends.peer);
		} else {
			t->dev = ipip_add(n->ipip, t->name, t->ends.local, t->ends.peer);
			error = t->dev != NULL ? 0 : errno;
		}
	}
	if (error == 0)
		t->ifindex = if_nametoindex(t->name);
	return error;
}

/* No reverse path filter: what comes out of a tunnel at the FA has a source that is routed elsewhere, and the
 * device has no address, without which the loose filter refuses everything.  Chain tunnel_in says who may
 * come out of it. */
static int configure_device(struct net *n, const struct tunnel *t)
{
	char path[96];
	int error;

	snprintf(path, sizeof(path), "ipv6/conf/%s/disable_ipv6", t->name);
	sysctl_set(path, "1", NULL, 0);
	snprintf(path, sizeof(path), "ipv4/conf/%s/rp_filter", t->name);
	sysctl_set(path, "0", NULL, 0);
	error = rt_link_up(n->rt, t->ifindex, n->ipip != NULL ? IPIP_MTU : 0);
	if (error == 0)
		error = rt_route_set(n->rt, true, tunnel_table(t), (struct in_addr){0}, 0, t->ifindex);
	return error;
}

static int tunnel_new(struct net *n, const struct nh_request *r)
{
	struct tunnel *t;
	int error;

	if (!is_local(r->local))
		return net_fail(n, EADDRNOTAVAIL, "the tunnel's own end is no address of this host");
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ENOMEM;
	t->ends = (struct tunnel_ends){.local = r->local, .peer = r->peer};
	error = make_device(n, t);
	if (error == 0)
		error = configure_device(n, t);
	if (error != 0) {
		net_rt_fail(n, error, "making the tunnel device");
		tunnel_remove(n, t);
		return error;
	}
	t->refs = 1;
	HASH_ADD(hh, n->tunnels, ends, sizeof(t->ends), t);
	log_info("ipip", "%s to %s is up", t->name, inet_ntoa(t->ends.peer));
	return 0;
}

int do_ipip_add(struct net *n, const struct nh_request *r)
{
	struct tunnel *t = tunnel_find(n, r);

	if (t == NULL) {
		n->why[0] = '\0';
		return tunnel_new(n, r);
	}
	t->refs++;
	return 0;
}

int do_ipip_del(struct net *n, const struct nh_request *r)
{
	struct tunnel *t = tunnel_find(n, r);

	if (t == NULL || t->refs == 0)
		return net_fail(n, ENOENT, "there is no such tunnel");
	t->refs--;
	tunnel_end(n, t);
	return 0;
}
