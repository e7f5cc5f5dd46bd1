/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is heard of a tunnel: events, rows of list-sas, lines of charon's log.
 *
 * list-sas is the truth; an event or a log line only says when to look. One exception: a CHILD_SA that an
 * event shows as INSTALLED is taken as up at once, because a registration waits for it; the audit would find
 * out otherwise. After initiate with timeout -1 charon reports: an authentication failure or NO_PROPOSAL as
 * ike-updown without "up", refused selectors as ike-updown up and nothing more, a dead peer not at all. Hence
 * the timer, the look at an IKE_SA that stands without a CHILD_SA, and the log, which alone has the reason.
 */
#include "agent/vpn/internal.h"

#include <stdio.h>
#include <string.h>

/* An IKE_SA that is established has its CHILD_SA a moment later, or never. */
#define CHILD_AFTER_IKE_MS 300
#define RECHECK_MS 200
#define HOLD_MS 10000
#define HINT_MS 50	   /* charon's log lines come a little after its events */
#define KNOCK_AFTER_MS 500 /* before that a line is about the setting-up that has just succeeded */

static const struct {
	const char *line, *words;
	bool final;
} telling[] = {
	{"received AUTHENTICATION_FAILED", "it refused our authentication (key or identity)", true},
	{"but MAC mismatched", "its key does not match ours", true},
	{"no shared key found", "no key for it is loaded", true},
	{"constraint check failed", "it authenticated as somebody else", true},
	/* Also when its IPsec, not its configuration, cannot do them: it says no more. */
	{"NO_PROPOSAL_CHOSEN notify, no CHILD_SA built",
	 "it cannot do the tunnel's security type or algorithms (user-space IPsec has no AH)", true},
	{"received NO_PROPOSAL_CHOSEN", "it has no connection for us, or accepts none of our algorithms",
	 true},
	{"no acceptable proposal found", "it chose an algorithm that we do not accept", true},
	{"received TS_UNACCEPTABLE", "it refused the addresses of the tunnel (traffic selectors)", true},
	{"received INVALID_SYNTAX", "it did not understand us", true},
	{"no CHILD_SA built", "it refused the tunnel", true},
	{"installing route", "the kernel refused the tunnel's route", false},
	{"unable to install inbound and outbound IPsec SA",
	 "our IPsec cannot do the tunnel's security type or algorithms (user-space IPsec has no AH)", true},
	{"unable to install", "the kernel refused the tunnel", true},
	{"peer not responding", "it does not answer", false},
	{"giving up after", "it does not answer", true},
};

static struct sa *sa_find(struct tunnel *t, uint32_t id)
{
	for (uint8_t i = 0; i < t->n_sas; i++) {
		if (t->sas[i].id == id)
			return &t->sas[i];
	}
	return NULL;
}

/* When there are too many the oldest goes; a look at the truth brings it back if it lives. */
static struct sa *sa_get(struct tunnel *t, uint32_t id)
{
	struct sa *s = sa_find(t, id);

	if (s)
		return s;
	if (t->n_sas == TUNNEL_SAS_MAX) {
		memmove(&t->sas[0], &t->sas[1], (TUNNEL_SAS_MAX - 1) * sizeof(t->sas[0]));
		t->n_sas--;
	}
	s = &t->sas[t->n_sas++];
	memset(s, 0, sizeof(*s));
	s->id = id;
	return s;
}

static void sa_remove(struct tunnel *t, uint32_t id)
{
	uint8_t n = 0;

	for (uint8_t i = 0; i < t->n_sas; i++) {
		if (t->sas[i].id != id)
			t->sas[n++] = t->sas[i];
	}
	t->n_sas = n;
}

void tunnel_seen(struct tunnel *t, const struct sa_row *r)
{
	struct sa *s = sa_get(t, r->id);

	s->seen = ++t->v->seq;
	s->established = !strcmp(r->state, "ESTABLISHED");
	s->child = r->child && strcmp(r->state, "DELETING") != 0;
	/* charon shows an IKE_SA between two messages only, so an IKE_AUTH that has the CHILD_SA in it is
	 * either not in yet or all in. */
	s->bare = s->established && !r->any_child;
	if (s->child)
		t->stats = r->stats;
	tunnel_changed(t);
}

static void ike_up(struct tunnel *t, struct sa *s)
{
	s->established = true;
	t->ike_up_at = t->v->now;
	if (!t->initiator)
		tunnel_recheck(t, t->v->now); /* is it we who have to make the CHILD_SA? */
	else if (t->dialing && !t->late)
		tunnel_recheck(t, t->v->now + CHILD_AFTER_IKE_MS);
}

void tunnel_sa_event(struct tunnel *t, const struct sa_row *r, bool child)
{
	struct vpn *v = t->v;
	struct sa *s;

	t->touched = ++v->seq;
	if (r->up) {
		s = sa_get(t, r->id);
		s->seen = v->seq;
		s->child |= child && r->child;
		if (child && r->child) {
			s->bare = false;
			t->stats = r->stats;
			t->hold_until = NEVER;
			t->up_at = v->now;
		}
		if (!child)
			ike_up(t, s);
	} else if (!child) {
		sa_remove(t, r->id);
	} else if ((s = sa_find(t, r->id))) {
		s->child = r->child; /* another CHILD_SA of it may live: one was replaced */
		tunnel_recheck(t, v->now);
	}
	if (!r->up && t->dialing)
		tunnel_recheck(t, v->now + (t->hint[0] ? 0 : HINT_MS));
	tunnel_changed(t);
}

void tunnel_knock(struct tunnel *t)
{
	if (LIST_EMPTY(&t->parts) || (!tunnel_is_up(t) && !t->give_up) || t->hold_until != NEVER ||
	    t->v->now < t->up_at + KNOCK_AFTER_MS)
		return;
	vpn_say(t->v, LOG_LVL_INFO, "%s: the other gateway sets it up anew", t->name);
	if (tunnel_is_up(t)) {
		t->hold_until = t->v->now + HOLD_MS;
		vpn_timer(t->v, t->hold_until);
	}
	t->give_up = false;
	tunnel_dirty(t);
}

void tunnel_log_line(struct tunnel *t, const char *msg)
{
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
		if (!strstr(msg, telling[i].line))
			continue;
		snprintf(t->hint, sizeof(t->hint), "%s", telling[i].words);
		if (t->dialing && telling[i].final) {
			t->refused = true;
			tunnel_recheck(t, t->v->now);
		}
		return;
	}
}

/* --- a look at the truth --- */

void tunnel_recheck(struct tunnel *t, uint64_t at)
{
	struct vpn *v = t->v;

	if (at > v->now) {
		if (at < t->check_at)
			t->check_at = at;
		vpn_timer(v, t->check_at);
		return;
	}
	if (t->checking) {
		t->check_again = true;
		return;
	}
	t->check_at = NEVER;
	t->check_seq = ++v->seq;
	if (v->known && charon_command(v, CMD_CHECK, t, "list-sas", vpn_msg_named("ike", t->name), "list-sa"))
		t->checking = true;
	else if (v->known)
		tunnel_recheck(t, v->now + RECHECK_MS);
}

static bool ike_without_child(const struct tunnel *t)
{
	bool established = false;

	for (uint8_t i = 0; i < t->n_sas; i++)
		established |= t->sas[i].established;
	return established && !t->late && t->initiator && t->ike_up_at &&
	       t->v->now >= t->ike_up_at + CHILD_AFTER_IKE_MS;
}

static const char *silence(const struct tunnel *t)
{
	if (!t->n_sas)
		return "it broke the negotiation off";
	return t->late && t->ike_up_at ? "it accepted us but did not make the tunnel in time"
				       : "it does not answer";
}

static void verdict(struct tunnel *t)
{
	if (t->refused || !t->n_sas || t->v->now >= t->dial_due)
		tunnel_fail(t, t->hint[0] ? t->hint : silence(t));
	else if (ike_without_child(t))
		tunnel_fail(t, t->hint[0] ? t->hint : "it accepted us but not the tunnel");
}

void tunnel_check_done(struct tunnel *t)
{
	uint8_t n = 0;

	t->checking = false;
	for (uint8_t i = 0; i < t->n_sas; i++) {
		if (t->sas[i].seen >= t->check_seq)
			t->sas[n++] = t->sas[i];
	}
	t->n_sas = n;
	if (LIST_EMPTY(&t->parts) && !t->n_sas)
		tunnel_undial(t);
	tunnel_changed(t);
	if (t->force_at != NEVER)
		tunnel_recheck(t, t->v->now + t->terminate_ms / 8); /* ike-updown is quicker, if it comes */
	else if (t->dialing && !tunnel_is_up(t))
		verdict(t);
	if (t->check_again) {
		t->check_again = false;
		tunnel_recheck(t, t->v->now);
	}
}
