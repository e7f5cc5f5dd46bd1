/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mobile node (RFC 5944 section 3.6, with RFC 2794, 3024, 3957, 4721): which agents are heard, which one
 * is used, what is registered, and what is to be done about it.  Pure: events come in with the time, actions
 * go out; the shell (loop.c) has the sockets and the interface.
 *
 * In one run: an advertisement is heard -> request -> reply -> ATTACH -> renewal at 2/3 of the lifetime ->
 * ... -> stop: request with lifetime 0 -> reply -> DETACH, END.
 *
 * A move with both links (F2): FADE, or the present agent misses a turn -> request at the other one, the old
 * way stays -> reply -> ATTACH.  With a cut: LINK_DOWN -> HOLD -> LINK_UP -> SOLICIT -> advertisement ->
 * request -> reply -> ATTACH, with what was held.
 */
#ifndef MIPVPN_MN_H
#define MIPVPN_MN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/mip/mip.h"
#include "lib/vpn_profile.h"

typedef uint64_t mn_ms; /* monotonic, ms */

struct mn_sa {	      /* a mobility security association; key.len 0 = none */
	uint32_t spi; /* what we put into a request */
	enum crypto_mac alg;
	struct vpn_key key;
	mn_ms expires; /* UINT64_MAX = never */
};
struct mn_config {
	char nai[MIP_NAI_MAX + 1];     /* "" = none */
	struct in_addr home_address;   /* 0 = ask for one */
	struct in_addr home_agent;     /* 0 = ask for one */
	struct vpn_prefix home_prefix; /* len 0 = what the home agent advertises */
	struct mn_sa aaa;	       /* MN-AAA */
	struct mn_sa ha;	       /* MN-HA, configured; none = keys are asked for */
	uint16_t lifetime;	       /* s */
	uint32_t retry_ms; /* first retransmission, doubling; 1000 at least (RFC 5944 3.6.3); 0 = 1000 */
	bool reverse_tunnel;
	bool smooth_handoff; /* tell the new foreign agent of the previous one (extension 96, S bit) */
	bool once;	     /* one registration attempt, then END */
	uint32_t once_timeout_ms;
};

enum mn_event_type {
	MN_EV_ADVERTISEMENT, /* adv, from, mac */
	MN_EV_REPLY,	     /* data, len: UDP payload from port 434 */
	MN_EV_TIMER,	     /* mn_next() has come */
	MN_EV_RENEW,	     /* register anew at once */
	MN_EV_UPDATE,	     /* the same, and the home network reads the user's VPNs again (F7) */
	MN_EV_LINK_UP,	     /* the interface has (again) a carrier: look who is there */
	MN_EV_LINK_DOWN,     /* it has none any more */
	MN_EV_FADE,	     /* the present agent's link is about to go: use another one */
	MN_EV_STOP	     /* deregister and end; a second one ends without waiting */
};
struct mn_event {
	enum mn_event_type type;
	uint64_t wall_ms; /* Unix time */
	uint64_t now_us;  /* monotonic; for took_us only */
	const struct mip_adv *adv;
	struct in_addr from;
	uint8_t mac[6];
	const uint8_t *data;
	size_t len;
};

enum mn_action_type {
	MN_SOLICIT,  /* send an agent solicitation */
	MN_SEND,     /* registration message: src, dst, mac, ttl, data, len */
	MN_ATTACH,   /* configure the interface: home_address/prefix_len, all routes via agent at mac */
	MN_DETACH,   /* put the interface back as it was */
	MN_HOLD,     /* keep what is sent from now on, until MN_ATTACH lets it go by the new way */
	MN_UNHOLD,   /* give that up: what is kept is dropped, the routes are as before */
	MN_ANNOUNCE, /* gratuitous ARP for home_address: we are back on the home link */
	MN_REPORT,   /* tell the user: event, text and what else is set */
	MN_END	     /* end with status */
};
struct mn_action {
	enum mn_action_type type;
	struct in_addr src, dst;
	uint8_t mac[6];
	uint8_t ttl;
	bool home; /* ATTACH: on the home link */
	uint8_t prefix_len;
	struct in_addr agent, coa, home_address, home_agent; /* 0 = not known */
	const char *event;				     /* static word */
	int code;					     /* of a reply; -1 = none */
	uint32_t lifetime;				     /* s */
	uint64_t took_us; /* from the first request of a registration to its reply; 0 = not one */
	char text[200];
	char message[256]; /* of the agent (RFC 4917), printable */
	int status;
	uint8_t data[1024];
	size_t len;
};
#define MN_ACTIONS_MAX 16
struct mn_actions {
	struct mn_action a[MN_ACTIONS_MAX];
	size_t n;
};

struct mn;
/* seed: random; for Identification, SPIs and jitter (not for keys).  NULL without memory.  Copies the
 * configuration. */
struct mn *mn_new(const struct mn_config *c, uint64_t seed, mn_ms now);
void mn_free(struct mn *mn); /* wipes keys */
void mn_event(struct mn *mn, const struct mn_event *e, mn_ms now,
	      struct mn_actions *out); /* out is emptied first */
mn_ms mn_next(const struct mn *mn);    /* when MN_EV_TIMER is due; UINT64_MAX = never */

#endif
