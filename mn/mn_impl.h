/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shared by the files of the pure core: agents.c (who is heard), request.c and reply.c (messages), attempt.c
 * (when one is sent), answer.c (what a reply leads to), act.c (the interface), mn.c (decisions).
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
	bool gone;	/* our link is another one since; until it is heard again */
	bool faded;	/* the user has said so; until it is chosen for want of another one */
	bool no_pfan;	/* does not know extension 96 */
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
/* No missed turn, and it is on this link: what is sent to it arrives. */
bool mn_agent_well(const struct mn_agent *a, mn_ms now);
/* NULL = not known. */
struct mn_agent *mn_agents_by_coa(struct mn_agents *as, struct in_addr coa);
void mn_agents_gone(struct mn_agents *as); /* another link */
/* The link of a fades; when all others do, they do no more.  a may be NULL. */
void mn_agents_fade(struct mn_agents *as, struct mn_agent *a, mn_ms now);
void mn_agent_challenge(struct mn_agent *a, const uint8_t *challenge, size_t len);

/* --- the node --- */
enum mn_kind { MN_REGISTER, MN_LEAVE_FOREIGN, MN_LEAVE_HOME }; /* the last two have lifetime 0 */
#define MN_IDENTS 4
struct mn_attempt {
	bool active;
	enum mn_kind kind;
	bool full;		    /* with MN-AAA and key requests, as far as configured */
	bool pfan;		    /* the next transmission has extension 96 */
	bool pfan_sent;		    /* one had */
	bool update;		    /* with a service update request (F7) */
	unsigned sent;		    /* transmissions */
	mn_ms next;		    /* retransmission */
	uint32_t idents[MN_IDENTS]; /* low halves of the latest ones */
	unsigned answered;	    /* the last transmission that was accepted, counted from 1; 0 = none */
	uint16_t lifetime;
};
struct mn_keys {
	struct mn_sa ha, fa;   /* made by AAA, or configured (ha) */
	struct in_addr fa_coa; /* whose fa is; a move can take it along */
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
	uint64_t now_us, began_us; /* of the event; of the first request of this registration, 0 = none */

	bool registered, at_home, attached, stopping, ended;
	bool link_down, holding;
	mn_ms hold_until;
	uint8_t attached_mac[6];
	struct in_addr reg_coa;
	mn_ms reg_expires, renew_at;
	struct mn_attempt attempt;
	mn_ms last_sent, next_attempt;
	bool arrived;	    /* at another agent, where nothing was sent yet */
	mn_ms spent, spent_at; /* requests that did not wait, in ms of spacing; see mn_attempt_earliest() */
	unsigned backoff, quick; /* refusals in a row; retries without backoff in a row */
	bool tunnel;		 /* ask for a reverse tunnel */
	bool update;		 /* a service update is wanted, and no request with it was granted yet */
	mn_ms next_solicit, once_until;
	unsigned solicits;
};

/* --- act.c --- */
struct mn_action *mn_act(struct mn *mn, enum mn_action_type type);
/* A line for the user, with what is known at this moment. */
__attribute__((format(printf, 3, 4))) struct mn_action *mn_report(struct mn *mn, const char *event,
								  const char *fmt, ...);
const char *mn_ip(struct in_addr a); /* four at a time */
void mn_end(struct mn *mn, int status);
mn_ms mn_jitter(struct mn *mn, mn_ms ms); /* 75 .. 125 % */
void mn_attach(struct mn *mn, bool home);
void mn_detach(struct mn *mn);
void mn_come_home(struct mn *mn);
void mn_hold(struct mn *mn); /* from now on, for a bounded time; again: for longer */
void mn_hold_settle(struct mn *mn);

/* --- attempt.c --- */
#define MN_SPACING_MS 1000   /* one request per second on average (RFC 5944 2.4.2, 3.6.3) */
#define MN_BACKOFF_MAX_MS 64000
void mn_attempt_start(struct mn *mn, enum mn_kind kind);
void mn_attempt_transmit(struct mn *mn);
/* When the next attempt may start.  The first request at another agent need not wait for the last one's
 * second: five of them in a row; what they were early is paid back at a second per second. */
mn_ms mn_attempt_earliest(const struct mn *mn);
void mn_keys_forget_fa(struct mn *mn);
void mn_keys_forget(struct mn *mn); /* all that AAA made */

/* --- answer.c --- */
void mn_answer(struct mn *mn, const uint8_t *data, size_t len);

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
	bool fa_moved;	     /* the foreign agent has the key that the previous one had */
};
/* NULL: out may be acted upon.  Else why it proves false.  Pending is asked by mn_reply_pending() first. */
const char *mn_reply_check(const struct mn *mn, const uint8_t *data, size_t len, struct mn_reply *out);
/* Which transmission of the attempt has this low half of the Identification, counted from 1; 0 = none. */
unsigned mn_reply_transmission(const struct mn *mn, uint32_t low);
bool mn_reply_pending(const struct mn *mn, const uint8_t *data, size_t len);

#endif
