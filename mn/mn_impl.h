/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shared by the files of the pure core: agents.c (who is heard), request.c and reply.c (messages), mn.c
 * (decisions).
 */
#ifndef MIPVPN_MN_IMPL_H
#define MIPVPN_MN_IMPL_H

#include "mn/mn.h"

#define MN_NEVER UINT64_MAX

/* --- agents.c --- */
#define MN_AGENTS_MAX 8
struct mn_agent {
	bool used;	     /* this slot */
	struct in_addr addr; /* router address of its advertisements */
	uint8_t mac[6];
	struct in_addr coa; /* first care-of address; 0 = it is no foreign agent */
	uint16_t flags, reg_lifetime, sequence;
	uint8_t prefix_len;   /* 255 = not told */
	bool home;	      /* it serves our home link */
	uint32_t lifetime_ms; /* of the advertisement */
	mn_ms heard;
	uint8_t challenge[MIP_CHALLENGE_MAX], challenge_len;
	bool challenge_used;
	bool needs_tunnel;     /* has said 75 */
	uint16_t lifetime_max; /* has said 69; 0 = no */
};
struct mn_agents {
	struct mn_agent list[MN_AGENTS_MAX];
};
/* Takes an advertisement in.  *rebooted: its sequence numbers started again.  NULL: nothing for us in it. */
struct mn_agent *mn_agents_hear(struct mn_agents *as, const struct mn_config *c, struct in_addr home_address,
				const struct mn_event *e, mn_ms now, bool *rebooted);
bool mn_agent_audible(const struct mn_agent *a, mn_ms now);
mn_ms mn_agent_lapse(const struct mn_agent *a); /* when it stops being audible */
/* Whom to use: home before abroad, the present one (may be NULL) while it is heard as it should.  NULL =
 * nobody. */
struct mn_agent *mn_agents_choose(struct mn_agents *as, struct mn_agent *now_used, mn_ms now);
void mn_agent_challenge(struct mn_agent *a, const uint8_t *challenge, size_t len);

/* --- the node --- */
enum mn_kind { MN_REGISTER, MN_LEAVE_FOREIGN, MN_LEAVE_HOME }; /* the last two have lifetime 0 */
#define MN_IDENTS 4
struct mn_attempt {
	bool active;
	enum mn_kind kind;
	bool full;		    /* with MN-AAA and key requests, as far as configured */
	unsigned sent;		    /* transmissions */
	mn_ms next;		    /* retransmission */
	uint32_t idents[MN_IDENTS]; /* low halves of the latest ones */
	uint16_t lifetime;
};
struct mn_keys {
	struct mn_sa ha, fa;   /* made by AAA, or configured (ha) */
	struct in_addr fa_coa; /* whose fa is */
};
struct mn {
	struct mn_config c;
	uint64_t rng;
	mn_ms now;
	uint64_t wall_ms;
	struct mn_actions *out; /* of the event at hand */

	struct mn_agents agents;
	struct mn_agent *agent; /* the one we use; NULL = searching */
	struct mn_keys keys;
	struct in_addr home_address, home_agent; /* configured or learned */
	char ha_nai[MIP_NAI_MAX + 1], aaah_nai[MIP_NAI_MAX + 1];
	int64_t clock_offset_ms; /* home agent's clock - ours */
	uint64_t last_ident;
	uint32_t spi_ha, spi_fa; /* what others shall call the keys that we ask for */

	bool registered, at_home, attached, stopping, ended;
	uint8_t attached_mac[6];
	struct in_addr reg_coa;
	mn_ms reg_expires, renew_at;
	struct mn_attempt attempt;
	mn_ms last_sent, next_attempt;
	unsigned backoff, quick; /* refusals in a row; retries without backoff in a row */
	bool tunnel;		 /* ask for a reverse tunnel */
	mn_ms next_solicit, once_until;
	unsigned solicits;
};

/* --- request.c --- */
uint32_t mn_random(struct mn *mn);
/* Writes the request of mn->attempt with a new Identification into a (src, dst, ttl, mac, data).  false: it
 * cannot be built (what is missing in *why). */
bool mn_request_build(struct mn *mn, struct mn_action *a, const char **why);

/* --- reply.c --- */
struct mn_reply {
	struct mip_rrp rrp;
	bool from_ha;	     /* code is a home agent's */
	bool authentic;	     /* one of its authenticators proves who it is from */
	struct mn_sa ha, fa; /* new keys; len 0 = none */
};
/* NULL: out may be acted upon.  Else why it proves false.  Pending is asked by mn_reply_pending() first. */
const char *mn_reply_check(const struct mn *mn, const uint8_t *data, size_t len, struct mn_reply *out);
bool mn_reply_pending(const struct mn *mn, const uint8_t *data, size_t len);

#endif
