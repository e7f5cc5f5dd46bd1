/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of the VPN room.  Who owns what:
 *
 *	session  the cache entry (B1), owns its parts
 *	part     one profile at this gateway: holds references to a tunnel, a flow and the protected prefixes
 *	tunnel   one connection in charon (IKE_SA + CHILD_SA), shared by the parts that mean the same one
 *	flow     the data path of one (source, destination): rules and marks in the kernel, by reference
 *	protect  default drop for one prefix, by reference of parts
 *
 * A tunnel without parts is not desired: it is taken down, then forgotten. That is also how foreign leftovers
 * of our own (after a crash) go: they are made a tunnel without parts. Secrets live in the parts' profiles
 * only; a PSK is made at the moment when it is loaded.
 */
#ifndef MIPVPN_VPN_INTERNAL_H
#define MIPVPN_VPN_INTERNAL_H

#include <sys/queue.h>

#include <uthash.h>

#include "agent/vpn/reconcile.h"
#include "agent/vpn/vpn.h"
#include "lib/log.h"

#define TUNNEL_NAME_MAX 160
#define TUNNEL_SAS_MAX 4 /* IKE_SAs of one name at a time: a duplicate or two while one replaces the other */
#define COMMAND_DEADLINE_MS 10000
#define TERMINATE_MS 1500
#define TERMINATE_LEFT_MS 10000 /* behind by a move: several DELETEs of charon's fit in */
#define NEVER UINT64_MAX

struct vpn;
struct session;
struct tunnel;
struct flow;
struct protect;

struct part {
	LIST_ENTRY(part) in_session, in_tunnel, in_flow;
	struct session *session;
	struct tunnel *tunnel; /* NULL: encapsulation only */
	struct flow *flow;
	struct protect *protect[2];
	bool retired; /* not in the set of the last vpn_install(): goes when the new set carries */
	bool fresh;   /* of the change under way */
	bool lingers; /* retired by a change that is done, or left: with retired: it is used while its tunnel
		       * stands, and never set up again */
	bool left;    /* wanted when the session was left */
	bool stands_in; /* retired: for one that replaces it and is not up yet (contract.c) */
	struct vpn_profile p;
};
LIST_HEAD(part_list, part);

enum session_state { SESSION_INSTALLING, SESSION_UP, SESSION_LEAVING };
struct session {
	UT_hash_handle hh;
	TAILQ_ENTRY(session) dirty;
	bool is_dirty;
	enum session_state state;
	struct vpn *v;
	bool had_before;	  /* it stood already when the change under way began */
	bool failed;		  /* the change under way has; why says why */
	bool down, down_reported; /* a tunnel is gone for good; the role has been told */
	bool uncarried;		  /* UP has been reported, CARRIES not yet */
	uint64_t drop_at;	  /* carries: what lingers goes then; 0 = not set */
	bool was_leaving;	  /* when the change under way began */
	uint64_t deadline;	  /* of the change under way; of a session that leaves */
	uint64_t linger_at;	  /* was_leaving: the deadline that counts when the change fails */
	struct part_list parts;
	char why[224];
	char id[];
};

/* One IKE_SA that charon shows under a tunnel's name. */
struct sa {
	uint32_t id; /* charon's unique id */
	bool established;
	bool child;    /* a CHILD_SA of it is INSTALLED */
	bool bare;     /* established, and list-sas shows no CHILD_SA in whatever state */
	uint64_t seen; /* vpn.seq when it was seen last */
};
struct sa_stats { /* of the newest CHILD_SA, as of the last list-sas */
	uint64_t bytes_in, bytes_out, packets_in, packets_out;
	uint32_t spi_in, spi_out;
	uint32_t established_s;
	char encr[24], integ[24];
	bool udp;
};
struct tunnel {
	UT_hash_handle hh;
	TAILQ_ENTRY(tunnel) dirty, waiting;
	bool is_dirty, is_waiting;
	struct vpn *v;
	struct part_list parts;
	struct protect *protect; /* held until the tunnel is gone */
	struct in_addr peer;
	uint32_t mark; /* 0 = none */
	/* Of a contract's: */
	uint16_t salt; /* no two are alike for charon, which would put both into one IKE_SA */
	bool redo;     /* its CHILD_SA is to be made anew (contract_gone) */
	struct vpn_prefix ts_src, ts_dst; /* its selectors */
	/* desired, besides having parts */
	bool source;	       /* we are the source gateway of its profile */
	bool initiator, fixed; /* fixed: to an enterprise's gateway, as the SLA says */
	bool late;	       /* initiator: the other end makes the CHILD_SA */
	bool give_up;	       /* nobody came: stays unloaded until asked for again */
	/* observed */
	enum tunnel_step busy; /* the command in flight */
	bool key, conn;	       /* loaded in charon */
	bool dialing;	       /* initiate is under way; counted in vpn.dialing */
	bool refused;	       /* a log line said so: list-sas tells the truth */
	bool checking;	       /* list-sas for this name under way */
	bool check_again;      /* what it shows may be older than what we have heard since */
	bool forced;	       /* terminate is to be with force */
	uint32_t terminate_ms; /* that long without */
	bool was_up;
	uint8_t n_sas, tries, seen;
	struct sa sas[TUNNEL_SAS_MAX];
	struct sa_stats stats;
	uint64_t touched;	 /* vpn.seq at the last change that we caused or heard of */
	uint64_t check_seq;	 /* vpn.seq when the check began */
	enum tunnel_state state; /* as last told */
	uint64_t since;		 /* of the state */
	uint64_t up_at;		 /* of the last CHILD_SA that an event told of */
	uint64_t ike_up_at;	 /* the IKE_SA of this try was established; 0 = not yet */
	/* Timers, NEVER when off. */
	uint64_t dial_due;   /* the initiate under way has failed by then */
	uint64_t check_at;   /* list-sas */
	uint64_t retry_at;   /* not initiated before */
	uint64_t wait_due;   /* up by then, or the sessions hear that it is down */
	uint64_t force_at;   /* a terminate is under way; by then it is repeated with force */
	uint64_t hold_until; /* kept loaded for a peer that sets it up anew */
	uint64_t settle_at;  /* until then the other end may still be installing its side */
	char hint[128];	     /* last telling line of charon's log for it */
	char why[192];	     /* why it is not up */
	char name[];
};

struct flow {
	UT_hash_handle hh;
	struct {
		struct in_addr src, dst;
		struct in_addr peer; /* encapsulation only: after a move two of them stand for a while */
		uint8_t src_len, dst_len, encap, pad;
	} key;
	struct part_list parts;
	struct in_addr local;
	uint8_t tos_up, tos_down;
	uint8_t side; /* enum nh_side */
	bool installed, failed;
	bool device;	  /* the IP-in-IP device is held */
	bool replaced;	  /* installed, but another peer's has taken its place in the kernel */
	unsigned pending; /* requests under way */
	char why[96];
};
struct protect {
	UT_hash_handle hh;
	struct {
		struct in_addr addr;
		uint8_t len, pad[3];
	} key;
	unsigned refs, pending;
	bool installed, failed;
	char why[96];
};
struct net_op { /* a request to the helper under way */
	UT_hash_handle hh;
	uint64_t cookie;
	struct flow *flow; /* one of the two */
	struct protect *protect;
	bool add, device;
};

enum command_kind { CMD_STEP, CMD_CHECK, CMD_EARLY, CMD_AUDIT_CONNS, CMD_AUDIT_KEYS, CMD_AUDIT_SAS };
struct command { /* one in charon's queue */
	UT_hash_handle hh;
	uint64_t id;
	enum command_kind kind;
	struct tunnel *tunnel; /* of STEP and CHECK; a tunnel with a command is never freed */
};
struct charon { /* one connection */
	struct vpn *v;
	struct vici_conn *c;
	bool wanted_open; /* charon_open() called, no answer yet */
	bool lost;
	char why[96];
};

struct early { /* the connection for gateways that we have not been told of yet */
	bool loaded, busy, wanted;
	bool seen;   /* by the audit under way */
	bool failed; /* not again before the next audit */
};

struct vpn {
	struct vpn_config cfg;
	struct vpn_ops ops;
	void *user;
	uint64_t now;
	struct charon charon[VPN_CHARON_CONNS];
	uint64_t reopen_at;
	unsigned reopen_tries;
	bool known; /* the first audit since the connections stand is complete */
	bool auditing, audit_again, audit_failed;
	uint64_t audit_at, audit_seq, seq;
	struct command *commands;
	struct session *sessions;
	struct tunnel *tunnels;
	struct flow *flows;
	struct protect *protects;
	struct net_op *net_ops;
	uint64_t next_cookie;
	uint32_t next_mark;
	uint16_t next_salt;
	unsigned dialing;
	struct early early;
	bool quitting; /* vpn_quit() */
	TAILQ_HEAD(, tunnel) dirty_tunnels, waiting;
	TAILQ_HEAD(, session) dirty_sessions;
	struct vpn_default_spi *defaults;
	size_t n_defaults;
	uint64_t timers_at; /* no timer of a tunnel or session is earlier */
	bool running;
};

/* vpn.c */
void vpn_say(struct vpn *v, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void vpn_timer(struct vpn *v, uint64_t at); /* a timer was set: wake up then at the latest */
uint64_t vpn_jitter(uint64_t ms);	    /* 75..125 % of it */
const struct vpn_default_spi *vpn_default_find(const struct vpn *v, struct in_addr peer, uint32_t spi);

/* names.c */
bool vpn_is_source(const struct vpn *v,
		   const struct vpn_profile *p); /* else we are its destination gateway */
bool vpn_initiates(const struct vpn *v, const struct vpn_profile *p);
void vpn_name_profile(const struct vpn *v, const struct vpn_profile *p, bool initiator,
		      char out[TUNNEL_NAME_MAX]);
bool vpn_name_ours(const struct vpn *v, const char *name);
/* The responder's tunnel that a peer with this IKE identity asks for; false: it is none of ours. */
bool vpn_name_from_ike_id(const struct vpn *v, const char *ike_id, char out[TUNNEL_NAME_MAX]);
/* IKE identities of a part's tunnel as seen from here. */
int vpn_part_ids(const struct part *p, char local[VPN_ID_MAX], char remote[VPN_ID_MAX]);
/* Would both profiles give the same connection on this side? (TOS and the like do not count.) */
bool vpn_same_tunnel(const struct vpn_profile *a, const struct vpn_profile *b);

/* messages.c: return new, NULL without memory or when a value does not fit */
struct vici_msg *vpn_msg_conn(const struct tunnel *t, const struct part *p);
/* NULL also when there is no key; why says what is missing. */
struct vici_msg *vpn_msg_key(const struct tunnel *t, const struct part *p, const char **why);
struct vici_msg *vpn_msg_named(const char *key, const char *name);
struct vici_msg *vpn_msg_initiate(const struct tunnel *t);
struct vici_msg *vpn_msg_rekey(const struct tunnel *t); /* its CHILD_SA */
struct vici_msg *vpn_msg_terminate(const struct tunnel *t, bool force);
/* One "list-sa", "ike-updown" or "child-updown" message. */
struct sa_row {
	bool up; /* "up = yes" */
	char name[TUNNEL_NAME_MAX];
	uint32_t id;
	char state[24];
	bool child;	/* one is INSTALLED */
	bool any_child; /* there is one, in whatever state */
	struct sa_stats stats;
};
bool vpn_row_parse(const uint8_t *data, size_t len, struct sa_row *out);
bool vpn_reply_ok(const uint8_t *data, size_t len, char *err, size_t err_len);

/* tunnel.c */
struct tunnel *tunnel_find(struct vpn *v, const char *name);
struct tunnel *tunnel_get(struct vpn *v, const char *name); /* finds or makes; NULL without memory */
void tunnel_free(struct tunnel *t);
/* late: a tunnel that this makes and that we initiate leaves the CHILD_SA to the other end. */
void tunnel_add_part(struct tunnel *t, struct part *p, bool late);
/* With the last one the tunnel goes, after terminate_ms without waiting for the answer to its DELETE. */
void tunnel_del_part(struct tunnel *t, struct part *p, uint32_t terminate_ms);
void tunnel_dirty(struct tunnel *t);
void tunnel_run(struct tunnel *t); /* reconcile, and do the step; may free it */
void tunnel_timers(struct tunnel *t);
uint64_t tunnel_next(const struct tunnel *t);
void tunnel_step_done(struct tunnel *t, bool ok, const char *err);
void tunnel_retry_now(struct tunnel *t);
void tunnel_want(struct tunnel *t, const struct part *p); /* p asks for it (again) */
void tunnel_fail(struct tunnel *t, const char *why); /* this try has failed */
void tunnel_undial(struct tunnel *t);
void tunnel_changed(struct tunnel *t); /* what was observed has changed: look at all that hangs on it */
void tunnel_lost(struct tunnel *t);    /* charon is gone: nothing is known of it any more */
bool tunnel_is_up(const struct tunnel *t);
bool tunnel_is_ready(const struct tunnel *t); /* up, or loaded on the responder's side */

/* observe.c: what is heard of a tunnel */
void tunnel_check_done(struct tunnel *t);
void tunnel_seen(struct tunnel *t, const struct sa_row *r);
void tunnel_sa_event(struct tunnel *t, const struct sa_row *r, bool child);
void tunnel_recheck(struct tunnel *t, uint64_t at);
void tunnel_log_line(struct tunnel *t, const char *msg);
void tunnel_knock(struct tunnel *t);

/* charon.c */
void charon_tick(struct vpn *v);
void charon_flush(struct vpn *v);
void charon_close(struct vpn *v);
void charon_audit(struct vpn *v);
bool charon_command(struct vpn *v, enum command_kind kind, struct tunnel *t, const char *name,
		    struct vici_msg *m, const char *stream);

/* part.c */
struct part *part_new(struct vpn *v, struct session *s, const struct vpn_profile *profile, bool late);
void part_free(struct vpn *v, struct part *p);
struct part *part_find(struct session *s, const struct vpn_profile *p);
bool part_needed(const struct part *p);	 /* the session does not do without it */
bool part_done(const struct part *p);	 /* of a change: this part needs nothing more */
bool part_carries(const struct part *p); /* its tunnel is up, or will not be */
bool part_ends(const struct part *p);	 /* used while its tunnel stands, and no longer */
const char *part_protect_failed(const struct part *p);

/* contract.c */
bool part_has_stand_in(const struct part *p); /* an old connection of the contract carries until p does */
void contract_tunnel(struct tunnel *t, const struct vpn_profile *p); /* t is of the contract in p */
void contract_keep(struct session *s);	      /* a change is done: which of the retired ones stand in */
bool contract_settle(struct session *s);      /* the new one is up: its stand-ins linger; true = some did */
/* "" or "VPN <number>: <why the new connection is not up>". */
void contract_waits(const struct session *s, char *out, size_t out_len);
void contract_lost(const struct tunnel *t); /* of which parts may stand in: time for what replaces it */
bool contract_key_waits(const struct tunnel *t); /* another secret for its gateway is in charon */
void contract_key_gone(struct tunnel *t);	 /* the secret of t is not any more: who waits may go on */
void contract_gone(const struct tunnel *t);	 /* nothing is left of it in charon */

/* early.c */
void early_name(const struct vpn *v, char out[TUNNEL_NAME_MAX]);
void early_run(struct vpn *v); /* loads or unloads it */
void early_reply(struct vpn *v, bool ok, const char *err);
void early_audited(struct vpn *v);
struct vici_msg *vpn_msg_early(const struct vpn *v, const char *name);

/* session.c */
struct session *session_find(struct vpn *v, const char *id);
int session_install(struct vpn *v, const char *session, const struct vpn_profile *p, size_t n, bool late,
		    uint32_t deadline_ms, char *err, size_t err_len);
uint64_t session_next(const struct session *s);
void session_leave(struct vpn *v, struct session *s, uint32_t linger_ms);
void session_free(struct vpn *v, struct session *s);
void session_dirty(struct vpn *v, struct session *s);
void session_settle(struct vpn *v, struct session *s); /* reports; may free it */
void session_fail(struct session *s, const char *why); /* of a change under way; takes effect when settled */
void session_down(struct session *s, const char *why);

/* moves.c */
int session_move(struct vpn *v, const char *session, struct in_addr from, struct in_addr to,
		 uint32_t deadline_ms, char *err, size_t err_len);
int session_handoff(struct vpn *v, const char *session, const char *from, struct in_addr peer, bool newcomer,
		    const struct vpn_key *key, uint32_t deadline_ms, char *err, size_t err_len);

/* path.c */
struct flow *flow_get(struct vpn *v, struct part *p);
void flow_drop(struct vpn *v, struct part *p);
/* Opens, closes and tunes it as its legs are, and the other flows of its packets. */
void flow_sync(struct vpn *v, struct flow *f);
/* Asks the helper, for a flow or a protected prefix (the other one is NULL). */
void path_request(struct vpn *v, struct nh_request *r, struct flow *f, struct protect *p, bool add);
void path_done(struct vpn *v, uint64_t cookie, int error, const char *text);
void path_free(struct vpn *v);

/* protect.c */
struct protect *protect_get(struct vpn *v, const struct vpn_prefix *prefix);
void protect_drop(struct vpn *v, struct protect *p);
/* That of a profile's destination; none behind a dynamic gateway.  A handoff's is that of the profile
 * which it is the handoff of, if that has one. */
struct protect *protect_of(struct vpn *v, const struct vpn_profile *p);
void protect_done(struct vpn *v, struct protect *p, bool add, int error, const char *text);

#endif
