/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of the foreign agent.  A registration lives as a struct fa_pending from its request to its answer
 *
 *	aaa ---- AMA, no profiles ------------------> registered
 *	   \---- AMA with profiles --> tunnels --up--> registered
 *	   \---- AMA of the AAAF (D2) --> moving --reply, up--> registered
 *	relayed (straight to the HA) -- reply ------> registered
 *
 * and, once accepted, as a struct fa_visitor until it expires, deregisters or is dropped.  A pending entry
 * stands beside the visitor's: only success changes the latter (RFC 5944 3.7.1).
 */
#ifndef MIPVPN_FA_INT_H
#define MIPVPN_FA_INT_H

#include <sys/queue.h>
#include <uthash.h>

#include "agent/mip/binding.h"
#include "agent/roles/fa.h"
#include "agent/roles/role_int.h"

#define FA_CHALLENGE_LEN 16
#define FA_WINDOW_MAX 64
#define FA_SEEN 1024	   /* slots; power of two */
#define FA_MESSAGE_MAX 256 /* of a message string, with the NUL */
#define FA_HANDOFF_MAX 60  /* s */
#define FA_MOVED 256	   /* slots */
#define FA_SAFETY_MS 1000  /* longer than the answerer's own deadline */

enum fa_timer_kind { FA_T_VISITOR, FA_T_PENDING, FA_T_BEACON, FA_T_CHALLENGE, FA_T_HANDIN };

struct fa_challenge {
	uint8_t len;
	uint8_t data[MIP_CHALLENGE_MAX];
};

/* The last challenges advertised, and who has used which: fixed memory, whatever the unauthenticated send. */
struct fa_challenges {
	struct role_timer timer;
	uint32_t seq; /* number of the newest, from 1 */
	unsigned window;
	uint8_t c[FA_WINDOW_MAX][FA_CHALLENGE_LEN]; /* challenge number s at s % window */
	struct {
		uint64_t mn;
		uint32_t order;
	} seen[FA_SEEN];
	uint64_t seed;
	uint8_t secret[32];
};

/* What packets to and from a home address need beside the VPNs (fa_route.c). */
struct fa_route {
	struct in_addr hoa, ha, coa;
	unsigned ifindex;
	uint8_t mac[6];
	bool reverse;
};

/* The visitor has moved on, says an authentic Binding Update (fa_handout.c).  His entry stays to its end
 * or his return, and no STR is sent for it: the session is another foreign agent's or dead. */
struct fa_handout {
	bool on;
	bool hold, vpn, tunnel, forward; /* the actions that are in force */
	bool waiting;			 /* for the VPN room; then comes the acknowledgement */
	uint8_t status;			 /* of the acknowledgement, when not waiting */
	struct in_addr local, peer;	 /* ours, the new foreign agent's */
	uint64_t ident;			 /* of its last Binding Update */
};

/* Another set of VPNs is being installed (fa_update.c). */
struct fa_updating {
	bool on;
	bool bare; /* nothing stood before */
	uint8_t n;
	uint64_t token;
};

struct fa_visitor {
	struct role_timer timer;
	UT_hash_handle hh, hh_hoa, hh_session;
	char *key;		    /* NAI, or home address in text */
	char *nai;		    /* "" = none */
	char *session;		    /* Diameter, or "fa:<home address>" */
	char *aaa_host, *aaa_realm; /* who answered; "" without AAA */
	struct in_addr hoa, ha, coa;
	unsigned ifindex;
	uint8_t mac[6];
	bool aaa, reverse, vpn; /* vpn: profiles of session are desired in the VPN room */
	bool completing;	/* what it can do without is being added to them (fa_later.c) */
	bool bare;		/* and nothing stood before */
	uint8_t n_profiles;
	struct fa_updating update;
	uint16_t lifetime;
	role_ms expires, auth_until, msa_until;
	uint64_t since_wall_ms;
	struct role_assoc mn_fa, fa_ha;
	struct vpn_key handoff; /* of the session; len 0 = none */
	uint64_t ident;		/* of the request that was granted last */
	uint64_t bu_ident;	/* of the last Binding Update about it that was believed */
	struct fa_handout out;
	uint8_t offer[FA_CHALLENGE_LEN]; /* in the last reply to it */
	bool offered;
	uint8_t used[FA_CHALLENGE_LEN]; /* the last one it used */
	bool used_any;
};

enum fa_state { FA_AAA, FA_TUNNELS, FA_RELAYED, FA_MOVING };
extern const char *const fa_state_word[];

/* What an accepted reply brings; becomes the visitor. */
struct fa_grant {
	struct in_addr hoa, ha;
	uint16_t lifetime;
	struct role_assoc mn_fa, fa_ha;
	char *aaa_host, *aaa_realm;
	uint32_t auth_lifetime, msa_lifetime;
	uint8_t n_profiles;
	uint8_t *rrp; /* what goes on to the mobile node at the end */
	uint16_t rrp_len;
	char *message;		   /* to go with it, NULL = none */
	struct vpn_profile *later; /* the whole set, when some of it is not waited for */
	uint8_t n_later;
	struct in_addr previous_fa; /* 0.0.0.0 = none */
	struct vpn_key handoff;
};

/* State FA_MOVING (fa_move.c). */
struct fa_move {
	uint8_t *request; /* for the home agent, without 34 */
	uint16_t len;
	struct vpn_profile *profiles;
	uint8_t n;
	bool up;      /* the tunnels stand */
	bool early;   /* the attempt under way was begun before the reply */
	bool replied; /* the home agent has said yes */
	bool on_way;  /* his path is needed from now on: packets for him may come at once */
	bool routed;  /* route is in force: it is this one's, and no visitor's */
	struct fa_route route;
};

struct fa_pending {
	struct role_timer timer;
	UT_hash_handle hh; /* by session, when not "" */
	TAILQ_ENTRY(fa_pending) link;
	enum fa_state state;
	char *session, *key, *nai;
	struct role_path path; /* of the request, as received */
	uint8_t flags;
	uint16_t lifetime;
	struct in_addr hoa, ha, coa;
	uint64_t ident;
	struct fa_challenge challenge;
	uint32_t mn_spi;	 /* MN's, extension 40; 0 = no key wanted */
	uint32_t fa_spi;	 /* ours, AVP 323 */
	bool authentic;		 /* 33 was right, or the AAAH has said so */
	bool overtaken;		 /* a later request of the node has been granted: nobody waits for this */
	bool superseded;	 /* and what this one leads to has been replaced by that, or is over */
	struct role_assoc mn_fa; /* the visitor's at the request: he may be gone before the reply comes */
	struct fa_grant grant;	 /* states FA_TUNNELS, FA_MOVING */
	bool vpn;		 /* profiles of session are desired in the VPN room */
	bool has_previous;	 /* a PFAN came with the request */
	struct in_addr previous_fa;
	uint16_t handoff_lifetime; /* s, of the PFAN */
	struct fa_move move;
	uint64_t wall_ms;
};
TAILQ_HEAD(fa_pendings, fa_pending);

/* A smooth handoff of which we are the newcomer (fa_handin.c): by home address, beside the registration. */
struct fa_handin {
	struct role_timer timer;
	UT_hash_handle hh;
	struct in_addr hoa, local, peer; /* peer: the previous foreign agent */
	char session[DM_SESSION_MAX];	 /* of the registration that it belongs to */
	uint8_t auth[32], seal[32];
	uint16_t lifetime;
	bool soft;
	uint64_t request;
	bool vpn, tunnel; /* the actions that are in force */
	bool ready, answered;
	uint8_t sent;
	uint64_t first, last; /* Identifications of the Binding Updates sent */
	role_ms ends;
};

struct fa {
	struct fa_config cfg;
	struct role_sa *sas;
	struct in_addr *own;
	struct role_heap heap;
	struct role_beacon beacon[FA_LINKS_MAX];
	struct fa_challenges chal;
	struct fa_visitor *by_key, *by_hoa, *by_session;
	struct fa_pending *pend_by_session;
	struct fa_handin *handins;
	struct fa_pendings pendings;
	unsigned n_pending;
	struct {
		uint32_t who;
		role_ms at;
	} denied[FA_SEEN]; /* one denial a second for each mobile node */
	struct {
		struct in_addr hoa;
		uint64_t ident;
	} moved[FA_MOVED]; /* the last Binding Update about one who is gone: it must not be taken again */
	uint32_t session_hi, session_lo;
};

/* One request while it is looked at. */
struct fa_req {
	const struct role_event *e;
	role_ms now;
	const struct fa_link *link;
	struct mip_rrq rrq;
	const char *key;
	char key_mem[INET_ADDRSTRLEN];
	struct fa_visitor *v;	 /* NULL = unknown here */
	struct fa_pending *same; /* this is a retransmission of it */
	struct role_view mn_fa;	 /* that 33 was verified with */
	bool authentic;		 /* 33 is right */
	bool direct;		 /* goes to the HA by UDP */
};

/* fa.c */
const struct fa_link *fa_link_of(const struct fa *fa, unsigned ifindex);
struct in_addr fa_local_addr(const struct fa *fa, const struct fa_link *l, struct in_addr wanted);
bool fa_is_own(const struct fa *fa, struct in_addr a);
bool fa_ha_assoc(const struct fa *fa, struct in_addr ha, uint32_t spi, struct role_view *out);

/* fa_adv.c: advertisements and challenges */
void fa_adv_start(struct fa *fa, role_ms now);
void fa_adv_due(struct fa *fa, struct role_timer *t, role_ms now, struct actions *out);
void fa_solicit(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
enum fa_challenge_state { FA_CH_UNKNOWN, FA_CH_FRESH, FA_CH_STALE };
enum fa_challenge_state fa_challenge_look(const struct fa *fa, const struct fa_visitor *v, const char *key,
					  struct mip_bytes c);
void fa_challenge_used(struct fa *fa, struct fa_visitor *v, const char *key, const uint8_t *c, size_t len);
/* For a reply: a fresh one of v's own when renew (the request was authentic), else one that this node has
 * not used. */
bool fa_challenge_offer(struct fa *fa, struct fa_visitor *v, const char *key, bool renew,
			uint8_t out[FA_CHALLENGE_LEN]);

/* fa_request.c, fa_check.c */
void fa_request(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
const struct role_refusal *fa_check(struct fa *fa, struct fa_req *r);
extern const struct role_refusal fa_poor_request;

/* fa_pending.c */
struct fa_pending *fa_pending_new(struct fa *fa, const struct fa_req *r, enum fa_state state,
				  const char *session);
void fa_pending_end(struct fa *fa, struct fa_pending *p);
struct fa_pending *fa_pending_same(const struct fa *fa, const struct fa_req *r);
void fa_pending_due(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out);
void fa_icmp(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
void fa_grant_wipe(struct fa_grant *g);
/* Profiles of p->session go to the VPN room; p->vpn.  false = no memory. */
bool fa_pending_install(struct fa *fa, struct fa_pending *p, const struct vpn_profile *set, uint8_t n,
			struct actions *out);
/* Everything that p waits for is there: visitor, reply, end of p.  false = no memory: p is as it was. */
bool fa_pending_accept(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out);
/* Of the STR for p that comes to nothing.  DM_TERM_BAD_ANSWER when the AAAF has answered by itself, or may
 * have: it undoes that then, and the AAAH ends what it has made of this very AMR, if it has. */
enum dm_termination fa_pending_cause(const struct fa_pending *p);
bool fa_pending_asks_ha(const struct fa_pending *p); /* by UDP, and has no answer yet */
/* Is a later request of the same node under way? */
bool fa_pending_newer(const struct fa *fa, const struct fa_pending *p);
/* p is granted.  Of the same node's requests with an earlier Identification nobody may take anything any more
 * that is older than p's: answers come in any order.  session: p has one of its own, or has ended it. */
void fa_pending_overtake(struct fa *fa, const struct fa_pending *p, bool session);
/* Ends those that wait for tunnels; call it when p has its own, which may be the same ones. */
void fa_pending_sweep(struct fa *fa, struct actions *out);
/* Ends p in silence, and what it has set up. */
void fa_pending_supersede(struct fa *fa, struct fa_pending *p, struct actions *out);
/* p is given up: what it has set up goes.  When an AAA has been asked: STR; when the AAAH has said yes, the
 * session that p was to renew goes too. */
void fa_pending_undo(struct fa *fa, struct fa_pending *p, struct actions *out);

/* fa_reply.c */
void fa_deny(struct fa *fa, const struct fa_req *r, const struct role_refusal *why, struct actions *out);
/* Ends p with a refusal to its mobile node; text NULL = why->text. */
void fa_fail(struct fa *fa, struct fa_pending *p, const struct role_refusal *why, const char *text,
	     role_ms now, struct actions *out);
void fa_core_packet(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
const struct role_refusal *fa_reply_check(struct fa *fa, const struct fa_pending *p, const struct mip_rrp *r,
					  const struct role_view *fa_ha);
void fa_relay_reply(struct fa *fa, struct fa_pending *p, struct fa_visitor *v, const uint8_t *rrp, size_t len,
		    uint8_t fa_error, struct actions *out);
bool fa_challenge_differs(const struct fa_pending *p, const struct mip_rrp *r);
extern const struct role_refusal fa_poor_reply, fa_timeout, fa_resources;

/* fa_route.c */
void fa_route_up(const struct fa_route *r, const char *session, struct actions *out);
void fa_route_down(const struct fa_route *r, const char *session, struct actions *out);
bool fa_route_same(const struct fa_route *a, const struct fa_route *b);

/* fa_move.c: the AAAF has answered by itself (D2); the home agent is asked by UDP */
bool fa_move_keep(struct fa_pending *p, const struct mip_rrq *q); /* may become a move; false = no memory */
/* The path that a request leads to: by the answer, or until there is one by what it asks for. */
struct fa_route fa_move_route_of(const struct fa *fa, const struct fa_pending *p);
/* The path of one who comes: in front of tunnels that the other end completes, whose packets follow at once.
 * One who is here already has his. */
void fa_move_route(struct fa *fa, struct fa_pending *p, struct actions *out);
/* A visitor's path is to go: one who is on his way with the same one takes it over (true), without a gap. */
bool fa_move_inherit(struct fa *fa, const struct fa_route *r);
/* Somebody's path for this home address has gone: one who is on his way has relied on it and gets his own. */
void fa_move_reroute(struct fa *fa, struct in_addr hoa, struct actions *out);
void fa_move_begin(struct fa *fa, struct fa_pending *p, const struct dm_ama *a, role_ms now,
		   struct actions *out);
void fa_move_again(struct fa *fa, struct fa_pending *p, const struct fa_req *r, struct actions *out);
/* The home agent's yes, 34 verified. */
void fa_move_replied(struct fa *fa, struct fa_pending *p, const struct mip_rrp *r, role_ms now,
		     struct actions *out);
void fa_move_up(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out);
void fa_move_failed(struct fa *fa, struct fa_pending *p, const char *text, role_ms now, struct actions *out);
/* All that p has set up goes. */
void fa_move_undo(struct fa *fa, struct fa_pending *p, struct actions *out);
/* A visitor is to have this route: the same one of p is taken over (true), those of others go. */
bool fa_move_take_route(struct fa *fa, struct fa_pending *p, const struct fa_route *want,
			struct actions *out);
void fa_move_wipe(struct fa_move *m);

/* What an AMA says about the move behind it. */
void fa_grant_handoff(struct fa_grant *g, const struct dm_ama *a);

/* fa_handoff.c */
struct fa_handoff {
	const char *prefix; /* of the session's name in the VPN room */
	struct in_addr hoa, local, peer;
};
struct action *fa_handoff_act(const struct fa_handoff *h, enum action_type type, struct actions *out);
bool fa_handoff_named(const char *prefix, const char *session, struct in_addr *hoa); /* is it one of these? */
void fa_core_send(struct in_addr from, struct in_addr to, const struct wbuf *w, struct actions *out);

/* fa_handin.c: smooth handoff, newcomer's side */
/* p is accepted by its home agent, and its profiles have been given to the VPN room. */
void fa_handin_start(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out);
void fa_handin_event(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
void fa_handin_due(struct fa *fa, struct fa_handin *h, uint64_t wall_ms, role_ms now, struct actions *out);
void fa_handin_ack(struct fa *fa, const struct role_event *e, struct actions *out);
void fa_handin_end(struct fa *fa, struct fa_handin *h, struct actions *out);
void fa_handin_end_of(struct fa *fa, struct in_addr hoa, const char *session, struct actions *out);
/* It is session to's from now on; to NULL: and it sends nothing any more. */
void fa_handin_pass(struct fa *fa, struct in_addr hoa, const char *from, const char *to);

/* fa_bu.c, fa_handout.c: smooth handoff, the previous foreign agent's side */
struct fa_bu { /* one Binding Update that is authentic */
	const struct role_event *e;
	struct bind_msg m;
	struct bind_handoff h;
	struct fa_visitor *v;
};
void fa_bu(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
void fa_bu_ack(const struct fa_visitor *v, struct in_addr local, struct in_addr peer,
	       uint64_t ident, uint8_t status, struct actions *out);
void fa_handout_start(struct fa *fa, struct fa_bu *u, role_ms now, struct actions *out);
void fa_handout_event(struct fa *fa, const struct role_event *e, struct actions *out);
/* Packets take the visitor's link again. */
void fa_handout_stop(struct fa_visitor *v, struct actions *out);
/* The home agent has said that he is back: before the new tunnel carries, nothing is forwarded any more. */
void fa_handout_back(struct fa_visitor *v, struct actions *out); /* v: NULL = nobody */

/* fa_aaa.c */
void fa_ask_aaa(struct fa *fa, struct fa_req *r, struct actions *out);
void fa_ama(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
void fa_aaa_failed(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
void fa_asr(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out);
void fa_str(struct fa *fa, const char *session, const char *user, const char *host, const char *realm,
	    enum dm_termination cause, struct actions *out);

/* fa_update.c: the AAAH has another set of VPNs for a visitor */
void fa_update(struct fa *fa, const struct role_event *e, struct actions *out);
/* Answers the one under way, if there is one. */
void fa_update_end(struct fa *fa, struct fa_visitor *v, uint32_t result, const char *text,
		   struct actions *out);
/* The VPN room could not; false: there is none under way. */
bool fa_update_failed(struct fa *fa, struct fa_visitor *v, const char *text, struct actions *out);

/* fa_later.c: VPNs that the registration does not wait for */
uint8_t fa_later_split(const struct dm_ama *a,
		       struct vpn_profile now[VPN_PROFILES_MAX]); /* those that it waits for */
bool fa_later_keep(struct fa_grant *g, const struct dm_ama *a);	  /* false = no memory */
void fa_later_wipe(struct fa_grant *g);
void fa_later_install(struct fa *fa, struct fa_visitor *v, const struct fa_grant *g, struct actions *out);

/* fa_visitor.c */
struct fa_visitor *fa_visitor_find(const struct fa *fa, const char *key);
struct fa_visitor *fa_visitor_by_session(const struct fa *fa, const char *session);
/* p is granted: the visitor's entry and its data path become p->grant's.  NULL without memory. */
struct fa_visitor *fa_visitor_grant(struct fa *fa, struct fa_pending *p, role_ms now, struct actions *out);
void fa_visitor_end(struct fa *fa, struct fa_visitor *v, const char *why, int cause, struct actions *out);
void fa_visitor_drop(struct fa *fa, const char *text, role_ms now, struct actions *out);
#define FA_NO_STR (-1)

#endif
