/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Three foreign agents and one mobile node that moves between them. AAA servers, home agent and VPN
 * room are stand-ins that do what the test says. Time moves only when the test says so. What an agent
 * does is written down as words, in order, and booked in the ledger of the world.
 */
#ifndef MIPVPN_TESTS_ROLES_MOVES_H
#define MIPVPN_TESTS_ROLES_MOVES_H

#include "tests/unit/roles/world.h"

#define FAS 3
#define MV_HANGING 64
#define MV_HOA "10.1.0.10"
#define MV_NAI "ann@home.test"

enum moves_aaa { MV_AAAH, MV_AAAF, MV_SILENT }; /* asks the home agent; answers a move by itself (D2) */

struct moves {
	struct world book; /* its ledger is used, nothing else */
	struct fa_config fc[FAS];
	struct fa *fa[FAS];
	role_ms now;
	uint64_t wall;
	char trace[FAS][4096];
	/* the network */
	enum moves_aaa aaa;
	uint8_t n_profiles;
	bool no_fa_ha, no_handoff_key; /* missing in the AMA */
	bool hold_ama;		       /* it waits for moves_ama_arrives() */
	bool late;		       /* answers of AAA and home agent wait for moves_late() */
	struct {
		int fa;
		struct dm_amr amr;
		uint8_t rrp[512];
		size_t rrp_len; /* 0 = an AMA */
	} held[8];
	size_t n_held;
	bool no_previous;	       /* the AAAH does not say where the node was */
	uint8_t ha_code;	       /* of the home agent's replies */
	bool ha_silent, ha_forged;     /* forged: 34 is wrong */
	bool lose_bu, lose_ba;
	enum vpn_policy install[FAS], handoff[FAS];
	struct {
		int fa;
		enum vpn_policy what;
		char session[DM_SESSION_MAX];
	} vpn[MV_HANGING]; /* asked for and not answered yet; most are answered at once */
	size_t n_vpn;
	/* what was last */
	int at; /* the agent that the node has last registered with; -1 = none */
	struct in_addr where; /* care-of address that the home agent has */
	char session[FAS][DM_SESSION_MAX];
	struct dm_amr amr;
	uint64_t ident;
	unsigned replies, strs[FAS], updates, acks;
	struct dm_end str; /* the last one */
	int code, status; /* of the last reply, Binding Acknowledge; -1 = none */
	bool right33;
	struct role_path bu_path;
	uint8_t bu[256], rrp[512];
	size_t bu_len, rrp_len;
	/* a list of what is to be carried out, so that the order is that of a network */
	struct {
		int fa;
		struct actions as;
	} queue[4096];
	size_t head, tail;
	bool draining;
};

struct move_ask {
	uint16_t lifetime; /* 0 = 300; MV_DEREGISTER */
	bool no_pfan, soft;
	bool renewal; /* with 33, without 40: needs no AAA */
	uint16_t pfan_lifetime; /* 0 = 10; MV_DEREGISTER = 0 */
	uint64_t ident;		/* 0 = by the clock */
	int previous;		/* 0 = where he is; else agent + 1 */
};
#define MV_DEREGISTER 0xfff0

void moves_init(struct moves *m);
void moves_start(struct moves *m);
void moves_end(struct moves *m); /* shuts down; asserts that the ledger is balanced */
void moves_pass(struct moves *m, role_ms ms);
void moves_tell(struct moves *m, int fa, struct role_event *e);
/* Registers at fa; returns the code of the reply, -1 for silence. */
int moves_ask(struct moves *m, int fa, const struct move_ask *a);
void moves_answer(struct moves *m, bool up); /* the oldest of what hangs */
void moves_ama_arrives(struct moves *m, int fa);
void moves_late(struct moves *m, size_t i); /* the answer held at i, 0 = the oldest */
void moves_bu(struct moves *m, int fa); /* the last Binding Update again, byte by byte */
void moves_trace_clear(struct moves *m);
struct in_addr moves_coa(int fa);
const char *moves_state(struct moves *m, int fa); /* of the first row; "" = none */

#endif
