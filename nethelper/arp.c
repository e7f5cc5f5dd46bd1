/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/arp.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/counter.h"

#define REPEATS 2
#define REPEAT_MS 1000
#define QUEUE_MAX 4096 /* with more than that under way only the first announcement is sent */

struct announcement {
	struct in_addr addr;
	unsigned ifindex;
	uint8_t mac[6];
	unsigned left; /* 0 = slot is free */
	uint64_t due;
};
struct arp {
	int fd;
	struct announcement *queue;
	size_t n, cap;
};
struct arp_packet {
	uint16_t hardware, protocol;
	uint8_t hlen, plen;
	uint16_t operation;
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
} __attribute__((packed));

struct arp *arp_open(void)
{
	struct arp *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd >= 0)
		return a;
	free(a);
	return NULL;
}

void arp_close(struct arp *a)
{
	if (a == NULL)
		return;
	close(a->fd);
	free(a->queue);
	free(a);
}

void arp_cancel(struct arp *a)
{
	a->n = 0;
}

static int own_mac(const struct arp *a, unsigned ifindex, uint8_t mac[6])
{
	struct ifreq ifr = {0};

	if (if_indextoname(ifindex, ifr.ifr_name) == NULL || ioctl(a->fd, SIOCGIFHWADDR, &ifr) != 0)
		return errno;
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	return 0;
}

static int send_one(const struct arp *a, const struct announcement *an)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ARP),
				 .sll_halen = 6,
				 .sll_ifindex = (int)an->ifindex,
				 .sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct arp_packet p = {.hardware = htons(ARPHRD_ETHER),
			       .protocol = htons(ETH_P_IP),
			       .hlen = 6,
			       .plen = 4,
			       .operation = htons(ARPOP_REQUEST)};

	memcpy(p.sender_mac, an->mac, 6);
	memcpy(p.sender_ip, &an->addr, 4);
	memcpy(p.target_ip, &an->addr, 4);
	return sendto(a->fd, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

/* The slot of this address (an earlier announcement is forgotten), or a new one; NULL when there
 * is no room. */
static struct announcement *slot_for(struct arp *a, const struct announcement *an)
{
	struct announcement *grown;

	for (size_t i = 0; i < a->n; i++)
		if (a->queue[i].addr.s_addr == an->addr.s_addr && a->queue[i].ifindex == an->ifindex)
			return &a->queue[i];
	if (a->n == QUEUE_MAX)
		return NULL;
	if (a->n == a->cap) {
		grown = realloc(a->queue, (a->cap + 64) * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		a->queue = grown;
		a->cap += 64;
	}
	return &a->queue[a->n++];
}

int arp_announce(struct arp *a, struct in_addr addr, unsigned ifindex, const uint8_t mac[6], uint64_t now_ms)
{
	static const uint8_t own[6];
	struct announcement an = {
		.addr = addr, .ifindex = ifindex, .left = REPEATS, .due = now_ms + REPEAT_MS};
	struct announcement *slot;
	int error = 0;

	memcpy(an.mac, mac, 6);
	if (memcmp(mac, own, sizeof(own)) == 0)
		error = own_mac(a, ifindex, an.mac);
	if (error != 0)
		return error;
	slot = slot_for(a, &an);
	if (slot != NULL)
		*slot = an;
	else
		counter_inc("arp.queue_full");
	return send_one(a, &an);
}

uint64_t arp_next(const struct arp *a)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < a->n; i++)
		if (a->queue[i].due < next)
			next = a->queue[i].due;
	return next;
}

void arp_tick(struct arp *a, uint64_t now_ms)
{
	for (size_t i = 0; i < a->n;) {
		struct announcement *an = &a->queue[i];

		if (an->due > now_ms) {
			i++;
			continue;
		}
		if (send_one(a, an) != 0)
			counter_inc("arp.send_failed");
		an->due = now_ms + REPEAT_MS;
		if (--an->left == 0)
			*an = a->queue[--a->n];
		else
			i++;
	}
}
