/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of the home agent.  A request that needs no tunnels is answered at once; a HAR with VPN profiles
 * waits as a struct ha_pending, and so does a UDP request that moves a user with VPNs
 *
 *	HAR --> tunnels --up--> bound			UDP --> bound
 *	UDP --/    \---failed, deadline--> refused (130)
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
#define HA_CARRIES_MS 1000 /* after a move: for EV_VPN_CARRIES */
#define HA_SWITCH_MS 200   /* after a move without tunnels of ours */
#define HA_LINGER_MS 2000  /* what is under way in the tunnel that the binding has left */
#define HA_LINGER_MAX 4

enum ha_timer_kind { HA_T_BINDING, HA_T_PENDING, HA_T_MEMORY, HA_T_BEACON, HA_T_BU, HA_T_PATH };

/* IP-in-IP of a binding (ha_path.c).  Each address here holds one reference of the tunnel to it. */
struct ha_path {
	struct role_timer timer;
	struct ha_binding *of;
	struct in_addr at;   /* where the packets go */
	struct in_addr next; /* where they will go */
	role_ms switch_at;   /* then; 0 = next is none */
	struct {
		struct in_addr peer;
		role_ms until;
	} linger[HA_LINGER_MAX]; /* the oldest first */
	uint8_t n_linger;
};

/* Profiles that this node is a gateway of.  Owned, wiped at the end. */
struct ha_set {
	struct vpn_profile *p;
	uint8_t n;
};

struct ha_binding {
	struct role_timer timer;
	UT_hash_handle hh, hh_nai, hh_session;
	char *nai;		    /* "" = known by its address only */
	char *session;		    /* Diameter, or "local:<home address>" */
	char *aaa_host, *aaa_realm; /* of the AAAH; "" without AAA */
	struct in_addr hoa, coa; /* coa: granted; path follows it */
	struct in_addr vpn_coa;	 /* the source gateway that the VPN room has been told last */
	struct in_addr vpn_up;	 /* the last one that it has got ready: where it is after a failure */
	struct ha_set set;	 /* its tunnels are of these, whatever a request tries that fails */
	bool vpn_other;		 /* the VPN room has got another set ready since */
	struct ha_path path;
	bool aaa, vpn, reverse; /* vpn: session has tunnels in the VPN room */
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
	bool carries; /* its tunnels do already */
	uint8_t n_profiles;
	uint32_t msa_lifetime;
	const struct role_assoc *mn_ha, *fa_ha; /* NULL or len 0 = keep */
	uint64_t wall_ms, multi;
};

struct ha_pending {
	struct role_timer timer;
	bool udp;		/* a move (ha_move.c): answered to path */
	bool update;		/* of the VPNs of a binding (ha_update.c): answered by a VUA */
	struct role_path path;
	bool carries;		/* EV_VPN_CARRIES has come before the rest */
	UT_hash_handle hh; /* by session */
	TAILQ_ENTRY(ha_pending) link;
	char *session, *nai, *aaa_host, *aaa_realm;
	uint64_t token, wall_ms, multi;
	struct in_addr coa, previous_fa; /* previous_fa: 0 = the same, or none */
	bool reverse, new_keys;
	bool vpn_waits;		/* for the VPN room */
	char *contract_waits;	/* text of EV_VPN_UP; NULL = none */
	unsigned bu_waits;	/* for so many Binding Acknowledges */
	uint8_t n_local;	/* profiles that we are a gateway of, in the VPN room */
	struct ha_set set;	/* these */
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
	bool knows_session; /* 34 is right under the session's key: its sender has it from an AAA */
	bool moves;	    /* by UDP, with VPNs: see ha_move() */
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
extern const struct role_refusal ha_poor_request, ha_vpn_failed, ha_no_memory, ha_ended;

/* ha_reply.c */
void ha_answer_init(const struct ha *ha, const struct ha_req *r, struct ha_answer *a);
/* code 0 or 1 = accepted; text NULL = none. */
void ha_reply_put(const struct ha *ha, const struct ha_answer *a, uint8_t code, const char *text,
		  uint64_t wall_ms, struct wbuf *w);
uint8_t ha_accept_code(const struct ha_req *r);
void ha_reply_udp(struct ha *ha, const struct ha_req *r, uint8_t code, const char *text, struct actions *out);

/* From where the request came (q) to where it came from: for one on the home link that is the link, whatever
 * binding there is. */
void ha_reply_send(const struct ha *ha, const struct ha_answer *a, const struct role_path *q, uint8_t code,
		   const char *text, uint64_t wall_ms, struct actions *out);

/* ha_move.c: a Registration Request by UDP of a user with VPNs from another foreign agent (E7, F2, F5).  At
 * most one
 * move of a session is under way; the latest Identification is the one that counts. */
void ha_move(struct ha *ha, struct ha_req *r, struct actions *out);
/* The move of b's session that is under way, or NULL. */
struct ha_pending *ha_move_of(const struct ha *ha, const struct ha_binding *b);
/* The VPN room goes back to where the binding is, when it is elsewhere. */
void ha_move_undo(struct ha *ha, const struct ha_pending *p, struct actions *out);
/* The binding is gone (its fields still can be read), so is its move, or a HAR whose tunnels were to take
 * the place of
 * its tunnels: the VPN room has lost both. */
void ha_move_orphan(struct ha *ha, const struct ha_binding *b, const char *why, struct actions *out);
void ha_move_refuse(struct ha *ha, struct ha_pending *p, const struct role_refusal *why, const char *text,
		    struct actions *out);
void ha_move_complete(struct ha *ha, struct ha_pending *p, role_ms now, struct actions *out);

/* ha_update.c: the AAAH has another set of VPNs for a binding that stands.  Nothing else of it changes. */
void ha_update(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out);
void ha_update_complete(struct ha *ha, struct ha_pending *p, struct actions *out);
void ha_update_refuse(struct ha *ha, struct ha_pending *p, const char *text, struct actions *out);

/* ha_path.c: tunnel, route and proxy ARP of a binding.  No packet is lost on a move: the binding points to
 * a tunnel
 * that stands, and a tunnel goes when nothing is in it any more. */
void ha_path_up(struct ha *ha, struct ha_binding *b, struct actions *out);
/* To b->coa, in wait ms (0 = now). */
void ha_path_move(struct ha *ha, struct ha_binding *b, uint32_t wait, role_ms now, struct actions *out);
void ha_path_carries(struct ha *ha, struct ha_binding *b, role_ms now, struct actions *out);
void ha_path_due(struct ha *ha, struct ha_path *p, role_ms now, struct actions *out);
void ha_path_down(struct ha *ha, struct ha_binding *b, const uint8_t mac[6], struct actions *out);

/* ha_aaa.c */
void ha_pending_add(struct ha *ha, struct ha_pending *p);
struct ha_pending *ha_pending_alloc(struct ha *ha, const char *session, const char *nai, const char *host,
				    const char *realm);
/* Is everything that p waits for done? Then it is granted. */
/* What of h this node is a gateway of, and what PCNs are told of; false = no memory. */
bool ha_pending_install(struct ha *ha, struct ha_pending *p, const struct dm_har *h,
			const struct role_event *e, role_ms now, struct actions *out);
void ha_pending_check(struct ha *ha, struct ha_pending *p, role_ms now, struct actions *out);
/* The VPN room gets the set of b again: what it has been told since has come to nothing. */
void ha_vpn_restore(const struct ha *ha, struct ha_binding *b, struct actions *out);
void ha_set_wipe(struct ha_set *s);
/* The user is at the foreign agent with this care-of address, whichever they were made for. */
void ha_set_at(const struct ha *ha, struct vpn_profile *p, uint8_t n, struct in_addr coa);
/* b is p's: so is the set. */
void ha_set_grant(struct ha_binding *b, struct ha_pending *p);
void ha_vpn_carries(struct ha *ha, const char *session, role_ms now, struct actions *out);
void ha_har(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out);
/* waits: the event's text. */
void ha_vpn_up(struct ha *ha, const char *session, const char *waits, role_ms now, struct actions *out);
/* Ends p with a refusal. */
void ha_pending_refuse(struct ha *ha, struct ha_pending *p, const struct role_refusal *why, const char *text,
		       struct actions *out);
/* The same, when the VPN room has done, or still does, its part. */
void ha_pending_take_back(struct ha *ha, struct ha_pending *p, const struct role_refusal *why,
			  const char *text, struct actions *out);
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
