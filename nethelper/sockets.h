/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The descriptors that the helper opens for the agent: non-blocking, close-on-exec.  -1 with errno.
 */
#ifndef MIPVPN_NH_SOCKETS_H
#define MIPVPN_NH_SOCKETS_H

#include <netinet/in.h>

/* UDP port 434 at addr (0 = any): IP_PKTINFO, IP_RECVTTL and IP_RECVERR (ICMP errors: codes 80-88) are on. */
int nh_open_udp(struct in_addr addr);
/* IPv4 packets of one interface without their link header, UDP to port 434 and ICMP router discovery only; the filter
 * is locked.  Joined to the groups of RFC 5944: 224.0.0.1 (always), 224.0.0.2, 224.0.0.11. */
int nh_open_link(unsigned ifindex);
/* charon's VICI socket, connected.  EAGAIN: its backlog is full, ask again. */
int nh_open_vici(const char *path);

#endif
