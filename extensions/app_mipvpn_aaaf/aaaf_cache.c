/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN information cache of the visited network (requirements B, D1), laid out for the moves within it
 * (D2). Dies with the session, or with its lifetime; keys are wiped then.  Not on disk: after a restart the
 * next move of each session goes to the home network once.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <uthash.h>
#include <utlist.h>

#include "agent/mip/mip.h"
#include "extensions/app_mipvpn_aaaf/aaaf.h"
#include "lib/crypto.h"

#define GRACE_MS 10000		/* the session's end by message comes first */
#define AT_A_TIME_MS 60000	/* longer than a request may take */
#define SWEEP_PART 16
#define SWEEP_LEAST 64

struct user;
struct entry {
	UT_hash_handle hh;		/* by s.session */
	struct entry *prev, *next;	/* among all, least recently swept first */
	struct entry *user_prev, *user_next;	/* among the user's, newest first */
	struct user *user;
	struct aaaf_session s;
};
struct user {
	UT_hash_handle hh;		/* by nai */
	UT_hash_handle hh_home;		/* by home_session */
	struct entry *sessions;
	unsigned n;
	uint64_t ident;			/* last one seen */
	uint64_t home_ident;		/* of the request that home has granted last */
	char nai[DM_ID_MAX], home_session[DM_SESSION_MAX];
};
struct aaaf_cache {
	pthread_mutex_t lock;
	struct entry *by_session, *all;
	struct user *by_nai, *by_home;
	size_t n;
};

#define COPY(to, from) memcpy(to, from, sizeof(to) < sizeof(from) ? sizeof(to) : sizeof(from))

void aaaf_session_make(struct aaaf_session *s, const struct dm_amr *amr, struct dm_ama *ama, uint64_t now_ms,
		       uint32_t lifetime_max)
{
	uint32_t life =
		ama->auth_lifetime && ama->auth_lifetime < lifetime_max ? ama->auth_lifetime : lifetime_max;

	struct mip_rrq rrq;

	/* what is no request for us was one for the home agent: then this session is just not one to move */
	memset(s, 0, sizeof(*s));
	if (!mip_rrq_decode(amr->rrq.data, amr->rrq.len, &rrq) || rrq.raw) {
		s->fa = rrq.coa;
		s->ident = rrq.ident;
		s->fa_spi = amr->ha_to_fa_spi ? amr->ha_to_fa_spi : rrq.mn_fa_key.spi;
	}
	COPY(s->session, amr->session);
	COPY(s->home_session, amr->session);
	COPY(s->home_fa_host, amr->origin_host);
	COPY(s->user, amr->user);
	COPY(s->multi_session, ama->multi_session);
	COPY(s->fa_host, amr->origin_host);
	COPY(s->fa_realm, amr->origin_realm);
	COPY(s->aaah_host, ama->origin_host);
	COPY(s->aaah_realm, ama->origin_realm);
	s->hoa = ama->hoa;
	s->ha = ama->ha;
	s->features = amr->features;
	s->authorised_until_ms = now_ms + UINT64_C(1000) * life;
	s->keys_until_ms = ama->msa_lifetime ? now_ms + UINT64_C(1000) * ama->msa_lifetime : UINT64_MAX;
	s->fa_to_mn = ama->fa_to_mn;
	s->fa_to_ha = ama->fa_to_ha;
	s->vpn = ama->vpn;
	memset(&ama->vpn, 0, sizeof(ama->vpn));
}

void aaaf_session_wipe(struct aaaf_session *s)
{
	dm_vpn_wipe(&s->vpn);
	crypto_wipe(s, sizeof(*s));
}

struct aaaf_cache *aaaf_cache_new(void)
{
	struct aaaf_cache *c = calloc(1, sizeof(*c));

	if (c)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

static bool is_over(const struct aaaf_session *s, uint64_t now_ms)
{
	return now_ms >= s->authorised_until_ms + GRACE_MS;
}

/* --- under the lock --- */

static void entry_remove(struct aaaf_cache *c, struct entry *e)
{
	struct user *u = e->user;

	HASH_DEL(c->by_session, e);
	DL_DELETE(c->all, e);
	DL_DELETE2(u->sessions, e, user_prev, user_next);
	u->n--;
	if (!u->sessions) {
		HASH_DELETE(hh, c->by_nai, u);
		HASH_DELETE(hh_home, c->by_home, u);
		free(u);
	}
	c->n--;
	aaaf_session_wipe(&e->s);
	free(e);
}

static struct user *user_find(struct aaaf_cache *c, const char *nai)
{
	struct user *u;

	HASH_FIND_STR(c->by_nai, nai, u);
	return u;
}

static struct user *user_of_home(struct aaaf_cache *c, const char *home_session)
{
	struct user *u;

	HASH_FIND(hh_home, c->by_home, home_session, strlen(home_session), u);
	return u;
}

/* The last entry takes the user with it. */
static void user_remove(struct aaaf_cache *c, struct user *u)
{
	for (struct entry *e = u ? u->sessions : NULL, *next; e; e = next) {
		next = e->user_next;
		entry_remove(c, e);
	}
}

static struct user *user_new(struct aaaf_cache *c, const struct aaaf_session *s)
{
	struct user *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	COPY(u->nai, s->user);
	COPY(u->home_session, s->home_session);
	u->home_ident = s->ident;
	HASH_ADD_STR(c->by_nai, nai, u);
	HASH_ADD(hh_home, c->by_home, home_session, strlen(u->home_session), u);
	return u;
}

/* u: the user, or NULL when this is his first session.  Takes what s holds. */
static bool entry_add(struct aaaf_cache *c, struct user *u, struct aaaf_session *s)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e && !u)
		u = user_new(c, s);
	if (!e || !u) {
		free(e);
		return false;
	}
	e->s = *s;
	e->user = u;
	if (u->ident < s->ident)
		u->ident = s->ident;
	HASH_ADD_STR(c->by_session, s.session, e);
	DL_APPEND(c->all, e);
	DL_PREPEND2(u->sessions, e, user_prev, user_next);
	u->n++;
	c->n++;
	return true;
}

static struct entry *entry_find(struct aaaf_cache *c, const char *session)
{
	struct entry *e;

	HASH_FIND_STR(c->by_session, session, e);
	return e;
}

/* An entry that is over is as good as none, swept or not. */
static bool entry_show(const struct entry *e, uint64_t now_ms, aaaf_session_fn fn, void *user)
{
	if (!e || is_over(&e->s, now_ms))
		return false;
	if (fn)
		fn(&e->s, user);
	return true;
}

/* --- the room's doors --- */

void aaaf_cache_free(struct aaaf_cache *c)
{
	if (!c)
		return;
	while (c->all)
		entry_remove(c, c->all);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* A Session-Id names one session, whoever had it before. */
static void name_free(struct aaaf_cache *c, const char *session)
{
	struct entry *e = entry_find(c, session);

	if (e)
		entry_remove(c, e);
	user_remove(c, user_of_home(c, session));
}

/* Takes the place of all that the user had. */
static bool put(struct aaaf_cache *c, struct user *u, struct aaaf_session *s, size_t most)
{
	uint64_t seen = u ? u->ident : 0;
	struct entry *e;

	user_remove(c, u);
	name_free(c, s->session);
	if (c->n >= most || !entry_add(c, NULL, s))
		return false;
	e = entry_find(c, s->session);
	if (e->user->ident < seen) /* of a move that came to nothing: it does not come back */
		e->user->ident = seen;
	return true;
}

/* At home the later request has the session.  Far apart are only numbers that are no timestamps. */
static bool is_older(const struct user *u, const struct aaaf_session *s)
{
	int64_t ms = u ? mip_ident_diff_ms(u->home_ident, s->ident) : 0;

	return ms > 0 && ms < AT_A_TIME_MS;
}

enum aaaf_put aaaf_cache_put(struct aaaf_cache *c, struct aaaf_session *s, size_t most)
{
	enum aaaf_put what = AAAF_PUT_OLDER;
	struct user *u;

	pthread_mutex_lock(&c->lock);
	u = user_find(c, s->user);
	if (!is_older(u, s))
		what = put(c, u, s, most) ? AAAF_PUT_CACHED : AAAF_PUT_FULL;
	pthread_mutex_unlock(&c->lock);
	if (what == AAAF_PUT_CACHED)
		crypto_wipe(s, sizeof(*s));	/* the profiles are the entry's now */
	else
		aaaf_session_wipe(s);
	return what;
}

static struct entry *entry_at(struct user *u, struct in_addr fa, uint64_t now_ms)
{
	struct entry *e = u ? u->sessions : NULL;

	while (e && (e->s.fa.s_addr != fa.s_addr || is_over(&e->s, now_ms)))
		e = e->user_next;
	return e;
}

/* The user's oldest one makes room before the new one is counted. */
static bool room_for_move(struct aaaf_cache *c, struct user *u, size_t most)
{
	if (u->n >= AAAF_SESSIONS_OF_USER)
		entry_remove(c, u->sessions->user_prev);
	return c->n < most;
}

static const char *move(struct aaaf_cache *c, const struct dm_amr *amr, uint64_t now_ms, size_t most,
			struct dm_ama *out)
{
	struct user *u = user_find(c, amr->user);
	struct entry *e = entry_at(u, amr->previous_fa, now_ms);
	struct in_addr previous = amr->previous_fa;
	struct aaaf_session to, kept;
	struct mip_rrq rrq;
	const char *why;

	if (!e || entry_find(c, amr->session) || user_of_home(c, amr->session))
		return "unknown";
	if (mip_rrq_decode(amr->rrq.data, amr->rrq.len, &rrq))
		return "request";
	why = aaaf_move_refuses(&e->s, u->ident, amr, &rrq, now_ms);
	if (why)
		return why;
	if (!aaaf_move_session(&e->s, amr, &rrq, &to) || !aaaf_move_session(&e->s, amr, &rrq, &kept) ||
	    !room_for_move(c, u, most) || !entry_add(c, u, &kept))
		why = "full";
	else
		aaaf_move_answer(&to, previous, now_ms, out);
	if (why)
		aaaf_session_wipe(&kept);
	aaaf_session_wipe(&to);
	return why;
}

const char *aaaf_cache_move(struct aaaf_cache *c, const struct dm_amr *amr, uint64_t now_ms, size_t most,
			    struct dm_ama *out)
{
	const char *why;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&c->lock);
	why = move(c, amr, now_ms, most, out);
	pthread_mutex_unlock(&c->lock);
	return why;
}

void aaaf_cache_forget(struct aaaf_cache *c, const char *session)
{
	struct entry *e;

	pthread_mutex_lock(&c->lock);
	e = entry_find(c, session);
	if (e)
		entry_remove(c, e);
	pthread_mutex_unlock(&c->lock);
}

bool aaaf_cache_get(struct aaaf_cache *c, const char *session, uint64_t now_ms, aaaf_session_fn fn,
		    void *user)
{
	bool found;

	pthread_mutex_lock(&c->lock);
	found = entry_show(entry_find(c, session), now_ms, fn, user);
	pthread_mutex_unlock(&c->lock);
	return found;
}

bool aaaf_cache_get_previous(struct aaaf_cache *c, const char *nai, struct in_addr fa, uint64_t now_ms,
			     aaaf_session_fn fn, void *user)
{
	bool found;

	pthread_mutex_lock(&c->lock);
	found = entry_show(entry_at(user_find(c, nai), fa, now_ms), now_ms, fn, user);
	pthread_mutex_unlock(&c->lock);
	return found;
}

static enum aaaf_end end_to(const char *session, const char *new_session, const char *host,
			    struct aaaf_end_to *to)
{
	snprintf(to->session, sizeof(to->session), "%s", new_session);
	snprintf(to->host, sizeof(to->host), "%s", host);
	return strcmp(session, new_session) ? AAAF_END_TRANSLATE : AAAF_END_PASS;
}

/* A foreign agent that the user has left ends what is its own.  At home its name would end all of it. */
static enum aaaf_end left(struct aaaf_cache *c, const char *session, const char *who)
{
	struct user *u = user_of_home(c, session);

	return u && !strcasecmp(who, u->sessions->s.home_fa_host) ? AAAF_END_MOVED : AAAF_END_UNKNOWN;
}

/* Made by our own answer, and there is one to go back to.  Without that the user is nowhere any more, and
 * home is told. */
static bool is_undone(const struct entry *e, uint32_t cause)
{
	return cause == DM_TERM_BAD_ANSWER && e->user->n > 1 && strcmp(e->s.session, e->s.home_session);
}

static enum aaaf_end end_by_fa(struct aaaf_cache *c, const char *session, const char *who, uint32_t cause,
			       struct aaaf_end_to *to)
{
	struct entry *e = entry_find(c, session);
	enum aaaf_end what;

	if (!e)
		return left(c, session, who);	/* dropped before the session that it began */
	if (strcasecmp(who, e->s.fa_host))
		return AAAF_END_UNKNOWN;
	if (is_undone(e, cause)) {
		entry_remove(c, e);
		return AAAF_END_UNDONE;
	}
	if (e != e->user->sessions) {
		entry_remove(c, e);
		return AAAF_END_MOVED;
	}
	what = end_to(session, e->s.home_session, e->s.home_fa_host, to);
	user_remove(c, e->user);
	return what;
}

static enum aaaf_end end_by_home(struct aaaf_cache *c, const char *session, const char *who,
				 struct aaaf_end_to *to)
{
	struct user *u = user_of_home(c, session);
	enum aaaf_end what;

	if (!u || strcasecmp(who, u->sessions->s.aaah_host))
		return AAAF_END_UNKNOWN;
	what = end_to(session, u->sessions->s.session, u->sessions->s.fa_host, to);
	user_remove(c, u);
	return what;
}

enum aaaf_end aaaf_cache_end_by_fa(struct aaaf_cache *c, const char *session, const char *who, uint32_t cause,
				   struct aaaf_end_to *to)
{
	enum aaaf_end what;

	memset(to, 0, sizeof(*to));
	pthread_mutex_lock(&c->lock);
	what = end_by_fa(c, session, who, cause, to);
	pthread_mutex_unlock(&c->lock);
	return what;
}

enum aaaf_end aaaf_cache_end_by_home(struct aaaf_cache *c, const char *session, const char *who,
				     struct aaaf_end_to *to)
{
	enum aaaf_end what;

	memset(to, 0, sizeof(*to));
	pthread_mutex_lock(&c->lock);
	what = end_by_home(c, session, who, to);
	pthread_mutex_unlock(&c->lock);
	return what;
}

enum aaaf_end aaaf_cache_where(struct aaaf_cache *c, const char *session, const char *who,
			       struct aaaf_end_to *to)
{
	enum aaaf_end what = AAAF_END_UNKNOWN;
	const struct aaaf_session *s;
	struct user *u;

	memset(to, 0, sizeof(*to));
	pthread_mutex_lock(&c->lock);
	u = user_of_home(c, session);
	s = u ? &u->sessions->s : NULL;
	if (s && !strcasecmp(who, s->aaah_host))
		what = end_to(session, s->session, s->fa_host, to);
	pthread_mutex_unlock(&c->lock);
	return what;
}

/* What the AMA for the next foreign agent will say.  Everything but the profiles is the session's. */
static struct vpn_profile *profiles_at(const struct dm_vpn *vpn, struct in_addr fa)
{
	struct vpn_profile *p = calloc(vpn->n ? vpn->n : 1, sizeof(*p));

	for (uint8_t i = 0; p && i < vpn->n; i++) {
		p[i] = vpn->p[i];
		p[i].src_gw = fa;
	}
	return p;
}

static bool entry_update(struct entry *e, const struct dm_vpn *vpn)
{
	struct vpn_profile *p = profiles_at(vpn, e->s.fa);
	struct dm_vpn was = {.n = e->s.vpn.n, .p = e->s.vpn.p};

	if (!p)
		return false;
	e->s.vpn.p = p;
	e->s.vpn.n = vpn->n;
	dm_vpn_wipe(&was);
	return true;
}

bool aaaf_cache_update(struct aaaf_cache *c, const char *session, const struct dm_vpn *vpn)
{
	struct entry *e, *each;
	bool ok;

	pthread_mutex_lock(&c->lock);
	e = entry_find(c, session);
	ok = !e || e == e->user->sessions; /* without an entry there is nothing that could be answered from */
	for (each = e && ok ? e : NULL; each && ok; each = each->user_next)
		ok = entry_update(each, vpn);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

size_t aaaf_cache_sweep(struct aaaf_cache *c, uint64_t now_ms)
{
	size_t dropped = 0;

	pthread_mutex_lock(&c->lock);
	for (size_t left = c->n / SWEEP_PART + SWEEP_LEAST; left && c->all; left--) {
		struct entry *e = c->all;

		if (is_over(&e->s, now_ms)) {
			entry_remove(c, e);
			dropped++;
			continue;
		}
		DL_DELETE(c->all, e);
		DL_APPEND(c->all, e);
	}
	pthread_mutex_unlock(&c->lock);
	return dropped;
}

size_t aaaf_cache_count(struct aaaf_cache *c)
{
	size_t n;

	pthread_mutex_lock(&c->lock);
	n = c->n;
	pthread_mutex_unlock(&c->lock);
	return n;
}
