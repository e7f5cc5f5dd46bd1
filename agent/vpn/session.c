/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN information cache (B): sessions and their parts. vpn_install() makes a new set of parts desired;
 * parts that were there and are not in the set are retired. When the new set is done they linger: their
 * tunnels are used while they stand, and go at the latest when the new set carries. The next change may take
 * them back. A change that fails is undone: the fresh parts go, what it has retired counts again. Reports are
 * made when a session is settled, never from within vpn_install().
 */
#include "agent/vpn/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/counter.h"

/* The other end switches over up to a round trip later, and what it has sent before is on its way still. */
#define GRACE_MS 500
#define GRACE_STEP_MS 50 /* rounded up to: whoever changes with a thousand others goes with them */

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
	if (s->down || s->state == SESSION_LEAVING)
		return;
	s->down = true;
	snprintf(s->why, sizeof(s->why), "%s", why);
	session_dirty(s->v, s);
}

/* --- settling --- */

enum which { FRESH, UNFINISHED, LINGERING, ENDED };

static bool part_is(const struct part *p, enum which which)
{
	switch (which) {
	case FRESH:
		return p->fresh;
	case UNFINISHED: /* of a change that another one has taken the place of */
		return p->fresh && p->retired;
	case LINGERING:
		return p->retired && p->lingers;
	case ENDED:
		return part_ends(p);
	}
	return false;
}

static void parts_drop(struct vpn *v, struct session *s, enum which which)
{
	struct part *p, *next;

	for (p = LIST_FIRST(&s->parts); p; p = next) {
		next = LIST_NEXT(p, in_session);
		if (part_is(p, which))
			part_free(v, p);
	}
}

static void sync_flows(struct vpn *v, struct session *s)
{
	struct part *p;

	LIST_FOREACH(p, &s->parts, in_session)
	flow_sync(v, p->flow);
}

/* The change is done: what it has retired is used only as long as the new set does not carry. */
static void change_keep(struct vpn *v, struct session *s)
{
	struct part *p;

	contract_keep(s);
	LIST_FOREACH(p, &s->parts, in_session)
	{
		p->fresh = false;
		p->lingers = p->retired && !p->stands_in;
	}
	parts_drop(v, s, ENDED);
}

/* The change has failed: what it has retired counts again, what it has taken back lingers again.  The old
 * paths are back before the new ones go. */
static void change_undo(struct vpn *v, struct session *s)
{
	struct part *p;

	LIST_FOREACH(p, &s->parts, in_session)
	p->retired = p->fresh || p->lingers || p->stands_in;
	sync_flows(v, s);
	parts_drop(v, s, FRESH);
	parts_drop(v, s, ENDED);
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
		if (!late && !part_protect_failed(p))
			return false;
		if (!part_needed(p) && late)
			continue;
		if (part_protect_failed(p))
			session_fail(s, part_protect_failed(p));
		else
			say_late(s, p);
		return false;
	}
	return true;
}

static void drop_later(struct vpn *v, struct session *s)
{
	s->drop_at = (v->now + GRACE_MS + GRACE_STEP_MS - 1) / GRACE_STEP_MS * GRACE_STEP_MS;
	vpn_timer(v, s->drop_at);
}

static void settle_failed(struct vpn *v, struct session *s)
{
	char id[256], why[sizeof(s->why)];

	snprintf(id, sizeof(id), "%s", s->id);
	snprintf(why, sizeof(why), "%s", s->why);
	change_undo(v, s);
	s->failed = false;
	s->state = s->was_leaving ? SESSION_LEAVING : SESSION_UP;
	counter_inc("vpn.session.failed");
	if (!s->had_before) {
		session_free(v, s);
	} else {
		s->deadline = s->linger_at;
		session_dirty(v, s); /* where it was before the change it goes on */
		if (s->was_leaving)
			vpn_timer(v, s->deadline);
		else if (!s->uncarried)
			drop_later(v, s);
	}
	v->ops.report(v->user, id, VPN_REPORT_FAILED, why);
}

static void settle_up(struct vpn *v, struct session *s)
{
	char id[256], waits[sizeof(s->why)];

	snprintf(id, sizeof(id), "%s", s->id);
	change_keep(v, s);
	s->state = SESSION_UP;
	s->was_leaving = false;
	s->uncarried = true;
	s->why[0] = '\0';
	counter_inc("vpn.session.up");
	session_dirty(v, s);
	contract_waits(s, waits, sizeof(waits));
	v->ops.report(v->user, id, VPN_REPORT_UP, waits);
}

static void settle_change(struct vpn *v, struct session *s)
{
	bool done = !s->failed && change_done(v, s);

	if (s->failed)
		settle_failed(v, s);
	else if (done)
		settle_up(v, s);
}

/* Make before break: what the session had before goes when the new set carries, or has been given up. */
static void settle_carried(struct vpn *v, struct session *s)
{
	char id[256];
	const struct part *p;

	LIST_FOREACH(p, &s->parts, in_session)
	{
		if (!p->retired && !part_carries(p))
			return;
	}
	snprintf(id, sizeof(id), "%s", s->id);
	s->uncarried = false;
	drop_later(v, s);
	v->ops.report(v->user, id, VPN_REPORT_CARRIES, "");
}

static void settle_down(struct vpn *v, struct session *s)
{
	char id[256], why[sizeof(s->why)];

	if (s->down_reported)
		return;
	s->down_reported = true;
	s->uncarried = false;
	s->drop_at = 0;
	parts_drop(v, s, LINGERING);
	counter_inc("vpn.session.down");
	snprintf(id, sizeof(id), "%s", s->id);
	snprintf(why, sizeof(why), "%s", s->why);
	v->ops.report(v->user, id, VPN_REPORT_DOWN, why);
}

static void settle_leaving(struct vpn *v, struct session *s)
{
	if (LIST_EMPTY(&s->parts) || v->now >= s->deadline)
		session_free(v, s);
}

void session_settle(struct vpn *v, struct session *s)
{
	if (s->state == SESSION_UP && contract_settle(s))
		drop_later(v, s);
	if (s->state == SESSION_INSTALLING)
		settle_change(v, s);
	else if (s->state == SESSION_LEAVING)
		settle_leaving(v, s);
	else if (s->down)
		settle_down(v, s);
	else if (s->uncarried)
		settle_carried(v, s);
	else if (s->drop_at && v->now >= s->drop_at) {
		s->drop_at = 0;
		parts_drop(v, s, LINGERING);
	}
}

/* When time alone has something to say to it. */
uint64_t session_next(const struct session *s)
{
	if (s->state != SESSION_UP)
		return s->deadline;
	return s->drop_at ? s->drop_at : NEVER;
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

struct session *session_find(struct vpn *v, const char *id)
{
	struct session *s;

	HASH_FIND_STR(v->sessions, id, s);
	return s;
}

static struct session *session_get(struct vpn *v, const char *id)
{
	struct session *s = session_find(v, id);
	size_t len = strlen(id);

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

/* What is not in the new set. */
static void retire_others(struct vpn *v, struct session *s, const struct vpn_profile *p, size_t n)
{
	struct part *have;

	LIST_FOREACH(have, &s->parts, in_session)
	{
		size_t i = 0;

		while (i < n && !vpn_profile_equal(&have->p, &p[i]))
			i++;
		have->retired = i == n;
		if (!have->retired && have->tunnel)
			tunnel_want(have->tunnel, have);
	}
	sync_flows(v, s);
}

static bool add_missing(struct vpn *v, struct session *s, const struct vpn_profile *p, size_t n, bool late)
{
	for (size_t i = 0; i < n; i++) {
		if (!part_find(s, &p[i]) && !part_new(v, s, &p[i], late))
			return false;
	}
	return true;
}

static void change_begin(struct vpn *v, struct session *s, uint32_t deadline_ms)
{
	if (s->state != SESSION_INSTALLING) {
		s->had_before = true;
		s->was_leaving = s->state == SESSION_LEAVING;
		s->linger_at = s->deadline;
	}
	s->state = SESSION_INSTALLING;
	s->drop_at = 0;
	s->failed = s->down = s->down_reported = false;
	s->why[0] = '\0';
	s->deadline = v->now + deadline_ms;
	vpn_timer(v, s->deadline);
	session_dirty(v, s);
}

int session_install(struct vpn *v, const char *session, const struct vpn_profile *p, size_t n, bool late,
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
	if (!add_missing(v, s, p, n, late))
		session_fail(s, "no memory");
	parts_drop(v, s, UNFINISHED); /* a half-made tunnel that the new ones mean, too, is theirs by now */
	return 0;
}

void session_leave(struct vpn *v, struct session *s, uint32_t linger_ms)
{
	struct part *p;

	LIST_FOREACH(p, &s->parts, in_session)
	{
		if (s->state != SESSION_LEAVING)
			p->left = !p->retired;
		p->fresh = p->stands_in = false;
		p->retired = p->lingers = true;
	}
	parts_drop(v, s, ENDED);
	s->state = SESSION_LEAVING;
	s->failed = s->down = s->uncarried = false;
	s->drop_at = 0;
	s->deadline = v->now + linger_ms;
	vpn_timer(v, s->deadline);
	session_dirty(v, s);
}
