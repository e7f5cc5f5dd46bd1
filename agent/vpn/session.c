/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN information cache (B): sessions and their parts. vpn_install() makes a new set of parts desired;
 * parts that were there and are not in the set are retired, and go when the new set is done. A change that
 * fails is undone: the fresh parts go, the retired ones count again. Reports are made when a session is
 * settled, never from within vpn_install().
 */
#include "agent/vpn/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/counter.h"

#define NAME_TRIES 9

void session_dirty(struct vpn *v, struct session *s)
{
	if (s->is_dirty)
		return;
	s->is_dirty = true;
	TAILQ_INSERT_TAIL(&v->dirty_sessions, s, dirty);
}

void session_fail(struct session *s, const char *why)
{
	if (s->failed)
		return; /* the first reason is the one to tell */
	s->failed = true;
	snprintf(s->why, sizeof(s->why), "%s", why);
	session_dirty(s->v, s);
}

void session_down(struct session *s, const char *why)
{
	if (s->down)
		return;
	s->down = true;
	snprintf(s->why, sizeof(s->why), "%s", why);
	session_dirty(s->v, s);
}

/* --- parts --- */

/* The first tunnel of the name (or NAME-2, -3...) that is free or means the same. */
static struct tunnel *tunnel_for(struct vpn *v, const struct vpn_profile *p)
{
	bool initiator = p->src_gw.s_addr == v->cfg.self.s_addr;
	char name[TUNNEL_NAME_MAX], numbered[TUNNEL_NAME_MAX + 4];
	struct tunnel *t;

	vpn_name_profile(v, p, initiator, name);
	for (int i = 1; i <= NAME_TRIES; i++) {
		snprintf(numbered, sizeof(numbered), i == 1 ? "%s" : "%s-%d", name, i);
		t = tunnel_find(v, numbered);
		if (!t)
			return tunnel_get(v, numbered);
		if (!LIST_EMPTY(&t->parts) && vpn_same_tunnel(&LIST_FIRST(&t->parts)->p, p))
			return t;
	}
	return NULL;
}

static void part_free(struct vpn *v, struct part *p)
{
	LIST_REMOVE(p, in_session);
	if (p->flow)
		flow_drop(v, p);
	if (p->tunnel)
		tunnel_del_part(p->tunnel, p);
	for (int i = 0; i < 2; i++) {
		if (p->protect[i])
			protect_drop(v, p->protect[i]);
	}
	vpn_profile_wipe(&p->p);
	free(p);
}

static struct part *part_new(struct vpn *v, struct session *s, const struct vpn_profile *profile)
{
	struct part *p = calloc(1, sizeof(*p));
	struct tunnel *t;

	if (!p)
		return NULL;
	p->p = *profile;
	p->session = s;
	p->fresh = true;
	LIST_INSERT_HEAD(&s->parts, p, in_session);
	p->protect[0] = protect_of(v, profile);
	if (profile->sla_dst.len && !vpn_prefix_equal(&profile->sla_dst, &profile->dst))
		p->protect[1] = protect_get(v, &profile->sla_dst);
	if (profile->security != VPN_SEC_ENCAP) {
		t = tunnel_for(v, profile);
		if (!t)
			goto fail;
		tunnel_add_part(t, p);
	}
	if (!flow_get(v, p))
		goto fail;
	flow_sync(v, p->flow);
	return p;
fail:
	part_free(v, p);
	return NULL;
}

static struct part *part_find(struct session *s, const struct vpn_profile *p)
{
	struct part *have;

	LIST_FOREACH(have, &s->parts, in_session)
	{
		if (vpn_profile_equal(&have->p, p))
			return have;
	}
	return NULL;
}

static bool path_done_for(const struct part *p)
{
	for (int i = 0; i < 2; i++) {
		if (p->protect[i] && p->protect[i]->pending)
			return false;
	}
	return !p->flow->pending && !p->flow->failed;
}

static bool part_done(const struct part *p)
{
	const struct tunnel *t = p->tunnel;

	if (t && !tunnel_is_ready(t))
		return !p->p.required && t->tries; /* tried in vain, and the session may live without */
	return path_done_for(p);
}

/* --- settling --- */

static void parts_drop(struct vpn *v, struct session *s, bool fresh)
{
	struct part *p, *next;

	for (p = LIST_FIRST(&s->parts); p; p = next) {
		next = LIST_NEXT(p, in_session);
		if (fresh ? p->fresh : p->retired) {
			part_free(v, p);
			continue;
		}
		p->fresh = p->retired = false;
		flow_sync(v, p->flow);
	}
}

static const char *protect_failed(const struct part *p)
{
	for (int i = 0; i < 2; i++) {
		if (p->protect[i] && p->protect[i]->failed)
			return p->protect[i]->why;
	}
	return NULL;
}

static void say_late(struct session *s, const struct part *p)
{
	const struct tunnel *t = p->tunnel;
	char text[sizeof(s->why)], peer[INET_ADDRSTRLEN];

	if (!t || tunnel_is_ready(t)) {
		session_fail(s, "the network helper did not answer in time");
		return;
	}
	inet_ntop(AF_INET, &t->peer, peer, sizeof(peer));
	if (!s->v->known)
		snprintf(text, sizeof(text), "gateway %s: charon does not answer", peer);
	else if (t->hint[0])
		snprintf(text, sizeof(text), "gateway %s: %s", peer, t->hint);
	else
		snprintf(text, sizeof(text), "gateway %s: not up in time (%s)", peer,
			 vpn_tunnel_state_name(t->state));
	session_fail(s, text);
}

/* True when every part that counts is done; past the deadline the required ones fail the change. */
static bool change_done(struct vpn *v, struct session *s)
{
	bool late = v->now >= s->deadline;
	const struct part *p;

	LIST_FOREACH(p, &s->parts, in_session)
	{
		if (p->retired || part_done(p))
			continue;
		if (!late && !protect_failed(p))
			return false;
		if (!p->p.required && late)
			continue;
		if (protect_failed(p))
			session_fail(s, protect_failed(p));
		else
			say_late(s, p);
		return false;
	}
	return true;
}

static void settle_failed(struct vpn *v, struct session *s)
{
	char id[256], why[sizeof(s->why)];

	snprintf(id, sizeof(id), "%s", s->id);
	snprintf(why, sizeof(why), "%s", s->why);
	parts_drop(v, s, true);
	s->failed = false;
	s->state = SESSION_UP;
	counter_inc("vpn.session.failed");
	if (!s->had_before)
		session_free(v, s);
	v->ops.report(v->user, id, VPN_REPORT_FAILED, why);
}

static void settle_up(struct vpn *v, struct session *s)
{
	char id[256];

	snprintf(id, sizeof(id), "%s", s->id);
	parts_drop(v, s, false);
	s->state = SESSION_UP;
	s->why[0] = '\0';
	counter_inc("vpn.session.up");
	v->ops.report(v->user, id, VPN_REPORT_UP, "");
}

void session_settle(struct vpn *v, struct session *s)
{
	char id[256], why[sizeof(s->why)];
	bool done;

	if (s->state == SESSION_INSTALLING) {
		done = !s->failed && change_done(v, s);
		if (s->failed)
			settle_failed(v, s);
		else if (done)
			settle_up(v, s);
		return;
	}
	if (!s->down || s->down_reported)
		return;
	s->down_reported = true;
	counter_inc("vpn.session.down");
	snprintf(id, sizeof(id), "%s", s->id);
	snprintf(why, sizeof(why), "%s", s->why);
	v->ops.report(v->user, id, VPN_REPORT_DOWN, why);
}

void session_free(struct vpn *v, struct session *s)
{
	while (!LIST_EMPTY(&s->parts))
		part_free(v, LIST_FIRST(&s->parts));
	if (s->is_dirty)
		TAILQ_REMOVE(&v->dirty_sessions, s, dirty);
	HASH_DEL(v->sessions, s);
	free(s);
}

/* --- the interface --- */

static struct session *session_get(struct vpn *v, const char *id)
{
	struct session *s;
	size_t len = strlen(id);

	HASH_FIND_STR(v->sessions, id, s);
	if (s)
		return s;
	s = calloc(1, sizeof(*s) + len + 1);
	if (!s)
		return NULL;
	s->v = v;
	memcpy(s->id, id, len + 1);
	LIST_INIT(&s->parts);
	HASH_ADD_STR(v->sessions, id, s);
	return s;
}

static bool profiles_ok(const struct vpn *v, const struct vpn_profile *p, size_t n, char *err, size_t err_len)
{
	const char *why = n > VPN_PROFILES_MAX ? "too many profiles" : NULL;
	size_t i;

	for (i = 0; i < n && !why; i++) {
		why = vpn_profile_check(&p[i]);
		if (!why && p[i].src_gw.s_addr != v->cfg.self.s_addr &&
		    p[i].dst_gw.s_addr != v->cfg.self.s_addr)
			why = "neither gateway is this one";
	}
	if (!why)
		return true;
	snprintf(err, err_len, "profile %u: %s", i && i <= n ? p[i - 1].number : 0, why);
	return false;
}

/* What is not in the new set: fresh ones of an unfinished change go now, the others when that is done. */
static void retire_others(struct vpn *v, struct session *s, const struct vpn_profile *p, size_t n)
{
	struct part *have, *next;

	for (have = LIST_FIRST(&s->parts); have; have = next) {
		size_t i = 0;

		next = LIST_NEXT(have, in_session);
		while (i < n && !vpn_profile_equal(&have->p, &p[i]))
			i++;
		have->retired = i == n;
		if (have->retired && have->fresh)
			part_free(v, have);
	}
}

static bool add_missing(struct vpn *v, struct session *s, const struct vpn_profile *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!part_find(s, &p[i]) && !part_new(v, s, &p[i]))
			return false;
	}
	return true;
}

static void change_begin(struct vpn *v, struct session *s, uint32_t deadline_ms)
{
	if (s->state == SESSION_UP)
		s->had_before = true;
	s->state = SESSION_INSTALLING;
	s->failed = s->down = s->down_reported = false;
	s->why[0] = '\0';
	s->deadline = v->now + deadline_ms;
	vpn_timer(v, s->deadline);
	session_dirty(v, s);
}

int session_install(struct vpn *v, const char *session, const struct vpn_profile *p, size_t n,
		    uint32_t deadline_ms, char *err, size_t err_len)
{
	struct session *s;

	if (!profiles_ok(v, p, n, err, err_len)) {
		counter_inc("vpn.profile.bad");
		return -1;
	}
	s = session_get(v, session);
	if (!s) {
		snprintf(err, err_len, "no memory");
		return -1;
	}
	change_begin(v, s, deadline_ms);
	retire_others(v, s, p, n);
	if (!add_missing(v, s, p, n))
		session_fail(s, "no memory");
	return 0;
}
