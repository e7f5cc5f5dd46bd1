/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What PCNs have been told (ha_bu.h): the list, and the states.  Messages are in ha_bu_send.c and
 * ha_bu_recv.c.
 *
 * Deadlines: a HAR waits vpn_timeout for its acknowledgements; a PCN that has to forget is told a few
 * times, and nobody waits for that: its own lifetime ends it anyway.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roles/ha_bu_int.h"

#define LEAVE_TRIES 4
#define UNDER_WAY_MS 1000 /* packets that were sent before the PCN knew */

static const char *state_word(enum ha_bu_state s)
{
	static const char *const words[] = {"none", "pending", "stands", "lapsed", "refused", "leaving"};

	return words[s];
}

void ha_bu_state(struct ha_bu *u, enum ha_bu_state to, enum log_level level, const char *why,
		 struct actions *out)
{
	char hoa[INET_ADDRSTRLEN], pcn[INET_ADDRSTRLEN];

	role_log(out, level, "update %s profile %u to %s: %s -> %s, %s", role_addr_str(u->set->hoa, hoa),
		 u->profile.number, role_addr_str(u->profile.dst_gw, pcn), state_word(u->state),
		 state_word(to), why);
	u->state = to;
}

/* --- the list --- */

struct ha_bu_set *ha_bu_set_find(const struct ha *ha, struct in_addr hoa)
{
	struct ha_bu_set *s;

	HASH_FIND(hh, ha->bu_sets, &hoa, sizeof(hoa), s);
	return s;
}

static struct ha_bu_set *set_get(struct ha *ha, struct in_addr hoa)
{
	struct ha_bu_set *s = ha_bu_set_find(ha, hoa);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->hoa = hoa;
	LIST_INIT(&s->bus);
	HASH_ADD(hh, ha->bu_sets, hoa, sizeof(s->hoa), s);
	return s;
}

/* First packets matter while somebody may be told because of them. */
static void watch(struct ha_bu_set *s, struct actions *out)
{
	const struct ha_bu *u;
	bool want = false;
	struct action *a;

	LIST_FOREACH(u, &s->bus, link)
	want = want || u->state != HA_BU_LEAVING;
	if (want == s->watched)
		return;
	a = role_act(out, want ? ACT_WATCH_ADD : ACT_WATCH_DEL, NULL);
	if (a)
		a->hoa = s->hoa;
	s->watched = want;
}

static void set_drop_empty(struct ha *ha, struct ha_bu_set *s, struct actions *out)
{
	watch(s, out);
	if (!LIST_EMPTY(&s->bus))
		return;
	HASH_DELETE(hh, ha->bu_sets, s);
	free(s);
}

static void before_drop(struct ha_bu *u)
{
	if (!u->before)
		return;
	free(u->before->session);
	vpn_profile_wipe(&u->before->profile);
	free(u->before);
	u->before = NULL;
}

static void bu_free(struct ha *ha, struct ha_bu *u)
{
	before_drop(u);
	LIST_REMOVE(u, link);
	role_heap_release(&ha->heap, &u->timer);
	free(u->session);
	crypto_wipe(u, sizeof(*u));
	free(u);
}

static void bu_end(struct ha *ha, struct ha_bu *u, struct actions *out)
{
	struct ha_bu_set *s = u->set;

	bu_free(ha, u);
	set_drop_empty(ha, s, out);
}

void ha_bu_free(struct ha *ha)
{
	struct ha_bu_set *s, *next;

	HASH_ITER(hh, ha->bu_sets, s, next)
	{
		while (!LIST_EMPTY(&s->bus))
			bu_free(ha, LIST_FIRST(&s->bus));
		HASH_DELETE(hh, ha->bu_sets, s);
		free(s);
	}
}

static struct ha_bu *bu_new(struct ha *ha, struct ha_bu_set *s)
{
	struct ha_bu *u = calloc(1, sizeof(*u));

	if (u)
		u->session = role_dup("");
	if (!u || !u->session || !role_heap_reserve(&ha->heap)) {
		free(u ? u->session : NULL);
		free(u);
		return NULL;
	}
	u->timer.kind = HA_T_BU;
	u->set = s;
	LIST_INSERT_HEAD(&s->bus, u, link);
	return u;
}

/* The one for this profile at this PCN, a leaving one included: it is wanted again. */
static struct ha_bu *bu_get(struct ha *ha, struct ha_bu_set *s, const struct vpn_profile *p)
{
	struct ha_bu *u;

	LIST_FOREACH(u, &s->bus, link)
	{
		if (u->profile.number == p->number && role_same_addr(u->profile.dst_gw, p->dst_gw))
			return u;
	}
	return bu_new(ha, s);
}

/* --- a registration --- */

bool ha_bu_dynamic(const struct ha *ha, const struct vpn_profile *p)
{
	return p->dst_gw_type == VPN_GW_DYNAMIC && !role_same_addr(p->src_gw, ha->cfg.addr) &&
	       !role_same_addr(p->dst_gw, ha->cfg.addr);
}

static bool belongs(struct ha_bu *u, const char *session)
{
	char *copy = role_dup(session);

	if (!copy)
		return false;
	free(u->session);
	u->session = copy;
	return true;
}

/* The address of a host that the PCN stands for: it takes what is sent to any of them. */
static struct in_addr host_of(const struct vpn_prefix *p)
{
	struct in_addr a = p->addr;

	if (p->len < 31)
		a.s_addr = htonl(ntohl(a.s_addr) + 1);
	return a;
}

/* What a standing binding says, for the case that the HAR that is to change it fails. */
static bool before_keep(const struct ha *ha, struct ha_bu *u)
{
	struct ha_bu_before *b;

	if (u->before || !ha_binding_by_session(ha, u->session))
		return true;
	b = calloc(1, sizeof(*b));
	if (!b)
		return false;
	b->session = role_dup(u->session);
	b->profile = u->profile;
	u->before = b;
	return b->session;
}

static bool start_one(struct ha *ha, struct ha_bu_set *s, const struct ha_pending *p,
		      const struct vpn_profile *profile, const struct role_event *e, role_ms now,
		      struct actions *out)
{
	struct ha_bu *u = bu_get(ha, s, profile);

	if (!u || !before_keep(ha, u) || !belongs(u, p->session))
		return false;
	u->of_har = true;
	u->profile = *profile;
	u->cn = host_of(&profile->dst);
	u->waits = true;
	u->tries = 0;
	u->hint_auth = false;
	u->give_up = now + ha->cfg.vpn_timeout_ms;
	ha_bu_state(u, HA_BU_PENDING, LOG_LVL_INFO, "registration", out);
	ha_bu_update(ha, u, p->answer.lifetime, e->wall_ms, now, out);
	return true;
}

bool ha_bu_start(struct ha *ha, const struct ha_pending *p, const struct dm_har *h,
		 const struct role_event *e, role_ms now, unsigned *waits, struct actions *out)
{
	struct ha_bu_set *s = NULL;
	bool ok = true;

	*waits = 0;
	for (uint8_t i = 0; ok && i < h->vpn.n; i++) {
		if (!ha_bu_dynamic(ha, &h->vpn.p[i]))
			continue;
		s = set_get(ha, p->answer.hoa);
		ok = s && h->vpn.p[i].bu_key.len == 32 && start_one(ha, s, p, &h->vpn.p[i], e, now, out);
		*waits += ok;
	}
	if (s)
		set_drop_empty(ha, s, out);
	return ok;
}

bool ha_bu_move(struct ha *ha, const struct ha_pending *p, role_ms now, unsigned *waits, struct actions *out)
{
	struct ha_bu_set *s = ha_bu_set_find(ha, p->answer.hoa);
	struct ha_bu *u;

	*waits = 0;
	if (!s)
		return true;
	LIST_FOREACH(u, &s->bus, link)
	{
		if (u->state == HA_BU_LEAVING || strcmp(u->session, p->session) != 0)
			continue;
		if (!before_keep(ha, u))
			return false;
		u->of_har = true;
		u->profile.src_gw = p->coa;
		u->waits = u->profile.required;
		u->hint_auth = false;
		u->give_up = now + ha->cfg.vpn_timeout_ms;
		*waits += u->waits;
		ha_bu_state(u, HA_BU_PENDING, LOG_LVL_INFO, "the user moves", out);
		ha_bu_update(ha, u, p->answer.lifetime, p->wall_ms, now, out);
	}
	return true;
}

void ha_bu_renew(struct ha *ha, const struct ha_binding *b, const struct ha_grant *g, role_ms now,
		 struct actions *out)
{
	struct ha_bu_set *s = ha_bu_set_find(ha, b->hoa);
	struct ha_bu *u;

	if (!s)
		return;
	LIST_FOREACH(u, &s->bus, link)
	{
		if (u->state == HA_BU_LEAVING || strcmp(u->session, b->session) != 0 || u->of_har)
			continue;
		u->profile.src_gw = g->coa;
		u->tries = 0;
		u->give_up = now + ha->cfg.vpn_timeout_ms;
		ha_bu_update(ha, u, g->lifetime, g->wall_ms, now, out);
	}
}

static void leave_one(struct ha *ha, struct ha_bu *u, struct actions *out)
{
	u->waits = u->of_har = false;
	before_drop(u);
	free(u->session);
	u->session = role_dup("");
	if (!u->told || !u->session) {
		ha_bu_state(u, HA_BU_LEAVING, LOG_LVL_INFO, "nothing to take back", out);
		bu_free(ha, u);
		return;
	}
	ha_bu_state(u, HA_BU_LEAVING, LOG_LVL_INFO, "the registration is over", out);
	u->tries = 0;
	u->give_up = ROLE_NEVER;
	ha_bu_update(ha, u, 0, ha->wall_ms, ha->now, out);
}

/* Those of session that a HAR under way has, or those that only its binding has. */
static void leave_some(struct ha *ha, struct in_addr hoa, const char *session, bool of_har,
		       struct actions *out)
{
	struct ha_bu_set *s = ha_bu_set_find(ha, hoa);
	struct ha_bu *u, *next;

	if (!s)
		return;
	for (u = LIST_FIRST(&s->bus); u; u = next) {
		next = LIST_NEXT(u, link);
		if (u->state != HA_BU_LEAVING && u->of_har == of_har && strcmp(u->session, session) == 0)
			leave_one(ha, u, out);
	}
	set_drop_empty(ha, s, out);
}

void ha_bu_leave(struct ha *ha, struct in_addr hoa, const char *session, struct actions *out)
{
	leave_some(ha, hoa, session, false, out);
}

void ha_bu_settle(struct ha *ha, struct in_addr hoa, const char *session, struct actions *out)
{
	struct ha_bu_set *s = ha_bu_set_find(ha, hoa);
	struct ha_bu *u;

	if (!s)
		return;
	leave_some(ha, hoa, session, false, out);
	s = ha_bu_set_find(ha, hoa);
	if (!s)
		return;
	LIST_FOREACH(u, &s->bus, link)
	{
		if (strcmp(u->session, session) != 0)
			continue;
		u->of_har = false;
		before_drop(u);
	}
}

static void restore_one(struct ha *ha, struct ha_bu *u, struct actions *out)
{
	char *session = u->session;

	u->profile = u->before->profile;
	u->session = u->before->session;
	u->before->session = session;
	before_drop(u);
	u->waits = u->of_har = false;
	u->give_up = ha->now + ha->cfg.vpn_timeout_ms;
	ha_bu_state(u, HA_BU_PENDING, LOG_LVL_INFO,
		    "as before: the registration that was to change it has failed", out);
	ha_bu_update(ha, u, ha_bu_left_s(ha, u, ha->now), ha->wall_ms, ha->now, out);
}

void ha_bu_give_back(struct ha *ha, struct in_addr hoa, const char *session, struct actions *out)
{
	struct ha_bu_set *s = ha_bu_set_find(ha, hoa);
	const struct ha_binding *b;
	struct ha_bu *u;

	if (!s)
		return;
	LIST_FOREACH(u, &s->bus, link)
	{
		b = u->of_har && u->before ? ha_binding_by_session(ha, u->before->session) : NULL;
		if (b && b->expires > ha->now + 1000 && strcmp(u->session, session) == 0)
			restore_one(ha, u, out);
	}
	leave_some(ha, hoa, session, true, out);
}

/* --- answers and time --- */

static void refusal_text(const struct ha_bu *u, const char *what, char *text, size_t size)
{
	char pcn[INET_ADDRSTRLEN];

	snprintf(text, size, "VPN %u: the gateway %s: %s", u->profile.number,
		 role_addr_str(u->profile.dst_gw, pcn), what);
}

static void refused(struct ha *ha, struct ha_bu *u, const char *what, role_ms now, struct actions *out)
{
	bool waited = u->waits;
	char text[DM_ERROR_MAX];

	refusal_text(u, what, text, sizeof(text));
	u->waits = false;
	u->tries = 0;
	role_heap_clear(&ha->heap, &u->timer);
	ha_bu_state(u, HA_BU_REFUSED, LOG_LVL_WARN, what, out);
	role_count("ha.bu", "refused");
	if (waited)
		ha_pending_answered(ha, u, text, now, out);
}

void ha_bu_answered(struct ha *ha, struct ha_bu *u, uint8_t status, role_ms now, struct actions *out)
{
	bool waited = u->waits;

	u->status = status;
	u->requests.ms = 0;
	u->tries = 0;
	if (u->state == HA_BU_LEAVING) {
		bu_end(ha, u, out);
		return;
	}
	if (status != BIND_OK) {
		refused(ha, u, bind_status_str(status), now, out);
		return;
	}
	u->waits = false;
	role_count("ha.bu", "accepted");
	ha_bu_state(u, HA_BU_STANDS, LOG_LVL_INFO, "acknowledged", out);
	role_heap_set(&ha->heap, &u->timer, u->expires);
	if (u->packets.until < now + UNDER_WAY_MS)
		u->packets.until = now + UNDER_WAY_MS;
	if (waited)
		ha_pending_answered(ha, u, NULL, now, out);
}

static void unanswered(struct ha *ha, struct ha_bu *u, role_ms now, struct actions *out)
{
	if (u->state == HA_BU_LEAVING && u->tries >= LEAVE_TRIES) {
		role_count("ha.bu", "unanswered");
		bu_end(ha, u, out);
	} else if (u->state != HA_BU_LEAVING && now >= u->give_up) {
		role_count("ha.bu", "unanswered");
		refused(ha, u,
			u->hint_auth ? "it may have another master key (status 131)" : "it does not answer",
			now, out);
	} else {
		role_count("ha.bu", "again");
		ha_bu_send(ha, u, now, out);
	}
}

void ha_bu_due(struct ha *ha, struct ha_bu *u, role_ms now, struct actions *out)
{
	if (u->state == HA_BU_STANDS && now >= u->expires && !u->tries) {
		role_heap_clear(&ha->heap, &u->timer);
		ha_bu_state(u, HA_BU_LAPSED, LOG_LVL_INFO, "its lifetime is over", out);
		return;
	}
	unanswered(ha, u, now, out);
}

void ha_bu_refused(const struct ha *ha, struct in_addr hoa, const char *session, struct dm_haa *h)
{
	struct ha_bu_set *s = ha_bu_set_find(ha, hoa);
	const struct ha_bu *u;
	char pcn[INET_ADDRSTRLEN];

	if (!s)
		return;
	LIST_FOREACH(u, &s->bus, link)
	{
		struct dm_refused *r = &h->refused[h->n_refused];

		if (u->state != HA_BU_REFUSED || strcmp(u->session, session) != 0 ||
		    h->n_refused == DM_REFUSED_MAX)
			continue;
		r->number = u->profile.number;
		snprintf(r->text, sizeof(r->text), "the gateway %s: %s",
			 role_addr_str(u->profile.dst_gw, pcn),
			 u->status ? bind_status_str(u->status) : "it does not answer");
		h->n_refused++;
	}
}

/* --- the console --- */

static void told(const struct ha_bu *u, role_ms now, struct ha_told *t)
{
	*t = (struct ha_told){.session = u->session, .profile = &u->profile, .state = state_word(u->state)};
	if (u->state == HA_BU_REFUSED)
		refusal_text(u, u->status ? bind_status_str(u->status) : "it does not answer", t->why,
			     sizeof(t->why));
	else if (u->tries)
		snprintf(t->why, sizeof(t->why), "Binding Update %u is not answered yet", u->tries);
	else if (u->hint_auth)
		snprintf(t->why, sizeof(t->why), "somebody says that its master key is another one");
	if (u->state == HA_BU_STANDS && u->expires > now)
		t->left_s = (uint32_t)((u->expires - now) / 1000);
}

void ha_told_each(const struct ha *ha, role_ms now, void (*fn)(void *user, const struct ha_told *t),
		  void *user)
{
	const struct ha_bu_set *s;
	const struct ha_bu *u;
	struct ha_told t;

	for (s = ha->bu_sets; s; s = s->hh.next) {
		LIST_FOREACH(u, &s->bus, link)
		{
			if (u->state == HA_BU_LEAVING || !u->session[0])
				continue;
			told(u, now, &t);
			fn(user, &t);
		}
	}
}
