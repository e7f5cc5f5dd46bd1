/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The nftables table `ip mipvpn` as a state and the text that brings the kernel there.  Pure: fw_changes()
 * gives what is new since the last time, fw_whole() gives everything (after somebody flushed our table, or
 * a transaction failed).
 *
 * What the table does (requirements A5, E4, E9):
 *  - a user has one chain per direction; it holds his profiles, longest destination first.  A packet of a
 * profile has to come in as the profile says (out of a tunnel, or from the registered station), has to go
 * out as it says (into a tunnel: never in clear, also when charon has no route or policy for it), gets the
 * class's DSCP, and may pass;
 *  - whatever else goes to or comes from a protected prefix is dropped and counted;
 *  - on the links of mobile nodes a registered address is accepted from its own station only;
 *  - Binding Updates (UDP/434) to a host behind a PCN go to the agent's transparent socket, unless they come
 *    from a host behind it;
 *  - the first packet of a pair (sender, watched home address) that no profile covers is told to the agent by
 *    NFLOG, once in 5 s.  The set of pairs is bounded: in a flood from more senders than fit some are not
 *    told of; no packet is lost for it;
 *  - what comes out of an IP-in-IP tunnel has to be for a visitor, also one who has moved on, or from a home
 * address bound to that tunnel;
 *  - what waits in the helper was checked when it came: out of its device it may go where packets out of a
 * tunnel may, and never back into it;
 *  - what came out of charon's tunnel for a visitor does not go into an IP-in-IP tunnel.
 *
 * "Tunnel" of charon's means an interface ipsec* (kernel-libipsec) or an XFRM policy: one rule for both
 * data paths.
 */
#ifndef MIPVPN_NH_FW_H
#define MIPVPN_NH_FW_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/vpn_profile.h"

#define FW_TABLE "mipvpn"
#define FW_HOLD_DEVICE "mvhold0" /* where packets wait (net_hold.c); not one of mip* */
#define FW_LEG_TUNNELS 4	 /* of one end's part in a profile, during moves */

struct fw;
struct fw *fw_new(const char (*links)[IFNAMSIZ], size_t n_links); /* borrows links; NULL without memory */
void fw_free(struct fw *fw);
void fw_clear(struct fw *fw);  /* nothing wanted; the kernel is taken to have no table */
void fw_forget(struct fw *fw); /* the kernel may have anything: the next fw_changes() gives the whole */

/* All of these count: what was added twice is removed twice.  0, ENOMEM, or ENOENT for a removal of what is
 * not there. */
int fw_visitor_add(struct fw *fw, struct in_addr addr, const char *link, const uint8_t mac[6]); /* replaces */
int fw_visitor_del(struct fw *fw, struct in_addr addr);
int fw_tunnel_source(struct fw *fw, bool add, const char *tunnel, struct in_addr addr);
int fw_protect(struct fw *fw, bool add, const struct vpn_prefix *prefix);
int fw_pcn(struct fw *fw, bool add, const struct vpn_prefix *prefix);
int fw_watch(struct fw *fw, bool add, struct in_addr addr); /* does not count */
int fw_forward(struct fw *fw, bool add, struct in_addr addr); /* does not count */
void fw_hold(struct fw *fw, bool there);
/* One end's part in a profile.  here_is_src: we are its source gateway.  tunnel: an IP-in-IP device, NULL =
 * charon's. */
struct fw_vpn {
	struct in_addr src;
	struct vpn_prefix dst;
	bool here_is_src;
	uint8_t tos_up, tos_down;
	const char *tunnel;
};
/* EEXIST: is there with another kind of tunnel; EBUSY: with FW_LEG_TUNNELS others. */
int fw_vpn_add(struct fw *fw, const struct fw_vpn *v);
int fw_vpn_del(struct fw *fw, const struct fw_vpn *v);

/* nftables commands, to be freed; NULL without memory, "" when nothing changed. */
char *fw_changes(struct fw *fw);
char *fw_whole(struct fw *fw);

#endif
