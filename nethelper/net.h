/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The verbs, carried out: what the helper has made in this network namespace, and how it comes and goes.
 * Requests that were read together are one batch: their netlink parts run one by one, their nftables parts
 * are one transaction.
 */
#ifndef MIPVPN_NH_NET_H
#define MIPVPN_NH_NET_H

#include "nethelper/check.h"

struct net;
/* user_ipip: do not even try the kernel's ipip.  Borrows allowed and vici_path.  NULL with a reason. */
struct net *net_open(const struct nh_allowed *allowed, const char *vici_path, bool user_ipip, int epoll_fd,
		     char *why, size_t why_len);
int net_flush(struct net *n);  /* 0 or an errno; everything is tried */
void net_close(struct net *n); /* after net_flush() */

struct net_job {
	struct nh_request request;
	struct nh_reply reply;
	int fd; /* for the agent, or -1; the caller closes it after sending */
};
#define NET_BATCH_MAX 256
void net_batch(struct net *n, struct net_job *jobs, size_t count, uint64_t now_ms);

uint64_t net_next(const struct net *n); /* when net_tick() is due; UINT64_MAX = never */
void net_tick(struct net *n, uint64_t now_ms);

#endif
