/* SPDX-License-Identifier: BSD-3-Clause */
#include "mn/hold.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mn/ring.h"
#include "nethelper/sysctl.h"
#include "nethelper/tun.h"

#define SEND_BUFFER (4 << 20) /* all that a ring holds fits in at once */

struct hold {
	int tun, out; /* out: a packet socket that only sends */
	unsigned tun_index, ifindex;
	bool active, has_mac;
	uint8_t mac[6]; /* where it went last */
	struct mn_ring ring;
	uint64_t sent, failed;
	uint8_t packet[65536];
};

static int open_out(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), size = SEND_BUFFER;

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return fd;
}

/* Up, with the MTU of the interface that it stands in for, and for IPv4 only. */
static int set_up(const char *tun, const char *ifname)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = -1;
	char path[64];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "ipv6/conf/%s/disable_ipv6", tun);
	(void)sysctl_set(path, "1", NULL, 0); /* there may be no IPv6 */
	strncpy(ifr.ifr_name, ifname, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFMTU, &ifr) == 0) {
		memcpy(ifr.ifr_name, tun, IFNAMSIZ);
		(void)ioctl(fd, SIOCSIFMTU, &ifr);
		ifr.ifr_flags = IFF_UP;
		rc = ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
	return rc;
}

struct hold *hold_open(const char *ifname, unsigned ifindex, char *why, size_t why_len)
{
	struct hold *h = calloc(1, sizeof(*h));
	char name[IFNAMSIZ] = "";

	if (h == NULL) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	h->ifindex = ifindex;
	h->tun = tun_open_any("mnhold%d", name);
	h->out = open_out();
	if (h->tun >= 0 && h->out >= 0 && set_up(name, ifname) == 0) {
		h->tun_index = if_nametoindex(name);
		return h;
	}
	snprintf(why, why_len, "%s", strerror(errno));
	hold_close(h);
	return NULL;
}

void hold_close(struct hold *h)
{
	if (h == NULL)
		return;
	mn_ring_clear(&h->ring);
	if (h->tun >= 0)
		close(h->tun);
	if (h->out >= 0)
		close(h->out);
	free(h);
}

int hold_fd(const struct hold *h)
{
	return h != NULL ? h->tun : -1;
}

unsigned hold_index(const struct hold *h)
{
	return h->tun_index;
}

static void send_one(struct hold *h, const uint8_t *packet, size_t len)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_IP),
				 .sll_halen = 6,
				 .sll_ifindex = (int)h->ifindex};

	memcpy(to.sll_addr, h->mac, 6);
	if (sendto(h->out, packet, len, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)len)
		h->sent++;
	else
		h->failed++;
}

void hold_begin(struct hold *h)
{
	if (h->active)
		return;
	h->active = true;
	h->sent = h->failed = 0;
	mn_ring_clear(&h->ring);
}

void hold_read(struct hold *h)
{
	for (int i = 0; i < 2 * MN_RING_PACKETS; i++) {
		ssize_t n = read(h->tun, h->packet, sizeof(h->packet));

		if (n <= 0)
			return;
		if (h->packet[0] >> 4 != 4)
			continue;
		if (h->active)
			mn_ring_put(&h->ring, h->packet, (size_t)n);
		else if (h->has_mac) /* it was on its way here when the routes changed */
			send_one(h, h->packet, (size_t)n);
	}
}

void hold_send(struct hold *h, const uint8_t mac[6])
{
	const uint8_t *packet;
	size_t len;

	memcpy(h->mac, mac, sizeof(h->mac));
	h->has_mac = true;
	if (!h->active)
		return;
	hold_read(h);
	while ((packet = mn_ring_first(&h->ring, &len)) != NULL) {
		send_one(h, packet, len);
		mn_ring_pop(&h->ring);
	}
}

bool hold_end(struct hold *h, struct hold_count *out)
{
	bool was = h->active;

	*out = (struct hold_count){.sent = h->sent, .dropped = h->failed + h->ring.dropped + h->ring.n};
	h->active = false;
	mn_ring_clear(&h->ring);
	return was;
}
