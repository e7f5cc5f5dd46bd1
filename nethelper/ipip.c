/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The sockets: rx sees all IP-in-IP that is for this host; tx_df and tx_frag only send (a filter drops what
 * the kernel would queue on them), one with path MTU discovery and one without, so that an inner DF is also
 * an outer one.  tx_icmp tells senders that a packet does not fit.
 */
#include "nethelper/ipip.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/counter.h"
#include "nethelper/tun.h"

#define BURST 64 /* packets of one device per turn of the loop */
#define ICMP_PER_S 50

struct ends {
	struct in_addr local, peer;
};
struct ipip_dev {
	struct watch watch; /* first: epoll gives this pointer back */
	struct ipip *ipip;
	struct ends ends;
	int fd;
	UT_hash_handle hh;
};
struct ipip {
	struct watch watch; /* of rx; first */
	int epoll_fd, rx, tx_df, tx_frag, tx_icmp;
	struct ipip_dev *devs;
	time_t icmp_second;
	unsigned icmp_sent;
	uint8_t packet[65536];
};

static int raw_socket(int protocol, int pmtudisc, bool only_send)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog none = {.len = 1, .filter = &nothing};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol), ttl = 64, error;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &pmtudisc, sizeof(pmtudisc)) == 0 &&
	    setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)) == 0 &&
	    (!only_send || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &none, sizeof(none)) == 0))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* --- device to network --- */

static int send_outer(struct ipip_dev *d, const uint8_t *p, const struct ipip_inner *in)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = d->ends.peer};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)p, .iov_len = in->len};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr m = {.msg_name = &to,
			   .msg_namelen = sizeof(to),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	struct in_pktinfo from = {.ipi_spec_dst = d->ends.local};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	int tos = in->tos;

	h->cmsg_level = IPPROTO_IP;
	h->cmsg_type = IP_PKTINFO;
	h->cmsg_len = CMSG_LEN(sizeof(from));
	memcpy(CMSG_DATA(h), &from, sizeof(from));
	h = CMSG_NXTHDR(&m, h);
	h->cmsg_level = IPPROTO_IP;
	h->cmsg_type = IP_TOS;
	h->cmsg_len = CMSG_LEN(sizeof(tos));
	memcpy(CMSG_DATA(h), &tos, sizeof(tos));
	return sendmsg(in->df ? d->ipip->tx_df : d->ipip->tx_frag, &m, MSG_NOSIGNAL) < 0 ? errno : 0;
}

/* What the kernel knows of the path to the peer, less our header. */
static uint16_t path_mtu(const struct ipip_dev *d)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = d->ends.peer, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), mtu = 0;
	socklen_t len = sizeof(mtu);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &len);
	if (fd >= 0)
		close(fd);
	return (uint16_t)(mtu > 68 + IPIP_OUTER && mtu < 65536 ? mtu - IPIP_OUTER : IPIP_MTU);
}

/* As any router does: from the address of the interface that leads to the sender. */
static void answer_too_big(struct ipip_dev *d, const uint8_t *p, const struct ipip_inner *in)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = in->src};
	uint8_t icmp[IPIP_ICMP_MAX];
	time_t now = time(NULL);
	size_t len;

	if (now != d->ipip->icmp_second)
		d->ipip->icmp_sent = 0;
	d->ipip->icmp_second = now;
	if (d->ipip->icmp_sent++ >= ICMP_PER_S)
		return;
	len = ipip_too_big(p, in, path_mtu(d), icmp);
	if (len > 0 &&
	    sendto(d->ipip->tx_icmp, icmp, len, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)) < 0)
		counter_inc("ipip.out.icmp_lost");
}

static void encapsulate(struct ipip_dev *d, const uint8_t *p, size_t len)
{
	struct ipip_inner in;
	int error;

	if (!ipip_inner_parse(p, len, &in)) {
		counter_inc("ipip.out.not_ipv4"); /* IPv6 router solicitations of the device itself */
		return;
	}
	if (ipip_loops(&in, d->ends.local, d->ends.peer)) {
		counter_inc("ipip.out.loop");
		return;
	}
	error = send_outer(d, p, &in);
	if (error == EMSGSIZE)
		answer_too_big(d, p, &in);
	counter_inc(error == 0		? "ipip.out.sent"
		    : error == EMSGSIZE ? "ipip.out.too_big"
					: "ipip.out.failed");
}

/* At most n packets. */
static void dev_carry(struct ipip_dev *d, int n)
{
	for (; n > 0; n--) {
		ssize_t len = read(d->fd, d->ipip->packet, sizeof(d->ipip->packet));

		if (len <= 0)
			return;
		encapsulate(d, d->ipip->packet, (size_t)len);
	}
}

static void dev_ready(struct watch *w)
{
	dev_carry((struct ipip_dev *)w, BURST);
}

void ipip_carry(struct ipip *ipip)
{
	struct ipip_dev *d, *d2;

	HASH_ITER(hh, ipip->devs, d, d2)
	dev_carry(d, TUN_QUEUE);
}

/* --- network to device --- */

static void decapsulate(struct ipip *ipip, uint8_t *p, size_t len)
{
	struct ipip_inner outer, inner;
	struct ipip_dev *d;
	struct ends from;
	size_t header;

	if (!ipip_inner_parse(p, len, &outer)) {
		counter_inc("ipip.in.bad_outer");
		return;
	}
	header = (size_t)(p[0] & 15) * 4;
	from = (struct ends){.local = outer.dst, .peer = outer.src};
	HASH_FIND(hh, ipip->devs, &from, sizeof(from), d);
	if (d == NULL) {
		counter_inc("ipip.in.unknown_peer");
		return;
	}
	if (!ipip_inner_parse(p + header, outer.len - header, &inner)) {
		counter_inc("ipip.in.bad_inner");
		return;
	}
	if (!ipip_ecn_decap(p + header, outer.tos)) {
		counter_inc("ipip.in.ecn");
		return;
	}
	counter_inc(write(d->fd, p + header, inner.len) < 0 ? "ipip.in.failed" : "ipip.in.received");
}

static void rx_ready(struct watch *w)
{
	struct ipip *ipip = (struct ipip *)w;

	for (int i = 0; i < BURST; i++) {
		ssize_t n = recv(ipip->rx, ipip->packet, sizeof(ipip->packet), 0);

		if (n < 0)
			return;
		decapsulate(ipip, ipip->packet, (size_t)n);
	}
}

/* --- making and removing --- */

struct ipip *ipip_open(int epoll_fd)
{
	struct ipip *ipip = calloc(1, sizeof(*ipip));
	int error;

	if (ipip == NULL)
		return NULL;
	ipip->watch.ready = rx_ready;
	ipip->epoll_fd = epoll_fd;
	ipip->rx = raw_socket(IPPROTO_IPIP, IP_PMTUDISC_DONT, false);
	ipip->tx_df = raw_socket(IPPROTO_IPIP, IP_PMTUDISC_DO, true);
	ipip->tx_frag = raw_socket(IPPROTO_IPIP, IP_PMTUDISC_DONT, true);
	ipip->tx_icmp = raw_socket(IPPROTO_ICMP, IP_PMTUDISC_DONT, true);
	if (ipip->rx >= 0 && ipip->tx_df >= 0 && ipip->tx_frag >= 0 && ipip->tx_icmp >= 0 &&
	    watch_fd(epoll_fd, ipip->rx, &ipip->watch) == 0)
		return ipip;
	error = errno;
	ipip_close(ipip);
	errno = error;
	return NULL;
}

void ipip_close(struct ipip *ipip)
{
	struct ipip_dev *d, *d2;

	if (ipip == NULL)
		return;
	HASH_ITER(hh, ipip->devs, d, d2)
	ipip_del(ipip, d);
	if (ipip->rx >= 0)
		close(ipip->rx);
	if (ipip->tx_df >= 0)
		close(ipip->tx_df);
	if (ipip->tx_frag >= 0)
		close(ipip->tx_frag);
	if (ipip->tx_icmp >= 0)
		close(ipip->tx_icmp);
	free(ipip);
}

struct ipip_dev *ipip_add(struct ipip *ipip, const char *name, struct in_addr local, struct in_addr peer)
{
	struct ipip_dev *d = calloc(1, sizeof(*d));
	int error;

	if (d == NULL)
		return NULL;
	d->watch.ready = dev_ready;
	d->ipip = ipip;
	d->ends = (struct ends){.local = local, .peer = peer};
	d->fd = tun_open(name);
	if (d->fd >= 0 && watch_fd(ipip->epoll_fd, d->fd, &d->watch) == 0) {
		HASH_ADD(hh, ipip->devs, ends, sizeof(d->ends), d);
		return d;
	}
	error = errno;
	if (d->fd >= 0)
		close(d->fd);
	free(d);
	errno = error;
	return NULL;
}

void ipip_del(struct ipip *ipip, struct ipip_dev *d)
{
	HASH_DEL(ipip->devs, d);
	close(d->fd);
	free(d);
}
