/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The agent <-> mipvpn-nethelper protocol: fixed-size structs over a SOCK_SEQPACKET socketpair, one request
 * one reply, in order, matched by id.  Verbs are the whole of what the privileged side can be asked; it
 * checks every argument. The helper runs several requests that are queued together as one nftables
 * transaction.
 */
#ifndef MIPVPN_NETHELPER_PROTO_H
#define MIPVPN_NETHELPER_PROTO_H

#include <netinet/in.h>
#include <stdint.h>

#include "lib/vpn_profile.h"

#define NH_VERSION 1
#define NH_TABLE_MIP 434	/* routing table: visitors and bindings */
#define NH_TABLE_REVERSE 100000 /* + ifindex of the tunnel: default route into it */
#define NH_TABLE_CHARON 220	/* charon's */
#define NH_TABLE_PCN 435	/* Binding Updates to correspondents: local to the transparent socket */
#define NH_MARK_PCN 434		/* on such packets, from prerouting to that table */
#define NH_TABLE_HOLD 436	/* nothing but a default route into the device where packets wait */
#define NH_NFLOG_GROUP 434
#define NH_NFLOG_BYTES 28 /* of each packet: an IP header and the ports */
#define NH_PREF_PCN 90	  /* ip rule preferences, in this order */
#define NH_PREF_VPN 100
#define NH_PREF_HOLD_OUT 104 /* what comes out of that device goes as if nothing were held */
#define NH_PREF_HOLD 105     /* to a held address; and where what came out of it has no other way, to be dropped */
#define NH_PREF_MIP 110
#define NH_PREF_LOCAL 115 /* for reverse tunnels: what a visitor sends to the agent itself stays here */
#define NH_PREF_REVERSE 120

enum nh_verb {
	NH_HELLO = 1, /* version check; reply.value = 1 when kernel ipip works, 0 = user-space fallback */
	NH_FLUSH,     /* remove everything that a helper of this agent ever made: rules, routes, neighbours,
			 tunnels, table */
	NH_OPEN_UDP, /* UDP socket bound to addr:434 (addr 0 = any), IP_PKTINFO, IP_RECVTTL, IP_RECVERR: fd */
	NH_OPEN_LINK, /* packet socket (SOCK_DGRAM, ETH_P_IP) on ifname, locked filter: UDP dport 434 and ICMP
		       * type 9/10: fd; value = ifindex */
	NH_OPEN_VICI, /* connected to the configured charon socket: fd. The path is the helper's argument, not
			 the agent's */
	NH_VISITOR_ADD, /* addr via ifindex, mac: route in NH_TABLE_MIP + permanent neighbour; replaces */
	NH_VISITOR_DEL, /* addr */
	NH_IPIP_ADD,	/* tunnel local..peer, by reference count; what uses it (below) also keeps it */
	NH_IPIP_DEL,
	NH_BINDING_ADD,	  /* addr -> tunnel local..peer (must exist) in NH_TABLE_MIP; reverse packets: source
			   * checked; replaces (a move) */
	NH_BINDING_DEL,	  /* addr; peer, when not 0, has to be the present one */
	NH_REVERSE_ADD,	  /* rule: from addr iif ifindex -> table of tunnel local..peer; replaces */
	NH_REVERSE_DEL,	  /* addr */
	NH_PROXY_ARP_ADD, /* addr on ifindex */
	NH_PROXY_ARP_DEL,
	NH_GARP,    /* gratuitous ARP for addr on ifindex; mac 0 = own */
	NH_VPN_ADD, /* one end's part in a profile: src, dst, tos_up, tos_down, side: the rule into charon's
		     * table for the direction that we encrypt, marks both ways, allow, never in clear; by
		     * reference count */
	NH_VPN_DEL,
	NH_PROTECT_ADD, /* prefix dst: default drop for forwarded packets to and from it that no NH_VPN_ADD
			   allows; by count */
	NH_PROTECT_DEL,
	NH_ENCAP_ADD, /* encapsulation-only profile: src/dst into the tunnel local..peer instead of charon's
			 table; with another peer it leads there from now on, and packets are still taken from the
			 earlier one until its NH_ENCAP_DEL (a move); counts per peer */
	NH_ENCAP_DEL, /* when it is the peer that it leads to, the one before it takes over, if still there */
	NH_OPEN_TRANSPARENT, /* UDP socket on port 434 with IP_TRANSPARENT, IP_PKTINFO, IP_RECVTTL: fd (PCN);
				the correspondent is ipi_addr when receiving and ipi_spec_dst when sending */
	NH_PCN_ADD,	     /* prefix dst: UDP/434 to any of its hosts comes to the transparent socket (nft
				tproxy, a routing rule of its own); what comes from inside the prefix is left
				alone; by count */
	NH_PCN_DEL,
	NH_OPEN_NFLOG, /* netlink socket on NFLOG group 434, 28 bytes each, bounded buffer: fd (HA, F9) */
	NH_WATCH_ADD,  /* addr (home address): forwarded packets to it that no VPN part covers are logged to
			  NFLOG group 434, one per (source, addr) and 5 s; a bounded set, so that a flood
			  changes nothing */
	NH_WATCH_DEL,
	NH_HOLD_ADD, /* addr: packets routed to it (whatever NH_VISITOR, NH_BINDING or NH_FORWARD say, and
			unless a VPN rule takes them) wait here: NH_HOLD_PACKETS or NH_HOLD_BYTES, oldest lost first
			and counted; at most NH_HOLDS_MAX addresses (ENOSPC).  One that nobody ends is ended after
			NH_HOLD_MS, and its packets dropped; another NH_HOLD_ADD of addr begins that time anew */
	NH_HOLD_DEL, /* addr: and now they go on, in order, to where a VPN, forward, visitor or binding of addr
			leads (else dropped); reply.value: how many were lost while waiting; unknown: no error */
	NH_FORWARD_ADD, /* addr -> tunnel local..peer (must exist), in place of the visitor's link: a visitor who
			   has moved on; replaces; packets to addr from any tunnel may go there. IPsec profiles' packets
			   never in clear */
	NH_FORWARD_DEL, /* addr: the visitor's link again, when there still is a visitor */
	NH_VERB_MAX
};
#define NH_HOLD_PACKETS 512 /* of one address */
#define NH_HOLD_BYTES (1u << 20)
#define NH_HOLDS_MAX 64
#define NH_HOLD_MS 10000

/* What we are to a profile's packets.  A part as the one and a part as the other may come separately or
 * together. */
enum nh_side {
	NH_SIDE_DST, /* their destination gateway: tunnel what comes down, what goes up comes out of a tunnel
		      */
	NH_SIDE_SRC, /* their source gateway: tunnel what goes up, what comes down comes out of a tunnel */
	NH_SIDE_BOTH /* in the middle, between two tunnels: both */
};
struct nh_request {
	uint32_t id;
	uint32_t verb;
	struct in_addr addr, local, peer;
	uint32_t ifindex;
	uint8_t mac[6];
	uint8_t tos_up, tos_down;
	struct vpn_prefix src, dst;
	char ifname[16];
	uint8_t side; /* NH_VPN_*, NH_ENCAP_*: enum nh_side */
};
struct nh_reply {
	uint32_t id;
	int32_t error; /* 0 or errno */
	uint32_t value;
	char text[160]; /* reason in words */
			/* a descriptor, when the verb gives one, comes as SCM_RIGHTS */
};

#endif
