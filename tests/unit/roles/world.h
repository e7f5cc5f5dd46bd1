/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A world in memory for the role state machines: mobile nodes, a foreign agent, a home agent, and a small
 * stand-in for the AAAH and for the VPN room.  Time moves only when the test says so.  Every action is
 * carried out at once, and written into a ledger in which each ADD has to find its DEL.
 */
#ifndef MIPVPN_TESTS_ROLES_WORLD_H
#define MIPVPN_TESTS_ROLES_WORLD_H

#include <arpa/inet.h>
#include <string.h>

#include "agent/roles/fa.h"
#include "agent/roles/ha.h"
#include "agent/roles/pcn.h"
#include "agent/mip/binding.h"
#include "lib/counter.h"
#include "tests/unit/harness.h"

#define LINK 7u /* interface index of the visited link */
#define HOME 9u /* of the home link */
#define FA_ADDR "198.51.100.11"
#define FA_LINK_ADDR "10.2.1.1"
#define HA_ADDR "198.51.100.21"

struct assoc {
	bool have;
	uint32_t spi_out, spi_in;
	enum crypto_mac alg;
	uint8_t key[32];
	size_t len;
};

struct mn {
	const char *nai; /* "" = none */
	struct in_addr hoa;
	uint8_t mac[6];
	struct assoc aaa, mn_ha, mn_fa;
	uint8_t challenge[MIP_CHALLENGE_MAX];
	uint8_t challenge_len;
	uint64_t ident;
	uint64_t sent[8];  /* Identifications of the last requests */
	unsigned n_sent;
	uint64_t answered; /* the latest one that was accepted; 0 = none */
	unsigned stale;	   /* replies to an earlier one than that: thrown away */
	unsigned replies; /* received */
	uint8_t bytes[MIP_MSG_MAX];
	struct mip_rrp rrp; /* the last one; borrows bytes */
	struct role_path path;
	bool right32, right33; /* its authenticators verified */
};

/* What to put in a request. */
struct ask {
	uint8_t flags;
	uint16_t lifetime;
	const char *hoa, *ha, *coa; /* NULL = the usual */
	bool keys, with_aaa, with_mn_ha, with_mn_fa, with_challenge;
	bool style, cvse, pad_unknown, duplicate_nai;
	const uint8_t *challenge; /* NULL = the node's */
	uint8_t challenge_len;
	int64_t clock_off_ms;
	uint64_t ident;	       /* 0 = by the clock */
	uint8_t ttl;	       /* 0 = 255 */
	const char *src, *dst; /* IP; NULL = home address, link address */
	unsigned ifindex;      /* 0 = LINK */
	bool spoil_aaa, spoil_mn_ha, spoil_mn_fa;
};

#define PCN_ADDR "198.51.100.32"  /* in front of 203.0.113.0/24 */
#define PCN2_ADDR "198.51.100.33" /* in front of 203.0.114.0/24 */

enum { AT_FA, AT_HA, AT_PCN, AT_PCN2, ROLES };
enum vpn_policy { VPN_COMES_UP, VPN_FAILS, VPN_HANGS };
struct ledger_row {
	char what[160];
	int n;
};
#define MNS 8

struct world {
	struct fa_config fc;
	struct ha_config hc;
	struct fa *fa;
	struct ha *ha;
	struct pcn_config pc[2];
	struct pcn *pcn[2]; /* NULL = not there */
	role_ms now;
	uint64_t wall;
	struct mn *mn[MNS];
	size_t n_mn;
	/* the AAAH */
	uint8_t n_profiles;
	struct vpn_profile *profiles; /* n_profiles of them, for whoever registers; NULL = made up, static */
	uint32_t refused; /* the home agent could not set this one up; it is not required then */
	const char *assign; /* home address that it assigns; NULL = none */
	bool no_keys, deaf; /* deaf: never answers an AMR */
	bool spoil_fa_ha;   /* gives the FA another FA-HA key than the HA */
	uint32_t answer;    /* fixed Result-Code; 0 = works */
	uint32_t auth_lifetime;
	unsigned sessions;
	bool same_session; /* one HAR session for each user, as RFC 4004 wants of a stateful AAAH */
	char amr_session[DM_SESSION_MAX], har_session[DM_SESSION_MAX]; /* the last ones */
	char granted[DM_SESSION_MAX]; /* the FA's session that the AAAH has in its table */
	struct dm_amr amr;	      /* the last one */
	uint32_t haa_result;
	unsigned strs[ROLES]; /* STRs by role */
	uint32_t str_cause;
	bool hold_ama; /* they wait for world_ama_arrives() */
	struct {
		char session[DM_SESSION_MAX];
		struct dm_ama a;
	} held[8];
	size_t n_held;
	bool aaah_relays_end; /* an STR makes an ASR at the other end */
	uint32_t asa_result;
	unsigned vuas;
	const char *vpn_waits; /* the home agent's VPN room says with UP */
	struct dm_haa vua; /* the last one */
	uint64_t vua_token;
	/* the VPN room, by role */
	enum vpn_policy vpn[ROLES];
	char vpn_session[ROLES][DM_SESSION_MAX]; /* hangs */
	uint8_t vpn_asked[ROLES];		     /* profiles of the last one */
	bool vpn_had[ROLES];		     /* and was there before it was asked for again */
	struct vpn_profile vpn_first[ROLES]; /* the first profile of the last one */
	char vpn_order[512];		     /* the HA's: "+session " asked for, "-session " removed */
	struct { /* the HA's moves (room.c) */
		unsigned n;
		char session[DM_SESSION_MAX]; /* the last one's */
		struct in_addr from, to;
	} moved;
	/* the wire */
	bool cut_fa_ha;	       /* nothing gets from the FA to the HA */
	unsigned to_ha;	       /* packets of the FA */
	struct action from_ha; /* the HA's last packet to the core, without its data */
	uint8_t ha_bytes[MIP_MSG_MAX];
	size_t ha_len;	    /* 0 = none */
	/* binding messages: the last one of each sender */
	struct world_wire {
		struct role_path path;
		uint8_t bytes[MIP_MSG_MAX];
		size_t len;
		unsigned n;
	} wire[ROLES], told[16]; /* told: the HA's last Binding Update for each profile number */
	bool cut[ROLES];  /* nothing of it arrives */
	struct dm_haa haa; /* the last one */
	struct mip_adv adv; /* the last one on the visited link */
	unsigned advs;
	struct role_path adv_path;
	unsigned actions, reply_before_vpn;
	struct ledger_row ledger[8192];
	size_t n_ledger;
	int ledger_errors;
	char event[512]; /* the last line */
	unsigned hars, haas;
	bool random;  /* requests may be damaged: realms are not what they should be */
	bool garp_mn; /* PROXY_ARP_DEL came with a MAC */
};

struct in_addr addr(const char *text);
/* Configuration of the fast lab; aaa: registrations pass the AAA.  Change fc and hc before world_start(). */
void world_init(struct world *w, bool aaa);
void world_start(struct world *w);
/* For the parts of the world itself: ledger.c, pcns.c. */
void ledger_note(struct world *w, int role, const struct action *a);
bool ledger_vpn(struct world *w, int role, const char *session, bool there); /* was it there before? */
void world_binding_send(struct world *w, int role, const struct role_event *e);

void world_vpn_move(struct world *w, int role, const struct action *a); /* room.c */
void world_vpn_note(struct world *w, int role, const struct action *a);
bool world_ama_held(struct world *w, const char *session, struct dm_ama *a); /* late.c */
bool mn_is_stale(struct mn *m, uint32_t ident); /* m->rrp is a yes, to an earlier request than the last yes */

void world_pcns(struct world *w); /* starts both */
/* A dynamic profile, with the keys of this session; the PCN is 0 or 1. */
struct vpn_profile world_dynamic(const struct world *w, uint32_t number, int pcn, const char *context);
/* A world with both PCNs, one mobile node that is not on yet, and the first n of three VPNs: 5 by one PCN,
 * 6 by the other one (best effort), 7 between the agents. */
void world_with_pcns(struct world *w, struct mn *mn, struct vpn_profile vpn[3], uint8_t n);
size_t world_at_pcn(struct world *w, int i, struct role_row *row); /* how many, the first one in *row */
void world_with_pcns_end(struct world *w); /* he is dropped: nothing is left anywhere */
void world_end(struct world *w); /* frees, and asserts that the ledger is balanced */
void world_mn(struct world *w, struct mn *m, const char *nai, const char *hoa);
void world_vpn_answers(struct world *w, int role, bool up); /* what hangs comes up, or fails */
void world_ama_arrives(struct world *w, size_t i);	    /* the one held at i, 0 = the oldest */
void world_pass(struct world *w, role_ms ms);		    /* time goes by, timers fire when due */
bool world_balanced(const struct world *w);

void mn_hear(struct world *w, struct mn *m); /* takes the challenge of the last advertisement */
size_t mn_build(struct world *w, struct mn *m, const struct ask *a, uint8_t buf[MIP_MSG_MAX]);
/* Sends bytes to the FA as m; returns the code of the reply, -1 for silence. */
int mn_send_bytes(struct world *w, struct mn *m, const struct ask *a, const uint8_t *buf, size_t len);
int mn_send(struct world *w, struct mn *m, const struct ask *a);
int mn_send_home(struct world *w, struct mn *m, const struct ask *a); /* on the home link, to the HA */
/* First registration through the AAA, with keys; asserts code 0. */
void mn_join(struct world *w, struct mn *m, uint16_t lifetime);

void world_tell(struct world *w, int role, const struct role_event *e);
void fa_tell(struct world *w, const struct role_event *e);
void ha_tell(struct world *w, const struct role_event *e);
size_t fa_count(const struct world *w); /* rows */
size_t ha_count(const struct world *w);

#endif
