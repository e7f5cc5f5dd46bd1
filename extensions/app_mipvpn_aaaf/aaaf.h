/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The visited network's AAA server (requirement D, RFC 4004): an extension of freeDiameterd that stands on
 * the way of what the daemon forwards.  Three pure parts - policy, the table of requests under way, the
 * session cache - take time as an argument and are tested without a daemon; aaaf.c ties them to libfdcore.
 */
#ifndef MIPVPN_AAAF_H
#define MIPVPN_AAAF_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "diameter/msg.h"
#include "lib/conf.h"

/* --- configuration (aaaf_conf.c) --- */

struct aaaf_conf {
	CONF_LIST(conf_text) foreign_agents;	/* Diameter identities */
	CONF_LIST(conf_text) foreign_agent_realms;
	CONF_LIST(conf_text) relays;		/* through which an AMR may come */
	CONF_LIST(conf_text) home_realms;	/* that may roam here; empty = all */
	CONF_LIST(conf_text) home_agents;	/* of this network */
	char candidate_home_agent[DM_ID_MAX];	/* offered to visitors; "" = none */
	uint32_t answer_deadline_ms, outstanding_max, sessions_max, session_lifetime_max, counters_interval;
	bool log_transactions, message_dumps;
};
/* 0; or -1 and errs says why, *out is empty then. */
int aaaf_conf_load(const char *path, struct aaaf_conf *out, struct conf_errors *errs);
void aaaf_conf_free(struct aaaf_conf *c);

/* --- policy (aaaf_policy.c) --- */

/* Why this AMR, which came from that peer, is refused (static text; *result = Result-Code), or NULL. */
const char *aaaf_policy_refuses(const struct aaaf_conf *c, const struct dm_amr *a, const char *peer,
				uint32_t *result);
/* What only an AAAF may say in an AMR (RFC 4004 7.5): features, 336, 347.  True if a was changed. */
bool aaaf_policy_revise(const struct aaaf_conf *c, const char *own_host, const char *own_realm,
			struct dm_amr *a);

/* --- requests under way (aaaf_pending.c) --- */

/* Counts the requests of the last seconds by the second in which they came, so a request of which nothing is
 * ever heard again leaves the count by itself. */
#define AAAF_DEADLINE_MAX_S 60
#define AAAF_PENDING_SLOTS (AAAF_DEADLINE_MAX_S + 2)
struct aaaf_pending {
	struct { uint64_t second; uint32_t n; } slot[AAAF_PENDING_SLOTS];
};
bool aaaf_pending_begin(struct aaaf_pending *p, uint64_t now_ms, uint32_t deadline_ms, uint32_t most);
void aaaf_pending_end(struct aaaf_pending *p, uint64_t began_ms);
uint32_t aaaf_pending_count(const struct aaaf_pending *p, uint64_t now_ms, uint32_t deadline_ms);

/* --- session cache (aaaf_cache.c) --- */

/* A session of a foreign agent of this domain, with all that an AMA for its next foreign agent takes (D2):
 * requirement B1's profiles, addresses, keys.  Whoever holds one ends it with aaaf_session_wipe(). */
struct aaaf_session {
	char session[DM_SESSION_MAX];	/* of the foreign agent */
	/* what the home server knows it by, the first foreign agent's; its own until it has moved */
	char home_session[DM_SESSION_MAX], home_fa_host[DM_ID_MAX];
	char user[DM_ID_MAX], multi_session[DM_SESSION_MAX];
	char fa_host[DM_ID_MAX], fa_realm[DM_ID_MAX], aaah_host[DM_ID_MAX], aaah_realm[DM_ID_MAX];
	struct in_addr fa;		/* care-of address */
	struct in_addr hoa, ha;
	uint32_t features;
	uint64_t authorised_until_ms;	/* monotonic */
	uint64_t keys_until_ms;		/* UINT64_MAX = not limited */
	struct dm_msa fa_to_mn, fa_to_ha;
	uint32_t fa_spi;		/* under which MN and HA sign what they send the FA; 0 = not known */
	uint64_t ident;			/* Identification of the request that made it */
	struct dm_vpn vpn;
};
/* From the two ends of a transaction that succeeded.  Takes the profiles out of ama. */
void aaaf_session_make(struct aaaf_session *s, const struct dm_amr *amr, struct dm_ama *ama, uint64_t now_ms,
		       uint32_t lifetime_max);
void aaaf_session_wipe(struct aaaf_session *s);

/* --- a move within the domain (aaaf_move.c; D2, doc/moves.md) --- */

struct mip_rrq;
#define AAAF_MOVE_MARGIN_MS 2000	/* what has to be left when the requested lifetime is over */
/* Why the AMR of the user of s, whose Registration Request is rrq, is not answered from s; NULL: it may be.
 * The word is the end of a counter's name (aaaf.move.<word>).  last_ident: of the last request seen. */
const char *aaaf_move_refuses(const struct aaaf_session *s, uint64_t last_ident, const struct dm_amr *amr,
			      const struct mip_rrq *rrq, uint64_t now_ms);
/* The session that the user has at the next foreign agent: profiles with it as their source gateway.  False
 * without memory; *to is to be wiped in both cases. */
bool aaaf_move_session(const struct aaaf_session *s, const struct dm_amr *amr, const struct mip_rrq *rrq,
		       struct aaaf_session *to);
/* The answer to the AMR of s, which was just made of the session at previous.  Takes the profiles out. */
void aaaf_move_answer(struct aaaf_session *s, struct in_addr previous, uint64_t now_ms, struct dm_ama *out);

/* Thread-safe.  Indexed by Session-Id and by user.  All sessions of a user are one session of the home
 * server's: several only after moves within this domain, the newest one being what was answered last. */
struct aaaf_cache;
struct aaaf_cache *aaaf_cache_new(void);
void aaaf_cache_free(struct aaaf_cache *c);	/* wipes */
/* What the home network has answered: takes the place of all that the user had, unless that is its answer to
 * a later request (of two at a time the answers come in any order).  Takes s's keys (s is wiped). */
enum aaaf_put { AAAF_PUT_FULL, AAAF_PUT_CACHED, AAAF_PUT_OLDER };
enum aaaf_put aaaf_cache_put(struct aaaf_cache *c, struct aaaf_session *s, size_t most);
#define AAAF_SESSIONS_OF_USER 4		/* the oldest goes */
/* D2: NULL, and the user's session is in the cache for the new foreign agent too and *out is the answer; or
 * why not ("unknown" = not in the cache, "request" = undecodable, "full", or what aaaf_move_refuses says),
 * and *out is empty. */
const char *aaaf_cache_move(struct aaaf_cache *c, const struct dm_amr *amr, uint64_t now_ms, size_t most,
			    struct dm_ama *out);
/* The answer could not be sent. */
void aaaf_cache_forget(struct aaaf_cache *c, const char *session);
/* Calls fn with the session (borrowed, under the lock; NULL fn: only tells whether it is there). */
typedef void (*aaaf_session_fn)(const struct aaaf_session *s, void *user);
bool aaaf_cache_get(struct aaaf_cache *c, const char *session, uint64_t now_ms, aaaf_session_fn fn,
		    void *user);
/* D2: the user's session at the foreign agent with that care-of address; the newest one if there are
 * several. */
bool aaaf_cache_get_previous(struct aaaf_cache *c, const char *nai, struct in_addr fa, uint64_t now_ms,
			     aaaf_session_fn fn, void *user);
/* The end of a session, by one of its two ends only.  What is to become of the message: */
enum aaaf_end {
	AAAF_END_UNKNOWN,	/* goes on as it is: no session of ours, or not by one of its ends */
	AAAF_END_PASS,		/* goes on as it is; the user's sessions are gone */
	AAAF_END_TRANSLATE,	/* goes on with session and host of *to; the user's sessions are gone */
	AAAF_END_MOVED,		/* STR of a foreign agent that he has left: ends here; that session is gone */
	AAAF_END_UNDONE		/* nothing has come of a move that we have answered: ends here, likewise */
};
struct aaaf_end_to { char session[DM_SESSION_MAX], host[DM_ID_MAX]; };
/* STR: session, who and cause (enum dm_termination) are the foreign agent's; to: the home server's name of
 * the session.  DM_TERM_BAD_ANSWER undoes a move: the session before it is the user's again. */
enum aaaf_end aaaf_cache_end_by_fa(struct aaaf_cache *c, const char *session, const char *who, uint32_t cause,
				   struct aaaf_end_to *to);
/* ASR: session is the home server's name of it, who is that server; to: the foreign agent that has it now. */
enum aaaf_end aaaf_cache_end_by_home(struct aaaf_cache *c, const char *session, const char *who,
				     struct aaaf_end_to *to);
/* VUR of the home server: who has the session now; the session stays.  PASS, TRANSLATE or UNKNOWN. */
enum aaaf_end aaaf_cache_where(struct aaaf_cache *c, const char *session, const char *who,
			       struct aaaf_end_to *to);
/* Its foreign agent (session is its own name of it) has taken these profiles: all of the user's sessions
 * have them from now on, each with its own foreign agent.  False: the user is at another one by now, which
 * has been given the old ones (or no memory): nothing is changed. */
bool aaaf_cache_update(struct aaaf_cache *c, const char *session, const struct dm_vpn *vpn);
/* Drops what has expired among those not looked at for longest: a 16th of the sessions, so that the lock is
 * short. */
size_t aaaf_cache_sweep(struct aaaf_cache *c, uint64_t now_ms);
size_t aaaf_cache_count(struct aaaf_cache *c);

#endif
