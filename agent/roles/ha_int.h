/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of the home agent.  A request that needs no tunnels is answered at once; a HAR with VPN profiles
 * waits as a struct ha_pending
 *
 *	HAR --> tunnels --up--> bound			UDP --> bound
 *	           \---failed, deadline--> refused (130)
 *
 * and what was granted is a struct ha_binding until it expires, deregisters or is dropped.  struct ha_memory
 * outlives the binding by a few seconds, for as long as an old request could pass the timestamp check.
 */
#ifndef MIPVPN_HA_INT_H
#define MIPVPN_HA_INT_H

#include <sys/queue.h>
#include <uthash.h>

#include "agent/roles/ha.h"
#include "agent/roles/role_int.h"

#define HA_PENDING_MAX 512
#define HA_SAFETY_MS 500 /* longer than the VPN room's own deadline */
#define HA_NO_STR (-1)

enum ha_timer_kind { HA_T_BINDING, HA_T_PENDING, HA_T_MEMORY, HA_T_BEACON, HA_T_BU };

struct ha_binding {
	struct role_timer timer;
	UT_hash_handle hh, hh_nai, hh_session;
	char *nai;		    /* "" = known by its address only */
	char *session;		    /* Diameter, or "local:<home address>" */
	char *aaa_host, *aaa_realm; /* of the AAAH; "" without AAA */
	struct in_addr hoa, coa;
	bool aaa, vpn, reverse;
	uint8_t n_profiles;
	uint16_t lifetime;
	role_ms expires, msa_until;
	uint64_t since_wall_ms, multi; /* multi: makes Acct-Multi-Session-Id */
	struct role_assoc mn_ha, fa_ha;
};

/* The last Identification accepted from a mobile node, and after a deregistration the key that it came
 * with, so that its retransmission still gets an answer. */
struct ha_memory {
	struct role_timer timer;
	UT_hash_handle hh;
	char *key; /* NAI or home address in text */
	uint64_t ident;
	struct role_assoc mn_ha;
};

/* All that a reply says. */
struct ha_answer {
	struct in_addr hoa;
	uint64_t ident;
	uint16_t lifetime;
	char nai[MIP_NAI_MAX + 1], aaah_nai[MIP_NAI_MAX + 1];
	uint32_t aaa_spi, msa_lifetime;
	uint32_t key_lifetime;		  /* in 43 and 41: no longer than the authorization */
	uint32_t ha_spi, fa_spi;	  /* in 43 and 41 */
	uint32_t fa_to_mn_spi;		  /* the MN's, 319 */
	struct dm_key ha_nonce, fa_nonce; /* len 0 = no 43, 41 */
	struct {
		uint8_t len;
		uint8_t data[MIP_CHALLENGE_MAX];
	} challenge;
	struct role_assoc mn_ha, fa_ha; /* 32 and 34 are made with; len 0 = none */
};

/* What becomes the binding. Strings are borrowed by ha_binding_grant(). */
struct ha_grant {
	const char *nai, *session, *aaa_host, *aaa_realm; /* session NULL: keep it, or without AAA */
	struct in_addr hoa, coa;
	uint16_t lifetime;
	bool reverse, vpn;
	uint8_t n_profiles;
	uint32_t msa_lifetime;
	const struct role_assoc *mn_ha, *fa_ha; /* NULL or len 0 = keep */
	uint64_t wall_ms, multi;
};

struct ha_pending {
	struct role_timer timer;
	UT_hash_handle hh; /* by session */
	TAILQ_ENTRY(ha_pending) link;
	char *session, *nai, *aaa_host, *aaa_realm;
	uint64_t token, wall_ms, multi;
	struct in_addr coa;
	bool reverse, new_keys;
	bool vpn_waits;		/* for the VPN room */
	unsigned bu_waits;	/* for so many Binding Acknowledges */
	uint8_t n_local;	/* profiles that we are a gateway of */
	uint8_t code; /* 0 or 1 when it comes up */
	uint8_t n_profiles;
	struct ha_answer answer;
};
TAILQ_HEAD(ha_pendings, ha_pending);

struct ha {
	struct ha_config cfg;
	struct role_sa *sas;
	struct role_heap heap;
	struct role_beacon beacon;
	struct ha_binding *by_hoa, *by_nai, *by_session;
	struct ha_memory *memory;
	struct ha_pending *pend_by_session;
	struct ha_pendings pendings;
	unsigned n_pending;
	uint32_t pool_next; /* offset at which the search goes on */
	uint32_t multi_hi, multi_lo;
	struct ha_bu_set *bu_sets;	/* ha_bu.h */
	uint32_t bu_noise;
	role_ms now;		/* of the event that is being handled */
	uint64_t wall_ms;
};

/* One request while it is looked at. */
struct ha_req {
	const struct role_event *e;
	role_ms now;
	const struct dm_har *har; /* NULL = came by UDP */
	struct mip_rrq rrq;
	const char *key; /* of its memory */
	const char *nai; /* "" = none */
	char key_mem[INET_ADDRSTRLEN];
	struct ha_binding *b; /* its binding, or NULL */
	struct ha_memory *m;
	struct role_view mn_ha; /* len 0 = none */
	struct role_view fa_ha;
	bool spi_known;
	struct in_addr hoa; /* decided */
	uint16_t lifetime;  /* granted */
	struct ha_answer *answer;
};

/* ha_request.c, ha_check.c */
void ha_request(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out);
const struct role_refusal *ha_check(struct ha *ha, struct ha_req *r);
/* For a refusal found before the foreign agent's 34 was looked at: its reply must have one that the agent
 * believes. */
void ha_check_relay(struct ha *ha, struct ha_req *r);
void ha_req_name(struct ha *ha, struct ha_req *r);
bool ha_is_own(const struct ha *ha, struct in_addr a);
extern const struct role_refusal ha_poor_request, ha_vpn_failed, ha_no_memory;

/* ha_reply.c */
void ha_answer_init(const struct ha *ha, const struct ha_req *r, struct ha_answer *a);
/* code 0 or 1 = accepted; text NULL = none. */
void ha_reply_put(const struct ha *ha, const struct ha_answer *a, uint8_t code, const char *text,
		  uint64_t wall_ms, struct wbuf *w);
uint8_t ha_accept_code(const struct ha_req *r);
void ha_reply_udp(struct ha *ha, const struct ha_req *r, uint8_t code, const char *text, struct actions *out);

/* ha_aaa.c */
void ha_har(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out);
void ha_vpn_up(struct ha *ha, const char *session, role_ms now, struct actions *out);
/* Ends p with a refusal. */
void ha_pending_refuse(struct ha *ha, struct ha_pending *p, const struct role_refusal *why, const char *text,
		       struct actions *out);
void ha_pending_cancel(struct ha *ha, struct ha_pending *p, const char *text, struct actions *out);
void ha_pending_end(struct ha *ha, struct ha_pending *p);
struct ha_pending *ha_pending_of(const struct ha *ha, const char *session);
void ha_asr(struct ha *ha, const struct role_event *e, struct actions *out);
void ha_str(const struct ha *ha, const struct ha_binding *b, enum dm_termination cause, struct actions *out);

/* ha_binding.c */
struct ha_binding *ha_binding_by_hoa(const struct ha *ha, struct in_addr hoa);
struct ha_binding *ha_binding_by_nai(const struct ha *ha, const char *nai);
struct ha_binding *ha_binding_by_session(const struct ha *ha, const char *session);
struct ha_binding *ha_binding_grant(struct ha *ha, const struct ha_grant *g, role_ms now,
				    struct actions *out);
/* mac: of the mobile node on the home link, NULL = unknown. */
void ha_binding_end(struct ha *ha, struct ha_binding *b, const char *why, int cause, const uint8_t mac[6],
		    struct actions *out);
struct ha_memory *ha_memory_find(const struct ha *ha, const char *key);
void ha_memory_note(struct ha *ha, const char *key, uint64_t ident, const struct role_assoc *mn_ha,
		    role_ms now);
void ha_memory_end(struct ha *ha, struct ha_memory *m);

/* ha_pool.c */
bool ha_serves(const struct ha *ha, struct in_addr hoa); /* a host of the home network, and not ourselves */
bool ha_is_free(const struct ha *ha, struct in_addr hoa, const char *nai); /* nobody else's */
bool ha_pool_take(struct ha *ha, const char *nai, struct in_addr *out);

#endif
