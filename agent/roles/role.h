/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the role state machines (fa.c, ha.c; pcn.c to come) share: events in, actions out.  Pure: a role has
 * no socket, no clock and no thread; "now" is an argument (monotonic milliseconds), wall-clock time comes with
 * the event.
 *
 * An event is borrowed for the call.  Actions are returned in order in a struct actions, which owns what it
 * holds and is ended with actions_clear().  agent/run/ carries them out.
 */
#ifndef MIPVPN_ROLE_H
#define MIPVPN_ROLE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/mip/mip.h"
#include "diameter/msg.h"
#include "lib/log.h"

typedef uint64_t role_ms;	/* monotonic, ms */

/* Key of everything that belongs to one registration at this node; unique in the process, also across roles.
 * FA: Diameter Session-Id of the AMR; HA: of the HAR (or "local:<hoa>" without AAA). */
#define ROLE_SESSION_MAX DM_SESSION_MAX

/* Where a packet came from or goes to. */
struct role_path {
	unsigned ifindex;	/* link interface (FA: MN side); 0 = the core side UDP socket */
	uint8_t mac[6];		/* link-layer peer, valid when ifindex != 0 */
	struct in_addr src, dst;	/* IP, as on the packet */
	uint16_t sport, dport;
	uint8_t ttl;
};

enum role_event_type {
	EV_PACKET,		/* a UDP/434 payload: path, data, len */
	EV_SOLICIT,		/* FA, HA on a link: agent solicitation: path */
	EV_ICMP_ERROR,		/* FA: error for a relayed request: icmp_type/code; path.dst = destination,
				 * data = the request as far as the kernel quotes it, or NULL */
	EV_AMA,			/* FA: answer to ACT_AMR: session, ama */
	EV_AAA_FAILED,		/* FA: no answer to AMR: session, result (3002, 3004; 0 = timeout) */
	EV_HAR,			/* HA: har; answer by ACT_HAA with the same token */
	EV_VUR,			/* FA, HA: session, har (its profiles): the session's VPNs have changed
				 * at home; answer by ACT_VUA with the same token */
	EV_ASR,			/* AAAH ends the session: session; answer by ACT_ASA, same token */
	EV_VPN_UP,		/* all of session's ACT_VPN_INSTALL is up (or ready, for a responder); text "VPN <number>:
				 * <why>": the old connection of its contract still stands in for the new one */
	EV_VPN_CARRIES,		/* every tunnel of the session is up at this end too (a responder's UP comes earlier,
				 * when it is ready), and what it has replaced goes: session */
	EV_VPN_FAILED,		/* one was not set up: session, text; vpn/ has taken down what it set */
	EV_VPN_DOWN,		/* a tunnel of a standing session is gone for good: session, text */
	EV_FIRST_PACKET,	/* HA (F9): a packet from path.src (CN) to path.dst (home address), no VPN live */
	EV_DROP,		/* console: drop the user whose NAI, home address or session is text */
	EV_TIMER		/* fa_next/ha_next has come */
};
struct role_event {
	enum role_event_type type;
	uint64_t wall_ms;	/* Unix time, ms */
	struct role_path path;
	const uint8_t *data;
	size_t len;
	const char *session;
	const char *text;
	uint32_t result;
	uint64_t token;		/* of a Diameter request, given back in the answer action */
	uint8_t icmp_type, icmp_code;
	const struct dm_ama *ama;
	const struct dm_har *har;
};

enum action_type {
	ACT_LINK_SEND,		/* data on a link: path (ifindex, mac, addresses, ports, ttl); proto */
	ACT_UDP_SEND,		/* data from the core side socket: path.src (0 = any) .. path.dport */
	ACT_BINDING_SEND,	/* PCN: data from path.src (a CN's address) and its port 434, by the transparent socket */
	ACT_WATCH_ADD,		/* HA: report first packets of CNs to hoa (EV_FIRST_PACKET); ACT_WATCH_DEL stops */
	ACT_WATCH_DEL,
	ACT_AMR,		/* amr (owned) */
	ACT_HAA,		/* haa (owned), token */
	ACT_VUA,		/* haa (owned): result, error, refused; token */
	ACT_ASA,		/* token, result */
	ACT_STR,		/* session, cause, user, dest_realm/host in end */
	ACT_VPN_INSTALL,	/* session, profiles (owned), deadline_ms: make desired;
				 * answers EV_VPN_UP / EV_VPN_FAILED */
	ACT_VPN_REMOVE,		/* session: make not desired */
	ACT_VPN_MOVE,		/* HA: session, local -> peer: the source gateway (FA) of its profiles is peer from now
				 * on (E7); deadline_ms; answers as ACT_VPN_INSTALL */
	ACT_VPN_LEAVE,		/* FA: session, deadline_ms: use its tunnels while they stand, do not repair them; gone
				 * at the deadline at the latest.  No answer */
	ACT_VPN_HANDOFF,	/* FA, FA': session (a new name), from = the visitor's: for each IPsec profile of from a
				 * tunnel between local (ours) and peer, key; FA (role_src false) initiates, FA'
				 * (role_src true) is loaded; deadline_ms; answers as ACT_VPN_INSTALL, at once
				 * when there is no such profile */
	ACT_HOLD_ADD,		/* FA: hoa: packets to it wait in the helper; ACT_HOLD_DEL lets them go on, by the route
				 * that hoa has then */
	ACT_HOLD_DEL,
	ACT_FORWARD_ADD,	/* FA: hoa, local, peer (FA'): instead of the visitor's link into the IP-in-IP tunnel */
	ACT_FORWARD_DEL,
	ACT_VISITOR_ADD,	/* FA: hoa, ifindex, mac: route and pinned neighbour; peer: the HA */
	ACT_VISITOR_DEL,
	ACT_REVERSE_ADD,	/* FA: hoa, ifindex, local (CoA), peer (HA): everything from hoa goes into the
				 * IP-in-IP tunnel (what matches a VPN profile excepted) */
	ACT_REVERSE_DEL,
	ACT_TUNNEL_ADD,		/* IP-in-IP to peer from local, by reference count */
	ACT_TUNNEL_DEL,
	ACT_BINDING_ADD,	/* HA: hoa -> IP-in-IP tunnel local..peer (VPN profiles excepted) */
	ACT_BINDING_DEL,
	ACT_PROXY_ARP_ADD,	/* HA: hoa on the home link; with gratuitous ARP, own MAC */
	ACT_PROXY_ARP_DEL,	/* stop; mac != 0: gratuitous ARP with the MN's MAC */
	ACT_EVENT		/* one line for the log and `mipvpnctl show events`: level, text (owned) */
};
struct action {
	enum action_type type;
	struct role_path path;
	uint8_t proto;			/* ACT_LINK_SEND: IPPROTO_UDP or IPPROTO_ICMP */
	struct dm_bytes *data;		/* owned */
	char session[ROLE_SESSION_MAX];
	struct in_addr hoa, local, peer;
	unsigned ifindex;
	uint8_t mac[6];
	uint32_t deadline_ms;		/* from now */
	uint64_t token;
	uint32_t result;
	struct dm_amr *amr;		/* owned */
	struct dm_haa *haa;		/* owned */
	struct dm_end *end;		/* owned */
	struct vpn_profile *profiles;	/* owned, n_profiles */
	uint8_t n_profiles;
	enum log_level level;
	char *text;			/* owned */
	char from[ROLE_SESSION_MAX];	/* ACT_VPN_HANDOFF */
	struct vpn_key key;		/* ACT_VPN_HANDOFF: the session's handoff key */
	bool role_src;			/* ACT_VPN_HANDOFF: we are FA' */
	bool late_child;		/* ACT_VPN_INSTALL: replaces what carries packets, so the CHILD_SAs that we
					 * initiate are left to the other end (doc/moves.md) */
};
struct actions { struct action *a; size_t n, cap; };
/* Borrowed, zeroed; NULL without memory. */
struct action *actions_add(struct actions *as, enum action_type type);
void actions_clear(struct actions *as);					/* wipes keys */

/* A configured security association (RFC 5944 1.6); AAA-made ones live in the role. */
struct role_sa {
	struct in_addr peer;	/* agent's address; or 0 with nai */
	char nai[MIP_NAI_MAX + 1];
	uint32_t spi;
	enum crypto_mac alg;
	struct vpn_key key;
};

/* Rows for the console (show bindings | visitors); copied out. */
struct role_row {
	char session[ROLE_SESSION_MAX], nai[MIP_NAI_MAX + 1];
	struct in_addr hoa, coa, ha;
	const char *state;	/* static word: "aaa", "tunnels", "relayed", "registered", ... */
	uint32_t lifetime_s, left_s;
	uint64_t since_wall_ms;
	uint8_t n_profiles;
	bool reverse_tunnel;
};

#endif
