/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IP-in-IP (RFC 2003) for kernels without the ipip driver: one TUN device per peer, one raw socket for all of
 * them.
 *
 * Packet rules, pure (ipip_packet.c): inner headers are checked; DSCP and ECN are copied outward (RFC 2983,
 * RFC 6040 normal mode); on the way in ECN is combined as RFC 6040 says; an inner DF is copied outward, and
 * what does not fit the path is answered with ICMP "fragmentation needed"; a packet from or to the tunnel's
 * own end is not encapsulated again (loop guard).  The kernel's forwarding has already lowered the inner TTL;
 * the outer one is 64.  The outer source of what comes in has to be the peer.  Fragmentation, reassembly and
 * path MTU are the kernel's.
 */
#ifndef MIPVPN_NH_IPIP_H
#define MIPVPN_NH_IPIP_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPIP_OUTER 20 /* bytes that the tunnel adds */
#define IPIP_MTU 1480 /* of the devices; a smaller path is learned */

/* --- pure --- */
struct ipip_inner {
	struct in_addr src, dst;
	uint8_t tos, protocol;
	bool df;
	size_t len; /* by its header; may be less than what was read */
};
bool ipip_inner_parse(const uint8_t *packet, size_t len, struct ipip_inner *out);
/* Would the tunnel swallow its own packets? */
bool ipip_loops(const struct ipip_inner *in, struct in_addr local, struct in_addr peer);
/* RFC 6040, figure 4, on the inner packet (its checksum follows); false: it has to be dropped. */
bool ipip_ecn_decap(uint8_t *inner, uint8_t outer_tos);
/* The ICMP message "fragmentation needed" about an inner packet; its length, 0 = none is due. */
#define IPIP_ICMP_MAX 76
size_t ipip_too_big(const uint8_t *inner, const struct ipip_inner *in, uint16_t mtu,
		    uint8_t out[IPIP_ICMP_MAX]);

/* --- the devices --- */
struct ipip; /* the raw sockets and all devices of the helper */
struct ipip_dev;
struct ipip *ipip_open(int epoll_fd); /* NULL with errno */
void ipip_close(struct ipip *ipip);   /* all devices go */
/* Makes the device `name`; its packets are carried when epoll reports it.  NULL with errno. */
struct ipip_dev *ipip_add(struct ipip *ipip, const char *name, struct in_addr local, struct in_addr peer);
void ipip_del(struct ipip *ipip, struct ipip_dev *dev);
/* Carries what waits in the devices: for who has just sent more at once than their queues take. */
void ipip_carry(struct ipip *ipip);

#endif
