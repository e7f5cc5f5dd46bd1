/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sockets for Mobile IP, as the helper opens them for the agent and mipvpn-mn for itself: non-blocking,
 * close-on-exec. -1 with errno.
 */
#ifndef MIPVPN_NH_SOCKETS_H
#define MIPVPN_NH_SOCKETS_H

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

/* UDP port 434 at addr (0 = any): IP_PKTINFO, IP_RECVTTL and IP_RECVERR (ICMP errors: codes 80-88) are on. */
int nh_open_udp(struct in_addr addr);
/* For packets to other hosts, which nftables' tproxy brings to it: IP_TRANSPARENT, IP_PKTINFO, IP_RECVTTL.
 * Shares port 434 with nh_open_udp()'s, being bound to 127.0.0.1 instead of any. */
int nh_open_transparent(void);
/* NFLOG: copies the first bytes of packets of the group, each packet at once. */
int nh_open_nflog(uint16_t group, uint32_t bytes);
/* IPv4 packets of one interface without their link header, UDP to port and ICMP router discovery only; the
 * filter is locked.  Joined to the groups of RFC 5944: 224.0.0.1 (always), 224.0.0.2, 224.0.0.11.
 * PACKET_AUXDATA is on: with TP_STATUS_CSUMNOTREADY (a packet that never left this machine: veth, virtio) the
 * UDP checksum is not there yet. */
int nh_open_link(unsigned ifindex, uint16_t port);
/* Receives from it: bytes, or -1 with errno.  A checksum that is not there yet is set to 0, "none". */
ssize_t nh_link_recv(int fd, void *packet, size_t size, struct sockaddr_ll *from);
/* charon's VICI socket, connected.  EAGAIN: its backlog is full, ask again. */
int nh_open_vici(const char *path);

#endif
