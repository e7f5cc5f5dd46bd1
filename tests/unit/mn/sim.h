/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A mobile node with driven time, and the agents that it meets, for tests/unit/mn.
 */
#ifndef MIPVPN_TESTS_MN_SIM_H
#define MIPVPN_TESTS_MN_SIM_H

#include "mn/mn.h"

#define SIM_WALL UINT64_C(1700000000000) /* Unix time, ms, when the test's own clock is 0 */
extern const uint8_t sim_aaa_key[16];

struct sim {
	struct mn *mn;
	mn_ms now;
	struct mn_actions out;
	/* of the last request sent */
	unsigned sent;
	mn_ms sent_at, second_at; /* of the last one, of the second one */
	struct mip_rrq rrq;
	struct mn_action request;
	/* of the last MN_ATTACH */
	unsigned attached, detached, announced, solicited, held, unheld;
	struct mn_action attach;
	int status;	/* -1 = goes on */
	char event[32]; /* of the last report */
	char text[200];
	uint16_t sequence;
	/* How the agents answer. */
	bool forge, no_keys, unsigned_reply;
	uint32_t ident_high; /* 0 = as it came */
	bool no_fa;	/* the foreign agent signs nothing */
	bool moved_key; /* the foreign agent answers with the key that it has from the previous one */
	uint64_t took_us; /* of the last report that told */
};

struct sim_agent {
	const char *addr, *coa;
	uint8_t mac;
	uint16_t flags;
	uint8_t prefix_len;
	uint16_t lifetime;
};
extern const struct sim_agent sim_fa1, sim_fa2, sim_busy, sim_home, sim_other_home;

struct in_addr sim_ip(const char *text);
/* One event, and what comes of it. */
void sim_tell(struct sim *s, struct mn_event *e);
void sim_event(struct sim *s, enum mn_event_type type);
struct mn_config sim_config(void);
struct sim sim_begin(const struct mn_config *c);
/* Lets time pass, with a timer event whenever one is due. */
void sim_pass(struct sim *s, mn_ms ms);
void sim_advertise(struct sim *s, const struct sim_agent *a);
/* Advertises once a second for so long. */
void sim_stay(struct sim *s, const struct sim_agent *a, unsigned seconds);
void sim_key(uint8_t out[20]);
size_t sim_build_reply(const struct sim *s, uint8_t code, uint16_t lifetime, uint8_t *msg, size_t cap);
void sim_reply(struct sim *s, uint8_t code, uint16_t lifetime);
/* A node that is registered at sim_fa1. */
struct sim sim_registered(const struct mn_config *c, uint16_t lifetime);

#endif
