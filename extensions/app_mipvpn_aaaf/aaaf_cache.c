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

#include "extensions/app_mipvpn_aaaf/aaaf.h"
#include "lib/crypto.h"

#define GRACE_MS 10000		/* the session's end by message comes first */
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
	UT_hash_handle hh;
	struct entry *sessions;
	char nai[DM_ID_MAX];
};
struct aaaf_cache {
	pthread_mutex_t lock;
	struct entry *by_session, *all;
	struct user *by_nai;
	size_t n;
};

static void care_of_address(const struct dm_bytes *rrq, struct in_addr *out)
{
	if (rrq->len >= 16)
		memcpy(out, rrq->data + 12, sizeof(*out));	/* RFC 5944 3.3 */
}

#define COPY(to, from) memcpy(to, from, sizeof(to) < sizeof(from) ? sizeof(to) : sizeof(from))

void aaaf_session_make(struct aaaf_session *s, const struct dm_amr *amr, struct dm_ama *ama, uint64_t now_ms,
		       uint32_t lifetime_max)
{
	uint32_t life =
		ama->auth_lifetime && ama->auth_lifetime < lifetime_max ? ama->auth_lifetime : lifetime_max;

	memset(s, 0, sizeof(*s));
	COPY(s->session, amr->session);
	COPY(s->user, amr->user);
	COPY(s->multi_session, ama->multi_session);
	COPY(s->fa_host, amr->origin_host);
	COPY(s->fa_realm, amr->origin_realm);
	COPY(s->aaah_host, ama->origin_host);
	COPY(s->aaah_realm, ama->origin_realm);
	care_of_address(&amr->rrq, &s->fa);
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
	HASH_DEL(c->by_session, e);
	DL_DELETE(c->all, e);
	DL_DELETE2(e->user->sessions, e, user_prev, user_next);
	if (!e->user->sessions) {
		HASH_DEL(c->by_nai, e->user);
		free(e->user);
	}
	c->n--;
	aaaf_session_wipe(&e->s);
	free(e);
}

static struct user *user_get(struct aaaf_cache *c, const char *nai)
{
	struct user *u;

	HASH_FIND_STR(c->by_nai, nai, u);
	if (u || !(u = calloc(1, sizeof(*u))))
		return u;
	snprintf(u->nai, sizeof(u->nai), "%s", nai);
	HASH_ADD_STR(c->by_nai, nai, u);
	return u;
}

static bool entry_add(struct aaaf_cache *c, const struct aaaf_session *s)
{
	struct entry *e = calloc(1, sizeof(*e));
	struct user *u = e ? user_get(c, s->user) : NULL;

	if (!u) {
		free(e);
		return false;
	}
	e->s = *s;
	e->user = u;
	HASH_ADD_STR(c->by_session, s.session, e);
	DL_APPEND(c->all, e);
	DL_PREPEND2(u->sessions, e, user_prev, user_next);
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

bool aaaf_cache_put(struct aaaf_cache *c, struct aaaf_session *s, size_t most)
{
	struct entry *old;
	bool ok;

	pthread_mutex_lock(&c->lock);
	old = entry_find(c, s->session);
	if (old)
		entry_remove(c, old);
	ok = c->n < most && entry_add(c, s);
	pthread_mutex_unlock(&c->lock);
	if (ok)
		crypto_wipe(s, sizeof(*s));	/* the profiles are the entry's now */
	else
		aaaf_session_wipe(s);
	return ok;
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
	struct user *u;
	struct entry *e = NULL;
	bool found;

	pthread_mutex_lock(&c->lock);
	HASH_FIND_STR(c->by_nai, nai, u);
	for (e = u ? u->sessions : NULL; e; e = e->user_next)
		if (e->s.fa.s_addr == fa.s_addr && !is_over(&e->s, now_ms))
			break;
	found = entry_show(e, now_ms, fn, user);
	pthread_mutex_unlock(&c->lock);
	return found;
}

bool aaaf_cache_drop(struct aaaf_cache *c, const char *session, const char *who)
{
	struct entry *e;
	bool may;

	pthread_mutex_lock(&c->lock);
	e = entry_find(c, session);
	may = e && (!strcasecmp(who, e->s.fa_host) || !strcasecmp(who, e->s.aaah_host));
	if (may)
		entry_remove(c, e);
	pthread_mutex_unlock(&c->lock);
	return may;
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
