/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets to a home address that wait while its user moves: a rule in front of all others but the profiles' own leads
 * them into a TUN device, and they are read from there.  When they may go on they are written back into the device,
 * from which another rule leads them as if nothing were held; only when none is left the first rule goes, so that
 * no packet that arrives meanwhile overtakes them (but one that comes in that very moment may).
 *
 * What was of a profile when it came has to be of one when it goes on, and the reverse: chain in_ipsec takes what comes
 * out of this device for what came out of a tunnel.
 */
#include "nethelper/net_impl.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/counter.h"
#include "lib/log.h"

#define MTU 65535	/* waiting is no link: what is too big for the next one is told by that one */
#define BURST 256	/* packets per turn of the loop, and written before the next devices get their turn */
#define ROUNDS 16	/* of writing what came while the earlier ones were written */
#define LINGER_MS 1000	/* of the device without anything to hold: making it takes time */

/* --- reading --- */

static struct hold_entry *hold_find(struct net *n, struct in_addr addr)
{
	struct hold_entry *e;

	HASH_FIND(hh, n->hold.entries, &addr, sizeof(addr), e);
	return e;
}

static void hold_take_in(struct net *n, const uint8_t *packet, size_t len)
{
	struct hold_entry *e = NULL;
	struct ipip_inner ip;
	unsigned lost;

	if (ipip_inner_parse(packet, len, &ip))
		e = hold_find(n, ip.dst);
	if (e == NULL) {
		counter_inc("hold.stray");
		return;
	}
	lost = hold_queue_put(&e->queue, packet, ip.len, path_covers(n, e->addr, ip.src));
	e->lost += lost;
	for (; lost > 0; lost--)
		counter_inc("hold.overflow");
}

/* At most `most` packets from the device into the queues. */
static void hold_read(struct net *n, unsigned most)
{
	for (; most > 0; most--) {
		ssize_t len = read(n->hold.fd, n->hold.packet, sizeof(n->hold.packet));

		if (len <= 0)
			return;
		hold_take_in(n, n->hold.packet, (size_t)len);
	}
}

static void hold_ready(struct watch *w)
{
	struct net *n = ((struct hold *)w)->net;

	if (n->hold.fd >= 0)
		hold_read(n, BURST);
}

/* --- writing --- */

static void hold_write(struct net *n, struct hold_entry *e, struct held_packet *p)
{
	struct ipip_inner ip;

	if (!ipip_inner_parse(p->data, p->len, &ip) || path_covers(n, e->addr, ip.src) != p->covered) {
		counter_inc("hold.profile_gone");
		return;
	}
	hold_ttl_restore(p->data);
	counter_inc(write(n->hold.fd, p->data, p->len) < 0 ? "hold.failed" : "hold.released");
}

static void hold_write_all(struct net *n, struct hold_entry *e)
{
	struct held_packet *p;

	for (unsigned i = 1; (p = hold_queue_take(&e->queue)) != NULL; i++) {
		hold_write(n, e, p);
		free(p);
		if (i % BURST == 0 && n->ipip != NULL)
			ipip_carry(n->ipip);
	}
}

/* --- the device --- */

static int hold_rule(struct net *n, bool add, struct in_addr addr)
{
	struct rt_rule rule = {
		.pref = NH_PREF_HOLD, .table = NH_TABLE_HOLD, .dst = {.addr = addr, .len = 32}};

	return net_rt_fail(n, rt_rule_set(n->rt, add, &rule), "setting the rule of what is held");
}

static int hold_device_rules(struct net *n, bool add)
{
	struct rt_rule out = {.pref = NH_PREF_HOLD_OUT, .table = NH_TABLE_MIP, .iif = FW_HOLD_DEVICE};
	struct rt_rule nowhere = {.pref = NH_PREF_HOLD, .table = NH_TABLE_HOLD, .iif = FW_HOLD_DEVICE};
	int error = rt_rule_set(n->rt, add, &out);

	if (error == 0 || !add)
		error = rt_rule_set(n->rt, add, &nowhere);
	return error;
}

/* As IP-in-IP devices, no reverse path filter.  Sources may be our own, and what has come out of an IPsec tunnel was
 * checked against its policy then. */
static int hold_device_configure(struct net *n)
{
	static const char *const settings[][2] = {
		{"ipv6/conf/" FW_HOLD_DEVICE "/disable_ipv6", "1"},
		{"ipv4/conf/" FW_HOLD_DEVICE "/rp_filter", "0"},
		{"ipv4/conf/" FW_HOLD_DEVICE "/accept_local", "1"},
		{"ipv4/conf/" FW_HOLD_DEVICE "/disable_policy", "1"},
		{"ipv4/conf/" FW_HOLD_DEVICE "/send_redirects", "0"},
	};
	int error;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		sysctl_set(settings[i][0], settings[i][1], NULL, 0);
	error = rt_link_up(n->rt, n->hold.ifindex, MTU);
	if (error == 0)
		error = rt_route_set(n->rt, true, NH_TABLE_HOLD, (struct in_addr){0}, 0, n->hold.ifindex);
	if (error == 0)
		error = hold_device_rules(n, true);
	return error;
}

static void hold_device_remove(struct net *n)
{
	if (n->hold.fd < 0)
		return;
	hold_device_rules(n, false);
	close(n->hold.fd);
	n->hold.fd = -1;
	fw_hold(n->fw, false);
}

static int hold_device_need(struct net *n)
{
	int error;

	if (n->hold.fd >= 0)
		return 0;
	n->hold.fd = tun_open(FW_HOLD_DEVICE);
	if (n->hold.fd < 0)
		return net_fail(n, errno, "making the device " FW_HOLD_DEVICE ": %m");
	fw_hold(n->fw, true);
	n->hold.ifindex = if_nametoindex(FW_HOLD_DEVICE);
	error = watch_fd(n->epoll_fd, n->hold.fd, &n->hold.watch) != 0 ? errno : hold_device_configure(n);
	if (error == 0)
		return 0;
	net_rt_fail(n, error, "setting up the device " FW_HOLD_DEVICE);
	hold_device_remove(n);
	return error;
}

/* --- verbs --- */

static void hold_end(struct net *n, struct hold_entry *e)
{
	hold_queue_clear(&e->queue);
	HASH_DEL(n->hold.entries, e);
	free(e);
	if (n->hold.entries == NULL)
		n->hold.remove_at = n->now_ms + LINGER_MS;
}

static int hold_new(struct net *n, struct in_addr addr)
{
	struct hold_entry *e;
	int error;

	if (HASH_COUNT(n->hold.entries) >= NH_HOLDS_MAX)
		return net_fail(n, ENOSPC, "packets to %u addresses are held already", NH_HOLDS_MAX);
	error = hold_device_need(n);
	e = error == 0 ? calloc(1, sizeof(*e)) : NULL;
	if (e == NULL)
		return error != 0 ? error : ENOMEM;
	e->addr = addr;
	e->until = n->now_ms + NH_HOLD_MS;
	HASH_ADD(hh, n->hold.entries, addr, sizeof(e->addr), e); /* first: what comes at once is known */
	error = hold_rule(n, true, addr);
	if (error != 0)
		hold_end(n, e);
	return error;
}

int do_hold_add(struct net *n, const struct nh_request *r)
{
	struct hold_entry *e = hold_find(n, r->addr);

	if (e == NULL)
		return hold_new(n, r->addr);
	e->until = n->now_ms + NH_HOLD_MS;
	e->ending = false;
	return 0;
}

/* They go on when all of this batch is in force: net_holds_release(). */
int do_hold_del(struct net *n, const struct nh_request *r)
{
	struct hold_entry *e = hold_find(n, r->addr);

	if (e == NULL)
		return 0;
	hold_read(n, TUN_QUEUE);
	n->value = e->lost;
	e->ending = true;
	return 0;
}

static void hold_release(struct net *n, struct hold_entry *e)
{
	unsigned lost = e->lost;

	for (unsigned i = 0; i < ROUNDS && e->queue.n > 0; i++) {
		hold_write_all(n, e);
		hold_read(n, TUN_QUEUE);
	}
	hold_rule(n, false, e->addr);
	hold_read(n, TUN_QUEUE);
	hold_write_all(n, e);
	if (lost > 0)
		log_notice("hold", "%u packets were lost because too many had to wait", lost);
	hold_end(n, e);
}

void holds_release(struct net *n)
{
	struct hold_entry *e, *e2;

	HASH_ITER(hh, n->hold.entries, e, e2)
	{
		if (e->ending)
			hold_release(n, e);
	}
}

uint64_t holds_next(const struct net *n)
{
	uint64_t next = n->hold.fd >= 0 && n->hold.entries == NULL ? n->hold.remove_at : UINT64_MAX;
	struct hold_entry *e, *e2;

	HASH_ITER(hh, n->hold.entries, e, e2)
	{
		if (e->until < next)
			next = e->until;
	}
	return next;
}

void holds_tick(struct net *n)
{
	struct hold_entry *e, *e2;

	HASH_ITER(hh, n->hold.entries, e, e2)
	{
		if (e->until > n->now_ms)
			continue;
		log_warn("hold", "%zu packets are dropped: nobody let them go on in time", e->queue.n);
		counter_inc("hold.expired");
		hold_rule(n, false, e->addr);
		hold_end(n, e);
	}
	if (n->hold.entries == NULL && n->hold.fd >= 0 && n->hold.remove_at <= n->now_ms)
		hold_device_remove(n);
}

void holds_open(struct net *n)
{
	n->hold.fd = -1;
	n->hold.net = n;
	n->hold.watch.ready = hold_ready;
}

void holds_forget_all(struct net *n)
{
	struct hold_entry *e, *e2;

	HASH_ITER(hh, n->hold.entries, e, e2)
	{
		if (n->rt != NULL)
			hold_rule(n, false, e->addr);
		hold_end(n, e);
	}
	hold_device_remove(n);
}
