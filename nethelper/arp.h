/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Gratuitous ARP (RFC 5944 4.6): a broadcast ARP request, sender IP = target IP = the home address, sent at
 * once and "a small number" of times again.  A later announcement for the same address replaces the
 * repetitions of the earlier one, or a station that has come home would be announced at the home agent's MAC
 * again.
 */
#ifndef MIPVPN_NH_ARP_H
#define MIPVPN_NH_ARP_H

#include <netinet/in.h>
#include <stdint.h>

struct arp;
struct arp *arp_open(void); /* NULL with errno */
void arp_close(struct arp *a);
/* mac: the sender hardware address to announce; all zero = the interface's own.  0 or an errno. */
int arp_announce(struct arp *a, struct in_addr addr, unsigned ifindex, const uint8_t mac[6], uint64_t now_ms);
void arp_cancel(struct arp *a);		/* no more repetitions */
uint64_t arp_next(const struct arp *a); /* when arp_tick() is due; UINT64_MAX = never */
void arp_tick(struct arp *a, uint64_t now_ms);

#endif
