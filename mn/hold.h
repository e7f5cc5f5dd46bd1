/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Keeps what applications send while there is no link to send it by: a TUN device takes it (iface_hold() leads
 * the routes there), and it goes out when there is a link again, to the new agent's link-layer address.
 */
#ifndef MIPVPN_MN_HOLD_H
#define MIPVPN_MN_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hold;
/* For the interface of this name and number; needs CAP_NET_ADMIN and CAP_NET_RAW.  NULL with a reason. */
struct hold *hold_open(const char *ifname, unsigned ifindex, char *why, size_t why_len);
void hold_close(struct hold *h); /* may be NULL */
int hold_fd(const struct hold *h); /* to be polled for reading; -1 with NULL */
unsigned hold_index(const struct hold *h);
void hold_begin(struct hold *h);
/* Reads the device: what comes is kept, or, when nothing is held any more, goes to where it went last. */
void hold_read(struct hold *h);
/* Sends what is held to mac, in order; holds on. */
void hold_send(struct hold *h, const uint8_t mac[6]);
struct hold_count {
	uint64_t sent, dropped; /* since hold_begin() */
};
/* No more holding; what is still kept is dropped.  False: nothing was being held. */
bool hold_end(struct hold *h, struct hold_count *out);

#endif
