/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The thin shell around mn.c: one poll loop over a packet socket (what agents send, with their link-layer
 * address; what we send before we have an address), signals, the carrier of the interface, and time.
 *
 * Requests are sent from a UDP port that a socket of ours holds, so that the kernel does not answer replies
 * to it with "port unreachable"; what arrives there is read from the packet socket instead.
 */
#include "mn/loop.h"

#include <errno.h>
#include <net/if.h>
#include <linux/if.h> /* IFF_LOWER_UP; behind <net/if.h>, which has the rest */
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "mn/hold.h"
#include "mn/iface.h"
#include "mn/report.h"
#include "nethelper/arp.h"
#include "nethelper/privileges.h"
#include "nethelper/sockets.h"

enum { FD_LINK, FD_HOLDER, FD_SIGNAL, FD_CARRIER, FD_COUNT };
struct loop {
	const struct mn_options *o;
	struct mn *mn;
	struct iface *iface;
	struct arp *arp;
	struct hold *hold; /* NULL = this host has no TUN devices: nothing is held */
	int fd[FD_COUNT];
	uint16_t port;
	bool up, ended;
	int status;
	struct mn_actions actions;
	uint8_t packet[MIP_MSG_MAX];
};

static uint64_t clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t clock_ms(clockid_t id)
{
	return clock_us(id) / 1000;
}

/* --- sending --- */

static void send_packet(struct loop *l, const struct wbuf *w, const uint8_t mac[6])
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_IP),
				 .sll_halen = 6,
				 .sll_ifindex = (int)iface_index(l->iface)};

	memcpy(to.sll_addr, mac, 6);
	if (wbuf_ok(w) && sendto(l->fd[FD_LINK], w->base, w->len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		fprintf(stderr, "mipvpn-mn: sending on %s: %s\n", l->o->interface, strerror(errno));
}

static uint16_t packet_id(void)
{
	uint16_t id = 0;

	getrandom(&id, sizeof(id), GRND_NONBLOCK);
	return id;
}

static void send_request(struct loop *l, const struct mn_action *a)
{
	struct mip_ip ip = {.src = a->src,
			    .dst = a->dst,
			    .ttl = a->ttl,
			    .proto = IPPROTO_UDP,
			    .sport = l->port,
			    .dport = MIP_PORT,
			    .payload = a->data,
			    .payload_len = (uint16_t)a->len};
	struct wbuf w;

	wbuf_init(&w, l->packet, sizeof(l->packet));
	mip_ip_put(&w, &ip, packet_id());
	send_packet(l, &w, a->mac);
}

static void send_solicitation(struct loop *l)
{
	static const uint8_t all_routers[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x02}; /* 224.0.0.2, RFC 1256 */
	struct mip_ip ip = {.dst = {htonl(0xe0000002)}, .ttl = 1, .proto = IPPROTO_ICMP};
	uint8_t icmp[16];
	struct wbuf w;

	wbuf_init(&w, icmp, sizeof(icmp));
	mip_solicit_put(&w);
	ip.payload = icmp;
	ip.payload_len = (uint16_t)w.len;
	wbuf_init(&w, l->packet, sizeof(l->packet));
	mip_ip_put(&w, &ip, packet_id());
	send_packet(l, &w, all_routers);
}

/* --- actions --- */

static void announce(struct loop *l, const struct mn_action *a)
{
	static const uint8_t own[6];

	arp_announce(l->arp, a->home_address, iface_index(l->iface), own, clock_ms(CLOCK_MONOTONIC));
}

static void report(struct loop *l, const struct mn_action *a)
{
	mn_report_write(stdout, a, l->o->json, clock_ms(CLOCK_REALTIME));
}

static void end_hold(struct loop *l)
{
	struct mn_action a = {.type = MN_REPORT, .event = "held", .code = -1};
	struct hold_count n;

	if (l->hold == NULL || !hold_end(l->hold, &n) || n.sent + n.dropped == 0)
		return;
	snprintf(a.text, sizeof(a.text), "packets that waited for the new link: %llu sent, %llu dropped",
		 (unsigned long long)n.sent, (unsigned long long)n.dropped);
	report(l, &a);
}

static void hold(struct loop *l)
{
	char why[160];

	if (l->hold == NULL)
		return;
	hold_begin(l->hold);
	if (iface_hold(l->iface, hold_index(l->hold), why, sizeof(why)) != 0)
		fprintf(stderr, "mipvpn-mn: cannot hold packets: %s\n", why);
}

/* What waits goes before the routes change, so that nothing overtakes it; what came in between, behind. */
static void attach(struct loop *l, const struct mn_action *a)
{
	char why[160];
	int rc;

	if (l->hold != NULL)
		hold_send(l->hold, a->mac);
	rc = iface_attach(l->iface, a, why, sizeof(why));
	if (l->hold != NULL)
		hold_send(l->hold, a->mac);
	end_hold(l);
	if (rc == 0)
		return;
	fprintf(stderr, "mipvpn-mn: %s\n", why);
	l->status = 3;
}

static void act(struct loop *l, const struct mn_action *a)
{
	switch (a->type) {
	case MN_SOLICIT:
		send_solicitation(l);
		break;
	case MN_SEND:
		send_request(l, a);
		break;
	case MN_ATTACH:
		attach(l, a);
		break;
	case MN_DETACH:
		iface_detach(l->iface);
		end_hold(l);
		break;
	case MN_HOLD:
		hold(l);
		break;
	case MN_UNHOLD:
		iface_unhold(l->iface);
		end_hold(l);
		break;
	case MN_ANNOUNCE:
		announce(l, a);
		break;
	case MN_REPORT:
		report(l, a);
		break;
	case MN_END:
		l->ended = true;
		if (l->status == 0)
			l->status = a->status;
		break;
	}
}

static void tell(struct loop *l, struct mn_event *e)
{
	e->wall_ms = clock_ms(CLOCK_REALTIME);
	e->now_us = clock_us(CLOCK_MONOTONIC);
	mn_event(l->mn, e, e->now_us / 1000, &l->actions);
	for (size_t i = 0; i < l->actions.n; i++)
		act(l, &l->actions.a[i]);
}

/* --- events --- */

static void on_packet(struct loop *l, size_t len, const struct sockaddr_ll *from)
{
	struct mn_event e = {0};
	struct mip_adv adv;
	struct mip_ip ip;

	if (mip_ip_decode(l->packet, len, &ip) != MIP_REJ_OK)
		return;
	e.from = ip.src;
	memcpy(e.mac, from->sll_addr, sizeof(e.mac));
	if (ip.proto == IPPROTO_ICMP) {
		/* RFC 5944 2.3: TTL 1 keeps advertisements of other links out. */
		if (ip.ttl != 1 || mip_adv_decode(ip.payload, ip.payload_len, &adv) != MIP_REJ_OK)
			return;
		e.type = MN_EV_ADVERTISEMENT;
		e.adv = &adv;
	} else if (ip.proto == IPPROTO_UDP && ip.sport == MIP_PORT && ip.dport == l->port) {
		e.type = MN_EV_REPLY;
		e.data = ip.payload;
		e.len = ip.payload_len;
	} else {
		return;
	}
	tell(l, &e);
}

static void read_link(struct loop *l)
{
	for (int i = 0; i < 64 && !l->ended; i++) {
		struct sockaddr_ll from;
		ssize_t n = nh_link_recv(l->fd[FD_LINK], l->packet, sizeof(l->packet), &from);

		if (n < 0)
			return;
		if (from.sll_halen == 6 && from.sll_pkttype != PACKET_OUTGOING &&
		    from.sll_pkttype != PACKET_OTHERHOST)
			on_packet(l, (size_t)n, &from);
	}
}

static void read_signal(struct loop *l)
{
	struct signalfd_siginfo s;
	struct mn_event e = {.type = MN_EV_STOP};

	if (read(l->fd[FD_SIGNAL], &s, sizeof(s)) != sizeof(s))
		return;
	if (s.ssi_signo == SIGHUP)
		e.type = MN_EV_RENEW;
	else if (s.ssi_signo == SIGUSR1)
		e.type = MN_EV_FADE;
	else if (s.ssi_signo == SIGUSR2)
		e.type = MN_EV_UPDATE;
	tell(l, &e);
}

static bool link_is_up(const struct nlmsghdr *h, unsigned ifindex, bool *up)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*i)) ||
	    i->ifi_index != (int)ifindex)
		return false;
	*up = (i->ifi_flags & IFF_LOWER_UP) != 0;
	return true;
}

/* A carrier that comes back may be that of another network. */
static void read_carrier(struct loop *l)
{
	char buf[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n = recv(l->fd[FD_CARRIER], buf, sizeof(buf), MSG_DONTWAIT);

	if (n <= 0)
		return;
	for (struct nlmsghdr *h = (struct nlmsghdr *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		struct mn_event e = {0};
		bool up;

		if (!link_is_up(h, iface_index(l->iface), &up) || up == l->up)
			continue;
		e.type = up ? MN_EV_LINK_UP : MN_EV_LINK_DOWN;
		l->up = up;
		tell(l, &e);
	}
}

static void discard(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_DONTWAIT) >= 0)
		;
}

static int wait_ms(const struct loop *l)
{
	uint64_t now = clock_ms(CLOCK_MONOTONIC), next = mn_next(l->mn), arp = arp_next(l->arp);

	if (arp < next)
		next = arp;
	return next <= now ? 0 : next - now > 3600000 ? 3600000 : (int)(next - now);
}

static void turn(struct loop *l)
{
	struct mn_event timer = {.type = MN_EV_TIMER};
	struct pollfd p[FD_COUNT + 1];

	for (int i = 0; i < FD_COUNT; i++)
		p[i] = (struct pollfd){.fd = l->fd[i], .events = POLLIN};
	p[FD_COUNT] = (struct pollfd){.fd = hold_fd(l->hold), .events = POLLIN};
	if (poll(p, FD_COUNT + 1, wait_ms(l)) < 0)
		return;
	if (p[FD_COUNT].revents != 0)
		hold_read(l->hold);
	if (p[FD_CARRIER].revents != 0)
		read_carrier(l); /* in front of what is heard on the new link */
	if (p[FD_LINK].revents != 0)
		read_link(l);
	if (p[FD_HOLDER].revents != 0)
		discard(l->fd[FD_HOLDER]);
	if (p[FD_SIGNAL].revents != 0)
		read_signal(l);
	arp_tick(l->arp, clock_ms(CLOCK_MONOTONIC));
	if (clock_ms(CLOCK_MONOTONIC) >= mn_next(l->mn))
		tell(l, &timer);
}

/* --- start and end --- */

static int open_holder(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return -1;
	*port = ntohs(at.sin_port);
	return fd;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_carrier(void)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	return fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 ? fd : -1;
}

static const char *open_all(struct loop *l, char *why, size_t why_len)
{
	uint64_t seed = 0;

	l->iface = iface_open(l->o->interface, why, why_len);
	if (l->iface == NULL)
		return why;
	l->fd[FD_HOLDER] = open_holder(&l->port);
	l->fd[FD_LINK] = nh_open_link(iface_index(l->iface), l->port);
	l->fd[FD_SIGNAL] = open_signals();
	l->fd[FD_CARRIER] = open_carrier();
	l->arp = arp_open();
	l->hold = hold_open(l->o->interface, iface_index(l->iface), why, why_len);
	if (l->hold == NULL)
		fprintf(stderr, "mipvpn-mn: nothing is held during moves: no TUN device: %s\n", why);
	for (int i = 0; i < FD_COUNT; i++)
		if (l->fd[i] < 0 || l->arp == NULL)
			return strerror(errno);
	if (privileges_drop(why, why_len) != 0)
		return why;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return strerror(errno);
	l->mn = mn_new(&l->o->mn, seed, clock_ms(CLOCK_MONOTONIC));
	return l->mn != NULL ? NULL : "out of memory";
}

static void close_all(struct loop *l)
{
	mn_free(l->mn);
	hold_close(l->hold);
	iface_close(l->iface);
	arp_close(l->arp);
	for (int i = 0; i < FD_COUNT; i++)
		if (l->fd[i] >= 0)
			close(l->fd[i]);
	crypto_wipe(&l->actions, sizeof(l->actions));
}

int mn_loop_run(const struct mn_options *o)
{
	static struct loop l;
	struct mn_event start = {.type = MN_EV_TIMER};
	char why[160];
	const char *failed;

	l = (struct loop){.o = o, .fd = {-1, -1, -1, -1}, .up = true};
	failed = open_all(&l, why, sizeof(why));
	if (failed != NULL) {
		fprintf(stderr, "mipvpn-mn: %s\n", failed);
		l.status = 3;
	} else {
		tell(&l, &start);
		while (!l.ended)
			turn(&l);
	}
	close_all(&l);
	return l.status;
}
