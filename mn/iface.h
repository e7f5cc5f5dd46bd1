/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the mobile node does to its interface, and how it takes it back: address, routes, the agent as a
 * neighbour, ARP.
 */
#ifndef MIPVPN_MN_IFACE_H
#define MIPVPN_MN_IFACE_H

#include "mn/mn.h"

struct iface;
struct iface *iface_open(const char *name, char *why, size_t why_len); /* NULL with a reason */
unsigned iface_index(const struct iface *i);
/* By an MN_ATTACH; replaces what an earlier one set, routes without a gap.  0, or -1 with a reason. */
int iface_attach(struct iface *i, const struct mn_action *a, char *why, size_t why_len);
/* Leads the routes of iface_attach() into another device, until the next iface_attach() or iface_unhold(). */
int iface_hold(struct iface *i, unsigned into, char *why, size_t why_len);
void iface_unhold(struct iface *i); /* as they were before */
void iface_detach(struct iface *i);
void iface_close(struct iface *i); /* leaves the interface as it is */

#endif
