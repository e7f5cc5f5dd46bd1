/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What NFLOG says (linux/netfilter/nfnetlink_log.h), as far as F9 needs it: who sent a packet to whom.  Pure.
 */
#ifndef MIPVPN_RUN_NFLOG_H
#define MIPVPN_RUN_NFLOG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct nflog_packet {
	struct in_addr src, dst;
};
/* The next packet in what one recv() gave, from *at on.  false: no more. What is no IPv4 packet is passed
 * over. */
bool nflog_next(const void *data, size_t len, size_t *at, struct nflog_packet *out);

#endif
